package health

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/program"
	"plumb/probes/probetest"
)

// script writes a program of the shell, which stands for any.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "check_it")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExec(t *testing.T) {
	t.Setenv("PLUMB_TEST_SECRET", "hunter22")
	for _, c := range []struct {
		name, script string
		state        fleet.State
		text         string
		kind         error
	}{
		{"ok", `echo "all is well | time=3ms"; echo more`, fleet.StateOK, "all is well", nil},
		{"warn", `echo slow; exit 1`, fleet.StateWarn, "slow", nil},
		{"crit", `echo; printf '\033[31mdown\007\n'; exit 2`, fleet.StateCrit, "[31mdown", nil},
		{"does not know", `echo "who can tell" >&2; exit 3`, fleet.StateUnknown, "who can tell", nil},
		{"odd code", `exit 77`, fleet.StateUnknown, "exit code 77", nil},
		{"says nothing", `exit 2`, fleet.StateCrit, "exit code 2", nil},
		{"killed", `kill -9 $$`, fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"hangs", `echo first; sleep 60`, fleet.StateUnknown, "(blind)", fleet.ErrTimeout},
		{"ten megabytes", `yes 0123456789 | head -c 10000000; exit 1`, fleet.StateWarn, "0123456789", nil},
		{"no newline", `head -c 100000 /dev/zero | tr '\0' x`, fleet.StateOK, strings.Repeat("x", fleet.MaxText), nil},
		{"no environment", `echo "[$PLUMB_TEST_SECRET] $HOME"`, fleet.StateOK, "[]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			probetest.NoLeaks(t)
			timeout := patient
			if c.name == "hangs" {
				timeout = short
			}
			state, text, o := ask(t, Config{HealthSpec: fleet.HealthSpec{Kind: fleet.HealthExec, Command: []string{script(t, c.script), "a b", "$HOME; exit 2"}, Timeout: timeout}})
			if state != c.state || text != c.text || (o.Err == nil) != (c.kind == nil) || c.kind != nil && !errors.Is(o.Err, c.kind) {
				t.Errorf("%v %q, error %v; want %v %q, %v", state, text, o.Err, c.state, c.text, c.kind)
			}
			if asked := o.Facts.Get(fleet.FactAsked); asked != "exec check_it" {
				t.Errorf("asked %q: arguments may hold secrets", asked)
			}
		})
	}
	_, text, o := ask(t, Config{HealthSpec: fleet.HealthSpec{Kind: fleet.HealthExec, Command: []string{"/nonexistent/check"}, Timeout: time.Second}})
	if text != "(blind)" || !errors.Is(o.Err, fleet.ErrUnsupported) {
		t.Errorf("%q %v", text, o.Err)
	}
}

// What a program began ends with it: at the timeout, and also where the program
// itself went and left somebody behind who holds its output.
func TestExecLeavesNobody(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"at the timeout", `sleep 61 & echo $! > "$1"; wait`},
		{"after its end", `sleep 62 & echo $! > "$1"; echo fine`},
	} {
		t.Run(c.name, func(t *testing.T) {
			probetest.NoLeaks(t)
			pid := filepath.Join(t.TempDir(), "pid")
			timeout := patient
			if c.name == "at the timeout" {
				timeout = 2 * time.Second // until then it must have said whom it left
			}
			state, text, o := ask(t, Config{HealthSpec: fleet.HealthSpec{Kind: fleet.HealthExec, Command: []string{script(t, c.script), pid}, Timeout: timeout}})
			if o.Took > 10*time.Second {
				t.Errorf("it took %v", o.Took)
			}
			if c.name == "after its end" && (state != fleet.StateOK || text != "fine") {
				t.Errorf("%v %q", state, text)
			}
			raw, err := os.ReadFile(pid)
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(strings.TrimSpace(string(raw)))
			if err != nil {
				t.Fatal(err)
			}
			gone := func() bool {
				stat, err := os.ReadFile("/proc/" + strconv.Itoa(n) + "/stat")
				return errors.Is(syscall.Kill(n, 0), syscall.ESRCH) || err == nil && strings.Contains(string(stat), ") Z ") // nobody reaps it here
			}
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for end := time.Now().Add(3 * time.Second); !gone(); <-tick.C {
				if time.Now().After(end) {
					_ = syscall.Kill(n, syscall.SIGKILL)
					t.Fatal("its child still runs")
				}
			}
		})
	}
}

func saidOf(out, bad string) program.Said { return program.Said{Out: out, Err: bad} }
