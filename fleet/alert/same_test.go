package alert

import (
	"testing"
	"time"

	"plumb/fleet"
)

// cable has a port on each of two switches, one cable between them, and rules on
// what may be wrong with it.
func cableHouse(t *testing.T) *house {
	h := newHouse(t, fleet.Alerting{Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager", Wait: time.Second, Interval: time.Minute}, Rules: []fleet.AlertRule{
		{Name: "down", On: "port", Problem: `port.oper == "down"`, Attempts: 1, Severity: fleet.SeverityWarn, Graded: true},
		{Name: "errors", On: "port", Problem: "port.errors_per_s > 1", Attempts: 1, Severity: fleet.SeverityWarn, Graded: true},
		{Name: "cabling", On: "finding", Problem: `finding.kind == "cabling"`, Severity: fleet.SeverityWarn, Graded: true},
		{Name: "vlan", On: "finding", Problem: `finding.facet contains "vlan"`, Severity: fleet.SeverityWarn, Graded: true},
	}})
	h.snap.Cabled = map[string]fleet.Attachment{"s01/e1": {Device: 1, Part: "e2"}, "s02/e2": {Device: 0, Part: "e1"}, "s03/e3": {Device: 3, Part: "eth0"}, "s03/e4": {Device: 3, Part: "bmc"}}
	h.step(time.Minute)
	return h
}

func (h *house) port(id, name, oper string, errors int64) {
	h.poll(id, "pa")
	h.device(id, func(d *fleet.Device) {
		d.Ports = []fleet.Port{{PortDef: &fleet.PortDef{Name: name, Admin: "up", Oper: oper}, Rates: fleet.Rates{Errors: fleet.Int(errors)}}}
	})
}

func (h *house) finds(id string, list ...fleet.Finding) {
	h.poll(id, "pa")
	for i := range list {
		list[i].Target, list[i].State = id, fleet.FindingOpen
	}
	h.device(id, func(d *fleet.Device) { d.Docket = &fleet.Docket{Findings: list} })
}

func (h *house) held(id, by string) {
	h.t.Helper()
	a := h.alert(id)
	switch {
	case a == nil:
		h.t.Errorf("there is no %s", id)
	case a.Held == nil && by != "" || a.Held != nil && a.Held.By != by:
		h.t.Errorf("%s is held by %+v, want %q", id, a.Held, by)
	}
}

// TestBothEnds: two ports of one cable are down, and one is told.
func TestBothEnds(t *testing.T) {
	h := cableHouse(t)
	h.port("s01", "e1", "down", 0)
	h.step(time.Second)
	h.port("s02", "e2", "down", 0)
	h.step(time.Second)
	h.held("down:s01/e1", "")
	h.held("down:s02/e2", "down:s01/e1")
	h.port("s01", "e1", "up", 0)
	h.step(time.Second)
	h.port("s02", "e2", "up", 0)
	for range 100 {
		h.step(time.Second)
	}
	if len(h.notices) != 2 {
		t.Errorf("%d notices, want a page and a resolve: %+v", len(h.notices), h.notices)
	}
}

// TestOtherTroubleOfOneCable: errors on a port are not what its far end is told of.
func TestOtherTroubleOfOneCable(t *testing.T) {
	h := cableHouse(t)
	h.port("s01", "e1", "up", 9)
	h.port("s02", "e2", "down", 0)
	h.step(time.Second)
	h.held("errors:s01/e1", "")
	h.held("down:s02/e2", "")
}

// TestSwapped: two cables changed places, or one went elsewhere and left a dead
// port behind; errors where it is now are told all the same.
func TestSwapped(t *testing.T) {
	h := cableHouse(t)
	end := func(facet, is, meant string) fleet.Finding {
		return fleet.Finding{Facet: facet, Kind: fleet.FindCabling, Observed: is, Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: meant}}}
	}
	h.finds("s01", end("port e6 cable", "s08 eth0", "s06 eth0"), end("port e8 cable", "s06 eth0", "s08 eth0"), end("port e9 cable", "s07 eth0", "s05 eth0"))
	h.step(time.Second)
	h.held("cabling:s01/port e6 cable", "")
	h.held("cabling:s01/port e8 cable", "cabling:s01/port e6 cable")
	h.held("cabling:s01/port e9 cable", "")

	h.port("s03", "e3", "down", 0)
	h.step(time.Second)
	h.held("down:s03/e3", "")
	h.finds("s03", end("port e7 cable", "s04 eth0", ""))
	h.step(time.Second)
	h.held("down:s03/e3", "cabling:s03/port e7 cable")
	h.port("s03", "e3", "up", 9)
	h.step(time.Second)
	h.held("errors:s03/e3", "")
}

// TestBMCOnAnotherVLAN: the port was set, and the BMC behind it shows it.
func TestBMCOnAnotherVLAN(t *testing.T) {
	h := cableHouse(t)
	h.finds("s04", fleet.Finding{Facet: "net.bmc-vlan", Kind: fleet.FindSecurity})
	h.step(time.Second)
	h.finds("s03", fleet.Finding{Facet: "port e4 vlan", Kind: fleet.FindConfig})
	h.step(time.Second)
	h.held("vlan:s03/port e4 vlan", "")
	h.held("vlan:s04/net.bmc-vlan", "vlan:s03/port e4 vlan")
}

// TestMachineTakesItsPorts: both ports of a machine go dark at once, and one is
// told; where the second follows much later it is the last way, and is told.
func TestMachineTakesItsPorts(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		held  string
	}{{time.Second, "down:s01/e7"}, {time.Hour, ""}} {
		h := cableHouse(t)
		h.snap.Cabled = map[string]fleet.Attachment{"s01/e7": {Device: 6, Part: "eth0"}, "s02/e7": {Device: 6, Part: "eth1"}}
		h.port("s01", "e7", "down", 0)
		h.step(c.after)
		h.port("s02", "e7", "down", 0)
		h.step(time.Second)
		h.held("down:s01/e7", "")
		h.held("down:s02/e7", c.held)
	}
}
