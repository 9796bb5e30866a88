package views

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/keys"
	"plumb/views/widget"
)

// View is one screen. It is a value with its own small state (selection,
// scroll, sort, filter) and does no I/O: what it needs from the past it names
// in Needs, what a command means to it Handle says as an intent, and Draw only
// reads the frame.
type View interface {
	// ID names the view for commands and history: "fleet", "racks", "device".
	ID() string
	// Crumbs are the path shown in the header, outermost first.
	Crumbs(f Frame) []string
	// Needs lists the history it draws; an answer that is missing is drawn
	// as "loading".
	Needs(f Frame) []fleet.Query
	// Selected says what the caret stands on: its kind and id.
	Selected(f Frame) (kind, id string)
	// Handle returns the view after a command that was found enabled, and
	// what it asks of the session. A command that means nothing to it
	// returns the view unchanged and no intent.
	Handle(f Frame, c keys.Command) (View, Intent)
	// Draw paints the body. It must leave the view as it is.
	Draw(f Frame, on widget.Canvas)
}

// Frame is everything a view may know when it draws.
type Frame struct {
	Snap          *fleet.Snapshot
	Answers       Answers
	At            time.Time // the time shown: now when live
	Live          bool
	Role          fleet.Role
	User          string
	Here          []string // who else is on the console
	Width, Height int      // of the whole screen; the canvas says how big the body is
	Theme         *widget.Theme
	Marks         map[string]bool
	Keys          *keys.Map       // what the footer and the help page read
	Since         time.Time       // the earliest moment that can be shown; zero: none
	Deltas        *Deltas         // what of the past shown is different now; nil when live
	Books         []*runbook.Book // that there are
	Spreads       *Spreads        // what the replicas of services share; nil: worked out for each frame
}

// whole returns the frame with a snapshot that can be drawn also before there
// is one.
func (f Frame) whole() Frame {
	if f.Snap != nil && f.Snap.Topology != nil {
		return f
	}
	s := fleet.Snapshot{At: f.At, Live: true}
	if f.Snap != nil {
		s = *f.Snap
	}
	s.Topology = &fleet.Topology{}
	f.Snap = &s
	return f
}

// Answers holds what the session has fetched so far.
type Answers interface {
	// Get returns the answer to a query; false: not there yet.
	Get(q fleet.Query) (fleet.Answer, bool)
}

// Intent is what a view asks of the session; nil is nothing. It is one of
// Open, Back, Execute, JobWord, Rule, AlertWord, Copy, Toast, Filter, Ask, Run.
type Intent interface{ intent() }

// Open shows another view, with what it stands on. Ask, where it is set, opens
// a prompt together with the view.
type Open struct {
	View View
	Ask  *Ask
}

// Back returns to the view before.
type Back struct{}

// Execute asks for an action that a person has confirmed. The session hands
// it to the executor, which checks everything again.
type Execute struct {
	Action     fleet.ActionKind
	Args       map[string]string
	Targets    []string
	Reason     string
	Typed      string // what was typed where the plan asks for it: see plan.Challenge
	BreakGlass bool
	Undoes     string // the job that this takes back
	Version    uint64 // of the snapshot that was on the screen
}

// JobWord says a word about a job: approve, refuse or cancel.
type JobWord struct{ Word, Job, Reason string }

// Copy puts text on the person's clipboard (OSC 52). What says what it is, for
// a text that is too long to repeat; "" repeats it.
type Copy struct{ Text, What string }

// Toast says one line in the alert row.
type Toast struct{ Text string }

// Filter asks the session for a filter prompt that starts with Text; the
// session sends each change back as the command "filter.set".
type Filter struct{ Text string }

// Ask asks the session for one line of text; what is entered comes back as the
// command with the text as its argument, and With behind it, an argument a line:
// what the question was about, whatever the caret stands on by then.
type Ask struct {
	Label, Text, Command string
	With                 string
}

// Run leaves this view and runs a command on the one before, as the help page does.
type Run struct{ Command keys.Command }

func (JobWord) intent() {}
func (Run) intent()     {}
func (Ask) intent()     {}
func (Open) intent()    {}
func (Back) intent()    {}
func (Execute) intent() {}
func (Copy) intent()    {}
func (Toast) intent()   {}
func (Filter) intent()  {}
