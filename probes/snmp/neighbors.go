package snmp

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// LLDP-MIB (IEEE 802.1AB-2005): lldpLocPortTable and lldpRemTable.
var (
	lldpLocal  = oids("1.0.8802.1.1.2.1.3.7.1.2", "1.0.8802.1.1.2.1.3.7.1.3", "1.0.8802.1.1.2.1.3.7.1.4")                                                                                     // subtype id descr
	lldpRemote = oids("1.0.8802.1.1.2.1.4.1.1.4", "1.0.8802.1.1.2.1.4.1.1.5", "1.0.8802.1.1.2.1.4.1.1.6", "1.0.8802.1.1.2.1.4.1.1.7", "1.0.8802.1.1.2.1.4.1.1.8", "1.0.8802.1.1.2.1.4.1.1.9") // chassis, port, portDescr, sysName
	// CISCO-CDP-MIB cdpCacheTable: deviceId devicePort.
	cdpCache = oids("1.3.6.1.4.1.9.9.23.1.2.1.1.6", "1.3.6.1.4.1.9.9.23.1.2.1.1.7")
)

// LldpPortIdSubtype and LldpChassisIdSubtype values that change how an id is read.
const (
	portIDMAC       = 3
	portIDInterface = 5
	portIDLocal     = 7
	chassisIDMAC    = 4
	chassisIDAddr   = 5
)

// lldpID is an id with its subtype.
type lldpID struct {
	subtype int
	raw     []byte
	descr   string
}

// readNeighbors reads what the device hears by LLDP and CDP.
func (p *poll) readNeighbors(ctx context.Context) {
	p.readLLDP(ctx)
	p.readCDP(ctx)
}

func (p *poll) readLLDP(ctx context.Context) {
	rows := map[string]*lldpRow{}
	var order []*lldpRow
	w := p.walk(ctx, lldpRemote, 0, func(col int, index oid, v value) {
		if len(index) != 3 { // timeMark, local port number, index
			return
		}
		key := index.String()
		r := rows[key]
		if r == nil {
			r = &lldpRow{local: int(index[1])}
			rows[key] = r
			order = append(order, r)
		}
		r.set(col, v)
	})
	if w.cells > 0 {
		local, lw := p.lldpPorts(ctx)
		if lw = p.confirm("lldpLocPortTable", lw); lw.is != fleet.Absent {
			w = both(w, lw)
		}
		for _, r := range order {
			p.obs.Neighbors = append(p.obs.Neighbors, r.neighbor(p.localPort(r.local, local[r.local])))
		}
	} else if w.is == fleet.Absent && p.hasLLDP(ctx) {
		w.is = fleet.Complete // it speaks LLDP and hears nobody
	}
	p.note(fleet.TableNeighbors, "LLDP-MIB", w)
}

// hasLLDP tells "hears nobody" from "does not listen".
func (p *poll) hasLLDP(ctx context.Context) bool {
	w := p.walk(ctx, lldpLocal[:1], 1, func(int, oid, value) {})
	return w.cells > 0
}

type lldpRow struct {
	local         int
	chassis, port lldpID
	name          string
}

func (r *lldpRow) set(col int, v value) {
	switch col {
	case 0:
		r.chassis.subtype = v.small()
	case 1:
		r.chassis.raw = slices.Clone(v.raw)
	case 2:
		r.port.subtype = v.small()
	case 3:
		r.port.raw = slices.Clone(v.raw)
	case 4:
		r.port.descr = v.text()
	case 5:
		r.name = v.text()
	}
}

func (r *lldpRow) neighbor(local string) fleet.Neighbor {
	return fleet.Neighbor{LocalPort: local, RemoteName: r.name, RemotePort: r.port.port(), RemoteChassis: r.chassis.chassis(), Protocol: "lldp"}
}

// port returns the name of a remote port that a person would look for: its
// id where that is a name, its description where the id is a bare number.
func (id *lldpID) port() string {
	if id.subtype == portIDMAC {
		if m := macOf(id.raw); m != "" {
			return m
		}
	}
	s := text(id.raw)
	if _, err := strconv.Atoi(s); err == nil && id.subtype == portIDLocal && id.descr != "" {
		return id.descr
	}
	if s == "" {
		return id.descr
	}
	return s
}

func (id *lldpID) chassis() string {
	switch id.subtype {
	case chassisIDMAC:
		if m := macOf(id.raw); m != "" {
			return m
		}
	case chassisIDAddr: // address family, then the address
		if len(id.raw) > 1 {
			if ip := (value{tagOctets, id.raw[1:]}).ip(); ip != "" {
				return ip
			}
		}
	}
	return text(id.raw)
}

// lldpPorts reads what LLDP calls the device's own ports.
func (p *poll) lldpPorts(ctx context.Context) (map[int]*lldpID, walked) {
	out := map[int]*lldpID{}
	w := p.walk(ctx, lldpLocal, 0, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		id := out[int(index[0])]
		if id == nil {
			id = &lldpID{}
			out[int(index[0])] = id
		}
		switch col {
		case 0:
			id.subtype = v.small()
		case 1:
			id.raw = slices.Clone(v.raw)
		case 2:
			id.descr = v.text()
		}
	})
	return out, w
}

// localPort returns the ifName of an LLDP local port number. What the agent
// names by interface name is that; else a description that is a port's name;
// else a local id that is an ifIndex; else a MAC of exactly one port; else the
// number itself as an ifIndex, which is what most agents use.
func (p *poll) localPort(number int, id *lldpID) string {
	if id == nil {
		id = &lldpID{}
	}
	s := text(id.raw)
	if d := p.ports.byName(s); d != nil && id.subtype == portIDInterface {
		return d.def.Name
	}
	if d := p.ports.byName(id.descr); d != nil {
		return d.def.Name
	}
	if n, err := strconv.Atoi(s); err == nil && id.subtype == portIDLocal && p.ports.name(n) != "" {
		return p.ports.name(n)
	}
	if d := p.ports.byName(s); d != nil {
		return d.def.Name
	}
	if m := macOf(id.raw); m != "" {
		if name := p.ports.onlyMAC(m); name != "" {
			return name
		}
	}
	if name := p.ports.name(number); name != "" {
		return name
	}
	if s = strings.TrimSpace(s); s != "" {
		return s
	}
	return strconv.Itoa(number)
}

// onlyMAC returns the port that has the MAC, if it is the only one.
func (t *portTable) onlyMAC(mac string) string {
	if d := t.byMAC[mac]; d != nil && !t.shared[mac] {
		return d.def.Name
	}
	return ""
}

// nameOrMAC reads an id that is a name, or six octets that cannot be one.
func nameOrMAC(b []byte) string {
	for _, c := range b {
		if (c < 0x20 || c >= 0x7f) && len(b) == 6 {
			return macOf(b)
		}
	}
	return text(b)
}

// readCDP reads Cisco's discovery protocol, which others speak too.
func (p *poll) readCDP(ctx context.Context) {
	rows := map[string]*fleet.Neighbor{}
	var order []*fleet.Neighbor
	w := p.walk(ctx, cdpCache, 0, func(col int, index oid, v value) {
		if len(index) != 2 { // ifIndex, device index
			return
		}
		key := index.String()
		n := rows[key]
		if n == nil {
			n = &fleet.Neighbor{LocalPort: p.ports.name(int(index[0])), Protocol: "cdp"}
			if n.LocalPort == "" {
				n.LocalPort = strconv.Itoa(int(index[0]))
			}
			rows[key] = n
			order = append(order, n)
		}
		if col == 0 {
			n.RemoteName = nameOrMAC(v.raw)
		} else {
			n.RemotePort = nameOrMAC(v.raw)
		}
	})
	p.note(fleet.TableNeighbors, "CISCO-CDP-MIB", w)
	for _, n := range order {
		p.obs.Neighbors = append(p.obs.Neighbors, *n)
	}
}
