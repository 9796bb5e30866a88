package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/views"
	"plumb/views/export"
)

// Memory is what verbs ask of the store.
type Memory interface {
	Snapshot() *fleet.Snapshot
	Answer(ctx context.Context, q fleet.Query, at time.Time) fleet.Answer
	Audit(ctx context.Context, from uint64, limit int) ([]fleet.AuditEntry, error)
}

// Verbs are the commands that print and exit. They are written once and
// reached over SSH, through the control socket and by tests alike. What is nil
// is not offered here and says so.
type Verbs struct {
	Memory   Memory
	Watch    func() Watch
	Registry *Registry
	Execute  func(ctx context.Context, by Caller, e views.Execute) (fleet.Job, error)
	// Plan is what Execute would do now, without doing or auditing anything.
	Plan func(by Caller, e views.Execute) fleet.Plan
	// Job says a word about a job: approve, refuse or cancel.
	Job    func(ctx context.Context, by Caller, w views.JobWord) (fleet.Job, error)
	Freeze func(ctx context.Context, by Caller, f fleet.Freeze) error
	// Books are the runbooks there are, Rehearse says what a run would do
	// without doing anything, and why it would not begin.
	Books    func() []*runbook.Book
	Rehearse func(by Caller, r views.RunBook) ([]runbook.Line, error)
	RunBook  func(ctx context.Context, by Caller, r views.RunBook) (fleet.Job, error)
	// Rule puts on record what a person decided about findings, all or nothing.
	Rule func(ctx context.Context, by Caller, r views.Rule) error
	// Decide makes a decision durable, with the audit entries in it.
	Decide func(ctx context.Context, d fleet.Decision) error
	Audit  func(ctx context.Context, e fleet.AuditEntry) error
	Faults func() []export.Fault // the demo's truth; nil outside of it
	Backup func(ctx context.Context, dir string) error
	Verify func(ctx context.Context, w io.Writer) error
	// VerifyAudit holds an exported audit log against the chain.
	VerifyAudit func(ctx context.Context, file string, w io.Writer) error
	Reload      func(ctx context.Context) (later []string, err error) // later: settings that wait for a restart
	// Receivers is how it goes with those who are told of alerts, TestReceiver
	// sends one a made-up page and returns its answer.
	Receivers    func() []export.Receipt
	TestReceiver func(ctx context.Context, name string) (answer string, err error)
	Version      string
	Now          func() time.Time
	// At is the fleet as of a past time, with Live false.
	At func(ctx context.Context, t time.Time) (*fleet.Snapshot, error)

	lists  lists // who builds lists now
	once   sync.Once
	denied *ration.Ration
}

// verb is one command with its words.
type verb struct {
	name  string
	args  string // as the help shows them
	help  string
	least fleet.Role
	run   func(ctx context.Context, v *Verbs, c *verbCall) error
}

// verbCall is a call with its flags parsed.
type verbCall struct {
	VerbCall
	words  []string // positional arguments
	format export.Format
	flags  map[string]string
	now    time.Time
	past   *fleet.Snapshot // as of --at, where that was given; now is then
	code   int             // what a verb that succeeded exits with
	lost   error           // what was damaged, and is not in what was written
}

// verbs in the order of the help.
func verbs() []verb {
	return []verb{
		{"status", "", "one line of totals; exits 0 ok, 1 warn, 2 crit, 3 unknown", fleet.RoleWall, runStatus},
		{"regions", "", "regions with their state; alerts are the firing ones that nothing explains, of a service in each region that has a replica of it", fleet.RoleViewer, runRegions},
		{"racks", "[REGION]", "racks with free units and watts", fleet.RoleViewer, runRacks},
		{"devices", "[FILTER...]", "devices; filter as / does: state:crit kind:pdu rack:r03 !spare", fleet.RoleViewer, runDevices},
		{"device", "ID", "everything about one device", fleet.RoleViewer, runDevice},
		{"sensors", "[DEVICE]", "sensors with limits and values", fleet.RoleViewer, runSensors},
		{"ports", "[DEVICE]", "ports with counters and rates", fleet.RoleViewer, runPorts},
		{"links", "[DEVICE]", "what hangs on what, intended and observed", fleet.RoleViewer, runLinks},
		{"trace", "ID [--up|--down]", "what a part stands on and what stands on it, and who vouches for each link", fleet.RoleViewer, runTrace},
		{"whatif", "fail ID... | add N --watts W [--units H] [--ports 2x25G] [--in RACK|SITE|REGION] [--single-cord]", "what would be lost, and what no longer redundant, if all of these failed; or what room would be left with N more servers", fleet.RoleViewer, runWhatIf},
		{"causes", "", "the few parts that explain what is wrong, with evidence", fleet.RoleViewer, runCauses},
		{"instances", "", "instances with their hosts", fleet.RoleViewer, runInstances},
		{"clouds", "", "cloud regions and how well they can be seen", fleet.RoleViewer, runClouds},
		{"services", "[SERVICE|FILTER...]", "services with replicas and failure domains, or one; filter: state:crit health:crit owner:team-web latency>200 !spare", fleet.RoleViewer, runServices},
		{"drift", "[TARGET|FILTER...] [--all] | accept|waive|ignore|reopen ID... --reason R [--for D]", "what is not as intended, accepted, last week or among its like, by cause; and what people decide about it (needs operator)", fleet.RoleViewer, runDrift},
		{"security", "[CHECK] [--region R]", "every check with what it found, passed and could not see; or what one check found", fleet.RoleViewer, runSecurity},
		{"lifecycle", "[CHECK]", "what ends, comes back, is nobody's, idles, is out of balance or stands on too little: every check, or what one found", fleet.RoleViewer, runLifecycle},
		{"alerts", "[FILTER...] [--all]", "what the rules call for, with what holds it; filter: state:firing severity:crit held:no rack=ams1/r03 rule=~psu.* fan !spare", fleet.RoleViewer, runAlerts},
		{"ack", "ALERT [--for D] [--sticky] [--reason R]", "say that you know of an alert: nobody is told of it again until it changes or alerts.ack_for is over, with --sticky until it is ok", fleet.RoleOperator, runAck},
		{"unack", "ALERT [--reason R]", "take an ack back", fleet.RoleOperator, runAck},
		{"silence", "LABEL=VALUE... --for D --reason R [--all]", "keep alerts from being told for a time; = != =~ !~; --all: where that names nothing", fleet.RoleOperator, runSilence},
		{"maintenance", "PLACE [LABEL=VALUE...] --for D --reason R", "a silence of a region, site, rack, feed or device and of all in it", fleet.RoleOperator, runSilence},
		{"unsilence", "ID", "end a silence now", fleet.RoleOperator, runUnsilence},
		{"silences", "[--all]", "silences that stand or are to come, with --all those that ended too", fleet.RoleViewer, runSilences},
		{"rules", "[explain RULE:TARGET | fields]", "the alert rules; why one alert fires, is held or does not; what expressions may read. plumb rules test FILE, without a running plumb, tries rules on made-up days", fleet.RoleViewer, runRules},
		{"notify", "[test RECEIVER]", "who is told of alerts, and what waits for them; or send one a test page now (needs admin)", fleet.RoleViewer, runNotify},
		{"events", "[TARGET] [--since T] [--limit N]", "what happened, newest first", fleet.RoleViewer, runEvents},
		{"series", "DEVICE/SENSOR [--since T] [--step D]", "history of one series", fleet.RoleViewer, runSeries},
		{"capacity", "[REGION] [--scope SCOPE]", "what is left, what binds, what a failure would break, and until when it lasts", fleet.RoleViewer, runCapacity},
		{"place", "N --watts W [--units H] [--ports 2x25G] [--region R] [--spread RACKS] [--single-cord]", "where N servers of one shape fit, and why not elsewhere", fleet.RoleViewer, runPlace},
		{"performance", "[CHECK] [--region R]", "what works worse than it did: every check, with what it found, learns still and cannot see; or what one found", fleet.RoleViewer, runPerformance},
		{"predictions", "", "what is going to reach a limit and when, and how often that came true", fleet.RoleViewer, runPredictions},
		{"report", "ops|handover|design|auto [--since 30d]", "the hand-over and the review of a period, the alerts of a shift (12h) for whoever is called next, what failed by what it is built of, or what plumb did by itself; as Markdown, or --json", fleet.RoleViewer, runReport},
		{"jobs", "[JOB]", "actions under way and done, or one", fleet.RoleViewer, runJobs},
		{"act", "ACTION TARGET... [NAME=VALUE] --reason R [--serial S] [--wait|--dry-run] [--break-glass]", "ask for an action; exits 0 when the job is durable, with --wait when it is verified", fleet.RoleOperator, runAct},
		{"approve", "JOB [--wait]", "agree, as a second person, with what was proposed", fleet.RoleAdmin, jobVerb("approve", false)},
		{"refuse", "JOB --reason R", "say no to what was proposed", fleet.RoleOperator, jobVerb("refuse", true)},
		{"cancel", "JOB", "take back a proposal, or stop a job before its next target", fleet.RoleOperator, jobVerb("cancel", false)},
		{"undo", "JOB [--reason R] [--serial S] [--wait|--dry-run]", "ask for what takes a job back", fleet.RoleOperator, runUndo},
		{"runbooks", "[TARGET]", "recipes, and what each is of use for now; or which of them are for one target, and why not", fleet.RoleViewer, runBooks},
		{"run", "RUNBOOK TARGET --reason R [--wait|--dry-run]", "carry a runbook out; each act in it is judged, audited and approved like any other", fleet.RoleOperator, runRun},
		{"answer", "JOB yes|no|TEXT", "answer what a run asks", fleet.RoleOperator, runAnswer},
		{"freeze", "--reason R [--for D]", "stop everything that writes", fleet.RoleOperator, runFreeze},
		{"thaw", "--reason R", "let actions be again", fleet.RoleAdmin, runThaw},
		{"audit", "[--from SEQ]", "every write, denied try and login, as a hash chain", fleet.RoleOperator, runAudit},
		{"watch", "", "changes as they happen, one JSON object a line", fleet.RoleViewer, runWatch},
		{"sd", "[KIND]", "management addresses for Prometheus' own exporters, as file_sd and http_sd read them; KIND: ipmi redfish snmp", fleet.RoleViewer, runSD},
		{"who", "", "who is on the console", fleet.RoleViewer, runWho},
		{"faults", "", "demo only: what was injected", fleet.RoleViewer, runFaults},
		{"backup", "DIR", "a consistent copy of the running store", fleet.RoleAdmin, runBackup},
		{"verify", "[--audit FILE]", "check every page, block and the audit chain; or whether an exported audit log is the chain's own", fleet.RoleAdmin, runVerify},
		{"reload", "", "read the configuration again", fleet.RoleAdmin, runReload},
		{"help", "[VERB]", "this list", fleet.RoleWall, runHelp},
		{"version", "", "which plumb this is", fleet.RoleWall, runVersion},
	}
}

// Failure is an error as people and scripts get it.
type Failure struct {
	Kind    string `json:"kind"` // usage unknown denied refused failed unavailable
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func (f *Failure) Error() string { return f.Message }

func usage(hint, format string, args ...any) error {
	return &Failure{"usage", fmt.Sprintf(format, args...), hint}
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitCrit   = 2
	exitUsage  = 3
)

// Run carries out one verb and returns its exit code.
func (v *Verbs) Run(ctx context.Context, call VerbCall) int {
	c := &verbCall{VerbCall: call, format: export.Text, flags: map[string]string{}, now: v.now()}
	err := v.dispatch(ctx, c)
	if err == nil {
		return c.code
	}
	if errors.Is(err, io.ErrClosedPipe) || ctx.Err() != nil {
		return exitFailed
	}
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Kind: "failed", Message: err.Error()}
	}
	report(c, f)
	if f.Kind == "usage" || f.Kind == "unknown" {
		return exitUsage
	}
	return exitFailed
}

// report writes an error to stderr, as JSON where JSON was asked for.
func report(c *verbCall, f *Failure) {
	if c.format == export.JSON || c.format == export.NDJSON {
		WriteFailure(c.Stderr, f)
		return
	}
	fmt.Fprintf(c.Stderr, "plumb: %s\n", f.Message)
	if f.Hint != "" {
		fmt.Fprintf(c.Stderr, "hint: %s\n", f.Hint)
	}
}

// WriteFailure writes an error as scripts get it.
func WriteFailure(w io.Writer, f *Failure) {
	b, err := json.Marshal(struct {
		Schema int      `json:"schema"`
		Error  *Failure `json:"error"`
	}{1, f})
	if err == nil {
		fmt.Fprintf(w, "%s\n", b)
	}
}

func (v *Verbs) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

func (v *Verbs) dispatch(ctx context.Context, c *verbCall) error {
	// The format first, so that even a usage error comes in the one asked for.
	for _, a := range c.Args {
		switch a {
		case "--json":
			c.format = export.JSON
		case "--csv":
			c.format = export.CSV
		case "--md":
			c.format = export.Markdown
		case "--ndjson":
			c.format = export.NDJSON
		}
	}
	if len(c.Args) == 0 {
		return usage("try: help", "no verb")
	}
	list := verbs()
	i := slices.IndexFunc(list, func(x verb) bool { return x.name == c.Args[0] })
	if i < 0 {
		hint := "help lists the verbs"
		if near := export.Closest(VerbNames(), c.Args[0]); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &Failure{"unknown", fmt.Sprintf("%s: no such verb", fleet.Clean(c.Args[0], 40)), hint}
	}
	malformed := c.parse(list[i])
	// The role first: what is wrong with its arguments is no business of
	// somebody who may not use a verb, and a try is a try.
	switch {
	case c.Role < list[i].least:
		return v.deny(ctx, c, list[i], fmt.Sprintf("needs role %s, you are %s", list[i].least, c.Role))
	case c.Scope != nil && list[i].name == "reload": // it changes everybody's fleet, and everybody's rights
		return v.deny(ctx, c, list[i], "the whole fleet is outside of your scope")
	}
	if malformed != nil {
		return malformed
	}
	if err := c.fits(list[i]); err != nil {
		return err
	}
	if err := v.travel(ctx, c, list[i]); err != nil {
		return err
	}
	return v.carryOut(ctx, c, list[i])
}

// valued are the flags that take a value.
var valued = []string{"since", "until", "step", "limit", "from", "reason", "at", "serial", "seconds", "for", "scope", "units", "u", "watts", "ports", "region", "spread", "in", "audit"}

// formats are the bare flags that every verb takes.
var formats = []string{"json", "csv", "md", "ndjson"}

// bare are the flags that take none.
var bare = []string{"json", "csv", "md", "ndjson", "wait", "dry-run", "all", "single-cord", "up", "down", "break-glass", "sticky"}

// parse splits the words of a call from its flags.
func (c *verbCall) parse(x verb) error {
	for i := 1; i < len(c.Args); i++ {
		a := c.Args[i]
		name, isFlag := strings.CutPrefix(a, "--")
		if !isFlag || name == "" {
			c.words = append(c.words, a)
			continue
		}
		name, value, has := strings.Cut(name, "=")
		switch {
		case slices.Contains(bare, name):
			c.flags[name] = "true"
		case slices.Contains(valued, name) && has:
			c.flags[name] = value
		case slices.Contains(valued, name) && i+1 < len(c.Args):
			i++
			c.flags[name] = c.Args[i]
			for name == "reason" && c.Bare && i+1 < len(c.Args) && !strings.HasPrefix(c.Args[i+1], "--") {
				i++
				c.flags[name] += " " + c.Args[i]
			}
		case slices.Contains(valued, name):
			return usage("", "--%s: needs a value", name)
		default:
			hint := "help " + c.Args[0]
			if near := export.Nearest(x.flags(), name); near != "" {
				hint = "did you mean --" + near + "?"
			}
			return usage(hint, "--%s: no such flag", fleet.Clean(name, 40))
		}
	}
	return nil
}

// flags are those that a verb takes, for a word that is nearly one of them.
func (x verb) flags() []string {
	out := []string{"json", "csv", "md", "ndjson"}
	for _, name := range slices.Concat(valued, bare) {
		if x.takes(name) {
			out = append(out, name)
		}
	}
	return out
}

// takes reports whether a verb knows a flag. Its line of the help is what it
// says of itself.
func (x verb) takes(name string) bool {
	if name == "at" && slices.Contains(dated, x.name) {
		return true
	}
	for rest := x.args; ; {
		_, after, has := strings.Cut(rest, "--"+name)
		if !has {
			return false
		}
		if after == "" || !(after[0] >= 'a' && after[0] <= 'z' || after[0] == '-') {
			return true
		}
		rest = after
	}
}

// fits refuses flags and words that the verb does not know. What is ignored in
// silence is taken for an answer.
func (c *verbCall) fits(x verb) error {
	for name := range c.flags {
		if slices.Contains(valued, name) && name != "at" || slices.Contains(bare, name) && !slices.Contains(formats, name) {
			if !x.takes(name) {
				return usage("help "+x.name, "%s: takes no --%s", x.name, name)
			}
		}
	}
	if x.args == "" || strings.HasPrefix(x.args, "[--") {
		return c.atMost(0)
	}
	return nil
}

// snapshot is the present, or why there is none yet.
func (v *Verbs) snapshot() (*fleet.Snapshot, error) {
	s := v.Memory.Snapshot()
	if s == nil {
		return nil, &Failure{"unavailable", "plumb is still starting", "try again in a second"}
	}
	return s, nil
}

// device finds a device or says which is nearest.
func deviceOf(s *fleet.Snapshot, id string) (*fleet.Device, error) {
	if d := s.Devices.Get(id); d != nil {
		return d, nil
	}
	if h := s.Unlisted(id); h != nil {
		return nil, &Failure{"unknown", fmt.Sprintf("%s: a hypervisor of cloud %s that the inventory does not know", fleet.Clean(id, 80), h.Cloud), h.ListIt()}
	}
	ids := make([]string, 0, s.Devices.Len())
	for k := range s.Devices.All() {
		ids = append(ids, k)
	}
	hint := "devices lists them"
	if near := export.Closest(ids, id); near != "" {
		hint = "did you mean " + near + "?"
	}
	return nil, &Failure{"unknown", fmt.Sprintf("%s: no such device", fleet.Clean(id, 80)), hint}
}

func (c *verbCall) want(n int, what string) error {
	if len(c.words) != n {
		return usage("help "+c.Args[0], "%s: needs %s", c.Args[0], what)
	}
	return nil
}

func (c *verbCall) atMost(n int) error {
	if len(c.words) > n {
		return usage("help "+c.Args[0], "%s: too many arguments: %s", c.Args[0], fleet.Clean(strings.Join(c.words[n:], " "), 80))
	}
	return nil
}

// width is that of the terminal; output to a pipe is never cut.
func (c *verbCall) width() int {
	if !c.Terminal {
		return 0
	}
	return c.Width
}

// IsVerb reports whether a word names a verb.
func IsVerb(name string) bool {
	return slices.ContainsFunc(verbs(), func(x verb) bool { return x.name == name })
}

// VerbNames lists the verbs in the order of the help.
func VerbNames() []string {
	list := verbs()
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].name
	}
	return names
}
