package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// faults are the ways in which a call of a script is made to go wrong: with an
// error, or with death before it or after it.
var faults = []string{
	"fdatasync:error=EIO", "fsync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EIO", "ftruncate:error=ENOSPC", "renameat:error=EIO", "unlinkat:error=EIO",
	"fdatasync:error=EIO:signal=KILL", "fdatasync:signal=KILL", "fsync:signal=KILL",
	"pwrite64:error=EIO:signal=KILL", "pwrite64:signal=KILL", "ftruncate:signal=KILL", "renameat:error=EIO:signal=KILL", "renameat:signal=KILL", "unlinkat:signal=KILL",
}

// copyFaults are those of a backup, which alone writes its files with write:
// elsewhere that is how a script says what it holds for kept.
var copyFaults = []string{"write:error=ENOSPC", "write:error=EIO", "write:error=EIO:signal=KILL", "write:signal=KILL"}

// TestCrashFailpoints makes one call of a run fail, and dies before and after
// it: each call in turn under make crash, a few by chance else. What was
// acknowledged is there afterwards, what was refused is not, and a process that
// lived went on.
func TestCrashFailpoints(t *testing.T) {
	needStrace(t)
	whole := filled(t)
	fixtures := map[string]string{"v1": unpackFixture(t, "v1"), "v2": unpackFixture(t, "v2"), "v3": unpackFixture(t, "v3")}
	total := 0
	for _, c := range []struct{ name, script, from string }{
		{"batches", "batches", ""}, {"backup", "backup", whole}, {"compact", "compact", whole},
		{"migrate schema 1", "open", fixtures["v1"]}, {"migrate schema 2", "open", fixtures["v2"]}, {"migrate series schema 3", "open", fixtures["v3"]},
	} {
		all := faults
		if c.script == "backup" {
			all = append(slices.Clone(faults), copyFaults...)
		}
		for _, fault := range all {
			name, met := c.name+" "+fault, 0
			for _, n := range failpoints(c.name) {
				dir := t.TempDir()
				if c.from != "" {
					copyStore(t, c.from, dir)
				}
				r := strace(t, c.script, dir, false, "-e", "trace="+fault[:strings.Index(fault, ":")], "-e", fmt.Sprintf("inject=%s:when=%d", fault, n))
				if !strings.Contains(r.trace, "INJECTED") && !r.died {
					break // there are no more such calls
				}
				met++
				if err := survived(t, c.script, dir, strings.Contains(fault, "KILL"), r); err != nil {
					t.Errorf("%s, call %d: %v\n%s", name, n, err, r.said)
				}
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
			if total += met; met > 0 {
				t.Logf("%s: %d calls", name, met)
			}
		}
	}
	t.Logf("%d faults", total)
}

// failpoints lists which calls of a run are to fail.
func failpoints(name string) []int {
	var ns []int
	if crashAll() {
		for n := 1; n <= 1000; n++ {
			ns = append(ns, n)
		}
		return ns
	}
	if name == "batches" && rand.IntN(3) == 0 {
		return []int{1 + rand.IntN(40)}
	}
	return nil
}

func crashAll() bool { return os.Getenv("PLUMB_CRASH_ROUNDS") != "" }

// survived reports what is wrong after a script met a fault.
func survived(t *testing.T, script, dir string, kill bool, r ran) error {
	t.Helper()
	if kill != r.died {
		return fmt.Errorf("died: %v, want %v", r.died, kill)
	}
	switch script {
	case "batches":
		// A fault while it opens is an error of Open, and nothing is lost.
		if !kill && r.acked != scriptBatches && !(r.acked == 0 && !r.ended) {
			return fmt.Errorf("%d of %d batches went on", r.acked, scriptBatches)
		}
		kept, err := checkScript(t.Context(), dir, r.acked)
		if err == nil && kept > r.acked+1 {
			err = fmt.Errorf("%d acknowledged, %d kept", r.acked, kept)
		}
		return err
	case "open":
		s, err := Open(t.Context(), crashConfig(dir))
		if err != nil {
			return err
		}
		defer s.Close()
		report, err := s.Verify(t.Context())
		if err == nil && (!report.OK() || report.Audit.Seq != 10) {
			err = damaged("%v, %d entries", report.Problems, report.Audit.Seq)
		}
		return err
	case "backup":
		copied := filepath.Join(dir, "copy")
		if r.acked > 0 || !missing(filepath.Join(copied, "state.db")) {
			if _, err := checkScript(t.Context(), copied, scriptBatches); err != nil {
				return fmt.Errorf("the copy: %w", err)
			}
		}
	}
	_, err := checkScript(t.Context(), dir, scriptBatches)
	return err
}
