package views

import (
	"time"

	"plumb/fleet"
)

// Rule asks the session to put on record what a person decided about findings.
// Whoever carries it out judges again whether the person may, and whether each
// finding still says what was on the screen.
type Rule struct {
	On      []Seen
	Verdict fleet.FindingState // accepted, waived, ignored; open takes an earlier one back
	For     time.Duration      // how long it stands; 0: for good
	Reason  string
}

// Seen is a finding as a person saw it.
type Seen struct{ Target, Facet, Observed string }

// ID names the finding.
func (s Seen) ID() string { return s.Target + ":" + s.Facet }

func (Rule) intent() {}
