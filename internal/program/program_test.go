package program

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProgramGetsWhatItIsGiven(t *testing.T) {
	t.Setenv("PLUMB_TEST_SECRET", "seen")
	said, err := Run(t.Context(), []string{"sh", "-c", `cat; echo "$GIVEN$PLUMB_TEST_SECRET"; echo bad >&2; exit 3`}, []string{"GIVEN=yes"}, strings.NewReader("in "))
	if err == nil || said.State == nil || said.State.ExitCode() != 3 {
		t.Errorf("%+v, %v", said, err)
	}
	if said.Out != "in yes\n" || said.Err != "bad\n" {
		t.Errorf("it said %q and %q", said.Out, said.Err)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	if said, err := Run(t.Context(), []string{"/nowhere/program"}, nil, nil); err == nil || said.State != nil {
		t.Errorf("%+v, %v", said, err)
	}
}

func TestOutputIsBoundedAndTaken(t *testing.T) {
	said, err := Run(t.Context(), []string{"sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo 123456789; i=$((i+1)); done"}, nil, nil)
	if err != nil || len(said.Out) != maxOutput {
		t.Errorf("%d bytes, %v", len(said.Out), err)
	}
}

func TestWhatItBeganEndsWithIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := Run(ctx, []string{"sh", "-c", "sleep 30 & sleep 30"}, nil, nil); err == nil {
		t.Error("no error")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("ended after %v", took)
	}
}

// A program that ends well leaves nobody behind either.
func TestWhatItLeftEndsWithIt(t *testing.T) {
	said, err := Run(t.Context(), []string{"sh", "-c", "sleep 41 >/dev/null 2>&1 & echo $!"}, nil, nil)
	pid, bad := strconv.Atoi(strings.TrimSpace(said.Out))
	if err != nil || bad != nil {
		t.Fatalf("%+v, %v", said, err)
	}
	for end := time.Now().Add(5 * time.Second); !gone(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("what it began is still there")
		}
	}
}

// gone reports whether a process ended: nobody may be there to reap it.
func gone(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(b), ") Z ")
}
