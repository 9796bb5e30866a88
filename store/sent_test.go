package store

import "testing"

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
	verifyClean(t, o.Store)
	for to, want := range map[string]uint64{"file a": 7, "udp b": 3, "tcp c": 0} {
		if got, err := o.Sent(to); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", to, got, err, want)
		}
	}
}
