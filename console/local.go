package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// LocalConfig is a console in the terminal plumb was started in.
type LocalConfig struct {
	Caller           // who sits there; From is "local"
	In, Out *os.File // a terminal
	AskQuit string   // asked before q: "q ends the demo and its 2 ssh sessions"; empty: just leave
	Notice  func() string
	Idle    time.Duration // 0 or less: never
	Redraws int
}

// ErrNoTerminal says that there is no terminal to show the console in.
var ErrNoTerminal = errors.New("not a terminal")

// localStall is how long a local terminal may hold its output (ctrl-s): there
// is no connection to close, and whoever holds it sits in front of it.
const localStall = 24 * time.Hour

// RunLocal shows the console in a local terminal until the person leaves or
// ctx ends, and gives the terminal back as it was, also after a panic.
func RunLocal(ctx context.Context, cfg LocalConfig, deps Deps) error {
	deps = deps.withDefaults()
	if !term.IsTerminal(int(cfg.In.Fd())) || !term.IsTerminal(int(cfg.Out.Fd())) {
		return fmt.Errorf("local console: %w", ErrNoTerminal)
	}
	cols, rows, err := term.GetSize(int(cfg.Out.Fd()))
	if err != nil {
		return fmt.Errorf("local console: %w", err)
	}
	before, err := term.MakeRaw(int(cfg.In.Fd()))
	if err != nil {
		return fmt.Errorf("local console: %w", err)
	}
	defer func() { _ = term.Restore(int(cfg.In.Fd()), before) }()
	input, err := newQuietReader(cfg.In)
	if err != nil {
		return fmt.Errorf("local console: %w", err)
	}
	defer input.stop()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quit := make(chan string, 1)
	now := deps.Now()
	g, err := deps.Registry.enter(Who{User: cfg.User, Role: cfg.Role, From: cfg.From, Kind: kindScreen, View: kindScreen, Since: now}, places{}, func(why string) {
		select {
		case quit <- why:
		default:
		}
	})
	if err != nil {
		return fmt.Errorf("local console: %w", err)
	}
	defer func() { g.leave(deps.Now()) }()
	cols, rows = clampSize(cols, rows)
	out := newScreenWriter(cfg.Out, localStall, func() { cancel(errStalled) })
	model := newSession(ctx, deps, seat{caller: cfg.Caller, guest: g, term: describe(os.Getenv("TERM"), os.Getenv), cols: cols, rows: rows, out: out,
		queries: make(chan struct{}, maxInFlight), pasts: newPasts(deps),
		opt: Options{AskQuit: cfg.AskQuit, Notice: cfg.Notice, Idle: cfg.Idle, IdleWarn: time.Minute, Redraws: max(cfg.Redraws, 2)}})
	defer model.release()
	program := newProgram(ctx, model)
	sizes := watchSize(ctx, cfg.Out)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				deps.Log.Error("panic in the local console's input", "panic", r, "stack", string(debug.Stack()))
				cancel(errors.New("a fault in reading keys"))
			}
		}()
		cancel(fmt.Errorf("input ended: %w", readKeys(ctx, input, program.Send)))
	}()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case why := <-quit:
				program.Send(quitMsg{why})
			case size := <-sizes:
				program.Send(size)
			}
		}
	}()
	_ = runProgram(program, model, out)
	if model.fault {
		return errors.New("local console: a fault in plumb ended it; the log has more")
	}
	return nil
}

// quietReader is a terminal's input that can be left: after stop nothing reads
// the terminal any more, so that the next key belongs to the shell.
type quietReader struct {
	cancelreader.CancelReader
	reading sync.Mutex // held by a Read
}

func newQuietReader(in *os.File) (*quietReader, error) {
	r, err := cancelreader.NewReader(in)
	return &quietReader{CancelReader: r}, err
}

// Read implements io.Reader.
func (q *quietReader) Read(b []byte) (int, error) {
	q.reading.Lock()
	defer q.reading.Unlock()
	return q.CancelReader.Read(b)
}

func (q *quietReader) stop() {
	if q.Cancel() {
		q.reading.Lock()
		defer q.reading.Unlock()
		_ = q.Close()
	}
}

// sizeOf returns the terminal's size as a message.
func sizeOf(out *os.File) (tea.WindowSizeMsg, bool) {
	w, h, err := term.GetSize(int(out.Fd()))
	w, h = clampSize(w, h)
	return tea.WindowSizeMsg{Width: w, Height: h}, err == nil
}
