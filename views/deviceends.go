package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// end is one cord or cable of a device with what is at the far end.
type end struct {
	id       string // "psu:1", "nic:eth0", "outlet:3", "port:Ethernet3"
	near     string
	kind, to string // what enter follows
	state    fleet.State
	text     string
	wrong    bool // observed is not what is intended
}

// endWidths returns the columns for the near and the far names of a list of
// ends, so that both stand in columns of their own.
func endWidths(ends []end, w int) (near, to int) {
	for i := range ends {
		near = max(near, widget.Width(ends[i].near))
		to = max(to, widget.Width(ends[i].to))
	}
	return min(near, 12), max(1, min(to, 30, w/2))
}

// draw draws the end in one row, its names in the given columns.
func (e end) draw(f Frame, on widget.Canvas, near, to int) {
	on.Glyph(f.Theme, 0, 0, e.state)
	on.Cut(f.Theme, 2, 0, near, e.near, widget.Plain)
	x := 3 + near
	on.Cut(f.Theme, x, 0, to, or(e.to), widget.Link)
	st := widget.Dim
	if e.wrong {
		st = widget.Drift
	}
	x += to + 1
	on.Cut(f.Theme, x, 0, on.W-x, e.text, st)
}

// deviceEnds lists the cords and cables of a device, or the outlets of a PDU.
func deviceEnds(f Frame, d *fleet.Device, to []end) []end {
	for _, c := range d.Spec.Power {
		to = append(to, cordEnd(f, c))
	}
	for _, c := range d.Spec.Links {
		to = append(to, cableEnd(f, d, c))
	}
	if len(d.Outlets) > 0 {
		to = outletEnds(f, d, to)
	}
	if len(d.Spec.Links) == 0 {
		for i := range d.Neighbors {
			to = append(to, neighborEnd(f, d, &d.Neighbors[i]))
		}
	}
	return to
}

// cordEnd is a PSU's cord as the outlet at its other end tells it.
func cordEnd(f Frame, c fleet.PowerCord) end {
	e := end{id: "psu:" + strconv.Itoa(c.PSU), near: "PSU" + strconv.Itoa(c.PSU), kind: KindOutlet, to: c.Outlet}
	pdu, n, _ := strings.Cut(c.Outlet, "/")
	p := f.Snap.Devices.Get(pdu)
	if p == nil {
		e.text = "the PDU is not in the inventory"
		return e
	}
	for i := range p.Outlets {
		o := &p.Outlets[i]
		if strconv.Itoa(o.Index) != n {
			continue
		}
		e.state, e.text = outletState(f, p, o)
		if idle(o) {
			e.text, e.wrong = "on  0A, no load", true
		}
		e.text += lastCord(f, c.Outlet)
		return e
	}
	e.text = "outlet not seen"
	if p.Blind() {
		e.text = "PDU blind " + since(f, p.BlindSince)
	}
	return e
}

// idle reports whether an outlet is on and measured to carry no load: the cord
// that is meant to be in it is out, or its PSU is dead.
func idle(o *fleet.Outlet) bool {
	return o.State == "on" && o.CurrentA.Known && o.CurrentA.N == 0
}

func outletState(f Frame, p *fleet.Device, o *fleet.Outlet) (fleet.State, string) {
	text := or(o.State)
	if o.CurrentA.Known {
		text += "  " + number(o.CurrentA, 2) + "A"
	}
	if o.PowerW.Known {
		text += "  " + watts(o.PowerW)
	}
	switch {
	case p.Blind():
		return fleet.StateUnknown, text + ", " + since(f, p.SeenAt) + " old"
	case o.State == "off":
		return fleet.StateOff, text
	case o.State == "on":
		return fleet.StateOK, text
	}
	return fleet.StateUnknown, text
}

// cableEnd is a NIC's cable: the port it is meant for, and what LLDP or the
// forwarding table says of it.
func cableEnd(f Frame, d *fleet.Device, c fleet.Cable) end {
	e := end{id: "nic:" + c.NIC, near: c.NIC, kind: KindPort, to: c.To}
	sw, name, _ := strings.Cut(c.To, "/")
	s := f.Snap.Devices.Get(sw)
	if s == nil {
		e.text = "the switch is not in the inventory"
		return e
	}
	p := s.Port(name)
	if p == nil {
		e.text = "port not seen"
		return e
	}
	e.state = portState(s, p)
	e.text = p.Oper + "  " + bits(p.SpeedBps)
	switch at := portOfMAC(s, c.MAC); {
	case p.Neighbor != "" && !strings.HasPrefix(p.Neighbor, d.Spec.Name):
		e.text, e.wrong = e.text+"  LLDP says "+p.Neighbor, true
	case p.Neighbor != "":
		e.text += "  LLDP ok"
	case at != "" && at != name:
		e.text, e.wrong = e.text+"  its MAC is on "+at, true
	case at == name:
		e.text += "  MAC ok"
	}
	return e
}

// portOfMAC finds where a switch learned a MAC.
func portOfMAC(s *fleet.Device, mac string) string {
	for i := range s.FDB {
		if mac != "" && s.FDB[i].MAC == mac {
			return s.FDB[i].Port
		}
	}
	return ""
}

// outletEnds lists a PDU's outlets with what the inventory says hangs on them.
func outletEnds(f Frame, d *fleet.Device, to []end) []end {
	on := map[string][2]string{}
	for id, x := range f.Snap.Devices.All() {
		for _, c := range x.Spec.Power {
			if pdu, n, _ := strings.Cut(c.Outlet, "/"); pdu == d.Spec.ID {
				on[n] = [2]string{id, "PSU" + strconv.Itoa(c.PSU)}
			}
		}
	}
	for i := range d.Outlets {
		o := &d.Outlets[i]
		n := strconv.Itoa(o.Index)
		e := end{id: "outlet:" + n, near: n, kind: KindDevice, to: on[n][0]}
		e.state, e.text = outletState(f, d, o)
		if on[n][1] != "" {
			e.text = on[n][1] + "  " + e.text
			if idle(o) {
				e.text, e.wrong = on[n][1]+"  on  0A, no load", true
			}
			e.text += lastCord(f, d.Spec.ID+"/"+n)
		}
		to = append(to, e)
	}
	return to
}

func neighborEnd(f Frame, d *fleet.Device, n *fleet.Neighbor) end {
	e := end{id: "port:" + n.LocalPort, near: n.LocalPort, kind: KindDevice, to: n.RemoteName, text: strings.ToUpper(n.Protocol) + "  " + n.RemotePort}
	if p := d.Port(n.LocalPort); p != nil {
		e.state = portState(d, p)
	}
	return e
}
