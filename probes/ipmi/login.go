package ipmi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/crypto"
)

// privilege is a level of section 6.8; the numbers are the wire's.
type privilege byte

const (
	privCallback privilege = 1
	privUser     privilege = 2
	privOperator privilege = 3
	privAdmin    privilege = 4
	privOEM      privilege = 5
	privNoAccess privilege = 15
)

var privilegeWords = map[privilege]string{
	privCallback: "callback", privUser: "user", privOperator: "operator", privAdmin: "administrator", privOEM: "oem", privNoAccess: "none",
}

func (p privilege) String() string {
	if w, ok := privilegeWords[p]; ok {
		return w
	}
	return "unspecified"
}

// rakpStatus is the status code of session setup (section 13.24, table 13-15).
type rakpStatus byte

const (
	statusOK          rakpStatus = 0x00
	statusNoResources rakpStatus = 0x01
	statusBadAuth     rakpStatus = 0x04
	statusBadIntegr   rakpStatus = 0x05
	statusNoAuth      rakpStatus = 0x06
	statusNoIntegr    rakpStatus = 0x07
	statusBadRole     rakpStatus = 0x09
	statusRole        rakpStatus = 0x0a
	statusRoleFull    rakpStatus = 0x0b
	statusNameLength  rakpStatus = 0x0c
	statusName        rakpStatus = 0x0d
	statusGUID        rakpStatus = 0x0e
	statusIntegrity   rakpStatus = 0x0f
	statusBadCrypt    rakpStatus = 0x10
	statusNoSuite     rakpStatus = 0x11
)

var statusWords = map[rakpStatus]string{
	statusNoResources: "no session free", statusBadAuth: "authentication algorithm refused", statusBadIntegr: "integrity algorithm refused",
	statusNoAuth: "no matching authentication", statusNoIntegr: "no matching integrity", statusBadRole: "invalid role", statusRole: "privilege not granted to this user",
	statusRoleFull: "no session free for this privilege", statusNameLength: "user name length refused", statusName: "user name refused",
	statusGUID: "GUID refused", statusIntegrity: "wrong password", statusBadCrypt: "encryption algorithm refused", statusNoSuite: "cipher suite refused",
}

func (s rakpStatus) String() string {
	if w, ok := statusWords[s]; ok {
		return w
	}
	return fmt.Sprintf("status %02xh", byte(s))
}

// suiteRefused reports a refusal that another cipher suite may overcome.
func (s rakpStatus) suiteRefused() bool {
	switch s {
	case statusBadAuth, statusBadIntegr, statusNoAuth, statusNoIntegr, statusBadCrypt, statusNoSuite:
		return true
	}
	return false
}

func (s rakpStatus) kind() error {
	switch s {
	case statusNoResources, statusRoleFull:
		return fleet.ErrBusy
	case statusBadRole, statusRole, statusNameLength, statusName, statusGUID, statusIntegrity:
		return fleet.ErrAuth
	}
	if s.suiteRefused() {
		return fleet.ErrUnsupported
	}
	return fleet.ErrProtocol
}

// statusError is a login step that was answered with a status.
type statusError struct{ status rakpStatus }

func (e *statusError) Error() string { return e.status.kind().Error() + ": " + e.status.String() }
func (e *statusError) Unwrap() error { return e.status.kind() }

func statusOf(err error) rakpStatus {
	var s *statusError
	if errors.As(err, &s) {
		return s.status
	}
	return statusOK
}

// credential is who logs in, for as long as the login takes.
type credential struct {
	user, password, key string
}

// door is how to get in: what login needs besides the credential. What it
// learns (suite, role) the BMC remembers for the next time.
type door struct {
	address string
	suites  []suite // to try, in order
	role    privilege
	quirks  quirks
	timeout time.Duration
	sent    *atomic.Int64
}

// login opens a session. It tries each cipher suite at most once more than
// the BMC answers to, never a password twice. On error nothing stays open.
func login(ctx context.Context, d door, c credential) (*session, error) {
	if len(c.password) > maxPassword {
		return nil, fail("log in", fleet.ErrAuth, fmt.Sprintf("the password is longer than %d bytes, which IPMI cannot carry", maxPassword))
	}
	l, err := dial(ctx, d.address, d.sent)
	if err != nil {
		return nil, err
	}
	s, err := d.enter(ctx, l, c)
	if err != nil {
		l.close()
		return nil, err
	}
	return s, nil
}

func (d door) enter(ctx context.Context, l *link, c credential) (*session, error) {
	h, err := d.open(ctx, l)
	if err != nil {
		return nil, err
	}
	h.role = byte(d.role) | nameOnly
	h.user = c.user
	h.password = crypto.PadPassword20([]byte(c.password))
	h.key = h.password
	if c.key != "" {
		h.key = crypto.PadPassword20([]byte(c.key))
	}
	rand.Read(h.rm[:])
	return d.prove(ctx, l, h)
}

// patience of a login step: slow BMCs take 3 s for the first one.
func (d door) patience() patience {
	total := d.timeout * 5 / 2
	return patience{total, total / 5, 3}
}

// open sends Open Session Request. Suites alternate with the repeats, so
// that a BMC which drops what it does not know costs no extra wait.
func (d door) open(ctx context.Context, l *link) (*handshake, error) {
	const op = "open session"
	left := append([]suite(nil), d.suites...)
	for {
		asked := make([]handshake, 0, 2*len(left))
		var refused, found *handshake
		var status rakpStatus
		build := func() []byte {
			h := handshake{suite: left[len(asked)%len(left)], console: randomID(), openPriv: byte(d.role)}
			asked = append(asked, h)
			return l.setup(payloadOpenRequest, h.openRequest(byte(len(asked))))
		}
		take := func(b []byte) bool {
			p, err := parsePacket(b)
			if err != nil || p.kind != payloadOpenAnswer || len(p.body) < 2 || int(p.body[0]) < 1 || int(p.body[0]) > len(asked) {
				return false
			}
			h := &asked[p.body[0]-1]
			a, err := parseSetup(p.body, p.body[0], h.console)
			if err != nil {
				return false
			}
			if status = a.status; status != statusOK {
				refused = h
				return true
			}
			if !h.takeOpen(a.body) {
				return false
			}
			found = h
			return true
		}
		p := patience{d.timeout, d.timeout / 4, max(3, len(left))}
		if err := l.exchange(ctx, op, p, build, take); err != nil {
			return nil, silent(err, op, fleet.ErrUnreachable, p.total)
		}
		if found != nil {
			return found, nil
		}
		left = without(left, refused.suite)
		if !status.suiteRefused() || len(left) == 0 {
			return nil, &opError{op, &statusError{status}}
		}
	}
}

// without returns the suites other than one.
func without(list []suite, s suite) []suite {
	var rest []suite
	for _, x := range list {
		if x != s {
			rest = append(rest, x)
		}
	}
	return rest
}

// prove runs RAKP 1 to 4 and makes the session.
func (d door) prove(ctx context.Context, l *link, h *handshake) (*session, error) {
	a, err := d.step(ctx, l, "rakp 1", h.console, payloadRAKP1, payloadRAKP2, h.rakp1)
	if err != nil {
		return nil, err
	}
	code, ok := h.takeRAKP2(a.body)
	if !ok {
		return nil, fail("rakp 2", fleet.ErrProtocol, "short answer")
	}
	if !h.identify(code, d.quirks) {
		d.abandon(l, h)
		return nil, &opError{"rakp 2", &statusError{statusIntegrity}}
	}
	proof, err := h.proof()
	if err != nil {
		return nil, &opError{"rakp 3", err}
	}
	a, err = d.step(ctx, l, "rakp 3", h.console, payloadRAKP3, payloadRAKP4, func(tag byte) []byte { return h.rakp3(tag, statusOK, proof) })
	if err != nil {
		return nil, err
	}
	k1, k2, ok, err := h.keys(a.body, d.quirks)
	if err != nil {
		return nil, &opError{"rakp 4", err}
	}
	if !ok { // the password is right, so it is the BMC key
		return nil, fail("rakp 4", fleet.ErrAuth, "the BMC proves another key (K_g) than ours")
	}
	return newSession(l, h, d, k1, k2)
}

// abandon tells the BMC that its RAKP 2 was not accepted, so that it frees
// the half-open session instead of keeping it for its timeout.
func (d door) abandon(l *link, h *handshake) {
	l.conn.Write(l.setup(payloadRAKP3, h.rakp3(1, statusIntegrity, nil)))
	d.sent.Add(1)
}

// step sends one message of the login and waits for its answer.
func (d door) step(ctx context.Context, l *link, op string, console uint32, ask, want payload, body func(tag byte) []byte) (setupAnswer, error) {
	const tag = 1
	var got setupAnswer
	build := func() []byte { return l.setup(ask, body(tag)) }
	take := func(b []byte) bool {
		p, err := parsePacket(b)
		if err != nil || p.kind != want {
			return false
		}
		got, err = parseSetup(p.body, tag, console)
		return err == nil
	}
	p := d.patience()
	if err := l.exchange(ctx, op, p, build, take); err != nil {
		return got, silent(err, op, fleet.ErrTimeout, p.total)
	}
	if got.status != statusOK {
		return got, &opError{op, &statusError{got.status}}
	}
	return got, nil
}

// setup frames a message of the login: no session, no sequence, no cover.
func (l *link) setup(kind payload, body []byte) []byte {
	l.out = append(putHeader(l.out[:0], byte(kind), 0, 0), body...)
	setLength(l.out)
	return l.out
}
