package snmp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// ifAdminStatus (RFC 2863) by ifIndex.
var ifAdminStatus = parseOID("1.3.6.1.2.1.2.2.1.7")

// ErrIdentity says that another machine answers than the one that was meant.
var ErrIdentity = errors.New("another machine answers here")

// Act implements fleet.Actor: port-up and port-down of the target
// "device/ifName". The port's ifIndex is looked up by its name at that moment,
// and the serial is compared where the action names one; the state is read
// before, written once with the credential for actions, and read back.
func (a *Agent) Act(ctx context.Context, act fleet.Action) (fleet.Outcome, error) {
	out := fleet.Outcome{At: time.Now().UTC()}
	want := map[fleet.ActionKind]int{fleet.ActPortUp: 1, fleet.ActPortDown: 2}[act.Kind]
	name, ok := strings.CutPrefix(act.Target, a.cfg.Target+"/")
	if want == 0 || !ok || name == "" {
		return out, a.failed(string(act.Kind), fmt.Errorf("%w: an SNMP agent does port-up and port-down of %s/IFNAME", fleet.ErrUnsupported, a.cfg.Target))
	}
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return out, a.failed(string(act.Kind), fmt.Errorf("%w: %w", fleet.ErrTimeout, ctx.Err()))
	}
	c, err := a.connect(ctx)
	if err != nil {
		return out, a.failed("connect", a.why(nil, err))
	}
	defer c.close()
	w, err := a.connectToWrite(ctx)
	if err != nil {
		return out, a.failed("connect to write", a.why(nil, err))
	}
	if w == nil {
		w = c
	} else {
		defer w.close()
	}
	p := &poll{conn: c, known: &a.known, cfg: &a.cfg, lane: fleet.LaneFast, obs: &fleet.Observation{}}
	op, err := p.setAdmin(ctx, w, name, act.Serial, want, &out)
	out.At = time.Now().UTC()
	if err != nil {
		return out, a.failed(op, a.why(c, err))
	}
	return out, nil
}

// setAdmin writes ifAdminStatus once, over w, of the machine with the serial.
// It returns the step that failed.
func (p *poll) setAdmin(ctx context.Context, w *conn, name, serial string, want int, out *fleet.Outcome) (op string, err error) {
	index, err := p.findPort(ctx, name)
	if err != nil {
		return "find port", err
	}
	if err := p.checkSerial(ctx, serial); err != nil {
		return "check identity", err
	}
	object := ifAdminStatus.plus(uint32(index))
	v, err := p.get(ctx, object)
	if err != nil {
		return "read ifAdminStatus", err
	}
	out.Before = word(adminWords, v[0].small())
	if v[0].small() == want {
		out.Done, out.After, out.Text = true, out.Before, "was "+out.Before+" already; nothing written"
		return "", nil
	}
	r, err := w.do(ctx, &request{kind: pduSet, names: []oid{object}, set: int64(want)}, 1)
	if err == nil && r.status != statusOK {
		return "set ifAdminStatus", r.status
	}
	// Lost answers are not lost writes: read back before saying anything.
	unanswered := err
	v, err = p.get(ctx, object)
	if err != nil {
		out.Text = "the write may have happened; it could not be read back"
		return "read back ifAdminStatus", err
	}
	out.After = word(adminWords, v[0].small())
	out.Done = v[0].small() == want
	switch {
	case !out.Done && unanswered != nil:
		return "set ifAdminStatus", unanswered
	case !out.Done:
		out.Text = "the agent said yes and the port is " + out.After
		return "read back ifAdminStatus", fmt.Errorf("%w: %s", fleet.ErrProtocol, out.Text)
	}
	out.Text = fmt.Sprintf("%s: %s -> %s", name, out.Before, out.After)
	return "", nil
}

// checkSerial reads the serial again, as the facts have it, and compares. Where
// none can be read, nobody can say that this is the machine: that refuses too.
func (p *poll) checkSerial(ctx context.Context, want string) error {
	if want == "" {
		return nil
	}
	got, err := p.readSerial(ctx)
	switch {
	case err != nil:
		return err
	case got == "":
		return fmt.Errorf("%w: no serial can be read to compare with %q", fleet.ErrProtocol, fleet.Clean(want, 64))
	case got != want:
		return fmt.Errorf("%w: %w: serial %q instead of %q", fleet.ErrProtocol, ErrIdentity, got, fleet.Clean(want, 64))
	}
	return nil
}

// findPort reads the definitions, so that a moved ifIndex cannot be written to.
func (p *poll) findPort(ctx context.Context, name string) (int, error) {
	// The next Observe must still see that something changed.
	pulse, uptime, redefined := p.pulse, p.uptime, p.redefined
	defer func() { p.pulse, p.uptime, p.redefined = pulse, uptime, redefined }()
	if err := p.readPulse(ctx); err != nil {
		return 0, err
	}
	if !p.definePorts(ctx) {
		if p.err != nil {
			return 0, p.err
		}
		return 0, fmt.Errorf("%w: the device has no ports", fleet.ErrUnsupported)
	}
	for _, d := range p.ports.order {
		if d.def.Name == name {
			return d.def.Index, nil
		}
	}
	return 0, fmt.Errorf("%w: no port is called %q", fleet.ErrUnsupported, fleet.Clean(name, 64))
}
