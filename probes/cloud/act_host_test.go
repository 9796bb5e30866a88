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

const firstHost = "ams-r01-s01"

// hostOf is the first host as a look at the cloud shows it.
func hostOf(t *testing.T, o *OpenStack) fleet.Host {
	t.Helper()
	for _, h := range observe(t, o, fleet.LaneFast).Hosts {
		if h.Name == firstHost {
			return h
		}
	}
	t.Fatal("the host is not shown")
	return fleet.Host{}
}

// TestDrain: out with a note that says whose it is, and in again; what is so
// already is not sent.
func TestDrain(t *testing.T) {
	w := newWorld(2, 4)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	do := func(k fleet.ActionKind, why string) fleet.Outcome {
		t.Helper()
		out, err := o.Act(context.Background(), fleet.Action{Kind: k, Target: firstHost, Serial: "7XK", Why: why})
		if err != nil || !out.Done {
			t.Fatalf("%s: %+v, %v", k, out, err)
		}
		return out
	}
	out := do(fleet.ActHostDrain, "plumb j1 bob: \x1b[31mPSU swap")
	if out.Before != "enabled" || out.After != "disabled: plumb j1 bob: [31mPSU swap" {
		t.Errorf("drain: %+v", out)
	}
	if h := hostOf(t, o); h.Status != "disabled" || h.Maintenance != "plumb j1 bob: [31mPSU swap" || h.State != "up" || h.RunningVMs == 0 {
		t.Errorf("a look sees %+v", h)
	}
	if out = do(fleet.ActHostDrain, "plumb j1 bob: \x1b[31mPSU swap"); !strings.Contains(out.Text, "already") {
		t.Errorf("again: %+v", out)
	}
	out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActHostDrain, Target: firstHost, Serial: "7XK", Why: "plumb j2 eve: mine"})
	if err == nil || out.Done || !strings.Contains(err.Error(), "somebody else took it out before: disabled: plumb j1 bob") || hostOf(t, o).Maintenance != "plumb j1 bob: [31mPSU swap" {
		t.Errorf("another's: %+v, %v; it says %q", out, err, hostOf(t, o).Maintenance)
	}
	if out = do(fleet.ActHostUndrain, "x"); out.After != "enabled" || hostOf(t, o).Status != "enabled" || hostOf(t, o).Maintenance != "" {
		t.Errorf("undrain: %+v, %+v", out, hostOf(t, o))
	}
}

func TestDrainIsRefused(t *testing.T) {
	w := newWorld(2, 4)
	url := serve(t, w).AuthURL()
	for name, c := range map[string]struct {
		user, host string
		want       error
	}{
		"no such host":  {"admin", "ams-r09-s09", fleet.ErrUnsupported},
		"half a name":   {"admin", "ams-r01", fleet.ErrUnsupported},
		"not permitted": {"guest", firstHost, fleet.ErrAuth},
	} {
		o := probe(t, config(url, c.user))
		if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActHostDrain, Target: c.host, Why: "x"}); !errors.Is(err, c.want) || out.Done {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	w.change(func(r *sim.Region) {
		for _, h := range r.Hosts {
			if h.Disabled {
				t.Errorf("%s is disabled", h.Name)
			}
		}
	})
}

// TestDrainLost: what is read back decides, with or without an answer, and
// nothing is sent twice.
func TestDrainLost(t *testing.T) {
	for name, c := range map[string]struct {
		done bool // the cloud did it all the same
		want error
	}{"done": {true, nil}, "not done": {false, fleet.ErrUnreachable}} {
		t.Run(name, func(t *testing.T) {
			w, puts := newWorld(2, 4), 0
			w.breakWith(func(call sim.Call) sim.Fault {
				if call.Method != http.MethodPut {
					return sim.Fault{}
				}
				if puts++; c.done {
					w.reg.Hosts[0].Disabled, w.reg.Hosts[0].DisabledReason = true, "plumb j1" // the world is locked here
				}
				return sim.Fault{Status: 504}
			})
			o := probe(t, config(serve(t, w).AuthURL(), "admin"))
			out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActHostDrain, Target: firstHost, Why: "plumb j1"})
			if !errors.Is(err, c.want) || out.Done != c.done || puts != 1 {
				t.Errorf("%+v, %v, sent %d times", out, err, puts)
			}
		})
	}
}

func TestMigrate(t *testing.T) {
	w := newWorld(2, 4)
	evacuations(w)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	a := fleet.Action{Kind: fleet.ActInstanceMigrate, Target: uuid(1, 0)}
	out, err := o.Act(context.Background(), a)
	if err != nil || !out.Done || out.Before != "ACTIVE on ams-r01-s01" || out.After != "ACTIVE on ams-r02-s01" || out.Text != "it moved to ams-r02-s01" {
		t.Errorf("%+v, %v", out, err)
	}
	w.change(func(r *sim.Region) {
		r.Servers[2].Status, r.Servers[2].Host, r.Servers[3].Host = "SHUTOFF", firstHost, firstHost
	})
	for name, c := range map[string]struct {
		target string
		down   bool
		want   string
	}{
		"it does not run":  {uuid(1, 2), false, "it is SHUTOFF"},
		"its host is down": {uuid(1, 3), true, "is down"},
		"there is none":    {uuid(1, 99), false, ""},
	} {
		w.change(func(r *sim.Region) { r.Hosts[0].Up = !c.down })
		before := w.count("compute/v2.1/servers/" + c.target + "/action")
		if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceMigrate, Target: c.target}); !errors.Is(err, fleet.ErrUnsupported) || out.Done || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		if n := w.count("compute/v2.1/servers/" + c.target + "/action"); n != before {
			t.Errorf("%s: it was sent", name)
		}
	}
}

// TestMigrateSlowly: what is on its way is told as that, and not begun again.
func TestMigrateSlowly(t *testing.T) {
	w := newWorld(2, 1)
	o := probe(t, config(serveTaking(t, w, time.Hour).AuthURL(), "admin"))
	o.settle = 20 * time.Millisecond
	a := fleet.Action{Kind: fleet.ActInstanceMigrate, Target: uuid(1, 0)}
	out, err := o.Act(context.Background(), a)
	if err != nil || !out.Done || out.After != "MIGRATING on ams-r01-s01" || !strings.HasPrefix(out.Text, "accepted") {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := o.Act(context.Background(), a); !errors.Is(err, fleet.ErrBusy) || out.Done {
		t.Errorf("again: %+v, %v", out, err)
	}
}
