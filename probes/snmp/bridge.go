package snmp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"plumb/fleet"
)

// BRIDGE-MIB (RFC 4188) and Q-BRIDGE-MIB (RFC 4363).
var (
	basePortIfIndex = oids("1.3.6.1.2.1.17.1.4.1.2")                                                                 // dot1dBasePortIfIndex
	qFDB            = oids("1.3.6.1.2.1.17.7.1.2.2.1.2", "1.3.6.1.2.1.17.7.1.2.2.1.3")                               // dot1qTpFdbPort, Status; index fdbId, MAC
	dFDB            = oids("1.3.6.1.2.1.17.4.3.1.2", "1.3.6.1.2.1.17.4.3.1.3")                                       // dot1dTpFdbPort, Status; index MAC
	vlanStatic      = oids("1.3.6.1.2.1.17.7.1.4.3.1.1", "1.3.6.1.2.1.17.7.1.4.3.1.2", "1.3.6.1.2.1.17.7.1.4.3.1.4") // dot1qVlanStaticName, EgressPorts, UntaggedPorts; index VLAN
	vlanCurrent     = oids("1.3.6.1.2.1.17.7.1.4.2.1.3", "1.3.6.1.2.1.17.7.1.4.2.1.4", "1.3.6.1.2.1.17.7.1.4.2.1.5") // dot1qVlanFdbId, CurrentEgressPorts, CurrentUntaggedPorts; index timeMark, VLAN
	pvids           = oids("1.3.6.1.2.1.17.7.1.4.5.1.1")                                                             // dot1qPvid; index bridge port
)

// dot1dTpFdbStatus values that are not somebody's address on a port: an entry
// that is ageing out, and the bridge's own addresses.
const (
	fdbInvalid = 2
	fdbSelf    = 4
)

// bridge is what one poll learns of the switch: its ports by their bridge
// port number, which is neither ifIndex nor anything else.
type bridge struct {
	ifIndex map[int]int    // by bridge port
	vlanOf  map[uint32]int // by filtering database id
	members int            // of all VLANs so far
}

// maxMembers bounds the VLAN memberships of one poll: one octet of a PortList
// is eight of them, and an agent may send millions of octets.
const maxMembers = 200_000

// readBridge reads VLANs, PVIDs and the forwarding table.
func (p *poll) readBridge(ctx context.Context) {
	b := bridge{ifIndex: map[int]int{}, vlanOf: map[uint32]int{}}
	base := p.walk(ctx, basePortIfIndex, 0, func(_ int, index oid, v value) {
		if len(index) == 1 {
			b.ifIndex[int(index[0])] = v.small()
		}
	})
	base = p.confirm("dot1dBasePortIfIndex", base)
	p.readVLANs(ctx, &b, base)
	if p.cfg.quirk(QuirkNoFDB) {
		return
	}
	p.readFDB(ctx, &b, base)
}

// port returns the ifName of a bridge port. Without a mapping the agent may
// number its bridge ports as its interfaces; what cannot be resolved says so.
func (p *poll) bridgePort(b *bridge, n int) string {
	if i, ok := b.ifIndex[n]; ok {
		if name := p.ports.name(i); name != "" {
			return name
		}
	}
	if n == 0 {
		return "" // learned, and the bridge does not say where
	}
	if name := p.ports.name(n); name != "" && len(b.ifIndex) == 0 {
		return name
	}
	return "bridge port " + strconv.Itoa(n)
}

// vlanRow is a VLAN with its PortLists as they came; nil where there is none.
type vlanRow struct {
	name             string
	egress, untagged []byte
}

// readVLANs reads the current and the configured VLANs with their members, and
// each port's PVID. What is in force counts before what is configured.
func (p *poll) readVLANs(ctx context.Context, b *bridge, base walked) {
	rows := map[int]*vlanRow{}
	vlan := func(id int) *vlanRow {
		r := rows[id]
		if r == nil {
			r = &vlanRow{}
			rows[id] = r
		}
		return r
	}
	w := p.walk(ctx, vlanStatic, 0, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		switch r := vlan(int(index[0])); col {
		case 0:
			r.name = v.text()
		case 1:
			r.egress = portList(v)
		case 2:
			r.untagged = portList(v)
		}
	})
	current := p.walk(ctx, vlanCurrent, 0, func(col int, index oid, v value) {
		if len(index) != 2 { // timeMark, VLAN
			return
		}
		id := int(index[1])
		switch n, ok := v.uint(); {
		case col == 0 && ok:
			b.vlanOf[uint32(n)] = id
		case col == 2:
			vlan(id).untagged = portList(v)
		default:
			vlan(id).egress = portList(v)
		}
	})
	w = p.mapped(both(w, current), base)
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		p.obs.VLANs = append(p.obs.VLANs, p.vlan(b, id, rows[id]))
	}
	if b.members >= maxMembers {
		w.is, w.why = fleet.Partial, fmt.Sprintf("more than %d memberships", maxMembers)
	}
	p.note(fleet.TableVLANs, "Q-BRIDGE-MIB VLANs", w)
	p.readPVIDs(ctx, b)
}

// portList keeps a PortList beyond the answer it came in; an empty one is not
// none.
func portList(v value) []byte { return append([]byte{}, v.raw...) }

// vlan names the members of a VLAN. Some agents leave a port in the untagged
// set that is no member any more: it sends nothing.
func (p *poll) vlan(b *bridge, id int, r *vlanRow) fleet.VLAN {
	v := fleet.VLAN{ID: id, Name: r.name, Ports: p.members(b, r.egress)}
	if r.untagged != nil {
		both := slices.Clone(r.untagged[:min(len(r.untagged), len(r.egress))])
		for i := range both {
			both[i] &= r.egress[i]
		}
		v.Untagged = p.members(b, both)
	}
	return v
}

// mapped lowers a complete table whose bridge ports could not all be read.
func (p *poll) mapped(w, base walked) walked {
	if w.is == fleet.Complete && (base.is == fleet.Partial || base.is == fleet.Failed) {
		w.is, w.why, w.err = fleet.Partial, base.why, base.err
	}
	return w
}

// members reads a PortList (RFC 4363): the first bit is bridge port 1.
func (p *poll) members(b *bridge, list []byte) []string {
	out := []string{}
	for i, octet := range list {
		for bit := range 8 {
			if octet&(0x80>>bit) != 0 && b.members < maxMembers {
				b.members++
				out = append(out, p.bridgePort(b, 8*i+bit+1))
			}
		}
	}
	return out
}

// readPVIDs puts the port VLAN id into the ports' definitions.
func (p *poll) readPVIDs(ctx context.Context, b *bridge) {
	vlans := map[int]int{} // by ifIndex
	w := p.walk(ctx, pvids, len(b.ifIndex), func(_ int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		i, ok := b.ifIndex[int(index[0])]
		if !ok && len(b.ifIndex) == 0 {
			i = int(index[0])
		}
		vlans[i] = v.small()
	})
	if w.is == fleet.Failed || w.is == fleet.Absent {
		return
	}
	for i, vlan := range vlans {
		if d := p.ports.byIndex[i]; d != nil && d.def.VLAN != vlan && vlan >= 0 && vlan < 4096 {
			c := *d.def
			c.VLAN = vlan
			d.def = &c
		}
	}
	p.redefinePorts()
}

// readFDB reads the forwarding table with VLANs, else the one without.
func (p *poll) readFDB(ctx context.Context, b *bridge, base walked) {
	rows := map[fdbKey]*fdbRow{}
	var order []fdbKey
	at := func(k fdbKey) *fdbRow {
		r := rows[k]
		if r == nil {
			r = &fdbRow{}
			rows[k] = r
			order = append(order, k)
		}
		return r
	}
	w := p.walk(ctx, qFDB, 0, func(col int, index oid, v value) {
		if k, ok := fdbIndex(index, true); ok {
			at(k).set(col, v)
		}
	})
	if w.is == fleet.Absent {
		w = p.walk(ctx, dFDB, 0, func(col int, index oid, v value) {
			if k, ok := fdbIndex(index, false); ok {
				at(k).set(col, v)
			}
		})
	}
	if w.is == fleet.Absent && p.obs.Tables[fleet.TableVLANs] == fleet.Complete {
		w.is = fleet.Complete // a VLAN bridge that has learned nothing
	}
	p.note(fleet.TableFDB, "FDB", p.mapped(w, base))
	for _, k := range order {
		r := rows[k]
		if r.status == fdbInvalid || r.status == fdbSelf {
			continue
		}
		e := fleet.FDBEntry{MAC: k.mac, Port: p.bridgePort(b, r.port)}
		if k.vlans {
			e.VLAN = b.vlan(k.fdb)
		}
		p.obs.FDB = append(p.obs.FDB, e)
	}
}

// vlan returns the VLAN of a filtering database. Most bridges number them
// alike; a number that is no VLAN's and is not mapped says nothing.
func (b *bridge) vlan(fdb uint32) int {
	if v, ok := b.vlanOf[fdb]; ok {
		return v
	}
	if fdb >= 1 && fdb <= 4094 {
		return int(fdb)
	}
	return 0
}

type fdbKey struct {
	mac   string
	fdb   uint32 // filtering database; a VLAN's, or shared by several
	vlans bool
}

type fdbRow struct{ port, status int }

func (r *fdbRow) set(col int, v value) {
	if col == 0 {
		r.port = v.small()
	} else {
		r.status = v.small()
	}
}

// fdbIndex reads the MAC, and before it the filtering database, out of a row's
// index.
func fdbIndex(index oid, q bool) (k fdbKey, ok bool) {
	k.vlans = q
	if q {
		if len(index) != 7 {
			return k, false
		}
		k.fdb, index = index[0], index[1:]
	}
	if len(index) != 6 {
		return k, false
	}
	for _, n := range index {
		if n > 255 {
			return k, false
		}
	}
	k.mac = fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", index[0], index[1], index[2], index[3], index[4], index[5])
	return k, true
}
