package ipmi

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// resetFor is how long a BMC is awaited after a reset. Many take minutes: those
// are for the polls to see.
const resetFor = 20 * time.Second

// resetBMC restarts the BMC itself (Cold Reset, section 20.2). The session goes
// with it, on purpose: that it is gone while the BMC answers is how the restart
// is seen.
func (h *hand) resetBMC(ctx context.Context) error {
	data, err := h.s.do(ctx, command{fn: fnApp, cmd: 0x01, op: "get device id"})
	if err != nil {
		return lost(err)
	}
	h.out.Before = "running"
	if d, err := parseDeviceID(data); err == nil {
		h.out.Before += ", firmware " + d.version()
	}
	_, sent := h.s.doOnce(ctx, command{fn: fnApp, cmd: 0x02, op: string(h.action.Kind)})
	if h.declined(sent) {
		return sent
	}
	h.out.Done = sent == nil
	said := "accepted"
	if sent != nil {
		said = "no answer"
	}
	began := time.Now()
	h.out.After = h.awaitRestart(ctx)
	took := time.Since(began).Seconds()
	if h.out.After != bmcSame {
		h.drop() // the reading session went too
	}
	switch h.out.After {
	case bmcBack:
		h.out.Done = true
		h.out.Text = fmt.Sprintf("%s; it restarted and answered again after %.0f s", said, took)
		return nil
	case bmcUnseen:
		h.out.After, h.out.Text = "", said+"; it answers nobody without a login, and none was tried while it starts"
	case bmcSilent:
		h.out.Text = fmt.Sprintf("%s; it is silent after %.0f s, as it is while it starts", said, took)
	default:
		h.out.Text = fmt.Sprintf("%s; it has not restarted after %.0f s", said, took)
	}
	return lost(sent)
}

// What is seen of a BMC after a reset.
const (
	bmcBack   = "restarted"
	bmcSilent = "silent"
	bmcSame   = "running"
	bmcUnseen = "unseen" // it is indoors
)

// awaitRestart looks until the BMC answers and the old session is gone. No login
// is tried: a BMC that starts may refuse one for reasons of its own.
func (h *hand) awaitRestart(ctx context.Context) string {
	seen := bmcSilent
	for began := time.Now(); time.Since(began) < h.restart; {
		if pause(ctx, settleStep, "await restart") != nil {
			break
		}
		if _, err := h.s.do(ctx, command{fn: fnApp, cmd: 0x01, op: "get device id"}); err == nil {
			seen = bmcSame
			continue
		}
		if h.indoors {
			return bmcUnseen
		}
		if seen = bmcSilent; h.answers(ctx) {
			return bmcBack
		}
	}
	return seen
}

// answers asks from outside, on a socket of its own.
func (h *hand) answers(ctx context.Context) bool {
	l, err := dial(ctx, h.address, &h.sent)
	if err != nil {
		return false
	}
	defer l.close()
	_, err = askAuthCaps(ctx, outside(l), privUser)
	var r *refusal
	return err == nil || errors.As(err, &r)
}
