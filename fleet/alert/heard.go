package alert

import (
	"strings"
	"time"

	"plumb/fleet"
)

// Turn is what a line of the timeline says of an alert.
type Turn uint8

// Turns of an alert's life.
const (
	TurnFired Turn = iota
	TurnOver
	TurnFlaps
	TurnSteady
	TurnHeld
	TurnLetGo
)

// Heard is an alert's line of the timeline, read back.
type Heard struct {
	Turn     Turn
	Rule     string
	Target   string
	At       time.Time
	Severity fleet.Severity // of one that fired
	Lasted   time.Duration  // of one that is over, from its first bad look on
	Text     string         // its summary, or what holds it
}

// The words of the timeline. What is written with them is read back by [Hear].
const (
	wordAlert  = "alert "
	wordOver   = " over after "
	wordFlaps  = " flaps: "
	wordSteady = " flaps no more"
	wordHeld   = " is held by "
	wordLetGo  = " is let go: it outlives "
)

// Hear reads what the timeline says of an alert; false where an event is none
// of an alert's.
func Hear(e *fleet.Event) (h Heard, ok bool) {
	rest, ok := strings.CutPrefix(e.Text, wordAlert)
	if !ok || e.Type != "alert" || e.Source != "plumb" {
		return h, false
	}
	h = Heard{Target: e.Target, At: e.At}
	i := strings.IndexByte(rest, ' ')
	if i <= 0 {
		return h, false
	}
	h.Rule, rest = rest[:i], rest[i:]
	for turn, word := range map[Turn]string{TurnFlaps: wordFlaps, TurnHeld: wordHeld, TurnLetGo: wordLetGo} {
		if text, is := strings.CutPrefix(rest, word); is {
			h.Turn, h.Text = turn, text
			return h, true
		}
	}
	if rest == wordSteady {
		h.Turn = TurnSteady
		return h, true
	}
	if text, is := strings.CutPrefix(rest, wordOver); is {
		lasted, summary, cut := strings.Cut(text, ": ")
		d, err := time.ParseDuration(lasted)
		h.Turn, h.Lasted, h.Text = TurnOver, d, summary
		return h, cut && err == nil
	}
	grade, summary, cut := strings.Cut(strings.TrimPrefix(rest, " ("), "): ")
	h.Turn, h.Text = TurnFired, summary
	return h, cut && h.Severity.UnmarshalText([]byte(grade)) == nil
}
