package security

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// What was found a week ago is read off the dockets: they keep since when what
// stands is found, when people decided about it, and for a week what is gone.
// They do not keep since when a check was tried, so the answer is given only
// where something of a week ago shows that somebody looked.

// past counts what of a check was found seven days before now, and undecided.
func (t *count) past(c *Check, d *fleet.Docket, now time.Time) {
	if d == nil {
		return
	}
	then := now.Add(-drift.Week)
	for _, list := range [...][]fleet.Finding{d.Findings, d.Gone} {
		for i := range list {
			f := &list[i]
			stood := !f.Since.After(then) && (f.Ended.IsZero() || f.Ended.After(then))
			if f.Kind == fleet.FindSecurity && c.of(f.Facet) && stood && !decided(d, f, then) {
				t.then++
			}
		}
	}
}

// decided reports whether people had decided about a finding by then. Of a
// ruling that was replaced since, only the last is known.
func decided(d *fleet.Docket, f *fleet.Finding, then time.Time) bool {
	for i := range d.Rulings {
		if r := &d.Rulings[i]; r.Facet == f.Facet && !r.At.After(then) && r.Stands(f.Observed, then) {
			return true
		}
	}
	return false
}

// watchedBefore reports whether anything was found, or decided, at a time or
// before it.
func (cov *coverage) watchedBefore(then time.Time) bool {
	for _, d := range cov.s.Devices.All() {
		if cov.in(d.Spec.Region) && dated(d.Docket, then) {
			return true
		}
	}
	for _, x := range cov.s.Clouds.All() {
		if cov.in(x.Spec.Region) && dated(x.Docket, then) {
			return true
		}
	}
	return false
}

func dated(d *fleet.Docket, then time.Time) bool {
	if d == nil {
		return false
	}
	for _, list := range [...][]fleet.Finding{d.Findings, d.Gone} {
		for i := range list {
			if !list[i].Since.After(then) {
				return true
			}
		}
	}
	for i := range d.Rulings {
		if !d.Rulings[i].At.After(then) {
			return true
		}
	}
	return false
}
