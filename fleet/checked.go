package fleet

import (
	"strings"
	"time"
)

// Checked is a check over the whole fleet. Passed, found, decided and not
// visible are what the check is about, each counted once.
type Checked struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Severity   Severity   `json:"severity"` // at its worst
	Passed     int        `json:"passed"`
	Found      int        `json:"found"`
	Decided    int        `json:"decided"` // found, and people decided about it
	NotVisible int        `json:"not_visible"`
	Oldest     *time.Time `json:"oldest"` // since when the oldest that is found stands
	How        string     `json:"how"`    // how it is looked at, or why it cannot be
	Fix        string     `json:"fix"`
}

// Says is a check in a word or two. What is not visible, and what people
// decided about, has not passed.
func (c *Checked) Says() string {
	switch {
	case c.Found > 0:
		return "found"
	case c.Passed+c.Decided == 0 && c.NotVisible > 0:
		return "not visible"
	case c.NotVisible > 0:
		return "partly seen"
	case c.Decided > 0:
		return "decided"
	case c.Passed == 0:
		return "about nothing"
	}
	return "passed"
}

// Add counts a finding of the check.
func (c *Checked) Add(f *Finding) {
	if !f.Open() {
		c.Decided++
		return
	}
	c.Found++
	c.Stands(f.Since)
}

// Stands takes in since when something that is found stands.
func (c *Checked) Stands(since time.Time) {
	if c.Oldest == nil || since.Before(*c.Oldest) {
		c.Oldest = &since
	}
}

// OfCheck reports whether a facet is one of a check's: what all of them begin
// with, or that and which part of the target.
func OfCheck(facet, check string) bool {
	rest, ok := strings.CutPrefix(facet, check)
	return ok && (rest == "" || rest[0] == ' ')
}
