package alert

import (
	"plumb/fleet"
)

// dockets looks at the findings of what was judged since the step before.
func (w *work) dockets() {
	list := w.rules.other["finding"]
	if len(list) == 0 {
		return
	}
	for _, i := range w.Looked {
		d := w.Next.Devices.At(i)
		var was *fleet.Docket
		if before := w.Before.Devices.Get(d.Spec.ID); before != nil {
			was = before.Docket
		}
		w.docket(list, d.Spec.ID, was, d.Docket)
	}
	s, b := w.Next, w.Before
	docketsOf(w, list, &s.Regions, &b.Regions, func(x *fleet.Region) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Racks, &b.Racks, func(x *fleet.Rack) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Feeds, &b.Feeds, func(x *fleet.Feed) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Clouds, &b.Clouds, func(x *fleet.Cloud) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Services, &b.Services, func(x *fleet.Service) *fleet.Docket { return x.Docket })
}

func docketsOf[T any](w *work, list []*program, t, before *fleet.Table[T], docket func(*T) *fleet.Docket) {
	for id, x := range t.All() {
		var was *fleet.Docket
		if b := before.Get(id); b != nil {
			was = docket(b)
		}
		w.docket(list, id, was, docket(x))
	}
}

func (w *work) docket(list []*program, target string, was, docket *fleet.Docket) {
	if docket == nil || was == docket && w.Before.Topology == w.Next.Topology {
		return
	}
	mine, there := w.prev.Of(target), map[string]bool{}
	x := scene{s: w.Next, now: w.now}
	for i := range docket.Findings {
		f := &docket.Findings[i]
		x.finding, there[f.Facet] = f, true
		for _, p := range list {
			if f.Stale.IsZero() {
				w.ask(p, &x, mine, target, f.Facet)
			} else if len(mine) > 0 {
				w.take(p, &x, mine, target, f.Facet, Unknown)
			}
		}
	}
	w.gone(mine, "finding", func(a *fleet.Alert) bool { return there[a.Part] })
}
