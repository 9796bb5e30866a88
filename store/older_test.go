package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// journaled makes a store whose journal has many files, of polls of three servers
// that no part or block holds, and returns its directory as a death leaves it.
func journaled(t *testing.T, polls int) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{wal: walBytes, rows: 1 << 20, spread: 1, age: time.Hour, house: 15, journal: 20 * journalPage, least: 1 << 30}
	o := run(t, s, dir, testStep)
	for n := range polls {
		for _, name := range []string{"s1", "s2", "s3"} {
			o.apply(t, payload{Readings: []fleet.Readings{reading(name, day0.Add(time.Duration(n)*time.Minute), fleet.Int(int64(n)))}})
		}
	}
	return o.died(t)
}

// minutes returns the minutes after day0 at which there are samples, and checks
// that they are what was said.
func (o *opened) minutes(t *testing.T, name string) (out []int) {
	t.Helper()
	points, err := o.Series(t.Context(), name, gauge, day0, maxTime, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		n := int(p.At().Sub(day0) / time.Minute)
		if p.Mean != fleet.Int(int64(n)) {
			t.Errorf("%s after %d minutes: %v", name, n, p.Mean)
		}
		out = append(out, n)
	}
	return out
}

// upTo are the numbers from 0 to before n.
func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// A start reads the end of the journal, where the newest rows are. Whoever asks for
// older ones waits for the rest of it, whether anybody runs the store or not.
func TestAStartReadsTheEndOfTheJournal(t *testing.T) {
	const polls = 200
	dir := journaled(t, polls)
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	first := s.targets.openRows(s.targets.get("s1"))
	if known := s.journal.known; known.newest <= known.from+5 || len(first) == 0 || len(first) > polls/4 {
		t.Errorf("of %+v a start reads %d of %d rows", known, len(first), polls)
	}
	m, err := s.Memory(t.Context())
	if err != nil || len(m.Readings) != 3 {
		t.Fatalf("%+v, %v", m.Readings, err)
	}
	for _, r := range m.Readings {
		if want := day0.Add((polls - 1) * time.Minute); !r.At.Equal(want) {
			t.Errorf("the newest row of %s is of %v, want %v", r.Target, r.At, want)
		}
	}
	o := &opened{Store: s}
	if got := o.minutes(t, "s2"); !slices.Equal(got, upTo(polls)) {
		t.Errorf("samples after %v minutes", got)
	}
	if st := s.Stats(); st.OpenRows != 3*polls {
		t.Errorf("%d rows in memory, want %d", st.OpenRows, 3*polls)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	again := start(t, dir, testStep) // and verifies
	again.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(polls*time.Minute), fleet.Int(polls))}})
	if got := again.minutes(t, "s1"); !slices.Equal(got, upTo(polls+1)) {
		t.Errorf("after a start there are samples after %v minutes", got)
	}
	var told []int
	_, err = again.ReadingsSince(t.Context(), Since{}, func(r fleet.Readings) error {
		if r.Target == "s3" {
			told = append(told, int(r.At.Sub(day0)/time.Minute))
		}
		return nil
	})
	if err != nil || !slices.Equal(told, upTo(polls)) {
		t.Errorf("told are the samples after %v minutes, %v", told, err)
	}
}

// A file of the journal that a start can do without is looked at all the same.
func TestDamageInAnOlderFileOfTheJournalIsFound(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"a byte":  func(path string) error { scribble(t, path, journalPage+recordHead+2, 1); return nil },
		"missing": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := journaled(t, 80)
			s, err := Open(t.Context(), testConfig(dir))
			if err != nil {
				t.Fatal(err)
			}
			path := journalPath(dir, s.journal.known.from+1)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			var file *FileError
			if err := s.Run(context.Background(), nil, testStep, nil); !errors.As(err, &file) || file.Path != path || !errors.Is(err, ErrDamaged) {
				t.Errorf("Run = %v", err)
			}
			if _, err := s.Series(t.Context(), "s1", gauge, day0, maxTime, 0); !errors.Is(err, ErrDamaged) {
				t.Errorf("Series = %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			r, err := Examine(t.Context(), dir)
			if err != nil || r.OK() || !strings.Contains(fmt.Sprint(r.Problems), "series-0") {
				t.Errorf("verify says %v, %v", r.Problems, err)
			}
		})
	}
}

// The newest row of a target that has fallen silent is there at a start: series.db
// keeps it, or the start reads the journal from there on. Of rows of one time it is
// the one that was said last, wherever they lie.
func TestTheNewestRowOfASilentTargetIsThere(t *testing.T) {
	for fresh, inJournal := range map[time.Duration]bool{0: false, time.Hour: true} {
		dir := t.TempDir()
		s, err := Open(t.Context(), testConfig(dir))
		if err != nil {
			t.Fatal(err)
		}
		s.pace = pace{wal: walBytes, rows: 1 << 20, spread: 1, age: time.Hour, fresh: fresh, house: 15, journal: 20 * journalPage, least: 1 << 30}
		o := run(t, s, dir, testStep)
		for n := range 3 { // two of them lie in series.db, which learns their name, and of the journal
			o.apply(t, payload{Readings: []fleet.Readings{reading("silent", day0, fleet.Int(int64(5+n)))}})
		}
		for n := range 60 {
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Minute), fleet.Int(int64(n)))}})
		}
		again, err := Open(t.Context(), testConfig(o.died(t)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(again.targets.openRows(again.targets.get("silent"))); n == 3 != inJournal {
			t.Errorf("fresh for %v: a start reads %d of its 3 rows", fresh, n)
		}
		m, err := again.Memory(t.Context())
		if err != nil || len(m.Readings) != 2 || m.Readings[0].Target != "silent" || m.Readings[0].Values[0] != fleet.Int(7) {
			t.Errorf("fresh for %v: %+v, %v", fresh, m.Readings, err)
		}
		told := 0
		if _, err := again.ReadingsSince(t.Context(), Since{}, func(fleet.Readings) error { told++; return nil }); err != nil || told != 63 {
			t.Errorf("fresh for %v: %d rows are told, %v", fresh, told, err)
		}
		if got, err := again.Series(t.Context(), "silent", gauge, day0, maxTime, 0); err != nil || len(got) != 1 || got[0].Mean != fleet.Int(7) {
			t.Errorf("fresh for %v: %v, %v", fresh, got, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}
