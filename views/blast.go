package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/trace"
	"plumb/views/widget"
)

// blastLine is one line of what a failure takes.
type blastLine struct {
	id    string // what enter follows; "": a heading
	side  bool   // lost, degraded or unseen: long lists that may stand beside
	glyph string
	what  string
	text  string
	style widget.Style
}

// blastLines lists what a failure does: to services and their floors first,
// then where the power goes, then each part that is lost, stands on its last
// way or can no longer be seen.
func blastLines(f Frame, b *trace.Blast) (out []blastLine) {
	hits := slices.Clone(b.Services)
	slices.SortStableFunc(hits, func(x, y trace.Hit) int {
		return cmp.Or(boolFirst(x.Below, y.Below), cmp.Compare(x.After-x.Floor, y.After-y.Floor))
	})
	if len(hits) > 0 {
		out = append(out, blastLine{what: "services that lose replicas"})
	}
	for i := range hits {
		out = append(out, hitLine(f, &hits[i]))
	}
	if len(b.Power) > 0 {
		out = append(out, blastLine{what: "power that moves"})
	}
	for i := range b.Power {
		out = append(out, powerLine(f, &b.Power[i]))
	}
	for i := range b.PDUs {
		if l, ok := shiftLine(f, &b.PDUs[i]); ok {
			out = append(out, l)
		}
	}
	g := f.Theme.Glyphs
	out = lossLines(out, "lost", g.Crit, widget.Crit, b.Lost)
	out = lossLines(out, "no longer redundant", g.Warn, widget.Warn, b.Degraded)
	return lossLines(out, "goes on, and nobody sees it", g.Unknown, widget.Unknown, b.Unseen)
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func lossLines(out []blastLine, word, glyph string, st widget.Style, list []trace.Loss) []blastLine {
	if len(list) == 0 {
		return out
	}
	out = append(out, blastLine{side: true, what: word + ": " + trace.ByKind(list), style: st})
	for i := range list {
		x := &list[i]
		out = append(out, blastLine{id: x.ID, side: true, glyph: glyph, what: x.ID, text: x.Why, style: st})
	}
	return out
}

// hitLine holds a service against its floor.
func hitLine(f Frame, h *trace.Hit) blastLine {
	g := f.Theme.Glyphs
	l := blastLine{id: h.Service, glyph: g.OK, style: widget.OK, what: h.Service, text: strconv.Itoa(h.Before) + " " + g.Into + " " + strconv.Itoa(h.After)}
	switch {
	case h.Below:
		l.glyph, l.style, l.text = g.Crit, widget.Crit, l.text+"  below its floor of "+strconv.Itoa(h.Floor)
	case h.Floor > 0 && h.After == h.Floor:
		l.glyph, l.style, l.text = g.Warn, widget.Warn, l.text+"  exactly at its floor"
	case h.Floor > 0:
		l.text += "  floor " + strconv.Itoa(h.Floor)
	default:
		l.text += "  it has no floor"
	}
	return l
}

// powerLine holds what a feed would carry against what its breaker carries for
// long.
func powerLine(f Frame, m *trace.Moved) blastLine {
	g := f.Theme.Glyphs
	after := watts(m.AfterW)
	if !m.AfterW.Known {
		after = "not known"
	}
	l := blastLine{id: m.Feed, glyph: g.OK, style: widget.OK, what: "feed " + m.Feed, text: watts(m.BeforeW) + " " + g.Into + " " + after}
	switch {
	case m.Over:
		l.glyph, l.style, l.text = g.Crit, widget.Crit, l.text+"  OVERLOAD: its breaker carries "+watts(m.LimitW)
	case !m.AfterW.Known || !m.LimitW.Known:
		l.glyph, l.style = g.Unknown, widget.Unknown
		if !m.LimitW.Known {
			l.text += "  its breaker is not known"
		}
	default:
		l.text += "  of " + watts(m.LimitW)
	}
	return l
}

// tight is the share of what a PDU carries for long from which on it is worth a
// line.
const tight = 0.9

// shiftLine holds a PDU against its rating; false where there is nothing to
// fear, or nothing known.
func shiftLine(f Frame, m *trace.Shift) (blastLine, bool) {
	d := f.Snap.Devices.Get(m.PDU)
	if d == nil || !m.AfterW.Known {
		return blastLine{}, false
	}
	limit := capacity.PDULimitW(f.Snap, d)
	share := m.AfterW.Float() / limit
	if !(share >= tight) { // not known is no number
		return blastLine{}, false
	}
	g := f.Theme.Glyphs
	l := blastLine{id: m.PDU, glyph: g.Warn, style: widget.Warn, what: m.PDU, text: watts(m.BeforeW) + " " + g.Into + " " + watts(m.AfterW)}
	if share > 1 {
		l.glyph, l.style, l.text = g.Crit, widget.Crit, l.text+"  OVERLOAD: it carries "+watts(fleet.FromFloat(limit, 0))
		return l, true
	}
	l.text += "  " + percent(share) + " of what it carries"
	return l, true
}

// blastNote counts what is lost, for the frame.
func blastNote(b *trace.Blast) string {
	return strconv.Itoa(len(b.Lost)) + " lost, " + strconv.Itoa(len(b.Degraded)) + " no longer redundant"
}

// blastText says what a failure takes in one line, the worst first.
func blastText(f Frame, b *trace.Blast) (string, widget.Style) {
	var parts []string
	st := widget.OK
	add := func(text string, style widget.Style) {
		parts = append(parts, text)
		if st != widget.Crit {
			st = style
		}
	}
	if len(b.Already) > 0 {
		add(alreadyText(b.Already), widget.Warn)
	}
	if over := overloads(f, b); len(over) == 1 {
		add(over[0]+" overloads", widget.Crit)
	} else if len(over) > 1 {
		add(over[0]+" and "+strconv.Itoa(len(over)-1)+" more overload", widget.Crit)
	}
	below := 0
	for _, h := range b.Services {
		if h.Below {
			below++
		}
	}
	if below > 0 {
		add(fleet.Count(below, "service")+" below floor", widget.Crit)
	}
	if len(b.Lost) == 0 {
		parts = append(parts, "nothing more is lost")
	} else {
		add(trace.ByKind(b.Lost)+" lost", widget.Warn)
	}
	if n := len(b.Degraded); n > 0 {
		add(strconv.Itoa(n)+" no longer redundant", widget.Warn)
	}
	return strings.Join(parts, "; "), st
}

// overloads names the feeds and PDUs that would carry more than they may.
func overloads(f Frame, b *trace.Blast) (over []string) {
	for _, m := range b.Power {
		if m.Over {
			over = append(over, "feed "+m.Feed)
		}
	}
	for i := range b.PDUs {
		if l, ok := shiftLine(f, &b.PDUs[i]); ok && l.style == widget.Crit {
			over = append(over, l.id)
		}
	}
	return over
}

// alreadyText names what need not fail any more.
func alreadyText(ids []string) string {
	if len(ids) == 1 {
		return ids[0] + " is dead already"
	}
	return strconv.Itoa(len(ids)) + " of them are dead already"
}

// drawBlast draws the lines from the top, without a caret.
func drawBlast(f Frame, on widget.Canvas, lines []blastLine) {
	if len(lines) == 0 {
		on.Cut(f.Theme, 0, 0, on.W, "nothing more is lost, and nothing loses redundancy", widget.Dim)
		return
	}
	lines = share(lines, on.H)
	for y := 0; y < on.H && y < len(lines); y++ {
		drawBlastLine(f, on, 0, y, &lines[y])
	}
}

// share shortens the lists so that each has its part of the room, and says how
// many lines are left out.
func share(lines []blastLine, room int) []blastLine {
	heads := 0
	for i := range lines {
		if lines[i].id == "" {
			heads++
		}
	}
	if len(lines) <= room || heads == 0 {
		return lines
	}
	var out []blastLine
	for i, left := 0, heads; i < len(lines); left-- {
		end := i + 1
		for end < len(lines) && lines[end].id != "" {
			end++
		}
		n := min(end-i, max(2, (room-len(out))/left))
		out = append(out, lines[i:i+n]...)
		if rest := end - i - n; rest > 0 {
			out[len(out)-1] = blastLine{what: "and " + strconv.Itoa(rest+1) + " more", style: widget.Dim}
		}
		i = end
	}
	return out
}

func drawBlastLine(f Frame, on widget.Canvas, x, y int, l *blastLine) {
	if l.id == "" {
		on.Cut(f.Theme, x, y, on.W-x, l.what, widget.Dim)
		return
	}
	x = on.Text(x, y, l.glyph, l.style) + 1
	x += max(24, min(30, on.W/3))
	from := x - max(24, min(30, on.W/3))
	on.Cut(f.Theme, from, y, x-from-1, lossName(f, l.what), widget.Link)
	st := l.style
	if st == widget.OK {
		st = widget.Plain
	}
	on.Cut(f.Theme, x, y, on.W-x, l.text, st)
}

// lossName is the name of an instance, whose id says nothing, else the id.
func lossName(f Frame, id string) string {
	if x := f.Snap.Instances.Get(id); x != nil && x.Name != "" {
		return x.Name
	}
	return id
}
