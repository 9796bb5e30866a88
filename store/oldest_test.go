package store

import (
	"testing"
	"time"

	"plumb/fleet"
)

func TestOldestIsTheFirstReadingOfAnyTarget(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	if at, err := o.Oldest(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("of nothing: %v %v", at, err)
	}
	for i, target := range []string{"s1", "s2", "s3"} {
		at := day0.Add(time.Duration(5-i) * time.Hour)
		o.apply(t, payload{Readings: []fleet.Readings{reading(target, at, fleet.Int(1))}})
	}
	want := day0.Add(3 * time.Hour)
	if at, err := o.Oldest(t.Context()); err != nil || !at.Equal(want) {
		t.Errorf("%v %v, want %v", at, err, want)
	}
	o.stop()
	if at, err := start(t, dir, testStep).Oldest(t.Context()); err != nil || !at.Equal(want) {
		t.Errorf("after a restart: %v %v, want %v", at, err, want)
	}
}
