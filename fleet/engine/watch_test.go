package engine

import (
	"testing"
	"time"

	"plumb/fleet"
)

// TestAlertsLiveInTheSnapshot: a rule fires on what a step read, its row brings
// it back after a restart and at a past time, and what people say of it is
// taken by the step.
func TestAlertsLiveInTheSnapshot(t *testing.T) {
	inv := inventory()
	inv.Alerting = fleet.Alerting{Settle: time.Nanosecond, Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager", Wait: time.Second},
		Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: `sensor.value > 40`, Attempts: 2, Severity: fleet.SeverityCrit, Graded: true, Summary: "{sensor.value} C"}}}
	var rows []fleet.Change
	notices := 0
	s, at := Restore(inv, fleet.Memory{}, t0), t0
	step := func(in ...fleet.Input) fleet.Output {
		next, out := Step(s, in, at)
		s, rows, notices = next, append(rows, out.Changes...), notices+len(out.Notices)
		at = at.Add(10 * time.Second)
		return out
	}
	const id = "hot:s01/20.0.1"
	out := step(server(at, "on", 45, fleet.StateWarn))
	if a := s.Alerts.Find(id); a == nil || a.State != fleet.AlertPending || out.Wake.After(t0.Add(500*time.Millisecond)) {
		t.Fatalf("%+v, wakes %s", a, out.Wake)
	}
	if out = step(fleet.Tick{}); len(out.Nudges) == 0 || out.Nudges[0] != "s01" {
		t.Errorf("the retry asks for %v", out.Nudges)
	}
	step(server(at, "on", 46, fleet.StateWarn))
	step(fleet.Tick{})
	step(fleet.Tick{})
	if a := s.Alerts.Find(id); a.State != fleet.AlertFiring || a.Summary != "46 C" || notices != 1 {
		t.Fatalf("%+v, %d notices", a, notices)
	}
	step(fleet.Decision{
		Acks:     []fleet.Acknowledgement{{Alert: id, Ack: fleet.Ack{By: "ann", Reason: "on it"}}},
		Silences: []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "rack", Op: "=", Value: "ams1/r01"}}, Start: at, End: at.Add(time.Hour), By: "ann"}},
	})
	check := func(what string, s *fleet.Snapshot) {
		t.Helper()
		a := s.Alerts.Find(id)
		if a == nil || a.State != fleet.AlertFiring || a.Ack == nil || a.Ack.By != "ann" || a.Silenced != "S1" || s.Alerts.Counts[fleet.SeverityCrit] != 1 {
			t.Errorf("%s: %+v", what, a)
		}
	}
	check("now", s)
	mem := fleet.Memory{Version: 1, At: at, Tables: fleet.Remember(rows)}
	check("after a restart", Restore(inv, mem, at))
	check("as of then", Lay(inv).AsOf(mem, at))
	s = Restore(inv, mem, at)
	step(server(at, "on", 20, fleet.StateOK))
	if a := s.Alerts.Find(id); a.State != fleet.AlertResolved || a.Ack != nil {
		t.Errorf("%+v", a)
	}
	gone := *inv
	gone.Alerting = fleet.Alerting{}
	step(fleet.Reload{Inventory: &gone})
	if len(s.Alerts.List) != 0 {
		t.Error("an alert outlives its rule")
	}
}

// TestRulesByReload: a new rule looks at what is known already.
func TestRulesByReload(t *testing.T) {
	inv := inventory()
	s, _ := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{server(t0, "on", 45, fleet.StateWarn)}, t0)
	if s.Alerts != nil && len(s.Alerts.List) > 0 {
		t.Fatal("alerts without rules")
	}
	ruled := *inv
	ruled.Alerting.Rules = []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: `sensor.value > 40`, Attempts: 1}}
	s, _ = Step(s, []fleet.Input{fleet.Reload{Inventory: &ruled}}, t0.Add(time.Second))
	if s.Alerts.Find("hot:s01/20.0.1") == nil {
		t.Error("the new rule did not look")
	}
}
