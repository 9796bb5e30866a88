package alert

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func receiverHouse(t *testing.T, receivers ...string) *house {
	return newHouse(t, fleet.Alerting{Receivers: receivers, Route: &fleet.AlertRoute{Receiver: receivers[0], Wait: time.Second, Interval: time.Second},
		Rules: []fleet.AlertRule{{Name: "receiver-dead", On: "receiver", Problem: "receiver.failing_s >= 300", Severity: fleet.SeverityCrit, Graded: true,
			Summary: "{receiver.id} ({receiver.kind}): {receiver.waiting} wait", Cause: "{receiver.error}"}}})
}

func (h *house) receivers(list ...fleet.ReceiverState) {
	next := *h.snap
	next.Receivers = append([]fleet.ReceiverState{}, list...)
	h.snap = &next
}

// A receiver that takes nothing for five minutes is told to the first other one
// that does, once, and so is its end.
func TestADeadReceiverIsToldThroughAnother(t *testing.T) {
	h := receiverHouse(t, "pager", "mail", "chat")
	dead := h.now
	failing := fleet.ReceiverState{Name: "pager", Kind: "webhook", Failing: dead, Waiting: 3, Error: "connection refused"}
	h.receivers(failing, fleet.ReceiverState{Name: "mail", Kind: "smtp", Failing: dead}, fleet.ReceiverState{Name: "chat", Kind: "slack"})
	h.step(299 * time.Second)
	h.step(time.Second)
	if len(h.snap.Alerts.List) != 0 {
		t.Errorf("%+v", h.snap.Alerts.List[0])
	}
	h.step(2 * time.Second)
	h.step(2 * time.Second)
	a := h.snap.Alerts.Find("receiver-dead:pager")
	if a == nil || a.State != fleet.AlertFiring || a.Summary != "pager (webhook): 3 wait" || a.Cause != "connection refused" || a.Labels["receiver"] != "pager" {
		t.Fatalf("%+v", a)
	}
	if lines, ok := Explain(h.snap, "receiver-dead:pager", h.now); !ok || !strings.Contains(strings.Join(lines, "\n"), "told to chat") {
		t.Errorf("%v", lines)
	}
	if len(h.notices) != 1 || h.notices[0].Receiver != "chat" {
		t.Fatalf("%+v", h.notices)
	}
	// What was put out for it and still waits is not told.
	said := h.snap.Alerts.Groups[0].Sent
	for oldest, want := range map[time.Time]bool{said: true, said.Add(-time.Minute): true, said.Add(time.Second): false} {
		h.receivers(failing, fleet.ReceiverState{Name: "chat", Kind: "slack", Failing: dead, Waiting: 1, Oldest: oldest, Error: "no answer"})
		if r := h.snap.Undelivered("chat", said); (r != nil) != want {
			t.Errorf("told %s, the oldest that waits is of %s: %+v", said, oldest, r)
		}
	}
	h.receivers(failing, fleet.ReceiverState{Name: "mail", Kind: "smtp", Failing: dead}, fleet.ReceiverState{Name: "chat", Kind: "slack"})
	if lines, _ := Explain(h.snap, "receiver-dead:pager", h.now); strings.Contains(strings.Join(lines, "\n"), "waits") {
		t.Errorf("%v", lines)
	}
	h.receivers(fleet.ReceiverState{Name: "pager", Kind: "webhook"}, fleet.ReceiverState{Name: "mail", Kind: "smtp"}, fleet.ReceiverState{Name: "chat", Kind: "slack"})
	h.step(2 * time.Second)
	h.step(2 * time.Second)
	if n := len(h.notices); n != 2 || h.notices[1].Receiver != "chat" || h.notices[1].Status != "resolved" {
		t.Errorf("%+v", h.notices)
	}
}

// Where there is no other one nobody can be told; it is shown all the same.
func TestTheOnlyReceiverIsDead(t *testing.T) {
	h := receiverHouse(t, "pager")
	h.receivers(fleet.ReceiverState{Name: "pager", Kind: "webhook", Failing: h.now})
	for range 4 {
		h.step(200 * time.Second)
	}
	if a := h.snap.Alerts.Find("receiver-dead:pager"); a == nil || a.State != fleet.AlertFiring || len(h.notices) != 0 {
		t.Errorf("%+v, %+v", a, h.notices)
	}
	if lines, _ := Explain(h.snap, "receiver-dead:pager", h.now); !strings.Contains(strings.Join(lines, "\n"), "no other receiver takes notices") {
		t.Errorf("%v", lines)
	}
	h.receivers() // it is not configured any more
	h.step(time.Second)
	if a := h.snap.Alerts.Find("receiver-dead:pager"); a != nil && a.Active() {
		t.Errorf("%+v", a)
	}
}

// What still fires is known of a receiver that was told, with who knows of it.
func TestStanding(t *testing.T) {
	h := newHouse(t, fleet.Alerting{Receivers: []string{"am"}, Route: &fleet.AlertRoute{Receiver: "am", Wait: time.Second, Interval: time.Second},
		Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 40", Attempts: 1, Severity: fleet.SeverityWarn, Graded: true, Summary: "{sensor.value}"}}})
	h.temp("s01", 50)
	h.step(2 * time.Second)
	if got := Standing(h.snap, "am"); got != nil {
		t.Errorf("it was not told yet: %+v", got)
	}
	h.step(2 * time.Second)
	h.acks = []fleet.Acknowledgement{{Alert: "hot:s01/t1", Ack: fleet.Ack{By: "ann"}}}
	h.step(2 * time.Second)
	got := Standing(h.snap, "am")
	if len(got) != 1 || len(got[0].Alerts) != 1 || got[0].Alerts[0].ID != "hot:s01/t1" || got[0].Alerts[0].AckedBy != "ann" || got[0].Group != h.notices[0].Group || Standing(h.snap, "other") != nil {
		t.Errorf("%+v", got)
	}
	flaps := *h.snap.Alerts
	flapping := *flaps.List[0]
	flapping.Flapping, flapping.State = true, fleet.AlertResolved
	flaps.List = []*fleet.Alert{&flapping}
	if got := Standing(&fleet.Snapshot{Alerts: &flaps}, "am"); len(got) != 1 || got[0].Alerts[0].Status != "flapping" {
		t.Errorf("while it flaps: %+v", got)
	}
	h.temp("s01", 20)
	h.step(2 * time.Second)
	if got := Standing(h.snap, "am"); got != nil {
		t.Errorf("it is over: %+v", got)
	}
}

// Where an alert is told it says when the receiver does not take it.
func TestExplainSaysWhatWaits(t *testing.T) {
	h := receiverHouse(t, "pager", "mail")
	h.receivers(fleet.ReceiverState{Name: "pager", Kind: "webhook", Failing: h.now, Error: "connection refused"}, fleet.ReceiverState{Name: "mail", Kind: "smtp"})
	for range 4 {
		h.step(150 * time.Second)
	}
	a, g := h.snap.Alerts.Find("receiver-dead:pager"), h.snap.Alerts.Groups[0]
	if text := groupText(h.snap, g.Key, a); a == nil || !strings.HasPrefix(text, ", last at ") || strings.Contains(text, "waits") {
		t.Errorf("%+v: %s", a, text)
	}
	h.receivers(fleet.ReceiverState{Name: "mail", Kind: "smtp", Failing: h.now, Waiting: 1, Oldest: g.Sent, Error: "no answer in time"})
	if text := groupText(h.snap, g.Key, a); !strings.Contains(text, "; that still waits: it takes nothing since ") || !strings.HasSuffix(text, ": no answer in time") {
		t.Error(text)
	}
}
