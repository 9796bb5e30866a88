package week_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"plumb/internal/week"
)

const file = "../../testdata/week/script.yaml"

func read(t *testing.T) *week.Script {
	t.Helper()
	s, err := week.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if raced {
		s.History = 0
	}
	return s
}

// span is how much of the week is played: its first days, all of it where
// PLUMB_WEEK is set, and hours without a past where the race detector looks on,
// for nothing runs at once here.
func span(s *week.Script) week.Moment {
	day := week.Moment(24 * time.Hour)
	switch {
	case os.Getenv("PLUMB_WEEK") != "":
		return week.Moment(s.Days) * day
	case raced:
		return day / 4
	}
	return week.Moment(s.Short) * day
}

// goals are what each engine must reach; the aim is 0.95 of both.
var goals = map[string]struct{ precision, recall float64 }{
	"drift":       {0.95, 0.95},
	"trace":       {0.95, 0.95},
	"security":    {0.95, 0.95},
	"performance": {0.95, 0.95},
	"capacity":    {0.95, 0.95},
}

// TestPlantedWeek scores each engine on what is planted.
func TestPlantedWeek(t *testing.T) {
	s := read(t)
	end := span(s)
	got := judge(play(week.New(s, false), end), end)
	t.Logf("%s planted\n%s%s", time.Duration(end), got, strings.Join(got.notes, "\n"))
	for _, e := range engines {
		x, goal := got.rows[e], goals[e]
		if !raced && (x.expected == 0 || x.right == 0) {
			t.Errorf("%s: nothing was expected, or nothing right was said", e)
		}
		if x.precision() < goal.precision || x.recall() < goal.recall {
			t.Errorf("%s: precision %.3f and recall %.3f, the goal is %.2f and %.2f", e, x.precision(), x.recall(), goal.precision, goal.recall)
		}
	}
}

// TestCleanWeek holds that a week in which only the decoys happen has nothing
// to be found.
func TestCleanWeek(t *testing.T) {
	s := read(t)
	end := span(s)
	got := judge(play(week.New(s, true), end), end)
	t.Logf("%s clean\n%s", time.Duration(end), got)
	for _, note := range got.notes {
		t.Error(note)
	}
}
