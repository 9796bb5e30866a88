package world

import (
	"math"
	"time"
)

// run is an immutable picture of what is alive and how fast it goes, from the
// moment it was made until the next. Together with the layout and a time it
// answers every question.
type run struct {
	at   float64 // seconds of the world
	seq  uint64  // one more than the run before
	wake float64 // when it must be made again, or +Inf

	feeds     []bool // carries power
	pdus      []pduRun
	sites     []bool // reachable from outside
	servers   []serverRun
	switches  []switchRun
	links     []linkRun
	swapped   [][2]int // links whose lower ends were exchanged
	hyps      []hypRun
	instances []instanceRun
	opened    map[int]float64 // regions whose management group lets the world in, since when
	rulesOff  map[string]time.Time
	sick      map[int]bool // services whose workload fails by itself
	moved     map[int]int  // instances that are not where they were created
}

type pduRun struct {
	live bool
	boot float64 // when it was last started, or 0: as built
	off  uint32  // bit n-1: outlet n was switched off
	wait uint32  // bit n-1: it comes back by itself
}

type serverRun struct {
	input   [2]bool // the PSU's cord carries power
	psuOK   [2]bool
	on      bool // the host runs
	hung    bool // the host runs, its kernel does not
	lies    bool // the BMC says what is not
	silent  bool // the BMC answers nobody
	badUser bool // somebody left the vendor's account in
	cipher0 bool // somebody opened cipher suite 0
	shut    Shut // what was closed at the BMC
	oldFW   bool
	selFull bool
	ecc     int     // memory errors since a module began to wear out
	ident   float64 // the LED blinks until then
	plugged float64 // when its supplies last got power after having had none
	wentOn  float64 // when the host was last switched on
	bmcUp   bool    // the BMC runs, whether or not it can be reached
	bmcBoot float64 // when it last started, or 0: before the demo
	fan     int8    // the fan that is failing, or -1
	heat    float64 // kelvin over the rack's usual air
	load    float64 // share of full load, mean
	rate    float64 // traffic in octets per second, mean

	lag thermal // what is left of the last change
}

// thermal is how far temperatures and fans were from where they are going when
// something changed; it decays with the time constants of the parts.
type thermal struct{ since, inlet, cpu, exhaust, fan float64 }

// alive reports whether any PSU works: without one even the BMC is dark.
func (s *serverRun) alive() bool {
	return s.input[0] && s.psuOK[0] || s.input[1] && s.psuOK[1]
}

type switchRun struct {
	live     bool
	input    [2]bool
	silent   bool // cut off, though alive
	boot     float64
	restarts int     // at this boot
	disc     float64 // ifCounterDiscontinuityTime, 0: at boot
	base     [][3]float64
	shuffled bool
	oldFW    bool
	vlan     map[int]int    // ports whose VLAN is not as built
	alias    map[int]string // ports whose alias is not as built
}

type linkRun struct {
	ends    [2]End // as plugged in now
	up      bool
	down    [2]bool // shut by its switch
	changed float64
	ledger  ledger
}

type hypRun struct {
	up     bool
	status string
	reason string
	downAt float64 // since when it is down
}

type instanceRun struct {
	host   int
	status string
	resize resize // as it was made by hand; no flavor: as it was
}

// resize is a flavor that somebody gave an instance by hand, and when.
type resize struct {
	flavor Flavor
	since  float64
}

// octets returns what the link has carried away from each end at t.
func (r *run) octets(l *Layout, link int, t float64) (from [2]float64) {
	lk := &r.links[link].ledger
	d := &l.Links[link].Demand
	dt := d.integral(t) - d.integral(lk.Since)
	for i := range from {
		from[i] = math.Max(0, lk.Acc[i]+lk.Rate[i]*dt)
	}
	return from
}

func (r *run) errors(link int, t float64) float64 {
	lk := &r.links[link].ledger
	return lk.ErrAcc + lk.ErrBps*math.Max(0, t-lk.Since)
}

// Time constants in seconds.
const (
	tauFan     = 12
	tauCPU     = 60
	tauExhaust = 150
	tauInlet   = 240
)

// temps is where a server's air and chips are.
type temps struct{ inlet, cpu, exhaust, fan float64 } // fan: share of full speed

// target returns where temperatures go if nothing changes any more.
func (r *run) target(l *Layout, n int, t float64) temps {
	sv, s := &l.Servers[n], &r.servers[n]
	rack := &l.Racks[sv.Rack]
	var x temps
	x.inlet = rack.InletC + s.heat + sv.Unit*0.05 + 0.6*ripple(t, daySeconds, sv.Demand[0]) + 0.15*ripple(t, 713, sv.Phase)
	if !s.on {
		x.cpu, x.exhaust = x.inlet+1.5, x.inlet+1
		return x
	}
	m := sv.Hardware
	rise := m.ThermalKPerW * (m.MaxW - m.IdleW) * s.load * sv.Demand.lagged(t, tauCPU)
	warm := math.Max(0, x.inlet-27)
	x.cpu = x.inlet + m.ThermalOffset + sv.CPUTrim + rise
	x.exhaust = x.inlet + 0.045*(m.IdleW+(m.MaxW-m.IdleW)*s.load*sv.Demand.lagged(t, tauExhaust)) + 3
	x.fan = 0.30 + 0.006*math.Max(0, x.cpu-40) + 0.015*warm
	if s.fan >= 0 {
		x.cpu += 7
		x.exhaust += 4
		x.fan += 0.15
	}
	x.fan = math.Min(1, x.fan)
	return x
}

// temps returns where they are: the target, and what is left of the last change.
func (r *run) temps(l *Layout, n int, t float64) temps {
	x, g := r.target(l, n, t), &r.servers[n].lag
	if dt := t - g.since; dt < 30*60 {
		x.inlet += g.inlet * math.Exp(-dt/tauInlet)
		x.cpu += g.cpu * math.Exp(-dt/tauCPU)
		x.exhaust += g.exhaust * math.Exp(-dt/tauExhaust)
		x.fan += g.fan * math.Exp(-dt/tauFan)
	}
	return x
}

const standbyW = 9 // what a server that is off draws for its BMC

// watts returns what a server draws from each cord.
func (r *run) watts(l *Layout, n int, t float64) (w [2]float64) {
	sv, s := &l.Servers[n], &r.servers[n]
	total := 0.0
	if s.alive() {
		total = standbyW
	}
	if s.on {
		m := sv.Hardware
		total = (m.IdleW + (m.MaxW-m.IdleW)*s.load*sv.Demand.at(t)) * sv.WattFactor
		if s.fan >= 0 {
			total += 6
		}
	}
	a, b := s.input[0] && s.psuOK[0], s.input[1] && s.psuOK[1]
	switch {
	case a && b: // shared, never quite evenly
		share := 0.5 + 0.02*math.Sin(sv.Phase)
		w[0], w[1] = total*share, total*(1-share)
	case a:
		w[0] = total
	case b:
		w[1] = total
	}
	return w
}

// switchWatts returns what a switch draws from each cord.
func (r *run) switchWatts(l *Layout, n int) (w [2]float64) {
	sw, s := &l.Switches[n], &r.switches[n]
	if !s.live {
		return w
	}
	total := torBaseW
	if sw.Spine {
		total = spineBaseW
	}
	for i := range sw.Ports {
		if k := sw.Ports[i].Link; k >= 0 && r.links[k].up {
			total += portW
		}
	}
	switch {
	case s.input[0] && s.input[1]:
		w[0], w[1] = total/2, total/2
	case s.input[0]:
		w[0] = total
	case s.input[1]:
		w[1] = total
	}
	return w
}

// outletWatts returns what hangs on each outlet of a PDU draws.
func (r *run) outletWatts(l *Layout, pdu int, t float64) (w [outletsPerPDU]float64) {
	if !r.pdus[pdu].live {
		return w
	}
	for i, load := range l.PDUs[pdu].Loads {
		switch load.Kind {
		case KindServer:
			w[i] = r.watts(l, load.N, t)[load.PSU]
		case KindSwitch:
			w[i] = r.switchWatts(l, load.N)[load.PSU]
		}
	}
	return w
}
