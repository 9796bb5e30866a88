package views

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

var update = flag.Bool("update", false, "write the goldens; look at each before committing it")

var testFleet = sync.OnceValue(viewstest.Fleet)

// frame returns a frame of the test fleet as an operator sees it.
func frame(w, h int) Frame {
	return Frame{Snap: testFleet(), Answers: judged{snap: testFleet()}, At: viewstest.At, Live: true, Role: fleet.RoleOperator, User: "anna",
		Here: []string{"raj operator 10.1.0.9 devices", "noc wall 10.1.0.2"}, Width: w, Height: h, Theme: widget.NewTheme("okabe", widget.TrueColour, false), Keys: keys.Must(), Books: testBooks(),
		Since: viewstest.At.Add(-48 * time.Hour), Spreads: (*Spreads)(nil).For(testFleet())}
}

// press carries a command to a view as the session does and follows Open.
func press(t testing.TB, f Frame, v View, ids ...string) View {
	t.Helper()
	for _, id := range ids {
		name, arg, _ := strings.Cut(id, " ")
		c, ok := f.Keys.Get(name)
		if !ok {
			t.Fatalf("no command %q", name)
		}
		if arg != "" {
			c = c.With(arg)
		}
		next, in := Dispatch(f, v, c)
		v = next
		if o, ok := in.(Open); ok {
			v = o.View
		}
	}
	return v
}

type screen struct {
	name string
	view func(t testing.TB, f Frame) View
}

func screens() []screen {
	is := func(v View) func(testing.TB, Frame) View { return func(testing.TB, Frame) View { return v } }
	return []screen{
		{"fleet", func(testing.TB, Frame) View { return NewFleet() }},
		{"racks", func(t testing.TB, f Frame) View {
			return press(t, f, NewRacks("fra", "fra1/r03"), "move.down", "move.down", "move.down", "move.down")
		}},
		{"racks-true", func(t testing.TB, f Frame) View {
			return press(t, f, NewRacks("fra", "fra1/r03"), "scale", "paint", "paint")
		}},
		{"racks-empty", func(testing.TB, Frame) View { return NewRacks("iad", "iad1/r08") }},
		{"devices", func(testing.TB, Frame) View { return NewDevices("") }},
		{"devices-filter", func(testing.TB, Frame) View { return NewDevices("kind:pdu fra1") }},
		{"device", func(testing.TB, Frame) View { return NewDevice("fra1-r03-s04") }},
		{"device-cables", func(t testing.TB, f Frame) View { return press(t, f, NewDevice("fra1-r03-s04"), "pane.next") }},
		{"device-carries", func(t testing.TB, f Frame) View {
			return press(t, f, NewDevice("fra1-r03-s04"), "pane.next", "pane.next")
		}},
		{"device-blind", func(testing.TB, Frame) View { return NewDevice("iad1-r01-s09") }},
		{"device-auth", func(testing.TB, Frame) View { return NewDevice("ams1-r02-s15") }},
		{"device-hostile", func(testing.TB, Frame) View { return NewDevice("iad1-r06-s01") }},
		{"device-pdu", func(t testing.TB, f Frame) View { return press(t, f, NewDevice("fra1-r03-pb"), "pane.next") }},
		{"network", func(testing.TB, Frame) View { return NewNetwork() }},
		{"switch", func(t testing.TB, f Frame) View {
			return press(t, f, NewSwitch("fra1-r02-sw2"), "move.right", "move.right", "move.down")
		}},
		{"port", is(NewPort("fra1-r02-sw2/Ethernet6"))},
		{"services", is(NewServices())},
		{"service", is(NewService("match"))},
		{"instances", func(testing.TB, Frame) View { return NewInstances("") }},
		{"instance", func(t testing.TB, f Frame) View { return NewInstance(instanceOn(t, f, "fra1-r03-s04")) }},
		{"events", is(NewEvents(""))},
		{"jobs", is(NewJobs())},
		{"help", func(t testing.TB, f Frame) View { return NewHelp(Scene(f, press(t, f, NewDevices("")))) }},
		{"who", is(NewWho())},
		{"runbooks", is(NewBooks("fra1-r03-s04"))},
		{"runbook", func(t testing.TB, f Frame) View {
			return press(t, f, NewBooks("fra1-r03-s04"), "enter", "runbook.reason PSU of its neighbour is swapped")
		}},
		{"actions", is(NewActions(KindDevice, "fra1-r03-s04"))},
		{"confirm", func(t testing.TB, f Frame) View {
			return press(t, f, NewConfirm(fleet.ActPowerCycle, []string{"fra1-r03-s04"}, f.Snap.Version), "confirm.reason PSU2 fault, reseat done, needs a cold start")
		}},
		{"confirm-port", func(t testing.TB, f Frame) View {
			return NewConfirm(fleet.ActPortDown, []string{"fra1-r02-sw2/Ethernet4"}, f.Snap.Version)
		}},
		{"wall", func(testing.TB, Frame) View { return NewWall("overview") }},
		{"wall-services", func(testing.TB, Frame) View { return NewWall("services") }},
		{"wall-events", func(testing.TB, Frame) View { return NewWall("events") }},
	}
}

func instanceOn(t testing.TB, f Frame, host string) string {
	t.Helper()
	for id, i := range f.Snap.Instances.All() {
		if i.Host == host {
			return id
		}
	}
	t.Fatalf("no instance on %s", host)
	return ""
}

var sizes = [][2]int{{60, 18}, {80, 24}, {160, 50}, {240, 67}}

func TestGoldens(t *testing.T) { goldens(t, screens(), frame) }

// goldens draws every screen in every size, and once with nothing but ASCII.
func goldens(t *testing.T, list []screen, frame func(width, height int) Frame) {
	for _, s := range list {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, size[0], size[1]), func(t *testing.T) {
				f := frame(size[0], size[1])
				golden(t, f, compose(t, f, s.view(t, f), Chrome{}))
			})
		}
		t.Run(s.name+"-ascii", func(t *testing.T) {
			f := frame(80, 24)
			f.Theme = widget.NewTheme("mono", widget.NoColour, true)
			text := compose(t, f, s.view(t, f), Chrome{})
			golden(t, f, text)
			for i := range len(text) {
				if text[i] >= 0x80 {
					t.Fatalf("not ASCII: %q", text[max(0, i-20):min(len(text), i+20)])
				}
			}
		})
	}
}

// compose draws a screen and checks that each row is exactly as wide as it says.
func compose(t testing.TB, f Frame, v View, ch Chrome) string {
	t.Helper()
	b := widget.NewBuffer(f.Width, f.Height)
	Compose(f, v, ch, b.Canvas())
	text := b.Plain()
	checkWidths(t, text, f.Width, f.Height)
	return text
}

func checkWidths(t testing.TB, text string, w, h int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != h {
		t.Errorf("%d rows, want %d", len(lines), h)
	}
	for y, l := range lines {
		if got := ansi.StringWidth(l); got != w {
			t.Errorf("row %d is %d wide, want %d: %q", y, got, w, l)
		}
		for i := range len(l) {
			if l[i] < 0x20 || l[i] == 0x7f {
				t.Errorf("row %d has a control: %q", y, l)
				break
			}
		}
	}
}

func golden(t *testing.T, _ Frame, got string) {
	t.Helper()
	_, name, _ := strings.Cut(t.Name(), "/")
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", path, diff(string(want), got))
	}
}

// diff shows the rows that differ.
func diff(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			fmt.Fprintf(&b, "%3d -%s\n    +%s\n", i, x, y)
		}
	}
	return b.String()
}
