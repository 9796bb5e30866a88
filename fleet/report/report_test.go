package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// small is a fleet of one rack with a PDU on each feed and n servers, each on
// both, the first on one cord.
func small(n int) *fleet.Snapshot {
	s := &fleet.Snapshot{At: t0, Live: true, Topology: &fleet.Topology{DevicesOf: map[string][]int{}, Corded: map[string]fleet.Attachment{}, PDUsOf: map[string][]int{}}, HostOf: map[int]int{}}
	var devices []fleet.Device
	for _, f := range []string{"A", "B"} {
		devices = append(devices, fleet.Device{Spec: &fleet.DeviceSpec{ID: "p" + strings.ToLower(f), Name: "pdu-" + f, Kind: fleet.KindPDU, Rack: "ams1/r01", Site: "ams1", Region: "ams", Feed: f}, State: fleet.StateOK, SeenAt: t0})
	}
	for i := range n {
		d := fleet.Device{Spec: &fleet.DeviceSpec{ID: fmt.Sprintf("s%d", i), Name: fmt.Sprintf("s%d", i), Kind: fleet.KindServer, Model: "R650", Rack: "ams1/r01", Site: "ams1", Region: "ams", Owner: "team",
			Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprint("pa/", i+1)}, {PSU: 2, Outlet: fmt.Sprint("pb/", i+1)}}}, State: fleet.StateOK, SeenAt: t0, Power: fleet.PowerOn}
		if i == 0 {
			d.Spec.Power = d.Spec.Power[:1]
		}
		d.Facts.Set(fleet.FactFirmware, "2.19")
		devices = append(devices, d)
	}
	s.Regions = table([]fleet.Region{{Spec: &fleet.RegionSpec{Name: "ams"}}}, func(x *fleet.Region) string { return x.Spec.Name })
	s.Sites = table([]fleet.Site{{Spec: &fleet.SiteSpec{Name: "ams1", Region: "ams"}}}, func(x *fleet.Site) string { return x.Spec.Name })
	s.Racks = table([]fleet.Rack{{Spec: &fleet.RackSpec{ID: "ams1/r01", Site: "ams1", Region: "ams", Units: 42, Feeds: []string{"A", "B"}}}}, func(x *fleet.Rack) string { return x.Spec.ID })
	s.Feeds = table([]fleet.Feed{{Spec: &fleet.FeedSpec{Name: "A", Site: "ams1"}}, {Spec: &fleet.FeedSpec{Name: "B", Site: "ams1"}}}, func(x *fleet.Feed) string { return x.Spec.Name })
	s.Devices = table(devices, func(x *fleet.Device) string { return x.Spec.ID })
	return s
}

func table[T any](rows []T, id func(*T) string) fleet.Table[T] {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = id(&rows[i])
	}
	return fleet.NewTable(ids, rows)
}

// story writes events of plumb: "-3h s1 ok → crit: fan stopped", "+" before the
// text says that it began.
func story(lines ...string) (out []fleet.Event) {
	for _, l := range lines {
		ago, rest, _ := strings.Cut(l, " ")
		target, text, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(ago)
		if err != nil {
			panic(err)
		}
		text, began := strings.CutPrefix(text, "+")
		sev := fleet.SeverityInfo
		if began {
			sev = fleet.SeverityCrit
		}
		out = append(out, fleet.Event{ID: l, At: t0.Add(d), Target: target, Source: "plumb", Type: "state", Text: text, Severity: sev, Asserted: began})
	}
	return out
}

func input(s *fleet.Snapshot, events []fleet.Event) Input {
	return Input{Snap: s, Now: t0, Since: t0.Add(-30 * 24 * time.Hour), Events: events}
}

func TestIncidentsArePairedAndGrouped(t *testing.T) {
	in := input(small(4), story(
		"-1h s1 +ok → crit: no power: its only cord is dead: pa/12 (no output); and 2 more", // newest first, as the store gives them
		"-5h s2 +also: a fan stopped", // worse, the same incident
		"-3h s2 crit → ok",
		"-6h s2 +ok → warn: no power: its only cord is dead: pb/3 (no output)",
		"-800h s3 +ok → crit: before the period",
		"-9h s3 crit → ok: ended, and nobody saw it begin"))
	slices.Reverse(in.Events)
	o := OpsOf(in)
	if len(o.Review.Incidents) != 1 {
		t.Fatalf("%+v", o.Review.Incidents)
	}
	x := o.Review.Incidents[0]
	if x.Cause != "no power: its only cord is dead: pdu (no output)" || x.Count != 2 || x.Open != 1 || x.TotalS != 4*3600 || x.LongestS != 3*3600 || !slices.Equal(x.Targets, []string{"s2", "s1"}) || x.Severity != fleet.SeverityCrit {
		t.Errorf("%+v", x)
	}
	if !o.Period.From.Equal(t0.Add(-9 * time.Hour)) {
		t.Errorf("plumb is said to have looked from %s", o.Period.From)
	}
}

// TestManyAtOnceIsNoFaultOfTheMachines shows that a lost feed counts for no
// model, and is one incident.
func TestManyAtOnceIsNoFaultOfTheMachines(t *testing.T) {
	var lines []string
	for i := range 5 {
		lines = append(lines, fmt.Sprintf("-%dm s%d +ok → warn: redundancy lost: PSU 1: input lost", 60, i))
	}
	in := input(small(6), story(append(lines, "-2h s5 +ok → crit: ECC Errors: Uncorrectable")...))
	d := DesignOf(in)
	if len(d.Common) != 1 || d.Common[0].Devices != 5 || d.Common[0].Place != "ams1" {
		t.Errorf("%+v", d.Common)
	}
	if m := rate(d.Models, "R650"); m.Failures != 1 || m.Devices != 1 || m.N != 6 || !slices.Equal(m.Causes, []string{"ECC Errors: Uncorrectable"}) {
		t.Errorf("%+v", m)
	}
	o := OpsOf(in)
	if len(o.Review.Incidents) != 2 || o.Review.Incidents[1].Cause != "many at once: redundancy lost: PSU #: input lost" || o.Review.Incidents[1].Count != 1 {
		t.Errorf("%+v", o.Review.Incidents)
	}
}

func rate(list []Rate, of string) Rate {
	for _, r := range list {
		if r.Of == of {
			return r
		}
	}
	return Rate{}
}

// TestARateNeedsEnough holds both bounds, and the number itself.
func TestARateNeedsEnough(t *testing.T) {
	fail := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf("-%dh s%d +ok → crit: ECC Errors", 10*i+5, i%3), fmt.Sprintf("-%dh s%d crit → ok", 10*i+4, i%3))
		}
		return lines
	}
	for _, c := range []struct {
		servers, failures int
		want              string
	}{{200, 10, "5"}, {200, 4, "null"}, {50, 10, "null"}} {
		in := input(small(c.servers), story(fail(c.failures)...))
		in.Then = in.Snap // the whole period was looked at
		if r := rate(DesignOf(in).Models, "R650"); r.Per100.String() != c.want || r.Failures != c.failures || r.Months.Float() != float64(c.servers) {
			t.Errorf("%d servers, %d failures: %+v", c.servers, c.failures, r)
		}
	}
}

func TestDesignKnowsCordsAndLogs(t *testing.T) {
	in := input(small(4), story("-9h s0 +ok → crit: no power: its only cord is dead: pa/1 (no output)"))
	for k := range 3 { // three records of one sensor on one day are one trouble
		in.Events = append(in.Events, fleet.Event{ID: fmt.Sprint(k), At: t0.Add(-50*time.Hour + time.Duration(k)*time.Minute), Target: "s2", Source: "sel", Sensor: "PS1", Type: "Power Supply", Severity: fleet.SeverityCrit, Asserted: true})
	}
	in.Capacity = []capacity.Row{{Scope: capacity.ScopeRack, ID: "ams1/r01", Resource: capacity.Units, Unit: "U", Stranded: fleet.Int(7), Binds: "outlets"}}
	d := DesignOf(in)
	if r := rate(d.Racks, "one cord"); r.N != 1 || r.Failures != 1 {
		t.Errorf("%+v", d.Racks)
	}
	if r := rate(d.Racks, "two feeds"); r.N != 3 || r.Failures != 0 || r.Logged != 1 {
		t.Errorf("%+v", d.Racks)
	}
	if len(d.Stranded) != 1 || d.Stranded[0].Design != "42U, two feeds" || d.Stranded[0].Amount.Float() != 7 {
		t.Errorf("%+v", d.Stranded)
	}
}

// handed is a fleet with something in each part of the hand-over.
func handed() Input {
	s := small(3)
	edit := s.Devices.Edit()
	d := edit.At(3)
	d.State, d.Reasons, d.About = fleet.StateCrit, []string{"FAN1 | <b>stopped</b> ![x](http://evil)"}, []string{"sensor fan"}
	d.Docket = &fleet.Docket{
		Findings: []fleet.Finding{{Target: "s1", Facet: "firmware", Kind: fleet.FindFirmware, Severity: fleet.SeverityWarn, State: fleet.FindingOpen, Since: t0.Add(-48 * time.Hour), Observed: "2.19", Who: "ann"}},
		Rulings:  []fleet.Ruling{{Target: "s1", Facet: "port E1 vlan", Verdict: fleet.FindingWaived, Until: t0.Add(48 * time.Hour), By: "bob", Reason: "migration"}, {Target: "s1", Facet: "x", Verdict: fleet.FindingWaived, Until: t0.Add(480 * time.Hour)}},
		Past:     []fleet.Former{{Facet: "firmware", Value: "2.17", At: t0.Add(-48 * time.Hour)}},
		Looked:   9, Blind: 2,
	}
	s.Devices = edit.Done()
	s.Counts.By[fleet.KindOfDevice] = [fleet.NumStates]int{fleet.StateOK: 4, fleet.StateCrit: 1}
	in := input(s, story("-1h s1 +ok → crit: FAN1 | <b>stopped</b>"))
	in.Then = small(3)
	in.Jobs = []fleet.Job{
		{ID: "j2", Action: fleet.ActIdentify, Targets: []string{"s1"}, State: fleet.JobAccepted, By: "raj", Reason: "which one", Began: t0.Add(-time.Minute)},
		{ID: "j1", Action: fleet.ActPowerCycle, Targets: []string{"s2"}, State: fleet.JobVerified, By: "raj", Reason: "hangs", Began: t0.Add(-2 * time.Hour), Ended: t0.Add(-time.Hour)},
	}
	return in
}

func TestHandover(t *testing.T) {
	o := OpsOf(handed())
	h, r := &o.Handover, &o.Review
	if len(h.Causes) != 1 || h.Causes[0].Part != "s1" || h.Causes[0].Acting != "raj: identify" {
		t.Errorf("causes %+v", h.Causes)
	}
	if len(h.Open) != 1 || h.Open[0].Target != "s1" || h.Open[0].Who != "ann" {
		t.Errorf("open %+v", h.Open)
	}
	if len(h.Acting) != 1 || h.Acting[0].Target != "s1" || len(r.Done) != 1 || r.Done[0].Target != "s2" {
		t.Errorf("acts %+v and %+v", h.Acting, r.Done)
	}
	if len(h.RunningOut) != 1 || h.RunningOut[0].By != "bob" {
		t.Errorf("ends soon %+v", h.RunningOut)
	}
	if d := r.Drift; d.Open != 1 || d.Days.Float() <= 0 || d.OpenThen == nil || *d.OpenThen != 0 || d.Looked != 9 || d.Blind != 2 {
		t.Errorf("drift %+v", d)
	}
	if len(r.Changes) != 1 || r.Changes[0].Was != "2.17" || r.Changes[0].Is != "2.19" || r.Changes[0].Who != "ann" {
		t.Errorf("changes %+v", r.Changes)
	}
	if o.Period.From != o.Period.Since {
		t.Errorf("period %+v", o.Period)
	}
}

// TestMarkdownSaysTheNumbers holds the pages to be readable anywhere: no line is
// wider than the page, no device text is taken for Markdown, and what stands in
// the JSON stands on the page.
func TestMarkdownSaysTheNumbers(t *testing.T) {
	in := handed()
	o, d := OpsOf(in), DesignOf(in)
	page := o.Markdown(in.Snap)
	for _, want := range []string{"**server s1** is crit", "raj: identify", "4 ok, 0 warn, 1 crit", "1 open, debt 6 weighted days", "At the beginning of the period: 0 open, debt 0.", `\<b>stopped`, `!\[x]`, "| 2026-11-20 14:00 | s1 ", "bob", "migration"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, p := range []string{page, d.Markdown()} {
		if strings.Contains(p, " <b>") || strings.Contains(p, "![") || strings.Contains(p, "\n\n\n") {
			t.Errorf("text of a device is taken for Markdown, or lines are wasted:\n%s", p)
		}
		for line := range strings.Lines(p) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > Widest {
				t.Errorf("%d wide: %s", n, line)
			}
		}
	}
	for _, v := range []any{o, d} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range []string{"causes", "services", "acting", "running_out", "incidents", "capacity", "changes", "done", "next", "findings", "models", "firmware", "racks", "zones", "common", "stranded"} {
			if strings.Contains(string(b), `"`+list+`":null`) {
				t.Errorf("the list of %s is null where it is known to be empty", list)
			}
		}
	}
	empty := DesignOf(input(small(1), nil))
	if p := empty.Markdown(); !strings.Contains(p, "plumb said nothing in this period") || !strings.Contains(p, "No failure.") {
		t.Error(p)
	}
}
