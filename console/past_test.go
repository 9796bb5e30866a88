package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views"
)

// archive is a house's memory of the past: a fleet in which one device was
// crit, and how it was asked.
type archive struct {
	mu    sync.Mutex
	asked []time.Time
	most  int // journeys at once
	now   int
	gate  chan struct{} // holds journeys up; nil: none
	err   error
	bad   string // the device that was crit
}

func (a *archive) at(ctx context.Context, t time.Time) (*fleet.Snapshot, error) {
	a.mu.Lock()
	a.asked = append(a.asked, t)
	a.now++
	a.most = max(a.most, a.now)
	gate, err := a.gate, a.err
	a.mu.Unlock()
	defer func() { a.mu.Lock(); a.now--; a.mu.Unlock() }()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	s := testSnapshot(1)
	edit := s.Devices.Edit()
	d := edit.Get(a.bad)
	d.State, d.Reasons = fleet.StateCrit, []string{"PSU 2 failed"}
	s.Devices = edit.Done()
	s.At, s.Live = t, false
	return s, nil
}

func (a *archive) times() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.asked...)
}

func (a *archive) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// remembers wires an archive, and events a quarter of an hour apart.
func remembers(a *archive, since time.Time) func(*ServerConfig, *Deps) {
	a.bad = "ams1-r01-s07"
	return func(_ *ServerConfig, d *Deps) {
		d.At = a.at
		d.Since = func(context.Context) (time.Time, error) { return since, nil }
		d.Answer = func(_ context.Context, q fleet.Query, at time.Time) fleet.Answer {
			if q.Kind != fleet.QueryEvents {
				return fleet.Answer{}
			}
			var out []fleet.Event
			for i := range 8 {
				e := fleet.Event{ID: fmt.Sprint(i), At: since.Add(time.Hour + time.Duration(i)*15*time.Minute), Target: "ams1-r01-s07", Text: fmt.Sprint("fault number ", i), Severity: fleet.SeverityCrit}
				if i%2 == 1 {
					e.Severity, e.Text = fleet.SeverityInfo, "nothing much"
				}
				if (q.Target == "" || q.Target == e.Target) && !e.At.After(at) && (q.Span == 0 || !e.At.Before(at.Add(-q.Span))) {
					out = append([]fleet.Event{e}, out...)
				}
			}
			return fleet.Answer{Events: out}
		}
	}
}

// travels waits until the past is in reach.
func (d *display) travels() {
	d.t.Helper()
	d.sees("LIVE")
	eventually(d.t, 3*time.Second, "the past in reach", func() bool {
		d.press(",")
		return strings.Contains(d.text(), "HIST")
	})
	d.press("0")
	d.sees("LIVE")
}

func hist(at time.Time) string { return "HIST " + at.UTC().Format(dateTime) }

func TestTimeIsTravelledAndLeft(t *testing.T) {
	a := &archive{}
	since := time.Now().Add(-4 * time.Hour).Truncate(time.Minute)
	h := newHouse(t, remembers(a, since))
	d := h.show(h.client("operator"), 160, 40, "")
	d.travels()
	at := time.Now().Add(-2 * time.Hour).Truncate(time.Minute)
	d.press("3@" + at.UTC().Format("15:04") + "\r")
	d.sees(hist(at))
	d.sees("PSU 2 failed")
	d.sees("≠ 1 differ from now")
	d.press(".")
	d.sees(hist(at.Add(time.Minute)))
	d.press(">")
	d.sees(hist(at.Add(11 * time.Minute)))
	d.press("<")
	d.sees(hist(at.Add(time.Minute)))
	d.press(",")
	d.sees(hist(at))
	asked := len(a.times())
	d.press(".,")
	d.sees(hist(at))
	if n := len(a.times()); n != asked {
		t.Errorf("stepping on and back asked %d times more", n-asked)
	}
	d.press("p")
	d.sees("stands still already")
	d.press(":identify\r")
	d.sees("HIST: 0 returns to live")
	d.press(":at -1h\r")
	eventually(t, 3*time.Second, "an hour ago", func() bool {
		return strings.Contains(d.text(), "HIST "+time.Now().Add(-time.Hour).UTC().Format("2006-01-02 15:04"))
	})
	d.press("@soon\r")
	d.sees("not a time: soon")
	d.press("@-9h\r")
	d.sees("nothing is kept from before " + since.UTC().Format(dateTime))
	d.press("@2199-01-01 00:00\r")
	d.sees("lies ahead")
	d.press("0")
	d.sees("LIVE")
	if text := d.text(); strings.Contains(text, "PSU 2 failed") || strings.Contains(text, "≠") {
		t.Errorf("the past stays on a live screen:\n%s", text)
	}
}

func TestEventsAreSteppedThrough(t *testing.T) {
	a := &archive{}
	since := time.Now().Add(-4 * time.Hour).Truncate(time.Minute)
	h := newHouse(t, remembers(a, since))
	d := h.show(h.client("viewer"), 160, 40, "")
	d.travels()
	event := func(i int) time.Time { return since.Add(time.Hour + time.Duration(i)*15*time.Minute) }
	d.press("[")
	d.sees(hist(event(6)))
	d.sees("fault number 6")
	d.press("[")
	d.sees(hist(event(4))) // over what is no fault
	d.press("]")
	d.sees(hist(event(6)))
	d.press("]")
	d.sees(hist(event(7))) // there is nothing else
	d.press("]")
	d.sees("no event after this")
	d.press(":device ams1-r01-s11\r")
	d.sees("ams1-r01-s11")
	d.press("[")
	d.sees("no event of ams1-r01-s11 before this")
	d.press("0]")
	d.sees("nothing lies ahead")
}

// TestHistoryRestoresTheTime: a place is found as it was left, in its time.
func TestHistoryRestoresTheTime(t *testing.T) {
	a := &archive{}
	h := newHouse(t, remembers(a, time.Now().Add(-4*time.Hour)))
	d := h.show(h.client("viewer"), 160, 40, "")
	d.travels()
	at := time.Now().Add(-2 * time.Hour).Truncate(time.Minute)
	d.press("3@" + at.UTC().Format("15:04") + "\r")
	d.sees(hist(at))
	d.press("2") // another view, in the same time
	eventually(t, 3*time.Second, "the racks", func() bool { return h.server.Registry().Who(time.Now())[0].View == "racks" })
	d.sees(hist(at))
	d.press("0")
	d.sees("LIVE")
	d.press("H")
	d.sees(hist(at))
	d.press("L")
	d.sees("LIVE")
	d.press("-")
	d.sees(hist(at))
	d.press("w") // the wall is always live
	eventually(t, 3*time.Second, "the live wall", func() bool {
		return h.server.Registry().Who(time.Now())[0].View == "wall" && strings.Contains(d.text(), "LIVE")
	})
	d.press(",")
	eventually(t, 3*time.Second, "the wall stays", func() bool { return !strings.Contains(d.text(), "HIST 2") })
	d.press("\x1b")
	d.sees(hist(at))
}

// TestAHeldKeyCostsOneJourney: while one is under way, keys move what is
// wanted; no key waits, and the screen stays as it is.
func TestAHeldKeyCostsOneJourney(t *testing.T) {
	a := &archive{}
	h := newHouse(t, remembers(a, time.Now().Add(-40*time.Hour)))
	d := h.show(h.client("viewer"), 160, 40, "")
	d.travels()
	gate := make(chan struct{})
	before := len(a.times())
	a.set(func() { a.gate = gate })
	d.press(strings.Repeat("<", 40) + "3")
	d.sees("ams1-r01-s20") // keys work meanwhile
	d.sees("LIVE")
	close(gate)
	last := time.Now().Add(-400 * time.Minute)
	eventually(t, 3*time.Second, "the last time wanted", func() bool {
		text := d.text()
		return strings.Contains(text, hist(last.Truncate(time.Minute))) || strings.Contains(text, hist(last.Truncate(time.Minute).Add(time.Minute)))
	})
	if n := len(a.times()) - before; n > 3 {
		t.Errorf("%d journeys for a held key", n)
	}
	if a.most != 1 {
		t.Errorf("%d journeys at once", a.most)
	}
}

// TestAFailedJourneyStaysHere: the error is told and nothing else changes; and
// who goes back to live meanwhile is not thrown into the past later.
func TestAFailedJourneyStaysHere(t *testing.T) {
	a := &archive{}
	h := newHouse(t, remembers(a, time.Now().Add(-40*time.Hour)))
	d := h.show(h.client("viewer"), 160, 40, "")
	d.travels()
	a.set(func() { a.err = errors.New("disk \x1b[31mgone") })
	d.press("@-3h\r")
	d.sees("not shown: disk")
	d.sees("LIVE")
	gate := make(chan struct{})
	a.set(func() { a.err, a.gate = nil, gate })
	d.press("@-5h\r")
	eventually(t, 3*time.Second, "under way", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.now == 1 })
	d.press("0")
	eventually(t, 3*time.Second, "given up", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.now == 0 })
	close(gate)
	d.press("3")
	d.sees("ams1-r01-s20")
	if strings.Contains(d.text(), "HIST") {
		t.Errorf("thrown into the past:\n%s", d.text())
	}
}

func TestAnswersDoNotMixTimes(t *testing.T) {
	a := newAnswers(nil, make(chan struct{}, 1))
	now, q := time.Unix(1000, 0), fleet.Query{Target: "x"}
	ask := func(at time.Time, limit int) {
		a.at = at
		for _, due := range a.due([]fleet.Query{q}, 1, now) {
			a.put(answerMsg{query: due, version: 1, answer: fleet.Answer{Events: make([]fleet.Event, limit)}}, now)
		}
	}
	then := time.Unix(500, 0)
	ask(time.Time{}, 1)
	ask(then, 2)
	ask(then.Add(time.Second), 3)
	for at, want := range map[time.Time]int{{}: 1, then: 2, then.Add(time.Second): 3} {
		a.at = at
		if got, ok := a.Get(q); !ok || len(got.Events) != want {
			t.Errorf("as of %v: %d events", at, len(got.Events))
		}
	}
	a.at = then
	if n := len(a.due([]fleet.Query{q}, 99, now.Add(time.Minute))); n != 0 {
		t.Error("the past was asked again because the present moved on")
	}
	if a.at = then.Add(2 * time.Second); len(a.due([]fleet.Query{q}, 1, now)) != 1 {
		t.Error("another time was not asked for")
	}
}

func TestPastsAreFewAndForgotten(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	made := 0
	p := newPasts(Deps{Now: func() time.Time { return now }, At: func(_ context.Context, t time.Time) (*fleet.Snapshot, error) {
		made++
		return &fleet.Snapshot{At: t}, nil
	}})
	for range 2 {
		for i := range maxPasts {
			if s, err := p.fetch(t.Context(), now.Add(-time.Duration(i+1)*time.Minute)); err != nil || !s.At.Equal(now.Add(-time.Duration(i+1)*time.Minute)) {
				t.Fatal(s, err)
			}
		}
	}
	if made != maxPasts {
		t.Errorf("made %d snapshots for %d times", made, maxPasts)
	}
	for i := range 50 {
		if _, err := p.fetch(t.Context(), now.Add(-time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.kept) != maxPasts {
		t.Errorf("%d kept", len(p.kept))
	}
	if _, ok := p.get(now); ok {
		t.Error("what may still be on its way was kept")
	}
	now = now.Add(keepPast)
	if p.expire(); len(p.kept) != 0 {
		t.Errorf("%d kept after their time", len(p.kept))
	}
	p.places <- struct{}{}
	p.places <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.fetch(ctx, now.Add(-time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("with all places taken: %v", err)
	}
}

// TestNothingIsWrittenFromThePast: a question that was open is not answered
// from the past, and is again from the present.
func TestNothingIsWrittenFromThePast(t *testing.T) {
	a := &archive{}
	wire := remembers(a, time.Now().Add(-4*time.Hour))
	asked := make(chan views.Execute, 4)
	h := newHouse(t, func(c *ServerConfig, d *Deps) {
		wire(c, d)
		d.Execute = func(_ context.Context, _ Caller, e views.Execute) (fleet.Job, error) {
			asked <- e
			return fleet.Job{ID: "j1"}, nil
		}
	})
	d := h.show(h.client("operator"), 160, 40, "")
	d.travels()
	d.press("3")
	d.sees("ams1-r01-s20")
	d.press("a")
	d.sees("identify")
	d.press("i")
	eventually(t, 3*time.Second, "the question", func() bool { return h.server.Registry().Who(time.Now())[0].View == "confirm" })
	d.press("which one is it\r")
	d.sees("which one is it")
	d.press("<")
	d.sees("HIST 2")
	d.press("\r")
	d.sees("refused: HIST: 0 returns to live")
	if len(asked) > 0 {
		t.Fatal("asked from the past")
	}
	d.press("0")
	d.sees("LIVE")
	d.press("\r")
	select {
	case <-asked:
	case <-time.After(3 * time.Second):
		t.Errorf("not asked from the present:\n%s", d.text())
	}
}
