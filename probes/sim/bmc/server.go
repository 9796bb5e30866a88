package bmc

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	lib "github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

// User is an account of a BMC.
type User struct {
	Name, Password string
	Level          Level
}

// Level is how much an account may do. A Reader sees the machine, a Keeper also
// the users and the network, and may switch power; an Admin may do all.
type Level = lib.PrivilegeLevel

const (
	Reader = lib.PrivilegeLevelUser
	Keeper = lib.PrivilegeLevelOperator
	Admin  = lib.PrivilegeLevelAdministrator
)

// Config says which server a BMC belongs to.
type Config struct {
	World  *world.World
	Server int // its number in the world
	Users  []User
	Now    func() time.Time // nil: the wall clock
	Addr   netip.AddrPort   // where it listens, for Get LAN Configuration
}

// Server is one BMC on one socket.
type Server struct {
	dev    *device
	conn   *net.UDPConn
	addr   *net.UDPAddr // of the present sender, kept while it stays the same
	Panics atomic.Int64 // packets that a decoder choked on
}

// New returns the BMC of a server. The connection is closed by Close.
func New(cfg Config, conn *net.UDPConn) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Server{dev: newDevice(cfg), conn: conn}
}

// maxPacket bounds what is read: no request of a client is longer.
const maxPacket = 1024

// Serve answers packets until ctx is done or Close is called.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	buf := make([]byte, maxPacket)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return ctx.Err()
			}
			continue // an ICMP error of an earlier answer
		}
		if out := s.answer(buf[:n], from); out != nil {
			_, _ = s.conn.WriteToUDPAddrPort(out, from)
		}
	}
}

// Close stops Serve.
func (s *Server) Close() error { return s.conn.Close() }

// answer returns what to send back, or nil. Whatever a packet does to a
// decoder stays here.
func (s *Server) answer(pkt []byte, from netip.AddrPort) (out []byte) {
	defer func() {
		if recover() != nil {
			s.Panics.Add(1)
			out = nil
		}
	}()
	if !s.dev.reachable() {
		return nil
	}
	switch classify(pkt) {
	case asfPing:
		return protocol.BuildASFPresencePong(pkt[9])
	case lan15:
		return s.answer15(pkt)
	case openSession:
		return s.handshake(pkt, handlers.HandleOpenSession, types.PayloadTypeRmcpOpenSessionResponse)
	case rakp1:
		return s.handshake(pkt, handlers.HandleRAKP1, types.PayloadTypeRAKPMessage2)
	case rakp3:
		return s.handshake(pkt, handlers.HandleRAKP3, types.PayloadTypeRAKPMessage4)
	case preSession:
		payload := pkt[headerLen:]
		if msg := s.dispatch(nil, payload); msg != nil {
			return protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeIPMI), 0, 0, 0, msg)
		}
	case inSession:
		return s.answerSession(pkt, from)
	}
	return nil
}

type handshakeFunc = func(context.Context, *lib.BMC, []byte) ([]byte, error)

func (s *Server) handshake(pkt []byte, f handshakeFunc, as types.PayloadType) []byte {
	resp, err := f(context.Background(), s.dev.bmc, pkt[headerLen:])
	if err != nil || resp == nil {
		return nil
	}
	return protocol.BuildRMCPPlusPacket(uint8(as), 0, 0, 0, resp)
}

// answer15 answers what is asked outside of any session in the 1.5 format: the
// authentication capabilities, which every client asks first.
func (s *Server) answer15(pkt []byte) []byte {
	msg := s.dispatch(nil, pkt[14:])
	if msg == nil {
		return nil
	}
	out := make([]byte, 14, 14+len(msg))
	copy(out, []byte{6, 0, 0xff, 7})
	out[13] = byte(len(msg))
	return append(out, msg...)
}

// answerSession handles one authenticated packet: integrity and sequence are
// checked before anything in it is believed (IPMI 2.0 section 13.28).
func (s *Server) answerSession(pkt []byte, from netip.AddrPort) []byte {
	id, seq, _, flags, payload, ok := protocol.ParseRMCPPlusHeader(pkt)
	if !ok {
		return nil
	}
	sess, err := s.dev.bmc.Sessions.Get(id)
	if err != nil || sess.State != lib.SessionStateActive {
		return nil
	}
	if !intact(pkt, sess, flags) || !lib.InboundSeqValid(sess.InboundSeq, seq) {
		return nil
	}
	if seq > sess.InboundSeq {
		sess.InboundSeq = seq
	}
	sess.SetAddr(s.sender(from))
	s.dev.bmc.Sessions.Touch(id)
	encrypted := flags&types.PayloadFlagEncrypted != 0
	if encrypted {
		if len(sess.K2) < 16 {
			return nil
		}
		if payload, err = crypto.DecryptAESPayload(payload, sess.K2); err != nil {
			return nil
		}
	}
	msg := s.dispatch(sess, payload)
	if msg == nil {
		return nil
	}
	return seal(msg, sess, encrypted)
}

// sender returns the address of a packet without making a new one each time.
func (s *Server) sender(from netip.AddrPort) *net.UDPAddr {
	if s.addr == nil || s.addr.AddrPort() != from {
		s.addr = net.UDPAddrFromAddrPort(from)
	}
	return s.addr
}

// dispatch runs one command and returns the answer's message.
func (s *Server) dispatch(sess *lib.Session, payload []byte) []byte {
	netFn, cmd, data, seq, ok := protocol.ParseIPMIRequest(payload)
	if !ok || netFn&1 != 0 || protocol.Checksum(payload[:2]) != payload[2] || protocol.Checksum(payload[3:len(payload)-1]) != payload[len(payload)-1] {
		return nil
	}
	hctx := &handlers.HandlerContext{BMC: s.dev.bmc, Session: sess}
	if sess != nil {
		hctx.User = sess.User
		hctx.Channel, _ = s.dev.bmc.Channels.Get(sess.Channel)
	}
	resp, cc, _ := registry.Dispatch(context.Background(), hctx, netFn, cmd, data)
	if cc != types.CodeOK {
		resp = nil
	}
	msg := protocol.BuildIPMIResponse(netFn, cmd, seq, uint8(cc), resp)
	msg[0], msg[4] = payload[3], payload[4] // to whoever asked, with its own sequence and LUN
	msg[2] = protocol.Checksum(msg[:2])
	msg[len(msg)-1] = protocol.Checksum(msg[3 : len(msg)-1])
	return msg
}

// trailerNext is the constant next-header byte (IPMI 2.0 table 13-8).
const trailerNext = 0x07

// intact checks the session trailer.
func intact(pkt []byte, sess *lib.Session, flags uint8) bool {
	n, ok := crypto.IntegrityAuthCodeLen(sess.IntegrityAlg)
	if !ok || n == 0 {
		return ok
	}
	end := headerLen + int(binary.LittleEndian.Uint16(pkt[14:16]))
	pad := types.IntegrityPadLen(headerLen-4, end-headerLen)
	code := end + pad + 2
	if flags&types.PayloadFlagAuthenticated == 0 || len(pkt) != code+n || int(pkt[code-2]) != pad || pkt[code-1] != trailerNext {
		return false
	}
	want, err := crypto.SessionIntegrityAuthCode(sess.IntegrityAlg, pkt[4:code], sess.K1, "")
	return err == nil && crypto.Equal(want, pkt[code:])
}

// seal encrypts and signs an answer.
func seal(msg []byte, sess *lib.Session, encrypted bool) []byte {
	var flags uint8
	if encrypted {
		sealed, err := crypto.EncryptAESPayload(msg, sess.K2, crypto.RandomBytes(16))
		if err != nil {
			return nil
		}
		msg, flags = sealed, types.PayloadFlagEncrypted
	}
	n, ok := crypto.IntegrityAuthCodeLen(sess.IntegrityAlg)
	if !ok {
		return nil
	}
	if n > 0 {
		flags |= types.PayloadFlagAuthenticated
	}
	pkt := protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeIPMI), flags, sess.ConsoleID, sess.NextOutboundSeq(), msg)
	if n == 0 {
		return pkt
	}
	pad := types.IntegrityPadLen(headerLen-4, len(msg))
	for range pad {
		pkt = append(pkt, 0xff)
	}
	pkt = append(pkt, byte(pad), trailerNext)
	code, err := crypto.SessionIntegrityAuthCode(sess.IntegrityAlg, pkt[4:], sess.K1, "")
	if err != nil {
		return nil
	}
	return append(pkt, code...)
}
