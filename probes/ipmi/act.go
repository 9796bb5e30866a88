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

// How long what was sent is awaited to show after the BMC said yes, and how often
// it is looked at. BMCs are known to say yes and do nothing.
const (
	settleFor  = 3 * time.Second
	settleStep = 500 * time.Millisecond
)

// deed is what an action does, and the privilege that it needs (appendix G).
type deed struct {
	needs privilege
	do    func(h *hand, ctx context.Context) error
}

// deeds are the actions of a BMC.
var deeds = map[fleet.ActionKind]deed{
	fleet.ActIdentify:   {privOperator, (*hand).identify},
	fleet.ActPowerOn:    {privOperator, (*hand).power},
	fleet.ActPowerOff:   {privOperator, (*hand).power},
	fleet.ActSoftOff:    {privOperator, (*hand).power},
	fleet.ActPowerCycle: {privOperator, (*hand).power},
	fleet.ActReset:      {privOperator, (*hand).power},
	fleet.ActBootOnce:   {privOperator, (*hand).bootOnce},
	fleet.ActSELClear:   {privOperator, (*hand).clearLog},
	fleet.ActBMCReset:   {privAdmin, (*hand).resetBMC},
	fleet.ActUserOff:    {privAdmin, (*hand).disableUser},
	fleet.ActCipherOff:  {privAdmin, (*hand).closeSuites},
	fleet.ActCipherSet:  {privAdmin, (*hand).setSuites},
}

// hand is one action under way, in a session of its own.
type hand struct {
	*BMC
	s      *session
	user   string // who it is logged in as
	action fleet.Action
	out    *fleet.Outcome
}

// Act does one thing to the machine. It logs in for this alone, checks that the
// machine is the one that is meant, reads the state, sends the command once, and
// reads the state back.
//
// For what is done to the host (power and the identify light, whose Args
// "seconds" is 0 for off, 1 to 255, or "on" for good) Outcome.Done is the BMC's
// yes. When the answer is lost, Done is false, the error is a timeout, and After
// and Text say what is seen instead. For what is done to the BMC's own settings
// and log, what reads back as it was written is done, with or without a yes, and
// what does not is an error.
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
	d, ok := deeds[a.Kind]
	if !ok {
		return fail("act", fleet.ErrUnsupported, fmt.Sprintf("%q is not an action of a BMC", fleet.Clean(string(a.Kind), 40)))
	}
	user, secret := b.cfg.ActUsername, b.cfg.ActPassword
	if user == "" {
		user, secret = b.cfg.Username, b.cfg.Password
	}
	s, err := b.enter(ctx, user, secret, func(ctx context.Context, c credential) (*session, error) {
		return login(ctx, b.door(d.needs), c)
	})
	if err != nil {
		return err
	}
	defer s.shut(ctx)
	if err := checkIdentity(ctx, s, a.Serial); err != nil {
		return err
	}
	if _, err := s.do(ctx, command{fn: fnApp, cmd: 0x3b, data: []byte{byte(d.needs)}, op: "set session privilege"}); err != nil {
		return lost(err)
	}
	return d.do(&hand{b, s, user, a, out}, ctx)
}

// refuse says why an action is not begun: nothing was sent.
func (h *hand) refuse(why string) error {
	h.out.After, h.out.Text = h.out.Before, why+"; nothing was sent"
	return fail(string(h.action.Kind), fleet.ErrUnsupported, why)
}

// already says that there was nothing to do.
func (h *hand) already() error {
	h.out.Done, h.out.After = true, h.out.Before
	h.out.Text = fmt.Sprintf("it was %s already; nothing was sent", h.out.Before)
	return nil
}

// number reads an argument within the bounds of its action's table.
func (h *hand) number(name string) (int, error) {
	for _, a := range h.action.Kind.Spec().Args {
		if a.Name != name {
			continue
		}
		n, err := strconv.Atoi(h.action.Args[name])
		if err != nil || n < a.Low || n > a.Top {
			return 0, h.refuse(fmt.Sprintf("%s %q is not %d to %d", name, fleet.Clean(h.action.Args[name], 40), a.Low, a.Top))
		}
		return n, nil
	}
	return 0, h.refuse("no argument is called " + name)
}

// confirm reads back a setting that was written once: sent is what came of the
// command. A refusal is final. Otherwise what is seen decides: after a yes
// something else is the BMC's lie, after silence the command was lost.
func (h *hand) confirm(ctx context.Context, sent error, want string, within time.Duration, read func() (string, error)) error {
	if h.declined(sent) {
		return sent
	}
	said := "the BMC said yes"
	if sent != nil {
		said = "no answer"
	}
	for began := time.Now(); ; {
		after, err := read()
		if err != nil {
			h.out.After, h.out.Text = "", said+"; it could not be read back"
			return lost(err)
		}
		if h.out.After = after; after == want || time.Since(began) >= within || pause(ctx, settleStep, "read back") != nil {
			break
		}
	}
	h.out.Text = fmt.Sprintf("%s; it is %s", said, h.out.After)
	switch {
	case h.out.After == want:
		h.out.Done = true
		return nil
	case sent != nil:
		return lost(sent)
	}
	return fail("read back", fleet.ErrProtocol, h.out.Text)
}

// declined notes a refusal of the BMC: nothing has changed.
func (h *hand) declined(sent error) bool {
	var r *refusal
	if !errors.As(sent, &r) {
		return false
	}
	h.out.After, h.out.Text = h.out.Before, "the BMC refused: "+r.code.String()
	return true
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
