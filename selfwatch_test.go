package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/console/config"
	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/probes"
	"plumb/store"
)

func TestSymptomIsSaidOnceAndTakenBack(t *testing.T) {
	y := symptom{kind: "polls"}
	for i, c := range []struct {
		seen     string
		says     string
		asserted bool
	}{
		{"", "", false},
		{"late", "", false}, // once is nothing
		{"", "", false},
		{"late", "", false},
		{"late", "late", true},
		{"later", "", false},
		{"", "over", false},
		{"", "", false},
	} {
		r, news := y.look(c.seen, "over")
		if r.Text != c.says || news != (c.says != "") || r.Asserted != c.asserted || news && r.Kind != "polls" {
			t.Errorf("look %d: %+v, %v", i, r, news)
		}
	}
}

// TestACertificateMoreIsSaid: one that comes to its end is no reason to keep quiet
// of the next, or of that it has come.
func TestACertificateMoreIsSaid(t *testing.T) {
	y := symptom{kind: "certificates", each: true}
	var said []string
	for _, seen := range []string{"a expires", "a expires", "a expires", "a has expired; b expires", "a has expired; b expires", ""} {
		if r, news := y.look(seen, "over"); news {
			said = append(said, r.Text)
		}
	}
	if want := []string{"a expires", "a has expired; b expires", "over"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// TestASymptomOutlivesTheProcess: what was said before a start is taken back after
// it, and is not said twice.
func TestASymptomOutlivesTheProcess(t *testing.T) {
	event := func(kind, text string, asserted bool) fleet.Event {
		return fleet.Event{Source: "plumb", Type: kind, Text: text, Asserted: asserted}
	}
	events := []fleet.Event{event("commits", "quick", false), event("polls", "late", true), event("commits", "slow", true), event("polls", "in time", false)}
	for _, c := range []struct{ kind, seen, says string }{
		{"polls", "", "over"}, {"polls", "late", ""},
		{"commits", "", ""}, {"commits", "slow", "slow"},
		{"certificates", "", ""},
	} {
		y := symptom{kind: c.kind}
		y.resume(events)
		says := ""
		for range 2 * selfTwice {
			r, _ := y.look(c.seen, "over")
			says += r.Text
		}
		if says != c.says {
			t.Errorf("%s, now %q: says %q, want %q", c.kind, c.seen, says, c.says)
		}
	}
}

func TestDamaged(t *testing.T) {
	records, polls := damaged(store.Stats{Broken: 1}), damaged(store.Stats{Unreadable: 1})
	if damaged(store.Stats{}) != "" || !strings.Contains(records, "plumb verify") || damaged(store.Stats{Met: true}) != records {
		t.Errorf("of records: %q", records)
	}
	if !strings.Contains(polls, "memory") || damaged(store.Stats{Met: true, Unreadable: 3}) != records+"; "+polls {
		t.Errorf("of polls: %q", polls)
	}
}

func TestOverdue(t *testing.T) {
	now := time.Now()
	c := probes.Defaults()
	long := now.Add(-2*c.Interval - c.Timeout - time.Second)
	spec := &fleet.DeviceSpec{Endpoints: []fleet.Endpoint{{}}}
	s := &fleet.Snapshot{Devices: fleet.NewTable([]string{"fresh", "late", "blind", "never", "unpolled"}, []fleet.Device{
		{Spec: spec, SeenAt: now}, {Spec: spec, SeenAt: long}, {Spec: spec, SeenAt: long, BlindSince: long}, {Spec: spec}, {Spec: &fleet.DeviceSpec{}, SeenAt: long},
	})}
	if got := overdue(s, c, now); got != "1 device not polled for two intervals: polling is behind" {
		t.Errorf("%q", got)
	}
	if got := overdue(s, c, now.Add(-time.Minute)); got != "" {
		t.Errorf("%q", got)
	}
}

func TestSlow(t *testing.T) {
	if got := slow(store.Stats{CommitP99: time.Minute}, time.Minute); got != "" {
		t.Error(got)
	}
	if got := slow(store.Stats{CommitP99: 61 * time.Second}, time.Minute); got == "" {
		t.Error("nothing is said")
	}
}

func TestExpiring(t *testing.T) {
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	was := []config.Certificate{{Setting: "metrics: cert_file", NotAfter: now.Add(3 * day)}, {Setting: "alerts.receivers: hook: tls.cert", NotAfter: now.Add(-day)}, {Setting: "remote_write long: cert_file", NotAfter: now.Add(certSoon + time.Second)}}
	if got, want := expiring(was, now), "the certificate of alerts.receivers: hook: tls.cert has expired on 2026-11-26; the certificate of metrics: cert_file expires on 2026-11-30"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	next := []config.Certificate{{Setting: "metrics: cert_file", NotAfter: now.Add(90 * day)}, {Setting: "alerts.receivers: hook: tls.cert", NotAfter: now.Add(90 * day)}}
	if got, want := expiring(certsAfter(was, next), now), "the certificate of metrics: cert_file expires on 2026-11-30"; got != want {
		t.Errorf("after a reload, which leaves metrics as it was: %q, want %q", got, want)
	}
}

// TestSelfRules: what plumb says of itself fires a rule that comes with it, and
// ends it when it is taken back.
func TestSelfRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plumb.yaml")
	if err := os.WriteFile(path, []byte("store: {dir: data}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for kind, rule := range map[string]string{"store": "self-store", "polls": "self-polls", "commits": "self-commits", "remote-write far": "self-remote-write", "certificates": "self-certificates", "damage": "self-damage", "clock": "self-clock"} {
		now := time.Now()
		s := engine.Lay(f.Inventory).Restore(fleet.Memory{}, now)
		fires := func(r fleet.Remark, after time.Duration) bool {
			now = now.Add(after)
			s, _ = engine.Step(s, []fleet.Input{r}, now)
			if s.Alerts == nil {
				return false
			}
			for _, a := range s.Alerts.List {
				if a.Rule == rule && a.Target == "plumb" && a.State == fleet.AlertFiring && a.Summary == "plumb: it is so" {
					return true
				}
			}
			return false
		}
		if !fires(fleet.Remark{Kind: kind, Text: "it is so", Severity: fleet.SeverityWarn, Asserted: true}, time.Second) {
			t.Errorf("%s does not fire %s", kind, rule)
		}
		if kind == "clock" {
			continue // it ends by itself
		}
		if !fires(fleet.Remark{Kind: "other", Text: "x"}, 6*time.Hour) {
			t.Errorf("%s ended while nobody took it back", rule)
		}
		if fires(fleet.Remark{Kind: kind, Text: "over", Severity: fleet.SeverityInfo}, time.Hour) {
			t.Errorf("%s still fires after it was taken back", rule)
		}
	}
}

// TestAProcessTakesUpWhatTheLastSaid of itself: from events as the engine writes them.
func TestAProcessTakesUpWhatTheLastSaid(t *testing.T) {
	l := live(t, t.TempDir())
	defer l.stop()
	for _, r := range []fleet.Remark{
		{Kind: "polls", Text: "late", Severity: fleet.SeverityWarn, Asserted: true},
		{Kind: "commits", Text: "slow", Severity: fleet.SeverityWarn, Asserted: true},
		{Kind: "commits", Text: "quick again", Severity: fleet.SeverityInfo},
	} {
		if err := l.Apply(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{store: &keeper{Store: l.Store}}
	polls, commits := symptom{kind: "polls"}, symptom{kind: "commits"}
	h.stillSaid(t.Context(), &polls, &commits)
	if polls.said != "late" || commits.said != "" {
		t.Errorf("polls %q, commits %q", polls.said, commits.said)
	}
}
