package engine

import (
	"slices"
	"testing"

	"plumb/fleet"
)

// unset takes a fact out of what a server says.
func (h *herd) unset(i int, name string) {
	h.fact[i] = slices.DeleteFunc(slices.Clone(h.fact[i]), func(f fleet.Fact) bool { return f.Name == name })
}

// TestAUserWhoIsDeletedIsShutOut is the story of a door that stayed open for
// good: a slot that is emptied is not named any more.
func TestAUserWhoIsDeletedIsShutOut(t *testing.T) {
	h := newHerd(t)
	h.set(3, "bmc.sees.users", "yes")
	h.set(3, "bmc.user.2", "plumb operator enabled lan")
	h.set(3, "bmc.user.4", "ADMIN user enabled lan")
	h.look(fleet.LaneSlow)
	h.one("s3", "ipmi.default-name")
	user := func() string { return h.snap.Devices.Get("s3").Facts.Get("bmc.user.4") }

	h.unset(3, "bmc.user.4")
	h.look(fleet.LaneFast)
	if user() == "" {
		t.Error("a fast poll names few facts, and took one away")
	}
	half := h.say(3, fleet.LaneSlow)
	half.SetTable(fleet.TableFacts, fleet.Partial)
	h.step(half)
	if user() == "" {
		t.Error("half a read took a user away")
	}
	h.set(3, "bmc.sees.users", "partial")
	h.look(fleet.LaneSlow)
	if user() == "" {
		t.Error("a list with a hole took a user away")
	}
	h.one("s3", "ipmi.default-name")

	h.set(3, "bmc.sees.users", "yes")
	h.look(fleet.LaneSlow)
	if user() != "" {
		t.Errorf("the whole list does not show user 4, and it is still %q", user())
	}
	for _, f := range h.snap.Devices.Get("s3").Docket.Of() {
		if f.Facet == "ipmi.default-name" || f.Facet == "bmc.user.4" {
			t.Errorf("found of a user who is gone: %+v", f)
		}
	}
	back := Restore(herdInventory(), h.memory(), h.now).Devices.Get("s3").Facts
	if back.Get("bmc.user.4") != "" || back.Get("bmc.user.2") == "" {
		t.Errorf("after a restart: %v", back)
	}
	if past := h.snap.Devices.Get("s3").Docket.Past; !slices.ContainsFunc(past, func(f fleet.Former) bool { return f.Facet == "bmc.user.4" }) {
		t.Errorf("that there was such a user is forgotten: %+v", past)
	}
}

// TestACredentialThatIsTakenAwayWritesNoMore is the same of SNMP, whose facts
// tell the door of one poll.
func TestACredentialThatIsTakenAwayWritesNoMore(t *testing.T) {
	h := newHerd(t)
	h.set(3, "snmp.access", "v2c")
	h.set(3, "snmp.write", "v2c")
	h.look(fleet.LaneSlow)
	h.unset(3, "snmp.write")
	h.look(fleet.LaneSlow)
	if f := h.snap.Devices.Get("s3").Facts; f.Get("snmp.write") != "" || f.Get("snmp.access") != "v2c" {
		t.Errorf("facts %v", f)
	}
}
