package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// ownAlerts bounds the alerts that the card of a device or service names.
const ownAlerts = 3

// activeOn are the alerts of a target that are not over.
func activeOn(f Frame, target string) (out []*fleet.Alert) {
	for _, a := range f.Snap.Alerts.Of(target) {
		if a.Active() {
			out = append(out, a)
		}
	}
	return out
}

// drawOwnAlerts draws alerts of one target a line each, with since when and how
// they stand, and returns the rows it took. At is the one under the caret, -1: none.
func drawOwnAlerts(f Frame, in widget.Canvas, y int, list []*fleet.Alert, at int) int {
	rows := min(len(list), max(in.H-y, 0), ownAlerts+1)
	for i, a := range list[:min(rows, ownAlerts)] {
		in.Text(0, y+i, "alert", widget.Dim)
		x := in.Text(6, y+i, alertGlyph(f, a), alertStyle(a)) + 1
		text := strings.Join(append([]string{a.Rule + " " + since(f, a.Since)}, alertWords(f, a)...), ", ") + ": " + saying(a)
		in.Cut(f.Theme, x, y+i, in.W-x, text, widget.Plain)
		if i == at {
			in.Text(5, y+i, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y+i, in.W)
		}
	}
	if rows > ownAlerts {
		in.Cut(f.Theme, 6, y+ownAlerts, in.W-6, "more alerts: E has all of it", widget.Dim)
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
