package drift

import (
	"strings"

	"plumb/fleet"
)

// rule says what a fact is to drift.
type rule struct {
	name     string // a name, or with a star at its end all that begin so
	kind     fleet.FindingKind
	mode     fleet.Mode
	owned    fleet.Ownership
	severity fleet.Severity
	cohort   bool // its like should have the same
	week     bool // a change within a week is worth a word
}

// rules are the facts that are judged without anybody asking. The first that
// matches counts. A fact that none matches is judged only where the inventory
// expects something of it.
var rules = []rule{
	{"firmware", fleet.FindFirmware, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bios", fleet.FindFirmware, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true}, // as IPMI tells its version
	{"bios.version", fleet.FindFirmware, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.firmware_aux", fleet.FindFirmware, fleet.ModeExact, fleet.CoManaged, fleet.SeverityInfo, true, true},
	{"bios.*", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.users.*", fleet.FindConfig, fleet.ModeExact, fleet.Volatile, fleet.SeverityInfo, false, false}, // follow from bmc.user.*
	{"bmc.user.*", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.ciphers", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.auth.*", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.lan.address", fleet.FindConfig, fleet.ModeExact, fleet.CoManaged, fleet.SeverityInfo, false, true},
	{"bmc.lan.gateway", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityInfo, false, true},
	{"bmc.lan.*", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{"bmc.mac", fleet.FindInventory, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, false, true},
	{"bmc.sees.*", fleet.FindConfig, fleet.ModeExact, fleet.Volatile, fleet.SeverityInfo, false, false}, // what may be read is coverage, and no drift
	{"snmp.*", fleet.FindConfig, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, true, true},
	{fleet.FactSerial, fleet.FindInventory, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, false, true},
	{fleet.FactModel, fleet.FindInventory, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, false, true},
	{fleet.FactGUID, fleet.FindInventory, fleet.ModeExact, fleet.Owned, fleet.SeverityWarn, false, true},
	{"hardware", fleet.FindInventory, fleet.ModeExact, fleet.CoManaged, fleet.SeverityInfo, true, true},
	{"board.*", fleet.FindInventory, fleet.ModeExact, fleet.Owned, fleet.SeverityInfo, false, true},
	{"system.contact", fleet.FindConfig, fleet.ModeExact, fleet.CoManaged, fleet.SeverityInfo, false, true},
	{fleet.FactLocation, fleet.FindConfig, fleet.ModeExact, fleet.CoManaged, fleet.SeverityInfo, false, true},
}

// ruleOf is the rule for a fact, with the user's policies before ours; judged
// is false for what nobody asks about.
func ruleOf(policies *fleet.Policies, d *fleet.DeviceSpec, name string) (r rule, judged bool) {
	r = rule{name: name, kind: fleet.FindConfig, mode: fleet.ModeExact, owned: fleet.Owned, severity: fleet.SeverityWarn, cohort: true, week: true}
	if i := ruleAt(name); i >= 0 {
		r, judged = rules[i], true
	}
	if p := policyOf(policies, d, name); p != nil {
		judged = true
		if p.Mode != "" {
			r.mode = p.Mode
		}
		if p.Owned != "" {
			r.owned = p.Owned
		}
		if p.Graded {
			r.severity = p.Severity
		}
	}
	if r.owned == fleet.Volatile || r.owned == fleet.Secret || r.mode == fleet.ModeIgnored {
		judged = false
	}
	if r.owned == fleet.CoManaged { // it moves within what others decide: worth a word, never a page
		r.severity = fleet.SeverityInfo
	}
	return r, judged
}

// exactly are the rules of one name, and beginnings those of all names that begin
// so: every fact of every device is held against them.
var exactly, beginnings = sortRules()

type beginning struct {
	head string
	rule int
}

func sortRules() (map[string]int, []beginning) {
	names, heads := map[string]int{}, []beginning{}
	for i := range rules {
		if head, ok := strings.CutSuffix(rules[i].name, "*"); ok {
			heads = append(heads, beginning{head, i})
		} else if _, again := names[rules[i].name]; !again {
			names[rules[i].name] = i
		}
	}
	return names, heads
}

// ruleAt finds the first rule that matches a fact; -1: none.
func ruleAt(name string) int {
	first, ok := exactly[name]
	if !ok {
		first = -1
	}
	for i := range beginnings {
		if b := &beginnings[i]; first >= 0 && b.rule > first {
			break
		} else if strings.HasPrefix(name, b.head) {
			return b.rule
		}
	}
	return first
}

// policyOf is the user's own word about a fact; nil: none.
func policyOf(policies *fleet.Policies, d *fleet.DeviceSpec, name string) *fleet.FacetPolicy {
	for i := range policies.Facets {
		if p := &policies.Facets[i]; fleet.Like(p.Facet, name) && fleet.Selects(p.Select, d) {
			return p
		}
	}
	return nil
}

// muted reports whether the user's policies keep a fact out of sight, whatever
// the inventory expects of it.
func muted(policies *fleet.Policies, d *fleet.DeviceSpec, name string) bool {
	p := policyOf(policies, d, name)
	return p != nil && hides(p)
}

func hides(p *fleet.FacetPolicy) bool {
	return p.Owned == fleet.Volatile || p.Owned == fleet.Secret || p.Mode == fleet.ModeIgnored
}

// Known are the names of the facts that are judged without anybody asking.
func Known() []string {
	var out []string
	for i := range rules {
		if !strings.Contains(rules[i].name, "*") {
			out = append(out, rules[i].name)
		}
	}
	return out
}

// Ruled reports whether a name is one that is judged without anybody asking.
func Ruled(name string) bool {
	return ruleAt(name) >= 0
}
