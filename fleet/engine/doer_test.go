package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestADriftNamesTheJobThatBroughtIt: somebody puts a port into another VLAN by
// a job of plumb, and takes it back. The finding that begins and the one that
// ends say who and in which job, in the docket, in the store and in the events;
// what somebody else does names nobody.
func TestADriftNamesTheJobThatBroughtIt(t *testing.T) {
	w := newWired(t)
	w.inv.Policies.Facets = nil
	w.snap = Restore(w.inv, fleet.Memory{}, t0)
	w.round()
	const port = "sw/Ethernet4"
	job := func(id, vlan, undoes string) {
		w.now = w.now.Add(time.Second)
		p := fleet.Plan{Action: fleet.ActPortVLAN, Args: map[string]string{"vlan": vlan}, Targets: []fleet.PlanTarget{{ID: port, Wire: "sw", Source: fleet.SourceSNMP, After: "vlan " + vlan}}}
		w.step(fleet.Decision{Job: &fleet.Job{ID: id, Action: p.Action, Targets: []string{port}, State: fleet.JobAccepted, By: "ann", Planned: &p, Began: w.now, Undoes: undoes,
			Steps: []fleet.JobStep{{Name: "begin", Target: port, State: fleet.JobRunning, At: w.now}, {Name: "act", Target: port, State: fleet.JobAccepted, At: w.now}}}})
	}
	hear := func() {
		w.now, w.said = w.now.Add(2*time.Second), nil
		w.hear()
	}
	begun := func(who string) {
		t.Helper()
		for _, f := range w.snap.Docket("sw").Of() {
			if f.Facet == "port Ethernet4 vlan" {
				if f.Who != who {
					t.Errorf("begun by %q, want %q", f.Who, who)
				}
				return
			}
		}
		t.Errorf("no drift: %+v", w.snap.Docket("sw"))
	}
	ended := func(state fleet.FindingState, who string) {
		t.Helper()
		for _, f := range w.snap.Docket("sw").Gone {
			if f.Facet == "port Ethernet4 vlan" {
				if f.State != state || f.Who != who {
					t.Errorf("%s by %q, want %s by %q", f.State, f.Who, state, who)
				}
				return
			}
		}
		t.Errorf("it has not ended: %+v", w.snap.Docket("sw"))
	}
	told := func(text string) {
		t.Helper()
		for _, e := range w.said {
			if e.Type == "drift" && strings.Contains(e.Text, text) {
				return
			}
		}
		t.Errorf("no event says %q: %+v", text, w.said)
	}

	w.vlan[3] = 999 // by somebody else
	hear()
	begun("")
	w.vlan[3] = 900
	hear()
	ended(fleet.FindingGone, "")

	job("j1", "999", "")
	w.vlan[3] = 999
	hear()
	begun("ann, job j1")
	told(", by ann, job j1")
	for range 3 { // and it stays so, also when the job is long over
		w.round()
		begun("ann, job j1")
	}
	kept := (*fleet.Finding)(nil)
	for _, c := range w.kept {
		if c.Row == "port Ethernet4 vlan" && c.Table == fleet.TableFindings && len(c.Value) > 0 {
			kept = decode[fleet.Finding](c.Value)
		}
	}
	if kept == nil || kept.Who != "ann, job j1" {
		t.Errorf("kept as %+v", kept)
	}

	job("j2", "900", "j1")
	w.vlan[3] = 900
	hear()
	ended(fleet.FindingReverted, "ann, job j2, undo of j1")
}

// TestAPortIsPutBackAsIntended: somebody describes a port otherwise, and shuts
// it; the inventory says what it should be, by name and by what hangs there, and
// jobs that write that end the drift as reverted, with who did it.
func TestAPortIsPutBackAsIntended(t *testing.T) {
	w := newWired(t)
	alias := "{device} {port}"
	w.inv.Policies.Facets, w.inv.Devices[3].Name = nil, "db4"
	w.inv.Policies.Ports = []fleet.PortPolicy{{PortSpec: fleet.PortSpec{Name: "Ethernet4", Alias: &alias, Admin: "up"}, Select: map[string]string{"kind": "switch"}}}
	w.snap = Restore(w.inv, fleet.Memory{}, t0)
	is := fleet.PortDef{Alias: "db4 bmc", Admin: "up"}
	w.more = func(d *fleet.PortDef) {
		if d.Name == "Ethernet4" {
			d.Alias, d.Admin, d.NoAlias = is.Alias, is.Admin, is.NoAlias
		}
	}
	hear := func() {
		w.now = w.now.Add(2 * time.Second)
		w.hear()
	}
	stands := func(want ...string) {
		t.Helper()
		var got []string
		for _, f := range w.snap.Docket("sw").Of() {
			if strings.HasPrefix(f.Facet, "port Ethernet4 ") {
				line := f.Facet[len("port Ethernet4 "):] + "=" + f.Observed
				for _, b := range f.Baselines {
					line += " " + string(b.Name) + "=" + b.Expected
				}
				got = append(got, line)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q stand, want %q", got, want)
		}
	}
	job := func(id string, kind fleet.ActionKind, args map[string]string) {
		w.now = w.now.Add(time.Second)
		const port = "sw/Ethernet4"
		p := fleet.Plan{Action: kind, Args: args, Targets: []fleet.PlanTarget{{ID: port, Wire: "sw", Source: fleet.SourceSNMP}}}
		w.step(fleet.Decision{Job: &fleet.Job{ID: id, Action: kind, Targets: []string{port}, State: fleet.JobAccepted, By: "ann", Planned: &p, Began: w.now,
			Steps: []fleet.JobStep{{Name: "begin", Target: port, State: fleet.JobRunning, At: w.now}, {Name: "act", Target: port, State: fleet.JobAccepted, At: w.now}}}})
	}
	w.round()
	stands()

	is.Alias, is.Admin = "spare", "down"
	hear()
	stands("admin=down intended=up last_week=up", "alias=spare intended=db4 bmc last_week=db4 bmc")
	is.NoAlias, is.Alias = true, "" // a read that lacks it changes nothing that is remembered
	hear()
	is.NoAlias, is.Alias = false, "spare"
	hear()
	job("j1", fleet.ActPortAlias, map[string]string{"alias": "db4 bmc"})
	job("j2", fleet.ActPortUp, nil)
	is.Alias, is.Admin = "db4 bmc", "up"
	hear()
	stands()
	for facet, who := range map[string]string{"port Ethernet4 alias": "ann, job j1", "port Ethernet4 admin": "ann, job j2"} {
		i := slices.IndexFunc(w.snap.Docket("sw").Gone, func(f fleet.Finding) bool { return f.Facet == facet })
		if i < 0 {
			t.Errorf("%s has not ended", facet)
		} else if f := w.snap.Docket("sw").Gone[i]; f.State != fleet.FindingReverted || f.Who != who {
			t.Errorf("%s is %s by %q, want reverted by %q", facet, f.State, f.Who, who)
		}
	}

	// Nobody intends anything any more: what was there before still counts.
	w.inv.Policies.Ports = nil
	w.snap, _ = Step(w.snap, []fleet.Input{fleet.Reload{Inventory: w.inv}}, w.now)
	is.Alias = "to nowhere"
	hear()
	stands("alias=to nowhere last_week=db4 bmc")
}

// TestAJobOfAnotherPortNamesNobody: what a job wrote elsewhere, or otherwise,
// has nothing to do with it.
func TestAJobOfAnotherPortNamesNobody(t *testing.T) {
	plan := &fleet.Plan{Args: map[string]string{"vlan": "999"}}
	d := doing{&fleet.Job{ID: "j1", By: "ann", Action: fleet.ActPortVLAN, Targets: []string{"sw/Ethernet4"}, Planned: plan, Began: t0}, "sw"}
	for _, c := range []struct {
		facet, value string
		want         bool
	}{
		{"port Ethernet4 vlan", "999", true}, {"port Ethernet4 vlan", "998", false}, {"port Ethernet5 vlan", "999", false},
		{"port Ethernet4 speed", "999", false}, {"firmware", "999", false}, {"port Ethernet4 vlan", "", false},
	} {
		if got := d.wrote(c.facet, c.value); got != c.want {
			t.Errorf("%s = %q: %v", c.facet, c.value, got)
		}
	}
	for _, c := range []struct {
		kind         fleet.ActionKind
		facet, value string
		want         bool
	}{
		{fleet.ActPortAlias, "port Ethernet4 alias", "db", true}, {fleet.ActPortAlias, "port Ethernet4 alias", "db2", false}, {fleet.ActPortAlias, "port Ethernet5 alias", "db", false},
		{fleet.ActPortAlias, "port Ethernet4 vlan", "db", false}, {fleet.ActPortUp, "port Ethernet4 admin", "up", true}, {fleet.ActPortUp, "port Ethernet4 admin", "down", false},
		{fleet.ActPortDown, "port Ethernet4 admin", "down", true}, {fleet.ActPortDown, "port Ethernet5 admin", "down", false}, {fleet.ActPortBounce, "port Ethernet4 admin", "up", true},
	} {
		d.job.Action, plan.Args = c.kind, map[string]string{"alias": "db"}
		if got := d.wrote(c.facet, c.value); got != c.want {
			t.Errorf("%s: %s = %q: %v", c.kind, c.facet, c.value, got)
		}
	}
	user := doing{&fleet.Job{Action: fleet.ActUserOff, Planned: &fleet.Plan{Args: map[string]string{"slot": "4"}}}, "s1"}
	if !user.wrote("bmc.user.4", "ADMIN administrator disabled nolan") || user.wrote("bmc.user.4", "ADMIN administrator enabled lan") || user.wrote("bmc.user.5", "x user disabled nolan") {
		t.Error("a user that was turned off")
	}
	cipher := doing{&fleet.Job{Action: fleet.ActCipherOff, Planned: &fleet.Plan{Args: map[string]string{"suite": "1"}}}, "s1"}
	if !cipher.wrote("bmc.ciphers", "3 11 17") || cipher.wrote("bmc.ciphers", "1 3") || cipher.wrote("bmc.ciphers", "") {
		t.Error("a suite that was turned off")
	}
	ciphers := doing{&fleet.Job{Action: fleet.ActCipherOff, Planned: &fleet.Plan{Args: map[string]string{"suite": "0 1"}}}, "s1"}
	if !ciphers.wrote("bmc.ciphers", "3 11 17") || ciphers.wrote("bmc.ciphers", "1 3") || ciphers.wrote("bmc.ciphers", "0 1 3") {
		t.Error("suites that were turned off together")
	}
	set := doing{&fleet.Job{Action: fleet.ActCipherSet, Planned: &fleet.Plan{Args: map[string]string{"limits": "0=administrator 1=none"}}}, "s1"}
	for _, c := range []struct {
		facet, value string
		want         bool
	}{
		{"bmc.ciphers", "0 3 17", true}, {"bmc.ciphers", "0 1 3", false}, {"bmc.ciphers", "3 17", false}, {"bmc.ciphers", "", false},
		{"bmc.lan.cipher_privileges", "0=administrator 1=none 3=user", true}, {"bmc.lan.cipher_privileges", "0=user 1=none", false},
		{"bmc.lan.address", "0=administrator 1=none", false},
	} {
		if got := set.wrote(c.facet, c.value); got != c.want {
			t.Errorf("limits that were set: %s = %q: %v", c.facet, c.value, got)
		}
	}
}
