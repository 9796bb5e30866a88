package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

func TestSlowLook(t *testing.T) {
	w := newWorld(4, 250)
	w.Change(func(r *sim.Region) {
		r.Hosts[1].Up = false
		r.Hosts[2].Disabled, r.Hosts[2].DisabledReason = true, "firmware\x1b[31m"
		r.Servers[3].Status = "SHUTOFF"
		r.Servers[4].Status = "ERROR"
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil {
		t.Fatal(obs.Err)
	}
	if got, want := tables(obs), "facts=complete hosts=complete instances=complete security_groups=complete"; got != want {
		t.Errorf("tables %s, want %s", got, want)
	}
	if len(obs.Instances) != 250 || len(obs.Hosts) != 4 {
		t.Fatalf("%d instances, %d hosts", len(obs.Instances), len(obs.Hosts))
	}
	got := instance(t, obs, uuid(1, 0))
	want := fleet.Instance{ID: uuid(1, 0), Name: "match-000", Cloud: "os-ams", Region: "ams", Project: got.Project, Zone: "ams-a", Type: "m1.small", State: fleet.StateOK, RunState: "ACTIVE",
		Host: "ams-r01-s01", PlacementGroup: "match", Image: got.Image, LaunchedAt: epoch.Add(time.Second), Tags: map[string]string{"service": "match", "env": "prod", "pinned": ""}}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got.Project) != 32 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if s := instance(t, obs, uuid(1, 3)).State; s != fleet.StateOff {
		t.Errorf("SHUTOFF is %v", s)
	}
	if s := instance(t, obs, uuid(1, 4)).State; s != fleet.StateCrit {
		t.Errorf("ERROR is %v", s)
	}
	if s := instance(t, obs, uuid(1, 5)).State; s != fleet.StateUnknown {
		t.Errorf("ACTIVE on a host that does not report is %v", s)
	}
	h := obs.Hosts[0]
	if h.Name != "ams-r01-s01" || h.Zone != "ams-a" || h.State != "up" || h.Status != "enabled" || h.RunningVMs != 63 {
		t.Errorf("host: %+v", h)
	}
	wantRes := []fleet.Resource{
		{Class: "DISK_GB", Total: 4000, Ratio: fleet.Dec(1500, -3), Used: 63 * 20},
		{Class: "MEMORY_MB", Total: 262144, Reserved: 4096, Ratio: fleet.Dec(1000, -3), Used: 63 * 4096},
		{Class: "VCPU", Total: 64, Reserved: 2, Ratio: fleet.Dec(4000, -3), Used: 63 * 2},
	}
	if !slices.Equal(h.Resources, wantRes) {
		t.Errorf("resources %v\nwant      %v", h.Resources, wantRes)
	}
	if obs.Hosts[1].State != "down" || obs.Hosts[2].Status != "disabled" || obs.Hosts[2].Maintenance != "firmware[31m" {
		t.Errorf("hosts: %+v %+v", obs.Hosts[1], obs.Hosts[2])
	}
	for name, want := range map[string]string{"name": "ams", "vendor": "OpenStack", "model": "compute 2.96", "api.placement": "1.39", "sees.placement": "seen", "sees.hosts": "seen",
		"sees.all_projects": "seen", "group.match": "anti-affinity", "zone.ams-a": "available", "quota.instances.max": "1000", "quota.instances.used": "225", "service.nova-conductor.ams-ctl1": "up"} {
		if got := obs.Facts.Get(name); got != want {
			t.Errorf("fact %s = %q, want %q", name, got, want)
		}
	}
}

func TestFastLookLeansOnTheSlowOne(t *testing.T) {
	w := newWorld(4, 20)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	if obs := observe(t, o, fleet.LaneSlow); obs.Err != nil {
		t.Fatal(obs.Err)
	}
	before := w.count("placement")
	obs := observe(t, o, fleet.LaneFast)
	if n := w.count("placement") - before; n != 0 {
		t.Errorf("a fast look asked placement %d times", n)
	}
	if n := obs.Facts.Num("poll.requests"); n.N != 3 {
		t.Errorf("a fast look cost %v requests, want 3", n)
	}
	if len(obs.Hosts) != 4 || len(obs.Hosts[0].Resources) != 3 {
		t.Errorf("hosts lost what placement said: %+v", obs.Hosts)
	}
	if g := instance(t, obs, uuid(1, 0)).PlacementGroup; g != "match" {
		t.Errorf("placement group %q", g)
	}
	if c := obs.Tables[fleet.TableFacts]; c != fleet.Partial {
		t.Errorf("facts of a fast look are %v", c)
	}
}

func TestInventoriesAreReadOnceAGeneration(t *testing.T) {
	w := newWorld(4, 0)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	observe(t, o, fleet.LaneSlow)
	first := w.count("placement/resource_providers/")
	observe(t, o, fleet.LaneSlow)
	if again := w.count("placement/resource_providers/") - first; first != 8 || again != 4 {
		t.Errorf("%d requests, then %d; want 8 and, inventories unchanged, 4", first, again)
	}
	w.Change(func(r *sim.Region) {
		r.Hosts[0].Inventory = []sim.Inventory{{Class: "VCPU", Total: 128, Ratio: 1}}
	})
	obs := observe(t, o, fleet.LaneSlow)
	if r := obs.Hosts[0].Resources; len(r) != 1 || r[0].Total != 128 {
		t.Errorf("changed inventory: %v", r)
	}
}

func TestMemberSeesItsOwnProject(t *testing.T) {
	w := newWorld(4, 50)
	o := probe(t, config(serve(t, w).AuthURL(), "guest"))
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil {
		t.Fatalf("what is denied is no failure: %v", obs.Err)
	}
	if got, want := tables(obs), "facts=complete hosts=failed instances=complete security_groups=complete"; got != want {
		t.Errorf("tables %s, want %s", got, want)
	}
	if len(obs.Instances) != 5 || obs.Instances[0].Host != "" {
		t.Errorf("%d instances, host %q", len(obs.Instances), obs.Instances[0].Host)
	}
	for name, want := range map[string]string{"sees.all_projects": "denied", "sees.hosts": "denied", "sees.services": "denied", "sees.placement": "denied", "sees.instances": "seen", "sees.quota": "seen"} {
		if got := obs.Facts.Get(name); got != want {
			t.Errorf("fact %s = %q, want %q", name, got, want)
		}
	}
	before := w.count("compute")
	obs = observe(t, o, fleet.LaneFast)
	if n := w.count("compute") - before; n != 1 {
		t.Errorf("a fast look asked %d times, want once: what is denied is asked again in the slow lane only", n)
	}
	if _, named := obs.Tables[fleet.TableHosts]; named {
		t.Error("a fast look names hosts, which it did not ask")
	}
}

func TestVisibilityLost(t *testing.T) {
	w := newWorld(2, 20)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	observe(t, o, fleet.LaneSlow)
	w.breakWith(func(c sim.Call) sim.Fault {
		if strings.Contains(c.Query, "all_tenants") || strings.HasPrefix(c.Path, "/resource_providers") {
			return sim.Fault{Status: 403}
		}
		return sim.Fault{}
	})
	obs := observe(t, o, fleet.LaneSlow)
	if c := obs.Tables[fleet.TableInstances]; c != fleet.Partial || len(obs.Instances) != 18 {
		t.Errorf("instances %v, %d: servers of other projects must not vanish", c, len(obs.Instances))
	}
	if obs.Facts.Get("sees.placement") != "denied" || obs.Hosts[0].Resources != nil {
		t.Errorf("denied placement still shows %v", obs.Hosts[0].Resources)
	}
}

func TestOldCompute(t *testing.T) {
	w := newWorld(2, 3)
	w.breakWith(func(c sim.Call) sim.Fault {
		if c.Path == "/v2.1" {
			return sim.Fault{Body: []byte(`{"version": {"id": "v2.1", "version": "2.25", "min_version": "2.1"}}`)}
		}
		return sim.Fault{}
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil {
		t.Fatal(obs.Err)
	}
	if i := instance(t, obs, uuid(1, 0)); i.Type != "m1.small" || i.Tags["service"] != "match" {
		t.Errorf("instance: %+v", i)
	}
	if h := obs.Hosts[0]; h.ID != "1" || h.RunningVMs != 2 || h.Zone != "ams-a" {
		t.Errorf("host: %+v", h)
	}
}

func TestNoPlacementInCatalog(t *testing.T) {
	o := probe(t, config(serve(t, newWorld(2, 3)).AuthURL(), "admin"))
	observe(t, o, fleet.LaneFast)
	o.session.placement = nil
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil || obs.Facts.Get("sees.placement") != "unsupported" {
		t.Errorf("%v, sees.placement %q", obs.Err, obs.Facts.Get("sees.placement"))
	}
}

func TestLoginFailures(t *testing.T) {
	s := serve(t, newWorld(1, 1))
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   error
		text   string
	}{
		{"wrong password", func(c *Config) { c.Password = secret("wr0ng") }, fleet.ErrAuth, "identity answered 401"},
		{"unknown project", func(c *Config) { c.ProjectName = "nope" }, fleet.ErrAuth, ""},
		{"no secret", func(c *Config) {
			c.Password = func(context.Context) (string, error) { return "", errors.New("vault is sealed") }
		}, fleet.ErrBusy, "could not be fetched: vault is sealed"},
		{"unknown region", func(c *Config) { c.Region = "mars" }, fleet.ErrUnsupported, "ams fra"},
		{"which region", func(c *Config) { c.Region = "" }, fleet.ErrUnsupported, "ams fra"},
		{"nobody there", func(c *Config) { c.AuthURL = "http://127.0.0.1:1/v3" }, fleet.ErrUnreachable, "refused"},
		{"not a Keystone", func(c *Config) { c.AuthURL = "http://" + s.Addr() + "/placement/mars" }, fleet.ErrUnsupported, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(s.AuthURL(), "admin")
			c.change(&cfg)
			obs := observe(t, probe(t, cfg), fleet.LaneSlow)
			if !errors.Is(obs.Err, c.want) || !strings.Contains(obs.Err.Error(), c.text) {
				t.Errorf("error %v, want %v with %q", obs.Err, c.want, c.text)
			}
			if got, want := tables(obs), "facts=failed hosts=failed instances=failed security_groups=failed"; got != want {
				t.Errorf("tables %s, want %s", got, want)
			}
			if strings.Contains(obs.Err.Error(), "wr0ng") || strings.Contains(obs.Err.Error(), "secret-of") {
				t.Errorf("the secret is in the error: %v", obs.Err)
			}
		})
	}
}

// TestRefusedPasswordIsHeld: neither a look nor an action sends a refused
// password again within the hour, unless it changes; after the hour one try
// finds out that Keystone has it now.
func TestRefusedPasswordIsHeld(t *testing.T) {
	w := newWorld(1, 1)
	s := serve(t, w)
	password := "rotated"
	cfg := config(s.AuthURL(), "admin")
	cfg.Password = func(context.Context) (string, error) { return password, nil }
	o := probe(t, cfg)
	var later time.Duration
	o.now = func() time.Time { return time.Now().Add(later) }
	logins := func() int { return w.count("identity/v3/auth/tokens") }
	tries := func(want int) {
		t.Helper()
		if obs := observe(t, o, fleet.LaneFast); !errors.Is(obs.Err, fleet.ErrAuth) {
			t.Errorf("look: %v", obs.Err)
		}
		if _, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceStop, Target: uuid(1, 0)}); !errors.Is(err, fleet.ErrAuth) {
			t.Errorf("act: %v", err)
		}
		if logins() != want {
			t.Errorf("%d logins, want %d", logins(), want)
		}
	}
	tries(1)
	later = refusedHold - 30*time.Second
	tries(1)
	later = refusedHold
	tries(2)
	later += time.Minute
	tries(2)
	password = "secret-of-admin"
	if obs := observe(t, o, fleet.LaneFast); obs.Err != nil {
		t.Errorf("a changed password was not tried: %v", obs.Err)
	}
}

func TestApplicationCredential(t *testing.T) {
	cfg := config(serve(t, newWorld(1, 20)).AuthURL(), "")
	cfg.AppCredentialID, cfg.Password, cfg.ProjectName = "app1", secret("secret-of-app"), ""
	obs := observe(t, probe(t, cfg), fleet.LaneFast)
	if obs.Err != nil || len(obs.Instances) != 2 || obs.Facts.Get("account.project") != "guest" {
		t.Errorf("%v, %d instances, project %q", obs.Err, len(obs.Instances), obs.Facts.Get("account.project"))
	}
}

// TestTokenRenewed: every token dies in the middle of a read. It is renewed
// once, and the read goes on where it was.
func TestTokenRenewed(t *testing.T) {
	w := newWorld(2, 250)
	s := serve(t, w)
	var once sync.Once
	w.breakWith(func(c sim.Call) sim.Fault {
		if strings.Contains(c.Query, "marker") {
			once.Do(s.RevokeTokens)
		}
		return sim.Fault{}
	})
	o := probe(t, config(s.AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil || len(obs.Instances) != 250 || obs.Tables[fleet.TableInstances] != fleet.Complete {
		t.Fatalf("%v, %d instances", obs.Err, len(obs.Instances))
	}
	if n := w.count("identity/v3/auth/tokens"); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// TestTokenNeverGood: an API that answers 401 to every token is asked twice,
// not for ever, and the rest of the look is not tried.
func TestTokenNeverGood(t *testing.T) {
	w := newWorld(2, 5)
	w.breakWith(func(c sim.Call) sim.Fault {
		if c.Path == "/v2.1/servers/detail" {
			return sim.Fault{Status: 401}
		}
		return sim.Fault{}
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneSlow)
	if !errors.Is(obs.Err, fleet.ErrAuth) {
		t.Errorf("error %v", obs.Err)
	}
	if n := w.count("identity/v3/auth/tokens"); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
	if n := w.count("compute"); n != 3 { // version, servers, servers again
		t.Errorf("%d compute calls, want 3", n)
	}
}

func TestActions(t *testing.T) {
	w := newWorld(1, 2)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	act := func(kind fleet.ActionKind, args map[string]string) (fleet.Outcome, error) {
		return o.Act(context.Background(), fleet.Action{Kind: kind, Target: uuid(1, 0), Args: args})
	}
	status := func() string { return w.State("ams").Servers[0].Status }
	out, err := act(fleet.ActInstanceStop, nil)
	if err != nil || !out.Done || out.Before != "ACTIVE" || !strings.Contains(out.Text, "accepted") {
		t.Fatalf("stop: %+v, %v", out, err)
	}
	eventually(t, "SHUTOFF", func() bool { return status() == "SHUTOFF" })
	eventually(t, "nothing left to stop", func() bool {
		out, err = act(fleet.ActInstanceStop, nil)
		return err == nil && out.Done && strings.Contains(out.Text, "already")
	})
	if out, err := act(fleet.ActInstanceReboot, nil); !errors.Is(err, fleet.ErrBusy) || out.Done {
		t.Errorf("reboot of a stopped instance: %+v, %v", out, err)
	}
	if out, err := act(fleet.ActInstanceStart, nil); err != nil || !out.Done {
		t.Errorf("start: %+v, %v", out, err)
	}
	eventually(t, "ACTIVE", func() bool { return status() == "ACTIVE" })
	eventually(t, "a hard reboot accepted", func() bool {
		out, err := act(fleet.ActInstanceReboot, map[string]string{"type": "hard"})
		return err == nil && out.Done
	})
	for name, a := range map[string]fleet.Action{
		"other kind":     {Kind: fleet.ActPowerOff, Target: uuid(1, 0)},
		"other reboot":   {Kind: fleet.ActInstanceReboot, Target: uuid(1, 0), Args: map[string]string{"type": "sideways"}},
		"not there":      {Kind: fleet.ActInstanceStop, Target: uuid(1, 99)},
		"path traversal": {Kind: fleet.ActInstanceStop, Target: "../flavors"},
		"no target":      {Kind: fleet.ActInstanceStop},
	} {
		if out, err := o.Act(context.Background(), a); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// TestActionIsSentOnce: a refused or lost answer never sends an action again.
func TestActionIsSentOnce(t *testing.T) {
	w := newWorld(1, 1)
	w.breakWith(func(c sim.Call) sim.Fault {
		if c.Method == http.MethodPost && c.Service == "compute" {
			return sim.Fault{Status: 503}
		}
		return sim.Fault{}
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	_, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceReboot, Target: uuid(1, 0)})
	if !errors.Is(err, fleet.ErrBusy) {
		t.Errorf("error %v", err)
	}
	if n := w.count("compute/v2.1/servers/" + uuid(1, 0) + "/action"); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no target":         func(c *Config) { c.Target = "" },
		"no URL":            func(c *Config) { c.AuthURL = "" },
		"other scheme":      func(c *Config) { c.AuthURL = "ftp://host/v3" },
		"password in URL":   func(c *Config) { c.AuthURL = "https://a:b@host/v3" },
		"no password":       func(c *Config) { c.Password = nil },
		"no user":           func(c *Config) { c.Username = "" },
		"two identities":    func(c *Config) { c.AppCredentialID = "x" },
		"no project":        func(c *Config) { c.ProjectName = "" },
		"unknown interface": func(c *Config) { c.Interface = "secret" },
		"negative limit":    func(c *Config) { c.Limits.Pages = -1 },
		"empty CA bundle":   func(c *Config) { c.CAs = []byte("nothing") },
	} {
		cfg := config("https://cloud:5000/v3", "admin")
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
