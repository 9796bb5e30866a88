package views

import (
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views/widget"
)

// Causes are the few parts that explain what is wrong with the fleet, worked
// out once for all screens ([Derivation]). Nobody writes to them.
type Causes struct {
	list   []trace.Cause
	states []fleet.State  // how bad each is
	wrong  int            // parts that are not as they should be
	by     map[string]int // place in list of what explains a part, by its id
	alone  map[string]int // place in list of what explains a part that no cause leads, at least in part
}

// newCauses explains a snapshot.
func newCauses(s *fleet.Snapshot, now time.Time) *Causes {
	c := &Causes{list: trace.Causes(s, now), by: map[string]int{}, alone: map[string]int{}}
	for i := range c.list {
		c.states = append(c.states, CauseState(s, &c.list[i]))
		for _, id := range c.list[i].Explains {
			if _, ok := c.by[id]; !ok {
				c.by[id], c.wrong = i, c.wrong+1
			}
			if _, ok := c.alone[id]; !ok && !leads(&c.list[i]) {
				c.alone[id] = i
			}
		}
	}
	return c
}

// of returns the cause that a part is, or that it is down for; nil: none.
func (c *Causes) of(id string) *trace.Cause {
	if c == nil {
		return nil
	}
	for i := range c.list {
		if c.list[i].ID == id {
			return &c.list[i]
		}
	}
	i, ok := c.by[id]
	if !ok {
		if i, ok = c.by[hostOf(id)]; !ok {
			return nil
		}
	}
	return &c.list[i]
}

// leads reports whether a cause says more than the symptom itself: it explains
// several, or names another part than the one that complains. The rest is said
// by groups of what complains alike.
func leads(x *trace.Cause) bool { return len(x.Explains) > 1 || x.Hangs != "" || x.Swapped }

// led reports whether causes that lead say all there is to say of a part.
func (c *Causes) led(id string) bool {
	x := c.of(id)
	_, alone := c.alone[id]
	return x != nil && leads(x) && !alone
}

// remains is what is wrong with a part beside what causes that lead say of it;
// "" where they say nothing of it, and all of it is its own.
func (c *Causes) remains(id string) string {
	k, alone := c.alone[id]
	if x := c.of(id); !alone || x == nil || !leads(x) {
		return ""
	}
	return firstOf(c.list[k].Evidence)
}

// share says how much of what is wrong a cause explains: "164 of 175".
func (c *Causes) share(x *trace.Cause) string {
	return strconv.Itoa(len(x.Explains)) + " of " + strconv.Itoa(c.wrong)
}

// CauseState is how bad a cause is: its own state, crit where others show that
// it is dead and it says nothing itself. A piece is as bad as it makes its
// device: one power supply of two is no outage.
func CauseState(s *fleet.Snapshot, x *trace.Cause) fleet.State {
	d := s.Devices.Get(hostOf(x.ID))
	switch {
	case x.State == fleet.StateUnknown && x.Proven:
		return fleet.StateCrit
	case isPiece(x.Kind) && d != nil:
		return d.State
	}
	return x.State
}

// riskText says what else hangs on a cause, and how much of what it explains
// has nothing left to lose; "" where neither is so.
func riskText(x *trace.Cause) string {
	var parts []string
	if x.LastPath > 0 {
		parts = append(parts, strconv.Itoa(x.LastPath)+" on their last path")
	}
	if len(x.Also) > 0 {
		parts = append(parts, trace.ByKind(x.Also)+" more")
	}
	if len(parts) == 0 {
		return ""
	}
	return "at risk: " + strings.Join(parts, ", ")
}

// drawCauseLine draws a cause in one row: what it is, since when, how much it
// explains and how sure that is, what is at risk and how it is known.
func drawCauseLine(f Frame, on widget.Canvas, y int, c *Causes, x *trace.Cause, st fleet.State, name int) {
	served := false // somebody knows
	if d := f.Snap.Devices.Get(hostOf(x.ID)); d != nil {
		served = d.Maintenance
	}
	at := 2
	if served {
		on.Text(0, y, f.Theme.Glyphs.Maintenance, widget.Maintenance)
	} else {
		on.Glyph(f.Theme, 0, y, st)
	}
	on.Cut(f.Theme, at, y, name, causeName(x), widget.Link)
	at += name + 1
	age := dash
	if !x.Since.IsZero() {
		age = since(f, x.Since)
	}
	on.CutRight(f.Theme, at, y, 5, age, widget.Dim)
	at = on.Cut(f.Theme, at+6, y, on.W-at-6, "explains "+c.share(x), widget.Bold) + 2
	if f.Width >= 160 { // narrower, only what is not certain is worth the room
		at = on.Cut(f.Theme, at-2, y, on.W-at, ", "+x.Confidence.String()+" confidence", widget.Dim) + 2
	}
	if risk := riskText(x); risk != "" && on.W >= 110 {
		at = on.Cut(f.Theme, at, y, min(56, on.W-at), risk, widget.Warn) + 2
	}
	text := strings.Join(x.Evidence, "; ")
	if x.Confidence != fleet.ConfidenceHigh && f.Width < 160 {
		text = x.Confidence.String() + " confidence: " + text
	}
	if served {
		text, st = "in maintenance: "+text, fleet.StateOff
	}
	on.Cut(f.Theme, at, y, on.W-at, text, widget.StateStyle(st))
}

func causeName(x *trace.Cause) string { return string(x.Kind) + " " + x.ID }
