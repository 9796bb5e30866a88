package console

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/views"
)

// wordMsg is what came of a word about a job.
type wordMsg struct {
	what views.JobWord
	job  fleet.Job
	err  error
}

// word hands over what a person said about a job: approve, refuse or cancel.
// Like an action it goes its way when the session ends meanwhile.
func (s *Session) word(w views.JobWord) tea.Cmd {
	if s.deps.Job == nil {
		s.complain("this process does not act")
		return nil
	}
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		job, err := s.deps.Job(ctx, s.who, w)
		return wordMsg{w, job, err}
	})
}

func (s *Session) worded(m wordMsg) {
	if m.err != nil {
		s.complain(m.what.Word + " " + m.what.Job + " not done: " + m.err.Error())
		return
	}
	text := m.what.Word + " " + m.what.Job + ": " + string(m.job.State)
	if m.what.Word == "cancel" && !m.job.State.Over() { // it stops before its next target
		text = "cancel " + m.what.Job + ": it stops before its next target"
	}
	s.say(text)
}
