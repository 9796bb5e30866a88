package remedy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

func cond(t *testing.T, s string) *runbook.Cond {
	t.Helper()
	c, err := runbook.Condition(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func text2(t *testing.T, s string) *runbook.Text {
	t.Helper()
	x, err := runbook.Template(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// off is a book that switches a server off and asks somebody.
func off(t *testing.T, more ...runbook.Step) *runbook.Book {
	return &runbook.Book{Name: "off", Title: "switch it off", On: runbook.OnServer, When: []runbook.Trigger{{When: cond(t, `power(target) == "on"`)}},
		Steps: append([]runbook.Step{
			{Do: runbook.DoAct, Action: fleet.ActPowerOff},
			{Do: runbook.DoWait, For: cond(t, `power(target) == "off"`), AtMost: time.Minute},
		}, more...)}
}

// obeys lets the server do what it is told: the next poll shows it.
func obeys(t *testing.T, l *ledger, w *wire) {
	w.after = func(a fleet.Action) {
		power := map[fleet.ActionKind]string{fleet.ActPowerOff: "off", fleet.ActPowerOn: "on"}[a.Kind]
		if power == "" {
			return
		}
		if err := l.Apply(context.Background(), server(a.Target, power, t0.Add(2*time.Second))); err != nil {
			t.Error(err)
		}
	}
}

func errand(role fleet.Role, book, target string) Errand {
	return Errand{Person: Person{User: "bob", From: "127.0.0.1:9", Role: role}, Book: book, Target: target, Reason: "drill"}
}

func steps(j fleet.Job) string {
	var out []string
	for _, s := range j.Steps {
		out = append(out, s.Name+"="+string(s.State))
	}
	return strings.Join(out, " ")
}

func TestRunBook(t *testing.T) {
	e, l, w := house(t)
	e.SetBooks([]*runbook.Book{off(t)})
	obeys(t, l, w)
	job, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01"))
	if err != nil || job.State != fleet.JobRunning || job.Action != "run off" {
		t.Fatal(job, err)
	}
	e.Wait()
	got := l.job(job.ID)
	if want := "start=running 1 act power-off=running 1 act power-off=verified 2 wait=verified end=verified"; got.State != fleet.JobVerified || steps(got) != want {
		t.Errorf("%s: %s\nwant %s", got.State, steps(got), want)
	}
	var child fleet.Job
	for _, j := range l.Snapshot().Jobs {
		if j.Run == job.ID {
			child = j
		}
	}
	if child.Action != fleet.ActPowerOff || child.By != "bob" || child.Planned == nil || !strings.Contains(child.Reason, "runbook off, step 1") {
		t.Errorf("the act is no job of its own: %+v", child)
	}
	if got, want := l.outcomes(), "begun begun done done"; got != want {
		t.Errorf("audit %q, want %q", got, want)
	}
}

func TestRunBookMayNot(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Errand
		want error
		why  string
	}{
		{"viewer", errand(fleet.RoleViewer, "off", "s01"), ErrDenied, "needs role operator"},
		{"no such book", errand(fleet.RoleOperator, "on", "s01"), ErrRefused, "no runbook on"},
		{"no such target", errand(fleet.RoleOperator, "off", "s09"), ErrRefused, "it is for a server"},
		{"another kind", errand(fleet.RoleOperator, "off", "sw1"), ErrRefused, "this is a switch"},
		{"not for this now", errand(fleet.RoleOperator, "off", "s02"), ErrRefused, "not known"},
		{"no reason", Errand{Person: Person{User: "bob", Role: fleet.RoleOperator}, Book: "off", Target: "s01"}, ErrRefused, "reason"},
		{"another scope", Errand{Person: Person{User: "bob", Role: fleet.RoleOperator, Within: func(*fleet.DeviceSpec) bool { return false }}, Book: "off", Target: "s01", Reason: "x"}, ErrDenied, "scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, l, w := house(t)
			e.SetBooks([]*runbook.Book{off(t)})
			if _, err := e.RunBook(t.Context(), c.r); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v, want %v %q", err, c.want, c.why)
			}
			if w.count() != 0 || l.outcomes() != c.want.Error() || len(l.Snapshot().Jobs) != 0 {
				t.Errorf("sent %d, audit %q", w.count(), l.outcomes())
			}
		})
	}
}

// TestRehearsalDoesNothing: a dry run prints every step with its plan, and leaves
// no job, no audit entry and no packet.
func TestRehearsalDoesNothing(t *testing.T) {
	e, l, w := house(t)
	e.SetBooks([]*runbook.Book{off(t)})
	lines, err := e.Rehearse(errand(fleet.RoleOperator, "off", "s01"))
	if err != nil || len(lines) != 2 || lines[0].Plan == nil || lines[0].Plan.Stops() != nil || lines[1].Now != "no" {
		t.Errorf("%+v, %v", lines, err)
	}
	if w.count() != 0 || l.outcomes() != "" || len(l.Snapshot().Jobs) != 0 {
		t.Error("it left a trace")
	}
	if lines, err := e.Rehearse(errand(fleet.RoleOperator, "off", "s02")); !errors.Is(err, ErrRefused) || len(lines) != 2 {
		t.Errorf("of what would not begin the steps are not shown: %v %v", lines, err)
	}
}

// TestRefusedActStopsTheRun: the guards of an act hold in a runbook too.
func TestRefusedActStopsTheRun(t *testing.T) {
	e, l, w := house(t)
	b := off(t)
	b.When = nil
	e.SetBooks([]*runbook.Book{b})
	job, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s02")) // never seen
	if err != nil {
		t.Fatal(err)
	}
	e.Wait()
	if got := l.job(job.ID); got.State != fleet.JobFailed || !strings.Contains(got.Steps[len(got.Steps)-1].Text, "not seen") || w.count() != 0 {
		t.Errorf("%s %+v, sent %d", got.State, got.Steps, w.count())
	}
}

func TestQuestions(t *testing.T) {
	ask := runbook.Step{Do: runbook.DoPrompt, Text: nil}
	for _, c := range []struct {
		answer string
		want   fleet.JobState
		sent   int
	}{{"yes", fleet.JobVerified, 1}, {"no", fleet.JobFailed, 0}, {"yes, it is", fleet.JobVerified, 1}, {"cancel", fleet.JobCancelled, 0}, {"close", fleet.JobStopped, 0}, {"", fleet.JobFailed, 0}} {
		t.Run("answer "+c.answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, l, w := house(t)
				obeys(t, l, w)
				ask.Text = text2(t, "is ${target} empty?")
				b := off(t)
				b.Steps = append([]runbook.Step{ask}, b.Steps...)
				e.SetBooks([]*runbook.Book{b})
				job, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01"))
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := l.job(job.ID); !strings.Contains(got.Steps[len(got.Steps)-1].Text, "asks: is s01 empty?") || w.count() != 0 {
					t.Fatalf("it does not ask: %+v", got.Steps)
				}
				ann := Person{User: "ann", Role: fleet.RoleOperator}
				if _, err := e.Answer(t.Context(), Person{User: "eve", Role: fleet.RoleViewer}, job.ID, "yes"); !errors.Is(err, ErrDenied) {
					t.Errorf("a viewer answers: %v", err)
				}
				if q := l.job(job.ID).Asks; q == nil || q.Text != "is s01 empty?" || !q.Until.After(time.Now()) {
					t.Errorf("nobody sees what it asks: %+v", q)
				}
				if _, err := e.Answer(t.Context(), ann, job.ID, "nope"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "yes or no") {
					t.Errorf("what is no answer is taken for one: %v", err)
				}
				switch c.answer {
				case "cancel":
					theirs := func(*fleet.DeviceSpec) bool { return true }
					if _, err := e.Cancel(t.Context(), Person{User: "eve", Role: fleet.RoleAdmin, Within: func(*fleet.DeviceSpec) bool { return false }}, job.ID); !errors.Is(err, ErrDenied) {
						t.Errorf("somebody else's fleet: %v", err)
					}
					if _, err := e.Cancel(t.Context(), Person{User: "root", Role: fleet.RoleAdmin, Within: theirs}, job.ID); err != nil {
						t.Error(err)
					}
				case "close":
					e.Close()
				case "":
					time.Sleep(askWithin) // in the bubble's own time
				default:
					if _, err := e.Answer(t.Context(), ann, job.ID, c.answer); err != nil {
						t.Error(err)
					}
				}
				e.Wait()
				if got := l.job(job.ID); got.State != c.want || w.count() != c.sent || got.Asks != nil {
					t.Errorf("%s, sent %d: %s", got.State, w.count(), steps(got))
				}
				if _, err := e.Answer(t.Context(), ann, job.ID, "yes"); !errors.Is(err, ErrRefused) {
					t.Errorf("what is over takes an answer: %v", err)
				}
			})
		})
	}
}

// TestTwoRunsOnOneDevice: of two recipes that mend the same thing one waits for
// nobody.
func TestTwoRunsOnOneDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, _ := house(t)
		b := off(t)
		b.Steps = []runbook.Step{{Do: runbook.DoPrompt, Text: text2(t, "well?")}}
		e.SetBooks([]*runbook.Book{b})
		if _, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01")); err != nil {
			t.Fatal(err)
		}
		if _, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "bob runs off on s01") {
			t.Error(err)
		}
		e.Close()
		e.Wait()
		if _, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01")); !errors.Is(err, ErrRefused) {
			t.Error("it begins while plumb stops:", err)
		}
	})
}

// TestAdoptedRunIsNotTakenUp: nobody knows what the world did meanwhile.
func TestAdoptedRunIsNotTakenUp(t *testing.T) {
	e, l, w := house(t)
	j := fleet.Job{ID: "jx", Action: "run off", Targets: []string{"s01"}, State: fleet.JobRunning, By: "bob", Began: t0, Steps: []fleet.JobStep{{Name: "start", Target: "s01", State: fleet.JobRunning, At: t0}}}
	if err := l.Apply(t.Context(), fleet.Decision{Job: &j}); err != nil {
		t.Fatal(err)
	}
	if err := e.Adopt(t.Context(), l.Snapshot().Jobs); err != nil {
		t.Fatal(err)
	}
	if got := l.job("jx"); got.State != fleet.JobStopped || w.count() != 0 || l.outcomes() != "unknown" {
		t.Errorf("%+v, audit %s", got, l.outcomes())
	}
}

// TestPrograms: arguments are arguments, whatever they hold; plumb's own
// environment stays here; what takes too long is ended.
func TestPrograms(t *testing.T) {
	t.Setenv("PLUMB_SECRET", "hunter2")
	touched := filepath.Join(t.TempDir(), "touched")
	for _, c := range []struct {
		argv   []string
		within time.Duration
		want   string
		fails  bool
	}{
		{[]string{"echo", "$(touch " + touched + "); `touch " + touched + "` > " + touched}, 0, "$(touch", false},
		{[]string{"env"}, 0, "PATH=", false},
		{[]string{"false"}, 0, "exit status 1", true},
		{[]string{"sleep", "60"}, 50 * time.Millisecond, "not done within", true},
		{[]string{"no-such-program"}, 0, "not found", true},
		{[]string{"yes"}, 200 * time.Millisecond, "not done within", true},
	} {
		got, err := execute(t.Context(), c.argv, c.within)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || (err != nil) != c.fails || strings.Contains(got, "hunter2") {
			t.Errorf("%v: %q, %v", c.argv, got, err)
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("an argument went through a shell")
	}
}

// TestProgramsEndWhole: what a program began does not outlive it.
func TestProgramsEndWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	if _, err := execute(t.Context(), []string{"sh", "-c", "sleep 60 & echo $! > " + file + "; wait"}, 500*time.Millisecond); err == nil {
		t.Fatal("it ended in time")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 200 { // it is nobody's child here: until who reaps it has done so, it is there and dead
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("its child goes on")
}

func TestProgramInARun(t *testing.T) {
	e, l, _ := house(t)
	b := off(t)
	b.Steps = []runbook.Step{{Do: runbook.DoExec, Argv: []*runbook.Text{text2(t, "echo"), text2(t, "about ${target}")}}}
	e.SetBooks([]*runbook.Book{b})
	job, err := e.RunBook(t.Context(), errand(fleet.RoleOperator, "off", "s01"))
	if err != nil {
		t.Fatal(err)
	}
	e.Wait()
	if got := l.job(job.ID); got.State != fleet.JobVerified || got.Steps[1].Text != "about s01" || l.outcomes() != "begun begun done done" {
		t.Errorf("%+v, audit %s", got.Steps, l.outcomes())
	}
}
