//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/internal/benchline"
	"plumb/probes"
	"plumb/store"
)

// storm is a fleet behind the ordinary parts: the scheduler polls, the keeper
// takes, the store commits, the engine judges, and what it asks for is polled.
// Only the wire is a double, which answers at once until the power goes: then
// PDUs are silent for as long as a request may take, supplies starve, sensors
// complain and ports go dark.
type storm struct {
	y     *yard
	cfg   probes.Config
	store store.Config
	paced bool // what the process takes of a processor passes on the clock
	dark  atomic.Bool
	asked []atomic.Int64 // by device: when a poll was forced that has not begun, Unix ns
	polls [][]pollOf     // by device: only its owner writes

	used    time.Duration // of the processor, up to the last step; the step's
	mu      sync.Mutex    // guards what follows
	steps   []stepOf
	notices []noticeOf
}

type pollOf struct {
	at    time.Time
	asked time.Time // zero: on its beat
	dead  bool      // it did not answer
}

type stepOf struct {
	at                   time.Time
	cpu                  time.Duration
	inputs, asks, alerts int
}

type noticeOf struct {
	at   time.Time
	what fleet.Pages
}

func newStorm(racks int, cfg probes.Config) *storm {
	s := &storm{y: newYard(racks), cfg: cfg, store: store.Defaults()}
	s.y.inv.Intervals = [3]time.Duration{cfg.Interval, cfg.Tables, cfg.Slow}
	supply := &fleet.SensorDef{ID: "psu", Key: "psu1", Name: "PS1 Status", Class: fleet.ClassState}
	for i := range s.y.inv.Devices {
		if s.y.inv.Devices[i].Kind == fleet.KindServer {
			s.y.obs[i].Sensors = append(s.y.obs[i].Sensors, fleet.Sensor{SensorDef: supply, State: fleet.StateOK})
		}
	}
	s.y.inv.Alerting = fleet.Alerting{Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager"}, Rules: []fleet.AlertRule{
		{Name: "cause", On: "cause", Problem: `cause.explains >= 3`, For: 10 * time.Second, Severity: fleet.SeverityCrit, Graded: true, Summary: "{cause.kind} {cause.id}"},
		{Name: "feed-lost", On: "feed", Problem: `feed.state == "crit"`, For: 10 * time.Second, Summary: "{feed.id}"},
		{Name: "psu-lost", On: "sensor", Problem: `sensor.class == "state" and sensor.supply > 0 and sensor.state in ["warn", "crit"]`, Summary: "{device.id}"},
		{Name: "hot", On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > 90`, Summary: "{device.id}: {sensor.name}"},
		{Name: "port-down", On: "port", Problem: `port.far != "" and port.oper == "down"`, Summary: "{port.name} of {device.id}"},
		{Name: "down", On: "device", Problem: "device.dead", For: 10 * time.Second, Summary: "{device.id}"},
		{Name: "unreachable", On: "device", Problem: "device.blind and not device.dead", For: 2 * time.Minute, Summary: "{device.id}"},
	}}
	s.asked, s.polls = make([]atomic.Int64, len(s.y.obs)), make([][]pollOf, len(s.y.obs))
	return s
}

// wire is the double: the probe of one device.
type wire struct {
	s *storm
	n int
}

func (w wire) Close() error { return nil }

func (w wire) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	s, now := w.s, time.Now()
	p := pollOf{at: now}
	if ns := s.asked[w.n].Swap(0); ns != 0 {
		p.asked = time.Unix(0, ns)
	}
	dark := s.dark.Load()
	p.dead = dark && s.y.inv.Devices[w.n].Kind == fleet.KindPDU
	s.polls[w.n] = append(s.polls[w.n], p)
	if p.dead {
		select {
		case <-time.After(s.cfg.Timeout):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		o := &fleet.Observation{Target: s.y.obs[w.n].Target, Source: s.y.obs[w.n].Source, Lane: lane, At: now.UTC(), Took: time.Since(now)}
		o.Err = &fleet.ProbeError{Target: o.Target, Op: "get", Err: fleet.ErrTimeout}
		o.SetTable(fleet.TableOutlets, fleet.Failed)
		return o, nil
	}
	o := *s.y.obs[w.n]
	o.Lane, o.At = lane, now.UTC()
	o.Sensors, o.Ports = slices.Clone(o.Sensors), slices.Clone(o.Ports)
	for k := range o.Sensors {
		o.Sensors[k].Value.N += int64(k+w.n+now.Second()) % 5
	}
	for k := range o.Ports {
		o.Ports[k].Counters.Set(fleet.InOctets, uint64(now.Unix()*1000), true)
	}
	if dark {
		starve(&o)
	}
	return &o, nil
}

// starve is what a machine without power on its feed says.
func starve(o *fleet.Observation) {
	for k := range o.Sensors {
		switch x := &o.Sensors[k]; {
		case x.Key == "psu1":
			x.State, x.Text = fleet.StateCrit, "Power Supply input lost (AC/DC)"
		case x.Class == fleet.ClassTemperature && k > 0 && k < 4: // not what comes in: that would be the room
			x.Value, x.State = fleet.Int(200), fleet.StateCrit
		}
	}
	for k := range o.Ports {
		def := *o.Ports[k].PortDef
		def.Oper = "down"
		o.Ports[k].PortDef = &def
	}
}

// run polls until ctx ends.
func (s *storm) run(ctx context.Context, t testing.TB) {
	s.store.Dir, s.store.Ballast = t.TempDir(), -1
	st, err := store.Open(ctx, s.store)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	k := &keeper{Store: st, log: log, now: time.Now}
	scheduler, err := probes.NewScheduler(s.cfg, k.keep, log)
	if err != nil {
		t.Fatal(err)
	}
	targets, numbers := make([]probes.Target, len(s.y.obs)), map[string]int{}
	for n, o := range s.y.obs {
		numbers[o.Target] = n
		targets[n] = probes.Target{ID: o.Target, Source: o.Source, Key: "k", Build: func() (fleet.Probe, error) { return wire{s, n}, nil }}
	}
	scheduler.SetTargets(targets)
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- k.Run(inner, engine.Restore(s.y.inv, fleet.Memory{}, time.Now()), s.step, func(ids []string) {
			now := time.Now().UnixNano()
			for _, id := range ids {
				s.asked[numbers[id]].CompareAndSwap(0, now)
			}
			scheduler.Nudge(ids...)
		})
	}()
	scheduler.Run(ctx)
	kept, err := st.Outbox(inner, 1000)
	stop()
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if len(kept) != len(s.notices) {
		t.Errorf("%d notices were made and %d are in the outbox", len(s.notices), len(kept))
	}
}

// step is the engine's, watched.
func (s *storm) step(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	began, cpu := time.Now(), benchline.CPU()
	next, out := engine.Step(prev, in, now)
	x := stepOf{at: began, cpu: benchline.CPU() - cpu, inputs: len(in), asks: len(out.Nudges), alerts: len(next.Alerts.List)}
	if s.paced {
		used := benchline.CPU()
		time.Sleep(used - s.used)
		s.used = used
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, x)
	for i := range out.Notices {
		var p fleet.Pages
		if err := json.Unmarshal(out.Notices[i].Body, &p); err != nil {
			panic(err)
		}
		s.notices = append(s.notices, noticeOf{began, p})
	}
	return next, out
}

// named are the causes that the notices name, each with when it was first.
func (s *storm) named() map[string]time.Time {
	out := map[string]time.Time{}
	for _, n := range s.notices {
		for _, a := range n.what.Alerts {
			if id, ok := strings.CutPrefix(a.ID, "cause:"); ok && a.Status == "firing" && out[id].IsZero() {
				out[id] = n.at
			}
		}
	}
	return out
}

// beat is how long after a whole interval a target is due, as the scheduler
// spreads them.
func beat(id string, every time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	return time.Duration(h.Sum64() % uint64(every))
}

// lateness is by how much the polls that began within a time were behind: those
// on their beat, and those that were asked for. It leaves out the dead, which are
// asked ever more seldom, and is sorted.
func (s *storm) lateness(from, to time.Time) (beats, forced []time.Duration) {
	every := s.cfg.Interval
	for n, list := range s.polls {
		b := beat(s.y.obs[n].Target, every)
		for _, p := range list {
			switch off := time.Duration(0); {
			case p.dead || p.at.Before(from) || !p.at.Before(to):
			case !p.asked.IsZero():
				forced = append(forced, p.at.Sub(p.asked))
			default:
				if off = p.at.Sub(p.at.Truncate(every).Add(b)); off < -time.Second {
					off += every
				}
				beats = append(beats, max(off, 0))
			}
		}
	}
	slices.Sort(beats)
	slices.Sort(forced)
	return beats, forced
}

// gaps is the longest time from one poll to the next of any device that answers.
func (s *storm) gaps(from, to time.Time) (worst time.Duration, of string) {
	for n, list := range s.polls {
		if s.y.inv.Devices[n].Kind == fleet.KindPDU {
			continue
		}
		last := from
		for _, p := range append(slices.Clone(list), pollOf{at: to}) {
			if p.at.Before(from) || p.at.After(to) {
				continue
			}
			if d := p.at.Sub(last); d > worst && last.After(from) {
				worst, of = d, s.y.obs[n].Target
			}
			last = p.at
		}
	}
	return worst, of
}

// late is a share of a sorted list, in milliseconds.
func late(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Seconds() * 1e3
}

// TestStorm takes the power of four feeds from 400 devices at once, in the fake
// time of a bubble: every device that answers is polled on, what the alerts ask
// to have polled is bounded, and out of thousands of alerts come a few notices,
// which name the four feeds and nothing less.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lasts = 4 * time.Minute
		s := newStorm(20, probes.Defaults())
		s.store.Gather = time.Second // a commit takes real time
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.run(ctx, t); close(ended) }()
		time.Sleep(150 * time.Second)
		s.dark.Store(true)
		struck := time.Now()
		time.Sleep(lasts)
		stop()
		<-ended
		if worst, of := s.gaps(struck.Add(-time.Minute), struck.Add(lasts)); worst > s.cfg.Interval*3/2+time.Second { // a forced poll stands for the beat that follows it
			t.Errorf("%s was not polled for %s", of, worst)
		}
		beats, forced := s.lateness(struck, struck.Add(lasts))
		if worst := beats[len(beats)-1]; worst > time.Second {
			t.Errorf("a poll on its beat is %s late", worst)
		}
		alerts := 0
		for _, x := range s.steps {
			alerts = max(alerts, x.alerts)
		}
		named := slices.Sorted(maps.Keys(s.named()))
		if len(forced) < 20 || len(forced) > 6*len(s.polls) {
			t.Errorf("%d polls were forced of %d devices", len(forced), len(s.polls))
		}
		if alerts < 2000 || len(s.notices) > 4 || !slices.Equal(named, []string{"ams1-A", "fra1-A", "lhr1-A", "nyc1-A"}) {
			t.Errorf("%d alerts became %d notices, which name %v", alerts, len(s.notices), named)
		}
		t.Logf("%d alerts, %d notices, %d polls on their beat and %d forced", alerts, len(s.notices), len(beats), len(forced))
	})
}

// TestMeasureStorm is that of 10,000 devices that are polled once a minute: by how
// much polls begin late before, in the minute of the storm and after it, what it
// takes of memory, and when somebody is told. The clock is that of a bubble, on
// which only passes what the whole process took of a processor, as if it had one
// core and that alone: who else works on the machine does not count, nor do waits
// for the disk.
func TestMeasureStorm(t *testing.T) {
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement: make bench-alert")
	}
	synctest.Test(t, func(t *testing.T) { measureStorm(t, "storm-10000-", true) })
}

// TestMeasureStormByTheWall is that by the clock on the wall, with the machine as
// it is.
func TestMeasureStormByTheWall(t *testing.T) {
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement: make bench-alert")
	}
	measureStorm(t, "storm-10000-wall-", false)
}

func measureStorm(t *testing.T, bench string, paced bool) {
	s := newStorm(500, probes.Defaults())
	s.paced, s.used = paced, benchline.CPU()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.run(ctx, t); close(ended) }()
	time.Sleep(75 * time.Second) // the first polls, and the settling
	calm := time.Now()
	used := []time.Duration{benchline.CPU()}
	time.Sleep(time.Minute)
	before := heapMiB()
	used = append(used, benchline.CPU())
	s.dark.Store(true)
	struck := time.Now()
	var peak float64
	for range 2 {
		for range 60 {
			time.Sleep(time.Second)
			peak = max(peak, heapUsedMiB())
		}
		used = append(used, benchline.CPU())
	}
	after := heapMiB()
	stop()
	<-ended
	line := func(name string, v float64, unit string, goal float64, note string) {
		benchline.Print(benchline.Line{Bench: bench + name, Value: v, Unit: unit, Goal: goal, Note: note})
	}
	for i, w := range []struct {
		name string
		from time.Time
	}{{"before", calm}, {"storm", struck}, {"after", struck.Add(time.Minute)}} {
		beats, forced := s.lateness(w.from, w.from.Add(time.Minute))
		asks, n, worst, all := 0, 0, stepOf{}, time.Duration(0)
		for _, x := range s.steps {
			if !x.at.Before(w.from) && x.at.Before(w.from.Add(time.Minute)) {
				if asks, n, all = asks+x.asks, n+1, all+x.cpu; x.cpu > worst.cpu {
					worst = x
				}
			}
		}
		line("late-p99-"+w.name, late(beats, 0.99), "ms", 1000, fmt.Sprintf("%d polls, p50 %.0f ms, worst %.0f ms; %d asked for, %d began, p99 after %.0f ms; %d steps of %.0f ms, the worst %d ms with %d inputs; %.1f s of a processor", len(beats), late(beats, 0.5), late(beats, 1),
			asks, len(forced), late(forced, 0.99), n, all.Seconds()*1e3/float64(max(n, 1)), worst.cpu.Milliseconds(), worst.inputs, (used[i+1]-used[i]).Seconds()))
	}
	gap, of := s.gaps(calm, struck.Add(2*time.Minute))
	line("longest-gap", gap.Seconds(), "s", 91, of)
	line("heap", after-before, "MiB", 200, fmt.Sprintf("%.0f before, %.0f after, %.0f at the most with garbage", before, after, peak))
	alerts := 0
	for _, x := range s.steps {
		alerts = max(alerts, x.alerts)
	}
	named, last := s.named(), struck
	for _, at := range named {
		if at.After(last) {
			last = at
		}
	}
	line("notices", float64(len(s.notices)), "notices", 10, fmt.Sprintf("%d alerts, %d causes named", alerts, len(named)))
	if len(s.notices) > 0 {
		line("first-notice", s.notices[0].at.Sub(struck).Seconds(), "s", 60, "")
		line("all-named", last.Sub(struck).Seconds(), "s", 90, fmt.Sprint(slices.Sorted(maps.Keys(named))[:min(len(named), 6)]))
	}
}

func heapMiB() float64 {
	runtime.GC()
	return heapUsedMiB()
}

func heapUsedMiB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
