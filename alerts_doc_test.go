package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"plumb/console/config"
	"plumb/fleet"
	"plumb/probes/sim/world"
)

// TestAlertsDoc holds that docs/alerts.md has a row for every fault of the demo,
// by rules that plumb comes with, or by none and with a reason.
func TestAlertsDoc(t *testing.T) {
	doc, err := os.ReadFile("docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plumb.yaml")
	if err := os.WriteFile(path, []byte("alerts: {receivers: [{name: pager, none: {}}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{} // fault -> rules
	name := regexp.MustCompile("`([a-z-]+)`")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.+?) \\| (.*?) ?\\|$").FindAllStringSubmatch(string(doc), -1) {
		rows[m[1]] = []string{}
		for _, r := range name.FindAllStringSubmatch(m[2], -1) {
			rows[m[1]] = append(rows[m[1]], r[1])
			if !slices.ContainsFunc(f.Inventory.Alerting.Rules, func(x fleet.AlertRule) bool { return x.Name == r[1] }) {
				t.Errorf("%s: plumb comes with no rule %s", m[1], r[1])
			}
		}
		if len(rows[m[1]]) == 0 && (m[2] != "nothing" || m[3] == "") {
			t.Errorf("%s: calls nobody, and no reason is given", m[1])
		}
	}
	for _, k := range world.Kinds() {
		if _, ok := rows[k[0]]; !ok {
			t.Errorf("no row for the fault %s", k[0])
		}
		delete(rows, k[0])
	}
	for left := range rows {
		t.Errorf("%s is no fault of the demo", left)
	}
}
