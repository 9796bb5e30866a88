package ipmi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
)

// ErrIdentity says that another machine answers than the one that was meant.
var ErrIdentity = errors.New("another machine answers here")

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

// How long a power state is awaited after the BMC said yes, and how often it
// is looked at. BMCs are known to say yes and do nothing.
const (
	settleFor  = 3 * time.Second
	settleStep = 500 * time.Millisecond
)

// Act does one thing to the machine: identify (Args "seconds": 0 off, 1 to
// 255, or "on" for good), power-on, power-off, soft-off, power-cycle, reset.
// It logs in for this alone, checks that the machine is the one that is meant,
// reads the state, sends the command once, and reads the state back.
//
// Outcome.Done is the BMC's yes. When the answer is lost, Done is false, the
// error is a timeout, and After and Text say what is seen instead.
func (b *BMC) Act(ctx context.Context, a fleet.Action) (fleet.Outcome, error) {
	out := fleet.Outcome{At: b.now().UTC()}
	if err := b.take(ctx); err != nil {
		return out, b.probeError(err)
	}
	defer b.release()
	err := b.act(ctx, a, &out)
	out.At = b.now().UTC()
	if err != nil {
		return out, b.probeError(err)
	}
	return out, nil
}

func (b *BMC) act(ctx context.Context, a fleet.Action, out *fleet.Outcome) error {
	p, isPower := powers[a.Kind]
	if !isPower && a.Kind != fleet.ActIdentify {
		return fail("act", fleet.ErrUnsupported, fmt.Sprintf("%q is not an action of a BMC", fleet.Clean(string(a.Kind), 40)))
	}
	user, secret := b.cfg.ActUsername, b.cfg.ActPassword
	if user == "" {
		user, secret = b.cfg.Username, b.cfg.Password
	}
	s, err := b.enter(ctx, user, secret, func(ctx context.Context, c credential) (*session, error) {
		return login(ctx, b.door(privOperator), c)
	})
	if err != nil {
		return err
	}
	defer s.shut(ctx)
	if err := checkIdentity(ctx, s, a.Serial); err != nil {
		return err
	}
	if _, err := s.do(ctx, command{fn: fnApp, cmd: 0x3b, data: []byte{byte(privOperator)}, op: "set session privilege"}); err != nil {
		return lost(err)
	}
	if !isPower {
		return identify(ctx, s, a, out)
	}
	return b.actPower(ctx, s, a.Kind, p, out)
}

// checkIdentity reads the serial again, in the very session that will act.
// Any of the machine's own serials, or its GUID, will do.
func checkIdentity(ctx context.Context, s *session, want string) error {
	const op = "check identity"
	if want == "" {
		return nil
	}
	guid := guidText(s.guid)
	if want == guid && guid != "" {
		return nil
	}
	f, err := readFRU(ctx, s.do, 0)
	if err != nil {
		if over(err) || errors.Is(err, errLost) {
			return lost(err)
		}
		return &opError{op, fmt.Errorf("%w: the serial cannot be read: %w", fleet.ErrProtocol, err)}
	}
	if !slices.Contains([]string{f.serial, f.chassisSerial, f.boardSerial}, want) {
		return &opError{op, fmt.Errorf("%w: %w: serial %q instead of %q", fleet.ErrProtocol, ErrIdentity, f.bestSerial(), want)}
	}
	return nil
}

// lost gives a lost session its kind.
func lost(err error) error {
	var o *opError
	if errors.Is(err, errLost) && errors.As(err, &o) {
		return fail(o.op, fleet.ErrTimeout, "no answer")
	}
	return err
}

// actPower switches once and reads back.
func (b *BMC) actPower(ctx context.Context, s *session, kind fleet.ActionKind, p power, out *fleet.Outcome) error {
	before, err := askChassis(ctx, s.do)
	if err != nil {
		return lost(err)
	}
	out.Before = before.power().String()
	switch {
	case p.needsOn && !before.on:
		out.After, out.Text = out.Before, "it is off; nothing was sent"
		return fail(string(kind), fleet.ErrUnsupported, out.Text)
	case !p.needsOn && before.power() == p.becomes:
		out.Done, out.After = true, out.Before
		out.Text = fmt.Sprintf("it was %s already; nothing was sent", out.Before)
		return nil
	}
	_, err = s.doOnce(ctx, command{fn: fnChassis, cmd: 0x02, data: []byte{p.control}, op: string(kind)})
	return b.readBack(ctx, s, p, out, err)
}

// readBack looks until the power is as it should be, or it takes too long. A
// refusal is final; a lost answer is not: what is seen then is all there is.
func (b *BMC) readBack(ctx context.Context, s *session, p power, out *fleet.Outcome, sent error) error {
	var r *refusal
	if errors.As(sent, &r) {
		out.After, out.Text = out.Before, "the BMC refused: "+r.code.String()
		return sent
	}
	out.Done = sent == nil
	began := time.Now()
	for {
		c, err := askChassis(ctx, s.do)
		if err == nil {
			out.After = c.power().String()
		}
		if out.After == p.becomes.String() || err != nil || time.Since(began) >= b.settle {
			break
		}
		if pause(ctx, settleStep, "read back") != nil {
			break
		}
	}
	out.Text = tell(sent == nil, out.After, p, time.Since(began))
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

// identify switches the identify light (Chassis Identify, section 28.5).
func identify(ctx context.Context, s *session, a fleet.Action, out *fleet.Outcome) error {
	data, err := identifyData(a.Args["seconds"])
	if err != nil {
		return err
	}
	if c, err := askChassis(ctx, s.do); err == nil {
		out.Before = c.identify
	}
	if _, err := s.doOnce(ctx, command{fn: fnChassis, cmd: 0x04, data: data, op: string(a.Kind)}); err != nil {
		out.Text = "no answer: it may have happened"
		if r := (*refusal)(nil); errors.As(err, &r) {
			out.Text = "the BMC refused: " + r.code.String()
		}
		return lost(err)
	}
	out.Done, out.Text = true, "the BMC said yes"
	if c, err := askChassis(ctx, s.do); err == nil && c.identify != "" {
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
