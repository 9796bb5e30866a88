package views

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

func TestEverySizeIsDrawnInItsOwnCells(t *testing.T) {
	base := frame(80, 24)
	for _, s := range everyScreen() {
		t.Run(s.name, func(t *testing.T) {
			v := s.view(t, base)
			b := widget.NewBuffer(1, 1)
			for w := 20; w <= 300; w += 28 {
				for h := 6; h <= 80; h += 12 {
					f := base
					f.Width, f.Height = w, h
					b.Resize(w, h)
					Compose(f, v, Chrome{}, b.Canvas())
					checkWidths(t, b.Plain(), w, h)
				}
			}
		})
	}
}

func TestEmptyLoadingAndFailingFramesAreSaidPlainly(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Frame)
		want   map[string]string // by screen: words that must stand on it
	}{
		{"loading", func(f *Frame) { f.Answers = viewstest.Answers{None: true} }, map[string]string{"device": "loading", "port": "loading", "events": "loading", "jobs": "loading", "capacity": "loading", "room-feed": "loading", "security": "loading", "placement": "loading"}},
		{"no answers at all", func(f *Frame) { f.Answers = nil }, map[string]string{"device": "loading", "events": "loading", "capacity": "loading"}},
		{"failing", func(f *Frame) { f.Answers = viewstest.Answers{Err: errors.New("disk on fire")} }, map[string]string{"device": "disk on fire", "port": "disk on fire", "jobs": "disk on fire", "events": "disk on fire", "capacity": "disk on fire", "room-feed": "disk on fire", "security": "disk on fire", "placement": "disk on fire", "whatif-add": "disk on fire"}},
		{"an empty fleet", func(f *Frame) {
			f.Snap = &fleet.Snapshot{Version: 1, At: f.At, Live: true, Topology: &fleet.Topology{}}
		},
			map[string]string{"fleet": "no regions", "racks": "no racks", "devices": "no device is known", "network": "no switch is known", "services": "no service is known", "instances": "no instance is known", "device": "not in the inventory"}},
		{"the zero snapshot", func(f *Frame) { f.Snap = &fleet.Snapshot{} }, map[string]string{"fleet": "no regions", "racks": "no racks"}},
	} {
		for _, s := range everyScreen() {
			f := frame(160, 50)
			v := s.view(t, f)
			tc.change(&f)
			text := compose(t, f, v, Chrome{})
			if want := tc.want[s.name]; !strings.Contains(text, want) {
				t.Errorf("%s, %s: no %q in\n%s", tc.name, s.name, want, text)
			}
			// A key on such a frame must not panic either.
			for _, id := range []string{"move.down", "enter", "sort", "act", "copy", "events", "pane.next", "back"} {
				c, _ := f.Keys.Get(id)
				Dispatch(f, v, c)
			}
		}
	}
}

func TestTheScreenNeverPretendsToBeLive(t *testing.T) {
	f := frame(80, 24)
	for _, tc := range []struct {
		name, want string
		change     func(*Frame, *Chrome)
	}{
		{"live", "LIVE 14:02:31Z", func(*Frame, *Chrome) {}},
		{"history", "HIST 2026-11-22", func(f *Frame, _ *Chrome) { f.Live = false }},
		{"paused", "PAUSED", func(_ *Frame, c *Chrome) { c.Paused = true }},
		{"stale", "STALE 42s", func(f *Frame, _ *Chrome) { f.At = f.Snap.At.Add(42 * time.Second) }},
		{"starting", "STARTING", func(f *Frame, _ *Chrome) { s := *f.Snap; s.Version = 0; f.Snap = &s }},
	} {
		g, ch := f, Chrome{}
		tc.change(&g, &ch)
		if text := compose(t, g, NewFleet(), ch); !strings.Contains(text, tc.want) {
			t.Errorf("%s: no %q in %q", tc.name, tc.want, text[:120])
		}
	}
	g := frame(160, 50)
	g.At = g.Snap.At.Add(time.Minute)
	if text := compose(t, g, NewWall(), Chrome{}); !strings.Contains(text, "NO NEWS: the last snapshot is 1m old") {
		t.Error("the wall hides that it has no news")
	}
}

func TestPromptToastPaletteAndCursor(t *testing.T) {
	f := frame(80, 24)
	b := widget.NewBuffer(80, 24)
	cur := Compose(f, NewFleet(), Chrome{Prompt: &Prompt{Label: ":", Text: "device fra1-r01-s01", Cursor: -1}, Palette: f.Keys.Palette("device fra1-r01-s01", Scene(f, NewFleet()))}, b.Canvas())
	rows := strings.Split(b.Plain(), "\n")
	if !cur.Show || cur.Y != 22 || cur.X != 21 || !strings.HasPrefix(rows[22], " :device fra1") {
		t.Errorf("cursor %+v on %q", cur, rows[22])
	}
	if !strings.Contains(b.Plain(), "device fra1-r01-s01") {
		t.Errorf("the palette does not offer devices:\n%s", b.Plain())
	}
	if text := compose(t, f, NewFleet(), Chrome{Toast: "copied"}); !strings.Contains(text, " copied") {
		t.Error("no toast")
	}
	long := Chrome{Prompt: &Prompt{Label: "/", Text: strings.Repeat("x", 200) + "END", Cursor: -1}}
	if text := compose(t, f, NewDevices(""), long); !strings.Contains(text, "END") {
		t.Error("a long prompt does not show its end")
	}
}

// Every id that a caret can stand on opens its own screen.
func TestEverythingShownCanBeFollowed(t *testing.T) {
	f := frame(160, 50)
	for _, s := range everyScreen() {
		v := s.view(t, f)
		for range 6 {
			kind, id := v.Selected(f)
			switch kind {
			case "", "command", "person":
			default:
				if to, ok := Follow(f, kind, id); !ok || len(to.Crumbs(f)) == 0 {
					if kind != KindEvent || id != "" {
						t.Errorf("%s: %s %q leads nowhere", s.name, kind, id)
					}
				}
			}
			v = press(t, f, v, "pane.next")
			if v.ID() != s.view(t, f).ID() {
				break
			}
			c, _ := f.Keys.Get("move.down")
			v, _ = Dispatch(f, v, c)
		}
	}
}

func TestFromAnInstanceDownToItsHost(t *testing.T) {
	f := frame(120, 40)
	v := press(t, f, NewServices(), "enter")
	if v.ID() != "service" {
		t.Fatalf("enter on a service opens %s", v.ID())
	}
	v = press(t, f, v, "filter.set host:fra1-r03-s04", "enter")
	if v.ID() != "instance" {
		t.Fatalf("enter on a replica opens %s", v.ID())
	}
	v = press(t, f, v, "move.down", "move.down", "move.down", "enter")
	if v.ID() != "device" || !slices.Contains(v.Crumbs(f), "U6 fra1-r03-s04") {
		t.Fatalf("the host is %v", v.Crumbs(f))
	}
	v = press(t, f, v, "pane.next", "enter")
	if v.ID() != "device" || !strings.Contains(v.Crumbs(f)[len(v.Crumbs(f))-1], "fra1-r03-pa") {
		t.Fatalf("its first cord leads to %v", v.Crumbs(f))
	}
}

func TestTheCaretStaysOnItsRowWhenTheFleetChanges(t *testing.T) {
	f := frame(120, 40)
	v := press(t, f, NewDevices(""), "move.down", "move.down", "move.down")
	_, before := v.Selected(f)
	next := *f.Snap
	next.Version++
	e := next.Devices.Edit()
	for _, id := range []string{"ams1-r01-s01", "ams1-r01-s02", "iad1-r07-s17"} { // these jump to the top
		e.Get(id).State = fleet.StateCrit
	}
	next.Devices = e.Done()
	f.Snap = &next
	if _, after := v.Selected(f); after != before {
		t.Errorf("the caret moved from %s to %s by itself", before, after)
	}
	// Gone altogether: it stays where it was on the screen.
	l := list{id: "b", at: 1}
	if got := l.selected(rows{2, func(i int) string { return []string{"a", "c"}[i] }}); got != "c" {
		t.Errorf("after its row went the caret is on %q", got)
	}
}

func TestFilters(t *testing.T) {
	f := frame(120, 40)
	for _, tc := range []struct {
		text string
		want int
	}{
		{"", 518}, {"fra1-r03", 22}, {"FRA1-R03 !sw", 20}, {"kind:pdu", 46}, {"kind:pdu,ups fra1", 18}, {"state:crit", 6}, {"!state:ok kind:server", 13},
		{"owner: kind:server state:crit", 1}, {"age>3m", 1}, {"blind:yes", 2}, {"blind>1h", 1}, {"rack:ams1/r07 power:off", 1}, {"watts>330 watts<340 rack:fra1/r03", 2}, {"watts>", 518}, {"nonsense:x", 0},
	} {
		v := press(t, f, NewDevices(""), "filter.set "+tc.text)
		if got := len(v.(Devices).Rows(f)); got != tc.want {
			t.Errorf("%q lets %d through, want %d", tc.text, got, tc.want)
		}
	}
	v := press(t, f, NewSwitch("fra1-r02-sw2"), "filter.set state:err vlan:208")
	if _, id := v.Selected(f); id != "fra1-r02-sw2/Ethernet9" {
		t.Errorf("the port with errors is %q", id)
	}
	if v = press(t, f, v, "back"); v.(Switch).text != "" {
		t.Error("esc does not clear the filter first")
	}
}

func TestPortsSort(t *testing.T) {
	f := frame(120, 40)
	v := press(t, f, NewSwitch("fra1-r02-sw2"), "sort", "move.first")
	if _, id := v.Selected(f); id != "fra1-r02-sw2/Ethernet9" {
		t.Errorf("by state the first port is %s", id)
	}
	v = press(t, f, v, "pane.next", "move.right")
	if _, id := v.Selected(f); id != "fra1-r02-sw2/Ethernet11" {
		t.Errorf("on the faceplate the right neighbour of 9 is %s", id)
	}
}

func TestAnActionNeedsAReasonAndSaysWhatHangsOnIt(t *testing.T) {
	f := frame(100, 40)
	v := View(NewDevice("fra1-r03-s04"))
	c, _ := f.Keys.Get("act.power-cycle")
	if why := c.Why(Scene(f, v)); why != "" {
		t.Fatal(why)
	}
	_, in := Dispatch(f, v, c)
	open, ok := in.(Open)
	if !ok || open.View.ID() != "confirm" || open.Ask == nil || open.Ask.Command != "confirm.reason" {
		t.Fatalf("power-cycle leads to %+v", in)
	}
	v = open.View
	enter, _ := f.Keys.Get("enter")
	if _, in = Dispatch(f, v, enter); in != (Ask{Label: "reason", Command: "confirm.reason"}) {
		t.Fatalf("enter without a reason: %+v", in)
	}
	reason, _ := f.Keys.Get("confirm.reason")
	v, _ = Dispatch(f, v, reason.With("PSU2 needs a cold start"))
	_, in = Dispatch(f, v, enter)
	want := fmt.Sprint(Execute{Action: fleet.ActPowerCycle, Targets: []string{"fra1-r03-s04"}, Reason: "PSU2 needs a cold start", Version: f.Snap.Version})
	if fmt.Sprint(in) != want {
		t.Fatalf("enter with a reason: %+v", in)
	}
	text := compose(t, f, v, Chrome{})
	for _, w := range []string{"sn 7XK", "5 instances on 1 host stop", "service match 70", "danger 2 of 3", "PSU2 needs a cold start"} {
		if !strings.Contains(text, w) {
			t.Errorf("the question does not say %q", w)
		}
	}
	for _, bad := range []func(*Frame){func(f *Frame) { f.Live = false }, func(f *Frame) { f.Role = fleet.RoleViewer }} {
		g := f
		bad(&g)
		if _, in := Dispatch(g, v, enter); !strings.HasPrefix(fmt.Sprint(in), "{refused:") {
			t.Errorf("it would run: %+v", in)
		}
	}
}

func TestMarkedThingsAreActedOnTogether(t *testing.T) {
	f := frame(100, 40)
	f.Marks = map[string]bool{"fra1-r03-s05": true, "fra1-r03-s04": true}
	v := press(t, f, NewActions(KindDevice, "fra1-r03-s01"), "enter")
	if got := v.(Confirm).targets; !slices.Equal(got, []string{"fra1-r03-s04", "fra1-r03-s05"}) {
		t.Errorf("targets are %v", got)
	}
}

func TestHelpRunsWhatTheCaretStandsOn(t *testing.T) {
	f := frame(100, 40)
	v := View(NewHelp(Scene(f, NewFleet())))
	down, _ := f.Keys.Get("move.down")
	enter, _ := f.Keys.Get("enter")
	for range 80 {
		_, id := v.Selected(f)
		c, _ := f.Keys.Get(id)
		_, in := Dispatch(f, v, enter)
		switch got := in.(type) {
		case Run:
			if got.Command.ID != id {
				t.Errorf("%s runs %s", id, got.Command.ID)
			}
		case Toast:
			if why := c.Why(Scene(f, NewFleet())); why == "" || !strings.Contains(got.Text, why) {
				t.Errorf("%s: %q does not say %q", id, got.Text, why)
			}
		default:
			t.Errorf("%s: %+v", id, in)
		}
		v, _ = Dispatch(f, v, down)
	}
}

func TestWallPagesByTheClockAndComesBackForACrit(t *testing.T) {
	f := frame(160, 50)
	w := NewWallEvery(10*time.Second, "overview", "events", "nonsense").(Wall)
	seen := map[string]bool{}
	for i := range 4 {
		f.At = viewstest.At.Add(time.Hour + time.Duration(i)*10*time.Second)
		seen[w.page(f)] = true
	}
	if len(seen) != 2 || !seen["overview"] || !seen["events"] {
		t.Errorf("pages seen: %v", seen)
	}
	for i := range 4 {
		f.At = viewstest.At.Add(-4*time.Minute - 27*time.Second + time.Duration(i)*7*time.Second)
		if got := w.page(f); got != "overview" {
			t.Errorf("%s while a crit is %ds old", got, i*7)
		}
	}
}

func TestPlainHasNoBoxes(t *testing.T) {
	f := frame(100, 40)
	f.Theme = widget.NewTheme("mono", widget.NoColour, true)
	for _, s := range everyScreen() {
		text := Plain(f, s.view(t, f))
		if strings.ContainsAny(text, "╭│╰") || strings.Contains(text, "+--") {
			t.Errorf("%s has boxes:\n%s", s.name, text)
		}
	}
}

func TestColoursHaveASequenceForEveryStyle(t *testing.T) {
	for _, name := range widget.ThemeNames() {
		for d := widget.NoColour; d <= widget.TrueColour; d++ {
			th := widget.NewTheme(name, d, false)
			if th != widget.NewTheme(name, d, false) {
				t.Errorf("%s is built twice", name)
			}
			for i, s := range th.SGR {
				if s != "" && (!strings.HasPrefix(s, "\x1b[0") || !strings.HasSuffix(s, "m")) {
					t.Errorf("%s style %d: %q", name, i, s)
				}
				if d == widget.NoColour && (strings.Contains(s, "38;") || strings.Contains(s, ";3")) {
					t.Errorf("%s style %d has colour without colours: %q", name, i, s)
				}
			}
		}
	}
}

func TestThePaletteOffersTheThemesThereAre(t *testing.T) {
	f := frame(80, 24)
	var got []string
	for _, m := range f.Keys.Palette("theme ", Scene(f, NewFleet())) {
		got = append(got, m.Command.Arg(0))
	}
	want := widget.ThemeNames()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("offered %v, there are %v", got, want)
	}
}
