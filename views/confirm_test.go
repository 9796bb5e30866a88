package views

import (
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/views/viewstest"
)

// TestTheQuestionSaysWhatChangedUnderIt: a new snapshot alone changes nothing;
// another power state is worth a thought, another serial is another machine.
func TestTheQuestionSaysWhatChangedUnderIt(t *testing.T) {
	f := frame(100, 40)
	c, _ := f.Keys.Get("act.power-cycle")
	_, in := Dispatch(f, NewDevice("fra1-r03-s04"), c)
	v := in.(Open).View
	reason, _ := f.Keys.Get("confirm.reason")
	v, _ = v.Handle(f, reason.With("a cold start"))
	next := func(change func(*fleet.Device)) Frame {
		g := f
		g.Snap = viewstest.Fleet()
		g.Snap.Version += 7
		change(g.Snap.Devices.Get("fra1-r03-s04"))
		return g
	}
	enter, _ := f.Keys.Get("enter")
	for _, c := range []struct {
		name, says string
		change     func(*fleet.Device)
		runs       bool
	}{
		{"a new snapshot", "", func(*fleet.Device) {}, true},
		{"power", "power was on when this was asked, now off", func(d *fleet.Device) { d.Power = fleet.PowerOff }, false},
		{"state", "state was crit when this was asked, now ok", func(d *fleet.Device) { d.State = fleet.StateOK }, true},
		{"serial", "serial was 7XK", func(d *fleet.Device) {
			d.Facts = append(fleet.Facts(nil), d.Facts...)
			d.Facts.Set(fleet.FactSerial, "ANOTHER")
		}, false},
	} {
		g := next(c.change)
		text := compose(t, g, v, Chrome{})
		if got := strings.Contains(text, "when this was asked"); got != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%s: the question says\n%s", c.name, text)
		}
		_, in := v.Handle(g, enter)
		if _, runs := in.(Execute); runs != c.runs {
			t.Errorf("%s: enter gives %+v", c.name, in)
		}
	}
}

// TestActMeansWhatTheCaretStandsOn: a reading and a part are of their device,
// what a page lists beside them has actions of its own.
func TestActMeansWhatTheCaretStandsOn(t *testing.T) {
	f := frame(100, 40)
	for _, c := range []struct {
		page, kind, id string
		keys           []string
	}{
		{"fra1-r03-s04", KindDevice, "fra1-r03-s04", nil},
		{"fra1-r03-s04", KindOutlet, "fra1-r03-pa/4", []string{"pane.next"}},
		{"fra1-r03-s04", KindInstance, instanceOn(t, f, "fra1-r03-s04"), []string{"pane.next", "pane.next"}},
		{"fra1-r03-s04", KindDevice, "fra1-r03-s04", []string{"pane.back"}}, // facts
		{"fra1-r03-pb", KindOutlet, "fra1-r03-pb/2", []string{"pane.next", "move.down"}},
	} {
		v := press(t, f, NewDevice(c.page), append(c.keys, "act")...)
		if kind, id := v.Selected(f); kind != c.kind || id != c.id {
			t.Errorf("%s %v: the menu is for %s %s, want %s %s", c.page, c.keys, kind, id, c.kind, c.id)
		}
	}
	if v := press(t, f, NewDevice("fra1-r03-pb"), "pane.next", "enter"); v.ID() != "device" || Subject(v) == "fra1-r03-pb" {
		t.Errorf("enter on an outlet leads to %s, not to what hangs on it", Subject(v))
	}
}

// What is to be confirmed is read in whole also on the smallest screen with frames.
func TestTheWholeNewAliasIsShown(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}} {
		f := frame(size[0], size[1])
		alias := "uplink to fra1-spine1 Ethernet1, LAG 7 member 1 of 2, RMA 4711 END"[:64]
		v := Confirm{action: fleet.ActPortAlias, args: map[string]string{"alias": alias}, targets: []string{"fra1-r02-sw2/Ethernet4"}, version: f.Snap.Version, memo: &planMemo{}}
		text := compose(t, f, v, Chrome{})
		read := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "┃", " ").Replace(text)), " ")
		if strings.Count(read, alias) < 2 { // as the argument, and as what the port would be
			t.Errorf("%v: the alias is cut:\n%s", size, text)
		}
	}
}
