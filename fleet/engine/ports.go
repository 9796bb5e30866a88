package engine

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// errorsWarn is how many errors a second a port may have; a cable in order has
// none.
const errorsWarn = 1

// judgePorts finds cables that ought to carry light and do not, that damage
// what they carry, that come and go, and that end somewhere else than
// intended. A port whose far end is switched off is as it should be.
func (s *step) judgePorts(v *verdict, d *fleet.Device) {
	for i := range d.Ports {
		p := &d.Ports[i]
		if e := p.Rates.Errors; e.Known && e.Float() >= errorsWarn {
			v.add(fleet.StateWarn, "errors "+p.Name, "%s %.0f errors/s%s", p.Name, e.Float(), s.cabledTo(d, p))
		}
		if p.Oper == "" || p.Up() && len(d.Flips) == 0 {
			continue
		}
		s.judgeLight(v, d, p)
	}
	for i := range d.Miscabled {
		m := &d.Miscabled[i]
		if m.Home != "" {
			v.add(fleet.StateWarn, "cable "+m.Port, "%s hears %s, inventory has it on %s (%s)", m.Port, s.end(m.Hears), m.Home, m.Source)
			continue
		}
		v.add(fleet.StateWarn, "cable "+m.Port, "%s hears %s, inventory says %s (%s)", m.Port, s.end(m.Hears), s.end(m.Meant), m.Source)
	}
}

func (s *step) judgeLight(v *verdict, d *fleet.Device, p *fleet.Port) {
	far, ok := s.next.CabledOn[d.Spec.ID][p.Name]
	if !ok {
		return
	}
	if f := flapping(d, p.Name); f != nil {
		v.add(fleet.StateWarn, "port "+p.Name, "%s flapping, last change %s (cabled to %s)", p.Name, f.At[len(f.At)-1].UTC().Format(clock), s.end(far))
		return
	}
	switch {
	case p.Up():
	case p.Admin == "down":
		v.add(fleet.StateWarn, "port "+p.Name, "%s is shut (cabled to %s)", p.Name, s.end(far))
	case s.devices.Peek(far.Device).Power == fleet.PowerOff:
	default:
		v.add(fleet.StateWarn, "port "+p.Name, "%s %s (cabled to %s)", p.Name, p.Oper, s.end(far))
	}
}

func (s *step) end(a fleet.Attachment) string {
	return strings.TrimSpace(s.devices.Peek(a.Device).Spec.ID + " " + a.Part)
}

func (s *step) cabledTo(d *fleet.Device, p *fleet.Port) string {
	if far, ok := s.next.CabledOn[d.Spec.ID][p.Name]; ok {
		return " (cabled to " + s.end(far) + ")"
	}
	return ""
}

// miscabled compares what a switch hears with what is meant to hang on its
// ports. Only a far end that the inventory knows counts: an unknown name may
// be the right machine under another name.
func (s *step) miscabled(d *fleet.Device) []fleet.Miscable {
	var out []fleet.Miscable
	for i := range d.Neighbors {
		n := &d.Neighbors[i]
		hears, ok := s.recognise(n)
		if !ok {
			continue
		}
		meant, ok := s.next.CabledOn[d.Spec.ID][n.LocalPort]
		if !ok {
			if home := s.home(hears); home != "" {
				out = append(out, fleet.Miscable{Port: n.LocalPort, Hears: hears, Home: home, Source: n.Protocol})
			}
			continue
		}
		if hears.Device != meant.Device || hears.Part != "" && !strings.EqualFold(hears.Part, meant.Part) {
			out = append(out, fleet.Miscable{Port: n.LocalPort, Hears: hears, Meant: meant, Source: n.Protocol})
		}
	}
	out = append(out, s.strangeAddresses(d, out)...)
	return append(out, s.strays(d, out)...)
}

// strays finds ports on which nothing is meant to hang and one address is
// learned that belongs on another port of the same switch. Where there are more
// the port leads to them, and one that belongs on another switch may have come
// by it.
func (s *step) strays(d *fleet.Device, told []fleet.Miscable) []fleet.Miscable {
	skip := map[string]bool{}
	for i := range told {
		skip[told[i].Port] = true
	}
	at := map[string]int{}
	var out []fleet.Miscable
	for i := range d.FDB {
		e := &d.FDB[i]
		hears, ok := s.next.NICs[strings.ToLower(e.MAC)]
		if _, meant := s.next.CabledOn[d.Spec.ID][e.Port]; !ok || meant || skip[e.Port] {
			continue
		}
		home := s.home(hears)
		if k, again := at[e.Port]; again && out[k].Home != home || !strings.HasPrefix(home, d.Spec.ID+"/") {
			skip[e.Port] = true
			continue
		} else if !again {
			at[e.Port] = len(out)
			out = append(out, fleet.Miscable{Port: e.Port, Hears: hears, Home: home, Source: "fdb"})
		}
	}
	return slices.DeleteFunc(out, func(m fleet.Miscable) bool { return skip[m.Port] })
}

// home is where a NIC or port is meant to be plugged in, "device/port"; "" where
// the inventory does not say.
func (s *step) home(a fleet.Attachment) string {
	d := s.devices.Peek(a.Device)
	for _, c := range d.Spec.Links {
		if c.NIC == a.Part {
			return c.To
		}
	}
	if far, ok := s.next.CabledOn[d.Spec.ID][a.Part]; ok && a.Part != "" {
		return s.devices.Peek(far.Device).Spec.ID + "/" + far.Part
	}
	return ""
}

// recognise finds whose voice a neighbour is: by the address of its port, by
// its name, or by the address of its chassis, which tells the device only. The
// part is empty where the inventory does not know it.
func (s *step) recognise(n *fleet.Neighbor) (fleet.Attachment, bool) {
	if a, ok := s.next.NICs[strings.ToLower(n.RemotePort)]; ok {
		return a, true
	}
	name := n.RemoteName
	i := s.next.Devices.Number(name)
	if i < 0 {
		name, _, _ = strings.Cut(name, ".")
		i = s.next.Devices.Number(name)
	}
	if i < 0 {
		a, ok := s.next.NICs[strings.ToLower(n.RemoteChassis)]
		return fleet.Attachment{Device: a.Device}, ok
	}
	d := s.devices.Peek(i)
	for _, c := range d.Spec.Links {
		if strings.EqualFold(c.NIC, n.RemotePort) {
			return fleet.Attachment{Device: i, Part: c.NIC}, true
		}
	}
	if _, ok := s.next.CabledOn[name][n.RemotePort]; ok {
		return fleet.Attachment{Device: i, Part: n.RemotePort}, true
	}
	return fleet.Attachment{Device: i}, true
}

// strangeAddresses finds ports on which another machine's address is learned
// and the intended one is not.
func (s *step) strangeAddresses(d *fleet.Device, told []fleet.Miscable) []fleet.Miscable {
	known := map[string]bool{}
	for i := range told {
		known[told[i].Port] = true
	}
	var out []fleet.Miscable
	at := map[string]int{}
	for i := range d.FDB {
		e := &d.FDB[i]
		hears, ok := s.next.NICs[strings.ToLower(e.MAC)]
		if !ok || known[e.Port] {
			continue
		}
		meant, ok := s.next.CabledOn[d.Spec.ID][e.Port]
		if !ok || s.devices.Peek(meant.Device).Spec.Kind != fleet.KindServer {
			continue
		}
		k, seen := at[e.Port]
		switch {
		case hears.Device == meant.Device:
			known[e.Port] = true // the right one is there, whatever else is
			if seen {
				out[k].Port = ""
			}
		case !seen:
			at[e.Port] = len(out)
			out = append(out, fleet.Miscable{Port: e.Port, Hears: hears, Meant: meant, Source: "fdb"})
		}
	}
	return slices.DeleteFunc(out, func(m fleet.Miscable) bool { return m.Port == "" })
}

// sayPorts tells what happened to ports between two looks, as one event a
// kind: a new VLAN, counters that began anew.
func (s *step) sayPorts(was *fleet.Device, o *fleet.Observation, ports []fleet.Port) {
	old := make(map[string]*fleet.Port, len(was.Ports))
	for i := range was.Ports {
		old[was.Ports[i].Name] = &was.Ports[i]
	}
	var moved []string
	anew := 0
	for i := range ports {
		is := &ports[i]
		p := old[is.Name]
		if p == nil || p.PortDef == is.PortDef && p.Discontinuity == is.Discontinuity {
			continue
		}
		if p.VLAN != 0 && is.VLAN != 0 && p.VLAN != is.VLAN {
			moved = append(moved, fmt.Sprintf("%s from VLAN %d to VLAN %d", is.Name, p.VLAN, is.VLAN))
		}
		if p.Discontinuity != is.Discontinuity && !was.Tables[fleet.TablePorts].At.IsZero() && p.Counters.Known != 0 {
			anew++
		}
	}
	if len(moved) > 0 {
		s.event(o.Target, "vlan", "port moved: "+moved[0]+more(len(moved)-1), fleet.SeverityWarn, true)
	}
	before, after := was.Facts.Num(fleet.FactUptime), o.Facts.Num(fleet.FactUptime)
	switch {
	case after.Known && after.Cmp(before) < 0 && restarted(before, after, o.At.Sub(was.UptimeAt)):
		s.event(o.Target, "restart", fmt.Sprintf("restarted: its uptime fell from %s to %s; rates have a gap", uptime(before), uptime(after)), fleet.SeverityWarn, true)
	case anew > 0:
		s.event(o.Target, "counters", fmt.Sprintf("counters of %s began anew; rates have a gap", fleet.Count(anew, "port")), fleet.SeverityInfo, true)
	}
}

// followPorts notes what happened to ports between two looks: light that came
// or went, and what is worth an event.
func (s *step) followPorts(d, was *fleet.Device, o *fleet.Observation) {
	if !fresh(o, fleet.TablePorts) || len(was.Ports) == 0 {
		return
	}
	s.sayPorts(was, o, d.Ports)
	k := 0
	for i := range d.Ports {
		is := &d.Ports[i]
		for k < len(was.Ports) && was.Ports[k].Name != is.Name {
			k++
		}
		if k == len(was.Ports) {
			k = 0 // another order than before: the next look finds it
			continue
		}
		if p := &was.Ports[k]; p.PortDef != is.PortDef && p.Oper != "" && is.Oper != "" && p.Oper != is.Oper {
			s.flip(d, is.Name)
		}
	}
}
