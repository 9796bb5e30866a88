package world

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// World is a fleet at work. Its methods may be called from any goroutine; now
// is the caller's clock and should not go back.
type World struct {
	*Layout
	Seed uint64

	linkEpoch float64
	guests    [][]int                 // instances by the hypervisor they were created on
	bases     map[string][][3]float64 // where switches' counters began at their first boot

	first   *run // as it was at the start
	current atomic.Pointer[run]
	due     atomic.Uint64 // bits of the time at which current must be made again

	mu       sync.Mutex // guards what follows, and making the next run
	state    State
	faults   []*Fault
	schedule *schedule
	changed  func() // told of every change worth keeping, without mu
}

// epochBefore is how long before its birth the fleet's clock starts: earlier
// than any boot, so that every time of interest is positive.
const epochBefore = 400 * 24 * time.Hour

// New returns the fleet of seed with so many racks, born now or, where state
// is not nil, continued from it.
func New(seed uint64, racks int, state *State, now time.Time) (*World, error) {
	st := newState(seed, max(1, min(racks, MaxRacks)), now.UTC().Truncate(time.Second))
	if state != nil {
		if state.Version != stateVersion || state.Seed != seed || state.Racks != st.Racks {
			return nil, fmt.Errorf("%w: seed %d with %d racks", ErrState, state.Seed, state.Racks)
		}
		st = state.clone()
		st.fill()
	}
	w := &World{Layout: Build(seed, st.Racks, st.Born), Seed: seed, state: st}
	if err := st.fits(w.Layout); err != nil {
		return nil, err
	}
	w.linkEpoch = w.seconds(w.Born.Add(-350 * 24 * time.Hour))
	w.guests = make([][]int, len(w.Hyps))
	for i := range w.Instances {
		w.guests[w.Instances[i].Host] = append(w.guests[w.Instances[i].Host], i)
	}
	w.bases = map[string][][3]float64{}
	for i := range w.Switches {
		w.bases[w.Switches[i].Name] = make([][3]float64, len(w.Switches[i].Ports))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = newState(seed, st.Racks, st.Born) // the fleet in which nothing ever happened
	pristine := w.make(nil, w.seconds(now), newEffects())
	for i := range w.Switches {
		w.firstBoot(pristine, i)
	}
	w.state = st
	w.first = w.make(nil, w.seconds(now), newEffects())
	w.publish(w.first)
	return w, nil
}

// firstBoot says where a switch's links stood when it was last started before
// the demo: its counters begin there.
func (w *World) firstBoot(r *run, i int) {
	sw := &w.Switches[i]
	base := w.bases[sw.Name]
	boot := w.seconds(sw.Boot)
	for p := range sw.Ports {
		if k := sw.Ports[p].Link; k >= 0 {
			base[p] = w.healthy(r, k, sw.Ports[p].End, boot)
		}
	}
}

// healthy returns a port's counters at t in a fleet without faults.
func (w *World) healthy(r *run, link, end int, t float64) (c [3]float64) {
	d := &w.Links[link].Demand
	dt := d.integral(t) - d.integral(w.linkEpoch)
	rate := r.links[link].ledger.Rate
	c[0], c[1] = rate[1-end]*dt, rate[end]*dt
	return c
}

// OnChange sets what is called after every change worth keeping; it is called
// on the goroutine that made the change and may call [World.State].
func (w *World) OnChange(f func()) { w.changed = f }

// State returns a copy of what has to be kept to continue this world.
func (w *World) State(now time.Time) State {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state.clone()
	s.Saved = now.UTC()
	return s
}

// seconds is the world's clock.
func (w *World) seconds(t time.Time) float64 {
	return t.Sub(w.Born.Add(-epochBefore)).Seconds()
}

func (w *World) publish(r *run) {
	wake := r.wake
	for _, f := range w.faults {
		for _, at := range [...]time.Time{f.Start, f.End} {
			if !at.IsZero() {
				if t := w.seconds(at); t > r.at && t < wake {
					wake = t
				}
			}
		}
	}
	if w.schedule != nil {
		if t := w.seconds(w.schedule.next); t > r.at {
			wake = math.Min(wake, t)
		}
	}
	w.current.Store(r)
	w.due.Store(math.Float64bits(wake))
}

// run returns the picture that holds at now, made anew where something was due
// to happen since.
func (w *World) run(now time.Time) (*run, float64) {
	t := w.seconds(now)
	if t < math.Float64frombits(w.due.Load()) {
		return w.current.Load(), t
	}
	w.mu.Lock()
	kept := w.advance(t)
	w.mu.Unlock()
	if kept && w.changed != nil {
		w.changed()
	}
	return w.current.Load(), t
}

// advance goes through everything that was due until t, in order. mu is held.
func (w *World) advance(t float64) (kept bool) {
	for range 10000 { // a bound, not a limit: a day of flapping is due at most
		due := math.Float64frombits(w.due.Load())
		if t < due {
			return kept
		}
		w.step(due)
		kept = true
	}
	w.step(t)
	return true
}

// step makes the run that holds from t on. mu is held.
func (w *World) step(t float64) {
	if w.schedule != nil {
		w.schedule.advance(w, t)
	}
	w.publish(w.make(w.current.Load(), t, w.effects(t)))
}

// ErrNoSuch says that somebody named what the fleet does not have.
var ErrNoSuch = errors.New("no such thing in the demo")

// change applies one act of somebody and publishes what follows from it.
func (w *World) change(now time.Time, act func(t float64) error) error {
	w.run(now)
	w.mu.Lock()
	t := math.Max(w.seconds(now), w.current.Load().at)
	err := act(t)
	if err == nil {
		w.step(t)
	}
	w.mu.Unlock()
	if err == nil && w.changed != nil {
		w.changed()
	}
	return err
}

// SetPower switches a server on or off, as its BMC is told to.
func (w *World) SetPower(server int, on bool, now time.Time) error {
	return w.change(now, func(t float64) error {
		sv := &w.Servers[server]
		if on {
			delete(w.state.Off, sv.Name)
		} else {
			w.state.Off[sv.Name] = true
		}
		return nil
	})
}

// Cycle switches a server off and on again: its host starts anew.
func (w *World) Cycle(server int, now time.Time) error {
	if err := w.SetPower(server, false, now); err != nil {
		return err
	}
	return w.SetPower(server, true, now)
}

// Identify lets a server's LED blink until the time, or stops it.
func (w *World) Identify(server int, until, now time.Time) error {
	return w.change(now, func(float64) error {
		if name := w.Servers[server].Name; until.After(now) {
			w.state.Identify[name] = until.UTC()
		} else {
			delete(w.state.Identify, name)
		}
		return nil
	})
}

// SetOutlet switches an outlet (1..24) of a PDU.
func (w *World) SetOutlet(pdu, outlet int, on bool, now time.Time) error {
	return w.change(now, func(float64) error {
		if outlet < 1 || outlet > outletsPerPDU {
			return ErrNoSuch
		}
		key := fmt.Sprintf("%s/%d", w.PDUs[pdu].Name, outlet)
		delete(w.state.Reboots, key)
		if on {
			delete(w.state.Outlets, key)
		} else {
			w.state.Outlets[key] = true
		}
		return nil
	})
}

// SetPort shuts a port of a switch (0 is the first) or opens it.
func (w *World) SetPort(sw, port int, up bool, now time.Time) error {
	return w.change(now, func(float64) error {
		if port < 0 || port >= len(w.Switches[sw].Ports) {
			return ErrNoSuch
		}
		key := w.portName(End{Ref{KindSwitch, sw}, port})
		if up {
			delete(w.state.AdminDown, key)
		} else {
			w.state.AdminDown[key] = true
		}
		return nil
	})
}

// SetInstance gives an instance a status: ACTIVE, SHUTOFF and so on.
func (w *World) SetInstance(id, status string, now time.Time) error {
	return w.change(now, func(float64) error {
		if !slices.ContainsFunc(w.Instances, func(in Instance) bool { return in.ID == id }) {
			return ErrNoSuch
		}
		c := w.state.Instances[id]
		c.Status = status
		w.state.Instances[id] = c
		return nil
	})
}

// restartSwitch notes that a switch started at t. mu is held.
func (w *World) restartSwitch(i int, t float64) {
	name := w.Switches[i].Name
	w.state.Boots[name] = w.time(t)
	w.state.Restarts[name]++
	w.resetCounters(i, t)
}

// resetCounters lets the counters of a switch begin anew at t. mu is held.
func (w *World) resetCounters(i int, t float64) {
	sw, r := &w.Switches[i], w.current.Load()
	base := make([][3]float64, len(sw.Ports))
	for p := range sw.Ports {
		if k := sw.Ports[p].Link; k >= 0 {
			oct := r.octets(w.Layout, k, t)
			end := sw.Ports[p].End
			base[p] = [3]float64{oct[1-end], oct[end], r.errors(k, t)}
		}
	}
	w.state.Resets[sw.Name] = reset{At: t, Base: base}
}

// Past returns the same fleet as it would have been without any fault of this
// start: what its history is computed from. Nothing is due in it, and it is
// not to be changed.
func (w *World) Past() *World {
	p := &World{Layout: w.Layout, Seed: w.Seed, linkEpoch: w.linkEpoch, bases: w.bases, guests: w.guests}
	p.current.Store(w.first)
	p.due.Store(math.Float64bits(math.Inf(1)))
	return p
}
