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

func TestActOnAPageMeansItsDevice(t *testing.T) {
	f := frame(100, 40)
	v := press(t, f, NewDevice("fra1-r03-s04"), "pane.next", "pane.next", "act") // on what it carries
	if kind, id := v.Selected(f); kind != KindDevice || id != "fra1-r03-s04" {
		t.Errorf("the menu is for %s %s", kind, id)
	}
}
