package health

import (
	"context"
	"net"
	"time"

	"plumb/fleet"
)

// connect is well when somebody takes the connection.
func (p *Probe) connect(ctx context.Context) said {
	began := time.Now()
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", p.cfg.Address)
	if err != nil {
		return failure(err, p.cfg.Timeout)
	}
	took := time.Since(began)
	_ = conn.Close()
	return said{state: fleet.StateOK, text: "it takes connections", took: took}
}
