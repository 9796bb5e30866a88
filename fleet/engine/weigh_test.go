package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/security"
)

// herd is seven like servers that are looked at in full, as one story.
type herd struct {
	t    *testing.T
	snap *fleet.Snapshot
	now  time.Time
	said []fleet.Event
	kept []fleet.Change // everything since the start, as a store keeps it
	fact []fleet.Facts
}

func herdInventory() *fleet.Inventory {
	inv := &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks:     []fleet.RackSpec{{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}},
		Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute},
	}
	for i := range 7 {
		inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: fmt.Sprintf("s%d", i), Kind: fleet.KindServer, Model: "R6515", Rack: "ams1/r01", Site: "ams1", Region: "ams",
			Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:1"}}})
	}
	return inv
}

// newHerd has seen every server in full once, all alike.
func newHerd(t *testing.T) *herd {
	t.Helper()
	h := &herd{t: t, snap: Restore(herdInventory(), fleet.Memory{}, t0), now: t0, fact: make([]fleet.Facts, 7)}
	for i := range h.fact {
		h.set(i, fleet.FactFirmware, "2.19")
		h.set(i, "bios.version", "1.8")
		h.set(i, fleet.FactPower, "on")
	}
	h.look(fleet.LaneSlow)
	return h
}

func (h *herd) set(i int, name, value string) {
	f := slices.Clone(h.fact[i])
	f.Set(name, value)
	h.fact[i] = f
}

func (h *herd) say(i int, lane fleet.Lane) *fleet.Observation {
	o := &fleet.Observation{Target: fmt.Sprintf("s%d", i), Source: fleet.SourceIPMI, At: h.now, Lane: lane, Facts: slices.Clone(h.fact[i])}
	o.SetTable(fleet.TableFacts, fleet.Complete)
	return o
}

func (h *herd) step(in ...fleet.Input) {
	next, out := Step(h.snap, in, h.now)
	h.snap = next
	for _, e := range out.Events {
		if e.Type != "state" && e.Type != "flap" { // five minutes between two looks are a silence
			h.said = append(h.said, e)
		}
	}
	h.kept = append(h.kept, out.Changes...)
}

// look lets five minutes pass and reads all servers.
func (h *herd) look(lane fleet.Lane) {
	h.now, h.said = h.now.Add(5*time.Minute), nil
	for i := range h.fact {
		h.step(h.say(i, lane))
	}
}

// found writes the open and the settled findings as TARGET:FACET STATE.
func found(s *fleet.Snapshot) string {
	var out []string
	for id, d := range s.Devices.All() {
		for _, f := range d.Docket.Of() {
			if id != f.Target {
				out = append(out, "foreign "+f.ID())
			}
			out = append(out, f.ID()+" "+string(f.State))
		}
	}
	return strings.Join(out, ", ")
}

func (h *herd) finds(want string) {
	h.t.Helper()
	if got := found(h.snap); got != want {
		h.t.Errorf("at %s: found %q, want %q", h.now.Format("15:04"), got, want)
	}
	open := 0
	for _, d := range h.snap.Devices.All() {
		if d.DriftOpen != d.Docket.Open() {
			h.t.Errorf("%s counts %d open, its docket %d", d.Spec.ID, d.DriftOpen, d.Docket.Open())
		}
		open += d.DriftOpen
	}
	if r := h.snap.Regions.Get("ams").DriftOpen; h.snap.Counts.DriftOpen != open || r != open {
		h.t.Errorf("the devices count %d open, the region %d, the fleet %d", open, r, h.snap.Counts.DriftOpen)
	}
}

func (h *herd) one(target, facet string) fleet.Finding {
	h.t.Helper()
	for _, f := range h.snap.Devices.Get(target).Docket.Of() {
		if f.Facet == facet {
			return f
		}
	}
	h.t.Fatalf("%s:%s is not found; found is %q", target, facet, found(h.snap))
	return fleet.Finding{}
}

func (h *herd) hears(n int, target, text string) {
	h.t.Helper()
	got := 0
	for _, e := range h.said {
		if e.Target == target && strings.Contains(e.Text, text) {
			got++
		}
	}
	if got != n {
		h.t.Errorf("%s %q was said %d times, want %d: %+v", target, text, got, n, h.said)
	}
}

func (h *herd) memory() fleet.Memory {
	return fleet.Memory{Version: h.snap.Version, Tables: fleet.Remember(h.kept)}
}

func TestAHealthyHerdHasNoDrift(t *testing.T) {
	h := newHerd(t)
	h.look(fleet.LaneSlow)
	h.finds("")
	if len(h.said) != 0 {
		t.Errorf("said %+v", h.said)
	}
	_, _, doors := security.Judge(h.snap.Devices.Get("s3"), security.SceneOf(h.snap)) // what its facts do not tell
	if d := h.snap.Devices.Get("s3").Docket; d == nil || d.Looked <= doors || d.Blind != doors {
		t.Errorf("coverage of a server read in full: %+v", d)
	}
}

// TestAnIgnoreEnds holds that what a policy keeps out of sight is found the
// minute its time is over, and counted until then.
func TestAnIgnoreEnds(t *testing.T) {
	h := newHerd(t)
	inv := herdInventory()
	inv.Policies.Facets = []fleet.FacetPolicy{{Facet: "firmware", Mode: fleet.ModeIgnored, Owner: "ann", Reason: "a wave", Until: h.now.Add(12 * time.Minute)}}
	h.step(fleet.Reload{Inventory: inv})
	h.set(3, fleet.FactFirmware, "2.14")
	h.look(fleet.LaneSlow)
	h.finds("")
	if d := h.snap.Devices.Get("s3").Docket; d.Muted != 1 {
		t.Errorf("%d muted", d.Muted)
	}
	h.look(fleet.LaneSlow)
	h.finds("")
	h.now = h.now.Add(2 * time.Minute)
	h.step(fleet.Tick{})
	h.finds("s3:firmware open")
	if d := h.snap.Devices.Get("s3").Docket; d.Muted != 0 {
		t.Errorf("%d muted", d.Muted)
	}
	if b := h.one("s3", "firmware").Baselines; len(b) != 2 {
		t.Errorf("held against %+v", b)
	}
}

func TestFirmwareThatChangesIsFoundAndSaidOnce(t *testing.T) {
	h := newHerd(t)
	h.set(3, fleet.FactFirmware, "2.14")
	h.set(3, "bios.version", "1.2")
	h.look(fleet.LaneSlow)
	h.finds("s3:bios.version open, s3:firmware open")
	h.hears(1, "s3", "firmware changed from 2.19 to 2.14")
	h.hears(1, "s3", "bios.version is 1.2: 1.8 before, its like have 1.8")
	if len(h.said) != 2 {
		t.Errorf("said %+v", h.said)
	}
	changed := h.now
	f := h.one("s3", "firmware")
	want := []fleet.Baseline{{Name: fleet.BaseLastWeek, Expected: "2.19"}, {Name: fleet.BaseCohort, Expected: "2.19"}}
	if !slices.Equal(f.Baselines, want) || f.Confidence != fleet.ConfidenceMedium || f.Severity != fleet.SeverityWarn || !f.Since.Equal(changed) {
		t.Errorf("found %+v", f)
	}
	for range 3 {
		h.look(fleet.LaneSlow)
		if len(h.said) != 0 {
			t.Errorf("said again: %+v", h.said)
		}
	}
	if f := h.one("s3", "firmware"); !f.Since.Equal(changed) {
		t.Errorf("since %v, it changed at %v", f.Since, changed)
	}
	h.set(3, fleet.FactFirmware, "2.19")
	h.set(3, "bios.version", "1.8")
	h.look(fleet.LaneSlow)
	h.finds("")
	h.hears(1, "s3", "over: bios.version")
	if gone := h.snap.Devices.Get("s3").Docket.Gone; len(gone) != 2 || gone[0].State != fleet.FindingGone || !gone[0].Since.Equal(changed) {
		t.Errorf("gone %+v", gone)
	}
}

func TestAFastPollFindsAChangeToo(t *testing.T) {
	h := newHerd(t)
	h.set(3, fleet.FactFirmware, "2.14")
	h.look(fleet.LaneFast)
	h.finds("s3:firmware open")
}

func TestPartOfASlowPollNeitherFindsNorClears(t *testing.T) {
	h := newHerd(t)
	h.set(3, fleet.FactFirmware, "2.14")
	h.look(fleet.LaneSlow)
	since := h.one("s3", "firmware").Since
	h.now = h.now.Add(5 * time.Minute)
	part := h.say(3, fleet.LaneSlow)
	part.Facts = nil
	part.Facts.Set(fleet.FactPower, "on")
	part.SetTable(fleet.TableFacts, fleet.Partial)
	other := h.say(4, fleet.LaneSlow)
	other.Facts.Set("bios.version", "1.2")
	other.SetTable(fleet.TableFacts, fleet.Partial)
	h.said = nil
	h.step(part, other)
	h.finds("s3:firmware open")
	if len(h.said) != 0 {
		t.Errorf("half a look said %+v", h.said)
	}
	if d := h.snap.Devices.Get("s3").Docket; d.Blind == 0 || d.Blind != d.Looked {
		t.Errorf("looked at %d, blind to %d", d.Looked, d.Blind)
	}
	h.set(4, "bios.version", "1.2")
	h.look(fleet.LaneSlow)
	h.finds("s3:firmware open, s4:bios.version open")
	if f := h.one("s3", "firmware"); !f.Since.Equal(since) {
		t.Errorf("since %v, it was first seen at %v", f.Since, since)
	}
}

// TestAMajorityThatMovesJudgesAllAgain: after a wave of updates those that were
// left behind are what is found, though nothing of them changed.
func TestAMajorityThatMovesJudgesAllAgain(t *testing.T) {
	h := newHerd(t)
	h.now = h.now.Add(8 * 24 * time.Hour) // nothing of the last week helps here
	h.look(fleet.LaneSlow)
	h.now = h.now.Add(5 * time.Minute)
	for i := range 5 {
		h.set(i, "bios.version", "2.0")
		h.step(h.say(i, fleet.LaneSlow))
	}
	for _, id := range []string{"s5", "s6"} {
		f := h.snap.Devices.Get(id).Docket.Of()
		if len(f) != 1 || !slices.Equal(f[0].Baselines, []fleet.Baseline{{Name: fleet.BaseCohort, Expected: "2.0"}}) {
			t.Errorf("%s was not looked at since, and five of its six like have 2.0: %+v", id, f)
		}
	}
	h.set(5, "bios.version", "2.0")
	h.set(6, "bios.version", "2.0")
	h.step(h.say(5, fleet.LaneSlow), h.say(6, fleet.LaneSlow))
	for i := range 7 {
		for _, f := range h.snap.Devices.At(i).Docket.Of() {
			for _, b := range f.Baselines {
				if b.Name == fleet.BaseCohort {
					t.Errorf("all are alike again, and %s is held against %+v", f.ID(), b)
				}
			}
		}
	}
}

func TestRulingsAreKeptOverARestart(t *testing.T) {
	h := newHerd(t)
	for i, v := range []string{"2.11", "2.12", "2.13", "2.14"} {
		h.set(i, fleet.FactFirmware, v)
	}
	for i := range 4 { // one after the other, as people update
		h.now = h.now.Add(time.Minute)
		h.step(h.say(i, fleet.LaneSlow))
	}
	since := h.one("s2", "firmware").Since
	rule := func(target string, verdict fleet.FindingState, until time.Time) {
		h.step(fleet.Decision{Audit: []fleet.AuditEntry{{Who: "bob", Action: "drift", Target: target}},
			Rulings: []fleet.Ruling{{Target: target, Facet: "firmware", Verdict: verdict, Value: h.one(target, "firmware").Observed, Until: until, By: "bob", Reason: "agreed", At: h.now}}})
	}
	rule("s0", fleet.FindingAccepted, time.Time{})
	rule("s1", fleet.FindingWaived, h.now.Add(time.Hour))
	rule("s2", fleet.FindingIgnored, time.Time{})
	want := "s0:firmware accepted, s1:firmware waived, s2:firmware ignored, s3:firmware open"
	h.finds(want)

	h.snap = Restore(herdInventory(), h.memory(), h.now)
	h.finds(want)
	if f := h.one("s2", "firmware"); !f.Since.Equal(since) {
		t.Errorf("since %v after a restart, %v before", f.Since, since)
	}
	if r := h.snap.Devices.Get("s0").Docket.Rulings; len(r) != 1 || r[0].By != "bob" || r[0].Reason != "agreed" {
		t.Errorf("ruling after a restart: %+v", r)
	}
	h.look(fleet.LaneSlow)
	h.finds(want)
	if len(h.said) != 0 {
		t.Errorf("what stood before a restart is no news: %+v", h.said)
	}

	h.now = h.now.Add(time.Hour)
	h.step(fleet.Tick{})
	h.finds("s0:firmware accepted, s1:firmware open, s2:firmware ignored, s3:firmware open")
	rule("s2", fleet.FindingOpen, time.Time{})
	h.finds("s0:firmware accepted, s1:firmware open, s2:firmware open, s3:firmware open")
	h.set(0, fleet.FactFirmware, "2.10")
	h.look(fleet.LaneSlow)
	if f := h.one("s0", "firmware"); f.State != fleet.FindingOpen || f.Baselines[0] != (fleet.Baseline{Name: fleet.BaseAccepted, Expected: "2.11"}) {
		t.Errorf("what was accepted is another now: %+v", f)
	}
	h.snap = Restore(herdInventory(), h.memory(), h.now)
	h.finds("s0:firmware open, s1:firmware open, s2:firmware open, s3:firmware open")
}

func TestTheWeekBeforeIsForgottenInTime(t *testing.T) {
	h := newHerd(t)
	for i := range 7 { // all of them: their like are no witness
		h.set(i, "bios.version", "2.0")
	}
	h.look(fleet.LaneSlow)
	if f := h.one("s0", "bios.version"); f.Severity != fleet.SeverityInfo || f.Confidence != fleet.ConfidenceLow {
		t.Errorf("a change alone: %+v", f)
	}
	h.now = h.now.Add(7*24*time.Hour - 10*time.Minute)
	h.look(fleet.LaneSlow)
	h.one("s0", "bios.version")
	h.look(fleet.LaneSlow)
	h.step(fleet.Tick{})
	h.finds("")
	if back := Restore(herdInventory(), h.memory(), h.now); found(back) != "" || len(back.Devices.Get("s0").Docket.Past) != 0 {
		t.Errorf("after a restart: %q, past %+v", found(back), back.Devices.Get("s0").Docket.Past)
	}
}

func TestTheFindingsOfThen(t *testing.T) {
	h := newHerd(t)
	ground := Lay(herdInventory())
	type moment struct {
		at   time.Time
		kept int
		want string
	}
	var moments []moment
	note := func() { moments = append(moments, moment{h.now, len(h.kept), found(h.snap)}) }
	note()
	h.set(3, fleet.FactFirmware, "2.14")
	h.look(fleet.LaneSlow)
	note()
	h.step(fleet.Decision{Rulings: []fleet.Ruling{{Target: "s3", Facet: "firmware", Verdict: fleet.FindingAccepted, Value: "2.14", By: "bob", Reason: "x", At: h.now}}})
	note()
	h.set(3, fleet.FactFirmware, "2.19")
	h.look(fleet.LaneSlow)
	note()
	for _, m := range moments {
		then := ground.AsOf(fleet.Memory{Tables: fleet.Remember(h.kept[:m.kept])}, m.at)
		if got := found(then); got != m.want || then.Live {
			t.Errorf("as of %s: %q, want %q", m.at.Format("15:04"), got, m.want)
		}
	}
	if moments[0].want != "" || moments[1].want == moments[2].want || !strings.Contains(moments[2].want, "accepted") {
		t.Errorf("the story was another: %+v", moments)
	}
}

// TestAReloadIsJudgedByAtOnce: what the inventory wants now is held against
// what is known, and not only at the next slow poll.
func TestAReloadIsJudgedByAtOnce(t *testing.T) {
	h := newHerd(t)
	h.set(3, fleet.FactFirmware, "2.14")
	h.look(fleet.LaneSlow)
	since := h.one("s3", "firmware").Since
	inv := herdInventory()
	inv.Devices[5].Expect = map[string]fleet.Expectation{"firmware": {Min: "2.20"}}
	h.now = h.now.Add(time.Minute)
	h.step(fleet.Reload{Inventory: inv})
	h.finds("s3:firmware open, s5:firmware open")
	if f := h.one("s3", "firmware"); !f.Since.Equal(since) || len(f.Baselines) != 2 {
		t.Errorf("a reload began a finding anew: %+v", f)
	}
	inv = herdInventory()
	inv.Policies.Facets = []fleet.FacetPolicy{{Facet: "firmware", Mode: fleet.ModeIgnored}}
	h.step(fleet.Reload{Inventory: inv})
	h.finds("")
	inv = herdInventory()
	inv.Devices = inv.Devices[:3]
	h.step(fleet.Reload{Inventory: inv})
	h.look(fleet.LaneSlow)
	h.finds("")
}
