package engine

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/security"
)

// doors is a herd of which nothing but doors is judged, beside a cloud.
func doors(t *testing.T) *herd {
	t.Helper()
	inv := herdInventory()
	inv.Policies.Facets = []fleet.FacetPolicy{{Facet: "*", Mode: fleet.ModeIgnored}}
	inv.Clouds = []fleet.CloudSpec{{Name: "stack", Region: "ams"}}
	h := &herd{t: t, snap: Restore(inv, fleet.Memory{}, t0), now: t0, fact: make([]fleet.Facts, 7)}
	for i := range h.fact {
		h.set(i, "bmc.ciphers", "3 17")
		h.set(i, "bmc.sees.users", "yes")
		h.set(i, "bmc.user.2", "plumb operator enabled lan")
	}
	return h
}

// groups is a poll of the cloud that read its security groups.
func (h *herd) groups(is fleet.Completeness, list ...fleet.SecurityGroup) *fleet.Observation {
	o := &fleet.Observation{Target: "stack", Source: fleet.SourceOpenStack, At: h.now, Lane: fleet.LaneTables, SecurityGroups: list}
	o.SetTable(fleet.TableSecurityGroups, is)
	return o
}

func openGroup(id string) fleet.SecurityGroup {
	return fleet.SecurityGroup{ID: id, Name: "mgmt", Project: "p", Rules: []fleet.SecurityRule{{ID: "r", Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(22), PortMax: fleet.Int(22), Remote: "0.0.0.0/0"}}}
}

// agrees holds that the coverage over the fleet is the sum of what the dockets
// say, and returns how many looks passed, found something and saw nothing.
func (h *herd) agrees(when string) (passed, found, unseen int) {
	h.t.Helper()
	looked, blind := 0, 0
	s := &step{prev: h.snap, next: *h.snap, now: h.snap.At}
	s.open()
	for _, d := range h.snap.Devices.All() {
		others := s.drifted(d) // a docket counts what all judges looked at
		looked, blind = looked+d.Docket.Looked-others.Looked, blind+d.Docket.Blind-others.Blind
	}
	for _, c := range h.snap.Clouds.All() {
		others := s.driftedCloud(c)
		looked, blind = looked+c.Docket.Looked-others.Looked, blind+c.Docket.Blind-others.Blind
	}
	stale := 0
	for _, t := range security.Coverage(h.snap) {
		if t.ID == "cloud.volume-encryption" {
			break // what follows nobody looks at
		}
		passed, found, unseen, stale = passed+t.Passed, found+t.Found+t.Decided, unseen+t.NotVisible, stale+t.Stale
	}
	if passed+found+unseen != looked || unseen+stale != blind {
		h.t.Errorf("%s: the dockets looked at %d and were blind to %d; the coverage is %d passed, %d found (%d of them stale), %d not visible", when, looked, blind, passed, found, stale, unseen)
	}
	return passed, found, unseen
}

// TestWhatGrewOldHasNotPassed follows devices and a cloud that fall silent.
func TestWhatGrewOldHasNotPassed(t *testing.T) {
	h := doors(t)
	h.set(3, "bmc.ciphers", "0 3")
	h.look(fleet.LaneSlow)
	h.step(h.groups(fleet.Complete, openGroup("a"), fleet.SecurityGroup{ID: "b"}))
	passed, found, _ := h.agrees("all was read")
	if passed == 0 || found != 2 {
		t.Errorf("%d passed, %d found", passed, found)
	}
	for range 12 { // nobody reads, and a tick a minute goes by
		h.now = h.now.Add(time.Minute)
		h.step(fleet.Tick{})
		h.agrees(h.now.Format("15:04"))
	}
	if passed, found, _ := h.agrees("nothing was read for 12 minutes"); passed != 0 || found != 2 {
		t.Errorf("%d passed by what was read 12 minutes ago, %d found", passed, found)
	}
	h.look(fleet.LaneSlow)
	h.step(h.groups(fleet.Failed))
	h.agrees("the groups were refused")
	h.step(h.groups(fleet.Complete, openGroup("a"), fleet.SecurityGroup{ID: "b"}))
	if again, found, _ := h.agrees("all was read again"); again != passed || found != 2 {
		t.Errorf("%d passed, %d found; before the silence %d", again, found, passed)
	}
}

// TestAnOpenGroupIsCounted follows one finding of a cloud while no device says
// anything: found, waived, open again, gone, forgotten.
func TestAnOpenGroupIsCounted(t *testing.T) {
	h := doors(t)
	h.step(h.groups(fleet.Complete, fleet.SecurityGroup{ID: "b"}))
	counts := func(want int, when string) {
		t.Helper()
		if got := h.snap.Counts.DriftOpen; got != want {
			t.Errorf("%s: the fleet counts %d open, want %d", when, got, want)
		}
	}
	open := func() {
		h.now = h.now.Add(time.Minute)
		h.step(h.groups(fleet.Complete, openGroup("a")))
	}
	counts(0, "nothing open")
	open()
	counts(1, "found")
	h.step(fleet.Decision{Rulings: []fleet.Ruling{{Target: "stack", Facet: "cloud.open-group a", Verdict: fleet.FindingWaived, Until: h.now.Add(90 * time.Second), At: h.now}}})
	counts(0, "waived")
	h.now = h.now.Add(time.Minute)
	h.step(fleet.Tick{})
	counts(0, "still waived")
	h.now = h.now.Add(time.Minute)
	h.step(fleet.Tick{})
	counts(1, "the waiver is over")
	h.now = h.now.Add(time.Minute)
	h.step(h.groups(fleet.Complete, fleet.SecurityGroup{ID: "b"}))
	counts(0, "gone")
	if gone := h.snap.Clouds.Get("stack").Docket.Gone; len(gone) != 1 {
		t.Errorf("gone %+v", gone)
	}
	h.now = h.now.Add(7 * 24 * time.Hour)
	h.step(fleet.Tick{})
	if gone := h.snap.Clouds.Get("stack").Docket.Gone; len(gone) != 0 {
		t.Errorf("gone a week ago and still in sight: %+v", gone)
	}
	for _, rows := range h.memory().Tables {
		if rows.Target == "stack" && rows.Table.Judged() {
			t.Errorf("kept of what is forgotten: %v", rows.Names)
		}
	}
}
