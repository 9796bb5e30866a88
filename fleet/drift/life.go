package drift

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Settled is a docket after a look, and what that changed.
type Settled struct {
	Docket *fleet.Docket
	Begun  []fleet.Finding // new ones
	Ended  []fleet.Finding // reverted or gone
	Moved  []fleet.Finding // those that say something else than before, with what is new
}

// Judgement is what judges of some kinds of findings said of one target.
type Judgement struct {
	Kinds []fleet.FindingKind // whose findings these are: others stay as they were
	Looks []fleet.Look
	// Looked counts all facets that were judged, Blind those of them that could
	// not be read. Facets in order need no look of their own.
	Looked, Blind int
	Muted         int // facets that the user's policies keep out of sight
	// StaleAfter is how long a finding may stay unread before that is said.
	StaleAfter time.Duration
	LastRead   time.Time // of the target, by the lane that reads slowest
}

// Settle folds a judgement into a docket.
func Settle(was *fleet.Docket, target string, j Judgement, now time.Time) Settled {
	if was == nil {
		was = &fleet.Docket{}
	}
	out := Settled{Docket: &fleet.Docket{Rulings: was.Rulings, Past: was.Past, Again: was.Again, Looked: j.Looked, Blind: j.Blind, Muted: j.Muted}}
	looks := make(map[string]*fleet.Look, len(j.Looks))
	for i := range j.Looks {
		looks[j.Looks[i].Facet] = &j.Looks[i]
	}
	for i := range was.Findings {
		f := was.Findings[i]
		if !slices.Contains(j.Kinds, f.Kind) {
			out.Docket.Findings = append(out.Docket.Findings, f)
			continue
		}
		look := looks[f.Facet]
		if look == nil || look.Known && look.Found == nil {
			f.State, f.Ended, f.Stale = fleet.FindingGone, now, time.Time{}
			out.Ended = append(out.Ended, f)
			delete(looks, f.Facet)
			continue
		}
		delete(looks, f.Facet)
		next := stay(f, look, j, now)
		next.State = ruled(was.Rulings, &next, now)
		if !alike(&f, &next) {
			out.Moved = append(out.Moved, next)
		}
		out.Docket.Findings = append(out.Docket.Findings, next)
	}
	for i := range j.Looks {
		look := &j.Looks[i]
		if looks[look.Facet] != look || !look.Known || look.Found == nil {
			continue
		}
		f := *look.Found
		f.Target, f.Facet = target, look.Facet
		f.Since = since(was.Past, f.Facet, now)
		f.State = ruled(was.Rulings, &f, now)
		out.Begun = append(out.Begun, f)
		out.Docket.Findings = append(out.Docket.Findings, f)
	}
	out.Docket.Gone = slices.Concat(slices.DeleteFunc(slices.Clone(was.Gone), func(f fleet.Finding) bool { return out.again(f.Facet) }), out.Ended)
	slices.SortFunc(out.Docket.Findings, func(a, b fleet.Finding) int { return strings.Compare(a.Facet, b.Facet) })
	return out
}

// again reports whether a facet is found now, or ended now.
func (s *Settled) again(facet string) bool {
	is := func(f fleet.Finding) bool { return f.Facet == facet }
	return slices.ContainsFunc(s.Docket.Findings, is) || slices.ContainsFunc(s.Ended, is)
}

// stay is a finding that was there before, after another look.
func stay(f fleet.Finding, look *fleet.Look, j Judgement, now time.Time) fleet.Finding {
	if !look.Known {
		if f.Stale.IsZero() && !j.LastRead.IsZero() && now.Sub(j.LastRead) > j.StaleAfter {
			f.Stale = now
		}
		return f
	}
	next := *look.Found
	next.Target, next.Facet, next.Since = f.Target, f.Facet, f.Since
	if next.Who == "" && next.Observed == f.Observed { // who did it is known once, from then on
		next.Who = f.Who
	}
	return next
}

// since is when a finding began: when the facet changed last, where that was
// seen. What went back in between was in order until then.
func since(past []fleet.Former, facet string, now time.Time) time.Time {
	for i := range past {
		if p := &past[i]; p.Facet == facet && p.At.Before(now) {
			return p.Changed()
		}
	}
	return now
}

// ruled is the state that people's decisions give a finding.
func ruled(rulings []fleet.Ruling, f *fleet.Finding, now time.Time) fleet.FindingState {
	for i := range rulings {
		if r := &rulings[i]; r.Facet == f.Facet && r.Stands(f.Observed, now) {
			return r.Verdict
		}
	}
	return fleet.FindingOpen
}

// alike reports whether two versions of a finding say the same.
func alike(a, b *fleet.Finding) bool {
	return a.State == b.State && a.Class == b.Class && a.Observed == b.Observed && a.Severity == b.Severity && a.Confidence == b.Confidence &&
		a.Text == b.Text && a.Who == b.Who && a.Stale.Equal(b.Stale) && slices.Equal(a.Baselines, b.Baselines)
}

// Rule puts a ruling into a docket and lets it count at once. A ruling of open
// takes an earlier one back.
func Rule(was *fleet.Docket, r fleet.Ruling, now time.Time) Settled {
	if was == nil {
		was = &fleet.Docket{}
	}
	next := *was
	next.Rulings = slices.DeleteFunc(slices.Clone(was.Rulings), func(x fleet.Ruling) bool { return x.Facet == r.Facet })
	if r.Verdict != fleet.FindingOpen {
		next.Rulings = append(next.Rulings, r)
	}
	return recount(&next, now)
}

// recount gives every finding the state that the rulings of now give it.
func recount(d *fleet.Docket, now time.Time) Settled {
	out := Settled{Docket: d}
	d.Findings = slices.Clone(d.Findings)
	for i := range d.Findings {
		f := &d.Findings[i]
		if state := ruled(d.Rulings, f, now); state != f.State {
			f.State = state
			out.Moved = append(out.Moved, *f)
		}
	}
	return out
}

// Week is how long a value counts as that of last week after it changed.
const Week = 7 * 24 * time.Hour

// Day is how long a finding that ended stays in sight.
const Day = 24 * time.Hour

// keptFor is how long one that ended is kept: the trend of checks of doors is
// that of a week.
func keptFor(k fleet.FindingKind) time.Duration {
	if k == fleet.FindSecurity {
		return Week
	}
	return Day
}

// Lapsed is what the time of has passed.
type Lapsed struct {
	Settled
	Rulings []fleet.Ruling // waivers that ended
	Past    []fleet.Former // values that were there more than a week ago
	Gone    []fleet.Finding
	Again   []fleet.Again // troubles that are forgotten
}

// Lapse takes out of a docket what its time has passed; ok is false where
// nothing has.
func Lapse(was *fleet.Docket, now time.Time) (l Lapsed, ok bool) {
	if was == nil || len(was.Rulings)+len(was.Past)+len(was.Gone)+len(was.Again) == 0 {
		return l, false
	}
	over := func(r *fleet.Ruling) bool { return !r.Until.IsZero() && !now.Before(r.Until) }
	next := *was
	next.Rulings, l.Rulings = part(was.Rulings, over)
	next.Past, l.Past = part(was.Past, func(p *fleet.Former) bool { return now.Sub(p.At) >= Week })
	next.Gone, l.Gone = part(was.Gone, func(f *fleet.Finding) bool { return now.Sub(f.Ended) >= keptFor(f.Kind) })
	next.Again, l.Again = part(was.Again, func(a *fleet.Again) bool { return len(a.Within(now)) == 0 })
	if len(l.Rulings)+len(l.Past)+len(l.Gone)+len(l.Again) == 0 {
		return l, false
	}
	l.Settled = recount(&next, now)
	return l, true
}

// part splits a list into what stays and what is over.
func part[T any](list []T, over func(*T) bool) (stays, gone []T) {
	for i := range list {
		if over(&list[i]) {
			gone = append(gone, list[i])
		} else {
			stays = append(stays, list[i])
		}
	}
	return stays, gone
}

// Note returns a docket that knows what a facet was before it changed. The
// first change within a week counts: what was there last week is what was there
// before all of them. Of the others it is noted when the last one was.
func Note(was *fleet.Docket, f fleet.Former) *fleet.Docket {
	next := fleet.Docket{}
	if was != nil {
		next = *was
	}
	for i := range next.Past {
		if next.Past[i].Facet == f.Facet {
			next.Past = slices.Clone(next.Past)
			next.Past[i].Last = f.At
			return &next
		}
	}
	next.Past = append(slices.Clone(next.Past), f)
	return &next
}
