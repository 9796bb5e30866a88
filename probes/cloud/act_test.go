package cloud

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

func TestEvacuate(t *testing.T) {
	w := newWorld(2, 4)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	a := fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 0)}
	posts := func() int { return w.count("compute/v2.1/servers/" + uuid(1, 0) + "/action") }
	out, err := o.Act(context.Background(), a)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || posts() != 0 || !strings.Contains(err.Error(), "is up, not down") {
		t.Fatalf("while its host is up: %+v, %v after %d", out, err, posts())
	}
	w.Change(func(r *sim.Region) { r.Hosts[0].Up = false })
	out, err = o.Act(context.Background(), a)
	if err != nil || !out.Done || out.Before != "ACTIVE on ams-r01-s01" || out.After != "ACTIVE on ams-r02-s01" || posts() != 1 {
		t.Errorf("%+v, %v after %d", out, err, posts())
	}
	obs := observe(t, o, fleet.LaneFast)
	for _, i := range obs.Instances {
		if i.ID == uuid(1, 0) && i.Host != "ams-r02-s01" {
			t.Errorf("a look sees it on %s", i.Host)
		}
	}
	w.Change(func(r *sim.Region) { r.Servers[2].Status = "PAUSED" })
	for name, target := range map[string]string{"its host is up by now": uuid(1, 0), "paused": uuid(1, 2), "not there": uuid(1, 99)} {
		if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: target}); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// TestEvacuateSlowly: what was accepted and is not seen elsewhere yet is told as
// that; what is under way is not begun again.
func TestEvacuateSlowly(t *testing.T) {
	w := newWorld(2, 1)
	w.Change(func(r *sim.Region) { r.Hosts[0].Up = false })
	o := probe(t, config(serveTaking(t, w, time.Hour).AuthURL(), "admin"))
	o.settle = 20 * time.Millisecond
	a := fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 0)}
	out, err := o.Act(context.Background(), a)
	if err != nil || !out.Done || out.After != "REBUILD on ams-r01-s01" || !strings.HasPrefix(out.Text, "accepted") {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := o.Act(context.Background(), a); !errors.Is(err, fleet.ErrBusy) || out.Done {
		t.Errorf("again: %+v, %v", out, err)
	}
}

// TestNotThereYet: a host takes an instance on before it runs there.
func TestNotThereYet(t *testing.T) {
	w := newWorld(2, 1)
	w.Change(func(r *sim.Region) { r.Hosts[0].Up = false })
	o := probe(t, config(serveTaking(t, w, time.Hour).AuthURL(), "admin"))
	o.settle = 20 * time.Millisecond
	sent := false
	w.breakWith(func(c sim.Call) sim.Fault {
		if sent && c.Service == "compute" {
			w.Change(func(r *sim.Region) { r.Servers[0].Host = r.Hosts[1].Name })
		}
		sent = sent || c.Method == http.MethodPost && c.Service == "compute"
		return sim.Fault{}
	})
	out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 0)})
	if err != nil || !out.Done || !strings.HasPrefix(out.Text, "accepted") || out.After != "REBUILD on ams-r02-s01" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestEvacuateLost: the answer does not come. What is seen decides, and nothing
// is sent again.
func TestEvacuateLost(t *testing.T) {
	for name, c := range map[string]struct {
		fault sim.Fault
		done  bool
		err   error
	}{
		"gateway gave up": {sim.Fault{Status: 504}, false, fleet.ErrUnreachable},
		"cloud refused":   {sim.Fault{Status: 403}, false, fleet.ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(2, 1)
			w.Change(func(r *sim.Region) { r.Hosts[0].Up = false })
			w.breakWith(func(call sim.Call) sim.Fault {
				if call.Method == http.MethodPost && call.Service == "compute" {
					return c.fault
				}
				return sim.Fault{}
			})
			o := probe(t, config(serve(t, w).AuthURL(), "admin"))
			o.settle = 20 * time.Millisecond
			out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 0)})
			if !errors.Is(err, c.err) || out.Done != c.done || out.After != "ACTIVE on ams-r01-s01" {
				t.Errorf("%+v, %v", out, err)
			}
			if n := w.count("compute/v2.1/servers/" + uuid(1, 0) + "/action"); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestEvacuateHidden: an account that is not shown hosts cannot know that one is
// down.
func TestEvacuateHidden(t *testing.T) {
	w := newWorld(2, 10)
	o := probe(t, config(serve(t, w).AuthURL(), "guest"))
	if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 9)}); !errors.Is(err, fleet.ErrAuth) || out.Done || !strings.Contains(err.Error(), "user guest in project guest may not do this") {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestNoRoom: the cloud takes what no host can take, and gives up afterwards. An
// instance that was to move runs on; one that was to be built again is in ERROR,
// until a host comes that can take it.
func TestNoRoom(t *testing.T) {
	w := newWorld(2, 1)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	host := func(i int, up, disabled bool) {
		w.Change(func(r *sim.Region) { r.Hosts[i].Up, r.Hosts[i].Disabled = up, disabled })
	}
	host(1, true, true)
	const gaveUp = "the cloud gave up: No valid host was found. There are not enough hosts available."
	for _, c := range []struct {
		kind  fleet.ActionKind
		up    bool
		after string
	}{{fleet.ActInstanceMigrate, true, "ACTIVE on ams-r01-s01"}, {fleet.ActInstanceEvacuate, false, "ERROR on ams-r01-s01"}} {
		host(0, c.up, false)
		out, err := o.Act(context.Background(), fleet.Action{Kind: c.kind, Target: uuid(1, 0)})
		if !errors.Is(err, fleet.ErrUnsupported) || out.Done || out.After != c.after || !strings.Contains(err.Error(), gaveUp) {
			t.Errorf("%s: %+v, %v", c.kind, out, err)
		}
	}
	host(1, true, false)
	if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: uuid(1, 0)}); err != nil || out.After != "ACTIVE on ams-r02-s01" {
		t.Errorf("%+v, %v", out, err)
	}
}

// guarded is a world with two groups of one name and one of another.
func guarded() *world {
	w := newWorld(1, 1)
	ssh := sim.Rule{ID: uuid(5, 1), Ingress: true, Protocol: "tcp", PortMin: 22, PortMax: 22, Remote: "0.0.0.0/0"}
	w.Change(func(r *sim.Region) {
		r.Rules = []sim.SecurityGroup{
			{ID: uuid(4, 1), Name: "mgmt", ProjectID: sim.ProjectID("admin"), Rules: []sim.Rule{ssh, {ID: uuid(5, 2)}}},
			{ID: uuid(4, 2), Name: "default", ProjectID: sim.ProjectID("admin"), Rules: []sim.Rule{{ID: uuid(5, 3), IPv6: true}}},
			{ID: uuid(4, 3), Name: "default", ProjectID: sim.ProjectID("guest"), Rules: []sim.Rule{{ID: uuid(5, 4), Ingress: true, PortMin: 80, PortMax: 90, Protocol: "tcp"}}},
		}
	})
	return w
}

func deletes(w *world) int { return w.count("DELETE network") }

func TestRuleRemove(t *testing.T) {
	w := guarded()
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	observe(t, o, fleet.LaneTables)
	for _, c := range []struct {
		name, target, rule string
		before             string
		err                error
		deletes            int
	}{
		{"by name", "os-ams/mgmt", uuid(5, 1), "ingress ipv4 tcp 22 from 0.0.0.0/0", nil, 1},
		{"again", "os-ams/mgmt", uuid(5, 1), "", fleet.ErrUnsupported, 1},
		{"by id", "os-ams/" + uuid(4, 2), uuid(5, 3), "egress ipv6 any protocol to anywhere", nil, 2},
		{"of another group", "os-ams/mgmt", uuid(5, 4), "ingress ipv4 tcp 80-90 from anywhere", fleet.ErrUnsupported, 2},
		{"two groups of the name", "os-ams/default", uuid(5, 4), "", fleet.ErrUnsupported, 2},
		{"no such group", "os-ams/web", uuid(5, 4), "", fleet.ErrUnsupported, 2},
		{"another cloud", "os-fra/mgmt", uuid(5, 2), "", fleet.ErrUnsupported, 2},
		{"no group", "os-ams/", uuid(5, 2), "", fleet.ErrUnsupported, 2},
		{"no rule", "os-ams/mgmt", "", "", fleet.ErrUnsupported, 2},
		{"path traversal", "os-ams/mgmt", "../security-groups/" + uuid(4, 1), "", fleet.ErrUnsupported, 2},
	} {
		out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActRuleRemove, Target: c.target, Args: map[string]string{"rule": c.rule}})
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != (c.err == nil) || out.Before != c.before || deletes(w) != c.deletes {
			t.Errorf("%s: %+v, %v after %d deletes", c.name, out, err, deletes(w))
		}
	}
	obs := observe(t, o, fleet.LaneTables)
	if len(obs.SecurityGroups[0].Rules) != 1 || len(obs.SecurityGroups[1].Rules) != 0 || len(obs.SecurityGroups[2].Rules) != 1 {
		t.Errorf("%+v", obs.SecurityGroups)
	}
}

// TestRuleIsAnother: a rule that reads otherwise than when it was last seen is
// not the one that somebody decided to remove.
func TestRuleIsAnother(t *testing.T) {
	w := guarded()
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	observe(t, o, fleet.LaneTables)
	w.Change(func(r *sim.Region) { r.Rules[0].Rules[0].Remote = "10.0.0.0/8" })
	out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActRuleRemove, Target: "os-ams/mgmt", Args: map[string]string{"rule": uuid(5, 1)}})
	if !errors.Is(err, errOtherRule) || out.Done || deletes(w) != 0 {
		t.Errorf("%+v, %v after %d deletes", out, err, deletes(w))
	}
}

// TestRuleRemoveLost: the answer is lost. Whether the rule is, a second read
// says.
func TestRuleRemoveLost(t *testing.T) {
	for name, carriedOut := range map[string]bool{"with the rule": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := guarded()
			w.breakWith(func(c sim.Call) sim.Fault {
				if c.Method != http.MethodDelete {
					return sim.Fault{}
				}
				if carriedOut {
					_ = w.RemoveRule("ams", uuid(5, 1))
				}
				return sim.Fault{Status: 504}
			})
			o := probe(t, config(serve(t, w).AuthURL(), "admin"))
			out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActRuleRemove, Target: "os-ams/mgmt", Args: map[string]string{"rule": uuid(5, 1)}})
			if out.Done != carriedOut || (err == nil) != carriedOut || err != nil && !errors.Is(err, fleet.ErrUnreachable) || deletes(w) != 1 {
				t.Errorf("%+v, %v after %d deletes", out, err, deletes(w))
			}
		})
	}
}
