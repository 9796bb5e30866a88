package views

import (
	"cmp"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Devices is every device in one table, with the one under the caret beside it
// where there is room.
type Devices struct {
	sheet
	memo *rowMemo[int]
}

// NewDevices returns the table of devices with a filter.
func NewDevices(filter string) View { return Devices{sheet{text: filter}, &rowMemo[int]{}} }

var deviceColumns = []widget.Column{
	{Title: "", Min: 1},
	{Title: "device", Min: 14, Max: 24, Name: true},
	{Title: "kind", Min: 6, Max: 7, Rank: 5, Name: true},
	{Title: "model", Min: 8, Max: 14, Rank: 8, Name: true},
	{Title: "rack", Min: 8, Max: 12, Rank: 3, Name: true},
	{Title: "U", Min: 3, Max: 4, Rank: 6, Right: true},
	{Title: "power", Min: 5, Max: 7, Rank: 7, Name: true},
	{Title: "watts", Min: 6, Rank: 2, Right: true},
	{Title: "inlet", Min: 5, Rank: 4, Right: true},
	{Title: "seen", Min: 5, Rank: 3, Right: true},
	{Title: "why", Min: 28, Max: 90, Rest: true, Rank: 1, Name: true},
	{Title: "owner", Min: 10, Max: 14, Rank: 9, Name: true},
	{Title: "env", Min: 5, Max: 8, Rank: 10, Name: true},
	{Title: "firmware", Min: 8, Max: 12, Rank: 11, Name: true},
	{Title: "serial", Min: 9, Max: 14, Rank: 12, Name: true},
}

// shown returns the dense numbers of the devices that the filter lets through,
// sorted.
func (v Devices) shown(f Frame) []int {
	return v.memo.of(f, v.sheet, func(to []int, flt *filter) []int {
		for n := range f.Snap.Devices.Len() {
			if flt.match(deviceRecord{&f, f.Snap.Devices.At(n)}) {
				to = append(to, n)
			}
		}
		sortDevices(f, to, deviceColumns[v.sort], v.sign())
		return to
	})
}

// sortDevices orders by a column, turned around where sign is negative: states fall from the worst, numbers from the largest, names rise.
func sortDevices(f Frame, r []int, c widget.Column, sign int) {
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
func (v Devices) Needs(f Frame) []fleet.Query { return cardNeeds(f, v.list.selected(v.rows(f))) }

func (v Devices) rows(f Frame) rows {
	r := v.shown(f)
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
func (v Devices) Handle(f Frame, c keys.Command) (next View, in Intent) {
	v.sheet, in = v.handle(f, c, v.rows(f), len(deviceColumns))
	return v, in
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
	r := v.shown(f)
	v.draw(f, left, look{title: "devices", noun: "device", kind: KindDevice, columns: deviceColumns, total: f.Snap.Devices.Len(), marks: len(f.Marks),
		marked: func(row int) bool { return f.Marks[f.Snap.Devices.ID(r[row])] }}, v.rows(f),
		func(on widget.Canvas, row, col int) { deviceCell(f, on, r[row], deviceColumns[col].Title) })
}
