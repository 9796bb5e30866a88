package trace

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// strange lets a port of a switch hear another NIC than is meant to hang on it.
func strange(sw, port string, hears, meant fleet.Attachment) func(*fleet.Device) {
	return only(sw, func(d *fleet.Device) {
		d.Miscabled = append(d.Miscabled, fleet.Miscable{Port: port, Hears: hears, Meant: meant, Source: "lldp"})
		say(d, fleet.StateWarn, "cable "+port, port+" hears something else")
	})
}

// TestSwappedCablesAreOneCause: two ports that hear each other's machines are one
// exchange, on one switch or on two. A port that hears what another one misses,
// which hears a third, is not.
func TestSwappedCablesAreOneCause(t *testing.T) {
	s := hall(2).snap(func(*fleet.Device) {})
	end := func(id, nic string) fleet.Attachment {
		return fleet.Attachment{Device: s.Devices.Number(id), Part: nic}
	}
	one, two, three := end("r01-s01", "eth1"), end("r01-s02", "eth1"), end("r01-s03", "eth1")
	far := end("r02-s01", "eth1")
	for _, c := range []struct {
		name   string
		live   func(*fleet.Device)
		want   string
		quotes string
	}{
		{"on one switch", both(strange("r01-swa", "E1", two, one), strange("r01-swa", "E2", one, two)), "r01-swa/E1",
			"the cables of r01-s01 eth1 and r01-s02 eth1 are swapped: r01-swa/E1 hears r01-s02 eth1 (lldp), r01-swa/E2 hears r01-s01 eth1 (lldp)"},
		{"on two switches", both(strange("r01-swa", "E1", far, one), strange("r02-swa", "E1", one, far)), "r01-swa/E1",
			"the cables of r01-s01 eth1 and r02-s01 eth1 are swapped: r01-swa/E1 hears r02-s01 eth1 (lldp), r02-swa/E1 hears r01-s01 eth1 (lldp)"},
		{"in a ring", both(strange("r01-swa", "E1", two, one), strange("r01-swa", "E2", three, two), strange("r01-swa", "E3", one, three)), "r01-swa/E1 r01-swa/E2 r01-swa/E3", "E1 hears something else"},
		{"one alone", strange("r01-swa", "E1", two, one), "r01-swa/E1", "E1 hears something else"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := Causes(hall(2).snap(c.live), t0)
			var ids []string
			for _, x := range list {
				ids = append(ids, x.ID)
			}
			if got := strings.Join(ids, " "); got != c.want || strings.Join(list[0].Evidence, "; ") != c.quotes {
				t.Errorf("causes %q, evidence %q", got, list[0].Evidence)
			}
			if sure := strings.Contains(c.quotes, "swapped"); sure != (list[0].Confidence == fleet.ConfidenceHigh) {
				t.Errorf("confidence %v", list[0].Confidence)
			}
		})
	}
}

// TestDarkPortsOfAMachineThatLies: a BMC that says on while no watts and no light
// come is behind its dark ports before it had the time to boot; one with light on
// another cable is not.
func TestDarkPortsOfAMachineThatLies(t *testing.T) {
	dark := func(ports ...string) func(*fleet.Device) {
		return func(d *fleet.Device) {
			for _, name := range ports {
				sw, port, _ := strings.Cut(name, "/")
				if d.Spec.ID != sw {
					continue
				}
				for i := range d.Ports {
					if d.Ports[i].Name == port {
						d.Ports[i].Oper = "down"
					}
				}
				say(d, fleet.StateWarn, "port "+port, port+" down (cabled to r01-s01)")
			}
		}
	}
	lies := only("r01-s01", func(d *fleet.Device) {
		say(d, fleet.StateWarn, "power", "BMC says on and 242 W, but its outlets deliver 9 W")
	})
	list := Causes(hall(1).snap(both(lies, dark("r01-swa/E1", "r01-swb/E1"))), t0)
	if len(list) != 1 || list[0].ID != "r01-s01" || len(list[0].Symptoms) != 3 {
		t.Errorf("with all ports dark: %+v", list)
	}
	if list := Causes(hall(1).snap(both(lies, dark("r01-swa/E1"))), t0); len(list) != 2 {
		t.Errorf("with one port lit: %+v", list)
	}
}

// TestATableThatIsNotReadIsNoLostPath: the device answers.
func TestATableThatIsNotReadIsNoLostPath(t *testing.T) {
	list := Causes(hall(1).snap(only("r01-pa", func(d *fleet.Device) {
		d.State = fleet.StateUnknown
		say(d, fleet.StateUnknown, "table outlets", "outlets not read since 13:50:00")
	})), t0)
	if len(list) != 1 || strings.Join(list[0].Evidence, "; ") != "outlets not read since 13:50:00" {
		t.Errorf("causes %+v", list)
	}
}
