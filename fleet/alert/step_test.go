package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// house is a small fleet that is moved by hand: what a test changes it says, and
// step tells the alerts.
type house struct {
	t        *testing.T
	snap     *fleet.Snapshot
	now      time.Time
	out      Result
	notices  []fleet.Pages
	keys     []string
	silences []fleet.Silence
	acks     []fleet.Acknowledgement
	looked   map[int]bool
}

// newHouse has servers s01 to s08 in two racks, a PDU and a feed.
func newHouse(t *testing.T, a fleet.Alerting) *house {
	t.Helper()
	if err := Check(&a); err != nil {
		t.Fatal(err)
	}
	s := &fleet.Snapshot{At: t0, Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}
	regions := []fleet.Region{{Spec: &fleet.RegionSpec{Name: "ams"}}}
	sites := []fleet.Site{{Spec: &fleet.SiteSpec{Name: "ams1", Region: "ams"}}}
	feeds := []fleet.Feed{{Spec: &fleet.FeedSpec{Name: "ams1-A", Site: "ams1"}}}
	racks := []fleet.Rack{{Spec: &fleet.RackSpec{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams"}}, {Spec: &fleet.RackSpec{ID: "ams1/r02", Name: "r02", Site: "ams1", Region: "ams"}}}
	var devices []fleet.Device
	add := func(id string, kind fleet.DeviceKind, rack string) *fleet.DeviceSpec {
		sp := &fleet.DeviceSpec{ID: id, Kind: kind, Rack: rack, Site: "ams1", Region: "ams", Owner: "team-game", Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI}}}
		devices = append(devices, fleet.Device{Spec: sp, State: fleet.StateOK})
		return sp
	}
	for i := range 8 {
		sp := add(fmt.Sprintf("s%02d", i+1), fleet.KindServer, racks[i/4].Spec.ID)
		sp.Power = []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("pa/%d", i+1)}}
	}
	add("pa", fleet.KindPDU, racks[0].Spec.ID).Feed = "ams1-A"
	s.Regions = fleet.NewTable([]string{"ams"}, regions)
	s.Sites = fleet.NewTable([]string{"ams1"}, sites)
	s.Feeds = fleet.NewTable([]string{"ams1-A"}, feeds)
	s.Racks = fleet.NewTable([]string{racks[0].Spec.ID, racks[1].Spec.ID}, racks)
	ids := make([]string, len(devices))
	near := make([][]int, len(devices))
	for i := range devices {
		ids[i] = devices[i].Spec.ID
		if i < 8 {
			near[i], near[8] = []int{8}, append(near[8], i)
		}
	}
	s.Devices = fleet.NewTable(ids, devices)
	s.Topology = &fleet.Topology{Near: near}
	s.Rules = Compile(&a, s)
	s.Alerts = &fleet.AlertBook{Began: t0, Settled: a.Settle == 0}
	h := &house{t: t, snap: s, now: t0, looked: map[int]bool{}}
	h.poll(ids...)
	return h
}

// device changes a device in a snapshot of its own.
func (h *house) device(id string, change func(d *fleet.Device)) {
	h.t.Helper()
	n := h.snap.Devices.Number(id)
	next := *h.snap
	edit := next.Devices.Edit()
	change(edit.At(n))
	next.Devices = edit.Done()
	h.snap, h.looked[n] = &next, true
}

// poll has devices seen now, with everything as it was.
func (h *house) poll(ids ...string) {
	for _, id := range ids {
		h.device(id, func(d *fleet.Device) {
			d.SeenAt, d.BlindSince, d.Sources = h.now, time.Time{}, []fleet.SourceState{{Source: fleet.SourceIPMI, SeenAt: h.now}}
			for t := range d.Tables {
				d.Tables[t].At = h.now
			}
		})
	}
}

// temp has a server seen with a temperature; NaN stands for none.
func (h *house) temp(id string, c int64) {
	h.poll(id)
	h.device(id, func(d *fleet.Device) {
		def := &fleet.SensorDef{Key: "t1", Name: "CPU Temp", Class: fleet.ClassTemperature, Unit: "C"}
		d.Sensors = []fleet.Sensor{{SensorDef: def, Value: fleet.Int(c), State: fleet.StateOK}}
	})
}

func (h *house) blind(id string) {
	h.device(id, func(d *fleet.Device) { d.BlindSince = h.now })
}

// step lets time pass and tells the alerts what changed before it did.
func (h *house) step(after time.Duration) {
	h.t.Helper()
	before := *h.snap
	if h.out.Book != nil {
		before.Alerts = h.out.Book
	}
	next := *h.snap
	next.At = h.now
	var looked []int
	for n := range h.looked {
		looked = append(looked, n)
	}
	slices.Sort(looked)
	c := &Case{Before: h.base(&before), Next: &next, Looked: looked, Silences: h.silences, Acks: h.acks, Now: h.now}
	h.out = Step(c)
	h.silences, h.acks, h.looked = nil, nil, map[int]bool{}
	for _, n := range h.out.Notices {
		var p fleet.Pages
		if err := json.Unmarshal(n.Body, &p); err != nil {
			h.t.Fatal(err)
		}
		h.notices, h.keys = append(h.notices, p), append(h.keys, n.Key)
	}
	next.Alerts = h.out.Book
	h.snap = &next
	h.now = h.now.Add(after)
}

// base is the snapshot before with tables that are older than those of now, so
// that every look is a fresh one.
func (h *house) base(s *fleet.Snapshot) *fleet.Snapshot {
	old := *s
	edit := old.Devices.Edit()
	for i := range edit.Len() {
		d := edit.At(i)
		if h.looked[i] {
			for t := range d.Tables {
				d.Tables[t].At = time.Time{}
			}
			d.About, d.State, d.Docket = nil, fleet.StateUnknown, nil
		}
	}
	old.Devices = edit.Done()
	old.At = h.now.Add(-time.Second)
	if h.snap.Alerts != nil {
		old.At = h.snap.At
	}
	return &old
}

func (h *house) alert(id string) *fleet.Alert { return h.out.Book.Find(id) }

func (h *house) state(id string) string {
	a := h.alert(id)
	if a == nil {
		return "inactive"
	}
	return string(a.State)
}

func (h *house) want(id, state string) {
	h.t.Helper()
	if got := h.state(id); got != state {
		h.t.Errorf("%s at %s: %s is %s, want %s", h.t.Name(), h.now.Sub(t0), id, got, state)
	}
}

func (h *house) told(n int, status string, words ...string) {
	h.t.Helper()
	if len(h.notices) != n {
		h.t.Fatalf("%d notices, want %d: %+v", len(h.notices), n, h.notices)
	}
	if n == 0 {
		return
	}
	p := h.notices[n-1]
	b, _ := json.Marshal(p)
	if p.Status != status {
		h.t.Errorf("the last notice is %s, want %s: %s", p.Status, status, b)
	}
	for _, w := range words {
		if !strings.Contains(string(b), w) {
			h.t.Errorf("the last notice does not say %q: %s", w, b)
		}
	}
}

func hot() fleet.AlertRule {
	return fleet.AlertRule{Name: "hot", On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > 80`, Recovery: "sensor.value < 75", Severity: fleet.SeverityWarn, Graded: true,
		Attempts: 1, Summary: "{sensor.name} of {device.id} {sensor.value} C"}
}

func paged(rules ...fleet.AlertRule) fleet.Alerting {
	return fleet.Alerting{Rules: rules, Receivers: []string{"pager", "log"}, Route: &fleet.AlertRoute{Receiver: "pager"}}
}

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
	var rows []fleet.Change
	step := func(d time.Duration) { h.step(d); rows = append(rows, h.out.Changes...) }
	h.silences = []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "target", Op: "=", Value: "s02"}}, Start: t0, End: t0.Add(time.Hour), By: "ann"}}
	h.temp("s01", 90)
	h.temp("s02", 90)
	step(30 * time.Second)
	step(time.Second)
	h.told(1, "firing")
	book := Recall(fleet.Remember(rows))
	if len(book.List) != 2 || len(book.Groups) != 1 || len(book.Silences) != 1 || book.Counts != h.out.Book.Counts {
		t.Fatalf("%+v", book)
	}
	h.out.Book = book // a restart
	h.snap.Alerts = book
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
