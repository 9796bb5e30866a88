package ipmi

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"plumb/fleet"
)

// logCursor remembers how far the event log was read.
type logCursor struct {
	known  bool
	caught bool // everything up to info was read
	info   selInfo
	last   [selRecordSize]byte // the newest record read
	begun  bool                // last is valid
	stamp  time.Time           // newest time seen in it
}

// Records read in one poll; what is more waits for the next.
const (
	logBudget     = 256
	fastLogBudget = 16
)

const lastSEL = 0xffff

// readLog asks whether the log changed and reads what is new, oldest first.
// The fast lane asks too, and reads a few: a fault should not wait for the
// tables lane.
func (b *BMC) readLog(ctx context.Context, o *fleet.Observation, lane fleet.Lane) error {
	data, err := b.ask(ctx, command{fn: fnStorage, cmd: 0x40, op: "get sel info"})
	if err == nil {
		var info selInfo
		if info, err = parseSELInfo(data); err == nil {
			logFacts(o, info)
			return b.readNew(ctx, o, lane, info)
		}
	}
	switch {
	case over(err):
		return err
	case lane == fleet.LaneFast:
	case refusedWith(err, ccInvalidCommand, ccInvalidLUN):
		o.SetTable(fleet.TableEvents, fleet.Absent)
	default:
		o.SetTable(fleet.TableEvents, fleet.Failed)
	}
	return nil
}

func logFacts(o *fleet.Observation, info selInfo) {
	o.Facts.SetNum("sel.entries", fleet.Int(int64(info.entries)), true)
	o.Facts.SetNum("sel.used_percent", info.used(), true)
	overflow := "no" // said each time: a fact that is not named stays
	if info.overflow {
		overflow = "yes"
	}
	o.Facts.Set("sel.overflow", overflow)
}

// readNew reads the records behind the cursor.
func (b *BMC) readNew(ctx context.Context, o *fleet.Observation, lane fleet.Lane, info selInfo) error {
	c := &b.log
	if c.known && (info.erased != c.info.erased || info.entries < c.info.entries) {
		*c = logCursor{} // cleared: a new epoch
	}
	if info.entries == 0 || c.known && c.caught && info == c.info {
		c.known, c.caught, c.info = true, true, info
		if lane != fleet.LaneFast {
			o.SetTable(fleet.TableEvents, fleet.Complete)
		}
		return nil
	}
	budget := logBudget
	if lane == fleet.LaneFast && c.known {
		budget = fastLogBudget
	}
	c.known, c.info, c.caught = true, info, false
	trouble, err := b.follow(ctx, o, budget)
	o.SetTable(fleet.TableEvents, fleet.Partial)
	if c.caught && trouble == nil {
		o.SetTable(fleet.TableEvents, fleet.Complete)
	}
	return err
}

// follow reads from the cursor on. trouble is a record that could not be
// read; err ends the poll.
func (b *BMC) follow(ctx context.Context, o *fleet.Observation, budget int) (trouble, err error) {
	c := &b.log
	id := uint16(0)
	if c.begun {
		next, rec, err := b.readEntry(ctx, binary.LittleEndian.Uint16(c.last[:]))
		switch {
		case over(err):
			return nil, err
		case err == nil && rec.raw == c.last && next == lastSEL:
			c.caught = true
			return nil, nil
		case err == nil && rec.raw == c.last:
			id = next
		default:
			c.begun = false // overwritten: read what there is; ids make it idempotent
		}
	}
	seen := map[uint16]bool{}
	for range budget {
		next, rec, err := b.readEntry(ctx, id)
		if over(err) {
			return nil, err
		}
		if refusedWith(err, ccNotPresent) && !c.begun { // emptied meanwhile
			c.caught = true
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
		b.note(o, rec)
		seen[id], seen[rec.id] = true, true
		if next == lastSEL {
			c.caught = true
			return nil, nil
		}
		if seen[next] {
			c.caught = true
			return fail("get sel entry", fleet.ErrProtocol, fmt.Sprintf("record %d points back to %d", rec.id, next)), nil
		}
		id = next
	}
	return nil, nil
}

// note makes an event of a record and moves the cursor. A record without a
// time stands where it stands in the log: at the time of the one before it.
func (b *BMC) note(o *fleet.Observation, rec selRecord) {
	c := &b.log
	c.last, c.begun = rec.raw, true
	if rec.hasStamp {
		c.stamp = rec.time()
	}
	at := c.stamp
	if at.IsZero() {
		at = o.At
		if e := c.info.erased; e >= preInitStamp && e != noStamp {
			at = time.Unix(int64(e), 0).UTC()
		}
	}
	o.Events = append(o.Events, rec.event(b.cfg.Target, b.logGUID(), c.info.erased, b.names(), at))
}

// logGUID names the machine in event ids.
func (b *BMC) logGUID() string {
	if b.guid == [16]byte{} {
		return b.cfg.Target
	}
	return hex.EncodeToString(b.guid[:])
}

func (b *BMC) names() map[address]string {
	if b.sensors == nil {
		return nil
	}
	return b.sensors.names
}

// readEntry is Get SEL Entry (section 31.5), whole, so without reservation.
func (b *BMC) readEntry(ctx context.Context, id uint16) (next uint16, rec selRecord, err error) {
	req := []byte{0, 0, byte(id), byte(id >> 8), 0, 0xff}
	data, err := b.ask(ctx, command{fn: fnStorage, cmd: 0x43, data: req, op: "get sel entry"})
	if err != nil {
		return 0, rec, err
	}
	if len(data) < 2 {
		return 0, rec, fail("get sel entry", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
	}
	rec, err = parseSEL(data[2:])
	return binary.LittleEndian.Uint16(data), rec, err
}
