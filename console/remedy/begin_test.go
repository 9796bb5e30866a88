package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	if len(w.sent) != 1 || l.Snapshot().Jobs[0].State != fleet.JobAccepted {
		t.Errorf("sent %d, jobs %+v", len(w.sent), l.Snapshot().Jobs)
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
		if !errors.Is(err, ErrRefused) || len(w.sent) != 0 || l.outcomes() != "begun refused" || l.Snapshot().Jobs[0].State != fleet.JobRefused {
			t.Errorf("%v, sent %d, audit %q, jobs %+v", err, len(w.sent), l.outcomes(), l.Snapshot().Jobs)
		}
	})
}

// TestCoolDownIsOfWhatWasSent: by this process or the one before it.
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

	e, _, _ = house(t)
	if err := e.Adopt(t.Context(), []fleet.Job{{ID: "j1", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobVerified, Began: t0.Add(-10 * time.Second)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), r); err == nil || !strings.Contains(err.Error(), "the same was done 11s ago") {
		t.Errorf("after a restart: %v", err)
	}
}

// TestServiceFloor: the guard itself holds it, also against two people at once.
func TestServiceFloor(t *testing.T) {
	for name, c := range map[string]struct {
		replicas, floor int
		want            string // of the first; "" passes
		second          string // of another on s02 while the first is on its way
	}{
		"below":      {2, 2, "would fall below its floor of 2", ""},
		"at":         {2, 1, "exactly at its floor of 1: that needs a second person", ""},
		"above":      {4, 1, "", ""},
		"both below": {3, 1, "", "exactly at its floor of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			e, l, w := house(t)
			w.hold = make(chan struct{})
			s := *l.Snapshot()
			devices := s.Devices.Edit()
			for _, id := range []string{"s01", "s02"} {
				d := devices.Get(id)
				d.State, d.Power, d.SeenAt, d.BlindSince = fleet.StateOK, fleet.PowerOn, t0, time.Time{}
			}
			s.Devices = devices.Done()
			service := fleet.Service{Spec: &fleet.ServiceSpec{Name: "match", Floor: c.floor}, Replicas: c.replicas, Devices: []int{s.Devices.Number("s01"), s.Devices.Number("s02")}}
			var ids []string
			var guests []fleet.InstanceState // the other replicas, on machines that are not ours
			for n := range c.replicas - 2 {
				ids = append(ids, fmt.Sprint("vm", n))
				guests = append(guests, fleet.InstanceState{Instance: fleet.Instance{ID: ids[n], Service: "match", State: fleet.StateOK}, Device: -1})
				service.Instances = append(service.Instances, n)
			}
			s.Instances = fleet.NewTable(ids, guests)
			s.Services = fleet.NewTable([]string{"match"}, []fleet.Service{service})
			frozen := &still{ledger: l, snap: &s}
			e.ledger = frozen
			try := func(target, want string) {
				t.Helper()
				r := ask(fleet.RoleAdmin, fleet.ActPowerOff, target)
				check := e.Check(r)
				_, err := e.Run(t.Context(), r)
				for _, err := range []error{check, err} {
					if want == "" && err != nil || want != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want)) {
						t.Errorf("%s: %v, want %q", target, err, want)
					}
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
