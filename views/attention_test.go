package views

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// given answers with causes of a test's own, and else as others do.
type given struct {
	judged
	why *Causes
}

func (g given) Get(q fleet.Query) (fleet.Answer, bool) {
	if q == derivedQuery(derivedCauses) {
		return fleet.Answer{Derived: g.why}, true
	}
	return g.judged.Get(q)
}

// TestACauseStandsBeforeItsEffects: what a dead feed explains stands under it, a
// few and then how many more; nothing that is wrong is without a row or a cause,
// and list and verdict count the same findings.
func TestACauseStandsBeforeItsEffects(t *testing.T) {
	f := darkFrame(240, 67)
	tr := new(troubles).of(f)
	var feed int
	for i := range tr.lines {
		l := &tr.lines[i]
		heads, deep, rest := 0, 0, 0
		for k := range tr.rows {
			if r := &tr.rows[k]; r.line == l {
				switch {
				case r.rest > 0:
					rest += r.rest
				case r.deep:
					deep++
				default:
					heads++
				}
			}
		}
		if l.cause == nil {
			if want := max(1, len(l.group.devices)); heads != want || deep+rest != 0 {
				t.Errorf("%s: %d rows, want %d", l.key(), heads+deep, want)
			}
			continue
		}
		want := len(l.cause.Explains)
		for _, id := range l.cause.Explains {
			if id == l.cause.ID {
				want--
			}
		}
		if heads != 1 || deep+rest != want || deep > 4 {
			t.Errorf("%s: %d heads, %d effects and %d more; it explains %d others", l.key(), heads, deep, rest, want)
		}
		if l.cause.ID == "fra1-A" {
			feed = rest
		}
	}
	for n := range f.Snap.Devices.Len() {
		id := f.Snap.Devices.ID(n)
		shown := tr.why.led(id)
		for k := range tr.rows {
			shown = shown || tr.rows[k].id == id && !tr.rows[k].deep
		}
		if wrong(f.Snap.Devices.At(n)) && !shown {
			t.Errorf("%s is wrong and in no row", id)
		}
	}
	text := compose(t, f, NewFleet(), Chrome{})
	for _, want := range []string{"and " + strconv.Itoa(feed) + " more", "explained by fra1-A",
		strconv.Itoa(len(tr.lines)) + " findings, " + strconv.Itoa(tr.wrong) + " devices"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestALowScreenShowsTheNextCauseToo: three effects of the first would fill it.
func TestALowScreenShowsTheNextCauseToo(t *testing.T) {
	f := darkFrame(80, 24)
	_, list, _ := strings.Cut(compose(t, f, NewFleet(), Chrome{}), "needs attention")
	first, second := strings.Index(list, "feed fra1-A"), strings.Index(list, "psu fra1-r03-s04")
	if first < 0 || second < first {
		t.Errorf("the list shows one cause only:\n%s", list)
	}
}

// TestTheRestOfACauseLeadsToItsTrace: what has no row is one key away.
func TestTheRestOfACauseLeadsToItsTrace(t *testing.T) {
	f := darkFrame(160, 50)
	v := press(t, f, NewFleet(), "pane.next")
	tr := new(troubles).of(f)
	for i := range tr.rows {
		r := &tr.rows[i]
		v := v.(Fleet)
		v.list = v.list.to(i, v.rows(f))
		if kind, id := v.Selected(f); id == "" || kind == "" {
			if r.line.group == nil {
				t.Errorf("row %d is about nothing: %+v", i, r)
			}
		}
		if r.rest > 0 {
			to := press(t, f, v, "enter")
			if to.ID() != "trace" || !strings.Contains(strings.Join(to.Crumbs(f), " "), r.line.cause.ID) {
				t.Errorf("the rest of %s leads to %s %v", r.line.cause.ID, to.ID(), to.Crumbs(f))
			}
		}
	}
}

// TestADoorHasARowOfItsOwn: nothing is broken, and it cannot wait.
func TestADoorHasARowOfItsOwn(t *testing.T) {
	f := frame(160, 50)
	s := *testFleet()
	edit := s.Devices.Edit()
	d := edit.At(s.Devices.Number("fra1-r01-s01"))
	d.Docket = &fleet.Docket{Findings: []fleet.Finding{{Target: d.Spec.ID, Facet: "ipmi.cipher0", Kind: fleet.FindSecurity, Severity: fleet.SeverityCrit, State: fleet.FindingOpen, Text: "cipher suite 0 is offered"}}}
	s.Devices = edit.Done()
	f.Snap, f.Answers = &s, judged{snap: &s}
	_, list, _ := strings.Cut(compose(t, f, NewFleet(), Chrome{}), "needs attention")
	if !strings.Contains(list, "cipher suite 0 is offered") {
		t.Errorf("the list does not name it:\n%s", list)
	}
	v := NewFleet().(Fleet)
	v.lower = true
	for i, r := range v.memo.troubles.of(f).rows {
		if r.line.group == nil || !r.line.group.door {
			continue
		}
		v.list = v.list.to(i, v.rows(f))
		if to := press(t, f, v, "enter"); to.ID() != "finding" || !strings.Contains(compose(t, f, to, Chrome{}), "cipher suite 0 is offered") {
			t.Errorf("it leads to %s", to.ID())
		}
	}
}

// TestHowSureACauseIs: always where there is room, else where it is not certain.
func TestHowSureACauseIs(t *testing.T) {
	for _, x := range []struct {
		w, h int
		sure fleet.Confidence
		says bool
	}{
		{160, 50, fleet.ConfidenceHigh, true}, {160, 50, fleet.ConfidenceMedium, true}, {240, 67, fleet.ConfidenceLow, true},
		{80, 24, fleet.ConfidenceHigh, false}, {80, 24, fleet.ConfidenceMedium, true},
	} {
		f := darkFrame(x.w, x.h)
		why, _ := derived[*Causes](f, derivedCauses)
		cause := why.list[0]
		cause.Confidence = x.sure
		why = &Causes{list: append([]trace.Cause{cause}, why.list[1:]...), states: why.states, wrong: why.wrong, by: why.by, alone: why.alone}
		f.Answers = given{f.Answers.(judged), why}
		if text := compose(t, f, NewFleet(), Chrome{}); strings.Contains(text, x.sure.String()+" confidence") != x.says {
			t.Errorf("%dx%d, %s confidence:\n%s", x.w, x.h, x.sure, text)
		}
	}
}

// TestWhatNoCauseExplainsSpeaksForItself: of two switches that say the same of
// their ports one is explained by a dead machine; the other has a port besides
// that flaps, and its row speaks of that one, not of the words of the first.
func TestWhatNoCauseExplainsSpeaksForItself(t *testing.T) {
	f := frame(160, 50)
	s := *testFleet()
	edit := s.Devices.Edit()
	for k, id := range []string{"fra1-r01-sw1", "fra1-r01-sw2"} {
		d := edit.At(s.Devices.Number(id))
		d.State = fleet.StateWarn
		d.About, d.Reasons = []string{"port Ethernet4"}, []string{fmt.Sprintf("Ethernet4 down (cabled to fra1-r01-s04 eth%d)", k)}
		if k == 1 {
			d.About, d.Reasons = append(d.About, "port Ethernet5"), append(d.Reasons, "Ethernet5 flapping")
		}
	}
	s.Devices = edit.Done()
	why := &Causes{wrong: 3, states: []fleet.State{fleet.StateCrit, fleet.StateWarn}, list: []trace.Cause{
		{ID: "fra1-r01-s04", Kind: trace.Server, Explains: []string{"fra1-r01-sw1", "fra1-r01-sw2"}, Evidence: []string{"no light on any of its cables"}},
		{ID: "fra1-r01-sw2/Ethernet5", Kind: trace.Port, Explains: []string{"fra1-r01-sw2"}, Evidence: []string{"Ethernet5 flapping"}},
	}, by: map[string]int{"fra1-r01-sw1": 0, "fra1-r01-sw2": 0}, alone: map[string]int{"fra1-r01-sw2": 1}}
	f.Snap, f.Answers = &s, given{judged{snap: &s}, why}
	tr := new(troubles).of(f)
	for i := range tr.rest {
		x := &tr.rest[i]
		if len(x.devices) == 1 && s.Devices.ID(x.devices[0]) == "fra1-r01-sw2" && x.text == "Ethernet5 flapping" {
			return
		}
	}
	t.Errorf("groups %+v", tr.rest)
}
