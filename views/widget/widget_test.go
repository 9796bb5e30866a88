package widget

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"plumb/fleet"
)

var theme = NewTheme("okabe", TrueColour, false)

func plain(w, h int, draw func(Canvas)) string {
	b := NewBuffer(w, h)
	draw(b.Canvas())
	return b.Plain()
}

// FuzzText holds that no text, however hostile, leaves its cells, writes a
// control, or breaks a row's width.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred\x1b[0m", "世界", "e\u0301\u0301", "👨‍👩‍👧", "\u202eabc", "a\u200db", "\xff\xfe", "▶\ufe0f", "\u0301", "é", "ﷺ", "\x00\x07\x7f", "\u0085\u009b31m"} {
		f.Add(s, 0, 10)
		f.Add(s, -3, 4)
		f.Add(s, 9, 10)
	}
	f.Fuzz(func(t *testing.T, s string, x, w int) {
		if w < 0 || w > 60 || x < -60 || x > 60 || len(s) > 500 {
			t.Skip()
		}
		b := NewBuffer(w+2, 1)
		c := b.Canvas()
		c.Rune(0, 0, w+2, '.', Plain)
		in := c.Sub(1, 0, w, 1)
		in.Text(x, 0, s, Plain)
		in.Cut(theme, x+1, 0, w/2, s, Plain)
		row := strings.TrimSuffix(b.Plain(), "\n")
		if got := ansi.StringWidth(row); got != w+2 {
			t.Fatalf("width %d, want %d: %q", got, w+2, row)
		}
		if w > 0 && (row[0] != '.' || row[len(row)-1] != '.') {
			t.Fatalf("it left its cells: %q", row)
		}
		for _, r := range row {
			if r < 0x20 || r >= 0x7f && r < 0xa0 {
				t.Fatalf("control %U: %q", r, row)
			}
		}
		if !utf8.ValidString(row) {
			t.Fatalf("not UTF-8: %q", row)
		}
	})
}

func TestWideGlyphsAreMendedWhenCut(t *testing.T) {
	got := plain(6, 1, func(c Canvas) {
		c.Text(0, 0, "世界世", Plain)
		c.Text(1, 0, "x", Plain) // the right half of the first
		c.Text(2, 0, "y", Plain) // the left half of the second
	})
	if got != " xy 世\n" {
		t.Errorf("%q", got)
	}
	if got := plain(3, 1, func(c Canvas) { c.Text(0, 0, "世界", Plain) }); got != "世 \n" {
		t.Errorf("half a glyph at the edge: %q", got)
	}
}

func TestCutAndRight(t *testing.T) {
	for _, tc := range []struct {
		s    string
		w    int
		want string
	}{{"abc", 5, "abc  "}, {"abcdef", 5, "abcd…"}, {"世界世界", 5, "世界…"}, {"", 5, "     "}} {
		if got := plain(5, 1, func(c Canvas) { c.Cut(theme, 0, 0, tc.w, tc.s, Plain) }); got != tc.want+"\n" {
			t.Errorf("Cut %q: %q, want %q", tc.s, got, tc.want)
		}
	}
	if got := plain(5, 1, func(c Canvas) { c.CutRight(theme, 0, 0, 5, "ab", Plain) }); got != "   ab\n" {
		t.Errorf("%q", got)
	}
}

func TestBarTellsNothingFromZero(t *testing.T) {
	for _, tc := range []struct {
		share float64
		want  string
	}{{0, "░░░░"}, {0.001, "▏░░░"}, {0.5, "██░░"}, {0.53, "██▏░"}, {1, "████"}, {7, "████"}, {-1, "░░░░"}, {math.NaN(), "┈┈┈┈"}} {
		if got := plain(4, 1, func(c Canvas) { Bar(c, theme, 0, 0, 4, tc.share, Fill) }); got != tc.want+"\n" {
			t.Errorf("%v: %q, want %q", tc.share, got, tc.want)
		}
	}
}

func points(from time.Time, step time.Duration, v ...float64) Series {
	s := Series{From: from, To: from.Add(step * time.Duration(len(v)-1))}
	for i, x := range v {
		if !math.IsNaN(x) {
			s.Points = append(s.Points, fleet.Point{Ms: from.Add(step * time.Duration(i)).UnixMilli(), Mean: fleet.FromFloat(x, 3)})
		}
	}
	return s
}

func TestSparkKeepsGapsAndStaysFlatOnNoise(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	nan := math.NaN()
	for _, tc := range []struct {
		name, want string
		s          Series
	}{
		{"a ramp", "▁▂▃▄▅▆▇█", points(at, time.Minute, 0, 1, 2, 3, 4, 5, 6, 7)},
		{"noise", "▄▅▄▅▄▅▄▅", points(at, time.Minute, 100, 100.1, 100, 100.1, 100, 100.1, 100, 100.1)},
		{"a gap", "▁▁   ▇██", points(at, time.Minute, 0, 0.1, nan, nan, nan, 6, 7, 7)},
		{"nothing", "┈┈┈┈┈┈┈┈", Series{From: at, To: at.Add(time.Hour)}},
	} {
		got := strings.TrimSuffix(plain(8, 1, func(c Canvas) { Spark(c, theme, 0, 0, 8, tc.s, Fill) }), "\n")
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestTableFitsItsColumnsAndShowsTheCaret(t *testing.T) {
	table := Table{Columns: []Column{{Title: "name", Min: 6}, {Title: "less", Min: 6, Rank: 2}, {Title: "more", Min: 6, Rank: 1}}, Rows: 10000, At: 5000, Sort: 0}
	cell := func(on Canvas, row, col int) { on.Text(0, 0, []string{"n", "l", "m"}[col], Plain) }
	wide := plain(24, 3, func(c Canvas) { table.Draw(c, theme, cell) })
	if want := "  name↑  less   more    \n  n      l      m       \n▶ n      l      m       \n"; wide != want {
		t.Errorf("wide:\n%s", wide)
	}
	narrow := plain(16, 2, func(c Canvas) { table.Draw(c, theme, cell) })
	if strings.Contains(narrow, "less") || !strings.Contains(narrow, "more") {
		t.Errorf("the column of the higher rank goes first:\n%s", narrow)
	}
}

func TestWindowKeepsTheCaretInSight(t *testing.T) {
	for rows := range 30 {
		for h := 1; h < 12; h++ {
			for at := range rows {
				top := Window(rows, at, h)
				if top < 0 || at < top || at >= top+h || rows > h && top > rows-h {
					t.Fatalf("rows %d at %d height %d: top %d", rows, at, h, top)
				}
			}
		}
	}
}

func TestElevation(t *testing.T) {
	places := []Place{{Low: 2, Height: 2, Item: 1, Fold: "a"}, {Low: 4, Height: 2, Item: 2, Fold: "a"}, {Low: 6, Height: 2, Item: 3, Fold: "a"}, {Low: 12, Height: 8, Item: 4}}
	for _, tc := range []struct {
		name  string
		scale Scale
		room  int
		want  string
	}{
		{"to scale", True, 5, "12 11 10 9:4 8:4 7:4 6:4 5 4 3:3 2:2 1:1"},
		{"with room", Folded, 20, "12-10 9-6:4 5-4 3:3 2:2 1:1"},
		{"folded", Folded, 5, "12-10 9-6:4 5-4 3-1:3x3"},
		{"auto, tall", Auto, 12, "12 11 10 9:4 8:4 7:4 6:4 5 4 3:3 2:2 1:1"},
		{"auto, short", Auto, 11, "12-10 9-6:4 5-4 3:3 2:2 1:1"},
	} {
		var got []string
		units := 0
		for _, s := range Elevation(nil, 12, append([]Place(nil), places...), tc.scale, tc.room) {
			w := s.Units()
			if !s.Free() {
				w += ":" + string(rune('0'+s.Item))
			}
			if s.Count > 1 {
				w += "x" + string(rune('0'+s.Count))
			}
			got = append(got, w)
			if s.Lines == 1 {
				units += s.High - s.Low + 1
			} else {
				units++
			}
		}
		if g := strings.Join(got, " "); g != tc.want || units != 12 {
			t.Errorf("%s: %s (%d units), want %s", tc.name, g, units, tc.want)
		}
	}
}

func TestFaceStepsAsThePortsSit(t *testing.T) {
	f := Face{Ports: 54}
	for _, tc := range []struct{ from, dx, dy, want int }{
		{0, 1, 0, 2}, {0, -1, 0, 0}, {0, 0, 1, 1}, {0, 0, -1, 0}, {1, 0, 1, 1}, {1, 0, -1, 0}, {53, 1, 0, 53},
	} {
		if got := f.Step(tc.from, tc.dx, tc.dy); got != tc.want {
			t.Errorf("from %d by %d,%d: %d, want %d", tc.from, tc.dx, tc.dy, got, tc.want)
		}
	}
}

func TestFaceShowsEveryPortAtEveryWidth(t *testing.T) {
	for _, ports := range []int{1, 8, 16, 24, 48, 52, 54, 64, 128} {
		for w := 20; w < 200; w += 7 {
			f := Face{Ports: ports, At: -1, Mark: func(int) PortMark { return PortUp }, Name: func(p int) string { return Number("x", p) }}
			got := plain(w, f.Height(w), func(c Canvas) { f.Draw(c, theme) })
			if n := strings.Count(got, "▣"); n != ports {
				t.Errorf("%d ports in %d columns: %d are shown\n%s", ports, w, n, got)
			}
		}
	}
}

func TestHostileClustersAreBounded(t *testing.T) {
	b := NewBuffer(10, 1)
	for i := range maxClusters + 100 {
		b.Canvas().Text(0, 0, "a"+string(rune(0x300+i%112))+string(rune(0x300+i/112%112))+string(rune(0x300+i/112/112)), Plain)
	}
	if len(b.clusters) > maxClusters {
		t.Errorf("%d clusters are kept", len(b.clusters))
	}
}

func TestGlyphsAreOneColumn(t *testing.T) {
	for _, g := range []*Glyphs{&unicodeGlyphs, &asciiGlyphs} {
		for _, s := range []string{g.OK, g.Warn, g.Crit, g.Drift, g.Unknown, g.Off, g.Maintenance, g.Empty, g.Caret, g.Crumb, g.Dash, g.Ellipsis, g.Mark, g.Up, g.Down, g.Into, g.From} {
			if ansi.StringWidth(s) != 1 {
				t.Errorf("%q is %d wide", s, ansi.StringWidth(s))
			}
		}
		for _, set := range [][]rune{g.Blocks[:], g.Parts[:], g.Heat[:], g.Ports[:], {g.H, g.V, g.TL, g.TR, g.BL, g.BR, g.Thumb, g.Dots, g.Rest, g.BracketTop, g.BracketMid, g.BracketEnd}} {
			for _, r := range set {
				if ansi.StringWidth(string(r)) != 1 {
					t.Errorf("%q is %d wide", r, ansi.StringWidth(string(r)))
				}
			}
		}
	}
}

func TestNothingAllocatesPerCell(t *testing.T) {
	b := NewBuffer(200, 60)
	c := b.Canvas()
	cell := func(on Canvas, row, col int) { on.Cut(theme, 0, 0, on.W, "● fra1-r03-s04 é", OK) }
	table := Table{Columns: []Column{{Title: "a", Min: 20, Max: 60}, {Title: "b", Min: 20, Max: 60}, {Title: "c", Min: 20}}, Rows: 10000, At: 77, Focus: true}
	if n := testing.AllocsPerRun(20, func() {
		table.Draw(Box(c, theme, "title", "note", true), theme, cell)
		for y := range 60 {
			Bar(c, theme, 100, y, 40, 0.3, Fill)
		}
	}); n > 2 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkTable(b *testing.B) {
	buf := NewBuffer(200, 60)
	table := Table{Columns: []Column{{Title: "a", Min: 20, Max: 60}, {Title: "b", Min: 20, Max: 60}, {Title: "c", Min: 20}}, Rows: 10000, At: 5000, Focus: true}
	b.ReportAllocs()
	for b.Loop() {
		table.Draw(buf.Canvas(), theme, func(on Canvas, row, col int) { on.Cut(theme, 0, 0, on.W, "● fra1-r03-s04", OK) })
	}
}

// A column of sentences takes the room that no other column wants.
func TestTheRestOfTheRoomIsUsed(t *testing.T) {
	columns := []Column{{Title: "name", Min: 4, Max: 8}, {Title: "why", Min: 10, Max: 20, Rest: true}, {Title: "seen", Min: 4}}
	for room, want := range map[int][3]int{20: {4, 10, 4}, 34: {8, 20, 4}, 100: {8, 86, 4}} {
		var widths [maxTableColumns]int
		Table{Columns: columns}.fit(room, &widths)
		if [3]int(widths[:3]) != want {
			t.Errorf("of %d: %v, want %v", room, widths[:3], want)
		}
	}
}

// A text is broken at a blank, or where a word is wider than all there is.
func TestBreak(t *testing.T) {
	for _, c := range []struct {
		s          string
		w          int
		head, rest string
	}{
		{"admin up", 8, "admin up", ""},
		{"admin up to down", 8, "admin up", "to down"},
		{"admin  up", 7, "admin", "up"},
		{"abcdefghij", 4, "abcd", "efghij"},
		{"温度温度", 5, "温度", "温度"},
		{"x", 0, "x", ""},
		{"ab", 0, "a", "b"},
		{"ab\xff\xff b", 1, "a", "b\xff\xff b"},
	} {
		if head, rest := Break(c.s, c.w); head != c.head || rest != c.rest {
			t.Errorf("%q at %d: %q and %q, want %q and %q", c.s, c.w, head, rest, c.head, c.rest)
		}
	}
}
