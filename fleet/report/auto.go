package report

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Auto is what plumb did by itself in a period, and what it would have done.
type Auto struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Runbooks []AutoRow `json:"runbooks"`
}

// AutoRow is one runbook's part of it.
type AutoRow struct {
	Runbook string      `json:"runbook"`
	Ran     []AutoEvent `json:"ran"`
	Would   []AutoEvent `json:"would_have_run"` // its policy only observes
	Refused []AutoEvent `json:"refused"`
}

// AutoEvent is one decision. Ended is how a run ended: done, failed or unknown;
// "" while it runs, and for what was not run.
type AutoEvent struct {
	At     time.Time `json:"at"`
	Target string    `json:"target"`
	Why    string    `json:"why"`
	Ended  string    `json:"ended,omitempty"`
	Text   string    `json:"text,omitempty"`
}

// AutoOf reads the decisions off the audit log, which has every one of them.
// Entries may come in any order.
func AutoOf(entries []fleet.AuditEntry, since, until time.Time) Auto {
	out := Auto{Since: since.UTC(), Until: until.UTC(), Runbooks: []AutoRow{}}
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b fleet.AuditEntry) int { return int(int64(a.Seq) - int64(b.Seq)) })
	for i := range entries {
		e := &entries[i]
		if e.Who == "plumb" && !e.At.Before(since) && e.At.Before(until) {
			out.take(e)
		}
	}
	slices.SortFunc(out.Runbooks, func(a, b AutoRow) int { return strings.Compare(a.Runbook, b.Runbook) })
	return out
}

// take adds what one entry says.
func (a *Auto) take(e *fleet.AuditEntry) {
	if name, is := strings.CutPrefix(e.Action, "run "); is {
		a.ended(name, e)
		return
	}
	name, is := strings.CutPrefix(e.Action, "auto ")
	if !is || name == "digest" {
		return
	}
	name = strings.TrimPrefix(name, "observe ")
	r, x := a.row(name), AutoEvent{At: e.At.UTC(), Target: e.Target, Why: e.Reason}
	switch e.Outcome {
	case "begun":
		r.Ran = append(r.Ran, x)
	case "done":
		r.Would = append(r.Would, x)
	default:
		r.Refused = append(r.Refused, x)
	}
}

// ended finds the run that an end belongs to.
func (a *Auto) ended(name string, e *fleet.AuditEntry) {
	if e.Outcome == "begun" {
		return
	}
	r := a.row(name)
	for i := len(r.Ran) - 1; i >= 0; i-- {
		if x := &r.Ran[i]; x.Target == e.Target && x.Ended == "" {
			x.Ended, x.Text = e.Outcome, e.Reason
			return
		}
	}
}

func (a *Auto) row(name string) *AutoRow {
	i := slices.IndexFunc(a.Runbooks, func(r AutoRow) bool { return r.Runbook == name })
	if i < 0 {
		i = len(a.Runbooks)
		a.Runbooks = append(a.Runbooks, AutoRow{Runbook: name, Ran: []AutoEvent{}, Would: []AutoEvent{}, Refused: []AutoEvent{}})
	}
	return &a.Runbooks[i]
}

// Markdown writes the digest for people.
func (a *Auto) Markdown() string {
	var p page
	p.head(1, "What plumb did by itself")
	p.say("From %s to %s UTC.", a.Since.Format("2006-01-02 15:04"), a.Until.Format("2006-01-02 15:04"))
	if len(a.Runbooks) == 0 {
		p.gap()
		p.say("Nothing, and it would have done nothing: no policy was met, or there is none (policies.auto).")
	}
	for i := range a.Runbooks {
		r := &a.Runbooks[i]
		p.head(2, "%s", r.Runbook)
		p.say("Ran %d, would have run %d, refused %d.", len(r.Ran), len(r.Would), len(r.Refused))
		p.gap()
		var items []string
		for _, part := range [...]struct {
			word string
			list []AutoEvent
		}{{"ran", r.Ran}, {"would have run", r.Would}, {"refused", r.Refused}} {
			for _, x := range part.list {
				items = append(items, x.text(part.word))
			}
		}
		p.items("Nothing.", items)
	}
	return p.b.String()
}

func (x *AutoEvent) text(word string) string {
	s := x.At.Format("01-02 15:04:05") + " " + word + " on " + x.Target + ": " + x.Why
	switch {
	case x.Ended != "":
		s += "; " + x.Ended + ": " + x.Text
	case word == "ran":
		s += "; its end is not on record yet"
	}
	return s
}
