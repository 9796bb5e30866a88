package trace

import (
	"slices"
	"strconv"

	"plumb/fleet"
)

// Running reports whether a replica in the state is one that serves: what the
// engine counts for a service.
func Running(st fleet.State) bool { return st == fleet.StateOK || st == fleet.StateWarn }

// unseen reports whether a device does not answer.
func unseen(d *fleet.Device) bool { return d.Blind() || slices.Contains(d.About, "sight") }

// fresh reports whether a device was seen at its last poll.
func fresh(d *fleet.Device) bool { return !d.SeenAt.IsZero() && !unseen(d) }

// stale reports whether what a device said of its pieces is no longer known to
// be so: it was silent for too long, or it is silent and others show it dead. A
// poll that was missed makes nothing stale.
func stale(d *fleet.Device) bool {
	return slices.Contains(d.About, "sight") || d.Blind() && Dead(d)
}

// Dead reports whether a device is known to be down: it is off, others show
// that it has no power or no light, or its outlets and its cables both
// contradict a BMC that says it runs. Silence alone is not death.
func Dead(d *fleet.Device) bool {
	if d.State == fleet.StateOff || d.Power == fleet.PowerOff {
		return true
	}
	power, light := slices.Contains(d.About, "power"), slices.Contains(d.About, "light")
	if unseen(d) {
		return d.State == fleet.StateCrit && (power || light)
	}
	return power && light
}

// supplyDead reports whether a device's own word is that a supply gives nothing.
func supplyDead(d *fleet.Device, no int) bool {
	if !slices.ContainsFunc(d.Sensors, isCrit) {
		return false // almost always: no name is looked at
	}
	x := supplyOf(d, no)
	return x != nil && x.State == fleet.StateCrit
}

// supplyWell reports whether a device says that a supply is in order.
func supplyWell(d *fleet.Device, no int) bool {
	x := supplyOf(d, no)
	return x != nil && x.State == fleet.StateOK
}

func supplyOf(d *fleet.Device, no int) *fleet.Sensor {
	for i := range d.Sensors {
		if d.Sensors[i].Supply() == no {
			return &d.Sensors[i]
		}
	}
	return nil
}

func outletOf(pdu *fleet.Device, no int) *fleet.Outlet {
	if no >= 1 && no <= len(pdu.Outlets) && pdu.Outlets[no-1].Index == no {
		return &pdu.Outlets[no-1]
	}
	for i := range pdu.Outlets {
		if pdu.Outlets[i].Index == no {
			return &pdu.Outlets[i]
		}
	}
	return nil
}

// portAt finds a port by name, first where it was when the graph was built.
func portAt(d *fleet.Device, name string, at int) *fleet.Port {
	if at >= 0 && at < len(d.Ports) && d.Ports[at].Name == name {
		return &d.Ports[at]
	}
	return d.Port(name)
}

// open reports whether a port passes packets. One of a device of which no port
// was ever read is taken to be as intended; one that a device does not show is
// not there.
func open(d *fleet.Device, p *fleet.Port) bool {
	if p == nil {
		return len(d.Ports) == 0
	}
	return p.Up() || p.Oper == ""
}

func outletName(no int) string { return strconv.Itoa(no) }

func isCrit(x fleet.Sensor) bool { return x.State == fleet.StateCrit }
