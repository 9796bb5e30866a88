package export

import (
	"plumb/fleet/runbook"
)

// Runbook is a recipe as it is listed.
type Runbook struct {
	Name    string   `json:"name"`
	On      string   `json:"on"`
	Danger  int      `json:"danger"` // of its worst step, before guards
	Steps   int      `json:"steps"`
	Asks    bool     `json:"asks"`    // it needs somebody to answer it
	Matches []string `json:"matches"` // targets that it is of use for now
	Title   string   `json:"title"`
	When    []string `json:"when"`
	Why     string   `json:"why"`
	From    string   `json:"from"` // file; "": it comes with plumb
}

// RunbookOf is a row of a book.
func RunbookOf(b *runbook.Book, matches []string) Runbook {
	r := Runbook{Name: b.Name, On: string(b.On), Danger: int(b.Danger()), Steps: len(b.Steps), Asks: b.Prompts(), Matches: matches, Title: b.Title, When: []string{}, Why: b.Why, From: b.From}
	for i := range b.When {
		r.When = append(r.When, b.When[i].String())
	}
	return r
}

// RunbookMatch is whether a recipe is of use for one target.
type RunbookMatch struct {
	Name    string `json:"name"`
	Matches bool   `json:"matches"`
	Why     string `json:"why"` // or why not
	Title   string `json:"title"`
}

// Rehearsal is what a run would do.
type Rehearsal struct {
	Runbook string         `json:"runbook"`
	Target  string         `json:"target"`
	Begins  bool           `json:"begins"`
	Why     string         `json:"why"` // why it would not begin
	Steps   []runbook.Line `json:"steps"`
}
