package keys

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"

	"plumb/fleet"
)

// Command is one thing a person can ask for, as a value. The key handler, the
// footer, the palette, the help page and the role gate all read this one list;
// there is no second place that knows a key.
type Command struct {
	ID     string      // "open.racks", "time.back", "act.power-off": stable, used by remapping
	Title  string      // one or two words for the footer
	Help   string      // one line for the help page and the palette
	Keys   key.Binding // its help text is the key as people read it
	In     []string    // ids of the views it works in; empty: everywhere
	KeysIn []string    // ids of the views its keys work in; empty: wherever it works
	NotIn  []string    // ids of the views in which its keys mean something else
	Params []string    // names of the arguments the palette and prompts ask for
	Args   []string    // values of the arguments, set by whoever resolved it
	Alone  bool        // it means something without its arguments too
	Danger fleet.Danger
	Needs  fleet.Role // least role; RoleNone means anyone who may look
	Rank   int        // footer priority, smaller first; 0: not in the footer
	Writes bool       // disabled while the screen shows history
	// RankPast is the footer priority while the screen shows history; 0: Rank.
	RankPast int
	// Session says that the session carries it out itself (prompts, time,
	// history, marks, leaving); any other command goes to the view.
	Session bool

	// why adds a reason of the command's own; nil: none.
	why func(Scene) string
}

// Scene is what a command may know to say why it is disabled.
type Scene struct {
	Snap   *fleet.Snapshot
	Role   fleet.Role
	User   string
	Live   bool
	View   string   // id of the view on screen
	Target string   // id of the selected thing, or ""
	Kind   string   // what the selected thing is: device port instance rack ...
	Marks  []string // marked ids
	// Alert says that an ack has something to be about, whatever stands on Target:
	// the caret is on an alert, or on the page of a service that has one.
	Alert bool
	// Reverts says that an action would put right what the caret stands on.
	Reverts bool
	// Since is the earliest moment the screen can show; zero where nothing
	// of the past can be put on screen.
	Since time.Time
}

// Why returns "" when the command can run in the scene, else the reason in
// words that fit behind it in the help page.
func (c Command) Why(s Scene) string {
	switch {
	case !c.Works(s.View):
		return c.elsewhere()
	case s.Role < c.Needs:
		return "needs role " + c.Needs.String()
	case c.Writes && !s.Live:
		return "HIST: 0 returns to live"
	case c.why != nil:
		return c.why(s)
	}
	return ""
}

// Works reports whether the command means anything in a view.
func (c Command) Works(view string) bool { return len(c.In) == 0 || slices.Contains(c.In, view) }

// elsewhere says in which views the command works, a few of many.
func (c Command) elsewhere() string {
	const few = 3
	text := "only in " + strings.Join(c.In[:min(len(c.In), few)], ", ")
	if len(c.In) > few {
		text += " ..."
	}
	return text
}

// Listens reports whether the command's keys mean it in the view.
func (c Command) Listens(view string) bool {
	return c.Works(view) && (len(c.KeysIn) == 0 || slices.Contains(c.KeysIn, view)) && !slices.Contains(c.NotIn, view)
}

// Hears reports whether a key means the command in the view. Where something is
// to be confirmed people type, and what they type is no command: there only its
// own keys, help, the palette and the way through time are heard.
func (c Command) Hears(chord, view string) bool {
	if view == "confirm" && len(c.In) == 0 && c.ID != "help" && c.ID != "palette" && typed(chord) {
		letter, _ := utf8.DecodeRuneInString(chord)
		if !strings.HasPrefix(c.ID, "time.") || unicode.IsLetter(letter) {
			return false
		}
	}
	return c.Listens(view)
}

// typed reports whether a key is one that people type text with.
func typed(chord string) bool {
	return utf8.RuneCountInString(chord) == 1 || chord == "space" || chord == "backspace"
}

// meets reports whether there is a view in which both commands listen.
func (c Command) meets(d Command) bool {
	for _, v := range append(c.where(), d.where()...) {
		if c.Listens(v) && d.Listens(v) {
			return true
		}
	}
	return len(c.where()) == 0 && len(d.where()) == 0
}

// where lists the views its keys are bound to; empty: all.
func (c Command) where() []string {
	if len(c.KeysIn) > 0 {
		return slices.Clone(c.KeysIn)
	}
	return slices.Clone(c.In)
}

// With returns the command with its arguments set.
func (c Command) With(args ...string) Command {
	c.Args = args
	return c
}

// Arg returns argument n, or "".
func (c Command) Arg(n int) string {
	if n < len(c.Args) {
		return c.Args[n]
	}
	return ""
}
