package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// breakable are the guards that weigh a risk, which somebody may have to take.
// All others hold what is known, and who may: no emergency changes that.
var breakable = map[string]bool{"freeze": true, "budget": true, "unhealthy": true, "floor": true, "workload": true, "partner": true, "cooldown": true, "quarantine": true, "unsettled": true, "owner": true}

// weigh asks every guard, the cheap ones first.
func (b *bench) weigh() {
	b.freeze()
	for _, t := range b.targets {
		b.scope(t)
		b.fresh(t)
		b.state(t)
		b.identity(t)
		b.lease(t)
		b.cooldown(t)
		b.owner(t)
	}
	b.refuge()
	if b.spec.Takes {
		b.budgets()
		b.unhealthy()
		b.blast()
	}
}

// freeze is the switch, and the windows in which nothing is done.
func (b *bench) freeze() {
	if f := b.Snap.Freeze; f.Holds(b.Now) {
		b.say("freeze", fleet.VerdictRefuse, "", "frozen by %s since %s: %s", f.By, f.At.UTC().Format("15:04"), f.Reason)
	}
	for i := range b.Bounds.Freezes {
		w := &b.Bounds.Freezes[i]
		if !w.Covers(b.Now) {
			continue
		}
		for _, t := range b.targets {
			if fleet.Selects(w.Select, t.carries()) {
				b.say("freeze", fleet.VerdictRefuse, t.ID, "freeze window %s: %s", w.Name, w.Reason)
				break
			}
		}
	}
}

// carries is what a selection of devices finds in a target. What a cloud runs
// has its region and its tags; whatever else is selected, it is not.
func (t *target) carries() *fleet.DeviceSpec {
	if t.device != nil {
		return t.device.Spec
	}
	d := &fleet.DeviceSpec{Region: t.cloud.Spec.Region}
	if t.instance != nil {
		tags := t.instance.Tags
		d.Tags, d.Env, d.Owner, d.Tenant = tags, tags["env"], tags["owner"], tags["tenant"]
	}
	return d
}

func (b *bench) scope(t *target) {
	switch {
	case t.device != nil && b.Within != nil && !b.Within(t.device.Spec):
		b.say("scope", fleet.VerdictDeny, t.ID, "%s is outside of your scope", t.ID)
	case t.cloud != nil && b.Cloud != nil && !b.Cloud(t.cloud.Spec):
		b.say("scope", fleet.VerdictDeny, t.ID, "cloud %s is outside of your scope", t.cloud.Spec.Name)
	}
}

// Outside names the first of the targets that is outside of the scope of who
// asks; "": none is. What cannot be found is within no scope.
func Outside(s *fleet.Snapshot, a Ask) string {
	spec := a.Action.Spec()
	for _, id := range a.Targets {
		if a.Within == nil && a.Cloud == nil {
			break
		}
		if spec == nil {
			return id
		}
		t, err := find(s, spec, a.Args, id)
		if err != nil || t.device != nil && a.Within != nil && !a.Within(t.device.Spec) || t.cloud != nil && a.Cloud != nil && !a.Cloud(t.cloud.Spec) {
			return id
		}
	}
	return ""
}

// fresh refuses what is not seen now: data older than two polls describes a
// machine that may no longer be there.
func (b *bench) fresh(t *target) {
	limit := 2 * b.Snap.Intervals[min(int(t.lane), len(b.Snap.Intervals)-1)]
	blind := time.Time{}
	if t.cloud != nil {
		blind = t.cloud.BlindSince
	} else {
		blind = t.device.BlindSince
	}
	switch {
	case !blind.IsZero():
		b.say("fresh", fleet.VerdictRefuse, t.ID, "%s is blind since %s: nobody knows what state it is in", t.Wire, blind.UTC().Format("15:04:05"))
	case t.seen.IsZero() || b.Now.Sub(t.seen) > limit:
		b.say("fresh", fleet.VerdictRefuse, t.ID, "%s was not seen within %s", t.ID, limit)
	default:
		b.say("fresh", fleet.VerdictOK, t.ID, "seen %s ago", max(b.Now.Sub(t.seen), 0).Round(time.Second))
	}
}

// state refuses what means nothing in the state that the target is in.
func (b *bench) state(t *target) {
	no := func(format string, args ...any) { b.say("state", fleet.VerdictRefuse, t.ID, format, args...) }
	switch k := b.spec.Kind; {
	case t.After != "" && t.After == t.Before && !b.spec.Ends:
		no("%s is already %s", t.ID, strings.TrimPrefix(strings.TrimPrefix(t.After, "power "), "outlet "))
	case strings.HasPrefix(t.Before, "power unknown"):
		no("the power state of %s is not known", t.ID)
	case k != fleet.ActPowerOn && t.Before == "power off":
		no("%s is off", t.ID)
	case k == fleet.ActPortBounce && t.port.Admin != "up":
		no("%s is administratively %s", t.ID, t.port.Admin)
	case k == fleet.ActPortVLAN && t.port.VLAN == 0:
		no("the access VLAN of %s is not known: it may be a trunk", t.ID)
	case b.spec.On == fleet.OnOutlet && t.outlet.State != "on" && t.outlet.State != "off":
		no("the state of %s is not known", t.ID)
	case k == fleet.ActOutletCycle && t.outlet.State != "on":
		no("%s is off", t.ID)
	case k == fleet.ActInstanceReboot && t.instance.RunState != "ACTIVE":
		no("%s is %s", t.ID, t.instance.RunState)
	case k == fleet.ActInstanceEvacuate && !b.hostDown(t):
		no("the host of %s is not down: there is nothing to evacuate it from", t.ID)
	case k == fleet.ActInstanceMigrate && t.instance.RunState != "ACTIVE":
		no("%s is %s: only what runs is moved while it runs", t.ID, t.instance.RunState)
	case k == fleet.ActInstanceMigrate && b.hostDown(t):
		no("the host of %s is down: it can be evacuated, not moved while it runs", t.ID)
	case b.spec.On == fleet.OnHost && t.host.Status == "":
		no("the cloud does not say whether %s is enabled", t.ID)
	case k == fleet.ActHostDrain && t.host.Status == "disabled":
		no("%s is %s already", t.ID, t.Before)
	case k == fleet.ActUserOff && (t.Before == "" || strings.Contains(t.Before, " disabled ")):
		no("%s shows no enabled user in slot %s", t.ID, b.Args["slot"])
	case (k == fleet.ActCipherOff || k == fleet.ActCipherSet) && t.unoffered(k, b.Args) != "":
		no("%s does not offer suite %s", t.ID, t.unoffered(k, b.Args))
	case k == fleet.ActRuleRemove && t.Before == "":
		no("the group %s has no rule %s", t.group.Name, fleet.Clean(b.Args["rule"], 64))
	}
}

// owner leaves a host to whoever took it out: others may not know why, and what
// it is in for.
func (b *bench) owner(t *target) {
	if b.spec.Kind == fleet.ActHostUndrain && t.host.Status == "disabled" && !fleet.OwnNote(t.host.Maintenance) {
		b.say("owner", fleet.VerdictRefuse, t.ID, "%s is %s: it was not taken out from here, and whoever did that gives it back; an admin may break the glass", t.ID, t.Before)
	}
}

// refuge looks for hosts that could take what a drained host is not given any
// more, or what moves away: without one a drain only stops the cloud, and what
// was to be built again is in ERROR afterwards.
func (b *bench) refuge() {
	k := b.spec.Kind
	if k != fleet.ActHostDrain && k != fleet.ActInstanceMigrate && k != fleet.ActInstanceEvacuate {
		return
	}
	leaves := func(h *fleet.HostState, t *target) bool {
		return t.host == h || t.instance != nil && t.instance.Host == h.Name
	}
	for _, t := range b.targets {
		n := 0
		for _, h := range b.Snap.Hosts.All() {
			gone := h.Host.State == "down" || h.Status == "disabled" || leaves(h, t)
			if h.Cloud != t.cloud.Spec.Name || gone || k == fleet.ActHostDrain && slices.ContainsFunc(b.targets, func(x *target) bool { return leaves(h, x) }) {
				continue
			}
			n++
		}
		if n == 0 {
			b.say("partner", fleet.VerdictRefuse, t.ID, "no other host of cloud %s is up and enabled: nothing could go there", t.cloud.Spec.Name)
			return
		}
		if len(b.targets) == 1 {
			b.say("partner", fleet.VerdictOK, t.ID, "%s of cloud %s may take instances", fleet.Count(n, "other host"), t.cloud.Spec.Name)
		}
	}
}

// hostDown reports whether the cloud says that an instance's host is dead.
func (b *bench) hostDown(t *target) bool {
	h := b.Snap.Hosts.Get(t.instance.Cloud + "/" + t.instance.Host)
	return h != nil && h.State == fleet.StateCrit
}

func (b *bench) identity(t *target) {
	if t.device == nil {
		return
	}
	switch is, meant := t.Serial, t.device.Spec.Serial; {
	case is == "":
		b.say("identity", fleet.VerdictNote, t.ID, "%s tells no serial to check against", t.device.Spec.ID)
	case meant != "" && !strings.EqualFold(is, meant):
		b.say("identity", fleet.VerdictRefuse, t.ID, "%s answers with serial %s, the inventory says %s: that is another machine", t.device.Spec.ID, is, meant)
	}
}

// lease refuses where somebody else is at it.
func (b *bench) lease(t *target) {
	for i := range b.UnderWay {
		if u := &b.UnderWay[i]; !b.own(u.Job) && u.Lease == LeaseOf(b.spec.Kind, t.PlanTarget) {
			b.say("lease", fleet.VerdictRefuse, t.ID, "%s is acting on %s since %s", u.Who, u.Lease, u.Since.UTC().Format("15:04:05"))
			return
		}
	}
	for i := range b.Snap.Jobs {
		j := &b.Snap.Jobs[i]
		for _, id := range j.Targets {
			if j.Holds(id) && leaseOn(j, id) == LeaseOf(b.spec.Kind, t.PlanTarget) {
				b.say("lease", fleet.VerdictRefuse, t.ID, "%s of %s by %s was left by an earlier process, and what became of it is not on record yet", j.Action, id, j.By)
				return
			}
		}
	}
}

// leaseOn is what a job holds with one of its targets.
func leaseOn(j *fleet.Job, id string) string {
	t := fleet.PlanTarget{ID: id}
	t.Wire, _, _ = strings.Cut(id, "/")
	if j.Planned != nil {
		for i := range j.Planned.Targets {
			if j.Planned.Targets[i].ID == id {
				t = j.Planned.Targets[i]
			}
		}
	}
	return LeaseOf(j.Action, t)
}

// cooldown refuses the same again too soon, and for good after too many tries:
// what two power cycles did not mend a third will not.
func (b *bench) cooldown(t *target) {
	if b.spec.Danger < 2 {
		return
	}
	tries, last := 0, time.Time{}
	for i := range b.Snap.Jobs {
		j := &b.Snap.Jobs[i]
		if s := j.Of(t.ID); j.ID == b.Own || !b.sameAs(j) || s == nil || !slices.Contains(j.Targets, t.ID) || s.State == fleet.JobRefused || b.Now.Sub(j.Began) > fleet.JobsWeighFor {
			continue
		}
		tries++
		if at := turn(j, t.ID); at.After(last) {
			last = at
		}
	}
	if tries == 0 {
		return
	}
	wait := b.Bounds.CoolDown << min(tries-1, 10)
	switch ago := b.Now.Sub(last); {
	case tries >= b.Bounds.Tries && b.repairs():
		b.say("quarantine", fleet.VerdictRefuse, t.ID, "%s: tried %s within a day; it is in quarantine, look at the cause", t.ID, fleet.Count(tries, "time"))
	case ago < wait:
		b.say("cooldown", fleet.VerdictRefuse, t.ID, "the same was done to %s %s ago; wait %s", t.ID, ago.Round(time.Second), (wait - ago).Round(time.Second))
	}
}

// turn is when a job began with a target: a proposal may have waited.
func turn(j *fleet.Job, target string) time.Time {
	for i := len(j.Steps) - 1; i >= 0; i-- {
		if x := &j.Steps[i]; x.Name == "begin" && (x.Target == target || x.Target == "" && len(j.Targets) == 1) {
			return x.At
		}
	}
	return j.Began
}

// sameAs reports whether a job did what is asked now. Another VLAN is not the
// same again: what was set wrong can be set right at once.
func (b *bench) sameAs(j *fleet.Job) bool {
	return j.Action == b.spec.Kind && (j.Planned == nil || maps.Equal(j.Planned.Args, b.Args))
}

// repairs reports whether an action is one that is repeated in the hope that it
// helps. Putting a port back and forth is work, not hope.
func (b *bench) repairs() bool { return b.spec.Ends }

// unhealthy refuses to take healthy machines from a place where too many are
// sick already: then the cause is another, and hands make it worse. Small
// groups say little.
func (b *bench) unhealthy() {
	const least = 5
	type group struct{ sick, all int }
	racks, regions := map[string]*group{}, map[string]*group{}
	mine := map[*fleet.Device]bool{}
	for _, t := range b.targets {
		if t.device != nil {
			mine[t.device] = true
			racks[t.device.Spec.Rack], regions[t.device.Spec.Region] = &group{}, &group{}
		}
	}
	for _, d := range b.Snap.Devices.All() {
		for _, g := range [...]*group{racks[d.Spec.Rack], regions[d.Spec.Region]} {
			if g == nil || d.Maintenance {
				continue
			}
			g.all++
			if !mine[d] && (d.State == fleet.StateCrit || d.State == fleet.StateUnknown) {
				g.sick++
			}
		}
	}
	for _, groups := range [...]map[string]*group{racks, regions} {
		for _, name := range sorted(groups) {
			if g := groups[name]; name != "" && g.all >= least && g.sick > g.all*b.Bounds.Unhealthy/100 {
				b.say("unhealthy", fleet.VerdictRefuse, "", "%d of %d devices of %s are critical or unknown already: more than %d %%", g.sick, g.all, name, b.Bounds.Unhealthy)
			}
		}
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
