package snmp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// ErrIdentity says that another machine answers than the one that was meant.
var ErrIdentity = errors.New("another machine answers here")

// waits is how long an action waits for what it wrote to show.
type waits struct {
	step   time.Duration // between two looks
	settle time.Duration // what was written reads back, a link goes down
	cycle  time.Duration // an outlet that comes back, at most
}

// An outlet's own reboot takes up to 60 s (PowerNet-MIB), more than an action
// may: the rest is for the polls to see.
var standardWaits = waits{step: 250 * time.Millisecond, settle: 5 * time.Second, cycle: 20 * time.Second}

// deed is what an action does, once its target and the machine are known.
type deed func(h *hand, ctx context.Context) error

// deeds are the actions of an agent.
var deeds = map[fleet.ActionKind]deed{
	fleet.ActPortUp:      (*hand).portUp,
	fleet.ActPortDown:    (*hand).portDown,
	fleet.ActPortBounce:  (*hand).portBounce,
	fleet.ActPortAlias:   (*hand).portAlias,
	fleet.ActPortVLAN:    (*hand).portVLAN,
	fleet.ActOutletOn:    (*hand).outletOn,
	fleet.ActOutletOff:   (*hand).outletOff,
	fleet.ActOutletCycle: (*hand).outletCycle,
}

// hand is one action under way: it reads through the poll and writes through w.
type hand struct {
	*poll
	w      *conn
	name   string // the target behind "device/": an ifName, or an outlet's number
	action fleet.Action
	wait   waits
	out    *fleet.Outcome
}

// Act implements fleet.Actor: what is done to a port of the target
// "device/ifName" or to an outlet, "device/number". The port's ifIndex is
// looked up by its name at that moment, and the serial is compared where the
// action names one; the state is read before, written once with the credential
// for actions, and read back. A lost answer is no lost write: what is read back
// then decides.
func (a *Agent) Act(ctx context.Context, act fleet.Action) (fleet.Outcome, error) {
	out := fleet.Outcome{At: time.Now().UTC()}
	do := deeds[act.Kind]
	name, ok := strings.CutPrefix(act.Target, a.cfg.Target+"/")
	if do == nil || !ok || name == "" {
		return out, a.failed(string(act.Kind), fmt.Errorf("%w: an SNMP agent acts on %s/IFNAME and on %s/OUTLET alone", fleet.ErrUnsupported, a.cfg.Target, a.cfg.Target))
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
	err = do(&hand{poll: p, w: w, name: name, action: act, wait: a.wait, out: &out}, ctx)
	out.At = time.Now().UTC()
	if err != nil {
		op := string(act.Kind)
		if s := (*stepError)(nil); errors.As(err, &s) {
			op, err = s.op, s.err
		}
		return out, a.failed(op, a.why(c, err))
	}
	return out, nil
}

// stepError is an error with the step of an action that it happened in.
type stepError struct {
	op  string
	err error
}

func (e *stepError) Error() string { return e.op + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// refuse says why an action is not begun: nothing was written.
func (h *hand) refuse(op, why string) error {
	h.out.After, h.out.Text = h.out.Before, why+"; nothing written"
	return &stepError{op, fmt.Errorf("%w: %s", fleet.ErrUnsupported, why)}
}

// already says that there was nothing to do.
func (h *hand) already() error {
	h.out.Done, h.out.After = true, h.out.Before
	h.out.Text = "was " + h.out.Before + " already; nothing written"
	return nil
}

// write is one object of a SET.
type write struct {
	what string
	name oid
	v    value
}

// put sends one SET, once. lost is that no answer came: it may be written all
// the same, and the caller reads back before it says anything. err is a
// refusal: of a refused SET nothing is carried out (RFC 3416 section 4.2.5).
func (h *hand) put(ctx context.Context, list ...write) (lost, err error) {
	q := &request{kind: pduSet}
	for _, w := range list {
		q.names, q.set = append(q.names, w.name), append(q.set, w.v)
	}
	r, lost := h.w.do(ctx, q, 1)
	if lost != nil || r.status == statusOK {
		return lost, nil
	}
	what := list[0].what
	if r.index >= 1 && r.index <= len(list) {
		what = list[r.index-1].what
	}
	h.out.After, h.out.Text = h.out.Before, "the agent refused: "+r.status.Error()
	return nil, &stepError{"set " + what, r.status}
}

// replace writes an object that must read back as it was written.
func (h *hand) replace(ctx context.Context, what string, object oid, want value, words func(value) string) error {
	v, err := h.get(ctx, object)
	if err != nil {
		return &stepError{"read " + what, err}
	}
	if !v[0].exists() {
		return h.refuse("read "+what, "the device has no "+what)
	}
	h.out.Before = words(v[0])
	if same(v[0], want) {
		return h.already()
	}
	lost, err := h.put(ctx, write{what, object, want})
	if err != nil {
		return err
	}
	so, err := h.readBack(ctx, object, want, words)
	switch {
	case err != nil:
		return h.unseen(what, err)
	case !so:
		return h.notSo(what, lost)
	}
	h.out.Done = true
	h.out.Text = fmt.Sprintf("%s: %s -> %s", h.name, orNone(h.out.Before), orNone(h.out.After))
	return nil
}

// readBack looks until the object is as it was written, or it takes too long.
func (h *hand) readBack(ctx context.Context, object oid, want value, words func(value) string) (so bool, err error) {
	_, err = h.until(ctx, h.wait.settle, func() (bool, error) {
		v, err := h.get(ctx, object)
		if err != nil {
			return false, err
		}
		h.out.After, so = words(v[0]), same(v[0], want)
		return so, nil
	})
	return so, err
}

// until looks again and again until look says that it is so, or it takes too
// long: agents show what was before the write while their cache lasts.
func (h *hand) until(ctx context.Context, within time.Duration, look func() (bool, error)) (took time.Duration, err error) {
	for began := time.Now(); ; {
		so, err := look()
		if took = time.Since(began); so || err != nil || took >= within || pause(ctx, h.wait.step) != nil {
			return took, err
		}
	}
}

// unseen is what there is to say when the read back failed.
func (h *hand) unseen(what string, err error) error {
	h.out.After, h.out.Text = "", "the write may have happened; it could not be read back"
	return &stepError{"read back " + what, err}
}

// notSo is what there is to say when something else is read back. After a yes
// that is the agent's lie, after silence the write was lost.
func (h *hand) notSo(what string, lost error) error {
	if lost != nil {
		h.out.Text = "no answer, and it is " + orNone(h.out.After)
		return &stepError{"set " + what, lost}
	}
	h.out.Text = "the agent said yes and it is " + orNone(h.out.After)
	return &stepError{"read back " + what, fmt.Errorf("%w: %s", fleet.ErrProtocol, h.out.Text)}
}

// same compares what was read with what was written.
func same(v, want value) bool { return v.tag == want.tag && string(v.raw) == string(want.raw) }

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// pause waits, or returns early with ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
