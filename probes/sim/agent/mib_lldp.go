package agent

func neighbor(v *view, i int) *Neighbor { return &v.sw.Neighbors[i] }

var neighborRows = &rows{
	count: func(v *view) int { return len(v.sw.Neighbors) },
	index: func(v *view, i int, to []uint32) []uint32 {
		n := &v.sw.Neighbors[i]
		return append(to, n.TimeMark, uint32(n.Port), uint32(n.Index))
	},
}

// capBridge is LldpSystemCapabilitiesMap with the bit of a bridge.
var capBridge = []byte{0x20}

func bridgeCaps(e *encoder, _ *view, _ int) bool { e.octets(capBridge); return true }

// lldpMIB is LLDP-MIB (IEEE 802.1AB-2005): the local system and what it hears.
// Chassis are told by MAC address, ports by interface name.
func lldpMIB() []object {
	list := []object{
		numberOf("1.0.8802.1.1.2.1.1.1", func(*view) int64 { return 30 }), // lldpMessageTxInterval, s
		numberOf("1.0.8802.1.1.2.1.1.2", func(*view) int64 { return 4 }),  // hold multiplier
		numberOf("1.0.8802.1.1.2.1.1.3", func(*view) int64 { return 2 }),  // reinit delay, s
		numberOf("1.0.8802.1.1.2.1.1.4", func(*view) int64 { return 2 }),  // tx delay, s
		numberOf("1.0.8802.1.1.2.1.1.5", func(*view) int64 { return 5 }),  // notification interval, s
		numberOf("1.0.8802.1.1.2.1.3.1", func(*view) int64 { return 4 }),  // macAddress
		scalar("1.0.8802.1.1.2.1.3.2", func(e *encoder, v *view) { e.octets(v.sw.Chassis[:]) }),
		textOf("1.0.8802.1.1.2.1.3.3", func(v *view) string { return v.sys.Name }),
		textOf("1.0.8802.1.1.2.1.3.4", func(v *view) string { return v.sys.Descr }),
		scalar("1.0.8802.1.1.2.1.3.5", func(e *encoder, _ *view) { e.octets(capBridge) }),
		scalar("1.0.8802.1.1.2.1.3.6", func(e *encoder, _ *view) { e.octets(capBridge) }),
	}
	list = append(list, table("1.0.8802.1.1.2.1.3.7.1", portRows,
		column{arc: 2, get: constant(5)}, // interfaceName
		column{arc: 3, get: str(port, func(p *Port) string { return p.Name })},
		column{arc: 4, get: str(port, func(p *Port) string { return p.Descr })},
	)...)
	return append(list, table("1.0.8802.1.1.2.1.4.1.1", neighborRows,
		column{arc: 4, get: constant(4)}, // macAddress
		column{arc: 5, get: macOf(func(v *view, i int) MAC { return neighbor(v, i).Chassis })},
		column{arc: 6, get: constant(5)}, // interfaceName
		column{arc: 7, get: str(neighbor, func(n *Neighbor) string { return n.PortID })},
		column{arc: 8, get: str(neighbor, func(n *Neighbor) string { return n.PortDescr })},
		column{arc: 9, get: str(neighbor, func(n *Neighbor) string { return n.SysName })},
		column{arc: 10, get: str(neighbor, func(n *Neighbor) string { return n.SysDescr })},
		column{arc: 11, get: bridgeCaps},
		column{arc: 12, get: bridgeCaps},
	)...)
}
