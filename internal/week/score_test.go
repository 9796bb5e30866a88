package week_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/week"
)

// score holds what was said against the script, an engine a row.
type score struct {
	run     *run
	end     week.Moment
	rows    map[string]*tally
	notes   []string // what was missed, late, false or not over in time
	claimed map[*said]bool
}

// tally counts for one engine. Expectations are found, late or missed; what was
// said is right or wrong, or a consequence that counts for neither.
type tally struct {
	expected, found, late, missed int
	right, wrong, beside          int
	over, stuck                   int // ended plantings, and those still said to stand
	delays                        []time.Duration
}

func (t *tally) precision() float64 { return ratio(t.right, t.right+t.wrong) }
func (t *tally) recall() float64    { return ratio(t.found, t.expected) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

var engines = []string{"drift", "trace", "security", "performance", "capacity"}

// recovery is how long after an outage its traces may be seen: until the tables
// were read again, and a poll.
const recovery = week.Moment(21 * time.Minute)

// window is how long what performance says may reach back: hours are judged
// together when a block of history closes.
const window = week.Moment(8 * time.Hour)

func judge(r *run, end week.Moment) *score {
	s := &score{run: r, end: end, rows: map[string]*tally{}, claimed: map[*said]bool{}}
	for _, e := range engines {
		s.rows[e] = &tally{}
	}
	if !r.world.Clean {
		for i := range r.world.Plant {
			p := &r.world.Plant[i]
			for k := range p.Each {
				for x := range p.Expect {
					s.expect(p, &p.Each[k], &p.Expect[x])
				}
			}
		}
	}
	s.rest()
	return s
}

// expect looks for one expectation.
func (s *score) expect(p *week.Planting, e *week.Event, x *week.Expect) {
	due := e.At + week.Moment(x.Within) + s.unseen(e, e.At, e.At+week.Moment(x.Within))
	if due >= s.end {
		return // its time has not come
	}
	t := s.rows[x.Engine]
	t.expected++
	at, last, ok := s.find(p, e, x)
	what := fmt.Sprintf("%-11s %-16s %s %s", x.Engine, p.Sort, clock(e.At), subject(e))
	switch {
	case !ok:
		t.missed++
		s.notes = append(s.notes, "missed  "+what)
		return
	case at > due:
		t.late++
		s.notes = append(s.notes, fmt.Sprintf("late    %s: after %s, due in %s", what, time.Duration(at-e.At), time.Duration(due-e.At)))
		return
	}
	t.found++
	t.delays = append(t.delays, time.Duration(at-e.At))
	until := e.Until
	if e.Accept != 0 {
		until = e.Accept
	}
	if until == 0 || x.Engine == "performance" {
		return
	}
	limit := until + week.Moment(x.Within) + s.unseen(e, until, until+week.Moment(x.Within))
	if limit < s.end {
		if t.over++; last > limit {
			t.stuck++
			s.notes = append(s.notes, fmt.Sprintf("stuck   %s: over at %s, said until %s", what, clock(until), clock(last)))
		}
	}
}

// find is when an expectation was first met and when it was last said.
func (s *score) find(p *week.Planting, e *week.Event, x *week.Expect) (at, last week.Moment, ok bool) {
	if x.Engine == "trace" {
		return s.findCause(e, max(x.Within, x.Shows))
	}
	about := e.About
	if len(about) == 0 {
		about = x.About
	}
	for _, y := range s.run.all {
		if y.engine != x.Engine || y.last < e.At || !s.matches(y, e, x, about) {
			continue
		}
		if e.Until != 0 && y.from > e.Until+week.Moment(x.Within) || y.from < e.At {
			continue
		}
		s.claimed[y] = true
		if !ok || y.from < at {
			at = y.from
		}
		last, ok = max(last, y.last), true
	}
	return at, last, ok
}

func (s *score) matches(y *said, e *week.Event, x *week.Expect, about []string) bool {
	switch {
	case x.Resource == "contiguous_units":
		return y.kind == x.Resource && y.target == e.Rack && y.text == fmt.Sprint(e.Longest)
	case x.Resource == "quota":
		return y.kind == x.Resource && y.target == e.On && strings.HasSuffix(y.facet, " "+strings.TrimSuffix(e.Quota, "_mb"))
	case x.Resource != "":
		return y.kind == x.Resource && y.target == e.Rack
	}
	return slices.Contains(x.Kinds, y.kind) && concerns(y, e) && says(y, about)
}

// concerns reports whether something was said of where an event happens.
func concerns(y *said, e *week.Event) bool {
	for _, id := range append([]string{e.On, e.Instance}, e.Targets...) {
		if id != "" && (y.target == id || strings.HasPrefix(y.target, id+"/")) {
			return true
		}
	}
	return false
}

func says(y *said, about []string) bool {
	return len(about) == 0 || slices.ContainsFunc(about, func(a string) bool { return strings.Contains(y.facet+" "+y.text, a) })
}

// culprits are the ids of the parts that an outage is of.
func culprits(e *week.Event) []string {
	out := []string{}
	for _, id := range []string{e.Feed, e.PDU, e.Switch, e.Host, e.Site} {
		if id != "" {
			out = append(out, id)
		}
	}
	if name, no, ok := strings.Cut(e.PSU, " "); ok {
		out = append(out, name+"/psu"+no)
	}
	if name, port, ok := strings.Cut(e.Uplink, " "); ok {
		out = append(out, name+"/"+port)
	}
	return out
}

// findCause is when the right part was first named before all others that are
// new, and by when it had to explain as many devices as it took: if it did so
// later, that is when.
func (s *score) findCause(e *week.Event, shows time.Duration) (at, last week.Moment, ok bool) {
	want := s.culprits(e)
	for _, y := range s.run.all {
		if y.engine == "trace" && slices.Contains(want, y.target) && y.from >= e.At && y.from < e.Until {
			s.claimed[y] = true
		}
	}
	before := map[string]bool{}
	for _, c := range s.run.named[e.At-minuteStep] {
		before[c.ID] = true
	}
	whole := false
	for m := e.At; m < e.Until+recovery+week.Moment(time.Hour) && m < s.end; m += minuteStep {
		leads := true
		for _, c := range s.run.named[m] {
			if before[c.ID] {
				continue
			}
			right := slices.Contains(want, c.ID)
			if right {
				last = m
			}
			if leads && right && m < e.Until {
				at, ok = word(ok, at, m), true
				if !whole && s.devices(c.Explains) >= e.Explains {
					whole = true
					at = word(m > e.At+week.Moment(shows), m, at)
				}
			}
			leads = false
		}
	}
	ok = ok && whole
	return at, last, ok
}

// culprits are both ends of a link that was cut.
func (s *score) culprits(e *week.Event) []string {
	out := culprits(e)
	if name, port, ok := strings.Cut(e.Uplink, " "); ok {
		for _, l := range s.run.snap.Devices.Get(name).Spec.Links {
			if l.NIC == port {
				out = append(out, l.To)
			}
		}
	}
	return out
}

// devices counts the devices among ids, and those that pieces belong to.
func (s *score) devices(ids []string) int {
	have := map[string]bool{}
	for _, id := range ids {
		name, _, _ := strings.Cut(id, "/")
		if s.run.snap.Devices.Get(name) != nil {
			have[name] = true
		}
	}
	return len(have)
}

// rest counts what was said, and what of it nothing explains.
func (s *score) rest() {
	for _, y := range s.run.all {
		if y.kind == "contiguous_units" && y.text == "20" && y.engine == "capacity" {
			continue // as the fleet was laid out
		}
		t := s.rows[y.engine]
		switch {
		case s.claimed[y]:
			t.right++
			continue
		case s.explained(y):
			t.beside++
			continue
		}
		t.wrong++
		s.notes = append(s.notes, fmt.Sprintf("false   %-11s %s %s %s to %s: %s: %s", y.engine, y.kind, y.target, clock(y.from), clock(y.last), y.facet, y.text))
	}
}

// explained reports whether anything in the script makes it true.
func (s *score) explained(y *said) bool {
	check := func(list []week.Planting) bool {
		for i := range list {
			p := &list[i]
			for k := range p.Each {
				if e := &p.Each[k]; y.from >= e.At && s.true(y, p, e) {
					return true
				}
			}
		}
		return false
	}
	return check(s.run.world.Decoys) || !s.run.world.Clean && check(s.run.world.Plant)
}

func (s *score) true(y *said, p *week.Planting, e *week.Event) bool {
	grace := recovery
	for _, x := range p.Expect {
		grace = max(grace, week.Moment(x.Within)+s.unseen(e, e.Until, e.Until+week.Moment(x.Within)))
	}
	if y.engine == "performance" {
		grace = max(grace, window)
	}
	if e.Until != 0 && y.from > e.Until+grace || e.Accept != 0 && y.last > e.Accept+recovery {
		return false
	}
	if y.engine == "trace" {
		return s.trueCause(y, p, e)
	}
	if slices.Contains(p.Also, y.kind) || slices.Contains(p.Also, y.engine) {
		switch {
		case e.Watts > 0 && y.engine == "performance":
			return strings.HasPrefix(y.target, strings.ReplaceAll(e.Rack, "/", "-")+"-")
		case outage(e) || e.Watts > 0:
			return s.within(y.target, e)
		}
		if concerns(y, e) {
			return true
		}
	}
	for i := range p.Expect {
		x := &p.Expect[i]
		about := e.About
		if len(about) == 0 {
			about = x.About
		}
		if x.Engine == y.engine && s.matches(y, e, x, about) {
			return true
		}
	}
	return false
}

// trueCause: the culprit; while the polls of an outage come in or go out, what
// it hurts; and what the script says may be told.
func (s *score) trueCause(y *said, p *week.Planting, e *week.Event) bool {
	if outage(e) {
		if y.from < e.At {
			return false
		}
		settling := y.last <= e.At+week.Moment(p.Expect[0].Within) || y.from >= e.Until && y.last <= e.Until+2*recovery
		return slices.Contains(s.culprits(e), y.target) || settling && s.within(y.target, e)
	}
	return slices.Contains(p.Also, "trace") && concerns(y, e)
}

func outage(e *week.Event) bool { return len(culprits(e)) > 0 }

// within reports whether a target is in the site of an event, or in its region.
func (s *score) within(target string, e *week.Event) bool {
	site := ""
	for _, id := range append(culprits(e), e.Rack) {
		if id != "" {
			site, _, _ = strings.Cut(id, "-")
			site, _, _ = strings.Cut(site, "/")
		}
	}
	region := strings.TrimSuffix(site, "1")
	return strings.HasPrefix(target, region) || strings.HasSuffix(target, "-"+region) || strings.Contains(target, "-"+region+"-") || s.run.snap.Services.Get(target) != nil || len(target) == 36
}

// unseen is how long the targets of an event could not be read in a span.
func (s *score) unseen(e *week.Event, from, to week.Moment) (out week.Moment) {
	if outage(e) || e.At == 0 && e.Until == 0 {
		return 0
	}
	for m := from; m < to+out && out < week.Moment(24*time.Hour); m += minuteStep {
		if s.run.world.Unseen(e.On, m) {
			out += minuteStep
		}
	}
	if out > 0 {
		out += week.Moment(week.Intervals[0])
	}
	return out
}

func word[T any](b bool, yes, no T) T {
	if b {
		return yes
	}
	return no
}

func clock(m week.Moment) string {
	d := time.Duration(m)
	return fmt.Sprintf("%dd%02d:%02d", d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60)
}

func subject(e *week.Event) string {
	out := e.On
	for _, x := range append(culprits(e), e.Rack, e.Port, e.Instance, e.Group, e.Quota) {
		if x != "" {
			out += " " + x
		}
	}
	return strings.TrimSpace(out)
}

// String is the table.
func (s *score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %8s %6s %6s %6s %6s %6s %10s %7s %7s %12s\n", "engine", "expected", "found", "late", "missed", "right", "false", "precision", "recall", "stuck", "median delay")
	for _, e := range engines {
		t := s.rows[e]
		median := "-"
		if n := len(t.delays); n > 0 {
			slices.Sort(t.delays)
			median = t.delays[n/2].String()
		}
		fmt.Fprintf(&b, "%-12s %8d %6d %6d %6d %6d %6d %10.3f %7.3f %4d/%-3d %11s\n", e, t.expected, t.found, t.late, t.missed, t.right, t.wrong, t.precision(), t.recall(), t.stuck, t.over, median)
	}
	return b.String()
}
