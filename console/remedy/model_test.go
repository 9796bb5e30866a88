package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/plan"
)

// TestModel lets several people loose on a small fleet at once, while machines
// fail, lie, are swapped or do not answer, the store is slow or full, and the
// process dies anywhere and starts again. What must hold is checked at every
// write on the wire and at every step that becomes durable: see watchdog. A
// round is about ten minutes of the fleet's time. PLUMB_SOAK=1 runs for minutes;
// PLUMB_SEED repeats one round (as far as the order of goroutines allows).
func TestModel(t *testing.T) {
	rounds, seed := 200, uint64(time.Now().UnixNano())
	switch {
	case os.Getenv("PLUMB_SOAK") == "1":
		rounds = 10000
	case raced:
		rounds = 20
	}
	if s, err := strconv.ParseUint(os.Getenv("PLUMB_SEED"), 10, 64); err == nil {
		rounds, seed = 1, s
	}
	t.Logf("first seed %d, %d rounds", seed, rounds)
	var sum tally
	for n := range rounds {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, seed+uint64(n))
			m.round()
			sum.add(&m.tally)
			if t.Failed() {
				t.Logf("PLUMB_SEED=%d", seed+uint64(n))
			}
		})
	}
	t.Logf("%+v", sum)
	if rounds > 100 && (sum.Sent == 0 || sum.Crashes == 0 || sum.Approved == 0 || sum.Refused == 0 || sum.Denied == 0 || sum.Cancelled == 0 || sum.Verified == 0) {
		t.Errorf("something never happened: %+v", sum)
	}
}

// tally is what happened, so that a model in which nothing does is seen.
type tally struct {
	Jobs, Sent, Crashes, Approved, Refused, Denied, Cancelled, Verified, Failed, Unknown, Late int
}

func (t *tally) add(o *tally) {
	t.Jobs += o.Jobs
	t.Sent += o.Sent
	t.Crashes += o.Crashes
	t.Approved += o.Approved
	t.Refused += o.Refused
	t.Denied += o.Denied
	t.Cancelled += o.Cancelled
	t.Verified += o.Verified
	t.Failed += o.Failed
	t.Unknown += o.Unknown
	t.Late += o.Late
}

// model is a fleet, a store that keeps what it was given, and the process that
// runs on them until it dies.
type model struct {
	*ledger
	watchdog
	t     *testing.T
	calm  bool // no more faults: everything is to come to its end
	over  chan struct{}
	queue chan commit
	life  *life
	world map[string]*machine
}

// life is one process, from its start to its death.
type life struct {
	executor *Executor
	dead     chan struct{}
}

// commit waits for the store.
type commit struct {
	in   []fleet.Input
	of   *life // nil: what was polled
	done chan error
}

// machine is a server or a PDU as it really is.
type machine struct {
	serial  string
	on      bool
	mute    bool // does not answer
	liar    bool // says what it said before
	outlets []bool
	aliases []string // of a switch's ports
	booted  time.Time
}

const servers = 6

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, over: make(chan struct{}), queue: make(chan commit, 1000), world: map[string]*machine{}}
	m.watchdog = newWatchdog(t, seed)
	ep := func(s fleet.Source) []fleet.Endpoint { return []fleet.Endpoint{{Source: s, Address: "127.0.0.1:1"}} }
	inv := &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks:       []fleet.RackSpec{{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}},
		Feeds:       []fleet.FeedSpec{{Name: "A", Site: "ams1"}, {Name: "B", Site: "ams1"}},
		Services:    []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: floor}},
		Intervals:   [3]time.Duration{20 * time.Second, 20 * time.Second, time.Minute},
		Remediation: fleet.Remediation{Budgets: fleet.Budgets{Rack: rackBudget, Feed: 2}, CoolDown: 20 * time.Second, Tries: 3, Soak: 5 * time.Second, Unhealthy: 70},
	}
	for side, name := range []string{"pa", "pb"} {
		inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: name, Kind: fleet.KindPDU, Rack: "ams1/r01", Site: "ams1", Region: "ams", Feed: "AB"[side : side+1], Endpoints: ep(fleet.SourceSNMP)})
		m.world[name] = &machine{serial: "P" + name, on: true, outlets: []bool{true, true, true, true, true, true}}
	}
	inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: "sw", Kind: fleet.KindSwitch, Rack: "ams1/r01", Site: "ams1", Region: "ams", Endpoints: ep(fleet.SourceSNMP)})
	m.world["sw"] = &machine{serial: "Ssw", on: true, aliases: []string{"a", "b", "c", "a", "b", "c"}}
	for k := 1; k <= servers; k++ {
		id := fmt.Sprintf("s%02d", k)
		d := fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Rack: "ams1/r01", Site: "ams1", Region: "ams", Endpoints: ep(fleet.SourceIPMI),
			Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("pa/%d", k)}, {PSU: 2, Outlet: fmt.Sprintf("pb/%d", k)}}}
		if k <= 4 {
			d.Tags = map[string]string{"service": "match"}
		}
		inv.Devices = append(inv.Devices, d)
		m.world[id] = &machine{serial: "S" + id, on: true}
	}
	m.ledger = &ledger{snap: engine.Restore(inv, fleet.Memory{}, time.Now()), news: make(chan struct{}), now: time.Now}
	return m
}

// round lets everybody loose, and then everything come to its end.
func (m *model) round() {
	go m.commits()
	for id := range m.world {
		m.look(id)
	}
	m.boot()
	var people []chan struct{}
	for _, p := range []Person{{User: "ann", Role: fleet.RoleAdmin}, {User: "eve", Role: fleet.RoleAdmin}, {User: "bob", Role: fleet.RoleOperator}, {User: "cyd", Role: fleet.RoleOperator}, {User: "dan", Role: fleet.RoleViewer}} {
		p.From = "10.0.0.1:" + p.User
		done := make(chan struct{})
		people = append(people, done)
		go func() { defer close(done); m.person(p) }()
	}
	go m.polls()
	go m.fate()
	for _, p := range people {
		<-p
	}
	m.set(&m.calm, true)
	for end := time.Now().Add(30 * time.Minute); time.Now().Before(end) && !m.quiet(); { // longer than anything may take
		m.wait(10 * time.Second)
	}
	m.settled(m.Snapshot())
	close(m.over)
	close(m.present().dead)
}

// quiet reports whether everything has come to its end.
func (m *model) quiet() bool {
	for _, j := range m.Snapshot().Jobs {
		waits := func(t string) bool { at := j.Of(t); return at != nil && !at.State.Over() }
		if !j.State.Over() || slices.ContainsFunc(j.Targets, waits) {
			return false
		}
	}
	l := m.present()
	select {
	case <-l.dead:
		return false // the next one is on its way
	default:
	}
	l.executor.mu.Lock()
	defer l.executor.mu.Unlock()
	return len(l.executor.leases) == 0
}

func (m *model) set(b *bool, v bool) { m.guard.Lock(); defer m.guard.Unlock(); *b = v }

func (m *model) present() *life { m.guard.Lock(); defer m.guard.Unlock(); return m.life }

// chance is whether something with that likelihood, in percent, happens now.
func (m *model) chance(percent float64) bool {
	m.guard.Lock()
	defer m.guard.Unlock()
	return !m.calm && m.rng.Float64()*100 < percent
}

func (m *model) upTo(n int) int { m.guard.Lock(); defer m.guard.Unlock(); return m.rng.IntN(n) }

// wait lets time pass, and reports whether the round goes on.
func (m *model) wait(d time.Duration) bool {
	select {
	case <-m.over:
		return false
	case <-time.After(d):
		return true
	}
}

func (m *model) ms(least, most int) time.Duration {
	return time.Duration(least+m.upTo(most-least)) * time.Millisecond
}

// boot starts a process, which settles what the one before it left.
func (m *model) boot() {
	l := &life{dead: make(chan struct{})}
	d := &door{m, l}
	l.executor = New(d, d, slog.New(slog.DiscardHandler), time.Now)
	m.ledger.restart()
	_ = l.executor.Adopt(context.Background(), m.Snapshot().Jobs) // what the store does not take it tries again, while people act
	m.guard.Lock()
	m.life = l
	m.guard.Unlock()
}

// restart makes of the jobs what a start makes of those that it finds.
func (l *ledger) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := *l.snap
	s.Jobs = fleet.Leave(s.Jobs)
	l.snap = &s
}

// die ends a process where it stands, and starts the next one.
func (m *model) die(l *life) {
	m.guard.Lock()
	defer m.guard.Unlock()
	select {
	case <-l.dead:
		return
	default:
	}
	m.tally.Crashes++
	m.troubled = time.Now()
	close(l.dead)
	go func() {
		if m.wait(m.ms(200, 3000)) {
			m.boot()
		}
	}()
}

// settles reports whether something says what became of a job that was left.
func (m *model) settles(in []fleet.Input) bool {
	for _, x := range in {
		if d, ok := x.(fleet.Decision); ok && d.Change != nil {
			for _, j := range m.Snapshot().Jobs {
				if j.ID == d.Change.ID && j.Left {
					return true
				}
			}
		}
	}
	return false
}

// full reports whether the store refuses that: two times in three.
func (m *model) full() bool { return m.chance(66) }

var errFull = errors.New("no space left on device")

// commits is the store: one thing after the other becomes durable, also when
// whoever asked waits no more; what a dead process had in its queue does not.
func (m *model) commits() {
	for {
		var c commit
		select {
		case <-m.over:
			return
		case c = <-m.queue:
		}
		switch {
		case m.chance(1):
			m.wait(m.ms(4000, 9000))
		default:
			m.wait(m.ms(1, 100))
		}
		if c.of != nil {
			select {
			case <-c.of.dead:
				continue
			default:
			}
			if m.chance(0.5) {
				m.die(c.of)
				continue
			}
			if m.chance(0.5) || m.full() && m.settles(c.in) {
				m.trouble()
				c.done <- errFull
				continue
			}
		}
		m.keep(c.in)
		if c.of != nil && m.chance(0.5) {
			m.die(c.of)
		}
		c.done <- nil
	}
}

// look polls a machine.
func (m *model) look(id string) {
	m.guard.Lock()
	x := *m.world[id]
	if k := id[1:]; k[0] == '0' && x.outlets == nil && !m.world["pa"].outlets[k[1]-'1'] && !m.world["pb"].outlets[k[1]-'1'] {
		x.mute, m.world[id].on = true, false // the BMC has no power either
	}
	m.guard.Unlock()
	at := time.Now()
	o := &fleet.Observation{Target: id, Source: fleet.SourceIPMI, At: at}
	switch {
	case x.mute:
		o.Err = &fleet.ProbeError{Target: id, Op: "look", Err: fleet.ErrTimeout}
	case x.outlets != nil:
		o.Source = fleet.SourceSNMP
		o.Facts.Set(fleet.FactSerial, x.serial)
		for k, on := range x.outlets {
			is := "off"
			if on {
				is = "on"
			}
			o.Outlets = append(o.Outlets, fleet.Outlet{Index: k + 1, State: is})
		}
		o.SetTable(fleet.TableFacts, fleet.Complete)
		o.SetTable(fleet.TableOutlets, fleet.Complete)
	case x.aliases != nil:
		o.Source = fleet.SourceSNMP
		o.Facts.Set(fleet.FactSerial, x.serial)
		for k, alias := range x.aliases {
			o.Ports = append(o.Ports, fleet.Port{PortDef: &fleet.PortDef{Index: k + 1, Name: fmt.Sprintf("E%d", k+1), Admin: "up", Oper: "up", Alias: alias}})
		}
		o.SetTable(fleet.TableFacts, fleet.Complete)
		o.SetTable(fleet.TablePorts, fleet.Complete)
	default:
		is := "off"
		if x.on || x.liar {
			is = "on"
		}
		o.Facts.Set(fleet.FactSerial, x.serial)
		o.Facts.Set(fleet.FactPower, is)
		o.SetTable(fleet.TableFacts, fleet.Complete)
		if !x.booted.IsZero() {
			o.Events = []fleet.Event{{ID: "boot" + x.booted.String(), Target: id, Source: "sel", Type: "System Boot Initiated", Text: "power up", At: x.booted}}
		}
	}
	m.queue <- commit{in: []fleet.Input{o}, done: make(chan error, 1)}
}

func (m *model) polls() {
	for m.wait(m.ms(500, 2500)) {
		ids := []string{"pa", "pb", "sw", "s01", "s02", "s03", "s04", "s05", "s06"}
		if id := ids[m.upTo(len(ids))]; !m.chance(5) {
			m.look(id)
		}
		m.queue <- commit{in: []fleet.Input{fleet.Tick{}}, done: make(chan error, 1)}
	}
}

// fate breaks machines, and mends them.
func (m *model) fate() {
	for m.wait(m.ms(1000, 30000)) {
		m.guard.Lock()
		id := fmt.Sprintf("s%02d", 1+m.rng.IntN(servers))
		x := m.world[id]
		switch n := m.rng.IntN(10); {
		case m.calm:
			x.mute, x.liar = false, false
		case n == 0:
			x.mute = !x.mute
		case n == 1:
			x.liar = !x.liar
		case n == 2:
			x.serial += "x"
		case n == 3:
			x.on = false
		case n < 6:
			x.on, x.mute, x.liar = true, false, false
		}
		if sw := m.world["sw"]; !m.calm { // somebody types at the switch itself
			sw.aliases = slices.Clone(sw.aliases)
			sw.aliases[m.rng.IntN(len(sw.aliases))] = "abc"[m.rng.IntN(3):][:1]
		}
		m.guard.Unlock()
	}
}

// person does this and that for ten minutes.
func (m *model) person(p Person) {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		m.wait(m.ms(500, 25000))
		l, done := m.present(), make(chan struct{})
		go func() { defer close(done); m.does(l.executor, p) }() // it may die with the process
		<-done
	}
}

// does is one thing that a person does, and what they are told.
func (m *model) does(e *Executor, p Person) {
	s := m.Snapshot()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var job string
	if len(s.Jobs) > 0 {
		job = s.Jobs[m.upTo(min(len(s.Jobs), 4))].ID
	}
	var err error
	began, word := time.Now(), ""
	switch n := m.upTo(20); {
	case n < 11:
		word, err = m.asks(ctx, e, p)
	case n < 15:
		word = "approve"
		_, err = e.Approve(ctx, p, job)
	case n < 16:
		word = "refuse"
		_, err = e.Decline(ctx, p, job, "no")
	case n < 18:
		word = "cancel"
		if _, err = e.Cancel(ctx, p, job); err == nil {
			m.cancelled(job)
		}
	case n < 19:
		word = "freeze"
		err = e.Freeze(ctx, p, fleet.Freeze{By: p.User, Reason: "event", At: time.Now(), Until: time.Now().Add(m.ms(1000, 40000))})
	default:
		word = "thaw"
		err = e.Freeze(ctx, p, fleet.Freeze{Reason: "over"})
	}
	m.told(p, word, began, err)
}

// asks for something to be done, to one or a few.
func (m *model) asks(ctx context.Context, e *Executor, p Person) (word string, err error) {
	kinds := []fleet.ActionKind{fleet.ActReset, fleet.ActPowerCycle, fleet.ActPowerOff, fleet.ActPowerOn, fleet.ActPowerOn, fleet.ActIdentify, fleet.ActOutletOff, fleet.ActOutletOn, fleet.ActPortAlias}
	r := Request{Person: p, Action: kinds[m.upTo(len(kinds))], Reason: "why not", BreakGlass: m.chance(5)}
	if r.Action == fleet.ActPortAlias {
		r.Args = map[string]string{"alias": "abc"[m.upTo(3):][:1]}
	}
	many := []int{1, 1, 1, 2, 3, 0}
	if r.Action == fleet.ActPortAlias { // in waves, with time for somebody to come between
		many = []int{1, 2, 3, 3, 4, 4}
	}
	for range many[m.upTo(6)] {
		id := fmt.Sprintf("s%02d", 1+m.upTo(servers))
		if r.Action.Spec().On == fleet.OnOutlet {
			id = []string{"pa", "pb"}[m.upTo(2)] + "/" + strconv.Itoa(1+m.upTo(servers))
		}
		if r.Action.Spec().On == fleet.OnPort {
			id = "sw/E" + strconv.Itoa(1+m.upTo(servers))
		}
		r.Targets = append(r.Targets, id)
	}
	shown := e.Plan(r)
	r.Typed = plan.Challenge(&shown)
	_, err = e.Run(ctx, r)
	return string(r.Action), err
}
