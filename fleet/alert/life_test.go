package alert

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// TestLife tells the lives that SEMANTICS 2 describes. A letter is a look, ten
// seconds apart: b bad, g good, ? unknown, h good and not recovered, . only time.
func TestLife(t *testing.T) {
	const step = 10 * time.Second
	plain := limits{attempts: 1, recover: 1}
	soft := limits{attempts: 3, recover: 1, retry: time.Second}
	for _, c := range []struct {
		name  string
		l     limits
		looks string
		want  string // after each look: - pending p firing f resolved r; stale in capitals
	}{
		{"at once", plain, "bbg", "ffr"},
		{"soft recovery is silent", soft, "bbgbbb", "pp-ppf"},
		{"for", limits{attempts: 1, recover: 1, wait: 25 * time.Second}, "bbbbg", "pppfr"},
		{"for elapses between looks", limits{attempts: 1, recover: 1, wait: 25 * time.Second}, "b...", "pppf"},
		{"for begins anew", limits{attempts: 1, recover: 1, wait: 25 * time.Second}, "bbgbbbb", "pprpppf"},
		{"kept", limits{attempts: 1, recover: 1, keep: 25 * time.Second}, "bg..g", "ffffr"},
		{"kept and back", limits{attempts: 1, recover: 1, keep: 25 * time.Second}, "bggbgg", "ffffff"},
		{"recovery takes looks", limits{attempts: 1, recover: 3}, "bggbggg", "ffffffr"},
		{"hysteresis", plain, "bhhg", "fffr"},
		{"no data resolves nothing", plain, "b???g", "fFFFr"},
		{"no data raises nothing", limits{attempts: 1, recover: 1, wait: 15 * time.Second}, "b??b", "pPPf"},
		{"no data is no soft look", soft, "b?bb", "pPpf"},
		{"unknown from the start", plain, "???", "---"},
		{"kept while nobody sees", limits{attempts: 1, recover: 1, keep: 15 * time.Second}, "bg??.g", "ffFFFr"},
		{"again", plain, "bgb", "frf"},
		{"kept, and softly back", limits{attempts: 3, recover: 1, keep: time.Hour, retry: time.Second}, "bbbgbbbg", "ppffffff"},
	} {
		var a *fleet.Alert
		now, got := t0, ""
		for _, x := range c.looks {
			switch x {
			case 'b':
				a = c.l.look(a, True, True, now)
			case 'g':
				a = c.l.look(a, False, True, now)
			case 'h':
				a = c.l.look(a, False, False, now)
			case '?':
				a = c.l.look(a, Unknown, Unknown, now)
			}
			a = c.l.tick(a, now)
			got += letter(a)
			now = now.Add(step)
		}
		if got != c.want {
			t.Errorf("%s: %s became %s, want %s", c.name, c.looks, got, c.want)
		}
	}
}

func letter(a *fleet.Alert) string {
	if a == nil {
		return "-"
	}
	s := map[fleet.AlertState]string{fleet.AlertPending: "p", fleet.AlertFiring: "f", fleet.AlertResolved: "r"}[a.State]
	if !a.Stale.IsZero() {
		return string(s[0] - 'a' + 'A')
	}
	return s
}

// seen is one look of a made-up history.
type seen struct {
	at                time.Time
	problem, recovery Truth
	severity          fleet.Severity // of what was seen, where it is a problem
}

// slow is an alert by definition.
type slow struct {
	state    string // - p f r
	flapping bool
	severity fleet.Severity
	fired    time.Time
	turns    time.Time // when time alone moves it on; zero: never
}

// slowState says by definition what an alert is after a history, at a time: it
// reads the whole history anew and knows no shortcut.
func slowState(l *limits, history []seen, now time.Time) (out slow) {
	state, flapping := "-", false
	ring := make([]int, ringBits) // oldest first
	push := func(bit int) {
		ring = append(ring[1:], bit)
		sum := 0.0
		for x := 1; x < ringBits; x++ {
			if ring[x] != ring[x-1] {
				sum += 0.75 + float64(x-1)*0.5/19
			}
		}
		switch p := 100 * sum / 20; {
		case p >= 19.999999:
			flapping = true
		case p < 5.000001:
			flapping = false
		}
	}
	var since, quiet, fired, newest time.Time
	var severity fleet.Severity
	bad, good, hard, blind := 0, 0, false, false
	flow := func(to time.Time) {
		switch {
		case state == "p" && hard && good == 0 && !blind && !to.Before(since.Add(l.wait)):
			if state, fired = "f", since.Add(l.wait); fired.Before(newest) {
				fired = newest
			}
		case state == "f" && !quiet.IsZero() && good >= l.recover && !blind && !to.Before(quiet.Add(l.keep)):
			state, hard = "r", false
		}
	}
	for _, x := range history {
		flow(x.at)
		newest = x.at
		switch {
		case x.problem == True:
			if state == "-" || state == "r" {
				state, since, bad, hard = "p", x.at, 0, false
			}
			bad, good, quiet, blind, severity = bad+1, 0, time.Time{}, false, x.severity
			if bad >= l.attempts {
				hard = true
			}
			if hard {
				push(1)
			}
		case state == "-":
		case x.problem == Unknown || state == "f" && x.recovery == Unknown:
			blind = state != "r"
		case state == "f" && x.recovery == False:
			good, quiet, blind = 0, time.Time{}, false
			push(1)
		case state == "r":
			blind = false
			push(0)
		default:
			blind = false
			if good++; good >= l.recover {
				push(0)
				bad, hard = 0, false
				if state == "p" {
					state = "r"
				}
			}
			if quiet.IsZero() {
				quiet = x.at
			}
		}
		flow(x.at)
	}
	flow(now)
	out = slow{state: state, flapping: flapping, severity: severity, fired: fired}
	switch {
	case blind:
	case state == "p" && hard && good == 0:
		out.turns = since.Add(l.wait)
	case state == "f" && !quiet.IsZero() && good >= l.recover:
		out.turns = quiet.Add(l.keep)
	}
	return out
}

// TestLifeAgainstReference plays random days: the machine, which keeps a few
// numbers, says what the definition says, which reads everything.
func TestLifeAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := limits{
			attempts: rapid.IntRange(1, 4).Draw(t, "attempts"), recover: rapid.IntRange(1, 3).Draw(t, "recover"),
			wait: time.Duration(rapid.IntRange(0, 120).Draw(t, "for")) * time.Second, keep: time.Duration(rapid.IntRange(0, 120).Draw(t, "keep")) * time.Second,
		}
		var a *fleet.Alert
		var history []seen
		now := t0
		for range rapid.IntRange(1, 120).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "gap")) * time.Second)
			x := seen{at: now, problem: Truth(rapid.IntRange(-1, 1).Draw(t, "problem")), recovery: Truth(rapid.IntRange(-1, 1).Draw(t, "recovery"))}
			a = l.tick(a, now) // time passes first, as it does in a step that comes late
			history = append(history, x)
			a = l.look(a, x.problem, x.recovery, now)
			is := slowState(&l, history, now)
			want, flapping := is.state, is.flapping
			got := "-"
			if a != nil {
				got = letter(&fleet.Alert{State: a.State})
			}
			// One that was never hard, and one that is over for long, are not kept.
			if got == "-" && want == "r" {
				want = "-"
				flapping = false
			}
			if got != want || a != nil && a.Flapping != flapping {
				t.Fatalf("after %d looks: %s flapping %v, want %s %v\n%+v", len(history), got, a != nil && a.Flapping, want, flapping, a)
			}
		}
	})
}

// TestWhatWaitsForALookWakesNobody: time alone moves it nowhere, so nobody is
// woken for it, and nobody who is due later waits behind it.
func TestWhatWaitsForALookWakesNobody(t *testing.T) {
	l := limits{attempts: 1, recover: 2, wait: time.Minute, keep: time.Minute}
	pending := l.look(nil, True, True, t0)
	if at := l.due(pending); !at.Equal(t0.Add(time.Minute)) {
		t.Errorf("one that waits is due at %s", at)
	}
	if at := l.due(l.look(pending, False, True, t0.Add(time.Second))); !at.IsZero() {
		t.Errorf("one that waits and was well once is due at %s", at)
	}
	firing := l.tick(pending, t0.Add(time.Minute))
	once := l.look(firing, False, True, t0.Add(2*time.Minute))
	if at := l.due(once); !at.IsZero() {
		t.Errorf("one that fires and was well once is due at %s", at)
	}
	if at := l.due(l.look(once, False, True, t0.Add(150*time.Second))); !at.Equal(t0.Add(3 * time.Minute)) {
		t.Errorf("one that fires and was well twice is due at %s", at)
	}
}
