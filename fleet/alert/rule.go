package alert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// ErrRule is behind every error of a rule, a route or what goes with them.
var ErrRule = errors.New("alert rule")

// Subjects lists what rules may look at.
func Subjects() []string {
	out := make([]string, 0, len(fields))
	for name := range fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// polled are the subjects that a probe looks at; a bad look at one of them is
// looked at again before it counts. Others were judged already.
var polled = map[string]bool{"device": true, "sensor": true, "port": true, "outlet": true}

// Defaults of rules.
const (
	defaultAttempts = 3
	defaultRetry    = 500 * time.Millisecond
	eventKeep       = time.Hour
)

// program is a rule that is ready to run.
type program struct {
	fleet.AlertRule
	n        int // its place among the rules
	limits   limits
	problem  *expression
	recovery *expression // nil: that the problem is over
	summary  template
	cause    template
	evidence template
	runbook  template
	labels   map[string]template
	sight    bool
}

// device reports whether the rule looks at devices or parts of them.
func (p *program) device() bool { return p.On == "device" || parts[p.On] }

// set are the rules that apply to one device, by subject.
type set map[string][]*program

// Book is rules that are ready to run on the fleet of one inventory. It is
// never written after it was made, but for the graph, which is built when it is
// first asked for.
type Book struct {
	programs []*program
	byName   map[string]*program
	devices  []set // by dense number
	other    set
	root     *route
	// receivers are those there are, in the user's order.
	receivers []string
	each      []string // that are told of every alert, however many
	inhibit   []inhibition
	windows   []window
	settle    time.Duration
	ackFor    time.Duration
	graph     *trace.Graph
}

// Rules is how many rules there are.
func (b *Book) Rules() int { return len(b.programs) }

type inhibition struct {
	source, target matchers
	equal          []string
}

// Check says what is wrong with each part of what the user wants; nil: nothing.
func Check(a *fleet.Alerting) error {
	_, err := compile(a)
	return err
}

// Compile reads the rules for the fleet of a snapshot. What does not compile is
// left out; [Check] says what that is.
func Compile(a *fleet.Alerting, s *fleet.Snapshot) *Book {
	b, _ := compile(a)
	b.assign(s)
	return b
}

func compile(a *fleet.Alerting) (*Book, error) {
	b := &Book{byName: map[string]*program{}, other: set{}, settle: a.Settle, ackFor: a.AckFor, receivers: a.Receivers, each: a.Each}
	var errs []error
	for i := range a.Rules {
		p, err := compileRule(&a.Rules[i])
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%w %s: %w", ErrRule, a.Rules[i].Name, err))
			continue
		case b.byName[p.Name] != nil:
			errs = append(errs, fmt.Errorf("%w %s: stands twice", ErrRule, p.Name))
			continue
		}
		p.n = len(b.programs)
		b.programs, b.byName[p.Name] = append(b.programs, p), p
	}
	if a.Route != nil {
		root, err := compileRoute(a.Route, nil, "0", a.Receivers)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", ErrRule, err))
		}
		b.root = root
	}
	for _, x := range a.Inhibit {
		source, err := compileMatchers(x.Source)
		target, err2 := compileMatchers(x.Target)
		if err := cmp.Or(err, err2); err != nil {
			errs = append(errs, fmt.Errorf("%w: inhibit: %w", ErrRule, err))
			continue
		}
		b.inhibit = append(b.inhibit, inhibition{source, target, x.Equal})
	}
	for _, x := range a.Maintenance {
		m, err := compileMatchers(x.Match)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: maintenance %s: %w", ErrRule, x.Name, err))
			continue
		}
		b.windows = append(b.windows, window{x, m})
	}
	return b, errors.Join(errs...)
}

func compileRule(r *fleet.AlertRule) (p *program, err error) {
	p = &program{AlertRule: *r, labels: map[string]template{}}
	switch {
	case r.Name == "" || strings.ContainsAny(r.Name, ": \t/") || r.Name != fleet.Clean(r.Name, 80):
		return nil, errors.New("a name has no blanks, colons or slashes in it")
	case fields[r.On] == nil:
		return nil, fmt.Errorf("on: %q is none of %s", fleet.Clean(r.On, 40), strings.Join(Subjects(), " "))
	case len(r.Select) > 0 && !p.device():
		return nil, fmt.Errorf("select is for rules on devices and their parts, not on %s", r.On)
	}
	if p.problem, err = parse(r.On, r.Problem); err != nil {
		return nil, fmt.Errorf("problem: %w", err)
	}
	if r.Recovery != "" {
		if p.recovery, err = parse(r.On, r.Recovery); err != nil {
			return nil, fmt.Errorf("recovery: %w", err)
		}
	}
	p.sight = p.problem.sight
	for _, t := range [...]struct {
		name   string
		source string
		to     *template
	}{{"summary", r.Summary, &p.summary}, {"cause", r.Cause, &p.cause}, {"evidence", r.Evidence, &p.evidence}, {"runbook", r.Runbook, &p.runbook}} {
		if *t.to, err = parseText(r.On, t.source); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	for name, source := range r.Labels {
		if p.labels[name], err = parseText(r.On, source); err != nil {
			return nil, fmt.Errorf("label %s: %w", name, err)
		}
	}
	p.limits = limits{wait: r.For, keep: r.Keep, attempts: r.Attempts, recover: max(r.RecoverAfter, 1), retry: r.Retry}
	if p.limits.attempts <= 0 {
		p.limits.attempts = 1
		if polled[r.On] {
			p.limits.attempts = defaultAttempts
		}
	}
	if p.limits.retry <= 0 {
		p.limits.retry = defaultRetry
	}
	if r.On == "event" && p.limits.keep <= 0 {
		p.limits.keep = eventKeep
	}
	return p, nil
}

// assign finds the rules of each device: what is selected does not change while
// the inventory stands. A rule that selects one value of something is only held
// against the devices that have it.
func (b *Book) assign(s *fleet.Snapshot) {
	type pair struct{ key, value string }
	by, keys, general := map[pair][]*program{}, map[string]bool{}, []*program{}
	for _, p := range b.programs {
		if !p.device() {
			b.other[p.On] = append(b.other[p.On], p)
			continue
		}
		if key, ok := exact(p.Select); ok {
			x := pair{key, p.Select[key]}
			by[x], keys[key] = append(by[x], p), true
			continue
		}
		general = append(general, p)
	}
	b.devices = make([]set, s.Devices.Len())
	known := map[string]set{} // by the numbers of its rules: many devices share a set
	for i := range b.devices {
		spec := s.Devices.At(i).Spec
		mine := slices.Clone(general)
		for key := range keys {
			mine = append(mine, by[pair{key, spec.Carries(key)}]...)
		}
		mine = slices.DeleteFunc(mine, func(p *program) bool { return !fleet.Selects(p.Select, spec) })
		slices.SortFunc(mine, func(x, y *program) int { return cmp.Compare(x.n, y.n) })
		name := make([]byte, 0, 2*len(mine))
		for _, p := range mine {
			name = append(name, byte(p.n), byte(p.n>>8), byte(p.n>>16))
		}
		rules, ok := known[string(name)]
		if !ok {
			rules = set{}
			for _, p := range mine {
				rules[p.On] = append(rules[p.On], p)
			}
			known[string(name)] = rules
		}
		b.devices[i] = rules
	}
}

// exact finds something that is selected by one value and no pattern. Of several
// it is one with the most letters, which is likely to be the rarest.
func exact(sel map[string]string) (best string, ok bool) {
	for key, value := range sel {
		if value == "" || strings.ContainsAny(value, `*?[\`) {
			continue
		}
		if !ok || len(value) > len(sel[best]) || len(value) == len(sel[best]) && key < best {
			best, ok = key, true
		}
	}
	return best, ok
}

// Rules lists the rules of a snapshot, in their order.
func Rules(s *fleet.Snapshot) []fleet.AlertRule {
	b, _ := s.Rules.(*Book)
	if b == nil {
		return nil
	}
	out := make([]fleet.AlertRule, len(b.programs))
	for i, p := range b.programs {
		out[i] = p.AlertRule
	}
	return out
}

// AckFor is how long an ack stands where nobody says; 0: until its alert changes.
func AckFor(s *fleet.Snapshot) time.Duration {
	if s.Topology == nil {
		return 0
	}
	if b, ok := s.Rules.(*Book); ok && b != nil {
		return b.ackFor
	}
	return 0
}

// graphOf is the graph of the inventory.
func (b *Book) graphOf(s *fleet.Snapshot) *trace.Graph {
	if !b.graph.Of(s) {
		b.graph = trace.Build(s)
	}
	return b.graph
}
