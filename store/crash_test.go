package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"plumb/fleet"
)

// crashDir, where set, makes the test binary a writer that never ends.
const crashDir = "PLUMB_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if name := os.Getenv(scriptName); name != "" {
		if err := runScript(name, os.Getenv(scriptDir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const crashWriters = 3

// writeForEver applies one entry, one row, one event and one poll at a time
// from three writers, and prints "writer number" when each is acknowledged.
func writeForEver(dir string) error {
	s, err := Open(context.Background(), crashConfig(dir))
	if err != nil {
		return err
	}
	s.pace = pace{rows: 7, spread: 5, age: time.Second, fresh: time.Second, grace: 0, house: 4, journal: 64 << 10}
	go s.Run(context.Background(), &fleet.Snapshot{}, testStep, nil)
	failed := make(chan error)
	for w := range crashWriters {
		target := fmt.Sprint("w", w)
		begin, err := s.History(context.Background(), target, fleet.TableFacts, time.Time{})
		if err != nil {
			return err
		}
		go func() {
			for n := len(begin); ; n++ {
				b, err := json.Marshal(crashPayload(target, n))
				if err == nil {
					err = s.Apply(context.Background(), &fleet.Observation{Facts: fleet.Facts{{Name: "payload", Value: string(b)}}})
				}
				if err != nil {
					failed <- err
				}
				fmt.Println(w, n) // one write, unbuffered
			}
		}()
	}
	return <-failed
}

// crashPayload is the nth thing a writer says: polls are ten seconds apart, so
// that windows pass and parts are merged.
func crashPayload(target string, n int) payload {
	at := crashTime(n)
	return payload{
		Changes:  []fleet.Change{{Target: target, Row: "n", At: at, Value: []byte(strconv.Itoa(n))}},
		Readings: []fleet.Readings{reading(target, at, fleet.Int(int64(n)), fleet.Int(int64(n)<<40))},
		Events:   []fleet.Event{{ID: strconv.Itoa(n), Target: target, At: at}},
		Audit:    []fleet.AuditEntry{{Who: target, Reason: strconv.Itoa(n), At: at}},
	}
}

// crashConfig keeps everything: the writers' clock is a month behind.
func crashConfig(dir string) Config {
	c := testConfig(dir)
	const year = 365 * 24 * time.Hour
	c.Retention = Retention{Raw: year, FiveMin: year, Hour: year}
	return c
}

var crashDay = time.Now().UTC().Truncate(24 * time.Hour).Add(-30 * 24 * time.Hour)

func crashTime(n int) time.Time { return crashDay.Add(time.Duration(n) * 10 * time.Second) }

// TestCrash kills a writing process with SIGKILL, again and again on the same
// store. Whatever it had said was kept must be there, and everything must be
// whole. PLUMB_CRASH_ROUNDS sets the rounds (make crash: 200).
func TestCrash(t *testing.T) {
	rounds := 6
	if v := os.Getenv("PLUMB_CRASH_ROUNDS"); v != "" {
		var err error
		if rounds, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var acked [crashWriters]int // the number that comes next
	total, beyond := 0, 0
	for round := range rounds {
		if !crashOnce(t, dir, &acked) {
			t.Fatalf("round %d: the writer ended by itself", round)
		}
		kept := checkCrashed(t, dir, acked)
		if t.Failed() {
			t.Fatalf("after round %d, acknowledged %v", round, acked)
		}
		total = 0
		for w, n := range kept {
			total, beyond = total+n, beyond+n-acked[w]
			acked[w] = n
		}
	}
	t.Logf("%d rounds, %d batches of three writers kept, none acknowledged lost; %d were kept and not yet acknowledged", rounds, total, beyond)
}

// crashOnce starts a writer, waits for its first word and a random moment
// more, kills it, and notes what it had acknowledged.
func crashOnce(t *testing.T, dir string, acked *[crashWriters]int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, spoke := bufio.NewScanner(out), false
	for lines.Scan() {
		if !spoke {
			spoke = true
			time.AfterFunc(time.Duration(rand.IntN(120_000))*time.Microsecond, func() { cmd.Process.Kill() })
		}
		var w, n int
		if _, err := fmt.Sscan(lines.Text(), &w, &n); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		acked[w] = max(acked[w], n+1)
	}
	cmd.Wait()
	return spoke && cmd.ProcessState.ExitCode() == -1
}

// checkCrashed opens what is left, and returns how many each writer has kept.
func checkCrashed(t *testing.T, dir string, acked [crashWriters]int) (kept [crashWriters]int) {
	t.Helper()
	s, err := Open(t.Context(), crashConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	verifyClean(t, s)
	audit, err := s.Audit(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]int{}
	for _, e := range audit {
		if e.Reason != strconv.Itoa(entries[e.Who]) {
			t.Fatalf("audit of %s: %s where %d was next", e.Who, e.Reason, entries[e.Who])
		}
		entries[e.Who]++
	}
	for w := range kept {
		target := fmt.Sprint("w", w)
		h, err := s.History(t.Context(), target, fleet.TableFacts, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		kept[w] = len(h)
		events, err := s.Events(t.Context(), target, time.Time{}, time.Time{}, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		points, err := s.samples(t.Context(), target, gauge, 0, toMs(maxTime))
		if err != nil {
			t.Fatal(err)
		}
		if kept[w] < acked[w] || entries[target] != kept[w] || len(events) != kept[w] || len(points) != kept[w] {
			t.Errorf("%s: %d acknowledged, %d rows, %d entries, %d events and %d polls kept", target, acked[w], kept[w], entries[target], len(events), len(points))
			continue
		}
		for n, p := range points {
			if p.v.N != int64(n) || p.at != toMs(crashTime(n)) {
				t.Fatalf("%s: poll %d is %+v", target, n, p)
			}
		}
	}
	return kept
}
