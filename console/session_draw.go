package console

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/views"
	"plumb/views/widget"
)

// How close frames may follow each other: what a key did is shown at once, but
// a stuck key or a flood of them costs no more than 120 frames a second; what
// arrives by itself is gathered to at most 30.
const (
	gapUrgent = time.Second / 120
	gapCalm   = time.Second / 30
)

// painter decides when to draw. At most one promise counts at a time: a timer,
// or a wait for the writer.
type painter struct {
	screen   *Screen
	out      *screenWriter
	registry *Registry
	side     []byte // bytes that are not cells: clipboard, queries
	last     time.Time
	want     want
	promised want // what a promise was made for
	promise  uint64
}

type want uint8

const (
	wantNothing want = iota
	wantCalm
	wantUrgent
)

func (p *painter) dirty()  { p.want = max(p.want, wantCalm) }
func (p *painter) urgent() { p.want = wantUrgent }

// keep returns the message that keeps a new promise; older ones then mean
// nothing.
func (p *painter) keep() drawMsg {
	p.promise++
	p.promised = p.want
	return drawMsg{p.promise}
}

func (p *painter) due(m drawMsg) {
	if m.promise == p.promise {
		p.promised = wantNothing
	}
}

// draw draws a frame when it is time for one, or promises to.
func (s *Session) draw() tea.Cmd {
	p := &s.paint
	if p.want <= p.promised {
		return nil
	}
	gap := gapCalm
	if p.want == wantUrgent {
		gap = gapUrgent
	}
	if rest := gap - time.Since(p.last); rest > 0 {
		return s.later(rest, p.keep())
	}
	buf, ok := p.out.take()
	if !ok {
		p.want = wantUrgent
		kept := p.keep()
		return s.async(func() tea.Msg {
			if !p.out.wait(s.ctx) {
				return nil
			}
			return kept
		})
	}
	defer func() { p.out.send(buf) }() // also when a view panics
	p.want, p.last = wantNothing, time.Now()
	f, v := s.frame(), s.trail.here().view
	cursor := views.Compose(f, v, s.chrome(), p.screen.Begin())
	buf = append(buf, p.side...)
	p.side = nil
	buf = p.screen.Append(buf, s.theme, cursor)
	p.registry.frames.Add(1)
	p.registry.bytes.Add(uint64(len(buf)))
	s.guest.looksAt(v.ID())
	return s.fetch(f, v)
}

// later returns msg after d, or nothing when the session ends first.
func (s *Session) later(d time.Duration, msg tea.Msg) tea.Cmd {
	return s.async(func() tea.Msg {
		if !pause(s.ctx, d) {
			return nil
		}
		return msg
	})
}

// pause waits for d and reports whether ctx was still alive then.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// chrome is what stands around the view.
func (s *Session) chrome() views.Chrome {
	ch := views.Chrome{Toast: s.toast.text, Bad: s.toast.bad, Paused: s.pause}
	if s.opt.Notice != nil {
		ch.Notice = s.opt.Notice()
	}
	if to := s.underWay(); to != "" {
		ch.Notice = to
	}
	if s.deps.Trouble != nil {
		ch.Trouble = s.deps.Trouble()
	}
	if s.prompt != nil {
		ch.Prompt = s.prompt.shown()
		ch.Palette, ch.PaletteAt = s.prompt.matches, s.prompt.choice
	}
	return ch
}

func (s *Session) resize(w, h int) {
	w, h = clampSize(w, h)
	if ow, oh := s.paint.screen.Size(); ow == w && oh == h {
		return
	}
	s.paint.screen.Resize(w, h)
	s.paint.urgent()
}

// Questions and answers to the terminal.
const (
	// askRGB is XTGETTCAP for RGB. Nobody waits for the answer.
	askRGB = "\x1bP+q524742\x1b\\"
	// clipboard is OSC 52, which sets the clipboard of the terminal the
	// person sits at, also through ssh.
	clipboardBegin = "\x1b]52;c;"
	clipboardEnd   = "\x07"
	maxClipboard   = 64 << 10
)

// learn takes what the terminal says it can do.
func (s *Session) learn(capability string) {
	if name, _, _ := strings.Cut(capability, "="); (name == "RGB" || name == "Tc") && s.term.ask {
		s.term.depth = widget.TrueColour
		s.wear(s.theme.Name)
	}
}

// wear puts on a theme.
func (s *Session) wear(name string) {
	s.theme = widget.NewTheme(name, s.term.depth, s.term.ascii)
	s.paint.urgent()
}

// copy puts text on the person's clipboard.
func (s *Session) copy(text, what string) {
	if text == "" {
		s.say("nothing to copy")
		return
	}
	if len(text) > maxClipboard {
		s.complain("too much to copy")
		return
	}
	p := &s.paint
	p.side = append(p.side, clipboardBegin...)
	p.side = base64.StdEncoding.AppendEncode(p.side, []byte(text))
	p.side = append(p.side, clipboardEnd...)
	s.say("copied " + what)
}
