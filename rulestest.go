package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"plumb/console/config"
	"plumb/fleet/trial"
)

// rulesTest is plumb rules test FILE...: it plays made-up days against alert
// rules and needs no running plumb. The other words of rules are a verb's.
func rulesTest(args []string, stdout io.Writer) error {
	asJSON := slices.Contains(args, "--json")
	args = slices.DeleteFunc(args, func(a string) bool { return a == "--json" })
	if len(args) == 0 {
		return usage(errors.New("rules test: needs a file"), "plumb rules test FILE...; the README shows one")
	}
	tests, failures := 0, []trial.Failure{}
	for _, path := range args {
		p, err := config.LoadTrial(config.OS(), path)
		if err != nil {
			return unsound(err)
		}
		tests += len(p.Tests)
		failures = append(failures, trial.Run(p)...)
	}
	if asJSON {
		b, err := json.Marshal(map[string]any{"schema": 1, "tests": tests, "items": failures})
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s\n", b)
	} else {
		for _, f := range failures {
			fmt.Fprintln(stdout, f)
		}
		fmt.Fprintf(stdout, "%d tests, %d failures\n", tests, len(failures))
	}
	if len(failures) > 0 {
		return coded(1)
	}
	return nil
}
