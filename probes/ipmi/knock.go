package ipmi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// Grade is what a BMC tells anyone who knocks: no login is tried, so no
// account can be locked by looking.
type Grade struct {
	IPMI         bool   // it answers at all
	Ping         bool   // presence pong says IPMI (DSP0136 section 3.2.4)
	V15          bool   // takes IPMI 1.5 sessions
	V20          bool   // takes RMCP+ sessions
	NoAuth       bool   // 1.5: authentication "none" is offered
	WeakAuth     bool   // 1.5: MD2, MD5 or plain password is offered
	Anonymous    bool   // a user without name and password is enabled
	NullUser     bool   // a user without a name, but with a password, is enabled
	TwoKey       bool   // needs K_g
	Suites       []int  // cipher suites it lists, ascending
	Cipher0      bool   // suite 0, which asks for no password, was accepted by Open Session
	Cipher0Tried bool   // Open Session with suite 0 was answered
	Refused      string // why Open Session with suite 0 was refused
}

// knockWait is how long each of the packets is waited for.
const knockWait = time.Second

// Knock looks at a BMC from outside with four kinds of unauthenticated
// packet: presence ping, Get Channel Authentication Capabilities, Get Channel
// Cipher Suites, and Open Session Request with suite 0, which is abandoned
// before any user is named. Whatever was learned is in the Grade; the error is
// a fleet.ErrUnreachable when nothing answered, or ctx's.
func Knock(ctx context.Context, address string) (Grade, error) {
	var g Grade
	to, err := endpoint(address)
	if err != nil {
		return g, fail("knock", fleet.ErrUnreachable, err.Error())
	}
	var sent atomic.Int64
	l, err := dial(ctx, to, &sent)
	if err != nil {
		return g, err
	}
	defer l.close()
	for _, look := range []func(context.Context, *link) error{g.ping, g.capabilities, g.suites, g.cipherZero} {
		if err := look(ctx, l); err != nil && !tellsNothing(err) {
			return g, err
		}
	}
	g.IPMI = g.Ping || g.V15 || g.V20 || len(g.Suites) > 0 || g.Cipher0Tried
	if !g.IPMI {
		return g, fail("knock", fleet.ErrUnreachable, fmt.Sprintf("no answer within %v", 4*knockWait))
	}
	return g, nil
}

// tellsNothing reports silence, a refusal, or an answer that is none: what is
// asked next may still be told.
func tellsNothing(err error) bool {
	var r *refusal
	return errors.Is(err, errSilent) || errors.As(err, &r) || errors.Is(err, fleet.ErrProtocol)
}

func knockPatience() patience { return patience{knockWait, knockWait / 2, 2} }

// asfIANA is the enterprise number in every ASF message.
const asfIANA = 4542

func (g *Grade) ping(ctx context.Context, l *link) error {
	const presencePing, presencePong, tag = 0x80, 0x40, 0x01
	msg := []byte{rmcpVersion, 0, rmcpSeqNoAck, rmcpASF}
	msg = append(binary.BigEndian.AppendUint32(msg, asfIANA), presencePing, tag, 0, 0)
	return l.exchange(ctx, "presence ping", knockPatience(), func() []byte { return msg }, func(b []byte) bool {
		if len(b) < 12 || b[3] != rmcpASF || b[8] != presencePong {
			return false
		}
		g.Ping = len(b) > 20 && b[20]&0x80 != 0 // supported entities: IPMI
		return true
	})
}

// outside asks without a session, in 1.5 packets: each question has a sequence
// number of its own, so that a late answer is not taken for the next.
func outside(l *link) asker {
	var seq uint8
	return func(ctx context.Context, c command) ([]byte, error) {
		seq = (seq + 1) & 0x3f
		msg := putV15(nil, putMessage(nil, c, seq))
		var got answer
		err := l.exchange(ctx, c.op, knockPatience(), func() []byte { return msg }, func(b []byte) bool {
			m, err := parseV15(b)
			if err != nil {
				return false
			}
			got, err = parseMessage(m, c, seq, true)
			got.data = bytes.Clone(got.data)
			return err == nil
		})
		if err == nil && got.code != ccOK {
			return nil, &opError{c.op, &refusal{got.code}}
		}
		return got.data, err
	}
}

func (g *Grade) capabilities(ctx context.Context, l *link) error {
	c, err := askAuthCaps(ctx, outside(l), privAdmin)
	if err != nil {
		return err
	}
	g.V15, g.V20 = c.v15, c.v20
	g.NoAuth, g.WeakAuth = c.types&noAuth != 0, c.types&weakAuth != 0
	g.TwoKey, g.NullUser, g.Anonymous = c.twoKey, c.nullUser, c.anonymous
	return nil
}

func (g *Grade) suites(ctx context.Context, l *link) (err error) {
	g.Suites, err = askSuites(ctx, outside(l))
	return err
}

// cipherZero asks for a session that needs no password, and lets it go: the
// BMC's answer is all that is wanted.
func (g *Grade) cipherZero(ctx context.Context, l *link) error {
	h := handshake{console: randomID()} // the zero suite is suite 0
	var status rakpStatus
	var id uint32
	p := knockPatience()
	p.tries = 1 // each try may take a session slot until it times out
	err := l.exchange(ctx, "open session with cipher suite 0", p, func() []byte {
		return l.setup(payloadOpenRequest, h.openRequest(1))
	}, func(b []byte) bool {
		pkt, err := parsePacket(b)
		if err != nil || pkt.kind != payloadOpenAnswer {
			return false
		}
		a, err := parseSetup(pkt.body, 1, h.console)
		if err != nil {
			return false
		}
		if status = a.status; status == statusOK && len(a.body) >= 4 {
			id = binary.LittleEndian.Uint32(a.body)
		}
		return true
	})
	if err != nil {
		return err
	}
	g.Cipher0Tried, g.Cipher0, g.V20 = true, status == statusOK, true
	if status != statusOK {
		g.Refused = status.String()
		return nil
	}
	h.bmc = id // free the half-open session
	l.conn.Write(l.setup(payloadRAKP3, h.rakp3(1, statusIntegrity, nil)))
	return nil
}
