package performance

import (
	"fmt"
	"math"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/trend"
)

const (
	minPeers = 8  // less are no norm
	maxPeers = 64 // more say the same
)

// Peer is a device's last day, for a norm.
type Peer struct{ Heat, Power, Fans, Inlet float64 }

// PeerOf takes the middles of a device's last day; NaN where they are not known.
func PeerOf(p *fleet.Past) Peer {
	out := Peer{Power: last(p, fleet.PastPower), Fans: last(p, fleet.PastFans), Inlet: last(p, fleet.PastInlet)}
	out.Heat = last(p, fleet.PastHot) - out.Inlet
	return out
}

// last is the middle of the last day.
func last(p *fleet.Past, c fleet.PastClass) float64 {
	var room [24]float64
	v := room[:0]
	for h := p.Until() - 24; h < p.Until(); h++ {
		if x := p.At(c, h); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) < 12 {
		return math.NaN()
	}
	return middle(v)
}

// NormsOf makes the norms of devices of one make. Of many a part that is evenly
// spread will do.
func NormsOf(peers []Peer) fleet.Norms {
	if n := len(peers); n > maxPeers {
		some := make([]Peer, maxPeers)
		for i := range some {
			some[i] = peers[i*n/maxPeers]
		}
		peers = some
	}
	return fleet.Norms{
		IdleW:       idlest(peers),
		HeatByPower: norm(peers, func(p Peer) (x, y float64) { return p.Power, p.Heat }),
		FansByInlet: norm(peers, func(p Peer) (x, y float64) { return p.Inlet, p.Fans }),
	}
}

// workOver is how much more than the idlest the middle one of its like takes at
// least, where anybody can tell work from idling by watts.
const workOver = 1.3

// idlest is what the idlest of enough peers takes, in W; 0 where it is not
// known. Where all take about the same, none of them shows what work takes.
func idlest(peers []Peer) float64 {
	var watts []float64
	for _, p := range peers {
		if !math.IsNaN(p.Power) && p.Power > 0 {
			watts = append(watts, p.Power)
		}
	}
	if len(watts) < minPeers {
		return 0
	}
	least := slices.Min(watts)
	if trend.Median(watts) < workOver*least {
		return 0
	}
	return least
}

// norm draws the line of Theil and Sen through peers. One that does not go up
// is drawn level: heat does not fall with power.
func norm(peers []Peer, of func(Peer) (x, y float64)) (n fleet.Norm) {
	var xs, ys, slopes []float64
	for _, p := range peers {
		if x, y := of(p); !math.IsNaN(x) && !math.IsNaN(y) {
			xs, ys = append(xs, x), append(ys, y)
		}
	}
	if n.Peers = len(xs); n.Peers < minPeers {
		return n
	}
	for i := range xs {
		for k := range i {
			if dx := xs[i] - xs[k]; dx != 0 {
				slopes = append(slopes, (ys[i]-ys[k])/dx)
			}
		}
	}
	if len(slopes) > 0 {
		n.Slope = max(0, middle(slopes))
	}
	n.X = trend.Median(xs)
	off := make([]float64, len(xs))
	for i := range xs {
		off[i] = ys[i] - n.Slope*(xs[i]-n.X)
	}
	n.Y, n.Spread = trend.MAD(off)
	return n
}

// alike holds a device's last day against its like at the same load: a heat
// sink full of dust is hotter at the same watts, and fans that run harder in the
// same air are clogged.
func (c Case) alike() []fleet.Look {
	p := PeerOf(c.Past)
	return []fleet.Look{
		unlike(fleet.PastHot, "heat by power", c.Norms.HeatByPower, p.Power, p.Heat, drifts[fleet.PastHot],
			func(v float64) string { return fmt.Sprintf("%.1f C above the inlet", v) }, fmt.Sprintf("at %.0f W", p.Power)),
		unlike(fleet.PastFans, "fans by inlet", c.Norms.FansByInlet, p.Inlet, p.Fans, drifts[fleet.PastFans],
			func(v float64) string { return fmt.Sprintf("%.0f rpm", v) }, fmt.Sprintf("at an inlet of %.1f C", p.Inlet)),
	}
}

func unlike(class fleet.PastClass, facet string, n fleet.Norm, x, y float64, d habit, say func(float64) string, load string) fleet.Look {
	look := fleet.Look{Facet: "performance " + facet}
	if n.Peers < minPeers || math.IsNaN(x) || math.IsNaN(y) {
		return look
	}
	look.Known = true
	want := n.Y + n.Slope*(x-n.X)
	if math.Abs(y-want) <= max(d.floor(want), spreads*n.Spread) {
		return look
	}
	f := finding(class, fleet.BaseCohort, say(want), say(y))
	f.Confidence = fleet.ConfidenceMedium
	f.Text = fmt.Sprintf("%s %s %s, its like have %s", d.name, say(y), load, say(want))
	look.Found = f
	return look
}

// NormEvery is how often a cohort's norm is made anew.
const NormEvery = time.Hour
