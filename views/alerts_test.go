package views

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/fleet/trace"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// called is the test fleet with a lost PDU and what it explains, an alert that
// somebody knows of, one under a silence, one that pends, one that cannot be
// seen, one that flaps and one that is over.
func called(w, h int) Frame {
	f := frame(w, h)
	s := *f.Snap
	at := func(ago time.Duration) time.Time { return viewstest.At.Add(-ago) }
	make := func(rule, target, part string, sev fleet.Severity, ago time.Duration, summary string) *fleet.Alert {
		a := &fleet.Alert{Rule: rule, Target: target, Part: part, State: fleet.AlertFiring, Severity: sev, Since: at(ago), Fired: at(ago - 10*time.Second), Looked: at(4 * time.Second), Hard: true, Summary: summary}
		a.Labels = map[string]string{"rule": rule, "target": target, "severity": sev.String()}
		if d := s.Devices.Get(hostOf(target)); d != nil {
			a.Labels["rack"], a.Labels["region"], a.Labels["owner"] = d.Spec.Rack, d.Spec.Region, d.Spec.Owner
		}
		return a
	}
	pdu := make("cause", "fra1-r03-pb", "", fleet.SeverityCrit, 4*time.Minute+20*time.Second, "pdu fra1-r03-pb is behind 6 parts in trouble")
	pdu.Cause, pdu.Evidence = "pdu fra1-r03-pb, confidence high", "6 of 6 loads lost their input within 6 s; the other feed of each carries on"
	pdu.Blast = "explains 6 parts; also takes or leaves without redundancy 12 servers; services at risk: match (14 of 75 replicas), lobby (9 of 75 replicas)"
	pdu.Runbook = "https://runbooks.example/cause"
	hot := make("inlet-hot", "ams1-r05-s07", "CPU1 Temp", fleet.SeverityWarn, 23*time.Minute, "ams1-r05-s07: CPU1 Temp 87 C and rising 2 C an hour")
	fan := make("fan", "iad1-r02-s11", "Fan2", fleet.SeverityWarn, 67*time.Minute, "iad1-r02-s11: Fan2 turns at 1440 rpm, below 1800")
	fan.Ack = &fleet.Ack{By: "raj", Reason: "spare is on its way", At: at(50 * time.Minute), Until: at(-3 * time.Hour)}
	blind := make("unreachable", "iad1-r01-s09", "", fleet.SeverityWarn, 4*time.Minute, "iad1-r01-s09 does not answer: timeout")
	crc := make("port-errors", "fra1-r02-sw2", "Ethernet9", fleet.SeverityWarn, 41*time.Minute, "fra1-r02-sw2 Ethernet9: 41 errors/s")
	crc.Silenced = "S1a2b3c4d"
	sel := make("sel-full", "iad1-r01-s09", "", fleet.SeverityWarn, 3*time.Hour, "iad1-r01-s09: the SEL is 81 % full")
	sel.Stale = at(4 * time.Minute)
	flap := make("link-flap", "ams1-r02-sw1", "Ethernet3", fleet.SeverityWarn, 18*time.Minute, "ams1-r02-sw1 Ethernet3 goes up and down")
	flap.Flapping, flap.Ring = true, 0x155555
	soon := make("drive", "ams1-r04-s02", "Drive 2", fleet.SeverityCrit, 40*time.Second, "ams1-r04-s02: Drive 2 predicts its failure")
	soon.State, soon.Fired = fleet.AlertPending, time.Time{}
	over := make("quota", "os-fra", "vcpu", fleet.SeverityWarn, 2*time.Hour, "os-fra: 94 % of the vCPU quota is used")
	over.State, over.Ended = fleet.AlertResolved, at(6*time.Minute)
	list := []*fleet.Alert{pdu, hot, fan, blind, crc, sel, flap, soon, over}
	for i := range 6 {
		id := fmt.Sprintf("fra1-r03-s%02d", i+4)
		a := make("psu-lost", id, "psu2", fleet.SeverityWarn, 4*time.Minute+25*time.Second, id+": PSU2 Status: input lost; it runs without redundancy")
		a.Held = &fleet.Hold{By: "cause:fra1-r03-pb", At: at(4 * time.Minute)}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *fleet.Alert) int {
		return strings.Compare(a.Target+"\x00"+a.Rule+a.Part, b.Target+"\x00"+b.Rule+b.Part)
	})
	book := &fleet.AlertBook{List: list, Settled: true, Began: at(time.Hour)}
	for _, a := range list {
		if n := int(a.Severity); a.Loud() {
			book.Waiting[n]++
			if book.Newest[n] == nil || a.Fired.After(book.Newest[n].Fired) {
				book.Newest[n] = a
			}
		}
	}
	book.Silences = []fleet.Silence{{ID: "S1a2b3c4d", Matchers: []fleet.Matcher{{Label: "rule", Op: "=", Value: "port-errors"}, {Label: "rack", Op: "=", Value: "fra1/r02"}}, Start: at(30 * time.Minute), End: at(-90 * time.Minute), By: "raj", Comment: "optic is on order, RMA 4711"},
		{ID: "S5e6f7a8b", At: "iad1/r05", Start: at(time.Hour), End: at(-4 * time.Hour), By: "kim", Comment: "new rails"},
		{ID: "S0d0e0f00", Matchers: []fleet.Matcher{{Label: "rule", Op: "=~", Value: "fan.*"}}, Start: at(20 * time.Hour), End: at(9 * time.Hour), By: "anna", Comment: "cleaning the filters"}}
	pdu.Groups = []string{`pager 0 {rule="cause"}`}
	book.Groups = []fleet.AlertGroup{{Key: `pager 0 {rule="cause"}`, Receiver: "pager", Told: map[string]fleet.Word{pdu.ID(): {As: "firing crit 1", At: at(3*time.Minute + 40*time.Second)}}, Sent: at(3*time.Minute + 40*time.Second), Next: at(-80 * time.Second)}}
	s.Rules = alert.Compile(&fleet.Alerting{Rules: []fleet.AlertRule{{Name: "inlet-hot", On: "sensor", Problem: `sensor.class == "temperature" and sensor.value > 80`, Attempts: 1}, {Name: "psu-lost", On: "sensor", Problem: `sensor.supply > 0 and sensor.state in ["warn", "crit"]`}}}, &s)
	s.Alerts, f.Snap = book, &s
	f.Answers = remembered{judged{snap: &s}}
	return f
}

// remembered answers what the store keeps of alerts, beside what judged does.
type remembered struct{ judged }

func (r remembered) Get(q fleet.Query) (fleet.Answer, bool) {
	if q.Kind != fleet.QueryHistory || q.Table != fleet.TableAlerts {
		return r.judged.Get(q)
	}
	var out fleet.Answer
	for _, a := range r.snap.Alerts.Of(q.Target) {
		row := strings.TrimSpace(a.Rule + " " + a.Part)
		first := *a
		first.State, first.Fired, first.Held, first.Ack, first.Silenced, first.Ended = fleet.AlertPending, time.Time{}, nil, nil, "", time.Time{}
		for _, x := range []*fleet.Alert{&first, a} {
			b, _ := json.Marshal(x)
			out.Changes = append(out.Changes, fleet.Change{Target: a.Target, Table: fleet.TableAlerts, Row: row, At: x.Since, Value: b})
		}
	}
	return out, true
}

func alertScreens() []screen {
	return []screen{
		{"alerts", func(testing.TB, Frame) View { return NewAlerts() }},
		{"alerts-open", func(t testing.TB, f Frame) View { return press(t, f, NewAlerts(), "move.right", "move.down") }},
		{"alerts-filter", func(t testing.TB, f Frame) View { return press(t, f, NewAlerts(), "filter.set psu-lost") }},
		{"alert", func(t testing.TB, f Frame) View { return press(t, f, NewAlerts(), "enter", "enter") }},
		{"silences", func(testing.TB, Frame) View { return NewSilences() }},
		{"hush", func(t testing.TB, f Frame) View {
			return press(t, f, NewAlerts(), "alert.silence", "move.down", "hush.reason PDU is being swapped")
		}},
		{"hush-place", func(t testing.TB, f Frame) View { return press(t, f, NewDevice("fra1-r03-s04"), "alert.maintain") }},
		{"wall-alerts", func(testing.TB, Frame) View { return NewWall("alerts") }},
		{"fleet-called", func(testing.TB, Frame) View { return NewFleet() }},
		{"device-called", func(testing.TB, Frame) View { return NewDevice("iad1-r01-s09") }},
	}
}

func TestAlertGoldens(t *testing.T) {
	goldens(t, alertScreens(), called)
	t.Run("alerts-past", func(t *testing.T) {
		f := called(160, 50)
		s := *f.Snap
		s.Live, f.Snap, f.Live = false, &s, false
		golden(t, f, compose(t, f, NewAlerts(), Chrome{}))
	})
}

// TestNoAlertIsHidden: whatever holds what, folded and unfolded rows and counts
// together are all there is, also where two hold each other or a cause is gone.
func TestNoAlertIsHidden(t *testing.T) {
	f := called(160, 50)
	s, book := *f.Snap, *f.Snap.Alerts
	book.List = slices.Clone(book.List)
	hold := func(id, by string) {
		i := slices.IndexFunc(book.List, func(a *fleet.Alert) bool { return a.ID() == id })
		a := *book.List[i]
		a.Held = &fleet.Hold{By: by, At: viewstest.At}
		book.List[i] = &a
	}
	hold("fan:iad1-r02-s11/Fan2", "unreachable:iad1-r01-s09")
	hold("unreachable:iad1-r01-s09", "fan:iad1-r02-s11/Fan2") // each other
	hold("inlet-hot:ams1-r05-s07/CPU1 Temp", "cause:not-there")
	s.Alerts, f.Snap = &book, &s
	for _, open := range [][]string{nil, {"cause:fra1-r03-pb"}, {"fan:iad1-r02-s11/Fan2", "unreachable:iad1-r01-s09"}} {
		m := Alerts{open: open, memo: &alertMemo{}}.shown(f)
		seen := 0
		for i := range m.rows {
			if seen++; !m.rows[i].open {
				seen += m.rows[i].holds
			}
		}
		if seen != len(book.List) || m.total != len(book.List) {
			t.Errorf("open %v: %d of %d are there", open, seen, len(book.List))
		}
	}
	if m := (Alerts{sheet: sheet{text: "rule:psu-lost held:cause"}, memo: &alertMemo{}}).shown(f); len(m.rows) != 6 {
		t.Errorf("the filter finds %d of 6 that are folded", len(m.rows))
	}
}

// TestWordsAboutAlerts: what a key asks, and what then is said.
func TestAcks(t *testing.T) {
	f := called(160, 50)
	v, in := give(t, f, NewAlerts(), "alert.ack")
	ask, ok := in.(Ask)
	if !ok || ask.With != "cause:fra1-r03-pb" || ask.Command != "alert.ack" {
		t.Fatalf("A asks %+v", in)
	}
	if i := strings.Index(ask.Label, "4h|sticky"); i < 0 || i > 60-20 { // what is typed has twenty columns of a small screen
		t.Errorf("how long is not asked for in time: %q", ask.Label)
	}
	v, _ = give(t, f, v, "move.down") // the caret moves while the reason is typed
	for text, want := range map[string]AlertWord{
		"":                        {Do: "ack"},
		"on it":                   {Do: "ack", Reason: "on it"},
		"4h sticky on it":         {Do: "ack", For: 4 * time.Hour, Sticky: true, Reason: "on it"},
		"2 disks are dead":        {Do: "ack", Reason: "2 disks are dead"},
		"sticky 2d":               {Do: "ack", For: 48 * time.Hour, Sticky: true},
		"9999999d is no duration": {Do: "ack", Reason: "9999999d is no duration"},
	} {
		want.Alerts = []string{"cause:fra1-r03-pb"}
		if _, in := give(t, f, v, "alert.ack", text, ask.With); fmt.Sprint(in) != fmt.Sprint(want) {
			t.Errorf("%q says %+v, want %+v", text, in, want)
		}
	}
	acked := press(t, f, NewAlerts(), "filter.set rule:fan")
	if _, in = give(t, f, acked, "alert.ack"); in.(Ask).With != "back\nfan:iad1-r02-s11/Fan2" {
		t.Errorf("A on what is acknowledged asks %+v", in)
	}
	if _, in = give(t, f, acked, "alert.ack", "", "back", "fan:iad1-r02-s11/Fan2"); in.(AlertWord).Do != "unack" {
		t.Errorf("and then says %+v", in)
	}
	if _, in = give(t, f, NewDevice("fra1-r03-s04"), "alert.ack"); in.(Ask).With != "psu-lost:fra1-r03-s04/psu2" {
		t.Errorf("A on a device's page asks %+v", in)
	}
}

func TestWordsAboutMarks(t *testing.T) {
	f := called(160, 50)
	f.Marks = map[string]bool{"psu-lost:fra1-r03-s04/psu2": true, "fra1-r03-s05": true}
	if _, in := give(t, f, NewAlerts(), "alert.ack"); in.(Ask).With != "psu-lost:fra1-r03-s05/psu2\npsu-lost:fra1-r03-s04/psu2" {
		t.Errorf("A on marks asks %+v", in)
	}
	if _, in := give(t, f, NewAlerts(), "alert.silence"); in.(Open).View.(Hush).offers[0].text() != "rule=psu-lost target=~fra1-r03-s05|fra1-r03-s04 part=psu2" {
		t.Errorf("Z on marks offers %q", in.(Open).View.(Hush).offers[0].text())
	}
	f.Marks = nil
	if got := targetsOf(f, KindDevice, "x"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestSilences(t *testing.T) {
	f := called(160, 50)
	v := press(t, f, NewAlerts(), "alert.silence", "move.down", "move.down")
	v, in := give(t, f, v, "enter")
	if a, ok := in.(Ask); !ok || a.Command != "hush.reason" {
		t.Fatalf("enter without a reason: %+v", in)
	}
	v, _ = give(t, f, v, "hush.reason", "swap")
	v, _ = give(t, f, v, "hush.for", "90m")
	if _, in = give(t, f, v, "enter"); fmt.Sprint(in) != fmt.Sprint(AlertWord{Do: "silence", Matchers: []string{"target=fra1-r03-pb"}, For: 90 * time.Minute, Reason: "swap"}) {
		t.Errorf("enter says %+v", in)
	}
	for _, bad := range []string{"", "nonsense", "rule=~("} {
		if _, in = give(t, f, v, "hush.match", bad); in == nil {
			t.Errorf("matchers %q are taken", bad)
		}
	}
	wide, _ := give(t, f, v, "hush.match", "rule=~.+")
	wide, in = give(t, f, wide, "enter")
	if a, ok := in.(Toast); !ok || !strings.Contains(a.Text, "covers every alert there is or will be, 14 now") {
		t.Errorf("a silence of everything: %+v", in)
	}
	moved, _ := give(t, f, wide, "move.right")
	if _, in = give(t, f, moved, "enter"); !strings.Contains(fmt.Sprint(in), "enter once more") {
		t.Errorf("once more, after something else: %+v", in)
	}
	if _, in = give(t, f, wide, "enter"); !in.(AlertWord).All {
		t.Errorf("once more: %+v", in)
	}
	if _, in = give(t, f, v, "hush.for", "soon"); in == nil {
		t.Error("any word is a duration")
	}
	_, in = give(t, f, NewSilences(), "alert.unsilence")
	if a, ok := in.(Ask); !ok || a.With != "S1a2b3c4d" {
		t.Errorf("u asks %+v", in)
	}
	if _, in = give(t, f, NewSilences(), "alert.unsilence", "", "S1a2b3c4d"); in.(AlertWord).Silence != "S1a2b3c4d" {
		t.Errorf("and says %+v", in)
	}
}

func TestMaintenanceAndWhoMay(t *testing.T) {
	f := called(160, 50)
	place := press(t, f, NewDevice("fra1-r03-s04"), "alert.maintain", "move.down", "hush.reason rails")
	if _, in := give(t, f, place, "enter"); fmt.Sprint(in) != fmt.Sprint(AlertWord{Do: "silence", At: "fra1/r03", For: 2 * time.Hour, Reason: "rails"}) {
		t.Errorf("a maintenance says %+v", in)
	}
	typed, _ := give(t, f, place, "hush.match", "rule=fan")
	if text := compose(t, f, typed, Chrome{}); !strings.Contains(text, "fra1/r03 and all in it rule=fan") {
		t.Errorf("what a maintenance was narrowed to is not shown:\n%s", text)
	}
	f.Role = fleet.RoleViewer
	if c, _ := f.Keys.Get("alert.ack"); c.Why(Scene(f, NewAlerts())) != "needs role operator" {
		t.Error("a viewer is not told why")
	}
	if _, in := give(t, f, place, "enter"); !strings.Contains(fmt.Sprint(in), "needs role operator") {
		t.Errorf("a viewer's enter: %+v", in)
	}
	f.Role, f.Live = fleet.RoleOperator, false
	if c, _ := f.Keys.Get("alert.silence"); !strings.Contains(c.Why(Scene(f, NewAlerts())), "HIST") {
		t.Error("the past can be silenced")
	}
}

// TestWhatAnAlertIsAboutIsFollowed: keys that are about the fleet mean the
// target of the alert that the caret stands on.
func TestWhatAnAlertIsAboutIsFollowed(t *testing.T) {
	f := called(80, 24)
	v := press(t, f, NewAlerts(), "filter.set rule:psu-lost")
	sc := Scene(f, v)
	if sc.Target != "fra1-r03-s09" && !strings.HasPrefix(sc.Target, "fra1-r03-s0") || sc.Kind != KindDevice || !sc.Alert {
		t.Errorf("%+v", sc)
	}
	if got := press(t, f, v, "enter"); got.ID() != "alert" {
		t.Errorf("enter opens %s", got.ID())
	}
	if got := press(t, f, NewAlerts(), "pane.next"); got.ID() != "events" {
		t.Errorf("tab leads to %s", got.ID())
	}
	if got := press(t, f, NewEvents(""), "pane.next", "pane.next"); got.ID() != "alerts" {
		t.Errorf("tab twice leads to %s", got.ID())
	}
	if got := actsOn(f, v); got.kind != KindDevice || got.id != sc.Target {
		t.Errorf("a acts on %+v", got)
	}
}

// TestTheWallJumpsToAnAlertThatBeginsToCall: for a while, and not for one that
// is old or explained.
func TestTheWallJumpsToAnAlertThatBeginsToCall(t *testing.T) {
	f := called(160, 50)
	f.Snap.Recent = nil
	w := NewWallEvery(10*time.Second, "overview", "alerts").(Wall)
	crit := f.Snap.Alerts.Newest[fleet.SeverityCrit]
	for after, want := range map[time.Duration]bool{time.Second: true, 29 * time.Second: true} {
		f.At = crit.Fired.Add(after)
		if got := w.page(f) == "alerts"; got != want {
			t.Errorf("after %s: %v", after, got)
		}
	}
	seen := map[string]bool{}
	for i := range 4 {
		f.At = crit.Fired.Add(time.Minute + time.Duration(i)*10*time.Second)
		seen[w.page(f)] = true
	}
	if len(seen) != 2 {
		t.Errorf("an old one holds the page: %v", seen)
	}
}

// storm is a book of fifty thousand alerts, nearly all of them explained.
func storm(f *Frame) {
	s := *f.Snap
	book := *s.Alerts
	book.List = slices.Clone(book.List)
	for i := range 50_000 {
		id := fmt.Sprintf("x%05d", i)
		a := &fleet.Alert{Rule: "unreachable", Target: id, State: fleet.AlertFiring, Severity: fleet.SeverityWarn, Since: viewstest.At.Add(-time.Duration(i) * time.Millisecond), Summary: id + " does not answer", Labels: map[string]string{"rule": "unreachable", "target": id}}
		if i%100 > 0 {
			a.Held = &fleet.Hold{By: "cause:fra1-r03-pb", At: viewstest.At}
		}
		book.List = append(book.List, a)
	}
	s.Alerts, f.Snap = &book, &s
}

// BenchmarkAlertStorm draws the alerts of a storm: as they are, and after a book
// that changed.
func BenchmarkAlertStorm(b *testing.B) {
	f := called(160, 50)
	storm(&f)
	buf := widget.NewBuffer(160, 50)
	v := NewAlerts()
	b.Run("still", func(b *testing.B) {
		for b.Loop() {
			Compose(f, v, Chrome{}, buf.Canvas())
		}
	})
	b.Run("changed", func(b *testing.B) {
		for b.Loop() {
			s, book := *f.Snap, *f.Snap.Alerts
			s.Alerts, f.Snap = &book, &s
			Compose(f, v, Chrome{}, buf.Canvas())
		}
	})
}

// TestAlertFramesAllocateLittle: as frames of other screens do.
func TestAlertFramesAllocateLittle(t *testing.T) {
	f := called(160, 50)
	on := widget.NewBuffer(160, 50)
	for _, s := range alertScreens() {
		v := s.view(t, f)
		if n := testing.AllocsPerRun(20, func() { Compose(f, v, Chrome{}, on.Canvas()) }); n > 1000 {
			t.Errorf("%s: %.0f allocations a frame", s.name, n)
		}
	}
}

// What a receiver was to be told and has not taken is not called told.
func TestWhatWaitsIsNotTold(t *testing.T) {
	f := called(80, 24)
	a, sent := f.Snap.Alerts.Find("cause:fra1-r03-pb"), f.Snap.Alerts.Groups[0].Sent
	s := *f.Snap
	f.Snap = &s
	for _, c := range []struct {
		receiver fleet.ReceiverState
		want     string
	}{
		{fleet.ReceiverState{}, "told to pager: firing"},
		{fleet.ReceiverState{Failing: sent, Oldest: sent, Error: "503 Service Unavailable"}, "waits for pager: firing; it takes nothing since " + sent.UTC().Format("15:04:05") + ": 503 Service Unavailable"},
		{fleet.ReceiverState{Failing: sent.Add(time.Minute), Oldest: sent.Add(time.Minute)}, "told to pager: firing"},
	} {
		c.receiver.Name = "pager"
		s.Receivers = []fleet.ReceiverState{c.receiver}
		if got := toldTo(f, a); len(got) != 1 || !strings.HasPrefix(got[0].text, c.want) {
			t.Errorf("%+v: %+v, want %q", c.receiver, got, c.want)
		}
	}
}

// A silence of more alerts than can be named offers nothing that says "the
// target" and means everything.
func TestASilenceOfManyNamesWhatItCovers(t *testing.T) {
	f := called(80, 24)
	for _, n := range []int{2, 50, 51} {
		var list []*fleet.Alert
		for i := range n {
			list = append(list, &fleet.Alert{Rule: "down", Target: "s" + strconv.Itoa(i), Part: "p", Labels: map[string]string{"rack": "r" + strconv.Itoa(i)}})
		}
		said := map[string]string{}
		for _, o := range matchersOf(f, "", list) {
			said[o.what] = o.text()
		}
		named := strings.Contains(said["the rule on the target"], "target=~") && strings.Contains(said["all of the target"], "target=~")
		if _, some := said["the rule on the target"]; named != (n <= 50) || some != named || said["the rule everywhere"] != "rule=down" || slices.Contains(slices.Collect(maps.Values(said)), "") {
			t.Errorf("%d alerts: %q", n, said)
		}
	}
}

// TestAnAlertOnACauseSaysWhatIsTrueNow beside the words that it fired with.
func TestAnAlertOnACauseSaysWhatIsTrueNow(t *testing.T) {
	f := called(160, 50)
	why := func(parts ...string) *Causes {
		return &Causes{wrong: 12, list: []trace.Cause{{ID: "fra1-r03-pb", Kind: trace.PDU, Explains: parts, Evidence: []string{"6 of 6 loads lost their input within 6 s"}}}}
	}
	for _, c := range []struct {
		name string
		why  *Causes
		want string
	}{
		{"as it fired", why("1", "2", "3", "4", "5", "6"), ""},
		{"more", why("1", "2", "3", "4", "5", "6", "7", "8", "9"), "explains 9 of 12 parts in trouble: 6 of 6 loads"},
		{"no more", &Causes{}, "it explains nothing any more"},
	} {
		f.Answers = given{judged{snap: f.Snap}, c.why}
		text := compose(t, f, NewAlert("cause:fra1-r03-pb"), Chrome{})
		if has := strings.Contains(text, "now       "); has != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: want %q in\n%s", c.name, c.want, text)
		}
	}
}

// TestAnAlertStandsAsItIsOnce: what pends is not said to be so twice, and what
// is over says both that and since when.
func TestAnAlertStandsAsItIsOnce(t *testing.T) {
	f := called(160, 50)
	for id, want := range map[string]string{
		"drive:ams1-r04-s02/Drive 2":       "state     pending ",
		"quota:os-fra/vcpu":                "state     resolved, over 6m ago",
		"link-flap:ams1-r02-sw1/Ethernet3": "state     firing, flapping",
	} {
		if text := compose(t, f, NewAlert(id), Chrome{}); !strings.Contains(text, want) {
			t.Errorf("%s: want %q in\n%s", id, want, text)
		}
	}
}
