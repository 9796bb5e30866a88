package world

import "net/netip"

// LAN is how a server's BMC sits on the management network: a static address,
// untagged, because its switch port is an access port of that VLAN.
type LAN struct {
	Address, Gateway netip.Addr
	Bits             int // of the netmask
}

// BMCLAN returns the network configuration of a server's BMC. The plan goes by
// region and rack, 10.40+region.rack.10+slot, so that an address tells where
// its owner is.
func (l *Layout) BMCLAN(n int) LAN {
	sv := &l.Servers[n]
	a := [4]byte{10, byte(40 + l.Racks[sv.Rack].Region), byte(sv.Rack % 250), byte(10 + sv.Slot)}
	gateway := a
	gateway[3] = 1
	return LAN{netip.AddrFrom4(a), netip.AddrFrom4(gateway), 24}
}
