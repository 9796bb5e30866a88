package engine

import (
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
)

// step is one step under way: the edits of the tables it has touched so far
// and what it will say.
type step struct {
	prev *fleet.Snapshot
	next fleet.Snapshot
	now  time.Time
	out  fleet.Output

	devices  *fleet.TableEdit[fleet.Device]
	clouds   *fleet.TableEdit[fleet.Cloud]
	touched  map[int]bool // devices whose roll-up may have changed
	stirred  []int        // devices about which there is new evidence
	guests   bool         // hosts, instances or what carries them changed
	elsewise []int        // services whose kept word answers another question
	settler
	rolled  bool // the inventory changed: everything is rolled up anew
	changed bool
	said    map[string]int // events of this step by target and kind

	// rows of clouds on their way back from memory, see Restore
	hosts         []fleet.HostState
	instances     []fleet.InstanceState
	statuses      []*Status // by device; nil: none is kept
	stale         time.Time // when the first word of a workload gets too old; zero: none does
	cloudStatuses map[int]*Status

	weigher
	watcher
}

// Step folds inputs into the next snapshot. prev comes from [Restore] or an
// earlier step and is left as it was. When nothing changed, prev itself is
// returned, so that nobody is woken for nothing. now must not run backwards
// within a batch; a clock that jumped back gives ages of zero, not negative ones.
func Step(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	s := &step{prev: prev, next: *prev, now: now, touched: make(map[int]bool), said: make(map[string]int)}
	s.open()
	for _, x := range in {
		switch x := x.(type) {
		case *fleet.Observation:
			s.observe(x)
		case fleet.Decision:
			s.decide(x)
		case fleet.Reload:
			s.reload(x.Inventory)
		case fleet.Remark:
			s.event("plumb", x.Kind, x.Text, x.Severity, x.Asserted)
			s.changed = true
		case fleet.Summary:
			s.summarise(x)
		case fleet.Receipts:
			s.next.Receivers, s.changed = x.Receivers, true
		case fleet.Tick, fleet.Delivered:
		}
	}
	s.age()
	s.settleNear()
	s.weighMoved()
	s.lapse()
	s.rollUp()
	s.settleJobs()
	s.creditReverts()
	s.survey()
	s.watch()
	return s.close()
}

func (s *step) open() {
	s.devices = s.next.Devices.Edit()
	s.clouds = s.next.Clouds.Edit()
}

func (s *step) close() (*fleet.Snapshot, fleet.Output) {
	s.out.Wake = s.now.Add(max(s.next.Intervals[fleet.LaneFast]/2, time.Second))
	if !s.stale.IsZero() {
		s.out.Wake = earlier(s.out.Wake, s.stale)
	}
	if w := s.watcher.wake; !w.IsZero() {
		s.out.Wake = earlier(s.out.Wake, w)
	}
	if !s.changed {
		return s.prev, s.out
	}
	s.next.Devices = s.devices.Done()
	s.next.Clouds = s.clouds.Done()
	s.next.Version++
	s.next.At = s.now
	s.next.Live = true
	s.next.Recent = newest(s.out.Events, s.prev.Recent, s.now)
	// A copy of its own: a pointer into the step would keep the step, with it
	// the snapshot before, and so every snapshot since the start.
	next := s.next
	return &next, s.out
}

// recentFor is how long an event is news. A log that is read for the first time
// holds years; they belong to its page, not to the alert row.
const recentFor = 24 * time.Hour

// aheadFor is how far ahead a device's clock may be and its events still count
// as news: one set to next year would be the newest for a year.
const aheadFor = 5 * time.Minute

// newest keeps the warn and crit events of the last day, newest first, each
// once: a log that is read again says nothing new.
func newest(events, before []fleet.Event, now time.Time) []fleet.Event {
	type name struct{ target, id string }
	have := make(map[name]bool, len(before))
	news := func(e *fleet.Event) bool {
		n := name{e.Target, e.ID}
		age := now.Sub(e.At)
		if e.Severity == fleet.SeverityInfo || age >= recentFor || age < -aheadFor || have[n] {
			return false
		}
		have[n] = true
		return true
	}
	var fresh []fleet.Event
	for i := range events {
		if news(&events[i]) {
			fresh = append(fresh, events[i])
		}
	}
	if len(fresh) == 0 {
		return before
	}
	for i := range before {
		if news(&before[i]) {
			fresh = append(fresh, before[i])
		}
	}
	slices.SortStableFunc(fresh, func(a, b fleet.Event) int { return b.At.Compare(a.At) })
	if len(fresh) > fleet.MaxRecent { // a storm of warnings must not push out what is worse
		slices.SortStableFunc(fresh, func(a, b fleet.Event) int { return int(b.Severity) - int(a.Severity) })
		fresh = fresh[:fleet.MaxRecent]
		slices.SortStableFunc(fresh, func(a, b fleet.Event) int { return b.At.Compare(a.At) })
	}
	return fresh
}

// decide takes what a person decided: it is durable with this step.
func (s *step) decide(d fleet.Decision) {
	s.out.Audit = append(s.out.Audit, d.Audit...)
	if d.Job != nil {
		s.putJob(*d.Job)
	}
	if d.Change != nil {
		s.changeJob(d.Change)
	}
	for _, r := range d.Rulings {
		s.rule(r)
	}
	if d.Freeze != nil {
		s.freeze(d.Freeze)
	}
	s.silences, s.acks = append(s.silences, d.Silences...), append(s.acks, d.Acks...)
	s.changed = s.changed || d.Job != nil
}

// self is the target of rows about plumb itself.
const self = "plumb"

// freeze throws the switch that stops all writes, or takes it back.
func (s *step) freeze(f *fleet.Freeze) {
	s.changed = true
	if f.By == "" {
		s.next.Freeze = nil
		s.change(self, fleet.TableStatus, "freeze", nil)
		s.event(self, "freeze", "thawed: actions are possible again", fleet.SeverityInfo, false)
		return
	}
	s.next.Freeze = f
	s.change(self, fleet.TableStatus, "freeze", encode(f))
	s.event(self, "freeze", "frozen by "+f.By+": "+f.Reason, fleet.SeverityWarn, true)
}

// change records one row; an error of encoding cannot happen for our nouns and
// would show as a row that reads back as null.
func (s *step) change(target string, table fleet.TableID, row string, value []byte) {
	s.out.Changes = append(s.out.Changes, fleet.Change{Target: target, Table: table, Row: row, At: s.now, Value: value})
}

// event says something in plumb's own name.
func (s *step) event(target, kind, text string, sev fleet.Severity, asserted bool) {
	id := kind + "@" + s.now.UTC().Format(time.RFC3339Nano)
	if n := s.said[target+" "+kind]; n > 0 {
		id += "#" + strconv.Itoa(n) // judged twice in one step
	}
	s.said[target+" "+kind]++
	s.out.Events = append(s.out.Events, fleet.Event{
		ID: id, At: s.now, Target: target,
		Source: "plumb", Type: kind, Text: text, Severity: sev, Asserted: asserted,
	})
}
