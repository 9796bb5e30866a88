package plan

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// What a BMC says of its cipher suites: which it offers, and where it tells that
// too up to which privilege each lets in, as "0=administrator 3=user".
const (
	factSuites = "bmc.ciphers"
	factLimits = "bmc.lan.cipher_privileges"
	limitsWord = "limits "
)

// suitesOf are the suites that an action names.
func suitesOf(k fleet.ActionKind, args map[string]string) []string {
	if k == fleet.ActCipherOff {
		return strings.Fields(args["suite"])
	}
	var out []string
	for _, x := range strings.Fields(args["limits"]) {
		id, _, _ := strings.Cut(x, "=")
		out = append(out, id)
	}
	return out
}

// unoffered is the first suite that an action names and the BMC does not have:
// one to close has to be offered, one to set has to be listed.
func (t *target) unoffered(k fleet.ActionKind, args map[string]string) string {
	has := strings.Fields(t.device.Facts.Get(factSuites))
	if k == fleet.ActCipherSet {
		has = suitesOf(k, map[string]string{"limits": t.device.Facts.Get(factLimits)})
	}
	for _, id := range suitesOf(k, args) {
		if !slices.Contains(has, id) {
			return id
		}
	}
	return ""
}

// limitsBefore are the limits that a job found and changed; "": it does not say.
func limitsBefore(j *fleet.Job, target string) string {
	var out []string
	for _, t := range j.Planned.Targets {
		was, told := strings.CutPrefix(t.Before, limitsWord)
		if t.ID != target || !told {
			continue
		}
		for _, x := range strings.Fields(was) {
			if id, _, _ := strings.Cut(x, "="); slices.Contains(suitesOf(j.Action, j.Planned.Args), id) {
				out = append(out, x)
			}
		}
	}
	return strings.Join(out, " ")
}

// undoable is what takes a plan back; "": nothing does, also where nobody knows
// what was there.
func undoable(spec *fleet.ActionSpec, targets []fleet.PlanTarget) fleet.ActionKind {
	if spec.Undo == fleet.ActCipherSet && slices.ContainsFunc(targets, func(t fleet.PlanTarget) bool { return !strings.HasPrefix(t.Before, limitsWord) }) {
		return ""
	}
	if spec.Undo == fleet.ActPortAlias && slices.ContainsFunc(targets, func(t fleet.PlanTarget) bool { return !fleet.WritableAlias(strings.TrimPrefix(t.Before, "alias ")) }) {
		return ""
	}
	return spec.Undo
}
