package ipmi

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"plumb/fleet"
)

// Clear SEL (section 31.9).
const (
	eraseBegin  = 0xaa
	eraseStatus = 0x00
	eraseDone   = 1

	eraseFor = 10 * time.Second // flash is slow
)

// clearLog erases the event log, where every record of it was read by this
// probe: what the log has now must be what the polls left off at, to the newest
// record's last byte. It is compared after the reservation, so that what comes
// later than the comparison is all that could be missed.
func (h *hand) clearLog(ctx context.Context) error {
	if h.s.guid != h.guid {
		return h.refuse("the log of this machine was never read")
	}
	data, err := h.s.do(ctx, command{fn: fnStorage, cmd: 0x42, op: "reserve sel"})
	if err != nil {
		return lost(err)
	}
	if len(data) < 2 {
		return fail("reserve sel", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
	}
	reservation := [2]byte(data)
	info, err := h.logInfo(ctx)
	if err != nil {
		return lost(err)
	}
	h.out.Before = info.text()
	if info.entries == 0 {
		return h.already()
	}
	if err := h.allRead(ctx, info); err != nil {
		return err
	}
	erase := func(what byte) command {
		return command{fn: fnStorage, cmd: 0x47, data: []byte{reservation[0], reservation[1], 'C', 'L', 'R', what}, op: string(h.action.Kind)}
	}
	_, sent := h.s.doOnce(ctx, erase(eraseBegin))
	return h.confirm(ctx, sent, logEmpty, eraseFor, func() (string, error) {
		// Reading a log that is being erased tells nothing. A BMC that gives up
		// the reservation with the log cannot be asked; the log itself can.
		if b, err := h.s.do(ctx, erase(eraseStatus)); err == nil && len(b) > 0 && b[0]&15 != eraseDone {
			return "being erased", nil
		}
		now, err := h.logInfo(ctx)
		if err == nil && (now.erased != info.erased || now.entries <= 1 && now != info) {
			return logEmpty, nil
		}
		return now.text(), err
	})
}

// logEmpty says that nothing is left, or only the record of the erasing.
const logEmpty = "empty"

// text is how full a log is, in words.
func (i selInfo) text() string {
	if i.entries == 0 {
		return logEmpty
	}
	s := fmt.Sprintf("%d records", i.entries)
	if used := i.used(); used.Known {
		s += fmt.Sprintf(", %.0f %% used", used.Float())
	}
	return s
}

func (h *hand) logInfo(ctx context.Context) (selInfo, error) {
	data, err := h.s.do(ctx, command{fn: fnStorage, cmd: 0x40, op: "get sel info"})
	if err != nil {
		return selInfo{}, err
	}
	return parseSELInfo(data)
}

// allRead refuses where the log holds what no poll has read.
func (h *hand) allRead(ctx context.Context, info selInfo) error {
	c := &h.log
	if !c.known || !c.caught || info.entries != c.info.entries || info.added != c.info.added || info.erased != c.info.erased {
		return h.refuse("the log holds records that were not read yet")
	}
	data, err := h.s.do(ctx, command{fn: fnStorage, cmd: 0x43, data: []byte{0, 0, 0xff, 0xff, 0, 0xff}, op: "get sel entry"})
	if err != nil {
		return lost(err)
	}
	if len(data) < 2+selRecordSize {
		return fail("get sel entry", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
	}
	if [selRecordSize]byte(data[2:]) != c.last || !c.begun {
		return h.refuse(fmt.Sprintf("the newest record, %d, was not read yet", binary.LittleEndian.Uint16(data[2:])))
	}
	return nil
}
