package alert

import (
	"fmt"
	"regexp"
	"strings"

	"plumb/fleet"
)

// matcher is a matcher that is ready to match.
type matcher struct {
	fleet.Matcher
	re *regexp.Regexp // of =~ and !~
}

// matchers must all hold; none of them hold for everything.
type matchers []matcher

func compileMatchers(list []fleet.Matcher) (matchers, error) {
	out := make(matchers, 0, len(list))
	for _, m := range list {
		x := matcher{Matcher: m}
		switch m.Op {
		case "=", "!=":
		case "=~", "!~":
			re, err := regexp.Compile("^(?:" + m.Value + ")$")
			if err != nil {
				return nil, fmt.Errorf("matcher %s: %w", m, err)
			}
			x.re = re
		default:
			return nil, fmt.Errorf("matcher %s: %q is not one of = != =~ !~", m, m.Op)
		}
		if m.Label == "" {
			return nil, fmt.Errorf("matcher %s: has no label", m)
		}
		out = append(out, x)
	}
	return out, nil
}

func (list matchers) match(labels map[string]string) bool {
	for i := range list {
		m, v := &list[i], labels[list[i].Label]
		switch m.Op {
		case "=":
			if v != m.Value {
				return false
			}
		case "!=":
			if v == m.Value {
				return false
			}
		case "=~":
			if !m.re.MatchString(v) {
				return false
			}
		default:
			if m.re.MatchString(v) {
				return false
			}
		}
	}
	return true
}

// ParseMatcher reads a matcher as people write it: rack=r03, owner!=lab,
// rule=~"psu.*", target!~spare.
func ParseMatcher(s string) (fleet.Matcher, error) {
	i := strings.IndexAny(s, "=!")
	if i <= 0 {
		return fleet.Matcher{}, fmt.Errorf("%q is not LABEL=VALUE, nor with != =~ !~", fleet.Clean(s, 60))
	}
	m := fleet.Matcher{Label: strings.TrimSpace(s[:i])}
	rest := s[i:]
	for _, op := range []string{"=~", "!~", "!=", "="} {
		if v, ok := strings.CutPrefix(rest, op); ok {
			m.Op, m.Value = op, strings.Trim(strings.TrimSpace(v), `"`)
			_, err := compileMatchers([]fleet.Matcher{m})
			return m, err
		}
	}
	return fleet.Matcher{}, fmt.Errorf("%q is not LABEL=VALUE, nor with != =~ !~", fleet.Clean(s, 60))
}

// nobody is what no label holds, and many a pattern that means everything takes.
const nobody = "qzxqzx"

// Sweeping reports whether matchers leave nothing out by name: they hold for
// labels that nobody has, whatever the severity, as rule=~.+ does.
func Sweeping(list []fleet.Matcher) bool {
	labels := map[string]string{}
	for _, m := range list {
		labels[m.Label] = nobody
	}
	for _, s := range []fleet.Severity{fleet.SeverityInfo, fleet.SeverityWarn, fleet.SeverityCrit} {
		if labels["severity"] = s.String(); !Matches(list, labels) {
			return false
		}
	}
	return true
}

// Matches reports whether labels match all of a list of matchers. A list that
// cannot be read matches nothing.
func Matches(list []fleet.Matcher, labels map[string]string) bool {
	m, err := compileMatchers(list)
	return err == nil && m.match(labels)
}
