package views

import (
	"slices"
	"strconv"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/keys"
	"plumb/views/widget"
)

// Silences are what people do not want to be told of: what stands or is to come
// first, then what ended within a month.
type Silences struct{ sheet }

// NewSilences returns the silences.
func NewSilences() View { return Silences{} }

// ID implements View.
func (v Silences) ID() string { return "silences" }

// Crumbs implements View.
func (v Silences) Crumbs(Frame) []string { return []string{"alerts", "silences"} }

// Needs implements View.
func (v Silences) Needs(Frame) []fleet.Query { return nil }

type silenceRecord struct {
	f *Frame
	s *fleet.Silence
}

func (r silenceRecord) field(name string) (string, bool) {
	switch name {
	case "by", "who":
		return r.s.By, true
	case "state":
		return silenceState(*r.f, r.s), true
	case "at", "place":
		return r.s.At, true
	}
	return "", false
}

func (r silenceRecord) amount(name string) (float64, bool) {
	if name == "age" {
		return seconds(*r.f, r.s.Start)
	}
	return 0, false
}

func (r silenceRecord) word(w string) bool {
	return holds(r.s.Text(), w) || holds(r.s.Comment, w) || holds(r.s.ID, w)
}

func silenceState(f Frame, s *fleet.Silence) string {
	switch {
	case f.At.Before(s.Start):
		return "to come"
	case s.Covers(f.At):
		return "stands"
	}
	return "ended"
}

func (v Silences) shown(f Frame) (out []fleet.Silence, total int) {
	if f.Snap.Alerts == nil {
		return nil, 0
	}
	flt := parseFilter(v.text)
	for i := range f.Snap.Alerts.Silences {
		if s := &f.Snap.Alerts.Silences[i]; flt.match(silenceRecord{&f, s}) {
			out = append(out, *s)
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Silence) int {
		over, other := !f.At.Before(a.End), !f.At.Before(b.End)
		switch {
		case over && !other:
			return 1
		case other && !over:
			return -1
		case over:
			return b.End.Compare(a.End)
		}
		return a.End.Compare(b.End)
	})
	return out, len(f.Snap.Alerts.Silences)
}

func silenceRows(s []fleet.Silence) rows { return rows{len(s), func(i int) string { return s[i].ID }} }

// Selected implements View.
func (v Silences) Selected(f Frame) (kind, id string) {
	s, _ := v.shown(f)
	return KindSilence, v.list.selected(silenceRows(s))
}

// Handle implements View.
func (v Silences) Handle(f Frame, c keys.Command) (next View, in Intent) {
	s, _ := v.shown(f)
	i := v.list.index(silenceRows(s))
	switch c.ID {
	case "pane.next":
		return NewAlerts(), nil
	case "pane.back":
		return NewEvents(""), nil
	case "enter":
		return v, nil
	case "sort", "sort.reverse":
		return v, Toast{Text: "what ends first stands first"}
	case "alert.unsilence":
		if id := c.Arg(1); id != "" {
			return v, AlertWord{Do: "unsilence", Silence: id, Reason: c.Arg(0)}
		}
		if i < 0 || !f.At.Before(s[i].End) {
			return v, Toast{Text: "end: it has ended"}
		}
		return v, Ask{Label: "end " + s[i].ID + " of " + s[i].By + " now, " + s[i].Text() + ": enter ends it, esc does not", Command: c.ID, With: s[i].ID}
	}
	v.sheet, in = v.handle(f, c, silenceRows(s), 1)
	return v, in
}

var silenceColumns = []widget.Column{
	{Title: "id", Min: 9, Rank: 3}, {Title: "is", Min: 7}, {Title: "ends", Min: 11, Max: 14}, {Title: "by", Min: 6, Max: 14, Rank: 1}, {Title: "now", Min: 3, Right: true, Rank: 2},
	{Title: "covers", Min: 18, Max: 70}, {Title: "reason", Min: 14, Max: 70, Rank: 1},
}

// Draw implements View.
func (v Silences) Draw(f Frame, on widget.Canvas) {
	s, total := v.shown(f)
	if total == 0 {
		in := widget.Box(on, f.Theme, "silences", "", true)
		drawEmpty(f, in, "nothing is silenced", "Z on an alert, a device or a rack makes a silence, M a maintenance of a place and all in it; tab shows the alerts")
		return
	}
	v.draw(f, on, look{title: "silences and maintenance", noun: "silence", columns: silenceColumns, total: total, plain: true}, silenceRows(s), func(on widget.Canvas, row, col int) {
		silenceCell(f, on, &s[row], silenceColumns[col].Title)
	})
}

func silenceCell(f Frame, on widget.Canvas, s *fleet.Silence, column string) {
	over := !f.At.Before(s.End)
	st := widget.Plain
	if over {
		st = widget.Dim
	}
	switch column {
	case "id":
		on.Cut(f.Theme, 0, 0, on.W, s.ID, st)
	case "is":
		on.Cut(f.Theme, 0, 0, on.W, silenceState(f, s), boldIf(!over, st))
	case "ends":
		text := "in " + span(s.End.Sub(f.At))
		if over {
			text = span(f.At.Sub(s.End)) + " ago"
		}
		on.Cut(f.Theme, 0, 0, on.W, text, st)
	case "by":
		on.Cut(f.Theme, 0, 0, on.W, s.By, st)
	case "now":
		if !over {
			on.CutRight(f.Theme, 0, 0, on.W, strconv.Itoa(len(alert.Covered(f.Snap, s))), st)
		}
	case "covers":
		on.Cut(f.Theme, 0, 0, on.W, s.Text(), st)
	case "reason":
		on.Cut(f.Theme, 0, 0, on.W, s.Comment, st)
	}
}
