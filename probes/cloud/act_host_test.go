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
	if out = do(fleet.ActHostDrain, "plumb j1 bob: \x1b[31mPSU swap"); !strings.Contains(out.Text, "already; nothing was sent") {
		t.Errorf("again: %+v", out)
	}
	if out = do(fleet.ActHostUndrain, "x"); out.After != "enabled" || hostOf(t, o).Status != "enabled" || hostOf(t, o).Maintenance != "" {
		t.Errorf("undrain: %+v, %+v", out, hostOf(t, o))
	}
}

// TestOthersHand: what somebody else took out is not taken, and not given back,
// but by who saw exactly that and decided it.
func TestOthersHand(t *testing.T) {
	w := newWorld(2, 4)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	const drain, undrain = fleet.ActHostDrain, fleet.ActHostUndrain
	for _, c := range []struct {
		name, note string
		kind       fleet.ActionKind
		was, want  string // want: what it refuses with; "": it gives it back
	}{
		{"a drain", "carol: retired", drain, "enabled", "it is disabled: carol: retired: it was taken out before"},
		{"a drain of another job", "plumb j2 eve: mine", drain, "enabled", "it was taken out before"},
		{"given back", "carol: retired", undrain, "", "whoever took it out decides"},
		{"without a note", "", undrain, "", "it is disabled: no reason given: whoever"},
		{"another since", "plumb j2 eve: mine", undrain, "disabled: plumb j1 bob: PSU", "and was disabled: plumb j1 bob: PSU when that was decided"},
		{"one's own", "plumb j1 bob: PSU", undrain, "disabled: plumb j1 bob: PSU", ""},
		{"one's own by hand", "plumb j1 bob: PSU", undrain, "", ""},
		{"decided", "carol: retired", undrain, "disabled: carol: retired", ""},
		{"decided without a note", "", undrain, "disabled: no reason given", ""},
	} {
		_ = w.SetService("ams", firstHost, true, c.note)
		puts := w.count("PUT compute")
		out, err := o.Act(context.Background(), fleet.Action{Kind: c.kind, Target: firstHost, Why: "plumb j1 bob: PSU", Was: c.was})
		h := w.State("ams").Hosts[0]
		switch {
		case c.want == "" && (err != nil || !out.Done || h.Disabled):
			t.Errorf("%s: %+v, %v", c.name, out, err)
		case c.want != "" && (!errors.Is(err, fleet.ErrUnsupported) || out.Done || !strings.Contains(err.Error(), c.want) || !h.Disabled || h.DisabledReason != c.note || w.count("PUT compute") != puts):
			t.Errorf("%s: %+v, %v, then %+v", c.name, out, err, h)
		}
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
		if out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActHostDrain, Target: c.host, Why: "x"}); !errors.Is(err, c.want) || out.Done || c.user == "guest" && !strings.Contains(err.Error(), "user guest in project guest may not do this: give the cloud a credential with the role admin") {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	w.Change(func(r *sim.Region) {
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
					_ = w.SetService("ams", firstHost, true, "plumb j1")
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
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	a := fleet.Action{Kind: fleet.ActInstanceMigrate, Target: uuid(1, 0)}
	out, err := o.Act(context.Background(), a)
	if err != nil || !out.Done || out.Before != "ACTIVE on ams-r01-s01" || out.After != "ACTIVE on ams-r02-s01" || out.Text != "it moved to ams-r02-s01" {
		t.Errorf("%+v, %v", out, err)
	}
	w.Change(func(r *sim.Region) {
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
		w.Change(func(r *sim.Region) { r.Hosts[0].Up = !c.down })
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
