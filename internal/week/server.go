package week

import (
	"fmt"
	"math"
	"strings"
	"time"

	"plumb/fleet"
)

const fans = 6

// server is a machine behind its BMC.
type server struct {
	id, site, rack, head string
	slot, n              int
	role                 role
	idle, span           float64 // W at rest, and what full work adds
	share                float64 // of PSU 1
	air, sink            float64 // what this place and this heat sink add, C
	defs                 []*fleet.SensorDef
}

// own gives the machine what tells it from its like.
func (s *server) own(w *World) {
	u := func(of string) float64 { return w.uniform(s.id, of, 0) }
	s.idle, s.span = 130+60*u("idle"), 60+40*u("span")
	s.share = 0.47 + 0.06*u("share")
	s.air, s.sink = 2*u("air"), 2*u("sink")
	s.defs = serverDefs
}

func (s *server) serial(other bool) string {
	if other {
		return fmt.Sprintf("X%06d", s.n)
	}
	return fmt.Sprintf("S%06d", s.n)
}

func (s *server) mac(k int) string { return hw(2, s.n, k) }

// Sensors of every machine, shared like those of one model.
var serverDefs = makeServerDefs()

const (
	sensorInlet = iota
	sensorCPU
	sensorFans
	sensorPS1 = sensorFans + fans + iota - 3
	sensorPS2
	sensorWatts
	sensorPSU1
	sensorPSU2
)

func makeServerDefs() []*fleet.SensorDef {
	def := func(key, name string, class fleet.SensorClass, unit string, l fleet.Limits) *fleet.SensorDef {
		return &fleet.SensorDef{ID: key, Key: "20.0." + key, Name: name, Class: class, Unit: unit, Limits: l}
	}
	n := fleet.Int
	out := []*fleet.SensorDef{
		def("01", "Inlet Temp", fleet.ClassTemperature, "C", fleet.Limits{LowCrit: n(3), LowWarn: n(5), HighWarn: n(35), HighCrit: n(42)}),
		def("03", "CPU1 Temp", fleet.ClassTemperature, "C", fleet.Limits{HighWarn: n(85), HighCrit: n(95)}),
	}
	for f := range fans {
		out = append(out, def(fmt.Sprintf("1%d", f), fmt.Sprintf("FAN%d", f+1), fleet.ClassFan, "rpm", fleet.Limits{LowCrit: n(1890), LowWarn: n(2870)}))
	}
	return append(out,
		def("30", "PS1 Input Power", fleet.ClassPower, "W", fleet.Limits{}), def("31", "PS2 Input Power", fleet.ClassPower, "W", fleet.Limits{}),
		&fleet.SensorDef{ID: "dcmi", Key: "dcmi.power", Name: "Power (DCMI)", Class: fleet.ClassPower, Unit: "W"},
		def("38", "PS1 Status", fleet.ClassState, "", fleet.Limits{}), def("39", "PS2 Status", fleet.ClassState, "", fleet.Limits{}))
}

// watts is what the machine draws, whatever feeds it.
func (w *World) watts(s *server, m Moment) float64 {
	busy := load(s.role.name, w.Time(m)) + 0.06*w.wander(s.id, "load", m)
	out := s.idle + s.span*max(0, min(busy, 1.1)) + 1.5*w.normal(s.id, "watts", minute(m))
	w.events(s.rack, m, func(e *Event) { out += e.Watts })
	return out
}

// supply is how a power supply fares.
type supply uint8

const (
	fed supply = iota
	starved
	broken
	absent
)

func (w *World) supply(s *server, psu int, m Moment) (out supply) {
	side := []string{"a", "b"}[psu-1]
	if w.dark(s.head+"p"+side, m) {
		out = starved
	}
	w.events(s.id, m, func(e *Event) {
		if e.PSU == fmt.Sprintf("%s %d", s.id, psu) {
			out = broken
		}
		if e.Gone == fmt.Sprintf("PSU %d", psu) {
			out = absent
		}
	})
	return out
}

// supplies shares the watts out among the power supplies that work.
func (w *World) supplies(s *server, m Moment) (one, two float64) {
	total := w.watts(s, m)
	a, b := w.supply(s, 1, m) == fed, w.supply(s, 2, m) == fed
	switch {
	case a && b:
		return total * s.share, total * (1 - s.share)
	case a:
		return total, 0
	case b:
		return 0, total
	}
	return 0, 0
}

// inlet is the air in front of a machine.
func (w *World) inlet(s *server, m Moment) float64 {
	day := time.Duration(m).Hours() / 24
	return 20.5 + s.air + 0.8*math.Sin(2*math.Pi*(day-0.3)) + 0.35*w.wander(s.site, "room", m) + 0.25*w.normal(s.id, "inlet", minute(m))
}

// cpu is the processor's temperature.
func (w *World) cpu(s *server, m Moment) float64 {
	out := w.inlet(s, m) + 10 + s.sink + 0.11*w.watts(s, m) + 0.6*w.normal(s.id, "cpu", minute(m))
	w.events(s.id, m, func(e *Event) { out += e.DegreesPerDay * e.Since(m).Hours() / 24 })
	return out
}

func (w *World) fan(s *server, f int, m Moment) float64 {
	out := 5600 + 90*(w.inlet(s, m)-21) + 4*(w.watts(s, m)-180)
	out *= 0.99 + 0.02*w.uniform(s.id, "fan", int64(f))
	out *= 1 + 0.004*w.normal(s.id, "rpm", minute(m)*fans+int64(f))
	w.events(s.id, m, func(e *Event) {
		if e.Fan == f+1 {
			out *= max(0.4, 1-e.PercentPerDay/100*e.Since(m).Hours()/24)
		}
	})
	return math.Round(out/70) * 70 // the steps of a tachometer
}

// sensors reads the machine.
func (w *World) sensors(s *server, m Moment, rebooted bool) []fleet.Sensor {
	out := make([]fleet.Sensor, len(s.defs))
	gaps, jumps, misses := false, false, false
	w.events(s.id, m, func(e *Event) {
		gaps, jumps, misses = gaps || e.Gaps, jumps || e.Noise == "inlet", misses || e.Noise == "fan"
	})
	set := func(i int, v float64, decimals int) {
		out[i].Value = num(v, decimals)
		if rebooted && i < sensorPS1 || gaps && w.uniform(s.id, "gap", minute(m)*32+int64(i)) < 0.02 {
			out[i].Value = fleet.Num{}
		}
		out[i].State = s.defs[i].Limits.Judge(out[i].Value)
	}
	air := w.inlet(s, m)
	if jumps {
		air += 4 * (2*w.uniform(s.id, "jump", minute(m)) - 1)
	}
	for i, d := range s.defs {
		out[i].SensorDef = d
	}
	set(sensorInlet, air, 0)
	set(sensorCPU, w.cpu(s, m), 0)
	for f := range fans {
		rpm := w.fan(s, f, m)
		if misses && f == 2 && w.uniform(s.id, "beat", minute(m)) < 0.1 {
			rpm *= 0.8
		}
		set(sensorFans+f, rpm, 0)
	}
	one, two := w.supplies(s, m)
	set(sensorPS1, one, 0)
	set(sensorPS2, two, 0)
	set(sensorWatts, one+two, 0)
	for k := range 2 {
		x := &out[sensorPSU1+k]
		switch w.supply(s, k+1, m) {
		case fed:
			x.Value, x.State, x.Text = fleet.Int(1), fleet.StateOK, "Presence detected"
		case starved:
			x.Value, x.State, x.Text = fleet.Int(9), fleet.StateCrit, "Presence detected, Power Supply input lost (AC/DC)"
		case broken:
			x.Value, x.State, x.Text = fleet.Int(3), fleet.StateCrit, "Presence detected, Power Supply Failure detected"
		case absent:
			x.Value, x.State = fleet.Int(0), fleet.StateOK
		}
	}
	return out
}

// identity is what the slow lane reads of a machine.
func (w *World) identity(s *server, m Moment) (f fleet.Facts, is fleet.Completeness) {
	other := w.replaced(s, m)
	pairs := map[string]string{
		fleet.FactVendor: "Dell Inc.", fleet.FactModel: s.role.model, fleet.FactSerial: s.serial(other), fleet.FactFirmware: s.role.firmware, "bios": s.role.bios,
		fleet.FactGUID: fmt.Sprintf("25287dd7-8974-47ed-8a5a-%011d%d", s.n, word(other, 1, 0)), "board.serial": "B" + s.serial(other), "bmc.mac": s.mac(2),
		"bmc.auth.anonymous": "no", "bmc.auth.null_user": "no", "bmc.auth.per_message": "yes", "bmc.auth.types": "-", "bmc.auth.v15": "no", "bmc.auth.kg": "set",
		"bmc.ciphers": "3 17", "bmc.lan.address": fmt.Sprintf("10.40.%d.%d", s.n/200, 10+s.n%200), "bmc.lan.cipher_privileges": "3=administrator 17=administrator",
		"bmc.lan.gateway": "10.40.0.1", "bmc.lan.netmask": "255.255.252.0", "bmc.lan.source": "static", "bmc.lan.vlan": "off",
		"bmc.sees.lan": "yes", "bmc.sees.users": "yes",
		"bmc.user.2": "plumb user enabled lan", "bmc.user.3": "ops administrator enabled lan", "bmc.user.5": "spare user disabled nolan",
	}
	numbers := map[string]string{"bmc.users.admins": "1", "bmc.users.enabled": "2"}
	is = fleet.Complete
	w.events(s.id, m, func(e *Event) {
		for k, v := range e.Set {
			if _, ok := numbers[k]; ok {
				numbers[k] = v
				continue
			}
			pairs[k] = v
		}
		if e.Partial == "facts" {
			is = fleet.Partial
			delete(pairs, e.Without)
		}
	})
	for k, v := range pairs {
		f.Set(k, v)
	}
	for k, v := range numbers {
		if n, err := fleet.ParseNum(v); err == nil && v != "" {
			f.SetNum(k, n, false)
		}
	}
	return f, is
}

func word[T any](b bool, yes, no T) T {
	if b {
		return yes
	}
	return no
}

func (w *World) replaced(s *server, m Moment) (is bool) {
	w.events(s.id, m, func(e *Event) { is = is || e.Replace == "machine" })
	return is
}

var partNames = []struct{ name, class, model string }{
	{"PSU 1", "powerSupply", "DPS-800"}, {"PSU 2", "powerSupply", "DPS-800"}, {"DIMM A1", "memory", "M393A4K"}, {"DIMM A2", "memory", "M393A4K"},
	{"DIMM B1", "memory", "M393A4K"}, {"DIMM B2", "memory", "M393A4K"}, {"Disk 0", "disk", "PM9A3"}, {"Disk 1", "disk", "PM9A3"},
}

func (w *World) parts(s *server, m Moment) (list []fleet.Entity, is fleet.Completeness) {
	is = fleet.Complete
	gone, other := map[string]bool{}, map[string]bool{}
	machine := w.replaced(s, m)
	w.events(s.id, m, func(e *Event) {
		gone[e.Gone], other[e.Replace] = true, true
		if e.Partial == "entities" {
			is = fleet.Partial
			gone[e.Without] = true
		}
	})
	for i, p := range partNames {
		if gone[p.name] {
			continue
		}
		e := fleet.Entity{Index: i + 1, Class: p.class, Name: p.name, Model: p.model, Serial: fmt.Sprintf("%s-%s-%d", strings.ToUpper(p.class[:2]), s.serial(machine), i)}
		if other[p.name] {
			e.Model, e.Serial = p.model+"B", "N"+e.Serial
		}
		list = append(list, e)
	}
	return list, is
}
