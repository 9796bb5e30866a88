package ipmi

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/types"
)

// selInfo is an answer to Get SEL Info (section 31.2).
type selInfo struct {
	entries  uint16
	free     uint16 // bytes; ffff means that or more
	added    uint32
	erased   uint32
	overflow bool
}

const selRecordSize = 16

func parseSELInfo(b []byte) (selInfo, error) {
	if len(b) < 14 {
		return selInfo{}, fail("get sel info", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	return selInfo{
		entries:  binary.LittleEndian.Uint16(b[1:]),
		free:     binary.LittleEndian.Uint16(b[3:]),
		added:    binary.LittleEndian.Uint32(b[5:]),
		erased:   binary.LittleEndian.Uint32(b[9:]),
		overflow: b[13]&0x80 != 0,
	}, nil
}

// used is how full the log is, in percent.
func (i selInfo) used() fleet.Num {
	taken := int(i.entries) * selRecordSize
	if taken+int(i.free) == 0 {
		return fleet.Num{}
	}
	return fleet.FromFloat(100*float64(taken)/float64(taken+int(i.free)), 1)
}

// selRecord is one record of the log (section 32).
type selRecord struct {
	id       uint16
	kind     uint8
	stamp    uint32
	hasStamp bool
	address  address
	sensor   uint8 // type
	reading  uint8
	asserted bool
	data     [3]byte
	raw      [selRecordSize]byte
}

// Record types: system events, OEM with and without a time stamp.
const (
	selSystem    = 0x02
	selOEMStamp  = 0xc0
	selOEMPlain  = 0xe0
	preInitStamp = 0x20000000 // below it: seconds since the BMC started (section 37)
	noStamp      = 0xffffffff
)

func parseSEL(b []byte) (selRecord, error) {
	if len(b) < selRecordSize {
		return selRecord{}, fail("get sel entry", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	r := selRecord{id: binary.LittleEndian.Uint16(b), kind: b[2], raw: [selRecordSize]byte(b)}
	if r.kind < selOEMPlain {
		r.stamp = binary.LittleEndian.Uint32(b[3:])
		r.hasStamp = r.stamp >= preInitStamp && r.stamp != noStamp
	}
	if r.kind < selOEMStamp {
		r.address = address{owner: b[7], lun: b[8] & 3, number: b[11]}
		r.sensor = b[10]
		r.reading = b[12] & 0x7f
		r.asserted = b[12]&0x80 == 0
		r.data = [3]byte(b[13:16])
	} else {
		r.asserted = true
	}
	return r, nil
}

// event makes the house's noun of a record. guid and erased give the id that
// makes a second read idempotent; at is the best known time (the record's
// own, else the caller's).
func (r *selRecord) event(target, guid string, erased uint32, names map[address]string, at time.Time) fleet.Event {
	e := fleet.Event{
		ID:       fmt.Sprintf("sel:%s:%08x:%04x:%s", guid, erased, r.id, hex.EncodeToString(r.raw[3:])),
		At:       at,
		Target:   target,
		Source:   "sel",
		Asserted: r.asserted,
		Raw:      hex.EncodeToString(r.raw[:]),
	}
	if r.kind >= selOEMStamp {
		e.Type = "oem"
		e.Text = fmt.Sprintf("OEM record type %02xh", r.kind)
		return e
	}
	e.Type = types.SensorType(r.sensor).String()
	e.Sensor = names[r.address]
	if e.Sensor == "" {
		e.Sensor = fmt.Sprintf("%s %02xh", e.Type, r.address.number)
	}
	e.Memory = r.memory(erased)
	e.Text, e.Severity = eventWords(r.reading, r.sensor, r.data[0]&0x0f, r.asserted)
	if !r.asserted {
		e.Text += ": ended"
	}
	if !r.hasStamp {
		e.Text += " (time not set on the BMC)"
	}
	e.Text = fleet.Clean(e.Text, fleet.MaxText)
	return e
}

// Memory errors (table 42-3, sensor type 0Ch, sensor-specific events).
const (
	sensorMemory = 0x0c
	extraInData3 = 0x30 // event data 1, bits 5:4: byte 3 is of this sensor type, not the vendor's own
	anyModule    = 0xff
)

var memoryErrors = map[uint8]fleet.MemoryError{0: fleet.MemoryCorrected, 1: fleet.MemoryUncorrected, 5: fleet.MemoryLimit}

// memory reads a memory error off a record; nil: it is none. Byte 3 names the
// module only where byte 1 says that it is meant so: what vendors write into it
// otherwise is their own, and is not guessed.
func (r *selRecord) memory(erased uint32) *fleet.MemoryEvent {
	what, ok := memoryErrors[r.data[0]&0x0f]
	if !ok || r.kind != selSystem || r.sensor != sensorMemory || r.reading != readingSpecific {
		return nil
	}
	m := &fleet.MemoryEvent{Error: what, Epoch: erased, Record: r.id, Timed: r.hasStamp}
	if r.data[0]&0x30 == extraInData3 && r.data[2] != anyModule {
		m.Module = fmt.Sprintf("module %d", r.data[2])
	}
	return m
}

// time is the record's own time, in UTC.
func (r *selRecord) time() time.Time { return time.Unix(int64(r.stamp), 0).UTC() }
