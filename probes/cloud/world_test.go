package cloud

import (
	"context"
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

// world is a region of the simulated cloud that a test may change.
type world struct {
	*sim.Held
	mu  sync.Mutex
	bad func(sim.Call) sim.Fault
	// calls counts requests by service and path.
	calls map[string]int
}

func (w *world) fault(c sim.Call) sim.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[c.Service+c.Path]++
	if c.Method != http.MethodGet {
		w.calls[c.Method+" "+c.Service]++
	}
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
	r := sim.Region{
		Name:    "ams",
		Flavors: []sim.Flavor{{ID: "42", Name: "m1.small", VCPUs: 2, MemoryMB: 4096, Disk: 20}},
		Groups:  []sim.Group{{ID: uuid(3, 1), Name: "match", Policy: "anti-affinity", ProjectID: sim.ProjectID("admin"), Members: []string{uuid(1, 0)}}},
		Quota:   sim.Quota{Instances: 1000},
	}
	for i := range hosts {
		r.Hosts = append(r.Hosts, sim.Host{ID: uuid(2, i), Name: fmt.Sprintf("ams-r%02d-s01", i+1), Zone: "ams-a", Up: true, SeenAt: epoch, BootedAt: epoch,
			Inventory: []sim.Inventory{{Class: "VCPU", Total: 64, Reserved: 2, Ratio: 4}, {Class: "MEMORY_MB", Total: 262144, Reserved: 4096, Ratio: 1}, {Class: "DISK_GB", Total: 4000, Ratio: 1.5}}})
	}
	for i := range servers {
		project := "admin"
		if i%10 == 9 {
			project = "guest"
		}
		r.Servers = append(r.Servers, sim.Instance{ID: uuid(1, i), Name: fmt.Sprintf("match-%03d", i), ProjectID: sim.ProjectID(project),
			Host: r.Hosts[i%hosts].Name, Zone: "ams-a", Flavor: "m1.small", Status: "ACTIVE", Created: epoch.Add(time.Duration(i) * time.Second), Launched: epoch.Add(time.Second),
			Metadata: map[string]string{"service": "match"}, Tags: []string{"env=prod", "pinned"}})
	}
	return &world{Held: sim.Hold(r), calls: map[string]int{}}
}

func serve(t testing.TB, w *world) *sim.Server {
	t.Helper()
	return serveTaking(t, w, 10*time.Millisecond)
}

// serveTaking serves a cloud whose actions take a while.
func serveTaking(t testing.TB, w *world, takes time.Duration) *sim.Server {
	t.Helper()
	s, err := sim.Serve(context.Background(), "127.0.0.1:0", sim.Config{
		Regions: []string{"ams", "fra"},
		Users: []sim.User{
			{Name: "admin", Password: "secret-of-admin", Project: "admin", Admin: true},
			{Name: "guest", Password: "secret-of-guest", Project: "guest"},
		},
		Apps:  []sim.AppCredential{{ID: "app1", Secret: "secret-of-app", User: "guest"}},
		State: w.State, Act: w.Act, SetService: w.SetService, RemoveRule: w.RemoveRule, Fault: w.fault, ActionTakes: takes,
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

// eventually polls until the condition holds or two seconds have passed.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never: " + what)
		}
	}
}
