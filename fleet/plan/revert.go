package plan

import (
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

// RevertOf is what puts back what a finding holds against a target: the action
// with which the first of its baselines would agree, or that comes nearest. ok is
// false where no wire can write that, or where nobody says what it should be.
// Where several steps are needed it is the first of them; what is left is found
// again.
func RevertOf(s *fleet.Snapshot, f *fleet.Finding) (a Ask, ok bool) {
	if !f.Ended.IsZero() {
		return a, false
	}
	switch kind, rest, _ := strings.Cut(f.Facet, " "); kind {
	case "port":
		return revertPort(f, rest)
	case "instance":
		return revertInstance(f, rest)
	case "group":
		id, _, _ := strings.Cut(rest, " ")
		return revertGroup(s, f, id)
	case "cloud.open-group":
		return revertGroup(s, f, rest)
	}
	return revertBMC(s, f)
}

// expected is what the first baseline that disagrees says; the findings list
// what was intended before what was there.
func expected(f *fleet.Finding) (string, bool) {
	if len(f.Baselines) == 0 {
		return "", false
	}
	return f.Baselines[0].Expected, true
}

// revertPort puts back what a port is set to: its access VLAN, whether it is
// switched on, its description. A speed is what two ends agree on, and nothing
// that is written; nor is a description that holds what no alias may.
func revertPort(f *fleet.Finding, rest string) (a Ask, ok bool) {
	want, known := expected(f)
	i := strings.LastIndexByte(rest, ' ')
	if !known || i < 0 {
		return a, false
	}
	a.Targets = []string{f.Target + "/" + rest[:i]}
	switch rest[i+1:] {
	case "vlan":
		a.Action, a.Args = fleet.ActPortVLAN, map[string]string{"vlan": want}
	case "alias":
		a.Action, a.Args = fleet.ActPortAlias, map[string]string{"alias": want}
	case "admin":
		if a.Action = fleet.ActPortUp; want == "down" {
			a.Action = fleet.ActPortDown
		} else if want != "up" {
			return Ask{}, false
		}
		return a, true
	default:
		return Ask{}, false
	}
	if a.Action.Spec().CheckArgs(a.Args) != "" {
		return Ask{}, false
	}
	return a, true
}

// revertInstance starts or stops an instance that is declared otherwise.
func revertInstance(f *fleet.Finding, rest string) (a Ask, ok bool) {
	id, isState := strings.CutSuffix(rest, " state")
	want, _ := expected(f)
	if !isState {
		return a, false
	}
	switch want {
	case "ACTIVE":
		return Ask{Action: fleet.ActInstanceStart, Targets: []string{id}}, true
	case "SHUTOFF":
		return Ask{Action: fleet.ActInstanceStop, Targets: []string{id}}, true
	}
	return a, false
}

// revertGroup takes out the first rule of a security group that is new, or that
// lets the world in. A rule that is gone cannot be put back.
func revertGroup(s *fleet.Snapshot, f *fleet.Finding, id string) (a Ask, ok bool) {
	c := s.Clouds.Get(f.Target)
	if c == nil {
		return a, false
	}
	i := slices.IndexFunc(c.Groups, func(g fleet.SecurityGroup) bool { return g.ID == id })
	if i < 0 {
		return a, false
	}
	var rules []fleet.SecurityRule
	if f.Kind == fleet.FindSecurity {
		rules = security.OpenRules(&c.Groups[i])
	} else if before, known := expected(f); known {
		rules = drift.NewRules(&c.Groups[i], before)
	}
	if len(rules) == 0 || rules[0].ID == "" {
		return a, false
	}
	return Ask{Action: fleet.ActRuleRemove, Targets: []string{f.Target + "/" + id}, Args: map[string]string{"rule": rules[0].ID}}, true
}

// revertBMC shuts a door of a BMC: a user that should not be there, a cipher
// suite that nobody should use.
func revertBMC(s *fleet.Snapshot, f *fleet.Finding) (a Ask, ok bool) {
	want, known := expected(f)
	d := s.Devices.Get(f.Target)
	slot, isUser := strings.CutPrefix(f.Facet, "bmc.user.")
	switch {
	case d == nil:
		return a, false
	case isUser:
		if known && strings.Contains(f.Observed, " enabled ") && !strings.Contains(want, " enabled ") {
			return userOff(f.Target, slot)
		}
		return a, false
	}
	switch f.Facet {
	case factSuites:
		more := slices.DeleteFunc(strings.Fields(f.Observed), func(suite string) bool { return slices.Contains(strings.Fields(want), suite) })
		if known && len(more) > 0 {
			return suitesOff(f.Target, more)
		}
	case "ipmi.cipher0", "ipmi.weak-suite":
		if suites := strings.Fields(f.Observed); len(suites) > 0 {
			return suitesOff(f.Target, suites)
		}
	case "ipmi.null-user", "ipmi.default-name":
		for _, u := range security.UsersOf(d) {
			if f.Facet == "ipmi.null-user" && u.Enabled && u.LAN && u.Name == "" || f.Facet == "ipmi.default-name" && u.Factory() {
				return userOff(f.Target, u.Slot)
			}
		}
	}
	return a, false
}

func userOff(target, slot string) (Ask, bool) {
	return Ask{Action: fleet.ActUserOff, Targets: []string{target}, Args: map[string]string{"slot": slot}}, true
}

// suitesOff closes all of them at once, so that one undo puts back what was there.
func suitesOff(target string, suites []string) (Ask, bool) {
	return Ask{Action: fleet.ActCipherOff, Targets: []string{target}, Args: map[string]string{"suite": strings.Join(suites, " ")}}, true
}

// ends reports whether a finding is over once it was put back. A user that
// should not be there can be disabled, which shuts the door, but not taken away.
func ends(f *fleet.Finding) bool {
	want, _ := expected(f)
	return !strings.HasPrefix(f.Facet, "bmc.user.") || want != ""
}

// reverts are the findings of the targets that what is asked would put right,
// whoever asks and by whatever door.
func (b *bench) reverts() []string {
	var out []string
	for _, t := range b.targets {
		list := b.Snap.Docket(t.Wire).Of()
		for i := range list {
			r, ok := RevertOf(b.Snap, &list[i])
			if ok && ends(&list[i]) && r.Action == b.Action && r.Targets[0] == t.ID && maps.Equal(r.Args, b.Args) {
				out = append(out, list[i].ID())
			}
		}
	}
	return out
}
