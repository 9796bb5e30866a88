package snmp

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"plumb/fleet"
)

// Cisco keeps the VLAN of an access port in one object, by ifIndex, and says
// beside it what may be a trunk (CISCO-VLAN-MEMBERSHIP-MIB, CISCO-VTP-MIB).
var (
	vmVlanType      = parseOID("1.3.6.1.4.1.9.9.68.1.2.2.1.1")
	vmVlan          = parseOID("1.3.6.1.4.1.9.9.68.1.2.2.1.2")
	vlanTrunkStatus = parseOID("1.3.6.1.4.1.9.9.46.1.6.1.1.14")        // vlanTrunkPortDynamicStatus
	vtpVlanState    = parseOID("1.3.6.1.4.1.9.9.46.1.3.1.1.2").plus(1) // of management domain 1, by VLAN
)

const (
	vmStatic    = 1
	trunking    = 1
	operational = 1
)

// portVLAN puts an access port into another VLAN.
func (h *hand) portVLAN(ctx context.Context) error {
	bounds := h.action.Kind.Spec().Args[0]
	want, err := strconv.Atoi(h.action.Args[bounds.Name])
	if err != nil || want < bounds.Low || want > bounds.Top {
		return h.refuse("port-vlan", fmt.Sprintf("a VLAN is a number from %d to %d", bounds.Low, bounds.Top))
	}
	index, err := h.port(ctx)
	if err != nil {
		return err
	}
	v, err := h.get(ctx, vmVlan.plus(index), vmVlanType.plus(index), vlanTrunkStatus.plus(index), vtpVlanState.plus(uint32(want)))
	if err != nil {
		return &stepError{"read vmVlan", err}
	}
	if v[2].small() == trunking {
		return h.refuse("read vlanTrunkPortDynamicStatus", "the port is a trunk")
	}
	if !v[0].exists() {
		return h.bridgeVLAN(ctx, int(index), want)
	}
	h.out.Before = vlanWord(v[0])
	switch {
	case v[1].small() != vmStatic:
		return h.refuse("read vmVlanType", "the port's VLAN is not a static one")
	case v[3].small() != operational:
		return h.refuse("read vtpVlanState", fmt.Sprintf("VLAN %d is not there, or not in operation", want))
	}
	return h.replace(ctx, "vmVlan", vmVlan.plus(index), integer(int64(want)), vlanWord)
}

func vlanWord(v value) string { return vlanText(v.small()) }

func vlanText(id int) string { return "VLAN " + strconv.Itoa(id) }

// Columns of Q-BRIDGE-MIB that say where a port is (RFC 4363).
var (
	staticEgress   = vlanStatic[1]
	staticUntagged = vlanStatic[2]
	pvid           = pvids[0]
)

// standing is where one bridge port is among the VLANs.
type standing struct {
	port     int
	pvid     int
	rows     map[int]*vlanRow // as configured, by VLAN
	egress   []int            // VLANs that it sends, as configured or in force
	untagged []int
}

// bridgeVLAN moves a port by Q-BRIDGE-MIB. Membership and PVID are set
// together: a SET is carried out whole or not at all (RFC 3416 section 4.2.5),
// so the port is never in two VLANs and never in none. The lists hold all other
// ports too; they are read right before they are written.
func (h *hand) bridgeVLAN(ctx context.Context, ifIndex, want int) error {
	s, err := h.stand(ctx, ifIndex)
	if err != nil {
		return err
	}
	h.out.Before = s.words()
	switch {
	case len(s.egress) > 1 || len(s.untagged) != len(s.egress):
		return h.refuse("read VLANs", "the port is a trunk")
	case s.rows[want] == nil:
		return h.refuse("read VLANs", fmt.Sprintf("VLAN %d is not configured on the switch", want))
	case s.in(want):
		return h.already()
	}
	lost, err := h.put(ctx, s.move(want)...)
	if err != nil {
		return err
	}
	_, err = h.until(ctx, h.wait.settle, func() (bool, error) {
		s, err := h.stand(ctx, ifIndex)
		if err != nil {
			return false, err
		}
		h.out.After = s.words()
		return s.in(want), nil
	})
	switch {
	case err != nil:
		return h.unseen("VLANs", err)
	case h.out.After != vlanText(want):
		return h.notSo("VLANs", lost)
	}
	h.out.Done, h.out.Text = true, fmt.Sprintf("%s: %s -> %s", h.name, h.out.Before, h.out.After)
	return nil
}

// stand reads where a port is. Tables that cannot be read whole say nothing: a
// VLAN that was not shown could make the port a trunk.
func (h *hand) stand(ctx context.Context, ifIndex int) (*standing, error) {
	s := &standing{rows: map[int]*vlanRow{}}
	w := h.walk(ctx, basePortIfIndex, 0, func(_ int, index oid, v value) {
		if len(index) == 1 && v.small() == ifIndex {
			s.port = int(index[0])
		}
	})
	if err := h.whole("dot1dBasePortIfIndex", w); err != nil {
		return nil, err
	}
	if s.port == 0 {
		return nil, h.refuse("find bridge port", "the port is not a bridge port")
	}
	w = h.walk(ctx, vlanStatic[1:], 0, func(col int, index oid, v value) {
		if len(index) == 1 {
			s.row(int(index[0])).set(col, v)
		}
	})
	if err := h.whole("dot1qVlanStaticTable", w); err != nil {
		return nil, err
	}
	current := map[int]*vlanRow{}
	w = h.walk(ctx, vlanCurrent[1:], 0, func(col int, index oid, v value) {
		if len(index) != 2 { // timeMark, VLAN
			return
		}
		id := int(index[1])
		if current[id] == nil {
			current[id] = &vlanRow{}
		}
		current[id].set(col, v)
	})
	if w.is != fleet.Absent {
		if err := h.whole("dot1qVlanCurrentTable", w); err != nil {
			return nil, err
		}
	}
	s.gather(s.rows)
	s.gather(current)
	v, err := h.get(ctx, pvid.plus(uint32(s.port)))
	if err != nil {
		return nil, &stepError{"read dot1qPvid", err}
	}
	s.pvid = v[0].small()
	return s, nil
}

// whole refuses a table that was not read from its beginning to its end.
func (h *hand) whole(what string, w walked) error {
	switch w.is {
	case fleet.Complete:
		return nil
	case fleet.Absent:
		return h.refuse("read "+what, "the device has no "+what)
	}
	if w.err != nil {
		return &stepError{"read " + what, w.err}
	}
	return &stepError{"read " + what, fmt.Errorf("%w: %s", fleet.ErrProtocol, w.why)}
}

func (s *standing) row(id int) *vlanRow {
	if s.rows[id] == nil {
		s.rows[id] = &vlanRow{}
	}
	return s.rows[id]
}

// set takes in one of the two PortLists, egress before untagged.
func (r *vlanRow) set(col int, v value) {
	if col == 0 {
		r.egress = portList(v)
	} else {
		r.untagged = portList(v)
	}
}

// gather notes the VLANs that the port is in. Untagged without egress is what
// some agents leave behind: such a port sends nothing.
func (s *standing) gather(rows map[int]*vlanRow) {
	for id, r := range rows {
		if !hasPort(r.egress, s.port) {
			continue
		}
		if !slices.Contains(s.egress, id) {
			s.egress = append(s.egress, id)
		}
		if hasPort(r.untagged, s.port) && !slices.Contains(s.untagged, id) {
			s.untagged = append(s.untagged, id)
		}
	}
	slices.Sort(s.egress)
	slices.Sort(s.untagged)
}

// in reports whether the port is an access port of the VLAN and of no other.
func (s *standing) in(vlan int) bool {
	return s.pvid == vlan && slices.Equal(s.egress, []int{vlan}) && slices.Equal(s.untagged, []int{vlan})
}

// words says where the port is: "VLAN 110", or what does not agree with that.
func (s *standing) words() string {
	if s.in(s.pvid) {
		return vlanText(s.pvid)
	}
	return fmt.Sprintf("PVID %d, member of %s, untagged in %s", s.pvid, someOf(s.egress), someOf(s.untagged))
}

// someOf lists the first few: a trunk may carry thousands.
func someOf(ids []int) string {
	const most = 8
	if len(ids) > most {
		return fmt.Sprintf("%v and %d more", ids[:most], len(ids)-most)
	}
	return fmt.Sprint(ids)
}

// move is the SET that puts the port into the VLAN and takes it out of the
// others: in first, for agents that carry out one object after the other.
func (s *standing) move(want int) []write {
	to := s.rows[want]
	list := []write{
		{"dot1qVlanStaticEgressPorts", staticEgress.plus(uint32(want)), octets(joined(to.egress, s.port))},
		{"dot1qVlanStaticUntaggedPorts", staticUntagged.plus(uint32(want)), octets(joined(to.untagged, s.port))},
		{"dot1qPvid", pvid.plus(uint32(s.port)), unsigned32(uint32(want))},
	}
	for _, id := range s.egress {
		if from := s.rows[id]; id != want && from != nil {
			list = append(list,
				write{"dot1qVlanStaticUntaggedPorts", staticUntagged.plus(uint32(id)), octets(parted(from.untagged, s.port))},
				write{"dot1qVlanStaticEgressPorts", staticEgress.plus(uint32(id)), octets(parted(from.egress, s.port))})
		}
	}
	return list
}

// bitOf says where a bridge port stands in a PortList: the first bit of the first
// octet is port 1 (RFC 4363).
func bitOf(port int) (octet int, bit byte) { return (port - 1) / 8, 0x80 >> ((port - 1) % 8) }

func hasPort(list []byte, port int) bool {
	octet, bit := bitOf(port)
	return octet < len(list) && list[octet]&bit != 0
}

func joined(list []byte, port int) []byte {
	octet, bit := bitOf(port)
	out := slices.Clone(list)
	for len(out) <= octet {
		out = append(out, 0)
	}
	out[octet] |= bit
	return out
}

func parted(list []byte, port int) []byte {
	out := slices.Clone(list)
	if octet, bit := bitOf(port); octet < len(out) {
		out[octet] &^= bit
	}
	return out
}
