// Package viewstest makes a fleet to draw: about the size and the troubles of
// the demo, the same in every run. It depends on nothing but fleet, so that
// tests of views and widgets need no engine, no store and no wire.
package viewstest

import (
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// At is the moment of the snapshot.
var At = time.Date(2026, 11, 22, 14, 2, 31, 0, time.UTC)

// dice is a small generator with a fixed seed (xorshift64).
type dice uint64

func (d *dice) next(n int) int {
	*d ^= *d << 13
	*d ^= *d >> 7
	*d ^= *d << 17
	return int(uint64(*d) % uint64(n))
}

// builder collects the rows of the tables.
type builder struct {
	d         dice
	devIDs    []string
	devs      []fleet.Device
	rackIDs   []string
	racks     []fleet.Rack
	regionIDs []string
	regions   []fleet.Region
	siteIDs   []string
	sites     []fleet.Site
	feedIDs   []string
	feeds     []fleet.Feed
	instIDs   []string
	insts     []fleet.InstanceState
	hostIDs   []string
	hosts     []fleet.HostState
	topo      fleet.Topology
	hyper     []int // dense numbers of hypervisors
}

var (
	owners   = []string{"team-game", "team-match", "team-infra", "team-data", ""}
	models   = []string{"R6515", "R6525"}
	services = []string{"match", "lobby", "voice", "login", "store", "telemetry", "cdn", "build"}
)

// Fleet returns three regions with eight racks each.
func Fleet() *fleet.Snapshot { return Sized(8) }

// Sized returns three regions with so many racks each.
func Sized(racks int) *fleet.Snapshot {
	b := &builder{d: 88172645463325252, topo: fleet.Topology{RacksOf: map[string][]int{}, DevicesOf: map[string][]int{}, Loose: map[string][]int{}, Cabled: map[string]fleet.Attachment{}}}
	for _, r := range []string{"ams", "fra", "iad"} {
		b.region(r, racks)
	}
	b.trouble()
	b.instances()
	return b.snapshot()
}

func (b *builder) region(name string, racks int) {
	site := name + "1"
	b.regionIDs = append(b.regionIDs, name)
	b.siteIDs = append(b.siteIDs, site)
	b.sites = append(b.sites, fleet.Site{Spec: &fleet.SiteSpec{Name: site, Region: name}, State: fleet.StateOK})
	for _, side := range []string{"A", "B"} {
		ups := site + "-ups-" + side
		b.feed(&fleet.FeedSpec{Name: site + "-util", Site: site, BreakerA: fleet.Int(400), Volts: 400, Phases: 3}, side == "A")
		b.feed(&fleet.FeedSpec{Name: site + "-" + side, Site: site, Parent: site + "-util", BreakerA: fleet.Int(125), Volts: 400, Phases: 3}, true)
		n := b.device(fleet.DeviceSpec{ID: ups, Kind: fleet.KindUPS, Site: site, Region: name, Model: "SRT10K", Owner: "team-infra"})
		b.topo.Loose[site] = append(b.topo.Loose[site], n)
		b.sense(n, upsSensors)
		b.devs[n].PowerW = fleet.Int(int64(9000 + b.d.next(2000)))
	}
	for i := range 2 {
		n := b.device(fleet.DeviceSpec{ID: fmt.Sprintf("%s-spine%d", site, i+1), Kind: fleet.KindSwitch, Site: site, Region: name, Model: "7280CR3", Owner: "team-infra"})
		b.topo.Loose[site] = append(b.topo.Loose[site], n)
		b.ports(n, racks*2, 0, "Ethernet")
	}
	for i := range racks {
		b.rack(name, site, i)
	}
}

func (b *builder) feed(s *fleet.FeedSpec, fresh bool) {
	if fresh {
		b.feedIDs = append(b.feedIDs, s.Name)
		b.feeds = append(b.feeds, fleet.Feed{Spec: s, State: fleet.StateOK, AmpsA: fleet.Dec(int64(300+b.d.next(300)), -1), PowerW: fleet.Int(int64(22000 + b.d.next(9000)))})
	}
}

func (b *builder) rack(region, site string, i int) {
	name := fmt.Sprintf("r%02d", i+1)
	id := site + "/" + name
	row := string(rune('A' + i/4%26))
	rn := len(b.rackIDs)
	b.rackIDs = append(b.rackIDs, id)
	b.racks = append(b.racks, fleet.Rack{Spec: &fleet.RackSpec{ID: id, Name: name, Site: site, Region: region, Row: row, Units: 42,
		MaxWeightKg: fleet.Int(1000), Feeds: []string{site + "-A", site + "-B"}}})
	b.topo.RacksOf[region] = append(b.topo.RacksOf[region], rn)
	if region == "iad" && i == 7 { // one rack stands empty
		b.racks[rn].FreeUnits = 42
		return
	}
	pre := site + "-" + name
	base := fleet.DeviceSpec{Rack: id, Site: site, Region: region, Face: "front", Depth: "full", Height: 2}
	var of []int
	for s := range 2 {
		sw := base
		sw.ID, sw.Kind, sw.Unit, sw.Model, sw.Owner = fmt.Sprintf("%s-sw%d", pre, s+1), fleet.KindSwitch, fleet.HalfU(84-2*s), "7050SX3", "team-infra"
		sw.Endpoints = []fleet.Endpoint{{Source: fleet.SourceSNMP, Address: fmt.Sprintf("127.0.0.1:%d", 21000+len(b.devs)), Credential: "core"}}
		n := b.device(sw)
		b.ports(n, 48, 6, "Ethernet")
		of = append(of, n)
	}
	for s := range 18 {
		of = append(of, b.server(base, pre, s))
	}
	total := int64(0)
	for _, n := range of {
		total += int64(b.devs[n].PowerW.Float())
	}
	for s, side := range []string{"a", "b"} {
		pdu := base
		pdu.ID, pdu.Kind, pdu.Unit, pdu.Height, pdu.Face, pdu.Model = pre+"-p"+side, fleet.KindPDU, 0, 0, "rear", "AP8941"
		pdu.Feed, pdu.RatingA, pdu.Owner = site+"-"+string(rune('A'+s)), fleet.Int(32), "team-infra"
		pdu.Endpoints = []fleet.Endpoint{{Source: fleet.SourceSNMP, Address: fmt.Sprintf("127.0.0.1:%d", 21000+len(b.devs)), Credential: "core"}}
		n := b.device(pdu)
		b.outlets(n, s, pre, total)
		of = append(of, n)
	}
	b.topo.DevicesOf[id] = of
	b.racks[rn].PowerW = fleet.Int(total)
	b.racks[rn].FreeUnits = 42 - 2 - 18
}

func (b *builder) server(base fleet.DeviceSpec, pre string, s int) int {
	base.ID = fmt.Sprintf("%s-s%02d", pre, s+1)
	base.Kind, base.Unit = fleet.KindServer, fleet.HalfU(2*(s+3))
	base.Model, base.Owner = models[s%2], owners[b.d.next(len(owners))]
	base.Tenant, base.Env = "acme", []string{"prod", "prod", "stage"}[b.d.next(3)]
	base.Serial = fmt.Sprintf("7XK%04X", b.d.next(65536))
	base.WarrantyUntil = At.Add(time.Duration(b.d.next(1400)-200) * 24 * time.Hour)
	if s == 17 {
		base.Unit, base.Height = 50, 8 // a 4U box
	}
	base.Power = []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("%s-pa/%d", pre, s+1)}, {PSU: 2, Outlet: fmt.Sprintf("%s-pb/%d", pre, s+1)}}
	base.Links = []fleet.Cable{
		{NIC: "eth0", MAC: fmt.Sprintf("52:54:00:00:%02x:%02x", len(b.devs)/256, len(b.devs)%256), To: fmt.Sprintf("%s-sw1/Ethernet%d", pre, s+1)},
		{NIC: "eth1", MAC: fmt.Sprintf("52:54:00:01:%02x:%02x", len(b.devs)/256, len(b.devs)%256), To: fmt.Sprintf("%s-sw2/Ethernet%d", pre, s+1)},
	}
	base.Endpoints = []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: fmt.Sprintf("127.0.0.1:%d", 20000+len(b.devs)), Credential: "bmc"}}
	n := b.device(base)
	d := &b.devs[n]
	d.Power, d.PowerW = fleet.PowerOn, fleet.Int(int64(180+b.d.next(190)))
	d.InletC = fleet.Int(int64(20 + b.d.next(6)))
	for name, v := range map[string]string{fleet.FactVendor: "Dell", fleet.FactModel: "PowerEdge " + base.Model, fleet.FactSerial: base.Serial,
		fleet.FactFirmware: "2.19.1", "bmc.mac": "02:00:5e:10:00:07", "bios.version": "2.14.0", fleet.FactPower: "on"} {
		d.Facts.Set(name, v)
	}
	d.Facts.SetNum(fleet.FactUptime, fleet.Int(int64(86400*(3+b.d.next(200)))), true)
	b.sense(n, serverSensors)
	if s < 5 {
		b.hyper = append(b.hyper, n)
	}
	return n
}

// device adds a healthy device that was just seen.
func (b *builder) device(s fleet.DeviceSpec) int {
	s.Name = s.ID
	d := fleet.Device{Spec: &s, State: fleet.StateOK, SeenAt: At.Add(-time.Duration(1+b.d.next(8)) * time.Second)}
	for _, t := range []fleet.TableID{fleet.TableFacts, fleet.TableSensors} {
		d.Tables[t] = fleet.TableState{Is: fleet.Complete, At: d.SeenAt}
	}
	b.devIDs = append(b.devIDs, s.ID)
	b.devs = append(b.devs, d)
	return len(b.devs) - 1
}

var (
	errTimeout = fmt.Errorf("no answer in 5s: %w", fleet.ErrTimeout)
	errAuth    = fmt.Errorf("RAKP 2: %w", fleet.ErrAuth)
)

// trouble breaks what an operator should find.
func (b *builder) trouble() {
	at := func(id string) *fleet.Device {
		for i := range b.devIDs {
			if b.devIDs[i] == id {
				return &b.devs[i]
			}
		}
		panic(errors.New("no " + id))
	}
	crit := func(id string, reasons ...string) *fleet.Device {
		d := at(id)
		d.State, d.Reasons = fleet.StateCrit, reasons
		return d
	}
	for i := range 6 { // a PDU whose outlets went
		d := crit(fmt.Sprintf("fra1-r03-s%02d", i+4), "PSU2 input lost", "redundancy lost")
		d.About = []string{"PSU 2", "sensor PS Redundancy"}
		set(d, "PSU2 Input", fleet.Int(0), fleet.StateCrit, "")
		set(d, "PSU2 Status", fleet.Num{}, fleet.StateCrit, "input lost")
		set(d, "PS Redundancy", fleet.Num{}, fleet.StateWarn, "lost")
	}
	hot := at("ams1-r05-s07")
	hot.State, hot.Reasons, hot.InletC = fleet.StateWarn, []string{"CPU1 Temp 87C, warn at 85C", "Fan3 5210rpm, above its peers"}, fleet.Int(31)
	set(hot, "CPU1 Temp", fleet.Int(87), fleet.StateWarn, "")
	set(hot, "Inlet Temp", fleet.Int(31), fleet.StateOK, "")
	for _, id := range []string{"iad1-r02-s11", "iad1-r02-s12"} {
		d := at(id)
		d.State, d.Reasons = fleet.StateWarn, []string{"Fan2 1440rpm, warn below 1800rpm"}
		set(d, "Fan2", fleet.Int(1440), fleet.StateWarn, "")
	}
	blind := at("iad1-r01-s09")
	blind.State, blind.BlindSince, blind.SeenAt = fleet.StateUnknown, At.Add(-4*time.Minute), At.Add(-4*time.Minute-10*time.Second)
	blind.Err = &fleet.ProbeError{Target: blind.Spec.ID, Op: "read sensors", Err: errTimeout}
	locked := at("ams1-r02-s15")
	locked.State, locked.BlindSince, locked.SeenAt = fleet.StateUnknown, At.Add(-31*time.Hour), time.Time{}
	locked.Err = &fleet.ProbeError{Target: locked.Spec.ID, Op: "open session", Err: errAuth}
	locked.Sensors, locked.PowerW, locked.InletC, locked.Power = nil, fleet.Num{}, fleet.Num{}, fleet.PowerUnknown
	off := at("ams1-r07-s03")
	off.State, off.Power, off.PowerW, off.InletC = fleet.StateOff, fleet.PowerOff, fleet.Int(9), fleet.Int(21)
	at("ams1-r08-s02").Maintenance = true
	at("fra1-r06-s05").DriftOpen = 2
	partial := at("fra1-r01-s02")
	partial.Tables[fleet.TableSensors].Is, partial.Tables[fleet.TableEvents].Is = fleet.Partial, fleet.Failed
	sw := at("fra1-r02-sw2")
	sw.State, sw.Reasons = fleet.StateWarn, []string{"Ethernet9 41 errors/s"}
	sw.Ports[8].Rates.Errors = fleet.Dec(413, -1)
	sw.Ports[5].Neighbor = "fra1-r02-s16/eth1"
	for id, about := range map[string][]string{"ams1-r05-s07": {"sensor CPU1 Temp", "sensor Fan3"}, "iad1-r02-s11": {"sensor Fan2"}, "iad1-r02-s12": {"sensor Fan2"},
		"iad1-r01-s09": {"blind"}, "ams1-r02-s15": {"sight"}, "fra1-r02-sw2": {"errors Ethernet9"}} {
		at(id).About = about
	}
	hostile := at("iad1-r06-s01")
	hostile.About = []string{"sensor x"}
	hostile.Reasons, hostile.State = []string{"セ\u0301ンサー \x1b[31m温度 e\u0301\u0301\u0301 🔥 \u202eABC very long text that a device chose to say about itself and will not end"}, fleet.StateWarn
	hostile.Facts.Set(fleet.FactModel, "模型 \x07\x1b]0;x\x07 Ωmega")
}

func set(d *fleet.Device, name string, v fleet.Num, s fleet.State, text string) {
	for i := range d.Sensors {
		if d.Sensors[i].Name == name {
			d.Sensors[i].Value, d.Sensors[i].State = v, s
			if text != "" {
				d.Sensors[i].Text = text
			}
		}
	}
}
