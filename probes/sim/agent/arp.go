package agent

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Address is an address that the device has resolved on one of its ports.
type Address struct {
	Port int // ifIndex
	IP   netip.Addr
	MAC  MAC
}

// ARP is the resolved addresses in the order of ipNetToPhysicalTable, and those
// of IPv4 again for ipNetToMediaTable. Like [FDB] it is immutable.
type ARP struct{ all, v4 []Address }

// NewARP returns the table of the entries, in any order; of two entries with
// one port and address the first counts.
func NewARP(entries []Address) *ARP {
	t := &ARP{all: slices.Clone(entries)}
	order := func(a, b Address) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), a.IP.Compare(b.IP)) // the shorter family first, as InetAddressType has it
	}
	slices.SortStableFunc(t.all, order)
	t.all = slices.CompactFunc(t.all, func(a, b Address) bool { return order(a, b) == 0 })
	for _, a := range t.all {
		if a.IP.Is4() {
			t.v4 = append(t.v4, a)
		}
	}
	return t
}

var noAddresses = &ARP{}

func (v *view) arp() *ARP {
	if v.sw.ARP == nil {
		return noAddresses
	}
	return v.sw.ARP
}

// inetIndex appends type, length and octets of an address (RFC 4001).
func inetIndex(to []uint32, ip netip.Addr) []uint32 {
	if ip.Is4() {
		return appendOctets(append(to, 1, 4), ip.AsSlice())
	}
	return appendOctets(append(to, 2, 16), ip.AsSlice())
}

func appendOctets(to []uint32, octets []byte) []uint32 {
	for _, b := range octets {
		to = append(to, uint32(b))
	}
	return to
}

var (
	physicalRows = &rows{
		count: func(v *view) int { return len(v.arp().all) },
		index: func(v *view, i int, to []uint32) []uint32 {
			a := &v.arp().all[i]
			return inetIndex(append(to, uint32(a.Port)), a.IP)
		},
	}
	mediaRows = &rows{
		count: func(v *view) int { return len(v.arp().v4) },
		index: func(v *view, i int, to []uint32) []uint32 {
			a := &v.arp().v4[i]
			return appendOctets(append(to, uint32(a.Port)), a.IP.AsSlice())
		},
	}
)

func resolved(v *view, i int) *Address { return &v.arp().v4[i] }

// arpMIB is ipNetToPhysicalTable (RFC 4293) and ipNetToMediaTable, its
// predecessor for IPv4.
func arpMIB() []object {
	list := table("1.3.6.1.2.1.4.22.1", mediaRows,
		column{arc: 1, get: number(resolved, func(a *Address) int64 { return int64(a.Port) })},
		column{arc: 2, get: macOf(func(v *view, i int) MAC { return resolved(v, i).MAC })},
		column{arc: 3, get: func(e *encoder, v *view, i int) bool {
			at := e.open(tagIPAddress)
			e.b = append(e.b, resolved(v, i).IP.AsSlice()...)
			e.close(at)
			return true
		}},
		column{arc: 4, get: constant(3)}, // dynamic
	)
	return append(list, table("1.3.6.1.2.1.4.35.1", physicalRows,
		column{arc: 4, get: macOf(func(v *view, i int) MAC { return v.arp().all[i].MAC })},
		column{arc: 5, get: func(e *encoder, _ *view, _ int) bool { e.unsigned(tagTimeTicks, ticks(time.Second)); return true }},
		column{arc: 6, get: constant(3)}, // dynamic
		column{arc: 7, get: constant(1)}, // reachable
		column{arc: 8, get: constant(1)}, // active
	)...)
}
