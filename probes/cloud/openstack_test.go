package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

// world is a region of the simulated cloud that a test may change.
type world struct {
	mu  sync.Mutex
	reg sim.Region
	bad func(sim.Call) sim.Fault
	// calls counts requests by service and path.
	calls map[string]int
}

func (w *world) state(string) *sim.Region {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.reg
	r.Servers = slices.Clone(r.Servers)
	r.Hosts = slices.Clone(r.Hosts)
	return &r
}

func (w *world) change(f func(*sim.Region)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.reg)
}

func (w *world) act(_, id, action string) error {
	w.change(func(r *sim.Region) {
		for i := range r.Servers {
			if r.Servers[i].ID == id {
				r.Servers[i].Status = map[string]string{"os-start": "ACTIVE", "os-stop": "SHUTOFF", "reboot": "ACTIVE"}[action]
			}
		}
	})
	return nil
}

func (w *world) fault(c sim.Call) sim.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[c.Service+c.Path]++
	if w.bad == nil {
		return sim.Fault{}
	}
	return w.bad(c)
}

func (w *world) breakWith(f func(sim.Call) sim.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad = f
}

func (w *world) count(prefix string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, v := range w.calls {
		if strings.HasPrefix(k, prefix) {
			n += v
		}
	}
	return n
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func uuid(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }

func newWorld(hosts, servers int) *world {
	w := &world{calls: map[string]int{}, reg: sim.Region{
		Name:    "ams",
		Flavors: []sim.Flavor{{ID: "42", Name: "m1.small", VCPUs: 2, MemoryMB: 4096, Disk: 20}},
		Groups:  []sim.Group{{ID: uuid(3, 1), Name: "match", Policy: "anti-affinity", ProjectID: sim.ProjectID("admin"), Members: []string{uuid(1, 0)}}},
		Quota:   sim.Quota{Instances: 1000},
	}}
	for i := range hosts {
		w.reg.Hosts = append(w.reg.Hosts, sim.Host{ID: uuid(2, i), Name: fmt.Sprintf("ams-r%02d-s01", i+1), Zone: "ams-a", Up: true, SeenAt: epoch, BootedAt: epoch,
			Inventory: []sim.Inventory{{Class: "VCPU", Total: 64, Reserved: 2, Ratio: 4}, {Class: "MEMORY_MB", Total: 262144, Reserved: 4096, Ratio: 1}, {Class: "DISK_GB", Total: 4000, Ratio: 1.5}}})
	}
	for i := range servers {
		project := "admin"
		if i%10 == 9 {
			project = "guest"
		}
		w.reg.Servers = append(w.reg.Servers, sim.Instance{ID: uuid(1, i), Name: fmt.Sprintf("match-%03d", i), ProjectID: sim.ProjectID(project),
			Host: w.reg.Hosts[i%hosts].Name, Zone: "ams-a", Flavor: "m1.small", Status: "ACTIVE", Created: epoch.Add(time.Duration(i) * time.Second), Launched: epoch.Add(time.Second),
			Metadata: map[string]string{"service": "match"}, Tags: []string{"env=prod", "pinned"}})
	}
	return w
}

func serve(t testing.TB, w *world) *sim.Server {
	t.Helper()
	s, err := sim.Serve(context.Background(), "127.0.0.1:0", sim.Config{
		Regions: []string{"ams", "fra"},
		Users: []sim.User{
			{Name: "admin", Password: "secret-of-admin", Project: "admin", Admin: true},
			{Name: "guest", Password: "secret-of-guest", Project: "guest"},
		},
		Apps:  []sim.AppCredential{{ID: "app1", Secret: "secret-of-app", User: "guest"}},
		State: w.state, Act: w.act, Fault: w.fault, ActionTakes: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func secret(s string) Secret { return func(context.Context) (string, error) { return s, nil } }

func config(authURL, user string) Config {
	return Config{Target: "os-ams", Region: "ams", AuthURL: authURL, Username: user, Password: secret("secret-of-" + user), ProjectName: user, Timeout: 5 * time.Second}
}

func probe(t testing.TB, cfg Config) *OpenStack {
	t.Helper()
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func observe(t testing.TB, o *OpenStack, lane fleet.Lane) *fleet.Observation {
	t.Helper()
	obs, err := o.Observe(context.Background(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if obs.Target != "os-ams" || obs.Source != fleet.SourceOpenStack || obs.Lane != lane || obs.At.IsZero() || obs.Took <= 0 {
		t.Errorf("an observation lacks its frame: %+v", obs)
	}
	return obs
}

func instance(t testing.TB, obs *fleet.Observation, id string) fleet.Instance {
	t.Helper()
	for _, i := range obs.Instances {
		if i.ID == id {
			return i
		}
	}
	t.Fatalf("no instance %s among %d", id, len(obs.Instances))
	return fleet.Instance{}
}

func tables(obs *fleet.Observation) string {
	var out []string
	for id, c := range obs.Tables {
		out = append(out, id.String()+"="+c.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestSlowLook(t *testing.T) {
	w := newWorld(4, 250)
	w.change(func(r *sim.Region) {
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
	if got, want := tables(obs), "facts=complete hosts=complete instances=complete"; got != want {
		t.Errorf("tables %s, want %s", got, want)
	}
	if len(obs.Instances) != 250 || len(obs.Hosts) != 4 {
		t.Fatalf("%d instances, %d hosts", len(obs.Instances), len(obs.Hosts))
	}
	got := instance(t, obs, uuid(1, 0))
	want := fleet.Instance{ID: uuid(1, 0), Name: "match-000", Cloud: "os-ams", Region: "ams", Zone: "ams-a", Type: "m1.small", State: fleet.StateOK, RunState: "ACTIVE",
		Host: "ams-r01-s01", PlacementGroup: "match", LaunchedAt: epoch.Add(time.Second), Tags: map[string]string{"service": "match", "env": "prod", "pinned": ""}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
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
var _ = []any{errors.New, http.StatusOK, runtime.NumGoroutine, atomic.AddInt32}
