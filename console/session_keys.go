package console

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/keys"
	"plumb/views"
	"plumb/views/widget"
)

// key is what a pressed key leads to: a prompt takes it, or it is a command.
func (s *Session) key(k tea.KeyPressMsg) tea.Cmd {
	s.guest.touched(s.deps.Now())
	s.paint.urgent()
	chord := k.String()
	if s.opt.Wall {
		if chord == "q" {
			return tea.Quit
		}
		return nil
	}
	if chord == "ctrl+l" {
		s.paint.screen.Repaint()
		return nil
	}
	if s.prompt != nil {
		return s.promptKey(k, chord)
	}
	if s.toast.bad || s.warned {
		s.toast, s.warned = toast{}, false
	}
	c, ok := s.deps.Keys.Resolve(chord, s.scene())
	switch {
	case ok:
		return s.run(c)
	case k.Text != "" && s.trail.here().view.ID() == "confirm":
		s.say("nothing is done by that key: e types the reason, enter goes on, esc leaves")
	}
	return nil
}

// run carries out a command, or says why not. It is the one way in for keys,
// the palette and the help page alike.
func (s *Session) run(c keys.Command) tea.Cmd {
	if why := c.Why(s.scene()); why != "" {
		s.say(c.Title + ": " + why)
		return nil
	}
	if c.Session {
		return s.own(c)
	}
	at := s.trail.here()
	next, intent := views.Dispatch(s.frame(), at.view, c)
	at.view = next
	return s.do(intent)
}

// do carries out what a view asks for.
func (s *Session) do(in views.Intent) tea.Cmd {
	switch in := in.(type) {
	case nil:
	case views.Open:
		s.unsay()
		s.trail.open(s.placeFor(in.View))
		if in.Ask != nil {
			s.open(askPrompt(*in.Ask))
		}
		return s.toWall()
	case views.Back:
		s.unsay()
		s.trail.step(-1)
		return s.follow()
	case views.Copy:
		s.copy(in.Text, cmp.Or(in.What, in.Text))
	case views.Toast:
		s.say(in.Text)
	case views.Filter:
		s.open(&prompt{kind: promptFilter, label: "/", text: []rune(in.Text), at: len([]rune(in.Text)), before: in.Text})
	case views.Ask:
		s.open(askPrompt(in))
	case views.Run:
		s.trail.step(-1)
		return tea.Batch(s.follow(), s.run(in.Command))
	case views.Execute:
		return s.execute(in)
	case views.JobWord:
		return s.word(in)
	case views.RunBook:
		return s.runBook(in)
	case views.Answer:
		return s.answer(in)
	case views.Rule:
		return s.decide(in)
	case views.AlertWord:
		return s.tell(in)
	default:
		s.log.Error("a view asked for something unknown", "view", s.trail.here().view.ID())
	}
	return nil
}

// executePatience bounds the hand-over of an action. Judging and writing it
// down take moments; carrying it out does not happen within the call.
const executePatience = time.Minute

// execute hands an action over. A session that ends meanwhile does not take it
// back: what a person confirmed goes its way, and the audit log tells how.
func (s *Session) execute(e views.Execute) tea.Cmd {
	for id := s.trail.here().view.ID(); (id == "confirm" || keys.IsMenu(id)) && s.trail.drop(); {
		id = s.trail.here().view.ID()
	}
	s.trail.here().at = time.Time{} // what was asked for is watched live
	clear(s.marks)                  // a mark that was acted on must not be acted on again by habit
	s.say("asked: " + string(e.Action) + " " + strings.Join(e.Targets, " "))
	from := s.trail.pos
	return s.async(func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), executePatience)
		defer cancel()
		job, err := s.deps.Execute(ctx, s.who, e)
		return jobMsg{e, job, err, from}
	})
}

func (s *Session) executed(m jobMsg) {
	if m.err != nil {
		s.complain(string(m.what.Action) + " not done: " + m.err.Error())
		return
	}
	s.say("job " + m.job.ID + " " + string(m.job.State) + ": " + string(m.job.Action) + " " + strings.Join(m.job.Targets, " "))
	if s.trail.pos == m.from && s.prompt == nil { // who has moved on meanwhile is left alone
		s.trail.open(place{view: views.NewJob(m.job.ID)})
	}
}

// own carries out the commands that are the session's.
func (s *Session) own(c keys.Command) tea.Cmd {
	switch c.ID {
	case "quit":
		return s.quit()
	case "cancel":
		return s.cancel()
	case "palette":
		s.open(&prompt{kind: promptPalette, label: ":"})
		s.rematch()
	case "history.back":
		return s.walk(s.trail.step(-1))
	case "history.forward":
		return s.walk(s.trail.step(+1))
	case "view.last":
		return s.walk(s.trail.swap())
	case "theme":
		s.nextTheme(c.Arg(0))
	case "bell":
		s.setBell(c.Arg(0))
	case "mark":
		s.mark()
	case "mark.range":
		s.markRange()
	case "mark.clear":
		clear(s.marks)
	case "copy.screen":
		s.copy(s.paint.screen.Plain(), "the screen")
	default:
		return s.travel(c)
	}
	return nil
}

func (s *Session) walk(ok bool) tea.Cmd {
	if !ok {
		s.say("nothing there")
		return nil
	}
	s.unsay()
	return s.follow()
}

// hold keeps the screen still, or lets it run on with what came meanwhile.
func (s *Session) hold(still bool) {
	s.pause = still
	if !still && s.held != nil {
		s.show(s.held)
	}
	if !still {
		s.at = s.deps.Now()
	}
}

func (s *Session) mark() {
	_, id := s.trail.here().view.Selected(s.frame())
	switch {
	case id == "":
		s.say("nothing is selected")
	case s.marks[id]:
		delete(s.marks, id)
	default:
		s.marks[id], s.lastMark = true, id
	}
	if down, ok := s.deps.Keys.Get("move.down"); ok && id != "" {
		s.run(down)
	}
}

// maxRange bounds how many rows one range marks.
const maxRange = 300

// markRange marks from the last mark to the caret. Views are values, so the
// rows between are found by walking a copy of the view there.
func (s *Session) markRange() {
	f, from := s.frame(), s.trail.here().view
	for _, way := range [...]string{"move.up", "move.down"} {
		step, ok := s.deps.Keys.Get(way)
		v, seen := from, []string(nil)
		for _, id := v.Selected(f); ok && len(seen) < maxRange; {
			seen = append(seen, id)
			if id == s.lastMark {
				for _, id := range seen {
					s.marks[id] = true
				}
				s.say(strconv.Itoa(len(s.marks)) + " marked")
				return
			}
			v, _ = v.Handle(f, step)
			_, next := v.Selected(f)
			if next == id {
				break
			}
			id = next
		}
	}
	s.say("no mark in this list to reach from here; space sets one")
}

// nextTheme puts on the named theme, or the next one, and remembers it.
func (s *Session) nextTheme(name string) {
	names := widget.ThemeNames()
	if !slices.Contains(names, name) {
		i := slices.Index(names, s.theme.Name)
		name = names[(i+1)%len(names)]
	}
	s.wear(name)
	s.deps.Registry.rememberTheme(s.who.User, name)
	s.say("theme " + name)
}

// quit leaves, after a question where leaving ends more than a session.
func (s *Session) quit() tea.Cmd {
	if s.opt.AskQuit == "" {
		return tea.Quit
	}
	s.open(&prompt{kind: promptQuit, label: s.opt.AskQuit + " (y/n)"})
	return nil
}

// cancel is ctrl-c outside of a prompt: it leaves when pressed twice.
func (s *Session) cancel() tea.Cmd {
	now := s.deps.Now()
	if now.Sub(s.asked) < toastFor {
		return tea.Quit
	}
	s.asked = now
	s.say("ctrl-c again leaves; so does q")
	return nil
}
