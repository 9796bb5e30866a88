// Package widget draws: cells, text, boxes, bars, sparklines, charts, tables,
// racks, faceplates and time strips, all on a [Canvas] of cells.
//
// The one idea: a widget is a function of values that writes cells and keeps
// nothing. It gets a rectangle, clips to it, and never fails, so that a view
// can draw at any size without arithmetic. A cell is eight bytes and a style
// is an index into a table built once per theme, so that a full screen of
// 200x60 costs well under a millisecond and nothing is allocated per cell.
//
// What a thing means is said by shape and word first and by colour third: all
// glyphs come from the theme, which has a Unicode and an ASCII set and works
// without any colour.
//
// What does not belong here: the fleet's meaning (views decide what to draw),
// keys, sessions, and escape sequences beyond the theme's style table.
package widget
