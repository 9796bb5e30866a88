package snmp

import (
	"bufio"
	"compress/bzip2"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestOpticsAndSuppliesOfARecordedSwitch reads what a switch said of its parts
// when it was recorded: each optic's light and laser, and both sides of each
// supply, told apart by what their sensors stand in.
func TestOpticsAndSuppliesOfARecordedSwitch(t *testing.T) {
	packed, err := os.Open(filepath.Join("..", "..", "..", "shared", "recordings", "snmp", "arista-7150s.snmprec.bz2"))
	if err != nil {
		t.Skipf("no recordings beside the repository: %v", err)
	}
	defer packed.Close()
	f := newFake(t, recorded(t, bufio.NewScanner(bzip2.NewReader(packed)), "1.3.6.1.2.1.1.", "1.3.6.1.2.1.47.1.1.1.1.", "1.3.6.1.2.1.99.1.1.1.")...)
	o, err := agentOf(t, f).Observe(deadline(t, time.Minute), fleet.LaneSlow)
	if err != nil || o.Err != nil {
		t.Fatalf("%v %v", err, o.Err)
	}
	got := map[string]string{}
	for _, x := range o.Sensors {
		if x.Value.Known {
			got[strings.TrimSpace(x.In+" "+x.Name)] = x.Value.String() + " " + x.Unit
		}
		if n, output := x.SupplySide(); n > 0 && (x.In != "PowerSupply"+strconv.Itoa(n) || output != strings.HasPrefix(x.Name, "Output")) {
			t.Errorf("%s in %q is of supply %d, output %v", x.Name, x.In, n, output)
		}
	}
	for name, want := range map[string]string{
		"PowerSupply1 Input current sensor": "0.38 A", "PowerSupply1 Output current sensor": "5.5 A", "PowerSupply2 Input voltage sensor": "218.5 V", "PowerSupply2 Output voltage sensor": "12.2 V",
		"DOM RX Power Sensor for Ethernet5": "0.0004025 W", "DOM RX Power Sensor for Ethernet50": "0.0000004 W", "DOM TX Bias Sensor for Ethernet52": "0.00496 A",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// recorded are the objects of a .snmprec file that lie under one of the roots.
func recorded(t *testing.T, lines *bufio.Scanner, roots ...string) (out []object) {
	t.Helper()
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		part := strings.SplitN(lines.Text(), "|", 3)
		under := false
		for _, root := range roots {
			under = under || strings.HasPrefix(part[0], root)
		}
		if !under || len(part) < 3 {
			continue
		}
		switch kind, text := strings.TrimSuffix(part[1], "x"), part[2]; {
		case kind == "4" && kind != part[1]:
			raw, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, obj(part[0], string(raw)))
		case kind == "4":
			out = append(out, obj(part[0], text))
		case kind == "2":
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, obj(part[0], n))
		}
	}
	return out
}

// TestNoWayOutOfASupply: parts that stand in each other are in no supply.
func TestNoWayOutOfASupply(t *testing.T) {
	parts := map[int]*fleet.Entity{1: {Index: 1, Parent: 2, Class: "sensor"}, 2: {Index: 2, Parent: 1, Class: "container"}}
	if got := supplyAround(parts[1], parts); got != "" {
		t.Errorf("it stands in %q", got)
	}
	parts[2].Parent, parts[3] = 3, &fleet.Entity{Index: 3, Class: "powerSupply", Descr: "PowerSupply1"}
	if got := supplyAround(parts[1], parts); got != "PowerSupply1" {
		t.Errorf("it stands in %q", got)
	}
}
