package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

func (m *twin) check(t *rapid.T) {
	ctx := context.Background()
	report, err := m.s.Verify(ctx)
	if err != nil || !report.OK() {
		t.Fatalf("Verify: %v, %v", report.Problems, err)
	}
	if report.Audit.Seq != uint64(m.audit) {
		t.Fatalf("%d audit entries, want %d", report.Audit.Seq, m.audit)
	}
	from := toMs(m.horizon(m.keeps.Raw))
	for target, series := range m.samples {
		for key, want := range series {
			got, err := m.s.samples(ctx, target, key, from, toMs(maxTime))
			if err != nil {
				t.Fatal(err)
			}
			var times []int64
			for _, at := range slices.Sorted(maps.Keys(want)) {
				if at >= from {
					times = append(times, at)
				}
			}
			if len(got) != len(times) {
				t.Fatalf("%s %v: %d samples, want %d", target, key, len(got), len(times))
			}
			for i, at := range times {
				if w := want[at]; got[i].at != at || got[i].v.String() != w.String() {
					t.Fatalf("%s %v: sample %d is %+v, want %+v at %d", target, key, i, got[i], w, at)
				}
			}
			m.checkSteps(t, ctx, target, key, want)
		}
	}
	m.checkState(t, ctx)
}

func (m *twin) checkState(t *rapid.T, ctx context.Context) {
	mem, err := m.s.Memory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(mem.Latest()) != len(m.latest) {
		t.Fatalf("%d latest rows, want %d", len(mem.Latest()), len(m.latest))
	}
	for _, c := range mem.Latest() {
		if w := m.latest[changeKey(c)]; string(w.Value) != string(c.Value) || !w.At.Equal(c.At) {
			t.Fatalf("latest %+v, want %+v", c, w)
		}
	}
	past, since := 0, m.horizon(m.keeps.longest())
	for _, target := range modelTargets {
		for table := range fleet.TableID(fleet.NumTables) {
			h, err := m.s.History(ctx, target, table, since)
			if err != nil {
				t.Fatal(err)
			}
			past += len(h)
		}
		events, err := m.s.Events(ctx, target, since, time.Time{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range m.events {
			if e.Target == target && !e.At.Before(since) {
				n++
			}
		}
		if len(events) != n || !slices.IsSortedFunc(events, func(a, b fleet.Event) int { return b.At.Compare(a.At) }) {
			t.Fatalf("%d events of %s, want %d, newest first", len(events), target, n)
		}
		for _, e := range events {
			if w := m.events[target+"|"+e.ID]; w.Text != e.Text || !w.At.Equal(e.At) {
				t.Fatalf("event %+v, want %+v", e, w)
			}
		}
	}
	want := 0
	for _, c := range m.history {
		if !c.At.Before(since) {
			want++
		}
	}
	if past != want {
		t.Fatalf("%d changes in the past, want %d", past, want)
	}
	m.checkPast(t, ctx)
	m.checkOutbox(t, ctx)
	m.checkIntended(t)
	jobs, err := m.s.Jobs(ctx, 0)
	if err != nil || len(jobs) != len(m.jobs) {
		t.Fatalf("%d jobs, want %d, %v", len(jobs), len(m.jobs), err)
	}
	for _, j := range jobs {
		if m.jobs[j.ID].State != j.State {
			t.Fatalf("job %+v, want %+v", j, m.jobs[j.ID])
		}
	}
	rows := 0
	src, err := m.s.Sources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range src {
		rows += s.Rows
	}
	if rows != m.imported {
		t.Fatalf("%d imported rows, want %d", rows, m.imported)
	}
}

// checkPast compares the fleet as of a time: of each row the version said last
// if it is not after that time, else the newest that is not; of each target
// the newest poll.
func (m *twin) checkPast(t *rapid.T, ctx context.Context) {
	at := time.Now().UTC().Add(-time.Duration(rapid.IntRange(-2, 400).Draw(t, "minutes ago")) * time.Minute)
	mem, err := m.s.At(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	last, then := map[string]fleet.Change{}, map[string]fleet.Change{}
	for _, c := range m.history {
		key := changeKey(c)
		last[key] = c
		if was, ok := then[key]; !c.At.After(at) && (!ok || c.At.After(was.At)) {
			then[key] = c
		}
	}
	for key, c := range last {
		if !c.At.After(at) {
			then[key] = c
		}
		if then[key].Value == nil {
			delete(then, key)
		}
	}
	if len(mem.Latest()) != len(then) || !slices.IsSortedFunc(mem.Latest(), func(a, b fleet.Change) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Row, b.Row))
	}) {
		t.Fatalf("%d rows as of %v, want %d, in order", len(mem.Latest()), at, len(then))
	}
	for _, c := range mem.Latest() {
		if w := then[changeKey(c)]; string(w.Value) != string(c.Value) || !w.At.Equal(c.At) {
			t.Fatalf("as of %v: %+v, want %+v", at, c, w)
		}
	}
	if at.Before(m.horizon(m.keeps.Raw)) {
		return // the readings of then may have gone
	}
	for target, series := range m.samples {
		newest := int64(-1)
		for _, samples := range series {
			for ms := range samples {
				if ms <= toMs(at) {
					newest = max(newest, ms)
				}
			}
		}
		i := slices.IndexFunc(mem.Readings, func(r fleet.Readings) bool { return r.Target == target })
		if i < 0 {
			if newest >= max(toMs(at)-windowMs, toMs(m.horizon(m.keeps.Raw))) {
				t.Fatalf("as of %v: no readings of %s, want those of %v", at, target, fromMs(newest))
			}
			continue
		}
		r := mem.Readings[i]
		if toMs(r.At) != newest {
			t.Fatalf("as of %v: readings of %s at %v, want %v", at, target, r.At, fromMs(newest))
		}
		for k, key := range r.Keys {
			if w := series[key][newest]; w.String() != r.Values[k].String() {
				t.Fatalf("as of %v: %s %v is %v, want %v", at, target, key, r.Values[k], w)
			}
		}
	}
}

// checkSteps compares the extremes of steps, from whichever tier they come.
func (m *twin) checkSteps(t *rapid.T, ctx context.Context, target string, key fleet.SeriesKey, all map[int64]fleet.Num) {
	if key.Kind() == fleet.Counter {
		return // its rates are in TestTiers
	}
	step := rapid.SampledFrom([]time.Duration{5 * time.Minute, time.Hour, 6 * time.Hour, 7 * time.Minute}).Draw(t, "step")
	from := bucket(toMs(m.horizon(m.keeps.Raw)), durMs(step)) + durMs(step)
	var samples []sample
	for _, at := range slices.Sorted(maps.Keys(all)) {
		if at >= from {
			samples = append(samples, sample{at, all[at]})
		}
	}
	want := gaugePoints(samples, durMs(step))
	if key.Kind() == fleet.Discrete {
		want = statePoints(samples, durMs(step))
	}
	got, err := m.s.Series(ctx, target, key, fromMs(from), time.Now().Add(time.Hour), step)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s %v by %v: %d points, want %d, %v", target, key, step, len(got), len(want), err)
	}
	for i, w := range want {
		g := got[i]
		if key.Kind() == fleet.Discrete && asState(g.Max) == asState(w.Max) && asState(g.Min) == asState(w.Min) {
			g.Min, g.Max = w.Min, w.Max // numbers that are no state are all the same one
		}
		if g.Ms != w.Ms || g.Count != w.Count || g.Min.String() != w.Min.String() || g.Max.String() != w.Max.String() {
			t.Fatalf("%s %v by %v: point %+v, want %+v", target, key, step, g, w)
		}
	}
}
