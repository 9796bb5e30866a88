package agent

import "time"

func (s *Switch) view() view { return view{sys: &s.System, sw: s} }

func vlan(v *view, i int) *VLAN { return &v.sw.VLANs[i] }

func vlanID(v *view, i int) int { return vlan(v, i).ID }

var vlanRows = &rows{
	count: func(v *view) int { return len(v.sw.VLANs) },
	index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.sw.VLANs[i].ID)) },
}

// currentRows index dot1qVlanCurrentTable: a time filter of 0 shows all.
var currentRows = &rows{
	count: vlanRows.count,
	index: func(v *view, i int, to []uint32) []uint32 { return append(to, 0, uint32(v.sw.VLANs[i].ID)) },
}

var noEntries = &FDB{}

func (v *view) fdb() *FDB {
	if v.sw.FDB == nil {
		return noEntries
	}
	return v.sw.FDB
}

func appendMAC(to []uint32, m *MAC) []uint32 {
	for _, b := range m {
		to = append(to, uint32(b))
	}
	return to
}

var (
	fdbRows = &rows{ // dot1qFdbTable
		count: func(v *view) int { return len(v.fdb().vlans) },
		index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.fdb().vlans[i].vlan)) },
	}
	byVLANRows = &rows{ // dot1qTpFdbTable
		count: func(v *view) int { return len(v.fdb().byVLAN) },
		index: func(v *view, i int, to []uint32) []uint32 {
			e := &v.fdb().byVLAN[i]
			return appendMAC(append(to, uint32(e.VLAN)), &e.MAC)
		},
	}
	byMACRows = &rows{ // dot1dTpFdbTable
		count: func(v *view) int { return len(v.fdb().byMAC) },
		index: func(v *view, i int, to []uint32) []uint32 { return appendMAC(to, &v.fdb().byMAC[i].MAC) },
	}
)

func byVLAN(v *view, i int) *FDBEntry { return &v.fdb().byVLAN[i] }
func byMAC(v *view, i int) *FDBEntry  { return &v.fdb().byMAC[i] }

func (e *FDBEntry) port() int64 { return int64(e.Port) }

// status is dot1dTpFdbStatus: learned, or put there by management.
func (e *FDBEntry) status() int64 {
	if e.Static {
		return 5
	}
	return 3
}

// portList is a column of port sets, padded to the bridge's size.
func portList(get func(*VLAN) PortList) getter {
	return func(e *encoder, v *view, i int) bool {
		at := e.open(tagOctets)
		set := get(vlan(v, i))
		e.b = append(e.b, set...)
		if n := bridgePorts(v); n > 0 {
			for missing := (v.sys.Ports[n-1].Bridge+7)/8 - len(set); missing > 0; missing-- {
				e.b = append(e.b, 0)
			}
		}
		e.close(at)
		return true
	}
}

func noPorts(*VLAN) PortList { return nil }

// bridgeMIB is BRIDGE-MIB (RFC 4188) and Q-BRIDGE-MIB (RFC 4363).
func bridgeMIB() []object {
	list := []object{
		scalar("1.3.6.1.2.1.17.1.1", func(e *encoder, v *view) { e.octets(v.sw.Chassis[:]) }),
		numberOf("1.3.6.1.2.1.17.1.2", func(v *view) int64 { return int64(bridgePorts(v)) }),
		numberOf("1.3.6.1.2.1.17.1.3", func(*view) int64 { return 2 }),     // transparent-only
		numberOf("1.3.6.1.2.1.17.4.2", func(*view) int64 { return 300 }),   // dot1dTpAgingTime, s
		numberOf("1.3.6.1.2.1.17.7.1.1.1", func(*view) int64 { return 1 }), // dot1qVlanVersionNumber
		numberOf("1.3.6.1.2.1.17.7.1.1.2", func(*view) int64 { return 4094 }),
		scalar("1.3.6.1.2.1.17.7.1.1.3", func(e *encoder, _ *view) { e.unsigned(tagGauge32, 4094) }),
		scalar("1.3.6.1.2.1.17.7.1.1.4", func(e *encoder, v *view) { e.unsigned(tagGauge32, uint64(len(v.sw.VLANs))) }),
		numberOf("1.3.6.1.2.1.17.7.1.1.5", func(*view) int64 { return 2 }), // dot1qGvrpStatus: disabled
	}
	list = append(list, table("1.3.6.1.2.1.17.1.4.1", bridgeRows,
		column{arc: 1, get: number(port, func(p *Port) int64 { return int64(p.Bridge) })},
		column{arc: 2, get: number(port, func(p *Port) int64 { return int64(p.Index) })},
		column{arc: 3, get: nullOID},
		column{arc: 4, get: counter32(port, func(*Port) uint64 { return 0 })},
		column{arc: 5, get: counter32(port, func(*Port) uint64 { return 0 })},
	)...)
	list = append(list, table("1.3.6.1.2.1.17.4.3.1", byMACRows,
		column{arc: 1, get: macOf(func(v *view, i int) MAC { return byMAC(v, i).MAC })},
		column{arc: 2, get: number(byMAC, (*FDBEntry).port)},
		column{arc: 3, get: number(byMAC, (*FDBEntry).status)},
	)...)
	list = append(list, table("1.3.6.1.2.1.17.7.1.2.1.1", fdbRows,
		column{arc: 2, get: func(e *encoder, v *view, i int) bool {
			e.unsigned(tagCounter32, uint64(v.fdb().vlans[i].learned))
			return true
		}},
	)...)
	list = append(list, table("1.3.6.1.2.1.17.7.1.2.2.1", byVLANRows,
		column{arc: 2, get: number(byVLAN, (*FDBEntry).port)},
		column{arc: 3, get: number(byVLAN, (*FDBEntry).status)},
	)...)
	return append(list, vlanMIB()...)
}

func vlanMIB() []object {
	egress := portList(func(l *VLAN) PortList { return l.Egress })
	untagged := portList(func(l *VLAN) PortList { return l.Untagged })
	list := []object{
		scalar("1.3.6.1.2.1.17.7.1.4.1", func(e *encoder, _ *view) { e.unsigned(tagCounter32, 0) }), // dot1qVlanNumDeletes
	}
	list = append(list, table("1.3.6.1.2.1.17.7.1.4.2.1", currentRows,
		column{arc: 3, get: uns(tagGauge32, vlan, func(l *VLAN) uint64 { return uint64(l.ID) })},
		column{arc: 4, get: egress},
		column{arc: 5, get: untagged},
		column{arc: 6, get: constant(2)}, // permanent
		column{arc: 7, get: uns(tagTimeTicks, vlan, func(*VLAN) uint64 { return ticks(time.Second) })},
	)...)
	list = append(list, table("1.3.6.1.2.1.17.7.1.4.3.1", vlanRows,
		column{arc: 1, get: str(vlan, func(l *VLAN) string { return l.Name })},
		column{arc: 2, get: egress, set: portsSetter(SetVLANPorts, vlanID)},
		column{arc: 3, get: portList(noPorts)},
		column{arc: 4, get: untagged, set: portsSetter(SetVLANPorts, vlanID)},
		column{arc: 5, get: constant(1)}, // active
	)...)
	return append(list, table("1.3.6.1.2.1.17.7.1.4.5.1", bridgeRows,
		column{arc: 1, get: uns(tagGauge32, port, func(p *Port) uint64 { return uint64(max(p.PVID, 1)) }), set: unsignedSetter(SetPVID, 1, 4094, portIndex)},
		column{arc: 2, get: constant(1)}, // admitAll
		column{arc: 3, get: constant(1)}, // ingress filtering on
		column{arc: 4, get: constant(2)}, // GVRP off
	)...)
}
