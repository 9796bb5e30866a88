package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Devices is every device in one table, with the one under the caret beside it
// where there is room.
type Devices struct {
	text string // the filter
	sort int
	desc bool
	list list
	memo *deviceRows
}

// NewDevices returns the table of devices with a filter.
func NewDevices(filter string) View { return Devices{text: filter, memo: &deviceRows{}} }

var deviceColumns = []widget.Column{
	{Title: "", Min: 1},
	{Title: "device", Min: 14, Max: 24, Name: true},
	{Title: "kind", Min: 6, Max: 7, Rank: 4, Name: true},
	{Title: "model", Min: 8, Max: 14, Rank: 8, Name: true},
	{Title: "rack", Min: 8, Max: 12, Rank: 3, Name: true},
	{Title: "U", Min: 3, Max: 4, Rank: 6, Right: true},
	{Title: "power", Min: 5, Max: 7, Rank: 7, Name: true},
	{Title: "watts", Min: 6, Rank: 2, Right: true},
	{Title: "inlet", Min: 5, Rank: 5, Right: true},
	{Title: "seen", Min: 5, Rank: 3, Right: true},
	{Title: "why", Min: 22, Max: 70, Rank: 1, Name: true},
	{Title: "owner", Min: 10, Max: 14, Rank: 9, Name: true},
	{Title: "env", Min: 5, Max: 8, Rank: 10, Name: true},
	{Title: "firmware", Min: 8, Max: 12, Rank: 11, Name: true},
	{Title: "serial", Min: 9, Max: 14, Rank: 12, Name: true},
}

// deviceRows is what the filter let through, sorted, kept for one snapshot.
type deviceRows struct {
	snap *fleet.Snapshot
	text string
	sort int
	desc bool
	rows []int
}

func (m *deviceRows) of(f Frame, text string, column int, desc bool) []int {
	if m.snap == f.Snap && m.text == text && m.sort == column && m.desc == desc {
		return m.rows
	}
	m.snap, m.text, m.sort, m.desc, m.rows = f.Snap, text, column, desc, m.rows[:0]
	flt := parseFilter(text)
	for n := range f.Snap.Devices.Len() {
		if len(flt.terms) == 0 || flt.match(deviceRecord{&f, f.Snap.Devices.At(n)}) {
			m.rows = append(m.rows, n)
		}
	}
	sortDevices(f, m.rows, deviceColumns[column], desc)
	return m.rows
}

// sortDevices orders by a column; "desc" turns its natural order around.
// States fall from the worst, numbers from the largest, names rise.
func sortDevices(f Frame, r []int, c widget.Column, desc bool) {
	sign := 1
	if desc {
		sign = -1
	}
	num := func(n int) float64 {
		d := f.Snap.Devices.At(n)
		switch c.Title {
		case "seen":
			return -float64(d.SeenAt.UnixNano())
		case "U":
			return float64(d.Spec.Unit)
		case "inlet":
			return d.InletC.Float()
		}
		return d.PowerW.Float()
	}
	slices.SortStableFunc(r, func(a, b int) int {
		x, y := f.Snap.Devices.At(a), f.Snap.Devices.At(b)
		switch {
		case c.Title == "":
			return sign * worse(x.State, y.State)
		case c.Title == "device":
			return sign * strings.Compare(x.Spec.Name, y.Spec.Name)
		case !c.Name:
			return sign * cmp.Compare(num(b), num(a)) // NaN sorts last
		}
		s, _ := deviceField(f, x, c.Title)
		t, _ := deviceField(f, y, c.Title)
		return sign * strings.Compare(s, t)
	})
}

// ID implements View.
func (v Devices) ID() string { return "devices" }

// Crumbs implements View.
func (v Devices) Crumbs(Frame) []string { return []string{"devices"} }

// Needs implements View.
func (v Devices) Needs(Frame) []fleet.Query { return nil }

func (v Devices) filterText() string { return v.text }

func (v Devices) rows(f Frame) rows {
	r := v.memo.of(f, v.text, v.sort, v.desc)
	return rows{len(r), func(i int) string { return f.Snap.Devices.ID(r[i]) }}
}

// Selected implements View.
func (v Devices) Selected(f Frame) (kind, id string) { return KindDevice, v.list.selected(v.rows(f)) }

// Rows returns the ids of the rows in their order, for marking a range.
func (v Devices) Rows(f Frame) []string {
	r := v.rows(f)
	out := make([]string, r.n)
	for i := range out {
		out[i] = r.id(i)
	}
	return out
}

// Handle implements View.
func (v Devices) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "sort":
		v.list = v.list.to(v.list.index(v.rows(f)), v.rows(f))
		v.sort, v.desc = (v.sort+1)%len(deviceColumns), false
	case "sort.reverse":
		v.desc = !v.desc
	case "filter.set":
		v.text = c.Arg(0)
	case "back":
		if v.text != "" {
			v.text = ""
			return v, Toast{Text: "filter cleared"}
		}
	default:
		v.list, _ = v.list.move(c, v.rows(f), page(f))
	}
	return v, nil
}

// Draw implements View.
func (v Devices) Draw(f Frame, on widget.Canvas) {
	left := on
	if on.W >= 160 {
		left = on.Sub(0, 0, on.W-62, on.H)
		if d := f.Snap.Devices.Get(v.list.selected(v.rows(f))); d != nil {
			drawDeviceCard(f, on.Sub(left.W, 0, on.W-left.W, on.H), d, false)
		}
	}
	r := v.memo.of(f, v.text, v.sort, v.desc)
	in := widget.Box(left, f.Theme, "devices", tableNote(len(r), f.Snap.Devices.Len(), v.text, len(f.Marks)), true)
	if len(r) == 0 {
		drawNoRows(f, in, f.Snap.Devices.Len(), v.text, "device")
		return
	}
	at := v.list.index(v.rows(f))
	widget.Table{Columns: deviceColumns, Rows: len(r), At: at, Focus: true, Sort: v.sort, Desc: v.desc,
		Marked: func(row int) bool { return f.Marks[f.Snap.Devices.ID(r[row])] }}.Draw(in, f.Theme,
		func(on widget.Canvas, row, col int) { deviceCell(f, on, r[row], deviceColumns[col].Title) })
	widget.Scroll(in.Sub(0, 1, in.W, in.H-1), f.Theme, len(r), at)
}

// tableNote says how many rows are shown of how many, and why.
func tableNote(n, total int, filter string, marks int) string {
	s := strconv.Itoa(n)
	if n != total {
		s += " of " + strconv.Itoa(total)
	}
	if filter != "" {
		s += "  / " + filter
	}
	if marks > 0 {
		s += "  " + strconv.Itoa(marks) + " marked"
	}
	return s
}

// drawNoRows says why a table is empty.
func drawNoRows(f Frame, on widget.Canvas, total int, filter, noun string) {
	if total > 0 && filter != "" {
		drawEmpty(f, on, "no "+noun+" matches / "+filter, "esc clears the filter")
		return
	}
	drawEmpty(f, on, "no "+noun+" is known", "none in the inventory and none has been seen yet")
}
