package world

import (
	"fmt"
	"math"
)

// bootSeconds is how long a host needs until its network is up.
const bootSeconds = 20

// flapSeconds is how long a flapping link stays in either state.
const flapSeconds = 8

// make builds the run that follows prev at t under the state and the effects
// of the active faults. prev is nil for the first.
func (w *World) make(prev *run, t float64, fx *effects) *run {
	l := w.Layout
	r := &run{at: t, wake: math.Inf(1)}
	if prev != nil {
		r.seq = prev.seq + 1
	}
	r.feeds = make([]bool, len(l.Feeds))
	for i := range r.feeds {
		r.feeds[i] = !fx.feed[i]
	}
	r.sites = make([]bool, len(l.Sites))
	for i := range r.sites {
		r.sites[i] = !fx.path[i]
	}
	w.makePDUs(prev, r, fx)
	w.makeServers(prev, r, fx)
	w.makeSwitches(prev, r, fx)
	w.makeLinks(prev, r, fx)
	w.makeReach(r)
	w.makeCloud(prev, r, fx)
	w.makeRates(r)
	w.carry(prev, r, fx)
	return r
}

func (r *run) wakeAt(t float64) {
	if t > r.at && t < r.wake {
		r.wake = t
	}
}

func (w *World) makePDUs(prev, r *run, fx *effects) {
	r.pdus = make([]pduRun, len(w.PDUs))
	for i := range w.PDUs {
		p := &w.PDUs[i]
		r.pdus[i].live = r.feeds[p.Feed] && !fx.pdu[i]
		if prev != nil && r.pdus[i].live && !prev.pdus[i].live {
			w.state.Boots[p.Name] = w.time(r.at)
		}
		if at, ok := w.state.Boots[p.Name]; ok {
			r.pdus[i].boot = w.seconds(at)
		}
	}
	for key := range w.state.Outlets {
		if n, outlet, ok := w.outlet(key); ok {
			r.pdus[n].off |= 1 << (outlet - 1)
		}
	}
	for key, until := range w.state.Reboots {
		n, outlet, ok := w.outlet(key)
		if t := w.seconds(until); !ok || t <= r.at {
			delete(w.state.Reboots, key)
		} else {
			r.pdus[n].off |= 1 << (outlet - 1)
			r.pdus[n].wait |= 1 << (outlet - 1)
			r.wakeAt(t)
		}
	}
}

// carries reports whether a cord's outlet gives power.
func (r *run) carries(c Cord) bool {
	return c.PDU >= 0 && r.pdus[c.PDU].live && r.pdus[c.PDU].off&(1<<(c.Outlet-1)) == 0
}

func (w *World) makeServers(prev, r *run, fx *effects) {
	r.servers = make([]serverRun, len(w.Servers))
	for i := range w.Servers {
		sv, s := &w.Servers[i], &r.servers[i]
		for psu, c := range sv.Cords {
			s.input[psu] = r.carries(c)
			s.psuOK[psu] = !fx.psu[[2]int{i, psu}]
		}
		s.on = s.alive() && !w.state.Off[sv.Name] && !fx.lies[i]
		s.lies = fx.lies[i]
		s.oldFW = fx.firmware[Ref{KindServer, i}]
		w.makeDoors(s, sv.Name, i, fx)
		r.wear(s, i, fx)
		s.fan = -1
		if f, ok := fx.fan[i]; ok {
			s.fan = int8(f)
		}
		s.heat = fx.heat[sv.Rack]
		s.plugged = math.Inf(-1)
		if prev != nil {
			if s.plugged = prev.servers[i].plugged; s.alive() && !prev.servers[i].alive() {
				s.plugged = r.at
			}
		}
		hangs, hung := fx.silent[i]
		s.bmcUp = s.alive() && !(hung && s.plugged < hangs) && !w.starts(r, sv.Name)
		if prev != nil {
			if s.bmcBoot = prev.servers[i].bmcBoot; s.bmcUp && !prev.servers[i].bmcUp {
				s.bmcBoot = r.at
			}
		}
		if s.on {
			s.wentOn = math.Inf(-1)
			if prev != nil {
				s.wentOn = prev.servers[i].wentOn
				if !prev.servers[i].on {
					s.wentOn = r.at
					w.started(sv.Name)
				}
			}
			r.wakeAt(s.wentOn + bootSeconds)
			dead, is := fx.dead[i]
			s.hung = is && s.wentOn < dead // who starts anew hangs no more
			s.load = sv.Load
			if s.hung {
				s.load = 0.03
			}
		}
		if until, ok := w.state.Identify[sv.Name]; ok {
			s.ident = w.seconds(until)
		}
	}
}

// booted reports whether the host's network runs.
func (r *run) booted(n int) bool {
	s := &r.servers[n]
	return s.on && r.at >= s.wentOn+bootSeconds
}

func (w *World) makeSwitches(prev, r *run, fx *effects) {
	r.switches = make([]switchRun, len(w.Switches))
	w.makePorts(r, fx)
	for i := range w.Switches {
		sw, s := &w.Switches[i], &r.switches[i]
		for side, c := range sw.Cords {
			s.input[side] = r.carries(c)
		}
		s.live = (s.input[0] || s.input[1]) && !fx.sw[i]
		s.boot = w.seconds(sw.Boot)
		s.shuffled, s.oldFW = fx.shuffle[i], fx.firmware[Ref{KindSwitch, i}]
		switch {
		case prev == nil:
			s.restart(w, sw.Name)
		case s.live && !prev.switches[i].live, s.live && s.shuffled != prev.switches[i].shuffled:
			w.restartSwitch(i, r.at) // its uptime and counters begin anew
			s.restart(w, sw.Name)
		case s.live && fx.reset[i] > 0 && fx.reset[i] != w.state.Resets[sw.Name].At:
			w.resetCounters(i, fx.reset[i])
			s.restart(w, sw.Name)
		default:
			p := &prev.switches[i]
			s.boot, s.disc, s.base, s.restarts = p.boot, p.disc, p.base, p.restarts
		}
	}
}

// restart takes boot and counters' beginning from the state.
func (s *switchRun) restart(w *World, name string) {
	if at, ok := w.state.Boots[name]; ok {
		s.boot = w.seconds(at)
	}
	s.restarts = w.state.Restarts[name]
	s.base = w.bases[name]
	if rs, ok := w.state.Resets[name]; ok {
		s.base = rs.Base
		if rs.At > s.boot {
			s.disc = rs.At
		}
	}
}

func (w *World) makeLinks(prev, r *run, fx *effects) {
	r.links = make([]linkRun, len(w.Links))
	for i := range w.Links {
		k := &r.links[i]
		k.ends = w.Links[i].Ends
	}
	r.swapped = fx.swap
	for _, pair := range fx.swap {
		a, b := &r.links[pair[0]], &r.links[pair[1]]
		a.ends[0], b.ends[0] = b.ends[0], a.ends[0]
	}
	for i := range r.links {
		k := &r.links[i]
		k.up = true
		for e := range k.ends {
			k.down[e] = w.shut(k.ends[e])
			k.up = k.up && r.endUp(k.ends[e]) && !k.down[e]
		}
		if since, ok := fx.flap[i]; ok {
			phase := math.Floor((r.at - since + 0.001) / flapSeconds)
			k.up = k.up && math.Mod(phase, 2) == 1
			r.wakeAt(since + (phase+1)*flapSeconds)
		}
		k.changed = math.Inf(-1)
		if prev != nil {
			k.changed = prev.links[i].changed
			if prev.links[i].up != k.up {
				k.changed = r.at
			}
		}
	}
}

func (r *run) endUp(e End) bool {
	switch e.Kind {
	case KindServer:
		return r.booted(e.N)
	case KindBMC:
		return r.servers[e.N].alive()
	case KindSwitch:
		return r.switches[e.N].live
	}
	return true
}

func (w *World) shut(e End) bool {
	return e.Kind == KindSwitch && len(w.state.AdminDown) > 0 && w.state.AdminDown[w.portName(e)]
}

func (w *World) portName(e End) string {
	return w.Switches[e.N].Name + "/" + w.Switches[e.N].Ports[e.Port].Name
}

// makeReach says which BMCs and switches can be reached.
func (w *World) makeReach(r *run) {
	for i := range w.Servers {
		sv, s := &w.Servers[i], &r.servers[i]
		s.silent = !s.bmcUp || !r.sites[sv.Site] || !r.links[sv.BMCLink].up
	}
	for i := range w.Switches {
		r.switches[i].silent = !r.switches[i].live || !r.sites[w.Switches[i].Site]
	}
}

// makeRates says how fast every link goes: a server's traffic is its own and
// its instances', shared by its links; trunks carry what is below them.
func (w *World) makeRates(r *run) {
	w.serverRates(r)
	below := make([]float64, len(w.Switches))
	for i := range w.Servers {
		sv := &w.Servers[i]
		w.mgmtRate(r, sv)
		var up []int
		for nic := range sv.NIC {
			if k := w.nicLink(r, i, nic); r.links[k].up {
				up = append(up, k)
			}
		}
		for _, k := range up {
			rate := r.servers[i].rate / float64(len(up))
			r.links[k].ledger.Rate = [2]float64{rate * 0.6, rate * 0.4}
			below[w.Links[k].Ends[1].N] += rate
		}
	}
	spine := make([]float64, len(w.Switches))
	for i := range w.Racks {
		for _, tor := range w.Racks[i].ToR {
			var up []int
			for _, p := range [...]int{torAccessPorts, torAccessPorts + 1} {
				if k := w.Switches[tor].Ports[p].Link; r.links[k].up {
					up = append(up, k)
				}
			}
			for _, k := range up {
				rate := below[tor] / float64(len(up))
				r.links[k].ledger.Rate = [2]float64{rate * 0.6, rate * 0.4}
				spine[w.Links[k].Ends[1].N] += rate
			}
		}
		w.trunk(r, w.Switches[w.Racks[i].ToR[0]].Ports[torPorts-1].Link, 2e6)
	}
	for i := range w.Sites {
		for _, sp := range w.Sites[i].Spines {
			w.trunk(r, w.Switches[sp].Ports[spinePorts-2].Link, spine[sp]*0.7)
		}
		w.trunk(r, w.Switches[w.Sites[i].Spines[0]].Ports[spinePorts-1].Link, 4e6)
	}
}

func (w *World) trunk(r *run, link int, rate float64) {
	if r.links[link].up {
		r.links[link].ledger.Rate = [2]float64{rate * 0.6, rate * 0.4}
	}
}

// mgmtRate is a BMC's chatter.
func (w *World) mgmtRate(r *run, sv *Server) {
	if k := &r.links[sv.BMCLink]; k.up {
		k.ledger.Rate = [2]float64{420, 380}
	}
}

func (w *World) serverRates(r *run) {
	for i := range w.Servers {
		if s := &r.servers[i]; r.booted(i) && !s.hung {
			s.rate = w.Servers[i].BaseBytesPerSec
		}
	}
	for i := range w.Instances {
		in := &r.instances[i]
		n := w.Hyps[in.host]
		if s := &r.servers[n]; r.booted(n) && !s.hung && in.status == "ACTIVE" {
			s.rate += w.Instances[i].MbPerSec * 1e6 / 8
		}
	}
}

// carry takes over what the past left: octets carried, heat, and the log
// entries that the difference makes.
func (w *World) carry(prev, r *run, fx *effects) {
	for i := range r.links {
		k := &r.links[i]
		k.ledger.ErrBps = fx.errs[i]
		old, known := w.state.Links[i]
		if prev != nil {
			old = prev.links[i].ledger
		} else if !known {
			k.ledger.Since = w.linkEpoch
			continue
		}
		if old.Rate == k.ledger.Rate && old.ErrBps == k.ledger.ErrBps {
			k.ledger = old
			continue
		}
		d := &w.Links[i].Demand
		dt := d.integral(r.at) - d.integral(old.Since)
		for e := range old.Acc {
			k.ledger.Acc[e] = old.Acc[e] + old.Rate[e]*dt
		}
		k.ledger.ErrAcc = old.ErrAcc + old.ErrBps*(r.at-old.Since)
		k.ledger.Since = r.at
		w.state.Links[i] = k.ledger
	}
	if prev == nil {
		return
	}
	for i := range r.servers {
		w.carryHeat(prev, r, i)
		w.log(prev, r, i)
	}
}

// carryHeat keeps temperatures continuous over a change.
func (w *World) carryHeat(prev, r *run, i int) {
	a, b := &prev.servers[i], &r.servers[i]
	if a.on == b.on && a.fan == b.fan && a.heat == b.heat && a.load == b.load {
		b.lag = a.lag
		return
	}
	was, will := prev.temps(w.Layout, i, r.at), r.target(w.Layout, i, r.at)
	b.lag = thermal{r.at, was.inlet - will.inlet, was.cpu - will.cpu, was.exhaust - will.exhaust, was.fan - will.fan}
	if !a.on && b.on {
		b.lag.fan = 1 - will.fan // fans start at full speed
	}
}

// outlet reads "pdu/n".
func (w *World) outlet(key string) (pdu, outlet int, ok bool) {
	for i := len(key) - 1; i > 0; i-- {
		if key[i] != '/' {
			continue
		}
		ref, found := w.Find(key[:i])
		if _, err := fmt.Sscanf(key[i+1:], "%d", &outlet); err != nil || !found || ref.Kind != KindPDU {
			return 0, 0, false
		}
		return ref.N, outlet, outlet >= 1 && outlet <= outletsPerPDU
	}
	return 0, 0, false
}
