package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// TestBreakGlass: it goes past what weighs a risk, and past nothing that holds
// what is known or who may.
func TestBreakGlass(t *testing.T) {
	serve := func(h *house) { h.serve("match", 3, "s01", "s02", "s03") }
	for _, c := range []struct {
		guard string
		pass  bool
		ask   Ask
		edit  func(*house)
	}{
		{"freeze", true, asked(fleet.ActReset, "s01"), func(h *house) { h.freeze = &fleet.Freeze{By: "ann"} }},
		{"budget", true, asked(fleet.ActReset, "s01", "s02"), func(h *house) { h.bounds.Budgets.Rack = 1 }},
		{"unhealthy", true, asked(fleet.ActReset, "s01"), func(h *house) {
			h.bounds.Unhealthy = 5
			h.get("s02").State = fleet.StateCrit
		}},
		{"floor", true, asked(fleet.ActReset, "s01"), serve},
		{"partner", true, asked(fleet.ActOutletOff, "pa/1"), func(h *house) { h.get("pb").Outlets[0].State = "off" }},
		{"cooldown", true, asked(fleet.ActReset, "s01"), func(h *house) { h.did(fleet.ActReset, fleet.JobVerified, 0, "s01") }},
		{"quarantine", true, asked(fleet.ActReset, "s01"), func(h *house) {
			h.did(fleet.ActReset, fleet.JobVerified, time.Hour, "s01")
			h.did(fleet.ActReset, fleet.JobVerified, 2*time.Hour, "s01")
		}},
		{"unsettled", true, asked(fleet.ActReset, "s01"), func(h *house) { h.did(fleet.ActPowerCycle, fleet.JobAccepted, 0, "s01") }},
		{"role", false, as(fleet.RoleOperator, asked(fleet.ActReset, "s01")), nil},
		{"scope", false, Ask{Action: fleet.ActReset, Targets: []string{"s01"}, Within: func(*fleet.DeviceSpec) bool { return false }}, nil},
		{"targets", false, asked(fleet.ActReset), nil},
		{"target", false, asked(fleet.ActReset, "swa"), nil},
		{"arguments", false, asked(fleet.ActBootOnce, "s01"), nil},
		{"fresh", false, asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").BlindSince = t0 }},
		{"state", false, asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").Power = fleet.PowerOff }},
		{"identity", false, asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").Spec.Serial = "OTHER" }},
	} {
		h := build()
		if c.edit != nil {
			c.edit(h)
		}
		if c.guard != "role" {
			c.ask.Role = fleet.RoleAdmin
		}
		sober := c.ask
		sober.BreakGlass = false
		before := For(World{Snap: h.snap(), Now: t0}, sober)
		if v, _ := found(&before, c.guard); v != refuse && v != deny && c.guard != "role" {
			t.Errorf("%s: without it says %q", c.guard, v)
		}
		c.ask.BreakGlass = true
		p := For(World{Snap: h.snap(), Now: t0}, c.ask)
		if v, text := found(&p, c.guard); c.pass != (v == note) || c.pass != (p.Stops() == nil) {
			t.Errorf("%s: %q %s, stopped by %+v; want it to pass: %v", c.guard, v, text, p.Stops(), c.pass)
		}
		if c.pass && p.Hash != before.Hash {
			t.Errorf("%s: the hash tells who broke the glass", c.guard)
		}
	}
	held := World{Snap: build().snap(), Now: t0, UnderWay: []UnderWay{{Step: Step{Action: fleet.ActReset, Target: "s01"}, Lease: "s01", Job: "j9"}}}
	a := as(fleet.RoleAdmin, asked(fleet.ActReset, "s01"))
	a.BreakGlass = true
	if p := For(held, a); p.Stops() == nil || p.Stops().ID != "lease" {
		t.Errorf("somebody else's lease: %+v", p.Stops())
	}
}

// TestHash: an approval is of who is meant, in which state, for what; not of
// what guards say meanwhile.
func TestHash(t *testing.T) {
	of := func(a Ask, edits ...func(*house)) string {
		p := For(World{Snap: build(edits...).snap(), Now: t0}, a)
		return p.Hash
	}
	two := asked(fleet.ActPowerOff, "s01", "s02")
	port := asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "30")
	for _, c := range []struct {
		name string
		a, b string
		same bool
	}{
		{"again", of(two), of(two), true},
		{"another action", of(two), of(asked(fleet.ActSoftOff, "s01", "s02")), false},
		{"another argument", of(port), of(port.with("vlan", "31")), false},
		{"fewer targets", of(two), of(asked(fleet.ActPowerOff, "s01")), false},
		{"other targets", of(two), of(asked(fleet.ActPowerOff, "s01", "s03")), false},
		{"another order", of(two), of(asked(fleet.ActPowerOff, "s02", "s01")), false}, // another canary
		{"another machine", of(two), of(two, func(h *house) { h.get("s02").Facts.Set(fleet.FactSerial, "NEW") }), false},
		{"another place", of(two), of(two, func(h *house) { h.get("s02").Spec.Unit = 7 }), false},
		{"another power state", of(two), of(two, func(h *house) { h.get("s02").Power = fleet.PowerOff }), false},
		{"another VLAN before", of(port), of(port, func(h *house) { h.get("swa").Ports[0].VLAN = 99 }), false},
		{"another host", of(asked(fleet.ActInstanceStop, "vm1")), of(asked(fleet.ActInstanceStop, "vm1"), func(h *house) { h.instances[0].Host = "h2" }), false},
		{"a guard that speaks", of(two), of(two, func(h *house) { h.freeze = &fleet.Freeze{By: "ann"} }), true},
		{"a service", of(two), of(two, func(h *house) { h.serve("match", 1, "s01", "s02", "s03") }), true},
		{"somebody else", of(two), of(as(fleet.RoleAdmin, two)), true},
	} {
		if c.a == "" || (c.a == c.b) != c.same {
			t.Errorf("%s: %s and %s, want the same: %v", c.name, c.a, c.b, c.same)
		}
	}
	s := build().snap()
	older := *s
	older.Version--
	if a, b := For(World{Snap: s, Now: t0}, two), For(World{Snap: &older, Now: t0.Add(time.Second)}, two); a.Hash != b.Hash || a.Version == b.Version {
		t.Errorf("the version or the time is in the hash: %s %s", a.Hash, b.Hash)
	}
}

func TestChallenge(t *testing.T) {
	for _, c := range []struct {
		ask  Ask
		edit func(*house)
		want string
	}{
		{asked(fleet.ActReset, "s01"), nil, ""},
		{asked(fleet.ActReset, "s01"), func(h *house) { h.serve("match", 0, "s01"); h.services[0].Spec.Floor = 0 }, ""},
		{asked(fleet.ActOutletOff, "pa/1"), nil, "pa/1"},
		{asked(fleet.ActOutletOff, "pa/1"), func(h *house) { h.get("pa").Facts.Set(fleet.FactSerial, "PDU7") }, "PDU7"},
		{asked(fleet.ActOutletOff, "pa/1", "pa/2"), nil, "2 targets"},
	} {
		h := build()
		if c.edit != nil {
			c.edit(h)
		}
		p := For(World{Snap: h.snap(), Now: t0}, c.ask)
		if got := Challenge(&p); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.ask.Action, c.ask.Targets, got, c.want)
		}
	}
}

func TestWaves(t *testing.T) {
	for n, want := range map[int][]int{-1: {}, 0: {}, 1: {1}, 2: {1, 1}, 3: {1, 1, 1}, 20: {1, 1, 18}, 21: {1, 2, 18}, 200: {1, 10, 189}} {
		if got := Waves(n); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
	for n := range 2 * MaxTargets {
		sum := 0
		for _, w := range Waves(n) {
			if sum += w; w < 1 {
				t.Fatalf("%d targets in waves %v", n, Waves(n))
			}
		}
		if sum != n {
			t.Fatalf("%d targets in waves %v", n, Waves(n))
		}
	}
}

func TestUndo(t *testing.T) {
	done := func(kind fleet.ActionKind, before string, steps ...fleet.JobStep) *fleet.Job {
		j := &fleet.Job{ID: "j", Action: kind, Planned: &fleet.Plan{}, Steps: steps}
		for _, s := range steps {
			if !slices.Contains(j.Targets, s.Target) {
				j.Targets = append(j.Targets, s.Target)
				j.Planned.Targets = append(j.Planned.Targets, fleet.PlanTarget{ID: s.Target, Before: before})
			}
		}
		return j
	}
	step := func(target string, s fleet.JobState) fleet.JobStep {
		return fleet.JobStep{Name: "verify", Target: target, State: s}
	}
	with := func(j *fleet.Job, name, value string) *fleet.Job {
		j.Planned.Args = map[string]string{name: value}
		return j
	}
	was := step("swa/E1", fleet.JobVerified)
	unplanned := done(fleet.ActPowerOff, "", step("s01", fleet.JobVerified))
	unplanned.Planned = nil
	for _, c := range []struct {
		name    string
		job     *fleet.Job
		action  fleet.ActionKind // "": nothing takes it back
		targets []string
		args    map[string]string
	}{
		{"power-off", done(fleet.ActPowerOff, "power on", step("s01", fleet.JobVerified)), fleet.ActPowerOn, []string{"s01"}, nil},
		{"power-on goes off softly", done(fleet.ActPowerOn, "power off", step("s01", fleet.JobVerified)), fleet.ActSoftOff, []string{"s01"}, nil},
		{"a host that was drained is given back", done(fleet.ActHostDrain, "enabled", step("s01", fleet.JobVerified)), fleet.ActHostUndrain, []string{"s01"}, nil},
		{"a reset is not taken back", done(fleet.ActReset, "power on", step("s01", fleet.JobVerified)), "", nil, nil},
		{"no such action", done("explode", "", step("s01", fleet.JobVerified)), "", nil, nil},
		{"of before plans were kept", unplanned, "", nil, nil},
		{"what was not done is not undone", done(fleet.ActPowerOff, "power on", step("s01", fleet.JobVerified), step("s02", fleet.JobFailed), step("s03", fleet.JobRefused)), fleet.ActPowerOn, []string{"s01"}, nil},
		{"what may have been done is", done(fleet.ActPowerOff, "power on", step("s01", fleet.JobUnknown), step("s02", fleet.JobAccepted)), fleet.ActPowerOn, []string{"s01", "s02"}, nil},
		{"nothing was done", done(fleet.ActPowerOff, "power on", step("s01", fleet.JobRefused)), "", nil, nil},
		{"closed suites go back as they were", with(done(fleet.ActCipherOff, "limits 0=administrator 1=user 3=operator 17=administrator", step("s01", fleet.JobVerified)), "suite", "0 1"), fleet.ActCipherSet, []string{"s01"}, map[string]string{"limits": "0=administrator 1=user"}},
		{"so do suites that were set", with(done(fleet.ActCipherSet, "limits 0=unspecified 3=operator", step("s01", fleet.JobVerified)), "limits", "0=administrator"), fleet.ActCipherSet, []string{"s01"}, map[string]string{"limits": "0=unspecified"}},
		{"nobody knows what the suites let in", with(done(fleet.ActCipherOff, "suites 0 3", step("s01", fleet.JobVerified)), "suite", "0"), "", nil, nil},
		{"a VLAN goes back", done(fleet.ActPortVLAN, "vlan 20", was), fleet.ActPortVLAN, []string{"swa/E1"}, map[string]string{"vlan": "20"}},
		{"an alias goes back", done(fleet.ActPortAlias, "alias to s01", was), fleet.ActPortAlias, []string{"swa/E1"}, map[string]string{"alias": "to s01"}},
		{"to no alias too", done(fleet.ActPortAlias, "alias ", was), fleet.ActPortAlias, []string{"swa/E1"}, map[string]string{"alias": ""}},
		{"not to what no alias may be", done(fleet.ActPortAlias, "alias a\ufffd[2J", was), "", nil, nil},
		{"two ports had each its own", done(fleet.ActPortVLAN, "vlan 20", was, step("swa/E2", fleet.JobVerified)), "", nil, nil},
		{"a job that does not say what was", done(fleet.ActPortVLAN, "", was), "", nil, nil},
	} {
		a, ok := UndoOf(c.job)
		if ok != (c.action != "") || ok && (a.Action != c.action || !slices.Equal(a.Targets, c.targets) || !maps.Equal(a.Args, c.args)) {
			t.Errorf("%s: %v %+v", c.name, ok, a)
		}
	}
}

// TestPropertiesOfPlans: of random fleets and requests.
func TestPropertiesOfPlans(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		edit, a := randomHouse(rng), randomAsk(rng)
		h := build()
		edit(h)
		w := World{Snap: h.snap(), Now: t0.Add(time.Second)}
		p := For(w, a)
		if again := For(w, a); !reflect.DeepEqual(p, again) {
			t.Fatalf("seed %d: the same fleet makes another plan:\n%+v\n%+v", seed, p, again)
		}
		if p.Stops() == nil && (len(p.Targets) != len(a.Targets) || len(a.Targets) == 0) {
			t.Fatalf("seed %d: %v became %+v", seed, a.Targets, p.Targets)
		}
		none := a
		none.Targets = nil
		if q := For(w, none); q.Stops() == nil || len(q.Targets) != 0 {
			t.Fatalf("seed %d: nothing became %+v", seed, q.Targets)
		}
		if p.Stops() != nil {
			continue
		}
		// One cord and one cable more, which work, never stand in the way.
		more := build()
		edit(more)
		spare(more, rng)
		if q := For(World{Snap: more.snap(), Now: w.Now}, a); q.Stops() != nil {
			t.Fatalf("seed %d: %s %v: one more redundant cord refuses: %+v", seed, a.Action, a.Targets, q.Stops())
		}
	}
}

// randomHouse is something that may be wrong with a fleet.
func randomHouse(rng *rand.Rand) func(*house) {
	a, b := rng.Uint64(), rng.Uint64()
	return func(h *house) {
		rng := rand.New(rand.NewPCG(a, b))
		for i := range h.devices {
			d := &h.devices[i]
			if rng.IntN(10) == 0 {
				d.BlindSince = t0
			}
			for k := range d.Outlets {
				d.Outlets[k].State = pick(rng, "on", "on", "on", "off", "unknown")
			}
			for k := range d.Ports {
				d.Ports[k].Oper = pick(rng, "up", "up", "up", "down", "")
			}
			if d.Spec.Kind != fleet.KindServer {
				continue
			}
			d.Power = pick(rng, fleet.PowerOn, fleet.PowerOn, fleet.PowerOff, fleet.PowerUnknown)
		}
		h.serve("match", rng.IntN(4), "s01", "s02", "s03", "s05")
		for range rng.IntN(3) {
			h.did(pick(rng, fleet.ActReset, fleet.ActPowerOff), pick(rng, fleet.JobRunning, fleet.JobVerified, fleet.JobUnknown), time.Duration(rng.IntN(5000))*time.Second, fmt.Sprintf("s0%d", 1+rng.IntN(6)))
		}
	}
}

func randomAsk(rng *rand.Rand) Ask {
	kind := pick(rng, fleet.ActReset, fleet.ActPowerOff, fleet.ActPowerOn, fleet.ActOutletOff, fleet.ActPortDown, fleet.ActPortBounce)
	a := asked(kind)
	for range rng.IntN(3) {
		n := digit(1 + rng.IntN(6))
		switch kind.Spec().On {
		case fleet.OnOutlet:
			a.Targets = append(a.Targets, pick(rng, "pa/", "pb/")+n)
		case fleet.OnPort:
			a.Targets = append(a.Targets, pick(rng, "swa/E", "swb/E")+n)
		default:
			a.Targets = append(a.Targets, "s0"+n)
		}
	}
	return a
}

// spare gives a server a cord to an outlet of a third feed, and a cable to a
// third switch.
func spare(h *house, rng *rand.Rand) {
	pdu := h.device("pc", fleet.KindPDU, []fleet.Endpoint{{Source: fleet.SourceSNMP}})
	pdu.Outlets = []fleet.Outlet{{Index: 1, State: "on"}}
	sw := h.device("swc", fleet.KindSwitch, []fleet.Endpoint{{Source: fleet.SourceSNMP}})
	sw.Ports = []fleet.Port{{PortDef: &fleet.PortDef{Name: "E1", Admin: "up", Oper: "up"}}}
	d := h.get("s0" + digit(1+rng.IntN(6)))
	d.Spec.Power = append(d.Spec.Power, fleet.PowerCord{PSU: 3, Outlet: "pc/1"})
	d.Spec.Links = append(d.Spec.Links, fleet.Cable{NIC: "eth3", To: "swc/E1"})
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }
