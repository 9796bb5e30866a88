package export

import (
	"time"

	"plumb/fleet"
)

// Alert is one alert with who keeps it from being told.
type Alert struct {
	ID         string            `json:"id"`
	Severity   fleet.Severity    `json:"severity"`
	State      fleet.AlertState  `json:"state"`
	Rule       string            `json:"rule"`
	Target     string            `json:"target"`
	Part       string            `json:"part"`
	Since      *time.Time        `json:"since"`
	AgeS       *int64            `json:"age_s"`
	Summary    string            `json:"summary"`
	HeldBy     string            `json:"held_by"`
	AckedBy    string            `json:"acked_by"`
	SilencedBy string            `json:"silenced_by"`
	Flapping   bool              `json:"flapping"`
	StaleSince *time.Time        `json:"stale_since"`
	FiredAt    *time.Time        `json:"fired_at"`
	EndedAt    *time.Time        `json:"ended_at"`
	Cause      string            `json:"cause"`
	Evidence   string            `json:"evidence"`
	Blast      string            `json:"blast"`
	Runbook    string            `json:"runbook"`
	Labels     map[string]string `json:"labels"`
}

// AlertOf is the row of an alert.
func AlertOf(a *fleet.Alert, now time.Time) Alert {
	x := Alert{ID: a.ID(), Severity: a.Severity, State: a.State, Rule: a.Rule, Target: a.Target, Part: a.Part, Since: when(a.Since), AgeS: age(now, a.Since), Summary: a.Summary,
		SilencedBy: a.Silenced, Flapping: a.Flapping, StaleSince: when(a.Stale), FiredAt: when(a.Fired), EndedAt: when(a.Ended), Cause: a.Cause, Evidence: a.Evidence, Blast: a.Blast, Runbook: a.Runbook, Labels: a.Labels}
	if a.Held != nil {
		x.HeldBy = a.Held.By
	}
	if a.Ack.Stands(now) {
		x.AckedBy = a.Ack.By
	}
	if x.Labels == nil {
		x.Labels = map[string]string{}
	}
	return x
}

// Silence is one silence.
type Silence struct {
	ID       string    `json:"id"`
	Matchers string    `json:"matchers"`
	At       string    `json:"at"` // a place, of a maintenance of it and of all in it
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	By       string    `json:"by"`
	Comment  string    `json:"comment"`
	Active   bool      `json:"active"`
}

// SilenceOf is the row of a silence.
func SilenceOf(s *fleet.Silence, now time.Time) Silence {
	return Silence{ID: s.ID, Matchers: fleet.Matching(s.Matchers), At: s.At, Start: s.Start.UTC(), End: s.End.UTC(), By: s.By, Comment: s.Comment, Active: s.Covers(now)}
}

// AlertRule is one rule with what it came to.
type AlertRule struct {
	Name     string `json:"name"`
	On       string `json:"on"`
	Severity string `json:"severity"` // empty: that of what it looks at
	ForS     int64  `json:"for_s"`
	Firing   int    `json:"firing"`
	Pending  int    `json:"pending"`
	Problem  string `json:"problem"`
	Recovery string `json:"recovery"`
	Summary  string `json:"summary"`
	Runbook  string `json:"runbook"`
}

// firingIn counts the firing alerts that are not held, by the places that each is
// in.
func firingIn(s *fleet.Snapshot, places func(*fleet.Alert) []string) map[string]int {
	out := map[string]int{}
	if s.Alerts == nil {
		return out
	}
	for _, a := range s.Alerts.List {
		if a.State != fleet.AlertFiring || a.Held != nil {
			continue
		}
		for _, place := range places(a) {
			out[place]++
		}
	}
	return out
}
