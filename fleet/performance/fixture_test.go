package performance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"plumb/fleet"
)

// now is where the weeks of the tests end: a Thursday at noon.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// machine is a server with two processors and six fans.
func machine(id string) *fleet.Device {
	d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Model: "R6515"}}
	add := func(name string, class fleet.SensorClass, unit string, v fleet.Num, l fleet.Limits) {
		d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: name, Name: name, Class: class, Unit: unit, Limits: l}, Value: v, State: fleet.StateOK})
	}
	add("Inlet Temp", fleet.ClassTemperature, "C", fleet.Int(22), fleet.Limits{HighWarn: fleet.Int(38), HighCrit: fleet.Int(42)})
	add("CPU1 Temp", fleet.ClassTemperature, "C", fleet.Int(55), fleet.Limits{HighWarn: fleet.Int(85)})
	add("CPU2 Temp", fleet.ClassTemperature, "C", fleet.Int(54), fleet.Limits{HighWarn: fleet.Int(85)})
	for i := range 6 {
		add(fmt.Sprintf("Fan%d", i+1), fleet.ClassFan, "rpm", fleet.Int(8000), fleet.Limits{LowWarn: fleet.Int(4800), LowCrit: fleet.Int(3600)})
	}
	return d
}

// weather is a healthy room and its load: days and weeks with a shape, slow
// weather, hours that nobody polled and a meter that lies once in a while.
type weather struct {
	r     *rand.Rand
	slow  float64 // of the outside, an AR(1) by the hour
	own   float64 // of the load
	scale float64 // how uneven this machine's load is
}

func newWeather(seed uint64) *weather {
	r := rand.New(rand.NewPCG(seed, 42))
	return &weather{r: r, scale: 0.5 + r.Float64()}
}

// fault bends the hours of a machine; days counts from the first hour kept.
type fault func(days float64, c fleet.PastClass, v float64) float64

// hours are the weeks of a machine.
func (w *weather) hours(until int64, f fault) (out []fleet.Hour) {
	first := until - fleet.PastHours
	for h := first; h < until; h++ {
		w.slow = 0.98*w.slow + 0.15*w.r.NormFloat64()
		w.own = 0.9*w.own + 0.03*w.scale*w.r.NormFloat64()
		if w.r.IntN(50) == 0 {
			continue
		}
		at := time.Unix(h*3600, 0).UTC()
		sun := math.Sin(2 * math.Pi * float64(at.Hour()-9) / 24)
		load := 0.5 + 0.2*sun + w.own
		if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			load -= 0.1
		}
		load = max(0.05, min(load, 1))
		inlet := 22 + 0.7*sun + w.slow + 0.2*w.r.NormFloat64()
		power := 180 + 200*load + 4*w.r.NormFloat64()
		heat := inlet + 10 + 0.08*power + 0.8*w.r.NormFloat64()
		fans := 6000 + 150*(inlet-18) + 2000*load + 60*w.r.NormFloat64()
		slowest := 0.99 - 0.004*math.Abs(w.r.NormFloat64())
		for c, v := range map[fleet.PastClass]float64{
			fleet.PastInlet: inlet, fleet.PastPower: power, fleet.PastHot: heat, fleet.PastFans: fans, fleet.PastSlowest: slowest,
		} {
			if f != nil {
				v = f(float64(h-first)/24, c, v)
			}
			if w.r.IntN(400) == 0 {
				v *= 3
			}
			out = append(out, fleet.Hour{Class: c, Hour: h, Value: v})
		}
	}
	return out
}

// past is a machine's weeks.
func past(seed uint64, f fault) *fleet.Past {
	var p *fleet.Past
	return p.With(newWeather(seed).hours(fleet.HourOf(now), f))
}

// norms are those of a rack of healthy machines.
func norms(seed uint64) fleet.Norms {
	var peers []Peer
	for i := range uint64(20) {
		peers = append(peers, PeerOf(past(seed*1000+i, nil)))
	}
	return NormsOf(peers)
}

// judged is what is found of a machine.
func judged(seed uint64, n fleet.Norms, f fault) (found []*fleet.Finding, out Judgement) {
	out = Judge(Case{Device: machine("s1"), Past: past(seed, f), Norms: n, Now: now})
	for _, l := range out.Looks {
		if l.Found != nil {
			found = append(found, l.Found)
		}
	}
	return found, out
}
