package main

import (
	"context"
	"fmt"

	"plumb/store"
)

type compactCmd struct {
	DB string `name:"db" required:"" type:"existingdir" help:"Directory of the store."`
}

// Run writes the store anew without its free pages.
func (c compactCmd) Run(ctx context.Context, s *streams) error {
	cfg := store.Defaults()
	cfg.Dir = c.DB
	before, after, err := store.Compact(ctx, cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d bytes became %d\n", before, after)
	return err
}
