package runbook

import (
	"fmt"
	"time"

	"plumb/fleet"
)

// Bounds of what a book may hold.
const (
	MaxSteps = 40
	MaxWait  = 2 * time.Hour // of one step
)

// Book is a recipe. It is never written after it was read.
type Book struct {
	Name  string
	Title string // one line for people
	Why   string // what it is for and what it does not do
	From  string // the file it was read from; "": it comes with plumb
	On    Kind
	When  []Trigger // any of them; none: only where somebody asks for it
	Steps []Step
}

// Action is what a run of the book is called in jobs and in the audit log.
func (b *Book) Action() fleet.ActionKind { return fleet.ActionKind("run " + b.Name) }

// Kind is what a book is carried out on.
type Kind string

// Kinds of targets, with how one is written.
const (
	OnServer   Kind = "server"   // DEVICE
	OnSwitch   Kind = "switch"   // DEVICE
	OnDevice   Kind = "device"   // DEVICE of any kind
	OnPort     Kind = "port"     // SWITCH/IFNAME
	OnInstance Kind = "instance" // the instance's id
)

// Kinds are all of them, as words.
var Kinds = []string{string(OnServer), string(OnSwitch), string(OnDevice), string(OnPort), string(OnInstance)}

// Doing is what a step does.
type Doing uint8

// What a step does.
const (
	DoNote   Doing = iota // says something
	DoAct                 // an action, judged by its own plan
	DoWait                // until a condition holds
	DoCheck               // that a condition holds
	DoPrompt              // asks a person
	DoExec                // runs a program; only books that the user wrote
)

var doingWords = [...]string{"note", "act", "wait", "check", "prompt", "exec"}

func (d Doing) String() string { return doingWords[d] }

// OnFail says what a step that fails means for the rest.
type OnFail string

// What a failure means. Stop is what is meant where nothing is said.
const (
	FailStop     OnFail = "stop"
	FailRollback OnFail = "rollback" // take back what was done, the last first
	FailContinue OnFail = "continue"
)

// Failures are the words for it.
var Failures = []string{string(FailStop), string(FailRollback), string(FailContinue)}

// Step is one step of a book.
type Step struct {
	Do       Doing
	Text     *Text // of a note, a prompt and a check that fails; nil: nothing to say
	Action   fleet.ActionKind
	Args     map[string]*Text
	Targets  []*Text       // nil: the target of the run
	For      *Cond         // what is waited for or checked
	AtMost   time.Duration // of a wait or a program
	Argv     []*Text       // of a program: never through a shell
	If       *Cond         // nil: always
	OnFail   OnFail        // "": stop
	Rollback *Step         // an act or a program; nil: nothing takes it back
}

// Danger is that of the worst step, before any guard adds to it. A program is as
// dangerous as what plumb knows nothing about.
func (b *Book) Danger() (d fleet.Danger) {
	for i := range b.Steps {
		d = max(d, b.Steps[i].danger())
		if r := b.Steps[i].Rollback; r != nil {
			d = max(d, r.danger())
		}
	}
	return d
}

func (s *Step) danger() fleet.Danger {
	switch s.Do {
	case DoAct:
		return s.Action.Danger()
	case DoExec:
		return 3
	}
	return 0
}

// Prompts reports whether a run of the book needs somebody to answer it.
func (b *Book) Prompts() bool {
	for i := range b.Steps {
		if b.Steps[i].Do == DoPrompt {
			return true
		}
	}
	return false
}

// Check says what is wrong with a step that was read, or "". Its parts are
// sound by themselves.
func (s *Step) Check(rollback bool) string {
	switch {
	case rollback && s.Do != DoAct && s.Do != DoExec:
		return "a rollback is act or exec"
	case s.Do == DoAct && s.Action.Spec() == nil:
		return fmt.Sprintf("there is no action %q", fleet.Clean(string(s.Action), 40))
	case s.Do == DoAct:
		return s.checkArgs()
	case (s.Do == DoWait || s.Do == DoCheck) && s.For == nil:
		return "needs a condition"
	case s.Do == DoWait && (s.AtMost <= 0 || s.AtMost > MaxWait):
		return "needs at_most: how long it may take, at most " + MaxWait.String()
	case s.Do == DoExec && (s.AtMost < 0 || s.AtMost > MaxWait):
		return "at_most is at most " + MaxWait.String()
	case s.Do == DoExec && len(s.Argv) == 0:
		return "names no program"
	case s.Do == DoExec && !s.Argv[0].fixed():
		return "its program is not written out: what runs is not for a device to say"
	case (s.Do == DoPrompt || s.Do == DoNote) && s.Text == nil:
		return "says nothing"
	case s.Rollback != nil && s.Do != DoAct && s.Do != DoExec:
		return "does nothing that could be taken back"
	case s.Rollback != nil:
		return s.Rollback.Check(true)
	}
	return ""
}

// checkArgs holds the arguments of an act against its action: those that are
// written out by value, the others by name.
func (s *Step) checkArgs() string {
	spec, fixed := s.Action.Spec(), map[string]string{}
	for name, t := range s.Args {
		if !spec.HasArg(name) {
			return string(s.Action) + " takes no argument " + name
		}
		if t.fixed() {
			fixed[name] = t.text
		}
	}
	if len(fixed) == len(s.Args) {
		if why := spec.CheckArgs(fixed); why != "" {
			return why
		}
	}
	for i := range spec.Args {
		if a := &spec.Args[i]; a.Needed && s.Args[a.Name] == nil {
			return string(s.Action) + " needs " + a.Name + ": " + a.Help
		}
	}
	if s.Rollback != nil {
		return s.Rollback.Check(true)
	}
	return ""
}
