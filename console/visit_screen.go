package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"plumb/fleet"
)

// resizeGap gathers the window changes of a dragged corner.
const resizeGap = 40 * time.Millisecond

// errStalled says that a client stopped reading.
var errStalled = errors.New("the terminal stopped reading")

// screen runs the console on the visitor's terminal until it leaves, is sent
// away, or its channel ends, and returns the exit code.
func (v *visit) screen(opt Options) int {
	s := v.server
	ctx, cancel := context.WithCancelCause(v.sess.Context())
	defer cancel(nil)
	kind := kindScreen
	if opt.Wall {
		kind = kindWall
	}
	quit := make(chan string, 1)
	g, end, ok := v.begin(kind, kind, func(why string) {
		select {
		case quit <- why:
		default:
		}
	})
	if !ok {
		return exitFailed
	}
	out := newScreenWriter(v.sess, s.cfg.Stall, func() {
		cancel(errStalled)
		v.hangUp()
	})
	opt.Idle, opt.IdleWarn, opt.Redraws = s.cfg.Idle, s.cfg.IdleWarn, s.cfg.Redraws
	model := newSession(ctx, s.deps, seat{
		caller: v.caller(), guest: g,
		term: v.term, cols: v.cols, rows: v.rows, out: out, queries: s.queries, pasts: s.pasts, opt: opt,
	})
	program := newProgram(ctx, model)
	go v.feed(ctx, cancel, program, quit)
	err := runProgram(program, model, out)
	model.release()
	why := leaving(ctx, model, err)
	end(why)
	if model.fault {
		_, _ = io.WriteString(v.sess.Stderr(), sorryPanic)
		return exitFailed
	}
	if model.ended != "" {
		fmt.Fprintf(v.sess.Stderr(), "plumb: %s\n", fleet.Clean(model.ended, maxToast))
	}
	return exitOK
}

// newProgram makes a bubbletea program that neither draws nor reads nor
// listens to signals: we do the first two in bounds, and the server the third.
func newProgram(ctx context.Context, model *Session) *tea.Program {
	return tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(nil), tea.WithOutput(io.Discard),
		tea.WithoutRenderer(), tea.WithoutSignalHandler(), tea.WithFPS(1),
		tea.WithEnvironment([]string{"TERM=" + model.term.name}), tea.WithColorProfile(colorprofile.TrueColor),
		tea.WithWindowSize(model.paint.screen.Size()))
}

// runProgram runs it on the alternate screen, which is always left again.
func runProgram(program *tea.Program, model *Session, out *screenWriter) (err error) {
	defer func() {
		if r := recover(); r != nil {
			model.log.Error("panic in a session", "user", model.who.User, "panic", r, "stack", string(debug.Stack()))
			model.fault = true
		}
		out.close([]byte(leaveScreen))
	}()
	buf, _ := out.take()
	out.send(append(buf, enterScreen...))
	_, err = program.Run()
	return err
}

// leaving says in a few words why a session ended.
func leaving(ctx context.Context, m *Session, err error) string {
	switch {
	case m.fault:
		return "a fault in plumb"
	case m.ended != "":
		return m.ended
	case errors.Is(context.Cause(ctx), errStalled):
		return errStalled.Error()
	case ctx.Err() != nil || errors.Is(err, tea.ErrProgramKilled):
		return "the connection ended"
	}
	return "left"
}

// feed brings the program what comes from outside: keys, window sizes, and the
// word to end. The end of input ends the session: a client that keeps its
// connection for the next session must not leave this one running.
func (v *visit) feed(ctx context.Context, cancel context.CancelCauseFunc, program *tea.Program, quit <-chan string) {
	go func() {
		defer v.contained(func() { cancel(errors.New("a fault in reading keys")) })
		err := readKeys(ctx, v.sess, program.Send)
		cancel(fmt.Errorf("input ended: %w", err))
	}()
	defer v.contained(func() { cancel(errors.New("a fault")) })
	for {
		select {
		case <-ctx.Done():
			return
		case why := <-quit:
			program.Send(quitMsg{why})
		case w := <-v.windows:
			cols, rows := clampSize(w.Width, w.Height)
			program.Send(tea.WindowSizeMsg{Width: cols, Height: rows})
			pause(ctx, resizeGap)
		}
	}
}

// contained catches a panic of a session's own goroutine.
func (v *visit) contained(then func()) {
	if r := recover(); r != nil {
		v.server.deps.Log.Error("panic in a session's input", "user", v.id.User, "panic", r, "stack", string(debug.Stack()))
		then()
	}
}

// hangUp closes the visitor's connection, whatever it waits for.
func (v *visit) hangUp() {
	if c, ok := v.sess.Context().Value(connKey{}).(*guardedConn); ok {
		_ = c.Close()
	}
}
