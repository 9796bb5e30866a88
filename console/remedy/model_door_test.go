package remedy

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// door is the store and the wires as one process sees them. When the process is
// dead, whoever waits at it is too.
type door struct {
	*model
	of *life
}

func (d *door) Apply(ctx context.Context, in ...fleet.Input) error {
	c := commit{in: in, of: d.of, done: make(chan error, 1)}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.alive()
	d.queue <- c
	select {
	case err := <-c.done:
		d.alive()
		return err
	case <-ctx.Done():
		d.trouble()
		d.guard.Lock()
		d.tally.Late++
		d.guard.Unlock()
		return ctx.Err()
	case <-d.of.dead:
		d.alive()
		return nil
	}
}

// alive ends the goroutine where its process has ended.
func (d *door) alive() {
	select {
	case <-d.of.dead:
		runtime.Goexit()
	default:
	}
}

func (d *door) Watch() Watch { return &mortal{d, d.ledger.Watch()} }

// mortal is a watch that ends with its process.
type mortal struct {
	d *door
	Watch
}

func (w *mortal) Next(ctx context.Context) (*fleet.Snapshot, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.d.of.dead:
			cancel()
		case <-ctx.Done():
		}
	}()
	s, err := w.Watch.Next(ctx)
	w.d.alive()
	return s, err
}

func (d *door) Nudge(ids ...string) {
	go func() {
		if d.wait(d.ms(50, 3000)) && !d.chance(20) {
			for _, id := range ids {
				d.look(id)
			}
		}
	}()
}

// Act is the wire: it may do it and not say so, not do it and say so, or take
// for ever. Like the real ones it reads the serial again first.
func (d *door) Act(ctx context.Context, _ fleet.Source, id string, a fleet.Action) (fleet.Outcome, error) {
	d.alive()
	end := d.sends(id, a)
	defer end()
	if d.chance(1) {
		d.die(d.of)
		runtime.Goexit()
	}
	patience := d.ms(20, 4000)
	if d.chance(3) {
		patience = 2 * actWithin
	}
	select {
	case <-time.After(patience):
	case <-ctx.Done():
	case <-d.of.dead:
	}
	d.alive()
	no := func(err error) (fleet.Outcome, error) {
		return fleet.Outcome{}, &fleet.ProbeError{Target: id, Op: string(a.Kind), Err: err}
	}
	if d.chance(3) {
		return no(fleet.ErrAuth)
	}
	d.guard.Lock()
	x := d.world[id]
	mute, other := x.mute, a.Serial != "" && x.serial != a.Serial
	if !mute && !other {
		d.obeys(x, a)
	}
	d.guard.Unlock()
	if d.chance(1) {
		d.die(d.of)
		runtime.Goexit()
	}
	switch {
	case mute || ctx.Err() != nil || d.chance(3):
		return no(fleet.ErrTimeout)
	case other:
		return no(fmt.Errorf("%w: another serial", fleet.ErrProtocol))
	}
	return fleet.Outcome{Done: true, Text: "ok"}, nil
}

// obeys is what an action does to a machine.
func (m *model) obeys(x *machine, a fleet.Action) {
	switch a.Kind {
	case fleet.ActPowerOff:
		x.on = false
	case fleet.ActPowerOn, fleet.ActReset, fleet.ActPowerCycle:
		x.on, x.booted = true, time.Now()
	case fleet.ActOutletOff, fleet.ActOutletOn:
		_, no, _ := strings.Cut(a.Target, "/")
		n, _ := strconv.Atoi(no)
		x.outlets[n-1] = a.Kind == fleet.ActOutletOn
	case fleet.ActPortAlias:
		_, no, _ := strings.Cut(a.Target, "/E")
		n, _ := strconv.Atoi(no)
		x.aliases = slices.Clone(x.aliases)
		x.aliases[n-1] = a.Args["alias"]
	}
}
