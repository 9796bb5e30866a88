package console

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"plumb/views"
)

// saidMsg is what came of a word about alerts.
type saidMsg struct {
	what views.AlertWord
	said string
	err  error
}

// tell hands over what a person says about alerts. Like an action it goes its way
// when the session ends meanwhile.
func (s *Session) tell(w views.AlertWord) tea.Cmd {
	if s.deps.Say == nil {
		s.complain("nothing can be said of alerts here")
		return nil
	}
	for s.trail.here().view.ID() == "hush" && s.trail.drop() {
	}
	clear(s.marks) // a mark that was acted on must not be acted on again by habit
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		said, err := s.deps.Say(ctx, s.who, w)
		return saidMsg{w, said, err}
	})
}

func (s *Session) heardBack(m saidMsg) {
	if m.err != nil {
		s.complain(m.what.Do + " not done: " + m.err.Error())
		return
	}
	s.say(m.said)
}
