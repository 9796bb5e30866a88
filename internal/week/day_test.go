package week_test

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"plumb/console/config"
	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/trace"
	"plumb/internal/week"
)

// day plays the week as it is lived on call: the rules that plumb comes with and
// one receiver run along, polls that the engine asks for are made, and time goes
// on between the minutes wherever it said that it would.
type day struct {
	*run
	poller *week.Poller
	asked  map[string]week.Moment // targets that are polled out of their turn, and when
	wake   week.Moment            // zero: no need
	pages  []*page
	told   map[string]*page // by alert, while it is told to fire
	sent   int              // notices that were no repeats
}

// page is one alert that somebody was called for.
type page struct {
	id, rule, target string
	text             string
	severity         fleet.Severity
	at, over         week.Moment // over: zero, while nobody was told
	resolves         int
}

// pollTook is how long after a nudge its poll has come in.
const pollTook = week.Moment(time.Second)

// alerting are the rules that plumb comes with, told to one receiver by the
// defaults of routes, as its own loader reads them.
func alerting(t *testing.T) fleet.Alerting {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plumb.yaml")
	if err := os.WriteFile(path, []byte("alerts: {receivers: [{name: pager, none: {}}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return f.Inventory.Alerting
}

func playPaged(t *testing.T, w *week.World, end week.Moment) *day {
	w.Inv.Alerting = alerting(t)
	d := &day{poller: week.NewPoller(w), asked: map[string]week.Moment{}, told: map[string]*page{}}
	d.run = &run{world: w, hours: map[string]*hours{}, ruled: map[*week.Event]bool{}, heard: d.hear}
	inv, _ := w.Inventory(0)
	d.snap = engine.Restore(inv, fleet.Memory{}, w.Start)
	d.graph = trace.Build(d.snap)
	for m := week.Moment(0); m < end; m += minuteStep {
		d.turn(d.poller, m)
		d.between(m, m+minuteStep)
	}
	return d
}

// between is what happens before the next minute: polls that were asked for, and
// what time alone brings.
func (d *day) between(now, end week.Moment) {
	for range 1000 {
		next := end
		if d.wake > now {
			next = min(next, d.wake)
		}
		for _, at := range d.asked {
			next = min(next, at)
		}
		if next >= end {
			return
		}
		now = next
		var in []fleet.Input
		for _, id := range due(d.asked, now) {
			delete(d.asked, id)
			if o := d.poller.Ask(id, now); o != nil {
				in = append(in, o)
			}
		}
		if len(in) == 0 {
			d.wake = 0
			in = []fleet.Input{fleet.Tick{}}
		}
		d.step(in, now)
	}
}

func due(asked map[string]week.Moment, now week.Moment) (out []string) {
	for id, at := range asked {
		if at <= now {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// hear takes what a step said.
func (d *day) hear(out *fleet.Output, m week.Moment) {
	for _, id := range out.Nudges {
		if _, waits := d.asked[id]; !waits {
			d.asked[id] = m + pollTook
		}
	}
	if !out.Wake.IsZero() {
		at := week.Moment(out.Wake.Sub(d.world.Start))
		if at > m && (d.wake <= m || at < d.wake) {
			d.wake = at
		}
	}
	for i := range out.Notices {
		d.read(&out.Notices[i], m)
	}
}

// read is who is on call and reads a notice: what fires and was not known to
// is a page, what it says again is none.
func (d *day) read(n *fleet.Notice, m week.Moment) {
	var p fleet.Pages
	if err := json.Unmarshal(n.Body, &p); err != nil {
		panic(err) // the engine's own
	}
	news := false
	for i := range p.Alerts {
		a := &p.Alerts[i]
		known := d.told[a.ID]
		switch {
		case a.Status == "resolved" && known != nil:
			news = true
			known.over, known.resolves = m, known.resolves+1
			delete(d.told, a.ID)
		case a.Status == "resolved":
			d.pages = append(d.pages, &page{id: a.ID, rule: a.Labels["rule"], target: a.Labels["target"], text: "RESOLVED and never told: " + a.Summary, at: m, over: m, resolves: 2})
		case known == nil:
			x := &page{id: a.ID, rule: a.Labels["rule"], target: a.Labels["target"], text: cmp.Or(a.Summary, a.ID), severity: a.Severity, at: m}
			d.told[a.ID], d.pages, news = x, append(d.pages, x), true
		}
	}
	if news {
		d.sent++
	}
}
