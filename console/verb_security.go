package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/security"
	"plumb/views"
	"plumb/views/export"
)

// runSecurity lists the checks with what each found and could not see, or the
// findings of one.
func runSecurity(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	region := c.flags["region"]
	if err := knownRegion(s, region); err != nil {
		return err
	}
	checks := security.CoverageIn(s, region)
	if len(c.words) == 0 {
		return c.writeChecks(s, checks)
	}
	i, err := c.checkOf(len(checks), func(i int) string { return checks[i].ID })
	if err != nil {
		return err
	}
	t := &checks[i]
	return c.writeCheck(s, ofCheck(t.ID), region, summaryOf(t))
}

// checkLine is a check as people read it: a word first, and how old the oldest
// answer behind it is.
type checkLine struct {
	ID           string         `json:"id"`
	Severity     fleet.Severity `json:"severity"`
	Says         string         `json:"says"`
	Passed       int            `json:"passed"`
	Found        int            `json:"found"`
	Decided      int            `json:"decided"`
	NotVisible   int            `json:"not_visible"`
	NotAsked     int            `json:"not_asked"`
	Stale        int            `json:"stale"`
	FoundWeekAgo *int           `json:"found_week_ago"`
	Debt         float64        `json:"debt"`
	Off          string         `json:"off"`
	How          string         `json:"how"`
}

// writeChecks prints all checks.
func (c *verbCall) writeChecks(s *fleet.Snapshot, checks []security.Tally) error {
	if c.format != export.Text {
		return write(c, s.At, checks, hiddenOf(checks)...)
	}
	rows := make([]checkLine, len(checks))
	for i := range checks {
		t := &checks[i]
		rows[i] = checkLine{t.ID, t.Severity, saysOf(t), t.Passed, t.Found, t.Decided, t.NotVisible, t.NotAsked, t.Stale, t.FoundWeekAgo, t.Debt, t.Off, t.How}
	}
	if err := write(c, s.At, rows, hiddenOf(checks)...); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.Stdout, lookedEvery(s))
	return err
}

// saysOf is what a check says, with the age of what it rests on.
func saysOf(t *security.Tally) string {
	if t.AnswersAgeS == nil {
		return t.Says()
	}
	return t.Says() + ", read " + views.Span(time.Duration(*t.AnswersAgeS)*time.Second) + " ago"
}

// lookedEvery says how late a door may be seen.
func lookedEvery(s *fleet.Snapshot) string {
	often, every := s.Intervals[fleet.LaneTables], s.Intervals[fleet.LaneSlow]
	return fmt.Sprintf("doors that a BMC shows to strangers are read about every %s, all others every %s: one that was opened since is not seen yet; older than %s is not visible", views.Span(often), views.Span(every), views.Span(2*every))
}

// checkOf finds the check that is asked for among n, or says which is nearest.
func (c *verbCall) checkOf(n int, id func(i int) string) (int, error) {
	ids := make([]string, n)
	for i := range ids {
		if ids[i] = id(i); ids[i] == c.words[0] {
			return i, nil
		}
	}
	hint := c.Args[0] + " lists the checks"
	if near := export.Closest(ids, c.words[0]); near != "" {
		hint = "did you mean " + near + "?"
	}
	return 0, &Failure{"unknown", fmt.Sprintf("%s: no such check", fleet.Clean(c.words[0], 80)), hint}
}

// ofCheck tells the findings of a check by its id.
func ofCheck(id string) func(*fleet.Finding) bool {
	return func(f *fleet.Finding) bool { return fleet.OfCheck(f.Facet, id) }
}

// writeCheck prints the findings of a check, the worst first, and for people
// what it came to.
func (c *verbCall) writeCheck(s *fleet.Snapshot, of func(*fleet.Finding) bool, region, summary string) error {
	rows := []export.Drift{}
	for f := range s.Findings() {
		if inRegion(s, f.Target, region) && of(f) {
			rows = append(rows, export.DriftOf(f, nil, c.now))
		}
	}
	slices.SortStableFunc(rows, func(a, b export.Drift) int { return int(b.Severity) - int(a.Severity) })
	if len(rows) == 0 && c.format == export.Text { // the summary says it
		_, err := fmt.Fprintln(c.Stdout, summary)
		return err
	}
	if err := write(c, s.At, rows, "id", "kind", "class", "baselines", "confidence", "who", "why", "until", "stale_since", "ended_at", "facet"); err != nil {
		return err
	}
	if c.format == export.Text {
		_, err := fmt.Fprintln(c.Stdout, summary)
		return err
	}
	return nil
}

func summary(found, decided, passed, blind int, how, fix string) string {
	text := fmt.Sprintf("%d found, %d decided, %d passed, %d not visible; how: %s", found, decided, passed, blind, how)
	if fix != "" {
		text += "; fix: " + fix
	}
	return text
}

// hiddenOf are the columns that are left out of text: what explains, and what
// is nothing for every check.
func hiddenOf(checks []security.Tally) []string {
	hide := []string{"title", "fix"}
	if !slices.ContainsFunc(checks, func(t security.Tally) bool { return t.NotAsked > 0 }) {
		hide = append(hide, "not_asked")
	}
	if !slices.ContainsFunc(checks, func(t security.Tally) bool { return t.Stale > 0 }) {
		hide = append(hide, "stale")
	}
	return hide
}

// summaryOf is a check in one line.
func summaryOf(t *security.Tally) string {
	parts := []string{fmt.Sprintf("%d found", t.Found)}
	if t.FoundWeekAgo != nil {
		parts[0] += fmt.Sprintf(" (%d a week ago)", *t.FoundWeekAgo)
	}
	parts = append(parts, fmt.Sprintf("%d decided", t.Decided), fmt.Sprintf("%d passed", t.Passed), fmt.Sprintf("%d not visible", t.NotVisible))
	if t.Stale > 0 {
		parts = append(parts, fmt.Sprintf("%d not read lately", t.Stale))
	}
	if t.NotAsked > 0 {
		parts = append(parts, fmt.Sprintf("no intention given for %d", t.NotAsked))
	}
	text := saysOf(t) + ": " + strings.Join(parts, ", ") + fmt.Sprintf("; debt %.1f weighted days", t.Debt)
	if t.Off != "" {
		text = "off: " + t.Off
	}
	return text + "; how: " + t.How + "; fix: " + t.Fix
}

// inRegion reports whether a device or a cloud is in a region; all are in "".
func inRegion(s *fleet.Snapshot, target, region string) bool {
	if region == "" {
		return true
	}
	if d := s.Devices.Get(target); d != nil {
		return d.Spec.Region == region
	}
	c := s.Clouds.Get(target)
	return c != nil && c.Spec.Region == region
}
