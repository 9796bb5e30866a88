package engine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"plumb/fleet"
)

// guesthouse is a few machines of ours that two clouds use as hypervisors,
// beside some that are not ours.
func guesthouse() *fleet.Inventory {
	inv := &fleet.Inventory{Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}
	inv.Regions = []fleet.RegionSpec{{Name: "ams"}}
	inv.Sites = []fleet.SiteSpec{{Name: "ams1", Region: "ams"}}
	for k := range 4 {
		d := fleet.DeviceSpec{ID: fmt.Sprint("s", k), Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}}
		if k == 0 {
			d.Tags = map[string]string{"service": "match"}
		}
		inv.Devices = append(inv.Devices, d)
	}
	for _, name := range []string{"os1", "os2"} {
		inv.Clouds = append(inv.Clouds, fleet.CloudSpec{Name: name, Region: "ams", Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack, Address: "http://127.0.0.1:1"}})
	}
	inv.Services = []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: 3}, {Name: "login", Select: map[string]string{"service": "login"}}}
	return inv
}

// tells is what a target of the guesthouse may say.
func tells(r *rand.Rand, target string, now time.Time) *fleet.Observation {
	o := &fleet.Observation{Target: target, At: now}
	if target[0] == 's' {
		o.Source = fleet.SourceIPMI
		o.Facts.Set(fleet.FactPower, []string{"on", "on", "off"}[r.IntN(3)])
		o.SetTable(fleet.TableFacts, fleet.Complete)
		state := []fleet.State{fleet.StateOK, fleet.StateCrit}[r.IntN(2)]
		o.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "fan", Name: "Fan 1", Class: fleet.ClassFan}, Value: fleet.Int(int64(r.IntN(900))), State: state}}
		o.SetTable(fleet.TableSensors, fleet.Complete)
		return o
	}
	o.Source = fleet.SourceOpenStack
	if r.IntN(6) == 0 {
		o.Err = &fleet.ProbeError{Target: target, Op: "list", Err: fleet.ErrTimeout}
		return o
	}
	o.SetTable(fleet.TableHosts, fleet.Complete)
	for _, name := range []string{"s0", "s1", "s2", "far"} {
		o.Hosts = append(o.Hosts, fleet.Host{ID: name, Name: name, State: []string{"up", "up", "down"}[r.IntN(3)], Status: []string{"enabled", "enabled", "disabled"}[r.IntN(3)]})
	}
	o.SetTable(fleet.TableInstances, []fleet.Completeness{fleet.Complete, fleet.Complete, fleet.Partial, fleet.Failed, fleet.Absent}[r.IntN(5)])
	for k := range 12 {
		if r.IntN(8) == 0 {
			continue
		}
		o.Instances = append(o.Instances, fleet.Instance{ID: fmt.Sprint(target, "-", k), Cloud: target, Name: fmt.Sprint("vm", k), Zone: fmt.Sprint("z", k%2), Host: []string{"s0", "s1", "s3", "far", ""}[(k+r.IntN(8)/7)%5],
			State: []fleet.State{fleet.StateOK, fleet.StateOK, fleet.StateOK, fleet.StateCrit, fleet.StateOff}[r.IntN(20)/4], Tags: map[string]string{"service": []string{"match", "login", "none"}[(k+r.IntN(9)/8)%3]}})
	}
	if r.IntN(10) == 0 && len(o.Instances) > 1 {
		o.Instances = append(o.Instances, o.Instances[0]) // an id given twice
		r.Shuffle(len(o.Instances), func(a, b int) { o.Instances[a], o.Instances[b] = o.Instances[b], o.Instances[a] })
	}
	return o
}

// TestGuestsAreSettledAsIfAnew: what a step leaves as it is would come out the
// same if everything were settled again.
func TestGuestsAreSettledAsIfAnew(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		inv, now := guesthouse(), t0
		snap := Restore(inv, fleet.Memory{}, now)
		for turn := range 40 {
			now = now.Add(time.Duration(10+r.IntN(60)) * time.Second)
			var in []fleet.Input
			for _, target := range []string{"s0", "s1", "s2", "s3", "os1", "os2"} {
				if r.IntN(2) == 0 {
					in = append(in, tells(r, target, now))
				}
			}
			if r.IntN(15) == 0 {
				in = append(in, fleet.Reload{Inventory: inv})
			}
			prev := snap
			snap, _ = Step(prev, in, now)
			s := &step{prev: snap, next: *snap, now: now, rolled: true, touched: map[int]bool{}, said: map[string]int{}}
			s.open()
			s.settleGuests()
			if snap.Guests.Of(snap) && prev.Guests != snap.Guests { // it was settled in this step
				same(t, seed, turn, "instances", &snap.Instances, &s.next.Instances)
				same(t, seed, turn, "services", &snap.Services, &s.next.Services)
				if !reflect.DeepEqual(snap.Guests, s.next.Guests) || snap.Counts.By != s.next.Counts.By {
					t.Fatalf("seed %d turn %d: guests %+v, anew %+v", seed, turn, snap.Guests, s.next.Guests)
				}
			}
		}
	}
}

func same[T any](t *testing.T, seed uint64, turn int, what string, got, want *fleet.Table[T]) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Fatalf("seed %d turn %d: %d %s, anew %d", seed, turn, got.Len(), what, want.Len())
	}
	for n := range got.Len() {
		if a, b := fmt.Sprintf("%+v", *got.At(n)), fmt.Sprintf("%+v", *want.At(n)); got.ID(n) != want.ID(n) || a != b {
			t.Fatalf("seed %d turn %d: %s\n%s\nanew\n%s", seed, turn, what, a, b)
		}
	}
}
