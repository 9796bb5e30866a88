package report

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestAShiftIsHandedOver: what is open and who knows of it, what ends soon, and
// what woke people by its cause.
func TestAShiftIsHandedOver(t *testing.T) {
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	firing := func(rule, target string, sev fleet.Severity, ago time.Duration) *fleet.Alert {
		return &fleet.Alert{Rule: rule, Target: target, State: fleet.AlertFiring, Severity: sev, Since: now.Add(-ago), Fired: now.Add(-ago), Summary: target + " is in trouble", Labels: map[string]string{"rule": rule, "target": target}}
	}
	cause, held, fan, over := firing("cause", "pa", fleet.SeverityCrit, time.Hour), firing("psu-lost", "s01", fleet.SeverityWarn, time.Hour), firing("fan", "s09", fleet.SeverityWarn, 2*time.Hour), firing("hot", "s05", fleet.SeverityWarn, 3*time.Hour)
	held.Held = &fleet.Hold{By: "cause:pa"}
	fan.Ack = &fleet.Ack{By: "anna", Reason: "spare comes on Monday <b>", Until: now.Add(time.Hour)}
	over.State, over.Ended = fleet.AlertResolved, now.Add(-2*time.Hour)
	lost := firing("psu-lost", "s02", fleet.SeverityWarn, time.Hour)
	lost.Held = &fleet.Hold{By: "cause:gone"}
	book := &fleet.AlertBook{List: []*fleet.Alert{cause, held, lost, over, fan}, Silences: []fleet.Silence{
		{ID: "S1", Matchers: []fleet.Matcher{{Label: "rule", Op: "=", Value: "fan"}}, Start: now.Add(-time.Hour), End: now.Add(3 * time.Hour), By: "raj", Comment: "filters"},
		{ID: "S2", At: "r01", Start: now, End: now.Add(72 * time.Hour), By: "raj", Comment: "rails"},
		{ID: "S3", At: "r01", Start: now, End: now, By: "raj", Comment: "ended"}}}
	say := func(ago time.Duration, target, text string) fleet.Event {
		return fleet.Event{At: now.Add(-ago), Target: target, Source: "plumb", Type: "alert", Text: text, Asserted: true}
	}
	in := Input{Snap: &fleet.Snapshot{Alerts: book}, Now: now, Since: now.Add(-ShiftSpan), Events: []fleet.Event{
		say(13*time.Hour, "s07", "alert fan (warn): before the shift"),
		say(time.Hour, "pa", "alert cause (crit): pa is in trouble"), say(time.Hour, "s01", "alert psu-lost is held by cause:pa"), say(59*time.Minute, "s01", "alert psu-lost (warn): s01 runs on one supply"),
		say(3*time.Hour, "s05", "alert hot (warn): s05 is hot"), say(2*time.Hour, "s05", "alert hot over after 1h0m0s: s05 is hot"),
		say(2*time.Hour, "s09", "alert fan (warn): s09 is in trouble"), say(90*time.Minute, "s09", "alert fan flaps: s09"),
	}}
	s := ShiftOf(in)
	if s.Waiting != 1 || len(s.Open) != 3 || s.Open[0].ID != "cause:pa" || s.Open[0].Holds != 1 || s.Open[1].AckedBy != "anna" || s.Open[2].ID != "psu-lost:s02" {
		t.Errorf("open: %d wait of %+v", s.Waiting, s.Open)
	}
	if len(s.Ending) != 1 || s.Ending[0].ID != "S1" || s.Ending[0].Now != 1 || len(s.Standing) != 1 || s.Standing[0].ID != "S2" {
		t.Errorf("ending %+v, standing %+v", s.Ending, s.Standing)
	}
	byID := map[string]Call{}
	for _, c := range s.Calls {
		byID[c.Cause] = c
	}
	if c := byID["cause:pa"]; len(s.Calls) != 3 || c.Fired != 1 || c.Explains != 1 || !c.Open || c.Severity != fleet.SeverityCrit {
		t.Errorf("calls %+v", s.Calls)
	}
	if c := byID["hot:s05"]; c.Open || c.LastedS != 3600 || c.Fired != 1 {
		t.Errorf("what is over: %+v", c)
	}
	for _, n := range s.Noisy {
		if n.Rule == "psu-lost" && (n.Fired != 1 || n.Held != 1) || n.Rule == "fan" && (n.Fired != 1 || n.Flaps != 1 || n.Targets != 1) {
			t.Errorf("noise %+v", n)
		}
	}
	text := s.Markdown()
	for _, want := range []string{"Open: 3 alerts. For somebody to look at: 1.", "it explains 1 others", "nobody has acknowledged it", "anna knows of it: spare comes on Monday \\<b>", "the ack ends 2026-11-22 19:00", "| S1 ", "over, 1.0 h"} {
		if !strings.Contains(strings.ReplaceAll(text, "\n  ", " "), want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	for _, l := range strings.Split(text, "\n") {
		if len([]rune(l)) > Widest {
			t.Errorf("too wide: %q", l)
		}
	}
	quiet := ShiftOf(Input{Snap: &fleet.Snapshot{}, Now: now, Since: now.Add(-ShiftSpan)})
	if text := quiet.Markdown(); !strings.Contains(text, "None is open") || !strings.Contains(text, "Nothing fired") {
		t.Errorf("a quiet shift:\n%s", text)
	}
}
