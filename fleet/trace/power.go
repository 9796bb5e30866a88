package trace

import (
	"math"

	"plumb/fleet"
)

// Moved is a feed that a failure makes carry another load. A breaker carries
// 80 % of what it is rated for without end (NEC 210.20).
type Moved struct {
	Feed    string    `json:"feed"`
	BeforeW fleet.Num `json:"before_w"` // measured now, at the outlets or at the machines
	AfterW  fleet.Num `json:"after_w"`
	LimitW  fleet.Num `json:"limit_w"` // null where the breaker is not known
	Over    bool      `json:"over"`
}

// Shift is a PDU on which a failure puts another load. What it may carry is not
// known here.
type Shift struct {
	PDU     string    `json:"pdu"`
	BeforeW fleet.Num `json:"before_w"` // measured now
	AfterW  fleet.Num `json:"after_w"`
}

// continuous is the share of a breaker's rating that may flow all the time.
const continuous = 0.8

// Limit is what a feed may carry all the time, in watts; null where its
// breaker or voltage is not known. Three phases are volts * amps * 1.732.
func Limit(f *fleet.FeedSpec) fleet.Num {
	if !f.BreakerA.Known || f.Volts == 0 {
		return fleet.Num{}
	}
	w := f.BreakerA.Float() * float64(f.Volts) * continuous
	if f.Phases == 3 {
		w *= math.Sqrt(3)
	}
	return fleet.FromFloat(w, 0)
}

// moved sums up for every feed what flows now and what would flow: a machine
// that runs on shares its watts among the cords it has left, one that is lost
// takes none. Only machines that the failure touched move anything.
func (b *blast) moved() ([]Moved, []Shift) {
	delta, pdus := make(map[int]float64), make(map[int]float64)
	for _, n := range sorted(b.touched) {
		d := &b.g.devices[n]
		if len(d.cords) == 0 || !b.before.powered(n) {
			continue
		}
		b.share(b.before, n, -1, delta, pdus)
		if !b.lost[n] || b.after.powered(n) && !b.after.gone[n] { // cut off from the network it draws on
			b.share(b.after, n, 1, delta, pdus)
		}
	}
	out := []Moved{}
	for n := range b.g.feeds {
		f := b.s.Feeds.At(n)
		if math.Abs(delta[n]) < 0.5 || !b.before.fed(n) {
			continue
		}
		m := Moved{Feed: f.Spec.Name, BeforeW: f.PowerW, LimitW: Limit(f.Spec)}
		if m.BeforeW.Known && b.after.fed(n) {
			m.AfterW = fleet.FromFloat(m.BeforeW.Float()+delta[n], 0)
			m.Over = m.LimitW.Known && m.AfterW.Cmp(m.LimitW) > 0
		} else if !b.after.fed(n) {
			m.AfterW = fleet.Int(0)
		}
		out = append(out, m)
	}
	return out, b.shifts(pdus)
}

// shifts lists the PDUs that go on with another load.
func (b *blast) shifts(delta map[int]float64) []Shift {
	out := []Shift{}
	for n := range b.g.devices {
		if w, ok := delta[n]; !ok || math.Abs(w) < 0.5 || !b.after.powered(n) {
			continue
		}
		x := Shift{PDU: b.s.Devices.ID(n), BeforeW: b.s.Devices.At(n).PowerW}
		if x.BeforeW.Known {
			x.AfterW = fleet.FromFloat(x.BeforeW.Float()+delta[n], 0)
		}
		out = append(out, x)
	}
	return out
}

// share adds a machine's watts to the PDUs of its live cords, and to the feeds
// above them, each up to the root of its tree.
func (b *blast) share(w *world, n int, sign float64, delta, pdus map[int]float64) {
	watts := b.draw(n)
	if live := w.cords(n); live > 0 && watts > 0 {
		for k, c := range b.g.devices[n].cords {
			if c.pdu >= 0 && w.cord(n, k) {
				pdus[c.pdu] += sign * watts / float64(live)
				b.climb(b.g.devices[c.pdu].feed, sign*watts/float64(live), delta)
			}
		}
	}
}

func (b *blast) climb(feed int, watts float64, delta map[int]float64) {
	for hops := 0; feed >= 0 && hops < len(b.g.feeds); hops++ {
		delta[feed] += watts
		f := &b.g.feeds[feed]
		if feed = f.feed; feed < 0 && f.ups >= 0 {
			feed = b.g.devices[f.ups].feed
		}
	}
}

// draw is what a machine takes: what its outlets measure, else what it says.
func (b *blast) draw(n int) (watts float64) {
	for _, c := range b.g.devices[n].cords {
		if c.pdu < 0 {
			continue
		}
		if o := outletOf(b.s.Devices.At(c.pdu), c.outlet); o != nil && o.PowerW.Known && fresh(b.s.Devices.At(c.pdu)) {
			watts += o.PowerW.Float()
		}
	}
	if d := b.s.Devices.At(n); watts == 0 && d.PowerW.Known {
		return d.PowerW.Float()
	}
	return watts
}
