package console

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"plumb/views"
)

// errNoRunbooks is why nothing is run where nobody can.
var errNoRunbooks = errors.New("this process does not act")

// runBook hands a run over. As with an action, a session that ends meanwhile
// does not take it back.
func (s *Session) runBook(r views.RunBook) tea.Cmd {
	for id := s.trail.here().view.ID(); (id == "runbook" || id == "runbooks" || id == "actions") && s.trail.drop(); {
		id = s.trail.here().view.ID()
	}
	s.say("asked: run " + r.Book + " " + r.Target)
	from := s.trail.pos
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		if s.deps.RunBook == nil {
			return bookMsg{what: "run " + r.Book, err: errNoRunbooks}
		}
		job, err := s.deps.RunBook(ctx, s.who, r)
		return bookMsg{"run " + r.Book, "job " + job.ID + " runs " + r.Book + " on " + r.Target, err, job.ID, from}
	})
}

// answer hands the answer to a run's question over.
func (s *Session) answer(a views.Answer) tea.Cmd {
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		if s.deps.Job == nil {
			return bookMsg{what: "answer", err: errNoRunbooks}
		}
		_, err := s.deps.Job(ctx, s.who, views.JobWord{Word: "answer", Job: a.Job, Reason: a.Text})
		return bookMsg{what: "answer", done: "answered " + a.Job + ": " + a.Text, err: err}
	})
}

// bookMsg is what came of a run or an answer that was handed over.
type bookMsg struct {
	what, done string
	err        error
	run        string // the job of a run that began; "": none
	from       int    // where the person was then
}

func (s *Session) booked(m bookMsg) {
	if m.err != nil {
		s.complain(m.what + " not done: " + m.err.Error())
		return
	}
	s.say(m.done)
	if m.run != "" && s.trail.pos == m.from && s.prompt == nil { // who has moved on meanwhile is left alone
		s.trail.open(place{view: views.NewJob(m.run)})
	}
}
