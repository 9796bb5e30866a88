package ipmi

import (
	"bytes"
	"context"
	"errors"

	"plumb/fleet"
)

// params is one of the sets of numbered parameters that a BMC keeps: the boot
// options (section 28.12) and the LAN configuration (section 23.1). Parameter 0
// of each says that somebody is changing it.
type params struct {
	fn       netFn
	set, get uint8
	front    []byte // before the number: the channel
	skip     int    // octets before the data of an answer
	op       string
}

var bootOptions = params{fn: fnChassis, set: 0x08, get: 0x09, skip: 2, op: "boot options"}

func lanOf(channel byte) params {
	return params{fn: fnTransport, set: 0x01, get: 0x02, front: []byte{channel}, skip: 1, op: "lan configuration"}
}

const (
	paramInUse = 0

	setComplete   = 0
	setInProgress = 1
	commitWrite   = 2
)

// ccInUse refuses to mark what is marked already (sections 28.12 and 23.1).
const ccInUse completion = 0x81

// read returns the data of one parameter.
func (p params) read(ctx context.Context, ask asker, param byte) ([]byte, error) {
	op := "get " + p.op
	data, err := ask(ctx, command{fn: p.fn, cmd: p.get, data: append(bytes.Clone(p.front), param, 0, 0), op: op})
	if err != nil {
		return nil, err
	}
	if len(data) < p.skip {
		return nil, fail(op, fleet.ErrProtocol, "short answer")
	}
	return bytes.Clone(data[p.skip:]), nil
}

// write sets one parameter, once.
func (p params) write(ctx context.Context, s *session, param byte, data ...byte) error {
	_, err := s.doOnce(ctx, command{fn: p.fn, cmd: p.set, data: append(append(bytes.Clone(p.front), param), data...), op: "set " + p.op})
	return err
}

// change writes while the set is marked as being changed, so that two who do not
// know of each other do not mix their settings, and commits: a BMC that can take
// back what was written does so without. BMCs that have no such mark are changed
// without. It returns what came of write, or why it was not begun.
func (p params) change(ctx context.Context, s *session, write func() error) (begun bool, err error) {
	err = p.write(ctx, s, paramInUse, setInProgress)
	var r *refusal
	switch {
	case refusedWith(err, ccInUse):
		return false, fail("set "+p.op, fleet.ErrBusy, "somebody else is changing them")
	case errors.As(err, &r) && settled(err): // it has no such mark
		return true, write()
	}
	defer p.write(ctx, s, paramInUse, setComplete) // also where the answer was lost
	if err != nil {
		return false, lost(err)
	}
	if err = write(); !errors.As(err, &r) {
		_ = p.write(ctx, s, paramInUse, commitWrite) // optional
	}
	return true, err
}
