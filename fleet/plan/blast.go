package plan

import (
	"fmt"
	"slices"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// blast asks the graph what the targets take with them, on top of what others
// have under way: two people who each take the last but one replica take the
// last one.
func (b *bench) blast() {
	g := b.Graph
	if g == nil {
		g = trace.Build(b.Snap)
	}
	pending, begun := b.pending(g)
	for _, t := range b.targets {
		b.going[t.ID] = true
	}
	before, after := b.without(g, pending)
	b.plan.Lost = b.names(after.Lost, before.Lost)
	b.plan.Weaker = b.names(after.Degraded, before.Degraded)
	b.plan.Services = hits(before, after)
	if len(begun) < len(pending) {
		b.alone(hits(b.without(g, begun)), after)
	}
	for _, h := range b.plan.Services {
		b.floor(h)
		b.workload(h)
	}
	for _, t := range b.targets {
		b.partner(g, t)
	}
}

// without is what goes with some parts alone, and with them and the targets.
func (b *bench) without(g *trace.Graph, pending []trace.Part) (before, after trace.Blast) {
	parts := slices.Clone(pending)
	for _, t := range b.targets {
		if p, ok := g.Find(b.Snap, t.ID); ok {
			parts = append(parts, p)
		}
	}
	if len(pending) > 0 {
		before = g.Blast(b.Snap, pending...)
	}
	return before, g.Blast(b.Snap, parts...)
}

// hits are the services that lose replicas by what is in after and not in before.
func hits(before, after trace.Blast) []fleet.PlanHit {
	out := []fleet.PlanHit{}
	for _, h := range after.Services {
		hit := fleet.PlanHit{Service: h.Service, Before: h.Before, After: h.After, Floor: h.Floor}
		if was := hitOf(before, h.Service); was != nil {
			hit.Before = was.After
		}
		if hit.After < hit.Before {
			out = append(out, hit)
		}
	}
	return out
}

func hitOf(x trace.Blast, service string) *trace.Hit {
	if i := slices.IndexFunc(x.Services, func(h trace.Hit) bool { return h.Service == service }); i >= 0 {
		return &x.Services[i]
	}
	return nil
}

// alone adds the services that lose replicas by the targets where what is not
// begun yet never will be: a replica that somebody else is about to take is not
// gone, and whoever takes it first is judged for it.
func (b *bench) alone(sure []fleet.PlanHit, after trace.Blast) {
	for _, hit := range sure {
		if slices.ContainsFunc(b.plan.Services, func(h fleet.PlanHit) bool { return h.Service == hit.Service }) {
			continue
		}
		if all := hitOf(after, hit.Service); all != nil {
			hit.After = min(hit.After, all.After)
		}
		b.plan.Services = append(b.plan.Services, hit)
	}
}

// pending are the parts that others have taken or may take: what holds a lease,
// and jobs whose end nobody has seen; begun are those of them that are not only
// to come. It fills going.
func (b *bench) pending(g *trace.Graph) (all, begun []trace.Part) {
	b.going = map[string]bool{}
	add := func(job string, k fleet.ActionKind, id string, has bool) {
		if spec := k.Spec(); spec == nil || !spec.Takes || b.own(job) && slices.Contains(b.Targets, id) {
			return
		}
		b.going[id] = true
		p, ok := g.Find(b.Snap, id)
		if ok && !slices.Contains(all, p) {
			all = append(all, p)
		}
		if ok && has && !slices.Contains(begun, p) {
			begun = append(begun, p)
		}
	}
	for i := range b.UnderWay {
		if u := &b.UnderWay[i]; !b.told(u) {
			add(u.Job, u.Action, u.Target, u.Begun)
		}
	}
	for i := range b.Snap.Jobs {
		j := &b.Snap.Jobs[i]
		for _, t := range j.Targets {
			if !unsettled(b.Snap, j, t) {
				continue
			}
			if add(j.ID, j.Action, t, true); b.going[t] && !b.own(j.ID) && slices.Contains(b.Targets, t) {
				b.say("unsettled", fleet.VerdictRefuse, t, "%s of %s by %s is not seen to have ended", j.Action, t, j.By)
			}
		}
	}
	return all, begun
}

// names lists what is new in a loss, but for the targets themselves.
func (b *bench) names(after, before []trace.Loss) []string {
	out := []string{}
	for _, l := range after {
		if slices.ContainsFunc(before, func(x trace.Loss) bool { return x.ID == l.ID }) || slices.Contains(b.Targets, l.ID) {
			continue
		}
		out = append(out, l.ID)
	}
	slices.Sort(out)
	return out
}

// floor holds a service's replicas against its floor.
func (b *bench) floor(h fleet.PlanHit) {
	switch {
	case h.Floor == 0:
		b.say("floor", fleet.VerdictNote, "", "service %s: %d of %d replicas left; it has no floor", h.Service, h.After, h.Before)
	case h.After < h.Floor:
		b.say("floor", fleet.VerdictRefuse, "", "service %s would fall below its floor of %d: %d left", h.Service, h.Floor, h.After)
	case h.After == h.Floor:
		b.say("floor", fleet.VerdictEscalate, "", "service %s would stand exactly at its floor of %d", h.Service, h.Floor)
	default:
		b.say("floor", fleet.VerdictOK, "", "service %s keeps %d of %d replicas, its floor is %d", h.Service, h.After, h.Before, h.Floor)
	}
}

// partner looks at what stays when a cord or a cable goes: a redundancy that
// is not there now is none. What has no partner by design is for the floor of
// its service to judge.
func (b *bench) partner(g *trace.Graph, t *target) {
	if t.fed == nil || b.spec.Kind == fleet.ActPortVLAN {
		return
	}
	var state fleet.State
	var what string
	switch b.spec.On {
	case fleet.OnOutlet:
		state, what = b.otherCord(t)
	case fleet.OnPort:
		state, what = b.otherCable(t)
	default:
		return
	}
	name := t.fed.Spec.ID
	switch {
	case what == "":
	case state == fleet.StateOK && b.spec.On == fleet.OnOutlet:
		b.say("partner", fleet.VerdictOK, t.ID, "%s keeps running on %s", name, what)
	case state == fleet.StateOK:
		b.say("partner", fleet.VerdictOK, t.ID, "%s stays on %s", name, what)
	case state == fleet.StateUnknown:
		b.say("partner", fleet.VerdictEscalate, t.ID, "%s would stand on %s alone, and nobody can see how that is", name, what)
	case b.lastCord(t, state):
		b.say("partner", fleet.VerdictRefuse, t.ID, "it is the last live cord of %s: %s is %s", name, what, state)
	default:
		b.say("partner", fleet.VerdictRefuse, t.ID, "%s would stand on %s alone, which is %s", name, what, state)
	}
}

// lastCord reports whether an outlet feeds the one cord that a device still lives
// by, the best of the others being in a state.
func (b *bench) lastCord(t *target, others fleet.State) bool {
	if b.spec.On != fleet.OnOutlet || others != fleet.StateCrit {
		return false
	}
	c, ok := CordOf(b.Snap, t.ID)
	return ok && c.State != fleet.StateCrit
}

// otherCord is how well the best of the other cords is.
func (b *bench) otherCord(t *target) (fleet.State, string) {
	c, state := bestCord(b.Snap, b.going, t.fed, t.ID)
	if c == nil {
		return state, ""
	}
	return state, fmt.Sprintf("PSU %d%s at %s", c.PSU, feedText(b.Snap, c.Outlet), c.Outlet) + b.too(c.Outlet)
}

// otherCable is how well the best of the other cables is.
func (b *bench) otherCable(t *target) (fleet.State, string) {
	best, what := fleet.StateCrit, ""
	for _, c := range t.fed.Spec.Links {
		if c.To == t.ID || c.Management() {
			continue
		}
		is := b.cable(c.To)
		if what == "" || better(is, best) {
			best, what = is, c.NIC+" at "+c.To+b.too(c.To)
		}
	}
	return best, what
}

// cable is the state of the cable in a port.
func (b *bench) cable(port string) fleet.State {
	far, err := find(b.Snap, fleet.ActPortDown.Spec(), nil, port)
	switch {
	case b.going[port]:
		return fleet.StateCrit
	case err != nil || !far.device.BlindSince.IsZero() || far.port.Oper == "":
		return fleet.StateUnknown
	case far.port.Up():
		return fleet.StateOK
	}
	return fleet.StateCrit
}

// too says of a partner that it is on its way out itself.
func (b *bench) too(id string) string {
	if b.going[id] {
		return " (taken too)"
	}
	return ""
}

// better orders the states of a partner: seen well, not seen, seen dead.
func better(a, b fleet.State) bool {
	rank := func(s fleet.State) int {
		switch s {
		case fleet.StateOK, fleet.StateWarn:
			return 2
		case fleet.StateUnknown:
			return 1
		}
		return 0
	}
	return rank(a) > rank(b)
}

// unsettled reports whether a job may still take a target away: it is on its
// way, or nobody knows what came of it and the target was not seen since.
func unsettled(s *fleet.Snapshot, j *fleet.Job, target string) bool {
	step := j.Of(target)
	if step == nil {
		return false
	}
	switch step.State {
	case fleet.JobRunning, fleet.JobAccepted:
		return true
	case fleet.JobUnknown:
		if spec := j.Action.Spec(); spec != nil {
			t, err := find(s, spec, nil, target)
			return err == nil && !t.seen.After(step.At)
		}
	}
	return false
}
