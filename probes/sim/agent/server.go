package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// DefaultMaxSize is the largest message of an agent in bytes, both ways: what
// fits an Ethernet frame (RFC 3417 section 3.2.1 recommends as much).
const DefaultMaxSize = 1472

// Config says who may ask an agent and where its answers come from.
type Config struct {
	// Community lets v2c in; "" answers no v2c message at all. Whoever knows
	// it may also write, if Set is there.
	Community string
	// Users let v3 in, each at the level of its keys and no lower.
	Users []User
	// EngineID is snmpEngineID, 5 to 32 bytes (RFC 3411 section 5); needed
	// for v3.
	EngineID []byte
	// MaxSize bounds messages in bytes; 0 is DefaultMaxSize, less than 484
	// is refused.
	MaxSize int
	// Device returns the state of this moment. It is called once for every
	// request, from the agent's goroutine; nil means that the device is off
	// and answers nothing.
	Device func() Device
	// Set carries out one change, from the same goroutine; an error answers
	// commitFailed. nil makes the agent read-only.
	Set func(Change) error
}

// User is a user of the user-based security model.
type User struct {
	Name     string
	Auth     string // "", MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512
	AuthPass string
	Priv     string // "", DES, AES, AES-192, AES-256; Cisco's key extension: AES-192-C, AES-256-C
	PrivPass string
}

// engine is an agent's SNMP engine as its MIB shows it.
type engine struct {
	id      []byte
	maxSize int
	stats   [len(usmReports)]uint32
}

// Server is a running agent.
type Server struct {
	conn      *net.UDPConn
	cfg       Config
	engine    engine
	users     map[string]*crypt
	responder responder
	view      view
	salt      uint64 // from a random start, so that a restart does not repeat
	saltBytes [8]byte
	in        []byte
	out       encoder

	requests  atomic.Int64
	stop      func() bool
	done      chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// Listen opens a UDP socket on addr ("127.0.0.1:0" takes any port) and serves it.
func Listen(ctx context.Context, addr string, cfg Config) (*Server, error) {
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	s, err := Serve(ctx, conn.(*net.UDPConn), cfg)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// Serve answers requests on conn, which it owns from then on, until ctx ends
// or Close is called. On an error conn is still the caller's.
func Serve(ctx context.Context, conn *net.UDPConn, cfg Config) (*Server, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	s.stop = context.AfterFunc(ctx, func() { _ = s.Close() })
	go s.loop()
	return s, nil
}

func newServer(cfg Config) (*Server, error) {
	if cfg.MaxSize == 0 {
		cfg.MaxSize = DefaultMaxSize
	}
	switch {
	case cfg.Device == nil:
		return nil, errors.New("agent: Config.Device is missing")
	case cfg.Community == "" && len(cfg.Users) == 0:
		return nil, errors.New("agent: neither a community nor a user: nobody could ask")
	case cfg.MaxSize < minMaxSize || cfg.MaxSize > 65507:
		return nil, fmt.Errorf("agent: MaxSize %d is not within %d and 65507", cfg.MaxSize, minMaxSize)
	case len(cfg.Users) > 0 && (len(cfg.EngineID) < 5 || len(cfg.EngineID) > 32):
		return nil, fmt.Errorf("agent: EngineID of %d bytes is not within 5 and 32", len(cfg.EngineID))
	}
	s := &Server{
		cfg:       cfg,
		engine:    engine{id: cfg.EngineID, maxSize: cfg.MaxSize},
		users:     make(map[string]*crypt, len(cfg.Users)),
		responder: responder{set: cfg.Set},
		in:        make([]byte, cfg.MaxSize+1), // one more shows that a message was too long
		out:       encoder{b: make([]byte, 0, cfg.MaxSize+maxVarbind)},
		done:      make(chan struct{}),
		salt:      rand.Uint64(),
	}
	for _, u := range cfg.Users {
		if u.Name == "" || len(u.Name) > 32 || s.users[u.Name] != nil {
			return nil, fmt.Errorf("agent: user %q: a name has 1 to 32 bytes and is there once", u.Name)
		}
		c, err := newCrypt(u, cfg.EngineID)
		if err != nil {
			return nil, err
		}
		s.users[u.Name] = c
	}
	return s, nil
}

// maxVarbind is room for the binding that finds out that it does not fit.
const maxVarbind = 512

// Addr returns where the agent listens.
func (s *Server) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Requests returns how many messages were answered.
func (s *Server) Requests() int64 { return s.requests.Load() }

// Close stops the agent and waits for its goroutine. It may be called again.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.stop()
		s.closeErr = s.conn.Close()
		<-s.done
	})
	return s.closeErr
}

func (s *Server) loop() {
	defer close(s.done)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(s.in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n > s.cfg.MaxSize {
			continue
		}
		answer := s.answer(s.in[:n])
		if answer == nil {
			continue
		}
		if _, err := s.conn.WriteToUDPAddrPort(answer, from); err == nil {
			s.requests.Add(1)
		}
	}
}

// answer returns the message that answers in, or nil where silence is the
// answer. It writes to in, and its result is valid until the next call. A
// panic is silence too: one hostile packet must not end a fleet.
func (s *Server) answer(in []byte) (out []byte) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	r := newReader(in)
	msg := r.enter(tagSequence)
	version := msg.integer()
	if msg.bad {
		return nil
	}
	switch version {
	case versionV2c:
		return s.answerV2c(&msg)
	case versionV3:
		return s.answerV3(in, &msg)
	}
	return nil
}

// look makes the view of one request.
func (s *Server) look(d Device) *view {
	s.view = d.view()
	s.view.engine = &s.engine
	return &s.view
}

// Values of the version field (RFC 3584 section 1.3).
const (
	versionV2c = 1
	versionV3  = 3
)

// answerV2c serves a community message (RFC 1901). A wrong community gets no
// answer, as from any real agent.
func (s *Server) answerV2c(msg *reader) []byte {
	community := msg.octets(tagOctets)
	if msg.bad || s.cfg.Community == "" || string(community) != s.cfg.Community {
		return nil
	}
	q, ok := readRequest(msg)
	if !ok || !confirmed(q.kind) || q.kind == pduInform {
		return nil
	}
	d := s.cfg.Device()
	if d == nil {
		return nil
	}
	v := s.look(d)
	e := &s.out
	e.b = e.b[:0]
	whole := e.open(tagSequence)
	e.integer(versionV2c)
	e.octets(community)
	s.responder.respond(e, d.tree(), v, q, s.cfg.MaxSize)
	e.close(whole)
	return e.b
}
