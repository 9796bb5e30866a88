package export

import (
	"strings"
	"time"

	"plumb/fleet"
)

// Drift is one finding about one facet of one target.
type Drift struct {
	ID         string             `json:"id"`
	Target     string             `json:"target"`
	Facet      string             `json:"facet"`
	Kind       fleet.FindingKind  `json:"kind"`
	Class      fleet.Class        `json:"class"`
	Baselines  []fleet.Baseline   `json:"baselines"`
	Observed   string             `json:"observed"`
	Severity   fleet.Severity     `json:"severity"`
	Confidence fleet.Confidence   `json:"confidence"`
	Since      *time.Time         `json:"since"`
	AgeS       *int64             `json:"age_s"`
	State      fleet.FindingState `json:"state"`
	Who        string             `json:"who"` // ruled on it, else changed it where something tells
	Why        string             `json:"why"` // the reason of the ruling, else the cause where it is known
	Until      *time.Time         `json:"until"`
	StaleSince *time.Time         `json:"stale_since"`
	EndedAt    *time.Time         `json:"ended_at"`
	Text       string             `json:"text"`
	Evidence   string             `json:"evidence"`
	Fix        string             `json:"fix"`
}

// DriftOf is the row of a finding with its ruling, nil where there is none.
func DriftOf(f *fleet.Finding, r *fleet.Ruling, now time.Time) Drift {
	x := Drift{ID: f.ID(), Target: f.Target, Facet: f.Facet, Kind: f.Kind, Class: f.Class, Baselines: f.Baselines, Observed: f.Observed, Severity: f.Severity,
		Confidence: f.Confidence, Since: when(f.Since), AgeS: age(now, f.Since), State: f.State, Who: f.Who, Why: f.Cause, StaleSince: when(f.Stale), EndedAt: when(f.Ended),
		Text: f.Text, Evidence: f.Evidence, Fix: f.Fix}
	if x.Baselines == nil {
		x.Baselines = []fleet.Baseline{}
	}
	if r != nil {
		x.Who, x.Why, x.Until = r.By, r.Reason, when(r.Until)
	}
	return x
}

// DriftGroup is findings of one cause, as people read them.
type DriftGroup struct {
	Severity fleet.Severity     `json:"severity"`
	Kind     fleet.FindingKind  `json:"kind"`
	Facet    string             `json:"facet"`
	Observed string             `json:"observed"`
	Expected string             `json:"expected"`
	Members  int                `json:"members"`
	Age      string             `json:"age"`
	State    fleet.FindingState `json:"state"`
	Sure     fleet.Confidence   `json:"sure"`
	On       string             `json:"on"`
	Why      string             `json:"why"`
}

// ExpectedText names the baselines that disagree: "2.19 (intended, cohort)".
func ExpectedText(list []fleet.Baseline) string {
	var out []string
	for i, b := range list {
		if said(list[:i], b.Expected) {
			continue
		}
		var by []string
		for _, other := range list[i:] {
			if other.Expected == b.Expected {
				by = append(by, strings.ReplaceAll(string(other.Name), "_", " "))
			}
		}
		value := b.Expected
		if value == "" {
			value = "none"
		}
		out = append(out, value+" ("+strings.Join(by, ", ")+")")
	}
	return strings.Join(out, ", ")
}

func said(list []fleet.Baseline, expected string) bool {
	for _, b := range list {
		if b.Expected == expected {
			return true
		}
	}
	return false
}
