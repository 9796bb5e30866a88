package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// One trouble may be seen from several ends: both ports of a cable go down, two
// cables that changed places are each wrong, a cable that moved leaves a dead
// port behind, a BMC is on a VLAN that its port was set to. Each alert on such a
// thing remembers the places it speaks of, ports, outlets and the ends of cables,
// and of those that share one the first that says most is told and holds the
// others. It never holds what is worse than it.

// placesOf are the places that an alert on a port, or on what was found of a
// cable, a cord or a port's VLAN, speaks of.
func (p *program) placesOf(x *scene, target, part string) []string {
	switch {
	case p.On == "port":
		return placesAt(x.s, target, part)
	case p.On != "finding" || x.finding == nil:
		return nil
	}
	f := x.finding
	what, rest, _ := strings.Cut(f.Facet, " ")
	name, about, _ := strings.Cut(rest, " ")
	switch {
	case f.Facet == "net.bmc-vlan":
		return []string{target + " bmc"}
	case what == "port" && (about == "vlan" || about == "tagged" || about == "admin"):
		return placesAt(x.s, target, name)
	case f.Kind != fleet.FindCabling:
		return nil
	}
	out := []string{target + "/" + name}
	for _, end := range append([]string{f.Observed}, expected(f)...) {
		if end != "" {
			out = append(out, end)
		}
	}
	return out
}

func expected(f *fleet.Finding) (out []string) {
	for i := range f.Baselines {
		out = append(out, f.Baselines[i].Expected)
	}
	return out
}

// placesAt are a port, what is meant to hang on it, and the machine that has it:
// one that dies takes the light of all its ports at once.
func placesAt(s *fleet.Snapshot, target, port string) []string {
	out := []string{target + "/" + port}
	if s.Topology == nil {
		return out
	}
	if a, ok := s.Cabled[out[0]]; ok {
		id := s.Devices.ID(a.Device)
		out = append(out, id+" "+a.Part, id+"/"+a.Part)
		if s.Devices.At(a.Device).Spec.Kind == fleet.KindServer && a.Part != "bmc" {
			out = append(out, machine+id)
		}
	}
	return out
}

// machine begins the place that is a whole machine. Ports that lose it at
// different times are different troubles: the second one takes its last way.
const machine = "*"

// rank is how much an alert with places says: what was done to a cable, then
// what was done to a port, then what it did to a BMC, then that a port is dead.
func (b *Book) rank(a *fleet.Alert) int {
	switch p := b.byName[a.Rule]; {
	case p != nil && p.On == "port":
		return rankPort
	case a.Part == "net.bmc-vlan":
		return rankBMC
	case strings.HasPrefix(a.Part, "port ") && (strings.HasSuffix(a.Part, " vlan") || strings.HasSuffix(a.Part, " tagged") || strings.HasSuffix(a.Part, " admin")):
		return rankVLAN
	}
	return rankCable
}

const (
	rankCable = iota
	rankVLAN
	rankBMC
	rankPort
)

// sameSoon is how long what says more may come after what says less and be told
// instead: later than that the other one has been told already.
const sameSoon = 3 * time.Minute

// tells orders alerts that share a place: which of them is told.
func (b *Book) tells(x, y *fleet.Alert) int {
	if apart := x.Since.Sub(y.Since); apart.Abs() > sameSoon {
		return cmp.Compare(apart, 0)
	}
	return cmp.Or(cmp.Compare(b.rank(x), b.rank(y)), x.Since.Compare(y.Since), order(x, y))
}

// leaders are, for each place, the alert on it that is told.
func (w *work) leaders() map[string]*fleet.Alert {
	var out map[string]*fleet.Alert
	for _, a := range w.standing(true) {
		if !a.Active() || !a.Hard {
			continue
		}
		for _, name := range a.Places {
			if out == nil {
				out = map[string]*fleet.Alert{}
			}
			if was := out[name]; was == nil || w.rules.tells(a, was) < 0 {
				out[name] = a
			}
		}
	}
	return out
}

// sameAs names the alert that speaks of the same thing as another one and is
// told instead, or "".
func (w *work) sameAs(a *fleet.Alert, leaders map[string]*fleet.Alert) string {
	for _, name := range a.Places {
		b := leaders[name]
		if b == nil || order(a, b) == 0 || w.rules.tells(b, a) > 0 || b.Severity < a.Severity {
			continue
		}
		rank, of := w.rules.rank(a), w.rules.rank(b)
		switch {
		case strings.HasPrefix(name, machine) && (b.Rule != a.Rule || rank != rankPort || a.Since.Sub(b.Since).Abs() > sameSoon || !w.deadPort(a)):
			continue
		case b.Rule == a.Rule:
		case of == rankVLAN && rank == rankBMC, of == rankBMC && rank == rankVLAN:
		case of == rankCable && rank == rankPort && w.deadPort(a), of == rankPort && rank == rankCable && w.deadPort(b):
		default:
			continue
		}
		return b.ID()
	}
	return ""
}

// deadPort reports whether the port of an alert is not up: a cable that went
// elsewhere explains that, and no errors on it.
func (w *work) deadPort(a *fleet.Alert) bool {
	d := w.Next.Devices.Get(a.Target)
	if d == nil {
		return false
	}
	i := slices.IndexFunc(d.Ports, func(p fleet.Port) bool { return p.PortDef != nil && p.Name == a.Part })
	return i >= 0 && d.Ports[i].Oper != "up"
}
