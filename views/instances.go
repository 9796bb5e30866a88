package views

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Instances is every instance in one table, with the host it stands on.
type Instances struct {
	sheet
	memo *rowMemo[int]
}

// NewInstances returns the table of instances with a filter.
func NewInstances(filter string) View { return Instances{sheet{text: filter}, &rowMemo[int]{}} }

var instanceColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "instance", Min: 17, Max: 28, Name: true}, {Title: "service", Min: 8, Max: 16, Rank: 2, Name: true},
	{Title: "run", Min: 7, Max: 10, Rank: 1, Name: true}, {Title: "host", Min: 12, Max: 22, Rank: 1, Name: true}, {Title: "rack", Min: 8, Max: 12, Rank: 5, Name: true},
	{Title: "zone", Min: 6, Max: 12, Rank: 4, Name: true}, {Title: "type", Min: 8, Max: 14, Rank: 6, Name: true}, {Title: "cloud", Min: 8, Max: 14, Rank: 7, Name: true},
	{Title: "why", Min: 20, Max: 90, Rest: true, Rank: 3, Name: true}, {Title: "id", Min: 12, Max: 36, Rank: 8, Name: true},
}

// instanceField is an instance's text by the name columns and filters use.
func instanceField(f *Frame, i *fleet.InstanceState, name string) (string, bool) {
	switch name {
	case "instance", "name":
		return i.Name, true
	case "id":
		return i.ID, true
	case "state":
		return i.State.String(), true
	case "service":
		return i.Service, true
	case "run":
		return i.RunState, true
	case "host":
		return i.Host, true
	case "rack":
		if i.Device >= 0 && i.Device < f.Snap.Devices.Len() {
			return f.Snap.Devices.At(i.Device).Spec.Rack, true
		}
		return "", true
	case "zone":
		return i.Zone, true
	case "type":
		return i.Type, true
	case "cloud":
		return i.Cloud, true
	case "region":
		return i.Region, true
	case "group":
		return i.PlacementGroup, true
	case "why":
		if len(i.Reasons) > 0 {
			return i.Reasons[0], true
		}
		return "", true
	}
	v, ok := i.Tags[name]
	return v, ok
}

type instanceRecord struct {
	f *Frame
	i *fleet.InstanceState
}

func (r instanceRecord) field(name string) (string, bool) { return instanceField(r.f, r.i, name) }

func (r instanceRecord) amount(name string) (float64, bool) {
	if name == "age" {
		return seconds(*r.f, r.i.LaunchedAt)
	}
	return 0, false
}

func (r instanceRecord) word(w string) bool {
	return holds(r.i.Name, w) || holds(r.i.ID, w) || holds(r.i.Host, w) || holds(r.i.Service, w)
}

// shown returns the dense numbers of the instances that the filter lets
// through, sorted.
func (v Instances) shown(f Frame) []int {
	return v.memo.of(f, v.sheet, func(to []int, flt *filter) []int {
		for n := range f.Snap.Instances.Len() {
			if flt.match(instanceRecord{&f, f.Snap.Instances.At(n)}) {
				to = append(to, n)
			}
		}
		column := instanceColumns[v.sort].Title
		slices.SortStableFunc(to, func(a, b int) int {
			x, y := f.Snap.Instances.At(a), f.Snap.Instances.At(b)
			if column == "" {
				return v.sign() * worse(x.State, y.State)
			}
			s, _ := instanceField(&f, x, column)
			t, _ := instanceField(&f, y, column)
			return v.sign() * strings.Compare(s, t)
		})
		return to
	})
}

// ID implements View.
func (v Instances) ID() string { return "instances" }

// Crumbs implements View.
func (v Instances) Crumbs(Frame) []string { return []string{"services", "instances"} }

// Needs implements View.
func (v Instances) Needs(Frame) []fleet.Query { return nil }

func (v Instances) rows(f Frame) rows {
	r := v.shown(f)
	return rows{len(r), func(i int) string { return f.Snap.Instances.ID(r[i]) }}
}

// Selected implements View.
func (v Instances) Selected(f Frame) (kind, id string) {
	return KindInstance, v.list.selected(v.rows(f))
}

// Handle implements View.
func (v Instances) Handle(f Frame, c keys.Command) (next View, in Intent) {
	v.sheet, in = v.handle(f, c, v.rows(f), len(instanceColumns))
	return v, in
}

// Draw implements View.
func (v Instances) Draw(f Frame, on widget.Canvas) {
	r := v.shown(f)
	v.draw(f, on, look{title: "instances", noun: "instance", kind: KindInstance, columns: instanceColumns, total: f.Snap.Instances.Len(), marks: len(f.Marks),
		marked: func(row int) bool { return f.Marks[f.Snap.Instances.ID(r[row])] }}, v.rows(f),
		func(on widget.Canvas, row, col int) {
			instanceCell(f, on, f.Snap.Instances.At(r[row]), instanceColumns[col].Title)
		})
}

func instanceCell(f Frame, on widget.Canvas, i *fleet.InstanceState, column string) {
	text, _ := instanceField(&f, i, column)
	switch column {
	case "":
		on.Glyph(f.Theme, 0, 0, i.State)
	case "why":
		on.Cut(f.Theme, 0, 0, on.W, text, widget.StateStyle(i.State))
	case "host":
		st := widget.Link
		if text == "" {
			text, st = "not visible", widget.Unknown
		}
		on.Cut(f.Theme, 0, 0, on.W, text, st)
	case "instance", "run":
		on.Cut(f.Theme, 0, 0, on.W, or(text), widget.Plain)
	default:
		on.Cut(f.Theme, 0, 0, on.W, or(text), widget.Dim)
	}
}
