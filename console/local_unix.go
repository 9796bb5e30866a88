//go:build unix

package console

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
)

// watchSize yields the terminal's size after each change (SIGWINCH).
func watchSize(ctx context.Context, out *os.File) <-chan tea.WindowSizeMsg {
	sizes, sig := make(chan tea.WindowSizeMsg), make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGWINCH)
	go func() {
		defer signal.Stop(sig)
		for {
			select {
			case <-ctx.Done():
				return
			case <-sig:
			}
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
