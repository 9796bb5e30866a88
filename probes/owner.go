package probes

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// owner is the one goroutine that touches a target's probe.
type owner struct {
	s      *Scheduler
	target Target
	stop   context.CancelFunc
	nudged chan struct{} // capacity one: many nudges are one
	acts   chan request
	gone   chan struct{} // closed when the owner ended
	after  chan struct{} // the gone of the owner before of this target; nil: there was none

	beat     *time.Timer // fires when it next has to move
	probe    fleet.Probe
	due      [3]time.Time // by lane
	inBeat   bool         // it has answered since the start, and is polled on its beat
	wants    atomic.Int64 // when it next has to move, on the scheduler's pulse; 0: it does not say
	failures int
	slow     bool      // the last look of a target with a pace took all its time: it is asked on its beat, among the dead
	unwell   int       // looks in a row whose word was not well, of a target with a pace
	held     time.Time // no try of our own before this
	refused  bool      // the last try was a wrong password: no nudge shortens the wait
}

type request struct {
	ctx    context.Context
	action fleet.Action
	reply  chan reply
}

type reply struct {
	outcome fleet.Outcome
	err     error
}

// firstSpread is over how long the first polls of a start are spread.
const firstSpread = 2 * time.Second

func (o *owner) run(ctx context.Context) {
	defer o.close()
	if !o.mayBegin(ctx) {
		return
	}
	now := time.Now()
	for l := range o.due {
		o.due[l] = now.Add(phase(o.target.ID, min(firstSpread, o.every(fleet.LaneFast))))
	}
	o.beat = time.NewTimer(o.until(o.due[fleet.LaneFast]))
	defer o.beat.Stop()
	defer o.wants.Store(0)
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-o.acts:
			r.reply <- o.act(r)
		case <-o.nudged:
			if !o.refused || time.Now().After(o.held) {
				o.poll(ctx, true)
			}
		case <-o.beat.C:
			o.poll(ctx, false)
		}
		o.beat.Reset(o.until(o.next()))
	}
}

// mayBegin waits until the owner before has closed its probe: two sessions of
// one target at once are what many a BMC cannot bear. Actions wait with it.
func (o *owner) mayBegin(ctx context.Context) bool {
	if o.after == nil {
		return true
	}
	<-o.after // it was told to stop, and ends: its poll has a deadline
	o.after = nil
	return ctx.Err() == nil
}

// next is when the fast lane is due, later for what does not answer.
func (o *owner) next() time.Time {
	t := o.due[fleet.LaneFast]
	if t.Before(o.held) {
		return o.held
	}
	return t
}

// lane is the slowest lane that is due: a slow poll includes the faster ones.
func (o *owner) lane(now time.Time) fleet.Lane {
	if o.target.Pace != nil {
		return fleet.LaneFast
	}
	for l := fleet.LaneSlow; l > fleet.LaneFast; l-- {
		if !o.due[l].After(now) {
			return l
		}
	}
	return fleet.LaneFast
}

// slot waits for a place among the polls that are under way: nil, its context
// ended first. The dead wait for one another, and what was asked for for others
// that were, never the living on their beat; whose own beat comes meanwhile goes
// with that.
func (o *owner) slot(ctx context.Context, asked bool) chan struct{} {
	slots, beat := o.s.live, (<-chan time.Time)(nil)
	switch {
	case o.failures > 0 || o.slow:
		slots = o.s.sick
	case asked:
		slots, beat = o.s.asked, o.beat.C
	}
	for {
		select {
		case slots <- struct{}{}:
			return slots
		case <-beat:
			slots, beat = o.s.live, nil
		case <-ctx.Done():
			return nil
		}
	}
}

// poll looks once and hands on what it saw. Its place is another's as soon as it
// has one among those that wait for the store, which takes many at once or few
// with the same trouble: in a storm, when it is slow, all that wait go together.
func (o *owner) poll(ctx context.Context, asked bool) {
	slots := o.slot(ctx, asked)
	if slots == nil {
		return
	}
	defer func() { <-slots }()
	select {
	case <-o.nudged: // whoever asked until now gets this one
	default:
	}
	began := time.Now()
	o.s.pulse.move()
	defer o.s.pulse.move()
	lane := o.lane(began)
	o.s.meters.began(o.target.Source, began.Sub(o.due[fleet.LaneFast]))
	obs, err := o.observe(ctx, lane)
	o.s.meters.ended(o.target.Source, obs, err)
	if err != nil || ctx.Err() != nil {
		return
	}
	o.settle(lane, obs)
	select {
	case o.s.telling <- struct{}{}:
		<-slots
		slots = o.s.telling
	case <-ctx.Done():
		return
	}
	if err := o.s.sink(ctx, obs); err != nil && ctx.Err() == nil {
		o.s.log.Error("observation not kept", "target", o.target.ID, "err", err)
	}
}

// observe builds the probe on the first use and looks once, within the lane's
// deadline. A probe that panics is replaced: one device's nonsense must not
// take the others down.
func (o *owner) observe(ctx context.Context, lane fleet.Lane) (obs *fleet.Observation, err error) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			o.s.log.Error("probe panicked", "target", o.target.ID, "panic", p, "stack", string(debug.Stack()))
			o.close()
			obs, err = o.failed(lane, began, fmt.Errorf("%w: the probe met something it cannot read", fleet.ErrProtocol)), nil
		}
	}()
	if o.probe == nil {
		p, err := o.target.Build()
		if err != nil {
			return o.failed(lane, began, fmt.Errorf("%w: %w", fleet.ErrUnsupported, err)), nil
		}
		o.probe = p
	}
	ctx, cancel := context.WithTimeout(ctx, o.deadline(lane))
	defer cancel()
	return o.probe.Observe(ctx, lane)
}

// deadline grows with the lane: a first read of a slow BMC's SDRs takes many
// exchanges.
func (c Config) deadline(lane fleet.Lane) time.Duration {
	return c.Timeout * [...]time.Duration{2, 4, 12}[lane]
}

// deadline of a target with a pace leaves its probe the time to say that its own
// has passed.
func (o *owner) deadline(lane fleet.Lane) time.Duration {
	if p := o.target.Pace; p != nil {
		return p.Timeout + 2*time.Second
	}
	return o.s.cfg.deadline(lane)
}

// every is how often a lane of the target is read.
func (o *owner) every(lane fleet.Lane) time.Duration {
	if p := o.target.Pace; p != nil {
		return p.Every
	}
	return [3]time.Duration{o.s.cfg.Interval, o.s.cfg.Tables, o.s.cfg.Slow}[lane]
}

// Longest is how long a poll may take at most.
func (c Config) Longest() time.Duration { return c.deadline(fleet.LaneSlow) }

func (o *owner) failed(lane fleet.Lane, began time.Time, err error) *fleet.Observation {
	return &fleet.Observation{
		Target: o.target.ID, Source: o.target.Source, Lane: lane, At: began, Took: time.Since(began),
		Err: &fleet.ProbeError{Target: o.target.ID, Op: "probe", Err: err},
	}
}

// settle decides when to go next: on the beat for what answered, ever more
// seldom for what did not.
func (o *owner) settle(lane fleet.Lane, obs *fleet.Observation) {
	now, from, most := time.Now(), time.Now(), o.every(fleet.LaneFast)
	if o.target.Pace != nil { // a word is as old as its look's beginning
		from, most = obs.At, most+most/16
	}
	for l := fleet.LaneFast; l <= lane; l++ {
		o.due[l] = nextBeat(from, o.every(l), phase(o.target.ID, o.every(l)))
		if wait := o.due[l].Sub(from); (!o.inBeat || o.target.Pace != nil) && wait > max(most, o.every(l)) {
			o.due[l] = from.Add(wait / 2) // no age may grow past an interval on the way into the beat
		}
	}
	o.retry(now, obs)
	o.held, o.refused = time.Time{}, errors.Is(obs.Err, fleet.ErrAuth)
	o.slow = o.target.Pace != nil && errors.Is(obs.Err, fleet.ErrTimeout)
	if o.alive(obs) {
		o.failures, o.inBeat = 0, true
		return
	}
	o.failures++
	if lane > fleet.LaneFast {
		o.due[lane] = now // it is still owed
	}
	switch {
	case o.refused:
		o.held = now.Add(o.s.cfg.AuthHold) // the next wrong try may lock the account
	case o.failures > 1:
		o.held = now.Add(min(o.every(fleet.LaneFast)<<min(o.failures-1, 16), o.longest()))
	}
}

// retry brings the next look forward after a word that was not well, until there
// were enough of them to believe it.
func (o *owner) retry(now time.Time, obs *fleet.Observation) {
	p := o.target.Pace
	if p == nil {
		return
	}
	state, _, ok := obs.Word()
	if !ok || state == fleet.StateOK {
		o.unwell = 0
		return
	}
	o.unwell = min(o.unwell+1, p.Attempts)
	if at := now.Add(p.Retry); p.Retry > 0 && o.unwell < p.Attempts && at.Before(o.due[fleet.LaneFast]) {
		o.due[fleet.LaneFast] = at
	}
}

// longest is the longest wait between two tries of what does not answer.
func (o *owner) longest() time.Duration {
	if p := o.target.Pace; p != nil {
		return min(5*p.Every, max(p.Every, o.s.cfg.longest()))
	}
	return o.s.cfg.longest()
}

// longest is the longest wait between two tries of what does not answer.
func (c Config) longest() time.Duration {
	if c.MaxPause > 0 {
		return c.MaxPause
	}
	return 5 * c.Interval
}

// alive reports whether a look got something. A workload gives its word or
// nothing, whatever is known beside it.
func (o *owner) alive(obs *fleet.Observation) bool {
	if o.target.Pace != nil {
		_, _, ok := obs.Word()
		return ok
	}
	if obs.Err == nil {
		return true
	}
	for _, c := range obs.Tables {
		if c == fleet.Complete || c == fleet.Partial {
			return true
		}
	}
	return false
}

// nextBeat is the next time on the target's own beat, at least half an
// interval away, so that a late poll is not followed at once by the next.
func nextBeat(now time.Time, every, phase time.Duration) time.Time {
	t := now.Truncate(every).Add(phase)
	for t.Sub(now) < every/2 {
		t = t.Add(every)
	}
	return t
}

// act runs one action on the probe. The probe itself sees to it that nothing
// is repeated that is not idempotent.
func (o *owner) act(r request) (out reply) {
	defer func() {
		if p := recover(); p != nil {
			o.s.log.Error("action panicked", "target", o.target.ID, "panic", p, "stack", string(debug.Stack()))
			o.close()
			out = reply{err: &fleet.ProbeError{Target: o.target.ID, Op: string(r.action.Kind), Err: fmt.Errorf("%w: what was done is not known", fleet.ErrProtocol)}}
		}
	}()
	if o.probe == nil {
		p, err := o.target.Build()
		if err != nil {
			return reply{err: &fleet.ProbeError{Target: o.target.ID, Op: string(r.action.Kind), Err: fmt.Errorf("%w: %w", fleet.ErrUnsupported, err)}}
		}
		o.probe = p
	}
	a, ok := o.probe.(fleet.Actor)
	if !ok {
		return reply{err: &fleet.ProbeError{Target: o.target.ID, Op: string(r.action.Kind), Err: fmt.Errorf("%w: %w", fleet.ErrUnsupported, ErrNoActor)}}
	}
	got, err := a.Act(r.ctx, r.action)
	if spec := r.action.Kind.Spec(); spec != nil && spec.Shows > fleet.LaneFast {
		o.due[spec.Shows] = time.Now() // the next look, asked for or not, is one that reads it back
	}
	return reply{got, err}
}

func (o *owner) close() {
	p := o.probe
	if p == nil {
		return
	}
	o.probe = nil                    // before Close, which may panic: never use it again
	defer func() { _ = recover() }() // a probe that panicked once may again
	if err := p.Close(); err != nil {
		o.s.log.Debug("close", "target", o.target.ID, "err", err)
	}
}
