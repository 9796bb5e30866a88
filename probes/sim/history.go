package sim

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/probes/sim/bmc"
	"plumb/probes/sim/world"
)

// How far the demo's history goes back, and how finely.
const (
	historyFine, historyFineStep     = 2 * time.Hour, time.Minute
	historyCoarse, historyCoarseStep = 24 * time.Hour, 5 * time.Minute
)

// HistoryPoints is how many rows the history of one target has.
const HistoryPoints = int(historyFine/historyFineStep + (historyCoarse-historyFine)/historyCoarseStep)

// History yields the past that nobody polled, up to until: the last two hours
// by the minute and after that the rest of the day by five minutes, one target
// after the other, each newest first. keys says which series of a target are
// known, in the order in which they will be polled; nil leaves a target out.
// The values are those that the probes would have read, rounded as the wire
// rounds; a series that the world has no past of is null throughout.
func (f *Fleet) History(until time.Time, keys func(target string) []fleet.SeriesKey) iter.Seq[fleet.Readings] {
	w := f.World.Past()
	until = until.UTC().Truncate(historyFineStep)
	type span struct{ from, to, step time.Duration }
	return func(yield func(fleet.Readings) bool) {
		targets := f.targets(w, keys)
		for _, s := range [...]span{{0, historyFine, historyFineStep}, {historyFine, historyCoarse, historyCoarseStep}} {
			for i := range targets {
				for back := s.from; back < s.to; back += s.step {
					if !yield(targets[i].at(until.Add(-back))) {
						return
					}
				}
			}
		}
	}
}

// target is a device of the history with the series to fill.
type target struct {
	name string
	keys []fleet.SeriesKey
	fill func(t time.Time, values []fleet.Num)
}

func (x *target) at(t time.Time) fleet.Readings {
	r := fleet.Readings{Target: x.name, At: t, Keys: x.keys, Values: make([]fleet.Num, len(x.keys))}
	x.fill(t, r.Values)
	return r
}

func (f *Fleet) targets(w *world.World, keys func(string) []fleet.SeriesKey) (list []target) {
	add := func(name string, fill func([]fleet.SeriesKey) func(time.Time, []fleet.Num)) {
		if k := keys(name); len(k) > 0 {
			list = append(list, target{name, k, fill(k)})
		}
	}
	for i := range w.Servers {
		add(w.Servers[i].Name, func(k []fleet.SeriesKey) func(time.Time, []fleet.Num) { return serverPast(w, i, k) })
	}
	for i := range w.Switches {
		add(w.Switches[i].Name, func(k []fleet.SeriesKey) func(time.Time, []fleet.Num) { return switchPast(w, i, k) })
	}
	for i := range w.PDUs {
		add(w.PDUs[i].Name, func(k []fleet.SeriesKey) func(time.Time, []fleet.Num) { return pduPast(w, i, k) })
	}
	for i := range w.UPSes {
		add(w.UPSes[i].Name, func(k []fleet.SeriesKey) func(time.Time, []fleet.Num) { return upsPast(w, i, k) })
	}
	return list
}

// pick compiles keys to getters once, so that a moment costs no lookups. A key
// without a getter stays null.
func pick[S any](keys []fleet.SeriesKey, getter func(fleet.SeriesKey) func(*S) fleet.Num, state func(time.Time) S) func(time.Time, []fleet.Num) {
	get := make([]func(*S) fleet.Num, len(keys))
	for i, k := range keys {
		get[i] = getter(k)
	}
	return func(t time.Time, values []fleet.Num) {
		s := state(t)
		for i, g := range get {
			if g != nil {
				values[i] = g(&s)
			}
		}
	}
}

func whole(v float64) fleet.Num  { return fleet.Int(int64(math.Round(v))) }
func tenths(v float64) fleet.Num { return fleet.Dec(int64(math.Round(v*10)), -1) }

// isPower reports whether a key is a device's total watts.
func isPower(k fleet.SeriesKey) bool {
	return k.Table == fleet.TableFacts && k.Field == fleet.FieldPower
}

// dcmiPower is the key of the power that a BMC measures itself.
const dcmiPower = "dcmi.power"

func serverPast(w *world.World, n int, keys []fleet.SeriesKey) func(time.Time, []fleet.Num) {
	model := w.Servers[n].Hardware
	sensors := model.Sensors()
	byNumber := map[string]int{}
	for i := range sensors {
		byNumber[fmt.Sprintf("20.0.%02x", sensors[i].Number)] = i
	}
	getter := func(k fleet.SeriesKey) func(*world.ServerState) fleet.Num {
		if isPower(k) || k.Table == fleet.TableSensors && k.Row == dcmiPower {
			return func(s *world.ServerState) fleet.Num { return whole(s.Watts) }
		}
		i, ok := byNumber[k.Row]
		switch {
		case !ok || k.Table != fleet.TableSensors:
			return nil
		case sensors[i].Quantity == world.Discrete:
			return func(*world.ServerState) fleet.Num { return fleet.Int(int64(fleet.StateOK)) }
		}
		return func(s *world.ServerState) fleet.Num {
			if !s.Readings[i].OK {
				return fleet.Num{}
			}
			v, scale := bmc.Wire(model, i, s.Readings[i].Value)
			return fleet.Dec(v, scale)
		}
	}
	return pick(keys, getter, func(t time.Time) world.ServerState { return w.Server(n, t) })
}

func switchPast(w *world.World, n int, keys []fleet.SeriesKey) func(time.Time, []fleet.Num) {
	sw := &w.Switches[n]
	ports := map[string]int{}
	for i := range sw.Ports {
		ports[sw.Ports[i].Name] = i
	}
	type state struct {
		world.SwitchState
		watts float64
	}
	parts := map[string]func(*state) fleet.Num{}
	probe := state{SwitchState: w.Switch(n, w.Born)}
	for i, e := range switchSensors(sw, &probe.SwitchState) {
		for _, part := range switchEntities(w.Layout, sw, &probe.SwitchState) {
			if part.Index == e.Entity {
				scale := int8(-e.Precision)
				parts[part.Name] = func(s *state) fleet.Num {
					return fleet.Dec(int64(switchSensors(sw, &s.SwitchState)[i].Value), scale)
				}
			}
		}
	}
	getter := func(k fleet.SeriesKey) func(*state) fleet.Num {
		switch k.Table {
		case fleet.TableFacts:
			if isPower(k) {
				return func(s *state) fleet.Num { return whole(s.watts) }
			}
		case fleet.TablePorts:
			if i, ok := ports[k.Row]; ok && k.Field >= fleet.FieldCounter {
				return func(s *state) fleet.Num { return counter(&s.Ports[i], fleet.CounterID(k.Field-fleet.FieldCounter)) }
			}
		case fleet.TableSensors:
			_, name, _ := strings.Cut(k.Row, ":")
			return parts[name]
		}
		return nil
	}
	return pick(keys, getter, func(t time.Time) state {
		s := w.Switch(n, t)
		return state{s, s.Watts[0] + s.Watts[1]}
	})
}

// counter is a port's counter as the agent shows it.
func counter(p *world.PortState, c fleet.CounterID) fleet.Num {
	bits := func(v uint64) fleet.Num { return fleet.Num{N: int64(v), Known: true} }
	switch c {
	case fleet.InOctets:
		return bits(p.InOctets)
	case fleet.OutOctets:
		return bits(p.OutOctets)
	case fleet.InErrors:
		return bits(p.InErrors)
	case fleet.InDiscards:
		return bits(p.InDiscards)
	case fleet.OutDiscards:
		return bits(p.OutOctets / 4e12)
	}
	return bits(0)
}

// mgmtCounter is a counter of a device's network card, as mgmtPort shows it.
func mgmtCounter(k fleet.SeriesKey, t, boot time.Time) fleet.Num {
	p := mgmtPort(world.MAC{}, t, boot)[0]
	switch fleet.CounterID(k.Field - fleet.FieldCounter) {
	case fleet.InOctets:
		return fleet.Num{N: int64(p.In.Octets), Known: true}
	case fleet.OutOctets:
		return fleet.Num{N: int64(p.Out.Octets), Known: true}
	}
	return fleet.Int(0)
}

func pduPast(w *world.World, n int, keys []fleet.SeriesKey) func(time.Time, []fleet.Num) {
	getter := func(k fleet.SeriesKey) func(*world.PDUState) fleet.Num {
		row, err := strconv.Atoi(k.Row)
		switch {
		case k.Table == fleet.TablePorts && k.Field >= fleet.FieldCounter:
			return func(s *world.PDUState) fleet.Num { return mgmtCounter(k, s.At, s.Boot) }
		case isPower(k):
			return func(s *world.PDUState) fleet.Num { return whole(s.Watts) }
		case k.Table == fleet.TableOutlets && err == nil && row >= 1 && row <= len(world.PDUState{}.Outlets):
			if k.Field == fleet.FieldCurrent {
				return func(s *world.PDUState) fleet.Num { return tenths(s.Outlets[row-1].Amps) }
			}
			return func(s *world.PDUState) fleet.Num { return whole(s.Outlets[row-1].Watts) }
		case k.Table != fleet.TableSensors:
			return nil
		case k.Field == fleet.FieldState:
			return func(*world.PDUState) fleet.Num { return fleet.Int(int64(fleet.StateOK)) }
		case strings.HasPrefix(k.Row, "rPDU2BankStatus:bank") && strings.HasSuffix(k.Row, "current"):
			second := strings.Contains(k.Row, "bank 2")
			return func(s *world.PDUState) fleet.Num { return tenths(bankAmps(s, second)) }
		case strings.HasSuffix(k.Row, "power"):
			return func(s *world.PDUState) fleet.Num { return fleet.Dec(int64(math.Round(s.Watts/10)), 1) }
		case strings.HasSuffix(k.Row, "current"):
			return func(s *world.PDUState) fleet.Num { return tenths(s.Amps) }
		case strings.HasSuffix(k.Row, "voltage"):
			return func(*world.PDUState) fleet.Num { return whole(world.PhaseVolts) }
		}
		return nil
	}
	return pick(keys, getter, func(t time.Time) world.PDUState { return w.PDU(n, t) })
}

func bankAmps(s *world.PDUState, second bool) (a float64) {
	for i := range s.Outlets {
		if second == (i >= len(s.Outlets)/2) {
			a += s.Outlets[i].Amps
		}
	}
	return a
}

func upsPast(w *world.World, n int, keys []fleet.SeriesKey) func(time.Time, []fleet.Num) {
	type getFunc = func(*world.UPSState) fleet.Num
	single := map[string]getFunc{
		"battery charge":      func(s *world.UPSState) fleet.Num { return whole(s.ChargePercent) },
		"battery runtime":     func(s *world.UPSState) fleet.Num { return fleet.Int(int64(s.Runtime.Minutes()) * 60) },
		"time on battery":     func(*world.UPSState) fleet.Num { return fleet.Int(0) },
		"battery current":     func(*world.UPSState) fleet.Num { return fleet.Dec(0, -1) },
		"alarms present":      func(*world.UPSState) fleet.Num { return fleet.Int(0) },
		"battery voltage":     func(s *world.UPSState) fleet.Num { return tenths(s.BatteryVolts) },
		"battery temperature": func(s *world.UPSState) fleet.Num { return whole(s.BatteryC) },
		"output frequency":    func(*world.UPSState) fleet.Num { return fleet.Dec(500, -1) },
	}
	perPhase := map[string]func(w float64, s *world.UPSState) fleet.Num{
		"input power":     func(w float64, _ *world.UPSState) fleet.Num { return whole(inputWatts(w)) },
		"input current":   func(w float64, _ *world.UPSState) fleet.Num { return tenths(inputWatts(w) / inputVolts) },
		"input voltage":   func(float64, *world.UPSState) fleet.Num { return whole(inputVolts) },
		"input frequency": func(float64, *world.UPSState) fleet.Num { return fleet.Dec(500, -1) },
		"output power":    func(w float64, _ *world.UPSState) fleet.Num { return whole(w) },
		"output voltage":  func(float64, *world.UPSState) fleet.Num { return whole(world.PhaseVolts) },
		"output current": func(w float64, _ *world.UPSState) fleet.Num {
			return tenths(w / (world.PhaseVolts * world.PowerFactor))
		},
		"output load": func(w float64, s *world.UPSState) fleet.Num { return whole(w / (s.RatedW / 3) * 100) },
	}
	getter := func(k fleet.SeriesKey) getFunc {
		_, name, _ := strings.Cut(k.Row, ":")
		switch {
		case k.Table == fleet.TablePorts && k.Field >= fleet.FieldCounter:
			return func(s *world.UPSState) fleet.Num { return mgmtCounter(k, s.At, s.Boot) }
		case isPower(k):
			return func(s *world.UPSState) fleet.Num { return whole(s.PhaseWatts[0] + s.PhaseWatts[1] + s.PhaseWatts[2]) }
		case k.Table != fleet.TableSensors:
			return nil
		case k.Field == fleet.FieldState:
			return func(*world.UPSState) fleet.Num { return fleet.Int(int64(fleet.StateOK)) }
		case single[name] != nil:
			return single[name]
		}
		rest, phase := strings.CutPrefix(name, "phase ")
		if !phase || len(rest) < 3 || rest[0] < '1' || rest[0] > '3' {
			return nil
		}
		if g := perPhase[rest[2:]]; g != nil {
			p := rest[0] - '1'
			return func(s *world.UPSState) fleet.Num { return g(s.PhaseWatts[p], s) }
		}
		return nil
	}
	return pick(keys, getter, func(t time.Time) world.UPSState { return w.UPS(n, t) })
}
