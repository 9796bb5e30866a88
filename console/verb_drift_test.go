package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views"
)

var driftNow = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// drifted is a fleet of four servers; three have a firmware that is not as
// intended, one of them accepted, and one a user that was ignored.
func drifted() *fleet.Snapshot {
	finding := func(target, facet, observed string, sev fleet.Severity, age time.Duration) fleet.Finding {
		return fleet.Finding{Target: target, Facet: facet, Kind: fleet.FindFirmware, Class: fleet.ClassChanged, Observed: observed, Severity: sev, Confidence: fleet.ConfidenceHigh,
			Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: "2.19"}, {Name: fleet.BaseCohort, Expected: "2.19"}}, Text: facet + " is " + observed,
			Since: driftNow.Add(-age), State: fleet.FindingOpen}
	}
	accepted := finding("s03", "firmware", "2.14", fleet.SeverityWarn, 3*time.Hour)
	accepted.State = fleet.FindingAccepted
	stale := finding("s02", "bios.version", "1.2", fleet.SeverityCrit, 24*time.Hour)
	stale.Stale = driftNow.Add(-time.Hour)
	gone := finding("s01", "bios.smt", "off", fleet.SeverityWarn, 5*time.Hour)
	gone.State, gone.Ended = fleet.FindingGone, driftNow.Add(-time.Hour)
	dockets := []*fleet.Docket{
		{Findings: []fleet.Finding{finding("s01", "firmware", "2.14", fleet.SeverityWarn, time.Hour)}, Gone: []fleet.Finding{gone}, Looked: 10},
		{Findings: []fleet.Finding{stale, finding("s02", "firmware", "2.14", fleet.SeverityWarn, 2*time.Hour)}, Looked: 10, Blind: 3},
		{Findings: []fleet.Finding{accepted}, Looked: 10, Rulings: []fleet.Ruling{{Target: "s03", Facet: "firmware", Verdict: fleet.FindingAccepted, Value: "2.14", By: "bob", Reason: "a trial"}}},
		nil,
	}
	s := &fleet.Snapshot{At: driftNow, Live: true}
	var ids []string
	var rows []fleet.Device
	for i, d := range dockets {
		id := fmt.Sprintf("s%02d", i+1)
		ids = append(ids, id)
		rows = append(rows, fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Name: id, Kind: fleet.KindServer, Rack: "ams1/r01"}, Docket: d, DriftOpen: d.Open()})
		s.Counts.DriftOpen += d.Open()
	}
	s.Devices = fleet.NewTable(ids, rows)
	return s
}

type driftMemory struct {
	still
	snap *fleet.Snapshot
}

func (m driftMemory) Snapshot() *fleet.Snapshot { return m.snap }

// driftHouse runs the verbs over drifted and takes down what is decided.
type driftHouse struct {
	verbs   *Verbs
	decided []fleet.Decision
	audited []fleet.AuditEntry
}

func newDriftHouse() *driftHouse {
	h := &driftHouse{}
	s := drifted()
	h.verbs = &Verbs{Memory: driftMemory{snap: s}, Now: func() time.Time { return driftNow },
		Audit: func(_ context.Context, e fleet.AuditEntry) error { h.audited = append(h.audited, e); return nil },
		Rule: func(_ context.Context, by Caller, r views.Rule) error {
			d, err := Rule(s, by, r, driftNow)
			if err == nil {
				h.decided = append(h.decided, d)
			}
			return err
		}}
	return h
}

func (h *driftHouse) run(t *testing.T, role fleet.Role, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = h.verbs.Run(t.Context(), VerbCall{Caller: Caller{User: "ann", Role: role, From: "10.0.0.1:7"}, Args: args, Stdout: &o, Stderr: &e})
	return code, o.String(), e.String()
}

func TestDriftPrintsCausesTheWorstFirst(t *testing.T) {
	_, out, _ := newDriftHouse().run(t, fleet.RoleViewer, "drift")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 {
		t.Fatalf("want a head, two causes and a sum:\n%s", out)
	}
	for i, want := range [][]string{nil, {"crit", "bios.version", "1.2", "2.19 (intended, cohort)", "1", "s02"}, {"warn", "firmware", "2.14", "2", "s02 s01", "2h"},
		{"3 open", "drift debt 10.4", "looked at 30 facets, 3 not readable"}} {
		for _, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("line %d is %q, want %q in it", i, lines[i], w)
			}
		}
	}
	_, out, _ = newDriftHouse().run(t, fleet.RoleViewer, "drift", "--all")
	for _, want := range []string{"accepted", "bob: a trial", "gone", "bios.smt"} {
		if !strings.Contains(out, want) {
			t.Errorf("--all lacks %q:\n%s", want, out)
		}
	}
}

func TestDriftPicks(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string // ids
	}{
		{"", []string{"s01:firmware", "s02:bios.version", "s02:firmware"}},
		{"s02", []string{"s02:bios.version", "s02:firmware"}},
		{"s03", nil},
		{"s04", nil},
		{"s03 --all", []string{"s03:firmware"}},
		{"state:accepted --all", []string{"s03:firmware"}},
		{"severity:crit", []string{"s02:bios.version"}},
		{"facet:firmware !s01", []string{"s02:firmware"}},
		{"age>90m rack:r01", []string{"s02:bios.version", "s02:firmware"}},
		{"--all s01", []string{"s01:firmware", "s01:bios.smt"}},
	} {
		code, out, errOut := newDriftHouse().run(t, fleet.RoleViewer, append([]string{"drift", "--json"}, strings.Fields(c.args)...)...)
		var got struct {
			Items []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
			t.Fatalf("drift %s: %d %v %s", c.args, code, err, errOut)
		}
		var ids []string
		for _, x := range got.Items {
			ids = append(ids, x.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("drift %s: %v, want %v", c.args, ids, c.want)
		}
	}
}

func TestWhatARuledFindingSaysIsFromItsRuling(t *testing.T) {
	_, out, _ := newDriftHouse().run(t, fleet.RoleViewer, "drift", "s03", "--all", "--json")
	for _, want := range []string{`"who":"bob"`, `"why":"a trial"`, `"state":"accepted"`, `"age_s":10800`, `{"name":"cohort","expected":"2.19"}`} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %s: %s", want, out)
		}
	}
	_, page, _ := newDriftHouse().run(t, fleet.RoleViewer, "device", "s03", "--json")
	if !strings.Contains(page, `"findings":[{"id":"s03:firmware"`) || !strings.Contains(page, `"why":"a trial"`) {
		t.Errorf("the device's page does not say what stands against it: %s", page)
	}
	_, page, _ = newDriftHouse().run(t, fleet.RoleViewer, "device", "s04", "--json")
	if !strings.Contains(page, `"findings":[]`) {
		t.Errorf("none is an empty list: %s", page)
	}
}

func TestRulingsAreRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		args []string
		role fleet.Role
		code int
		says string
	}{
		{[]string{"accept", "s01:firmware", "--reason", "ok"}, fleet.RoleViewer, exitFailed, "needs role operator, you are viewer"},
		{[]string{"accept"}, fleet.RoleOperator, exitUsage, "needs ids"},
		{[]string{"accept", "s01:firmware"}, fleet.RoleOperator, exitUsage, "needs --reason"},
		{[]string{"accept", "s01:firmware", "--reason", " "}, fleet.RoleOperator, exitUsage, "needs --reason"},
		{[]string{"waive", "s01:firmware", "--reason", "x"}, fleet.RoleOperator, exitUsage, "needs --for"},
		{[]string{"waive", "s01:firmware", "--reason", "x", "--for", "soon"}, fleet.RoleOperator, exitUsage, "not a duration"},
		{[]string{"waive", "s01:firmware", "--reason", "x", "--for", "5y"}, fleet.RoleOperator, exitFailed, "a year at most"},
		{[]string{"accept", "s01:firmware", "--reason", "x", "--for", "1d"}, fleet.RoleOperator, exitFailed, "to accept has no end"},
		{[]string{"accept", "s01:firmwar", "--reason", "x"}, fleet.RoleOperator, exitUsage, "did you mean s01:firmware?"},
		{[]string{"ignore", "s04:firmware", "--reason", "x"}, fleet.RoleOperator, exitUsage, "no such finding"},
		{[]string{"reopen", "s01:firmware", "--reason", "x"}, fleet.RoleOperator, exitFailed, "s01:firmware is open"},
		{[]string{"accept", "s01:firmware", "s02:bios.version", "--reason", "x"}, fleet.RoleOperator, exitFailed, "cannot be read since 13:00"},
		{[]string{"accept", "s01:firmware", "--reason", "x", "--at", "-1h"}, fleet.RoleOperator, exitUsage, "--at"},
		{[]string{"nosuch"}, fleet.RoleViewer, exitUsage, "no such device"},
		{[]string{"coulour:red"}, fleet.RoleViewer, exitUsage, "has a field"},
		{[]string{"s01", "--reason", "x"}, fleet.RoleViewer, exitUsage, "goes with accept"},
	} {
		h := newDriftHouse()
		h.verbs.At = func(context.Context, time.Time) (*fleet.Snapshot, error) { return drifted(), nil }
		code, out, errOut := h.run(t, c.role, append([]string{"drift"}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.says) || out != "" {
			t.Errorf("drift %q: %d %q %q, want %d and %q", c.args, code, out, errOut, c.code, c.says)
		}
		if len(h.decided) != 0 {
			t.Errorf("drift %q decided %+v", c.args, h.decided)
		}
		if denied := c.role == fleet.RoleViewer && c.args[0] == "accept"; denied != (len(h.audited) == 1 && h.audited[0].Outcome == "denied" && h.audited[0].Action == "drift accept") {
			t.Errorf("drift %q audited %+v", c.args, h.audited)
		}
	}
}

func TestARulingIsOneDecisionWithItsAudit(t *testing.T) {
	h := newDriftHouse()
	code, out, errOut := h.run(t, fleet.RoleOperator, "drift", "waive", "s01:firmware", "s02:firmware", "s01:firmware", "--reason", "vendor case 7", "--for", "2d")
	if code != 0 || out != "s01:firmware: waived\ns02:firmware: waived\n" {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
	if len(h.decided) != 1 || len(h.decided[0].Rulings) != 2 || len(h.decided[0].Audit) != 2 {
		t.Fatalf("decided %+v", h.decided)
	}
	want := fleet.Ruling{Target: "s02", Facet: "firmware", Verdict: fleet.FindingWaived, Value: "2.14", Until: driftNow.Add(48 * time.Hour), By: "ann", Reason: "vendor case 7", At: driftNow}
	if got := h.decided[0].Rulings[1]; got != want {
		t.Errorf("ruled %+v, want %+v", got, want)
	}
	if e := h.decided[0].Audit[1]; e.Who != "ann" || e.From != "10.0.0.1:7" || e.Action != "drift waive" || e.Target != "s02:firmware" || e.Outcome != "done" || e.Reason != "vendor case 7" {
		t.Errorf("audited %+v", e)
	}
}

func TestNobodyRulesOnWhatTheyDidNotSee(t *testing.T) {
	by := Caller{User: "ann", Role: fleet.RoleOperator}
	r := views.Rule{On: []views.Seen{{Target: "s01", Facet: "firmware", Observed: "2.13"}}, Verdict: fleet.FindingAccepted, Reason: "x"}
	if _, err := Rule(drifted(), by, r, driftNow); !errors.Is(err, ErrNotSo) || !strings.Contains(err.Error(), "is 2.14 now, you saw 2.13") {
		t.Errorf("accepted another value than was seen: %v", err)
	}
	r.On[0].Observed = "2.14"
	if _, err := Rule(drifted(), by, r, driftNow); err != nil {
		t.Errorf("accepted as it was seen: %v", err)
	}
	by.Role = fleet.RoleViewer
	if _, err := Rule(drifted(), by, r, driftNow); !errors.Is(err, ErrMayNot) {
		t.Errorf("a viewer: %v", err)
	}
}

// TestTheScreenAsksWhyBeforeItRules: an operator opens a finding, accepts it
// with a reason, and is told; the house is asked for what was on the screen.
func TestTheScreenAsksWhyBeforeItRules(t *testing.T) {
	asked := make(chan views.Rule, 4)
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Rule = func(_ context.Context, by Caller, r views.Rule) error {
			asked <- r
			if by.User != "operator" || r.Verdict == fleet.FindingIgnored {
				return ErrNotSo
			}
			return nil
		}
	})
	s := testSnapshot(7)
	edit := s.Devices.Edit()
	edit.At(s.Devices.Number("ams1-r01-s20")).Docket = &fleet.Docket{Looked: 9, Findings: []fleet.Finding{{Target: "ams1-r01-s20", Facet: "firmware", Kind: fleet.FindFirmware,
		Observed: "2.14", State: fleet.FindingOpen, Text: "firmware is 2.14", Since: s.At}}}
	s.Devices = edit.Done()
	h.bell.ring(s)

	d := h.show(h.client("operator"), 120, 40, "")
	d.sees("LIVE")
	d.press("7")
	d.sees("looked at 9 facets")
	d.press("\r")
	d.sees("nobody has accepted a value")
	d.press("A")
	d.sees("accept ams1-r01-s20:firmware as it is, reason")
	d.press("a trial\r")
	d.sees("accepted: ams1-r01-s20:firmware")
	want := views.Seen{Target: "ams1-r01-s20", Facet: "firmware", Observed: "2.14"}
	if r := <-asked; r.Verdict != fleet.FindingAccepted || r.Reason != "a trial" || len(r.On) != 1 || r.On[0] != want {
		t.Errorf("asked for %+v", r)
	}
	d.press("I")
	d.sees("ignore ams1-r01-s20:firmware for good")
	d.press("\r")
	d.sees("needs a reason; nothing was decided")
	d.press("Inoise\r")
	d.sees("ignore not done: refused")
	if r := <-asked; r.Reason != "noise" || len(asked) != 0 {
		t.Errorf("asked for %+v, and %d more", r, len(asked))
	}

	v := h.show(h.client("viewer"), 120, 40, "")
	v.sees("LIVE")
	v.press("7")
	v.sees("looked at 9 facets")
	v.press("A")
	v.sees("accept: needs role operator")
	if len(asked) != 0 {
		t.Error("a viewer's key reached the house")
	}
}
