// Command plumb watches a fleet from the physical layer up and shows it over
// SSH. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"plumb/console"
	"plumb/keys"
)

// version is set by the linker.
var version = "dev"

// cli is the command line. Verbs that print what a running plumb knows are not
// in it: they are passed on to that process as they are.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"A living fleet on loopback: real wires, simulated machines."`
	Serve   serveCmd   `cmd:"" help:"Poll, store, and serve the console over SSH."`
	Poll    pollCmd    `cmd:"" help:"Poll and store without a console."`
	Probe   probeCmd   `cmd:"" help:"One look at one target, without a store."`
	Check   checkCmd   `cmd:"" help:"Check a configuration."`
	Restore restoreCmd `cmd:"" help:"Put a backup back into an empty place."`
	Keys    keysCmd    `cmd:"" help:"The key map."`
	Version versionCmd `cmd:"" help:"Which plumb this is."`
}

func main() {
	collect(startGC)
	if err := profileEvery(os.Getenv("PLUMB_PROFILE")); err != nil {
		fmt.Fprintf(os.Stderr, "plumb: PLUMB_PROFILE: %v\n", err)
		os.Exit(3)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its world as arguments; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if code, ok := remote(ctx, args, stdout, stderr); ok {
		return code
	}
	exit := -1
	var c cli
	parser, err := kong.New(&c, kong.Name("plumb"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.Description("A fleet console for the terminal, from the rack to the service.\n\n"+
			"The verbs of the console (status, devices, events ...) work beside a running plumb: plumb VERB --db DIR."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&streams{stdout, stderr}), kong.UsageOnError())
	if err != nil {
		fmt.Fprintf(stderr, "plumb: %v\n", err)
		return 3
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "plumb: %v\nhint: plumb --help\n", err)
		return 3
	}
	return report(k.Run(), stderr)
}

type streams struct{ out, err io.Writer }

// hinted is an error that knows what to do about it.
type hinted struct {
	err  error
	hint string
	code int
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

func hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err: err, hint: fmt.Sprintf(format, args...), code: 1}
}

// coded ends the process with a code and no further word.
type coded int

func (c coded) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// report prints an error once, here, and returns the exit code.
func report(err error, stderr io.Writer) int {
	var code coded
	var h *hinted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "plumb: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	if errors.As(err, &h) {
		return h.code
	}
	return 1
}

// hintOf says what to do about an error: what the disk and the system say goes
// first, since no other advice helps there; then what the error itself knows,
// then what its caller knew.
func hintOf(err error) string {
	var own interface{ Hint() string }
	var h *hinted
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on that disk, or choose another directory with --db or store.dir"
	case errors.Is(err, syscall.EROFS), errors.Is(err, os.ErrPermission):
		return "choose a directory and addresses that this user may use"
	case errors.As(err, &own) && own.Hint() != "":
		return own.Hint()
	case errors.As(err, &h):
		return h.hint
	}
	return ""
}

// remote hands a verb to the running process that owns --db. Anything that is
// a command of its own is not a verb.
func remote(ctx context.Context, args []string, stdout, stderr io.Writer) (int, bool) {
	if len(args) == 0 || !console.IsVerb(args[0]) || args[0] == "version" || args[0] == "help" {
		return 0, false
	}
	dir, rest := "./plumb-data", []string{}
	for i := 0; i < len(args); i++ {
		if value, ok := strings.CutPrefix(args[i], "--db="); ok {
			dir = value
			continue
		}
		if args[i] == "--db" && i+1 < len(args) {
			i++
			dir = args[i]
			continue
		}
		rest = append(rest, args[i])
	}
	terminal, width := false, 0
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		terminal = true
		width, _, _ = term.GetSize(int(f.Fd()))
	}
	code, err := console.CallSocket(ctx, dir, rest, terminal, width, stdout, stderr)
	if err != nil {
		err = fmt.Errorf("%s: %w", args[0], err)
		if errors.Is(err, console.ErrNoProcess) {
			err = hint(err, "start plumb there, or name its store: --db DIR (the demo of make run is ./plumb-data/demo)")
		}
		return report(err, stderr), true
	}
	return code, true
}

type versionCmd struct{}

func (versionCmd) Run(s *streams) error {
	_, err := fmt.Fprintf(s.out, "plumb %s\n", version)
	return err
}

type keysCmd struct {
	Markdown bool `help:"As a Markdown table."`
}

func (k keysCmd) Run(s *streams) error {
	_, err := io.WriteString(s.out, keys.Must().Markdown())
	return err
}
