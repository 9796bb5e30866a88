package alert

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// TestSweeping: what names something is no sweep, however wide its pattern is.
func TestSweeping(t *testing.T) {
	for text, want := range map[string]bool{
		"rule=~.+": true, "rule=~[a-z-]+": true, "rule=~.+ rack=~.+": true, "severity=~warn|crit|info": true, "rule=~.+ rack!=ams1/r01": true, "owner!~lab|spare": true,
		"rule=~.+ rack=ams1/r01": false, "rule=~psu.*": false, "severity=warn": false, "severity=~warn|crit": false, "rule=~.+ severity!=crit": false, "owner=": false,
	} {
		var list []fleet.Matcher
		for _, w := range strings.Fields(text) {
			m, err := ParseMatcher(w)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, m)
		}
		if got := Sweeping(list); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
