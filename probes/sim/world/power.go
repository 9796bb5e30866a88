package world

import (
	"math"
	"time"
)

// PhaseVolts is the voltage of one phase; a feed has PhaseVolts*sqrt(3)
// between phases.
const PhaseVolts = 230.0

// PowerFactor of everything that hangs on a PDU.
const PowerFactor = 0.97

// PDUState is what a PDU's agent knows at a moment.
type PDUState struct {
	At        time.Time
	Reachable bool
	Version   uint64
	Boot      time.Time
	Watts     float64
	Amps      float64
	Outlets   [outletsPerPDU]OutletState
}

// OutletState is one outlet.
type OutletState struct {
	Name  string
	On    bool
	Waits bool // it is off, and comes back by itself
	Watts float64
	Amps  float64
}

func amps(watts float64) float64 { return watts / (PhaseVolts * PowerFactor) }

// PDU returns what a PDU says. One without input says nothing.
func (w *World) PDU(n int, now time.Time) PDUState {
	r, t := w.run(now)
	p := &w.PDUs[n]
	st := PDUState{At: now, Reachable: r.pdus[n].live && r.sites[p.Site], Version: r.seq, Boot: p.Boot}
	if at := r.pdus[n].boot; at > 0 {
		st.Boot = w.time(at)
	}
	for i, watts := range r.outletWatts(w.Layout, n, t) {
		o := &st.Outlets[i]
		o.On, o.Waits, o.Watts, o.Amps = r.pdus[n].off&(1<<i) == 0, r.pdus[n].wait&(1<<i) != 0, watts, amps(watts)
		o.Name = "Outlet"
		switch load := p.Loads[i]; load.Kind {
		case KindServer, KindSwitch:
			o.Name = w.Name(Ref{load.Kind, load.N})
		}
		st.Watts += watts
	}
	st.Amps = amps(st.Watts)
	return st
}

// UPSState is what a UPS's agent knows at a moment.
type UPSState struct {
	At            time.Time
	Reachable     bool
	Version       uint64
	Boot          time.Time
	PhaseWatts    [3]float64 // on its output
	RatedW        float64
	ChargePercent float64
	Runtime       time.Duration
	BatteryC      float64
	BatteryVolts  float64
}

// UPS returns what a UPS says: the sum of the PDUs below its feed.
func (w *World) UPS(n int, now time.Time) UPSState {
	r, t := w.run(now)
	u := &w.UPSes[n]
	st := UPSState{At: now, Reachable: r.sites[u.Site], Version: r.seq, Boot: u.Boot, RatedW: u.RatingW, ChargePercent: 100}
	total := 0.0
	for i := range w.PDUs {
		if w.PDUs[i].Feed != u.Feed {
			continue
		}
		for _, watts := range r.outletWatts(w.Layout, i, t) {
			st.PhaseWatts[w.PDUs[i].Phase] += watts
			total += watts
		}
	}
	st.Runtime = time.Duration(math.Min(4*3600, 1800*20000/math.Max(total, 2500))) * time.Second
	st.BatteryC = 24 + 0.5*ripple(t, daySeconds, float64(n))
	st.BatteryVolts = 432 + ripple(t, 907, float64(n))
	return st
}

// FeedWatts returns what flows through a feed.
func (w *World) FeedWatts(feed int, now time.Time) float64 {
	s := w.UPS(feed, now) // every feed has a UPS of its own above it
	return s.PhaseWatts[0] + s.PhaseWatts[1] + s.PhaseWatts[2]
}
