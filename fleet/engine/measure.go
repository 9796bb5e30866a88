package engine

import (
	"strings"

	"plumb/fleet"
)

// measure fills in what is read off a device's tables: power state, watts and
// inlet temperature.
func measure(d *fleet.Device) {
	switch d.Facts.Get(fleet.FactPower) {
	case "on":
		d.Power = fleet.PowerOn
	case "off":
		d.Power = fleet.PowerOff
	default:
		d.Power = fleet.PowerUnknown
	}
	d.PowerW, d.InletC, d.InletHot = watts(d), fleet.Num{}, false
	if x := inlet(d); x != nil {
		d.InletC = x.Value
		d.InletHot = bad(x.State) && x.Limits.HighWarn.Known && x.Value.Cmp(x.Limits.HighWarn) >= 0
	}
}

// inlet finds the sensor of the air that a machine breathes in, or nil.
func inlet(d *fleet.Device) *fleet.Sensor {
	for i := range d.Sensors {
		if d.Sensors[i].Inlet() {
			return &d.Sensors[i]
		}
	}
	return nil
}

// watts prefers what a machine says of itself as a whole (DCMI, a PDU's own
// total), then the sum of its outlets, then the sum of its inputs. Phases and
// banks are parts of a total and never added to it.
func watts(d *fleet.Device) fleet.Num {
	var inputs sum
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if x.Class != fleet.ClassPower || x.Unit != "W" || !x.Value.Known {
			continue
		}
		table, _, _ := strings.Cut(x.Key, ":")
		switch {
		case x.Key == "dcmi.power", strings.HasSuffix(table, "DeviceStatus"), x.Key == "rPDUIdent:power":
			return x.Value
		case x.Says("out"), strings.Contains(table, "Phase"), strings.Contains(table, "Bank"):
		default:
			inputs.add(x.Value)
		}
	}
	var outlets sum
	for i := range d.Outlets {
		outlets.add(d.Outlets[i].PowerW)
	}
	if outlets.n > 0 {
		return outlets.num(1)
	}
	return inputs.num(1)
}

// sum adds what is known; of nothing it is null.
type sum struct {
	total float64
	n     int
}

func (s *sum) add(n fleet.Num) {
	if n.Known {
		s.total, s.n = s.total+n.Float(), s.n+1
	}
}

func (s *sum) num(decimals int) fleet.Num {
	if s.n == 0 {
		return fleet.Num{}
	}
	return fleet.FromFloat(s.total, decimals)
}
