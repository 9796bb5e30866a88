package widget

// Glyphs are the marks of the screen, in Unicode or ASCII.
type Glyphs struct{ OK, Warn, Crit, Drift, Unknown, Off, Maintenance, Empty, Caret string }
