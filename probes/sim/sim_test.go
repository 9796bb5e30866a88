package sim

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/probes/sim/agent"
)

func startFleet(t testing.TB, opt Options) *Fleet {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	if opt.PortBase == 0 {
		opt.PortBase = DefaultPortBase
	}
	opt.Logf = t.Logf
	f, err := Start(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// The default fleet is that of the specification, listens at once, and its
// configuration is YAML that names every one of its devices once.
func TestDefaultFleet(t *testing.T) {
	began := time.Now()
	f := startFleet(t, Options{Fault: "none"})
	took := time.Since(began)
	t.Logf("started in %v", took)
	if took > 2*time.Second {
		t.Errorf("the fleet took %v to listen", took)
	}
	w := f.World
	for what, n := range map[string][2]int{
		"racks": {len(w.Racks), 24}, "servers": {len(w.Servers), 414}, "switches": {len(w.Switches), 54}, "PDUs": {len(w.PDUs), 48},
		"UPSes": {len(w.UPSes), 6}, "hypervisors": {len(w.Hyps), 120}, "instances": {len(w.Instances), 600}, "services": {len(w.Services), 8},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], what, n[1])
		}
	}
	began = time.Now()
	b, err := f.ConfigYAML()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of configuration in %v", len(b), time.Since(began))
	var doc map[string]any
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.Servers {
		if n := strings.Count(string(b), "{name: "+s.Name+","); n != 1 {
			t.Errorf("%s stands in the configuration %d times", s.Name, n)
		}
	}
	secret := filepath.Join(f.opt.Dir, "secrets", "bmc")
	if st, err := os.Stat(secret); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", secret, st, err)
	}
	if strings.Contains(string(b), f.secrets.of("bmc")) {
		t.Error("the configuration holds a secret")
	}
}

// Every SNMP device hands its agent a value that the agent takes.
func TestAgentsTakeTheirDevices(t *testing.T) {
	f := startFleet(t, Options{Fault: "none", Racks: 3})
	now := time.Now()
	w := f.World
	var devices []agent.Device
	for i := range w.Switches {
		devices = append(devices, newSwitchView(w, i).look(now))
	}
	for i := range w.PDUs {
		devices = append(devices, (&pduView{w, i}).look(now))
	}
	for i := range w.UPSes {
		devices = append(devices, (&upsView{w, i}).look(now))
	}
	for i, d := range devices {
		if err := agent.Check(d); err != nil {
			t.Errorf("device %d: %v", i, err)
		}
	}
}

func TestFaultsVerb(t *testing.T) {
	f := startFleet(t, Options{Fault: "psu-loss@fra1-r01-s02,fan-slow@fra1-r01-s05+1h", Racks: 2})
	rows := f.Faults()
	if len(rows) != 1 || rows[0].Name != "psu-loss" || rows[0].Target != "fra1-r01-s02" || rows[0].Cause == "" || rows[0].Expect == "" {
		t.Fatalf("faults: %+v", rows)
	}
	if b, err := json.Marshal(rows); err != nil || !strings.Contains(string(b), `"since":"20`) {
		t.Errorf("%s, %v", b, err)
	}
	for _, bad := range []string{"psu-los@fra1-r01-s02", "psu-loss@nobody", "fan-slow+abc", "switch-flap@fra1-r01-swa/Ethernet99"} {
		if err := f.Inject(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if !strings.Contains(FaultList(), "site-path-lost") {
		t.Error("the list lacks a fault")
	}
}
