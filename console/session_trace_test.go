package console

import (
	"strings"
	"testing"
)

// TestTraceAndWhatIfByKeys goes the way a person goes: from a list to a trace,
// deeper, back, and into a what-if that grows by name and is carried away.
func TestTraceAndWhatIfByKeys(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 160, 50, "")
	d.sees("LIVE")
	d.press(":trace ams1-r01-s04\r")
	d.sees("trace › ams1-r01-s04")
	d.sees("stands on")
	d.press("x")
	d.sees("if ams1-r01-s04 fails")
	d.press("+ams1-r01-s05\r")
	d.sees("if ams1-r01-s04 and ams1-r01-s05 fail together")
	d.press("e")
	d.sees("copied the what-if as Markdown")
	d.press("x")
	d.sees("if ams1-r01-s05 fails")
	d.press(":what-if ams1-r01-s06 ams1-r01-s07\r")
	d.sees("if ams1-r01-s05 and ams1-r01-s06 and ams1-r01-s07 fail together")
	d.press(":what-if nobody\r")
	d.sees("no part nobody")
	d.press("\x1b")
	d.sees("trace › ams1-r01-s04")
	if strings.Contains(d.text(), "no part nobody") {
		t.Error("what was said of the screen before stands on the next")
	}
}
