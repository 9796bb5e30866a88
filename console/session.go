package console

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views"
	"plumb/views/widget"
)

// Options shape a session.
type Options struct {
	Wall     bool          // pages by itself, obeys no key but q, is never idle
	Pages    []string      // the views a wall shows, by id; empty: its own choice
	Page     time.Duration // how long a wall shows one
	AskQuit  string        // asked before q ends the session; empty: it just ends
	Notice   func() string // what stays in the alert row: "filling in history 40%"; nil: nothing
	Idle     time.Duration // since the last key; 0 or less: never
	IdleWarn time.Duration
	Redraws  int // new snapshots drawn per second
}

// Session is one person at one screen, as a bubbletea model. It owns what is
// not a view's business: which views were open, prompts, marks, the clock, the
// answers to queries, and what a command that every view shares does. It is
// used by the program's goroutine only; what takes time runs as a command with
// the session's context and comes back as a message.
type Session struct {
	ctx   context.Context
	deps  Deps
	opt   Options
	who   Caller
	guest *guest
	watch Watch
	log   *slog.Logger

	snap  *fleet.Snapshot // on screen
	held  *fleet.Snapshot // the newest there is, while paused or in the past; nil: none
	at    time.Time       // the time shown
	here  []string
	pause bool

	tour   tour          // through the past
	deltas *views.Deltas // of the past on screen, against held

	spreads *views.Spreads // of the snapshot on screen

	trail    trail
	marks    map[string]bool
	lastMark string
	prompt   *prompt
	toast    toast
	answers  *answers

	ringer ringer // for alerts that begin to wait for somebody

	term   terminal
	theme  *widget.Theme
	paint  painter
	warned bool // about idleness
	asked  time.Time

	ended string // why the session ends, for the user; empty: the user left
	fault bool   // a panic ended it
}

// seat is where a session sits: what differs between SSH and a local terminal.
type seat struct {
	caller     Caller
	guest      *guest
	term       terminal
	cols, rows int
	out        *screenWriter
	queries    chan struct{}
	pasts      *pasts
	opt        Options
}

// newSession returns a session with its first view. The caller closes its
// watch by calling release.
func newSession(ctx context.Context, deps Deps, at seat) *Session {
	s := &Session{
		ctx: ctx, deps: deps, opt: at.opt, who: at.caller, guest: at.guest, log: deps.Log,
		watch: deps.Watch(), snap: &fleet.Snapshot{Live: true, Topology: &fleet.Topology{}}, at: deps.Now(),
		marks: make(map[string]bool), term: at.term,
		answers: newAnswers(deps.Answer, at.queries), tour: tour{pasts: at.pasts},
	}
	if s.opt.Notice == nil {
		s.opt.Notice = deps.Notice
	}
	s.theme = widget.NewTheme(deps.Registry.themeOf(at.caller.User), at.term.depth, at.term.ascii)
	s.paint = painter{screen: NewScreen(at.cols, at.rows), out: at.out, registry: deps.Registry}
	if at.term.ask {
		s.paint.side = append(s.paint.side, askRGB...)
	}
	s.ringer = newRinger(deps.Registry.bellOf(at.caller.User), at.term.name, deps.Now())
	first := views.View(views.NewFleet())
	if at.opt.Wall {
		first = views.NewWallEvery(at.opt.Page, at.opt.Pages...)
	}
	s.trail.open(place{view: first})
	return s
}

func (s *Session) release() { s.watch.Close() }

// Messages of the session.
type (
	snapshotMsg struct {
		snap *fleet.Snapshot
		err  error
	}
	tickMsg  struct{}
	drawMsg  struct{ promise uint64 } // time to draw what was put off
	faultMsg struct{ what any }
	quitMsg  struct{ why string }
	jobMsg   struct {
		what views.Execute
		job  fleet.Job
		err  error
		from int // where on the trail it was asked for
	}
)

// Init starts the clock and the wait for the first snapshot.
func (s *Session) Init() tea.Cmd {
	s.paint.urgent()
	return tea.Batch(s.tick(), s.await(0), s.askSince(), s.draw())
}

// async makes a command whose panic ends this session and not the process.
func (s *Session) async(f func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				s.log.Error("panic in a session's command", "user", s.who.User, "panic", r, "stack", string(debug.Stack()))
				msg = faultMsg{r}
			}
		}()
		return f()
	}
}

// Update takes one message. Whatever panics in a view ends the session with a
// sentence, after its screen was left.
func (s *Session) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("panic in a session", "user", s.who.User, "view", s.guest.viewing(), "panic", r, "stack", string(debug.Stack()))
			s.fault = true
			model, cmd = s, tea.Quit
		}
	}()
	cmd = s.handle(msg)
	return s, tea.Batch(cmd, s.draw())
}

// View shows nothing to bubbletea: the session draws by itself.
func (s *Session) View() tea.View { return tea.View{} }

func (s *Session) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return s.key(msg)
	case tea.PasteMsg:
		return s.paste(msg.Content)
	case tea.WindowSizeMsg:
		s.resize(msg.Width, msg.Height)
	case tea.CapabilityMsg:
		s.learn(msg.Content)
	case snapshotMsg:
		return s.bell(msg)
	case tickMsg:
		return s.second()
	case drawMsg:
		s.paint.due(msg)
	case answerMsg:
		s.answers.put(msg, s.deps.Now())
		s.paint.dirty()
	case pastMsg:
		return s.landed(msg)
	case sinceMsg:
		s.tour.learn(msg)
	case jobMsg:
		s.executed(msg)
	case wordMsg:
		s.worded(msg)
	case bookMsg:
		s.booked(msg)
	case ruledMsg:
		s.ruled(msg)
	case saidMsg:
		s.heardBack(msg)
	case quitMsg:
		s.ended = msg.why
		return tea.Quit
	case faultMsg:
		s.fault = true
		return tea.Quit
	}
	return nil
}

// frame returns what views may know.
func (s *Session) frame() views.Frame {
	w, h := s.paint.screen.Size()
	f := views.Frame{
		Snap: s.snap, Answers: s.answers, At: s.at, Live: s.snap.Live, Role: s.who.Role, User: s.who.User,
		Here: s.here, Width: w, Height: h, Theme: s.theme, Marks: s.marks, Keys: s.deps.Keys, Since: s.tour.since,
	}
	s.spreads = s.spreads.For(s.snap)
	f.Spreads = s.spreads
	if s.deps.Books != nil {
		f.Books = s.deps.Books()
	}
	if s.inPast() {
		s.deltas = s.deltas.Compare(s.snap, s.held)
		f.Deltas = s.deltas
	}
	return f
}

func (s *Session) scene() keys.Scene { return views.Scene(s.frame(), s.trail.here().view) }

func (s *Session) say(text string) {
	s.toast = toast{text: fleet.Clean(text, maxToast), until: s.deps.Now().Add(toastFor)}
	s.paint.urgent()
}

func (s *Session) complain(text string) {
	s.say(text)
	s.toast.bad, s.toast.until = true, s.deps.Now().Add(2*toastFor)
}

// unsay takes back what was said of a screen that is left.
func (s *Session) unsay() { s.toast, s.warned = toast{}, false }

// toast is one line in the alert row, for a while.
type toast struct {
	text  string
	bad   bool
	until time.Time
}

const (
	maxToast = 400
	toastFor = 5 * time.Second
)
