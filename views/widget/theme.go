package widget

import (
	"slices"
	"sync"

	"plumb/fleet"
)

// Styles of the screen by meaning. Views name what a thing is; the theme says
// how it looks.
const (
	Plain  Style = iota
	Dim          // labels, units, what is in order
	Bold         // what the eye should find first
	Title        // titles of panes
	Border       // frames of panes
	Focus        // the frame of the pane that has the caret
	Key          // a key in a hint
	Link         // an id that can be followed
	OK
	Warn
	Crit
	Unknown
	Off
	Drift
	Maintenance
	Fill // bars and sparklines
	Rest // the empty part of them
	Limit
	Inverse // not live, prompts
	Alarm   // a banner that must be seen
	numStyles

	// selected is added to a style for the row of the caret.
	selected = numStyles
)

// Depth is how many colours a terminal shows.
type Depth uint8

// Depths of colour.
const (
	NoColour Depth = iota
	Colours16
	Colours256
	TrueColour
)

// Theme is a small table of styles and glyphs, built once per theme and colour
// depth and shared by every session that uses it.
type Theme struct {
	Name   string
	SGR    []string // by Style: the escape sequence that sets it, "" for plain
	Glyphs *Glyphs
	Ascii  bool
	Flat   bool // no boxes: titles and lines only, for --plain and screen readers
}

// ThemeNames lists what NewTheme knows.
func ThemeNames() []string { return []string{"okabe", "light", "16", "mono", "ascii"} }

var themeCache sync.Map // of themeKey to *Theme

type themeKey struct {
	name  string
	depth Depth
	ascii bool
}

// NewTheme returns the theme for a terminal. "okabe" is Okabe and Ito's
// palette for every kind of colour vision on a dark ground, "light" the same
// on a light one, "16" the terminal's own colours, "mono" none, and "ascii"
// okabe drawn in ASCII. Any other name gives okabe.
func NewTheme(name string, depth Depth, ascii bool) *Theme {
	if !slices.Contains(ThemeNames(), name) {
		name = "okabe"
	}
	k := themeKey{name, depth, ascii}
	if t, ok := themeCache.Load(k); ok {
		return t.(*Theme)
	}
	t := &Theme{Name: name, Glyphs: &unicodeGlyphs, Ascii: ascii || name == "ascii"}
	if t.Ascii {
		t.Glyphs = &asciiGlyphs
	}
	switch name {
	case "mono":
		depth = NoColour
	case "16":
		depth = min(depth, Colours16)
	}
	p := palettes[depth]
	if name == "light" && depth >= Colours256 {
		p = lightPalettes[depth]
	}
	t.SGR = make([]string, 2*numStyles)
	for i, code := range p.codes {
		if code != "" {
			t.SGR[i] = "\x1b[0;" + code + "m"
			code = ";" + code
		}
		t.SGR[Style(i)+selected] = "\x1b[0" + code + ";" + p.selected + "m"
	}
	themeCache.Store(k, t)
	return t
}

// WithoutBoxes returns the theme for lines only.
func (t *Theme) WithoutBoxes() *Theme {
	c := *t
	c.Flat = true
	return &c
}

// palette holds SGR parameters (ECMA-48 8.3.117) by style.
type palette struct {
	codes    [numStyles]string
	selected string
}

var palettes = [...]palette{
	NoColour: {selected: "7", codes: [numStyles]string{Dim: "2", Bold: "1", Title: "1", Border: "2", Key: "1",
		Warn: "1", Crit: "1", Focus: "1", Unknown: "1", Off: "2", Rest: "2", Limit: "2", Inverse: "7", Alarm: "1;7"}},
	Colours16: {selected: "7", codes: [numStyles]string{Dim: "90", Bold: "1", Title: "1", Border: "90", Focus: "36", Key: "36", Link: "36",
		OK: "32", Warn: "33", Crit: "1;91", Unknown: "35", Off: "90", Drift: "96", Maintenance: "94",
		Fill: "36", Rest: "90", Limit: "33", Inverse: "7", Alarm: "1;97;41"}},
	Colours256: {selected: "48;5;237", codes: [numStyles]string{Dim: "38;5;246", Bold: "1;38;5;255", Title: "1;38;5;253", Border: "38;5;240", Focus: "38;5;74", Key: "38;5;74", Link: "38;5;110",
		OK: "38;5;36", Warn: "38;5;214", Crit: "1;38;5;202", Unknown: "38;5;175", Off: "38;5;243", Drift: "38;5;74", Maintenance: "38;5;227",
		Fill: "38;5;66", Rest: "38;5;238", Limit: "38;5;178", Inverse: "38;5;234;48;5;214", Alarm: "1;38;5;255;48;5;160"}},
	TrueColour: {selected: "48;2;38;48;60", codes: [numStyles]string{Dim: rgb + "138;148;160", Bold: "1;" + rgb + "236;240;244", Title: "1;" + rgb + "220;226;232", Border: rgb + "74;84;96", Focus: rgb + "86;180;233", Key: rgb + "86;180;233", Link: rgb + "142;190;222",
		OK: rgb + "0;158;115", Warn: rgb + "230;159;0", Crit: "1;" + rgb + "240;98;24", Unknown: rgb + "204;121;167", Off: rgb + "118;126;136", Drift: rgb + "86;180;233", Maintenance: rgb + "240;228;66",
		Fill: rgb + "66;122;130", Rest: rgb + "52;59;68", Limit: rgb + "190;140;30", Inverse: rgb + "20;22;26;48;2;230;159;0", Alarm: "1;" + rgb + "255;255;255;48;2;190;50;10"}},
}

const rgb = "38;2;"

// lightPalettes are the same hues, dark enough for a light ground.
var lightPalettes = [...]palette{
	Colours256: {selected: "48;5;254", codes: [numStyles]string{Dim: "38;5;243", Bold: "1", Title: "1", Border: "38;5;250", Focus: "38;5;25", Key: "38;5;25", Link: "38;5;25",
		OK: "38;5;29", Warn: "38;5;130", Crit: "1;38;5;160", Unknown: "38;5;132", Off: "38;5;246", Drift: "38;5;25", Maintenance: "38;5;94",
		Fill: "38;5;31", Rest: "38;5;252", Limit: "38;5;136", Inverse: "38;5;231;48;5;130", Alarm: "1;38;5;231;48;5;160"}},
	TrueColour: {selected: "48;2;222;230;238", codes: [numStyles]string{Dim: rgb + "108;116;126", Bold: "1", Title: "1", Border: rgb + "186;192;200", Focus: rgb + "0;114;178", Key: rgb + "0;98;160", Link: rgb + "0;98;160",
		OK: rgb + "0;126;92", Warn: rgb + "168;108;0", Crit: "1;" + rgb + "190;62;0", Unknown: rgb + "164;74;122", Off: rgb + "140;146;154", Drift: rgb + "0;114;178", Maintenance: rgb + "122;106;0",
		Fill: rgb + "40;122;140", Rest: rgb + "206;212;218", Limit: rgb + "168;128;20", Inverse: rgb + "255;255;255;48;2;168;108;0", Alarm: "1;" + rgb + "255;255;255;48;2;176;40;0"}},
}

// StateStyle returns the style of a state.
func StateStyle(s fleet.State) Style {
	switch s {
	case fleet.StateOK:
		return OK
	case fleet.StateWarn:
		return Warn
	case fleet.StateCrit:
		return Crit
	case fleet.StateOff:
		return Off
	}
	return Unknown
}

// SeverityStyle returns the style of a severity.
func SeverityStyle(s fleet.Severity) Style {
	switch s {
	case fleet.SeverityWarn:
		return Warn
	case fleet.SeverityCrit:
		return Crit
	}
	return Dim
}

// Select gives n columns the look of the caret's row and keeps their styles.
func (c Canvas) Select(x, y, n int) {
	if y < 0 || y >= c.H {
		return
	}
	for i := max(x, 0); i < min(x+n, c.W); i++ {
		cell := &c.b.cells[(c.y+y)*c.b.w+c.x+i]
		if cell.Style < selected {
			cell.Style += selected
		}
	}
}
