package bmc

import (
	"math"
	"sync"

	"plumb/probes/sim/world"
)

// encoded is a model's sensors as the wire has them. It is shared and never
// written.
type encoded struct {
	sensors []sensor
	byNum   [256]int16 // place in sensors, or -1
	records [][]byte   // SDRs; record id is the place plus one
}

// sensor is one sensor with its conversion y = M x * 10^exp (IPMI 2.0 section
// 36.3, with B = 0).
type sensor struct {
	world.Sensor
	m      int
	exp    int
	limits [6]byte // raw, in the order of threshold bits: LNC LC LNR UNC UC UNR
	has    byte    // bit mask of the limits that exist
}

var models sync.Map // *world.ServerModel to *encoded

func encodedModel(m *world.ServerModel) *encoded {
	if e, ok := models.Load(m); ok {
		return e.(*encoded)
	}
	e, _ := models.LoadOrStore(m, encode(m))
	return e.(*encoded)
}

func encode(m *world.ServerModel) *encoded {
	e := &encoded{}
	for i := range e.byNum {
		e.byNum[i] = -1
	}
	for i, d := range m.Sensors() {
		s := sensor{Sensor: d, m: 1}
		switch d.Quantity {
		case world.RPM:
			s.m = int(math.Ceil(m.FanRPM*1.05/2550)) * 10
		case world.Volts:
			s.m, s.exp = int(math.Ceil(d.Nominal*1250/255)), -3
		case world.Watts:
			s.m = 4
		}
		for bit, v := range [...]float64{d.LowWarn, d.LowCrit, math.NaN(), d.HighWarn, d.HighCrit, math.NaN()} {
			if d.Quantity != world.Discrete && !math.IsNaN(v) {
				s.limits[bit] = s.raw(v)
				s.has |= 1 << bit
			}
		}
		e.byNum[d.Number] = int16(i)
		e.sensors = append(e.sensors, s)
		if d.Quantity == world.Discrete {
			e.add(0x02, s.compact())
		} else {
			e.add(0x01, s.full())
		}
	}
	e.add(0x12, controllerLocator())
	e.add(0x11, fruLocator())
	return e
}

// raw converts a value to the wire's byte, saturating.
func (s *sensor) raw(v float64) byte {
	return byte(max(0, min(255, math.Round(v/float64(s.m)*math.Pow10(-s.exp)))))
}

// over returns the threshold bits that a raw reading has passed.
func (s *sensor) over(raw byte) (bits byte) {
	for bit, limit := range s.limits {
		if s.has&(1<<bit) == 0 {
			continue
		}
		if bit < 3 && raw <= limit || bit >= 3 && raw >= limit {
			bits |= 1 << bit
		}
	}
	return bits
}

// add appends a record with its header (IPMI 2.0 section 43).
func (e *encoded) add(kind byte, body []byte) {
	id := len(e.records) + 1
	e.records = append(e.records, append([]byte{byte(id), byte(id >> 8), 0x51, kind, byte(len(body))}, body...))
}

// idString is a type/length byte with 8-bit text.
func idString(s string) []byte { return append([]byte{0xc0 | byte(len(s))}, s...) }

var units = map[world.Quantity]byte{world.Celsius: 1, world.Volts: 4, world.Watts: 6, world.RPM: 18}

// full is the body of a full sensor record (table 43-1).
func (s *sensor) full() []byte {
	const lower, upper = 0x07, 0x38
	events := thresholdEvents(s.has)
	b := []byte{
		0x20, 0, s.Number, s.Entity, s.Instance,
		0x7f,                   // scanning, events, thresholds and type are initialised
		0x40 | 0x04*b01(s.has), // re-arms itself; thresholds are readable
		s.Type, 0x01,
		byte(events), byte(events>>8) | (s.has&lower)<<4,
		byte(events), byte(events>>8) | (s.has & upper << 1),
		s.has, 0,
		0, units[s.Quantity], 0, // unsigned; base unit; no modifier
		0,                                  // linear
		byte(s.m), byte(s.m >> 8 & 3 << 6), // M, tolerance 0
		0, 0, 0, // B, accuracy
		byte(s.exp << 4),
		0x01, s.raw(s.Nominal), 0, 0, // only the nominal reading is specified
		0xff, 0x00, // sensor maximum and minimum
		s.limits[5], s.limits[4], s.limits[3], s.limits[2], s.limits[1], s.limits[0],
		0, 0, // hysteresis
		0, 0, 0,
	}
	return append(b, idString(s.Name)...)
}

func b01(has byte) byte {
	if has != 0 {
		return 1
	}
	return 0
}

// thresholdEvents is the mask of events: low limits going low, high ones going high.
func thresholdEvents(has byte) (mask uint16) {
	for bit, event := range [...]uint16{1 << 0, 1 << 2, 1 << 4, 1 << 7, 1 << 9, 1 << 11} {
		if has&(1<<bit) != 0 {
			mask |= event
		}
	}
	return mask
}

// compact is the body of a compact sensor record (table 43-2).
func (s *sensor) compact() []byte {
	states := discreteStates[s.Type]
	b := []byte{
		0x20, 0, s.Number, s.Entity, s.Instance, 0x67, 0x40, s.Type, 0x6f,
		byte(states), byte(states >> 8), byte(states), byte(states >> 8), byte(states), byte(states >> 8),
		0xc0, 0, 0, // no analogue reading
		0x01, 0, 0, 0, 0, 0, 0, 0,
	}
	return append(b, idString(s.Name)...)
}

// discreteStates are the states a sensor type can show here.
var discreteStates = map[byte]uint16{0x08: 0x000b, 0x05: 0x0001, 0x0c: 0x0003, 0x10: 0x0030}

// controllerLocator is a management controller device locator (table 43-9).
func controllerLocator() []byte {
	return append([]byte{0x20, 0, 0, 0x2f, 0, 0, 0, 0x06, 1, 0}, idString("BMC")...)
}

// fruLocator is a FRU device locator (table 43-8): logical FRU 0.
func fruLocator() []byte {
	return append([]byte{0x20, 0, 0x80, 0, 0, 0x10, 0, 0x07, 1, 0}, idString("System Board")...)
}

// Wire returns a value of a model's sensor as a client of the BMC reads it:
// n * 10^scale after the rounding to a byte.
func Wire(m *world.ServerModel, place int, v float64) (n int64, scale int8) {
	s := &encodedModel(m).sensors[place]
	return int64(s.raw(v)) * int64(s.m), int8(s.exp)
}
