package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	charmssh "charm.land/ssh"
	"charm.land/wish/v2"
	"golang.org/x/crypto/ssh"

	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/keys"
	"plumb/views"
)

// Deps are what the console needs of the house, as functions and small
// interfaces given at wiring. Watch, Verb and Log must be there.
type Deps struct {
	// Watch opens a reader of snapshots; each session has one.
	Watch func() Watch
	// Answer fetches a piece of history as of at; it may take its time and
	// is called off the screen's loop, a bounded number at once.
	Answer func(ctx context.Context, q fleet.Query, at time.Time) fleet.Answer
	// At returns the fleet as of a past time, with Live false; nil: screens
	// show the present only. It may take its time and is called off the
	// screen's loop, a bounded number at once. A time before all that is kept
	// is a [TooEarlyError].
	At func(ctx context.Context, t time.Time) (*fleet.Snapshot, error)
	// Since returns the earliest moment that At can show, or zero where
	// nothing is kept yet. It is wired where At is, and called the same way.
	Since func(ctx context.Context) (time.Time, error)
	// Execute hands over an action that a person confirmed. It judges again
	// whether it may happen, and returns once the job is durable.
	Execute func(ctx context.Context, by Caller, e views.Execute) (fleet.Job, error)
	// Job says a word about a job: approve, refuse or cancel.
	Job func(ctx context.Context, by Caller, w views.JobWord) (fleet.Job, error)
	// Books are the runbooks there are; nil: none. RunBook begins a run of one,
	// judged like Execute, and returns once its job is durable.
	Books   func() []*runbook.Book
	RunBook func(ctx context.Context, by Caller, r views.RunBook) (fleet.Job, error)
	// Rule puts on record what a person decided about findings; nil: nothing
	// can be decided here. It returns once that is durable.
	Rule func(ctx context.Context, by Caller, r views.Rule) error
	// Say takes what a person says about alerts; nil: nothing can be said here.
	// It returns once that is durable, with what then is so, in words.
	Say func(ctx context.Context, by Caller, w views.AlertWord) (string, error)
	// Verb runs a command and returns its exit code.
	Verb func(ctx context.Context, call VerbCall) int
	// Audit writes one entry durably; nil: logins are only logged.
	Audit func(ctx context.Context, e fleet.AuditEntry) error
	// Notice says what stays in the alert row of every screen, "filling in
	// history 40%", or ""; nil: nothing. It must be quick.
	Notice func() string
	// Trouble says what is wrong with plumb itself, "no space left on device",
	// or ""; it stays in the alert row, in the colour of what is critical.
	Trouble func() string
	// Keys is the key map; nil: the built-in one.
	Keys *keys.Map
	// Registry is shared with whoever asks who is here; nil: its own.
	Registry *Registry
	// Derived is shared by all screens of the process; nil: its own.
	Derived *Derived
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

func (d Deps) withDefaults() Deps {
	if d.Keys == nil {
		d.Keys = keys.Must()
	}
	if d.Registry == nil {
		d.Registry = NewRegistry()
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Answer == nil {
		d.Answer = func(context.Context, fleet.Query, time.Time) fleet.Answer { return fleet.Answer{} }
	}
	if d.Execute == nil {
		d.Execute = func(context.Context, Caller, views.Execute) (fleet.Job, error) {
			return fleet.Job{}, errors.New("actions are switched off here")
		}
	}
	if d.Derived == nil {
		d.Derived = NewDerived(d.Answer, d.Now)
	}
	return d
}

// Watch is a bell of capacity one: Next blocks until there is a snapshot newer
// than the last one returned and returns the newest, so that a slow reader
// skips snapshots and nobody waits for it.
type Watch interface {
	Next(ctx context.Context) (*fleet.Snapshot, error)
	Close()
}

// Caller is who asks for something.
type Caller struct {
	User  string
	Role  fleet.Role
	Scope *fleet.Scope // what they may write to; nil: everything
	From  string       // host:port, or "local"
}

// VerbCall is one run of a verb. There is no standard input.
type VerbCall struct {
	Caller
	Args []string // Args[0] is the verb
	// Bare says that the command line came without any quotes: ssh joins words
	// with blanks, and the caller's shell has eaten the quotes around a reason.
	// It then goes on until the next flag.
	Bare           bool
	Stdout, Stderr io.Writer
	Terminal       bool // the output goes to a terminal
	Width          int  // its columns; 0: not known
}

// Server lets people in over SSH.
type Server struct {
	cfg         ServerConfig
	deps        Deps
	ssh         *charmssh.Server
	gate        *gate
	logins      *logins
	queries     chan struct{} // a place for each query in flight, of all sessions
	pasts       *pasts        // the fleet as of past times, for all sessions
	directory   atomic.Pointer[directory]
	Fingerprint string // SHA-256 of the host key
}

// maxQueries bounds the history queries of all sessions together.
const maxQueries = 8

// NewServer checks the configuration, reads or makes the host key and returns
// a server that does not listen yet. Its errors wrap [ErrConfig].
func NewServer(cfg ServerConfig, deps Deps) (*Server, error) {
	cfg, deps = cfg.withDefaults(), deps.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if deps.Watch == nil || deps.Verb == nil {
		return nil, fmt.Errorf("%w: Watch and Verb must be wired", ErrConfig)
	}
	pem, signer, err := hostKey(cfg.HostKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s := &Server{
		cfg: cfg, deps: deps, gate: newGate(cfg), logins: newLogins(deps),
		queries:     make(chan struct{}, maxQueries),
		pasts:       newPasts(deps),
		Fingerprint: ssh.FingerprintSHA256(signer.PublicKey()),
	}
	s.directory.Store(newDirectory(cfg))
	s.deps.Registry.configureBells(cfg.Users)
	s.ssh, err = wish.NewServer(
		wish.WithHostKeyPEM(pem),
		wish.WithVersion("plumb"),
		wish.WithPublicKeyAuth(s.admit),
		charmssh.EmulatePty(),
		wish.WithMiddleware(s.route, s.contain),
		s.harden,
	)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return s, nil
}

// harden sets what the library has no option for: the gate, the handshake's
// limit, and that nothing exists but sessions.
func (s *Server) harden(srv *charmssh.Server) error {
	srv.ConnCallback = func(ctx charmssh.Context, c net.Conn) net.Conn {
		guarded := s.gate.admit(ctx, c)
		if g, ok := guarded.(*guardedConn); ok {
			from := c.RemoteAddr().String()
			g.onDenied = func(name string, keys int) { s.logins.denied(name, from, keys) }
			g.onVain = func(name string, after time.Duration) { s.logins.vain(name, from, after) }
		}
		return guarded
	}
	srv.PtyCallback = s.mayPTY
	srv.HandshakeTimeout = s.cfg.Handshake
	srv.ServerConfigCallback = func(ctx charmssh.Context) *ssh.ServerConfig {
		return &ssh.ServerConfig{AuthLogCallback: func(conn ssh.ConnMetadata, method string, err error) {
			g, ok := ctx.Value(connKey{}).(*guardedConn)
			switch {
			case !ok || method == "none":
			case err == nil:
				ok := g.authenticated(conn.User(), s.directory.Load().isAdmin(conn.User()))
				s.deps.Log.Info("authenticated", "user", fleet.Clean(conn.User(), maxUserName), "from", conn.RemoteAddr().String(), "place", ok)
			default:
				g.refused(conn.User())
			}
		}}
	}
	srv.ChannelHandlers = map[string]charmssh.ChannelHandler{"session": s.channel}
	srv.RequestHandlers = map[string]charmssh.RequestHandler{}
	srv.SubsystemHandlers = map[string]charmssh.SubsystemHandler{}
	return nil
}

// channel opens one session of a connection, within the limits, and keeps the
// connection alive from its first one on.
func (s *Server) channel(srv *charmssh.Server, conn *ssh.ServerConn, ch ssh.NewChannel, ctx charmssh.Context) {
	g, ok := ctx.Value(connKey{}).(*guardedConn)
	if !ok || !g.open(maxPerConn) {
		_ = ch.Reject(ssh.ResourceShortage, "too many sessions on one connection")
		return
	}
	defer g.done()
	if conn.Permissions != nil {
		g.signed(conn.Permissions.Extensions[extRaw])
	}
	g.keep.Do(func() { go keepAlive(ctx, conn, s.cfg.Keepalive) })
	own, cancel := newChannelContext(ctx)
	defer cancel()
	charmssh.DefaultSessionHandler(srv, conn, &channelRequests{NewChannel: ch, closed: cancel}, own)
}

// CheckUsers says why SetUsers would refuse, without changing anything.
func (s *Server) CheckUsers(users, anyName []User, ca []ssh.PublicKey) error {
	next := s.cfg
	next.Users, next.AnyName, next.TrustedCA = users, anyName, ca
	return next.validate()
}

// SetUsers lets other people in from now on. Who is in stays only where name
// and key still open the door in the same role and scope; the others are told and their
// connections closed. It refuses what NewServer would refuse.
func (s *Server) SetUsers(users, anyName []User, ca []ssh.PublicKey) error {
	next := s.cfg
	next.Users, next.AnyName, next.TrustedCA = users, anyName, ca
	if err := next.validate(); err != nil {
		return err
	}
	s.deps.Registry.configureBells(users)
	fresh := newDirectory(next)
	old := s.directory.Swap(fresh)
	for _, c := range s.gate.list() {
		raw := c.key()
		if raw == "" {
			continue // its first session will be asked who it is
		}
		was, _ := old.findRaw(c.user, raw)
		if id, err := fresh.findRaw(c.user, raw); err == nil && id.Role == was.Role && id.Scope.Equal(was.Scope) {
			continue
		}
		from := c.RemoteAddr().String()
		s.deps.Log.Warn("sent away: the configuration changed", "user", c.user, "from", from)
		s.deps.Registry.quitFrom(from, "your access has changed, connect again")
		time.AfterFunc(s.cfg.Farewell, func() { _ = c.Close() })
	}
	return nil
}

// Registry returns the registry of the server's sessions.
func (s *Server) Registry() *Registry { return s.deps.Registry }

// TurnedAway returns how many connections found the house full.
func (s *Server) TurnedAway() int { return s.gate.turnedAway() }

// Serve lets people in until ctx ends, then takes leave: it tells every
// session, gives them Farewell to end, and closes what is left. It returns nil
// after a leave, and closes ln in any case.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	audit, stop := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() { defer close(written); s.logins.run(audit) }()
	defer func() { stop(); <-written }()

	s.deps.Log.Info("ssh console", "listen", ln.Addr().String(), "host_key", s.Fingerprint, "users", len(s.directory.Load().users))
	served := make(chan error, 1)
	go func() { served <- s.ssh.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("ssh console: %w", err)
	case <-ctx.Done():
	}
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Farewell)
	defer cancel()
	_ = ln.Close()
	s.deps.Registry.quitAll(leave, "the server is going down")
	_ = s.ssh.Shutdown(leave)
	err := s.ssh.Close()
	s.gate.closeAll()
	<-served
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}
