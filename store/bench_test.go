package store

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
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

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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

// emit prints one measurement as the line that make bench collects.
func emit(bench string, value float64, unit string, goal float64, better string) {
	ok := value <= goal
	if better == "higher" {
		ok = value >= goal
	}
	b, _ := json.Marshal(map[string]any{"bench": bench, "value": value, "unit": unit, "goal": goal, "goal_of": "value", "better": better, "ok": ok})
	fmt.Printf("%s\n", b)
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

// BenchmarkIngest runs the demo's load through a store on disk with every sync,
// until windows have been merged, and says what a simulated minute costs.
func BenchmarkIngest(b *testing.B) {
	d := newDemo(1)
	o := startBench(b, d)
	from := time.Now().UTC().Add(-time.Duration(b.N) * time.Minute)
	b.ResetTimer()
	began, wall := cpu(), time.Now()
	d.load(b, o.Store, from, from.Add(time.Duration(b.N)*time.Minute), 10*time.Second)
	used := cpu() - began
	b.StopTimer()
	perMinute := used.Seconds() / float64(b.N)
	st := o.Stats()
	b.ReportMetric(perMinute, "cpu_s/min")
	b.ReportMetric(float64(st.Samples)/used.Seconds(), "samples/cpu_s")
	b.ReportMetric(float64(st.OpenBytes)/(1<<20), "open_MB")
	b.ReportMetric(float64(st.SeriesBytes)/float64(st.Samples), "file_B/sample")
	b.ReportMetric(time.Since(wall).Seconds()/float64(st.Batches)*1e3, "ms/batch")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap_MB")
	if b.N >= 10 {
		emit("store-ingest", perMinute, "cpu_s/min", 1.5, "lower")
	}
}

// BenchmarkReadDay reads 24 h of one series at 60 s.
func BenchmarkReadDay(b *testing.B) {
	d := newDemo(20)
	o := startBench(b, d)
	to := time.Now().UTC()
	from := to.Add(-24 * time.Hour)
	if _, err := o.Backfill(b.Context(), "bench", d.past(from, to, time.Minute)); err != nil {
		b.Fatal(err)
	}
	d.load(b, o.Store, to, to.Add(10*time.Second), time.Second) // merges ride on batches
	target := d.byName["s001"]
	b.ResetTimer()
	began := cpu()
	for range b.N {
		p, err := o.Series(b.Context(), target.name, target.keys[3], from, to, 0)
		if err != nil || len(p) < 1400 {
			b.Fatal(len(p), err)
		}
	}
	b.StopTimer()
	if b.N >= 100 {
		emit("store-read-day", (cpu()-began).Seconds()/float64(b.N)*1e6, "us", 50, "lower")
	}
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

// BenchmarkBackfill fills in the demo's past: 120 points at 60 s and 288 at
// 5 min of every series.
func BenchmarkBackfill(b *testing.B) {
	d := newDemo(1)
	for range b.N {
		o := startBench(b, d)
		now := time.Now().UTC()
		began, wall := cpu(), time.Now()
		stop, slowest := make(chan struct{}), make(chan time.Duration)
		go func() {
			most := time.Duration(0)
			for {
				select {
				case <-stop:
					slowest <- most
					return
				case <-time.After(2 * time.Millisecond):
				}
				asked := time.Now()
				if err := o.Apply(b.Context(), &fleet.Observation{Target: "s001", At: asked}); err != nil {
					b.Error(err)
				}
				most = max(most, time.Since(asked))
			}
		}()
		n, err := o.Backfill(b.Context(), "sim-history", func(yield func(fleet.Readings) bool) {
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
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((cpu() - began).Seconds(), "cpu_s")
		b.ReportMetric(time.Since(wall).Seconds(), "wall_s")
		close(stop)
		b.ReportMetric((<-slowest).Seconds()*1e3, "apply_max_ms")
		b.ReportMetric(float64(n), "rows")
		b.ReportMetric(float64(o.Stats().SeriesBytes)/(1<<20), "file_MB")
		emit("store-backfill", (cpu() - began).Seconds(), "cpu_s", 10, "lower")
		o.stop()
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
	b.ResetTimer()
	for range b.N {
		s, err := Open(b.Context(), testConfig(dir))
		if err != nil {
			b.Fatal(err)
		}
		m, err := s.Memory(b.Context())
		if err != nil || len(m.Latest) != devices*rows || len(m.Readings) != devices {
			b.Fatal(len(m.Latest), len(m.Readings), err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.StopTimer()
	emit("store-open", b.Elapsed().Seconds()/float64(b.N)*1e3, "ms", 100, "lower")
}
