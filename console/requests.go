package console

import (
	"context"
	"strings"
	"sync"

	charmssh "charm.land/ssh"
	"golang.org/x/crypto/ssh"
)

// Bounds of what a channel may ask for.
const (
	maxEnv         = 32 // variables
	maxEnvName     = 64
	maxEnvValue    = 256
	maxCommand     = 16 << 10
	maxPerConn     = 10 // channels of one connection, as OpenSSH's MaxSessions
	maxCols        = 640
	maxRows        = 240
	defCols        = 80
	defRows        = 24
	agentRequest   = "auth-agent-req@openssh.com"
	x11Request     = "x11-req"
	windowRequest  = "window-change"
	signalRequest  = "signal"
	subsystemReq   = "subsystem"
	keepaliveCheck = "keepalive@openssh.com"
)

// channelRequests stands between the wire and the SSH library, which keeps
// every environment variable it is sent, says yes to agent forwarding, and
// stands still when window changes come faster than they are read. It answers
// what we refuse, keeps the newest window only, and knows when the channel
// closes, which is earlier than the end of the connection when a client keeps
// that for its next session (OpenSSH's ControlMaster).
type channelRequests struct {
	ssh.NewChannel
	closed context.CancelFunc
}

// Accept takes the channel and returns the requests that may pass.
func (c *channelRequests) Accept() (ssh.Channel, <-chan *ssh.Request, error) {
	ch, in, err := c.NewChannel.Accept()
	if err != nil {
		c.closed()
		return nil, nil, err
	}
	out := make(chan *ssh.Request)
	go func() {
		defer close(out)
		defer c.closed()
		c.sift(in, out)
	}()
	return ch, out, nil
}

// sift forwards until the channel closes. A window change waits for the
// session to start, and a newer one takes its place.
func (c *channelRequests) sift(in <-chan *ssh.Request, out chan<- *ssh.Request) {
	var window *ssh.Request
	env, started, pty := 0, false, false
	for {
		var to chan<- *ssh.Request
		if started && window != nil {
			to = out
		}
		select {
		case to <- window:
			window = nil
		case req, ok := <-in:
			if !ok {
				return
			}
			switch req.Type {
			case windowRequest:
				if pty {
					window = req
				}
				_ = req.Reply(pty, nil)
				if pty {
					req.WantReply = false
				}
			case "env":
				env++
				if env <= maxEnv && envAllowed(req.Payload) {
					out <- req
				} else {
					_ = req.Reply(false, nil)
				}
			case signalRequest:
				if ends(req.Payload) {
					c.closed()
				}
				_ = req.Reply(true, nil)
			case agentRequest, x11Request, subsystemReq, "break":
				_ = req.Reply(false, nil)
			default:
				if len(req.Payload) > maxCommand {
					_ = req.Reply(false, nil)
					continue
				}
				started = started || req.Type == "shell" || req.Type == "exec"
				pty = pty || req.Type == "pty-req"
				out <- req
			}
		}
	}
}

// envAllowed reports whether a variable is one that we read.
func envAllowed(payload []byte) bool {
	var kv struct{ Name, Value string }
	if ssh.Unmarshal(payload, &kv) != nil || len(kv.Name) > maxEnvName || len(kv.Value) > maxEnvValue {
		return false
	}
	switch kv.Name {
	case "TERM", "COLORTERM", "LANG", "NO_COLOR", "TZ":
		return true
	}
	return strings.HasPrefix(kv.Name, "LC_")
}

// ends reports whether a signal asks the session to end (RFC 4254 section 6.9).
func ends(payload []byte) bool {
	var m struct{ Signal string }
	_ = ssh.Unmarshal(payload, &m)
	switch m.Signal {
	case "INT", "TERM", "HUP", "KILL", "QUIT":
		return true
	}
	return false
}

// channelContext is a connection's context that ends with one of its channels
// and keeps that channel's values apart.
type channelContext struct {
	charmssh.Context
	channel context.Context
	values  sync.Map
}

func newChannelContext(conn charmssh.Context) (*channelContext, context.CancelFunc) {
	ctx, cancel := context.WithCancel(conn)
	return &channelContext{Context: conn, channel: ctx}, cancel
}

// Done closes with the channel.
func (c *channelContext) Done() <-chan struct{} { return c.channel.Done() }

// Err says why it closed.
func (c *channelContext) Err() error { return c.channel.Err() }

// Value returns the channel's value, else the connection's.
func (c *channelContext) Value(key any) any {
	if v, ok := c.values.Load(key); ok {
		return v
	}
	return c.channel.Value(key)
}

// SetValue keeps a value for the channel only.
func (c *channelContext) SetValue(key, value any) { c.values.Store(key, value) }
