package console

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views"
)

// A session travels through time without ever waiting. A key names the moment
// that is wanted; the snapshot of it is made off the screen's loop, one at a
// time, and until it is there the screen stays as it is, under the time that
// it shows. Keys that come faster than snapshots move what is wanted, so that
// a held key costs one snapshot and not thirty. Meanwhile live snapshots go on
// arriving and are held, as in a pause.

// Steps through time.
const (
	bigStep      = 10 * time.Minute
	leastStep    = 10 * time.Second
	mostStep     = time.Minute
	pastPatience = 20 * time.Second
	maxSeek      = 50
	sayFetching  = 250 * time.Millisecond // a journey that takes longer is told of
	sinceEvery   = time.Minute
	sinceSoon    = 5 * time.Second // while nothing is kept yet
)

// tour is a session's travelling.
type tour struct {
	pasts  *pasts
	since  time.Time // the earliest moment that can be shown; zero: none
	asked  time.Time // when that was last asked
	want   *journey  // the next one
	flying *journey  // the one under way
	gen    uint64    // journeys of an older one are not waited for any more
	cancel context.CancelFunc
}

// journey is one wanted moment: a time, or an event so many places from the
// time shown when it begins.
type journey struct {
	to   time.Time
	seek int // 0: to a time
	gen  uint64
	left time.Time // when it began
}

// Messages of travelling.
type (
	pastMsg struct {
		*journey
		snap  *fleet.Snapshot
		event *fleet.Event // what was sought
		err   error
	}
	sinceMsg struct {
		since time.Time
		err   error
	}
)

func (s *Session) inPast() bool { return !s.snap.Live }

// travel carries out the commands of time.
func (s *Session) travel(c keys.Command) tea.Cmd {
	switch c.ID {
	case "time.small-back":
		return s.step(-s.smallStep())
	case "time.small-on":
		return s.step(s.smallStep())
	case "time.big-back":
		return s.step(-bigStep)
	case "time.big-on":
		return s.step(bigStep)
	case "time.event-back":
		return s.seek(-1)
	case "time.event-on":
		return s.seek(+1)
	case "time.at":
		return s.goTo(c.Arg(0))
	case "time.live":
		s.goLive()
	case "time.pause":
		if s.inPast() {
			s.say("HIST stands still already; 0 returns to live")
			return nil
		}
		s.hold(!s.pause)
	default:
		s.say(c.Title + ": not possible yet")
	}
	return nil
}

// smallStep is about one poll: there is nothing new to see in less.
func (s *Session) smallStep() time.Duration {
	d := s.snap.Intervals[fleet.LaneFast].Round(leastStep)
	return min(max(d, leastStep), mostStep)
}

// step goes by d from where the person is or is heading. Steps land on whole
// steps of the clock, so that those who step through the same minutes share
// what was fetched.
func (s *Session) step(d time.Duration) tea.Cmd {
	from, unit := s.heading(), min(max(d, -d), mostStep)
	to := from.Add(d).Truncate(unit)
	if d < 0 && !from.Equal(from.Truncate(unit)) {
		to = to.Add(unit)
	}
	return s.visit(to)
}

// heading is the time that is wanted, else the one shown.
func (s *Session) heading() time.Time {
	t := &s.tour
	switch {
	case t.want != nil && t.want.seek == 0:
		return t.want.to
	case t.flying != nil && t.flying.seek == 0 && t.flying.gen == t.gen:
		return t.flying.to
	case s.inPast() || s.pause:
		return s.at
	}
	return s.deps.Now()
}

// goTo goes to a time that a person wrote, and asks for it where it is missing.
func (s *Session) goTo(text string) tea.Cmd {
	if text == "" {
		s.open(askPrompt(views.Ask{Label: "as of (UTC)", Command: "time.at"}))
		return nil
	}
	now := s.deps.Now()
	at, err := ParseTime(text, now)
	switch {
	case err != nil:
		s.complain("not a time: " + fleet.Clean(text, 40) + "; write 14:02, -2h, 2026-11-26 14:02 or RFC 3339, in UTC")
	case at.After(now):
		s.complain(at.UTC().Format(dateTime) + " lies ahead")
	default:
		return s.visit(at)
	}
	return nil
}

// visit goes to a past time; one that has not passed is the present.
func (s *Session) visit(at time.Time) tea.Cmd {
	if !at.Before(s.deps.Now()) {
		s.goLive()
		return nil
	}
	if at.Before(s.tour.since) {
		s.complain((&TooEarlyError{s.tour.since}).Error())
		return nil
	}
	if snap, ok := s.tour.pasts.get(at); ok {
		s.ground()
		s.arrive(snap)
		return nil
	}
	s.tour.want = &journey{to: at}
	return s.depart()
}

// seek goes to an event; repeated, to one further on.
func (s *Session) seek(way int) tea.Cmd {
	if way > 0 && !s.inPast() && s.tour.flying == nil && !s.pause {
		s.say("this is live: nothing lies ahead")
		return nil
	}
	n := way
	if w := s.tour.want; w != nil && w.seek != 0 {
		n = min(max(w.seek+way, -maxSeek), maxSeek)
	}
	s.tour.want = nil
	if n != 0 {
		s.tour.want = &journey{seek: n}
	}
	return s.depart()
}

// depart begins the journey that is wanted, unless one is under way: its end
// begins the next.
func (s *Session) depart() tea.Cmd {
	t := &s.tour
	if t.want == nil || t.flying != nil {
		return nil
	}
	j := t.want
	j.gen, j.left = t.gen, s.deps.Now()
	t.want, t.flying = nil, j
	ctx, cancel := context.WithTimeout(s.ctx, pastPatience)
	t.cancel = cancel
	from := s.deps.Now()
	if s.inPast() || s.pause {
		from = s.at
	}
	look := seeker{ask: s.answers.ask, target: views.Subject(s.trail.here().view), now: j.left}
	return s.async(func() tea.Msg {
		defer cancel()
		m := pastMsg{journey: j}
		at := j.to
		if j.seek != 0 {
			e, err := look.seek(ctx, from, j.seek)
			if err != nil {
				m.err = err
				return m
			}
			m.event, at = &e, e.At
		}
		m.snap, m.err = t.pasts.fetch(ctx, at)
		return m
	})
}

// ground gives up what is under way: the person wants something else.
func (s *Session) ground() {
	t := &s.tour
	t.gen++
	t.want = nil
	if t.flying != nil {
		t.cancel()
	}
}

// landed takes the end of a journey. One that was overtaken by a later key of
// the same kind is shown all the same: a held key is seen to move.
func (s *Session) landed(m pastMsg) tea.Cmd {
	t := &s.tour
	t.flying = nil
	var early *TooEarlyError
	switch {
	case m.gen != t.gen:
	case m.err == nil:
		s.arrive(m.snap)
		if m.event != nil {
			s.say(eventLine(m.event))
		}
	default:
		if errors.As(m.err, &early) {
			t.since = early.Since
		}
		s.trail.here().at = s.shownTime() // it stays where it is
		t.want = nil
		s.complain(journeyFailed(m))
	}
	return s.depart()
}

func eventLine(e *fleet.Event) string {
	return e.At.UTC().Format("15:04:05Z") + " " + e.Target + ": " + e.Text
}

func journeyFailed(m pastMsg) string {
	var early *TooEarlyError
	switch {
	case errors.Is(m.err, errNoEvent), errors.As(m.err, &early):
		return m.err.Error()
	case errors.Is(m.err, context.DeadlineExceeded):
		return "not shown: it took too long"
	}
	return "not shown: " + m.err.Error()
}

// arrive puts the past on the screen and holds the present.
func (s *Session) arrive(past *fleet.Snapshot) {
	if !s.inPast() && s.held == nil {
		s.held = s.snap
	}
	s.snap, s.at, s.pause = past, past.At, false
	s.answers.at = past.At
	s.trail.here().at = past.At
	s.paint.urgent()
}

// goLive returns to the present.
func (s *Session) goLive() {
	s.ground()
	s.trail.here().at, s.answers.at, s.deltas = time.Time{}, time.Time{}, nil
	s.hold(false)
	s.paint.urgent()
}

// shownTime is the time of the past on screen; zero: live.
func (s *Session) shownTime() time.Time {
	if s.inPast() {
		return s.at
	}
	return time.Time{}
}

// placeFor is a new place in the time shown. The wall has but one time.
func (s *Session) placeFor(v views.View) place {
	if v.ID() == "wall" {
		return place{view: v}
	}
	return place{v, s.shownTime()}
}

// toWall returns to the present where the view just opened is the wall.
func (s *Session) toWall() tea.Cmd {
	if s.trail.here().view.ID() != "wall" {
		return nil
	}
	return s.follow()
}

// follow brings the screen to the time of the place that it has come to.
func (s *Session) follow() tea.Cmd {
	at := s.trail.here().at
	switch {
	case at.Equal(s.shownTime()):
		s.ground()
	case at.IsZero():
		s.goLive()
		s.say("live again")
	default:
		return s.visit(at)
	}
	return nil
}

// underWay says where a journey goes that takes its time, or "".
func (s *Session) underWay() string {
	j := s.tour.flying
	switch {
	case j == nil || j.gen != s.tour.gen || s.deps.Now().Sub(j.left) < sayFetching:
		return ""
	case j.seek != 0:
		return "looking for the event ..."
	}
	return "fetching " + j.to.UTC().Format(dateTime) + " ..."
}

// askSince asks now and then how far the past reaches.
func (s *Session) askSince() tea.Cmd {
	t, now := &s.tour, s.deps.Now()
	every := sinceEvery
	if t.since.IsZero() {
		every = sinceSoon
	}
	if s.deps.At == nil || s.deps.Since == nil || s.opt.Wall || now.Sub(t.asked) < every {
		return nil
	}
	t.asked = now
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(s.ctx, pastPatience)
		defer cancel()
		since, err := s.deps.Since(ctx)
		return sinceMsg{since, err}
	})
}

func (t *tour) learn(m sinceMsg) {
	if m.err == nil {
		t.since = m.since
	}
}
