package views

import (
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// drawStanding draws what every screen says for as long as it is so: that
// somebody waits for a second person or an answer, and that nothing may be done.
// It returns the column after it.
func drawStanding(f Frame, on widget.Canvas, x int) int {
	if !f.Live {
		return x
	}
	g := f.Theme.Glyphs
	if j := keys.Request(f.Snap, f.User); j != nil {
		x = on.Text(x, 0, g.Warn, widget.Warn) + 1
		if f.Keys != nil && f.Role > fleet.RoleWall {
			if c, ok := f.Keys.Get("job.next"); ok {
				x = on.Text(x, 0, c.Keys.Help().Key, widget.Key) + 1
			}
		}
		x = on.Cut(f.Theme, x, 0, on.W-x-1, requestText(f, j), widget.Warn) + 3
	}
	if z := f.Snap.Freeze; z.Holds(f.At) && on.W-x > 12 {
		x = on.Cut(f.Theme, x, 0, on.W-x-1, freezeText(f), widget.Inverse) + 3
	}
	return x
}

// requestText is what somebody asks everybody: "bob asks, 14m left: outlet-off
// pa/3: a second person has to agree".
// or of a run: "a runbook asks, 55m left: silent-bmc s01: is anybody at the rack?".
func requestText(f Frame, j *fleet.Job) string {
	if j.Asks != nil {
		return "a runbook asks, " + span(j.Asks.Until.Sub(f.At)) + " left: " + strings.TrimPrefix(string(j.Action), "run ") + " " + jobTargets(f, j) + ": " + j.Asks.Text
	}
	who := j.By + " asks, "
	if j.By == f.User {
		who = "you asked, "
	}
	return who + left(f, j) + " left: " + string(j.Action) + " " + jobTargets(f, j) + argsOf(j) + ": a second person has to agree"
}

func argsOf(j *fleet.Job) string {
	if j.Planned == nil {
		return ""
	}
	return argsText(j.Planned.Args)
}

// freezeText says who stopped everything and why.
func freezeText(f Frame) string {
	z := f.Snap.Freeze
	text := " FROZEN by " + z.By
	if !z.Until.IsZero() {
		text += " until " + clock(f, z.Until)
	}
	return text + ": " + z.Reason + " "
}

// drawFrozen marks the header of a screen while nothing may be done; the row of
// alerts says who and why.
func drawFrozen(f Frame, on widget.Canvas, x int) int {
	if !f.Live || !f.Snap.Freeze.Holds(f.At) {
		return x
	}
	return on.Right(x-1, 0, "FROZEN", widget.Inverse)
}
