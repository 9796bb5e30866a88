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
	for id, v := range b.Snap.Services.All() {
		for _, n := range v.Devices {
			if b.Snap.Devices.At(n) == t.device {
				out = append(out, "service "+id)
			}
		}
	}
	return out
}
