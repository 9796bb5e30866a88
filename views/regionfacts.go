package views

import (
	"math"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/drift"
	"plumb/views/widget"
)

// regionFacts is what a wide card tells of a region beside its floor plan, kept
// for one snapshot.
type regionFacts struct {
	snap *fleet.Snapshot
	of   map[string]*regionFact
}

type regionFact struct {
	hot   *fleet.Device // the warmest inlet
	tight *fleet.Rack   // the rack that one PDU could carry with the least to spare
	load  float64       // its share of that
	ups   []string      // what measures the region's power at its entry
	upsW  float64
	rxBps float64 // into all switches
	debt  float64 // of its open findings, in weighted days
	nets  int
}

func (m *regionFacts) in(f Frame, id string) *regionFact {
	if m.snap != f.Snap {
		*m = regionFacts{snap: f.Snap, of: map[string]*regionFact{}}
		m.collect(f)
	}
	if r := m.of[id]; r != nil {
		return r
	}
	return &regionFact{}
}

func (m *regionFacts) at(id string) *regionFact {
	r := m.of[id]
	if r == nil {
		r = &regionFact{load: math.NaN()}
		m.of[id] = r
	}
	return r
}

func (m *regionFacts) collect(f Frame) {
	for id, d := range f.Snap.Devices.All() {
		r := m.at(d.Spec.Region)
		if d.InletC.Known && !d.Blind() && (r.hot == nil || d.InletC.Float() > r.hot.InletC.Float()) {
			r.hot = d
		}
		for i := range d.Docket.Of() {
			r.debt += drift.Debt([]*fleet.Finding{&d.Docket.Findings[i]}, f.At)
		}
		if d.Spec.Kind == fleet.KindUPS && d.PowerW.Known {
			r.ups, r.upsW = append(r.ups, id), r.upsW+d.PowerW.Float()
		}
		if isSwitch(d) {
			r.nets++
			for i := range d.Ports {
				if x := d.Ports[i].Rates.InBps; x.Known {
					r.rxBps += x.Float()
				}
			}
		}
	}
	for id, rack := range f.Snap.Racks.All() {
		r := m.at(rack.Spec.Region)
		if load := rackLoad(f.Snap, id); !math.IsNaN(load) && !(load <= r.load) {
			r.tight, r.load = rack, load
		}
	}
}

// factsSpan is how far back the power of a region is drawn.
const factsSpan = 6 * time.Hour

// maxUPS bounds the series that one region asks for.
const maxUPS = 4

// needs lists the series of all regions' UPSes where cards are wide enough to
// draw them.
func (m *regionFacts) needs(f Frame) []fleet.Query {
	if f.Width/cardColumns(f, f.Width) < factsRoom {
		return nil
	}
	q := []fleet.Query{derivedQuery(derivedForesight)}
	for id := range f.Snap.Regions.All() {
		r := m.in(f, id)
		for _, u := range r.ups[:min(len(r.ups), maxUPS)] {
			q = append(q, totalQuery(u, factsSpan))
		}
	}
	return q
}

// factsRoom is how wide a card must be to tell more than its floor plan.
const factsRoom = 70

// draw draws the facts of a region in a few rows.
func (m *regionFacts) draw(f Frame, on widget.Canvas, id string) {
	r, y := m.in(f, id), 0
	line := func(label, text string, st widget.Style) {
		on.Text(0, y, label, widget.Dim)
		on.Cut(f.Theme, 10, y, on.W-10, text, st)
		y++
	}
	if len(r.ups) > 0 && len(r.ups) <= maxUPS {
		text := watts(fleet.Int(int64(r.upsW)))
		on.Text(0, y, "UPS "+span(factsSpan), widget.Dim)
		on.Right(on.W, y, text, widget.Plain)
		drawSum(f, on.Sub(10, y, on.W-11-len(text), 1), r.ups)
		y++
	}
	if r.tight != nil {
		st := widget.LoadStyle(r.load, 0.85, 1)
		if st == widget.Fill {
			st = widget.Plain
		}
		line("tightest", r.tight.Spec.ID+"  "+percent(r.load)+" of one PDU"+lastsOf(f, r.tight.Spec.ID), st)
	}
	if r.hot != nil {
		line("warmest", quantity(f.Theme, r.hot.InletC, "C")+" inlet  "+r.hot.Spec.Name, tempStyle(r.hot.InletC))
	}
	if r.rxBps > 0 {
		line("traffic", scaled(r.rxBps)+"bit/s into "+fleet.Count(r.nets, "switch"), widget.Plain)
	}
}

// drawSum draws the sum of several devices' power as one spark; it stays blank
// until each of them has answered.
func drawSum(f Frame, on widget.Canvas, devices []string) {
	if f.Answers == nil {
		return
	}
	var sum []fleet.Point
	for i, id := range devices {
		a, ok := f.Answers.Get(totalQuery(id, factsSpan))
		if !ok || a.Err != nil || i > 0 && len(a.Points) == 0 {
			on.Text(0, 0, "loading", widget.Dim)
			return
		}
		if i == 0 {
			sum = append(sum, a.Points...)
			continue
		}
		sum = addPoints(sum, a.Points)
	}
	widget.Spark(on, f.Theme, 0, 0, on.W, widget.Series{Points: sum, From: f.At.Add(-factsSpan), To: f.At}, widget.Fill)
}

// addPoints adds the means of b to those of a that stand at about the same
// time; what has no partner is a gap.
func addPoints(a, b []fleet.Point) []fleet.Point {
	out, j := a[:0], 0
	const near = int64(2 * time.Minute / time.Millisecond)
	for _, p := range a {
		for j < len(b) && b[j].Ms < p.Ms-near {
			j++
		}
		if j == len(b) {
			break
		}
		if b[j].Ms > p.Ms+near || !b[j].Mean.Known || !p.Mean.Known {
			continue
		}
		p.Mean = fleet.Int(int64(p.Mean.Float() + b[j].Mean.Float()))
		out = append(out, p)
	}
	return out
}

// lastsOf says how long a rack lasts, where that is known.
func lastsOf(f Frame, rack string) string {
	ahead, _ := derived[*foresight](f, derivedForesight)
	way, _ := ahead.of(&capacity.Subject{Scope: capacity.ScopeRack, ID: rack})
	if way == nil || !way.Foreseen() {
		return ""
	}
	text, _ := lastsText(f, way, 0)
	return ", lasts " + text
}
