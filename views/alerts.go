package views

import (
	"slices"
	"strconv"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Alerts is whom plumb calls, and about what: alerts and events on one axis of
// time, and the selected alert in full where there is room.
type Alerts struct {
	sheet
	open  []string // ids of the alerts whose held ones are listed, in order
	still bool     // on a wall: no caret, and none of them in full
	memo  *alertMemo
}

// NewAlerts returns the alerts.
func NewAlerts() View { return Alerts{memo: &alertMemo{}} }

// ID implements View.
func (v Alerts) ID() string { return "alerts" }

// Crumbs implements View.
func (v Alerts) Crumbs(Frame) []string { return []string{"alerts"} }

// besideW is the width from which the selected alert stands beside the list.
const besideW = 150

// Needs implements View.
func (v Alerts) Needs(f Frame) []fleet.Query {
	q := []fleet.Query{alertEvents()}
	if a := v.at(f); a != nil && f.Width >= besideW {
		q = append(q, alertNeeds(a)...)
	}
	return q
}

func alertRows(r []alertRow) rows {
	return rows{len(r), func(i int) string { return r[i].ID() }}
}

// at is the alert that the caret stands on, or nil.
func (v Alerts) at(f Frame) *fleet.Alert {
	r := v.shown(f).rows
	if i := v.list.index(alertRows(r)); i >= 0 {
		return r[i].Alert
	}
	return nil
}

// Selected implements View.
func (v Alerts) Selected(f Frame) (kind, id string) {
	if a := v.at(f); a != nil {
		return KindAlert, a.ID()
	}
	return "", ""
}

// Handle implements View.
func (v Alerts) Handle(f Frame, c keys.Command) (next View, in Intent) {
	r := v.shown(f).rows
	i := v.list.index(alertRows(r))
	switch c.ID {
	case "pane.next":
		return NewEvents(""), nil
	case "pane.back":
		return NewSilences(), nil
	case "sort", "sort.reverse":
		return v, Toast{Text: "what waits for somebody stands first, the worst and newest of it on top"}
	case "enter", "move.right":
		switch {
		case i < 0:
		case r[i].holds > 0 && !r[i].open:
			return v.unfold(r[i].ID()), Toast{Text: "it explains " + fleet.Count(r[i].holds, "alert") + "; left folds them, enter again opens its page"}
		case c.ID == "enter":
			return v, Open{View: NewAlert(r[i].ID())}
		}
		return v, nil
	case "move.left":
		return v.foldAt(r, i), nil
	}
	v.sheet, in = v.handle(f, c, alertRows(r), 1)
	return v, in
}

func (v Alerts) unfold(id string) Alerts {
	v.open = append(slices.Clone(v.open), id)
	return v
}

// foldAt folds what hangs on a row, or on the row that it hangs on.
func (v Alerts) foldAt(r []alertRow, i int) Alerts {
	for i >= 0 && !r[i].open {
		if r[i].depth == 0 {
			return v
		}
		i--
	}
	if i < 0 {
		return v
	}
	id := r[i].ID()
	v.open = slices.DeleteFunc(slices.Clone(v.open), func(x string) bool { return x == id })
	v.list = v.list.to(i, alertRows(r))
	return v
}

// Draw implements View.
func (v Alerts) Draw(f Frame, on widget.Canvas) {
	m := v.shown(f)
	if f.Snap.Alerts == nil {
		in := widget.Box(on, f.Theme, "alerts", "", true)
		drawEmpty(f, in, "no rule has looked yet", "alerts come with the first polls; tab shows the events")
		return
	}
	if on.H >= 14 {
		h := axisHeight(on, m)
		drawAxis(f, on.Sub(0, 0, on.W, h), m)
		on = on.Sub(0, h, on.W, on.H-h)
	}
	left := on
	if on.W >= besideW && !v.still {
		left = on.Sub(0, 0, on.W*58/100, on.H)
		right := on.Sub(left.W, 0, on.W-left.W, on.H)
		if a := v.at(f); a != nil {
			drawAlert(f, right, a, 0)
		} else {
			widget.Box(right, f.Theme, "alert", "", false)
		}
	}
	if h := left.H / 3; left.W >= 80 && left.H >= 24 {
		events, _ := Events{}.all(f)
		in := widget.Box(left.Sub(0, left.H-h, left.W, h), f.Theme, "events on the same axis", "", false)
		drawEventLines(f, in, events)
		left = left.Sub(0, 0, left.W, left.H-h)
	}
	v.drawList(f, left, m)
}

func (v Alerts) drawList(f Frame, on widget.Canvas, m *alertMemo) {
	if m.total == 0 {
		in := widget.Box(on, f.Theme, "alerts", "", true)
		drawEmpty(f, in, "nobody is called", "no alert fires or pends, and none was over within a quarter of an hour; tab shows the events")
		return
	}
	note := ""
	if m.held > 0 {
		note = strconv.Itoa(m.held) + " held"
	}
	v.draw(f, on, look{title: "alerts", before: waitingText(f), after: note, noun: "alert", columns: alertColumns, total: max(len(m.rows), m.total*min(1, len(v.text))), plain: true, still: v.still, marks: len(f.Marks),
		marked: func(row int) bool { return len(f.Marks) > 0 && f.Marks[m.rows[row].ID()] }}, alertRows(m.rows),
		func(on widget.Canvas, row, col int) { alertCell(f, on, &m.rows[row], alertColumns[col].Title) })
}

// waitingText says how many alerts wait for somebody.
func waitingText(f Frame) string {
	n := 0
	for _, k := range f.Snap.Alerts.Waiting {
		n += k
	}
	if n == 0 {
		return "none waits"
	}
	return strconv.Itoa(n) + " wait"
}
