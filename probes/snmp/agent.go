package snmp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// Agent is one SNMP agent: a fleet.Probe and a fleet.Actor. Observe and Act may
// be called from different goroutines; one waits for the other.
type Agent struct {
	cfg  Config
	act  Config        // cfg with the credential that writes
	wait waits         // for what was written to show
	turn chan struct{} // holds one token: whoever has it owns all below

	sec, actSec security // made at the first use; actSec only where cfg.Act is set
	link        link
	known
}

// known is what is remembered of the device between polls: definitions, which
// are read in the slow lane, and which tables it does not have.
type known struct {
	defined bool   // definitions were read once
	uptime  uint64 // sysUpTime at the last poll, hundredths of a second
	pulse   pulse

	redefined time.Time // when a moved pulse last made us read definitions

	polls int                 // so far: numbers them
	seen  map[string]presence // by what is read

	ports   portTable
	sensors sensorMemory
	outlets outletMemory
}

var (
	_ fleet.Probe = (*Agent)(nil)
	_ fleet.Actor = (*Agent)(nil)
)

// New returns an agent for a valid config. It sends nothing.
func New(cfg Config) (*Agent, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	a := &Agent{cfg: cfg.withDefaults(), act: cfg.acting().withDefaults(), wait: standardWaits, turn: make(chan struct{}, 1)}
	a.link = link{repetitions: maxRepetitions, width: maxWidth}
	a.turn <- struct{}{}
	return a, nil
}

// Close forgets what was learned. There is no socket between polls.
func (a *Agent) Close() error { return nil }

// Observe implements fleet.Probe. The first one that gets through reads
// everything, whatever the lane.
func (a *Agent) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	obs := &fleet.Observation{Target: a.cfg.Target, Source: fleet.SourceSNMP, Lane: lane, At: time.Now().UTC(), Tables: map[fleet.TableID]fleet.Completeness{}}
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		p := &poll{lane: lane, obs: obs}
		p.giveUp()
		obs.Err = a.failed("wait", a.why(nil, ctx.Err()))
		if errors.Is(ctx.Err(), context.Canceled) {
			return obs, ctx.Err()
		}
		return obs, nil
	}
	p := &poll{known: &a.known, cfg: &a.cfg, lane: lane, obs: obs}
	c, err := a.connect(ctx)
	if err == nil {
		defer c.close()
		p.conn = c
		err = p.run(ctx)
	}
	obs.Took = time.Since(obs.At)
	if err != nil {
		p.giveUp()
		obs.Err = a.failed(p.op, a.why(c, err))
		if errors.Is(ctx.Err(), context.Canceled) && (c == nil || !c.answered) {
			return obs, ctx.Err()
		}
	}
	return obs, nil
}

// connect opens a socket for one poll, for reading.
func (a *Agent) connect(ctx context.Context) (*conn, error) { return a.open(ctx, &a.cfg, &a.sec) }

// connectToWrite opens another socket, for the one SET of an action; nil where
// the reading credential writes too.
func (a *Agent) connectToWrite(ctx context.Context) (*conn, error) {
	if a.cfg.Act == nil {
		return nil, nil
	}
	return a.open(ctx, &a.act, &a.actSec)
}

// open opens a socket and makes the security model on the first use: the
// community may only be fetched now.
func (a *Agent) open(ctx context.Context, cfg *Config, sec *security) (*conn, error) {
	if cfg.Version == "3" {
		if *sec == nil {
			*sec = newUSM(cfg)
		}
	} else {
		s, err := cfg.Community(ctx)
		if err != nil {
			return nil, notFetched("community", err)
		}
		*sec = community(s)
	}
	return dial(ctx, cfg, *sec, &a.link)
}

// notFetched says that a secret is not there. That is not the agent's refusal:
// nothing was sent with it, and the next poll may fetch it.
func notFetched(what string, err error) error {
	return fmt.Errorf("%w: the %s could not be fetched: %v", fleet.ErrBusy, what, err)
}

// why gives an error of the wire the fleet's reason.
func (a *Agent) why(c *conn, err error) error {
	answered := c != nil && c.answered
	switch {
	case errors.Is(err, errNoAnswer) && answered:
		return fmt.Errorf("%w: %w", fleet.ErrTimeout, err)
	case errors.Is(err, errNoAnswer) && a.cfg.Version == "2c":
		return fmt.Errorf("%w: no answer: nothing there, or it ignores this community or this address", fleet.ErrUnreachable)
	case errors.Is(err, errNoAnswer):
		return fmt.Errorf("%w: %w", fleet.ErrUnreachable, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", fleet.ErrTimeout, err)
	case errors.Is(err, errTooMuch), errors.Is(err, errVarbinds):
		return fmt.Errorf("%w: %w", fleet.ErrProtocol, err)
	}
	return err
}

func (a *Agent) failed(op string, err error) *fleet.ProbeError {
	return &fleet.ProbeError{Target: a.cfg.Target, Op: op, Err: err}
}
