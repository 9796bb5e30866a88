package ipmi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// BMC is one BMC as a fleet.Probe and a fleet.Actor. Its methods may be
// called from any goroutine: they take turns.
type BMC struct {
	cfg     Config
	address string
	quirks  quirks
	now     func() time.Time // time.Now, but for tests
	settle  time.Duration    // settleFor, but for tests
	restart time.Duration    // resetFor, but for tests

	turn chan struct{} // holds one token; who has it owns everything below
	sent atomic.Int64  // datagrams both ways, for measurements

	closed    bool
	session   *session
	fresh     bool               // a login happened since this poll began
	answered  bool               // the BMC answered something in this poll
	keep      *time.Timer        // next keepalive
	suites    []suite            // to try, in order; the one that worked alone once known
	role      privilege          // what the reading user was granted
	refused   map[string]refused // by user: the credential that was refused
	fullUntil time.Time          // no login before this: every session was taken

	device   deviceID
	known    bool // device was read
	guid     [16]byte
	valid    bool            // repository was checked in this session
	sensors  *repository     // nil until the first walk has begun
	walk     *walk           // a walk that is not finished
	log      logCursor       //
	identity fleet.Facts     // facts of the slow lane
	complete bool            // identity was read whole
	tried    bool            // identity was read, whole or not: again in the slow lane
	mute     map[uint32]bool // optional commands that this BMC does not answer
	indoors  bool            // it answers nobody without a session
	meter    meter           // DCMI
}

var (
	_ fleet.Probe = (*BMC)(nil)
	_ fleet.Actor = (*BMC)(nil)
)

// ErrClosed is what a closed BMC says.
var ErrClosed = errors.New("probe is closed")

const (
	keepAlive   = 25 * time.Second // BMCs end a session after 60 s, with 3 s tolerance (section 6.12.15)
	fullBackoff = 60 * time.Second

	// refusedHold is how long a refused credential is not sent again while it
	// stays the same. BMCs lock a user after a few failures for 5 to 30 min,
	// so one try an hour locks nobody out, and a password that was set right
	// in the BMC afterwards is found.
	refusedHold = time.Hour
)

// New makes the probe of one BMC. Nothing is sent before the first Observe.
func New(cfg Config) (*BMC, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	b := &BMC{cfg: cfg, now: time.Now, settle: settleFor, restart: resetFor, turn: make(chan struct{}, 1), role: privOperator, mute: map[uint32]bool{}, refused: map[string]refused{}}
	b.address, _ = cfg.endpoint()
	b.quirks, _ = parseQuirks(cfg.Quirks)
	b.suites = suites[:2]
	if s, ok := suiteByID(cfg.Cipher); ok {
		b.suites = []suite{s}
	}
	b.turn <- struct{}{}
	return b, nil
}

// take waits for the turn.
func (b *BMC) take(ctx context.Context) error {
	select {
	case <-b.turn:
	case <-ctx.Done(): // the BMC is well; it is plumb that uses it
		return &opError{"wait for turn", fmt.Errorf("%w: another poll or action is under way: %w", fleet.ErrBusy, context.Cause(ctx))}
	}
	if b.closed {
		b.turn <- struct{}{}
		return fail("observe", fleet.ErrUnsupported, ErrClosed.Error())
	}
	b.fresh, b.answered = false, false
	return nil
}

// release gives the turn back and sets the keepalive for a kept session.
func (b *BMC) release() {
	if b.session != nil && !b.closed {
		if b.keep == nil {
			b.keep = time.AfterFunc(keepAlive, b.ping)
		} else {
			b.keep.Reset(keepAlive)
		}
	}
	b.turn <- struct{}{}
}

// ping keeps an idle session open. If someone has the turn, the session is in
// use and needs none.
func (b *BMC) ping() {
	select {
	case <-b.turn:
	default:
		return
	}
	if b.closed || b.session == nil {
		b.turn <- struct{}{}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.cfg.Timeout)
	defer cancel()
	if _, err := b.session.do(ctx, command{fn: fnApp, cmd: 0x01, op: "keep alive"}); err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			b.drop()
		}
	}
	b.release()
}

// Close ends the session and frees the socket. It waits for a poll that is
// under way. Closing twice is fine.
func (b *BMC) Close() error {
	<-b.turn
	defer func() { b.turn <- struct{}{} }()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.keep != nil {
		b.keep.Stop()
	}
	if b.session != nil {
		b.session.shut(context.Background())
		b.session = nil
	}
	return nil
}

// drop forgets a session that does not answer. Its socket is closed at once.
func (b *BMC) drop() {
	if b.session != nil {
		b.session.close()
		b.session = nil
	}
	b.valid = false
}

// connect makes sure of a session for reading.
func (b *BMC) connect(ctx context.Context) error {
	if b.session != nil {
		return nil
	}
	s, err := b.enter(ctx, b.cfg.Username, b.cfg.Password, b.tryRoles)
	if err != nil {
		return err
	}
	b.session, b.fresh, b.valid = s, true, false
	if s.guid != b.guid { // another machine, or the first
		b.forget()
		b.guid = s.guid
	}
	return nil
}

// forget drops what was learned of a machine that is not there any more.
func (b *BMC) forget() {
	b.known, b.tried, b.complete = false, false, false
	b.sensors, b.walk, b.identity = nil, nil, nil
	b.log, b.meter = logCursor{}, meter{}
	b.indoors = false
	clear(b.mute)
}

// enter logs in as one user, with everything that must come before a login:
// no try with a credential that was refused within refusedHold, none while the
// BMC is full.
func (b *BMC) enter(ctx context.Context, user string, secret Secret, try func(context.Context, credential) (*session, error)) (*session, error) {
	const op = "log in"
	c, err := b.credential(ctx, user, secret)
	if err != nil {
		return nil, err
	}
	mark := c.mark()
	if r := b.refused[user]; r.mark == mark {
		if wait := r.at.Add(refusedHold).Sub(b.now()); wait > 0 {
			return nil, fail(op, fleet.ErrAuth, fmt.Sprintf("these credentials were refused; next try when they change, or in %v, so that the account is not locked", wait.Round(time.Second)))
		}
	}
	if wait := b.fullUntil.Sub(b.now()); wait > 0 {
		return nil, fail(op, fleet.ErrBusy, fmt.Sprintf("every session was taken; next try in %d s", int(wait.Seconds())+1))
	}
	s, err := try(ctx, c)
	switch {
	case err == nil:
		b.suites = []suite{s.suite}
		delete(b.refused, user)
	case errors.Is(err, fleet.ErrAuth) && !roleRefused(err):
		b.refused[user] = refused{mark, b.now()}
	case errors.Is(err, fleet.ErrBusy):
		b.fullUntil = b.now().Add(fullBackoff)
	case statusOf(err).suiteRefused() && b.cfg.Cipher == 0:
		b.suites = suites[:2] // what it spoke last time it speaks no more
	}
	return s, err
}

// tryRoles asks for OPERATOR, and for USER where that is not granted: a
// refused role is not a refused password. Some BMCs then say that they do not
// know the name.
func (b *BMC) tryRoles(ctx context.Context, c credential) (*session, error) {
	s, err := login(ctx, b.door(b.role), c)
	if b.role == privOperator && (roleRefused(err) || statusOf(err) == statusName) {
		if s, err = login(ctx, b.door(privUser), c); err == nil {
			b.role = privUser
		}
	}
	return s, err
}

func (b *BMC) door(role privilege) door {
	return door{address: b.address, suites: b.suites, role: role, quirks: b.quirks, timeout: b.cfg.Timeout, sent: &b.sent}
}

func roleRefused(err error) bool {
	s := statusOf(err)
	return s == statusRole || s == statusBadRole
}

// notFetched goes before why a secret is not there. That is not the BMC's
// refusal: nothing was sent, and the next poll may fetch it.
const notFetched = "it could not be fetched: "

func (b *BMC) credential(ctx context.Context, user string, secret Secret) (credential, error) {
	c := credential{user: user}
	var err error
	if c.password, err = secret(ctx); err != nil {
		return c, fail("read password", fleet.ErrBusy, notFetched+err.Error())
	}
	if b.cfg.BMCKey != nil {
		if c.key, err = b.cfg.BMCKey(ctx); err != nil {
			return c, fail("read bmc key", fleet.ErrBusy, notFetched+err.Error())
		}
	}
	return c, nil
}

// refused is a credential that the BMC refused, and when.
type refused struct {
	mark [sha256.Size]byte
	at   time.Time
}

// mark recognises a credential without keeping it.
func (c credential) mark() [sha256.Size]byte {
	return sha256.Sum256([]byte(c.user + "\x00" + c.password + "\x00" + c.key))
}

// ask runs one idempotent command, with one new login if the session turns
// out to be lost: BMCs restart. It is for reads only.
func (b *BMC) ask(ctx context.Context, c command) ([]byte, error) {
	for {
		if err := b.connect(ctx); err != nil {
			if b.answered && errors.Is(err, fleet.ErrUnreachable) {
				return nil, fail(c.op, fleet.ErrTimeout, "it stopped answering")
			}
			return nil, &loginError{err}
		}
		data, err := b.session.do(ctx, c)
		var r *refusal
		if err == nil || errors.As(err, &r) {
			b.answered = true
			return data, err
		}
		if ctx.Err() != nil {
			return nil, err // the session may be well: it keeps
		}
		b.drop()
		if b.fresh {
			return nil, silent(errSilentOr(err), c.op, fleet.ErrTimeout, b.cfg.Timeout)
		}
	}
}

// errSilentOr maps a lost session to silence and leaves the rest.
func errSilentOr(err error) error {
	if errors.Is(err, errLost) {
		return errSilent
	}
	return err
}

// askOptional is ask for what many BMCs do not have. One that does not even
// answer is not asked again until it logs in anew as another machine.
func (b *BMC) askOptional(ctx context.Context, c command) ([]byte, error) {
	id := uint32(c.fn)<<16 | uint32(c.cmd)<<8 | uint32(c.part)
	if b.mute[id] {
		return nil, &opError{c.op, &refusal{ccInvalidCommand}}
	}
	data, err := b.ask(ctx, c)
	if err != nil && ctx.Err() == nil && b.answered && errors.Is(err, fleet.ErrTimeout) {
		b.mute[id] = true
		return nil, &opError{c.op, &refusal{ccInvalidCommand}}
	}
	return data, err
}

// loginError marks the failure of a login in the middle of a poll.
type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// over reports an error that ends the poll: the wire or the login failed. A
// refusal or a bad answer is about one thing only.
func over(err error) bool {
	var l *loginError
	return errors.As(err, &l) || errors.Is(err, fleet.ErrTimeout) || errors.Is(err, fleet.ErrUnreachable)
}
