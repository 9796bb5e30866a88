package views

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/keys"
	"plumb/views/viewstest"
)

const (
	somePort   = "fra1-r02-sw2/Ethernet9" // in another VLAN than its like: see drifted
	someOutlet = "fra1-r03-pb/3"
)

// hands is the drifted fleet with jobs in every stage, as an operator sees it.
func hands(w, h int) Frame {
	f := driftFrame(w, h)
	s := *f.Snap
	edit := s.Devices.Edit()
	sw := edit.Get("fra1-r02-sw2")
	sw.Ports = slices.Clone(sw.Ports)
	for i := range sw.Ports {
		if p := &sw.Ports[i]; p.Name == "Ethernet9" {
			def := *p.PortDef
			def.VLAN, p.PortDef = 999, &def
		}
	}
	s.Devices = edit.Done()
	s.Corded = map[string]fleet.Attachment{someOutlet: {Device: s.Devices.Number("fra1-r03-s03"), Part: "PSU 2"}}
	s.Jobs = []fleet.Job{proposal(&s), waved(&s), verified(&s), refused(&s), asking()}
	f.Snap = &s
	f.Answers = judged{snap: f.Snap}
	return f
}

func planned(s *fleet.Snapshot, a plan.Ask) *fleet.Plan {
	a.Role = fleet.RoleOperator
	p := plan.For(plan.World{Snap: s, Now: viewstest.At}, a)
	return &p
}

// proposal is an outlet that bob wants off: danger 3, nobody agreed yet.
func proposal(s *fleet.Snapshot) fleet.Job {
	p := planned(s, plan.Ask{Action: fleet.ActOutletOff, Targets: []string{someOutlet}, By: "bob"})
	at := viewstest.At.Add(-time.Minute)
	return fleet.Job{ID: "j4", Action: p.Action, Targets: []string{someOutlet}, State: fleet.JobProposed, By: "bob", Reason: "PSU B of s02 hums, cut before the swap", Plan: p.Hash, Planned: p, Began: at,
		Steps: []fleet.JobStep{{Name: "propose", State: fleet.JobProposed, Text: "waits for a second person", At: at}}}
}

// waved is a LED on five servers, in its second wave.
func waved(s *fleet.Snapshot) fleet.Job {
	targets := []string{"fra1-r03-s05", "fra1-r03-s06", "fra1-r03-s07", "fra1-r03-s08", "fra1-r03-s09"}
	p := planned(s, plan.Ask{Action: fleet.ActIdentify, Targets: targets, By: "raj"})
	at := viewstest.At.Add(-40 * time.Second)
	j := fleet.Job{ID: "j3", Action: p.Action, Targets: targets, State: fleet.JobRunning, By: "raj", Reason: "walk the row", Plan: p.Hash, Planned: p, Began: at}
	step := func(after time.Duration, name, target string, state fleet.JobState, text string) {
		j.Steps = append(j.Steps, fleet.JobStep{Name: name, Target: target, State: state, Text: text, At: at.Add(after)})
	}
	step(0, "begin", targets[0], fleet.JobRunning, "guards passed; serial 7XK")
	step(2*time.Second, "act", targets[0], fleet.JobAccepted, "LED on for 15 s")
	step(11*time.Second, "verify", targets[0], fleet.JobVerified, "the BMC took it; the LED is for eyes")
	step(27*time.Second, "begin", targets[1], fleet.JobRunning, "guards passed; serial 7XK")
	step(29*time.Second, "act", targets[1], fleet.JobAccepted, "LED on for 15 s")
	return j
}

// verified is a VLAN that anna put back.
func verified(s *fleet.Snapshot) fleet.Job {
	p := planned(s, plan.Ask{Action: fleet.ActPortVLAN, Args: map[string]string{"vlan": "208"}, Targets: []string{somePort}, By: "anna"})
	at := viewstest.At.Add(-5 * time.Minute)
	return fleet.Job{ID: "j2", Action: p.Action, Targets: []string{somePort}, State: fleet.JobVerified, By: "anna", Reason: "drift", Plan: p.Hash, Planned: p, Began: at, Ended: at.Add(12 * time.Second),
		Steps: []fleet.JobStep{{Name: "begin", Target: somePort, State: fleet.JobRunning, Text: "guards passed", At: at}, {Name: "act", Target: somePort, State: fleet.JobAccepted, Text: "VLAN 208", At: at.Add(time.Second)},
			{Name: "verify", Target: somePort, State: fleet.JobVerified, Text: "observed: VLAN 208", At: at.Add(12 * time.Second)}}}
}

// asking is a run of a runbook that waits for somebody to answer it.
func asking() fleet.Job {
	at := viewstest.At.Add(-3 * time.Minute)
	const asks = "the server behind fra1-r03-pa/7 loses its power; is anybody at the rack, or is that fine?"
	return fleet.Job{ID: "j5", Action: "run silent-bmc", Targets: []string{"fra1-r03-s07"}, State: fleet.JobRunning, By: "bob", Reason: "its BMC hangs since Monday", Began: at,
		Asks: &fleet.Question{Text: asks, Until: at.Add(time.Hour)},
		Steps: []fleet.JobStep{{Name: "start", Target: "fra1-r03-s07", State: fleet.JobRunning, Text: "restart a BMC that does not answer by cutting its power at the PDU", At: at},
			{Name: "1 check", State: fleet.JobVerified, Text: "holds: blind(target)", At: at.Add(time.Second)}, {Name: "4 prompt", State: fleet.JobRunning, Text: "asks: " + asks, At: at.Add(2 * time.Second)}}}
}

func refused(s *fleet.Snapshot) fleet.Job {
	j := proposal(s)
	j.ID, j.State, j.Began, j.Ended = "j1", fleet.JobRefused, viewstest.At.Add(-time.Hour), viewstest.At.Add(-59*time.Minute)
	j.Steps = []fleet.JobStep{{Name: "propose", State: fleet.JobProposed, Text: "waits for a second person", At: j.Began}, {Name: "refused", State: fleet.JobRefused, Text: "refused by raj: the other feed is on a UPS test", At: j.Ended}}
	return j
}

func TestHandsGoldens(t *testing.T) {
	open := func(in Intent) View { return in.(Open).View }
	for _, s := range []screen{
		{"actions-port", func(testing.TB, Frame) View { return NewActions(KindPort, somePort) }},
		{"actions-outlet", func(t testing.TB, f Frame) View {
			return press(t, f, NewDeviceAt("fra1-r03-pb", "outlet:3"), "pane.next", "act")
		}},
		{"actions-instance", func(t testing.TB, f Frame) View { return NewActions(KindInstance, instanceOn(t, f, "fra1-r03-s04")) }},
		{"actions-finding", func(t testing.TB, f Frame) View {
			return press(t, f, NewFinding("fra1-r02-sw2", "port Ethernet9 vlan"), "act")
		}},
		{"confirm-vlan", func(_ testing.TB, f Frame) View {
			return open(putBack(f, Finding{target: "fra1-r02-sw2", facet: "port Ethernet9 vlan"}.list(f)))
		}},
		{"confirm-outlet", func(t testing.TB, f Frame) View {
			return press(t, f, NewConfirm(fleet.ActOutletOff, []string{someOutlet}, f.Snap.Version), "confirm.reason PSU B hums")
		}},
		{"confirm-missing", func(_ testing.TB, f Frame) View {
			return NewConfirm(fleet.ActBootOnce, []string{"fra1-r03-s05"}, f.Snap.Version)
		}},
		{"confirm-many", func(_ testing.TB, f Frame) View {
			return NewConfirm(fleet.ActSoftOff, []string{"fra1-r03-s05", "fra1-r03-s06", "fra1-r03-s07", "fra1-r03-s08"}, f.Snap.Version)
		}},
		{"job-proposed", func(testing.TB, Frame) View { return NewJob("j4") }},
		{"job-waves", func(testing.TB, Frame) View { return NewJob("j3") }},
		{"job-verified", func(testing.TB, Frame) View { return NewJob("j2") }},
		{"job-refused", func(testing.TB, Frame) View { return NewJob("j1") }},
		{"jobs-waiting", func(testing.TB, Frame) View { return NewJobs() }},
		{"job-asks", func(testing.TB, Frame) View { return NewJob("j5") }},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, size[0], size[1]), func(t *testing.T) {
				f := hands(size[0], size[1])
				golden(t, f, compose(t, f, s.view(t, f), Chrome{}))
			})
		}
	}
}

// TestOwnProposal: whoever asked sees how to take it back, on every screen size.
func TestOwnProposal(t *testing.T) {
	for _, size := range sizes {
		f := hands(size[0], size[1])
		f.User = "bob"
		t.Run(fmt.Sprintf("job-own-%dx%d", size[0], size[1]), func(t *testing.T) {
			text := compose(t, f, NewJob("j4"), Chrome{})
			golden(t, f, text)
			if !strings.Contains(text, "c takes it back") || !strings.Contains(text, "c cancel") {
				t.Errorf("how to take it back is not said:\n%s", text)
			}
		})
	}
}

// TestFrozenAndBroken: what stops everything is on every screen, and an admin
// who goes past it sees what that means before it happens.
func TestFrozenAndBroken(t *testing.T) {
	f := hands(80, 24)
	s := *f.Snap
	s.Jobs = nil
	s.Freeze = &fleet.Freeze{By: "kim", Reason: "UPS test in fra1", At: viewstest.At.Add(-time.Minute)}
	f.Snap = &s
	for _, x := range everyScreen() {
		if text := compose(t, f, x.view(t, f), Chrome{}); !strings.Contains(text, "FROZEN by kim: UPS test in fra1") {
			t.Errorf("%s does not say that the fleet is frozen:\n%s", x.name, text)
		}
	}
	v := press(t, f, NewConfirm(fleet.ActPowerCycle, []string{"fra1-r03-s05"}, s.Version), "confirm.reason it burns")
	enter, _ := f.Keys.Get("enter")
	if _, in := Dispatch(f, v, enter); !strings.Contains(fmt.Sprint(in), "frozen by kim") {
		t.Errorf("it would run in a frozen fleet: %+v", in)
	}
	glass, _ := f.Keys.Get("confirm.break")
	if why := glass.Why(Scene(f, v)); !strings.Contains(why, "admin") {
		t.Errorf("an operator may break the glass: %q", why)
	}
	f.Role = fleet.RoleAdmin
	_, in := Dispatch(f, v, glass)
	if ask, ok := in.(Ask); !ok || ask.Command != "confirm.break" || !strings.Contains(ask.Label, "everybody is told") {
		t.Fatalf("! asks %+v", in)
	}
	if whole, _ := Dispatch(f, v, glass.With("yes")); whole.(Confirm).broken {
		t.Error("any word breaks the glass")
	}
	v, _ = Dispatch(f, v, glass.With("break"))
	t.Run("confirm-broken", func(t *testing.T) { golden(t, f, compose(t, f, v, Chrome{})) })
	_, in = Dispatch(f, v, enter)
	if e, ok := in.(Execute); !ok || !e.BreakGlass {
		t.Errorf("enter with broken glass: %+v", in)
	}
	if v, _ = Dispatch(f, v, glass); v.(Confirm).broken {
		t.Error("! again does not mend it")
	}
}

// TestArgumentsAreAskedForOneAfterTheOther: and what cannot be is asked again,
// with what it may be.
func TestArgumentsAreAskedForOneAfterTheOther(t *testing.T) {
	f := hands(100, 40)
	vlan, _ := f.Keys.Get("act.port-vlan")
	_, in := Dispatch(f, NewActions(KindPort, somePort), vlan)
	o, ok := in.(Open)
	if !ok || o.Ask == nil || o.Ask.Command != "confirm.arg" || !strings.Contains(o.Ask.Label, "vlan, 1 to 4094 (the access VLAN)") {
		t.Fatalf("port VLAN asks %+v", in)
	}
	arg, _ := f.Keys.Get("confirm.arg")
	v, in := Dispatch(f, o.View, arg.With("5000"))
	if ask, ok := in.(Ask); !ok || !strings.Contains(ask.Label, "a number from 1 to 4094") {
		t.Fatalf("5000 gives %+v", in)
	}
	v, in = Dispatch(f, v, arg.With("208"))
	if ask, ok := in.(Ask); !ok || ask.Command != "confirm.reason" {
		t.Fatalf("then it asks %+v", in)
	}
	reason, _ := f.Keys.Get("confirm.reason")
	v, _ = Dispatch(f, v, reason.With("as its like"))
	enter, _ := f.Keys.Get("enter")
	_, in = Dispatch(f, v, enter)
	if e, ok := in.(Execute); !ok || e.Args["vlan"] != "208" || !slices.Equal(e.Targets, []string{somePort}) {
		t.Errorf("enter gives %+v", in)
	}
}

// TestDangerThreeIsTypedAndProposed: the serial of what stands there, and then
// a second person.
func TestDangerThreeIsTypedAndProposed(t *testing.T) {
	f := hands(100, 40)
	enter, _ := f.Keys.Get("enter")
	v := press(t, f, NewConfirm(fleet.ActOutletOff, []string{someOutlet}, f.Snap.Version), "confirm.reason it hums")
	want := plan.Challenge(v.(Confirm).plan(f))
	_, in := Dispatch(f, v, enter)
	if ask, ok := in.(Ask); !ok || ask.Command != "confirm.type" || !strings.Contains(ask.Label, want) || want == "" {
		t.Fatalf("enter asks %+v, the challenge is %q", in, want)
	}
	typed, _ := f.Keys.Get("confirm.type")
	v, _ = Dispatch(f, v, typed.With("something"))
	if _, in = Dispatch(f, v, enter); in == nil || strings.Contains(fmt.Sprintf("%T", in), "Execute") {
		t.Errorf("a wrong serial runs it: %+v", in)
	}
	v, _ = Dispatch(f, v, typed.With(want))
	if e, ok := func() (Execute, bool) { _, in := Dispatch(f, v, enter); e, ok := in.(Execute); return e, ok }(); !ok || e.Typed != want {
		t.Errorf("with the serial: %+v", e)
	}
}

// TestASecondPersonIsAsked: the row of alerts says so on every screen, one key
// opens the page, and there is asked once more before anything is said.
func TestASecondPersonIsAsked(t *testing.T) {
	f := hands(80, 24)
	f.User, f.Role = "kim", fleet.RoleAdmin
	for _, x := range everyScreen() {
		if text := compose(t, f, x.view(t, f), Chrome{}); !strings.Contains(text, "bob asks, 14m left: outlet-off "+someOutlet) {
			t.Errorf("%s does not say that bob asks", x.name)
		}
	}
	v := press(t, f, NewFleet(), "job.next")
	if kind, id := v.Selected(f); v.ID() != "job" || kind != KindJob || id != "j4" {
		t.Fatalf("R leads to %s %s", kind, id)
	}
	approve, _ := f.Keys.Get("job.approve")
	if why := approve.Why(Scene(f, v)); why != "" {
		t.Fatal(why)
	}
	_, in := Dispatch(f, v, approve)
	if ask, ok := in.(Ask); !ok || ask.Command != "job.approve" || !strings.Contains(ask.Label, "for bob") {
		t.Fatalf("y asks %+v", in)
	}
	if _, in = Dispatch(f, v, approve.With("j4")); in.(Ask).Command != "job.approve" {
		t.Errorf("who names the job is not asked: %v", in)
	}
	if _, in = Dispatch(f, v, approve.With("")); in != (JobWord{Word: "approve", Job: "j4"}) {
		t.Errorf("enter says %+v", in)
	}
	no, _ := f.Keys.Get("job.refuse")
	if _, in = Dispatch(f, v, no.With("")); !strings.Contains(fmt.Sprint(in), "needs a reason") {
		t.Errorf("a refusal without a reason: %+v", in)
	}
	if _, in = Dispatch(f, v, no.With("UPS test")); in != (JobWord{Word: "refuse", Job: "j4", Reason: "UPS test"}) {
		t.Errorf("a refusal: %+v", in)
	}
}

// TestARunAsksEverybody: what a run waits for is on every screen, the wall too,
// and a key opens a line in which only an answer is one.
func TestARunAsksEverybody(t *testing.T) {
	f := hands(160, 50)
	s := *f.Snap
	s.Jobs = s.Jobs[1:] // nobody waits for a second person
	f.Snap = &s
	for _, x := range everyScreen() {
		if text := compose(t, f, x.view(t, f), Chrome{}); !strings.Contains(text, "a runbook asks, 57m left: silent-bmc fra1-r03-s07: the server behind fra1-r03-pa/7 loses its power") {
			t.Errorf("%s does not say that a run asks", x.name)
		}
	}
	v := press(t, f, NewFleet(), "job.next")
	if _, id := v.Selected(f); id != "j5" {
		t.Fatalf("R leads to %s", id)
	}
	for _, id := range []string{"job.approve", "job.refuse"} {
		if c, _ := f.Keys.Get(id); !strings.Contains(c.Why(Scene(f, v)), "r answers it") {
			t.Errorf("%s: %s", id, c.Why(Scene(f, v)))
		}
	}
	answer, ok := f.Keys.Resolve("r", Scene(f, v))
	if why := answer.Why(Scene(f, v)); !ok || why != "" {
		t.Fatal(answer.ID, why)
	}
	if _, in := Dispatch(f, v, answer); in != (Ask{Label: "answer yes or no", Command: "job.answer"}) {
		t.Fatalf("r asks %+v", in)
	}
	for text, want := range map[string]Intent{
		"yes": Answer{Job: "j5", Text: "yes"}, " no, wait for kim": Answer{Job: "j5", Text: "no, wait for kim"},
		"": Toast{Text: "answer: that is neither yes nor no; nothing was said"}, "nope": Toast{Text: "answer: that is neither yes nor no; nothing was said"},
	} {
		if _, in := Dispatch(f, v, answer.With(text)); in != want {
			t.Errorf("%q says %+v", text, in)
		}
	}
	f.Role = fleet.RoleViewer
	if answer.Why(Scene(f, v)) == "" {
		t.Error("a viewer may answer")
	}
	f.Role = fleet.RoleOperator
	if c, _ := f.Keys.Get("job.answer"); !strings.Contains(c.Why(Scene(f, NewJob("j3"))), "asks nothing") {
		t.Error("what asks nothing takes an answer")
	}
}

// TestAJobThatWasLeft: what nobody could write down yet is no job that runs.
func TestAJobThatWasLeft(t *testing.T) {
	f := hands(100, 40)
	s := *f.Snap
	s.Jobs = fleet.Leave(s.Jobs)
	f.Snap = &s
	if text := compose(t, f, NewJob("j3"), Chrome{}); !strings.Contains(text, "by an earlier process") || !strings.Contains(text, "nothing is begun on its targets") {
		t.Errorf("the page does not say that it was left:\n%s", text)
	}
	if text := compose(t, f, NewJobs(), Chrome{}); !strings.Contains(text, "▲ left ") || !strings.Contains(text, "left by an e") {
		t.Errorf("the list does not say it:\n%s", text)
	}
	if text := compose(t, f, NewJob("j4"), Chrome{}); strings.Contains(text, "earlier process") {
		t.Error("a proposal is not left: it still waits")
	}
}

// TestUndoAsksLikeAnyOther: with what was there before as its argument.
func TestUndoAsksLikeAnyOther(t *testing.T) {
	f := hands(100, 40)
	after := *f.Snap // the job did what it was to do
	edit := after.Devices.Edit()
	sw := edit.Get("fra1-r02-sw2")
	sw.Ports = slices.Clone(sw.Ports)
	for i := range sw.Ports {
		if p := &sw.Ports[i]; p.Name == "Ethernet9" {
			def := *p.PortDef
			def.VLAN, p.PortDef = 208, &def
		}
	}
	after.Devices = edit.Done()
	f.Snap, f.Answers = &after, judged{snap: &after}
	undo, _ := f.Keys.Get("job.undo")
	v := NewJob("j2")
	if why := undo.Why(Scene(f, v)); why != "" {
		t.Fatal(why)
	}
	_, in := Dispatch(f, v, undo)
	o, ok := in.(Open)
	if !ok || o.Ask == nil || o.Ask.Text != "undo of j2" {
		t.Fatalf("undo asks %+v: %s", in, in.(Open).View.(Confirm).refused(f))
	}
	c := o.View.(Confirm)
	if before := f.Snap.Jobs[2].Planned.Targets[0].Before; "vlan "+c.args["vlan"] != before || c.undoes != "j2" {
		t.Errorf("it would set %v, and before was %q", c.args, before)
	}
}

// TestNobodyIsAskedWhyForWhatWillNotBe: a plan that is refused says so at once.
func TestNobodyIsAskedWhyForWhatWillNotBe(t *testing.T) {
	f := hands(80, 24)
	for vlan, want := range map[string]bool{"208": true, "999": false} { // it is in 999
		in := asks(f, plan.Ask{Action: fleet.ActPortVLAN, Args: map[string]string{"vlan": vlan}, Targets: []string{somePort}}, "")
		o := in.(Open)
		text := compose(t, f, o.View, Chrome{})
		if (o.Ask != nil) != want || strings.Contains(text, "would be refused: "+somePort+" is already vlan 999") == want || strings.Contains(text, "type the reason") != want {
			t.Errorf("VLAN %s asks %+v:\n%s", vlan, o.Ask, text)
		}
		if _, in := o.View.Handle(f, keys.Command{ID: "enter"}); !want && !strings.Contains(fmt.Sprint(in), "refused: ") {
			t.Errorf("enter on what is refused: %+v", in)
		}
	}
}

// TestWhatPutsAFindingRight: one key on the finding, and one plan for all
// findings of a cause.
func TestWhatPutsAFindingRight(t *testing.T) {
	f := hands(100, 40)
	put, _ := f.Keys.Get("drift.revert")
	v := NewFinding("fra1-r02-sw2", "port Ethernet9 vlan")
	if why := put.Why(Scene(f, v)); why != "" {
		t.Fatal(why)
	}
	_, in := Dispatch(f, v, put)
	o, ok := in.(Open)
	if !ok || o.Ask == nil || !strings.HasPrefix(o.Ask.Text, "drift: port Ethernet9 vlan is ") {
		t.Fatalf("r asks %+v", in)
	}
	if text := compose(t, f, o.View, Chrome{}); !strings.Contains(text, "mends") || !strings.Contains(text, "fra1-r02-sw2 port Ethernet9 vlan") {
		t.Errorf("the question does not say what it mends:\n%s", text)
	}
	list := []*fleet.Finding{}
	for _, port := range []string{"Ethernet7", "Ethernet8"} {
		list = append(list, &fleet.Finding{Target: "fra1-r02-sw2", Facet: "port " + port + " vlan", Observed: "9", Baselines: []fleet.Baseline{{Expected: "208"}}})
	}
	if a, _, ok := revertOf(f, list); !ok || !slices.Equal(a.Targets, []string{"fra1-r02-sw2/Ethernet7", "fra1-r02-sw2/Ethernet8"}) {
		t.Errorf("one cause is %+v", a)
	}
	list[1].Baselines[0].Expected = "209"
	if a, _, ok := revertOf(f, list); ok {
		t.Errorf("two values are one plan: %+v", a)
	}
	if why := put.Why(keys.Scene{View: "finding", Role: fleet.RoleOperator, Live: true}); why == "" {
		t.Error("r is offered where nothing puts it right")
	}
}

// TestALongQuestionLeavesRoomForItsAnswer: on the narrowest screen too.
func TestALongQuestionLeavesRoomForItsAnswer(t *testing.T) {
	f := hands(60, 18)
	for i := range fleet.Actions {
		for k := range fleet.Actions[i].Args {
			a := &fleet.Actions[i].Args[k]
			text := compose(t, f, NewFleet(), Chrome{Prompt: &Prompt{Label: a.Asks(), Text: "the answer", Cursor: -1}})
			if !strings.Contains(text, "the answer") || !strings.Contains(text, a.Name) {
				t.Errorf("%s %s: the prompt shows\n%s", fleet.Actions[i].Kind, a.Name, strings.Split(text, "\n")[16])
			}
		}
	}
}

// TestActOnATrace: the line of a cord or a cable is for its outlet or its port,
// because the PDU or the switch it leads to is not switched as a whole.
func TestActOnATrace(t *testing.T) {
	f := hands(160, 50)
	v, got := NewTrace("fra1-r03-s04"), map[string]string{}
	for range 60 {
		if m := press(t, f, v, "act"); m.ID() != "actions" || len(got) == 0 {
			_, id := m.Selected(f)
			got[id] = m.ID()
		}
		v = press(t, f, v, "move.down")
	}
	for id, menu := range map[string]string{"fra1-r03-pa/4": "actions-outlet", "fra1-r03-pb/4": "actions-outlet", "fra1-r03-sw1/Ethernet4": "actions-port", instanceOn(t, f, "fra1-r03-s04"): "actions-instance"} {
		if got[id] != menu {
			t.Errorf("%s has menu %q, want %s: %v", id, got[id], menu, got)
		}
	}
	if m := press(t, f, NewTrace("fra1-r03-s04/psu1"), "move.first", "act"); m.ID() != "actions" {
		t.Errorf("a supply has the menu %s of %s", m.ID(), Subject(m))
	}
}
