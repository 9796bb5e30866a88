package console

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// Bell is what a person's screen rings for. The zero value rings for nothing.
type Bell uint8

// Bells.
const (
	BellOff  Bell = iota
	BellCrit      // what is critical
	BellWarn      // warnings too
)

var bellWords = [...]string{"off", "crit", "warn"}

func (b Bell) String() string { return bellWords[min(int(b), len(bellWords)-1)] }

// ParseBell reads off, crit or warn.
func ParseBell(s string) (Bell, bool) {
	for i, w := range bellWords {
		if w == s {
			return Bell(i), true
		}
	}
	return BellOff, false
}

// Beats of the bell. An alert is waited for a moment, because what explains it is
// often found only after it fired, and a storm rings once.
const (
	ringSettle = 3 * time.Second
	ringEvery  = time.Minute
	maxRing    = 160 // bytes of the sentence in a notification
)

// BEL, and OSC 9: a notification of the terminal's desktop (iTerm2, and those
// that took it over). A tmux or screen in between keeps an OSC to itself unless
// it comes in a DCS for what is outside of it, which tmux lets through with
// allow-passthrough on.
const (
	bel         = "\x07"
	notifyBegin = "\x1b]9;"
	passBegin   = "\x1bPtmux;"
	screenBegin = "\x1bP"
	passEnd     = "\x1b\\"
)

// ringer rings a terminal for alerts that begin to wait for somebody: that fire,
// are not explained by another one, and that nobody has acknowledged. It belongs
// to the session's goroutine.
type ringer struct {
	bell  Bell
	term  string    // TERM
	heard time.Time // what fired until then was there already, or was rung for
	since time.Time // when something new was first seen; zero: nothing is
	rung  time.Time
}

func newRinger(b Bell, term string, now time.Time) ringer {
	return ringer{bell: b, term: term, heard: now}
}

// newest is the alert that was fired last of those that are rung for, or nil.
func (r *ringer) newest(b *fleet.AlertBook) (out *fleet.Alert) {
	if b == nil || r.bell == BellOff {
		return nil
	}
	least := fleet.SeverityCrit
	if r.bell == BellWarn {
		least = fleet.SeverityWarn
	}
	for sev := least; int(sev) < len(b.Newest); sev++ {
		if a := b.Newest[sev]; a != nil && a.Fired.After(r.heard) && (out == nil || a.Fired.After(out.Fired)) {
			out = a
		}
	}
	return out
}

// ring returns the bytes to send now, or nil. It is asked once a second.
func (r *ringer) ring(b *fleet.AlertBook, now time.Time) []byte {
	a := r.newest(b)
	switch {
	case a == nil:
		r.since = time.Time{}
		return nil
	case r.since.IsZero():
		r.since = now
		return nil
	case now.Sub(r.since) < ringSettle || !r.rung.IsZero() && now.Sub(r.rung) < ringEvery:
		return nil
	}
	r.rung, r.since, r.heard = now, time.Time{}, a.Fired
	waiting := 0
	for _, n := range b.Waiting {
		waiting += n
	}
	text := a.Severity.String() + ": " + a.Summary
	if waiting > 1 {
		text = fmt.Sprintf("%s (%d alerts wait)", text, waiting)
	}
	return append([]byte(bel), r.notify("plumb "+text)...)
}

// notify is OSC 9 with a sentence. What ends the sequence, and what is no plain
// text, is not in it.
func (r *ringer) notify(text string) string {
	text = strings.ToValidUTF8(fleet.Clean(text, maxRing), "")
	osc := notifyBegin + text + bel
	switch {
	case strings.HasPrefix(r.term, "tmux"):
		return passBegin + strings.ReplaceAll(osc, "\x1b", "\x1b\x1b") + passEnd
	case strings.HasPrefix(r.term, "screen"):
		return screenBegin + osc + passEnd
	case r.term == "" || r.term == "dumb" || r.term == "linux" || strings.HasPrefix(r.term, "vt"):
		return ""
	}
	return osc
}

// ringOut rings where there is something to ring for.
func (s *Session) ringOut(now time.Time) {
	snap := s.snap
	if s.held != nil {
		snap = s.held // the bell is of the present, whatever is on the screen
	}
	if b := s.ringer.ring(snap.Alerts, now); b != nil {
		s.paint.side = append(s.paint.side, b...)
		s.paint.urgent()
	}
}

// setBell takes what a person wants to be rung for; the next of the three where
// they did not say.
func (s *Session) setBell(word string) {
	b, ok := ParseBell(word)
	if !ok && word != "" {
		s.complain("bell: off, crit or warn")
		return
	}
	if !ok {
		b = (s.ringer.bell + 1) % Bell(len(bellWords))
	}
	s.ringer.bell, s.ringer.heard, s.ringer.since = b, s.deps.Now(), time.Time{}
	s.deps.Registry.rememberBell(s.who.User, b)
	switch b {
	case BellOff:
		s.say("bell off")
	case BellCrit:
		s.say("bell: rings for what is critical, fires and waits for somebody, once a minute at most")
	default:
		s.say("bell: rings for what fires and waits for somebody, warnings too, once a minute at most")
	}
}
