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
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"plumb/console"
	"plumb/fleet"
	"plumb/views/export"
)

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
