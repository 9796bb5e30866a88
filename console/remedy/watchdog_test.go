package remedy

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
	"plumb/fleet/trace"
)

// Bounds of the model's fleet.
const (
	floor      = 2 // of the four replicas of match
	rackBudget = 7
)

// moment is how old a judgement may be when the write goes out: "begun" must
// have become durable between the two.
const moment = keepWithin + time.Second

// watchdog holds what must be true of every write and of everything that
// becomes durable. It knows the fleet as it is and what was sent, and nothing of
// how the executor came to it.
type watchdog struct {
	dog   *testing.T
	guard sync.Mutex // guards what follows, and what the model shares
	rng   *rand.Rand
	tally tally

	flying   map[string]bool      // wires in use
	sent     map[string]bool      // by job and target
	takes    []time.Time          // all that took something from its work
	changed  map[string]time.Time // when a target was last seen to be another, or in another state
	stop     map[string]time.Time // when a job was cancelled, or surprised
	frozen   time.Time            // when the present freeze became durable
	troubled time.Time            // when the store last failed somebody, or a process died
	vain     map[string]int       // tries of each person that came to nothing
}

func newWatchdog(t *testing.T, seed uint64) watchdog {
	return watchdog{dog: t, rng: rand.New(rand.NewPCG(seed, 0)), flying: map[string]bool{}, sent: map[string]bool{}, changed: map[string]time.Time{}, stop: map[string]time.Time{}, vain: map[string]int{}}
}

func (w *watchdog) trouble() { w.guard.Lock(); defer w.guard.Unlock(); w.troubled = time.Now() }

// cancelled notes that somebody was told that a job is stopped.
func (w *watchdog) cancelled(job string) {
	w.guard.Lock()
	defer w.guard.Unlock()
	w.stops(job, time.Now())
}

func (w *watchdog) stops(job string, at time.Time) {
	if was, ok := w.stop[job]; !ok || at.Before(was) {
		w.stop[job] = at
	}
}

// sends judges a write on the wire. What it returns says that the wire is free
// again.
func (m *model) sends(wire string, a fleet.Action) (end func()) {
	m.guard.Lock()
	defer m.guard.Unlock()
	s := m.Snapshot()
	m.tally.Sent++
	j := turnOf(s, a)
	if j == nil {
		m.dog.Errorf("%s %s is sent, and no job on record has begun with it", a.Kind, a.Target)
		return func() {}
	}
	if m.flying[wire] {
		m.dog.Errorf("%s %s: somebody else is acting on %s", a.Kind, a.Target, wire)
	}
	for i := range s.Jobs {
		if o := &s.Jobs[i]; slices.ContainsFunc(o.Targets, func(t string) bool { w, _, _ := strings.Cut(t, "/"); return w == wire && o.Holds(t) }) {
			m.dog.Errorf("%s %s is sent while nobody knows what became of %s %v, which was left", a.Kind, a.Target, o.ID, o.Targets)
		}
	}
	if m.sent[j.ID+a.Target] {
		m.dog.Errorf("%s %s is sent twice for %s", a.Kind, a.Target, j.ID)
	}
	if m.audited(j, a) < m.of(j, a) {
		m.dog.Errorf("%s %s is not in the audit log", a.Kind, a.Target)
	}
	if j.Planned.NeedsApproval() && !j.BrokeGlass && (j.ApprovedBy == "" || j.ApprovedBy == j.By) {
		m.dog.Errorf("%s %s of %s is sent, approved by %q", a.Kind, a.Target, j.By, j.ApprovedBy)
	}
	m.holds(s, j, a)
	if a.Kind.Spec().Takes && !j.BrokeGlass {
		m.bounded(s, j, a)
	}
	if a.Kind.Spec().Takes {
		m.takes = append(m.takes, time.Now())
	}
	m.flying[wire], m.sent[j.ID+a.Target] = true, true
	return func() { m.guard.Lock(); defer m.guard.Unlock(); m.flying[wire] = false }
}

// turnOf is the job whose turn a write is.
func turnOf(s *fleet.Snapshot, a fleet.Action) *fleet.Job {
	for i := range s.Jobs {
		j := &s.Jobs[i]
		if at := j.Of(a.Target); j.Action == a.Kind && j.State == fleet.JobRunning && at != nil && at.Name == "begin" && at.State == fleet.JobRunning {
			return j
		}
	}
	return nil
}

// audited counts what the log has begun of the like of a write, of how many
// there must be.
func (m *model) audited(j *fleet.Job, a fleet.Action) (n int) {
	for _, e := range m.entries() {
		if e.Outcome == "begun" && e.Who == j.By && e.Action == string(a.Kind) && e.Target == a.Target {
			n++
		}
	}
	return n
}

func (m *model) of(j *fleet.Job, a fleet.Action) (n int) {
	for _, x := range m.Snapshot().Jobs {
		if x.By == j.By && x.Action == a.Kind && m.sent[x.ID+a.Target] {
			n++
		}
	}
	return n + 1
}

func (l *ledger) entries() []fleet.AuditEntry { l.mu.Lock(); defer l.mu.Unlock(); return l.audit }

// holds compares a write with what its target is now: what was planned for one
// machine in one state is not done to another.
func (m *model) holds(s *fleet.Snapshot, j *fleet.Job, a fleet.Action) {
	device, part, _ := strings.Cut(a.Target, "/")
	d := s.Devices.Get(device)
	for _, t := range j.Planned.Targets {
		if t.ID != a.Target || time.Since(m.changed[a.Target]) <= moment {
			continue
		}
		is := "power " + d.Power.String()
		switch {
		case d.Port(part) != nil:
			is = "alias " + d.Port(part).Alias
		case part != "":
			is = "outlet " + outletOf(d, part)
		}
		if serial := d.Facts.Get(fleet.FactSerial); serial != t.Serial || a.Serial != serial {
			m.dog.Errorf("%s %s was planned for %s, sent for %s, and there stands %s", a.Kind, a.Target, t.Serial, a.Serial, serial)
		}
		if t.Before != "" && t.Before != is {
			m.dog.Errorf("%s %s was planned for %q, and it is %q", a.Kind, a.Target, t.Before, is)
		}
		if age := time.Since(d.SeenAt); age > 2*s.Intervals[fleet.LaneFast]+moment {
			m.dog.Errorf("%s %s is sent, last seen %s ago", a.Kind, a.Target, age)
		}
	}
}

func outletOf(d *fleet.Device, no string) string {
	for _, o := range d.Outlets {
		if string(rune('0'+o.Index)) == no {
			return o.State
		}
	}
	return ""
}

// bounded holds a write that takes something from its work against the budgets
// and against the floor of its service.
func (m *model) bounded(s *fleet.Snapshot, j *fleet.Job, a fleet.Action) {
	if len(m.takes) >= rackBudget {
		m.dog.Errorf("%s %s is beyond the budget of %d", a.Kind, a.Target, rackBudget)
	}
	gone := map[string]bool{} // by what others did, and nobody has seen the end of
	for i := range s.Jobs {
		o := &s.Jobs[i]
		for _, t := range o.Targets {
			at := o.Of(t)
			if o.ID != j.ID && o.Action.Spec().Takes && at != nil && (at.State == fleet.JobRunning || at.State == fleet.JobAccepted) {
				gone[t] = true
			}
		}
	}
	own := maps.Clone(gone)
	for _, t := range j.Targets {
		if at := j.Of(t); at != nil && (at.State == fleet.JobRunning || at.State == fleet.JobAccepted) {
			own[t] = true
		}
	}
	left, loses := 0, false
	v := s.Services.Get("match")
	for _, n := range v.Devices {
		d := s.Devices.At(n)
		id := d.Spec.ID
		running := trace.Running(d.State)
		was, is := gone[id] || m.dark(s, id, gone), own[id] || m.dark(s, id, own)
		loses = loses || running && is && !was
		if !is && (running || time.Since(m.changed[id]) <= moment) {
			left++
		}
	}
	switch {
	case !loses || time.Since(m.changed["outlets"]) <= moment:
	case left < floor:
		m.dog.Errorf("%s %s leaves %d of match, its floor is %d", a.Kind, a.Target, left, floor)
	case left == floor && j.ApprovedBy == "" && time.Since(m.changed["service"]) > moment:
		m.dog.Errorf("%s %s leaves match at its floor, and nobody agreed", a.Kind, a.Target)
	}
}

// dark reports whether an outlet of a server goes, and both are off then. What
// an outlet that was off before did to it is in its state.
func (m *model) dark(s *fleet.Snapshot, id string, gone map[string]bool) bool {
	if !gone["pa/"+id[2:]] && !gone["pb/"+id[2:]] {
		return false
	}
	for _, pdu := range []string{"pa", "pb"} {
		if outlet := pdu + "/" + id[2:]; !gone[outlet] && outletOf(s.Devices.Get(pdu), id[2:]) != "off" {
			return false
		}
	}
	return true
}

// keep makes something durable, and judges it.
func (m *model) keep(in []fleet.Input) {
	m.guard.Lock()
	defer m.guard.Unlock()
	before := m.Snapshot()
	if err := m.ledger.Apply(context.Background(), in...); err != nil {
		m.dog.Error(err)
	}
	after := m.Snapshot()
	m.notes(before, after)
	for _, x := range in {
		d, ok := x.(fleet.Decision)
		switch {
		case !ok:
		case d.Job != nil:
			m.tally.Jobs++
			m.begins(before, after, d.Job.ID, d.Job.Steps)
		case d.Change != nil:
			m.begins(before, after, d.Change.ID, d.Change.Steps)
		}
	}
	if f := after.Freeze; f != before.Freeze {
		m.frozen = time.Now()
	}
}

// notes remembers when something was last seen to change.
func (m *model) notes(before, after *fleet.Snapshot) {
	for id, d := range after.Devices.All() {
		was := before.Devices.Get(id)
		if was == d {
			continue
		}
		for i := range d.Ports {
			if p, old := &d.Ports[i], was.Port(d.Ports[i].Name); old == nil || old.Alias != p.Alias {
				m.changed[id+"/"+p.Name] = time.Now()
			}
		}
		if was.Facts.Get(fleet.FactSerial) != d.Facts.Get(fleet.FactSerial) || was.Power != d.Power || was.State != d.State {
			m.changed[id], m.changed["service"] = time.Now(), time.Now()
		}
		for _, o := range d.Outlets {
			no := string(rune('0' + o.Index))
			if outletOf(was, no) != o.State || was.Facts.Get(fleet.FactSerial) != d.Facts.Get(fleet.FactSerial) {
				m.changed[id+"/"+no], m.changed["outlets"], m.changed["service"] = time.Now(), time.Now(), time.Now()
			}
		}
	}
}

// begins judges the turns that are put on record, by what was known when each
// came.
func (m *model) begins(before, after *fleet.Snapshot, id string, steps []fleet.JobStep) {
	var j *fleet.Job
	for i := range after.Jobs {
		if after.Jobs[i].ID == id {
			j = &after.Jobs[i]
		}
	}
	if j == nil {
		return // the store never took it, and nothing was sent
	}
	if j.ApprovedBy != "" && j.ApprovedBy == j.By {
		m.dog.Errorf("%s approved its own %s", j.By, id)
	}
	for _, x := range steps {
		switch {
		case x.Name == "begin" && x.State == fleet.JobRunning:
			if at, ok := m.stop[id]; ok && x.At.After(at) {
				m.dog.Errorf("%s begins with %s at %s, and was stopped at %s", id, x.Target, x.At.Format(time.StampMilli), at.Format(time.StampMilli))
			}
			if f := before.Freeze; f.Holds(x.At) && x.At.After(m.frozen) && !j.BrokeGlass {
				m.dog.Errorf("%s begins with %s in a freeze", id, x.Target)
			}
		case x.State == fleet.JobFailed || x.State == fleet.JobUnknown || x.State == fleet.JobRefused:
			m.stops(id, x.At)
		}
	}
}

// told judges what a person hears, and that a try that came to nothing is on
// record.
func (m *model) told(p Person, word string, began time.Time, err error) {
	m.guard.Lock()
	defer m.guard.Unlock()
	switch {
	case err == nil && (p.Role < fleet.RoleOperator || word == "approve" && p.Role < fleet.RoleAdmin):
		m.dog.Errorf("%s, who is %s, may %s", p.User, p.Role, word)
	case err == nil:
		return
	}
	if m.vain[p.User]++; !m.troubled.Before(began) {
		return
	}
	outcome := "refused"
	switch {
	case errors.Is(err, ErrDenied):
		outcome = "denied"
		m.tally.Denied++
	case errors.Is(err, ErrRefused):
		m.tally.Refused++
	default:
		m.dog.Errorf("%s: %s: %v", p.User, word, err)
	}
	for _, e := range m.entries() {
		if e.Who == p.User && e.From == p.From && e.Outcome == outcome && strings.HasPrefix(e.Action, word) && !e.At.Before(began) && e.Reason != "" {
			return
		}
	}
	if m.vain[p.User] <= ration.Burst { // what is more may be counted only
		m.dog.Errorf("%s was told %q, and that is not on record", p.User, err)
	}
}

// settled judges the end of a round: everything came to an end that is on
// record, and nobody holds anything.
func (m *model) settled(s *fleet.Snapshot) {
	m.guard.Lock()
	defer m.guard.Unlock()
	began, ended := map[string]int{}, map[string]int{}
	for _, e := range m.entries() {
		key := e.Who + " " + e.Action + " " + e.Target
		switch e.Outcome {
		case "begun":
			began[key]++
		case "done", "failed", "unknown", "refused":
			ended[key]++
		}
	}
	for i := range s.Jobs {
		j := &s.Jobs[i]
		if !j.State.Over() || j.Ended.IsZero() {
			m.dog.Errorf("%s %s %v is %s for ever: %+v", j.ID, j.Action, j.Targets, j.State, j.Steps)
		}
		for _, t := range j.Targets {
			at := j.Of(t)
			if at != nil && !at.State.Over() {
				m.dog.Errorf("%s: nobody knows what came of %s: %+v", j.ID, t, j.Steps)
			}
			if key := j.By + " " + string(j.Action) + " " + t; ended[key] < began[key] {
				m.dog.Errorf("%s was begun %d times and ended %d times in the audit log", key, began[key], ended[key])
			}
		}
		switch j.State {
		case fleet.JobVerified:
			m.tally.Verified++
		case fleet.JobFailed:
			m.tally.Failed++
		case fleet.JobUnknown:
			m.tally.Unknown++
		case fleet.JobCancelled:
			m.tally.Cancelled++
		}
		if j.ApprovedBy != "" {
			m.tally.Approved++
		}
	}
	e := m.life.executor
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.leases) > 0 || len(e.stopped) > 0 {
		m.dog.Errorf("left behind: leases %v, stopped %v", e.leases, e.stopped)
	}
}
