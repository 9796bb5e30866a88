package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// link is one UDP socket to one BMC, and the only place that reads or writes
// the wire. One exchange at a time: its user holds the BMC's turn.
type link struct {
	conn net.Conn
	in   [maxSize]byte
	out  []byte
	sent *atomic.Int64 // datagrams, both ways
}

// errSilent says that nothing acceptable came in time; what that means is
// for the caller to say (unreachable, timed out, session gone).
var errSilent = errors.New("no answer")

// dial opens the socket. Nothing is sent.
func dial(ctx context.Context, address string, sent *atomic.Int64) (*link, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", address)
	if err != nil {
		return nil, netError(ctx, "dial", err)
	}
	return &link{conn: conn, out: make([]byte, 0, 256), sent: sent}, nil
}

// patience is how long an exchange waits: total in all, first before the
// datagram is sent again, doubling after that. tries bounds the sends.
type patience struct {
	total time.Duration
	first time.Duration
	tries int
}

// once is patience for what must not be sent twice.
func once(total time.Duration) patience { return patience{total, total, 1} }

// exchange sends what build makes and hands every datagram to take until it
// says yes. A datagram that take refuses costs nothing but its reading: a
// stray or forged packet neither ends nor prolongs the wait. build is called
// again for each repeat, because a repeat needs a new session sequence.
//
// It returns errSilent when the patience is used up, a fleet.ErrTimeout when
// ctx ended first, and a fleet.ErrUnreachable when the socket says so.
func (l *link) exchange(ctx context.Context, op string, p patience, build func() []byte, take func([]byte) bool) error {
	stop := context.AfterFunc(ctx, func() { l.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	end := time.Now().Add(p.total)
	wait := min(p.first, p.total)
	for try := 0; try < p.tries; try++ {
		if ctx.Err() != nil {
			return ctxError(ctx, op)
		}
		if _, err := l.conn.Write(build()); err != nil {
			return netError(ctx, op, err)
		}
		l.sent.Add(1)
		until := time.Now().Add(wait)
		if try == p.tries-1 || until.After(end) {
			until = end
		}
		if err := l.await(ctx, op, until, take); !errors.Is(err, errSilent) {
			return err
		}
		if !time.Now().Before(end) {
			break
		}
		wait *= 2
	}
	return errSilent
}

// await reads datagrams until take says yes or the time has come.
func (l *link) await(ctx context.Context, op string, until time.Time, take func([]byte) bool) error {
	for {
		if err := l.conn.SetReadDeadline(until); err != nil {
			return netError(ctx, op, err)
		}
		if ctx.Err() != nil { // after the deadline was set: AfterFunc cannot be overruled
			return ctxError(ctx, op)
		}
		n, err := l.conn.Read(l.in[:])
		switch {
		case err == nil:
			l.sent.Add(1)
			if take(l.in[:n]) {
				return nil
			}
			if !time.Now().Before(until) { // a flood must not hold us
				return errSilent
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if ctx.Err() == nil && !time.Now().Before(until) {
				return errSilent
			}
		default:
			return netError(ctx, op, err)
		}
	}
}

func (l *link) close() { l.conn.Close() }

// silent turns errSilent into an error with a kind.
func silent(err error, op string, kind error, total time.Duration) error {
	if !errors.Is(err, errSilent) {
		return err
	}
	return fail(op, kind, fmt.Sprintf("no answer within %v", total))
}
