package console

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views"
)

func TestHistoryPaletteFilterAndHelp(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	d.press("3") // devices
	d.sees("ams1-r01-s20")
	d.press("/s07")
	eventually(t, 3*time.Second, "only what the filter lets through", func() bool {
		return strings.Contains(d.text(), "ams1-r01-s07") && !strings.Contains(d.text(), "ams1-r01-s20")
	})
	d.press("\r")
	d.press("2") // racks
	d.sees("r01")
	d.press("H") // back: the filter is as it was left
	eventually(t, 3*time.Second, "the filtered devices again", func() bool {
		return strings.Contains(d.text(), "ams1-r01-s07") && !strings.Contains(d.text(), "ams1-r01-s20")
	})
	d.press(":device s11")
	d.sees("device ams1-r01-s11")
	d.press("\r")
	eventually(t, 3*time.Second, "the device's page", func() bool { return h.server.Registry().Who(time.Now())[0].View == "device" })
	d.press("-")
	eventually(t, 3*time.Second, "the view before", func() bool { return h.server.Registry().Who(time.Now())[0].View == "devices" })
	d.press(":report\r") // its argument may be left out
	eventually(t, 3*time.Second, "the report", func() bool { return h.server.Registry().Who(time.Now())[0].View == "report" })
	d.press("-")
	eventually(t, 3*time.Second, "the devices again", func() bool { return h.server.Registry().Who(time.Now())[0].View == "devices" })
	d.press("?")
	d.sees("help")
	d.press("\x1b")
	eventually(t, 3*time.Second, "out of the help", func() bool { return h.server.Registry().Who(time.Now())[0].View == "devices" })
}

// TestCapacityIsDerivedOnceForAll: what a view names comes to the screen, and a
// second person is shown what was made for the first.
func TestCapacityIsDerivedOnceForAll(t *testing.T) {
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Derived = NewDerived(func(context.Context, fleet.Query, time.Time) fleet.Answer {
			return fleet.Answer{}
		}, time.Now)
	})
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	d.press("6")
	d.sees("ams1/r01")
	d.press("\r")
	d.sees("rack ams1/r01")
	other := h.show(h.client("operator"), 120, 40, "")
	other.sees("LIVE")
	other.press("6")
	other.sees("ams1/r01")
	h.server.deps.Derived.mu.Lock()
	kept := len(h.server.deps.Derived.by)
	h.server.deps.Derived.mu.Unlock()
	if kept != 3 { // the survey, the forecast and the causes on the first screen
		t.Errorf("%d judgements are kept", kept)
	}
	d.press(":place 3 --watts 300\r")
	d.sees("place 3 of 1U 300W")
	d.press(":whatif add 3\r")
	d.sees("--watts of one server is needed")
}

func TestDisabledCommandSaysWhy(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	d.press("@")
	d.sees("nothing of the past is kept yet")
}

func TestCopyGoesToTheClipboard(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	d.press("3")
	d.sees("ams1-r01-s20")
	d.press("y")
	d.sees("copied ams1-r01-s")
	d.mu.Lock()
	_, rest, ok := strings.Cut(d.raw.String(), clipboardBegin)
	d.mu.Unlock()
	text, _, _ := strings.Cut(rest, clipboardEnd)
	got, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || !strings.HasPrefix(string(got), "ams1-r01-s") {
		t.Errorf("%q %v", got, err)
	}
}

func TestThemeIsRemembered(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("viewer")
	d := h.show(c, 120, 40, "")
	d.sees("LIVE")
	d.press(":theme ascii\r")
	d.sees("theme ascii")
	again := h.show(c, 120, 40, "")
	again.sees("LIVE")
	if !strings.Contains(again.text(), "o20") && !strings.ContainsAny(again.text(), "+|") || strings.ContainsAny(again.text(), "│●╭") {
		t.Errorf("not in ASCII:\n%s", again.text())
	}
	plain := h.show(h.client("admin"), 120, 40, "", "LC_ALL", "C")
	plain.sees("LIVE")
	if strings.ContainsAny(plain.text(), "│●╭") {
		t.Errorf("a terminal in the C locale got\n%s", plain.text())
	}
}

func TestMarkRange(t *testing.T) {
	var asked views.Execute
	done := make(chan struct{})
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Execute = func(_ context.Context, _ Caller, e views.Execute) (fleet.Job, error) {
			asked = e
			close(done)
			return fleet.Job{ID: "j1"}, nil
		}
	})
	d := h.show(h.client("operator"), 120, 40, "")
	d.sees("LIVE")
	d.press("3")
	d.sees("ams1-r01-s20")
	d.press("gj jjj\x00")
	d.sees("5 marked")
	d.press(":identify\r")
	eventually(t, 3*time.Second, "the question", func() bool { return h.server.Registry().Who(time.Now())[0].View == "confirm" })
	d.press("all five\r")
	d.sees("all five")
	d.press("\r")
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Fatalf("not asked:\n%s", d.text())
	}
	if len(asked.Targets) != 5 {
		t.Errorf("%v", asked.Targets)
	}
}

func TestPauseHoldsTheScreen(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	d.press("p")
	d.sees("PAUSED")
	s := testSnapshot(7)
	s.Counts.By[fleet.KindOfDevice][fleet.StateCrit] = 17
	h.bell.ring(s)
	d.press("3")
	d.sees("ams1-r01-s20")
	if strings.Contains(d.text(), "✖17") {
		t.Error("a paused screen moved on")
	}
	d.press("0")
	d.sees("✖17")
}

// TestActionGoesOutOnlyWhenConfirmed walks the key's straight path.
func TestActionGoesOutOnlyWhenConfirmed(t *testing.T) {
	var mu sync.Mutex
	var asked []views.Execute
	var by []Caller
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Execute = func(_ context.Context, c Caller, e views.Execute) (fleet.Job, error) {
			mu.Lock()
			defer mu.Unlock()
			asked, by = append(asked, e), append(by, c)
			if len(asked) > 1 {
				return fleet.Job{}, errors.New("lease: \x1b[31mheld by someone")
			}
			return fleet.Job{ID: "j1", Action: e.Action, Targets: e.Targets, State: fleet.JobAccepted}, nil
		}
	})
	d := h.show(h.client("operator"), 120, 40, "")
	d.sees("LIVE")
	for i, sees := range []string{"job j1 accepted", "identify not done: lease"} {
		d.press("3")
		d.sees("ams1-r01-s20")
		d.press("a")
		d.sees("identify")
		d.press("i")
		eventually(t, 3*time.Second, "the question", func() bool { return h.server.Registry().Who(time.Now())[0].View == "confirm" })
		mu.Lock()
		if len(asked) != i {
			t.Fatal("asked before it was confirmed")
		}
		mu.Unlock()
		d.press("which one is it")
		d.sees("which one is it")
		d.press("\r")
		d.press("\r")
		d.sees(sees)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 2 || asked[0].Action != fleet.ActIdentify || asked[0].Reason != "which one is it" || by[0].User != "operator" || by[0].Role != fleet.RoleOperator {
		t.Errorf("%+v %+v", asked, by)
	}
}

func TestWallObeysNoKeyButQ(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("wall"), 160, 50, "")
	eventually(t, 3*time.Second, "the wall", func() bool {
		return len(h.server.Registry().Who(time.Now())) == 1 && len(strings.TrimSpace(d.text())) > 100
	})
	d.press("3:theme ascii\r?\x03\x03")
	d.press("\x1b[200~q\x1b[201~")
	named := h.show(h.client("viewer"), 100, 30, "wall events --page 20s")
	eventually(t, 3*time.Second, "two walls", func() bool {
		who := h.server.Registry().Who(time.Now())
		return len(who) == 2 && who[0].Kind == kindWall && who[1].Kind == kindWall && who[0].View == "wall"
	})
	d.press("q")
	d.gone()
	named.press("q")
	named.gone()
	for _, bad := range []string{"wall nonsense", "wall --page 0s", "wall --loud"} {
		x := h.show(h.client("viewer"), 100, 30, bad)
		x.gone()
		if exitCode(x.err) != exitUsage || !x.sent("hint: ssh -t HOST wall") || x.alt() {
			t.Errorf("%s: %v %q", bad, x.err, x.raw.String())
		}
	}
}

// TestCrowdOfSnapshotsIsDrawnAtItsPace: a hub that calls into sessions stands
// still with the slowest; here nothing is sent, and a flood is a few frames.
func TestCrowdOfSnapshotsIsDrawnAtItsPace(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.Redraws = 4 })
	d := h.show(h.client("viewer"), 120, 40, "")
	d.sees("LIVE")
	before, _ := h.server.Registry().Frames()
	began := time.Now()
	var v uint64 = 2
	eventually(t, 5*time.Second, "1000 snapshots", func() bool {
		for range 20 {
			h.bell.ring(testSnapshot(v))
			v++
		}
		return v > 1000 && time.Since(began) > time.Second
	})
	after, _ := h.server.Registry().Frames()
	if limit := uint64(6*time.Since(began).Seconds()) + 3; after-before > limit {
		t.Errorf("%d frames for 1000 snapshots in %s, want at most %d", after-before, time.Since(began), limit)
	}
	if n := goroutines("tea.(*Program).Send"); n > 2 {
		t.Errorf("%d goroutines wait to send", n)
	}
}

func TestWhoIsHere(t *testing.T) {
	h := newHouse(t, nil)
	a := h.show(h.client("viewer"), 200, 50, "")
	b := h.show(h.client("operator"), 200, 50, "")
	b.sees("LIVE")
	a.sees("here: operator")
	b.sees("here: viewer")
	who := h.server.Registry().Who(time.Now())
	if len(who) != 2 || who[0].User != "viewer" || who[1].Role != fleet.RoleOperator || !strings.HasPrefix(who[0].From, "127.0.0.1:") {
		t.Errorf("%+v", who)
	}
	if n := h.server.Registry().ByRole(); n[fleet.RoleViewer] != 1 || n[fleet.RoleOperator] != 1 {
		t.Errorf("%v", n)
	}
}

func TestAnswersAreFetchedOnceAndInBounds(t *testing.T) {
	a := newAnswers(nil, make(chan struct{}, 1))
	now := time.Unix(1000, 0)
	var needs []fleet.Query
	for i := range 10 {
		needs = append(needs, fleet.Query{Kind: fleet.QuerySeries, Target: fmt.Sprint(i), Span: time.Hour, Step: 20 * time.Second})
	}
	due := a.due(needs, 1, now)
	asked := needs[:maxInFlight]
	if len(due) != maxInFlight || len(a.due(needs, 1, now)) != 0 {
		t.Fatalf("%d queries at once", len(due))
	}
	for _, q := range due {
		a.put(answerMsg{query: q, version: 1}, now)
	}
	if _, ok := a.Get(due[0].Query); !ok {
		t.Error("an answer that came is not there")
	}
	if n := len(a.due(asked, 2, now.Add(3*time.Second))); n != 0 {
		t.Errorf("%d asked again before their period", n)
	}
	if n := len(a.due(asked, 2, now.Add(11*time.Second))); n != len(due) {
		t.Errorf("%d of %d asked again after it", n, len(due))
	}
	for i := range 3 * maxAnswers {
		a.due([]fleet.Query{{Target: fmt.Sprint("x", i)}}, 1, now.Add(time.Hour))
	}
	if len(a.by) > maxAnswers+1 {
		t.Errorf("%d answers kept", len(a.by))
	}
}

func TestTrail(t *testing.T) {
	var tr trail
	at := func(want string) {
		t.Helper()
		if got := tr.here().view.ID(); got != want {
			t.Errorf("at %s, want %s", got, want)
		}
	}
	tr.open(place{view: views.NewFleet()})
	if tr.step(-1) || tr.swap() {
		t.Error("went back from the beginning")
	}
	tr.open(place{view: views.NewRacks("", "")})
	tr.open(place{view: views.NewDevices("")})
	tr.step(-1)
	at("racks")
	tr.swap()
	at("devices")
	tr.swap()
	at("racks")
	tr.open(place{view: views.NewJobs()})
	if tr.step(+1) {
		t.Error("what lay ahead is still there")
	}
	tr.drop()
	at("racks")
	for range 3 * maxTrail {
		tr.open(place{view: views.NewJobs()})
	}
	if len(tr.places) > maxTrail || tr.pos != len(tr.places)-1 {
		t.Errorf("%d places, at %d", len(tr.places), tr.pos)
	}
}

func TestPromptEdits(t *testing.T) {
	p := &prompt{}
	p.insert("rack r01\x1b[31m\n\u202e dev\u00e4")
	if got := string(p.text); got != "rack r01[31m  devä" {
		t.Errorf("%q", got)
	}
	for _, k := range []string{"ctrl+w", "ctrl+a", "delete", "right", "backspace", "ctrl+k", "left", "left", "delete"} {
		p.edit(k)
	}
	if len(p.text) != 0 || p.at != 0 {
		t.Errorf("%q at %d", string(p.text), p.at)
	}
	p.insert(strings.Repeat("x", 3*maxPrompt))
	if len(p.text) != maxPrompt {
		t.Errorf("%d runes", len(p.text))
	}
}

func TestTerminals(t *testing.T) {
	for _, c := range []struct {
		term string
		env  []string
		want string
	}{
		{"xterm-256color", nil, "2 false true"},
		{"xterm-256color", []string{"COLORTERM=truecolor"}, "3 false false"},
		{"xterm-kitty", nil, "3 false false"},
		{"xterm", nil, "1 false true"},
		{"dumb", nil, "0 true false"},
		{"vt220", nil, "0 true false"},
		{"linux", nil, "1 true false"},
		{"tmux-256color", []string{"LANG=de_DE.UTF-8"}, "2 false true"},
		{"tmux-256color", []string{"LANG=C", "LC_ALL=C.utf8"}, "2 false true"},
		{"xterm-256color", []string{"LANG=C"}, "2 true true"},
		{"xterm-256color", []string{"LC_CTYPE=de_DE.ISO-8859-1"}, "2 true true"},
		{"xterm-256color", []string{"NO_COLOR=0", "COLORTERM=truecolor"}, "0 false false"},
		{"xterm-256color", []string{"NO_COLOR="}, "2 false true"},
	} {
		got := describe(c.term, environ(c.env))
		if s := fmt.Sprint(got.depth, " ", got.ascii, " ", got.ask); s != c.want {
			t.Errorf("%s %v: %s, want %s", c.term, c.env, s, c.want)
		}
	}
}

func TestColoursAreAskedForAndNotWaitedFor(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 100, 30, "")
	d.sees("LIVE")
	if !d.sent(askRGB) || d.sent("38;2;") {
		t.Error("not asked, or 24-bit colour without an answer")
	}
	d.press("\x1bP1+r524742=38\x1b\\")
	eventually(t, 3*time.Second, "24-bit colour after the answer", func() bool { return d.sent("38;2;") })
}

// TestMemoryIsGivenBackAfterACrowd watches the registry decide it.
func TestMemoryIsGivenBackAfterACrowd(t *testing.T) {
	r, now := NewRegistry(), time.Now()
	var all []*guest
	for range 2 * crowd {
		g, _ := r.enter(Who{Since: now}, places{}, func(string) {})
		all = append(all, g)
	}
	for i, g := range all {
		g.leave(now)
		if freed := !r.freed.IsZero(); freed != (2*crowd-i-1 <= 2*crowd/4) {
			t.Fatalf("after %d of %d left: freed %v", i+1, len(all), freed)
		}
	}
}

func TestRemappedKeys(t *testing.T) {
	m, err := keys.New(map[string][]string{"open.devices": {"F"}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(_ *ServerConfig, d *Deps) { d.Keys = m })
	d := h.show(h.client("viewer"), 100, 30, "")
	d.sees("LIVE")
	d.press("F")
	d.sees("ams1-r01-s20")
}

func TestTroubleStandsOnEveryScreen(t *testing.T) {
	var trouble atomic.Pointer[string]
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Notice = func() string { return "filling in history 40%" }
		d.Trouble = func() string {
			if p := trouble.Load(); p != nil {
				return *p
			}
			return ""
		}
	})
	d, wall := h.show(h.client("viewer"), 120, 40, ""), h.show(h.client("wall"), 120, 40, "wall")
	d.sees("filling in history")
	text := "nothing new is kept or shown since 14:00:00Z: no space left on device"
	trouble.Store(&text)
	d.sees("plumb: nothing new is kept")
	wall.sees("no space left on device")
	trouble.Store(nil)
	d.sees("filling in history")
}
