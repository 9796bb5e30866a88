package console

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views"
)

// TestASecondPersonAgrees is two people at two screens: what the one asks for
// is on the other's at once, one key opens it, and only an admin's word counts.
func TestASecondPersonAgrees(t *testing.T) {
	words := make(chan views.JobWord, 3)
	var h *house
	h = newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Execute = func(_ context.Context, by Caller, e views.Execute) (fleet.Job, error) {
			j := fleet.Job{ID: "j7", Action: e.Action, Targets: e.Targets, State: fleet.JobProposed, By: by.User, Reason: e.Reason, Began: time.Now()}
			s := testSnapshot(9)
			s.Jobs = []fleet.Job{j}
			h.bell.ring(s)
			return j, nil
		}
		d.Job = func(_ context.Context, by Caller, w views.JobWord) (fleet.Job, error) {
			words <- w
			if w.Word == "refuse" {
				return fleet.Job{}, errors.New("denied: \x1b[31mnot you")
			}
			return fleet.Job{ID: w.Job, State: fleet.JobRunning}, nil
		}
	})
	op, admin := h.show(h.client("operator"), 120, 40, ""), h.show(h.client("admin"), 120, 40, "")
	op.sees("LIVE")
	admin.sees("LIVE")
	op.press("3")
	op.sees("ams1-r01-s20")
	op.press("ai")
	eventually(t, 3*time.Second, "the question", func() bool {
		for _, g := range h.server.Registry().Who(time.Now()) {
			if g.View == "confirm" {
				return true
			}
		}
		return false
	})
	op.press("which one is it\r")
	op.sees("which one is it")
	op.press("\r")
	op.sees("jobs › j7") // it lands on the job
	admin.sees("operator asks, 14m left: identify ams1-r01-s")
	op.press("y")
	op.sees("needs role admin")
	admin.press("R")
	admin.sees("y approves, n refuses")
	admin.press("n")
	admin.sees("refuse identify")
	admin.press("\r")
	admin.sees("needs a reason")
	admin.press("nnot now\r")
	admin.sees("refuse j7 not done: denied")
	admin.press("y")
	admin.sees("for operator? enter agrees")
	admin.press("\r")
	admin.sees("approve j7: running")
	if a, b := <-words, <-words; a != (views.JobWord{Word: "refuse", Job: "j7", Reason: "not now"}) || b != (views.JobWord{Word: "approve", Job: "j7"}) {
		t.Errorf("said %+v and %+v", a, b)
	}
	if strings.Contains(op.text(), "confirm") {
		t.Errorf("what was asked for is still a question:\n%s", op.text())
	}
}

// TestARunIsAnswered: what a run waits for stands on the screens of others and
// on the wall, and a key on its page answers it.
func TestARunIsAnswered(t *testing.T) {
	words := make(chan views.JobWord, 1)
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Job = func(_ context.Context, _ Caller, w views.JobWord) (fleet.Job, error) {
			words <- w
			return fleet.Job{ID: w.Job, State: fleet.JobRunning}, nil
		}
	})
	op, wall := h.show(h.client("operator"), 120, 40, ""), h.show(h.client("wall"), 160, 50, "wall")
	op.sees("LIVE")
	wall.sees("PLUMB wall")
	s := testSnapshot(9)
	s.Jobs = []fleet.Job{{ID: "j9", Action: "run silent-bmc", Targets: []string{"ams1-r01-s01"}, State: fleet.JobRunning, By: "bob", Began: time.Now(),
		Asks: &fleet.Question{Text: "is anybody at the rack?", Until: time.Now().Add(time.Hour)}}}
	h.bell.ring(s)
	wall.sees("a runbook asks, 59m left: silent-bmc ams1-r01-s01: is anybody at the rack?")
	op.sees("a runbook asks, 59m left: silent-bmc ams1-r01-s01: is anybody at the rack?")
	op.press("R")
	op.sees("r answers yes or no")
	op.press("rperhaps\r")
	op.sees("nothing was said")
	op.press("ryes, kim is\r")
	op.sees("answered j9: yes, kim is")
	if w := <-words; w != (views.JobWord{Word: "answer", Job: "j9", Reason: "yes, kim is"}) {
		t.Errorf("said %+v", w)
	}
}
