package ipmi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"plumb/fleet"
)

// deviceID is an answer to Get Device ID (section 20.1).
type deviceID struct {
	id, revision uint8
	firmware     [2]uint8 // major, minor in BCD
	aux          [4]uint8
	maker        uint32 // IANA enterprise number
	product      uint16
	deviceSDRs   bool // provides device SDRs
	repository   bool // is an SDR repository
	sel          bool
	fru          bool
}

func parseDeviceID(b []byte) (deviceID, error) {
	if len(b) < 11 {
		return deviceID{}, fail("get device id", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	d := deviceID{
		id: b[0], revision: b[1] & 15, deviceSDRs: b[1]&0x80 != 0,
		firmware:   [2]uint8{b[2] & 0x7f, b[3]},
		repository: b[5]&2 != 0, sel: b[5]&4 != 0, fru: b[5]&8 != 0,
		maker:   (uint32(b[6]) | uint32(b[7])<<8 | uint32(b[8])<<16) & 0xfffff,
		product: binary.LittleEndian.Uint16(b[9:]),
	}
	if len(b) >= 15 {
		copy(d.aux[:], b[11:])
	}
	return d, nil
}

// version is the firmware as vendors print it: 1.07.
func (d deviceID) version() string { return fmt.Sprintf("%d.%02x", d.firmware[0], d.firmware[1]) }

// Bounds of one repository, and of one walk.
const (
	maxRecords = 4096
	wholeSDR   = 0xff // "the entire record"
	lastSDR    = 0xffff
	sdrChunk   = 32 // where a BMC refuses whole records
	minChunk   = 8
)

// walk is a reading of the sensor records that is under way. A slow BMC may
// need several polls for it; it goes on where it stopped.
type walk struct {
	key         sdrKey
	fn          netFn
	get, pledge uint8 // commands: get record, reserve
	next        uint16
	reservation uint16
	reserved    bool
	strict      bool // wants a reservation even for whole records
	chunk       int  // 0xff while whole records work
	seen        map[uint16]bool
	records     [][]byte
	trouble     string
	done        bool
}

func newWalk(key sdrKey) *walk {
	w := &walk{key: key, fn: fnStorage, get: 0x23, pledge: 0x22, chunk: wholeSDR, seen: map[uint16]bool{}}
	if key.isDevice {
		w.fn, w.get, w.pledge = fnSensor, 0x21, 0x22
	}
	return w
}

// sdrInfo asks how many records there are and when they changed: Get SDR
// Repository Info (section 33.9), or Get Device SDR Info (section 35.2) where
// the BMC has no repository.
func (b *BMC) sdrInfo(ctx context.Context) (sdrKey, error) {
	key := sdrKey{device: b.device.id, revision: b.device.revision, firmware: b.device.firmware}
	if !b.device.repository && b.device.deviceSDRs {
		d, err := b.ask(ctx, command{fn: fnSensor, cmd: 0x20, op: "get device sdr info"})
		if err != nil {
			return key, err
		}
		if len(d) < 2 {
			return key, fail("get device sdr info", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(d)))
		}
		key.isDevice, key.isStatic, key.records = true, d[1]&0x80 == 0, uint16(d[0])
		if len(d) >= 6 {
			key.added = binary.LittleEndian.Uint32(d[2:])
		}
		return key, nil
	}
	d, err := b.ask(ctx, command{fn: fnStorage, cmd: 0x20, op: "get sdr repository info"})
	if err != nil {
		return key, err
	}
	if len(d) < 13 {
		return key, fail("get sdr repository info", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(d)))
	}
	key.records = binary.LittleEndian.Uint16(d[1:])
	key.added = binary.LittleEndian.Uint32(d[5:])
	key.erased = binary.LittleEndian.Uint32(d[9:])
	return key, nil
}

// validate makes sure that the sensors known are those the BMC has. It walks
// the records only when they changed; an unfinished walk of the same records
// goes on. The old sensors serve until the new ones are whole.
func (b *BMC) validate(ctx context.Context) error {
	key, err := b.sdrInfo(ctx)
	if err != nil {
		return err
	}
	if b.sensors != nil && b.sensors.key == key && b.walk == nil {
		b.valid = true
		return nil
	}
	if b.walk == nil || b.walk.key != key {
		b.walk = newWalk(key)
	}
	err = b.resume(ctx, b.walk)
	if b.walk.done || b.sensors == nil && len(b.walk.records) > 0 {
		rep := newRepository(key, b.walk.records, b.quirks)
		if b.walk.trouble != "" {
			rep.flaw(b.walk.trouble)
		}
		if !b.walk.done {
			rep.flaw("the sensor records are still being read")
		}
		b.sensors = rep
	}
	if b.walk.done {
		b.walk, b.valid = nil, true
	}
	return err
}

// resume reads records until the last one, an error that ends the poll, or a
// bound.
func (b *BMC) resume(ctx context.Context, w *walk) error {
	for !w.done {
		id := w.next
		next, rec, err := b.readRecord(ctx, w, id)
		if w.key.records == 0 && refusedWith(err, ccNotPresent) { // it has none, and says so
			w.done = true
			return nil
		}
		if over(err) || errors.Is(err, fleet.ErrBusy) { // later, from here
			return err
		}
		if err != nil && w.trouble == "" {
			w.trouble = fmt.Sprintf("sensor record %d could not be read: %v", id, err)
		}
		w.seen[id] = true
		if len(rec) > 0 {
			w.seen[sdrID(rec)] = true // record 0 answers with its real id
			w.records = append(w.records, rec)
		}
		switch {
		case next == lastSDR:
			w.done = true
		case w.seen[next]:
			w.done, w.trouble = true, fmt.Sprintf("sensor record %d points back to %d", id, next)
		case len(w.records) >= maxRecords || len(w.seen) > 2*maxRecords:
			w.done, w.trouble = true, fmt.Sprintf("more than %d sensor records", maxRecords)
		}
		w.next = next
	}
	return nil
}

// readRecord reads one record, whole if the BMC can, in pieces if not, and
// says which comes next. A record that cannot be read still tells its next;
// if not even that, the walk ends.
func (b *BMC) readRecord(ctx context.Context, w *walk, id uint16) (next uint16, rec []byte, err error) {
	next = lastSDR
	want := sdrHeaderSize
	for pledges := 0; len(rec) < want; {
		n := min(w.chunk, 0xff)
		if len(rec) > 0 || w.chunk != wholeSDR {
			n = min(w.chunk, want-len(rec), 0xff-1)
			if len(rec) == 0 {
				n = sdrHeaderSize
			}
		}
		data, err := b.readPiece(ctx, w, id, len(rec), n)
		switch {
		case refusedWith(err, ccReservation) && pledges < 3:
			w.reserved, w.strict, pledges = false, true, pledges+1
			continue
		case refusedWith(err, ccTooMany, ccLength, ccFieldLength, ccUnspecified, ccRange, ccTruncated) && w.shrink(n):
			continue
		case err != nil:
			return next, nil, err
		}
		next = binary.LittleEndian.Uint16(data)
		if len(data) == 2 {
			return next, nil, fail("get sdr", fleet.ErrProtocol, "an empty piece of a record")
		}
		rec = append(rec, data[2:]...)
		if len(rec) >= sdrHeaderSize {
			want = sdrHeaderSize + int(rec[4])
		}
	}
	return next, rec[:want], nil
}

// shrink asks for less next time; false when it cannot be less.
func (w *walk) shrink(n int) bool {
	switch {
	case n == wholeSDR:
		w.chunk = sdrChunk
	case w.chunk > minChunk:
		w.chunk /= 2
	default:
		return false
	}
	return true
}

// readPiece is Get SDR (section 33.12). Reading from inside a record needs a
// reservation.
func (b *BMC) readPiece(ctx context.Context, w *walk, id uint16, at, n int) ([]byte, error) {
	if (at > 0 || w.strict) && !w.reserved {
		d, err := b.ask(ctx, command{fn: w.fn, cmd: w.pledge, op: "reserve sdr repository"})
		if err != nil {
			return nil, err
		}
		if len(d) < 2 {
			return nil, fail("reserve sdr repository", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(d)))
		}
		w.reservation, w.reserved = binary.LittleEndian.Uint16(d), true
	}
	req := binary.LittleEndian.AppendUint16(nil, w.reservation)
	req = binary.LittleEndian.AppendUint16(req, id)
	data, err := b.ask(ctx, command{fn: w.fn, cmd: w.get, data: append(req, byte(at), byte(n)), op: "get sdr"})
	if err == nil && len(data) < 2 {
		err = fail("get sdr", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
	}
	return data, err
}
