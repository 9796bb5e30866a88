package console

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
)

// bellPause is the least time between two snapshots of one session; a crowd
// gets fewer, so that a step of the engine costs the house the same.
func (s *Session) bellPause() time.Duration {
	rate := max(1, s.opt.Redraws)
	switch n := s.deps.Registry.size(); {
	case n > 200:
		rate = 1
	case n > 50:
		rate = min(rate, 2)
	}
	return time.Second / time.Duration(rate)
}

// stagger spreads sessions over a second, so that a new snapshot is not drawn
// by all of them in the same instant.
func (s *Session) stagger(within time.Duration) time.Duration {
	return time.Duration(s.guest.ID*7919%1000) * within / 1000
}

// await waits, then for a snapshot that is newer than the last one.
func (s *Session) await(d time.Duration) tea.Cmd {
	return s.async(func() tea.Msg {
		if d > 0 && !pause(s.ctx, d) {
			return nil
		}
		snap, err := s.watch.Next(s.ctx)
		if s.ctx.Err() != nil {
			return nil
		}
		return snapshotMsg{snap, err}
	})
}

// bell takes a snapshot and waits for the next one.
func (s *Session) bell(m snapshotMsg) tea.Cmd {
	if m.err != nil {
		s.log.Error("no more snapshots for a session", "user", s.who.User, "err", m.err)
		s.complain("no more updates: " + m.err.Error())
		return s.await(5 * time.Second)
	}
	wait := s.bellPause()
	if s.snap.Version == 0 && s.held == nil {
		s.paint.urgent() // the first one
		wait += s.stagger(wait)
	}
	if s.pause || s.inPast() {
		s.held = m.snap
		s.paint.dirty() // what differs from now
		return s.await(wait)
	}
	s.show(m.snap)
	return s.await(wait)
}

func (s *Session) show(snap *fleet.Snapshot) {
	s.snap, s.held, s.at = snap, nil, s.deps.Now()
	s.paint.dirty()
}

// tick comes at the next full second of the wall clock, spread a little.
func (s *Session) tick() tea.Cmd {
	now := s.deps.Now()
	d := now.Truncate(time.Second).Add(time.Second + s.stagger(100*time.Millisecond)).Sub(now)
	return s.later(d, tickMsg{})
}

// second is the one place where time passes on a screen.
func (s *Session) second() tea.Cmd {
	now := s.deps.Now()
	if !s.pause && !s.inPast() {
		s.at = now
	}
	if s.toast.text != "" && now.After(s.toast.until) {
		s.toast = toast{}
	}
	s.ringOut(now)
	s.here = s.deps.Registry.here(s.guest)
	s.paint.dirty()
	if end := s.idle(now); end != "" {
		s.ended = end
		return tea.Quit
	}
	return tea.Batch(s.tick(), s.askSince())
}

// idle warns a person who has not pressed a key for long, then says why the
// session ends. What moves on the screen is not a key: a console that
// refreshes would never be idle otherwise.
func (s *Session) idle(now time.Time) string {
	if s.opt.Idle <= 0 || s.opt.Wall {
		return ""
	}
	left := s.opt.Idle - now.Sub(time.Unix(0, s.guest.lastKey.Load()))
	switch {
	case left <= 0:
		return "no key for " + s.opt.Idle.String()
	case left <= s.opt.IdleWarn:
		s.say("no key for a while: this session ends in " + left.Round(time.Second).String() + ", press any key to stay")
		s.warned = true
	case s.warned:
		s.toast, s.warned = toast{}, false
	}
	return ""
}
