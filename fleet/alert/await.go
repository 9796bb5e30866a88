package alert

import (
	"strings"
	"time"

	"plumb/fleet"
)

// A child is not told before its parents were asked. They are polled with its
// first bad look; one that answers clears itself at once, one that does not
// takes as long as its probe waits, and then its other children are polled, so
// that the graph can name it. Whoever does not wait for that is told of twenty
// supplies, and of their PDU a moment later.
const (
	awaitParents  = 15 * time.Second       // from the first bad look on; then it is told as it stands
	awaitChildren = 5 * time.Second        // after a parent fell silent
	awaitAgain    = 500 * time.Millisecond // a group is looked at again, while one of it waits
)

// awaits reports whether an alert is not to be told yet, because what it stands
// on has not been asked since it was first seen, or fell silent just now.
func (b *Book) awaits(s *fleet.Snapshot, a *fleet.Alert, now time.Time) bool {
	p := b.byName[a.Rule]
	if p == nil || !polled[p.On] || now.Sub(a.Since) >= awaitParents {
		return false
	}
	if p.On == "sensor" && !strings.HasPrefix(a.Part, "psu") {
		return false // a fan stands on nothing that is elsewhere
	}
	n := s.Devices.Number(a.Target)
	if n < 0 || n >= len(s.Near) {
		return false
	}
	for _, i := range s.Near[n] {
		d := s.Devices.At(i)
		switch {
		case d.Spec.Kind == fleet.KindServer, len(d.Spec.Endpoints) == 0: // nothing stands on a server, and nobody can ask
		case d.Blind():
			if now.Sub(d.BlindSince) < awaitChildren {
				return true
			}
		case !d.SeenAt.After(a.Since):
			return true
		}
	}
	return false
}

// ready are the alerts of a group that may be told now. later says that others
// wait for their parents.
func (w *work) ready(list []*fleet.Alert, told map[string]fleet.Word) (out []*fleet.Alert, later bool) {
	out = make([]*fleet.Alert, 0, len(list))
	for _, a := range list {
		if w.rules.awaits(w.Next, a, w.now) && told[a.ID()].As == "" {
			later = true
			continue
		}
		out = append(out, a)
	}
	return out, later
}
