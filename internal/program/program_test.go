package program

import (
	"context"
	"strings"
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
