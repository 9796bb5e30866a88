package ipmi

import (
	"encoding/binary"
	"fmt"
)

// Types of sensor data records (section 43).
const (
	sdrFull       = 0x01
	sdrCompact    = 0x02
	sdrEventOnly  = 0x03
	sdrFRULocator = 0x11

	sdrHeaderSize = 5
	maxShare      = 16 // sensors one compact record may stand for
)

// address is where a sensor lives: section 5.4 and SDR bytes 6 to 8.
type address struct {
	owner   uint8 // slave address, or software id with bit 0 set
	lun     uint8
	channel uint8
	number  uint8
}

func (a address) key() string { return fmt.Sprintf("%02x.%x.%02x", a.owner, a.lun, a.number) }

// record is one sensor as its SDR describes it.
type record struct {
	address
	id        string // record id in decimal, ".n" for shared records
	name      string
	readable  bool  // event-only records have nothing to read
	kind      uint8 // sensor type, table 42-3
	reading   uint8 // event/reading type, table 42-1
	unit      [3]byte
	analogue  bool
	linear    uint8
	factors   factors
	access    uint8   // threshold access: 0 none, 1 readable, 2 settable, 3 fixed
	readMask  uint8   // thresholds that can be read: lnc lc lnr unc uc unr
	compares  uint8   // comparisons that a reading returns, same order
	threshold [6]byte // raw initial values, same order
	hasLimits bool    // the record carries threshold values
	ifPresent bool    // ignore it while its entity is absent
}

// locator is a FRU device the BMC can reach itself (record type 11h).
type locator struct {
	device uint8
	name   string
	entity uint8
}

// parseSDR reads one record: one sensor, several for a shared record, or
// none for a record that is not a sensor. An error means a record that breaks
// the standard; the walk skips it.
func parseSDR(b []byte) (list []record, fru *locator, err error) {
	defer func() {
		if r := recover(); r != nil { // belt to the bounds' braces: hostile bytes must not end a poll
			list, fru, err = nil, nil, fmt.Errorf("sensor record: %v", r)
		}
	}()
	if len(b) < sdrHeaderSize {
		return nil, nil, fmt.Errorf("sensor record: %d bytes", len(b))
	}
	if n := sdrHeaderSize + int(b[4]); n < len(b) {
		b = b[:n]
	}
	switch b[3] {
	case sdrFull:
		list, err = parseFull(b)
	case sdrCompact:
		list, err = parseCompact(b)
	case sdrEventOnly:
		list, err = parseEventOnly(b)
	case sdrFRULocator:
		fru, err = parseLocator(b)
	}
	return list, fru, err
}

// sdrID is a record's id.
func sdrID(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }

func short(b []byte, want int) error {
	if len(b) < want {
		return fmt.Errorf("sensor record %d: %d bytes, %d needed", sdrID(b), len(b), want)
	}
	return nil
}

// parseSensor reads what full and compact records share (bytes 6 to 23).
func parseSensor(b []byte) record {
	r := record{
		address:   address{owner: b[5], lun: b[6] & 3, channel: b[6] >> 4, number: b[7]},
		readable:  true,
		ifPresent: b[11]&0x80 != 0,
		access:    b[11] >> 2 & 3,
		kind:      b[12],
		reading:   b[13],
		unit:      [3]byte(b[20:23]),
	}
	r.id = fmt.Sprint(sdrID(b))
	if r.reading == readingThreshold {
		r.readMask = b[18] & 0x3f
		r.compares = b[15]>>4&7 | b[17]>>4&7<<3
		r.analogue = b[20]>>6 != 3
	}
	return r
}

// parseFull reads a full sensor record (section 43.1).
func parseFull(b []byte) ([]record, error) {
	const text = 47
	if err := short(b, text); err != nil {
		return nil, err
	}
	r := parseSensor(b)
	r.analogue = b[20]>>6 != 3
	r.linear = b[23] & 0x7f
	r.factors = parseFactors([6]byte(b[24:30]))
	r.threshold = [6]byte{b[41], b[40], b[39], b[38], b[37], b[36]}
	r.hasLimits = r.reading == readingThreshold && r.access != 0
	r.name = sdrName(b, text)
	return []record{r}, nil
}

// parseCompact reads a compact sensor record (section 43.2).
func parseCompact(b []byte) ([]record, error) {
	const text = 31
	if err := short(b, text); err != nil {
		return nil, err
	}
	r := parseSensor(b)
	r.analogue = false // a compact record has no factors
	r.name = sdrName(b, text)
	return share(r, b[23], b[24]), nil
}

// parseEventOnly reads an event-only record (section 43.3): a name for the
// log, nothing to read.
func parseEventOnly(b []byte) ([]record, error) {
	const text = 16
	if err := short(b, text); err != nil {
		return nil, err
	}
	r := record{
		address: address{owner: b[5], lun: b[6] & 3, channel: b[6] >> 4, number: b[7]},
		id:      fmt.Sprint(sdrID(b)),
		kind:    b[10],
		reading: b[11],
		name:    sdrName(b, text),
	}
	return share(r, b[12], b[13]), nil
}

// share makes the sensors of a shared record: numbers and names count up
// (section 43.2, bytes 24 and 25).
func share(r record, how, offset byte) []record {
	n := int(how & 0x0f)
	if n <= 1 {
		return []record{r}
	}
	list := make([]record, 0, min(n, maxShare))
	for i := range min(n, maxShare) {
		x := r
		x.number += uint8(i)
		x.id = fmt.Sprintf("%s.%d", r.id, i+1)
		suffix := int(offset&0x7f) + i
		if how>>4&3 == 1 {
			x.name = r.name + string(rune('A'+suffix%26))
		} else {
			x.name = fmt.Sprintf("%s%d", r.name, suffix)
		}
		list = append(list, x)
	}
	return list
}

func parseLocator(b []byte) (*locator, error) {
	const text = 15
	if err := short(b, text); err != nil {
		return nil, err
	}
	if b[5] != addrBMC || b[7]&0x80 == 0 || b[7]&0x1f != 0 { // not a logical device of the BMC itself
		return nil, nil
	}
	return &locator{device: b[6], entity: b[12], name: sdrName(b, text)}, nil
}

// sdrName reads the id string whose type/length byte stands at the offset. A
// string that is cut short is read as far as it goes; a sensor without a name
// gets its number.
func sdrName(b []byte, at int) string {
	if at < len(b) {
		text := b[at+1:]
		if n := int(b[at] & 0x1f); n < len(text) {
			text = text[:n]
		}
		if s := sdrText(b[at]>>6, text); s != "" {
			return s
		}
	}
	return fmt.Sprintf("sensor %02xh", b[7])
}
