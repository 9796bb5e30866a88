//go:build !unix

package console

import (
	"context"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
)

// watchSize looks at the terminal's size once a second, where no signal tells.
func watchSize(ctx context.Context, out *os.File) <-chan tea.WindowSizeMsg {
	sizes := make(chan tea.WindowSizeMsg)
	go func() {
		for pause(ctx, time.Second) {
			if size, ok := sizeOf(out); ok {
				select {
				case sizes <- size:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return sizes
}
