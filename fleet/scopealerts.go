package fleet

import (
	"slices"
	"strings"
)

// Alert reports whether what an alert speaks of is within the scope: its target,
// or what its target is a part of or runs in.
func (x *Scope) Alert(s *Snapshot, a *Alert) bool {
	if x.Holds(s, a.Target) {
		return true
	}
	if site := s.Sites.Get(a.Target); site != nil {
		return x.region(site.Spec.Region)
	}
	if g := s.Instances.Get(a.Target); g != nil {
		return x.Holds(s, g.Cloud)
	}
	if h := s.Hosts.Get(a.Target); h != nil {
		return x.Holds(s, h.Cloud)
	}
	id, _, piece := strings.Cut(a.Target, "/")
	return piece && s.Racks.Get(a.Target) == nil && s.Devices.Get(id) != nil && x.Holds(s, id)
}

// pinned reports whether a matcher holds for nothing but values of which all are
// in: it asks for one word, or for one of several.
func pinned(m *Matcher, in func(value string) bool) bool {
	words := []string{m.Value}
	switch m.Op {
	case "=":
	case "=~":
		words = listOf(m.Value)
	default:
		return false
	}
	return words != nil && !slices.ContainsFunc(words, func(w string) bool { return w == "" || !in(w) })
}

// listOf are the words that a pattern is a list of, as a|b, with what has a
// meaning in patterns escaped (a\.example|b\.example); nil: it may match more.
func listOf(pattern string) (words []string) {
	const meaning = `\.*+?()[]{}^$|`
	var word []byte
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && strings.IndexByte(meaning, pattern[i+1]) >= 0:
			i++
			word = append(word, pattern[i])
		case c == '|':
			words, word = append(words, string(word)), nil
		case strings.IndexByte(meaning, c) >= 0:
			return nil
		default:
			word = append(word, c)
		}
	}
	return append(words, string(word))
}

// Silence reports whether all that a silence could ever cover is within the
// scope: its place is, or its matchers pin it down to a target of the scope or
// to each thing that the scope names. Of patterns only a list of words pins anything.
func (x *Scope) Silence(s *Snapshot, q *Silence) bool {
	if x == nil || q.At != "" && x.Alert(s, &Alert{Target: q.At}) {
		return true
	}
	is := func(label string, in func(value string) bool) bool {
		return slices.ContainsFunc(q.Matchers, func(m Matcher) bool {
			return m.Label == label && pinned(&m, in)
		})
	}
	if is("target", func(v string) bool { return x.Alert(s, &Alert{Target: v}) }) || is("service", func(v string) bool { return len(x.Regions) == 0 && x.Holds(s, v) && s.Services.Get(v) != nil }) {
		return true
	}
	region := len(x.Regions) == 0 || is("region", func(v string) bool { return fits(x.Regions, v) }) ||
		is("site", func(v string) bool { p := s.Sites.Get(v); return p != nil && fits(x.Regions, p.Spec.Region) }) ||
		is("rack", func(v string) bool { p := s.Racks.Get(v); return p != nil && fits(x.Regions, p.Spec.Region) }) ||
		is("cloud", func(v string) bool { p := s.Clouds.Get(v); return p != nil && fits(x.Regions, p.Spec.Region) })
	owner := len(x.Owners) == 0 || is("owner", func(v string) bool { return fits(x.Owners, v) })
	tenant := len(x.Tenants) == 0 || is("tenant", func(v string) bool { return fits(x.Tenants, v) })
	return region && owner && tenant
}
