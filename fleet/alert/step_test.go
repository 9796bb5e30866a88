package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestOnePageAndOneResolve is the plain story: a part gets warm, somebody is
// told after the wait of the group, once, and once that it is over.
func TestOnePageAndOneResolve(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(10 * time.Second)
	h.want("hot:s01/t1", "firing")
	h.told(0, "")
	h.temp("s01", 77)
	h.step(30 * time.Second)
	h.want("hot:s01/t1", "firing") // not cool enough
	h.temp("s01", 82)
	h.step(time.Second)
	h.told(1, "firing", "CPU Temp of s01 81 C", `"owner":"team-game"`, `"rack":"ams1/r01"`)
	for range 60 {
		h.temp("s01", 85)
		h.step(time.Minute)
	}
	h.told(1, "firing")
	h.temp("s01", 70)
	h.step(5 * time.Minute)
	h.want("hot:s01/t1", "resolved")
	h.temp("s01", 70)
	h.step(time.Second)
	h.told(2, "resolved", "CPU Temp")
	for range 30 {
		h.temp("s01", 60)
		h.step(time.Minute)
	}
	h.want("hot:s01/t1", "inactive")
	h.told(2, "resolved")
	if h.keys[0] == h.keys[1] {
		t.Error("two different notices have one key")
	}
	if len(h.out.Book.Groups) != 0 {
		t.Error("an empty group is kept")
	}
}

// TestNothingIsSaidOfWhatIsOverBeforeTheWait: a group that resolves before its
// first notice sends nothing.
func TestNothingIsSaidOfWhatIsOverBeforeTheWait(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(10 * time.Second)
	h.temp("s01", 60)
	h.step(30 * time.Second)
	h.step(10 * time.Minute)
	h.step(time.Second)
	h.told(0, "")
}

func TestGroupsRepeatAndGrow(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.temp("s02", 81)
	h.step(30 * time.Second)
	h.step(time.Minute)
	h.told(1, "firing", "s01", "s02")
	h.temp("s03", 81) // within the interval: waits for its end
	h.step(time.Minute)
	h.told(1, "firing")
	h.step(4 * time.Minute)
	h.step(4*time.Hour - 5*time.Minute)
	h.told(2, "firing", "s03")
	h.step(10 * time.Minute)
	h.told(2, "firing")
	h.step(time.Second)
	h.told(3, "firing", "s01") // the repeat
	if slices.Contains(h.keys[:2], h.keys[2]) {
		t.Error("a repeat has the key of what it repeats: its receiver would drop it")
	}
}

func TestAStepDoneTwiceSaysTheSameKeys(t *testing.T) {
	keys := map[string]bool{}
	for range 2 {
		h := newHouse(t, paged(hot()))
		h.temp("s01", 81)
		h.step(30 * time.Second)
		h.step(time.Second)
		h.told(1, "firing")
		keys[h.keys[0]] = true
	}
	if len(keys) != 1 {
		t.Error("the same word has two keys")
	}
}

func TestRetriesAskForPolls(t *testing.T) {
	r := hot()
	r.Attempts = 0
	h := newHouse(t, paged(r))
	h.temp("s01", 81)
	h.step(500 * time.Millisecond)
	h.want("hot:s01/t1", "pending")
	if !slices.Equal(h.out.Nudges, []string{"pa"}) || !h.out.Wake.Equal(t0.Add(500*time.Millisecond)) {
		t.Errorf("its parents are polled now, it at the retry: %v %s", h.out.Nudges, h.out.Wake)
	}
	h.step(0)
	if !slices.Equal(h.out.Nudges, []string{"s01"}) {
		t.Errorf("the retry asks for %v", h.out.Nudges)
	}
	for range 2 {
		h.temp("s01", 81)
		h.step(500 * time.Millisecond)
	}
	h.want("hot:s01/t1", "firing")
	if len(h.out.Changes) == 0 {
		t.Error("a hard alert has no row")
	}
}

func TestRoutes(t *testing.T) {
	m := func(s string) []fleet.Matcher { x, _ := ParseMatcher(s); return []fleet.Matcher{x} }
	root, err := compileRoute(&fleet.AlertRoute{Receiver: "mail", Routes: []fleet.AlertRoute{
		{Receiver: "audit", Match: m("severity=~warn|crit"), Continue: true},
		{Match: m("owner=net"), Receiver: "net", Routes: []fleet.AlertRoute{{Match: m("severity=crit"), Receiver: "net-pager"}}},
		{Match: m("rack!~r0.*"), Receiver: "other"},
	}, Interval: 7 * time.Minute, Repeat: time.Hour}, nil, "0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if root.repeat != 63*time.Minute || root.below[1].below[0].repeat != 63*time.Minute {
		t.Errorf("repeat %s is not rounded up to a multiple of the interval", root.repeat)
	}
	for _, c := range []struct {
		labels string
		want   string
	}{
		{"severity=crit owner=net rack=r01", "audit net-pager"},
		{"severity=info owner=net rack=r01", "net"},
		{"severity=warn rack=r01", "audit"},
		{"severity=criticalish rack=r01", "mail"},
		{"severity=info rack=x1", "other"},
		{"severity=info", "other"},
	} {
		labels := map[string]string{}
		for _, f := range strings.Fields(c.labels) {
			k, v, _ := strings.Cut(f, "=")
			labels[k] = v
		}
		var got []string
		for _, r := range root.of(labels) {
			got = append(got, r.receiver)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.labels, got, c.want)
		}
	}
}

// TestSettles: nothing is told after a start before everything was polled once.
func TestSettles(t *testing.T) {
	a := paged(hot())
	a.Settle = 5 * time.Minute
	h := newHouse(t, a)
	h.temp("s01", 90)
	h.step(time.Minute)
	h.step(time.Second)
	h.told(0, "")
	h.temp("s01", 90)
	for i := range 7 {
		h.poll(fmt.Sprintf("s%02d", i+2))
	}
	h.poll("pa")
	h.step(30 * time.Second)
	h.step(time.Second)
	h.told(1, "firing")
}

// TestRowsComeBack: what was said in rows makes the same book again.
func TestRowsComeBack(t *testing.T) {
	a := paged(hot())
	h := newHouse(t, a)
	h.silences = []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "target", Op: "=", Value: "s02"}}, Start: t0, End: t0.Add(time.Hour), By: "ann"}}
	h.temp("s01", 90)
	h.temp("s02", 90)
	h.step(30 * time.Second)
	h.step(time.Second)
	h.told(1, "firing")
	before := h.out.Book
	h.restart()
	book := h.out.Book
	if len(book.List) != 2 || len(book.Groups) != 1 || len(book.Silences) != 1 || book.Counts != before.Counts {
		t.Fatalf("%+v", book)
	}
	h.step(time.Hour)
	h.told(1, "firing")
	if h.alert("hot:s02/t1").Silenced != "S1" {
		t.Error("a silence did not outlive the restart")
	}
	for _, x := range book.List {
		if !x.Since.Equal(t0) {
			t.Error("an alert began anew with the process")
		}
	}
}

// TestEventsAreKept: an event has no second look.
func TestEventsAreKept(t *testing.T) {
	r := fleet.AlertRule{Name: "ecc", On: "event", Problem: `event.source == "sel" and event.text contains "ECC"`, Keep: time.Hour, Summary: "{event.text}"}
	h := newHouse(t, paged(r))
	happen := func(asserted bool, at time.Time) {
		before, next := *h.snap, *h.snap
		h.out = Step(&Case{Before: &before, Next: &next, Now: h.now, Events: []fleet.Event{{ID: "1", At: at, Target: "s01", Source: "sel", Sensor: "DIMM A1", Text: "Uncorrectable ECC", Severity: fleet.SeverityCrit, Asserted: asserted}}})
		next.Alerts = h.out.Book
		h.snap = &next
	}
	happen(true, t0.Add(-2*time.Hour))
	h.want("ecc:s01/DIMM A1", "inactive")
	happen(true, t0)
	h.want("ecc:s01/DIMM A1", "firing")
	if h.alert("ecc:s01/DIMM A1").Severity != fleet.SeverityCrit {
		t.Error("an event's own severity is lost")
	}
	h.now = h.now.Add(50 * time.Minute)
	happen(true, h.now)
	h.now = h.now.Add(50 * time.Minute)
	h.step(11 * time.Minute)
	h.want("ecc:s01/DIMM A1", "firing")
	h.step(0)
	h.want("ecc:s01/DIMM A1", "resolved")
	happen(true, h.now)
	happen(false, h.now)
	h.want("ecc:s01/DIMM A1", "resolved")
}

// TestFindingsAreLookedAt: an open finding fires, a stale one stays, one that is
// gone is over.
func TestFindingsAreLookedAt(t *testing.T) {
	r := fleet.AlertRule{Name: "drift", On: "finding", Problem: `finding.open and finding.kind == "firmware"`, Summary: "{finding.text}"}
	h := newHouse(t, paged(r))
	f := fleet.Finding{Target: "s01", Facet: "firmware", Kind: fleet.FindFirmware, State: fleet.FindingOpen, Severity: fleet.SeverityCrit, Text: "old"}
	run := func(list ...fleet.Finding) {
		before := *h.snap
		h.device("s01", func(d *fleet.Device) { d.Docket = &fleet.Docket{Findings: list} })
		next := *h.snap
		h.out = Step(&Case{Before: &before, Next: &next, Looked: []int{0}, Now: h.now})
		next.Alerts = h.out.Book
		h.snap = &next
		h.now = h.now.Add(time.Second)
	}
	run(f)
	h.want("drift:s01/firmware", "firing")
	f.Stale = h.now
	run(f)
	h.want("drift:s01/firmware", "firing")
	f.Stale, f.State = time.Time{}, fleet.FindingAccepted
	run(f)
	h.want("drift:s01/firmware", "resolved")
	f.State = fleet.FindingOpen
	run(f)
	h.want("drift:s01/firmware", "firing")
	run()
	h.want("drift:s01/firmware", "resolved")
}

// TestWorseIsToldAgain: a rule without a severity has that of what it looks at,
// and what gets worse is told.
func TestWorseIsToldAgain(t *testing.T) {
	r := fleet.AlertRule{Name: "fan", On: "sensor", Problem: `sensor.state in ["warn", "crit"]`, Attempts: 1, Summary: "{sensor.state}"}
	h := newHouse(t, paged(r))
	say := func(st fleet.State) {
		h.poll("s01")
		h.device("s01", func(d *fleet.Device) {
			d.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "f1", Name: "FAN1", Class: fleet.ClassFan}, State: st}}
		})
		h.step(5 * time.Minute)
	}
	for range 25 {
		say(fleet.StateWarn)
	}
	h.told(1, "firing", `"severity":"warn"`)
	say(fleet.StateCrit)
	say(fleet.StateCrit)
	h.told(2, "firing", `"severity":"crit"`)
	if c := h.out.Book.Counts; c != [3]int{0, 0, 1} {
		t.Errorf("counted %v", c)
	}
	say(fleet.StateOK)
	if a := h.alert("fan:s01/f1"); a.Severity != fleet.SeverityCrit || a.Summary != "crit" {
		t.Errorf("what is over is told otherwise than it was: %+v", a)
	}
}

// TestDaysInMilliseconds lets two weeks pass with a fault each day.
func TestDaysInMilliseconds(t *testing.T) {
	h := newHouse(t, paged(hot()))
	for i := range 14 * 24 * 12 {
		temp := int64(60)
		if hour := i / 12 % 24; hour == 3 {
			temp = 90
		}
		h.temp("s01", temp)
		h.step(5 * time.Minute)
	}
	if len(h.notices) != 28 {
		t.Errorf("%d notices of 14 faults, want one and a resolve each", len(h.notices))
	}
	if len(h.out.Book.List) > 1 || len(h.out.Book.Groups) > 1 {
		t.Error("something piles up")
	}
}
