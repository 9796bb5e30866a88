package views

import (
	"maps"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/plan"
)

// revertOf is what puts findings of one cause right: one action with the same
// arguments on all of their targets. ok is false where they need several.
func revertOf(f Frame, list []*fleet.Finding) (a plan.Ask, mends string, ok bool) {
	for i, x := range list {
		r, can := plan.RevertOf(f.Snap, x)
		switch {
		case !can:
			return a, "", false
		case i == 0:
			a = r
			continue
		case r.Action != a.Action || !maps.Equal(r.Args, a.Args):
			return plan.Ask{}, "", false
		}
		a.Targets = append(a.Targets, r.Targets...)
	}
	if len(list) == 0 {
		return a, "", false
	}
	mends = drift.Named(f.Snap, list[0])
	if n := len(list); n > 1 {
		mends = strconv.Itoa(n) + " findings like " + mends
	}
	return a, mends + " is " + or(list[0].Observed) + expectedWas(list[0]), true
}

func expectedWas(x *fleet.Finding) string {
	if len(x.Baselines) == 0 || x.Baselines[0].Expected == "" {
		return ""
	}
	return ", expected " + x.Baselines[0].Expected
}

// actsOnFinding is the menu on findings: what puts them right, and what else
// can be done to the same target.
func actsOnFinding(f Frame, list []*fleet.Finding) Actions {
	if len(list) == 0 {
		return Actions{}
	}
	kind, id := subjectOf(f.Snap, list[0])
	m := Actions{kind: kind, id: id}
	if part, rest, ok := strings.Cut(list[0].Facet, " "); ok {
		name, _, _ := cutLast(rest)
		switch on := list[0].Target + "/" + name; {
		case part == KindPort && kindOfMark(f, on) == KindPort, part == KindOutlet && kindOfMark(f, on) == KindOutlet:
			m.kind, m.id = part, on
		}
	}
	if a, mends, ok := revertOf(f, list); ok {
		m.revert, m.mends, m.id = &a, mends, a.Targets[0]
		m.kind = kindOfTarget(a.Action)
	}
	return m
}

// cutLast cuts a text at its last blank: names of ports may hold some.
func cutLast(s string) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// kindOfTarget is what other views call the target of an action.
func kindOfTarget(k fleet.ActionKind) string {
	spec := k.Spec()
	if spec == nil {
		return KindDevice
	}
	switch spec.On {
	case fleet.OnPort:
		return KindPort
	case fleet.OnOutlet:
		return KindOutlet
	case fleet.OnInstance:
		return KindInstance
	case fleet.OnGroup:
		return KindGroup
	}
	return KindDevice
}

// putBack asks for what puts findings right.
func putBack(f Frame, list []*fleet.Finding) Intent {
	a, mends, ok := revertOf(f, list)
	if !ok {
		return Toast{Text: "revert: no one action of plumb's writes that; a shows what can be done"}
	}
	return asks(f, a, mends)
}
