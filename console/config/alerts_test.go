package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumb/fleet"
	"plumb/fleet/alert"
)

const alertsHead = `
ssh: {users: [{name: ann, role: admin, keys: ["` + testKey + `"]}]}
regions: [{name: ams, sites: [{name: ams1, racks: [{name: r01, units: 42, devices: [{name: s01, kind: server, unit: 1, owner: team-game}]}]}]}]
`

func TestAlerts(t *testing.T) {
	f, err := parse(t, alertsHead+`
alerts:
  off: [fan]
  settle: 5m
  runbooks: "https://wiki.example/{rule}"
  receivers: [{name: pager, webhook: {url: "https://x.example"}}, {name: mail, none: {}}]
  rules:
    - {name: fan, on: sensor, select: {owner: team-game}, problem: 'sensor.class == "fan" and sensor.value < 900', recovery: sensor.value > 1200, severity: crit, for: 30s,
       keep_firing_for: 1m, attempts: 2, recover_after: 3, retry: 2s, labels: {team: "{device.owner}"}, summary: "{sensor.name} slow", runbook: "https://wiki.example/fans"}
  routes:
    - {receiver: mail, match: [severity=warn, "rack=~ams1/.*"], group_by: [rack], group_wait: 10s, group_interval: 1m, repeat_interval: 1h, continue: true, routes: [{match: [owner!=x]}]}
  inhibit: [{source: [severity=crit], target: [severity=warn], equal: [target]}]
  maintenance: [{name: move, of: ams1/r01, from: 2026-12-01T22:00:00Z, until: 2026-12-02T04:00:00Z, lasts: 1h, reason: moving}]
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := f.Inventory.Alerting
	last := a.Rules[len(a.Rules)-1]
	want := fleet.AlertRule{Name: "fan", On: "sensor", Select: map[string]string{"owner": "team-game"}, Problem: `sensor.class == "fan" and sensor.value < 900`, Recovery: "sensor.value > 1200",
		Severity: fleet.SeverityCrit, Graded: true, For: 30 * time.Second, Keep: time.Minute, Attempts: 2, RecoverAfter: 3, Retry: 2 * time.Second,
		Labels: map[string]string{"team": "{device.owner}"}, Summary: "{sensor.name} slow", Runbook: "https://wiki.example/fans"}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("rule (-want +got)\n%s", diff)
	}
	if a.Rules[0].Name != "cause" || a.Rules[0].Runbook != "https://wiki.example/cause" || a.Settle != 5*time.Minute || !slices.Equal(a.Receivers, []string{"pager", "mail"}) {
		t.Errorf("%+v", a.Rules[0])
	}
	route := &fleet.AlertRoute{Receiver: "pager", Routes: []fleet.AlertRoute{{Receiver: "mail", Match: []fleet.Matcher{{Label: "severity", Op: "=", Value: "warn"}, {Label: "rack", Op: "=~", Value: "ams1/.*"}},
		GroupBy: []string{"rack"}, Wait: 10 * time.Second, Interval: time.Minute, Repeat: time.Hour, Continue: true, Routes: []fleet.AlertRoute{{Match: []fleet.Matcher{{Label: "owner", Op: "!=", Value: "x"}}}}}}}
	if diff := cmp.Diff(route, a.Route); diff != "" {
		t.Errorf("route (-want +got)\n%s", diff)
	}
	if m := a.Maintenance[0]; m.At != "ams1/r01" || m.Lasts != time.Hour || m.Until.Sub(m.From) != 6*time.Hour || len(a.Inhibit) < 2 || a.Inhibit[len(a.Inhibit)-1].Source[0].Label != "severity" { // the built-in ones stand first
		t.Errorf("%+v %+v", a.Maintenance, a.Inhibit)
	}
	if len(f.Receivers) != 2 || f.Receivers[0].Kind.Kind() != "webhook" || f.Receivers[1].Kind.Kind() != "none" {
		t.Errorf("%+v", f.Receivers)
	}
}

// TestBuiltInRules: they compile, have a summary each, and are there without
// anybody asking.
func TestBuiltInRules(t *testing.T) {
	f, err := parse(t, alertsHead, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := f.Inventory.Alerting
	if err := alert.Check(&a); err != nil {
		t.Fatal(err)
	}
	if a.Route != nil {
		t.Error("there are no receivers, and there is a route")
	}
	for _, r := range a.Rules {
		if r.Summary == "" {
			t.Errorf("%s says nothing", r.Name)
		}
	}
	if f, err = parse(t, alertsHead+"alerts: {defaults: false}", nil); err != nil || len(f.Inventory.Alerting.Rules) != 0 {
		t.Errorf("switched off: %d rules, %v", len(f.Inventory.Alerting.Rules), err)
	}
}

// TestMatchersTakeSomething: labels of rules, rules that are switched off, and
// patterns that take a value are as good as any.
func TestMatchersTakeSomething(t *testing.T) {
	_, err := parse(t, alertsHead+`alerts:
  off: [fan]
  rules: [{name: mine, on: sensor, problem: "true", labels: {team: "{device.owner}"}}]
  receivers: [{name: a, none: {}}]
  routes: [{match: [team=x, "severity=~warn|crit", "severity!=page"], group_by: [team, rule], routes: [{match: [rule=fan]}, {match: ["rule=~mi.*"], group_by: ["..."]}]}]
`, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestWrongAlerts(t *testing.T) {
	for text, want := range map[string]string{
		`{of: [fan]}`:  "unknown key `of`",
		`{off: [fun]}`: "did you mean `fan`",
		`{rules: [{on: sensor, problem: "true"}]}`:                                     "a rule has no name",
		`{rules: [{name: x, on: senser, problem: "true"}]}`:                            "did you mean `sensor`",
		`{rules: [{name: x, on: sensor}]}`:                                             "has no problem",
		`{rules: [{name: x, on: sensor, problem: "sensor.volts > 1"}]}`:                "volts",
		`{rules: [{name: x, on: sensor, problem: "sensor.value > now()"}]}`:            "now",
		`{rules: [{name: fan, on: sensor, problem: "true"}]}`:                          "stands twice",
		`{rules: [{name: x, on: sensor, problem: "true", severity: bad}]}`:             "severity",
		`{rules: [{name: x, on: sensor, problem: "true", summary: "{sensor.volts}"}]}`: "no such field",
		`{rules: [{name: x, on: sensor, problem: "true", select: {owner: nobody}}]}`:   "no device has owner",
		`{rules: [{name: x, on: sensor, problem: "true", for: soon}]}`:                 "not a duration",
		`{routes: [{receiver: a}]}`:                                                    "no receivers",
		`{receivers: [{name: a, none: {}}, {name: a}]}`:                                "stands twice",
		`{receivers: [a]}`:                                                                                     "want a mapping",
		`{receivers: [{none: {}}]}`:                                                                            "needs a name",
		`{receivers: [{name: abc}], routes: [{receiver: abd}]}`:                                                "did you mean `abc`",
		`{receivers: [{name: a}], routes: [{match: ["x"]}]}`:                                                   "not a matcher",
		`{receivers: [{name: a}], routes: [{match: ["x=~("]}]}`:                                                "not a matcher",
		`{receivers: [{name: a}], routes: [{match: [severity=critical]}]}`:                                     "no severity `critical`",
		`{receivers: [{name: a}], routes: [{match: ["severity=~critical|page"]}]}`:                             "one of info, warn, crit",
		`{receivers: [{name: a}], routes: [{match: [rule=fam]}]}`:                                              "did you mean `fan`",
		`{receivers: [{name: a}], routes: [{routes: [{match: [ownr=x]}]}]}`:                                    "did you mean `owner`",
		`{receivers: [{name: a}], routes: [{group_by: [rule, rak]}]}`:                                          "did you mean `rack`",
		`{inhibit: [{source: [rule=fan], target: [rule=fan], equal: [sites]}]}`:                                "did you mean `site`",
		`{maintenance: [{name: a, match: [team=x], from: 2026-12-01T22:00:00Z, until: 2026-12-02T04:00:00Z}]}`: "no alert has the label `team`",
		`{inhibit: [{source: [a=b]}]}`:                                                                         "needs source and target",
		`{maintenance: [{name: a, from: 2026-12-01T22:00:00Z, until: 2026-12-02T04:00:00Z}]}`:                  "covers nothing",
		`{maintenance: [{name: a, of: r77, from: 2026-12-01T22:00:00Z, until: 2026-12-02T04:00:00Z}]}`:         "no region, site, rack",
		`{maintenance: [{name: a, of: ams, until: 2026-12-02T04:00:00Z}]}`:                                     "needs from",
		`{maintenance: [{name: a, of: ams, days: [tue]}]}`:                                                     "start: is missing",
		`{maintenance: [{name: a, of: ams, days: [tues], start: "22:00", end: "26:00"}]}`:                      "unknown",
		`{maintenance: [{name: a, of: ams, days: [tue], start: "22:00", end: "21:00"}]}`:                       "ends before it begins",
		`{maintenance: [{name: a, of: ams, days: [tue], start: "22:00", end: "26:00", lasts: 1h}]}`:            "once or every week",
		`{maintenance: [{name: a, of: ams, from: yesterday, until: 2026-12-02T04:00:00Z}]}`:                    "not a time",
	} {
		_, err := parse(t, alertsHead+"alerts: "+text, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", text, want, err)
		}
	}
}
