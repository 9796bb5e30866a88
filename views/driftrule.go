package views

import (
	"strings"
	"time"

	"plumb/fleet"
	"plumb/keys"
)

// verdictOf is what a command decides about findings.
var verdictOf = map[string]fleet.FindingState{
	"drift.accept": fleet.FindingAccepted, "drift.waive": fleet.FindingWaived, "drift.ignore": fleet.FindingIgnored, "drift.reopen": fleet.FindingOpen,
}

// ruleOn asks for the reason of a ruling, or with it makes the ruling. What it
// is about is what was on the screen when the question was asked: rows may have
// moved while the reason was typed.
func ruleOn(asked Rule, on []*fleet.Finding, verdict fleet.FindingState, c keys.Command) (Rule, Intent) {
	if c.Arg(0) == "" {
		next := Rule{Verdict: verdict}
		for _, x := range on {
			next.On = append(next.On, Seen{Target: x.Target, Facet: x.Facet, Observed: x.Observed})
		}
		if asked.Verdict == verdict && len(asked.On) > 0 && c.Args != nil { // an empty line was entered
			return Rule{}, Toast{Text: c.Title + ": needs a reason; nothing was decided"}
		}
		return next, Ask{Label: askFor(next), Text: askText(verdict), Command: c.ID}
	}
	if asked.Verdict != verdict || len(asked.On) == 0 { // by the palette, with its reason at once
		asked = Rule{Verdict: verdict}
		for _, x := range on {
			asked.On = append(asked.On, Seen{Target: x.Target, Facet: x.Facet, Observed: x.Observed})
		}
	}
	asked.Reason = strings.TrimSpace(c.Arg(0))
	if verdict == fleet.FindingWaived {
		word, reason, _ := strings.Cut(asked.Reason, " ")
		seconds, ok := amountOf(word)
		if !ok || seconds < 1 || seconds > 1e9 || strings.TrimSpace(reason) == "" {
			return Rule{}, Toast{Text: c.Title + ": first for how long, then why: 7d vendor case 4711; nothing was decided"}
		}
		asked.For, asked.Reason = time.Duration(seconds*float64(time.Second)), strings.TrimSpace(reason)
	}
	return Rule{}, asked
}

func askFor(r Rule) string {
	what := r.On[0].ID()
	if len(r.On) > 1 {
		what = fleet.Count(len(r.On), "finding")
	}
	switch r.Verdict {
	case fleet.FindingAccepted:
		return "accept " + what + " as it is, reason"
	case fleet.FindingWaived:
		return "waive " + what + ", for how long and why"
	case fleet.FindingIgnored:
		return "ignore " + what + " for good, reason"
	}
	return "reopen " + what + ", reason"
}

func askText(verdict fleet.FindingState) string {
	if verdict == fleet.FindingWaived {
		return "7d "
	}
	return ""
}
