package runbook

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// world is a server with a cable and two cords, as polls show it.
type world struct {
	power string
	oper  string
	vlan  int
	noSW  bool // the switch is not seen
	noBMC bool
	seen  time.Duration // when, after t0
}

func (w world) snap(t *testing.T) *fleet.Snapshot {
	t.Helper()
	at := t0.Add(w.seen)
	inv := &fleet.Inventory{Intervals: [3]time.Duration{time.Minute, time.Minute, time.Minute},
		Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}}, Devices: []fleet.DeviceSpec{
			{ID: "s01", Kind: fleet.KindServer, Site: "ams1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI}},
				Links: []fleet.Cable{{NIC: "eth0", To: "sw1/Ethernet1"}}, Power: []fleet.PowerCord{{PSU: 1, Outlet: "pa/3"}, {PSU: 2, Outlet: "pb/3"}}},
			{ID: "sw1", Kind: fleet.KindSwitch, Site: "ams1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceSNMP}}},
			{ID: "pa", Kind: fleet.KindPDU, Site: "ams1", Region: "ams"}, {ID: "pb", Kind: fleet.KindPDU, Site: "ams1", Region: "ams"},
		}}
	var in []fleet.Input
	if !w.noBMC {
		o := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: at, Lane: fleet.LaneSlow}
		o.Facts.Set(fleet.FactPower, w.power)
		o.Facts.Set("bmc.sees.users", "yes")
		o.Facts.Set("bmc.user.2", "root administrator enabled lan")
		o.SetTable(fleet.TableFacts, fleet.Complete)
		in = append(in, o)
	}
	if !w.noSW {
		o := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: at, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet1", Admin: "up", Oper: w.oper, VLAN: w.vlan}}}}
		o.SetTable(fleet.TablePorts, fleet.Complete)
		in = append(in, o)
	}
	s, _ := engine.Step(engine.Restore(inv, fleet.Memory{}, t0), in, at)
	return s
}

var well = world{power: "on", oper: "up", vlan: 20}

func must[T any](t *testing.T) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func TestConditions(t *testing.T) {
	dark, blind := well, well
	dark.oper = "down"
	blind.noSW, blind.noBMC = true, true
	for _, c := range []struct {
		w            world
		source, want string
	}{
		{well, `power(target) == "on"`, "yes"},
		{well, `power("s09") == "on"`, "not known: there is no device s09"},
		{well, `port("sw1/Ethernet1").oper == "up" and port("sw1/Ethernet1").vlan != 999`, "yes"},
		{well, `lights(target) > 0`, "yes"},
		{dark, `lights(target) > 0`, "no"},
		{blind, `lights(target) > 0`, "not known: sw1 has no port Ethernet1"},
		{blind, `power(target) == "off"`, "not known: the power of s01: it is not seen now"},
		{blind, `not (power(target) == "off")`, "not known: the power of s01: it is not seen now"},
		{blind, `age(target) < 60`, "not known: s01 was never seen"},
		{well, `age(target) < 60`, "yes"},
		{well, `errors("sw1/Ethernet1") > 1`, "not known: how many errors sw1/Ethernet1 has: it was not read twice"},
		{well, `len(outlets(target)) == 2`, "yes"},
		{well, `len(guests(target)) == 0`, "yes"},
		{well, `host_is(target) == "down"`, "not known: s01 is no hypervisor of a cloud that is watched"},
		{well, `"2" in factory(target)`, "yes"},
		{blind, `len(factory(target)) == 0`, "not known: the users of s01"},
		{well, `service("web").replicas >= service("web").floor`, "not known: there is no service web"},
		{well, `guests(target)[0] == "x"`, `not known: guests(target)[0] == "x": there is nothing to take [0] of, the list is empty`},
		{well, `outlets(target)[7] == "x"`, `not known: outlets(target)[7] == "x": there is no [7], the list ends with [1]`},
		{well, `outlet("pa/3").state == "on"`, "not known: the state of outlet pa/3"},
	} {
		got := answer(must[*Cond](t)(Condition(c.source)), c.w.snap(t), "s01")
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.source, got, c.want)
		}
	}
}

// TestBounds: what a book may ask is small, typed, and without the library's own
// functions.
func TestBounds(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{``, "is empty"},
		{`power(target)`, "bool"},
		{`power(target) == 1`, "mismatched"},
		{`powr(target) == "on"`, "unknown name powr"},
		{`port(target).opr == "up"`, "opr"},
		{`power(target) ==`, "unexpected"},
		{`all([1, 2], # > 0)`, "loops"},
		{`len(1..100000000) > 3`, "loops"},
		{`now().Year() > 1`, ""},
		{`len(filter(guests(target), true)) > 1`, "loops"},
		{strings.Repeat("true and ", 60) + "true", "longer"},
		{strings.Repeat("!", 200) + "true", "exceeds"},
	} {
		_, err := Condition(c.source)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v, want %q", c.source, err, c.want)
		}
	}
}

func TestTemplates(t *testing.T) {
	s := well.snap(t)
	for _, c := range []struct{ source, want string }{
		{"put ${target} on", "put s01 on"},
		{"${len(outlets(target))} cords", "2 cords"},
		{"${outlets(target)}", "pa/3 pb/3"},
		{"put ${ guests(target)[0] } off", "not known: guests(target)[0]: there is nothing to take [0] of, the list is empty"},
		{"${fact(target, \"serial\")}", "not known: fact serial of s01"},
		{"plain", "plain"},
	} {
		tx := must[*Text](t)(Template(c.source))
		got, err := tx.Fill(s, "s01")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.source, got, c.want)
		}
	}
	if list, err := must[*Text](t)(Template("${outlets(target)}")).List(s, "s01"); err != nil || len(list) != 2 {
		t.Error(list, err)
	}
	for _, bad := range []string{"${target", "${nobody}", "a\x1b[31m"} {
		if _, err := Template(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func text(t *testing.T, s string) *Text { return must[*Text](t)(Template(s)) }

func cond(t *testing.T, s string) *Cond { return must[*Cond](t)(Condition(s)) }

// cycle is a book with one step of nearly every sort.
func cycle(t *testing.T) *Book {
	return &Book{Name: "cycle", On: OnServer, When: []Trigger{{When: cond(t, "lights(target) == 0")}}, Steps: []Step{
		{Do: DoNote, Text: text(t, "about ${target}")},
		{Do: DoCheck, For: cond(t, `power(target) == "on"`)},
		{Do: DoAct, Action: fleet.ActPowerOff, Rollback: &Step{Do: DoAct, Action: fleet.ActPowerOn}},
		{Do: DoPrompt, Text: text(t, "is the card in?"), If: cond(t, `power(target) == "off"`), OnFail: FailRollback},
		{Do: DoAct, Action: fleet.ActPowerOn, OnFail: FailRollback},
		{Do: DoWait, For: cond(t, "lights(target) > 0"), AtMost: time.Minute, OnFail: FailContinue},
	}}
}

// drive plays a run: polls gives the world at each look, tell what comes of each
// act and question. It returns what was asked and recorded, in words.
func drive(t *testing.T, r *Run, w world, look func(*world, *time.Time), tell func(Move, *world) (bool, string)) (said []string, end Move) {
	t.Helper()
	now := t0
	for range 50 {
		switch m := r.Next(w.snap(t), now); m.Is {
		case MoveEnd:
			return said, m
		case MoveRecord:
			said = append(said, map[bool]string{true: "+", false: "-"}[m.OK]+m.Name)
		case MoveLook:
			look(&w, &now)
		default:
			ok, why := tell(m, &w)
			done := r.Told(ok, why, now)
			said = append(said, map[bool]string{true: "+", false: "-"}[done.OK]+done.Name)
		}
	}
	t.Fatal("it does not end: ", said)
	return nil, end
}

func TestRun(t *testing.T) {
	obey := func(m Move, w *world) (bool, string) {
		switch m.Action {
		case fleet.ActPowerOff:
			w.power, w.oper = "off", "down"
		case fleet.ActPowerOn:
			w.power = "on"
		}
		return true, "verified"
	}
	lightSoon := func(w *world, now *time.Time) { *now, w.oper = now.Add(30*time.Second), "up"; w.seen = now.Sub(t0) }
	never := func(_ *world, now *time.Time) { *now = now.Add(30 * time.Second) }
	refuse := func(what fleet.ActionKind) func(Move, *world) (bool, string) {
		return func(m Move, w *world) (bool, string) {
			if m.Action == what && !strings.HasPrefix(m.Name, "rollback") {
				return false, "refused: frozen"
			}
			return obey(m, w)
		}
	}
	for _, c := range []struct {
		name string
		w    world
		look func(*world, *time.Time)
		tell func(Move, *world) (bool, string)
		said string
		end  fleet.JobState
		why  string
	}{
		{"all goes well", well, lightSoon, obey, "+1 note +2 check +3 act power-off +4 prompt +5 act power-on +6 wait", fleet.JobVerified, "all steps done"},
		{"it is passed over", well, never, obey, "+1 note +2 check +3 act power-off +4 prompt +5 act power-on -6 wait", fleet.JobVerified, "1 failed and the runbook goes on without: 6 wait: not within 1m0s"},
		{"a check stops it", world{power: "off", oper: "down"}, never, obey, "+1 note -2 check", fleet.JobFailed, "2 check: does not hold"},
		{"what is not known stops it", world{noBMC: true}, never, obey, "+1 note -2 check", fleet.JobFailed, "not known: the power"},
		{"it is taken back", well, never, refuse(fleet.ActPowerOn), "+1 note +2 check +3 act power-off +4 prompt -5 act power-on +rollback 3 act power-on", fleet.JobFailed, "5 act power-on: refused: frozen; what was done was taken back"},
		{"what was refused is not taken back", well, never, refuse(fleet.ActPowerOff), "+1 note +2 check -3 act power-off", fleet.JobFailed, "refused: frozen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, end := drive(t, NewRun(cycle(t), "s01"), c.w, c.look, c.tell)
			if got := strings.Join(said, " "); got != c.said {
				t.Errorf("%s\nwant %s", got, c.said)
			}
			if end.State != c.end || !strings.Contains(end.Text, c.why) {
				t.Errorf("%s %q, want %s %q", end.State, end.Text, c.end, c.why)
			}
		})
	}
}

func TestStop(t *testing.T) {
	r := NewRun(cycle(t), "s01")
	s := well.snap(t)
	for range 2 {
		r.Next(s, t0)
	}
	if m := r.Next(s, t0); m.Is != MoveAct || r.Next(s, t0).Is != MoveAct {
		t.Fatal("an act that nobody told of is asked for again", m)
	}
	r.Stop(fleet.JobCancelled, "cancelled by ann")
	r.Stop(fleet.JobStopped, "plumb stops")
	if m := r.Next(s, t0); m.Is != MoveEnd || m.State != fleet.JobCancelled || m.Text != "cancelled by ann" {
		t.Error(m)
	}
}

func TestMatch(t *testing.T) {
	dark := well
	dark.oper = "down"
	for _, c := range []struct {
		w      world
		target string
		holds  bool
		why    string
	}{
		{dark, "s01", true, "lights(target) == 0"},
		{well, "s01", false, "it does not hold that"},
		{world{power: "on", noSW: true}, "s01", false, "not known"},
		{well, "sw1", false, "it is for a server, this is a switch"},
		{well, "s09", false, "it is for a server"},
	} {
		if m := cycle(t).Match(c.w.snap(t), c.target); m.Holds != c.holds || !strings.Contains(m.Why, c.why) {
			t.Errorf("%s: %+v, want %v %q", c.target, m, c.holds, c.why)
		}
	}
	if got := cycle(t).Candidates(well.snap(t)); len(got) != 1 || got[0] != "s01" {
		t.Error(got)
	}
}

func TestPreviewDoesNothingAndSaysAll(t *testing.T) {
	lines := cycle(t).Preview(well.snap(t), "s01")
	if len(lines) != 6 || lines[2].Text != "power-off s01" || lines[2].Rollback != "act power-on s01" || lines[2].Danger != 2 ||
		!strings.HasSuffix(lines[3].If, "(no)") || lines[1].Now != "yes" || lines[5].AtMostS != 60 || lines[0].Text != "about s01" {
		t.Errorf("%+v", lines)
	}
}

func TestStepCheck(t *testing.T) {
	for _, c := range []struct {
		s    Step
		want string
	}{
		{Step{Do: DoAct, Action: "explode"}, "no action"},
		{Step{Do: DoAct, Action: fleet.ActPortVLAN}, "needs vlan"},
		{Step{Do: DoAct, Action: fleet.ActPortVLAN, Args: map[string]*Text{"vlan": text(t, "9999")}}, "from 1 to 4094"},
		{Step{Do: DoAct, Action: fleet.ActPortVLAN, Args: map[string]*Text{"vlan": text(t, "${expected(target, \"vlan\")}")}}, ""},
		{Step{Do: DoAct, Action: fleet.ActReset, Args: map[string]*Text{"vlan": text(t, "1")}}, "takes no argument vlan"},
		{Step{Do: DoWait, For: cond(t, "true")}, "at_most"},
		{Step{Do: DoExec}, "names no program"},
		{Step{Do: DoExec, Argv: []*Text{text(t, "${target}")}}, "not written out"},
		{Step{Do: DoNote}, "says nothing"},
		{Step{Do: DoCheck, For: cond(t, "true"), Rollback: &Step{Do: DoAct, Action: fleet.ActReset}}, "could be taken back"},
		{Step{Do: DoAct, Action: fleet.ActReset, Rollback: &Step{Do: DoWait}}, "a rollback is act or exec"},
	} {
		if got := c.s.Check(false); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.s, got, c.want)
		}
	}
}

// TestFindingsInSight: one finding that can be read is enough; none that can is
// not known.
func TestFindingsInSight(t *testing.T) {
	for _, c := range []struct {
		stale [2]time.Time
		want  string
	}{
		{[2]time.Time{}, "yes"},
		{[2]time.Time{t0}, "yes"},
		{[2]time.Time{0: {}, 1: t0}, "yes"},
		{[2]time.Time{t0, t0}, "not known: whether s01:a.1 is still so: it cannot be read"},
	} {
		s := well.snap(t)
		s.Devices.Get("s01").Docket = &fleet.Docket{Findings: []fleet.Finding{
			{Target: "s01", Facet: "a.1", State: fleet.FindingOpen, Stale: c.stale[0]}, {Target: "s01", Facet: "a.2", State: fleet.FindingOpen, Stale: c.stale[1]},
		}}
		if got := answer(must[*Cond](t)(Condition(`finding(target, "a.*")`)), s, "s01"); got != c.want {
			t.Errorf("stale since %v: %s, want %s", c.stale, got, c.want)
		}
	}
}

// TestAWaitBelievesWhatCameAfter: the light that was seen before a power cycle
// is not the light after it.
func TestAWaitBelievesWhatCameAfter(t *testing.T) {
	for _, c := range []struct {
		name  string
		wait  string
		looks int
		sees  func(*world)
	}{
		{"light", "lights(target) > 0", 1, func(*world) {}},
		{"an answer", "not blind(target)", 1, func(*world) {}},
		{"power", `power(target) == "on"`, 1, func(*world) {}},
		{"it was off at first", `power(target) == "on"`, 2, func(w *world) {
			if w.power = "on"; w.seen < time.Minute {
				w.power = "off"
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &Book{Name: "cycle", On: OnServer, Steps: []Step{{Do: DoAct, Action: fleet.ActPowerCycle}, {Do: DoWait, For: cond(t, c.wait), AtMost: time.Hour}}}
			r, w, now, looks := NewRun(b, "s01"), well, t0, 0
			for range 20 {
				switch m := r.Next(w.snap(t), now); m.Is {
				case MoveAct:
					now = now.Add(10 * time.Second)
					r.Told(true, "verified", now)
				case MoveLook:
					looks++
					now = now.Add(30 * time.Second)
					w.seen = now.Sub(t0)
					c.sees(&w)
				case MoveEnd:
					if m.State != fleet.JobVerified || looks != c.looks {
						t.Errorf("%s after %d looks, want %d: %s", m.State, looks, c.looks, m.Text)
					}
					return
				}
			}
			t.Fatal("it does not end")
		})
	}
}

// TestAWaitCountsErrorsFromTheActOn: a port that was down has no errors, and a
// count that begins before it was says nothing about whether they stopped.
func TestAWaitCountsErrorsFromTheActOn(t *testing.T) {
	s := well.snap(t)
	c := must[*Cond](t)(Condition(`errors("sw1/Ethernet1") < 1`))
	poll := func(after time.Duration, errors uint64) {
		o := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: t0.Add(after), Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet1", Admin: "up", Oper: "up"}}}}
		o.Ports[0].Counters.Set(fleet.InErrors, errors, true)
		o.Ports[0].Counters.Set(fleet.OutErrors, 0, true)
		o.SetTable(fleet.TablePorts, fleet.Complete)
		s, _ = engine.Step(s, []fleet.Input{o}, o.At)
	}
	poll(10*time.Second, 1000)
	act := t0.Add(15 * time.Second)
	for _, x := range []struct {
		after  time.Duration
		errors uint64
		want   string
	}{
		{20 * time.Second, 1000, "not known: how many errors sw1/Ethernet1 has: it was not read twice since"},
		{30 * time.Second, 1450, "no"},
		{40 * time.Second, 1450, "yes"},
	} {
		poll(x.after, x.errors)
		got := "no"
		if is, err := c.HoldsSince(s, "sw1", act); err != nil {
			got = err.Error()
		} else if is {
			got = "yes"
		}
		if got != x.want {
			t.Errorf("after %v: %s, want %s", x.after, got, x.want)
		}
	}
}
