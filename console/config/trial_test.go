package config

import (
	"errors"
	"strings"
	"testing"

	"plumb/fleet/trial"
)

func trialOf(text string) (*trial.Plan, error) {
	env := OS()
	env.ReadFile = func(string) ([]byte, error) { return []byte(text), nil }
	return LoadTrial(env, "dir/rules_test.yaml")
}

// TestTrialFile plays a file with the rules that plumb comes with.
func TestTrialFile(t *testing.T) {
	p, err := trialOf(`
interval: 1m
alerts: {receivers: [{name: pager}]}
tests:
  - name: a supply, a fan and a log
    devices: [{name: s01, owner: team-game, rack: r01, power: {1: pa/1, 2: pb/1}}, {name: sw1, kind: switch, links: {Ethernet1: sw2/Ethernet1}}, {name: sw2, kind: switch}]
    series:
      - {device: s01, sensor: PS1 Status, class: state, values: "ok critx4 okx20"}
      - {device: s01, sensor: FAN1, class: fan, unit: rpm, low_crit: 500, values: "5000 400x4 5000x20"}
      - {device: s01, fact: sel.used_percent, values: "10+20x8"}
      - {device: sw1, port: Ethernet1, values: "upx3 downx3 upx20"}
    events: [{at: 90s, device: s01, sensor: DIMM A1, text: Uncorrectable ECC, severity: crit}]
    expect:
      - {at: 30s, alerts: [], notices: 0}
      - {at: 1m2s, rule: psu-lost, alerts: [{rule: psu-lost, target: s01, part: psu1, severity: warn}]}
      - {at: 1m2s, rule: fan, alerts: [{rule: fan, target: s01, severity: crit, summary: "s01: FAN1 400 rpm"}]}
      - {at: 4m, rule: sel-full, alerts: [{rule: sel-full, target: s01}]}
      - {at: 2m, rule: memory-event, alerts: [{rule: memory-event, target: s01, severity: crit}]}
      - {at: 5m, rule: uplink-down, alerts: [{rule: uplink-down, target: sw1, part: Ethernet1}]}
      - {at: 20m, rule: fan, alerts: []}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range trial.Run(p) {
		t.Error(f)
	}
}

func TestWrongTrials(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                           "there are none",
		`{test: []}`:                   "unknown key `test`",
		`{tests: [{}]}`:                "expects nothing",
		`{interval: 1ms, tests: [{}]}`: "shorter than a second",
		`{tests: [{series: [{device: x, sensor: a, values: "1"}], expect: [{at: 1m}]}]}`:                                "no device `x`",
		`{tests: [{devices: [{name: x}], series: [{device: x, sensor: a, port: b, values: "1"}], expect: [{at: 1m}]}]}`: "names 2 of",
		`{tests: [{devices: [{name: x}], series: [{device: x, sensor: a}], expect: [{at: 1m}]}]}`:                       "has no values",
		`{tests: [{devices: [{name: x, kind: servre}], expect: [{at: 1m}]}]}`:                                           "did you mean `server`",
		`{tests: [{devices: [{name: x, power: {a: pa/1}}], expect: [{at: 1m}]}]}`:                                       "not the number of a supply",
		`{tests: [{expect: [{at: 1m, alerts: [{rule: a, target: b, state: gone}]}]}]}`:                                  "state",
		`{alerts: {rules: [{name: x, on: sensor, problem: "sensor.volts > 1"}]}, tests: [{expect: [{at: 1m}]}]}`:        "volts",
		"tests: [": "not YAML",
	} {
		if _, err := trialOf(text); err == nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", text, want, err)
		}
	}
}
