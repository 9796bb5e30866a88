package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/runbook"
)

// robot is an Auto over a region of six servers that are on, with a clock that
// is set by hand.
type robot struct {
	*Auto
	*ledger
	wire *wire
	now  time.Time
	lost error // why the audit log cannot be read
}

func newRobot(t *testing.T, p ...runbook.Policy) *robot {
	t.Helper()
	r := &robot{now: t0, wire: &wire{reply: yes}}
	inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}}, Intervals: [3]time.Duration{time.Hour, time.Hour, time.Hour}}
	for i := range 6 {
		inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: fmt.Sprint("s0", i+1), Kind: fleet.KindServer, Site: "ams1", Region: "ams", Tags: map[string]string{"role": map[bool]string{true: "game", false: "db"}[i < 2]},
			Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}})
	}
	clock := func() time.Time { return r.now }
	r.ledger = &ledger{snap: engine.Restore(inv, fleet.Memory{}, t0), news: make(chan struct{}), now: clock}
	for i := range inv.Devices {
		r.poll(t, inv.Devices[i].ID, "on")
	}
	e := New(r.ledger, r.wire, slog.New(slog.DiscardHandler), clock)
	r.wire.after = func(a fleet.Action) {
		if a.Kind == fleet.ActPowerOff {
			r.poll(t, a.Target, "off")
		}
	}
	b := off(t)
	b.Steps = b.Steps[:1]
	e.SetBooks([]*runbook.Book{b})
	e.SetPolicies(p)
	r.Auto = NewAuto(e, func(_ context.Context, span time.Duration) ([]fleet.AuditEntry, error) {
		r.ledger.mu.Lock()
		defer r.ledger.mu.Unlock()
		var out []fleet.AuditEntry
		for _, x := range r.ledger.audit {
			if x.At.After(r.now.Add(-span)) {
				out = append(out, x)
			}
		}
		return out, r.lost
	}, slog.New(slog.DiscardHandler))
	return r
}

func (r *robot) poll(t *testing.T, id, power string) {
	if err := r.ledger.Apply(context.Background(), server(id, power, r.now.Add(time.Millisecond))); err != nil {
		t.Error(err)
	}
}

// spend lets time pass, with a look every half minute.
func (r *robot) spend(t *testing.T, d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); r.now = r.now.Add(30 * time.Second) {
		r.look(t.Context())
		r.e.Wait()
	}
}

// said are the decisions, in words.
func (r *robot) said() string {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	var out []string
	for _, x := range r.ledger.audit {
		if x.Who == Robot && strings.HasPrefix(x.Action, autoRun) && x.Action != autoDigest {
			out = append(out, x.Action+" "+x.Target+" "+x.Outcome)
		}
	}
	return strings.Join(out, ", ")
}

func TestAutoIsOffByDefault(t *testing.T) {
	r := newRobot(t)
	if r.spend(t, time.Hour); r.said() != "" || r.wire.count() != 0 {
		t.Error(r.said())
	}
}

func TestAutoObserves(t *testing.T) {
	r := newRobot(t, runbook.Policy{Book: "off", Select: map[string]string{"role": "game"}})
	r.spend(t, time.Hour)
	if want := "auto observe off s01 done, auto observe off s02 done"; r.said() != want || r.wire.count() != 0 {
		t.Errorf("sent %d: %s\nwant %s", r.wire.count(), r.said(), want)
	}
}

// TestAutoActs: once on each occasion, within its budget for a day, as a user of its
// own.
func TestAutoActs(t *testing.T) {
	r := newRobot(t, runbook.Policy{Book: "off", MaxPerDay: 2, Act: true})
	if r.spend(t, 20*time.Second); r.said() != "" {
		t.Error("it acts before the trigger lasted")
	}
	r.spend(t, 30*time.Minute)
	if got := r.said(); r.wire.count() != 2 || strings.Count(got, "begun") != 2 || strings.Count(got, "refused") != 4 {
		t.Errorf("sent %d: %s", r.wire.count(), got)
	}
	for _, j := range r.Snapshot().Jobs {
		if j.By != Robot || j.State != fleet.JobVerified {
			t.Errorf("%s of %s is %s", j.Action, j.By, j.State)
		}
	}
	// The day after there is another budget, and one digest of the day before.
	for i := range 6 {
		r.poll(t, fmt.Sprint("s0", i+1), "on")
	}
	r.now = r.now.Add(24 * time.Hour)
	for i := range 6 {
		r.poll(t, fmt.Sprint("s0", i+1), "on")
	}
	r.spend(t, 10*time.Minute)
	digests := 0
	for _, x := range r.ledger.audit {
		if x.Action == autoDigest && x.At.After(t0.Add(20*time.Hour)) {
			if digests++; !strings.Contains(x.Reason, "ran 2, would have run 0, refused 4") {
				t.Error(x.Reason)
			}
		}
	}
	if digests != 1 || r.wire.count() <= 2 {
		t.Errorf("%d digests, sent %d", digests, r.wire.count())
	}
}

// TestAutoRefuses: it does less than any person may.
func TestAutoRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, r *robot)
		why  string
	}{
		{"too much is sick", func(t *testing.T, r *robot) {
			for _, id := range []string{"s03", "s04", "s05"} {
				o := server(id, "on", r.now.Add(time.Millisecond))
				o.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "20.0.1", Name: "CPU Temp", Class: "temperature"}, State: fleet.StateCrit, Value: fleet.Int(99)}}
				o.SetTable(fleet.TableSensors, fleet.Complete)
				if err := r.ledger.Apply(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
		}, "of 6 devices of region ams are critical or unknown: more than 40 %"},
		{"the log cannot be read", func(_ *testing.T, r *robot) { r.lost = errors.New("disk") }, "what it did today cannot be read"},
		{"everything is frozen", func(t *testing.T, r *robot) {
			if err := r.ledger.Apply(t.Context(), fleet.Decision{Freeze: &fleet.Freeze{By: "ann", Reason: "launch", At: r.now}}); err != nil {
				t.Fatal(err)
			}
		}, "frozen by ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRobot(t, runbook.Policy{Book: "off", Act: true, Select: map[string]string{"role": "game"}})
			c.do(t, r)
			r.spend(t, time.Hour)
			if got := r.said(); r.wire.count() != 0 || strings.Count(got, "refused") != 2 || strings.Contains(got, "begun") {
				t.Errorf("sent %d: %s", r.wire.count(), got)
			}
			for _, x := range r.ledger.audit {
				if x.Outcome == "refused" && !strings.Contains(x.Reason, c.why) {
					t.Errorf("%q, want %q", x.Reason, c.why)
				}
			}
		})
	}
}

// TestAutoLeavesEscalatedActsToPeople: what a guard raises to danger 3 is not
// even proposed.
func TestAutoLeavesEscalatedActsToPeople(t *testing.T) {
	r := newRobot(t)
	req := ask(fleet.RoleOperator, fleet.ActPowerOff, "s01")
	req.Most = 1
	if _, err := r.e.Run(t.Context(), req); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "takes a person") {
		t.Error(err)
	}
	if len(r.Snapshot().Jobs) != 0 || r.wire.count() != 0 {
		t.Error("it is on its way all the same")
	}
}
