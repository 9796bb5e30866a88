package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// To kill a process shows nothing of a sync that is missing: what it wrote
// lives on in the system's cache. So a run is recorded, call by call, and then
// the power is cut after each of its calls, in the mind: what was not yet
// synced is lost, or there, or there in part.

// cutter cuts the power in the course of a recorded run.
type cutter struct {
	t     *testing.T
	root  string // where the run had its files
	d     *disk
	rand  *rand.Rand
	seed  uint64
	every int // a cut at every nth place, by chance
	torn  int // cuts by chance at each place, beside all and nothing
	cuts  int
	check func(dir string, acked int) error

	faulty bool // the run had a fault, and may not have come far
}

// follow replays a trace and returns how many cuts were wrong, and the first
// of them.
func (c *cutter) follow(trace string) (wrong int, first error) {
	c.t.Helper()
	all, err := calls(trace)
	if err != nil {
		c.t.Fatal(err)
	}
	acked, syncs := 0, 0
	try := func(i int, what string) {
		if c.cuts > 0 && c.rand.IntN(c.every) != 0 {
			return
		}
		if n, err := c.here(acked); err != nil {
			if wrong += n; first == nil {
				first = fmt.Errorf("cut %s call %d (%s %.60s), seed %d: %w", what, i, all[i].name, all[i].fd, c.seed, err)
			}
		}
	}
	for i, call := range all {
		if call.name == "fsync" || call.name == "fdatasync" {
			try(i, "before")
		}
		r, err := c.d.replay(c.root, call)
		if err != nil {
			c.t.Fatal(err)
		}
		if r.acked {
			acked++
		}
		if r.synced {
			syncs++
		}
		if r.acked || r.synced || r.changed && call.name != "pwrite64" && call.name != "write" {
			try(i, "after")
		}
	}
	if (acked == 0 || syncs == 0) && !c.faulty {
		c.t.Fatalf("the trace of %d calls has %d acknowledgements and %d syncs", len(all), acked, syncs)
	}
	return wrong, first
}

// here cuts the power in all ways at this place.
func (c *cutter) here(acked int) (wrong int, first error) {
	ways := [][2]luck{{lost, lost}, {kept, kept}}
	for range c.torn {
		ways = append(ways, [2]luck{byChance(c.rand, 2+c.rand.IntN(3)), byChance(c.rand, 2)})
	}
	for _, way := range ways {
		dir, err := os.MkdirTemp(c.t.TempDir(), "cut")
		if err == nil {
			err = c.d.cut(c.root, dir, way[0], way[1])
		}
		if err != nil {
			c.t.Fatal(err)
		}
		c.cuts++
		if err := c.check(dir, acked); err != nil {
			if wrong++; first == nil {
				first = err
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			c.t.Fatal(err)
		}
	}
	return wrong, first
}

// recordScript runs a script in a directory below root and returns the cutter
// that knows what lay there before, and the trace.
func recordScript(t *testing.T, script, root, below string, noSync bool, inject ...string) (*cutter, string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	c := &cutter{t: t, root: root, d: newDisk(), seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), every: 15, torn: 1}
	if crashAll() {
		c.every, c.torn = 1, 4
	}
	c.faulty = len(inject) > 0
	if err := c.d.fill(root); err != nil {
		t.Fatal(err)
	}
	r := strace(t, script, filepath.Join(root, below), noSync, append(inject, "-xx", "-s", "16777216", "-e", diskTrace)...)
	if !r.ended && len(inject) == 0 {
		t.Fatalf("the script %s failed: %s", script, r.said)
	}
	return c, r.trace
}

// newStore is a directory that a script makes for its store.
const newStore = "new/store"

func TestCrashPowerCut(t *testing.T) {
	needStrace(t)
	scripted := func(dir string, acked int) error {
		_, err := checkScript(t.Context(), filepath.Join(dir, newStore), acked)
		return err
	}
	all := func(dir string, _ int) error { _, err := checkScript(t.Context(), dir, scriptBatches); return err }
	for _, c := range []struct {
		name, script, below string
		from                func(t *testing.T) string
		check               func(dir string, acked int) error
	}{
		{"batches", "batches", newStore, func(t *testing.T) string { return t.TempDir() }, scripted},
		{"compact", "compact", "", filled, all},
		{"backup", "backup", "", filled, func(dir string, acked int) error { return errors.Join(all(dir, acked), cutCopy(t, dir, acked)) }},
		{"migrate schema 1", "open", "", func(t *testing.T) string { return unpackFixture(t, "v1") }, func(dir string, _ int) error { return survived(t, "open", dir, false, ran{}) }},
		{"migrate schema 2", "open", "", func(t *testing.T) string { return unpackFixture(t, "v2") }, func(dir string, _ int) error { return survived(t, "open", dir, false, ran{}) }},
		{"migrate series schema 3", "open", "", func(t *testing.T) string { return unpackFixture(t, "v3") }, func(dir string, _ int) error { return survived(t, "open", dir, false, ran{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cut, trace := recordScript(t, c.script, c.from(t), c.below, false)
			cut.check = c.check
			if wrong, err := cut.follow(trace); err != nil {
				t.Errorf("%d of %d cuts: %v", wrong, cut.cuts, err)
			}
			t.Logf("%d cuts", cut.cuts)
		})
	}
}

// cutCopy checks a backup that the power cut short: it is whole, or it is no
// store.
func cutCopy(t *testing.T, dir string, acked int) error {
	copied := filepath.Join(dir, "copy")
	if acked == 0 && missing(filepath.Join(copied, "state.db")) {
		return nil
	}
	if _, err := checkScript(t.Context(), copied, scriptBatches); err != nil {
		return fmt.Errorf("the copy: %w", err)
	}
	return nil
}

// A store that does not sync loses, and the cuts show it: else they would show
// nothing of one that does.
func TestCrashPowerCutFindsWhatIsNotSynced(t *testing.T) {
	needStrace(t)
	cut, trace := recordScript(t, "batches", t.TempDir(), newStore, true)
	cut.every, cut.torn = 1, 0
	cut.check = func(dir string, acked int) error {
		if acked == 0 {
			return nil
		}
		_, err := checkScript(t.Context(), filepath.Join(dir, newStore), acked)
		return err
	}
	wrong, err := cut.follow(trace)
	if wrong == 0 {
		t.Fatalf("%d cuts of a store that never syncs, and nothing is lost", cut.cuts)
	}
	t.Logf("%d of %d cuts show that nothing was synced, as %v", wrong, cut.cuts, err)
}

// A sync that failed is the worst of faults: the system forgets what it could
// not write, so that no later sync sees to it, while all who read find it. One
// sync of a run fails, each in turn under make crash, and the power is cut in
// the course of what follows.
func TestCrashPowerCutAfterAFailedSync(t *testing.T) {
	needStrace(t)
	cuts := 0
	points := failpoints("batches")
	if !crashAll() {
		points = []int{7 + rand.IntN(70)} // of a run's 84, the first 6 while it opens
	}
	for _, n := range points {
		const call = "fdatasync"
		cut, trace := recordScript(t, "batches", t.TempDir(), newStore, false, "-e", fmt.Sprintf("inject=%s:error=EIO:when=%d", call, n))
		if !strings.Contains(trace, "INJECTED") {
			break
		}
		cut.every = 25
		cut.check = func(dir string, acked int) error {
			_, err := checkScript(t.Context(), filepath.Join(dir, newStore), acked)
			return err
		}
		if wrong, err := cut.follow(trace); err != nil {
			t.Errorf("%s %d fails: %d of %d cuts: %v", call, n, wrong, cut.cuts, err)
		}
		cuts += cut.cuts
	}
	t.Logf("%d cuts", cuts)
}
