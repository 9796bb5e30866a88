package alert

import (
	"plumb/fleet"
)

// places looks at regions, sites, racks, feeds, clouds and services. They are
// few, and change with what they hold.
func (w *work) places() {
	s := w.Next
	each(w, "region", &s.Regions, func(x *scene, v *fleet.Region) { x.region = v })
	each(w, "site", &s.Sites, func(x *scene, v *fleet.Site) { x.site = v })
	each(w, "rack", &s.Racks, func(x *scene, v *fleet.Rack) { x.rack = v })
	each(w, "feed", &s.Feeds, func(x *scene, v *fleet.Feed) { x.feed = v })
	each(w, "cloud", &s.Clouds, func(x *scene, v *fleet.Cloud) { x.cloud = v })
	each(w, "service", &s.Services, func(x *scene, v *fleet.Service) { x.service = v })
}

// guests looks at hosts and instances where a cloud was read.
func (w *work) guests() {
	if w.Guests || w.Before.Topology != w.Next.Topology {
		each(w, "host", &w.Next.Hosts, func(x *scene, v *fleet.HostState) { x.host = v })
		each(w, "instance", &w.Next.Instances, func(x *scene, v *fleet.InstanceState) { x.instance = v })
		w.gone(w.prev.List, "host", func(a *fleet.Alert) bool { return w.Next.Hosts.Number(a.Target) >= 0 })
		w.gone(w.prev.List, "instance", func(a *fleet.Alert) bool { return w.Next.Instances.Number(a.Target) >= 0 })
	}
}

func each[T any](w *work, on string, t *fleet.Table[T], set func(*scene, *T)) {
	list := w.rules.other[on]
	if len(list) == 0 {
		return
	}
	x := scene{s: w.Next, now: w.now}
	for id, v := range t.All() {
		set(&x, v)
		mine := w.prev.Of(id)
		for _, p := range list {
			w.ask(p, &x, mine, id, "")
		}
	}
}
