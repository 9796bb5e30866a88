package trial

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func TestParseValues(t *testing.T) {
	for s, want := range map[string]string{
		"1 2 3":         "1 2 3",
		"1+2x3":         "1 3 5 7",
		"9-1x2 _":       "9 8 7 _",
		"4x2":           "4 4 4",
		"_x3 1.5":       "_ _ _ 1.5",
		"-2+0.5x2":      "-2 -1.5 -1",
		"up downx1 box": "up down down box",
	} {
		got, err := ParseValues(s)
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "1x130000 1x130000"} {
		if out, err := ParseValues(bad); !errors.Is(err, ErrSeries) {
			t.Errorf("%q: %d samples, %v", bad, len(out), err)
		}
	}
}

func values(t *testing.T, s string) []string {
	out, err := ParseValues(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func plan(t *testing.T, expect ...Expect) *Plan {
	return &Plan{Interval: time.Minute,
		Alerting: fleet.Alerting{Settle: time.Nanosecond, Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager"},
			Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 80", Severity: fleet.SeverityCrit, Graded: true, For: 2 * time.Minute, Summary: "{sensor.value}"}}},
		Tests: []Test{{Name: "a hot day", Devices: []fleet.DeviceSpec{{ID: "s01", Kind: fleet.KindServer}},
			Series: []Series{{Device: "s01", Sensor: "CPU Temp", Class: fleet.ClassTemperature, Values: values(t, "70x4 85x9 _x5 60")}}, Expect: expect}}}
}

func TestTrialHolds(t *testing.T) {
	hot := Alert{Rule: "hot", Target: "s01", Part: "CPU Temp", Severity: "crit", Summary: "85"}
	pending := hot
	pending.State = fleet.AlertPending
	failures := Run(plan(t,
		Expect{After: 4 * time.Minute, Notices: 0},
		Expect{After: 5 * time.Minute, Alerts: []Alert{pending}, Notices: -1},
		Expect{After: 7*time.Minute + time.Second, Alerts: []Alert{hot}, Notices: 0},
		Expect{After: 7*time.Minute + 31*time.Second, Rule: "hot", Alerts: []Alert{hot}, Notices: 1},
		Expect{After: 19 * time.Minute, Alerts: []Alert{hot}, Notices: 1}, // blind resolves nothing
		Expect{After: 30 * time.Minute, Notices: 2},
	))
	for _, f := range failures {
		t.Error(f)
	}
}

// TestTrialFails: every wrong expectation is found, with what came instead.
func TestTrialFails(t *testing.T) {
	at := 8 * time.Minute
	for _, e := range []Expect{
		{After: at, Notices: -1},
		{After: at, Notices: -1, Alerts: []Alert{{Rule: "cold", Target: "s01"}}},
		{After: at, Notices: -1, Alerts: []Alert{{Rule: "hot", Target: "s01", State: fleet.AlertPending}}},
		{After: at, Notices: -1, Alerts: []Alert{{Rule: "hot", Target: "s01", Severity: "warn"}}},
		{After: at, Notices: -1, Alerts: []Alert{{Rule: "hot", Target: "s01", HeldBy: "cause:pa"}}},
		{After: at, Notices: -1, Alerts: []Alert{{Rule: "hot", Target: "s01"}, {Rule: "hot", Target: "s01"}}},
		{After: at, Notices: 5, Alerts: []Alert{{Rule: "hot", Target: "s01"}}},
		{After: at, Notices: -1, Rule: "hot"},
	} {
		failures := Run(plan(t, e))
		if len(failures) != 1 || !strings.Contains(failures[0].String(), "hot:s01/CPU Temp firing crit 85") {
			t.Errorf("%+v: %v", e, failures)
		}
	}
	if f := Run(plan(t, Expect{After: at, Notices: -1, Rule: "other"})); len(f) != 0 {
		t.Error("alerts of other rules count", f)
	}
}
