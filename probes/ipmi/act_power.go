package ipmi

import (
	"context"
	"fmt"
	"time"

	"plumb/fleet"
)

// Chassis Control (section 28.3): the one byte it takes.
const (
	controlOff   = 0x00
	controlOn    = 0x01
	controlCycle = 0x02
	controlReset = 0x03
	controlSoft  = 0x05
)

// power says what a power action sends and what must be true around it.
type power struct {
	control byte
	needsOn bool        // makes no sense on a machine that is off
	becomes fleet.Power // what it leads to
}

var powers = map[fleet.ActionKind]power{
	fleet.ActPowerOn:    {control: controlOn, becomes: fleet.PowerOn},
	fleet.ActPowerOff:   {control: controlOff, becomes: fleet.PowerOff},
	fleet.ActSoftOff:    {control: controlSoft, becomes: fleet.PowerOff},
	fleet.ActPowerCycle: {control: controlCycle, needsOn: true, becomes: fleet.PowerOn},
	fleet.ActReset:      {control: controlReset, needsOn: true, becomes: fleet.PowerOn},
}

// power switches once and reads back.
func (h *hand) power(ctx context.Context) error {
	p := powers[h.action.Kind]
	before, err := askChassis(ctx, h.s.do)
	if err != nil {
		return lost(err)
	}
	h.out.Before = before.power().String()
	switch {
	case p.needsOn && !before.on:
		return h.refuse("it is off")
	case !p.needsOn && before.power() == p.becomes:
		return h.already()
	}
	_, err = h.s.doOnce(ctx, command{fn: fnChassis, cmd: 0x02, data: []byte{p.control}, op: string(h.action.Kind)})
	return h.readBack(ctx, p, err)
}

// readBack looks until the power is as it should be, or it takes too long. A
// refusal is final; a lost answer is not: what is seen then is all there is.
func (h *hand) readBack(ctx context.Context, p power, sent error) error {
	if h.declined(sent) {
		return sent
	}
	h.out.Done = sent == nil
	began := time.Now()
	for {
		c, err := askChassis(ctx, h.s.do)
		if err == nil {
			h.out.After = c.power().String()
		}
		if h.out.After == p.becomes.String() || err != nil || time.Since(began) >= h.settle {
			break
		}
		if pause(ctx, settleStep, "read back") != nil {
			break
		}
	}
	h.out.Text = tell(sent == nil, h.out.After, p, time.Since(began))
	return lost(sent)
}

// tell puts into words what was said and what is seen.
func tell(yes bool, after string, p power, waited time.Duration) string {
	said := "the BMC said yes"
	if !yes {
		said = "no answer: it may have happened"
	}
	switch {
	case after == "":
		return said + "; the power could not be read back"
	case after != p.becomes.String() && p.control == controlSoft:
		return fmt.Sprintf("%s; still %s after %.0f s: the host decides when", said, after, waited.Seconds())
	case after != p.becomes.String():
		return fmt.Sprintf("%s, still %s after %.0f s", said, after, waited.Seconds())
	}
	return fmt.Sprintf("%s; it is %s", said, after)
}
