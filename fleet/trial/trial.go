package trial

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
)

// Plan is a set of trials of the same rules.
type Plan struct {
	Alerting fleet.Alerting
	Interval time.Duration // of polls, and of the values of series
	Tests    []Test
}

// Test is one made-up time and what should come of it.
type Test struct {
	Name     string
	Devices  []fleet.DeviceSpec
	Services []fleet.ServiceSpec
	Series   []Series
	Events   []Event
	Expect   []Expect
}

// Series is one thing of one device over time: a sensor, a port's oper state, a
// fact, or an outlet's state. One of the four is named.
type Series struct {
	Device             string
	Sensor, Port, Fact string
	Outlet             int
	Class              fleet.SensorClass
	Unit               string
	Limits             fleet.Limits
	Values             []string // "_": not read
}

// Event is something that happens at a time after the start.
type Event struct {
	After time.Duration
	Event fleet.Event
}

// Expect is what should be there at a time after the start: all alerts that are
// pending or firing, or those of one rule.
type Expect struct {
	After   time.Duration
	Rule    string // "": all
	Alerts  []Alert
	Notices int // told until then; -1: not said
}

// Alert is an alert as it is expected. What is empty is not said.
type Alert struct {
	Rule, Target, Part string
	State              fleet.AlertState
	Severity, HeldBy   string
	Summary            string
}

func (a Alert) String() string {
	s := a.Rule + ":" + a.Target
	if a.Part != "" {
		s += "/" + a.Part
	}
	s += " " + string(cmp.Or(a.State, fleet.AlertFiring))
	for _, x := range [...]string{a.Severity, a.Summary} {
		if x != "" {
			s += " " + x
		}
	}
	if a.HeldBy != "" {
		s += " held by " + a.HeldBy
	}
	return s
}

// Failure is something that came out otherwise than expected.
type Failure struct {
	Test  string
	After time.Duration
	Want  []string
	Got   []string
}

func (f Failure) String() string {
	text := func(list []string) string {
		if len(list) == 0 {
			return "\n      nothing"
		}
		return "\n      " + strings.Join(list, "\n      ")
	}
	return fmt.Sprintf("%s, at %s:\n    expected:%s\n    got:%s", f.Test, f.After, text(f.Want), text(f.Got))
}

// start is when every trial begins: a Monday at midnight.
var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// settleDown bounds how often time is stopped between two polls: for retries,
// and for whatever is due.
const settleDown = 1000

// run is a trial under way.
type run struct {
	test     *Test
	interval time.Duration
	snap     *fleet.Snapshot
	now      time.Time
	notices  int
	sent     int // events that happened
	nudged   map[string]bool
	defs     map[*Series]*fleet.SensorDef
}

// Run plays all trials of a plan and returns what came out otherwise.
func Run(p *Plan) (failures []Failure) {
	for i := range p.Tests {
		failures = append(failures, play(p, &p.Tests[i])...)
	}
	return failures
}

func play(p *Plan, t *Test) (failures []Failure) {
	inv := inventory(p, t)
	r := &run{test: t, interval: p.Interval, now: start, snap: engine.Restore(inv, fleet.Memory{}, start), nudged: map[string]bool{}, defs: map[*Series]*fleet.SensorDef{}}
	expects := slices.Clone(t.Expect)
	slices.SortStableFunc(expects, func(a, b Expect) int { return cmp.Compare(a.After, b.After) })
	slices.SortStableFunc(t.Events, func(a, b Event) int { return cmp.Compare(a.After, b.After) })
	for n := 0; len(expects) > 0; n++ {
		at := start.Add(time.Duration(n) * p.Interval)
		r.poll(n, at)
		next := at.Add(p.Interval)
		for len(expects) > 0 && start.Add(expects[0].After).Before(next) {
			r.flow(n, start.Add(expects[0].After))
			if f := r.hold(&expects[0]); f != nil {
				failures = append(failures, *f)
			}
			expects = expects[1:]
		}
		r.flow(n, next.Add(-time.Nanosecond))
	}
	return failures
}

// inventory is what the trial's devices stand in. Places are made of their names.
func inventory(p *Plan, t *Test) *fleet.Inventory {
	inv := &fleet.Inventory{Alerting: p.Alerting, Devices: slices.Clone(t.Devices), Services: t.Services, Intervals: [3]time.Duration{p.Interval, p.Interval, p.Interval}}
	have := map[string]bool{}
	fresh := func(kind, name string) bool {
		is := name != "" && !have[kind+name]
		have[kind+name] = true
		return is
	}
	for i := range inv.Devices {
		d := &inv.Devices[i]
		d.Region, d.Site = cmp.Or(d.Region, "region"), cmp.Or(d.Site, "site")
		d.Endpoints = []fleet.Endpoint{{Source: sourceOf(d.Kind), Address: "trial"}}
		if fresh("region ", d.Region) {
			inv.Regions = append(inv.Regions, fleet.RegionSpec{Name: d.Region})
		}
		if fresh("site ", d.Site) {
			inv.Sites = append(inv.Sites, fleet.SiteSpec{Name: d.Site, Region: d.Region})
		}
		if fresh("rack ", d.Rack) {
			inv.Racks = append(inv.Racks, fleet.RackSpec{ID: d.Rack, Name: d.Rack, Site: d.Site, Region: d.Region, Units: 42})
		}
		if fresh("feed ", d.Feed) {
			inv.Feeds = append(inv.Feeds, fleet.FeedSpec{Name: d.Feed, Site: d.Site})
		}
	}
	return inv
}

func sourceOf(k fleet.DeviceKind) fleet.Source {
	if k == fleet.KindServer {
		return fleet.SourceIPMI
	}
	return fleet.SourceSNMP
}

// poll is the n-th poll of everything, with what happened until then.
func (r *run) poll(n int, at time.Time) {
	var in []fleet.Input
	for i := range r.test.Devices {
		in = append(in, r.observe(&r.test.Devices[i], n, at))
	}
	r.step(in, at)
}

// flow lets time pass until a moment: for what is due, and for the polls that
// were asked for.
func (r *run) flow(n int, until time.Time) {
	for range settleDown {
		next, in := r.due(until), []fleet.Input{fleet.Tick{}}
		if next.IsZero() {
			break
		}
		for i := range r.test.Devices {
			if d := &r.test.Devices[i]; r.nudged[d.ID] {
				in = append(in, r.observe(d, n, next))
			}
		}
		clear(r.nudged)
		r.step(in, next)
	}
	if r.now.Before(until) {
		r.step([]fleet.Input{fleet.Tick{}}, until)
	}
}

// due is when something is due until a moment, or zero.
func (r *run) due(until time.Time) time.Time {
	const aMoment = 10 * time.Millisecond // what a poll that was asked for takes
	var next time.Time
	if len(r.nudged) > 0 {
		next = r.now.Add(aMoment)
	} else if b := r.snap.Alerts; b != nil {
		for _, t := range r.wakes(b) {
			if t.After(r.now) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	if r.sent < len(r.test.Events) {
		if at := start.Add(r.test.Events[r.sent].After); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.After(until) {
		return time.Time{}
	}
	return next
}

// wakes are the times at which something of a book is due.
func (r *run) wakes(b *fleet.AlertBook) []time.Time {
	out := []time.Time{b.Due}
	if b.CausesDue {
		out = append(out, b.CausesAt.Add(2*time.Second))
	}
	for i := range b.Groups {
		out = append(out, b.Groups[i].Next)
	}
	return out
}

func (r *run) step(in []fleet.Input, at time.Time) {
	for ; r.sent < len(r.test.Events) && !start.Add(r.test.Events[r.sent].After).After(at); r.sent++ {
		e := r.test.Events[r.sent].Event
		e.At, e.ID = start.Add(r.test.Events[r.sent].After), fmt.Sprint("trial ", r.sent)
		o := &fleet.Observation{Target: e.Target, Source: fleet.SourceIPMI, At: at, Events: []fleet.Event{e}}
		in = append(in, o)
	}
	next, out := engine.Step(r.snap, in, at)
	r.snap, r.now = next, at
	r.notices += len(out.Notices)
	for _, id := range out.Nudges {
		r.nudged[id] = true
	}
}

// observe is what a device says at the n-th interval. One of which nothing could
// be read does not answer.
func (r *run) observe(d *fleet.DeviceSpec, n int, at time.Time) *fleet.Observation {
	o := &fleet.Observation{Target: d.ID, Source: sourceOf(d.Kind), Lane: fleet.LaneSlow, At: at}
	said, silent := 0, 0
	for i := range r.test.Series {
		s := &r.test.Series[i]
		if s.Device != d.ID {
			continue
		}
		v := s.Values[min(n, len(s.Values)-1)]
		said++
		if v == "_" {
			silent++
		}
		r.put(o, s, v)
	}
	if said > 0 && said == silent {
		return &fleet.Observation{Target: d.ID, Source: o.Source, Lane: o.Lane, At: at, Err: &fleet.ProbeError{Target: d.ID, Op: "poll", Err: fleet.ErrTimeout}}
	}
	o.SetTable(fleet.TableFacts, fleet.Complete)
	if d.Kind == fleet.KindServer && o.Facts.Get(fleet.FactPower) == "" {
		o.Facts.Set(fleet.FactPower, "on")
	}
	return o
}

// put adds one sample to what a device says.
func (r *run) put(o *fleet.Observation, s *Series, v string) {
	value, err := fleet.ParseNum(v)
	switch {
	case s.Sensor != "":
		x := fleet.Sensor{SensorDef: r.def(s)}
		var st fleet.State
		switch {
		case err == nil:
			x.Value, x.State = value, s.Limits.Judge(value)
		case st.UnmarshalText([]byte(v)) == nil:
			x.State, x.Text = st, v
		}
		o.Sensors = append(o.Sensors, x)
		o.SetTable(fleet.TableSensors, fleet.Complete)
	case s.Port != "":
		oper := v
		if v == "_" {
			oper = ""
		}
		o.Ports = append(o.Ports, fleet.Port{PortDef: &fleet.PortDef{Index: len(o.Ports) + 1, Name: s.Port, Admin: "up", Oper: oper, SpeedBps: fleet.Int(25_000_000_000)}})
		o.SetTable(fleet.TablePorts, fleet.Complete)
	case s.Outlet > 0:
		o.Outlets = append(o.Outlets, fleet.Outlet{Index: s.Outlet, Name: fmt.Sprint("Outlet ", s.Outlet), State: strings.Replace(v, "_", "unknown", 1)})
		o.SetTable(fleet.TableOutlets, fleet.Complete)
	case v == "_":
	case err == nil:
		o.Facts.SetNum(s.Fact, value, false)
	default:
		o.Facts.Set(s.Fact, v)
	}
}

func (r *run) def(s *Series) *fleet.SensorDef {
	if r.defs[s] == nil {
		r.defs[s] = &fleet.SensorDef{ID: s.Sensor, Key: s.Sensor, Name: s.Sensor, Class: s.Class, Unit: s.Unit, Limits: s.Limits}
	}
	return r.defs[s]
}

// hold holds what is there against what was expected; nil: it is so.
func (r *run) hold(e *Expect) *Failure {
	var got []Alert
	if r.snap.Alerts != nil {
		for _, a := range r.snap.Alerts.List {
			if a.Active() && (e.Rule == "" || a.Rule == e.Rule) {
				x := Alert{Rule: a.Rule, Target: a.Target, Part: a.Part, State: a.State, Severity: a.Severity.String(), Summary: a.Summary}
				if a.Held != nil {
					x.HeldBy = a.Held.By
				}
				got = append(got, x)
			}
		}
	}
	f := Failure{Test: r.test.Name, After: e.After}
	for _, a := range got {
		f.Got = append(f.Got, a.String())
	}
	for _, a := range e.Alerts {
		f.Want = append(f.Want, a.String())
	}
	rest := slices.Clone(got)
	ok := len(got) == len(e.Alerts)
	for _, want := range e.Alerts {
		i := slices.IndexFunc(rest, func(a Alert) bool { return meets(&want, &a) })
		if i < 0 {
			ok = false
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if e.Notices >= 0 && e.Notices != r.notices {
		ok = false
		f.Want, f.Got = append(f.Want, fmt.Sprint(e.Notices, " notices")), append(f.Got, fmt.Sprint(r.notices, " notices"))
	}
	if ok {
		return nil
	}
	return &f
}

// meets reports whether an alert is one that was expected. A held one is only
// met by an expectation that says so.
func meets(want, got *Alert) bool {
	return want.Rule == got.Rule && want.Target == got.Target && (want.Part == "" || want.Part == got.Part) && cmp.Or(want.State, fleet.AlertFiring) == got.State &&
		(want.Severity == "" || want.Severity == got.Severity) && want.HeldBy == got.HeldBy && (want.Summary == "" || want.Summary == got.Summary)
}

// MarshalJSON writes a failure for scripts.
func (f Failure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"test": f.Test, "at_s": f.After.Seconds(), "expected": f.Want, "got": f.Got})
}
