//go:build unix

package engine

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/internal/benchline"
)

// thousandRules are forty for everything and twenty-four for each of forty
// owners, as teams write them: thresholds of their own for what they have.
func thousandRules() fleet.Alerting {
	a := fleet.Alerting{Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager", GroupBy: []string{"rule", "rack"}}}
	shapes := []fleet.AlertRule{
		{On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > %d`, Recovery: "sensor.value < 70"},
		{On: "sensor", Problem: `sensor.class == "temperature" and sensor.name matches "Inlet" and sensor.value > %d`},
		{On: "sensor", Problem: `sensor.class == "fan" and sensor.value < %d`},
		{On: "sensor", Problem: `sensor.supply > 0 and sensor.state == "crit" or sensor.value > %d`},
		{On: "device", Problem: `device.blind and device.blind_s > %d`},
		{On: "device", Problem: `device.kind == "server" and device.inlet_c > %d`},
		{On: "port", Problem: `port.uplink and port.oper != "up" or port.errors_per_s > %d`},
		{On: "outlet", Problem: `outlet.used and outlet.current_a > %d`},
	}
	add := func(n int, sel map[string]string) {
		r := shapes[n%len(shapes)]
		r.Name, r.Select, r.Severity, r.Graded = fmt.Sprintf("rule-%04d", len(a.Rules)), sel, fleet.SeverityWarn, true
		r.Problem, r.Summary = fmt.Sprintf(r.Problem, 90+n%10), "{device.id}"
		a.Rules = append(a.Rules, r)
	}
	for n := range 40 {
		add(n, nil)
	}
	for owner := range 40 {
		for n := range 24 {
			add(n, map[string]string{"owner": fmt.Sprintf("team-%02d", owner)})
		}
	}
	return a
}

// BenchmarkAlerts is what the alerts take of one second of 10,000 devices that
// are polled once a minute, with 1,000 rules and 2,000 alerts that stand.
func BenchmarkAlerts(b *testing.B) {
	const changed, steps = 167, 60
	l := newLarge(500)
	for i := range l.inv.Devices {
		l.inv.Devices[i].Owner = fmt.Sprintf("team-%02d", i%40)
	}
	for i := 0; i < len(l.obs); i += 75 { // sixteen rules see each of these
		if o := l.obs[i]; len(o.Sensors) > 0 {
			o.Sensors[3].Value = fleet.Int(200)
		}
	}
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, _ = Step(snap, l.say(l.all()), l.now)
	rules := thousandRules()
	topology := *snap.Topology
	began := benchline.CPU()
	topology.Rules = alert.Compile(&rules, snap)
	compiled := benchline.CPU() - began
	if topology.Rules.Rules() != 1000 {
		b.Fatal(topology.Rules.Rules(), "rules")
	}
	ruled := func(s *fleet.Snapshot, book *fleet.AlertBook) *fleet.Snapshot {
		next := *s
		next.Topology, next.Alerts = &topology, book
		return &next
	}
	look := func(before, next *fleet.Snapshot, devices []int) alert.Result {
		slices.Sort(devices)
		return alert.Step(&alert.Case{Before: before, Next: next, Looked: devices, Now: l.now})
	}
	var book *fleet.AlertBook
	for range 4 {
		l.now = l.now.Add(time.Minute)
		before := snap
		snap, _ = Step(snap, l.say(l.all()), l.now)
		book = look(ruled(before, book), ruled(snap, book), l.all()).Book
	}
	if n := len(book.List); n < 2000 {
		b.Fatal(n, "alerts")
	}
	turn := 0
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			var used time.Duration
			for range steps {
				turn, l.now = turn+1, l.now.Add(time.Second)
				devices, before := l.every(changed, turn), snap
				snap, _ = Step(snap, l.say(devices), l.now)
				was, is := ruled(before, book), ruled(snap, book)
				began := benchline.CPU()
				r := look(was, is, devices)
				used += benchline.CPU() - began
				book = r.Book
			}
			return []benchline.Line{
				{Bench: "alert-step-1000x167", Value: used.Seconds() * 1e3 / steps, Unit: "cpu_ms", Goal: 10},
				{Bench: "alert-compile-1000x10000", Value: compiled.Seconds() * 1e3, Unit: "cpu_ms", Goal: 500},
			}
		})...)
	}
}

// BenchmarkAlertsStorm is the minute in which every server gets hot in six
// places: 54,000 alerts come to stand, 900 a second, and become one notice a
// rack.
func BenchmarkAlertsStorm(b *testing.B) {
	l := newLarge(500)
	rules := fleet.Alerting{Settle: time.Nanosecond, Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager", GroupBy: []string{"rule", "rack"}},
		Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > 90`, Attempts: 1, Summary: "{device.id}: {sensor.name} {sensor.value} C"}}}
	l.inv.Alerting = rules
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, _ = Step(snap, l.say(l.all()), l.now)
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	before := heap()
	for _, o := range l.obs {
		for k := range min(6, len(o.Sensors)) {
			o.Sensors[k].Value = fleet.Int(200)
		}
	}
	for b.Loop() {
		var worst, all time.Duration
		notices := 0
		for i := range 120 {
			l.now = l.now.Add(time.Second)
			in := l.say(l.every(167, i))
			began := benchline.CPU()
			next, out := Step(snap, in, l.now)
			used := benchline.CPU() - began
			snap, notices = next, notices+len(out.Notices)
			worst, all = max(worst, used), all+used
		}
		if n := len(snap.Alerts.List); n < 50_000 {
			b.Fatal(n, "alerts")
		}
		benchline.Print(
			benchline.Line{Bench: "alert-storm-54000-step", Value: all.Seconds() * 1e3 / 120, Unit: "cpu_ms", Goal: 100},
			benchline.Line{Bench: "alert-storm-54000-worst-step", Value: worst.Seconds() * 1e3, Unit: "cpu_ms", Goal: 500},
			benchline.Line{Bench: "alert-storm-54000-heap", Value: heap() - before, Unit: "MiB", Goal: 200},
			benchline.Line{Bench: "alert-storm-54000-notices", Value: float64(notices), Unit: "notices", Goal: 1100},
		)
	}
}
