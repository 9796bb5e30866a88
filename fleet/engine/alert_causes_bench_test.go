//go:build unix

package engine

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// BenchmarkAlertsCausesStorm is the minute in which four feeds go under 10,000
// devices: 500 PDUs fall silent, 9,000 supplies starve, 18,000 ports go dark and
// 27,000 sensors of the machines complain besides. More than 50,000 alerts come to
// stand; what the graph explains is held, four causes are named, and the rest is
// one group.
func BenchmarkAlertsCausesStorm(b *testing.B) {
	l := newLarge(500)
	for i := range l.inv.Devices { // the supply is known from the start
		if o := l.obs[i]; l.inv.Devices[i].Kind == fleet.KindServer {
			o.Sensors[23].SensorDef = &fleet.SensorDef{ID: "psu", Key: "psu1", Name: "PS1 Status", Class: fleet.ClassState}
		}
	}
	l.inv.Alerting = fleet.Alerting{Settle: time.Nanosecond, Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager"}, Rules: []fleet.AlertRule{
		{Name: "cause", On: "cause", Problem: `cause.explains >= 3`, For: 10 * time.Second, Severity: fleet.SeverityCrit, Graded: true, Summary: "{cause.kind} {cause.id}"},
		{Name: "feed-lost", On: "feed", Problem: `feed.state == "crit"`, For: 10 * time.Second, Summary: "{feed.id}"},
		{Name: "psu-lost", On: "sensor", Problem: `sensor.class == "state" and sensor.supply > 0 and sensor.state in ["warn", "crit"]`, Summary: "{device.id}"},
		{Name: "hot", On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > 90`, Summary: "{device.id}: {sensor.name}"},
		{Name: "port-down", On: "port", Problem: `port.far != "" and port.oper == "down"`, Summary: "{port.name} of {device.id}"},
		{Name: "down", On: "device", Problem: "device.dead", For: 10 * time.Second, Summary: "{device.id}"},
		{Name: "unreachable", On: "device", Problem: "device.blind and not device.dead", For: 2 * time.Minute, Summary: "{device.id}"},
	}}
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	for range 3 {
		snap, _ = Step(snap, l.say(l.all()), l.now)
		l.now = l.now.Add(time.Minute)
	}
	before := heapMiB()
	l.starve()
	for b.Loop() {
		var worst, all time.Duration
		told, named, notices, asked := 0, map[string]bool{}, 0, []int(nil)
		const steps = 360 // the group that spoke first speaks again after five minutes
		for i := range steps {
			l.now = l.now.Add(time.Second)
			in := l.say(slices.Compact(slices.Sorted(slices.Values(append(l.every(167, i), asked...)))))
			began := benchline.CPU()
			next, out := Step(snap, in, l.now)
			used := benchline.CPU() - began
			snap, worst, all = next, max(worst, used), all+used
			asked = asked[:0] // as a scheduler, polled with the next second
			for _, id := range out.Nudges {
				asked = append(asked, snap.Devices.Number(id))
			}
			for k := range out.Notices {
				var p fleet.Pages
				if err := json.Unmarshal(out.Notices[k].Body, &p); err != nil {
					b.Fatal(err)
				}
				notices++
				for _, a := range p.Alerts {
					told++
					if strings.HasPrefix(a.ID, "cause:") && a.Status == "firing" {
						named[a.ID] = true
					}
				}
			}
		}
		held := 0
		for _, a := range snap.Alerts.List {
			if a.Held != nil {
				held++
			}
		}
		if n := len(snap.Alerts.List); n < 50_000 || len(named) < 4 {
			b.Fatal(n, "alerts, named", named)
		}
		note := fmt.Sprintf("%d alerts, %d held, %d pages told, %d causes named", len(snap.Alerts.List), held, told, len(named))
		benchline.Print(
			benchline.Line{Bench: "alert-causes-storm-step", Value: all.Seconds() * 1e3 / steps, Unit: "cpu_ms", Goal: 200},
			benchline.Line{Bench: "alert-causes-storm-worst-step", Value: worst.Seconds() * 1e3, Unit: "cpu_ms", Goal: 500},
			benchline.Line{Bench: "alert-causes-storm-heap", Value: heapMiB() - before, Unit: "MiB", Goal: 200},
			benchline.Line{Bench: "alert-causes-storm-notices", Value: float64(notices), Unit: "notices", Goal: 10, Note: note},
		)
	}
}

// starve takes the power of every feed.
func (l *large) starve() {
	for i := range l.inv.Devices {
		o := l.obs[i]
		switch l.inv.Devices[i].Kind {
		case fleet.KindPDU:
			*o = fleet.Observation{Target: o.Target, Source: o.Source, Err: &fleet.ProbeError{Target: o.Target, Op: "get", Err: fleet.ErrTimeout}}
			o.SetTable(fleet.TableOutlets, fleet.Failed)
		case fleet.KindServer:
			for k := range 3 {
				o.Sensors[k+1].Value, o.Sensors[k+1].State = fleet.Int(200), fleet.StateCrit
			}
			o.Sensors[23].State, o.Sensors[23].Text = fleet.StateCrit, "Power Supply input lost (AC/DC)"
		case fleet.KindSwitch:
			for k := range o.Ports {
				def := *o.Ports[k].PortDef
				def.Oper = "down"
				o.Ports[k].PortDef = &def
			}
		}
	}
}

func heapMiB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
