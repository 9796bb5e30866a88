package console

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views"
	"plumb/views/widget"
)

// Kinds of prompts.
type promptKind uint8

const (
	promptFilter  promptKind = iota // "/": each change goes to the view
	promptPalette                   // ":": commands by name
	promptAsk                       // a view asked for a line
	promptQuit                      // yes or no
)

// maxPrompt bounds what a prompt holds, in runes.
const maxPrompt = 500

// prompt is one line being typed.
type prompt struct {
	kind    promptKind
	label   string
	text    []rune
	at      int    // the cursor, in runes
	before  string // filter: what to return to
	command string // ask: who gets the line
	with    string // ask: arguments behind the line, one a line
	matches []keys.Match
	choice  int
}

func askPrompt(a views.Ask) *prompt {
	text := []rune(a.Text)
	return &prompt{kind: promptAsk, label: a.Label, text: text, at: len(text), command: a.Command, with: a.With}
}

func (p *prompt) shown() *views.Prompt {
	return &views.Prompt{Label: p.label, Text: string(p.text), Cursor: widget.Width(string(p.text[:p.at]))}
}

func (s *Session) open(p *prompt) { s.prompt = p }

// promptKey edits the line, or ends it.
func (s *Session) promptKey(k tea.KeyPressMsg, chord string) tea.Cmd {
	p := s.prompt
	if p.kind == promptQuit {
		s.prompt = nil
		if chord == "y" || chord == "Y" || chord == "enter" {
			return tea.Quit
		}
		return nil
	}
	switch chord {
	case "enter":
		return s.enter()
	case "esc", "ctrl+c":
		return s.dismiss()
	case "tab":
		if m, ok := p.chosen(); ok {
			p.set(m.Text + " ")
			s.rematch()
		}
		return nil
	case "up", "ctrl+p":
		p.choose(-1)
		return nil
	case "down", "ctrl+n":
		p.choose(+1)
		return nil
	}
	if p.edit(chord) || k.Text != "" && p.insert(k.Text) {
		return s.changed()
	}
	return nil
}

// edit carries out an editing key as in a shell's emacs mode.
func (p *prompt) edit(chord string) bool {
	switch chord {
	case "left", "ctrl+b":
		p.at = max(p.at-1, 0)
	case "right", "ctrl+f":
		p.at = min(p.at+1, len(p.text))
	case "home", "ctrl+a":
		p.at = 0
	case "end", "ctrl+e":
		p.at = len(p.text)
	case "backspace", "ctrl+h":
		p.remove(p.at-1, p.at)
	case "delete", "ctrl+d":
		p.remove(p.at, p.at+1)
	case "ctrl+u":
		p.remove(0, p.at)
	case "ctrl+k":
		p.remove(p.at, len(p.text))
	case "ctrl+w", "alt+backspace":
		p.remove(p.wordBefore(), p.at)
	default:
		return false
	}
	return true
}

func (p *prompt) wordBefore() int {
	i := p.at
	for i > 0 && unicode.IsSpace(p.text[i-1]) {
		i--
	}
	for i > 0 && !unicode.IsSpace(p.text[i-1]) {
		i--
	}
	return i
}

func (p *prompt) remove(from, to int) {
	from, to = max(from, 0), min(to, len(p.text))
	if from < to {
		p.text = slices.Delete(p.text, from, to)
		p.at = from
	}
}

// insert puts text at the cursor, on one line and without controls.
func (p *prompt) insert(text string) bool {
	add := make([]rune, 0, 16)
	for _, r := range text {
		switch {
		case len(p.text)+len(add) >= maxPrompt:
		case r == '\n' || r == '\t' || r == '\r' || r == ' ':
			add = append(add, ' ')
		case fleet.Clean(string(r), 8) != "":
			add = append(add, r)
		}
	}
	p.text = slices.Insert(p.text, p.at, add...)
	p.at += len(add)
	return len(add) > 0
}

func (p *prompt) set(text string) {
	p.text = p.text[:0]
	p.at = 0
	p.insert(text)
}

func (p *prompt) choose(by int) {
	if n := len(p.matches); n > 0 {
		p.choice = (p.choice + by + n) % n
	}
}

func (p *prompt) chosen() (keys.Match, bool) {
	if p.choice < len(p.matches) {
		return p.matches[p.choice], true
	}
	return keys.Match{}, false
}

// paste goes into the prompt that is open; without one it is nothing, because
// pasted text must never act as keys.
func (s *Session) paste(text string) tea.Cmd {
	s.guest.touched(s.deps.Now())
	if s.opt.Wall || s.prompt == nil || s.prompt.kind == promptQuit {
		s.say("pasted text goes into prompts only")
		return nil
	}
	s.paint.urgent()
	if len(text) > 4*maxPrompt {
		text = strings.ToValidUTF8(text[:4*maxPrompt], "")
	}
	if s.prompt.insert(text) {
		return s.changed()
	}
	return nil
}

// changed follows what was typed: the palette finds anew, a filter filters.
func (s *Session) changed() tea.Cmd {
	switch s.prompt.kind {
	case promptPalette:
		s.rematch()
	case promptFilter:
		return s.filter(string(s.prompt.text))
	}
	return nil
}

func (s *Session) rematch() {
	p := s.prompt
	p.matches, p.choice = s.deps.Keys.Palette(string(p.text), s.scene()), 0
}

func (s *Session) filter(text string) tea.Cmd { return s.named("filter.set", text) }

// named runs a command by its id with arguments.
func (s *Session) named(id string, args ...string) tea.Cmd {
	c, ok := s.deps.Keys.Get(id)
	if !ok {
		s.log.Error("no such command", "id", id)
		return nil
	}
	return s.run(c.With(args...))
}

// args are the line that was typed and what the question was about.
func (p *prompt) args() []string {
	args := []string{string(p.text)}
	if p.with != "" {
		args = append(args, strings.Split(p.with, "\n")...)
	}
	return args
}

// dismiss closes the prompt and undoes what it did.
func (s *Session) dismiss() tea.Cmd {
	p := s.prompt
	s.prompt = nil
	if p.kind == promptFilter {
		return s.filter(p.before)
	}
	return nil
}

// enter carries out the line.
func (s *Session) enter() tea.Cmd {
	p := s.prompt
	s.prompt = nil
	switch p.kind {
	case promptAsk:
		return s.named(p.command, p.args()...)
	case promptPalette:
		m, ok := p.chosen()
		switch {
		case !ok:
			s.say("no such command: an empty line shows all of them, / finds a device")
		case m.Why != "":
			s.say(m.Text + ": " + m.Why)
		case len(m.Command.Params) > 0 && len(m.Command.Args) == 0 && !m.Command.Alone:
			p.set(m.Text + " ")
			s.prompt = p
			s.rematch()
		default:
			return s.run(m.Command)
		}
	}
	return nil
}
