package widget

import "plumb/fleet"

// Glyphs are the marks of the screen, in Unicode or ASCII. All are one column
// wide in every terminal we know of.
type Glyphs struct {
	OK, Warn, Crit, Drift, Unknown, Off, Maintenance, Empty, Caret string

	Delta string // what differs from now, on a screen of the past

	Crumb, Dash, Ellipsis, Degree, Mark, Up, Down, Into, From string

	H, V, TL, TR, BL, BR rune // boxes
	Thumb                rune // the thumb of a scroll bar
	Dots                 rune // time strips, limits, empty scales
	Tee, Elbow           string
	BracketTop           rune // a device of several units
	BracketMid           rune
	BracketEnd           rune
	Blocks               [9]rune // vertical eighths: 0 is blank, 8 is full
	Parts                [9]rune // horizontal eighths
	Rest                 rune    // the empty part of a bar
	Heat                 [4]rune
	Ports                [5]rune // by PortMark
}

var unicodeGlyphs = Glyphs{
	OK: "●", Warn: "▲", Crit: "✖", Drift: "◇", Unknown: "◌", Off: "○", Maintenance: "M", Empty: "·", Caret: "▶", Delta: "≠",
	Crumb: "›", Dash: "─", Ellipsis: "…", Degree: "°", Mark: "+", Up: "↑", Down: "↓", Into: "▸", From: "◂",
	H: '─', V: '│', TL: '╭', TR: '╮', BL: '╰', BR: '╯', Thumb: '┃', Dots: '┈', Tee: "├ ", Elbow: "└ ",
	BracketTop: '┌', BracketMid: '│', BracketEnd: '└',
	Blocks: [9]rune{' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'},
	Parts:  [9]rune{' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'},
	Rest:   '░', Heat: [4]rune{'░', '▒', '▓', '█'},
	Ports: [5]rune{'·', '▣', '▢', '▤', '◫'},
}

var asciiGlyphs = Glyphs{
	OK: "o", Warn: "!", Crit: "X", Drift: "~", Unknown: "?", Off: "-", Maintenance: "M", Empty: ".", Caret: ">", Delta: "*",
	Crumb: "/", Dash: "-", Ellipsis: "~", Degree: "", Mark: "+", Up: "^", Down: "v", Into: ">", From: "<",
	H: '-', V: '|', TL: '+', TR: '+', BL: '+', BR: '+', Thumb: '#', Dots: '-', Tee: "|-", Elbow: "`-",
	BracketTop: '/', BracketMid: '|', BracketEnd: '\\',
	Blocks: [9]rune{' ', '_', '_', '.', '-', '-', '=', '#', '#'},
	Parts:  [9]rune{' ', '-', '-', '-', '=', '=', '=', '#', '#'},
	Rest:   '.', Heat: [4]rune{'.', ':', '=', '#'},
	Ports: [5]rune{'-', '#', '.', '!', 'x'},
}

// State returns the glyph of a state.
func (g *Glyphs) State(s fleet.State) string {
	switch s {
	case fleet.StateOK:
		return g.OK
	case fleet.StateWarn:
		return g.Warn
	case fleet.StateCrit:
		return g.Crit
	case fleet.StateOff:
		return g.Off
	}
	return g.Unknown
}

// Severity returns the glyph of a severity.
func (g *Glyphs) Severity(s fleet.Severity) string {
	switch s {
	case fleet.SeverityWarn:
		return g.Warn
	case fleet.SeverityCrit:
		return g.Crit
	}
	return g.Empty
}
