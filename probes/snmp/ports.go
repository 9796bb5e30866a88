package snmp

import (
	"context"
	"math"
	"strconv"

	"plumb/fleet"
)

// Columns of ifTable and ifXTable (RFC 2863) that say what a port is.
const (
	ifDescr = iota
	ifType
	ifMtu
	ifSpeed
	ifPhysAddress
	ifName
	ifHighSpeed
	ifAlias
)

var portColumns = oids("1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.3", "1.3.6.1.2.1.2.2.1.4", "1.3.6.1.2.1.2.2.1.5", "1.3.6.1.2.1.2.2.1.6",
	"1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.15", "1.3.6.1.2.1.31.1.1.1.18")

// Columns that move. The name is read with every sample, so that a counter is
// never booked on a port that its ifIndex no longer means.
const (
	nowName = iota
	nowAdmin
	nowOper
	nowInDiscards
	nowInErrors
	nowOutDiscards
	nowOutErrors
	nowInOctets
	nowOutOctets
	nowDiscontinuity
	nowInOctets32
	nowOutOctets32
)

var (
	nowColumns = oids("1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.2.2.1.13", "1.3.6.1.2.1.2.2.1.14",
		"1.3.6.1.2.1.2.2.1.19", "1.3.6.1.2.1.2.2.1.20", "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.31.1.1.1.19",
		"1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.2.2.1.16")
	ifDescrColumn = portColumns[ifDescr]
)

// counterOf says which counter a moving column is.
var counterOf = map[int]fleet.CounterID{
	nowInDiscards: fleet.InDiscards, nowInErrors: fleet.InErrors, nowOutDiscards: fleet.OutDiscards, nowOutErrors: fleet.OutErrors,
	nowInOctets: fleet.InOctets, nowOutOctets: fleet.OutOctets, nowInOctets32: fleet.InOctets, nowOutOctets32: fleet.OutOctets,
}

// portTable is what is remembered of the ports.
type portTable struct {
	byIndex map[int]*portDef
	order   []*portDef
	narrow  bool // some port has 32-bit octet counters only
	bare    bool // no ifXTable: ports are known by ifDescr

	names  map[string]*portDef // by Name, and by Descr where no Name is the same
	byMAC  map[string]*portDef
	shared map[string]bool // MACs of more than one port
}

// index makes the look-ups by name and by MAC.
func (t *portTable) index() {
	t.names, t.byMAC, t.shared = make(map[string]*portDef, len(t.order)), make(map[string]*portDef, len(t.order)), map[string]bool{}
	for _, d := range t.order {
		if mac := d.def.MAC; t.byMAC[mac] != nil {
			t.shared[mac] = true
		} else {
			t.byMAC[mac] = d
		}
		if t.names[d.def.Descr] == nil {
			t.names[d.def.Descr] = d
		}
	}
	for _, d := range t.order {
		t.names[d.def.Name] = d
	}
}

// portDef is a port's definition with the raw name that identifies it on the wire.
type portDef struct {
	def *fleet.PortDef
	raw string // ifName, or ifDescr where the table is bare, as each sample shows it
}

func (t *portTable) name(ifIndex int) string {
	if d := t.byIndex[ifIndex]; d != nil {
		return d.def.Name
	}
	return ""
}

// byName finds a port by its name or its description; nil where there is none.
func (t *portTable) byName(s string) *portDef {
	if s == "" {
		return nil
	}
	return t.names[s]
}

// readPorts reads the moving columns, and before them the definitions where
// this poll reads definitions or the sample shows that they moved.
func (p *poll) readPorts(ctx context.Context) {
	fresh := false
	if p.define {
		if !p.definePorts(ctx) {
			return
		}
		fresh = true
	}
	s := p.samplePorts(ctx, fresh)
	if s.moved && !fresh && s.is == fleet.Complete {
		if !p.definePorts(ctx) {
			return
		}
		s = p.samplePorts(ctx, true)
	}
	p.note(fleet.TablePorts, "IF-MIB", s.walked)
	p.obs.Ports = s.ports(&p.ports)
}

// definePorts reads what the ports are. It reports whether there is anything
// to sample.
func (p *poll) definePorts(ctx context.Context) bool {
	rows := map[int]*portRow{}
	var order []int
	w := p.walk(ctx, portColumns, int(min(p.pulse.ifNumber, 4096)), func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		i := int(index[0])
		r := rows[i]
		if r == nil {
			r = &portRow{}
			rows[i] = r
			order = append(order, i)
		}
		r.set(col, v)
	})
	if w.is == fleet.Absent || w.is == fleet.Failed {
		p.note(fleet.TablePorts, "IF-MIB", w)
		return false
	}
	if w.is == fleet.Partial {
		p.note(fleet.TablePorts, "IF-MIB definitions", w)
	}
	old := p.ports.byIndex
	p.ports = portTable{byIndex: make(map[int]*portDef, len(rows)), bare: true}
	taken := make(map[string]bool, len(rows))
	for _, i := range order {
		d := rows[i].define(i)
		p.ports.bare = p.ports.bare && rows[i].name == ""
		if taken[d.def.Name] { // two ports of one name: the index must tell them apart
			d.def.Name += "#" + strconv.Itoa(i)
		}
		taken[d.def.Name] = true
		if o := old[i]; o != nil && o.def.Name == d.def.Name {
			d.def.VLAN, d.def.LAG = o.def.VLAN, o.def.LAG
		}
		d.raw = rows[i].name
		p.ports.byIndex[i] = d
		p.ports.order = append(p.ports.order, d)
	}
	if p.ports.bare {
		for i, d := range p.ports.byIndex {
			d.raw = rows[i].descr
		}
	}
	p.ports.index()
	return true
}

// portRow gathers the definition columns of one ifIndex.
type portRow struct {
	descr, name, alias, mac string
	kind, mtu               int
	speed, high             uint64
	aliased                 bool // the agent has ifAlias for it
}

func (r *portRow) set(col int, v value) {
	switch col {
	case ifDescr:
		r.descr = v.text()
	case ifType:
		r.kind = v.small()
	case ifMtu:
		r.mtu = max(0, v.small())
	case ifSpeed:
		r.speed, _ = v.uint()
	case ifPhysAddress:
		r.mac = v.mac()
	case ifName:
		r.name = v.text()
	case ifHighSpeed:
		r.high, _ = v.uint()
	case ifAlias:
		r.alias, r.aliased = v.marked(), true
	}
}

func (r *portRow) define(index int) *portDef {
	d := &fleet.PortDef{Index: index, Name: r.name, Alias: r.alias, Descr: r.descr, Type: ifTypeWord(r.kind), SpeedBps: speed(r.speed, r.high), MTU: r.mtu, MAC: r.mac, NoAlias: !r.aliased}
	if d.Name == "" {
		d.Name = r.descr
	}
	if d.Name == "" {
		d.Name = r.mac
	}
	if d.Name == "" {
		d.Name = "ifIndex " + strconv.Itoa(index)
	}
	return &portDef{def: d}
}

// speed returns bits/s. ifSpeed is exact below its ceiling of 4294967295,
// which means "more than that", and 0 means "no idea"; ifHighSpeed counts
// millions and is 0 for slow links. An ifHighSpeed that holds bits/s by
// mistake, as some agents do, would be beyond 100 Tbit/s.
func speed(ifSpeed, ifHighSpeed uint64) fleet.Num {
	const mega, beyond = 1_000_000, 100_000_000 // 100 Tbit/s in Mbit/s
	if ifHighSpeed >= beyond {
		return fleet.Int(int64(min(ifHighSpeed, math.MaxInt64)))
	}
	known := ifSpeed != 0 && ifSpeed != math.MaxUint32
	switch {
	case known && ifHighSpeed*mega+mega < ifSpeed: // ifHighSpeed in another unit
		return fleet.Int(int64(ifSpeed))
	case known && (ifHighSpeed == 0 || ifSpeed < 10*mega && ifHighSpeed <= ifSpeed/mega+1):
		return fleet.Int(int64(ifSpeed))
	case ifHighSpeed != 0:
		return fleet.Int(int64(ifHighSpeed * mega))
	}
	return fleet.Num{}
}

// portSample is one reading of the moving columns.
type portSample struct {
	walked
	rows  map[int]*portNow
	moved bool // an ifIndex means another port than it did, or is new or gone
}

type portNow struct {
	name          string
	admin, oper   int
	counters      fleet.Counters
	discontinuity uint32
}

func (p *poll) samplePorts(ctx context.Context, fresh bool) *portSample {
	columns := nowColumns
	if p.ports.bare {
		columns = append(oids(), nowColumns...)
		columns[nowName] = ifDescrColumn
	}
	if !fresh && !p.ports.narrow && !p.cfg.quirk(QuirkNoHC) {
		columns = columns[:nowInOctets32]
	}
	s := &portSample{rows: make(map[int]*portNow, len(p.ports.order))}
	s.walked = p.walk(ctx, columns, len(p.ports.order), func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		r := s.rows[int(index[0])]
		if r == nil {
			r = &portNow{}
			s.rows[int(index[0])] = r
		}
		r.set(col, v, p.cfg.quirk(QuirkNoHC))
	})
	if s.is == fleet.Absent && len(p.ports.order) > 0 {
		s.is = fleet.Complete // there were ports, now there are none
		s.moved = true
	}
	s.compare(&p.ports, fresh)
	return s
}

func (r *portNow) set(col int, v value, noHC bool) {
	switch col {
	case nowName:
		r.name = v.text()
	case nowAdmin:
		r.admin = v.small()
	case nowOper:
		r.oper = v.small()
	case nowDiscontinuity:
		n, _ := v.uint()
		r.discontinuity = uint32(n)
	default:
		n, ok := v.uint()
		id := counterOf[col]
		hc := col == nowInOctets || col == nowOutOctets
		_, have := r.counters.Get(id)
		if !ok || hc && noHC || !hc && have && r.counters.Wide&(1<<id) != 0 {
			return
		}
		r.counters.Set(id, n, v.tag == tagCounter64)
	}
}

// compare looks for ports that are not where they were, and after fresh
// definitions for ports that need their 32-bit counters.
func (s *portSample) compare(t *portTable, fresh bool) {
	seen := 0
	if fresh {
		t.narrow = false
	}
	for i, r := range s.rows {
		d := t.byIndex[i]
		if d == nil || r.name != d.raw {
			s.moved = true
			continue
		}
		seen++
		const octets = 1<<fleet.InOctets | 1<<fleet.OutOctets
		if r.counters.Known&^r.counters.Wide&octets != 0 {
			t.narrow = true
		}
	}
	if seen != len(t.order) {
		s.moved = true
	}
}

// ports joins sample and definitions. A row whose name is not the definition's
// has moved between the two reads: it is left without counters, a gap.
func (s *portSample) ports(t *portTable) []fleet.Port {
	out := make([]fleet.Port, 0, len(t.order))
	for _, d := range t.order {
		r := s.rows[d.def.Index]
		if r == nil && s.is == fleet.Complete {
			continue
		}
		port := fleet.Port{PortDef: d.def}
		if r != nil && r.name == d.raw {
			port.Counters, port.Discontinuity = r.counters, r.discontinuity
			d.update(r)
			port.PortDef = d.def
		}
		out = append(out, port)
	}
	return out
}

// update replaces the definition where the port's state moved; the old one may
// be in a snapshot and is never written.
func (d *portDef) update(r *portNow) {
	admin, oper := word(adminWords, r.admin), word(operWords, r.oper)
	if d.def.Admin != admin || d.def.Oper != oper {
		c := *d.def
		c.Admin, c.Oper = admin, oper
		d.def = &c
	}
}

// redefinePorts gives the ports of this observation the definitions as they are
// now: what the tables lane adds is read after the sample.
func (p *poll) redefinePorts() {
	for i := range p.obs.Ports {
		if d := p.ports.byIndex[p.obs.Ports[i].Index]; d != nil {
			p.obs.Ports[i].PortDef = d.def
		}
	}
}

// ifAdminStatus and ifOperStatus (RFC 2863), from 1.
var (
	adminWords = []string{"up", "down", "testing"}
	operWords  = []string{"up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"}
)

// word returns the n-th word counted from 1, or "unknown".
func word(words []string, n int) string {
	if n >= 1 && n <= len(words) {
		return words[n-1]
	}
	return "unknown"
}

// ifTypeWord returns the IANAifType word of the common types, else the number.
func ifTypeWord(n int) string {
	if w, ok := ifTypes[n]; ok {
		return w
	}
	return strconv.Itoa(n)
}

var ifTypes = map[int]string{
	1: "other", 6: "ethernetCsmacd", 22: "propPointToPointSerial", 23: "ppp", 24: "softwareLoopback", 37: "atm", 53: "propVirtual", 56: "fibreChannel", 62: "fastEther", 71: "ieee80211", 77: "lapd",
	117: "gigabitEthernet", 131: "tunnel", 135: "l2vlan", 136: "l3ipvlan", 142: "ipForward", 150: "mplsTunnel", 161: "ieee8023adLag", 166: "mpls", 199: "infiniband", 209: "bridge", 244: "wwanPP2",
}

func oids(s ...string) []oid {
	out := make([]oid, len(s))
	for i, t := range s {
		out[i] = parseOID(t)
	}
	return out
}
