package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// ledger is an engine without a store: what is applied is true at once.
type ledger struct {
	mu    sync.Mutex
	snap  *fleet.Snapshot
	audit []fleet.AuditEntry
	full  bool
}

func (l *ledger) Snapshot() *fleet.Snapshot { l.mu.Lock(); defer l.mu.Unlock(); return l.snap }

func (l *ledger) Apply(_ context.Context, in ...fleet.Input) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return errors.New("no space left on device")
	}
	var out fleet.Output
	l.snap, out = engine.Step(l.snap, in, t0)
	l.audit = append(l.audit, out.Audit...)
	return nil
}

func (l *ledger) outcomes() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s []string
	for _, a := range l.audit {
		s = append(s, a.Outcome)
	}
	return strings.Join(s, " ")
}

type wire struct {
	mu    sync.Mutex
	sent  []fleet.Action
	hold  chan struct{}
	reply func() (fleet.Outcome, error)
}

func (w *wire) Act(_ context.Context, _ fleet.Source, _ string, a fleet.Action) (fleet.Outcome, error) {
	w.mu.Lock()
	w.sent = append(w.sent, a)
	w.mu.Unlock()
	if w.hold != nil {
		<-w.hold
	}
	return w.reply()
}
func (w *wire) Nudge(...string) {}

func yes() (fleet.Outcome, error) { return fleet.Outcome{Done: true, Text: "ok"}, nil }

func house(t *testing.T) (*Executor, *ledger, *wire) {
	t.Helper()
	ep := []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}
	inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}}, Devices: []fleet.DeviceSpec{
		{ID: "s01", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: ep},
		{ID: "s02", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: ep},
		{ID: "sw1", Kind: fleet.KindSwitch, Site: "ams1", Region: "ams", Endpoints: ep},
	}}
	server := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: t0}
	server.Facts.Set(fleet.FactPower, "on")
	server.Facts.Set(fleet.FactSerial, "7XK2P03")
	server.SetTable(fleet.TableFacts, fleet.Complete)
	sw := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: t0, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet1/3", Admin: "up", Oper: "up"}}}}
	sw.SetTable(fleet.TablePorts, fleet.Complete)
	l := &ledger{snap: engine.Restore(inv, fleet.Memory{}, t0)}
	if err := l.Apply(t.Context(), server, sw); err != nil {
		t.Fatal(err)
	}
	w := &wire{reply: yes}
	return New(l, w, slog.New(slog.DiscardHandler), func() time.Time { return t0.Add(time.Second) }), l, w
}

func ask(role fleet.Role, kind fleet.ActionKind, target string) Request {
	return Request{User: "bob", From: "127.0.0.1:9", Role: role, Action: kind, Target: target, Reason: "PSU swap"}
}

func TestGuards(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Request
		want error
		why  string
	}{
		{"viewer", ask(fleet.RoleViewer, fleet.ActPowerOff, "s01"), ErrDenied, "needs role operator"},
		{"wall", ask(fleet.RoleWall, fleet.ActIdentify, "s01"), ErrDenied, "needs role operator"},
		{"unknown action", ask(fleet.RoleAdmin, "explode", "s01"), ErrDenied, "no action"},
		{"no target", ask(fleet.RoleAdmin, fleet.ActPowerOff, ""), ErrRefused, "not in the inventory"},
		{"already on", ask(fleet.RoleOperator, fleet.ActPowerOn, "s01"), ErrRefused, "already on"},
		{"never seen", ask(fleet.RoleOperator, fleet.ActPowerOff, "s02"), ErrRefused, "not seen"},
		{"a switch has no power button", ask(fleet.RoleOperator, fleet.ActPowerOff, "sw1"), ErrRefused, "not a server"},
		{"no such port", ask(fleet.RoleOperator, fleet.ActPortDown, "sw1/Ethernet9"), ErrRefused, "no port"},
		{"port already up", ask(fleet.RoleOperator, fleet.ActPortUp, "sw1/Ethernet1/3"), ErrRefused, "already admin up"},
		{"no reason", Request{User: "bob", Role: fleet.RoleOperator, Action: fleet.ActPowerOff, Target: "s01"}, ErrRefused, "reason"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, l, w := house(t)
			_, err := e.Run(t.Context(), c.r)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.why)
			}
			if len(w.sent) != 0 || l.outcomes() != c.want.Error() {
				t.Errorf("sent %d actions, audit %q", len(w.sent), l.outcomes())
			}
		})
	}
}

func TestActionIsAuditedSentOnceAndAccepted(t *testing.T) {
	e, l, w := house(t)
	job, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActPowerOff, "s01"))
	if err != nil || job.State != fleet.JobRunning {
		t.Fatal(job, err)
	}
	e.Wait()
	if len(w.sent) != 1 || w.sent[0].Serial != "7XK2P03" {
		t.Errorf("sent %+v", w.sent)
	}
	if got := l.Snapshot().Jobs[0]; got.State != fleet.JobAccepted || l.outcomes() != "begun" {
		t.Errorf("job %s, audit %q: accepted is not done", got.State, l.outcomes())
	}
	if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActPowerOff, "s01")); !errors.Is(err, ErrRefused) {
		t.Errorf("the same action again at once: %v", err)
	}
}

func TestNoAuditNoAction(t *testing.T) {
	e, l, w := house(t)
	l.full = true
	if _, err := e.Run(t.Context(), ask(fleet.RoleAdmin, fleet.ActPowerOff, "s01")); !errors.Is(err, ErrRefused) {
		t.Errorf("with a full disk: %v", err)
	}
	e.Wait()
	if len(w.sent) != 0 {
		t.Error("an action went out that the audit log did not take")
	}
}

func TestTwoPeopleOneServer(t *testing.T) {
	e, _, w := house(t)
	w.hold = make(chan struct{})
	if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActReset, "s01")); err != nil {
		t.Fatal(err)
	}
	ann := ask(fleet.RoleAdmin, fleet.ActPowerOff, "s01")
	ann.User = "ann"
	if _, err := e.Run(t.Context(), ann); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "bob is acting on s01") {
		t.Errorf("the second person was told %v", err)
	}
	close(w.hold)
	e.Wait()
}

func TestOutcomesAreHonest(t *testing.T) {
	for want, reply := range map[fleet.JobState]func() (fleet.Outcome, error){
		fleet.JobUnknown: func() (fleet.Outcome, error) {
			return fleet.Outcome{}, &fleet.ProbeError{Target: "s01", Op: "chassis control", Err: fmt.Errorf("%w: no answer", fleet.ErrTimeout)}
		},
		fleet.JobFailed: func() (fleet.Outcome, error) {
			return fleet.Outcome{}, &fleet.ProbeError{Target: "s01", Op: "chassis control", Err: fleet.ErrAuth}
		},
	} {
		e, l, w := house(t)
		w.reply = reply
		if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActPowerCycle, "s01")); err != nil {
			t.Fatal(err)
		}
		e.Wait()
		if got := l.Snapshot().Jobs[0]; got.State != want || got.Ended.IsZero() || l.outcomes() != "begun "+string(want) {
			t.Errorf("job %s audit %q, want %s", got.State, l.outcomes(), want)
		}
	}
}

func TestWhatADeadProcessLeftIsUnknown(t *testing.T) {
	e, l, w := house(t)
	left := []fleet.Job{
		{ID: "j1", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobRunning, By: "bob", Began: t0.Add(-time.Hour)},
		{ID: "j2", Action: fleet.ActPowerOff, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Began: t0.Add(-time.Hour)},
	}
	if err := e.Adopt(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	e.Wait()
	if len(w.sent) != 0 || l.outcomes() != "unknown" {
		t.Errorf("sent %d actions, audit %q", len(w.sent), l.outcomes())
	}
	jobs := l.Snapshot().Jobs
	if len(jobs) != 1 || jobs[0].ID != "j1" || jobs[0].State != fleet.JobUnknown || jobs[0].Ended.IsZero() || !strings.Contains(jobs[0].Steps[0].Text, "not known") {
		t.Errorf("jobs %+v", jobs)
	}
	if left[0].State != fleet.JobRunning {
		t.Error("the caller's jobs were written")
	}
}
