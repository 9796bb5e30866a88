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
	rows     []fleet.Change
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
	h.rows = append(h.rows, h.out.Changes...)
	next.Alerts = h.out.Book
	h.snap = &next
	h.now = h.now.Add(after)
}

// restart has the house forget all but its rows, and poll everything once.
func (h *house) restart() {
	h.out.Book = Recall(fleet.Remember(h.rows))
	h.out.Book.Settled = true
	h.snap.Alerts = h.out.Book
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
