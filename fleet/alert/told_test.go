package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// days are random days of a house, beside the reference.
type days struct {
	*house
	*plain
	r     *rapid.T
	heard map[string]string // the last word of each alert, by receiver
	n     int               // silences so far
}

func matching(words ...string) (out []fleet.Matcher) {
	for _, w := range words {
		m, err := ParseMatcher(w)
		if err != nil {
			panic(err)
		}
		out = append(out, m)
	}
	return out
}

// hushes are the ways to keep something quiet, and what they mean.
var hushes = []struct {
	match  []fleet.Matcher
	at     string
	covers func(p *plain, target string, is slow) bool
}{
	{matching("target=s01"), "", func(_ *plain, t string, _ slow) bool { return t == "s01" }},
	{matching("rule=bad", "target=~s0[2-4]"), "", func(_ *plain, t string, _ slow) bool { return t >= "s02" && t <= "s04" }},
	{matching("severity=warn"), "", func(_ *plain, _ string, x slow) bool { return x.severity == fleet.SeverityWarn }},
	{matching("rack!=ams1/r01", "severity!~warn|info"), "", func(p *plain, t string, x slow) bool {
		return p.racks[t] != "ams1/r01" && x.severity == fleet.SeverityCrit
	}},
	{nil, "ams1/r02", func(p *plain, t string, _ slow) bool { return p.racks[t] == "ams1/r02" }},
	{matching("severity=crit"), "ams1", func(_ *plain, _ string, x slow) bool { return x.severity == fleet.SeverityCrit }},
	{nil, "s05", func(_ *plain, t string, _ slow) bool { return t == "s05" }},
}

var plainTargets = []string{"s01", "s02", "s03", "s05", "s06"}

func newDays(t *testing.T, r *rapid.T) *days {
	draw := func(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(r, what) }
	rule := fleet.AlertRule{Name: "bad", On: "sensor", Problem: `sensor.state in ["warn", "crit"]`, Recovery: `sensor.state == "ok"`, Summary: "{device.id}", Attempts: draw("attempts", 1, 2),
		RecoverAfter: draw("recover", 1, 2), For: time.Duration(draw("for", 0, 90)) * time.Second, Keep: time.Duration(draw("keep", 0, 90)) * time.Second}
	a := fleet.Alerting{Rules: []fleet.AlertRule{rule}, Receivers: []string{"pager", "log"}, Route: &fleet.AlertRoute{Receiver: "pager", GroupBy: []string{"rack"}, Wait: plainWait, Interval: plainEvery, Repeat: plainRepeat,
		Routes: []fleet.AlertRoute{{Receiver: "log", GroupBy: []string{"rule"}, Match: matching("severity=crit"), Continue: true}, {Receiver: "pager"}}}}
	p := &plain{each: draw("each", 0, 1) == 1, racks: map[string]string{}, looks: map[string][]seen{}, acks: map[string]*fleet.Ack{}, were: map[string]slow{}, groups: map[string]*plainGroup{}}
	if p.each {
		a.Each = []string{"log"}
	}
	for i := range draw("maintenances", 0, 2) {
		m := fleet.Maintenance{Name: fmt.Sprint("m", i), At: []string{"ams1/r01", "ams1/r02"}[draw("where", 0, 1)], From: t0.Add(time.Duration(draw("from", 0, 120)) * time.Minute)}
		m.Until = m.From.Add(time.Duration(draw("window", 10, 120)) * time.Minute)
		m.Lasts = time.Duration(draw("lasts", 0, 1)*draw("flexible", 5, 60)) * time.Minute
		a.Maintenance, p.windows = append(a.Maintenance, m), append(p.windows, &plainWindow{Maintenance: m})
	}
	d := &days{house: newHouse(t, a), plain: p, r: r, heard: map[string]string{}}
	d.l = &d.snap.Rules.(*Book).byName["bad"].limits
	for _, id := range plainTargets {
		p.racks[id] = d.snap.Devices.Get(id).Spec.Rack
	}
	d.steps()
	return d
}

func (d *days) draw(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(d.r, what) }

// look reads a server's sensor.
func (d *days) look(id string, state fleet.State) {
	d.poll(id)
	d.device(id, func(x *fleet.Device) {
		x.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "t1", Name: "CPU Temp", Class: fleet.ClassTemperature}, State: state}}
	})
	x := seen{at: d.now, problem: False, recovery: False}
	switch state {
	case fleet.StateWarn:
		x.problem, x.severity = True, fleet.SeverityWarn
	case fleet.StateCrit:
		x.problem, x.severity = True, fleet.SeverityCrit
	case fleet.StateOK:
		x.recovery = True
	case fleet.StateUnknown:
		x.problem, x.recovery = Unknown, Unknown
	}
	list := d.plain.looks[id]
	if n := len(list); n > 0 && list[n-1].at.Equal(d.now) {
		list = list[:n-1] // read twice before a step: the newer reading is what there is
	}
	d.plain.looks[id] = append(list, x)
}

// deed is one thing that happens or is said.
func (d *days) deed() {
	id := plainTargets[d.draw("target", 0, len(plainTargets)-1)]
	switch d.draw("deed", 0, 11) {
	case 0:
		h := &hushes[d.draw("hush", 0, len(hushes)-1)]
		d.n++
		s := fleet.Silence{ID: fmt.Sprint("S", d.n), Matchers: h.match, At: h.at, Start: d.now.Add(time.Duration(d.draw("begins", 0, 10)) * time.Minute), By: "ann"}
		s.End = s.Start.Add(time.Duration(d.draw("stands", 1, 90)) * time.Minute)
		d.house.silences, d.plain.silences = append(d.house.silences, s), append(d.plain.silences, plainSilence{s, h.covers})
	case 1:
		if n := len(d.plain.silences); n > 0 {
			s := &d.plain.silences[d.draw("which", 0, n-1)]
			s.End = d.now // ended, or made shorter than nothing
			d.house.silences = append(d.house.silences, s.Silence)
		}
	case 2, 3:
		ack := fleet.Ack{By: "ann", At: d.now, Sticky: d.draw("sticky", 0, 1) == 1}
		if m := d.draw("until", 0, 60); m > 0 {
			ack.Until = d.now.Add(time.Duration(m) * time.Minute)
		}
		d.ack(id, &ack)
	case 4:
		d.ack(id, &fleet.Ack{})
	default:
		d.look(id, []fleet.State{fleet.StateOK, fleet.StateOK, fleet.StateOK, fleet.StateWarn, fleet.StateWarn, fleet.StateCrit, fleet.StateOff, fleet.StateUnknown}[d.draw("state", 0, 7)])
	}
}

// ack is said of an alert that was there in the step before.
func (d *days) ack(id string, a *fleet.Ack) {
	d.house.acks = append(d.house.acks, fleet.Acknowledgement{Alert: "bad:" + id + "/t1", Ack: *a})
	if d.were[id].active() {
		if d.plain.acks[id] = a; a.By == "" {
			delete(d.plain.acks, id)
		}
	}
}

// remembered holds the groups against what their rows say of them.
func (d *days) remembered() {
	book := Recall(fleet.Remember(d.rows))
	if book == nil {
		book = &fleet.AlertBook{}
	}
	if n := len(d.out.Book.Groups); len(book.Groups) != n {
		d.r.Fatalf("%s: %d groups are kept, of %d", d.now.Sub(t0), len(book.Groups), n)
	}
	for i, g := range d.out.Book.Groups {
		if k := &book.Groups[i]; k.Key != g.Key || !maps.Equal(k.Told, g.Told) || !k.Sent.Equal(g.Sent) || !k.Whole.Equal(g.Whole) || k.Next.After(g.Next) {
			d.r.Fatalf("%s: kept is %+v, of %+v", d.now.Sub(t0), k, g)
		}
	}
}

// steps takes one step of each, and holds them against one another.
func (d *days) steps() {
	first := len(d.notices)
	d.house.step(0)
	want := d.plain.step(d.now)
	for _, id := range plainTargets {
		is, a := d.were[id], d.alert("bad:"+id+"/t1")
		if a == nil {
			if is.active() || is.flapping {
				d.r.Fatalf("%s: %s is not there: %+v", d.now.Sub(t0), id, is)
			}
			continue
		}
		if got := letter(&fleet.Alert{State: a.State}); got != is.state || a.Flapping != is.flapping || a.Severity != is.severity {
			d.r.Fatalf("%s: %s is %s %v %s, want %+v", d.now.Sub(t0), id, got, a.Flapping, a.Severity, is)
		}
		if by := d.silenced(id, d.now); a.Silenced != by {
			d.r.Fatalf("%s: %s, which is %s, is silenced by %q, want %q", d.now.Sub(t0), id, is.state, a.Silenced, by)
		}
		if (a.Ack != nil) != (d.plain.acks[id] != nil) {
			d.r.Fatalf("%s: %s: acknowledged %+v, want %+v", d.now.Sub(t0), id, a.Ack, d.plain.acks[id])
		}
	}
	var got []string
	for i := range d.notices[first:] {
		p := &d.notices[first+i]
		got = append(got, spoken(p))
		d.hear(p)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		d.r.Fatalf("%s: it says\n%s\nwant\n%s", d.now.Sub(t0), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if turns, what := d.turns(d.now); !turns.IsZero() && (d.out.Wake.IsZero() || d.out.Wake.After(turns)) {
		d.r.Fatalf("%s: it wakes at %s and sleeps through %s: %s", d.now.Sub(t0), d.out.Wake, turns, what)
	}
}

// hear holds a notice against what its receiver heard before, whatever the
// reference thinks of it.
func (d *days) hear(p *fleet.Pages) {
	for _, x := range p.Alerts {
		id := x.Labels["target"]
		name := p.Receiver + " " + id
		switch was := d.heard[name]; {
		case x.Status == "resolved" && was != "firing" && was != "flapping":
			d.r.Fatalf("%s: %s hears that %s is over, and heard %q before", d.now.Sub(t0), p.Receiver, id, was)
		case x.Status != "resolved" && (d.silenced(id, d.now) != "" || d.plain.acks[id] != nil):
			d.r.Fatalf("%s: %s hears of %s, which is to be kept quiet", d.now.Sub(t0), p.Receiver, id)
		case x.Summary != id || x.ID != "bad:"+id+"/t1" || x.Labels["rack"] != d.racks[id]:
			d.r.Fatalf("%s: %s hears %+v of %s", d.now.Sub(t0), p.Receiver, x, id)
		}
		d.heard[name] = x.Status
	}
}

// pass lets time pass, with a step whenever the alerts asked for one.
func (d *days) pass(until time.Time) {
	for !d.out.Wake.IsZero() && !d.out.Wake.After(until) {
		d.now = d.out.Wake
		d.steps()
	}
	d.now = until
}

// calm is half an hour in which everything is well: what is over is forgotten.
func (d *days) calm() {
	for range 30 {
		d.pass(d.now.Add(time.Minute))
		for _, id := range plainTargets {
			d.look(id, fleet.StateOK)
		}
		d.steps()
	}
}

// flutter is a quarter of an hour in which one server comes and goes.
func (d *days) flutter() {
	id := plainTargets[d.draw("flutters", 0, len(plainTargets)-1)]
	for i := range 15 {
		d.pass(d.now.Add(time.Minute))
		d.look(id, [...]fleet.State{fleet.StateWarn, fleet.StateOK}[i%2])
		d.steps()
	}
}

// TestToldAgainstReference plays random days of looks, silences, maintenances and
// acknowledgements. At every step the alerts are what the definition says, who is
// told is who should be, and nothing that time alone changes is slept through. No
// receiver hears of the end of what it never heard of, and when all that keeps
// quiet is over, each has heard what is so.
func TestToldAgainstReference(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newDays(t, r)
		for range d.draw("turns", 1, 50) {
			switch d.draw("hour", 0, 19) {
			case 0:
				d.calm()
			case 1:
				d.flutter()
			}
			d.pass(d.now.Add(time.Duration(d.draw("gap", 1, 600)) * time.Second))
			for range d.draw("deeds", 0, 3) {
				d.deed()
			}
			d.steps()
		}
		for i := range d.plain.silences {
			if s := &d.plain.silences[i]; d.now.Before(s.End) {
				s.End = d.now
				d.house.silences = append(d.house.silences, s.Silence)
			}
		}
		for _, id := range plainTargets {
			d.ack(id, &fleet.Ack{})
		}
		d.steps()
		d.pass(slices.MaxFunc([]time.Time{d.now.Add(time.Hour), t0.Add(5 * time.Hour)}, time.Time.Compare)) // the maintenances are over then
		d.steps()
		d.remembered()
		for _, id := range plainTargets {
			is, heard := d.were[id], d.heard["pager "+id]
			switch {
			case is.flapping && heard != "flapping", !is.flapping && is.state == "f" && heard != "firing", !is.flapping && !is.active() && heard != "" && heard != "resolved":
				d.r.Fatalf("in the end %s is %+v, and the pager heard %q", id, is, heard)
			}
		}
	})
}
