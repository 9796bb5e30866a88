package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// budgetOver is the time over which a budget is spent.
const budgetOver = time.Hour

// budgets refuses to take more from its work within an hour than anybody
// planned for. What others did counts, and what they were let do: two people
// who each ask for half of what is left may both have it, and no third.
func (b *bench) budgets() {
	scopes := map[string]int{} // "rack ams1/r01" -> how many
	add := func(t *target) {
		for _, s := range b.scopes(t) {
			scopes[s]++
		}
	}
	for s, spec := range b.spent() {
		if t, err := find(b.Snap, spec, nil, s.target); err == nil {
			add(t)
		}
	}
	before := maps.Clone(scopes)
	for _, t := range b.targets {
		add(t)
	}
	for _, k := range sorted(scopes) {
		kind, name, _ := strings.Cut(k, " ")
		if most := b.budget(kind); scopes[k] > most && scopes[k] > before[k] {
			b.say("budget", fleet.VerdictRefuse, "", "%s %s has a budget of %d an hour: %d spent, %d asked for", kind, cmp.Or(name, "as a whole"), most, before[k], scopes[k]-before[k])
		}
	}
}

// spending is one target of one job: the same target, taken twice, is paid for
// twice.
type spending struct{ job, target string }

// spent is what was taken from its work within the hour, and what may still be
// by jobs that go on. What was refused when its turn came was not taken, and
// what is asked for now is not spent yet.
func (b *bench) spent() map[spending]*fleet.ActionSpec {
	out := map[spending]*fleet.ActionSpec{}
	put := func(job, target string, k fleet.ActionKind) {
		if spec := k.Spec(); spec != nil && spec.Takes && !(b.own(job) && slices.Contains(b.Targets, target)) {
			out[spending{job, target}] = spec
		}
	}
	for i := range b.UnderWay {
		if u := &b.UnderWay[i]; !b.told(u) {
			put(u.Job, u.Target, u.Action)
		}
	}
	for i := range b.Snap.Jobs {
		j := &b.Snap.Jobs[i]
		goes := j.State == fleet.JobRunning || j.State == fleet.JobApproved
		for _, id := range j.Targets {
			switch s := j.Of(id); {
			case s == nil && !goes, s != nil && s.State == fleet.JobRefused:
			case s != nil && s.State.Over() && b.Now.Sub(s.At) > budgetOver:
			default:
				put(j.ID, id, j.Action)
			}
		}
	}
	return out
}

func (b *bench) budget(kind string) int {
	x := &b.Bounds.Budgets
	return map[string]int{"rack": x.Rack, "feed": x.Feed, "switch": x.Switch, "service": x.Service, "region": x.Region, "fleet": x.Fleet}[kind]
}

// scopes are the budgets that a target is paid from.
func (b *bench) scopes(t *target) []string {
	out := []string{"fleet "}
	if t.instance != nil {
		if t.instance.Service != "" {
			out = append(out, "service "+t.instance.Service)
		}
		return append(out, "region "+t.cloud.Spec.Region)
	}
	if t.device == nil {
		return out
	}
	d := t.device.Spec
	out = append(out, "region "+d.Region)
	if d.Rack != "" {
		out = append(out, "rack "+d.Rack)
	}
	switch {
	case t.port != nil:
		out = append(out, "switch "+d.ID)
	case t.outlet != nil && d.Feed != "":
		out = append(out, "feed "+d.Feed)
	}
	return append(out, b.lean(t)...)
}

// lean are the services that pay for a target, each once: those with a replica
// on it, on the server that its cord or cable leads to, or on a server that
// stands on what it leads to. Whether a second cord holds the server meanwhile
// does not matter: whoever takes one cord after the other takes from its work.
func (b *bench) lean(t *target) []string {
	if b.serves == nil {
		b.serves = replicas(b.Snap)
	}
	on := []int{b.Snap.Devices.Number(t.device.Spec.ID)}
	if t.fed != nil && !t.managed() {
		n := b.Snap.Devices.Number(t.fed.Spec.ID)
		on = append(on, n)
		if t.fed.Spec.Kind != fleet.KindServer && n < len(b.Snap.Near) {
			on = append(on, b.Snap.Near[n]...)
		}
	}
	var out []string
	for _, n := range on {
		for _, id := range b.serves[n] {
			if s := "service " + id; !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// managed reports whether the cable in a port leads to a BMC: nobody's work goes
// over it.
func (t *target) managed() bool {
	return slices.ContainsFunc(t.fed.Spec.Links, func(c fleet.Cable) bool { return c.To == t.ID && c.Management() })
}

// replicas are the services by device: those that it is a replica of, and those
// of its instances.
func replicas(s *fleet.Snapshot) map[int][]string {
	out := map[int][]string{}
	for id, v := range s.Services.All() {
		for _, n := range v.Devices {
			out[n] = append(out[n], id)
		}
		for _, i := range v.Instances {
			if n := s.Instances.At(i).Device; n >= 0 && !slices.Contains(out[n], id) {
				out[n] = append(out[n], id)
			}
		}
	}
	return out
}
