package world

import (
	"math"
	"time"
)

// ServerState is what a server's BMC knows at a moment.
type ServerState struct {
	Reachable   bool // false: it answers nobody
	On          bool
	Watts       float64 // what it says it draws
	Input       [2]float64
	Identify    bool
	Firmware    string
	DefaultUser bool
	CipherZero  bool // it lets in who asks for no password at all
	LogFull     bool
	Shut        Shut
	Readings    []Reading // in the order of ServerModel.Sensors
}

// Reachable reports whether a server's BMC can be reached at now.
func (w *World) Reachable(server int, now time.Time) bool {
	_, reachable := w.BMC(server, now)
	return reachable
}

// BMC returns which start of a server's BMC this is, as a number that changes
// with every start and is 0 for the one before the demo, and whether it can be
// reached.
func (w *World) BMC(server int, now time.Time) (boot float64, reachable bool) {
	r, _ := w.run(now)
	s := &r.servers[server]
	return s.bmcBoot, !s.silent
}

// Server returns what the BMC of a server says. A BMC that lies says what
// would be if the host ran as usual.
func (w *World) Server(server int, now time.Time) ServerState {
	r, t := w.run(now)
	sv, s := &w.Servers[server], &r.servers[server]
	st := ServerState{Reachable: !s.silent, On: s.on || s.lies, Identify: s.ident > t, DefaultUser: s.badUser, CipherZero: s.cipher0, Shut: s.shut, LogFull: s.selFull, Firmware: sv.Firmware}
	if s.oldFW {
		st.Firmware = sv.Hardware.OldFirmware
	}
	x := r.temps(w.Layout, server, t)
	st.Input = r.watts(w.Layout, server, t)
	if s.lies {
		x, st.Input = lie(w.Layout, r, server, t)
	}
	st.Watts = st.Input[0] + st.Input[1]
	sensors := sv.Hardware.Sensors()
	st.Readings = make([]Reading, len(sensors))
	for i := range sensors {
		st.Readings[i] = s.reading(sv, &sensors[i], &st, x, t)
	}
	return st
}

// lie makes up readings: those of the host as it last ran, never moving.
func lie(l *Layout, r *run, n int, t float64) (temps, [2]float64) {
	sv := &l.Servers[n]
	frozen := math.Floor(t/daySeconds) * daySeconds
	fake := *r
	one := r.servers[n]
	one.on, one.load, one.lies = true, sv.Load, false
	fake.servers = append([]serverRun(nil), r.servers[:n+1]...)
	fake.servers[n] = one
	return fake.target(l, n, frozen), fake.watts(l, n, frozen)
}

func (s *serverRun) reading(sv *Server, d *Sensor, st *ServerState, x temps, t float64) Reading {
	m := sv.Hardware
	wave := ripple(t, 97+float64(d.Number), sv.Phase+float64(d.Number))
	val := func(v float64) Reading { return Reading{Value: v, OK: true} }
	host := func(v float64) Reading { return Reading{Value: v, OK: st.On} }
	switch n := d.Number; {
	case n == SensorInlet:
		return val(x.inlet)
	case n == SensorExhaust:
		return val(x.exhaust + 0.3*wave)
	case n == SensorCPU1:
		return host(x.cpu + 0.8*wave)
	case n == SensorCPU2:
		return host(x.cpu + 1.5 + 0.8*wave)
	case n == SensorDIMM:
		return host(x.inlet + 0.5*(x.cpu-x.inlet) + 0.4*wave)
	case n == SensorPCH:
		return host(x.inlet + 18 + 0.3*(x.cpu-x.inlet) + 0.3*wave)
	case n >= SensorFan1 && n < SensorFan1+Fans:
		v := m.FanRPM * (x.fan + 0.004*wave)
		if int8(n-SensorFan1) == s.fan {
			v = m.FanRPM * (0.14 + 0.01*wave) // under its warning, over its critical limit
		}
		return host(math.Max(0, v))
	case d.Quantity == Volts:
		return Reading{Value: d.Nominal * (1 + 0.004*wave), OK: st.On || n == SensorBattery || n == Sensor5V || n == Sensor3V3}
	case n == SensorPSU1Watts:
		return val(st.Input[0])
	case n == SensorPSU2Watts:
		return val(st.Input[1])
	case n == SensorWatts:
		return val(st.Watts)
	case n == SensorPSU1, n == SensorPSU2:
		return Reading{Bits: s.psuBits(sv, int(n-SensorPSU1)), OK: true}
	case n == SensorMemory:
		if s.hung {
			return Reading{Bits: 1 << 1, OK: true} // uncorrectable ECC
		}
		return Reading{OK: true}
	case n == SensorLog:
		if s.selFull {
			return Reading{Bits: LogFull, OK: true}
		}
		return Reading{OK: true}
	}
	return Reading{OK: true}
}

func (s *serverRun) psuBits(sv *Server, psu int) uint16 {
	switch {
	case sv.Cords[psu].PDU < 0:
		return 0 // the bay is empty
	case !s.psuOK[psu]:
		return PSUPresent | PSUFailed
	case !s.input[psu]:
		return PSUPresent | PSUInputLost
	}
	return PSUPresent
}
