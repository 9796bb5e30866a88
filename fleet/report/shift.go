package report

import (
	"cmp"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
)

// Shift is what whoever is called next needs to know of alerts: what is open and
// who knows of it, what will be told again soon, and what the shift before was
// woken by.
type Shift struct {
	Period   Period   `json:"period"`
	Waiting  int      `json:"waiting"` // of the open ones, that nobody has acknowledged
	Open     []Called `json:"open"`    // the worst and oldest first; what one explains is counted with it
	Ending   []Quiet  `json:"ending"`  // silences that end within as long again
	Standing []Quiet  `json:"standing"`
	Calls    []Call   `json:"calls"` // what fired or was over, by what explained it
	Noisy    []Noise  `json:"noisy"` // rules by how often they fired
}

// Called is an alert that is open and that no other one explains.
type Called struct {
	ID       string           `json:"id"`
	Severity fleet.Severity   `json:"severity"`
	State    fleet.AlertState `json:"state"`
	Since    time.Time        `json:"since"`
	Summary  string           `json:"summary"`
	Holds    int              `json:"holds"` // alerts that it explains
	AckedBy  string           `json:"acked_by"`
	Why      string           `json:"why"` // of the ack
	Until    *time.Time       `json:"until"`
	Silenced string           `json:"silenced"`
	Stale    bool             `json:"stale"`
	Flapping bool             `json:"flapping"`
	AtRisk   string           `json:"at_risk"`
	Runbook  string           `json:"runbook"`
}

// Quiet is a silence or a maintenance.
type Quiet struct {
	ID     string    `json:"id"`
	Covers string    `json:"covers"`
	Now    int       `json:"now"` // alerts that will be told when it ends, if they still stand
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Ends   time.Time `json:"ends"`
}

// Call is what one cause brought in the shift.
type Call struct {
	Cause    string         `json:"cause"` // RULE:TARGET
	Severity fleet.Severity `json:"severity"`
	Summary  string         `json:"summary"`
	Fired    int            `json:"fired"`    // times that it did
	Explains int            `json:"explains"` // others that it held
	First    time.Time      `json:"first"`
	Last     time.Time      `json:"last"`
	LastedS  int64          `json:"lasted_s"` // in sum, of what is over
	Open     bool           `json:"open"`
}

// Noise is how often a rule fired.
type Noise struct {
	Rule    string `json:"rule"`
	Fired   int    `json:"fired"`
	Held    int    `json:"held"`    // explained by another one, and so not told by itself
	Flaps   int    `json:"flaps"`   // times that one of its alerts began to flap
	Targets int    `json:"targets"` // different ones
}

// ShiftSpan is how long a shift is where nobody says.
const ShiftSpan = 12 * time.Hour

// ShiftOf makes the hand-over of a shift; the period of the input is the shift.
func ShiftOf(in Input) Shift {
	s := Shift{Period: in.period(), Open: []Called{}, Ending: []Quiet{}, Standing: []Quiet{}, Calls: []Call{}, Noisy: []Noise{}}
	if b := in.Snap.Alerts; b != nil {
		s.open(b, in.Now)
		s.quiet(&in)
	}
	s.heard(&in)
	return s
}

func (s *Shift) open(b *fleet.AlertBook, now time.Time) {
	holds := map[string]int{}
	for _, a := range b.List {
		if a.Active() && a.Held != nil {
			holds[a.Held.By]++
		}
	}
	for _, a := range b.List {
		held := a.Held != nil && b.Find(a.Held.By) != nil // one that lost its cause is open by itself
		if !a.Active() || held {
			continue
		}
		x := Called{ID: a.ID(), Severity: a.Severity, State: a.State, Since: a.Since.UTC(), Summary: a.Summary, Holds: holds[a.ID()], Silenced: a.Silenced, Stale: !a.Stale.IsZero(), Flapping: a.Flapping, AtRisk: a.Blast, Runbook: a.Runbook}
		if a.Ack.Stands(now) {
			x.AckedBy, x.Why = a.Ack.By, a.Ack.Reason
			if !a.Ack.Until.IsZero() {
				until := a.Ack.Until.UTC()
				x.Until = &until
			}
		}
		if a.Loud() {
			s.Waiting++
		}
		s.Open = append(s.Open, x)
	}
	slices.SortStableFunc(s.Open, func(a, b Called) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Since.Compare(b.Since))
	})
}

func (s *Shift) quiet(in *Input) {
	length := in.Now.Sub(in.Since)
	for i := range in.Snap.Alerts.Silences {
		q := &in.Snap.Alerts.Silences[i]
		if !in.Now.Before(q.End) {
			continue
		}
		x := Quiet{ID: q.ID, Covers: q.Text(), Now: len(alert.Covered(in.Snap, q)), By: q.By, Reason: q.Comment, Ends: q.End.UTC()}
		if q.End.Sub(in.Now) <= length {
			s.Ending = append(s.Ending, x)
		} else {
			s.Standing = append(s.Standing, x)
		}
	}
	for _, list := range [][]Quiet{s.Ending, s.Standing} {
		slices.SortStableFunc(list, func(a, b Quiet) int { return a.Ends.Compare(b.Ends) })
	}
}

// heard reads the timeline: what fired, what explained it, and what was over.
func (s *Shift) heard(in *Input) {
	events := slices.Clone(in.Events)
	slices.SortStableFunc(events, func(a, b fleet.Event) int { return a.At.Compare(b.At) })
	var lines []alert.Heard
	holder := map[string]string{} // the last that explained an alert
	for i := range events {
		if h, ok := alert.Hear(&events[i]); ok && in.within(h.At) {
			lines = append(lines, h)
			switch h.Turn {
			case alert.TurnHeld:
				holder[h.Rule+":"+h.Target] = h.Text
			case alert.TurnLetGo: // it is told by itself after all
				delete(holder, h.Rule+":"+h.Target)
			}
		}
	}
	if in.Snap.Alerts != nil {
		for _, a := range in.Snap.Alerts.List {
			if a.Held != nil && a.Active() {
				holder[a.Rule+":"+a.Target] = a.Held.By
			}
		}
	}
	calls, noise := map[string]*Call{}, map[string]*Noise{}
	targets := map[string]map[string]bool{}
	for i := range lines {
		h := &lines[i]
		id := h.Rule + ":" + h.Target
		n := noise[h.Rule]
		if n == nil {
			n = &Noise{Rule: h.Rule}
			noise[h.Rule], targets[h.Rule] = n, map[string]bool{}
		}
		targets[h.Rule][h.Target] = true
		switch h.Turn {
		case alert.TurnFired:
			n.Fired++
			if holder[id] != "" {
				n.Held++
			}
		case alert.TurnFlaps:
			n.Flaps++
		}
		if h.Turn != alert.TurnFired && h.Turn != alert.TurnOver {
			continue
		}
		s.call(calls, h, id, cmp.Or(holder[id], id))
	}
	s.sum(in, calls, noise, targets)
}

// call counts a line for what explains it.
func (s *Shift) call(calls map[string]*Call, h *alert.Heard, id, cause string) {
	c := calls[cause]
	if c == nil {
		c = &Call{Cause: cause, First: h.At.UTC()}
		calls[cause] = c
	}
	c.Last = h.At.UTC()
	switch own := id == cause; {
	case own && h.Turn == alert.TurnFired:
		c.Fired++
		c.Severity, c.Summary = max(c.Severity, h.Severity), h.Text
	case own:
		c.LastedS += int64(h.Lasted.Seconds())
		c.Summary = cmp.Or(c.Summary, h.Text)
	case h.Turn == alert.TurnFired:
		c.Explains++
	}
}

func (s *Shift) sum(in *Input, calls map[string]*Call, noise map[string]*Noise, targets map[string]map[string]bool) {
	open := map[string]bool{}
	if in.Snap.Alerts != nil {
		for _, a := range in.Snap.Alerts.List {
			if a.Active() {
				open[a.Rule+":"+a.Target], open[a.ID()] = true, true
			}
		}
	}
	for id, c := range calls {
		c.Open = open[id]
		s.Calls = append(s.Calls, *c)
	}
	slices.SortFunc(s.Calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), b.Last.Compare(a.Last), cmp.Compare(a.Cause, b.Cause))
	})
	for rule, n := range noise {
		n.Targets = len(targets[rule])
		if n.Fired+n.Flaps > 0 {
			s.Noisy = append(s.Noisy, *n)
		}
	}
	slices.SortFunc(s.Noisy, func(a, b Noise) int {
		return cmp.Or(cmp.Compare(b.Fired-b.Held, a.Fired-a.Held), cmp.Compare(b.Fired, a.Fired), cmp.Compare(a.Rule, b.Rule))
	})
}
