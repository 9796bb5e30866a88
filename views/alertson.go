package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// ownAlerts bounds the alerts that a device's card names.
const ownAlerts = 3

// drawOwnAlerts draws the alerts of a device a line each, with how they stand,
// and returns the rows it took.
func drawOwnAlerts(f Frame, in widget.Canvas, y int, d *fleet.Device) int {
	rows := 0
	for _, a := range f.Snap.Alerts.Of(d.Spec.ID) {
		if !a.Active() || y+rows >= in.H {
			continue
		}
		if rows++; rows > ownAlerts {
			in.Cut(f.Theme, 6, y+rows-1, in.W-6, "more alerts: E has all of it", widget.Dim)
			return rows
		}
		in.Text(0, y+rows-1, "alert", widget.Dim)
		x := in.Text(6, y+rows-1, alertGlyph(f, a), alertStyle(a)) + 1
		text := strings.Join(append([]string{a.Rule + ": " + saying(a)}, alertWords(f, a)...), "; ")
		in.Cut(f.Theme, x, y+rows-1, in.W-x, text, widget.Plain)
	}
	return rows
}

// alertsIn counts the alerts of a rack and of all in it: "3 wait, 18 held"; ""
// where there is none.
func alertsIn(f Frame, rack string) string {
	waits, known, held := 0, 0, 0
	see := func(target string) {
		for _, a := range f.Snap.Alerts.Of(target) {
			switch {
			case a.State != fleet.AlertFiring:
			case a.Held != nil:
				held++
			case a.Loud():
				waits++
			default:
				known++
			}
		}
	}
	see(rack)
	for _, n := range f.Snap.DevicesOf[rack] {
		see(f.Snap.Devices.ID(n))
	}
	var out []string
	for _, x := range [...]struct {
		n    int
		word string
	}{{waits, " wait"}, {known, " acked or silenced"}, {held, " held"}} {
		if x.n > 0 {
			out = append(out, strconv.Itoa(x.n)+x.word)
		}
	}
	return strings.Join(out, ", ")
}
