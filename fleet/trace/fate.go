package trace

import (
	"cmp"
	"slices"

	"plumb/fleet"
)

// Zone is a failure domain of a cloud, as its provider names it. It is no part
// of the graph: nobody says what hangs on it.
const Zone Kind = "zone"

// Fate is a part whose failure alone takes several replicas of a service at
// once.
type Fate struct {
	ID    string   `json:"id"`
	Kind  Kind     `json:"kind"`
	Also  []string `json:"also"`  // wider parts that take exactly the same replicas
	Takes int      `json:"takes"` // replicas
	Left  int      `json:"left"`
	Below bool     `json:"below"` // what is left is fewer than the floor
}

// Spread is how the running replicas of a service are spread over what may
// fail.
type Spread struct {
	Service  string `json:"service"`
	Replicas int    `json:"replicas"` // that run now
	Floor    int    `json:"floor"`    // 0: none
	Shared   []Fate `json:"shared"`   // what takes most first, then the narrowest
	Opaque   int    `json:"opaque"`   // replicas that nobody can tell apart from another one
	// Opacity is Opaque as a share of Replicas, 0 to 1; null where none runs.
	Opacity fleet.Num `json:"opacity"`
	Unseen  []string  `json:"unseen"` // the ids of the opaque ones
}

// SharedFate tells which parts the replicas of a service share: each part takes
// those that have no other way, on the fleet as it is, so a redundant feed takes
// nobody until its other half is dead. n is the service's dense number.
func (g *Graph) SharedFate(s *fleet.Snapshot, n int) Spread {
	v := s.Services.At(n)
	f := &fates{q: newInquiry(g, s, s.At), takes: map[domain][]int{}}
	out := Spread{Service: v.Spec.Name, Floor: v.Spec.Floor, Shared: []Fate{}, Unseen: []string{}}
	for _, k := range v.Devices {
		if d := s.Devices.At(k); Running(d.State) {
			f.machine(out.Replicas, k)
			out.Replicas++
		}
	}
	for _, k := range v.Instances {
		if x := s.Instances.At(k); Running(x.State) {
			f.guest(out.Replicas, x)
			out.Replicas++
		}
	}
	out.Unseen = opaque(s, v)
	if out.Opaque = len(out.Unseen); out.Replicas > 0 {
		out.Opacity = fleet.FromFloat(float64(out.Opaque)/float64(out.Replicas), 3)
	}
	out.Shared = f.shared(out.Replicas, out.Floor)
	return out
}

// domain is something that may fail, by its kind and id.
type domain struct {
	kind Kind
	id   string
}

// fates gathers who is taken by what.
type fates struct {
	q     *inquiry
	takes map[domain][]int // replicas, counted as they come
}

func (f *fates) add(replica int, kind Kind, id string) {
	if id == "" {
		return
	}
	d := domain{kind, id}
	if list := f.takes[d]; len(list) == 0 || list[len(list)-1] != replica {
		f.takes[d] = append(list, replica)
	}
}

// machine takes a replica that stands on a device of ours.
func (f *fates) machine(replica, n int) {
	q := f.q
	for _, p := range join(slices.Clone(q.powerOf(n)), q.pathOf(n)) {
		f.add(replica, p.Kind, q.g.ID(q.s, p))
	}
	spec := q.s.Devices.At(n).Spec
	f.add(replica, Rack, spec.Rack)
	f.add(replica, Site, spec.Site)
	f.add(replica, Region, spec.Region)
}

// pathOf lists what cuts a machine off from the edge of its region: what all of
// its live cables for data have in common.
func (q *inquiry) pathOf(n int) []Part {
	var ways [][]Part
	for _, c := range q.g.devices[n].cables {
		if !c.management && c.to >= 0 {
			ways = append(ways, q.wayOf(c.to))
		}
	}
	return q.anyOf(ways)
}

func (f *fates) guest(replica int, x *fleet.InstanceState) {
	s := f.q.s
	switch {
	case x.Device >= 0:
		f.machine(replica, x.Device)
	case x.Host != "":
		f.add(replica, Host, x.Cloud+"/"+x.Host)
	}
	if x.Zone != "" {
		f.add(replica, Zone, x.Cloud+"/"+x.Zone)
	}
	f.add(replica, Cloud, x.Cloud)
	if c := s.Clouds.Get(x.Cloud); c != nil {
		f.add(replica, Region, c.Spec.Region)
	}
}

// narrow are the kinds of domains, the narrowest first: what fails most often.
var narrow = []Kind{Host, Server, Other, Outlet, PDU, Switch, Router, Rack, UPS, Feed, Utility, Zone, Cloud, Site, Region}

// shared lists the domains that take two or more. Those that take the same ones
// are one, under the name of the narrowest.
func (f *fates) shared(replicas, floor int) []Fate {
	list := make([]domain, 0, len(f.takes))
	for d, takes := range f.takes {
		if len(takes) > 1 {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b domain) int {
		return cmp.Or(len(f.takes[b])-len(f.takes[a]), slices.Index(narrow, a.kind)-slices.Index(narrow, b.kind), cmp.Compare(a.id, b.id))
	})
	out := []Fate{}
	of := [][]int{} // by fate
	for _, d := range list {
		takes := f.takes[d]
		if k := slices.IndexFunc(of, func(have []int) bool { return slices.Equal(have, takes) }); k >= 0 {
			if d.id != out[k].ID { // a site and its region may have one name
				out[k].Also = append(out[k].Also, string(d.kind)+" "+d.id)
			}
			continue
		}
		left := replicas - len(takes)
		out, of = append(out, Fate{ID: d.id, Kind: d.kind, Also: []string{}, Takes: len(takes), Left: left, Below: left < floor}), append(of, takes)
	}
	return out
}

// opaque lists the running replicas of which nobody sees the host, and which
// share their zone, or may share it, with another one. Alone in its zone a
// replica is apart whatever its host.
func opaque(s *fleet.Snapshot, v *fleet.Service) []string {
	type zone struct{ cloud, name string }
	in, nowhere := map[zone]int{}, map[string]int{} // running replicas: by zone, and by cloud those without one
	all := map[string]int{}
	for _, k := range v.Instances {
		if x := s.Instances.At(k); Running(x.State) {
			in[zone{x.Cloud, x.Zone}]++
			all[x.Cloud]++
			if x.Zone == "" {
				nowhere[x.Cloud]++
			}
		}
	}
	ids := []string{}
	for _, k := range v.Instances {
		x := s.Instances.At(k)
		if !Running(x.State) || x.Host != "" || x.Device >= 0 {
			continue
		}
		near := in[zone{x.Cloud, x.Zone}] + nowhere[x.Cloud]
		if x.Zone == "" {
			near = all[x.Cloud]
		}
		if near > 1 {
			ids = append(ids, x.ID)
		}
	}
	return ids
}
