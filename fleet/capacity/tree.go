package capacity

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Continuous is the share of a breaker that may be loaded all the time
// (NEC 210.20, 215.3; IEC practice is the same).
const Continuous = 0.8

// node is a PDU, a UPS or a feed in the tree of power.
type node struct {
	id     string
	feed   bool
	pdu    bool
	device int // dense number of a PDU or UPS
	up     int // the node above, -1: none
	depth  int
	site   string
	limitW float64 // continuous; NaN: not known
	watts  float64 // measured; NaN: not known
	dark   bool    // gives nothing now
	// phaseW are the watts by phase where the UPS above measures them, and
	// phases how many there are; 0: not known.
	phaseW [3]float64
	phases int

	below []int   // loads with a cord below it
	stray float64 // measured at the PDU, and on no cord that is known
}

// load is a consumer: a device with its cords.
type load struct {
	device int // dense number, -1: an added one
	name   string
	cords  []cord
}

type cord struct {
	pdu   int
	watts float64
}

func (l *load) watts() float64 {
	sum := 0.0
	for _, c := range l.cords {
		sum += c.watts
	}
	return sum
}

// tree is how power flows, with what flows now.
type tree struct {
	nodes []node
	loads []load
	index map[string]int
	pduOf map[int]int // node by dense device number
}

// growTree reads the tree off a snapshot.
func growTree(s *fleet.Snapshot) *tree {
	t := &tree{index: map[string]int{}, pduOf: map[int]int{}}
	for id, f := range s.Feeds.All() {
		t.index[id] = len(t.nodes)
		t.nodes = append(t.nodes, node{id: id, feed: true, up: -1, site: f.Spec.Site, limitW: FeedLimitW(f.Spec), watts: f.PowerW.Float(), dark: f.State == fleet.StateCrit, phases: f.Spec.Phases})
	}
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		if k := d.Spec.Kind; k != fleet.KindPDU && k != fleet.KindUPS {
			continue
		}
		t.index[d.Spec.ID], t.pduOf[i] = len(t.nodes), len(t.nodes)
		n := node{id: d.Spec.ID, device: i, pdu: d.Spec.Kind == fleet.KindPDU, up: -1, site: d.Spec.Site, watts: d.PowerW.Float(), limitW: math.NaN(), dark: gone(d)}
		if n.pdu {
			n.limitW = PDULimitW(s, d)
		}
		if n.dark {
			n.watts = 0
		}
		t.nodes = append(t.nodes, n)
	}
	t.join(s)
	t.plug(s)
	t.fill()
	return t
}

// gone reports whether a PDU is known to give nothing. Silence alone proves
// nothing.
func gone(d *fleet.Device) bool {
	return d.Blind() && d.State == fleet.StateCrit && slices.Contains(d.About, "power")
}

// FeedLimitW is what a feed may carry all the time; NaN where its breaker or
// voltage is not known. Volts of three phases are between phases.
func FeedLimitW(f *fleet.FeedSpec) float64 {
	if !f.BreakerA.Known || f.Volts == 0 {
		return math.NaN()
	}
	w := f.BreakerA.Float() * float64(f.Volts) * Continuous
	if f.Phases == 3 {
		w *= math.Sqrt(3)
	}
	return w
}

// PDULimitW is what a PDU may carry all the time; NaN where its rating or
// voltage is not known. One that shows a single phase below a feed of three
// hangs between one of them and neutral.
func PDULimitW(s *fleet.Snapshot, d *fleet.Device) float64 {
	f := s.Feeds.Get(d.Spec.Feed)
	if !d.Spec.RatingA.Known || f == nil || f.Spec.Volts == 0 {
		return math.NaN()
	}
	w := d.Spec.RatingA.Float() * float64(f.Spec.Volts) * Continuous
	if f.Spec.Phases != 3 {
		return w
	}
	if phasesOf(d) == 1 {
		return w / math.Sqrt(3)
	}
	return w * math.Sqrt(3)
}

// phasesOf counts the phases that a PDU measures; 0 where it says nothing.
func phasesOf(d *fleet.Device) int {
	n := 0
	for i := range d.Sensors {
		if x := &d.Sensors[i]; x.Class == fleet.ClassCurrent && strings.Contains(x.Key, ":phase ") {
			n++
		}
	}
	return n
}

// join sets what is above what. A loop in the parents is cut where it closes.
func (t *tree) join(s *fleet.Snapshot) {
	for i := range t.nodes {
		n := &t.nodes[i]
		above := ""
		if n.feed {
			above = s.Feeds.Get(n.id).Spec.Parent
		} else {
			above = s.Devices.Get(n.id).Spec.Feed
		}
		if up, ok := t.index[above]; ok && above != "" && !t.under(up, i) {
			n.up = up
		}
	}
	for i := range t.nodes {
		for up := t.nodes[i].up; up >= 0; up = t.nodes[up].up {
			t.nodes[i].depth++
			t.nodes[i].dark = t.nodes[i].dark || t.nodes[up].dark
		}
	}
	for i := range t.nodes { // a UPS measures the phases of the one feed below it
		up := t.nodes[i].up
		if !t.nodes[i].feed || t.nodes[i].phases != 3 || up < 0 || t.nodes[up].feed || t.children(up) != 1 {
			continue
		}
		t.nodes[i].phaseW = Outputs(s.Devices.Get(t.nodes[up].id))
	}
}

// under reports whether node i is x or lies below it.
func (t *tree) under(i, x int) bool {
	for ; i >= 0; i = t.nodes[i].up {
		if i == x {
			return true
		}
	}
	return false
}

func (t *tree) children(x int) int {
	n := 0
	for i := range t.nodes {
		if t.nodes[i].up == x {
			n++
		}
	}
	return n
}

// Outputs are the watts of a UPS's output by phase, all zero where it does not
// say all three (UPS-MIB, RFC 1628, upsOutputPower).
func Outputs(d *fleet.Device) (w [3]float64) {
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if x.Class != fleet.ClassPower || !x.Value.Known || !strings.HasSuffix(x.Name, "output power") {
			continue
		}
		for p, name := range [...]string{"phase 1 ", "phase 2 ", "phase 3 "} {
			if strings.HasPrefix(x.Name, name) {
				w[p] = x.Value.Float()
			}
		}
	}
	if w[0] <= 0 || w[1] <= 0 || w[2] <= 0 {
		return [3]float64{}
	}
	return w
}

// plug hangs the devices on their outlets. A cord carries what its outlet
// measures; where outlets are not metered, the cords that are live share the
// device's watts.
func (t *tree) plug(s *fleet.Snapshot) {
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		if len(d.Spec.Power) == 0 {
			continue
		}
		l := load{device: i, name: d.Spec.ID, cords: make([]cord, 0, len(d.Spec.Power))}
		blindly, live, metered := 0, 0, 0.0
		for _, c := range d.Spec.Power {
			name, row, _ := strings.Cut(c.Outlet, "/")
			p, ok := t.index[name]
			if !ok || !t.nodes[p].pdu {
				continue
			}
			w := math.NaN()
			if t.nodes[p].dark {
				w = 0
			} else if live++; true {
				w = outletW(s.Devices.At(t.nodes[p].device), row)
			}
			if math.IsNaN(w) {
				blindly++
			} else {
				metered += w
			}
			l.cords = append(l.cords, cord{p, w})
		}
		rest := 0.0
		if blindly > 0 && d.PowerW.Known {
			rest = max(0, d.PowerW.Float()-metered) / float64(blindly)
		}
		for k := range l.cords {
			if math.IsNaN(l.cords[k].watts) {
				l.cords[k].watts = rest
			}
		}
		if len(l.cords) > 0 {
			t.loads = append(t.loads, l)
		}
	}
}

func outletW(pdu *fleet.Device, row string) float64 {
	if n, err := strconv.Atoi(row); err == nil && n > 0 && n <= len(pdu.Outlets) && pdu.Outlets[n-1].Index == n {
		return pdu.Outlets[n-1].PowerW.Float() // they mostly count from one
	}
	for i := range pdu.Outlets {
		if o := &pdu.Outlets[i]; matches(o.Index, row) {
			return o.PowerW.Float()
		}
	}
	return math.NaN()
}

// matches compares an outlet's number with its text without making one.
func matches(n int, text string) bool {
	for i := len(text) - 1; i >= 0; i-- {
		if int(text[i]-'0') != n%10 {
			return false
		}
		n /= 10
	}
	return n == 0 && text != ""
}

// fill sums up what nothing measures, from the bottom to the top, and notes
// which loads lie below what.
func (t *tree) fill() {
	sums := make([]float64, len(t.nodes))
	for k := range t.loads {
		for c := range t.loads[k].cords {
			p := t.loads[k].cords[c].pdu
			sums[p] += t.loads[k].cords[c].watts
			for ; p >= 0; p = t.nodes[p].up {
				if b := t.nodes[p].below; len(b) == 0 || b[len(b)-1] != k {
					t.nodes[p].below = append(b, k)
				}
			}
		}
	}
	order := make([]int, len(t.nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return t.nodes[b].depth - t.nodes[a].depth })
	for _, i := range order {
		n := &t.nodes[i]
		switch {
		case n.dark:
			n.watts = 0
		case math.IsNaN(n.watts):
			n.watts = sums[i]
		case n.pdu:
			n.stray = max(0, n.watts-sums[i])
		}
		if n.up >= 0 {
			sums[n.up] += n.watts
		}
	}
}
