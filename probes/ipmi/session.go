package ipmi

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"time"

	"github.com/bougou/go-ipmi/pkg/types"
)

// session is an open RMCP+ session: one command, one answer, in turn.
type session struct {
	*link
	suite   suite
	guid    [16]byte  // the managed system's, from RAKP 2
	level   privilege // what it may do at present (section 22.18)
	remote  uint32    // the BMC's session id
	local   uint32    // ours
	timeout time.Duration
	lax     bool

	mac    hash.Hash // nil: no integrity
	macLen int
	sum    []byte       // scratch
	block  cipher.Block // nil: no confidentiality
	hide   cbc
	reveal cbc

	sequence uint32 // of the last packet sent
	rq       uint8  // request sequence of the last command, 6 bits
	seen     window
	msg      []byte        // scratch
	rtt      time.Duration // smoothed
	lastUsed time.Time
}

// window holds which inbound sequence numbers were seen (section 6.12.13):
// none is taken twice, none that is more than 32 behind. The first sets it:
// not every BMC begins at 1.
type window struct {
	begun bool
	top   uint32
	bits  uint32 // bit n: top-n was seen
}

func (w *window) take(n uint32) bool {
	if !w.begun {
		*w = window{begun: true, top: n, bits: 1}
		return true
	}
	switch d := int32(n - w.top); {
	case d > 0:
		if d < 32 {
			w.bits = w.bits<<d | 1
		} else {
			w.bits = 1
		}
		w.top = n
		return true
	case d > -32 && w.bits&(1<<-d) == 0:
		w.bits |= 1 << -d
		return true
	}
	return false
}

func newSession(l *link, h *handshake, d door, k1, k2 []byte) (*session, error) {
	s := &session{link: l, suite: h.suite, guid: h.guid, level: privUser, remote: h.bmc, local: h.console, timeout: d.timeout, lax: d.quirks.has(quirkNoChecksumCheck), lastUsed: time.Now()}
	switch h.suite.integrity {
	case types.IntegrityAlg_HMAC_SHA1_96:
		s.mac, s.macLen = hmac.New(sha1.New, k1), 12
	case types.IntegrityAlg_HMAC_SHA256_128:
		s.mac, s.macLen = hmac.New(sha256.New, k1), 16
	}
	if h.suite.crypt == types.CryptAlg_AES_CBC_128 {
		block, err := aes.NewCipher(k2[:16])
		if err != nil {
			return nil, &opError{"rakp 4", err}
		}
		s.block = block
		s.hide.anew, s.reveal.anew = cipher.NewCBCEncrypter, cipher.NewCBCDecrypter
	}
	return s, nil
}

// errLost says that the session does not answer any more: the BMC restarted,
// dropped it, or is gone. A new login tells which.
var errLost = errors.New("session lost")

// do sends one command and returns its answer, repeating the datagram (never
// the command: its sequence number stays) until the timeout. The data is
// valid until the next command. A completion code other than 0 comes as a
// *refusal. Silence comes as errLost.
func (s *session) do(ctx context.Context, c command) ([]byte, error) {
	return s.run(ctx, c, patience{s.timeout, s.firstWait(), 3})
}

// doOnce is do for what must not reach the BMC twice: one datagram.
func (s *session) doOnce(ctx context.Context, c command) ([]byte, error) {
	return s.run(ctx, c, once(s.timeout))
}

// firstWait is when to send again: eight round trips, within reason.
func (s *session) firstWait() time.Duration {
	if s.rtt == 0 {
		return s.timeout / 4
	}
	return min(max(8*s.rtt, 200*time.Millisecond), s.timeout/2)
}

// busyPauses are waits before asking a busy BMC again.
var busyPauses = [...]time.Duration{20 * time.Millisecond, 100 * time.Millisecond}

func (s *session) run(ctx context.Context, c command, p patience) ([]byte, error) {
	// trade is one command with one answer; a busy BMC is asked again.
	for try := 0; ; try++ {
		a, err := s.trade(ctx, c, p)
		if err != nil {
			return nil, err
		}
		if a.code == ccOK {
			return a.data, nil
		}
		if a.code != ccNodeBusy || p.tries == 1 || try == len(busyPauses) {
			return nil, &opError{c.op, &refusal{a.code}}
		}
		if err := pause(ctx, busyPauses[try], c.op); err != nil {
			return nil, err
		}
	}
}

func (s *session) trade(ctx context.Context, c command, p patience) (answer, error) {
	s.rq = (s.rq + 1) & 0x3f
	s.msg = putMessage(s.msg[:0], c, s.rq)
	var got answer
	sends := 0
	began := time.Now()
	build := func() []byte { sends++; return s.seal(s.msg) }
	take := func(b []byte) bool {
		msg, err := s.unseal(b)
		if err != nil {
			return false
		}
		got, err = parseMessage(msg, c, s.rq, s.lax)
		return err == nil
	}
	err := s.exchange(ctx, c.op, p, build, take)
	if errors.Is(err, errSilent) {
		return got, &opError{c.op, errLost}
	}
	if err == nil {
		s.lastUsed = time.Now()
		if sends == 1 { // Karn: a repeated command says nothing about the round trip
			s.learn(s.lastUsed.Sub(began))
		}
	}
	return got, err
}

func (s *session) learn(rtt time.Duration) {
	if s.rtt == 0 {
		s.rtt = rtt
	}
	s.rtt += (rtt - s.rtt) / 8
}

// seal covers a message: encrypt, frame, sign (sections 13.28 and 13.29).
func (s *session) seal(msg []byte) []byte {
	s.sequence++
	kind := byte(payloadIPMI)
	if s.block != nil {
		kind |= payloadEncrypted
	}
	if s.mac != nil {
		kind |= payloadAuthenticated
	}
	b := putHeader(s.out[:0], kind, s.remote, s.sequence)
	if s.block != nil {
		b = s.encrypt(b, msg)
	} else {
		b = append(b, msg...)
	}
	setLength(b)
	if s.mac != nil {
		b = s.sign(b)
	}
	s.out = b
	return b
}

// encrypt appends the initialisation vector and the padded ciphertext.
func (s *session) encrypt(b, msg []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, aes.BlockSize)...)
	rand.Read(b[at:])
	text := len(b)
	b = append(b, msg...)
	pad := (aes.BlockSize - (len(msg)+1)%aes.BlockSize) % aes.BlockSize
	for i := range pad {
		b = append(b, byte(i+1))
	}
	b = append(b, byte(pad))
	s.hide.crypt(s.block, b[at:text], b[text:])
	return b
}

// sign appends the integrity trailer: pad to four, its length, next header,
// code over all from the authentication type on.
func (s *session) sign(b []byte) []byte {
	pad := (4 - (len(b)-rmcpSize+2)%4) % 4
	for range pad {
		b = append(b, 0xff)
	}
	b = append(b, byte(pad), rmcpIPMI)
	return append(b, s.code(b[rmcpSize:])...)
}

func (s *session) code(b []byte) []byte {
	s.mac.Reset()
	s.mac.Write(b)
	s.sum = s.mac.Sum(s.sum[:0])
	return s.sum[:s.macLen]
}

// unseal checks that a datagram is of this session, whole, new and covered as
// agreed, and returns its message, decrypted in place.
func (s *session) unseal(b []byte) ([]byte, error) {
	p, err := parsePacket(b)
	if err != nil {
		return nil, err
	}
	if p.kind != payloadIPMI || p.session != s.local || p.signed != (s.mac != nil) || p.encrypted != (s.block != nil) {
		return nil, errPacket
	}
	if s.mac != nil {
		at := len(b) - s.macLen
		if at < p.end+2 || !hmac.Equal(s.code(b[rmcpSize:at]), b[at:]) {
			return nil, errPacket
		}
	}
	if !s.seen.take(p.sequence) {
		return nil, errPacket
	}
	if s.block == nil {
		return p.body, nil
	}
	return s.decrypt(p.body)
}

func (s *session) decrypt(b []byte) ([]byte, error) {
	n := len(b) - aes.BlockSize
	if n <= 0 || n%aes.BlockSize != 0 {
		return nil, errPacket
	}
	text := b[aes.BlockSize:]
	s.reveal.crypt(s.block, b[:aes.BlockSize], text)
	pad := int(text[n-1])
	if pad >= n || pad >= aes.BlockSize {
		return nil, errPacket
	}
	return text[:n-1-pad], nil
}

// shut closes the session and its socket. The BMC is told once and its yes is
// awaited only briefly: what it does not hear, its own timeout cleans up.
func (s *session) shut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(s.timeout, 300*time.Millisecond))
	defer cancel()
	data := binary.LittleEndian.AppendUint32(nil, s.remote)
	s.doOnce(ctx, command{fn: fnApp, cmd: 0x3c, data: data, op: "close session"})
	s.link.close()
}

// pause waits, or returns early with ctx's error.
func pause(ctx context.Context, d time.Duration, op string) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctxError(ctx, op)
	}
}
