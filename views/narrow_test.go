package views

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// What is asked of an ack has room on a small screen, to its last word.
func TestAcksAskInTheRoomThereIs(t *testing.T) {
	f := called(80, 24)
	acked := *f.Snap.Alerts
	acked.List = slices.Clone(acked.List)
	for i, a := range acked.List {
		b := *a
		b.Ack = &fleet.Ack{By: "ann", At: viewstest.At}
		acked.List[i] = &b
	}
	s := *f.Snap
	s.Alerts = &acked
	back := f
	back.Snap = &s
	for name, f := range map[string]Frame{"ack": f, "take back": back} {
		_, in := give(t, f, NewAlerts(), "alert.ack")
		ask, ok := in.(Ask)
		if !ok || !strings.HasPrefix(ask.Label, name) {
			t.Fatalf("%s: %+v", name, in)
		}
		row := strings.Split(compose(t, f, NewAlerts(), Chrome{Prompt: &Prompt{Label: ask.Label}}), "\n")
		if !slices.ContainsFunc(row, func(l string) bool { return strings.Contains(l, ask.Label) }) {
			t.Errorf("%s: %d columns are asked: %q", name, widget.Width(ask.Label), ask.Label)
		}
	}
}

// The help of a silence and of a maintenance is a sentence on every screen.
func TestHushHelpIsWhole(t *testing.T) {
	for _, w := range []int{60, 80, 160} {
		f := called(w, 24)
		for _, v := range []View{press(t, f, NewAlerts(), "alert.silence"), press(t, f, NewDevice("fra1-r03-s04"), "alert.maintain")} {
			i := 0
			for line := range strings.Lines(compose(t, f, v, Chrome{})) {
				if strings.Contains(line, "enter: nobody") {
					if i++; strings.Contains(line, f.Theme.Glyphs.Ellipsis) {
						t.Errorf("%d columns: %s", w, line)
					}
				}
			}
			if i != 1 {
				t.Errorf("%d columns: the help is there %d times", w, i)
			}
		}
	}
}

// The steps of a job are followed to the one that is under way, as long as nobody
// moved the caret.
func TestJobShowsTheStepUnderWay(t *testing.T) {
	f := frame(80, 24)
	j := waved(f.Snap)
	j.Targets, j.Steps = nil, nil
	for i := range 12 {
		id := fmt.Sprintf("fra1-r03-s%02d", i+1)
		j.Targets = append(j.Targets, id)
		if i < 9 {
			j.Steps = append(j.Steps, fleet.JobStep{Name: "begin", Target: id, State: fleet.JobRunning, Text: "guards passed", At: j.Began}, fleet.JobStep{Name: "act", Target: id, State: fleet.JobVerified, Text: "done", At: j.Began.Add(time.Second)})
		}
	}
	j.Steps = append(j.Steps, fleet.JobStep{Name: "begin", Target: j.Targets[9], State: fleet.JobRunning, Text: "it is at this one", At: j.Began})
	p := *j.Planned
	p.Waves = []int{12}
	j.Planned = &p
	s := *f.Snap
	s.Jobs = []fleet.Job{j}
	f.Snap = &s
	if text := compose(t, f, NewJob("j3"), Chrome{}); !strings.Contains(text, "it is at this one") {
		t.Errorf("the step under way is out of sight:\n%s", text)
	}
	if text := compose(t, f, press(t, f, NewJob("j3"), "move.down"), Chrome{}); strings.Contains(text, "it is at this one") || !strings.Contains(text, "s02") {
		t.Errorf("the caret is not followed once it is moved:\n%s", text)
	}
}

// Nobody is asked to type a serial for what would be refused.
func TestConfirmAsksForNoSerialOfWhatIsRefused(t *testing.T) {
	for _, refused := range []bool{false, true} {
		f := frame(80, 24)
		if refused { // nobody sees the PDU
			s := *f.Snap
			edit := s.Devices.Edit()
			edit.At(s.Devices.Number(hostOf(someOutlet))).BlindSince = viewstest.At.Add(-time.Minute)
			s.Devices = edit.Done()
			f.Snap = &s
		}
		v := NewConfirm(fleet.ActOutletOff, []string{someOutlet}, f.Snap.Version)
		if plan.Challenge(v.(Confirm).plan(f)) == "" || (v.(Confirm).refused(f) != "") != refused {
			t.Fatalf("%v: challenge %q, refused %q", refused, plan.Challenge(v.(Confirm).plan(f)), v.(Confirm).refused(f))
		}
		if text := compose(t, f, v, Chrome{}); strings.Contains(text, "to show that you looked") == refused {
			t.Errorf("%v:\n%s", refused, text)
		}
	}
}
