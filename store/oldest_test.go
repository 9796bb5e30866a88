package store

import (
	"testing"
	"time"

	"plumb/fleet"
)

func TestOldestIsTheFirstJudgementOfAnyTarget(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	if at, err := o.Oldest(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("of nothing: %v %v", at, err)
	}
	now := time.Now().Truncate(time.Millisecond)
	judged := func(target string, ago time.Duration, is string) fleet.Change {
		return fleet.Change{Target: target, Table: fleet.TableStatus, Row: "device", At: now.Add(-ago), Value: []byte(is)}
	}
	for _, c := range []fleet.Change{
		judged("s1", 3*time.Hour, `"ok"`), judged("s2", 5*time.Hour, `"ok"`), judged("s2", 2*time.Hour, `"crit"`), judged("s2", time.Hour, `"ok"`),
		{Target: "s2", Table: fleet.TableFacts, Row: "serial", At: now.Add(-9 * time.Hour), Value: []byte(`"x"`)},
	} {
		o.apply(t, payload{Changes: []fleet.Change{c}})
	}
	o.apply(t, payload{Readings: []fleet.Readings{reading("s3", now.Add(-24*time.Hour), fleet.Int(1))}})
	want := now.Add(-5 * time.Hour)
	if at, err := o.Oldest(t.Context()); err != nil || !at.Equal(want) {
		t.Errorf("%v %v, want %v", at, err, want)
	}
	o.stop()
	o = start(t, dir, testStep)
	if at, err := o.Oldest(t.Context()); err != nil || !at.Equal(want) {
		t.Errorf("after a restart: %v %v, want %v", at, err, want)
	}
	o.apply(t, payload{Changes: []fleet.Change{judged("s4", 10*365*24*time.Hour, `"ok"`)}})
	at, err := o.Oldest(t.Context())
	if horizon := time.Now().Add(-o.cfg.Retention.longest()); err != nil || at.After(horizon) || at.Before(horizon.Add(-time.Minute)) {
		t.Errorf("%v %v, want what is kept, %v", at, err, horizon)
	}
}
