package engine

import (
	"fmt"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// judgeSupply says what a power supply in trouble means: redundancy lost where
// another one carries the machine, and on which outlet the trouble hangs.
func (s *step) judgeSupply(v *verdict, d *fleet.Device, x *fleet.Sensor, n int) {
	state, head := x.State, "PSU "+strconv.Itoa(n)+": "
	if d.Power != fleet.PowerOff && carried(d, n) {
		state, head = fleet.StateWarn, "redundancy lost: "+head
	}
	text := sentence(x)
	if x.Text != "" {
		text = trouble(x.Text)
	}
	v.add(state, "PSU "+strconv.Itoa(n), "%s%s%s", head, text, s.cordText(d, n))
}

// trouble leaves out of a supply's words what goes without saying.
func trouble(text string) string {
	text = strings.TrimPrefix(text, "Presence detected, ")
	return strings.TrimPrefix(text, "Power Supply ")
}

// carried reports whether another power supply than n is in order.
func carried(d *fleet.Device, n int) bool {
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if m := supply(x); m > 0 && m != n && x.State == fleet.StateOK && (!x.Value.Known || x.Value.N != 0) {
			return true // a bay that is empty asserts nothing
		}
	}
	return false
}

// cordText is the outlet behind a power supply and what is known of it.
func (s *step) cordText(d *fleet.Device, n int) string {
	for _, c := range d.Spec.Power {
		if c.PSU != n {
			continue
		}
		pdu, o := s.outlet(c.Outlet)
		switch {
		case pdu == nil:
			return ", outlet " + c.Outlet
		case !s.lit(pdu):
			return fmt.Sprintf(", outlet %s (%s does not answer)", c.Outlet, pdu.Spec.ID)
		case o == nil:
			return ", outlet " + c.Outlet
		}
		return fmt.Sprintf(", outlet %s is %s%s", c.Outlet, o.State, idle(o))
	}
	return ""
}

// idle says so where next to nothing is drawn from an outlet.
func idle(o *fleet.Outlet) string {
	if o.State == "on" && o.PowerW.Known && o.PowerW.Float() < 5 {
		return " and gives " + o.PowerW.String() + " W"
	}
	return ""
}

// outlet finds "pdu/number"; either may be nil.
func (s *step) outlet(id string) (*fleet.Device, *fleet.Outlet) {
	name, n, _ := strings.Cut(id, "/")
	i := s.next.Devices.Number(name)
	if i < 0 {
		return nil, nil
	}
	pdu := s.devices.Peek(i)
	for k := range pdu.Outlets {
		if outletRow(&pdu.Outlets[k]) == n {
			return pdu, &pdu.Outlets[k]
		}
	}
	return pdu, nil
}

// What a BMC says is held against what its outlets measure: a machine that
// runs draws more than lieLowW, one that is off less than lieHighW.
const (
	lieLowW  = 25
	lieHighW = 60
)

// judgeWord compares a BMC's word about power with those who cannot know what
// it says: the outlets and the switch ports. Only measurements that were taken
// after the state began and before the BMC repeated it count, so that a
// machine that was just switched contradicts nobody.
func (s *step) judgeWord(v *verdict, d *fleet.Device) {
	if d.Spec.Kind != fleet.KindServer || d.Power == fleet.PowerUnknown || d.PowerSince.IsZero() {
		return
	}
	if w, names, ok := s.delivered(d); ok {
		switch {
		case d.Power == fleet.PowerOn && w < lieLowW && !(d.PowerW.Known && d.PowerW.Float() < 2*lieLowW):
			v.add(fleet.StateWarn, aboutPower, "BMC says on%s, but its outlets deliver %.0f W (%s): it is off, or not on these outlets", claims(d), w, names)
		case d.Power == fleet.PowerOff && w > lieHighW:
			v.add(fleet.StateWarn, aboutPower+" outlets", "BMC says off, but its outlets deliver %.0f W (%s)", w, names)
		}
	}
	if d.Power != fleet.PowerOn || s.now.Sub(d.PowerSince) < bootTime {
		return
	}
	if e := s.ends(d, false, d.PowerSince); len(e.dark) >= 2 && e.lit == 0 && e.unseen == 0 {
		v.add(fleet.StateWarn, aboutLight, "no light on any of its cables: %s", e.text())
	}
}

func claims(d *fleet.Device) string {
	if !d.PowerW.Known {
		return ""
	}
	return " and " + d.PowerW.String() + " W"
}

// delivered is the sum of a device's outlets. It is not known where one of
// them is not, or was measured before the present power state began or after
// the device was last seen.
func (s *step) delivered(d *fleet.Device) (watts float64, names string, ok bool) {
	var list []string
	for _, c := range d.Spec.Power {
		pdu, o := s.outlet(c.Outlet)
		if o == nil || !o.PowerW.Known || !s.lit(pdu) {
			return 0, "", false
		}
		if at := pdu.Tables[fleet.TableOutlets].At; at.Before(d.PowerSince) || at.After(d.SeenAt) {
			return 0, "", false
		}
		watts += o.PowerW.Float()
		list = append(list, c.Outlet)
	}
	return watts, strings.Join(list, ", "), len(list) > 0
}

// cords pairs what each outlet of a PDU gives with what the supply draws that is
// meant to hang on it. Of a machine that is not seen nobody knows what it draws.
func (s *step) cords(pdu *fleet.Device) (out []drift.Cord) {
	for i := range pdu.Outlets {
		o := &pdu.Outlets[i]
		far, ok := s.next.Corded[pdu.Spec.ID+"/"+outletRow(o)]
		if !ok || !o.PowerW.Known {
			continue
		}
		d := s.devices.Peek(far.Device)
		if !s.lit(d) {
			continue
		}
		for k := range d.Sensors {
			x := &d.Sensors[k]
			if n := x.Input(); n > 0 && x.Value.Known && far.Part == "PSU "+strconv.Itoa(n) {
				out = append(out, drift.Cord{Outlet: o.Index, Supply: s.end(far), Gives: o.PowerW.Float(), Draws: x.Value.Float()})
			}
		}
	}
	return out
}
