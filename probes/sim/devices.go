package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"plumb/probes/sim/agent"
	"plumb/probes/sim/world"
)

// stateLife is how long one look at the world answers a burst of requests.
const stateLife = 500 * time.Millisecond

// suites of the spines, one each in turn: authentication and privacy.
var suites = [...][2]string{{"SHA", "AES"}, {"SHA-256", "AES"}, {"SHA-256", "AES-256"}, {"SHA-512", "AES-256"}, {"SHA-384", "AES-192"}, {"SHA-224", "AES"}}

// startAgent serves the i-th SNMP device: switches first, then PDUs, then UPSes.
func (f *Fleet) startAgent(ctx context.Context, i int, conn *net.UDPConn) error {
	w := f.World
	cfg := agent.Config{}
	var look func(now time.Time) agent.Device
	switch pdu, ups := i-len(w.Switches), i-len(w.Switches)-len(w.PDUs); {
	case pdu < 0:
		look = newSwitchView(w, i).look
		cfg.Set = func(c agent.Change) error { return f.setPort(i, c) }
		if sw := &w.Switches[i]; sw.Spine {
			suite := suites[f.spine(i)%len(suites)]
			cfg.Users = []agent.User{{Name: readUser, Auth: suite[0], AuthPass: f.secrets.of(sw.Name + "-auth"), Priv: suite[1], PrivPass: f.secrets.of(sw.Name + "-priv")}}
			cfg.EngineID = append([]byte{0x80, 0x00, 0x75, 0x6e, 3}, sw.MAC[:]...) // RFC 3411: by MAC address
		} else {
			cfg.Community = f.secrets.of(sw.Name)
		}
	case ups < 0:
		look = (&pduView{w: w, n: pdu}).look
		cfg.Set = func(c agent.Change) error { return f.setOutlet(pdu, c) }
		cfg.Community = f.secrets.of(w.PDUs[pdu].Name)
	default:
		look = (&upsView{w: w, n: ups}).look
		cfg.Community = f.secrets.of(w.UPSes[ups].Name)
	}
	device, forget := cached(f.opt.Now, look)
	cfg.Device = device
	if set := cfg.Set; set != nil { // what was written shows at once
		cfg.Set = func(c agent.Change) error {
			defer forget()
			return set(c)
		}
	}
	s, err := agent.Serve(ctx, conn, cfg)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	f.agents, f.snmpAddr = append(f.agents, s), append(f.snmpAddr, localAddr(conn))
	return nil
}

// spine returns the number of a spine among all spines.
func (f *Fleet) spine(n int) (k int) {
	for i := range n {
		if f.World.Switches[i].Spine {
			k++
		}
	}
	return k
}

// cached looks once for a burst of requests. An agent asks from one goroutine;
// the pointer is atomic all the same, since it costs nothing.
func cached(now func() time.Time, look func(time.Time) agent.Device) (device func() agent.Device, forget func()) {
	type shot struct {
		at  time.Time
		dev agent.Device
	}
	var last atomic.Pointer[shot]
	return func() agent.Device {
		t := now()
		if s := last.Load(); s != nil && t.Sub(s.at) < stateLife && !t.Before(s.at) {
			return s.dev
		}
		s := &shot{t, look(t)}
		last.Store(s)
		return s.dev
	}, func() { last.Store(nil) }
}

var errSet = errors.New("the device cannot do this")

func (f *Fleet) setPort(sw int, c agent.Change) error {
	now := f.opt.Now()
	for i, p := range f.World.Switch(sw, now).Ports {
		switch {
		case c.Kind == agent.SetVLANPorts: // the bridge port's number is the ifIndex
			if f.World.Switches[sw].Ports[i].Link < 0 {
				continue // shown in no VLAN
			}
			if err := f.setMember(sw, i, p.VLAN == c.Row, agent.PortList(c.Ports).Has(p.Index), c.Row, now); err != nil {
				return err
			}
		case p.Index != c.Row:
		case c.Kind == agent.SetPortAdmin:
			return f.World.SetPort(sw, i, agent.Status(c.Value) == agent.Up, now)
		case c.Kind == agent.SetPortAlias:
			return f.World.SetAlias(sw, i, c.Text, now)
		case c.Kind == agent.SetPVID:
			return f.World.SetVLAN(sw, i, c.Value, now)
		default:
			return errSet
		}
	}
	if c.Kind != agent.SetVLANPorts {
		return errSet
	}
	return nil
}

// setMember makes a port a member of a VLAN that it was none of. All ports are
// access ports: that takes it out of the one it was in. None can be taken out
// into nowhere.
func (f *Fleet) setMember(sw, port int, is, wanted bool, vlan int, now time.Time) error {
	switch {
	case wanted && !is:
		return f.World.SetVLAN(sw, port, vlan, now)
	case is && !wanted:
		return errSet
	}
	return nil
}

func (f *Fleet) setOutlet(pdu int, c agent.Change) error {
	if c.Kind != agent.SetOutlet {
		return errSet
	}
	now := f.opt.Now()
	switch agent.OutletCommand(c.Value) {
	case agent.OutletOn:
		return f.World.SetOutlet(pdu, c.Row, true, now)
	case agent.OutletOff:
		return f.World.SetOutlet(pdu, c.Row, false, now)
	case agent.OutletReboot:
		return f.World.RebootOutlet(pdu, c.Row, now)
	}
	return errSet
}

// switchView keeps what of a switch does not change from moment to moment.
type switchView struct {
	w       *world.World
	n       int
	version uint64
	base    *agent.Switch
}

func newSwitchView(w *world.World, n int) *switchView { return &switchView{w: w, n: n} }

func (v *switchView) look(now time.Time) agent.Device {
	st := v.w.Switch(v.n, now)
	if !st.Reachable {
		return nil
	}
	if v.base == nil || v.version != st.Version {
		v.base, v.version = v.describe(&st, now), st.Version
	}
	dev := *v.base
	dev.Uptime = now.Sub(st.Boot)
	dev.Ports = v.ports(&st)
	dev.Sensors = switchSensors(&v.w.Switches[v.n], &st)
	return &dev
}

// describe makes the parts that change only when the world does.
func (v *switchView) describe(st *world.SwitchState, now time.Time) *agent.Switch {
	sw := &v.w.Switches[v.n]
	dev := &agent.Switch{
		System: agent.System{
			Name: sw.Name, Descr: fmt.Sprintf("%s %s EOS version %s", sw.Vendor, sw.Model, st.Firmware),
			ObjectID: "1.3.6.1.4.1.30065.1.3011.7050.427.48", Location: location(v.w, &sw.Placed), Contact: "noc@example.net", Services: 14, Boots: st.Boots,
		},
		Chassis: agent.MAC(sw.MAC), Entities: switchEntities(v.w.Layout, sw, st),
	}
	bridge := func(port int) int { return st.Ports[port].Index }
	for i, h := range v.w.Neighbors(v.n, now) {
		dev.Neighbors = append(dev.Neighbors, agent.Neighbor{Port: st.Ports[h.Port].Index, Index: i + 1, Chassis: agent.MAC(h.Chassis), PortID: h.RemotePort, PortDescr: h.RemotePort, SysName: h.SysName, SysDescr: h.Descr})
	}
	slices.SortFunc(dev.Neighbors, func(a, b agent.Neighbor) int { return a.Port - b.Port })
	var fdb []agent.FDBEntry
	for _, l := range v.w.FDB(v.n, now) {
		fdb = append(fdb, agent.FDBEntry{MAC: agent.MAC(l.MAC), Port: bridge(l.Port), VLAN: l.VLAN})
	}
	dev.FDB = agent.NewFDB(fdb)
	var arp []agent.Address
	for _, a := range v.w.Resolved(v.n, now) {
		arp = append(arp, agent.Address{Port: st.Ports[a.Port].Index, IP: a.IP, MAC: agent.MAC(a.MAC)})
	}
	dev.ARP = agent.NewARP(arp)
	members := map[int][]int{}
	for _, id := range v.w.VLANs(v.n) {
		members[id] = nil
	}
	for i := range st.Ports {
		if sw.Ports[i].Link >= 0 && st.Ports[i].VLAN > 0 {
			members[st.Ports[i].VLAN] = append(members[st.Ports[i].VLAN], bridge(i))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(members)) {
		slices.Sort(members[id])
		set := agent.Ports(members[id]...)
		dev.VLANs = append(dev.VLANs, agent.VLAN{ID: id, Name: vlanName(id), Egress: set, Untagged: set})
	}
	return dev
}

func (v *switchView) ports(st *world.SwitchState) []agent.Port {
	sw := &v.w.Switches[v.n]
	ports := make([]agent.Port, len(st.Ports))
	for i := range st.Ports {
		s, p := &st.Ports[i], &sw.Ports[i]
		at := s.Index - 1 // ascending by index
		ports[at] = agent.Port{
			Index: s.Index, Bridge: s.Index, Name: p.Name, Alias: s.Alias, Descr: p.Name, MTU: 9214, SpeedMbps: uint32(p.SpeedBps / 1e6), MAC: agent.MAC(p.MAC),
			Admin: upDown(s.Admin), Oper: upDown(s.Oper), PVID: s.VLAN,
			In:  agent.Traffic{Octets: s.InOctets, Unicast: s.InOctets / 720, Multicast: s.InOctets / 2e6, Broadcast: s.InOctets / 9e6, Errors: s.InErrors, Discards: s.InDiscards},
			Out: agent.Traffic{Octets: s.OutOctets, Unicast: s.OutOctets / 720, Multicast: s.OutOctets / 2e6, Broadcast: s.OutOctets / 9e6, Discards: s.OutOctets / 4e12},
		}
		if s.Changed.After(st.Boot) {
			ports[at].LastChange = s.Changed.Sub(st.Boot)
		}
		if st.Discontinuity.After(st.Boot) {
			ports[at].Discontinuity = st.Discontinuity.Sub(st.Boot)
		}
		if p.Link < 0 && s.Admin {
			ports[at].Oper = agent.NotPresent
		}
	}
	return ports
}

func upDown(up bool) agent.Status {
	if up {
		return agent.Up
	}
	return agent.Down
}

func vlanName(id int) string {
	switch id {
	case 1:
		return "fabric"
	case 900:
		return "management"
	case 999:
		return "quarantine"
	}
	return map[int]string{110: "compute", 120: "game", 130: "web", 140: "db", 150: "storage", 160: "batch"}[id]
}

func location(w *world.World, p *world.Placed) string {
	if p.Rack < 0 {
		return w.Sites[p.Site].Name
	}
	return fmt.Sprintf("%s U%g", w.Racks[p.Rack].ID, p.Unit)
}

// switchEntities are a chassis, two supplies, four fans and a sensor in each.
func switchEntities(l *world.Layout, sw *world.Switch, st *world.SwitchState) []agent.Entity {
	e := []agent.Entity{{Index: 1, Position: -1, Class: agent.ClassChassis, Name: sw.Name, Descr: sw.Model + " chassis", Model: sw.Model, Serial: sw.Serial, Vendor: sw.Vendor, HardwareRev: "11.02", SoftwareRev: st.Firmware}}
	part := func(index, parent, pos int, class agent.EntityClass, name, descr string) {
		x := agent.Entity{Index: index, Parent: parent, Position: pos, Class: class, Name: name, Descr: descr, Vendor: sw.Vendor}
		if class != agent.ClassSensor { // what can be taken out has a label
			x.Replaceable, x.Model, x.Serial = true, descr, l.PartSerial(sw.Name, name)
		}
		e = append(e, x)
	}
	for p := range 2 {
		part(100+p, 1, p+1, agent.ClassPowerSupply, fmt.Sprintf("PowerSupply%d", p+1), "PWR-500AC-F")
	}
	for p := range 4 {
		part(200+p, 1, p+1, agent.ClassFan, fmt.Sprintf("Fan%d", p+1), "FAN-7000-F")
	}
	part(300, 1, 1, agent.ClassSensor, "TempSensor1", "Front-panel temperature sensor")
	part(301, 1, 2, agent.ClassSensor, "TempSensor2", "Switch chip temperature sensor")
	for p := range 2 {
		part(310+p, 100+p, 1, agent.ClassSensor, fmt.Sprintf("PowerSupply%d input power", p+1), "Input power sensor")
	}
	for p := range 4 {
		part(320+p, 200+p, 1, agent.ClassSensor, fmt.Sprintf("Fan%d speed", p+1), "Fan speed sensor")
	}
	return e
}

func switchSensors(sw *world.Switch, st *world.SwitchState) []agent.Sensor {
	s := []agent.Sensor{
		{Entity: 300, Type: agent.Celsius, Precision: 1, Value: int32(st.TempC * 10), Units: "Celsius"},
		{Entity: 301, Type: agent.Celsius, Precision: 1, Value: int32((st.TempC*1.1 + 14) * 10), Units: "Celsius"},
	}
	for p, w := range st.Watts {
		s = append(s, agent.Sensor{Entity: 310 + p, Type: agent.Watts, Precision: 1, Value: int32(w * 10), Units: "Watts"})
	}
	for p := range 4 {
		s = append(s, agent.Sensor{Entity: 320 + p, Type: agent.RPM, Value: int32(6400 + 60*st.TempC + float64(p*25)), Units: "RPM"})
	}
	return s
}

type pduView struct {
	w *world.World
	n int
}

func (v *pduView) look(now time.Time) agent.Device {
	st, p := v.w.PDU(v.n, now), &v.w.PDUs[v.n]
	if !st.Reachable {
		return nil
	}
	tenths := func(a float64) int { return int(math.Round(a * 10)) }
	dev := &agent.PDU{
		System: agent.System{Name: p.Name, Descr: "APC Web/SNMP Management Card (MB:v4.1.0 PF:v7.1.2 PN:apc_hw21_aos_712.bin AF1:v7.1.2 AN1:apc_hw21_rpdu2g_712.bin MN:" + p.Model + ")",
			ObjectID: "1.3.6.1.4.1.318.1.3.4.6", Location: location(v.w, &p.Placed), Contact: "noc@example.net", Services: 72, Uptime: now.Sub(st.Boot), Ports: mgmtPort(p.MAC, now, st.Boot)},
		Model: p.Model, Serial: p.Serial, HardwareRev: "02", FirmwareRev: p.Firmware, Manufactured: "04/12/2022", RatedAmps: int(p.RatingA),
		Watts: int(math.Round(st.Watts)), PeakWatts: int(math.Round(st.Watts * 1.2)), ApparentVA: int(math.Round(st.Watts / world.PowerFactor)),
		NearWatts: 5900, OverWatts: 7360,
		Phases: []agent.Phase{{Volts: world.PhaseVolts, AmpsX10: tenths(st.Amps), PeakAmpsX10: tenths(st.Amps * 1.2), Watts: int(math.Round(st.Watts)), VA: int(math.Round(st.Watts / world.PowerFactor)), FactorPercent: 97, Limits: agent.Load{NearA: 26, OverA: 32}}},
	}
	var bank [2]float64
	for i := range st.Outlets {
		o := &st.Outlets[i]
		bank[i/12] += o.Amps
		dev.Outlets = append(dev.Outlets, agent.Outlet{Name: o.Name, Phase: 1, Bank: i/12 + 1, On: o.On, Pending: o.Waits, AmpsX10: tenths(o.Amps), Watts: int(math.Round(o.Watts)), PeakWatts: int(math.Round(o.Watts * 1.3)), NearWatts: 1600, OverWatts: 2000, Type: "IEC C13"})
	}
	for _, a := range bank {
		dev.Banks = append(dev.Banks, agent.Bank{Phase: 1, AmpsX10: tenths(a), PeakAmpsX10: tenths(a * 1.2), Limits: agent.Load{NearA: 13, OverA: 16}})
	}
	return dev
}

// mgmtPort is the network card of a device whose network is not modelled: it
// hears a little and says less.
func mgmtPort(mac world.MAC, now, boot time.Time) []agent.Port {
	s := uint64(max(0, now.Sub(boot).Seconds()))
	return []agent.Port{{Index: 1, Name: "eth0", Descr: "eth0", MTU: 1500, SpeedMbps: 100, MAC: agent.MAC(mac), Admin: agent.Up, Oper: agent.Up,
		In: agent.Traffic{Octets: s * 310, Unicast: s * 2, Broadcast: s}, Out: agent.Traffic{Octets: s * 290, Unicast: s * 2}}}
}

type upsView struct {
	w *world.World
	n int
}

func (v *upsView) look(now time.Time) agent.Device {
	st, u := v.w.UPS(v.n, now), &v.w.UPSes[v.n]
	if !st.Reachable {
		return nil
	}
	dev := &agent.UPS{
		System: agent.System{Name: u.Name, Descr: "Eaton Gigabit Network Card v3.0.9", ObjectID: "1.3.6.1.4.1.705.1", Location: location(v.w, &u.Placed), Contact: "noc@example.net", Services: 72, Uptime: now.Sub(st.Boot), Ports: mgmtPort(u.MAC, now, st.Boot)},
		Vendor: u.Vendor, Model: u.Model, FirmwareRev: u.Firmware, AgentRev: "3.0.9", Label: u.Name,
		Battery:      agent.Battery{Status: agent.BatteryNormal, Remaining: st.Runtime, ChargePercent: int(st.ChargePercent), VoltsX10: int(st.BatteryVolts * 10), CelsiusDegrees: int(math.Round(st.BatteryC))},
		OutputSource: agent.SourceNormal, OutputHertzX10: 500, RatedVA: 100000, RatedWatts: int(st.RatedW), RatedInVolts: 400, RatedInHzX10: 500, RatedVolts: 400, RatedHertzX10: 500, LowBatteryMinutes: 3,
	}
	for _, watts := range st.PhaseWatts {
		amps := watts / (world.PhaseVolts * world.PowerFactor)
		dev.Output = append(dev.Output, agent.Line{Volts: world.PhaseVolts, AmpsX10: int(math.Round(amps * 10)), Watts: int(math.Round(watts)), LoadPercent: int(math.Round(watts / (st.RatedW / 3) * 100))})
		in := inputWatts(watts)
		dev.Input = append(dev.Input, agent.Line{HertzX10: 500, Volts: inputVolts, AmpsX10: int(math.Round(in / inputVolts * 10)), Watts: int(math.Round(in))})
	}
	return dev
}

const inputVolts = 231

// inputWatts is what a phase of a UPS takes for what it gives: its converter
// has losses.
func inputWatts(out float64) float64 { return out/0.96 + 180 }
