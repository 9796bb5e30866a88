package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

const healthEvery = 15 * time.Second

// shop is a fleet with one service on one machine, whose workload is asked.
func shop() *fleet.Inventory {
	inv := inventory()
	inv.Devices[0].Tags = map[string]string{"service": "shop"}
	inv.Services = []fleet.ServiceSpec{{Name: "shop", Select: map[string]string{"service": "shop"},
		Health: &fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop/", Every: healthEvery}}}
	return inv
}

// word is what the shop's workload says; "" of an unknown state: it could not be asked.
func word(at time.Time, st fleet.State, text string, err error) *fleet.Observation {
	o := &fleet.Observation{Target: "shop", Source: fleet.SourceHealth, At: at}
	o.Facts.Set(fleet.FactAsked, "http://shop/")
	o.SetTable(fleet.TableFacts, fleet.Complete)
	if err != nil {
		o.Err = &fleet.ProbeError{Target: "shop", Op: "ask http", Err: err}
	}
	switch {
	case text == "":
		o.SetTable(fleet.TableSensors, fleet.Failed)
		return o
	case err != nil:
		o.SetTable(fleet.TableSensors, fleet.Partial)
	default:
		o.SetTable(fleet.TableSensors, fleet.Complete)
		o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: fleet.SensorLatency}, Value: fleet.Dec(123, -1)})
	}
	o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: fleet.SensorHealth}, State: st, Text: text})
	return o
}

// shopkeeper steps a shop through time and keeps what was stored.
type shopkeeper struct {
	t    *testing.T
	snap *fleet.Snapshot
	now  time.Time
	all  fleet.Output
}

func openShop(t *testing.T) *shopkeeper {
	t.Helper()
	k := &shopkeeper{t: t, snap: Restore(shop(), fleet.Memory{}, t0), now: t0}
	k.step(server(t0, "on", 20, fleet.StateOK))
	return k
}

func (k *shopkeeper) step(in ...fleet.Input) *fleet.Service {
	var out fleet.Output
	k.snap, out = Step(k.snap, in, k.now)
	k.all.Changes, k.all.Events, k.all.Readings = append(k.all.Changes, out.Changes...), append(k.all.Events, out.Events...), append(k.all.Readings, out.Readings...)
	k.all.Wake = out.Wake
	return k.snap.Services.Get("shop")
}

// says lets one beat pass; the machine goes on being well.
func (k *shopkeeper) says(st fleet.State, text string, err error) *fleet.Service {
	k.now = k.now.Add(healthEvery)
	return k.step(server(k.now, "on", 20, fleet.StateOK), word(k.now, st, text, err))
}

func (k *shopkeeper) want(x *fleet.Service, st fleet.State, reason string) {
	k.t.Helper()
	if x.State != st || !strings.Contains(strings.Join(x.Reasons, "; "), reason) || reason == "" && len(x.Reasons) > 0 {
		k.t.Errorf("at %s: %v %q, want %v %q", k.now.Sub(t0), x.State, x.Reasons, st, reason)
	}
}

// A workload that says nothing yet is not healthy; a bad word counts the third
// time and is gone with the first good one, and one bad look makes no sound.
func TestWorkloadSoftAndHard(t *testing.T) {
	k := openShop(t)
	k.want(k.snap.Services.Get("shop"), fleet.StateUnknown, "not asked yet")
	k.want(k.says(fleet.StateOK, "HTTP 200", nil), fleet.StateOK, "")
	events := len(k.all.Events)
	k.want(k.says(fleet.StateCrit, "HTTP 500", nil), fleet.StateOK, "")
	k.want(k.says(fleet.StateCrit, "HTTP 500", nil), fleet.StateOK, "")
	if h := k.snap.Services.Get("shop").Health; !h.Soft() || h.Bad != 2 {
		t.Errorf("%+v is not soft", h)
	}
	k.want(k.says(fleet.StateOK, "HTTP 200", nil), fleet.StateOK, "")
	if len(k.all.Events) != events {
		t.Errorf("a soft trouble made noise: %v", k.all.Events[events:])
	}
	for range 2 {
		k.says(fleet.StateCrit, "HTTP 500", nil)
	}
	x := k.says(fleet.StateCrit, "HTTP 503: database down", nil)
	k.want(x, fleet.StateCrit, "workload says: HTTP 503: database down")
	if e := k.all.Events[len(k.all.Events)-1]; e.Target != "shop" || e.Severity != fleet.SeverityCrit || !strings.Contains(e.Text, "workload says: HTTP 503") {
		t.Errorf("said %+v", e)
	}
	k.want(k.says(fleet.StateWarn, "slow", nil), fleet.StateWarn, "workload says: slow")
	k.want(k.says(fleet.StateUnknown, "the query has no result", nil), fleet.StateWarn, "workload says: the query has no result")
	k.says(fleet.StateUnknown, "the query has no result", nil)
	k.want(k.says(fleet.StateUnknown, "the query has no result", nil), fleet.StateUnknown, "does not know: the query has no result")
	k.want(k.says(fleet.StateOK, "HTTP 200", nil), fleet.StateOK, "")
	if h := k.snap.Services.Get("shop").Health; h.LatencyMs.String() != "12.3" || h.Facts.Get(fleet.FactAsked) != "http://shop/" {
		t.Errorf("%+v", h)
	}
}

// A first word that is bad is not believed at once, and not taken for health.
func TestWorkloadThatWasNeverWell(t *testing.T) {
	k := openShop(t)
	for range 2 {
		k.want(k.says(fleet.StateCrit, "HTTP 500", nil), fleet.StateUnknown, "asked again before that counts")
	}
	k.want(k.says(fleet.StateCrit, "HTTP 500", nil), fleet.StateCrit, "workload says: HTTP 500")
	if n := len(k.all.Events); n == 0 || k.all.Events[n-1].Severity != fleet.SeverityCrit {
		t.Error("a service that came up sick is no news")
	}
}

// What the replicas say is worse, or as bad, and stays first.
func TestWorkloadBesideFloor(t *testing.T) {
	k := openShop(t)
	inv := shop()
	inv.Services[0].Floor = 2
	k.step(fleet.Reload{Inventory: inv})
	k.want(k.says(fleet.StateOK, "HTTP 200", nil), fleet.StateUnknown, "floor 2") // its cloud was not read
	k.step(cloud(k.now, "up"))
	k.want(k.says(fleet.StateOK, "HTTP 200", nil), fleet.StateCrit, "1 running, floor 2")
}

// Nobody asked, nobody is healthy: the word of a workload grows old by its own
// beat, and a step that brings nothing notices.
func TestWorkloadGrowsOld(t *testing.T) {
	k := openShop(t)
	k.says(fleet.StateOK, "HTTP 200", nil)
	last := k.now
	if want := last.Add(2*healthEvery + time.Millisecond); k.all.Wake.After(want) {
		t.Errorf("it wakes at %v, and the word is old at %v", k.all.Wake, want)
	}
	k.now = last.Add(2 * healthEvery)
	k.want(k.step(server(k.now, "on", 20, fleet.StateOK)), fleet.StateOK, "")
	k.now = last.Add(2*healthEvery + time.Millisecond)
	k.want(k.step(), fleet.StateUnknown, "not heard since 14:00:15: nobody asked")
	k.now = k.now.Add(time.Second)
	k.want(k.step(word(k.now, 0, "", fleet.ErrUnreachable)), fleet.StateUnknown, "not heard since 14:00:15: unreachable")
	// blind: what it said last stays until it is too old
	k.says(fleet.StateOK, "HTTP 200", nil)
	k.want(k.says(0, "", fleet.ErrTimeout), fleet.StateOK, "")
	k.want(k.says(0, "", fleet.ErrTimeout), fleet.StateOK, "")
	k.want(k.says(0, "", fleet.ErrTimeout), fleet.StateUnknown, "timeout")
}

// However looks, blindness and pauses come, a service is never healthy whose
// workload was not heard to be so within two of its beats, and a word that has
// been bad three times in a row and is young is never lost.
func TestWorkloadIsNeverHealthyUnheard(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 9))
		k := openShop(t)
		var heard, well time.Time
		run := 0 // crit words in a row
		for range 120 {
			k.now = k.now.Add(time.Duration(r.IntN(40)) * time.Second)
			in := []fleet.Input{server(k.now, "on", 20, fleet.StateOK)}
			switch r.IntN(6) {
			case 0, 1:
				in, heard, well, run = append(in, word(k.now, fleet.StateOK, "HTTP 200", nil)), k.now, k.now, 0
			case 2, 3:
				in, heard, run = append(in, word(k.now, fleet.StateCrit, "HTTP 500", nil)), k.now, run+1
			case 4:
				in = append(in, word(k.now, 0, "", fleet.ErrUnreachable))
			}
			x := k.step(in...)
			young := fleet.Young(heard, k.now, healthEvery)
			switch {
			case x.State == fleet.StateOK && (!young || well.IsZero()):
				t.Fatalf("seed %d: ok, heard %v ago, well at %v: %+v", seed, k.now.Sub(heard), well, x.Health)
			case young && run >= 3 && x.State != fleet.StateCrit:
				t.Fatalf("seed %d: %v %q after %d crit words", seed, x.State, x.Reasons, run)
			case !young && x.State != fleet.StateUnknown:
				t.Fatalf("seed %d: %v, heard %v ago", seed, x.State, k.now.Sub(heard))
			}
		}
	}
}

// Silence from behind a lost way says nothing of the workload; a word does.
func TestWorkloadBehindALostWay(t *testing.T) {
	k := openShop(t)
	k.says(fleet.StateOK, "HTTP 200", nil)
	for range 3 {
		k.says(fleet.StateCrit, "no answer in 5s", fleet.ErrTimeout)
	}
	k.want(k.snap.Services.Get("shop"), fleet.StateCrit, "workload says: no answer in 5s")
	sites := k.snap.Sites.Edit()
	sites.Get("ams1").SilentSince = k.now
	k.snap.Sites = sites.Done()
	s := &step{prev: k.snap, next: *k.snap, now: k.now}
	s.open()
	x := s.next.Services.At(0)
	if st := s.healthState(x, x.Health); st != fleet.StateUnknown {
		t.Errorf("silence from behind a lost way is %v", st)
	}
	heard := *x.Health
	heard.Unheard = false
	if st := s.healthState(x, &heard); st != fleet.StateCrit {
		t.Errorf("a word that came through is %v", st)
	}
}

// What was said is there after a restart, as old as it is, and at every time in
// the past; what was the answer to another question is not.
func TestWorkloadIsRemembered(t *testing.T) {
	k := openShop(t)
	k.now = k.now.Add(123456) // no poll ends at a whole millisecond
	k.says(fleet.StateOK, "HTTP 200", nil)
	for range 4 {
		k.says(fleet.StateCrit, "HTTP 500", nil)
	}
	said := k.snap.Services.Get("shop").Health.SaidAt
	mem := fleet.Memory{Version: 1, At: k.now, Tables: fleet.Remember(k.all.Changes), Readings: lastReadings(k.all.Readings)}
	for _, c := range []struct {
		after time.Duration
		want  fleet.State
	}{{time.Second, fleet.StateCrit}, {2*healthEvery - time.Millisecond, fleet.StateCrit}, {2*healthEvery + time.Second, fleet.StateUnknown}} {
		at := k.now.Add(c.after)
		for name, snap := range map[string]*fleet.Snapshot{"restart": Restore(shop(), mem, at), "the past": Lay(shop()).AsOf(mem, at)} {
			x := snap.Services.Get("shop")
			if x.State != c.want || x.Health == nil || !x.Health.SaidAt.Equal(said) || x.Health.Text != "HTTP 500" || x.Health.LatencyMs.String() != "12.3" || x.Health.Facts.Get(fleet.FactAsked) == "" {
				t.Errorf("%s %v later: %v %q %+v", name, c.after, x.State, x.Reasons, x.Health)
			}
		}
	}
	other := shop()
	other.Services[0].Health.Address = "http://shop/other"
	k.want(k.step(fleet.Reload{Inventory: other}), fleet.StateUnknown, "not asked yet")
	k.says(fleet.StateOK, "HTTP 200", nil)
	same := shop()
	same.Services[0].Health.Address, same.Services[0].Owner = "http://shop/other", "ann"
	k.want(k.step(fleet.Reload{Inventory: same}), fleet.StateOK, "")
	none := shop()
	none.Services[0].Health = nil
	if x := k.step(fleet.Reload{Inventory: none}); x.State != fleet.StateOK || x.Health != nil {
		t.Errorf("%v %+v", x.State, x.Health)
	}
	if x := k.says(fleet.StateCrit, "HTTP 500", nil); x.Health != nil {
		t.Error("a look that was under way is taken")
	}
}

// lastReadings are the newest of each target, as the store gives them back.
func lastReadings(all []fleet.Readings) (out []fleet.Readings) {
	seen := map[string]bool{}
	for _, r := range slices.Backward(all) {
		if !seen[r.Target] {
			seen[r.Target] = true
			r.At = r.At.Truncate(time.Millisecond)
			out = append(out, r)
		}
	}
	return out
}

// A beat without news is cheap: no row, no event, and the guests are left alone.
func TestWorkloadSaysTheSame(t *testing.T) {
	k := openShop(t)
	k.says(fleet.StateOK, "HTTP 200", nil)
	changes, events := len(k.all.Changes), len(k.all.Events)
	guests := k.snap.Guests
	for n := range 20 {
		k.now = k.now.Add(healthEvery)
		k.step(server(k.now, "on", 20, fleet.StateOK), word(k.now, fleet.StateOK, fmt.Sprintf("HTTP 20%d", n%2), nil))
		if k.snap.Guests != guests {
			t.Fatal("all guests were settled anew")
		}
	}
	if len(k.all.Changes) > changes+6 || len(k.all.Events) != events {
		t.Errorf("%d rows, %d events", len(k.all.Changes)-changes, len(k.all.Events)-events)
	}
	if keys := k.all.Readings[len(k.all.Readings)-1].Keys; &keys[0] != &healthKeys[0] {
		t.Error("the keys are not shared")
	}
}
