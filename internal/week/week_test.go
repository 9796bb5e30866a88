package week_test

import (
	"os"
	"strings"
	"testing"

	"plumb/internal/week"
)

const file = "../../testdata/week/script.yaml"

func read(t *testing.T) *week.Script {
	t.Helper()
	s, err := week.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// days is the short week, or all of it where PLUMB_WEEK is set, and one day
// where the race detector looks on.
func days(s *week.Script) int {
	switch {
	case os.Getenv("PLUMB_WEEK") != "":
		return s.Days
	case raced:
		return 1
	}
	return s.Short
}

// goals are what each engine must reach; the aim is 0.95 of both.
var goals = map[string]struct{ precision, recall float64 }{
	"drift":       {0.95, 0.70}, // cords, tagged VLANs, moved cables and clouds are not judged yet
	"trace":       {0.95, 0.95},
	"security":    {0.95, 0.70}, // no check of management VLANs and of learned addresses yet
	"performance": {0.95, 0.95},
	"capacity":    {0.95, 0.95},
}

// TestPlantedWeek scores each engine on what is planted.
func TestPlantedWeek(t *testing.T) {
	s := read(t)
	n := days(s)
	got := judge(play(week.New(s, false), n), n)
	t.Logf("%d days planted\n%s%s", n, got, strings.Join(got.notes, "\n"))
	for _, e := range engines {
		x, goal := got.rows[e], goals[e]
		if n > 1 && (x.expected == 0 || x.right == 0) {
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
	n := days(s)
	got := judge(play(week.New(s, true), n), n)
	t.Logf("%d days clean\n%s", n, got)
	for _, note := range got.notes {
		t.Error(note)
	}
}
