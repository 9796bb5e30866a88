package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
)

// hanging commits, and tells a caller that has left, or waited too long, what
// Store.Apply tells it.
type hanging struct {
	*ledger
	leave context.CancelFunc // the caller's; nil: the store is slow
}

func (l *hanging) Apply(ctx context.Context, in ...fleet.Input) error {
	if l.leave != nil {
		l.leave()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return l.ledger.Apply(ctx, in...)
	}
	err := l.ledger.Apply(ctx, in...)
	if d, ok := in[0].(fleet.Decision); ok && d.Job != nil && d.Job.State == fleet.JobRunning {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// TestCallerWhoLeaves: a session that ends while "begun" is being written must
// neither leave a job that runs for ever nor a denied try without a trace.
func TestCallerWhoLeaves(t *testing.T) {
	e, l, w := house(t)
	ctx, cancel := context.WithCancel(t.Context())
	e.ledger = &hanging{l, cancel}
	if _, err := e.Run(ctx, ask(fleet.RoleOperator, fleet.ActIdentify, "s01")); err != nil {
		t.Error(err)
	}
	e.Wait()
	if w.count() != 1 || l.Snapshot().Jobs[0].State != fleet.JobAccepted {
		t.Errorf("sent %d, jobs %+v", w.count(), l.Snapshot().Jobs)
	}
	if _, err := e.Run(ctx, ask(fleet.RoleViewer, fleet.ActReset, "s01")); !errors.Is(err, ErrDenied) || l.outcomes() != "begun denied" {
		t.Errorf("%v, audit %q", err, l.outcomes())
	}
}

// TestSlowStore: nobody knows whether it has "begun". Nothing is sent, and the
// job does not run for ever.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l, w := house(t)
		e.ledger = &hanging{ledger: l}
		_, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActReset, "s01"))
		e.Wait()
		if !errors.Is(err, ErrRefused) || w.count() != 0 || l.outcomes() != "begun refused" || l.Snapshot().Jobs[0].State != fleet.JobRefused {
			t.Errorf("%v, sent %d, audit %q, jobs %+v", err, w.count(), l.outcomes(), l.Snapshot().Jobs)
		}
	})
}

// TestCoolDownIsOfWhatWasSent: by this process or the one before it. It doubles,
// and after two tries there is no third.
func TestCoolDownIsOfWhatWasSent(t *testing.T) {
	e, l, _ := house(t)
	r := ask(fleet.RoleOperator, fleet.ActReset, "s01")
	l.full = true
	if _, err := e.Run(t.Context(), r); err == nil {
		t.Fatal("ran on a full disk")
	}
	l.full = false
	if _, err := e.Run(t.Context(), r); err != nil {
		t.Errorf("nothing was sent before: %v", err)
	}
	e.Wait()

	tried := func(ago ...time.Duration) string {
		e, l, _ := house(t)
		for i, d := range ago {
			at := t0.Add(time.Second - d)
			j := fleet.Job{ID: string(rune('a' + i)), Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobVerified, Began: at, Ended: at, Steps: []fleet.JobStep{{Name: "verify", Target: "s01", State: fleet.JobVerified, At: at}}}
			if err := l.Apply(t.Context(), fleet.Decision{Job: &j}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := e.Run(t.Context(), r)
		e.Wait()
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for _, c := range []struct {
		ago  []time.Duration
		want string
	}{
		{[]time.Duration{11 * time.Second}, "the same was done to s01 11s ago; wait 49s"},
		{[]time.Duration{61 * time.Second}, ""},
		{[]time.Duration{20 * time.Hour, time.Hour}, "tried 2 times within a day; it is in quarantine"},
		{[]time.Duration{30 * time.Hour, time.Hour}, ""},
	} {
		if got := tried(c.ago...); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("tried %v ago: %q, want %q", c.ago, got, c.want)
		}
	}
}

// TestServiceFloor: the guard itself holds it, also against two people at once.
func TestServiceFloor(t *testing.T) {
	for name, c := range map[string]struct {
		floor  int
		want   string // of the first; "" passes
		second string // of another on s02 while the first is on its way
	}{
		"below":   {3, "would fall below its floor of 3", ""},
		"at":      {2, "proposed", ""},
		"both at": {1, "", "proposed"},
		"none":    {0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, l, w := house(t)
			w.hold = make(chan struct{})
			s := *l.Snapshot()
			devices := s.Devices.Edit()
			for _, id := range []string{"s01", "s02", "s03"} {
				d := devices.Get(id)
				d.State, d.Power, d.SeenAt, d.BlindSince = fleet.StateOK, fleet.PowerOn, t0, time.Time{}
			}
			s.Devices = devices.Done()
			s.Services = fleet.NewTable([]string{"match"}, []fleet.Service{{
				Spec: &fleet.ServiceSpec{Name: "match", Floor: c.floor}, Replicas: 3, Devices: []int{s.Devices.Number("s01"), s.Devices.Number("s02"), s.Devices.Number("s03")}}})
			frozen := &still{ledger: l, snap: &s}
			e.ledger = frozen
			try := func(target, want string) {
				t.Helper()
				r := ask(fleet.RoleAdmin, fleet.ActPowerOff, target)
				p := e.Plan(r)
				job, err := e.Run(t.Context(), r)
				switch {
				case want == "proposed":
					if err != nil || job.State != fleet.JobProposed || !p.NeedsApproval() {
						t.Errorf("%s: %v %s, plan %+v; want a proposal", target, err, job.State, p.Guards)
					}
				case want == "" && err != nil, want != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) || p.Stops() == nil):
					t.Errorf("%s: %v, want %q", target, err, want)
				}
			}
			try("s01", c.want)
			if c.want == "" {
				try("s02", c.second)
			}
			close(w.hold)
			e.Wait()
		})
	}
}

// still shows one snapshot, whatever was applied: a reader may be behind.
type still struct {
	*ledger
	snap *fleet.Snapshot
}

func (s *still) Snapshot() *fleet.Snapshot { return s.snap }

// TestStop: a job that waits to see what came of its first wave does not hold
// plumb up, and begins with nothing more.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l, w := house(t)
		for _, id := range []string{"s02", "s03"} {
			if err := l.Apply(t.Context(), server(id, "on", t0)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActReset, "s01", "s02", "s03")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e.Close()
		e.Wait()
		if j := l.Snapshot().Jobs[0]; w.count() != 1 || j.State != fleet.JobStopped || !strings.Contains(j.Steps[len(j.Steps)-1].Text, "plumb stops; 2 of 3 not begun") {
			t.Errorf("sent %d, %s %+v", w.count(), j.State, j.Steps)
		}
		if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActIdentify, "s02")); !errors.Is(err, ErrRefused) {
			t.Errorf("after it stopped: %v", err)
		}
	})
}

// TestCancelBeatsApproval: whichever of the two is first on record counts, and
// what was called off is not sent.
func TestCancelBeatsApproval(t *testing.T) {
	e, l, w := house(t)
	r := ask(fleet.RoleOperator, fleet.ActReset, "s01")
	p := e.Plan(r)
	p.Danger = 3
	job := fleet.Job{ID: "j", Action: r.Action, Targets: r.Targets, State: fleet.JobProposed, By: "bob", Plan: p.Hash, Planned: &p, Began: t0}
	if err := l.Apply(t.Context(), fleet.Decision{Job: &job}); err != nil {
		t.Fatal(err)
	}
	ann := Person{User: "ann", Role: fleet.RoleAdmin}
	e.ledger = &interposed{ledger: l, first: func() {
		if _, err := New(l, w, e.log, e.now).Cancel(t.Context(), ann, "j"); err != nil { // as a person whose word came to the store just before
			t.Error(err)
		}
	}}
	_, err := e.Approve(t.Context(), Person{User: "eve", Role: fleet.RoleAdmin}, "j")
	e.Wait()
	if !errors.Is(err, ErrRefused) || w.count() != 0 || l.job("j").State != fleet.JobCancelled || len(e.leases) != 0 {
		t.Errorf("%v, sent %d, %s, %v", err, w.count(), l.job("j").State, e.leases)
	}
}

// interposed lets something else come to the store first.
type interposed struct {
	*ledger
	first func()
}

func (l *interposed) Apply(ctx context.Context, in ...fleet.Input) error {
	if f := l.first; f != nil {
		l.first = nil
		f()
	}
	return l.ledger.Apply(ctx, in...)
}

// TestTurnsOfOneMoment: a replica that fails after a job of two was agreed with
// leaves room for one of them: the second is judged with the first one gone,
// though no snapshot shows that yet.
func TestTurnsOfOneMoment(t *testing.T) {
	e, l, _ := house(t)
	s := *l.Snapshot()
	devices := s.Devices.Edit()
	for _, id := range []string{"s01", "s02", "s03"} {
		d := devices.Get(id)
		d.State, d.Power, d.SeenAt, d.BlindSince = fleet.StateOK, fleet.PowerOn, t0, time.Time{}
	}
	s.Devices = devices.Done()
	s.Services = fleet.NewTable([]string{"match"}, []fleet.Service{{
		Spec: &fleet.ServiceSpec{Name: "match", Floor: 2}, Replicas: 3, Devices: []int{s.Devices.Number("s01"), s.Devices.Number("s02"), s.Devices.Number("s03")}}})
	e.ledger = &still{ledger: l, snap: &s}
	p := e.Plan(ask(fleet.RoleAdmin, fleet.ActPowerOff, "s01"))
	second := e.Plan(ask(fleet.RoleAdmin, fleet.ActPowerOff, "s02"))
	p.Targets = append(p.Targets, second.Targets...)
	p.Danger = 3
	job := fleet.Job{ID: "j", Action: fleet.ActPowerOff, Targets: []string{"s01", "s02"}, State: fleet.JobRunning, By: "bob", ApprovedBy: "ann", Planned: &p}
	e.take(&job, "bob", t0)
	x := &run{Executor: e, by: Person{User: "ann", Role: fleet.RoleAdmin}, job: job}
	if err := x.still(&p.Targets[0]); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := x.still(&p.Targets[1]); err == nil || !strings.Contains(err.Error(), "below its floor") {
		t.Errorf("the second: %v", err)
	}
}

// TestJobTooLargeToKeep: the store would leave it out, and nobody would know
// after a restart what was begun.
func TestJobTooLargeToKeep(t *testing.T) {
	lost := make([]string, 20_000)
	for i := range lost {
		lost[i] = fmt.Sprintf("ams1-r01-s%08d/network/eth0", i)
	}
	if err := recordable(&fleet.Job{Planned: &fleet.Plan{Lost: lost}}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "20000 parts lost") {
		t.Error(err)
	}
	if err := recordable(&fleet.Job{Planned: &fleet.Plan{Lost: lost[:1000]}}); err != nil {
		t.Error(err)
	}
}

// TestRefusedTriesAreSummedUp: a loop of one person's tries is a few entries and
// a sum, whatever it tries, and leaves room for everybody else's; what is done
// in between is always written.
func TestRefusedTriesAreSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l, _ := house(t)
		for n := range 500 {
			bad := ask(fleet.RoleViewer, fleet.ActReset, "s01")
			if n%2 == 0 {
				bad = ask(fleet.RoleOperator, fleet.ActPowerOn, "s01") // it is on
			}
			if _, err := e.Run(t.Context(), bad); err == nil {
				t.Fatal("a try goes through")
			}
			if err := e.Freeze(t.Context(), bad.Person, fleet.Freeze{}); err == nil {
				t.Fatal("it thaws")
			}
		}
		if _, err := e.Run(t.Context(), ask(fleet.RoleOperator, fleet.ActIdentify, "s01")); err != nil {
			t.Error(err)
		}
		other := ask(fleet.RoleViewer, fleet.ActReset, "s01")
		other.User = "eve"
		if _, err := e.Run(t.Context(), other); !errors.Is(err, ErrDenied) {
			t.Error(err)
		}
		e.Wait()
		e.Flush(t.Context())
		written, summed := 0, 0
		for _, a := range l.audit {
			var n int
			switch _, err := fmt.Sscanf(a.Reason, "%d more since", &n); {
			case err == nil:
				summed += n
			case a.Who == "bob" && a.Outcome != "begun":
				written++
			}
		}
		if got := l.outcomes(); written != ration.Burst || written+summed != 1000 || strings.Count(got, "begun") != 1 || l.audit[ration.Burst+1].Who != "eve" {
			t.Errorf("%d written, %d summed up: %q", written, summed, got)
		}
	})
}
