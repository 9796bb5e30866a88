package ipmi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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
	Anonymous    bool   // anonymous login is enabled
	NullUser     bool   // a user without a name is enabled
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
		if err := look(ctx, l); err != nil && !errors.Is(err, errSilent) {
			return g, err
		}
	}
	g.IPMI = g.Ping || g.V15 || g.V20 || len(g.Suites) > 0 || g.Cipher0Tried
	if !g.IPMI {
		return g, fail("knock", fleet.ErrUnreachable, fmt.Sprintf("no answer within %v", 4*knockWait))
	}
	return g, nil
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

// outside sends a command without a session, in a 1.5 packet.
func outside(ctx context.Context, l *link, c command) ([]byte, error) {
	msg := putV15(nil, putMessage(nil, c, 1))
	var got answer
	err := l.exchange(ctx, c.op, knockPatience(), func() []byte { return msg }, func(b []byte) bool {
		m, err := parseV15(b)
		if err != nil {
			return false
		}
		got, err = parseMessage(m, c, 1, true)
		got.data = bytes.Clone(got.data)
		return err == nil
	})
	if err == nil && got.code != ccOK {
		return nil, errSilent // answered, and tells nothing
	}
	return got.data, err
}

// capabilities is section 22.13.
func (g *Grade) capabilities(ctx context.Context, l *link) error {
	const v20Data, admin = 0x80, 4
	data, err := outside(ctx, l, command{fn: fnApp, cmd: 0x38, data: []byte{v20Data | thisChannel, admin}, op: "get channel authentication capabilities"})
	if err != nil || len(data) < 4 {
		return err
	}
	offered, status, extended := data[1], data[2], data[3]
	if offered&0x80 != 0 {
		g.V15, g.V20 = extended&1 != 0, extended&2 != 0
	} else {
		g.V15 = true
	}
	g.NoAuth = offered&0x01 != 0
	g.WeakAuth = offered&0x16 != 0
	g.TwoKey = status&0x20 != 0
	g.NullUser = status&0x02 != 0
	g.Anonymous = status&0x01 != 0
	return nil
}

// suites is Get Channel Cipher Suites (section 22.15): records in pieces of
// 16 bytes, at most 64 of them.
func (g *Grade) suites(ctx context.Context, l *link) error {
	const listBySuite, piece = 0x80, 16
	var all []byte
	for i := range byte(64) {
		data, err := outside(ctx, l, command{fn: fnApp, cmd: 0x54, data: []byte{thisChannel, byte(payloadIPMI), listBySuite | i}, op: "get channel cipher suites"})
		if err != nil || len(data) < 1 {
			return err
		}
		all = append(all, data[1:]...)
		if len(data)-1 < piece {
			break
		}
	}
	g.Suites = parseSuites(all)
	return nil
}

// parseSuites reads cipher suite records (table 22-18): C0h and an id for a
// standard suite, C1h with an id and three bytes of enterprise for an OEM's;
// then algorithms, whose top two bits are not 11.
func parseSuites(b []byte) []int {
	var ids []int
	for i := 0; i+1 < len(b); i++ {
		switch b[i] {
		case 0xc0:
			ids = append(ids, int(b[i+1]))
			i++
		case 0xc1:
			i += 4
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
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
