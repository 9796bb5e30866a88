package store

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
)

// wound is a clock that a test turns.
type wound struct {
	*opened
	mu   sync.Mutex // guards wall and mono: the writer looks at them when it likes
	wall time.Time
	mono time.Duration
}

func (w *wound) at() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wall
}

func (w *wound) steady() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mono
}

// jump turns the wall clock, pass both.
func (w *wound) jump(d time.Duration) { w.turn(d, 0) }
func (w *wound) pass(d time.Duration) { w.turn(d, d) }

func (w *wound) turn(wall, mono time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall, w.mono = w.wall.Add(wall), w.mono+mono
}

var noon = time.Now().UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour) // of yesterday: samples are kept for two days

func windUp(t *testing.T, dir string, at time.Time) *wound {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 5, spread: 1, age: 10 * time.Minute, grace: 2 * time.Minute}
	w := &wound{wall: at}
	s.clock = clock{wall: w.at, mono: w.steady}
	w.opened = run(t, s, dir, testStep)
	if err := s.Apply(t.Context(), fleet.Tick{}); err != nil { // Run has read the clock
		t.Fatal(err)
	}
	return w
}

// poll lets a minute pass and polls: a gauge, a state and a counter that grows
// by 600 a minute of real time.
func (w *wound) poll(t *testing.T, real int, changes ...fleet.Change) {
	t.Helper()
	w.pass(time.Minute)
	for i := range changes {
		changes[i].At = w.wall
	}
	w.apply(t, payload{
		Changes:  changes,
		Readings: []fleet.Readings{{Target: "s1", At: w.wall, Keys: []fleet.SeriesKey{gauge, health, octets}, Values: []fleet.Num{fleet.Int(int64(real)), fleet.Int(0), fleet.Int(int64(600 * real))}}},
	})
}

func (w *wound) told(t *testing.T) []string {
	t.Helper()
	w.apply(t, payload{}) // an event goes out with the batch after
	events, err := w.Events(t.Context(), "plumb", time.Time{}, time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		if e.Type == "clock" {
			out = append(out, e.Text)
		}
	}
	return out
}

func version(n string) fleet.Change {
	return fleet.Change{Target: "s1", Row: "firmware", Value: []byte(`"` + n + `"`)}
}

func TestClockJumpsBackThreeHours(t *testing.T) {
	dir := t.TempDir()
	w := windUp(t, dir, noon)
	real := 0
	for range 4 * 60 {
		real++
		w.poll(t, real)
	}
	real++
	w.poll(t, real, version("1"))
	real++
	w.poll(t, real, version("2"))
	high := w.wall
	w.jump(-3*time.Hour - 12*time.Minute)
	for range 5 * 60 {
		real++
		var said []fleet.Change
		if real == 4*60+10 {
			said = []fleet.Change{version("3")}
		}
		if real == 4*60+20 {
			said = []fleet.Change{version("4")}
		}
		w.poll(t, real, said...)
	}
	if got := w.told(t); len(got) != 1 || got[0] != "clock jumped back 3h12m0s" {
		t.Errorf("told %q", got)
	}
	// Every version is there, in the order in which they were said.
	h, err := w.History(t.Context(), "s1", fleet.TableFacts, time.Time{})
	if err != nil || len(h) != 4 {
		t.Fatalf("%d versions, %v", len(h), err)
	}
	for i, c := range h {
		if want := string(rune('1' + i)); string(c.Value) != `"`+want+`"` || i > 0 && !c.At.After(h[i-1].At) {
			t.Errorf("version %d is %s at %v", i, c.Value, c.At)
		}
	}
	for at, want := range map[time.Time]string{high.Add(-90 * time.Second): "", high.Add(-30 * time.Second): "1", w.wall: "4"} {
		m, err := w.At(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(m.Latest()) > 0 {
			got = strings.Trim(string(m.Latest()[0].Value), `"`)
		}
		if got != want {
			t.Errorf("at %v the firmware is %q, want %q", at, got, want)
		}
	}
	// The rate is 10 a second wherever there is one.
	for _, p := range w.read(t, octets, noon, noon.Add(12*time.Hour), 0) {
		if p.Mean.String() != "10" && p.Mean.String() != "10.000" {
			t.Fatalf("at %v the rate is %v: the two passes of the clock are mixed", p.At(), p.Mean)
		}
	}
	if n := len(w.read(t, gauge, noon, noon.Add(12*time.Hour), 0)); n < 342 {
		t.Errorf("%d values of the gauge, of which both passes are to stay", n)
	}
	w.stop() // and verifies

	// A restart of a clock that is still behind is a jump too.
	w2 := windUp(t, dir, noon.Add(-time.Hour))
	w2.poll(t, real+1)
	if got := w2.told(t); len(got) != 2 || !strings.HasPrefix(got[0]+got[1], "clock jumped") {
		t.Errorf("after a restart %q", got)
	}
}

func TestClockJumpsAheadThreeYears(t *testing.T) {
	dir := t.TempDir()
	w := windUp(t, dir, noon)
	const years = 3 * 365 * 24 * time.Hour
	real := 0
	for range 5 * 60 {
		real++
		w.poll(t, real, version(time.Duration(real).String()))
	}
	versions := func() int {
		h, err := w.History(t.Context(), "s1", fleet.TableFacts, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return len(h)
	}
	charted := w.read(t, gauge, noon, noon.Add(6*time.Hour), 0)
	w.jump(years)
	for range 30 {
		real++
		w.poll(t, real)
	}
	if again := w.read(t, gauge, noon, noon.Add(6*time.Hour), 0); !slices.Equal(again, charted) {
		t.Errorf("%d points are drawn of what stands, were %d", len(again), len(charted))
	}
	if got := w.told(t); len(got) != 1 || !strings.HasPrefix(got[0], "clock jumped ahead 26280h0m0s; nothing expires") {
		t.Errorf("told %q", got)
	}
	if n := versions(); n != 300 {
		t.Errorf("%d versions of 300 are left half an hour after the jump", n)
	}
	// Nor does anybody who reads believe it, or who brings history along.
	w.apply(t, payload{Changes: []fleet.Change{{Target: "s1", Table: fleet.TableStatus, Row: "state", At: noon, Value: []byte(`{}`)}}})
	if at, err := w.Oldest(t.Context()); err != nil || at.After(w.wall.Add(-years)) {
		t.Errorf("the past begins at %v, %v", at, err)
	}
	if a := w.Answer(t.Context(), fleet.Query{Kind: fleet.QueryEvents, Span: time.Hour}, noon.Add(5*time.Hour)); a.Err != nil || a.Seam {
		t.Errorf("events of %v are said to be gone, %v", noon, a.Err)
	}
	old := reading("before", noon.Add(-20*time.Hour), fleet.Int(1))
	if n, err := w.Backfill(t.Context(), "elsewhere", slices.Values([]fleet.Readings{old})); err != nil || n != 1 {
		t.Errorf("%d of 1 reading of old is taken, %v", n, err)
	}
	// A restart does not make a false clock a true one.
	ahead := w.wall
	w.stop()
	shut, err := Open(t.Context(), testConfig(dir)) // nor one that nobody runs
	if err != nil {
		t.Fatal(err)
	}
	if by := shut.keptBy(); by.After(noon.Add(24*time.Hour)) || by.Before(noon) {
		t.Errorf("it reads by %v", by)
	}
	if err := shut.Close(); err != nil {
		t.Error(err)
	}
	w = windUp(t, dir, ahead)
	for range 20 {
		real++
		w.poll(t, real)
	}
	again := w.read(t, gauge, noon, noon.Add(6*time.Hour), 0)
	if n := versions(); n != 300 || !slices.Equal(again, charted) {
		t.Errorf("%d versions and %d of %d values are left after a restart", n, len(again), len(charted))
	}
	// Back again, everything is there, and the newest readings are the present's.
	w.jump(-years)
	for range 150 {
		real++
		w.poll(t, real)
	}
	if n := versions(); n != 300 {
		t.Errorf("%d versions of 300 are left", n)
	}
	w.stop()
	w = windUp(t, dir, w.wall)
	m, err := w.Memory(t.Context())
	if err != nil || len(m.Readings) != 1 || m.Readings[0].At.After(w.wall) {
		t.Errorf("the newest readings are %+v, %v: of a clock that was ahead", m.Readings, err)
	}
}

// A clock that stays ahead is believed after an hour.
func TestClockThatStaysAheadIsBelieved(t *testing.T) {
	w := windUp(t, t.TempDir(), noon)
	for i := range 10 {
		w.poll(t, i, version(time.Duration(i).String()))
	}
	w.jump(3 * 365 * 24 * time.Hour)
	for i := range 90 {
		w.poll(t, 10+i)
	}
	// What is true now, and what was true at the horizon.
	if h, err := w.History(t.Context(), "s1", fleet.TableFacts, time.Time{}); err != nil || len(h) != 2 {
		t.Errorf("%d versions, %v: eight of ten are of no use three years later", len(h), err)
	}
}

func TestClockThatFluttersIsSaidOnceAMinute(t *testing.T) {
	w := windUp(t, t.TempDir(), noon)
	for i := range 100 {
		w.pass(time.Second)
		w.jump(time.Duration(1-2*(i%2)) * 5 * time.Second)
		w.apply(t, payload{Changes: []fleet.Change{{Target: "s1", Row: "n", At: w.wall, Value: []byte(time.Duration(i).String()[:1])}}})
	}
	got := w.told(t)
	if len(got) < 2 || len(got) > 3 || !strings.Contains(strings.Join(got, "\n"), "times") {
		t.Errorf("100 jumps in 100 s are told as %q", got)
	}
	if h, err := w.History(t.Context(), "s1", fleet.TableFacts, time.Time{}); err != nil || len(h) != 100 {
		t.Errorf("%d versions of 100, %v", len(h), err)
	}
}

// A second of slewing is nothing to speak of.
func TestClockThatIsSlewedIsNotTold(t *testing.T) {
	w := windUp(t, t.TempDir(), noon)
	for i := range 20 {
		w.poll(t, i)
		w.jump(time.Second)
	}
	if got := w.told(t); len(got) != 0 {
		t.Errorf("told %q", got)
	}
}
