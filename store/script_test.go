package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// A script is a bounded run of the store in a process of its own, under strace,
// which records what it does to its files or makes one call fail. All of a
// script's file operations come from one thread: strace counts by thread.
// What a script prints on its standard output it holds for kept.

// These, where set, make the test binary run a script.
const (
	scriptName   = "PLUMB_SCRIPT"
	scriptDir    = "PLUMB_SCRIPT_DIR"
	scriptNoSync = "PLUMB_SCRIPT_NOSYNC"
)

// scriptBatches is how many batches the first script applies: enough for parts,
// merges and tiers.
const scriptBatches = 16

var scripts = map[string]func(dir string) error{
	"batches": scriptApply,
	"open":    scriptOpen,
	"backup":  scriptBackup,
	"compact": scriptCompact,
}

func runScript(name, dir string) error {
	neverSync = os.Getenv(scriptNoSync) != ""
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- scripts[name](dir)
	}()
	return <-done
}

// scriptApply applies batches, each with a poll after it that series.db alone
// holds, and prints the number of each that is acknowledged with its poll. One that
// is refused is handed in again with less in it: a trace that it left would show in
// what is kept.
func scriptApply(dir string) error {
	s, err := Open(context.Background(), crashConfig(dir))
	if err != nil {
		return err
	}
	s.pace = pace{rows: 4, spread: 3, age: time.Hour, grace: 0, house: 3, journal: 16 << 10}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- applyAll(s)
	}()
	if err := s.Run(ctx, &fleet.Snapshot{}, testStep, nil); err != nil {
		return err
	}
	return errors.Join(<-done, s.Close())
}

func applyAll(s *Store) error {
	for n := range scriptBatches {
		err := insist(func(try int) error {
			p := crashPayload("w0", n)
			if try == 0 {
				p = withExtra(p, n)
			}
			// What comes from another machine is kept whole or not at all, so
			// that what is refused must leave nothing behind.
			o := modelObs(p)
			o.Origin = fleet.Origin{Cell: "script", Epoch: 1, Seq: uint64(n) + 1}
			return s.Apply(context.Background(), o)
		})
		if err == nil {
			poll := payload{Readings: []fleet.Readings{reading("alone", crashTime(n), fleet.Int(int64(n)))}}
			err = insist(func(int) error { return s.Apply(context.Background(), modelObs(poll)) })
		}
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
	return nil
}

// insist calls apply until it has no error, a few times at most.
func insist(apply func(try int) error) (err error) {
	const tries = 4
	for try := range tries {
		if err = apply(try); err == nil {
			break
		}
		fmt.Fprintln(os.Stderr, "refused:", err)
	}
	return err
}

// withExtra adds an entry in front, a row, an event and a poll.
func withExtra(p payload, n int) payload {
	at := crashTime(n)
	p.Audit = append([]fleet.AuditEntry{{Who: "extra", Reason: strconv.Itoa(n), At: at}}, p.Audit...)
	p.Changes = append(p.Changes, fleet.Change{Target: "extra", Row: "n", At: at, Value: []byte(strconv.Itoa(n))})
	p.Events = append(p.Events, fleet.Event{ID: strconv.Itoa(n), Target: "extra", At: at})
	p.Readings = append(p.Readings, reading("extra", at, fleet.Int(int64(n))))
	return p
}

func scriptOpen(dir string) error {
	s, err := Open(context.Background(), crashConfig(dir))
	if err == nil {
		err = s.Close()
	}
	if err == nil {
		fmt.Println("opened")
	}
	return err
}

func scriptBackup(dir string) error {
	s, err := Open(context.Background(), crashConfig(dir))
	if err != nil {
		return err
	}
	if err = s.Backup(context.Background(), filepath.Join(dir, "copy")); err == nil {
		fmt.Println("copied")
	}
	return errors.Join(err, s.Close())
}

func scriptCompact(dir string) error {
	_, _, err := Compact(context.Background(), crashConfig(dir))
	if err == nil {
		fmt.Println("compacted")
	}
	return err
}

// needStrace skips, and says why, where processes cannot be traced.
func needStrace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-qq", "-e", "trace=none", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v %s", err, out)
	}
}

// ran is what came of a script.
type ran struct {
	acked int    // lines it printed
	trace string // what strace wrote
	ended bool   // by itself, and content
	died  bool   // of a signal
	said  string // on its standard error
}

func strace(t *testing.T, script, dir string, noSync bool, args ...string) ran {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", append(append([]string{"-f", "-qq", "-y", "-o", trace}, args...), self)...)
	cmd.Env = append(os.Environ(), scriptName+"="+script, scriptDir+"="+dir)
	if noSync {
		cmd.Env = append(cmd.Env, scriptNoSync+"=1")
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatalf("the script %s does not end: %s", script, said.String())
	}
	b, e := os.ReadFile(trace)
	if e != nil {
		t.Fatal(e)
	}
	r := ran{acked: strings.Count(string(out), "\n"), trace: string(b), ended: err == nil, said: said.String()}
	r.died = cmd.ProcessState.ExitCode() == -1
	return r
}

// checkScript opens what a script left in dir and reports what is wrong with
// it: whatever was acknowledged is there, and everything is whole.
func checkScript(ctx context.Context, dir string, acked int) (kept int, err error) {
	s, err := Open(ctx, crashConfig(dir))
	if err != nil {
		return 0, err
	}
	defer s.Close()
	report, err := s.Verify(ctx)
	if err != nil {
		return 0, err
	}
	if !report.OK() {
		return 0, damaged("%v", report.Problems)
	}
	h, err := s.History(ctx, "w0", fleet.TableFacts, time.Time{})
	if err != nil {
		return 0, err
	}
	audit, err := s.Audit(ctx, 0, 0)
	if err != nil {
		return 0, err
	}
	all := len(audit)
	audit = slices.DeleteFunc(audit, func(e fleet.AuditEntry) bool { return e.Who == "extra" })
	if err := checkExtra(ctx, s, all-len(audit)); err != nil {
		return 0, err
	}
	events, err := s.Events(ctx, "w0", time.Time{}, time.Time{}, 1<<20)
	if err != nil {
		return 0, err
	}
	points, err := s.samples(ctx, "w0", gauge, 0, toMs(maxTime))
	if err != nil {
		return 0, err
	}
	kept = len(h)
	if kept < acked || len(audit) != kept || len(events) != kept || len(points) != kept {
		return kept, fmt.Errorf("%d acknowledged, %d rows, %d entries, %d events and %d polls kept", acked, kept, len(audit), len(events), len(points))
	}
	for n, e := range audit {
		if e.Reason != strconv.Itoa(n) || points[n].v.N != int64(n) {
			return kept, fmt.Errorf("entry %d is %q, poll %d is %+v", n, e.Reason, n, points[n])
		}
	}
	return kept, checkAlone(ctx, s, acked, kept)
}

// checkAlone reports where a poll is missing that came after a batch.
func checkAlone(ctx context.Context, s *Store, acked, kept int) error {
	polls, err := s.samples(ctx, "alone", gauge, 0, toMs(maxTime))
	if err == nil && (len(polls) < acked || len(polls) > kept) {
		err = fmt.Errorf("%d acknowledged of %d batches, and %d polls alone", acked, kept, len(polls))
	}
	for n, p := range polls {
		if p.v.N != int64(n) {
			return fmt.Errorf("poll %d alone is %+v", n, p)
		}
	}
	return err
}

// checkExtra reports where what withExtra added is not there as often as its
// entries, of which a refused batch leaves none.
func checkExtra(ctx context.Context, s *Store, want int) error {
	rows, err := s.History(ctx, "extra", fleet.TableFacts, time.Time{})
	if err != nil {
		return err
	}
	events, err := s.Events(ctx, "extra", time.Time{}, time.Time{}, 1<<20)
	if err != nil {
		return err
	}
	polls, err := s.samples(ctx, "extra", gauge, 0, toMs(maxTime))
	if err == nil && (len(rows) != want || len(events) != want || len(polls) != want) {
		err = fmt.Errorf("%d extra entries, %d rows, %d events and %d polls", want, len(rows), len(events), len(polls))
	}
	return err
}

// filled returns a store that holds all that the first script applies.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), crashConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 4, spread: 3, age: time.Hour, grace: 0, house: 3, journal: 16 << 10}
	o := run(t, s, dir, testStep)
	if err := applyAll(o.Store); err != nil {
		t.Fatal(err)
	}
	o.stop()
	return dir
}
