package alert

import (
	"time"

	"plumb/fleet"
)

// owed is an alert that is to be forgotten as it is kept, because somebody who
// was told of it has not heard yet that it is over: its silence was long, or its
// group speaks seldom. What is said then needs its words and its labels, by which
// receivers know it. nil: nobody waits for it.
func (w *work) owed(a *fleet.Alert) *fleet.Alert {
	if w.owes == nil {
		w.owes = map[string]bool{}
		for i := range w.book.Groups {
			for id := range w.book.Groups[i].Told {
				w.owes[id] = true
			}
		}
	}
	if len(w.owes) == 0 || !w.owes[a.ID()] {
		return nil
	}
	if !a.Active() {
		return a
	}
	n := *a // it came back and went before it was hard
	n.State, n.Ended, n.Hard, n.Held, n.Ack, n.Retry = fleet.AlertResolved, w.now, false, nil, nil, time.Time{}
	return &n
}
