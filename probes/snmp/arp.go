package snmp

import (
	"context"
	"net/netip"
	"strconv"

	"plumb/fleet"
)

// Columns of ipNetToPhysicalTable (IP-MIB, RFC 4293), which has both families,
// and of ipNetToMediaTable of old (RFC 2011), which has IPv4 alone.
var (
	physicalARP = oids("1.3.6.1.2.1.4.35.1.4", "1.3.6.1.2.1.4.35.1.6", "1.3.6.1.2.1.4.35.1.7") // PhysAddress Type State; index ifIndex, InetAddress
	mediaARP    = oids("1.3.6.1.2.1.4.22.1.2", "1.3.6.1.2.1.4.22.1.4")                         // PhysAddress Type; index ifIndex, IpAddress
)

// Values that say that an entry is nobody's address: taken out of use, the
// device's own, or asked for and never answered.
const (
	arpInvalid     = 2 // ipNetToPhysicalType, ipNetToMediaType
	arpLocal       = 5 // ipNetToPhysicalType
	arpStateGone   = 5 // ipNetToPhysicalState invalid
	arpStateNobody = 7 // ipNetToPhysicalState incomplete
)

// maxARP bounds the neighbours of one poll. A router in front of a large flat
// network has more; its first rows serve as well as all of them would.
const maxARP = 16384

// arpKey is what a row's index says.
type arpKey struct {
	ifIndex uint32
	ip      netip.Addr
}

type arpRow struct {
	mac         string
	kind, state int
}

// set reads a cell: the MAC, the type and, where the table has one, the state.
func (r *arpRow) set(col int, v value) {
	switch col {
	case 0:
		r.mac = v.mac()
	case 1:
		r.kind = v.small()
	case 2:
		r.state = v.small()
	}
}

// resolved reports whether somebody answers at the address.
func (r *arpRow) resolved() bool {
	return r.mac != "" && r.mac != "00:00:00:00:00:00" && r.kind != arpInvalid && r.kind != arpLocal && r.state != arpStateGone && r.state != arpStateNobody
}

// arpTable gathers the rows of both tables in the order they were read.
type arpTable struct {
	rows  map[arpKey]*arpRow
	order []arpKey
	v4    bool // some row is IPv4
}

func (t *arpTable) at(k arpKey) *arpRow {
	r := t.rows[k]
	if r == nil {
		r = &arpRow{}
		t.rows[k] = r
		t.order = append(t.order, k)
		t.v4 = t.v4 || k.ip.Is4()
	}
	return r
}

// readARP reads which MAC answers for which address. Some agents keep only
// IPv6 in the new table and IPv4 in the old one, so the old one is read
// wherever the new one shows no IPv4.
func (p *poll) readARP(ctx context.Context) {
	t := arpTable{rows: map[arpKey]*arpRow{}}
	w := p.walkSome(ctx, physicalARP, maxARP, func(col int, index oid, v value) {
		if k, ok := physicalIndex(index); ok {
			t.at(k).set(col, v)
		}
	})
	p.note(fleet.TableARP, "ipNetToPhysicalTable", w)
	if left := maxARP - len(t.order); !t.v4 && left > 0 {
		w = p.walkSome(ctx, mediaARP, left, func(col int, index oid, v value) {
			if k, ok := mediaIndex(index); ok {
				t.at(k).set(col, v)
			}
		})
		p.note(fleet.TableARP, "ipNetToMediaTable", w)
	}
	for _, k := range t.order {
		if r := t.rows[k]; r.resolved() {
			p.obs.ARP = append(p.obs.ARP, fleet.Address{IP: k.ip.String(), MAC: r.mac, Port: p.interfaceName(k.ifIndex)})
		}
	}
}

// interfaceName returns the ifName of an ifIndex; one without a row in ifTable
// says so.
func (p *poll) interfaceName(ifIndex uint32) string {
	if name := p.ports.name(int(ifIndex)); name != "" {
		return name
	}
	return "ifIndex " + strconv.FormatUint(uint64(ifIndex), 10)
}

// InetAddressType (RFC 4001) with the octets of each address. The scoped ones
// carry a zone of four octets behind the address: it is the interface again.
var inetOctets = map[uint32]struct{ all, address int }{1: {4, 4}, 2: {16, 16}, 3: {8, 4}, 4: {20, 16}}

// physicalIndex reads ifIndex, address type, length and address.
func physicalIndex(index oid) (k arpKey, ok bool) {
	if len(index) < 3 {
		return k, false
	}
	form, known := inetOctets[index[1]]
	if !known || int(index[2]) != form.all || len(index) != 3+form.all {
		return k, false
	}
	k.ifIndex = index[0]
	k.ip, ok = addressOf(index[3 : 3+form.address])
	return k, ok
}

// mediaIndex reads ifIndex and the four octets of an IpAddress.
func mediaIndex(index oid) (k arpKey, ok bool) {
	if len(index) != 5 {
		return k, false
	}
	k.ifIndex = index[0]
	k.ip, ok = addressOf(index[1:])
	return k, ok
}

// addressOf reads 4 or 16 sub-identifiers that are octets. What cannot be a
// neighbour's address is refused.
func addressOf(sub oid) (netip.Addr, bool) {
	var octets [16]byte
	for i, n := range sub {
		if n > 255 {
			return netip.Addr{}, false
		}
		octets[i] = byte(n)
	}
	ip, _ := netip.AddrFromSlice(octets[:len(sub)])
	ip = ip.Unmap()
	return ip, !ip.IsUnspecified() && !ip.IsMulticast()
}
