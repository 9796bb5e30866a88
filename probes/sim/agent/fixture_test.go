package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sampleSwitch is a switch of 54 ports with a management port, three VLANs,
// neighbours, parts and sensors.
func sampleSwitch() *Switch {
	sw := &Switch{
		System: System{
			Name: "ams1-r01-sw1", Descr: "Plumb Simulated Switch, 48x25G 6x100G",
			ObjectID: "1.3.6.1.4.1.30065.1.3011.7150.3282.52.2745",
			Location: "ams1/r01", Contact: "noc", Services: 6,
			Uptime: 123456780 * time.Millisecond, Boots: 3,
		},
		Chassis: MAC{0x52, 0x54, 0, 1, 0, 0},
	}
	for i := 1; i <= 54; i++ {
		speed := uint32(25000)
		if i > 48 {
			speed = 100000
		}
		sw.Ports = append(sw.Ports, Port{
			Index: 1000 + i, Bridge: i, Name: fmt.Sprintf("Ethernet%d", i), Descr: fmt.Sprintf("Ethernet%d", i),
			Alias: fmt.Sprintf("to s%02d", i), MTU: 9214, SpeedMbps: speed, MAC: MAC{0x52, 0x54, 0, 1, 0, byte(i)},
			Admin: Up, Oper: Up, PVID: 100,
			In:         Traffic{Octets: 1<<40 + uint64(i), Unicast: 12345678, Errors: 7},
			Out:        Traffic{Octets: 1<<63 + uint64(i), Unicast: 87654321, Discards: 9},
			LastChange: 20 * time.Second,
		})
	}
	sw.Ports = append(sw.Ports, Port{Index: 2000, Name: "Management1", Descr: "Management1", MTU: 1500, SpeedMbps: 1000, Admin: Up, Oper: Down})
	var entries []FDBEntry
	for i := range 40 {
		entries = append(entries, FDBEntry{MAC: MAC{2, byte(255 - i), 3, 4, 5, byte(i)}, Port: 1 + i%54, VLAN: 100 + i%3})
	}
	sw.FDB = NewFDB(entries)
	sw.ARP = NewARP([]Address{
		{Port: 1049, IP: netip.MustParseAddr("fe80::1"), MAC: MAC{2, 2, 3, 4, 5, 6}}, {Port: 1049, IP: netip.MustParseAddr("10.0.200.1"), MAC: MAC{2, 2, 3, 4, 5, 6}},
		{Port: 1002, IP: netip.MustParseAddr("10.0.0.9"), MAC: MAC{2, 2, 3, 4, 5, 7}}, {Port: 1002, IP: netip.MustParseAddr("10.0.0.9"), MAC: MAC{9}},
	})
	for i := range 3 {
		sw.VLANs = append(sw.VLANs, VLAN{ID: 100 + i, Name: fmt.Sprintf("vlan-%d", i), Egress: Ports(1, 2, 54), Untagged: Ports(1)})
	}
	for i := range 4 {
		sw.Neighbors = append(sw.Neighbors, Neighbor{
			TimeMark: 2, Port: 1049 + i, Index: 1, Chassis: MAC{0x52, 0x54, 9, 9, 9, byte(i)},
			PortID: fmt.Sprintf("Ethernet%d", i+1), SysName: fmt.Sprintf("ams1-spine-%d", i),
		})
	}
	sw.Entities = []Entity{
		{Index: 1, Class: ClassChassis, Name: "Chassis", Model: "PLB-48Y6C", Serial: "SW0001", SoftwareRev: "4.20.5F"},
		{Index: 10, Parent: 1, Position: 1, Class: ClassPowerSupply, Name: "PSU1", Replaceable: true},
		{Index: 100, Parent: 1, Position: 1, Class: ClassSensor, Name: "Inlet temp"},
	}
	sw.Sensors = []Sensor{{Entity: 100, Type: Celsius, Precision: 1, Value: -215, Units: "Celsius"}}
	return sw
}

func samplePDU() *PDU {
	p := &PDU{
		System: System{
			Name: "ams1-r01-pa", Descr: "Rack PDU", ObjectID: "1.3.6.1.4.1.318.1.3.4.6", Uptime: time.Hour, Boots: 1, Services: 72,
			Ports: []Port{{Index: 2, Name: "vmac0", Descr: "vmac0", MTU: 1500, SpeedMbps: 100, MAC: MAC{0x28, 0x29, 0x86, 1, 2, 3}, Admin: Up, Oper: Up}},
		},
		Model: "AP8641", Serial: "3F3452A52295", RatedAmps: 32, Watts: 1310, ApparentVA: 1400,
		Phases: []Phase{{Volts: 230, AmpsX10: 65, Watts: 1310, VA: 1400, FactorPercent: 94, Limits: Load{0, 19, 24}}},
		Banks:  []Bank{{Phase: 1, AmpsX10: 38, Limits: Load{0, 16, 20}}, {Phase: 1, AmpsX10: 24, Limits: Load{0, 16, 20}}},
	}
	for i := range 24 {
		p.Outlets = append(p.Outlets, Outlet{Name: fmt.Sprintf("s%02d-psu1", i+1), Phase: 1, Bank: 1 + i/12, On: i != 5, AmpsX10: i, Watts: 23 * i, NearWatts: 2000, OverWatts: 2500, Type: "C13"})
	}
	return p
}

func sampleUPS() *UPS {
	return &UPS{
		System: System{Name: "ams1-ups-1", Descr: "UPS", ObjectID: "1.3.6.1.4.1.705.1", Uptime: time.Hour, Services: 72},
		Vendor: "Plumb", Model: "U80",
		Battery: Battery{Status: BatteryNormal, Remaining: 1092 * time.Minute, ChargePercent: 100, VoltsX10: 5210, CelsiusDegrees: 25},
		Input:   []Line{{HertzX10: 500, Volts: 227}, {HertzX10: 500, Volts: 227}, {HertzX10: 500, Volts: 233}},
		Output:  []Line{{Volts: 220, AmpsX10: 270, Watts: 5100, LoadPercent: 21}},
		Alarms:  []Alarm{{ID: 1, What: AlarmOnBattery, Since: time.Minute}},
	}
}

// v3Users has one user for each suite.
func v3Users() []User {
	users := []User{{Name: "nobody"}}
	for auth := range authProtocols {
		users = append(users, User{Name: "u-" + auth, Auth: auth, AuthPass: "authpass-" + auth})
		for priv := range privProtocols {
			users = append(users, User{Name: "u-" + auth + "-" + priv, Auth: auth, AuthPass: "authpass-" + auth, Priv: priv, PrivPass: "privpass-" + priv})
		}
	}
	return users
}

var testEngine = []byte{0x80, 0, 0x1f, 0x88, 4, 'p', 'l', 'u', 'm', 'b'}

var nextPort atomic.Int32

// start serves cfg on a free port of 34000 to 34099 and stops with the test.
func start(t testing.TB, cfg Config) (*Server, netip.AddrPort) {
	t.Helper()
	var err error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 34000+(nextPort.Add(1)-1)%100)
		var s *Server
		if s, err = Listen(t.Context(), addr, cfg); err == nil {
			t.Cleanup(func() { _ = s.Close() })
			return s, s.Addr()
		}
	}
	t.Fatal(err)
	return nil, netip.AddrPort{}
}

func device(d Device) func() Device { return func() Device { return d } }

// changeLog keeps what agents were told to change.
type changeLog struct {
	mu     sync.Mutex // guards all below: agents call set from their goroutines
	got    []Change
	refuse error
}

func (l *changeLog) set(c Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, c)
	return l.refuse
}

func (l *changeLog) reset(refuse error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got, l.refuse = nil, refuse
}

func (l *changeLog) changes() []Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}
