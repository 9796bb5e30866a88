package snmp

import (
	"slices"
	"testing"

	"plumb/fleet"
)

func sorted(tree []object) []object {
	slices.SortFunc(tree, func(a, b object) int { return a.name.compare(b.name) })
	return tree
}

// TestPDU reads an rPDU2 unit that also answers the older rPDU objects.
func TestPDU(t *testing.T) {
	const apc = "1.3.6.1.4.1.318.1.1."
	tree := switchTree(1, "pdu1")
	tree = append(tree,
		obj(apc+"26.2.1.6.1", "6.7.2"), obj(apc+"26.2.1.8.1", "AP8641"), obj(apc+"26.2.1.9.1", "3F34"),
		obj(apc+"26.4.3.1.4.1", 2), obj(apc+"26.4.3.1.5.1", 121),
		obj(apc+"26.6.1.1.6.1", 19), obj(apc+"26.6.1.1.7.1", 24), obj(apc+"26.6.3.1.4.1", 3), obj(apc+"26.6.3.1.5.1", 205),
		obj(apc+"12.1.16.0", 1210), obj(apc+"12.2.3.1.1.2.1", gauge32(205)), obj(apc+"12.2.3.1.1.4.1", 1),
		obj(apc+"26.9.2.3.1.3.1", "s01-psu1"), obj(apc+"26.9.2.3.1.5.1", 2), obj(apc+"26.9.2.3.1.3.2", ""), obj(apc+"26.9.2.3.1.5.2", 1),
		obj(apc+"26.9.4.3.1.5.1", 1), obj(apc+"26.9.4.3.1.5.2", 2), obj(apc+"26.9.4.3.1.6.1", 9), obj(apc+"26.9.4.3.1.7.1", 163), obj(apc+"26.9.4.3.1.6.2", 0), obj(apc+"26.9.4.3.1.7.2", -1))
	f := newFake(t, sorted(tree)...)
	a := agentOf(t, f)
	for _, lane := range []fleet.Lane{fleet.LaneSlow, fleet.LaneFast} {
		o := observe(t, a, lane)
		if lane == fleet.LaneSlow && (o.Facts.Get(fleet.FactModel) != "AP8641" || o.Facts.Get(fleet.FactSerial) != "3F34" || o.Facts.Get(fleet.FactFirmware) != "6.7.2") {
			t.Errorf("facts %v", o.Facts)
		}
		want := map[string]string{
			"rPDU2DeviceStatus:device 1 power": "1210 W ok", "rPDU2DeviceStatus:device 1 load state": "2  ok",
			"rPDU2PhaseStatus:phase 1 current": "20.5 A warn", "rPDU2PhaseStatus:phase 1 load state": "3  warn",
		}
		if len(o.Sensors) != len(want) {
			t.Errorf("%d sensors", len(o.Sensors))
		}
		for _, s := range o.Sensors {
			if got := s.Value.String() + " " + s.Unit + " " + s.State.String(); got != want[s.Key] {
				t.Errorf("%s: %s, want %s", s.Key, got, want[s.Key])
			}
		}
		if len(o.Outlets) != 2 {
			t.Fatalf("%d outlets", len(o.Outlets))
		}
		first, second := o.Outlets[0], o.Outlets[1]
		if first.Name != "s01-psu1" || first.State != "on" || first.CurrentA.String() != "0.9" || first.PowerW.String() != "163" {
			t.Errorf("%+v", first)
		}
		if second.Name != "outlet 2" || second.State != "off" || second.CurrentA.String() != "0" || second.PowerW.Known {
			t.Errorf("%+v", second)
		}
	}
}

func TestUPS(t *testing.T) {
	const ups = "1.3.6.1.2.1.33.1."
	tree := append(switchTree(1, "ups1"),
		obj(ups+"1.1.0", "EATON"), obj(ups+"1.2.0", "93E"), obj(ups+"2.1.0", 3), obj(ups+"2.3.0", 12), obj(ups+"2.4.0", 15), obj(ups+"2.6.0", -35), obj(ups+"2.7.0", 25),
		obj(ups+"4.1.0", 5), obj(ups+"3.3.1.3.1", 227), obj(ups+"3.3.1.3.2", -1), obj(ups+"4.4.1.5.1", 21))
	o := observe(t, agentOf(t, newFake(t, sorted(tree)...)), fleet.LaneFast)
	want := map[string]string{
		"ups:battery charge": "15 % ok", "ups:battery runtime": "720 s ok", "ups:battery status": "3  crit low", "ups:battery current": "-3.5 A ok", "ups:battery temperature": "25 C ok",
		"ups:output source": "5  warn battery", "ups:phase 1 input voltage": "227 V ok", "ups:phase 1 output load": "21 % ok",
	}
	got := map[string]string{}
	for _, s := range o.Sensors {
		got[s.Key] = s.Value.String() + " " + s.Unit + " " + s.State.String()
		if s.Text != "" {
			got[s.Key] += " " + s.Text
		}
	}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("%s: %q, want %q", k, got[k], w)
		}
	}
	if len(got) != len(want) || o.Facts.Get(fleet.FactModel) != "93E" {
		t.Errorf("%v, model %q", got, o.Facts.Get(fleet.FactModel))
	}
}

// TestBridge: bridge ports are neither ifIndexes nor names.
func TestBridge(t *testing.T) {
	tree := switchTree(1, "sw1", fakePort{index: 101, name: "Ethernet1"}, fakePort{index: 102, name: "Ethernet2"})
	const b = "1.3.6.1.2.1.17."
	mac := func(last uint32) []uint32 { return []uint32{2, 0, 0, 0, 0, last} }
	tree = append(tree,
		obj(b+"1.4.1.2.1", 102), obj(b+"1.4.1.2.2", 101), obj(b+"7.1.4.5.1.1.1", gauge32(20)),
		obj(b+"7.1.4.2.1.3.0.20", gauge32(7)), obj(b+"7.1.4.2.1.4.0.20", "\xc0"), obj(b+"7.1.4.3.1.1.20", "servers"))
	for i, row := range [][2]int{{1, 3}, {2, 3}, {9, 3}, {1, 4}, {1, 2}} { // port, status
		index := append([]uint32{7}, mac(uint32(i))...)
		tree = append(tree, objAt(parseOID(b+"7.1.2.2.1.2").plus(index...), row[0]), objAt(parseOID(b+"7.1.2.2.1.3").plus(index...), row[1]))
	}
	o := observe(t, agentOf(t, newFake(t, sorted(tree)...)), fleet.LaneTables)
	want := []fleet.FDBEntry{{MAC: "02:00:00:00:00:00", Port: "Ethernet2", VLAN: 20}, {MAC: "02:00:00:00:00:01", Port: "Ethernet1", VLAN: 20}, {MAC: "02:00:00:00:00:02", Port: "bridge port 9", VLAN: 20}}
	if !slices.Equal(o.FDB, want) || o.Tables[fleet.TableFDB] != fleet.Complete {
		t.Errorf("FDB %v", o.FDB)
	}
	if len(o.VLANs) != 1 || o.VLANs[0].Name != "servers" || !slices.Equal(o.VLANs[0].Ports, []string{"Ethernet2", "Ethernet1"}) {
		t.Errorf("VLANs %v", o.VLANs)
	}
	if o.Ports[0].VLAN != 0 || o.Ports[1].VLAN != 20 {
		t.Errorf("PVIDs %d %d", o.Ports[0].VLAN, o.Ports[1].VLAN)
	}
}

// TestUntagged: what is in force counts before what is configured, and a port
// that is no member sends nothing.
func TestUntagged(t *testing.T) {
	const b = "1.3.6.1.2.1.17."
	ports := []fakePort{{index: 1, name: "p1"}, {index: 2, name: "p2"}, {index: 3, name: "p3"}}
	for name, c := range map[string]struct {
		rows []object
		want []string
	}{
		"current":       {[]object{obj(b+"7.1.4.2.1.4.0.20", "\xc0"), obj(b+"7.1.4.2.1.5.0.20", "\x40"), obj(b+"7.1.4.3.1.4.20", "\x80")}, []string{"p2"}},
		"static":        {[]object{obj(b+"7.1.4.3.1.2.20", "\xc0"), obj(b+"7.1.4.3.1.4.20", "\x80")}, []string{"p1"}},
		"no member":     {[]object{obj(b+"7.1.4.2.1.4.0.20", "\xc0"), obj(b+"7.1.4.2.1.5.0.20", "\x60\xff")}, []string{"p2"}},
		"all tagged":    {[]object{obj(b+"7.1.4.2.1.4.0.20", "\xc0"), obj(b+"7.1.4.2.1.5.0.20", "\x00")}, []string{}},
		"does not say":  {[]object{obj(b+"7.1.4.2.1.4.0.20", "\xc0")}, nil},
		"no egress set": {[]object{obj(b+"7.1.4.2.1.5.0.20", "\xc0")}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			o := observe(t, agentOf(t, newFake(t, sorted(append(switchTree(1, "sw1", ports...), c.rows...))...)), fleet.LaneTables)
			if len(o.VLANs) != 1 || !slices.Equal(o.VLANs[0].Untagged, c.want) || (o.VLANs[0].Untagged == nil) != (c.want == nil) {
				t.Errorf("%+v, want untagged %v", o.VLANs, c.want)
			}
		})
	}
}

// TestNeighbors: agents name their own ports in every way the MIB allows.
func TestNeighbors(t *testing.T) {
	tree := switchTree(1, "sw1", fakePort{index: 101, name: "xe-0/0/1"}, fakePort{index: 102, name: "xe-0/0/2"}, fakePort{index: 103, name: "xe-0/0/3"}, fakePort{index: 104, name: "xe-0/0/4"})
	const lldp = "1.0.8802.1.1.2.1."
	local := func(port uint32, subtype int, id, descr string) {
		for c, v := range map[string]any{"2": subtype, "3": id, "4": descr} {
			tree = append(tree, objAt(parseOID(lldp+"3.7.1."+c).plus(port), v))
		}
	}
	remote := func(port uint32, subtype int, id, descr string) {
		for c, v := range map[string]any{"4": 4, "5": "\x52\x54\x00\x00\x00\x09", "6": subtype, "7": id, "8": descr, "9": "far"} {
			tree = append(tree, objAt(parseOID(lldp+"4.1.1."+c).plus(0, port, 1), v))
		}
	}
	local(1, 5, "xe-0/0/1", "")
	local(2, 7, "102", "uplink")
	local(3, 3, "\x52\x54\x00\x00\x00\x67", "")
	local(104, 7, "x", "")
	remote(1, 5, "Ethernet1", "")
	remote(2, 7, "516", "xe-1/0/0")
	remote(3, 3, "\x52\x54\x00\x00\x00\x0a", "")
	remote(104, 5, "Ethernet9", "")
	tree = append(tree, obj("1.3.6.1.4.1.9.9.23.1.2.1.1.6.103.1", "\xe8\x39\x35\x1a\xca\x99"), obj("1.3.6.1.4.1.9.9.23.1.2.1.1.7.103.1", "Gi0/1"))
	o := observe(t, agentOf(t, newFake(t, sorted(tree)...)), fleet.LaneTables)
	want := []fleet.Neighbor{
		{LocalPort: "xe-0/0/1", RemoteName: "far", RemotePort: "Ethernet1", RemoteChassis: "52:54:00:00:00:09", Protocol: "lldp"},
		{LocalPort: "xe-0/0/2", RemoteName: "far", RemotePort: "xe-1/0/0", RemoteChassis: "52:54:00:00:00:09", Protocol: "lldp"},
		{LocalPort: "xe-0/0/3", RemoteName: "far", RemotePort: "52:54:00:00:00:0a", RemoteChassis: "52:54:00:00:00:09", Protocol: "lldp"},
		{LocalPort: "xe-0/0/4", RemoteName: "far", RemotePort: "Ethernet9", RemoteChassis: "52:54:00:00:00:09", Protocol: "lldp"},
		{LocalPort: "xe-0/0/3", RemoteName: "e8:39:35:1a:ca:99", RemotePort: "Gi0/1", Protocol: "cdp"},
	}
	if !slices.Equal(o.Neighbors, want) {
		t.Errorf("got  %v\nwant %v", o.Neighbors, want)
	}
}

// TestSensorsAndEntities reads ENTITY-MIB and ENTITY-SENSOR-MIB in both lanes.
func TestSensorsAndEntities(t *testing.T) {
	const ent, sens = "1.3.6.1.2.1.47.1.1.1.1.", "1.3.6.1.2.1.99.1.1.1."
	tree := append(switchTree(1, "sw1"),
		obj(ent+"5.1", 3), obj(ent+"7.1", "Chassis"), obj(ent+"10.1", "4.20"), obj(ent+"11.1", "SN1"), obj(ent+"13.1", "DCS"),
		obj(ent+"4.9", 1), obj(ent+"5.9", 8), obj(ent+"7.9", "inlet"), obj(ent+"5.10", 8), obj(ent+"7.10", "inlet"))
	for _, i := range []string{"9", "10"} {
		tree = append(tree, obj(sens+"1."+i, 8), obj(sens+"2."+i, 9), obj(sens+"3."+i, 1), obj(sens+"4."+i, 215), obj(sens+"5."+i, 1))
	}
	f := newFake(t, sorted(tree)...)
	a := agentOf(t, f)
	for _, lane := range []fleet.Lane{fleet.LaneSlow, fleet.LaneFast} {
		o := observe(t, a, lane)
		if len(o.Sensors) != 2 || o.Sensors[0].Key != "entPhySensor:inlet" || o.Sensors[1].Key != "entPhySensor:inlet.10" || o.Sensors[0].Value.String() != "21.5" {
			t.Fatalf("%v: %+v", lane, o.Sensors)
		}
		if lane == fleet.LaneFast {
			continue
		}
		if len(o.Entities) != 3 || o.Entities[1].Parent != 1 || o.Entities[0].Class != "chassis" || o.Facts.Get(fleet.FactSerial) != "SN1" || o.Facts.Get(fleet.FactFirmware) != "4.20" {
			t.Errorf("%v %v", o.Entities, o.Facts)
		}
	}
}

// TestSensorBeyondBits: RFC 3433 allows yotta; what 64 bits cannot hold is said
// to be out of range and breaks nothing.
func TestSensorBeyondBits(t *testing.T) {
	for _, c := range []struct {
		scale, value int
		want         string
	}{{14, 9, "9000000000000000000"}, {14, 10, "null"}, {17, 1, "null"}, {16, 1, "null"}, {9, 10, "10"}} {
		r := sensorRow{value: int64(c.value), known: true, status: 1, kind: 8, scale: c.scale}
		s := r.define(1, nil).read(&r)
		if s.Value.String() != c.want || s.Value.Known == (s.State == fleet.StateUnknown) {
			t.Errorf("scale %d: %v %v %q, want %s", c.scale, s.Value, s.State, s.Text, c.want)
		}
	}
}
