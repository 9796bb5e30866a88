package agent

import (
	"sort"
	"time"
)

func port(v *view, i int) *Port { return &v.sys.Ports[i] }

func portIndex(v *view, i int) int { return v.sys.Ports[i].Index }

var portRows = &rows{
	count: func(v *view) int { return len(v.sys.Ports) },
	index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.sys.Ports[i].Index)) },
}

func macOf(row func(v *view, i int) MAC) getter {
	return func(e *encoder, v *view, i int) bool {
		m := row(v, i)
		e.octets(m[:])
		return true
	}
}

// portMAC is ifPhysAddress, empty where there is none.
func portMAC(e *encoder, v *view, i int) bool {
	if m := &v.sys.Ports[i].MAC; *m != (MAC{}) {
		e.octets(m[:])
	} else {
		e.octets(nil)
	}
	return true
}

func (p *Port) kind() int64 {
	if p.Type == 0 {
		return EthernetCsmacd
	}
	return int64(p.Type)
}

// ifSpeed is the speed in bits/s, all ones where that needs more than 32 bits.
func (p *Port) ifSpeed() uint64 { return min(uint64(p.SpeedMbps)*1e6, 1<<32-1) }

// ifMIB is ifTable and ifXTable (RFC 2863).
func ifMIB() []object {
	list := []object{
		numberOf("1.3.6.1.2.1.2.1", func(v *view) int64 { return int64(len(v.sys.Ports)) }),
		ticksOf("1.3.6.1.2.1.31.1.5", func(*view) time.Duration { return 0 }),
	}
	list = append(list, table("1.3.6.1.2.1.2.2.1", portRows,
		column{arc: 1, get: number(port, func(p *Port) int64 { return int64(p.Index) })},
		column{arc: 2, get: str(port, func(p *Port) string { return p.Descr })},
		column{arc: 3, get: number(port, (*Port).kind)},
		column{arc: 4, get: number(port, func(p *Port) int64 { return int64(p.MTU) })},
		column{arc: 5, get: uns(tagGauge32, port, (*Port).ifSpeed)},
		column{arc: 6, get: portMAC},
		column{arc: 7, get: number(port, func(p *Port) int64 { return int64(p.Admin) }), set: intSetter(SetPortAdmin, int64(Up), int64(Testing), portIndex)},
		column{arc: 8, get: number(port, func(p *Port) int64 { return int64(p.Oper) })},
		column{arc: 9, get: uns(tagTimeTicks, port, func(p *Port) uint64 { return ticks(p.LastChange) })},
		column{arc: 10, get: counter32(port, func(p *Port) uint64 { return p.In.Octets })},
		column{arc: 11, get: counter32(port, func(p *Port) uint64 { return p.In.Unicast })},
		column{arc: 13, get: counter32(port, func(p *Port) uint64 { return p.In.Discards })},
		column{arc: 14, get: counter32(port, func(p *Port) uint64 { return p.In.Errors })},
		column{arc: 15, get: counter32(port, func(*Port) uint64 { return 0 })},
		column{arc: 16, get: counter32(port, func(p *Port) uint64 { return p.Out.Octets })},
		column{arc: 17, get: counter32(port, func(p *Port) uint64 { return p.Out.Unicast })},
		column{arc: 19, get: counter32(port, func(p *Port) uint64 { return p.Out.Discards })},
		column{arc: 20, get: counter32(port, func(p *Port) uint64 { return p.Out.Errors })},
	)...)
	return append(list, table("1.3.6.1.2.1.31.1.1.1", portRows,
		column{arc: 1, get: str(port, func(p *Port) string { return p.Name })},
		column{arc: 2, get: counter32(port, func(p *Port) uint64 { return p.In.Multicast })},
		column{arc: 3, get: counter32(port, func(p *Port) uint64 { return p.In.Broadcast })},
		column{arc: 4, get: counter32(port, func(p *Port) uint64 { return p.Out.Multicast })},
		column{arc: 5, get: counter32(port, func(p *Port) uint64 { return p.Out.Broadcast })},
		column{arc: 6, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.In.Octets })},
		column{arc: 7, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.In.Unicast })},
		column{arc: 8, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.In.Multicast })},
		column{arc: 9, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.In.Broadcast })},
		column{arc: 10, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.Out.Octets })},
		column{arc: 11, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.Out.Unicast })},
		column{arc: 12, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.Out.Multicast })},
		column{arc: 13, get: uns(tagCounter64, port, func(p *Port) uint64 { return p.Out.Broadcast })},
		column{arc: 14, get: constant(2)}, // ifLinkUpDownTrapEnable: disabled, notifications are not ours
		column{arc: 15, get: uns(tagGauge32, port, func(p *Port) uint64 { return uint64(p.SpeedMbps) })},
		column{arc: 16, get: constant(2)}, // ifPromiscuousMode
		column{arc: 17, get: constant(1)}, // ifConnectorPresent
		column{arc: 18, get: str(port, func(p *Port) string { return p.Alias }), set: textSetter(SetPortAlias, 64, portIndex)},
		column{arc: 19, get: uns(tagTimeTicks, port, func(p *Port) uint64 { return ticks(p.Discontinuity) })},
	)...)
}

// bridgePorts is how many ports, from the first, belong to the bridge.
func bridgePorts(v *view) int {
	return sort.Search(len(v.sys.Ports), func(i int) bool { return v.sys.Ports[i].Bridge == 0 })
}

var bridgeRows = &rows{
	count: bridgePorts,
	index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.sys.Ports[i].Bridge)) },
}
