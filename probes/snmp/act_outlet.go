package snmp

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"plumb/fleet"
)

// Commands of rPDU2OutletSwitchedControlCommand and of rPDUOutletControlOutletCommand
// (PowerNet-MIB). The delayed ones, 4 to 6, are not sent: what happens later
// happens behind every guard.
const (
	immediateOn     = 1
	immediateOff    = 2
	immediateReboot = 3
)

// commandPending: a command waits on the outlet (PowerNet-MIB, both tables).
const commandPending = 1

// outlet is the outlet of an action as it was found.
type outlet struct {
	table  *outletTable
	number uint32
}

func (o *outlet) state() oid { return o.table.state.plus(o.number) }

func (h *hand) outletOn(ctx context.Context) error {
	return h.switchOutlet(ctx, immediateOn, outletOn)
}

func (h *hand) outletOff(ctx context.Context) error {
	return h.switchOutlet(ctx, immediateOff, outletOff)
}

// switchOutlet switches an outlet that is not as it is wanted.
func (h *hand) switchOutlet(ctx context.Context, command int64, want string) error {
	o, err := h.findOutlet(ctx)
	if err != nil {
		return err
	}
	if h.out.Before == want {
		return h.already()
	}
	lost, err := h.put(ctx, write{o.table.what + " command", o.table.command.plus(o.number), integer(command)})
	if err != nil {
		return err
	}
	took, err := h.awaitOutlet(ctx, o, want, h.wait.settle)
	return h.told(o, want, took, lost, err)
}

// outletCycle lets the PDU switch the outlet off and, after the time that is
// set in it, on again. The PDU does that by itself: nothing is to be sent when
// it is off.
func (h *hand) outletCycle(ctx context.Context) error {
	o, err := h.findOutlet(ctx)
	if err != nil {
		return err
	}
	if h.out.Before != outletOn {
		return h.refuse("outlet-cycle", "the outlet is "+h.out.Before)
	}
	v, err := h.get(ctx, o.table.reboot.plus(o.number))
	if err != nil {
		return &stepError{"read reboot duration", err}
	}
	takes := time.Duration(max(0, v[0].small())) * time.Second
	lost, err := h.put(ctx, write{o.table.what + " command", o.table.command.plus(o.number), integer(immediateReboot)})
	if err != nil {
		return err
	}
	if _, err := h.awaitOutlet(ctx, o, outletOff, h.wait.settle); err != nil || h.out.After != outletOff {
		return h.told(o, outletOff, h.wait.settle, lost, err)
	}
	took, err := h.awaitOutlet(ctx, o, outletOn, min(takes+h.wait.settle, h.wait.cycle))
	if h.out.After == outletOff { // seen to be under way, and the PDU ends it
		h.out.Done, h.out.Text = true, fmt.Sprintf("outlet %d is off for %v; it was not awaited to come back", o.number, takes)
		return nil
	}
	return h.told(o, outletOn, took, nil, err)
}

// findOutlet finds the outlet in a table that can switch it, makes sure of the
// machine, and reads the state.
func (h *hand) findOutlet(ctx context.Context) (*outlet, error) {
	n, err := strconv.ParseUint(h.name, 10, 31)
	if err != nil || n == 0 {
		return nil, h.refuse("find outlet", fmt.Sprintf("%q is not the number of an outlet", fleet.Clean(h.name, 64)))
	}
	for i := range outletTables {
		o := &outlet{&outletTables[i], uint32(n)}
		if o.table.command == nil {
			continue
		}
		v, err := h.get(ctx, o.state(), o.table.command.plus(o.number), o.table.pending.plus(o.number))
		if err != nil {
			return nil, &stepError{"find outlet", err}
		}
		if !v[0].exists() || !v[1].exists() {
			continue
		}
		if err := h.checkSerial(ctx, h.action.Serial); err != nil {
			return nil, &stepError{"check identity", err}
		}
		h.out.Before = o.table.word(v[0])
		if v[2].small() == commandPending {
			h.out.After, h.out.Text = h.out.Before, "a command waits on it already; nothing written"
			return nil, &stepError{"find outlet", fmt.Errorf("%w: a command waits on outlet %d", fleet.ErrBusy, n)}
		}
		return o, nil
	}
	return nil, h.refuse("find outlet", fmt.Sprintf("the device has no outlet %d that can be switched", n))
}

// awaitOutlet looks until the outlet is as it is wanted, or it takes too long;
// what was seen last is the outcome's After.
func (h *hand) awaitOutlet(ctx context.Context, o *outlet, want string, within time.Duration) (took time.Duration, err error) {
	return h.until(ctx, within, func() (bool, error) {
		v, err := h.get(ctx, o.state())
		if err != nil {
			return false, err
		}
		h.out.After = o.table.word(v[0])
		return h.out.After == want, nil
	})
}

// told puts into words what was said and what is seen. PDUs are known to say
// yes and to switch nothing, or to switch late: after a yes what is seen is
// told and no error; after silence it decides.
func (h *hand) told(o *outlet, want string, took time.Duration, lost, err error) error {
	switch {
	case err != nil:
		return h.unseen(o.table.what, err)
	case h.out.After == want:
		h.out.Done = true
		h.out.Text = fmt.Sprintf("outlet %d: %s -> %s within %.1f s", o.number, h.out.Before, want, took.Seconds())
		if h.action.Kind == fleet.ActOutletCycle {
			h.out.Text = fmt.Sprintf("outlet %d: off and on again, %.1f s later", o.number, took.Seconds())
		}
		return nil
	case lost != nil:
		return h.notSo(o.table.what+" command", lost)
	}
	h.out.Done = true
	h.out.Text = fmt.Sprintf("the PDU said yes, still %s after %.1f s", h.out.After, took.Seconds())
	return nil
}
