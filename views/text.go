package views

import (
	"math"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// dash stands for what is not known, everywhere.
const dash = "-"

// number writes a value with so many decimals at most; null is a dash.
func number(n fleet.Num, decimals int8) string {
	if !n.Known {
		return dash
	}
	if n.Scale < -decimals {
		n = n.Rescale(-decimals)
	}
	return n.String()
}

// quantity writes a sensor's value with its unit as people read it.
func quantity(th *widget.Theme, n fleet.Num, unit string) string {
	if !n.Known {
		return dash
	}
	switch unit {
	case "C":
		return number(n, 0) + th.Glyphs.Degree + "C"
	case "V", "A":
		return number(n, 2) + unit
	case "W":
		return number(n, 0) + "W"
	case "s":
		if f := n.Float(); f >= 0 && f < 1e10 {
			return span(time.Duration(f * float64(time.Second)))
		}
	case "%", "Hz", "rpm":
		return number(n, 0) + unit
	}
	return strings.TrimSpace(number(n, 2) + " " + unit)
}

// watts writes a power, in kW from a thousand on.
func watts(n fleet.Num) string {
	if !n.Known {
		return dash
	}
	if f := n.Float(); math.Abs(f) >= 1000 {
		return strconv.FormatFloat(f/1000, 'f', 1, 64) + "kW"
	}
	return number(n, 0) + "W"
}

// bits writes a rate or a speed in bits per second: 940M, 6.1G.
func bits(n fleet.Num) string {
	if !n.Known {
		return dash
	}
	return scaled(n.Float())
}

func scaled(f float64) string {
	for _, u := range [...]struct {
		at   float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(f) < u.at {
			continue
		}
		f /= u.at
		if f >= 10 || f == math.Trunc(f) {
			return strconv.FormatFloat(f, 'f', 0, 64) + u.name
		}
		return strconv.FormatFloat(f, 'f', 1, 64) + u.name
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// Span is span for those who print for people off the screen.
func Span(d time.Duration) string { return span(d) }

// span writes a duration in its largest unit, two where it is short of three.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < 10*time.Minute:
		if s := int(d % time.Minute / time.Second); s > 0 {
			return strconv.Itoa(int(d/time.Minute)) + "m" + two(s) + "s"
		}
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 10*time.Hour:
		if m := int(d % time.Hour / time.Minute); m > 0 {
			return strconv.Itoa(int(d/time.Hour)) + "h" + two(m) + "m"
		}
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d < 730*24*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	return strconv.FormatFloat(d.Hours()/24/365.25, 'f', 1, 64) + "y"
}

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// since writes how long ago t was; the zero time is "never".
func since(f Frame, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return span(f.At.Sub(t))
}

// clock writes the time of day in UTC, with the date when it was another day.
func clock(f Frame, t time.Time) string {
	t = t.UTC()
	if y, m, d := f.At.UTC().Date(); !t.After(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return t.Format("01-02 15:04")
	}
	return t.Format("15:04:05")
}

// percent writes a share of one; not known is a dash.
func percent(share float64) string {
	if math.IsNaN(share) {
		return dash
	}
	return strconv.Itoa(int(math.Round(share*100))) + "%"
}

// or returns s, or the dash where it is empty.
func or(s string) string {
	if s == "" {
		return dash
	}
	return s
}

// unit writes a place on the half-unit grid: 37, or 3.5.
func unit(h fleet.HalfU) string {
	if h == 0 {
		return dash
	}
	return number(h.Num(), 1)
}

// afterSlash returns what follows the first slash: the rack's or port's name.
func afterSlash(id string) string {
	if _, name, ok := strings.Cut(id, "/"); ok {
		return name
	}
	return id
}
