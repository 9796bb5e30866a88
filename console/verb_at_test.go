package console

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

// still is a memory whose present is empty.
type still struct{ Memory }

func (still) Snapshot() *fleet.Snapshot { return &fleet.Snapshot{} }

// A verb with --at prints the snapshot of that time, dated with it, and takes
// nothing from the present; a verb that cannot, says so.
func TestAtPrintsThePast(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var asked []time.Time
	v := &Verbs{Memory: still{}, Now: func() time.Time { return now }, At: func(_ context.Context, t time.Time) (*fleet.Snapshot, error) {
		if since := now.Add(-100 * 24 * time.Hour); t.Before(since) {
			return nil, &TooEarlyError{since}
		}
		asked = append(asked, t)
		past := &fleet.Snapshot{At: t}
		past.Devices = fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s1"}}})
		return past, nil
	}}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"devices --json --at -2h", 0, `"at":"2026-11-23T10:00:00Z"`},
		{"devices --json --at 11:30", 0, `"id":"s1"`},
		{"device s1 --json --at=2026-11-22T00:00:00Z", 0, `"at":"2026-11-22T00:00:00Z"`},
		{"devices --json", 0, `"items":[]`},
		{"devices --at soon", exitUsage, "not a time"},
		{"devices --at 2026-11-24T00:00:00Z", exitUsage, "lies ahead"},
		{"devices --at -1y", exitUsage, "nothing is kept from before 2026-08-15 12:00:00Z"},
		{"who --at -2h", exitUsage, "takes no --at"},
	} {
		var out bytes.Buffer
		code := v.Run(t.Context(), VerbCall{Args: strings.Fields(c.args), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleAdmin}})
		if text := strings.ReplaceAll(strings.ReplaceAll(out.String(), "\n", ""), " ", ""); code != c.code || !strings.Contains(text, strings.ReplaceAll(c.says, " ", "")) {
			t.Errorf("%s: %d %s, want %d and %s", c.args, code, out.String(), c.code, c.says)
		}
	}
	if len(asked) != 3 {
		t.Errorf("asked for %v", asked)
	}
}

// Answer finds what a series of the past asks, and dates nothing by itself.
func (still) Answer(_ context.Context, q fleet.Query, at time.Time) fleet.Answer {
	return fleet.Answer{Points: []fleet.Point{{Ms: at.UnixMilli()}}, Events: []fleet.Event{{ID: "e", At: at}}, Jobs: []fleet.Job{{ID: "j", Began: at}}}
}

// Every verb that may be dated is dated: it asks for that time and says it.
func TestEveryDatedVerbPrintsItsTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	then := now.Add(-time.Hour)
	for _, name := range dated {
		v := &Verbs{Memory: still{}, Now: func() time.Time { return now }, Books: func() []*runbook.Book { return nil }, At: func(_ context.Context, at time.Time) (*fleet.Snapshot, error) {
			past := &fleet.Snapshot{At: at, Topology: &fleet.Topology{}}
			past.Devices = fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s1"}}})
			return past, nil
		}}
		args := map[string][]string{"device": {"device", "s1"}, "series": {"series", "s1/power_w"},
			"trace": {"trace", "s1"}, "whatif": {"whatif", "fail", "s1"}, "place": {"place", "1", "--watts", "100"}, "report": {"report", "ops"}}[name]
		if args == nil {
			args = []string{name}
		}
		var out bytes.Buffer
		code := v.Run(t.Context(), VerbCall{Args: append(args, "--json", "--at", then.Format(time.RFC3339)), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleAdmin}})
		if text := out.String(); (code != exitOK && name != "status" && name != "place") || !strings.Contains(text, `"at":"2026-11-23T11:00:00Z"`) || strings.Contains(text, "12:00:00") {
			t.Errorf("%s: %d %s", name, code, text)
		}
	}
}
