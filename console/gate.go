package console

import (
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
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
	of    map[string]int // authenticated connections, by user
	guest int            // all of them but the admins'
	conns map[*guardedConn]struct{}
	turns int // connections turned away
}

type tally struct{ conns, pending int }

func newGate(c ServerConfig) *gate {
	return &gate{limits: c, by: make(map[netip.Prefix]*tally), of: make(map[string]int), conns: make(map[*guardedConn]struct{})}
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

// settle moves a connection out of the pending ones, and reports whether its
// user may have one more. Only admins find a place in a full house.
func (g *gate) settle(c *guardedConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all.pending--
	g.by[c.from].pending--
	g.of[c.user]++
	if !c.admin {
		g.guest++
	}
	if g.of[c.user] > g.limits.MaxConnsPerUser || !c.admin && g.guest > g.limits.MaxSessions {
		g.turns++
		return false
	}
	return true
}

func (g *gate) leave(c *guardedConn, pending bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	if !pending {
		if g.of[c.user]--; g.of[c.user] == 0 {
			delete(g.of, c.user)
		}
		if !c.admin {
			g.guest--
		}
	}
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

// list returns the connections there are.
func (g *gate) list() []*guardedConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.conns))
}

// closeAll closes what is still there, also connections that are only
// shaking hands, which the SSH library does not know yet.
func (g *gate) closeAll() {
	for _, c := range g.list() {
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

	// Set once, when somebody came in.
	user  string
	admin bool
	since time.Time

	mu       sync.Mutex // guards what follows
	closed   bool
	raw      string      // the key that signed, once a session was asked for
	empty    *time.Timer // runs while there is no session
	ever     bool        // there was a session
	pending  bool        // not authenticated yet
	offered  int         // keys refused
	name     string      // user name of the last refused one
	sessions int         // channels open
	keep     sync.Once
	onDenied func(name string, keys int)            // told at close when nobody came in
	onVain   func(name string, after time.Duration) // told at close when who came in asked for no session
}

// refused notes a key or a method that was not good enough.
func (c *guardedConn) refused(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offered++
	c.name = name
}

// authenticated frees the place among the pending ones, and closes the
// connection when its user has too many, or asks for no session in time.
func (c *guardedConn) authenticated(user string, admin bool) (ok bool) {
	c.mu.Lock()
	if !c.pending || c.closed {
		c.mu.Unlock()
		return false
	}
	c.pending, c.user, c.admin, c.since = false, user, admin, time.Now()
	c.empty = time.AfterFunc(c.gate.limits.NoSession, c.closeEmpty)
	ok = c.gate.settle(c)
	c.mu.Unlock()
	if !ok {
		_ = c.Close()
	}
	return ok
}

// closeEmpty closes a connection that has no session.
func (c *guardedConn) closeEmpty() {
	c.mu.Lock()
	empty := c.sessions == 0
	c.mu.Unlock()
	if empty {
		_ = c.Close()
	}
}

// signed remembers the key, to ask later whether it still opens the door.
func (c *guardedConn) signed(raw string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = raw
}

// key returns it, or "" while there is none.
func (c *guardedConn) key() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw
}

// open takes one of the connection's channels, at most limit.
func (c *guardedConn) open(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions >= limit {
		return false
	}
	c.sessions++
	c.ever = true
	if c.empty != nil {
		c.empty.Stop()
	}
	return true
}

func (c *guardedConn) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions--
	if idle := c.gate.limits.Idle; c.sessions == 0 && idle > 0 && !c.closed {
		c.empty = time.AfterFunc(idle, c.closeEmpty)
	}
}

// Close closes the connection and gives its place back, once.
func (c *guardedConn) Close() error {
	c.mu.Lock()
	first, pending, name, keys := !c.closed, c.pending, c.name, c.offered
	vain := !pending && !c.ever
	c.closed = true
	if c.empty != nil {
		c.empty.Stop()
	}
	c.mu.Unlock()
	if first {
		c.gate.leave(c, pending)
		switch {
		case pending && keys > 0 && c.onDenied != nil:
			c.onDenied(name, keys)
		case vain && c.onVain != nil:
			c.onVain(c.user, time.Since(c.since))
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
