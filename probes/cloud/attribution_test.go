package cloud

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

// TestWhoChangedAServer: a server that is of another flavor than at the last
// look is asked who did it, once; the others are not.
func TestWhoChangedAServer(t *testing.T) {
	w := newWorld(2, 5)
	w.Change(func(r *sim.Region) {
		r.Flavors = append(r.Flavors, sim.Flavor{ID: "43", Name: "m1.large", VCPUs: 4, MemoryMB: 8192, Disk: 40})
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	asked := func() (n int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for path, times := range w.calls {
			if strings.HasSuffix(path, "/os-instance-actions") {
				n += times
			}
		}
		return n
	}
	observe(t, o, fleet.LaneSlow)
	observe(t, o, fleet.LaneFast)
	if n := asked(); n != 0 {
		t.Fatalf("%d were asked before anything changed", n)
	}
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	w.Change(func(r *sim.Region) {
		r.Servers[2].Flavor = r.Flavors[1].ID
		r.Servers[2].Done = []sim.Done{{Action: "reboot", UserID: "bob", At: at.Add(time.Hour)}, {Action: "resize", UserID: "e\x1bve", At: at}, {Action: "create", UserID: "tf", At: epoch}}
	})
	for turn := range 2 {
		obs := observe(t, o, fleet.LaneFast)
		for _, x := range obs.Instances {
			want, when := "", time.Time{}
			if x.Type == "m1.large" || x.ChangedBy != "" {
				want, when = "eve (resize)", at
			}
			if x.ChangedBy != want || !x.ChangedAt.Equal(when) {
				t.Errorf("%s of type %s: changed by %q at %v", x.Name, x.Type, x.ChangedBy, x.ChangedAt)
			}
		}
		if n := asked(); n != 1 || obs.Facts.Get("sees.actions") != "seen" {
			t.Errorf("look %d: asked %d times, sees %q", turn, n, obs.Facts.Get("sees.actions"))
		}
	}
	// Who may not see it loses nothing else.
	w.breakWith(func(c sim.Call) sim.Fault {
		if strings.HasSuffix(c.Path, "/os-instance-actions") {
			return sim.Fault{Status: http.StatusForbidden}
		}
		return sim.Fault{}
	})
	w.Change(func(r *sim.Region) { r.Servers[2].Flavor = r.Flavors[0].ID })
	obs := observe(t, o, fleet.LaneFast)
	if obs.Err != nil || obs.Facts.Get("sees.actions") != "denied" || len(obs.Instances) != 5 {
		t.Errorf("%v, sees %q, %d instances", obs.Err, obs.Facts.Get("sees.actions"), len(obs.Instances))
	}
	for _, x := range obs.Instances {
		if x.ChangedBy != "" {
			t.Errorf("%s was changed again, and by whom is not known: %q", x.Name, x.ChangedBy)
		}
	}
}
