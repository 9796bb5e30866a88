package console

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	charmssh "charm.land/ssh"
)

// gate counts connections before anything is read from them. A limit that
// acts after authentication is no limit: the handshake is the dear part, and
// strangers pay nothing for it.
type gate struct {
	limits ServerConfig

	mu    sync.Mutex // guards what follows
	all   tally
	by    map[netip.Prefix]*tally
	conns map[*guardedConn]struct{}
	turns int // connections turned away
}

type tally struct{ conns, pending int }

func newGate(c ServerConfig) *gate {
	return &gate{limits: c, by: make(map[netip.Prefix]*tally), conns: make(map[*guardedConn]struct{})}
}

// connKey names the guarded connection in the context of the SSH library.
type connKey struct{}

// admit is the server's connection callback: it returns the guarded
// connection, or nil to turn it away. The sentence is what RFC 4253 section
// 4.2 lets a server say before its version.
func (g *gate) admit(ctx charmssh.Context, c net.Conn) net.Conn {
	gc := &guardedConn{Conn: c, gate: g, from: prefixOf(c.RemoteAddr()), pending: true}
	if !g.enter(gc) {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c, "plumb: too many connections, try again in a moment\r\n")
		return nil
	}
	ctx.SetValue(connKey{}, gc)
	return gc
}

func (g *gate) enter(c *guardedConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.by[c.from]
	if one == nil {
		one = &tally{}
	}
	l := &g.limits
	if g.all.conns >= l.MaxConns || g.all.pending >= l.MaxPending || one.conns >= l.MaxConnsPerIP || one.pending >= l.MaxPendingPerIP {
		g.turns++
		return false
	}
	g.by[c.from] = one
	g.conns[c] = struct{}{}
	for _, t := range []*tally{&g.all, one} {
		t.conns++
		t.pending++
	}
	return true
}

// settle moves a connection out of the pending ones.
func (g *gate) settle(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all.pending--
	g.by[from].pending--
}

func (g *gate) leave(c *guardedConn, pending bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	one := g.by[c.from]
	for _, t := range []*tally{&g.all, one} {
		t.conns--
		if pending {
			t.pending--
		}
	}
	if one.conns == 0 {
		delete(g.by, c.from)
	}
}

// closeAll closes what is still there, also connections that are only
// shaking hands, which the SSH library does not know yet.
func (g *gate) closeAll() {
	g.mu.Lock()
	var all []*guardedConn
	for c := range g.conns {
		all = append(all, c)
	}
	g.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// turnedAway returns how many connections found the house full.
func (g *gate) turnedAway() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.turns
}

// guardedConn is a connection that holds a place in the gate until it closes.
type guardedConn struct {
	net.Conn
	gate *gate
	from netip.Prefix

	mu       sync.Mutex // guards what follows
	closed   bool
	pending  bool   // not authenticated yet
	offered  int    // keys refused
	name     string // user name of the last refused one
	sessions int    // channels open
	keep     sync.Once
	onDenied func(name string, keys int) // told at close when nobody came in
}

// refused notes a key or a method that was not good enough.
func (c *guardedConn) refused(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offered++
	c.name = name
}

// authenticated frees the place among the pending ones.
func (c *guardedConn) authenticated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending && !c.closed {
		c.pending = false
		c.gate.settle(c.from)
	}
}

// open takes one of the connection's channels, at most limit.
func (c *guardedConn) open(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions >= limit {
		return false
	}
	c.sessions++
	return true
}

func (c *guardedConn) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions--
}

// Close closes the connection and gives its place back, once.
func (c *guardedConn) Close() error {
	c.mu.Lock()
	first, pending, name, keys := !c.closed, c.pending, c.name, c.offered
	c.closed = true
	c.mu.Unlock()
	if first {
		c.gate.leave(c, pending)
		if pending && keys > 0 && c.onDenied != nil {
			c.onDenied(name, keys)
		}
	}
	return c.Conn.Close()
}

// prefixOf returns what counts as one place: an IPv4 address, or the /64 that
// one IPv6 customer gets.
func prefixOf(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
