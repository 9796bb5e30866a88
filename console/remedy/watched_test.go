package remedy

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
)

// TestWavesWaitForTheWorkload: between two waves a service that was well has to
// say so again, and what it says at the first look stops the rest.
func TestWavesWaitForTheWorkload(t *testing.T) {
	ok, crit := fleet.StateOK, fleet.StateCrit
	for _, c := range []struct {
		name string
		says []fleet.State // at each look that is asked for, the last for ever; none: it is not heard
		sent int
		why  string
	}{
		{"it stays well", []fleet.State{ok}, 3, ""},
		{"the canary breaks it", []fleet.State{crit}, 1, "now its workload says: HTTP 500"},
		{"it breaks while it is watched", []fleet.State{ok, crit}, 1, "now its workload says: HTTP 500"},
		{"nobody hears it", nil, 1, "its workload was not heard in 2m5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, l, w := house(t)
				say := func(st fleet.State) {
					o := &fleet.Observation{Target: "shop", Source: fleet.SourceHealth, At: time.Now()}
					text := "HTTP 200"
					if st != ok {
						text = "HTTP 500"
					}
					o.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: fleet.SensorHealth, Class: fleet.ClassState}, State: st, Text: text}}
					o.SetTable(fleet.TableSensors, fleet.Complete)
					if err := l.Apply(context.Background(), o); err != nil {
						t.Error(err)
					}
				}
				ids := []string{"s01", "s02", "s03"}
				inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
					Services: []fleet.ServiceSpec{{Name: "shop", Select: map[string]string{"service": "shop"}, Health: &fleet.HealthSpec{Kind: fleet.HealthHTTP, Every: time.Minute, Timeout: 5 * time.Second}}}}
				for _, id := range ids {
					inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Site: "ams1", Region: "ams", Tags: map[string]string{"service": "shop"}, Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}})
				}
				l.now = time.Now
				l.snap = engine.Restore(inv, fleet.Memory{}, time.Now())
				look := func(id string) {
					o := server(id, "on", time.Now())
					if err := l.Apply(context.Background(), o); err != nil {
						t.Error(err)
					}
				}
				for _, id := range ids {
					look(id)
				}
				say(ok)
				e := New(l, w, slog.New(slog.DiscardHandler), time.Now)
				var turn sync.Mutex // guards says
				w.nudged = func(who []string) {
					go func() {
						time.Sleep(time.Second) // in the bubble's own time
						turn.Lock()
						defer turn.Unlock()
						for _, id := range who {
							if id != "shop" {
								look(id)
							} else if len(c.says) > 0 {
								say(c.says[0])
								c.says = c.says[min(1, len(c.says)-1):]
							}
						}
					}()
				}
				job, err := e.Run(t.Context(), ask(fleet.RoleAdmin, fleet.ActIdentify, ids...))
				if err != nil {
					t.Fatal(err)
				}
				e.Wait()
				time.Sleep(2 * time.Second) // whoever is asked last answers
				got := l.job(job.ID)
				if w.count() != c.sent || !slices.ContainsFunc(got.Steps, func(s fleet.JobStep) bool { return strings.Contains(s.Text, c.why) }) {
					t.Errorf("sent %d, want %d and %q: %s %+v", w.count(), c.sent, c.why, got.State, got.Steps)
				}
			})
		})
	}
}
