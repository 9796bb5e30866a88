package snmp

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosnmp/gosnmp"

	"plumb/fleet"
)

// msgFlags of SNMPv3 (RFC 3412 section 6.4).
const (
	flagAuth       = 1
	flagPriv       = 2
	flagReportable = 4
)

// macLength is how much of the HMAC is sent (RFC 3414 section 6, RFC 7860
// section 4.2.1), in octets.
var macLength = map[gosnmp.SnmpV3AuthProtocol]int{
	gosnmp.MD5: 12, gosnmp.SHA: 12, gosnmp.SHA224: 16, gosnmp.SHA256: 24, gosnmp.SHA384: 32, gosnmp.SHA512: 48,
}

// timeWindow is how far an engine's clock may lie behind what we know of it
// (RFC 3414 section 2.2.3), in seconds.
const timeWindow = 150

// usm is the User-based Security Model (RFC 3414) towards one agent. It lives
// with the agent, so that discovery and key localisation happen once; it is
// keyed by address and not by engine id, because cloned devices share those.
type usm struct {
	user, context              string
	auth                       gosnmp.SnmpV3AuthProtocol
	priv                       gosnmp.SnmpV3PrivProtocol
	authPassword, privPassword Secret

	engine  engine
	authKey []byte // localised to the engine
	privKey []byte
	salt    uint64
	level   byte // flags to send with: auth and priv as configured, less while diagnosing
	proved  bool // an answer at the full level came: the keys are right

	plain writer // scratch of seal
	clear []byte // scratch of open
}

// engine is the authoritative engine: its identity and its clock.
type engine struct {
	id          string // empty: not discovered
	boots, time int64  // its clock when it was last heard, seconds
	at          time.Time
}

// now returns the engine's clock as it should be now.
func (e *engine) now() int64 { return e.time + int64(time.Since(e.at)/time.Second) }

func newUSM(c *Config) *usm {
	u := &usm{
		user: c.User, context: c.Context,
		auth: authProtocols[protocol(c.Auth)], priv: privProtocols[protocol(c.Priv)],
		authPassword: c.AuthPassword, privPassword: c.PrivPassword,
		salt: rand.Uint64(),
	}
	if c.quirk(QuirkReeder) {
		switch u.priv {
		case gosnmp.AES192:
			u.priv = gosnmp.AES192C
		case gosnmp.AES256:
			u.priv = gosnmp.AES256C
		}
	}
	u.level = u.full()
	return u
}

// full is the configured security level as flags.
func (u *usm) full() byte {
	var f byte
	if u.auth > gosnmp.NoAuth {
		f |= flagAuth
	}
	if u.priv > gosnmp.NoPriv {
		f |= flagPriv
	}
	return f
}

// forget drops what was learned of the engine.
func (u *usm) forget() { u.engine, u.authKey, u.privKey, u.proved = engine{}, nil, nil, false }

// adopt takes over a discovered engine and localises the keys to it.
func (u *usm) adopt(ctx context.Context, e engine) error {
	if len(e.id) < 5 || len(e.id) > 32 { // RFC 3411 section 5
		return fmt.Errorf("%w: engine id of %d octets", fleet.ErrProtocol, len(e.id))
	}
	sp := gosnmp.UsmSecurityParameters{AuthoritativeEngineID: e.id, AuthenticationProtocol: u.auth, PrivacyProtocol: u.priv}
	var err error
	if u.full()&flagAuth != 0 {
		if sp.AuthenticationPassphrase, err = password(ctx, u.authPassword); err != nil {
			return notFetched("authentication password", err)
		}
	}
	if u.full()&flagPriv != 0 {
		if sp.PrivacyPassphrase, err = password(ctx, u.privPassword); err != nil {
			return notFetched("privacy password", err)
		}
	}
	if err := sp.InitSecurityKeys(); err != nil {
		return fmt.Errorf("%w: key localisation failed", fleet.ErrAuth)
	}
	u.engine, u.authKey, u.privKey = e, sp.SecretKey, sp.PrivacyKey
	return nil
}

func password(ctx context.Context, s Secret) (string, error) {
	p, err := s(ctx)
	if err == nil && p == "" {
		err = fmt.Errorf("empty")
	}
	return p, err
}

// mac returns the signature of a whole message whose signature field is zero.
func (u *usm) mac(message []byte) []byte {
	h := hmac.New(u.auth.HashType().New, u.authKey)
	h.Write(message)
	return h.Sum(nil)[:macLength[u.auth]]
}

// seal makes a message; without a known engine it asks who is there
// (RFC 3414 section 4).
func (u *usm) seal(w *writer, q *request, id int32) error {
	level, user, boots, now := u.level, u.user, u.engine.boots, int64(0)
	if u.engine.id == "" {
		level, user, boots = 0, "", 0
	} else {
		now = u.engine.now()
	}
	w.reset()
	scoped := w
	if level&flagPriv != 0 {
		scoped = &u.plain
		scoped.reset()
	}
	q.encode(scoped, id)
	scoped.octets(u.context)
	scoped.octets(u.engine.id)
	scoped.close(tagSequence, 0)
	var salt []byte
	if level&flagPriv != 0 {
		var ciphertext []byte
		var err error
		u.salt++
		if salt, ciphertext, err = u.encrypt(scoped.bytes(), boots, now); err != nil {
			return err
		}
		w.raw(ciphertext)
		w.close(tagOctets, 0)
	}

	mark := w.len()
	w.octets(string(salt))
	signature := w.len() // from the end of the message to the end of the signature
	if level&flagAuth != 0 {
		w.raw(make([]byte, macLength[u.auth]))
		w.close(tagOctets, signature)
	} else {
		w.octets("")
	}
	w.octets(user)
	w.int(now)
	w.int(boots)
	w.octets(u.engine.id)
	w.close(tagSequence, mark)
	w.close(tagOctets, mark)

	head := w.len()
	w.int(3) // msgSecurityModel: USM
	w.octets(string([]byte{level | flagReportable}))
	w.int(maxDatagram)
	w.int(int64(id))
	w.close(tagSequence, head)
	w.int(version3)
	w.close(tagSequence, 0)
	if level&flagAuth != 0 {
		m := w.bytes()
		end := len(m) - signature
		copy(m[end-macLength[u.auth]:end], u.mac(m))
	}
	return nil
}

// header is the unprotected part of a v3 message.
type header struct {
	id, model       int64
	flags           byte
	engine          engine
	user            string
	signature, salt []byte // within the datagram
	scoped          []byte // tag and all
}

func parseHeader(datagram []byte) (h header, err error) {
	body, err := message(datagram, version3)
	if err != nil {
		return h, err
	}
	global, body, err := expect(tagSequence, body)
	if err != nil {
		return h, err
	}
	var flags []byte
	if h.id, global, err = takeInt(global); err == nil {
		if _, global, err = takeInt(global); err == nil { // msgMaxSize
			if flags, global, err = expect(tagOctets, global); err == nil {
				h.model, _, err = takeInt(global)
			}
		}
	}
	if err != nil || len(flags) != 1 || h.model != 3 {
		return h, errBER
	}
	h.flags = flags[0]
	params, scoped, err := expect(tagOctets, body)
	if err != nil {
		return h, err
	}
	h.scoped = scoped
	return h, h.parseParameters(params)
}

// parseParameters reads UsmSecurityParameters (RFC 3414 section 2.4).
func (h *header) parseParameters(b []byte) error {
	b, _, err := expect(tagSequence, b)
	if err != nil {
		return err
	}
	var id, user []byte
	if id, b, err = expect(tagOctets, b); err != nil {
		return err
	}
	if h.engine.boots, b, err = takeInt(b); err != nil {
		return err
	}
	if h.engine.time, b, err = takeInt(b); err != nil {
		return err
	}
	if user, b, err = expect(tagOctets, b); err != nil {
		return err
	}
	if h.signature, b, err = expect(tagOctets, b); err != nil {
		return err
	}
	if h.salt, _, err = expect(tagOctets, b); err != nil {
		return err
	}
	if h.engine.boots < 0 || h.engine.time < 0 || h.engine.boots > 1<<31-1 || h.engine.time > 1<<31-1 {
		return errBER
	}
	h.engine.id, h.user, h.engine.at = string(id), string(user), time.Now()
	return nil
}

// open accepts an answer at the level of the request, signed by the engine we
// know and inside its time window; anything less only as a report.
func (u *usm) open(r *response, datagram []byte, id int32) error {
	h, err := parseHeader(datagram)
	if err != nil || h.id != int64(id) {
		return errStray
	}
	level := u.level
	if u.engine.id == "" {
		level = 0
	}
	signed := level&h.flags&flagAuth != 0
	if signed && !u.authentic(datagram, &h) {
		return errStray
	}
	scoped := h.scoped
	if h.flags&flagPriv != 0 {
		if !signed || level&flagPriv == 0 {
			return errStray
		}
		if scoped, err = u.decrypt(&h); err != nil {
			return errStray
		}
	}
	if err := u.scoped(r, scoped); err != nil && err != errVarbinds {
		return errStray
	}
	if r.kind == pduReport {
		return reportOf(r, &h, signed)
	}
	if r.kind != pduResponse || r.id != id || h.flags&(flagAuth|flagPriv) != level || u.engine.id == "" || h.engine.id != u.engine.id {
		return errStray
	}
	if signed && !u.timely(&h) {
		return errStray
	}
	if level == u.full() {
		u.proved = true
	}
	return nil
}

// scoped decodes the PDU of a plain ScopedPDU (RFC 3412 section 6).
func (u *usm) scoped(r *response, b []byte) error {
	b, _, err := expect(tagSequence, b)
	if err != nil {
		return err
	}
	if _, b, err = expect(tagOctets, b); err != nil { // contextEngineID
		return err
	}
	if _, b, err = expect(tagOctets, b); err != nil { // contextName
		return err
	}
	return r.decode(b)
}

// authentic checks engine, user and signature. It blanks the signature in the
// datagram, which is ours.
func (u *usm) authentic(datagram []byte, h *header) bool {
	if h.engine.id != u.engine.id || h.user != u.user || len(h.signature) != macLength[u.auth] {
		return false
	}
	var sent [64]byte
	n := copy(sent[:], h.signature)
	clear(h.signature)
	return subtle.ConstantTimeCompare(u.mac(datagram), sent[:n]) == 1
}

// timely applies RFC 3414 section 3.2 step 7b and follows the engine's clock.
func (u *usm) timely(h *header) bool {
	known := &u.engine
	if h.engine.boots < known.boots || h.engine.boots == known.boots && h.engine.time < known.now()-timeWindow {
		return false
	}
	if h.engine.boots > known.boots || h.engine.time > known.time {
		known.boots, known.time, known.at = h.engine.boots, h.engine.time, h.engine.at
	}
	return true
}
