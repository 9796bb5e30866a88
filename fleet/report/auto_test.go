package report

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestAuto: the digest is what the audit log says that plumb decided, with how
// its runs ended; what people did, and what lies outside, is not in it.
func TestAuto(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	var list []fleet.AuditEntry
	add := func(ago time.Duration, who, action, target, outcome, reason string) {
		list = append(list, fleet.AuditEntry{Seq: uint64(len(list) + 1), At: at.Add(-ago), Who: who, Action: action, Target: target, Outcome: outcome, Reason: reason})
	}
	add(30*time.Hour, "plumb", "auto sel-clear", "s00", "begun", "before")
	add(9*time.Hour, "plumb", "auto sel-clear", "s01", "begun", "event log is full")
	add(9*time.Hour, "plumb", "run sel-clear", "s01", "begun", "by itself")
	add(8*time.Hour, "plumb", "run sel-clear", "s01", "done", "all steps done")
	add(7*time.Hour, "plumb", "auto sel-clear", "s02", "begun", "event log is full")
	add(6*time.Hour, "plumb", "auto observe port-vlan", "sw1/Ethernet1", "done", "finding vlan")
	add(5*time.Hour, "plumb", "auto sel-clear", "s03", "refused", "3 of 3 a day are spent")
	add(4*time.Hour, "ann", "run sel-clear", "s04", "done", "hers")
	add(3*time.Hour, "plumb", "auto digest", "plumb", "done", "the day before")
	newest := make([]fleet.AuditEntry, 0, len(list))
	for i := range list {
		newest = append(newest, list[len(list)-1-i])
	}
	a := AutoOf(newest, at.Add(-24*time.Hour), at)
	if len(a.Runbooks) != 2 || a.Runbooks[0].Runbook != "port-vlan" || len(a.Runbooks[0].Would) != 1 {
		t.Fatalf("%+v", a)
	}
	sel := a.Runbooks[1]
	if len(sel.Ran) != 2 || sel.Ran[0].Ended != "done" || sel.Ran[1].Ended != "" || len(sel.Refused) != 1 {
		t.Errorf("%+v", sel)
	}
	text := a.Markdown()
	for _, want := range []string{"Ran 2, would have run 0, refused 1.", "on s01: event log is full; done: all steps done", "s02: event log is full; its end is not on record yet", "would have run on sw1/Ethernet1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	none := AutoOf(nil, at.Add(-time.Hour), at)
	if !strings.Contains(none.Markdown(), "it would have done nothing") {
		t.Error(none.Markdown())
	}
}
