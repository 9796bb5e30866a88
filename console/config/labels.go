package config

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/alert"
)

// What a matcher or a group names that no alert can have takes nothing, and
// says so only on the night on which it should have taken something.

// matchable checks that some alert can have the label of a matcher, and for the
// labels whose values are known, that it takes one of them.
func (b *builder) matchable(m fleet.Matcher, at place, what string) {
	b.after = append(b.after, func() {
		if !b.labelled(m.Label, at, what) || strings.HasPrefix(m.Op, "!") {
			return
		}
		var values []string
		switch m.Label {
		case "severity":
			values = severities
		case "rule":
			values = b.ruleNames()
		default:
			return
		}
		takes := func(v string) bool { return alert.Matches([]fleet.Matcher{m}, map[string]string{m.Label: v}) }
		if !slices.ContainsFunc(values, takes) {
			b.errs.add(at, what, quote(m.String())+" takes no alert: no "+m.Label+" "+quote(m.Value)+b.orDid(m.Value, slices.Values(values)), b.valuesHint(m.Label))
		}
	})
}

func (b *builder) valuesHint(label string) string {
	if label == "rule" {
		return "the verb rules lists them"
	}
	return "one of " + strings.Join(severities, ", ")
}

// ruleNames are those of the rules that are in force and of those that are
// switched off: what names one of these waits for it.
func (b *builder) ruleNames() []string {
	names := slices.Clone(b.builtInRules)
	for _, r := range b.file.Inventory.Alerting.Rules {
		names = append(names, r.Name)
	}
	return names
}

// labelNames reads names of labels, each of which some alert can have; "..."
// stands for all of them.
func (b *builder) labelNames(list []ref, what string) (out []string) {
	for _, r := range list {
		out = append(out, r.name)
		if r.name != "..." {
			b.after = append(b.after, func() { b.labelled(r.name, r.at, what) })
		}
	}
	return out
}

func (b *builder) labelled(name string, at place, what string) bool {
	names := alert.LabelNames(b.file.Inventory.Alerting.Rules)
	if slices.Contains(names, name) {
		return true
	}
	b.errs.add(at, what, "no alert has the label "+quote(name)+b.orDid(name, slices.Values(names)), "there are "+strings.Join(names, ", ")+", and those that alerts.rules give")
	return false
}
