package console

import (
	"context"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/views"
)

// ruledMsg is what came of a ruling.
type ruledMsg struct {
	what views.Rule
	err  error
}

// decide hands over what a person decided about findings. Like an action it
// goes its way when the session ends meanwhile.
func (s *Session) decide(r views.Rule) tea.Cmd {
	if s.deps.Rule == nil {
		s.complain("nothing can be decided here")
		return nil
	}
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		return ruledMsg{r, s.deps.Rule(ctx, s.who, r)}
	})
}

func (s *Session) ruled(m ruledMsg) {
	what := strconv.Itoa(len(m.what.On)) + " findings"
	if len(m.what.On) == 1 {
		what = m.what.On[0].ID()
	}
	switch {
	case m.err != nil:
		s.complain(verdictVerb[m.what.Verdict] + " not done: " + m.err.Error())
	case m.what.Verdict == fleet.FindingOpen:
		s.say("reopened: " + what)
	default:
		s.say(string(m.what.Verdict) + ": " + what)
	}
}
