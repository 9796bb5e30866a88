package console

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/views"
)

// Bounds of a session's history queries.
const (
	maxAnswers    = 128
	maxInFlight   = 4
	queryPatience = 10 * time.Second
	forgetAfter   = 2 * time.Minute
	retryAfter    = 5 * time.Second
)

// answers keeps what views asked of the past, by query and by the time the
// screen shows, and fetches it again when the fleet has moved on. Of a past
// time nothing moves on. It belongs to the session's goroutine.
type answers struct {
	ask     func(context.Context, fleet.Query, time.Time) fleet.Answer
	places  chan struct{} // shared by all sessions
	by      map[asked]*answered
	at      time.Time // the time shown; zero: live
	flights int
}

// asked is a query as of a time.
type asked struct {
	fleet.Query
	at int64 // Unix nanoseconds; 0: live
}

func (a *answers) asked(q fleet.Query) asked {
	if a.at.IsZero() {
		return asked{Query: q}
	}
	return asked{q, a.at.UnixNano()}
}

type answered struct {
	answer  fleet.Answer
	have    bool
	flying  bool
	version uint64    // of the snapshot it was asked under
	asked   time.Time // when it was answered
	needed  time.Time // when a view last named it
}

type answerMsg struct {
	query   asked
	answer  fleet.Answer
	version uint64
}

func newAnswers(ask func(context.Context, fleet.Query, time.Time) fleet.Answer, places chan struct{}) *answers {
	return &answers{ask: ask, places: places, by: make(map[asked]*answered)}
}

// Get implements views.Answers.
func (a *answers) Get(q fleet.Query) (fleet.Answer, bool) {
	if e := a.by[a.asked(q)]; e != nil && e.have {
		return e.answer, true
	}
	return fleet.Answer{}, false
}

func (a *answers) put(m answerMsg, now time.Time) {
	a.flights--
	if e := a.by[m.query]; e != nil {
		*e = answered{answer: m.answer, have: true, version: m.version, asked: now, needed: e.needed}
	}
}

// period is how long an answer is good while the fleet moves on.
func period(q fleet.Query) time.Duration {
	if d, ok := views.DerivationOf(q); ok {
		return d.Every
	}
	if q.Kind != fleet.QuerySeries && q.Kind != fleet.QueryHistory {
		return 2 * time.Second
	}
	return min(max(q.Step/2, 5*time.Second), time.Minute)
}

// stale reports whether the entry is worth asking again.
func (e *answered) stale(q asked, version uint64, now time.Time) bool {
	switch age := now.Sub(e.asked); {
	case e.flying:
		return false
	case !e.have:
		return true
	case e.answer.Err != nil:
		return age > retryAfter
	case q.at != 0:
		return false
	default:
		return version != e.version && age > period(q.Query)
	}
}

// due notes what is needed now and returns what should be fetched.
func (a *answers) due(needs []fleet.Query, version uint64, now time.Time) []asked {
	var due []asked
	for _, need := range needs {
		if need.Kind == fleet.QueryDerived && version == 0 {
			continue // there is no fleet yet to judge
		}
		q := a.asked(need)
		e := a.by[q]
		if e == nil {
			if len(a.by) >= maxAnswers && !a.forget(now, 0) {
				continue
			}
			e = &answered{}
			a.by[q] = e
		}
		e.needed = now
		if a.flights < maxInFlight && e.stale(q, version, now) {
			e.flying = true
			a.flights++
			due = append(due, q)
		}
	}
	a.forget(now, forgetAfter)
	return due
}

// forget drops what no view named for so long, and reports whether it did.
func (a *answers) forget(now time.Time, after time.Duration) bool {
	before := len(a.by)
	for q, e := range a.by {
		if !e.flying && now.Sub(e.needed) > after {
			delete(a.by, q)
		}
	}
	return len(a.by) < before
}

// fetch asks what the view on screen needs and does not have.
func (s *Session) fetch(f views.Frame, v views.View) tea.Cmd {
	var cmds []tea.Cmd
	for _, q := range s.answers.due(views.Needs(f, v), s.snap.Version, s.deps.Now()) {
		at, snap, a := s.at, s.snap, s.answers
		cmds = append(cmds, s.async(func() tea.Msg {
			ctx, cancel := context.WithTimeout(s.ctx, queryPatience)
			defer cancel()
			select {
			case a.places <- struct{}{}:
				defer func() { <-a.places }()
			case <-ctx.Done():
				return answerMsg{q, fleet.Answer{Err: ctx.Err()}, snap.Version}
			}
			if q.Kind == fleet.QueryDerived {
				return answerMsg{q, s.deps.Derived.of(ctx, snap, q.Query), snap.Version}
			}
			return answerMsg{q, a.ask(ctx, q.Query, at), snap.Version}
		}))
	}
	return tea.Batch(cmds...)
}
