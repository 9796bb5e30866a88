package main

import (
	"context"
	"errors"
	"fmt"

	"plumb/store"
)

type compactCmd struct {
	DB string `name:"db" required:"" help:"Directory of the store."`
}

// Run writes the store anew without its free pages.
func (c compactCmd) Run(ctx context.Context, s *streams) error {
	cfg := store.Defaults()
	cfg.Dir = c.DB
	var before, after int64
	err := working(s, "compact", func() (err error) {
		before, after, err = store.Compact(ctx, cfg)
		return err
	})
	var inUse *store.InUseError
	if errors.As(err, &inUse) {
		return fmt.Errorf("compact: %w", &running{inUse, fmt.Sprintf("a store is compacted while nobody has it open: kill -INT %d, compact, and start plumb again", inUse.PID)})
	}
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%d bytes became %d\n", before, after)
	return err
}
