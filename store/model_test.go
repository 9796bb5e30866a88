package store

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// The model test runs random operations against the store and against a twin
// in memory that is too simple to be wrong, in fake time, so that hours of
// parts, merges and restarts pass in seconds. PLUMB_SOAK=1 runs it for minutes.
func TestModel(t *testing.T) {
	budget := 5 * time.Second
	if os.Getenv("PLUMB_SOAK") == "1" {
		budget = 5 * time.Minute
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		defer flag.Set("rapid.checks", f.DefValue)
		if err := flag.Set("rapid.checks", "3"); err != nil {
			t.Fatal(err)
		}
	}
	for began := time.Now(); time.Since(began) < budget && !t.Failed(); {
		synctest.Test(t, func(t *testing.T) {
			rapid.Check(bubbled{t}, func(rt *rapid.T) {
				m := newTwin(rt)
				defer m.close()
				rt.Repeat(map[string]func(*rapid.T){
					"poll":     m.poll,
					"rows":     m.rows,
					"events":   m.tell,
					"decide":   m.decide,
					"remote":   m.remote,
					"backfill": m.backfill,
					"wait":     m.wait,
					"reopen":   m.reopen,
					"backup":   m.backup,
					"notify":   m.notify,
					"deliver":  m.deliver,
					"intend":   m.intend,
					"age":      m.age,
					"":         m.check,
				})
			})
		})
	}
}

// bubbled hides that it is a testing.T: rapid would ask it for its deadline,
// which cannot be told in fake time.
type bubbled struct{ *testing.T }

var modelTargets = []string{"s1", "s2", "rack/pdu"}

// modelLayouts are what a target's polls hold, now and after a re-read.
var modelLayouts = [][]fleet.SeriesKey{{gauge, octets}, {octets, health, gauge}}

type twin struct {
	t      *rapid.T
	dir    string
	s      *Store
	cancel context.CancelFunc
	done   chan error
	unique int64 // ms, so that no two polls of one target share a time

	samples  map[string]map[fleet.SeriesKey]map[int64]fleet.Num
	latest   map[string]fleet.Change
	history  []fleet.Change
	events   map[string]fleet.Event
	jobs     map[string]fleet.Job
	audit    int
	applied  map[fleet.Origin]bool
	imported int
	notices  []fleet.Notice
	intended []intention
	keeps    Retention
}

func newTwin(t *rapid.T) *twin {
	dir, err := os.MkdirTemp("", "plumb-model")
	if err != nil {
		t.Fatal(err)
	}
	m := &twin{t: t, dir: dir, samples: map[string]map[fleet.SeriesKey]map[int64]fleet.Num{}, latest: map[string]fleet.Change{},
		events: map[string]fleet.Event{}, jobs: map[string]fleet.Job{}, applied: map[fleet.Origin]bool{}, keeps: drawRetention(t)}
	m.open(t)
	return m
}

func (m *twin) open(t *rapid.T) {
	cfg := testConfig(m.dir)
	cfg.Retention = m.keeps
	s, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 3, spread: 3, age: 5 * time.Minute, fresh: 2 * time.Minute, grace: time.Second, house: 2, journal: 16 << 10}
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(context.Background())
	m.s, m.done = s, make(chan error, 1)
	go func() { m.done <- s.Run(ctx, &fleet.Snapshot{}, testStep, nil) }()
}

func (m *twin) shut(t *rapid.T) {
	m.cancel()
	if err := <-m.done; err != nil {
		t.Fatal(err)
	}
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
}

func (m *twin) close() {
	m.shut(m.t)
	os.RemoveAll(m.dir)
}

func (m *twin) apply(t *rapid.T, in ...fleet.Input) {
	if err := m.s.Apply(context.Background(), in...); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func modelObs(p payload) *fleet.Observation {
	return obs(nopTB{}, p)
}

// nopTB lets helpers be used where a rapid.T stands in for a testing.T; their
// only failure is a payload that is not JSON, which would panic in the step.
type nopTB struct{ testing.TB }

func (nopTB) Helper() {}

func (m *twin) now() time.Time {
	m.unique++
	return time.Now().UTC().Truncate(time.Minute).Add(time.Duration(m.unique%50000) * time.Millisecond)
}

func drawNum(t *rapid.T) fleet.Num {
	switch rapid.IntRange(0, 9).Draw(t, "value kind") {
	case 0:
		return fleet.Num{}
	case 1:
		return fleet.Int(rapid.Int64().Draw(t, "wide"))
	case 2:
		return fleet.Dec(rapid.Int64Range(-1e6, 1e6).Draw(t, "scaled"), int8(-rapid.IntRange(0, 3).Draw(t, "scale")))
	}
	return fleet.Dec(rapid.Int64Range(200, 220).Draw(t, "calm"), -1)
}

// drawReadings makes a poll at a time and notes it in the twin.
func (m *twin) drawReadings(t *rapid.T, target string, at time.Time) fleet.Readings {
	keys := rapid.SampledFrom(modelLayouts).Draw(t, "layout")
	r := fleet.Readings{Target: target, At: at, Keys: keys}
	if m.samples[target] == nil {
		m.samples[target] = map[fleet.SeriesKey]map[int64]fleet.Num{}
	}
	for _, k := range keys {
		v := drawNum(t)
		r.Values = append(r.Values, v)
		if m.samples[target][k] == nil {
			m.samples[target][k] = map[int64]fleet.Num{}
		}
		m.samples[target][k][toMs(at)] = v
	}
	return r
}

func (m *twin) poll(t *rapid.T) {
	var p payload
	for range rapid.IntRange(1, 6).Draw(t, "polls") {
		at := m.now()
		if rapid.IntRange(0, 9).Draw(t, "late") == 0 {
			at = at.Add(-time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
		}
		p.Readings = append(p.Readings, m.drawReadings(t, rapid.SampledFrom(modelTargets).Draw(t, "target"), at))
	}
	if rapid.Bool().Draw(t, "twice") {
		m.apply(t, modelObs(p))
	}
	m.apply(t, modelObs(p))
}

func changeKey(c fleet.Change) string { return fmt.Sprint(c.Target, "|", c.Table, "|", c.Row) }

func (m *twin) rows(t *rapid.T) {
	var p payload
	for range rapid.IntRange(1, 5).Draw(t, "rows") {
		c := fleet.Change{
			Target: rapid.SampledFrom(modelTargets).Draw(t, "target"),
			Table:  fleet.TableID(rapid.IntRange(0, fleet.NumTables-1).Draw(t, "table")),
			Row:    rapid.SampledFrom([]string{"", "a", "ab", "eth0"}).Draw(t, "row"),
			At:     m.now(),
		}
		if rapid.IntRange(0, 3).Draw(t, "gone") > 0 {
			c.Value = []byte(fmt.Sprintf(`{"n":%d}`, rapid.Int().Draw(t, "n")))
		}
		p.Changes = append(p.Changes, c)
		m.history = append(m.history, c)
		if m.latest[changeKey(c)] = c; c.Value == nil {
			delete(m.latest, changeKey(c))
		}
	}
	m.apply(t, modelObs(p))
}

func (m *twin) tell(t *rapid.T) {
	var p payload
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		e := fleet.Event{
			ID: fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id")), Target: rapid.SampledFrom(modelTargets).Draw(t, "target"),
			At: m.now(), Text: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text"), Severity: fleet.Severity(rapid.IntRange(0, 2).Draw(t, "severity")),
		}
		if was, ok := m.events[e.Target+"|"+e.ID]; ok && was.At.Before(m.horizon(m.keeps.longest()-time.Hour)) {
			continue // whether it is still known depends on how far the sweep has come
		}
		p.Events = append(p.Events, e)
		if _, ok := m.events[e.Target+"|"+e.ID]; !ok {
			m.events[e.Target+"|"+e.ID] = e
		}
	}
	m.apply(t, modelObs(p))
}

func (m *twin) decide(t *rapid.T) {
	j := fleet.Job{
		ID: fmt.Sprint("j", rapid.IntRange(0, 9).Draw(t, "job")), Began: m.now(),
		State: rapid.SampledFrom([]fleet.JobState{fleet.JobRunning, fleet.JobVerified, fleet.JobFailed}).Draw(t, "state"),
	}
	m.jobs[j.ID] = j
	m.audit++
	m.apply(t, fleet.Decision{Job: &j, Audit: []fleet.AuditEntry{{Who: rapid.String().Draw(t, "who"), Action: "act"}}})
}

func (m *twin) remote(t *rapid.T) {
	from := fleet.Origin{Cell: "ams", Epoch: uint64(rapid.IntRange(1, 2).Draw(t, "epoch")), Seq: uint64(rapid.IntRange(1, 20).Draw(t, "seq"))}
	o := modelObs(payload{Audit: []fleet.AuditEntry{{Who: "hub"}}})
	o.Origin = from
	if !m.applied[from] {
		m.applied[from] = true
		m.audit++
	}
	m.apply(t, o)
}

func (m *twin) backfill(t *rapid.T) {
	target := rapid.SampledFrom(append(slices.Clone(modelTargets), "new")).Draw(t, "target")
	before := toMs(m.now()) // not the clock's own: what is late comes whole minutes before it, and nothing else of its time
	for _, series := range m.samples[target] {
		for at := range series {
			before = min(before, at)
		}
	}
	n, step := rapid.IntRange(1, 30).Draw(t, "n"), rapid.SampledFrom([]time.Duration{time.Minute, 17 * time.Minute}).Draw(t, "step")
	oldest := time.Now().Add(-m.keeps.Raw)
	var rows []fleet.Readings
	for i := range n {
		at := fromMs(before).Add(-time.Duration(i+1) * step)
		if at.After(oldest) {
			rows = append(rows, m.drawReadings(t, target, at))
		}
	}
	var seq iter.Seq[fleet.Readings] = slices.Values(rows)
	if got, err := m.s.Backfill(context.Background(), "model", seq); err != nil || got != len(rows) {
		t.Fatalf("Backfill took %d of %d, %v", got, len(rows), err)
	}
	m.imported += len(rows)
}

func (m *twin) wait(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 150).Draw(t, "minutes")) * time.Minute)
}

func (m *twin) reopen(t *rapid.T) {
	m.shut(t)
	m.open(t)
}

// backup goes on from a copy.
func (m *twin) backup(t *rapid.T) {
	dir, err := os.MkdirTemp("", "plumb-model")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.s.Backup(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	m.shut(t)
	os.RemoveAll(m.dir)
	m.dir = dir
	m.open(t)
}
