package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// bootTime is how long a machine may take from power to light on its cables.
const bootTime = 2 * time.Minute

// witness asks the neighbourhood about a device that does not answer. A device
// that cannot be seen is neither healthy nor broken; but where its cables are
// dark at their other ends, or the supplies behind it starve, it is down.
func (s *step) witness(v *verdict, i int, d *fleet.Device) {
	if s.starving(v, i, d) {
		return
	}
	s.unpowered(v, d)
	e := s.ends(d, true, d.SeenAt)
	s.reverseEnds(&e, i, d)
	if e.behind != "" {
		v.add(v.state, aboutNote+aboutPath, "behind %s, which does not answer", e.behind)
	}
	switch {
	case len(e.dark) >= 2 && e.lit == 0:
		v.add(fleet.StateCrit, aboutLight, "down: no light on %s", e.text())
	case e.lit > 0 && s.silent(d):
		v.add(v.state, aboutNote+aboutLight, "light on %d of its %s: it runs, only its management is silent", e.lit, fleet.Count(e.lit+len(e.dark), "cable"))
	}
}

// ends is what the other ends of a device's cables show.
type ends struct {
	lit, unseen int
	dark        []string
	behind      string // a silent switch on the way to its management address
}

func (e *ends) text() string {
	if len(e.dark) > 4 {
		return strings.Join(e.dark[:4], ", ") + more(len(e.dark)-4)
	}
	return strings.Join(e.dark, ", ")
}

func (e *ends) see(name string, p *fleet.Port) {
	switch {
	case p == nil || p.Oper == "" || p.Admin == "down":
		e.unseen++
	case p.Up():
		e.lit++
	default:
		e.dark = append(e.dark, name)
	}
}

// ends looks at the ports that a device's own cables lead to; all of them, or
// those of its host only. What was read before since proves nothing.
func (s *step) ends(d *fleet.Device, all bool, since time.Time) ends {
	var e ends
	for _, c := range d.Spec.Links {
		bmc := c.Management()
		if bmc && !all {
			continue
		}
		name, port, _ := strings.Cut(c.To, "/")
		n := s.next.Devices.Number(name)
		if n < 0 {
			continue
		}
		far := s.devices.Peek(n)
		if !s.lit(far) {
			e.unseen++
			if bmc && !far.SeenAt.IsZero() {
				e.behind = name
			}
			continue
		}
		if !far.Tables[fleet.TablePorts].At.After(since) {
			e.unseen++
			continue
		}
		if bmc && d.Power != fleet.PowerOff {
			// the light of a BMC says that there is power, not that the host runs
			if p := far.Port(port); p != nil && !p.Up() {
				e.see(c.To, p)
			}
			continue
		}
		e.see(c.To, far.Port(port))
	}
	return e
}

// reverseEnds looks at the ports of other switches whose cables lead to d.
func (s *step) reverseEnds(e *ends, i int, d *fleet.Device) {
	if d.Spec.Kind == fleet.KindServer || i >= len(s.next.Near) {
		return
	}
	for _, j := range s.next.Near[i] {
		far := s.devices.Peek(j)
		if !s.lit(far) || !far.Tables[fleet.TablePorts].At.After(d.SeenAt) {
			continue
		}
		for _, c := range far.Spec.Links {
			if to, _, _ := strings.Cut(c.To, "/"); to == d.Spec.ID {
				e.see(far.Spec.ID+"/"+c.NIC, far.Port(c.NIC))
			}
		}
	}
}

// starving asks the power supplies that hang on a silent PDU: they know
// whether it gives anything.
func (s *step) starving(v *verdict, i int, d *fleet.Device) bool {
	if d.Spec.Kind != fleet.KindPDU || i >= len(s.next.Near) {
		return false
	}
	lost, fed := 0, 0
	for _, j := range s.next.Near[i] {
		far := s.devices.Peek(j)
		if !s.lit(far) || !far.SeenAt.After(d.SeenAt) {
			continue
		}
		for _, c := range far.Spec.Power {
			if pdu, _, _ := strings.Cut(c.Outlet, "/"); pdu != d.Spec.ID {
				continue
			}
			switch x := supplyOf(far, c.PSU); {
			case x == nil || x.State == fleet.StateUnknown:
			case bad(x.State):
				lost++
			default:
				fed++
			}
		}
	}
	switch {
	case lost > 0 && lost >= 9*fed: // a supply may have failed by itself
		v.add(fleet.StateCrit, aboutPower, "no output: %d of %s on it have no input", lost, fleet.Count(lost+fed, "power supply"))
	case !s.silent(d): // a poll may fail by itself
	case lost > fed:
		v.add(v.state, aboutNote+"starved", "%d of %s on it have no input", lost, fleet.Count(lost+fed, "power supply"))
	case fed > 0:
		v.add(v.state, aboutNote+"fed", "%d of %s on it have input: it gives power, only its management is silent", fed, fleet.Count(lost+fed, "power supply"))
	}
	return true
}

func supplyOf(d *fleet.Device, n int) *fleet.Sensor {
	for i := range d.Sensors {
		if supply(&d.Sensors[i]) == n {
			return &d.Sensors[i]
		}
	}
	return nil
}

// unpowered says so where every cord of a silent device is known to be dead.
func (s *step) unpowered(v *verdict, d *fleet.Device) {
	var list []string
	for _, c := range d.Spec.Power {
		pdu, o := s.outlet(c.Outlet)
		if pdu == nil {
			return
		}
		switch {
		case pdu.State == fleet.StateCrit && !s.lit(pdu):
			list = append(list, fmt.Sprintf("%s (no output)", c.Outlet))
		case s.lit(pdu) && o != nil && o.State == "off":
			list = append(list, c.Outlet+" (off)")
		default:
			return
		}
	}
	if len(list) == 0 {
		return
	}
	text := "no power: every cord of it is dead: "
	if len(list) == 1 {
		text = "no power: its only cord is dead: "
	}
	v.add(fleet.StateCrit, aboutPower, "%s%s", text, strings.Join(list, ", "))
}

// rackReasons is what is wrong with a rack as a whole: a lost path; warm air in front of
// most of its servers is one cause.
func (s *step) rackReasons(r *fleet.Rack) []string {
	var out []string
	list := s.next.DevicesOf[r.Spec.ID]
	if site := s.next.Sites.Get(r.Spec.Site); site != nil && !site.SilentSince.IsZero() {
		out = append(out, pathLost(site, len(list)))
	}
	warm, read := 0, 0
	for _, i := range list {
		d := s.devices.Peek(i)
		if d.Spec.Kind != fleet.KindServer || !d.InletC.Known || !s.lit(d) {
			continue
		}
		read++
		if d.InletHot {
			warm++
		}
	}
	if warm >= 3 && 2*warm >= read {
		out = append(out, "inlet air too warm at "+strconv.Itoa(warm)+" of "+fleet.Count(read, "server")+": the room, not the servers")
	}
	return out
}
