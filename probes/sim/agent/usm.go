package agent

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
)

// minMaxSize is the least that anyone must take (RFC 3412 section 6).
const minMaxSize = 484

// Bits of msgFlags (RFC 3412 section 6.4).
const (
	flagAuth       = 1
	flagPriv       = 2
	flagReportable = 4
)

const securityModelUSM = 3

// timeWindow is how far apart the clocks may be, in seconds (RFC 3414 section 2.2.3).
const timeWindow = 150

// report numbers the counters of usmStats (RFC 3414 section 5), from 0.
type report int

const (
	unsupportedSecLevels report = iota
	notInTimeWindows
	unknownUserNames
	unknownEngineIDs
	wrongDigests
	decryptionErrors
)

// usmReports has one element per report, for its length.
var usmReports [6]struct{}

var (
	usmStats        = mustOID("1.3.6.1.6.3.15.1.1")
	unknownContexts = mustOID("1.3.6.1.6.3.12.1.5.0")
	unknownHandlers = mustOID("1.3.6.1.6.3.11.2.1.3.0")
)

// message is a v3 message (RFC 3412 section 6, RFC 3414 section 2.4).
type message struct {
	id          int64
	maxSize     int64
	flags       byte
	engine      []byte
	boots, time int64
	user        []byte
	auth        []byte
	authAt      int // where the digest lies in the packet
	salt        []byte
	data        reader // scopedPDU, or its encryption
}

// level is the security level of a message or an answer.
func (m *message) level() byte { return m.flags & (flagAuth | flagPriv) }

// parseV3 reads what follows the version.
func parseV3(msg *reader) (m message, ok bool) {
	header := msg.enter(tagSequence)
	m.id, m.maxSize = header.integer(), header.integer()
	flags := header.octets(tagOctets)
	model := header.integer()
	params := msg.enter(tagOctets)
	params = params.enter(tagSequence)
	m.engine = params.octets(tagOctets)
	m.boots, m.time = params.integer(), params.integer()
	m.user = params.octets(tagOctets)
	m.auth = params.octets(tagOctets)
	m.authAt = params.at - len(m.auth)
	m.salt = params.octets(tagOctets)
	m.data = *msg
	if msg.bad || header.bad || params.bad || len(flags) != 1 || model != securityModelUSM {
		return m, false
	}
	m.flags = flags[0]
	return m, m.maxSize >= minMaxSize && m.id >= 0 && m.level() != flagPriv
}

// answerV3 serves a message of the user-based security model in the order of
// RFC 3414 section 3.2.
func (s *Server) answerV3(packet []byte, msg *reader) []byte {
	m, ok := parseV3(msg)
	if !ok || len(s.users) == 0 {
		return nil
	}
	d := s.cfg.Device()
	if d == nil {
		return nil
	}
	v := s.look(d)
	if !bytes.Equal(m.engine, s.engine.id) {
		return s.report(v, &m, nil, unknownEngineIDs)
	}
	keys := s.users[string(m.user)]
	switch {
	case keys == nil:
		return s.report(v, &m, nil, unknownUserNames)
	case m.flags&flagAuth != 0 && keys.mac == nil, m.flags&flagPriv != 0 && keys.block == nil:
		return s.report(v, &m, nil, unsupportedSecLevels)
	case m.flags&flagAuth != 0 && !keys.verify(packet, &m):
		return s.report(v, &m, nil, wrongDigests)
	case m.flags&flagAuth != 0 && !inWindow(v.sys, &m):
		return s.report(v, &m, keys, notInTimeWindows)
	}
	scoped := m.data
	if m.flags&flagPriv != 0 {
		secret := m.data.octets(tagOctets)
		if m.data.bad {
			return nil
		}
		if !keys.decrypt(secret, m.salt, uint32(m.boots), uint32(m.time)) {
			return s.report(v, &m, nil, decryptionErrors)
		}
		scoped = newReader(secret)
	}
	return s.answerScoped(d.tree(), v, &m, keys, scoped)
}

// verify checks the digest, which is computed with zeros in its own place.
func (c *crypt) verify(packet []byte, m *message) bool {
	if len(m.auth) != c.size {
		return false
	}
	var got [64]byte
	n := copy(got[:], m.auth)
	clear(packet[m.authAt : m.authAt+n])
	return hmac.Equal(got[:n], c.digest(packet))
}

// inWindow is the check of the authoritative engine (section 3.2 step 7a).
func inWindow(sys *System, m *message) bool {
	apart := sys.engineTime() - m.time
	return m.boots == sys.engineBoots() && m.boots != 1<<31-1 && apart <= timeWindow && apart >= -timeWindow
}

// answerScoped serves the scopedPDU of a message that has passed.
func (s *Server) answerScoped(t *tree, v *view, m *message, keys *crypt, scoped reader) []byte {
	in := scoped.enter(tagSequence)
	contextEngine, context := in.octets(tagOctets), in.octets(tagOctets)
	q, ok := readRequest(&in)
	if !ok || in.bad || !confirmed(q.kind) {
		return nil
	}
	a := s.begin(v, m, keys, m.level())
	switch {
	case !bytes.Equal(contextEngine, s.engine.id) || q.kind == pduInform:
		a.bindOnly(pduReport, q.id, unknownHandlers)
	case len(context) != 0:
		a.bindOnly(pduReport, q.id, unknownContexts)
	case m.level() != keys.level():
		a.refuse(q)
	default:
		s.responder.respond(&s.out, t, v, q, a.limit-a.trailer())
	}
	return a.finish()
}

// level is the only level at which a user is let in.
func (c *crypt) level() (flags byte) {
	if c.mac != nil {
		flags |= flagAuth
	}
	if c.block != nil {
		flags |= flagPriv
	}
	return flags
}

// report counts and, if the sender wants to know, says what is wrong with a
// message. With keys the report is authenticated, so that the sender may
// believe the clock in it.
func (s *Server) report(v *view, m *message, keys *crypt, what report) []byte {
	s.engine.stats[what]++
	if m.flags&flagReportable == 0 {
		return nil
	}
	level := byte(0)
	if keys != nil {
		level = flagAuth
	}
	var id int64 // unknown where it was encrypted
	if plain := m.data; m.flags&flagPriv == 0 {
		scoped := plain.enter(tagSequence)
		scoped.octets(tagOctets)
		scoped.octets(tagOctets)
		if q, ok := readRequest(&scoped); ok {
			id = q.id
		}
	}
	a := s.begin(v, m, keys, level)
	var name [maxIndex]uint32
	oid := append(append(name[:0], usmStats...), uint32(what)+1, 0)
	a.count = s.engine.stats[what]
	a.bindOnly(pduReport, id, oid)
	return a.finish()
}

// answerMessage is an outgoing v3 message that is being built in s.out.
type answerMessage struct {
	s           *Server
	keys        *crypt
	level       byte
	boots, time uint32
	count       uint32 // what a report's counter stands at
	limit       int    // bytes that both sides take

	whole, authAt, saltAt int
	secret, scoped        int // secret: the OCTET STRING around an encryption
}

// begin writes everything up to the scopedPDU.
func (s *Server) begin(v *view, m *message, keys *crypt, level byte) answerMessage {
	a := answerMessage{
		s: s, keys: keys, level: level,
		boots: uint32(v.sys.engineBoots()), time: uint32(v.sys.engineTime()),
		limit: min(int(m.maxSize), s.cfg.MaxSize),
	}
	e := &s.out
	e.b = e.b[:0]
	a.whole = e.open(tagSequence)
	e.integer(versionV3)
	header := e.open(tagSequence)
	e.integer(m.id)
	e.integer(int64(s.cfg.MaxSize))
	e.octets([]byte{level})
	e.integer(securityModelUSM)
	e.close(header)
	a.security(e, m.user)
	if level&flagPriv != 0 {
		a.secret = e.open(tagOctets)
	}
	a.scoped = e.open(tagSequence)
	e.octets(s.engine.id)
	e.octets(nil)
	return a
}

// security writes msgSecurityParameters with zeros for the digest.
func (a *answerMessage) security(e *encoder, user []byte) {
	outer := e.open(tagOctets)
	params := e.open(tagSequence)
	e.octets(a.s.engine.id)
	e.integer(int64(a.boots))
	e.integer(int64(a.time))
	e.octets(user)
	var digest [64]byte
	auth, salt := digest[:0], a.nextSalt()
	if a.level&flagAuth != 0 {
		auth = digest[:a.keys.size]
	}
	if a.level&flagPriv == 0 {
		salt = nil
	}
	e.octets(auth)
	e.octets(salt)
	e.close(params)
	e.close(outer)
	a.saltAt = len(e.b) - len(salt)
	a.authAt = a.saltAt - 2 - len(auth)
}

// nextSalt never repeats while the engine's boots and time do not: a counter,
// behind the boots for DES as RFC 3414 section 8.1.1.1 wants.
func (a *answerMessage) nextSalt() []byte {
	a.s.salt++
	salt := a.s.saltBytes[:]
	binary.BigEndian.PutUint64(salt, a.s.salt)
	if a.keys != nil && a.keys.des {
		binary.BigEndian.PutUint32(salt, a.boots)
	}
	return salt
}

// trailer is room for the lengths and the padding outside of the PDU.
func (a *answerMessage) trailer() int { return 16 }

// bindOnly writes a PDU with one counter.
func (a *answerMessage) bindOnly(kind byte, id int64, oid []uint32) {
	e := &a.s.out
	pdu := e.open(kind)
	e.integer(id)
	e.integer(0)
	e.integer(0)
	list := e.open(tagSequence)
	bind := e.open(tagSequence)
	e.oid(oid)
	e.unsigned(tagCounter32, uint64(max(a.count, 1)))
	e.close(bind)
	e.close(list)
	e.close(pdu)
}

// refuse answers authorizationError: the user exists, and not at this level.
func (a *answerMessage) refuse(q request) {
	e := &a.s.out
	pdu := e.open(pduResponse)
	e.integer(q.id)
	e.integer(int64(authorizationError))
	e.integer(0)
	list := e.open(tagSequence)
	if raw := q.binds.rest(); len(e.b)+len(raw)+a.trailer()+slack <= a.limit {
		e.b = append(e.b, raw...)
	}
	e.close(list)
	e.close(pdu)
}

// finish encrypts, closes and signs the message.
func (a *answerMessage) finish() []byte {
	e := &a.s.out
	e.close(a.scoped)
	if a.level&flagPriv != 0 {
		if a.keys.des {
			for (len(e.b)-a.secret)%8 != 0 {
				e.b = append(e.b, 0)
			}
		}
		a.keys.encrypt(e.b[a.secret:], e.b[a.saltAt:a.saltAt+8], a.boots, a.time)
		e.close(a.secret)
	}
	size := len(e.b)
	e.close(a.whole)
	if a.level&flagAuth != 0 {
		at := a.authAt + len(e.b) - size
		copy(e.b[at:], a.keys.digest(e.b))
	}
	return e.b
}
