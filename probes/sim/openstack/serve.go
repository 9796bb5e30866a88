package openstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// User may log in. Everyone has one project, in the domain "default".
type User struct {
	Name, Password string
	Project        string // project's name
	ProjectID      string
	Admin          bool // role admin: sees all projects and the hosts
}

// AppCredential is an application credential of a user.
type AppCredential struct{ ID, Secret, User string }

// Call names one API call, for faults and counting.
type Call struct {
	Service string // identity compute placement network image
	Region  string // empty for identity
	Method  string
	Path    string // below the service's root, such as /servers/detail
	Query   string // raw
}

// Fault is what goes wrong with one call. The zero value is: nothing.
type Fault struct {
	Delay      time.Duration // before the answer begins
	Status     int           // answer this error in the service's own shape: 401, 403, 503 ...
	RetryAfter time.Duration // header beside Status
	Body       []byte        // answer 200 with this body, whatever it is
	CutAfter   int           // send this many bytes of the answer, then drop the connection
}

// Config is what Serve serves.
type Config struct {
	Regions []string
	Users   []User
	Apps    []AppCredential

	// State returns a region as it is now, nil if it is not there. It is
	// called once for every request, from many goroutines.
	State func(region string) *Region

	// Act carries out os-start, os-stop, reboot, evacuate or os-migrateLive on a
	// server. It is
	// called ActionTakes after the API accepted the action, and, but for an
	// evacuation, not at all if the server's host is down by then. What it
	// returns is written down beside the action, for those who ask: [ErrNoHost]
	// where no host can take the server.
	Act func(region, server, action string) error

	// SetService lets the scheduler use a host, or not and why.
	SetService func(region, host string, disabled bool, reason string) error

	// RemoveRule takes a rule out of its security group.
	RemoveRule func(region, rule string) error

	// Fault, where set, may break a call before it is carried out.
	Fault func(Call) Fault

	Now         func() time.Time // nil: time.Now
	ActionTakes time.Duration    // 0: 4 s
	TokenLife   time.Duration    // 0: 1 h
	PageSize    int              // most rows on a page of servers; 0: 100
}

// Errors of Serve that have nothing to do with the network.
var ErrConfig = errors.New("bad configuration")

func (c *Config) setDefaults() error {
	if c.State == nil || len(c.Regions) == 0 || len(c.Users) == 0 {
		return fmt.Errorf("openstack: %w: regions, users and State are needed", ErrConfig)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Act == nil {
		c.Act = func(string, string, string) error { return nil }
	}
	if c.SetService == nil {
		c.SetService = func(string, string, bool, string) error { return nil }
	}
	if c.RemoveRule == nil {
		c.RemoveRule = func(string, string) error { return nil }
	}
	if c.Fault == nil {
		c.Fault = func(Call) Fault { return Fault{} }
	}
	if c.ActionTakes <= 0 {
		c.ActionTakes = 4 * time.Second
	}
	if c.TokenLife <= 0 {
		c.TokenLife = time.Hour
	}
	if c.PageSize <= 0 {
		c.PageSize = 100
	}
	return nil
}

// Server is a running cloud.
type Server struct {
	cfg     Config
	base    string // http://host:port
	http    *http.Server
	tokens  *tokens
	actions *actions
	deeds   *deeds
	cancel  context.CancelFunc // ends the answers under way
	once    sync.Once
	done    chan struct{}
}

// Serve listens on addr (host:port, port 0 picks one) and answers until ctx
// ends or Close is called.
func Serve(ctx context.Context, addr string, cfg Config) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("openstack: listen: %w", err)
	}
	s := &Server{
		cfg:     cfg,
		base:    "http://" + l.Addr().String(),
		tokens:  newTokens(cfg.TokenLife),
		actions: newActions(),
		deeds:   newDeeds(),
		done:    make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(ctx)
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // ends with ErrServerClosed
	}()
	s.cancel = cancel
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// AuthURL returns what belongs into OS_AUTH_URL.
func (s *Server) AuthURL() string { return s.base + "/v3" }

// Addr returns host:port.
func (s *Server) Addr() string { return s.base[len("http://"):] }

// Close stops listening, drops every connection and forgets pending actions.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		s.cancel()
		s.actions.close()
		err = s.http.Close()
		<-s.done
	})
	return err
}

// now is the wall clock of the world, in UTC.
func (s *Server) now() time.Time { return s.cfg.Now().UTC() }

func (s *Server) hasRegion(name string) bool { return slices.Contains(s.cfg.Regions, name) }
