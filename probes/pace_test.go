package probes

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// workloadFake is a probe of a workload whose words a test decides; nil: it
// cannot be asked.
type workloadFake struct {
	id   string
	says func(n int) *fleet.State
	err  error
	mu   sync.Mutex // guards what follows
	at   []time.Time
	dead []time.Duration // how long each look had
}

func (f *workloadFake) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	n := f.note(ctx)
	o := &fleet.Observation{Target: f.id, Source: fleet.SourceHealth, Lane: lane, At: time.Now()}
	if st := f.says(n); st != nil {
		o.SetTable(fleet.TableSensors, fleet.Complete)
		o.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: fleet.SensorHealth}, State: *st}}
	} else {
		o.SetTable(fleet.TableFacts, fleet.Partial) // what is asked is known all the same
		o.SetTable(fleet.TableSensors, fleet.Failed)
	}
	if f.err != nil {
		o.Err = &fleet.ProbeError{Target: f.id, Op: "ask", Err: f.err}
	}
	return o, nil
}

// note says which look it is.
func (f *workloadFake) note(ctx context.Context) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = append(f.at, time.Now())
	if end, ok := ctx.Deadline(); ok {
		f.dead = append(f.dead, time.Until(end))
	}
	return len(f.at)
}

// asked is when it was looked at.
func (f *workloadFake) asked() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

func (f *workloadFake) Close() error { return nil }

func (f *workloadFake) target(p Pace) Target {
	return Target{ID: f.id, Source: fleet.SourceHealth, Key: "k", Pace: &p, Build: func() (fleet.Probe, error) { return f, nil }}
}

func gaps(at []time.Time) (out []time.Duration) {
	for i := 1; i < len(at); i++ {
		out = append(out, at[i].Sub(at[i-1]).Round(time.Millisecond))
	}
	return out
}

// A workload is asked at its own beat, and a bad word is looked at again soon,
// until it is believed.
func TestPace(t *testing.T) {
	ok, crit := fleet.StateOK, fleet.StateCrit
	pace := Pace{Every: 30 * time.Second, Timeout: 3 * time.Second, Retry: 4 * time.Second, Attempts: 3}
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &workloadFake{id: "shop", says: func(n int) *fleet.State {
			if n >= 4 && n <= 8 {
				return &crit
			}
			return &ok
		}}
		s.SetTargets([]Target{f.target(pace)})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		got := gaps(f.asked())
		if len(got) < 9 {
			t.Fatalf("asked %d times", len(f.asked()))
		}
		// the 4th is bad; the 5th and 6th come soon, then it is believed
		if got[3] != pace.Retry || got[4] != pace.Retry || got[2] != pace.Every || got[6] != pace.Every || got[7] != pace.Every {
			t.Errorf("looks are %v apart", got)
		}
		if got[5] < pace.Every/2 || got[5] > 3*pace.Every/2 {
			t.Errorf("after it is believed the beat is %v", got[5])
		}
		for _, d := range f.dead {
			if d < pace.Timeout || d > pace.Timeout+3*time.Second {
				t.Fatalf("a look has %v", d)
			}
		}
		for _, o := range k.of("shop") {
			if o.Lane != fleet.LaneFast {
				t.Fatalf("a look of lane %v", o.Lane)
			}
		}
	})
}

// A workload that hangs is asked as often as any other: each word begins before
// the one before is older than two of its beats, also after an early look.
func TestPaceOfTheSlow(t *testing.T) {
	crit := fleet.StateCrit
	pace := Pace{Every: 15 * time.Second, Timeout: 7 * time.Second, Retry: 5 * time.Second, Attempts: 3}
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &workloadFake{id: "shop", says: func(int) *fleet.State { time.Sleep(pace.Timeout); return &crit }}
		s.SetTargets([]Target{f.target(pace)})
		for range 40 {
			time.Sleep(14*time.Second + 300*time.Millisecond)
			if _, stuck := s.Stuck(); stuck {
				t.Error("stuck")
			}
		}
		s.Nudge("shop")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		got := gaps(f.asked())
		if len(got) < 50 {
			t.Errorf("asked %d times in 14m30s", len(f.asked()))
		}
		for _, d := range got {
			if d+pace.Timeout > 2*pace.Every {
				t.Fatalf("a word grew older than two beats: looks are %v apart", got)
			}
		}
	})
}

// What cannot be asked is asked more seldom, but not by an hour.
func TestPaceOfTheBlind(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, _ *kept) {
		f := &workloadFake{id: "shop", says: func(int) *fleet.State { return nil }, err: fleet.ErrUnreachable}
		s.SetTargets([]Target{f.target(Pace{Every: 5 * time.Second, Timeout: time.Second, Attempts: 3})})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		for _, d := range gaps(f.asked()) {
			if d > 35*time.Second {
				t.Errorf("looks are %v apart", gaps(f.asked()))
				break
			}
		}
		if len(f.asked()) > 40 {
			t.Errorf("asked %d times in 10m", len(f.asked()))
		}
	})
}

// Who refuses our credential is left alone for a while, nudges or not: the next
// wrong try may lock the account.
func TestPaceOfTheRefused(t *testing.T) {
	cfg := quick()
	cfg.AuthHold = 10 * time.Minute
	under(t, cfg, func(t *testing.T, s *Scheduler, _ *kept) {
		f := &workloadFake{id: "shop", says: func(int) *fleet.State { return nil }, err: fleet.ErrAuth}
		s.SetTargets([]Target{f.target(Pace{Every: 5 * time.Second, Timeout: time.Second, Attempts: 3})})
		for range 9 {
			time.Sleep(time.Minute)
			s.Nudge("shop")
		}
		if len(f.asked()) != 1 {
			t.Errorf("asked %d times in 9m", len(f.asked()))
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if len(f.asked()) != 2 {
			t.Errorf("asked %d times in 12m", len(f.asked()))
		}
	})
}

// Workloads that hang take the places of the dead, not those of the living.
func TestPaceOfTheHanging(t *testing.T) {
	ok, crit := fleet.StateOK, fleet.StateCrit
	cfg := quick()
	cfg.Parallel, cfg.Patients = 2, 1
	pace := Pace{Every: 10 * time.Second, Timeout: 5 * time.Second, Attempts: 3}
	under(t, cfg, func(t *testing.T, s *Scheduler, _ *kept) {
		well := &workloadFake{id: "well", says: func(int) *fleet.State { return &ok }}
		list := []Target{well.target(pace)}
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			f := &workloadFake{id: id, says: func(int) *fleet.State { time.Sleep(pace.Timeout); return &crit }, err: fleet.ErrTimeout}
			list = append(list, f.target(pace))
		}
		s.SetTargets(list)
		time.Sleep(time.Minute)
		from := len(well.asked())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for _, d := range gaps(well.asked()[from:]) {
			if d > pace.Every+time.Second {
				t.Fatalf("what is well is asked %v apart", gaps(well.asked()))
			}
		}
	})
}

// The targets of an inventory ask what it says, with the credential it names; a
// changed address is another target, and nothing else is.
func TestWorkloads(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pw, _ := r.BasicAuth(); pw != "hunter22" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	inv := func(address, credential string) *fleet.Inventory {
		return &fleet.Inventory{Services: []fleet.ServiceSpec{{Name: "quiet"},
			{Name: "shop", Health: &fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: address, Credential: credential, Every: 7 * time.Second}}}}
	}
	credentials := func(name string) (Credential, bool) {
		return Credential{Username: "plumb", Password: func(context.Context) (string, error) { return "hunter22", nil }, Revision: "1"}, name == "shop"
	}
	list := Targets(inv(srv.URL, "shop"), credentials, Defaults())
	if len(list) != 1 || list[0].ID != "shop" || list[0].Pace.Every != 7*time.Second || list[0].Pace.Timeout != 3500*time.Millisecond || list[0].Pace.Attempts != 3 {
		t.Fatalf("%+v", list)
	}
	p, err := list[0].Build()
	if err != nil {
		t.Fatal(err)
	}
	o, err := p.Observe(t.Context(), fleet.LaneFast)
	if state, text, _ := o.Word(); err != nil || state != fleet.StateOK {
		t.Errorf("%v %q %v %v", state, text, o.Err, err)
	}
	if again := Targets(inv(srv.URL, "shop"), credentials, Defaults()); again[0].Key != list[0].Key {
		t.Error("the same inventory makes another target")
	}
	if other := Targets(inv(srv.URL+"/x", "shop"), credentials, Defaults()); other[0].Key == list[0].Key {
		t.Error("another address makes the same target")
	}
	if _, err := Targets(inv(srv.URL, "none"), credentials, Defaults())[0].Build(); err == nil || errors.Is(err, fleet.ErrAuth) {
		t.Errorf("a credential that is not there: %v", err)
	}
}
