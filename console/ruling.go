package console

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/views"
	"plumb/views/export"
)

// Why a ruling is not taken: [ErrMayNot] is about the person, [ErrNotSo] about
// what they ruled on.
var (
	ErrMayNot = errors.New("denied")
	ErrNotSo  = errors.New("refused")
)

// longestWaiver bounds a waiver. What nobody wants to see again is ignored, on
// record and by name, and not waived for a century.
const longestWaiver = 366 * 24 * time.Hour

// maxRuled bounds the findings of one ruling.
const maxRuled = 1000

// Rule turns what a person decided about findings into a decision that the
// engine takes and the store makes durable in one commit with its audit
// entries. It is all or nothing: one finding that is not as it was seen
// refuses the whole.
func Rule(s *fleet.Snapshot, by Caller, r views.Rule, now time.Time) (fleet.Decision, error) {
	var d fleet.Decision
	if err := mayRule(by, r); err != nil {
		return d, err
	}
	now = now.UTC()
	for _, seen := range r.On {
		if !by.Scope.Holds(s, seen.Target) {
			return fleet.Decision{}, fmt.Errorf("%w: %s is outside of your scope", ErrMayNot, fleet.Clean(seen.Target, 80))
		}
		is, err := stands(s, seen, r.Verdict)
		if err != nil {
			return fleet.Decision{}, err
		}
		x := fleet.Ruling{Target: seen.Target, Facet: seen.Facet, Verdict: r.Verdict, Value: is.Observed, By: by.User, Reason: fleet.Clean(r.Reason, fleet.MaxText), At: now}
		if r.For > 0 {
			x.Until = now.Add(r.For)
		}
		d.Rulings = append(d.Rulings, x)
		d.Audit = append(d.Audit, ruledEntry(by, r, seen.ID(), "done", x.Reason, now))
	}
	return d, nil
}

// Denied is the audit entry of a ruling that its caller may not make.
func Denied(by Caller, r views.Rule, err error, now time.Time) fleet.AuditEntry {
	target := ""
	if len(r.On) > 0 {
		target = r.On[0].ID()
	}
	return ruledEntry(by, r, target, "denied", fleet.Clean(err.Error(), fleet.MaxText), now.UTC())
}

func ruledEntry(by Caller, r views.Rule, target, outcome, reason string, now time.Time) fleet.AuditEntry {
	return fleet.AuditEntry{At: now, Who: by.User, From: by.From, Action: "drift " + verdictVerb[r.Verdict], Target: fleet.Clean(target, fleet.MaxText), Outcome: outcome, Reason: reason}
}

// verdictVerb is what people type for a verdict.
var verdictVerb = map[fleet.FindingState]string{
	fleet.FindingAccepted: "accept", fleet.FindingWaived: "waive", fleet.FindingIgnored: "ignore", fleet.FindingOpen: "reopen",
}

// mayRule judges the person and the words, before any finding.
func mayRule(by Caller, r views.Rule) error {
	verb := verdictVerb[r.Verdict]
	switch {
	case by.Role < fleet.RoleOperator:
		return fmt.Errorf("%w: needs role operator, you are %s", ErrMayNot, by.Role)
	case verb == "":
		return fmt.Errorf("%w: %q is no verdict", ErrNotSo, fleet.Clean(string(r.Verdict), 40))
	case len(r.On) == 0 || len(r.On) > maxRuled:
		return fmt.Errorf("%w: %d findings; 1 to %d at once", ErrNotSo, len(r.On), maxRuled)
	case strings.TrimSpace(fleet.Clean(r.Reason, fleet.MaxText)) == "":
		return fmt.Errorf("%w: needs a reason: it is what the audit log will say", ErrNotSo)
	case r.Verdict == fleet.FindingWaived && r.For <= 0:
		return fmt.Errorf("%w: a waiver needs its end", ErrNotSo)
	case r.For < 0 || r.For > longestWaiver:
		return fmt.Errorf("%w: it can stand for a year at most; ignore has no end", ErrNotSo)
	case r.For > 0 && (r.Verdict == fleet.FindingAccepted || r.Verdict == fleet.FindingOpen):
		return fmt.Errorf("%w: to %s has no end", ErrNotSo, verb)
	}
	return nil
}

// stands finds a finding as it was seen, or says why there is nothing to rule
// on.
func stands(s *fleet.Snapshot, seen views.Seen, verdict fleet.FindingState) (*drift.Standing, error) {
	is := drift.Find(s, seen.Target, seen.Facet)
	switch {
	case is == nil:
		return nil, fmt.Errorf("%w: %s is not found any more", ErrNotSo, fleet.Clean(seen.ID(), 120))
	case is.Observed != seen.Observed:
		return nil, fmt.Errorf("%w: %s is %s now, you saw %s", ErrNotSo, is.ID(), is.Observed, fleet.Clean(seen.Observed, 80))
	case verdict == fleet.FindingOpen && is.Open():
		return nil, fmt.Errorf("%w: %s is open", ErrNotSo, is.ID())
	case verdict == fleet.FindingAccepted && !is.Stale.IsZero():
		return nil, fmt.Errorf("%w: %s cannot be read since %s: what it is now nobody knows", ErrNotSo, is.ID(), is.Stale.UTC().Format("15:04"))
	}
	return is, nil
}

// findingOf finds a finding by its id or says which is nearest.
func findingOf(s *fleet.Snapshot, id string) (*drift.Standing, error) {
	target, facet, _ := strings.Cut(id, ":")
	if f := drift.Find(s, target, facet); f != nil {
		return f, nil
	}
	var ids []string
	for _, f := range drift.Read(s, "").Standing {
		ids = append(ids, f.ID())
	}
	hint := "drift --all lists them"
	if near := export.Closest(ids, id); near != "" {
		hint = "did you mean " + near + "?"
	}
	return nil, &Failure{"unknown", fmt.Sprintf("%s: no such finding", fleet.Clean(id, 120)), hint}
}
