package trace_test

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/trace"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// room is a server on one cord and two cables, a switch that hears things, a
// PDU and a guest.
func room(t *testing.T, heard []fleet.Neighbor, fdb []fleet.FDBEntry, outlet string) *fleet.Snapshot {
	t.Helper()
	ep := []fleet.Endpoint{{Source: fleet.SourceSNMP, Address: "127.0.0.1:1"}}
	where := func(d fleet.DeviceSpec) fleet.DeviceSpec {
		d.Rack, d.Site, d.Region, d.Endpoints = "ams1/r01", "ams1", "ams", ep
		return d
	}
	inv := &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks: []fleet.RackSpec{{ID: "ams1/r01", Site: "ams1", Region: "ams", Units: 42}}, Feeds: []fleet.FeedSpec{{Name: "A", Site: "ams1"}},
		Devices: []fleet.DeviceSpec{
			where(fleet.DeviceSpec{ID: "s01", Kind: fleet.KindServer, Power: []fleet.PowerCord{{PSU: 1, Outlet: "pa/3"}},
				Links: []fleet.Cable{{NIC: "eth0", MAC: "52:54:00:00:00:01", To: "sw1/Ethernet1"}, {NIC: "eth1", MAC: "52:54:00:00:00:02", To: "sw1/Ethernet2"}}}),
			where(fleet.DeviceSpec{ID: "sw1", Kind: fleet.KindSwitch}),
			where(fleet.DeviceSpec{ID: "pa", Kind: fleet.KindPDU, Feed: "A"}),
		},
		Clouds:   []fleet.CloudSpec{{Name: "os", Region: "ams"}},
		Services: []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}}},
	}
	sw := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: t0, Neighbors: heard, FDB: fdb}
	for _, table := range []fleet.TableID{fleet.TablePorts, fleet.TableNeighbors, fleet.TableFDB} {
		sw.SetTable(table, fleet.Complete)
	}
	for _, p := range []string{"Ethernet1", "Ethernet2", "Ethernet9"} {
		sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: p, Admin: "up", Oper: map[bool]string{true: "down", false: "up"}[p == "Ethernet2"]}})
	}
	pa := &fleet.Observation{Target: "pa", Source: fleet.SourceSNMP, At: t0, Outlets: []fleet.Outlet{{Index: 3, State: outlet}}}
	pa.SetTable(fleet.TableOutlets, fleet.Complete)
	os := &fleet.Observation{Target: "os", Source: fleet.SourceOpenStack, At: t0, Hosts: []fleet.Host{{ID: "h", Name: "s01", State: "up", Status: "enabled"}},
		Instances: []fleet.Instance{{ID: "i-1", State: fleet.StateOK, Host: "s01", Tags: map[string]string{"service": "match"}}}}
	os.SetTable(fleet.TableHosts, fleet.Complete)
	os.SetTable(fleet.TableInstances, fleet.Complete)
	s, _ := engine.Step(engine.Restore(inv, fleet.Memory{}, t0), []fleet.Input{sw, pa, os}, t0)
	return s
}

func find(t *testing.T, links []fleet.Link, from, to string) fleet.Link {
	t.Helper()
	for _, l := range links {
		if l.From == from && l.To == to {
			return l
		}
	}
	t.Fatalf("no link %s - %s in %+v", from, to, links)
	return fleet.Link{}
}

func TestLinksNameTheirWitnesses(t *testing.T) {
	s := room(t, []fleet.Neighbor{{LocalPort: "Ethernet1", RemoteName: "s01", RemotePort: "eth0", Protocol: "lldp"}},
		[]fleet.FDBEntry{{MAC: "52:54:00:00:00:01", Port: "Ethernet1"}}, "on")
	links := trace.Links(s, "s01")
	if l := find(t, links, "s01/eth0", "sw1/Ethernet1"); l.Source != fleet.Both || l.Evidence != "inventory+lldp+fdb" || l.State != fleet.StateOK {
		t.Errorf("a cable that two tables show: %+v", l)
	}
	if l := find(t, links, "s01/eth1", "sw1/Ethernet2"); l.Source != fleet.Intended || l.State != fleet.StateCrit {
		t.Errorf("a dark cable that nobody shows: %+v", l)
	}
	if l := find(t, links, "pa/3", "s01/psu1"); l.State != fleet.StateOK {
		t.Errorf("a cord on an outlet that is on: %+v", l)
	}
	if l := find(t, links, "s01", "i-1"); l.Source != fleet.Observed || l.Kind != "host" {
		t.Errorf("a guest: %+v", l)
	}
	find(t, links, "i-1", "match")
	find(t, links, "ams1/r01", "s01")
	if trace.Links(s, "nobody") != nil {
		t.Error("a device that is not there has links")
	}
}

func TestBothEndsTellTheSameCable(t *testing.T) {
	s := room(t, nil, nil, "off")
	if a, b := find(t, trace.Links(s, "s01"), "s01/eth0", "sw1/Ethernet1"), find(t, trace.Links(s, "sw1"), "s01/eth0", "sw1/Ethernet1"); a != b {
		t.Errorf("%+v and %+v", a, b)
	}
	if l := find(t, trace.Links(s, "pa"), "pa/3", "s01/psu1"); l.State != fleet.StateOff {
		t.Errorf("a cord on an outlet that is off: %+v", l)
	}
	find(t, trace.Links(s, "pa"), "A", "pa")
}

func TestWhatIsHeardButNotMeantIsShown(t *testing.T) {
	s := room(t, []fleet.Neighbor{{LocalPort: "Ethernet9", RemoteName: "stranger", RemotePort: "et1", Protocol: "lldp"}}, nil, "on")
	if l := find(t, trace.Links(s, "sw1"), "sw1/Ethernet9", "stranger/et1"); l.Source != fleet.Observed || l.Evidence != "lldp" {
		t.Errorf("%+v", l)
	}
}
