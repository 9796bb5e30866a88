package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// TestBlindResolvesNothing: the alert keeps its state, marked stale.
func TestBlindResolvesNothing(t *testing.T) {
	unseen := fleet.AlertRule{Name: "unseen", On: "device", Problem: "device.blind", Attempts: 1, Graded: true, Severity: fleet.SeverityWarn, For: time.Minute}
	h := newHouse(t, paged(hot(), unseen))
	h.temp("s01", 81)
	h.step(time.Minute)
	h.blind("s01")
	h.step(time.Minute)
	if a := h.alert("hot:s01/t1"); a == nil || a.State != fleet.AlertFiring || a.Stale.IsZero() {
		t.Errorf("blind: %+v", a)
	}
	h.want("unseen:s01", "pending")
	h.step(24 * time.Hour)
	h.want("hot:s01/t1", "firing")
	h.want("unseen:s01", "firing")
	h.temp("s01", 60)
	h.step(time.Second)
	h.want("hot:s01/t1", "resolved")
	h.want("unseen:s01", "resolved")
}

func TestSilencesAcksAndMaintenance(t *testing.T) {
	match := func(s string) []fleet.Matcher {
		m, err := ParseMatcher(s)
		if err != nil {
			t.Fatal(err)
		}
		return []fleet.Matcher{m}
	}
	a := paged(hot())
	a.Route.GroupBy = []string{"target"}
	a.Maintenance = []fleet.Maintenance{
		{Name: "rack", At: "ams1/r02", From: t0, Until: t0.Add(time.Hour)},
		{Name: "flex", Match: match("target=s04"), From: t0, Until: t0.Add(10 * time.Hour), Lasts: 30 * time.Minute},
	}
	h := newHouse(t, a)
	h.silences = []fleet.Silence{{ID: "S1", Matchers: match("target=~s0[12]"), Start: t0, End: t0.Add(2 * time.Hour), By: "ann", Comment: "moving"}}
	for _, id := range []string{"s01", "s02", "s03", "s04", "s05"} {
		h.temp(id, 81)
	}
	h.step(time.Minute)
	for id, by := range map[string]string{"s01": "S1", "s02": "S1", "s03": "", "s04": "maintenance flex", "s05": "maintenance rack"} {
		if got := h.alert("hot:" + id + "/t1").Silenced; got != by {
			t.Errorf("%s silenced by %q, want %q", id, got, by)
		}
	}
	h.acks = []fleet.Acknowledgement{{Alert: "hot:s03/t1", Ack: fleet.Ack{By: "bob", At: h.now, Until: h.now.Add(20 * time.Minute)}}}
	h.step(30 * time.Minute)
	h.told(0, "")
	h.step(time.Second)
	h.step(30 * time.Minute) // the ack expired, and the flexible maintenance with it
	h.step(time.Minute)
	if len(h.notices) != 2 || h.alert("hot:s03/t1").Ack != nil || h.alert("hot:s04/t1").Silenced != "" {
		t.Errorf("after ack and flexible maintenance: %+v", h.notices)
	}
	h.temp("s02", 60) // a resolve under silence: nobody was told of it, and nobody will be
	h.step(time.Minute)
	h.want("hot:s02/t1", "resolved")
	h.step(time.Hour)
	h.step(time.Minute)
	h.step(time.Minute)
	for _, p := range h.notices {
		if p.Alerts[0].ID == "hot:s02/t1" {
			t.Error("told of what nobody was to know")
		}
	}
	if h.notices[len(h.notices)-1].Alerts[0].ID != "hot:s01/t1" {
		t.Error("the silence is over and s01 is not told")
	}
}

// TestSilencedResolveIsToldAtItsEnd: who was told of a problem is told of its
// end, when the silence is over.
func TestSilencedResolveIsToldAtItsEnd(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(30 * time.Second)
	h.step(time.Second)
	h.told(1, "firing")
	h.silences = []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "rule", Op: "=", Value: "hot"}}, Start: h.now, End: h.now.Add(2 * time.Hour), By: "ann"}}
	h.step(time.Minute)
	h.temp("s01", 60)
	h.step(time.Hour)
	h.step(time.Hour)
	h.told(1, "firing")
	h.step(time.Minute)
	h.step(time.Minute)
	h.told(2, "resolved", "CPU Temp")
}

func TestAckEndsWithTheAlert(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(time.Second)
	h.acks = []fleet.Acknowledgement{{Alert: "hot:s01/t1", Ack: fleet.Ack{By: "bob"}}, {Alert: "no:such", Ack: fleet.Ack{By: "bob"}}}
	h.step(time.Hour)
	h.step(time.Second)
	h.told(0, "")
	h.temp("s01", 60)
	h.step(time.Second)
	h.temp("s01", 81)
	h.step(time.Minute)
	if a := h.alert("hot:s01/t1"); a.State != fleet.AlertFiring || a.Ack != nil {
		t.Errorf("an ack outlived what it was of: %+v", a)
	}
	h.step(time.Second)
	h.told(1, "firing")
}

// TestFlappingIsToldOnce: one word that it started, one when it stopped.
func TestFlappingIsToldOnce(t *testing.T) {
	h := newHouse(t, paged(hot()))
	for i := range 60 {
		h.temp("s01", []int64{85, 60}[i%2])
		h.step(time.Minute)
	}
	if a := h.alert("hot:s01/t1"); a == nil || !a.Flapping {
		t.Fatal("it does not flap")
	}
	n := len(h.notices)
	if n > 3 || h.notices[n-1].Alerts[0].Status != "flapping" {
		t.Errorf("%d notices while it flapped: %+v", n, h.notices)
	}
	for range 40 {
		h.temp("s01", 60)
		h.step(time.Minute)
	}
	h.told(n+1, "resolved")
}

// TestCauseHoldsWhatItExplains: one page for one cause; what outlives it is let
// go after a fresh poll.
func TestCauseHoldsWhatItExplains(t *testing.T) {
	cause := fleet.AlertRule{Name: "cause", On: "cause", Problem: "cause.explains > 2", Graded: true, Severity: fleet.SeverityCrit, Summary: "{cause.kind} {cause.id}"}
	fan := fleet.AlertRule{Name: "fan", On: "sensor", Problem: `sensor.state == "warn"`, Attempts: 1, Summary: "fan"}
	down := fleet.AlertRule{Name: "down", On: "device", Problem: "device.dead", Attempts: 1, Graded: true, Severity: fleet.SeverityCrit}
	h := newHouse(t, paged(cause, down, fan))
	servers := []string{"s01", "s02", "s03", "s04"}
	fail := func(id string) {
		h.device(id, func(d *fleet.Device) {
			d.BlindSince, d.State, d.About, d.Reasons = h.now, fleet.StateCrit, []string{"power"}, []string{"no power"}
		})
	}
	fail("pa")
	for _, id := range servers {
		fail(id)
	}
	h.device("s05", func(d *fleet.Device) { // lost the same feed, lives on the other, and has a fault of its own
		d.Sensors = []fleet.Sensor{
			{SensorDef: &fleet.SensorDef{Key: "p1", Name: "PS1 Status", Class: fleet.ClassState}, State: fleet.StateWarn},
			{SensorDef: &fleet.SensorDef{Key: "f1", Name: "FAN1", Class: fleet.ClassFan}, State: fleet.StateWarn},
		}
		d.State, d.About, d.Reasons = fleet.StateWarn, []string{"PSU 1", "sensor f1"}, []string{"input lost", "slow"}
	})
	h.step(2 * time.Second)
	h.step(30 * time.Second)
	h.want("cause:pa", "firing")
	if a, b := h.alert("fan:s05/psu1"), h.alert("fan:s05/f1"); a.Held == nil || b.Held != nil {
		t.Errorf("the supply is held %v, the fan beside it %v", a.Held, b.Held)
	}
	for _, id := range servers {
		if a := h.alert("down:" + id); a == nil || a.Held == nil || a.Held.By != "cause:pa" {
			t.Fatalf("%s is not held: %+v", id, a)
		}
	}
	h.step(time.Second)
	if len(h.notices) != 2 {
		t.Fatalf("told %+v", h.notices)
	}
	h.notices = slices.DeleteFunc(h.notices, func(p fleet.Pages) bool { return p.Labels["rule"] == "fan" })
	h.told(1, "firing", "pdu pa", `"holds":6`, "explains 6 parts")
	heal := func(id string) {
		h.poll(id)
		h.device(id, func(d *fleet.Device) { d.State, d.About, d.Reasons = fleet.StateOK, nil, nil })
	}
	heal("pa")
	h.device("s05", func(d *fleet.Device) { d.Sensors = nil })
	heal("s05")
	for _, id := range servers[:3] {
		heal(id)
	}
	h.step(3 * time.Second)
	h.step(3 * time.Second)
	h.want("cause:pa", "resolved")
	h.want("down:s01", "resolved")
	if a := h.alert("down:s04"); a.Held == nil || a.Held.Over.IsZero() {
		t.Fatalf("let go without a fresh poll: %+v", a)
	}
	h.poll("s04") // answers, and is off its power all the same
	h.device("s04", func(d *fleet.Device) { d.About = []string{"power", "light"} })
	h.step(10 * time.Minute)
	if a := h.alert("down:s04"); a == nil || a.Held != nil {
		t.Fatalf("not let go: %+v", a)
	}
	h.step(time.Minute)
	var ids []string
	for _, p := range h.notices {
		for _, a := range p.Alerts {
			if strings.HasPrefix(a.ID, "fan") {
				continue
			}
			ids = append(ids, a.ID+" "+a.Status)
		}
	}
	if want := []string{"cause:pa firing", "cause:pa resolved", "down:s04 firing"}; !slices.Equal(slices.Sorted(slices.Values(ids)), want) {
		t.Errorf("told %q, want %q", ids, want)
	}
}

// TestStraysBelongToWhatTookTheirPower: a supply whose cord is in another outlet than
// intended starves with that one: its cause says so, and nobody is told twice.
func TestStraysBelongToWhatTookTheirPower(t *testing.T) {
	stray := func(id, pdu string) trace.Cause {
		return trace.Cause{ID: id, Kind: trace.PSU, Hangs: pdu, Explains: []string{id}, Evidence: []string{"crossed cords: " + id}}
	}
	feed := trace.Cause{ID: "A", Kind: trace.Feed, Explains: []string{"r01-pa", "r02-pa", "s01"}, Evidence: make([]string, 1, 9)}
	found := []trace.Cause{feed, {ID: "r09-pa", Kind: trace.PDU}, {ID: "sw1", Kind: trace.Switch, Explains: []string{"r05-pa"}},
		stray("s05/psu2", "r01-pa"), stray("s06/psu2", "r09-pa"), stray("s07/psu2", "r05-pa"), stray("s08/psu2", "")}
	for i := range 5 {
		found = append(found, stray(fmt.Sprintf("s1%d/psu2", i), "r02-pa"))
	}
	got := strays(found)
	if len(got) != 7 || got["s05/psu2"] != "A" || got["s06/psu2"] != "r09-pa" || got["s14/psu2"] != "A" {
		t.Errorf("they are %q", got)
	}
	if e := found[0].Evidence; len(e) != 1+maxStrays || e[1] != "s05/psu2: crossed cords: s05/psu2" {
		t.Errorf("the feed's evidence is %q", e)
	}
	if len(found[1].Evidence) != 1 || len(found[2].Evidence) != 0 {
		t.Errorf("the others say %q and %q", found[1].Evidence, found[2].Evidence)
	}
}

func TestInhibitionNeedsEqualLabels(t *testing.T) {
	a := paged(hot(), fleet.AlertRule{Name: "dead", On: "device", Problem: "device.dead", Attempts: 1})
	one := func(l, v string) []fleet.Matcher { return []fleet.Matcher{{Label: l, Op: "=", Value: v}} }
	for _, c := range []struct {
		equal []string
		held  string
	}{{[]string{"rack"}, "dead:s02"}, {[]string{"tenant"}, ""}, {[]string{"target"}, ""}, {nil, "dead:s02"}} {
		a.Inhibit = []fleet.Inhibition{{Source: one("rule", "dead"), Target: one("rule", "hot"), Equal: c.equal}}
		h := newHouse(t, a)
		h.temp("s01", 90)
		h.device("s02", func(d *fleet.Device) { d.About = []string{"power", "light"} })
		h.step(time.Second)
		got := ""
		if x := h.alert("hot:s01/t1"); x.Held != nil {
			got = x.Held.By
		}
		if got != c.held {
			t.Errorf("equal %v: held by %q, want %q", c.equal, got, c.held)
		}
	}
}

// TestCausesEndAlone: of two causes one is over; the other keeps its own alert.
func TestCausesEndAlone(t *testing.T) {
	cause := fleet.AlertRule{Name: "cause", On: "cause", Problem: "cause.explains > 0", Summary: "{cause.id}"}
	h := newHouse(t, paged(cause))
	for _, id := range []string{"s01", "s05"} {
		h.device(id, func(d *fleet.Device) {
			d.State, d.About, d.Reasons = fleet.StateCrit, []string{"sensor 20.0.1"}, []string{"fan stopped"}
		})
	}
	h.step(3 * time.Second)
	h.want("cause:s01", "firing")
	h.want("cause:s05", "firing")
	h.poll("s05")
	h.device("s05", func(d *fleet.Device) { d.State, d.About, d.Reasons = fleet.StateOK, nil, nil })
	h.device("s01", func(d *fleet.Device) {})
	h.step(3 * time.Second)
	h.want("cause:s01", "firing")
	h.want("cause:s05", "resolved")
	for i, a := range h.out.Book.List {
		if i > 0 && order(h.out.Book.List[i-1], a) >= 0 {
			t.Errorf("%s stands twice or out of order", a.ID())
		}
	}
	h.step(time.Second)
}
