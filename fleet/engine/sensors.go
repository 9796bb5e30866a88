package engine

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

// judgeSensors takes what the sensors say of themselves. Power supplies are
// judged together: one that failed beside one that works is redundancy lost,
// not a dying machine.
func (s *step) judgeSensors(v *verdict, d *fleet.Device) {
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if !bad(x.State) {
			continue
		}
		if n := supply(x); n > 0 {
			s.judgeSupply(v, d, x, n)
			continue
		}
		if fullLog(x) {
			if !v.speaksOf(aboutLog) {
				v.add(fleet.StateWarn, aboutLog, "event log: %s", x.Text)
			}
			continue
		}
		v.add(x.State, "sensor "+x.Key, "%s", sentence(x))
	}
}

// sentence is what a sensor in trouble says: its words, or its value and the
// limit that it crossed.
func sentence(x *fleet.Sensor) string {
	if x.Text != "" && (x.Class == fleet.ClassState || !x.Value.Known) {
		return x.Name + ": " + x.Text
	}
	return fmt.Sprintf("%s %s%s%s", x.Name, x.Value, unit(x.Unit), beyond(x))
}

func unit(u string) string {
	if u == "" {
		return ""
	}
	return " " + u
}

// beyond names the limit a value has crossed.
func beyond(x *fleet.Sensor) string {
	l := x.Limits
	for _, c := range []struct {
		at   fleet.Num
		sign int
		word string
	}{{l.HighCrit, 1, "crit"}, {l.LowCrit, -1, "crit"}, {l.HighWarn, 1, "warn"}, {l.LowWarn, -1, "warn"}} {
		if c.at.Known && x.Value.Known && x.Value.Cmp(c.at)*c.sign >= 0 {
			return fmt.Sprintf(" (%s %s)", c.word, c.at)
		}
	}
	return ""
}

// A log that fills up is told from here on.
const logHighPercent = 75

// judgeLog speaks up before the event log is full and when it is: a full log
// takes no new events, so that the machine's next trouble leaves no trace.
func judgeLog(v *verdict, d *fleet.Device) {
	used := d.Facts.Num("sel.used_percent")
	switch {
	case d.Facts.Get("sel.overflow") == "yes":
		v.add(fleet.StateWarn, aboutLog, "event log is full and has lost events")
	case used.Known && used.Float() >= 100:
		v.add(fleet.StateWarn, aboutLog, "event log is full: new events will be lost")
	case used.Known && used.Float() >= logHighPercent:
		v.add(fleet.StateWarn, aboutLog, "event log %s %% full", used)
	}
}

// fullLog reports whether a sensor only says that the event log fills up
// (IPMI 2.0 table 42-3, type 10h, offsets 4 and 5).
func fullLog(x *fleet.Sensor) bool {
	return x.Class == fleet.ClassState && (x.Text == "SEL Full" || x.Text == "SEL Almost Full")
}

func (v *verdict) speaksOf(about string) bool {
	return slices.ContainsFunc(v.reasons, func(r reason) bool { return r.about == about })
}

func supply(x *fleet.Sensor) int { return x.Supply() }
