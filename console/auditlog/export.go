package auditlog

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/console/syslog"
	"plumb/fleet"
)

// Chain is the audit log and how far it was sent.
type Chain interface {
	Audit(ctx context.Context, from uint64, limit int) ([]fleet.AuditEntry, error)
	Sent(to string) (uint64, error)
	KeepSent(ctx context.Context, to string, seq uint64) error
}

// Config says where the log goes.
type Config struct {
	File   string         // path; "": no file
	Syslog *syslog.Server // nil: no server
	// Key signs the head once an hour; nil: it is not signed.
	Key ssh.Signer
}

// How often a destination is looked after, how much it gets at once, and how
// long it is left alone after an error at most.
const (
	beat     = 500 * time.Millisecond
	atOnce   = 200
	patience = time.Minute
	headEach = time.Hour
)

// Exporter tells one destination.
type Exporter struct {
	name  string
	sink  sink
	chain Chain
	key   ssh.Signer
	log   *slog.Logger
	now   func() time.Time

	put  uint64 // the last entry that is on its way
	kept uint64 // and that is known to have arrived
	last fleet.AuditEntry
	head time.Time // when the head was last exported
	down string    // why it cannot be reached; "": it can
}

// New returns an exporter for each destination.
func New(c Config, chain Chain, log *slog.Logger, now func() time.Time) []*Exporter {
	var out []*Exporter
	add := func(name string, s sink) {
		out = append(out, &Exporter{name: name, sink: s, chain: chain, key: c.Key, log: log, now: now})
	}
	if c.File != "" {
		add("file "+c.File, &fileSink{path: c.File})
	}
	if c.Syslog != nil {
		add(c.Syslog.String(), &wireSink{to: c.Syslog, host: syslog.Hostname(), now: now})
	}
	return out
}

// farewell is how long the last entries have when plumb stops. What does not go
// then goes at the next start.
const farewell = 2 * time.Second

// Run exports until ctx ends.
func (x *Exporter) Run(ctx context.Context) {
	defer x.sink.close()
	var err error
	if x.kept, err = x.chain.Sent(x.name); err != nil {
		x.log.Error("audit export: where it left off is not known; it begins anew", "to", x.name, "err", err)
	}
	x.put = x.kept
	wait := beat
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			x.step(last)
			return
		case <-time.After(wait):
			wait = x.step(ctx)
		}
	}
}

// step sends what is new and remembers what arrived; it returns how long to wait
// for the next.
func (x *Exporter) step(ctx context.Context) time.Duration {
	more, err := x.forward(ctx)
	if err == nil {
		err = x.sign(ctx)
	}
	x.settle(ctx)
	if err != nil {
		x.put = x.kept // all that is not known to have arrived goes again
		x.trouble(err)
		return patience / 6
	}
	x.trouble(nil)
	if more {
		return time.Millisecond
	}
	return beat
}

// forward puts the entries after the last one.
func (x *Exporter) forward(ctx context.Context) (more bool, err error) {
	list, err := x.chain.Audit(ctx, x.put+1, atOnce)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := x.sink.put(ctx, list); err != nil {
		return false, err
	}
	x.last = list[len(list)-1]
	x.put = x.last.Seq
	return len(list) == atOnce, nil
}

// sign exports the signed head, once an hour.
func (x *Exporter) sign(ctx context.Context) error {
	now := x.now()
	if x.key == nil || x.put == 0 || !x.head.IsZero() && now.Sub(x.head) < headEach {
		return nil
	}
	if x.last.Seq != x.put { // nothing was new since the start
		list, err := x.chain.Audit(ctx, x.put, 1)
		if err != nil || len(list) == 0 {
			return err
		}
		x.last = list[0]
	}
	h, err := Sign(x.key, x.last.Seq, x.last.Hash, now)
	if err != nil {
		return err
	}
	if err := x.sink.head(ctx, &h); err != nil {
		return err
	}
	x.head = now
	return nil
}

// settle remembers what is known to have arrived.
func (x *Exporter) settle(ctx context.Context) {
	seq, err := x.sink.arrived(x.now())
	if seq > x.kept {
		if kept := x.chain.KeepSent(ctx, x.name, seq); kept == nil {
			x.kept = seq
		}
	}
	if err != nil {
		x.put = x.kept
	}
}

// trouble says once that a destination cannot be reached, and once that it can.
func (x *Exporter) trouble(err error) {
	switch {
	case err == nil && x.down != "":
		x.log.Info("audit export: goes on", "to", x.name, "from", x.kept+1)
		x.down = ""
	case err != nil && x.down == "":
		x.down = err.Error()
		x.log.Error("audit export: nothing is lost, it is sent when it can be", "to", x.name, "err", err)
	}
}
