package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/views"
)

// ledger is an audit log for tests; it may refuse, and a caller who has left
// gets nothing written, as with the store.
type ledger struct {
	mu   sync.Mutex
	all  []fleet.AuditEntry
	full bool
}

func (l *ledger) write(ctx context.Context, e fleet.AuditEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if l.full {
		return errors.New("no space left on device")
	}
	l.all = append(l.all, e)
	return nil
}

// fill makes the disk full, or empty again.
func (l *ledger) fill(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

// lines are the entries as "who action target outcome".
func (l *ledger) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.all {
		out = append(out, strings.Join([]string{e.Who, e.Action, e.Target, e.Outcome}, " "))
	}
	return out
}

func call(role fleet.Role, args ...string) VerbCall {
	return VerbCall{Caller: Caller{User: role.String(), Role: role, From: "here"}, Args: args, Stdout: io.Discard, Stderr: io.Discard}
}

// TestDeniedVerbOfACallerWhoLeft: hanging up at once is no way past the log,
// nor are arguments that make no sense.
func TestDeniedVerbOfACallerWhoLeft(t *testing.T) {
	l := &ledger{}
	v := &Verbs{Audit: l.write}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	v.Run(gone, call(fleet.RoleViewer, "audit"))
	v.Run(t.Context(), call(fleet.RoleViewer, "backup", "/x", "--nonsense"))
	v.Run(t.Context(), call(fleet.RoleWall, "act"))
	if got := strings.Join(l.lines(), "; "); got != "viewer audit  denied; viewer backup /x denied; wall act  denied" {
		t.Errorf("audited %q", got)
	}
}

// TestDeniedVerbsAreSummedUp: a loop of one user is a few lines and a sum, and
// leaves room for everybody else's.
func TestDeniedVerbsAreSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		v := &Verbs{Audit: l.write}
		for range 1000 {
			v.Run(t.Context(), call(fleet.RoleViewer, "backup", "/x"))
		}
		v.Run(t.Context(), call(fleet.RoleOperator, "backup", "/x"))
		if got := l.lines(); len(got) != ration.Burst+1 || got[ration.Burst] != "operator backup /x denied" {
			t.Fatalf("%d entries, the last %q", len(got), got[len(got)-1])
		}
		l.fill(true)
		time.Sleep(ration.Sum + time.Second) // the clock of the bubble
		l.fill(false)
		time.Sleep(ration.Sum)
		synctest.Wait()
		last := l.all[len(l.all)-1]
		if len(l.all) != ration.Burst+2 || last.Who != "viewer" || !strings.HasPrefix(last.Reason, "970 more since ") {
			t.Errorf("%d entries, the last %+v", len(l.all), last)
		}
	})
}

// TestATryOnWhatIsNotThere: who looks for names that exist leaves a trace, which
// a loop cannot use to fill the store.
func TestATryOnWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		v := &Verbs{Audit: l.write, Memory: driftMemory{snap: testSnapshot(1)},
			Execute:  func(context.Context, Caller, views.Execute) (fleet.Job, error) { panic("it came to the executor") },
			RunBook:  func(context.Context, Caller, views.RunBook) (fleet.Job, error) { panic("it came to the executor") },
			Rehearse: func(Caller, views.RunBook) ([]runbook.Line, error) { return nil, nil },
			Books:    func() []*runbook.Book { return nil },
		}
		v.Run(t.Context(), call(fleet.RoleOperator, "act", "power-off", "ams9-r99-s99", "--reason", "x"))
		v.Run(t.Context(), call(fleet.RoleOperator, "act", "explode", "ams1-r01-s01", "--reason", "x"))
		v.Run(t.Context(), call(fleet.RoleOperator, "run", "nothing", "ams1-r01-s01", "--reason", "x"))
		v.Run(t.Context(), call(fleet.RoleOperator, "undo", "j0"))
		v.Run(t.Context(), call(fleet.RoleOperator, "act", "power-off", "ams9-r99-s99", "--dry-run"))
		v.Run(t.Context(), call(fleet.RoleOperator, "act", "power-off"))
		v.Run(t.Context(), call(fleet.RoleOperator, "device", "ams9-r99-s99"))
		want := "operator act power-off ams9-r99-s99 refused; operator act explode ams1-r01-s01 refused; operator run nothing ams1-r01-s01 refused; operator undo j0 refused"
		if got := strings.Join(l.lines(), "; "); got != want {
			t.Errorf("audited %q, want %q", got, want)
		}
		for range 1000 {
			v.Run(t.Context(), call(fleet.RoleOperator, "act", "power-off", "ams9-r99-s98", "--reason", "x"))
		}
		if n := len(l.lines()); n != ration.Burst {
			t.Errorf("a loop makes %d entries", n)
		}
		time.Sleep(ration.Sum + time.Second) // the clock of the bubble
		synctest.Wait()
		if last := l.all[len(l.all)-1]; last.Outcome != "refused" || !strings.HasPrefix(last.Reason, "974 more since ") {
			t.Errorf("the last is %+v", last)
		}
	})
}

// TestAdminVerbsAreOnRecord: before and after, and a full disk stops what
// changes plumb but not the backup that would save it.
func TestAdminVerbsAreOnRecord(t *testing.T) {
	l := &ledger{}
	ran := 0
	v := &Verbs{Audit: l.write,
		Reload: func(context.Context) ([]string, error) { ran++; return nil, errors.New("line 3") },
		Backup: func(context.Context, string) error { ran++; return nil },
	}
	v.Run(t.Context(), call(fleet.RoleAdmin, "reload"))
	v.Run(t.Context(), call(fleet.RoleAdmin, "backup", "/x"))
	if got := strings.Join(l.lines(), "; "); got != "admin reload  begun; admin reload  failed; admin backup /x begun; admin backup /x done" {
		t.Errorf("audited %q", got)
	}
	l.fill(true)
	ran = 0
	if code := v.Run(t.Context(), call(fleet.RoleAdmin, "reload")); ran != 0 || code != exitFailed {
		t.Errorf("reloaded without a record, exit %d", code)
	}
	if code := v.Run(t.Context(), call(fleet.RoleAdmin, "backup", "/x")); ran != 1 || code != exitFailed {
		t.Errorf("ran %d times, exit %d: the backup is made and the missing record said", ran, code)
	}
}

// TestListsTakeTurns: one user's loop leaves room for others, and nobody's
// keeps an admin out.
func TestListsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		v := &Verbs{Memory: slowMemory{hold}}
		codes := make(chan int, 20)
		run := func(role fleet.Role, user string) {
			c := call(role, "jobs")
			c.User = user
			go func() { codes <- v.Run(t.Context(), c) }()
		}
		for range maxUserLists + 2 {
			run(fleet.RoleViewer, "greedy")
		}
		synctest.Wait()
		if v.lists.all != maxUserLists {
			t.Errorf("%d lists of one user at once", v.lists.all)
		}
		run(fleet.RoleViewer, "other")
		run(fleet.RoleAdmin, "admin")
		synctest.Wait()
		if v.lists.all != maxUserLists+1 {
			t.Errorf("%d lists at once: another user had to wait", v.lists.all)
		}
		time.Sleep(listPatience + time.Second)
		synctest.Wait()
		if len(codes) != 2 || <-codes != exitFailed || <-codes != exitFailed {
			t.Error("those who waited too long were not told")
		}
		close(hold)
		for range maxUserLists + 2 {
			if code := <-codes; code != exitOK {
				t.Errorf("exit %d", code)
			}
		}
		if v.lists.all != 0 || len(v.lists.by) != 0 {
			t.Errorf("places are lost: %d %v", v.lists.all, v.lists.by)
		}
	})
}

type slowMemory struct{ hold chan struct{} }

func (slowMemory) Snapshot() *fleet.Snapshot { return nil }
func (slowMemory) Audit(context.Context, uint64, int) ([]fleet.AuditEntry, error) {
	return nil, nil
}
func (m slowMemory) Answer(context.Context, fleet.Query, time.Time) fleet.Answer {
	<-m.hold
	return fleet.Answer{}
}

// TestLoginsAreWrittenFirst: when a session does something its login is in the
// log; a verb is named in it; and a loop of verbs pushes no screen out.
func TestLoginsAreWrittenFirst(t *testing.T) {
	var h *house
	early := make(chan string, 100)
	h = newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Verb = func(_ context.Context, c VerbCall) int {
			if len(h.audited("login", "done")) == 0 {
				early <- c.Args[0]
			}
			return 0
		}
	})
	c := h.client("viewer")
	for i := range ration.Burst + 10 {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(fmt.Sprintf("devices %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	d := h.show(c, 80, 24, "")
	d.sees("LIVE")
	if len(early) > 0 {
		t.Errorf("%s ran before its login was written", <-early)
	}
	in := h.audited("login", "done")
	if in[0].Target != "verb devices" || in[len(in)-1].Target != kindScreen || len(in) != ration.Burst+1 {
		t.Errorf("%d logins, first %+v, last %+v", len(in), in[0], in[len(in)-1])
	}
	h.stop()
	h.served <- <-h.served
	in = h.audited("login", "done")
	if last := in[len(in)-1]; !strings.HasPrefix(last.Reason, "10 more since ") {
		t.Errorf("the rest is not summed up: %+v", last)
	}
}

// TestNoLoginIsLost: what a full disk does not take is counted and said later.
func TestNoLoginIsLost(t *testing.T) {
	l := &ledger{full: true}
	g := newLogins(Deps{Audit: l.write}.withDefaults())
	for range 3 {
		g.came(identity{User: "ann"}, "there", kindScreen, kindScreen)
	}
	for range logoutQueue + 5 {
		g.went(identity{User: "ann"}, "there", kindScreen, "left", 0, true)
	}
	l.fill(false)
	g.flush()
	sums := map[string]string{}
	for _, e := range l.all[logoutQueue:] {
		sums[e.Action] = e.Reason
	}
	if !strings.HasPrefix(sums["login"], "3 more") || !strings.HasPrefix(sums["logout"], "5 more") {
		t.Errorf("%d entries, sums %v", len(l.all), sums)
	}
}
