package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Server is where messages go: udp, tcp or tls.
type Server struct {
	scheme, address, name string
	tls                   *tls.Config // nil: who the system trusts
}

// Parse reads udp://HOST:PORT, tcp://... or tls://...; the port is 514 where it
// is left out, with tls 6514. trust are the authorities of tls; nil: those of
// the system.
func Parse(text string, trust *x509.CertPool) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("want udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT")
	}
	port := map[string]string{"udp": "514", "tcp": "514", "tls": "6514"}[u.Scheme]
	if port == "" {
		return nil, errors.New("want udp, tcp or tls before ://")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	return &Server{scheme: u.Scheme, address: net.JoinHostPort(u.Hostname(), port), name: u.Hostname(), tls: &tls.Config{RootCAs: trust}}, nil
}

// WithTLS is the server with a TLS configuration of the caller's.
func (s *Server) WithTLS(c *tls.Config) *Server {
	n := *s
	n.tls = c
	return &n
}

func (s *Server) String() string {
	if s == nil {
		return ""
	}
	return s.scheme + "://" + s.address
}

// Datagrams reports whether each message goes by itself, and nobody can know
// whether it arrived.
func (s *Server) Datagrams() bool { return s.scheme == "udp" }

// Secure reports whether messages go over TLS.
func (s *Server) Secure() bool { return s.scheme == "tls" }

// dialWithin bounds a try to connect, writeWithin one message.
const (
	dialWithin  = 10 * time.Second
	writeWithin = 10 * time.Second
)

// Dial connects.
func (s *Server) Dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, counted: s.scheme != "udp", ended: make(chan struct{})}
	go func() { // ends when either side closes it, or nobody takes datagrams there
		_, _ = io.Copy(io.Discard, conn)
		close(c.ended)
	}()
	return c, nil
}

func (s *Server) connect(ctx context.Context) (net.Conn, error) {
	if !s.Secure() {
		var d net.Dialer
		return d.DialContext(ctx, s.scheme, s.address)
	}
	c := s.tls.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	if c.ServerName == "" {
		c.ServerName = s.name
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	d := tls.Dialer{Config: c}
	return d.DialContext(ctx, "tcp", s.address)
}

// Conn is one connection. It belongs to one goroutine, but for Ended.
type Conn struct {
	conn    net.Conn
	counted bool // octet counting: each message has its length before it
	ended   chan struct{}
	once    sync.Once
}

// Send writes one message. It ends early when ctx does, and the connection is
// of no use then.
func (c *Conn) Send(ctx context.Context, m []byte) error {
	select {
	case <-c.ended:
		return io.ErrClosedPipe
	default:
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if c.counted {
		m = append(strconv.AppendInt(nil, int64(len(m)), 10), append([]byte{' '}, m...)...)
	}
	_, err := c.conn.Write(m)
	return err
}

// Ended is closed once the other side has closed the connection.
func (c *Conn) Ended() <-chan struct{} { return c.ended }

// Broken reports whether the other side has closed the connection.
func (c *Conn) Broken() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// Close ends the connection.
func (c *Conn) Close() { c.once.Do(func() { c.conn.Close() }) }
