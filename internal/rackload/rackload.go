// Package rackload makes the readings of racks that do not exist, for
// measurements: twenty servers, a switch and two PDUs a rack, polled once a
// minute.
//
// What a series costs to keep depends on how it moves, so each kind moves as
// its hardware does. A temperature rests and then takes a step of half a degree
// or one; a fan hops between levels of its tachometer; watts wander; a voltage
// flips between two steps of its converter; the octets of a port run at a rate
// that drifts and bursts; errors are rare; a state all but never changes. A
// third of the ports and outlets have nothing plugged in, and those counters
// stand still. Nothing else is constant.
//
// Only tests import it. One seed gives one load.
package rackload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"plumb/fleet"
)

// Interval is how often each target is polled.
const Interval = time.Minute

// Load is a number of racks.
type Load struct {
	Targets []*Target
	byName  map[string]*Target
}

// Target is one device and where its numbers stand.
type Target struct {
	Name string
	Keys []fleet.SeriesKey

	rng    *rand.Rand
	series []mover
}

// mover is one series: it moves on by one poll and says where it is.
type mover func(r *rand.Rand) fleet.Num

// New returns racks racks.
func New(racks int) *Load {
	l := &Load{byName: map[string]*Target{}}
	for i := range racks {
		for s := range 20 {
			l.add(fmt.Sprintf("r%03d-s%02d", i, s), server)
		}
		l.add(fmt.Sprintf("r%03d-sw", i), networkSwitch)
		l.add(fmt.Sprintf("r%03d-pdu-a", i), pdu)
		l.add(fmt.Sprintf("r%03d-pdu-b", i), pdu)
	}
	return l
}

func (l *Load) add(name string, fill func(*Target)) {
	t := &Target{Name: name, rng: rand.New(rand.NewPCG(uint64(len(l.Targets)), 7))}
	fill(t)
	l.Targets, l.byName[name] = append(l.Targets, t), t
}

// Get returns the target of a name.
func (l *Load) Get(name string) *Target { return l.byName[name] }

// Series is how many series the load has.
func (l *Load) Series() (n int) {
	for _, t := range l.Targets {
		n += len(t.Keys)
	}
	return n
}

// Poll moves the target on and reads it. Its answer took some milliseconds
// more or fewer than the last one.
func (t *Target) Poll(at time.Time) fleet.Readings {
	return t.PollInto(make([]fleet.Num, len(t.series)), at)
}

// PollInto is Poll with the room for its values, as many as there are keys.
func (t *Target) PollInto(v []fleet.Num, at time.Time) fleet.Readings {
	for i, move := range t.series {
		v[i] = move(t.rng)
	}
	return fleet.Readings{Target: t.Name, At: at.Add(time.Duration(t.rng.IntN(80)) * time.Millisecond), Keys: t.Keys, Values: v}
}

func (t *Target) has(table fleet.TableID, row string, field fleet.SeriesField, m mover) {
	t.Keys, t.series = append(t.Keys, fleet.SeriesKey{Table: table, Row: row, Field: field}), append(t.series, m)
}

// server has 42 series.
func server(t *Target) {
	r := t.rng
	sensor := func(format string, n int, make func() mover) {
		for i := range n {
			t.has(fleet.TableSensors, fmt.Sprintf(format, i), 0, make())
		}
	}
	sensor("cpu%d-temp", 2, func() mover { return hot(50 + r.IntN(25)) })
	sensor("dimm%d-temp", 8, func() mover { return rests(30+r.IntN(12), 1, 0, 12) })
	sensor("board%d-temp", 6, func() mover { return rests(2*(24+r.IntN(20)), 5, -1, 6) })
	sensor("fan%d", 8, func() mover { return fan([]int{60, 75, 120}[r.IntN(3)]) })
	sensor("volts%d", 6, func() mover { return flips(180+r.IntN(30), 6, -2) })
	sensor("psu%d-watts", 4, func() mover { return watts(120+r.IntN(200), 0) })
	sensor("psu%d-amps", 2, func() mover { return watts(8+r.IntN(8), -1) })
	for i := range 6 {
		t.has(fleet.TableSensors, fmt.Sprintf("presence%d", i), fleet.FieldState, state())
	}
}

// networkSwitch has 54 ports of six counters.
func networkSwitch(t *Target) {
	for i := range 54 {
		port, used := fmt.Sprintf("Ethernet%d", i+1), i%3 != 2
		for c := range fleet.NumCounters {
			m := still(fleet.Int(t.rng.Int64N(1 << 40)))
			switch {
			case used && c < 2:
				m = octets(t.rng)
			case used && i%10 == 0:
				m = rare(40) // a port that drops under load
			case used:
				m = rare(5000)
			}
			t.has(fleet.TablePorts, port, fleet.FieldCounter+fleet.SeriesField(c), m)
		}
	}
}

// pdu has 24 outlets of two numbers.
func pdu(t *Target) {
	for i := range 24 {
		amps, power := still(fleet.Dec(0, -2)), still(fleet.Int(0))
		if i%3 != 2 {
			w := 100 + t.rng.IntN(300)
			amps, power = watts(w*100/230, -2), watts(w, 0)
		}
		t.has(fleet.TableOutlets, fmt.Sprint(i+1), fleet.FieldCurrent, amps)
		t.has(fleet.TableOutlets, fmt.Sprint(i+1), fleet.FieldPower, power)
	}
}

func still(v fleet.Num) mover { return func(*rand.Rand) fleet.Num { return v } }

// rests stays for some polls and then takes a step, rather back to where it
// belongs than away from it.
func rests(home, step int, scale int8, polls int) mover {
	n := home
	return func(r *rand.Rand) fleet.Num {
		if r.IntN(polls) == 0 {
			if r.IntN(8) > 3+min(max(n-home, -3), 3) {
				n++
			} else {
				n--
			}
		}
		return fleet.Dec(int64(n*step), scale)
	}
}

// hot is a processor: whole degrees that follow its work.
func hot(home int) mover {
	at := float64(home)
	return func(r *rand.Rand) fleet.Num {
		at += 0.15*(float64(home)-at) + 1.3*r.NormFloat64()
		return fleet.Int(int64(math.Round(at)))
	}
}

// fan is a speed in steps of its tachometer.
func fan(step int) mover {
	level := float64(4800 / step)
	home := level
	return func(r *rand.Rand) fleet.Num {
		if r.IntN(200) == 0 {
			home += 3 * r.NormFloat64()
		}
		level += 0.3*(home-level) + 0.4*r.NormFloat64()
		return fleet.Int(int64(math.Round(level)) * int64(step))
	}
}

// flips is a voltage between two steps of its converter.
func flips(home, step int, scale int8) mover {
	n := 0
	return func(r *rand.Rand) fleet.Num {
		if r.IntN(5) == 0 {
			n = 1 - n
		}
		return fleet.Dec(int64(home*step+n*step), scale)
	}
}

// watts wander, with noise.
func watts(home int, scale int8) mover {
	slow := float64(home)
	return func(r *rand.Rand) fleet.Num {
		slow += 0.05*(float64(home)-slow) + 0.01*float64(home)*r.NormFloat64()
		return fleet.Dec(int64(math.Round(math.Max(slow+0.01*float64(home)*r.NormFloat64(), 0))), scale)
	}
}

func state() mover {
	n := int64(0)
	return func(r *rand.Rand) fleet.Num {
		if r.IntN(20000) == 0 {
			n = 1 - n
		}
		return fleet.Int(n)
	}
}

// octets count at a rate that drifts around the port's own, between ten
// kilobytes and a hundred megabytes a second, and sometimes bursts.
func octets(r *rand.Rand) mover {
	total := uint64(r.Int64N(1 << 45))
	home := math.Log(1e4) + r.Float64()*math.Log(1e4)
	rate := home
	return func(r *rand.Rand) fleet.Num {
		rate += 0.2*(home-rate) + 0.25*r.NormFloat64()
		now := rate
		if r.IntN(30) == 0 {
			now += 2
		}
		total += uint64(math.Exp(now) * Interval.Seconds())
		return fleet.Int(int64(total))
	}
}

// rare counts something that happens every so many polls, a few at a time.
func rare(polls int) mover {
	n := int64(0)
	return func(r *rand.Rand) fleet.Num {
		if r.IntN(polls) == 0 {
			n += 1 + r.Int64N(20)
		}
		return fleet.Int(n)
	}
}
