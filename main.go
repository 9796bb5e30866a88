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
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"plumb/console"
	"plumb/fleet"
	"plumb/keys"
	"plumb/views/export"
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
	Compact compactCmd `cmd:"" help:"Give back the room that deleted history left; nobody may have the store open."`
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
	hurried(ctx, stop)
	if len(args) > 1 && args[0] == "rules" && args[1] == "test" {
		return report(rulesTest(args[2:], stdout), stderr)
	}
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
	if len(args) == 0 || args[0] == "help" {
		return help(ctx, parser, args, stdout, stderr)
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		return report(usageOf(parser, args, err), stderr)
	}
	return report(k.Run(), stderr)
}

// help prints the commands and the verbs, or one of them.
func help(ctx context.Context, parser *kong.Kong, args []string, stdout, stderr io.Writer) int {
	if len(args) > 1 && !console.IsVerb(args[1]) {
		if !isCommand(parser, args[1]) {
			return report(usageOf(parser, args[1:], nil), stderr)
		}
		// The parser prints and goes on to miss what --help stands for.
		_, _ = parser.Parse(append(args[1:], "--help"))
		return 0
	}
	if len(args) < 2 {
		_, _ = parser.Parse([]string{"--help"})
		fmt.Fprint(stdout, "\nVerbs, beside a running plumb (plumb VERB --db DIR) and over ssh (ssh HOST VERB):\n")
	}
	call := console.VerbCall{Caller: console.Caller{User: "local", Role: fleet.RoleAdmin, From: "local"}, Args: append([]string{"help"}, args[min(1, len(args)):]...), Stdout: stdout, Stderr: stderr}
	return (&console.Verbs{}).Run(ctx, call)
}

// usageOf turns what the parser says into what failed, why, and where to look.
func usageOf(parser *kong.Kong, args []string, err error) error {
	switch {
	case isCommand(parser, args[0]):
		why := strings.ReplaceAll(err.Error(), ` but got "EOL" (<EOL>)`, " and got none")
		return usage(errors.New(why), "plumb %s --help", args[0])
	case strings.HasPrefix(args[0], "-"):
		return usage(err, "plumb help")
	}
	hint, names := "plumb help", console.VerbNames()
	for _, n := range parser.Model.Children {
		names = append(names, n.Name)
	}
	if near := export.Nearest(names, args[0]); near != "" {
		hint = "did you mean " + near + "?"
	}
	return usage(fmt.Errorf("%s: no such command", fleet.Clean(args[0], 40)), "%s", hint)
}

func isCommand(parser *kong.Kong, name string) bool {
	return slices.ContainsFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == name })
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

// usage is an error of whoever typed: exit code 3.
func usage(err error, format string, args ...any) error {
	return &hinted{err: err, hint: fmt.Sprintf(format, args...), code: 3}
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
	dir, rest, err := splitDB(args)
	if err != nil {
		return report(err, stderr), true
	}
	terminal, width := false, 0
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		terminal = true
		width, _, _ = term.GetSize(int(f.Fd()))
	}
	code, err := console.CallSocket(ctx, dir, rest, terminal, width, stdout, stderr)
	if err == nil {
		return code, true
	}
	if errors.Is(err, console.ErrNoProcess) && worksClosed(args[0]) {
		return onClosed(ctx, dir, rest, &streams{stdout, stderr}), true
	}
	err = fmt.Errorf("%s: %w", args[0], err)
	if errors.Is(err, console.ErrNoProcess) {
		err = hint(err, "start plumb there, or name its store: --db DIR (the demo of make run is ./plumb-data/demo)")
	}
	if slices.Contains(rest, "--json") || slices.Contains(rest, "--ndjson") {
		console.WriteFailure(stderr, &console.Failure{Kind: "unavailable", Message: err.Error(), Hint: hintOf(err)})
		code = 1
	} else {
		code = report(err, stderr)
	}
	if args[0] == "status" {
		code = 3 // the state of the fleet is not known
	}
	return code, true
}

// splitDB takes --db out of a verb's words. A backup's place is meant as seen
// from here, not from where the process that writes it was started.
func splitDB(args []string) (dir string, rest []string, err error) {
	dir = "./plumb-data"
	for i := 0; i < len(args); i++ {
		value, has := strings.CutPrefix(args[i], "--db=")
		switch {
		case has:
		case args[i] != "--db":
			rest = append(rest, args[i])
			continue
		case i+1 < len(args):
			i++
			value = args[i]
		default:
			value = ""
		}
		if value == "" {
			return "", nil, &hinted{err: fmt.Errorf("%s: --db needs a directory", args[0]), hint: "the demo of make run is ./plumb-data/demo", code: 3}
		}
		dir = value
	}
	if args[0] == "verify" {
		return dir, fromHere(rest), nil
	}
	if args[0] == "backup" && len(rest) > 1 && !strings.HasPrefix(rest[1], "-") {
		if rest[1], err = filepath.Abs(rest[1]); err != nil {
			return "", nil, fmt.Errorf("backup: %w", err)
		}
	}
	return dir, rest, nil
}

// fromHere makes the file of --audit one that another process finds.
func fromHere(args []string) []string {
	for i, a := range args {
		name, is := strings.CutPrefix(a, "--audit=")
		if !is && i > 0 && args[i-1] == "--audit" {
			name, is = a, true
		}
		if abs, err := filepath.Abs(name); is && err == nil && name != "" {
			args[i] = strings.TrimSuffix(a, name) + abs
		}
	}
	return args
}

type versionCmd struct {
	JSON bool `name:"json" help:"As JSON."`
}

func (v versionCmd) Run(ctx context.Context, s *streams) error {
	args := []string{"version"}
	if v.JSON {
		args = append(args, "--json")
	}
	if code := (&console.Verbs{Version: version}).Run(ctx, console.VerbCall{Args: args, Caller: console.Caller{Role: fleet.RoleAdmin}, Stdout: s.out, Stderr: s.err}); code != 0 {
		return coded(code)
	}
	return nil
}

type keysCmd struct {
	Markdown bool `help:"As a Markdown table."`
}

func (k keysCmd) Run(s *streams) error {
	_, err := io.WriteString(s.out, keys.Must().Markdown())
	return err
}
