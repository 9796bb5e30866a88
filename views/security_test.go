package views

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/security"
	"plumb/views/viewstest"
)

// tallied answers with checks of a test's own, and else as others do.
type tallied struct {
	judged
	list []tally
}

func (g tallied) Get(q fleet.Query) (fleet.Answer, bool) {
	if q == derivedQuery(derivedSecurity) {
		return fleet.Answer{Derived: g.list}, true
	}
	return g.judged.Get(q)
}

// TestPassedSaysHowOldItIs: nobody reads "passed" of a door without seeing when
// it was looked at last.
func TestPassedSaysHowOldItIs(t *testing.T) {
	for _, size := range [...][2]int{{60, 18}, {80, 24}, {160, 50}, {240, 67}} {
		f := frame(size[0], size[1])
		read, age := viewstest.At.Add(-250*time.Second), int64(250)
		f.Answers = tallied{f.Answers.(judged), []tally{{Tally: security.Tally{Checked: fleet.Checked{ID: "ipmi.cipher0", Severity: fleet.SeverityCrit, Title: "cipher suite 0 is offered", Passed: 414}, ReadAt: &read, AnswersAgeS: &age}, word: "passed"}}}
		text := compose(t, f, NewSecurity(), Chrome{})
		if !strings.Contains(text, "4m10s") {
			t.Errorf("%v: the age of the answer is not there:\n%s", size, text)
		}
		if size[1] >= 24 && !strings.Contains(text, "passed, read 4m10s ago") {
			t.Errorf("%v: the card does not say it:\n%s", size, text)
		}
	}
}
