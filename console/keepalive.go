package console

import (
	"context"
	"time"

	"golang.org/x/crypto/ssh"
)

// keepAlive asks a client for a sign of life and closes its connection after
// three silent intervals. It sees what TCP does not: a client that is stopped
// keeps its socket open for ever. The answer may be a refusal.
func keepAlive(ctx context.Context, conn ssh.Conn, every time.Duration) {
	answer := make(chan error, 1)
	tick := time.NewTicker(every)
	defer tick.Stop()
	waiting, silent := false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-answer:
			if err != nil {
				return
			}
			waiting, silent = false, 0
		case <-tick.C:
			if waiting {
				if silent++; silent >= 3 {
					_ = conn.Close()
					return
				}
				continue
			}
			waiting = true
			go func() {
				_, _, err := conn.SendRequest(keepaliveCheck, true, nil)
				answer <- err
			}()
		}
	}
}
