package runbook

import (
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
)

// Line is one step as it would be carried out, as things stand now. What comes
// later in a run may be another by then.
type Line struct {
	Step     int               `json:"step"`
	Do       string            `json:"do"`
	Text     string            `json:"text"`
	If       string            `json:"if,omitempty"`
	Now      string            `json:"now"` // what its condition says now: yes, no, "not known: ..."; "": it has none
	OnFail   string            `json:"on_fail"`
	AtMostS  float64           `json:"at_most_s,omitempty"`
	Action   fleet.ActionKind  `json:"action,omitempty"`
	Args     map[string]string `json:"args,omitempty"`
	Targets  []string          `json:"targets,omitempty"`
	Argv     []string          `json:"argv,omitempty"`
	Danger   fleet.Danger      `json:"danger"` // of the act by itself; guards may add to it
	Rollback string            `json:"rollback,omitempty"`
	Unclear  string            `json:"unclear,omitempty"` // why it cannot be filled in now
	// Plan is what speaks for and against an act now. Whoever can make plans
	// fills it in.
	Plan *fleet.Plan `json:"plan,omitempty"`
}

// Preview is what a run would do, step by step. It does nothing.
func (b *Book) Preview(s *fleet.Snapshot, target string) []Line {
	r := NewRun(b, target)
	out := make([]Line, len(b.Steps))
	for i := range b.Steps {
		step := &b.Steps[i]
		l := Line{Step: i + 1, Do: step.Do.String(), OnFail: string(step.OnFail), AtMostS: step.AtMost.Seconds(), Danger: step.danger()}
		if l.OnFail == "" {
			l.OnFail = string(FailStop)
		}
		if step.If != nil {
			l.If = step.If.String() + " (" + answer(step.If, s, target) + ")"
		}
		if step.For != nil {
			l.Now = answer(step.For, s, target)
		}
		m, err := r.render(step, i+1, s)
		if err != nil {
			l.Unclear = err.Error()
		}
		l.Action, l.Args, l.Targets, l.Argv = m.Action, m.Args, m.On, m.Argv
		l.Text = step.say(&m)
		if back := step.Rollback; back != nil {
			if m, err := r.render(back, i+1, s); err == nil {
				l.Rollback = back.Do.String() + " " + back.say(&m)
			} else {
				l.Rollback = back.Do.String() + " " + string(back.Action) + " (" + err.Error() + ")"
			}
		}
		out[i] = l
	}
	return out
}

func answer(c *Cond, s *fleet.Snapshot, target string) string {
	switch is, err := c.Holds(s, target); {
	case err != nil:
		return err.Error()
	case is:
		return "yes"
	}
	return "no"
}

// say is a step in words.
func (s *Step) say(m *Move) string {
	switch s.Do {
	case DoAct:
		words := []string{string(m.Action)}
		words = append(words, m.On...)
		for _, name := range slices.Sorted(maps.Keys(m.Args)) {
			words = append(words, name+"="+m.Args[name])
		}
		return strings.Join(words, " ")
	case DoExec:
		return strings.Join(m.Argv, " ")
	case DoWait:
		return "until " + s.For.String()
	case DoCheck:
		return "that " + s.For.String()
	}
	return m.Text
}
