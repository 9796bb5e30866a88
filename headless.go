package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"plumb/console"
	"plumb/console/systemd"
	"plumb/fleet"
)

// logFlags say how a process that nobody watches tells what it does.
type logFlags struct {
	Log      string `name:"log" default:"text" enum:"text,json" help:"How log lines are written: text or json."`
	LogLevel string `name:"log-level" default:"info" enum:"debug,info,warn,error" help:"From which level on: debug, info, warn or error."`
}

func (f logFlags) logger(w io.Writer) *slog.Logger {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err == nil { // the command line takes no other
		o.Level = level
	}
	if f.Log == "json" {
		return slog.New(slog.NewJSONHandler(w, &o))
	}
	return slog.New(slog.NewTextHandler(w, &o))
}

// eventFlags say where the stream of changes goes.
type eventFlags struct {
	Events string `placeholder:"FILE" help:"Append each change to a file as watch prints it, or - for standard output. SIGHUP opens it anew."`
}

// open returns the stream, nil where none is wanted.
func (f eventFlags) open(stdout io.Writer, log *slog.Logger) (*console.EventStream, error) {
	if f.Events == "" {
		return nil, nil
	}
	if f.Events == "-" {
		signal.Ignore(syscall.SIGPIPE) // a reader that leaves ends its own stream only
	}
	e, err := console.NewEventStream(f.Events, stdout, log, time.Now)
	if errors.Is(err, syscall.ENXIO) {
		return nil, hint(err, "it is a named pipe that nobody reads: start its reader first")
	}
	return e, hint(err, "--events names a file that this user may append to, or -")
}

// statusEach is how often the service manager is told how the fleet is.
const statusEach = 10 * time.Second

// report keeps the service manager informed until ctx ends: that plumb is ready
// once there is a snapshot and the last address is bound, how the fleet is, and
// that the heart beats.
func (h *house) report(ctx context.Context, bound <-chan struct{}) {
	select {
	case <-bound:
	case <-ctx.Done():
		return
	}
	w := h.store.Watch()
	_, err := w.Next(ctx)
	w.Close()
	if err != nil {
		return
	}
	h.tell(h.manager.Ready())
	h.beside.Go(func() { h.manager.Beat(ctx, h.heart, h.log) })
	tick := time.NewTicker(statusEach)
	defer tick.Stop()
	for {
		h.tell(h.manager.Status(statusLine(h.store.Snapshot())))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *house) tell(err error) {
	if err != nil {
		h.log.Warn("the service manager did not hear", "err", err)
	}
}

// reloads brackets a reload for the service manager; the function it returns is
// called when the reload has ended, however it did.
func (h *house) reloads() (done func()) {
	h.tell(h.manager.Reloading())
	return func() { h.tell(h.manager.Ready()) }
}

// hung is how long a batch of the store may take before its writer counts as
// hung, unless the manager has more patience: a disk under load takes seconds.
const hung = 10 * time.Second

// heart reports why plumb cannot be trusted to watch anything, nil while it can.
// A fleet that does not answer and a disk that is full are not among the
// reasons: a restart mends neither.
func (h *house) heart() error {
	if busy := h.store.Busy(); busy > max(hung, h.manager.Watched()/2) {
		return fmt.Errorf("the store's writer has been at one batch for %v", busy.Round(time.Second))
	}
	if still, stuck := h.scheduler.Stuck(); stuck {
		return fmt.Errorf("no poll has begun or ended for %v", still.Round(time.Second))
	}
	return nil
}

// statusLine is the fleet in one line.
func statusLine(s *fleet.Snapshot) string {
	if s == nil {
		return "starting"
	}
	by := s.Counts.By[fleet.KindOfDevice]
	return fmt.Sprintf("%d devices, %d crit, %d warn, %d not answering", s.Devices.Len(), by[fleet.StateCrit], by[fleet.StateWarn], s.Counts.Blind)
}

// managed speaks to the service manager that started this process.
func managed(log *slog.Logger) *systemd.Notifier {
	n, err := systemd.FromEnvironment()
	if err != nil {
		log.Warn("the service manager hears nothing from here", "err", err)
	}
	return n
}

// hurried ends the process when it is told a second time to stop: whoever says
// it twice does not want to wait for devices.
func hurried(ctx context.Context, stop func()) {
	context.AfterFunc(ctx, stop)
}
