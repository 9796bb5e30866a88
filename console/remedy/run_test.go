package remedy

import (
	"context"
	"errors"
	"fmt"
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

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// ledger is an engine without a store: what is applied is true at once.
type ledger struct {
	mu      sync.Mutex
	snap    *fleet.Snapshot
	audit   []fleet.AuditEntry
	full    bool
	refuses func(fleet.Input) bool // what it refuses; nil: nothing
	news    chan struct{}          // closed and made anew with each snapshot
	now     func() time.Time
}

func (l *ledger) Snapshot() *fleet.Snapshot { l.mu.Lock(); defer l.mu.Unlock(); return l.snap }

func (l *ledger) Apply(_ context.Context, in ...fleet.Input) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full || l.refuses != nil && slices.ContainsFunc(in, l.refuses) {
		return errors.New("no space left on device")
	}
	var out fleet.Output
	l.snap, out = engine.Step(l.snap, in, l.now())
	l.audit = append(l.audit, out.Audit...)
	close(l.news)
	l.news = make(chan struct{})
	return nil
}

// set says what it refuses from now on.
func (l *ledger) set(refuses func(fleet.Input) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuses = refuses
}

// Watch implements Ledger.
func (l *ledger) Watch() Watch { return &watch{l: l} }

type watch struct {
	l    *ledger
	seen *fleet.Snapshot
}

func (w *watch) Next(ctx context.Context) (*fleet.Snapshot, error) {
	for {
		w.l.mu.Lock()
		snap, news := w.l.snap, w.l.news
		w.l.mu.Unlock()
		if snap != w.seen {
			w.seen = snap
			return snap, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *watch) Close() {}

func (l *ledger) outcomes() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s []string
	for _, a := range l.audit {
		s = append(s, a.Outcome)
	}
	return strings.Join(s, " ")
}

func (l *ledger) job(id string) fleet.Job {
	for _, j := range l.Snapshot().Jobs {
		if j.ID == id {
			return j
		}
	}
	return fleet.Job{}
}

type wire struct {
	mu     sync.Mutex
	sent   []fleet.Action
	hold   chan struct{}
	reply  func() (fleet.Outcome, error)
	after  func(fleet.Action) // once it was sent; nil: nothing
	nudged func([]string)     // who is asked to be polled now; nil: nobody hears it
}

func (w *wire) Act(_ context.Context, _ fleet.Source, _ string, a fleet.Action) (fleet.Outcome, error) {
	w.mu.Lock()
	w.sent = append(w.sent, a)
	w.mu.Unlock()
	if w.hold != nil {
		<-w.hold
	}
	out, err := w.reply()
	if w.after != nil {
		w.after(a)
	}
	return out, err
}

func (w *wire) Nudge(ids ...string) {
	if w.nudged != nil {
		w.nudged(ids)
	}
}

func (w *wire) count() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.sent) }

func yes() (fleet.Outcome, error) { return fleet.Outcome{Done: true, Text: "ok"}, nil }

// house is three servers, of which one was seen, and a switch.
func house(t *testing.T) (*Executor, *ledger, *wire) {
	t.Helper()
	ep := []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}
	inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}}, Devices: []fleet.DeviceSpec{
		{ID: "s01", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: ep},
		{ID: "s02", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: ep},
		{ID: "s03", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: ep},
		{ID: "sw1", Kind: fleet.KindSwitch, Site: "ams1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceSNMP, Address: "127.0.0.1:1"}}},
	}}
	sw := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: t0, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet1/3", Admin: "up", Oper: "up"}}}}
	sw.SetTable(fleet.TablePorts, fleet.Complete)
	l := &ledger{snap: engine.Restore(inv, fleet.Memory{}, t0), news: make(chan struct{}), now: func() time.Time { return t0 }}
	if err := l.Apply(t.Context(), server("s01", "on", t0), sw); err != nil {
		t.Fatal(err)
	}
	w := &wire{reply: yes}
	return New(l, w, slog.New(slog.DiscardHandler), func() time.Time { return t0.Add(time.Second) }), l, w
}

// server is a server as a poll shows it.
func server(id, power string, at time.Time) *fleet.Observation {
	o := &fleet.Observation{Target: id, Source: fleet.SourceIPMI, At: at}
	o.Facts.Set(fleet.FactPower, power)
	o.Facts.Set(fleet.FactSerial, "7XK2P03")
	o.SetTable(fleet.TableFacts, fleet.Complete)
	return o
}

func ask(role fleet.Role, kind fleet.ActionKind, targets ...string) Request {
	return Request{Person: Person{User: "bob", From: "127.0.0.1:9", Role: role}, Action: kind, Targets: targets, Reason: "PSU swap"}
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
		{"no target", ask(fleet.RoleAdmin, fleet.ActPowerOff), ErrRefused, "nothing is selected"},
		{"nobody there", ask(fleet.RoleAdmin, fleet.ActPowerOff, "s09"), ErrRefused, "not in the inventory"},
		{"twice the same", ask(fleet.RoleAdmin, fleet.ActPowerOff, "s01", "s01"), ErrRefused, "named twice"},
		{"an argument it does not take", Request{Person: Person{User: "bob", Role: fleet.RoleOperator}, Action: fleet.ActPowerOff, Args: map[string]string{"vlan": "1"}, Targets: []string{"s01"}, Reason: "x"}, ErrRefused, "takes no argument"},
		{"already on", ask(fleet.RoleOperator, fleet.ActPowerOn, "s01"), ErrRefused, "already on"},
		{"never seen", ask(fleet.RoleOperator, fleet.ActPowerOff, "s02"), ErrRefused, "not seen"},
		{"a switch has no power button", ask(fleet.RoleOperator, fleet.ActPowerOff, "sw1"), ErrRefused, "not a server"},
		{"no such port", ask(fleet.RoleOperator, fleet.ActPortDown, "sw1/Ethernet9"), ErrRefused, "no port"},
		{"port already up", ask(fleet.RoleOperator, fleet.ActPortUp, "sw1/Ethernet1/3"), ErrRefused, "already admin up"},
		{"no reason", Request{Person: Person{User: "bob", Role: fleet.RoleOperator}, Action: fleet.ActPowerOff, Targets: []string{"s01"}}, ErrRefused, "reason"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, l, w := house(t)
			_, err := e.Run(t.Context(), c.r)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.why)
			}
			if w.count() != 0 || l.outcomes() != c.want.Error() {
				t.Errorf("sent %d actions, audit %q", w.count(), l.outcomes())
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
	if w.count() != 1 || w.sent[0].Serial != "7XK2P03" || w.sent[0].Was != "power on" || w.sent[0].Why != "plumb "+job.ID+" bob: PSU swap" {
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
	if w.count() != 0 {
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
	began := func(target string) fleet.JobStep {
		return fleet.JobStep{Name: "begin", Target: target, State: fleet.JobRunning, At: t0}
	}
	took := fleet.JobStep{Name: "act", Target: "s02", State: fleet.JobAccepted, At: t0}
	three := &fleet.Plan{Targets: []fleet.PlanTarget{{ID: "s01", Wire: "s01"}, {ID: "s02", Wire: "s02"}, {ID: "s03", Wire: "s03"}}}
	for _, j := range []fleet.Job{
		{ID: "old", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobRunning, By: "bob", Began: t0.Add(-time.Hour)}, // of before plans were kept
		{ID: "taken", Action: fleet.ActPowerOff, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Began: t0.Add(-time.Hour)},
		{ID: "mid", Action: fleet.ActReset, Targets: []string{"s01", "s02", "s03"}, State: fleet.JobRunning, By: "bob", Began: t0.Add(-time.Hour), Planned: three, Steps: []fleet.JobStep{began("s02"), took, began("s01")}},
		{ID: "approved", Action: fleet.ActReset, Targets: []string{"s01", "s02", "s03"}, State: fleet.JobApproved, By: "bob", Began: t0.Add(-time.Hour), Planned: three},
		{ID: "waits", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobProposed, By: "bob", Began: t0, Planned: three},
		{ID: "sent", Action: fleet.ActReset, Targets: []string{"s02"}, State: fleet.JobRunning, By: "bob", Began: t0, Planned: three, Steps: []fleet.JobStep{began("s02"), took}},
	} {
		if err := l.Apply(t.Context(), fleet.Decision{Job: &j}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Adopt(t.Context(), l.Snapshot().Jobs); err != nil {
		t.Fatal(err)
	}
	e.Wait()
	if w.count() != 0 || l.outcomes() != "unknown unknown" {
		t.Errorf("sent %d actions, audit %q", w.count(), l.outcomes())
	}
	for id, want := range map[string]fleet.JobState{"old": fleet.JobUnknown, "taken": fleet.JobAccepted, "mid": fleet.JobUnknown, "approved": fleet.JobStopped, "waits": fleet.JobProposed, "sent": fleet.JobAccepted} {
		j := l.job(id)
		if j.State != want || j.State.Over() == j.Ended.IsZero() {
			t.Errorf("%s is %s, want %s: %+v", id, j.State, want, j.Steps)
		}
	}
	if j := l.job("mid"); j.Of("s01").State != fleet.JobUnknown || j.Of("s02").State != fleet.JobAccepted || j.Of("s03") != nil || !strings.Contains(j.Steps[len(j.Steps)-1].Text, "1 unknown, 1 not begun") {
		t.Errorf("in mid-job: %+v", j.Steps)
	}
}

// TestWhatCannotBeSettledIsSeen: while the store does not take what became of a
// job that an earlier process left, everybody reads that, and nobody acts on its
// targets; when it takes it, it is settled by itself, once.
func TestWhatCannotBeSettledIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l, w := house(t)
		obeys(t, l, w)
		steps := 0
		l.now = func() time.Time { steps++; return t0.Add(time.Duration(steps)) }
		on := func(id string) *fleet.Plan {
			return &fleet.Plan{Targets: []fleet.PlanTarget{{ID: id, Wire: id}}}
		}
		for _, j := range []fleet.Job{
			{ID: "old", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobRunning, By: "ann", Began: t0, Planned: on("s01"), Steps: []fleet.JobStep{{Name: "begin", Target: "s01", State: fleet.JobRunning, At: t0}}},
			{ID: "run", Action: "run off", Targets: []string{"s02"}, State: fleet.JobRunning, By: "ann", Began: t0, Steps: []fleet.JobStep{{Name: "start", Target: "s02", State: fleet.JobRunning, At: t0}}},
		} {
			if err := l.Apply(t.Context(), fleet.Decision{Job: &j}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Apply(t.Context(), server("s02", "on", t0)); err != nil {
			t.Fatal(err)
		}
		l.restart()
		l.set(func(in fleet.Input) bool { _, is := in.(fleet.Decision); return is }) // it takes remarks, and no decision
		if err := e.Adopt(t.Context(), l.Snapshot().Jobs); err == nil {
			t.Error("nobody says that they are not settled")
		}
		synctest.Wait()
		for _, id := range []string{"old", "run"} {
			if j := l.job(id); !j.Left || !slices.ContainsFunc(l.Snapshot().Recent, func(e fleet.Event) bool {
				return e.Type == "job-left" && e.Severity == fleet.SeverityCrit && strings.Contains(e.Text, "job "+id+" of ann")
			}) {
				t.Errorf("nobody sees that %s was left: %+v, %+v", id, j, l.Snapshot().Recent)
			}
		}
		for _, target := range []string{"s01", "s02"} {
			p := e.Plan(ask(fleet.RoleAdmin, fleet.ActIdentify, target))
			if g := p.Stops(); g == nil || g.ID != "lease" || !strings.Contains(g.Text, "was left by an earlier process") {
				t.Errorf("%s: %+v", target, p.Guards)
			}
			broken := ask(fleet.RoleAdmin, fleet.ActIdentify, target)
			broken.BreakGlass = true
			if _, err := e.Run(t.Context(), broken); !errors.Is(err, ErrRefused) {
				t.Errorf("%s is acted on: %v", target, err)
			}
		}
		l.set(nil)
		time.Sleep(2 * keepWithin) // in the bubble's own time
		synctest.Wait()
		if a, b := l.job("old"), l.job("run"); a.Left || b.Left || a.State != fleet.JobUnknown || b.State != fleet.JobStopped || l.outcomes() != "unknown unknown" || w.count() != 0 {
			t.Errorf("%+v %+v, audit %q, sent %d", a, b, l.outcomes(), w.count())
		}
		if p := e.Plan(ask(fleet.RoleAdmin, fleet.ActIdentify, "s01")); p.Stops() != nil {
			t.Errorf("when it is settled: %+v", p.Stops())
		}
	})
}
