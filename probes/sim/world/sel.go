package world

import (
	"math"
	"time"
)

// Record is one record of a system event log, in the terms of IPMI 2.0 table
// 32-1: Sensor and Type name what it is about, Dir is the event type with bit
// 7 set for a deassertion, Data are the three event data bytes.
type Record struct {
	ID     uint16  `json:"id"`
	At     int64   `json:"at"` // seconds since 1970
	Type   byte    `json:"type"`
	Sensor byte    `json:"sensor"`
	Dir    byte    `json:"dir"`
	Data   [3]byte `json:"data"`
}

// SELCapacity is how many records a log holds; a full one takes no more.
const SELCapacity = 512

const (
	discreteEvent  = 0x6f // sensor-specific
	thresholdEvent = 0x01
	deasserted     = 0x80
)

// Log returns the event log of a server, oldest first, and when it was last
// erased. The slice is not to be written.
func (w *World) Log(server int, now time.Time) (records []Record, erased time.Time) {
	r, _ := w.run(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	name := w.Servers[server].Name
	records, ok := w.state.SEL[name]
	if !ok {
		records = w.bornLog(server)
	}
	erased = w.state.Erased[name]
	if erased.IsZero() {
		erased = w.Born.Add(-200 * 24 * time.Hour)
	}
	if r.servers[server].selFull {
		records = w.fullLog(server, records)
	}
	return records, erased
}

// ClearLog erases a server's log; what remains is the record of it.
func (w *World) ClearLog(server int, now time.Time) error {
	return w.change(now, func(float64) error {
		name := w.Servers[server].Name
		w.state.SEL[name] = []Record{{ID: 1, At: now.Unix(), Type: 0x10, Sensor: SensorLog, Dir: discreteEvent, Data: [3]byte{2, 0xff, 0xff}}}
		w.state.Erased[name] = now.UTC()
		return nil
	})
}

// bornLog is the past of a server before the demo: a few old entries.
func (w *World) bornLog(server int) []Record {
	d := w.roll(w.Servers[server].Name, "sel")
	at := w.Born.Unix() - int64(d.between(20*daySeconds, 180*daySeconds))
	log := []Record{{ID: 1, At: at, Type: 0x10, Sensor: SensorLog, Dir: discreteEvent, Data: [3]byte{2, 0xff, 0xff}}}
	add := func(after float64, typ, sensor, dir byte, data ...byte) {
		at += int64(after)
		r := Record{ID: uint16(len(log) + 1), At: at, Type: typ, Sensor: sensor, Dir: dir, Data: [3]byte{0xff, 0xff, 0xff}}
		copy(r.Data[:], data)
		log = append(log, r)
	}
	for i := range d.of("count").n(3) {
		e := d.of("entry", string('a'+rune(i)))
		switch e.n(3) {
		case 0:
			add(e.between(3600, 5*daySeconds), 0x08, SensorPSU1, discreteEvent, 3)
			add(e.between(30, 600), 0x08, SensorPSU1, discreteEvent|deasserted, 3)
		case 1:
			add(e.between(3600, 5*daySeconds), 0x0c, SensorMemory, discreteEvent, 0)
		case 2:
			add(e.between(3600, 5*daySeconds), 0x05, SensorIntrusion, discreteEvent, 0)
			add(e.between(60, 1200), 0x05, SensorIntrusion, discreteEvent|deasserted, 0)
		}
	}
	return log
}

// fullLog is the log filled up with the same small complaint.
func (w *World) fullLog(server int, log []Record) []Record {
	full := append(make([]Record, 0, SELCapacity), log...)
	for len(full) < SELCapacity {
		at := w.Born.Unix() - int64(SELCapacity-len(full))*37
		full = append(full, Record{ID: uint16(len(full) + 1), At: at, Type: 0x0c, Sensor: SensorMemory, Dir: discreteEvent, Data: [3]byte{0, 0xff, 0xff}})
	}
	return full
}

// log writes what a BMC notes of the difference between two runs. mu is held.
func (w *World) log(prev, r *run, i int) {
	a, b := &prev.servers[i], &r.servers[i]
	if !a.alive() && !b.alive() {
		return
	}
	for psu := range 2 {
		if w.Servers[i].Cords[psu].PDU < 0 {
			continue
		}
		sensor := SensorPSU1 + byte(psu)
		if a.input[psu] != b.input[psu] && b.alive() {
			w.note(i, r.at, 0x08, sensor, discreteEvent, !b.input[psu], 3)
		}
		if a.psuOK[psu] != b.psuOK[psu] {
			w.note(i, r.at, 0x08, sensor, discreteEvent, !b.psuOK[psu], 1)
		}
	}
	if a.fan != b.fan {
		f := max(a.fan, b.fan)
		w.note(i, r.at, 0x04, SensorFan1+byte(f), thresholdEvent, b.fan >= 0, 0x50, 12, 18) // lower non-critical, going low
	}
	if a.heat != b.heat {
		w.note(i, r.at, 0x01, SensorInlet, thresholdEvent, b.heat > 0, 0x57, 36, 35) // upper non-critical, going high
	}
	if b.hung && !a.hung {
		w.note(i, r.at, 0x0c, SensorMemory, discreteEvent, true, 1)
		w.note(i, r.at, 0x20, SensorOS, discreteEvent, true, 1)
	}
	for n := a.ecc; n < b.ecc && b.on; n++ {
		offset := byte(0) // correctable ECC
		if n == eccLimit-1 {
			offset = 5 // correctable ECC logging limit reached
		}
		w.note(i, r.at, 0x0c, SensorMemory, discreteEvent, true, eccModuleSaid|offset, 0xff, eccModule(i))
	}
	if a.on != b.on && !a.lies && !b.lies && b.alive() {
		w.note(i, r.at, 0x09, SensorPowerUnit, discreteEvent, !b.on, 0)
	}
}

// note appends one record, unless the log is full. mu is held.
func (w *World) note(server int, t float64, typ, sensor, event byte, assert bool, data ...byte) {
	name := w.Servers[server].Name
	log, ok := w.state.SEL[name]
	if !ok {
		log = w.bornLog(server)
	}
	if len(log) >= SELCapacity {
		return
	}
	id := uint16(1)
	if n := len(log); n > 0 {
		id = log[n-1].ID + 1
	}
	if !assert {
		event |= deasserted
	}
	r := Record{ID: id, At: w.Born.Unix() + int64(math.Floor(t-epochBefore.Seconds())), Type: typ, Sensor: sensor, Dir: event, Data: [3]byte{0xff, 0xff, 0xff}}
	copy(r.Data[:], data)
	w.state.SEL[name] = append(log[:len(log):len(log)], r)
}
