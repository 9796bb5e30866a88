package ipmi

import (
	"context"
	"fmt"
	"strconv"

	"plumb/fleet"
)

// identify switches the identify light (Chassis Identify, section 28.5).
func (h *hand) identify(ctx context.Context) error {
	data, err := identifyData(h.action.Args["seconds"])
	if err != nil {
		return err
	}
	out := h.out
	if c, err := askChassis(ctx, h.s.do); err == nil {
		out.Before = c.identify
	}
	if _, err := h.s.doOnce(ctx, command{fn: fnChassis, cmd: 0x04, data: data, op: string(h.action.Kind)}); err != nil {
		if !h.declined(err) {
			out.Text = "no answer: it may have happened"
		}
		return lost(err)
	}
	out.Done, out.Text = true, "the BMC said yes"
	if c, err := askChassis(ctx, h.s.do); err == nil && c.identify != "" {
		out.After = c.identify
		out.Text += "; the light is " + c.identify
	}
	return nil
}

const identifyDefault = 15 // seconds, the standard's own

func identifyData(seconds string) ([]byte, error) {
	switch seconds {
	case "":
		return []byte{identifyDefault}, nil
	case "on":
		return []byte{0, 1}, nil
	}
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 || n > 255 {
		return nil, fail("identify", fleet.ErrUnsupported, fmt.Sprintf("seconds %q is not 0 to 255 or \"on\"", fleet.Clean(seconds, 40)))
	}
	return []byte{byte(n)}, nil
}
