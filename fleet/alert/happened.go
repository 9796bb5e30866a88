package alert

import (
	"cmp"
	"time"

	"plumb/fleet"
)

// eventFresh is how old an event may be when it is read; an older one calls
// nobody.
const eventFresh = time.Hour

// events looks at what happened in this step. An alert of an event has no second
// look: it is kept firing for as long as its rule says, or until the event is
// taken back.
func (w *work) events() {
	list := w.rules.other["event"]
	for i := range w.Events {
		e := &w.Events[i]
		if len(list) == 0 || w.now.Sub(e.At) > eventFresh {
			continue
		}
		x := scene{s: w.Next, now: w.now, event: e}
		mine := w.prev.Of(e.Target)
		for _, p := range list {
			if p.problem.of(&x) == True {
				w.happened(p, &x, mine)
			}
		}
	}
}

func (w *work) happened(p *program, x *scene, mine []*fleet.Alert) {
	e := x.event
	part := cmp.Or(e.Sensor, e.Type)
	k := key{e.Target, p.Name, part}
	a := w.get(mine, k)
	if !e.Asserted {
		if a != nil && a.State == fleet.AlertFiring {
			n := *a
			n.Good, n.Quiet, n.Stale = p.limits.recover, w.now.Add(-p.limits.keep), time.Time{}
			w.settle(k, a, p.limits.tick(&n, w.now))
		}
		return
	}
	w.take(p, x, mine, e.Target, part, True)
	if n := w.get(mine, k); n != nil && n.State == fleet.AlertFiring {
		y := *n
		y.Quiet, y.Good = w.now, p.limits.recover
		w.put(k, &y)
	}
}
