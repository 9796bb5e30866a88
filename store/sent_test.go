package store

import (
	"errors"
	"fmt"
	"testing"
)

// What was sent is remembered over restarts, for each destination by itself, and
// never goes back.
func TestSent(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	for _, x := range []sent{{"file a", 7}, {"udp b", 3}, {"file a", 5}} {
		if err := o.KeepSent(t.Context(), x.to, x.seq); err != nil {
			t.Fatal(err)
		}
	}
	o.stop()
	o = start(t, dir, testStep)
	if seq, err := o.Sent("udp b"); err != nil || seq != 3 {
		t.Errorf("over a restart: %d, %v", seq, err)
	}
	for i := range maxDestinations - 2 {
		if err := o.KeepSent(t.Context(), fmt.Sprint("tcp ", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody asked for "file a" since the start: it has another name now.
	if err := o.KeepSent(t.Context(), "file c", 9); err != nil {
		t.Errorf("one more than there is room for, and one that is not used any more: %v", err)
	}
	if err := o.KeepSent(t.Context(), "one too many", 1); !errors.Is(err, ErrDestinations) {
		t.Errorf("one too many: %v, want ErrDestinations", err)
	}
	if err := o.KeepSent(t.Context(), "file c", 10); err != nil {
		t.Errorf("one that is known: %v", err)
	}
	verifyClean(t, o.Store)
	for to, want := range map[string]uint64{"file a": 0, "file c": 10, "udp b": 3, "tcp c": 0} {
		if got, err := o.Sent(to); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", to, got, err, want)
		}
	}
}
