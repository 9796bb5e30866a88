package main

import (
	"context"

	"plumb/console"
	"plumb/fleet"
)

// version is set by the linker.
var version = "dev"

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
