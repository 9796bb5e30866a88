//go:build unix

package config

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"plumb/internal/benchline"
)

// fleetYAML is the configuration of n racks of 20 servers, 2 switches and 2
// PDUs, as people or an export from a source of truth write it.
func fleetYAML(racks int) string {
	var b strings.Builder
	b.WriteString(`poll: {interval: 60s}
credentials:
  bmc: {username: mon, password_env: BMC_PASSWORD}
  core: {version: 2c, community_env: SNMP_COMMUNITY}
regions:
  - name: ams
    sites:
      - name: ams1
        feeds: [{name: A, breaker_a: 32, volts: 230}, {name: B, breaker_a: 32, volts: 230}]
        racks:
`)
	for r := range racks {
		fmt.Fprintf(&b, "          - name: r%d\n            row: A\n            units: 42\n            feeds: [A, B]\n            devices:\n", r)
		for _, side := range []string{"a", "b"} {
			unit := map[string]int{"a": 42, "b": 41}[side]
			fmt.Fprintf(&b, "              - {name: r%d-sw-%s, kind: switch, unit: %d, model: 7150S, snmp: {address: 10.%d.%d.1, credential: core}}\n", r, side, unit, r/250, r%250)
			fmt.Fprintf(&b, "              - {name: r%d-p%s, kind: pdu, snmp: {address: 10.%d.%d.2, credential: core}, feed: %s, rating_a: 32}\n", r, side, r/250, r%250, strings.ToUpper(side))
		}
		for s := 1; s <= 20; s++ {
			fmt.Fprintf(&b, `              - {name: r%[1]d-s%02[2]d, kind: server, unit: %[2]d, height: 1, face: front, depth: full, model: R6515, serial: "SN%[1]d-%[2]d", owner: team-game, tenant: acme, env: prod,
                 bmc: {address: "10.%[3]d.%[4]d.%[2]d", credential: bmc},
                 power: [{psu: 1, outlet: r%[1]d-pa/%[2]d}, {psu: 2, outlet: r%[1]d-pb/%[2]d}],
                 links: [{nic: eth0, mac: "52:54:00:%02[2]x:00:01", to: r%[1]d-sw-a/Ethernet%[2]d}, {nic: eth1, mac: "52:54:00:%02[2]x:00:02", to: r%[1]d-sw-b/Ethernet%[2]d}],
                 expect: {firmware: {min: "2.19"}}, tags: {role: game, service: match}, warranty_until: 2027-03-01}
`, r, s, r/250, r%250)
		}
	}
	return b.String()
}

// BenchmarkParse loads 10,008 devices. The contract's goal is a second of CPU.
func BenchmarkParse(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the program starts
	text := []byte(fleetYAML(417))
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			began := benchline.CPU()
			f, err := Parse("/etc/plumb/plumb.yaml", text, testEnv(nil))
			used := benchline.CPU() - began
			if err != nil {
				b.Fatal(err)
			}
			if n := len(f.Inventory.Devices); n != 10008 {
				b.Fatal(n, "devices")
			}
			return []benchline.Line{{Bench: "config-10000-devices", Value: used.Seconds(), Unit: "cpu_s", Goal: 1}}
		})...)
	}
}

// TestLargeFleet keeps the fixture of the benchmark sound.
func TestLargeFleet(t *testing.T) {
	f, err := parse(t, fleetYAML(20), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Inventory.Devices); n != 480 {
		t.Error(n, "devices")
	}
}
