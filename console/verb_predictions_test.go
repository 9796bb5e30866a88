package console

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/views/export"
)

// TestPredictions: the open ones come first, and people read the record.
func TestPredictions(t *testing.T) {
	made := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	foretold := func(target, what string, days int, score fleet.Score) fleet.Forecast {
		f := fleet.Forecast{Target: target, What: what, Made: made, At: made.AddDate(0, 0, days), Score: score}
		f.Low, f.High = f.At.AddDate(0, 0, -2), f.At.AddDate(0, 0, 2)
		if score != fleet.ScoreOpen {
			f.Scored = f.High
		}
		return f
	}
	s := engine.Restore(&fleet.Inventory{Devices: []fleet.DeviceSpec{{ID: "s1"}, {ID: "s2"}}}, fleet.Memory{}, made)
	edit := s.Devices.Edit()
	edit.At(0).Forecasts = []fleet.Forecast{foretold("s1", "fan", 3, fleet.ScoreHit), foretold("s1", "inlet", 60, fleet.ScoreOpen)}
	edit.At(1).Forecasts = []fleet.Forecast{foretold("s2", "heat", 30, fleet.ScoreOpen), foretold("s2", "fan", 5, fleet.ScoreLate), foretold("s2", "inlet", 6, fleet.ScoreVoid)}
	s.Devices = edit.Done()
	call := func(format export.Format) string {
		var out bytes.Buffer
		c := &verbCall{VerbCall: VerbCall{Stdout: &out}, format: format, now: made, past: s}
		if err := runPredictions(t.Context(), &Verbs{}, c); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := call(export.Text)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[1], "s2") || !strings.Contains(lines[1], "heat") || !strings.HasPrefix(lines[2], "s1") {
		t.Errorf("the soonest open one is not first:\n%s", text)
	}
	if want := "1 of 2 came within their interval, 0 early, 1 late; 2 open, 1 void"; lines[len(lines)-1] != want {
		t.Errorf("the record is %q, want %q", lines[len(lines)-1], want)
	}
	if json := call(export.JSON); strings.Count(json, `"made"`) != 5 || !strings.Contains(json, `"score":"void"`) && !strings.Contains(json, `"score": "void"`) {
		t.Errorf("%s", json)
	}
}
