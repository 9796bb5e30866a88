package drift

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// TestTheFirstRuleCounts holds the sorted rules against the list, read from its
// top.
func TestTheFirstRuleCounts(t *testing.T) {
	names := []string{"", "b", "bios", "bios.", "bios.version", "bios.version2", "biosx", "bmc.users.max", "bmc.user.3", "bmc.usera", "snmp.access", "uptime_s", "board.serial", "bmc.lan.address", "bmc.lan.vlan"}
	for i := range rules {
		names = append(names, rules[i].name, strings.TrimSuffix(rules[i].name, "*")+"x")
	}
	for _, name := range names {
		want := -1
		for i := range rules {
			if fleet.Like(rules[i].name, name) {
				want = i
				break
			}
		}
		if got := ruleAt(name); got != want {
			t.Errorf("%q: rule %d, want %d", name, got, want)
		}
	}
	for i := range rules {
		if k := strings.IndexAny(rules[i].name, `*?[\`); k >= 0 && k < len(rules[i].name)-1 {
			t.Errorf("%q is no beginning", rules[i].name)
		}
	}
}
