package views

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/views/viewstest"
)

// TestCords: of two outlets that look alike the menu, the row and the question
// say which one a server lives by.
func TestCords(t *testing.T) {
	const id, ours, other = "fra1-r03-s03", someOutlet, "fra1-r03-pa/3"
	// supplies is the fleet with the state of the server's supplies as its BMC
	// tells it.
	supplies := func(one, two fleet.State, cords int) Frame {
		f := hands(80, 24)
		s := *f.Snap
		edit := s.Devices.Edit()
		d := edit.Get(id)
		d.Sensors = []fleet.Sensor{
			{SensorDef: &fleet.SensorDef{Key: "1", Name: "PS1 Status", Class: fleet.ClassState}, State: one},
			{SensorDef: &fleet.SensorDef{Key: "2", Name: "PS2 Status", Class: fleet.ClassState}, State: two}}
		spec := *d.Spec
		spec.Power = slices.DeleteFunc(slices.Clone(spec.Power), func(c fleet.PowerCord) bool { return cords == 1 && c.Outlet != ours })
		d.Spec = &spec
		if one == fleet.StateUnknown { // and the outlet is not seen either
			pdu := edit.Get(hostOf(other))
			pdu.BlindSince = viewstest.At
		}
		s.Devices = edit.Done()
		f.Snap = &s
		return f
	}
	const ok, crit, unknown = fleet.StateOK, fleet.StateCrit, fleet.StateUnknown
	for _, c := range []struct {
		name      string
		one, two  fleet.State
		cords     int
		says, row string
	}{
		{"both live", ok, ok, 2, "feeds fra1-r03-s03 PSU 2; it runs on PSU 1 (fra1-A) too", ""},
		{"the other is dead", crit, ok, 2, "feeds fra1-r03-s03 PSU 2, its LAST LIVE CORD: PSU 1 (fra1-A) is down", "LAST LIVE CORD"},
		{"this one is dead", ok, crit, 2, "feeds fra1-r03-s03 PSU 2, which is down; it runs on PSU 1 (fra1-A)", ""},
		{"both are dead", crit, crit, 2, "none of its cords is live", ""},
		{"nobody sees the other", unknown, ok, 2, "whether PSU 1 (fra1-A) holds is not known", ""},
		{"the only one", crit, ok, 1, "feeds fra1-r03-s03 PSU 2, its only cord", "only cord"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := supplies(c.one, c.two, c.cords)
			menu := compose(t, f, NewActions(KindOutlet, ours), Chrome{})
			if !strings.Contains(menu, c.says) || !strings.Contains(menu, "act on "+ours+" (fra1-r03-s03 PSU 2)") {
				t.Errorf("the menu does not say %q:\n%s", c.says, menu)
			}
			for _, page := range []View{NewDeviceAt(hostOf(ours), "outlet:3"), NewDeviceAt(id, "psu:2")} {
				rows := compose(t, f, press(t, f, page, "pane.next"), Chrome{})
				if is := strings.Contains(rows, c.row) && c.row != ""; is != (c.row != "") || c.row == "" && (strings.Contains(rows, "LAST LIVE") || strings.Contains(rows, "only cord")) {
					t.Errorf("rows say it otherwise than %q:\n%s", c.row, rows)
				}
			}
			ask := compose(t, f, NewConfirm(fleet.ActOutletCycle, []string{ours}, f.Snap.Version), Chrome{})
			keeps := strings.Contains(ask, "fra1-r03-s03 keeps running on PSU 1 (fra1-A)")
			if keeps != (c.one == ok) || keeps && strings.Contains(ask, "starts anew") || strings.Contains(ask, "it is the last live cord of fra1-r03-s03") != (c.row == "LAST LIVE CORD") {
				t.Errorf("the question says of what runs there:\n%s", ask)
			}
		})
	}
}

// TestManyCords: of many outlets each has one line, which says of whom what runs
// there stops.
func TestManyCords(t *testing.T) {
	f := hands(80, 24)
	s := *f.Snap
	s.Corded = map[string]fleet.Attachment{someOutlet: {Device: s.Devices.Number("fra1-r03-s03"), Part: "PSU 2"}, "fra1-r03-pb/2": {Device: s.Devices.Number("fra1-r03-s02"), Part: "PSU 2"}}
	f.Snap = &s
	text := compose(t, f, NewConfirm(fleet.ActOutletOff, []string{"fra1-r03-pb/2", someOutlet, "fra1-r03-pb/20"}, s.Version), Chrome{})
	for _, want := range []string{"blast    ● fra1-r03-pb/2 feeds fra1-r03-s02 PSU 2; it keeps running", "         ● fra1-r03-pb/3 feeds fra1-r03-s03 PSU 2; it keeps running", "fra1-r03-pb/20: what hangs on it is not known"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	if strings.Contains(text, "nothing stops meanwhile") {
		t.Errorf("of one nobody knows what hangs on it:\n%s", text)
	}
}
