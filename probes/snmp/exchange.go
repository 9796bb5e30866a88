package snmp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"plumb/fleet"
)

// maxDatagram is the largest UDP payload, and what we say we can receive.
const maxDatagram = 65507

// errNoAnswer says that the last try of a request went unanswered.
var errNoAnswer = errors.New("no answer")

// errTooMuch says that the poll has taken Config.MaxBytes off the wire.
var errTooMuch = errors.New("more data than one poll may take")

// link is what is remembered of the way to a device between polls.
type link struct {
	srtt, rttvar time.Duration // smoothed round trip (RFC 6298), 0: not measured
	repetitions  int           // max-repetitions the device can bear
	width        int           // columns in one GETBULK it can bear
	shrunk       bool          // since the last slow poll
}

// minWait is the shortest wait for an answer: agents that build a table take
// their time, whatever a single GET took.
const minWait = 500 * time.Millisecond

// wait returns how long to wait for an answer after n tries without one.
func (l *link) wait(n int, limit time.Duration) time.Duration {
	d := time.Second
	if l.srtt > 0 {
		d = max(minWait, l.srtt+4*l.rttvar)
	}
	return min(d<<min(n, 4), limit)
}

// measured takes in one round trip of a request that was sent once (Karn).
func (l *link) measured(rtt time.Duration) {
	if l.srtt == 0 {
		l.srtt, l.rttvar = max(rtt, 1), rtt/2
		return
	}
	l.rttvar += ((l.srtt - rtt).Abs() - l.rttvar) / 4
	l.srtt += (rtt - l.srtt) / 8
}

// shrink asks less of the device from now on. It reports whether there was
// anything left to give up.
func (l *link) shrink() bool {
	l.shrunk = true
	switch {
	case l.repetitions > 1:
		l.repetitions /= 2
	case l.width > 1:
		l.width /= 2
	default:
		return false
	}
	return true
}

// grow gives back a step, after a while without trouble.
func (l *link) grow() {
	if !l.shrunk {
		l.repetitions, l.width = min(2*l.repetitions, maxRepetitions), min(2*l.width, maxWidth)
	}
	l.shrunk = false
}

// scratch is the working memory of a poll.
type scratch struct {
	buf []byte   // a datagram as it came
	out writer   // a message to send
	in  response // an answer, whose values lie in buf
}

// scratches holds working memory between polls: idle devices cost none.
var scratches = sync.Pool{New: func() any { return &scratch{buf: make([]byte, maxDatagram+1)} }}

// conn is one poll's way to an agent. Its socket is fresh, so that an answer
// to an earlier poll cannot reach it; it is not connected, because some agents
// answer from another address than the one they were asked at.
type conn struct {
	cfg  *Config
	sec  security
	usm  *usm // sec, when it is v3
	link *link

	sock *net.UDPConn
	peer netip.AddrPort
	stop func() bool // ends the watch on ctx
	*scratch

	taken      int  // octets received
	answered   bool // the device answered something in this poll
	discovered bool // its v3 engine was discovered in this poll
	dead       bool // it stopped answering: ask no more
	lost       int  // tries in a row without an answer: each doubles the wait
}

// dial opens the socket. From here on a cancelled ctx ends any wait at once.
func dial(ctx context.Context, cfg *Config, sec security, l *link) (*conn, error) {
	peer, err := resolve(ctx, cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fleet.ErrUnreachable, err)
	}
	network := "udp6"
	if peer.Addr().Is4() {
		network = "udp4"
	}
	sock, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fleet.ErrUnreachable, err)
	}
	c := &conn{cfg: cfg, sec: sec, link: l, sock: sock, peer: peer, scratch: scratches.Get().(*scratch)}
	c.usm, _ = sec.(*usm)
	c.stop = context.AfterFunc(ctx, func() { _ = sock.SetReadDeadline(time.Unix(1, 0)) })
	return c, nil
}

// unwatch lets a cancelled ctx end no wait any more that is not its own.
func (c *conn) unwatch() { c.stop() }

func (c *conn) close() {
	c.stop()
	_ = c.sock.Close()
	scratches.Put(c.scratch)
	c.scratch = nil
}

func resolve(ctx context.Context, address string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q is not a number", service)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a.Unmap(), uint16(port)), nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return netip.AddrPort{}, fmt.Errorf("no address for %q", host)
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(port)), nil
}

// do sends a request up to tries times and returns its answer, whose memory
// is good until the next do. An error-status is in the answer, not an error.
// errVarbinds comes with what was readable of a cut answer.
func (c *conn) do(ctx context.Context, q *request, tries int) (*response, error) {
	id := rand.Int32N(1<<31-2) + 1
	var seen recovery
	for try := 0; try < tries; {
		err := c.once(ctx, q, id, try)
		var rep *report
		switch {
		case err == nil || err == errVarbinds:
			return &c.in, err
		case errors.As(err, &rep):
			if err := c.recover(ctx, rep, &seen); err != nil {
				return nil, err
			}
		case err == errNoAnswer:
			if try++; try == 1 {
				if err := c.diagnose(ctx); err != nil {
					return nil, err
				}
			}
		default:
			return nil, err
		}
	}
	return nil, errNoAnswer
}

// once sends a request and waits for its answer. Whatever else arrives is
// looked at and dropped; it neither ends the wait nor starts a new try.
func (c *conn) once(ctx context.Context, q *request, id int32, try int) error {
	if err := c.sec.seal(&c.out, q, id); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sent := time.Now()
	if err := c.sock.SetReadDeadline(sent.Add(c.link.wait(c.lost, c.cfg.Timeout))); err != nil {
		return err
	}
	if ctx.Err() != nil { // it may have set its deadline before ours
		return ctx.Err()
	}
	if _, err := c.sock.WriteToUDPAddrPort(c.out.bytes(), c.peer); err != nil {
		return fmt.Errorf("%w: %w", fleet.ErrUnreachable, err)
	}
	for {
		n, _, err := c.sock.ReadFromUDPAddrPort(c.buf)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			c.lost++
			return errNoAnswer
		case err != nil:
			return fmt.Errorf("%w: %w", fleet.ErrUnreachable, err)
		}
		if c.taken += n; c.taken > c.cfg.MaxBytes {
			return errTooMuch
		}
		err = c.sec.open(&c.in, c.buf[:n], id)
		if err == errStray {
			continue
		}
		c.answered, c.lost = true, 0
		if try == 0 {
			c.link.measured(time.Since(sent))
		}
		return err
	}
}

// recovery notes which remedies one request has had: each works once or never.
type recovery struct{ synced bool }

// recover follows RFC 3414 section 4 after a report: nil means that the
// request may be sent again.
func (c *conn) recover(ctx context.Context, rep *report, seen *recovery) error {
	u := c.usm
	switch {
	case u.engine.id == "":
		// Any report to a discovery names the engine; some agents complain
		// of the empty user instead of the empty engine id.
		c.discovered = true
		return u.adopt(ctx, rep.engine)
	case rep.counter == statsNotInTimeWindows && rep.signed && !seen.synced:
		seen.synced = true
		u.engine.boots, u.engine.time, u.engine.at = rep.engine.boots, rep.engine.time, rep.engine.at
		return nil
	case !c.discovered:
		// The engine that we remember may be another one by now.
		u.forget()
		return nil
	}
	return rep
}

// diagnose tells a wrong privacy password from silence: most agents drop what
// they cannot decrypt. It asks once more, signed but not encrypted.
func (c *conn) diagnose(ctx context.Context) error {
	u := c.usm
	if u == nil || u.engine.id == "" || u.proved || u.full()&flagPriv == 0 || u.level != u.full() {
		return nil
	}
	u.level = flagAuth
	defer func() { u.level = u.full() }()
	err := c.once(ctx, &request{kind: pduGet, names: []oid{sysUpTime}}, rand.Int32N(1<<31-2)+1, 0)
	var rep *report
	if err == nil || errors.As(err, &rep) && rep.signed {
		u.forget()
		return &report{counter: statsDecryptionErrors}
	}
	return nil
}

// get reads single objects, in order; what the device has not is a value that
// does not exist. The values are the caller's to keep.
func (c *conn) get(ctx context.Context, names ...oid) ([]value, error) {
	const chunk = 16
	out := make([]value, 0, len(names))
	for len(names) > 0 {
		n := min(chunk, len(names))
		vs, err := c.getSome(ctx, names[:n])
		if err != nil {
			return append(out, make([]value, len(names))...), err
		}
		out, names = append(out, vs...), names[n:]
	}
	return out, nil
}

func (c *conn) getSome(ctx context.Context, names []oid) ([]value, error) {
	if c.dead {
		return nil, errNoAnswer
	}
	r, err := c.do(ctx, &request{kind: pduGet, names: names}, 1+c.cfg.Retries)
	if err != nil {
		return nil, err
	}
	if r.status != statusOK {
		if len(names) == 1 {
			if r.status == statusNoSuchName || r.status == statusGenErr || r.status == statusTooBig {
				return make([]value, 1), nil
			}
			return nil, r.status
		}
		// One bad object spoils the lot: ask by halves.
		half := len(names) / 2
		head, err := c.getSome(ctx, names[:half])
		if err != nil {
			return nil, err
		}
		tail, err := c.getSome(ctx, names[half:])
		return append(head, tail...), err
	}
	out := make([]value, len(names))
	for i, v := range r.vars {
		if i < len(names) && v.name.compare(names[i]) == 0 {
			out[i] = value{v.value.tag, append([]byte(nil), v.value.raw...)}
		}
	}
	return out, nil
}
