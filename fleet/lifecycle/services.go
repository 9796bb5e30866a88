package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
)

// services looks at what each service stands on.
func (v *survey) services() {
	leaving := v.leaving()
	for n := range v.s.Services.Len() {
		x := v.s.Services.At(n)
		t := Target{ID: x.Spec.Name}
		if x.Spec.Owner == "" {
			f := finding(Unowned, "none", "service "+x.Spec.Name+" has no owner: nobody is called when it fails")
			f.Class = fleet.ClassMissing
			t.Looks = append(t.Looks, fleet.Look{Facet: Unowned, Known: true, Found: f})
		} else {
			v.pass(Unowned, 1)
		}
		t.Looks = append(t.Looks, v.onePlace(x), v.retirement(x, leaving))
		v.targets = append(v.targets, t)
	}
}

// place is where one replica stands; empty is not known.
type place struct{ host, rack, zone, cloud string }

func running(st fleet.State) bool { return st == fleet.StateOK || st == fleet.StateWarn }

// places are those of the running replicas.
func (v *survey) places(x *fleet.Service) (out []place) {
	for _, i := range x.Devices {
		if d := v.s.Devices.At(i); running(d.State) {
			out = append(out, place{host: d.Spec.ID, rack: d.Spec.Rack, zone: d.Spec.Site})
		}
	}
	for _, i := range x.Instances {
		g := v.s.Instances.At(i)
		if !running(g.State) {
			continue
		}
		p := place{host: g.Host, zone: g.Zone, cloud: g.Cloud}
		if g.Device >= 0 {
			p.rack = v.s.Devices.At(g.Device).Spec.Rack
		}
		out = append(out, p)
	}
	return out
}

// onePlace says that a service stands on one host, else in one rack, else in
// one zone. The narrowest is enough: it is what fails first.
func (v *survey) onePlace(x *fleet.Service) fleet.Look {
	look := fleet.Look{Facet: OnePlace}
	if x.Replicas < 2 || x.Hosts > 1 && x.Racks > 1 && x.Zones > 1 {
		if look.Known = x.Replicas > 1; look.Known {
			v.pass(OnePlace, 1)
		} else {
			v.blind(OnePlace, 1) // one replica is in one place whatever is done
		}
		return look
	}
	list := v.places(x)
	for _, k := range []struct {
		what string
		of   func(place) domain
	}{{"host", func(p place) domain { return domain{name: p.host} }}, {"rack", func(p place) domain { return domain{name: p.rack} }},
		{"zone", func(p place) domain { return domain{p.cloud, p.zone} }}} {
		where, all := same(list, k.of)
		if !all {
			continue
		}
		f := finding(OnePlace, k.what+" "+where, fmt.Sprintf("all %d running replicas of %s are in one %s, %s", len(list), x.Spec.Name, k.what, where))
		f.Class = fleet.ClassMissing
		f.Fix = fmt.Sprintf("place some elsewhere: with that %s %d of %d are lost", k.what, len(list), len(list))
		return fleet.Look{Facet: OnePlace, Known: true, Found: f}
	}
	if look.Known = x.Unplaced == 0; look.Known {
		v.pass(OnePlace, 1)
	} else {
		v.blind(OnePlace, 1)
	}
	return look
}

// domain is something that fails as one; a zone is one of its cloud's.
type domain struct{ cloud, name string }

// same reports whether all have one place and it is known.
func same(list []place, of func(place) domain) (string, bool) {
	if len(list) == 0 || of(list[0]).name == "" {
		return "", false
	}
	first := of(list[0])
	for _, p := range list[1:] {
		if of(p) != first {
			return "", false
		}
	}
	if first.cloud != "" {
		return first.cloud + "/" + first.name, true
	}
	return first.name, true
}

// leaving are the hosts that their cloud disabled and gave a reason for, by
// cloud and name.
func (v *survey) leaving() map[string]*fleet.HostState {
	out := map[string]*fleet.HostState{}
	for n := range v.s.Hosts.Len() {
		if h := v.s.Hosts.At(n); h.Status == "disabled" && h.Maintenance != "" {
			out[h.Cloud+"/"+h.Name] = h
		}
	}
	return out
}

// retirement asks what a service is left with when the hosts that are to go
// are gone. That a host is to go is said of the host; here it is the floor.
func (v *survey) retirement(x *fleet.Service, leaving map[string]*fleet.HostState) fleet.Look {
	look := fleet.Look{Facet: Retirement, Known: true}
	if x.Spec.Floor == 0 || len(leaving) == 0 {
		v.pass(Retirement, 1)
		return look
	}
	lost, why := 0, map[string]bool{}
	for _, i := range x.Instances {
		g := v.s.Instances.At(i)
		if h := leaving[g.Cloud+"/"+g.Host]; h != nil && running(g.State) {
			lost++
			why[h.Name+" ("+h.Maintenance+")"] = true
		}
	}
	left := x.Replicas - lost
	if lost == 0 || left > x.Spec.Floor {
		v.pass(Retirement, 1)
		return look
	}
	hosts := slices.Sorted(maps.Keys(why))
	text := strings.Join(hosts[:min(len(hosts), 3)], ", ") + more(len(hosts)-3)
	f := finding(Retirement, strings.Join(hosts, ", "), fmt.Sprintf("%d of %d replicas of %s stand on hosts that are to go: %s; without them %d run, floor %d", lost, x.Replicas, x.Spec.Name, text, left, x.Spec.Floor))
	if f.Severity = fleet.SeverityCrit; left == x.Spec.Floor {
		f.Severity = fleet.SeverityWarn
	}
	f.Fix = fmt.Sprintf("make %s anew elsewhere before that", fleet.Count(lost, "replica"))
	look.Found = f
	return look
}
