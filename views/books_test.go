package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

// testBooks are two runbooks, one of which is of use for a server that is on.
var testBooks = func() []*runbook.Book {
	cond := func(s string) *runbook.Cond {
		c, err := runbook.Condition(s)
		if err != nil {
			panic(err)
		}
		return c
	}
	text := func(s string) *runbook.Text {
		t, err := runbook.Template(s)
		if err != nil {
			panic(err)
		}
		return t
	}
	return []*runbook.Book{
		{Name: "sel-clear", Title: "clear an event log that is full", On: runbook.OnServer, When: []runbook.Trigger{{Reason: "event log is full"}},
			Steps: []runbook.Step{{Do: runbook.DoAct, Action: fleet.ActSELClear}}},
		{Name: "cycle", Title: "off and on again, and look that it comes back", On: runbook.OnServer, When: []runbook.Trigger{{When: cond(`state(target) != "unknown"`)}},
			Steps: []runbook.Step{
				{Do: runbook.DoNote, Text: text("${target} hangs on ${outlets(target)}")},
				{Do: runbook.DoCheck, For: cond(`power(target) == "on"`)},
				{Do: runbook.DoPrompt, Text: text("does anybody work on ${target}?")},
				{Do: runbook.DoAct, Action: fleet.ActPowerOff, Rollback: &runbook.Step{Do: runbook.DoAct, Action: fleet.ActPowerOn}, If: cond(`lights(target) > 0`)},
				{Do: runbook.DoWait, For: cond(`power(target) == "off"`), AtMost: 5 * time.Minute, OnFail: runbook.FailRollback},
				{Do: runbook.DoCheck, For: cond(`errors(ports(target)[0]) < 1`)},
			}},
		{Name: "bounce", Title: "bounce a port", On: runbook.OnPort},
	}
}

// TestRunIsAskedForOnceItIsMeant: nothing is handed over without a reason, by a
// viewer, in the past, or where the runbook is not of use.
func TestRunIsAskedForOnceItIsMeant(t *testing.T) {
	f := frame(120, 40)
	enter, _ := f.Keys.Get("enter")
	v := press(t, f, NewBooks("fra1-r03-s04"), "enter")
	if _, in := v.Handle(f, enter); in == nil || in.(Ask).Command != "runbook.reason" {
		t.Errorf("without a reason it is %#v", in)
	}
	v = press(t, f, v, "runbook.reason drill")
	if _, in := v.Handle(f, enter); in != (RunBook{Book: "cycle", Target: "fra1-r03-s04", Reason: "drill"}) {
		t.Errorf("%#v", in)
	}
	viewer, hist := f, f
	viewer.Role, hist.Live = fleet.RoleViewer, false
	for name, f := range map[string]Frame{"a viewer": viewer, "the past": hist} {
		if _, in := v.Handle(f, enter); !refuses(in) {
			t.Errorf("%s: %#v", name, in)
		}
	}
	other := press(t, f, NewBooks("fra1-r03-s04"), "move.down", "enter", "runbook.reason drill")
	if _, in := other.Handle(f, enter); !refuses(in) {
		t.Errorf("one that is of no use: %#v", in)
	}
}

func refuses(in Intent) bool {
	toast, ok := in.(Toast)
	return ok && strings.HasPrefix(toast.Text, "refused: ")
}

func TestAnswerIsRead(t *testing.T) {
	for text, want := range map[string]Intent{"jx yes": Answer{"jx", "yes"}, " jx  the serial 7X ": Answer{"jx", "the serial 7X"}} {
		if got := answered(text); got != want {
			t.Errorf("%q: %#v", text, got)
		}
	}
	for _, text := range []string{"", "jx", "jx "} {
		if _, ok := answered(text).(Toast); !ok {
			t.Errorf("%q is taken for an answer", text)
		}
	}
}

// TestManyRunbooksScroll: the one under the caret is in sight, however many
// there are.
func TestManyRunbooksScroll(t *testing.T) {
	f := frame(80, 24)
	f.Books = nil
	for i := range 40 {
		b := *testBooks()[1]
		b.Name = fmt.Sprintf("book-%02d", i)
		f.Books = append(f.Books, &b)
	}
	v := press(t, f, NewBooks("fra1-r03-s04"), "move.last")
	got := compose(t, f, v, Chrome{})
	if !strings.Contains(got, "book-39") || strings.Contains(got, "book-00") || !strings.Contains(got, "nothing happens yet") {
		t.Errorf("the last is not in sight:\n%s", got)
	}
}

// TestBooksForThisComeFirst: before what somebody may always ask for, and what
// is of no use now last.
func TestBooksForThisComeFirst(t *testing.T) {
	f := frame(120, 40)
	f.Books = append([]*runbook.Book{{Name: "always", On: runbook.OnServer}}, f.Books...)
	var got []string
	for _, m := range (Books{id: "fra1-r03-s04"}).matches(f) {
		got = append(got, m.Book.Name)
	}
	if text := strings.Join(got, " "); text != "cycle always sel-clear" {
		t.Errorf("in the order %q", text)
	}
}
