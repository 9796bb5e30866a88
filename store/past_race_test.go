package store

import (
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// TestThePastStandsStillWhileRowsMove: a row that becomes a part after somebody
// began to read the past is not in the parts that he sees, and no longer among
// the open rows. He reads it all the same.
func TestThePastStandsStillWhileRowsMove(t *testing.T) {
	s, err := Open(t.Context(), testConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 4, spread: 1, age: time.Hour, grace: 0}
	o := run(t, s, s.cfg.Dir, testStep)
	poll := func(n int) {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
	}
	const asked = 41 // rows become parts by fours
	for n := range asked + 1 {
		poll(n)
	}
	at := day0.Add(asked * time.Second)
	read := func(tx *bbolt.Tx, open [][]*row) time.Time {
		got, err := o.readingsAt(t.Context(), tx, open, toMs(at))
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		return got[0].At
	}
	var open [][]*row
	err = o.bothWith(t.Context(), func() { open = o.targets.allOpen() }, func(_, series *bbolt.Tx) error {
		for n := range 40 {
			poll(asked + 1 + n)
		}
		if got := read(series, open); !got.Equal(at) {
			t.Errorf("it was read at %v, want %v", got, at)
		}
		if got := read(series, o.targets.allOpen()); got.Equal(at) {
			t.Error("no row moved meanwhile, so this says nothing")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := o.At(t.Context(), at); err != nil || len(m.Readings) != 1 || !m.Readings[0].At.Equal(at) {
		t.Errorf("afterwards: %+v, %v", m.Readings, err)
	}
}
