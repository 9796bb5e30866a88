package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	charmssh "charm.land/ssh"

	"plumb/fleet"
)

// Kinds of sessions.
const (
	kindScreen = "screen"
	kindWall   = "wall"
	kindVerb   = "verb"
)

// What people read when there is nothing to show.
const (
	sorryPanic  = "plumb: this session hit a fault in plumb, which was logged; nobody else noticed. Connect again.\n"
	noTerminal  = "plumb: there is no terminal to show the console on\nhint: `ssh -t HOST` gives you one, or run a verb: `ssh HOST help`\n"
	noPTY       = "plumb: your certificate gives you no terminal (permit-pty), so there is no console\nhint: verbs work without one: `ssh HOST help`; whoever signed the certificate can allow it\n"
	noPlace     = "plumb: %v\n"
	notAnyMore  = "plumb: you may not come in any more\n"
	wrongQuotes = "plumb: the command was not understood: %v\nhint: quote as in a POSIX shell\n"
)

// contain is the outermost middleware: a panic ends one session, with its
// stack in the server's log and one sentence for the user. The screen has left
// its alternate buffer by then, so the sentence stands on a clean line.
func (s *Server) contain(next charmssh.Handler) charmssh.Handler {
	return func(sess charmssh.Session) {
		defer func() {
			if r := recover(); r != nil {
				s.deps.Log.Error("panic in a session", "user", sess.User(), "from", sess.RemoteAddr(), "panic", r, "stack", string(debug.Stack()))
				_, _ = io.WriteString(sess.Stderr(), sorryPanic)
				_ = sess.Exit(exitFailed)
			}
		}()
		next(sess)
	}
}

// route is the innermost middleware: a command goes to its verb, a terminal to
// the screen. The command is looked at first, so that `ssh -t HOST devices`
// prints and `ssh HOST devices | jq` works.
func (s *Server) route(charmssh.Handler) charmssh.Handler {
	return func(sess charmssh.Session) {
		pty, changes, isPTY := sess.Pty()
		windows := follow(changes)
		// The directory may have changed since the connection was made, and a
		// certificate may have run out.
		id, err := s.present(sess.User(), sess.Permissions().Permissions)
		if err != nil || id.Role == fleet.RoleNone {
			_, _ = io.WriteString(sess.Stderr(), notAnyMore)
			_ = sess.Exit(exitFailed)
			return
		}
		v := visit{server: s, sess: sess, id: id, from: sess.RemoteAddr().String(), windows: windows}
		if isPTY {
			v.term = describe(pty.Term, environ(sess.Environ()))
			v.cols, v.rows = clampSize(pty.Window.Width, pty.Window.Height)
		}
		args, err := splitWords(sess.RawCommand())
		code := exitUsage
		switch wall := len(args) > 0 && args[0] == kindWall; {
		case err != nil:
			fmt.Fprintf(sess.Stderr(), wrongQuotes, err)
		case !id.PTY && (len(args) == 0 || wall):
			_, _ = io.WriteString(sess.Stderr(), noPTY)
		case !isPTY && (len(args) == 0 || wall):
			_, _ = io.WriteString(sess.Stderr(), noTerminal)
		case wall:
			code = v.wall(args[1:])
		case len(args) > 0:
			code = v.verb(args, isPTY)
		case id.Role == fleet.RoleWall:
			code = v.wall(nil)
		default:
			code = v.screen(Options{})
		}
		_ = sess.Exit(code)
	}
}

// visit is one session on its way through the house.
type visit struct {
	server     *Server
	sess       charmssh.Session
	id         identity
	from       string
	term       terminal
	cols, rows int
	windows    <-chan charmssh.Window
}

// caller is who asks, as the house knows them.
func (v *visit) caller() Caller {
	return Caller{User: v.id.User, Role: v.id.Role, Scope: v.id.Scope, From: v.from}
}

// errQuit is the cause of a context that a person or the server ended.
var errQuit = errors.New("session ended")

// begin registers the session and audits its login; false: the house is full.
// end must be called with the reason it ended.
func (v *visit) begin(kind, view string, quit func(string)) (g *guest, end func(why string), ok bool) {
	s := v.server
	now := s.deps.Now()
	g, err := s.deps.Registry.enter(Who{User: v.id.User, Role: v.id.Role, From: v.from, Kind: kind, View: view, Since: now}, places{s.cfg.MaxSessions, s.cfg.MaxSessionsPerUser}, quit)
	if err != nil {
		fmt.Fprintf(v.sess.Stderr(), noPlace, err)
		return nil, nil, false
	}
	target := kind
	if kind == kindVerb {
		target += " " + view
	}
	audited := s.logins.came(v.id, v.from, kind, target)
	return g, func(why string) {
		end := s.deps.Now()
		g.leave(end)
		s.logins.went(v.id, v.from, target, why, end.Sub(now), audited)
	}, true
}

// verb runs a command. It ends early when its channel closes, not when its
// input does: ssh sends an end of input at once when there is none.
func (v *visit) verb(args []string, isPTY bool) int {
	ctx, cancel := context.WithCancelCause(v.sess.Context())
	defer cancel(nil)
	_, end, ok := v.begin(kindVerb, fleet.Clean(args[0], maxUserName), func(why string) { cancel(fmt.Errorf("%w: %s", errQuit, why)) })
	if !ok {
		return exitFailed
	}
	why := "done"
	defer func() { end(why) }()
	limit := v.server.cfg.VerbStall
	if args[0] == "watch" {
		limit *= watchPatience
	}
	stalled := func() {
		cancel(errStalled)
		v.hangUp()
	}
	go func() { _, _ = io.Copy(io.Discard, v.sess) }()
	code := v.server.deps.Verb(ctx, VerbCall{
		Caller: v.caller(),
		Args:   args, Terminal: isPTY, Width: v.cols,
		Bare:   !strings.ContainsAny(v.sess.RawCommand(), "'\"\\"),
		Stdout: &watchedWriter{v.sess, limit, stalled}, Stderr: &watchedWriter{v.sess.Stderr(), limit, stalled},
	})
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		why = errStalled.Error()
	case ctx.Err() != nil:
		why = "cut short"
	}
	return code
}

// follow reads window changes for as long as the channel lives, whoever is
// interested, and keeps the newest. A channel that nobody reads stops every
// request behind it, and one that is read after its end spins a core for ever.
func follow(changes <-chan charmssh.Window) <-chan charmssh.Window {
	newest := make(chan charmssh.Window, 1)
	if changes == nil {
		return newest
	}
	go func() {
		for {
			w, ok := <-changes
			if !ok {
				return
			}
			select {
			case <-newest:
			default:
			}
			newest <- w
		}
	}()
	return newest
}
