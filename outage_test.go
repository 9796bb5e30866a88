//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plumb/console/notify"
	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/fleet/engine"
	"plumb/internal/benchline"
	"plumb/store"
)

// outage is a fleet in which one group of alerts is large, and an Alertmanager that
// takes nothing: engine, store and deliverer are the ordinary ones, in the fake
// time of a bubble.
type outage struct {
	t     *testing.T
	y     *yard
	store *store.Store
	turn  int          // polls so far
	said  atomic.Int64 // notices so far
}

// outageEvery is the interval of the group, and of the polls.
const outageEvery = 5 * time.Minute

// during runs f beside an outage of a fleet with so many alerts.
func during(t *testing.T, alerts int, f func(o *outage)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	synctest.Test(t, func(t *testing.T) {
		o := &outage{t: t, y: newYard((alerts + 647) / 648)}
		for i := range alerts {
			o.heat(i, true)
		}
		o.y.inv.Intervals = [3]time.Duration{outageEvery, outageEvery, outageEvery}
		o.y.inv.Alerting = fleet.Alerting{Receivers: []string{"am"}, Each: []string{"am"}, Route: &fleet.AlertRoute{Receiver: "am"},
			Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 9000", Attempts: 1, Severity: fleet.SeverityWarn, Graded: true, Summary: "{device.id}: {sensor.name} is at {sensor.value}"}}}
		c := store.Defaults()
		c.Dir, c.Ballast = t.TempDir(), -1
		if o.store, err = store.Open(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		defer o.store.Close()
		ctx, stop := context.WithCancel(context.Background())
		ran, told := make(chan error, 1), make(chan struct{})
		go func() {
			ran <- o.store.Run(ctx, engine.Restore(o.y.inv, fleet.Memory{}, time.Now()), func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
				next, out := engine.Step(prev, in, now)
				o.said.Add(int64(len(out.Notices)))
				return next, out
			}, nil)
		}()
		d := notify.New(notify.Deps{Outbox: o.store, Watch: func() notify.Watch { return o.store.Watch() }, Log: slog.New(slog.DiscardHandler),
			Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }}, []notify.Config{{Name: "am", Kind: &notify.Alertmanager{URLs: []string{nobody}}}})
		go func() { defer close(told); d.Run(ctx) }()
		f(o)
		stop()
		<-told
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// heat makes a sensor hot, or cool.
func (o *outage) heat(i int, hot bool) {
	for _, x := range o.y.obs {
		if i < len(x.Sensors) {
			if x.Sensors[i].Value = fleet.Int(20); hot {
				x.Sensors[i].Value = fleet.Int(9001)
			}
			return
		}
		i -= len(x.Sensors)
	}
}

// rounds polls everything n times, and each time one alert is over or fires again.
func (o *outage) rounds(n int) {
	for range n {
		o.heat(7*(o.turn/2), o.turn%2 > 0)
		o.turn++
		var in []fleet.Input
		for _, x := range o.y.obs {
			now := *x
			now.At, now.Sensors = time.Now().UTC(), slices.Clone(x.Sensors)
			in = append(in, &now)
		}
		if err := o.store.Apply(o.t.Context(), in...); err != nil {
			o.t.Fatal(err)
		}
		time.Sleep(outageEvery)
	}
}

// waits reads what waits, and holds it against what is so: one who is told all of
// it, and heard nothing before, knows what fires and nothing else.
func (o *outage) waits() (notices, bytes int) {
	o.t.Helper()
	list, err := o.store.Outbox(o.t.Context(), 1<<20)
	if err != nil {
		o.t.Fatal(err)
	}
	heard, is := map[string]string{}, map[string]string{}
	note := func(to map[string]string, p fleet.Pages) {
		for _, x := range p.Alerts {
			if to[x.ID] = x.Status + " since " + x.Since.String(); x.Status == "resolved" {
				delete(to, x.ID)
			}
		}
	}
	for i := range list {
		var p fleet.Pages
		if err := json.Unmarshal(list[i].Body, &p); err != nil {
			o.t.Fatal(err)
		}
		note(heard, p)
		kept, _ := json.Marshal(list[i])
		bytes += len(kept)
	}
	for _, p := range alert.Standing(o.store.Snapshot(), "am") {
		note(is, p)
	}
	if !maps.Equal(heard, is) {
		o.t.Errorf("of %d alerts that fire it would know of %d", len(is), len(heard))
	}
	return len(list), bytes
}

// TestDeadAlertmanager: while it is dead for four hours, and one of 600 alerts
// changes at every interval, what waits is the first word and the changes. When the
// first word is no longer worth telling, all is said again, and what that says is not
// kept twice. At each time what waits is all that it has to know.
func TestDeadAlertmanager(t *testing.T) {
	during(t, 600, func(o *outage) {
		o.rounds(47)
		const whole, changes = 12, 45 // the last one's interval is not over
		if n, _ := o.waits(); n != whole+changes || o.said.Load() != int64(n) {
			t.Errorf("after 3 h 55 min %d of %d notices wait", n, o.said.Load())
		}
		o.rounds(4)
		if n, _ := o.waits(); o.said.Load() != 2*whole+changes+3 || n > whole+changes/2+5 {
			t.Errorf("after 4 h 15 min %d of %d notices wait", n, o.said.Load())
		}
	})
}

// TestMeasureDeadAlertmanager is that with 10,000 alerts.
func TestMeasureDeadAlertmanager(t *testing.T) {
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement: make bench-alert")
	}
	during(t, 10_000, func(o *outage) {
		began := benchline.CPU()
		o.rounds(47)
		used := benchline.CPU() - began
		n, bytes := o.waits()
		state := o.store.Stats().StateBytes
		benchline.Print(
			benchline.Line{Bench: "dead-alertmanager-10000-notices", Value: float64(o.said.Load()), Unit: "notices", Goal: 250, Note: fmt.Sprintf("said within 4 h, one change each 5 min; %d wait", n)},
			benchline.Line{Bench: "dead-alertmanager-10000-outbox", Value: float64(bytes) / (1 << 20), Unit: "MiB", Goal: 16, Note: fmt.Sprintf("state.db is %d MiB; %.1f s of a processor", state>>20, used.Seconds())},
		)
	})
}
