//go:build unix

package store

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// demo is the load of the demo fleet: 414 servers with 30 sensors, 54 switches
// with 54 ports of 6 counters, 48 PDUs with 24 outlets of 2 numbers.
type demo struct {
	rng     *rand.Rand
	targets []*demoTarget
	byName  map[string]*demoTarget
	values  int // of one round
}

type demoTarget struct {
	name   string
	keys   []fleet.SeriesKey
	values []fleet.Num
}

func newDemo(part int) *demo {
	d := &demo{rng: rand.New(rand.NewPCG(1, 2)), byName: map[string]*demoTarget{}}
	add := func(name string, keys []fleet.SeriesKey) {
		t := &demoTarget{name: name, keys: keys, values: make([]fleet.Num, len(keys))}
		for i, k := range keys {
			switch k.Kind() {
			case fleet.Counter:
				t.values[i] = fleet.Int(d.rng.Int64N(1 << 45))
			default:
				t.values[i] = fleet.Dec(200+d.rng.Int64N(600), int8(-(i & 1)))
			}
		}
		d.targets, d.byName[name], d.values = append(d.targets, t), t, d.values+len(keys)
	}
	var server, ports, outlets []fleet.SeriesKey
	for i := range 30 {
		server = append(server, fleet.SeriesKey{Table: fleet.TableSensors, Row: fmt.Sprintf("20.0.%02x", i)})
	}
	for i := range 54 {
		for c := range fleet.NumCounters {
			ports = append(ports, fleet.SeriesKey{Table: fleet.TablePorts, Row: fmt.Sprintf("Ethernet%d", i+1), Field: fleet.FieldCounter + fleet.SeriesField(c)})
		}
	}
	for i := range 24 {
		outlets = append(outlets, fleet.SeriesKey{Table: fleet.TableOutlets, Row: fmt.Sprint(i + 1), Field: fleet.FieldCurrent},
			fleet.SeriesKey{Table: fleet.TableOutlets, Row: fmt.Sprint(i + 1), Field: fleet.FieldPower})
	}
	for i := range 414 / part {
		add(fmt.Sprintf("s%03d", i), server)
	}
	for i := range 54 / part {
		add(fmt.Sprintf("sw%02d", i), ports)
	}
	for i := range 48 / part {
		add(fmt.Sprintf("pdu%02d", i), outlets)
	}
	d.rng.Shuffle(len(d.targets), func(i, j int) { d.targets[i], d.targets[j] = d.targets[j], d.targets[i] })
	return d
}

// poll moves the target's numbers on: sensors wander in steps, two ports in
// three carry traffic, errors are rare.
func (d *demo) poll(t *demoTarget, at time.Time) fleet.Readings {
	for i, k := range t.keys {
		switch {
		case k.Field == fleet.FieldCounter || k.Field == fleet.FieldCounter+1:
			if i/6%3 != 0 {
				t.values[i].N += d.rng.Int64N(1 << 27)
			}
		case k.Kind() == fleet.Counter:
			if d.rng.IntN(500) == 0 {
				t.values[i].N++
			}
		case d.rng.IntN(3) == 0:
			t.values[i].N += d.rng.Int64N(5) - 2
		}
	}
	return fleet.Readings{Target: t.name, At: at, Keys: t.keys, Values: append([]fleet.Num(nil), t.values...)}
}

// step makes readings of the observations it is given: the cost of the bench
// beside the store's is the generator's.
func (d *demo) step(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	next := *prev
	var out fleet.Output
	for _, i := range in {
		if o, ok := i.(*fleet.Observation); ok {
			out.Readings = append(out.Readings, d.poll(d.byName[o.Target], o.At))
		}
	}
	return &next, out
}

// load polls every target once per interval between from and to, in batches of
// 100 ms of that time, as the scheduler's jitter spreads them.
func (d *demo) load(t testing.TB, s *Store, from, to time.Time, interval time.Duration) {
	t.Helper()
	slots := int(interval / (100 * time.Millisecond))
	for at, slot := from, 0; at.Before(to); at, slot = at.Add(100*time.Millisecond), slot+1 {
		var in []fleet.Input
		for i := slot % slots; i < len(d.targets); i += slots {
			in = append(in, &fleet.Observation{Target: d.targets[i].name, At: at.Add(time.Duration(i%97) * time.Millisecond)})
		}
		if len(in) == 0 {
			continue
		}
		if err := s.Apply(t.Context(), in...); err != nil {
			t.Fatal(err)
		}
	}
}

func startBench(b testing.TB, d *demo) *opened {
	cfg := testConfig(b.TempDir())
	cfg.Gather = time.Nanosecond // the load comes in batches already
	s, err := Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	return run(b, s, cfg.Dir, d.step)
}

// BenchmarkIngest runs ten minutes of the demo's load through a store on disk
// with every sync, so that rows have become parts, and says what one costs.
func BenchmarkIngest(b *testing.B) {
	const minutes = 10
	d := newDemo(1)
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			o := startBench(b, d)
			defer o.stop()
			to := time.Now().UTC()
			began, wall := benchline.CPU(), time.Now()
			d.load(b, o.Store, to.Add(-minutes*time.Minute), to, 10*time.Second)
			perMinute := (benchline.CPU() - began).Seconds() / minutes
			st := o.Stats()
			b.ReportMetric(float64(st.Samples)/minutes/perMinute, "samples/cpu_s")
			b.ReportMetric(float64(st.OpenBytes)/(1<<20), "open_MB")
			b.ReportMetric(time.Since(wall).Seconds()/float64(st.Batches)*1e3, "ms/batch")
			return []benchline.Line{{Bench: "store-ingest", Value: perMinute, Unit: "cpu_s/min", Goal: 1.5}}
		})...)
	}
}

// BenchmarkReadDay reads 24 h of one series at 60 s: every sample of a gauge,
// the rates of a counter, and points of five minutes.
func BenchmarkReadDay(b *testing.B) {
	const reads = 2000
	d := newDemo(20)
	o := startBench(b, d)
	to := time.Now().UTC()
	from := to.Add(-24 * time.Hour)
	if _, err := o.Backfill(b.Context(), "bench", d.past(from, to, time.Minute)); err != nil {
		b.Fatal(err)
	}
	for due := true; due; due = o.mergesDue() { // they ride on batches
		d.load(b, o.Store, to, to.Add(time.Second), time.Second)
	}
	// A collection costs what the heap is worth and comes when it has doubled:
	// beside an empty one, that is most of what a read costs. A console of a
	// thousand devices keeps about so much.
	heap := make([]byte, 64<<20)
	defer runtime.KeepAlive(heap)
	read := func(name, target string, column int, step time.Duration, least int) benchline.Line {
		t := d.byName[target]
		began := benchline.CPU()
		for range reads {
			p, err := o.Series(b.Context(), target, t.keys[column], from, to, step)
			if err != nil || len(p) < least {
				b.Fatal(len(p), err)
			}
		}
		return benchline.Line{Bench: name, Value: (benchline.CPU() - began).Seconds() / reads * 1e6, Unit: "cpu_us", Goal: 50}
	}
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			return []benchline.Line{
				read("store-read-day", "s001", 3, 0, 1400),
				read("store-read-day-rates", "sw01", 36, 0, 1400),
				read("store-read-day-5m", "s001", 3, 5*time.Minute, 280),
			}
		})...)
	}
}

// mergesDue reports whether a window of any target waits to be merged.
func (o *opened) mergesDue() bool {
	o.targets.mu.RLock()
	defer o.targets.mu.RUnlock()
	return slices.ContainsFunc(o.targets.list, func(t *target) bool {
		_, due := t.mergeDue(toMs(time.Now()))
		return due
	})
}

// past yields history target by target, newest first.
func (d *demo) past(from, to time.Time, every time.Duration) func(func(fleet.Readings) bool) {
	return func(yield func(fleet.Readings) bool) {
		for _, t := range d.targets {
			for at := to; !at.Before(from); at = at.Add(-every) {
				if !yield(d.poll(t, at)) {
					return
				}
			}
		}
	}
}

// BenchmarkBackfill fills in the demo's past, 120 points at 60 s and 288 at
// 5 min of every series, while polls go on.
func BenchmarkBackfill(b *testing.B) {
	d := newDemo(1)
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			o := startBench(b, d)
			defer o.stop()
			slowest := d.pollAside(b, o.Store)
			now, began := time.Now().UTC(), benchline.CPU()
			n, err := o.Backfill(b.Context(), "sim-history", d.day(now))
			used := benchline.CPU() - began
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(slowest().Seconds()*1e3, "apply_max_ms")
			b.ReportMetric(float64(n), "rows")
			b.ReportMetric(float64(o.Stats().SeriesBytes)/(1<<20), "file_MB")
			return []benchline.Line{{Bench: "store-backfill", Value: used.Seconds(), Unit: "cpu_s", Goal: 10}}
		})...)
	}
}

// day is two hours by the minute and the day before them by five.
func (d *demo) day(now time.Time) iter.Seq[fleet.Readings] {
	return func(yield func(fleet.Readings) bool) {
		for r := range d.past(now.Add(-119*time.Minute), now, time.Minute) {
			if !yield(r) {
				return
			}
		}
		for r := range d.past(now.Add(-26*time.Hour), now.Add(-125*time.Minute), 5*time.Minute) {
			if !yield(r) {
				return
			}
		}
	}
}

// pollAside applies an observation every 2 ms until the function it returns is
// called, which says how long the slowest of them waited.
func (d *demo) pollAside(b *testing.B, s *Store) (stop func() time.Duration) {
	end, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		most := time.Duration(0)
		for {
			select {
			case <-end:
				slowest <- most
				return
			case <-time.After(2 * time.Millisecond):
			}
			asked := time.Now()
			if err := s.Apply(b.Context(), &fleet.Observation{Target: "s001", At: asked}); err != nil {
				b.Error(err)
			}
			most = max(most, time.Since(asked))
		}
	}()
	return func() time.Duration {
		close(end)
		return <-slowest
	}
}

// BenchmarkOpen opens a store of 10,000 devices with 50 rows and 50 series each
// and reads its memory: what stands between exec and the first snapshot.
func BenchmarkOpen(b *testing.B) {
	const devices, rows = 10_000, 50
	dir := b.TempDir()
	keys := make([]fleet.SeriesKey, rows)
	for i := range keys {
		keys[i] = fleet.SeriesKey{Table: fleet.TableSensors, Row: fmt.Sprintf("20.0.%02x", i)}
	}
	o := start(b, dir, func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
		next := *prev
		var out fleet.Output
		for _, i := range in {
			if o, ok := i.(*fleet.Observation); ok {
				r := fleet.Readings{Target: o.Target, At: now, Keys: keys, Values: make([]fleet.Num, rows)}
				for i := range rows {
					r.Values[i] = fleet.Dec(int64(200+i), -1)
					out.Changes = append(out.Changes, fleet.Change{Target: o.Target, Table: fleet.TableSensors, Row: keys[i].Row, At: now, Value: []byte(`{"id":"12","name":"Inlet Temp","class":"temperature","unit":"C","limits":{"high_warn":38,"high_crit":42},"state":"ok"}`)})
				}
				out.Readings = append(out.Readings, r)
			}
		}
		return &next, out
	})
	for i := 0; i < devices; i += 100 {
		var in []fleet.Input
		for j := range 100 {
			in = append(in, &fleet.Observation{Target: fmt.Sprintf("ams1-r%03d-s%02d", (i+j)/20, (i+j)%20)})
		}
		if err := o.Apply(b.Context(), in...); err != nil {
			b.Fatal(err)
		}
	}
	o.stop()
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			began := benchline.CPU()
			s, err := Open(b.Context(), testConfig(dir))
			if err != nil {
				b.Fatal(err)
			}
			m, err := s.Memory(b.Context())
			used := benchline.CPU() - began
			if err != nil || len(m.Latest()) != devices*rows || len(m.Readings) != devices {
				b.Fatal(len(m.Latest()), len(m.Readings), err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			return []benchline.Line{{Bench: "store-open-500000", Value: used.Seconds() * 1e3, Unit: "cpu_ms", Goal: 100}}
		})...)
	}
}
