package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"plumb/console"
)

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
		err = hint(err, "it asks a plumb that runs: start one on %s, or name another's store: --db DIR (the demo of make run is ./plumb-data/demo)", dir)
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
