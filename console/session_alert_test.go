package console

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views"
)

// calledSnapshot is the small fleet with one critical alert that fired then.
func calledSnapshot(version uint64, fired time.Time) *fleet.Snapshot {
	s := testSnapshot(version)
	a := &fleet.Alert{Rule: "fan", Target: "ams1-r01-s07", Part: "FAN1", State: fleet.AlertFiring, Severity: fleet.SeverityCrit, Since: fired, Fired: fired, Looked: fired, Summary: "FAN1 stands still",
		Labels: map[string]string{"rule": "fan", "target": "ams1-r01-s07", "rack": "ams1/r01"}}
	s.Alerts = &fleet.AlertBook{List: []*fleet.Alert{a}, Waiting: [3]int{0, 0, 1}, Counts: [3]int{0, 0, 1}, Newest: [3]*fleet.Alert{2: a}, Settled: true}
	return s
}

// TestWordsAboutAlertsOverSSH: an ack and a silence from their keys to whoever
// takes them, once each, and what a refusal looks like.
func TestWordsAboutAlertsOverSSH(t *testing.T) {
	var mu sync.Mutex
	var said []views.AlertWord
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Say = func(_ context.Context, by Caller, w views.AlertWord) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, w)
			if w.Do == "silence" {
				return "", fmt.Errorf("%w: it would reach outside of your scope", ErrMayNot)
			}
			return "acknowledged by " + by.User, nil
		}
	})
	h.bell.ring(calledSnapshot(5, time.Now()))
	d := h.show(h.client("operator"), 120, 40, "")
	d.sees("LIVE")
	d.press("8")
	d.sees("FAN1 stands still")
	d.press("A")
	d.sees("ack fan:ams1-r01-s07/FAN1 [4h|sticky] reason")
	d.press("2h spare is here\r")
	d.sees("acknowledged by operator")
	d.press("Z")
	d.sees("SILENCE")
	d.press("\r")
	d.sees("reason, which others will read")
	d.press("noise\r")
	d.sees("noise")
	d.press("\r")
	d.sees("silence not done: denied: it would reach outside of your scope")
	mu.Lock()
	got := fmt.Sprint(said)
	mu.Unlock()
	want := fmt.Sprint([]views.AlertWord{{Do: "ack", Alerts: []string{"fan:ams1-r01-s07/FAN1"}, For: 2 * time.Hour, Reason: "spare is here"},
		{Do: "silence", Matchers: []string{"rule=fan", "target=ams1-r01-s07", "part=FAN1"}, For: 2 * time.Hour, Reason: "noise"}})
	if got != want {
		t.Errorf("said %s, want %s", got, want)
	}
	viewer := h.show(h.client("viewer"), 120, 40, "")
	viewer.sees("LIVE")
	viewer.press("8")
	viewer.sees("FAN1 stands still")
	viewer.press("A")
	viewer.sees("ack: needs role operator")
}

// rings counts the bells in what a display was sent.
func (d *display) rings() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Count(d.raw.String(), "\x07\x1b]9;plumb crit: FAN1 stands still\x07")
}

// TestTheBellRingsWhereItIsWanted: on a screen that asked for it and on a wall
// that is configured so, and on no other.
func TestTheBellRingsWhereItIsWanted(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		for i := range c.Users {
			if c.Users[i].Role == fleet.RoleWall {
				c.Users[i].Bell = BellCrit
			}
		}
	})
	asked := h.show(h.client("operator"), 120, 40, "")
	asked.sees("LIVE")
	asked.press(":bell crit\r")
	asked.sees("bell: rings for what is critical")
	wall, silent := h.show(h.client("wall"), 120, 40, "wall"), h.show(h.client("viewer"), 120, 40, "")
	wall.sees("PLUMB")
	silent.sees("LIVE")
	h.bell.ring(calledSnapshot(6, time.Now().Add(time.Second)))
	eventually(t, 20*time.Second, "the bell on both", func() bool { return asked.rings() == 1 && wall.rings() == 1 })
	if silent.rings() != 0 {
		t.Error("a screen that never asked rings")
	}
	again := h.show(h.client("operator"), 120, 40, "")
	again.sees("LIVE")
	again.press(":bell\r") // the next of the three: it was remembered
	again.sees("warnings too")
}
