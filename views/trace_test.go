package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views/viewstest"
)

// darkFrame is a frame of the test fleet with feed A of fra dead: its PDUs are
// silent, every server there lives on its other cord, and one PDU carries more
// than it should for long. Switches have uplinks, a cable hears another machine
// than intended, and one server has a name that means to harm.
func darkFrame(w, h int) Frame {
	f := frame(w, h)
	s := *viewstest.Fleet()
	began := viewstest.At.Add(-134 * time.Second)
	edit := s.Devices.Edit()
	for n := range s.Devices.Len() {
		d := edit.At(n)
		spec := *d.Spec
		d.Spec = &spec
		wire(&spec)
		switch {
		case strings.HasPrefix(spec.ID, "fra1-") && strings.HasSuffix(spec.ID, "-pa"):
			d.State, d.BlindSince, d.SeenAt, d.PowerW = fleet.StateCrit, began, began, fleet.Num{}
			d.Reasons, d.About = []string{"no output: 18 of 18 power supplies on it have no input"}, []string{"power"}
			d.Err = &fleet.ProbeError{Target: spec.ID, Op: "get", Err: fleet.ErrTimeout}
		case strings.HasPrefix(spec.ID, "fra1-r") && spec.Kind == fleet.KindServer:
			starve(d)
		}
	}
	pb := edit.At(s.Devices.Number("fra1-r04-pb"))
	pb.State, pb.Reasons, pb.About = fleet.StateWarn, []string{"bank 1 current 13.6 A (warn 13)"}, []string{"sensor bank1"}
	pb.Sensors = append(pb.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{ID: "2", Key: "bank1", Name: "bank 1 current", Class: fleet.ClassCurrent, Unit: "A"}, Value: fleet.Dec(136, -1), State: fleet.StateWarn})
	sw := edit.At(s.Devices.Number("fra1-r02-sw2"))
	sw.Miscabled = []fleet.Miscable{{Port: "Ethernet6", Source: "lldp", Hears: fleet.Attachment{Device: s.Devices.Number("fra1-r02-s16"), Part: "eth1"}, Meant: fleet.Attachment{Device: s.Devices.Number("fra1-r02-s06"), Part: "eth1"}}}
	s.Devices = edit.Done()
	feeds := s.Feeds.Edit()
	a := feeds.At(s.Feeds.Number("fra1-A"))
	a.State, a.AmpsA, a.PowerW, a.Reasons = fleet.StateCrit, fleet.Num{}, fleet.Num{}, []string{"feed fra1-A lost: no output on 8 of its 8 PDUs"}
	s.Feeds = feeds.Done()
	s.Recent = append([]fleet.Event{{Target: "fra1-A", At: began, Source: "plumb", Type: "feed", Text: a.Reasons[0], Severity: fleet.SeverityCrit, Asserted: true}}, s.Recent...)
	f.Snap = &s
	f.Answers = judged{snap: &s}
	f.Spreads = (*Spreads)(nil).For(&s)
	return f
}

// wire gives a top-of-rack switch its uplinks and its cords.
func wire(spec *fleet.DeviceSpec) {
	if spec.Kind != fleet.KindSwitch || spec.Rack == "" {
		return
	}
	pre, side := spec.ID[:len(spec.ID)-4], int(spec.ID[len(spec.ID)-1]-'0')
	for k, name := range []string{"Ethernet49", "Ethernet50"} {
		spec.Links = append(spec.Links, fleet.Cable{NIC: name, To: fmt.Sprintf("%s-spine%d/Ethernet%d", spec.Site, k+1, side)})
		spec.Power = append(spec.Power, fleet.PowerCord{PSU: k + 1, Outlet: fmt.Sprintf("%s-p%c/%d", pre, 'a'+rune(k), 18+side)})
	}
}

// starve takes the input from a server's first power supply.
func starve(d *fleet.Device) {
	for i := range d.Sensors {
		if x := &d.Sensors[i]; x.Supply() == 1 {
			d.Sensors = append([]fleet.Sensor(nil), d.Sensors...)
			d.Sensors[i].State = fleet.StateCrit
			break
		}
	}
	d.State = fleet.Worst(d.State, fleet.StateWarn)
	d.Reasons, d.About = append(d.Reasons, "redundancy lost: PSU 1: input lost, outlet "+d.Spec.Power[0].Outlet), append(d.About, "PSU 1")
}

func traceScreens() []screen {
	part := func(id string, keys ...string) func(testing.TB, Frame) View {
		return func(t testing.TB, f Frame) View { return press(t, f, NewTrace(id), keys...) }
	}
	return []screen{
		{"trace-server", part("fra1-r04-s02", "move.down", "move.down")},
		{"trace-feed", part("fra1-A", "move.down", "move.down", "move.down", "move.down", "trace.fold")},
		{"trace-service", part("match", "trace.way")},
		{"trace-contradicted", part("fra1-r02-s06/eth1", "move.down")},
		{"trace-gone", part("nobody")},
		{"whatif", func(t testing.TB, f Frame) View { return press(t, f, NewWhatIf("fra1-r04-s02"), "move.down") }},
		{"whatif-several", func(testing.TB, Frame) View { return NewWhatIf("fra1-B", "fra1-r02-sw1", "iad1-r01-pa") }},
		{"causes", func(t testing.TB, f Frame) View { return press(t, f, NewFleet(), "pane.back") }},
		{"causes-wall", func(testing.TB, Frame) View { return NewWall("overview") }},
	}
}

func TestTraceGoldens(t *testing.T) { goldens(t, traceScreens(), darkFrame) }

// TestEveryPlaceIsTraced: what the caret stands on in each view is a part, or
// the view says that it is none.
func TestEveryPlaceIsTraced(t *testing.T) {
	f := frame(160, 50)
	for _, s := range screens() {
		v := s.view(t, f)
		kind, id := v.Selected(f)
		_, in := give(t, f, v, "trace")
		switch in := in.(type) {
		case Open:
			if in.View.ID() != "trace" {
				t.Errorf("%s: t opens %s", s.name, in.View.ID())
			}
		case Toast:
			if p, ok := partOf(f, id); ok {
				t.Errorf("%s: %s %q is %v, and t says %q", s.name, kind, id, p, in.Text)
			}
		default:
			t.Errorf("%s: t does %T", s.name, in)
		}
	}
}

func TestATraceIsFollowedAndLeadsBackToPages(t *testing.T) {
	f := darkFrame(160, 50)
	v := press(t, f, NewTrace("fra1-r04-s02"), "move.down")
	if kind, id := v.Selected(f); kind != KindDevice || id != "fra1-r04-pa" {
		t.Fatalf("below the heading stands %s %s, want the PDU of the first cord", kind, id)
	}
	if _, in := give(t, f, v, "enter"); in == nil || strings.Join(in.(Open).View.Crumbs(f), " ") != "trace fra1-r04-pa" {
		t.Errorf("enter does %+v", in)
	}
	if _, in := give(t, f, v, "page"); in == nil || in.(Open).View.ID() != "device" {
		t.Errorf("o does %+v", in)
	}
	for _, to := range []string{"drift", "act", "whatif"} {
		if _, in := give(t, f, v, to); in == nil {
			t.Errorf("%s leads nowhere", to)
		} else if _, ok := in.(Open); !ok {
			t.Errorf("%s does %+v", to, in)
		}
	}
	if _, in := give(t, f, NewTrace("fra1-A"), "page"); in == nil || in.(Open).View.ID() != "room" {
		t.Errorf("a feed's page: %+v", in)
	}
}

func TestATraceFoldsAndTurns(t *testing.T) {
	f := darkFrame(80, 24)
	open := press(t, f, NewTrace("fra1-A"), "move.last", "move.up").(Trace)
	n := len(open.rows(f))
	r := open.at(f)
	if r == nil || r.folds == "" || !r.shut {
		t.Fatalf("%+v: want a PDU that is shut", r)
	}
	wide := press(t, f, open, "trace.fold").(Trace)
	if more := len(wide.rows(f)); more <= n {
		t.Errorf("%d rows before and %d after it was opened", n, more)
	}
	if again := len(press(t, f, wide, "trace.fold").(Trace).rows(f)); again != n {
		t.Errorf("%d rows when it is shut again, want %d", again, n)
	}
	if len(open.rows(f)) != n {
		t.Error("the view before was changed: going back would not restore it")
	}
	for _, want := range []string{"stands on", "carries"} {
		open = press(t, f, open, "trace.way").(Trace)
		rows := open.rows(f)
		heads := ""
		for i := range rows {
			heads += rows[i].head
		}
		if heads != want {
			t.Errorf("turned it shows %q, want %q", heads, want)
		}
	}
}

func TestPartsGoInAndOutOfAWhatIf(t *testing.T) {
	f := darkFrame(160, 50)
	f.Marks = map[string]bool{"fra1-r04-s02": true, "fra1-r04-s03": true}
	_, in := give(t, f, NewDevices(""), "whatif")
	v := in.(Open).View
	ids := func() string { return strings.Join(v.(WhatIf).ids(), " ") }
	if ids() != "fra1-r04-s02 fra1-r04-s03" {
		t.Fatalf("of the marks it took %q", ids())
	}
	if v, _ = give(t, f, v, "whatif"); ids() != "fra1-r04-s03" {
		t.Errorf("x on the first leaves %q", ids())
	}
	v, in = give(t, f, v, "whatif")
	if ids() != "fra1-r04-s03" || in == nil || !strings.Contains(in.(Toast).Text, "only one") {
		t.Errorf("x on the last one leaves %q and says %+v", ids(), in)
	}
	if v, _ = give(t, f, v, "whatif.add", "fra1-B fra1-r02-sw1"); ids() != "fra1-r04-s03 fra1-B fra1-r02-sw1" {
		t.Errorf("two more make %q", ids())
	}
	if v, in = give(t, f, v, "whatif.add", "fra1-Q"); ids() != "fra1-r04-s03 fra1-B fra1-r02-sw1" || !strings.Contains(in.(Toast).Text, "no part fra1-Q") {
		t.Errorf("what is not there makes %q and says %+v", ids(), in)
	}
	if _, in = give(t, f, v, "whatif.add"); in == nil || in.(Ask).Command != "whatif.add" {
		t.Errorf("+ asks %+v", in)
	}
	if _, in = give(t, f, NewServices(), "whatif", "match"); !strings.Contains(in.(Toast).Text, "a service fails with what it stands on") {
		t.Errorf("a service: %+v", in)
	}
}

// TestAWhatIfIsOfItsTime: in the past it tells what would have been lost then.
func TestAWhatIfIsOfItsTime(t *testing.T) {
	now, then := darkFrame(160, 50), frame(160, 50)
	then.Live = false
	lost := func(f Frame) int { return len(NewWhatIf("fra1-B").(WhatIf).of(f).blast.Lost) }
	if a, b := lost(now), lost(then); a < 100 || b > 20 {
		t.Errorf("with A dead B takes %d, before that %d", a, b)
	}
}

// TestOneCauseIsSaidOnce: what a dead feed explains stands in no other line,
// and what it does not explain still does.
func TestOneCauseIsSaidOnce(t *testing.T) {
	f := darkFrame(160, 50)
	var tr troubles
	text := ""
	for _, l := range tr.of(f).lines {
		text += l.headline(f, tr.why) + "\n"
	}
	if !strings.HasPrefix(text, "feed fra1-A explains ") || strings.Contains(text, "redundancy lost") || strings.Contains(text, "no output: 18") {
		t.Errorf("the lines are\n%s", text)
	}
	for _, still := range []string{"4 servers PSU2 input lost", "Fan2 1440rpm", "CPU1 Temp 87C", "Ethernet9 41 errors/s"} {
		if strings.Count(text, still) != 1 {
			t.Errorf("%q stands %d times in\n%s", still, strings.Count(text, still), text)
		}
	}
	f.Answers = viewstest.Answers{None: true}
	if first := tr.of(f).lines[0]; first.cause != nil {
		t.Error("a cause before any was worked out")
	}
}

// TestACauseInMaintenanceSaysSo: what it takes is known to somebody, and is no
// outage.
func TestACauseInMaintenanceSaysSo(t *testing.T) {
	f := darkFrame(160, 50)
	s := *f.Snap
	edit := s.Devices.Edit()
	edit.Get("fra1-r03-s04").Maintenance = true
	s.Devices = edit.Done()
	f.Snap = &s
	text := compose(t, f, NewFleet(), Chrome{})
	if !strings.Contains(text, "M psu fra1-r03-s04/psu2") || !strings.Contains(text, "in maintenance: PSU2 input lost") {
		t.Errorf("it says nothing of it:\n%s", text)
	}
}

func TestACauseOpensItsTrace(t *testing.T) {
	f := darkFrame(160, 50)
	v := press(t, f, NewFleet(), "pane.back")
	if kind, id := v.Selected(f); kind != KindFeed || id != "fra1-A" {
		t.Fatalf("the caret stands on %s %s", kind, id)
	}
	_, in := give(t, f, v, "enter")
	if o, ok := in.(Open); !ok || strings.Join(o.View.Crumbs(f), " ") != "trace fra1-A" {
		t.Errorf("enter does %+v", in)
	}
	if up := press(t, f, NewFleet(), "move.up"); !up.(Fleet).upper {
		t.Error("up from the first row of racks does not lead to the causes")
	}
}

// TestAnExportHasEverything that is folded away on the screen, and no more than
// a terminal takes.
func TestAnExportHasEverything(t *testing.T) {
	f := darkFrame(80, 24)
	_, in := give(t, f, NewTrace("fra1-r04-pa"), "export")
	text := in.(Copy).Text
	for _, want := range []string{"# trace of fra1-r04-pa as of 2026-11-22", "## carries", "outlet 17", "fra1-r04-s17", "## if it fails"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%.400s", want, text)
		}
	}
	f.Snap = viewstest.Sized(60)
	f.Spreads = nil
	_, in = give(t, f, NewTrace("fra1-A"), "export")
	if text = in.(Copy).Text; len(text) > 50<<10 || !strings.Contains(text, "lines more") {
		t.Errorf("%d bytes of a large one", len(text))
	}
	_, in = give(t, f, NewWhatIf("fra1-B"), "export")
	if text = in.(Copy).Text; !strings.Contains(text, "# if fra1-B fails, as of") {
		t.Errorf("a what-if begins %.100q", text)
	}
}

// TestPowerThatIsNotKnownIsNotWell: a feed nobody measures, or of which nobody
// knows the breaker, is never shown as in order.
func TestPowerThatIsNotKnownIsNotWell(t *testing.T) {
	f := frame(80, 24)
	for _, m := range []trace.Moved{
		{Feed: "x", LimitW: fleet.Int(100)}, {Feed: "x", BeforeW: fleet.Int(10), AfterW: fleet.Int(20)},
	} {
		if l := powerLine(f, &m); l.glyph != f.Theme.Glyphs.Unknown || !strings.Contains(l.text, "not known") {
			t.Errorf("%+v: %s %s", m, l.glyph, l.text)
		}
	}
	if l := powerLine(f, &trace.Moved{Feed: "x", BeforeW: fleet.Int(10), AfterW: fleet.Int(200), LimitW: fleet.Int(100), Over: true}); l.glyph != f.Theme.Glyphs.Crit || !strings.Contains(l.text, "OVERLOAD") {
		t.Errorf("over: %s %s", l.glyph, l.text)
	}
}
