package views

import (
	"strconv"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Racks is the floor plan with the elevation of one rack and, where there is
// room, the device under the caret.
type Racks struct {
	region, rack string
	paint        Paint
	scale        widget.Scale
	rear         bool
	plan         bool   // the caret is on the floor plan
	list         list   // devices, and free space as "free:UNIT"
	offer        *offer // units that were found for something; nil: none
	memo         *racksMemo
}

type racksMemo struct {
	grid   grid
	slots  []widget.Slot
	places []widget.Place
}

// NewRacks returns the racks of a region with one rack open; empty ids take
// the first.
func NewRacks(region, rack string) View {
	return Racks{region: region, rack: rack, memo: &racksMemo{}}
}

// ID implements View.
func (v Racks) ID() string { return "racks" }

// at returns the open rack, or nil where there is none at all.
func (v Racks) at(f Frame) *fleet.Rack {
	if r := f.Snap.Racks.Get(v.rack); r != nil {
		return r
	}
	if f.Snap.Topology != nil {
		if of := f.Snap.RacksOf[v.region]; len(of) > 0 {
			return f.Snap.Racks.At(of[0])
		}
	}
	return f.Snap.Racks.Get(v.memo.grid.step(f, "", 0, 0))
}

// Crumbs implements View.
func (v Racks) Crumbs(f Frame) []string {
	r := v.at(f)
	if r == nil {
		return []string{"racks"}
	}
	c := []string{"racks", r.Spec.Region, r.Spec.Site}
	if r.Spec.Row != "" {
		c = append(c, "row "+r.Spec.Row)
	}
	return append(c, r.Spec.Name)
}

// Needs implements View.
func (v Racks) Needs(f Frame) []fleet.Query {
	_, id := v.Selected(f)
	if f.Width < 100 { // no card
		return cardNeeds(f, id)
	}
	return append(cardNeeds(f, id), capacityNeeds...)
}

// slots lays the open rack out for a height.
func (v Racks) slots(f Frame, room int) []widget.Slot {
	r, m := v.at(f), v.memo
	if r == nil {
		m.slots = m.slots[:0]
		return nil
	}
	m.places = m.places[:0]
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		d := f.Snap.Devices.At(n)
		s := d.Spec
		if s.Unit <= 0 || !v.shows(s) {
			continue
		}
		fold := ""
		if d.State == fleet.StateOK && !d.Maintenance && d.DriftOpen == 0 {
			fold = string(s.Kind) + strconv.Itoa(int(s.Height))
		}
		m.places = append(m.places, widget.Place{Low: int(s.Unit), Height: max(1, int(s.Height)), Item: n, Fold: fold})
	}
	m.slots = widget.Elevation(m.slots, r.Spec.Units, m.places, v.scale, room)
	return m.slots
}

// shows reports whether a device is seen from this side: what is deep shows on
// both, the rest on its own face.
func (v Racks) shows(s *fleet.DeviceSpec) bool {
	rear := s.Face == "rear"
	return rear == v.rear || s.Depth == "full"
}

// beside lists what hangs in the rack without a unit: PDUs, mostly.
func (v Racks) beside(f Frame) []int {
	r := v.at(f)
	if r == nil {
		return nil
	}
	var out []int
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		if f.Snap.Devices.At(n).Spec.Unit <= 0 {
			out = append(out, n)
		}
	}
	return out
}

// rows is what the caret moves over: the slots, then what hangs beside.
func (v Racks) rows(f Frame) rows {
	side := v.beside(f)
	slots := v.slots(f, elevationRoom(f)-len(side))
	return rows{len(slots) + len(side), func(i int) string {
		if i >= len(slots) {
			return f.Snap.Devices.ID(side[i-len(slots)])
		}
		if slots[i].Free() {
			return "free:" + strconv.Itoa(slots[i].High)
		}
		return f.Snap.Devices.ID(slots[i].Item)
	}}
}

// Selected implements View.
func (v Racks) Selected(f Frame) (kind, id string) {
	if r := v.at(f); v.plan && r != nil {
		return KindRack, r.Spec.ID
	}
	id = v.caret(f).selected(v.rows(f))
	if f.Snap.Devices.Get(id) == nil {
		return "", ""
	}
	return KindDevice, id
}

// caret is where the caret stands: before it was moved, on the worst device of
// the rack that a person should look at.
func (v Racks) caret(f Frame) list {
	if v.list != (list{}) {
		return v.list
	}
	r, slots := v.rows(f), v.memo.slots
	best := -1
	for i, s := range slots {
		if s.Free() || !wrong(f.Snap.Devices.At(s.Item)) {
			continue
		}
		if best < 0 || worse(f.Snap.Devices.At(s.Item).State, f.Snap.Devices.At(slots[best].Item).State) < 0 {
			best = i
		}
	}
	if best < 0 {
		return v.list
	}
	return list{}.to(best, r)
}

// rescaled goes to the next scale that looks different.
func (v Racks) rescaled(f Frame) Racks {
	if v.scale != widget.Auto {
		v.scale = (v.scale + 1) % widget.NumScales
		return v
	}
	v.scale = widget.True
	if r := v.at(f); r != nil && widget.Auto.In(r.Spec.Units, elevationRoom(f)-len(v.beside(f))) == widget.True {
		v.scale = widget.Folded
	}
	return v
}

// unfold opens a line that stands for several devices; a single one is left to
// be followed.
func (v Racks) unfold(f Frame) (View, Intent) {
	r := v.rows(f)
	i := v.caret(f).index(r)
	if i < 0 || i >= len(v.memo.slots) || v.memo.slots[i].Count < 2 {
		return v, nil
	}
	id := r.id(i)
	v.scale = widget.True
	v.list = list{id: id}
	return v, Toast{Text: "unfolded; z folds again"}
}

// Handle implements View.
func (v Racks) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "scale":
		v = v.rescaled(f)
	case "face":
		v.rear = !v.rear
	case "paint":
		v.paint = (v.paint + 1) % numPaints
	case "pane.next", "pane.back":
		v.plan = !v.plan
	case "enter":
		if v.plan {
			v.plan = false
			return v, Toast{Text: "in the rack; tab goes back to the floor"}
		}
		return v.unfold(f)
	case "move.left", "move.right":
		dx := 1
		if c.ID == "move.left" {
			dx = -1
		}
		v = v.walk(f, dx, 0)
	default:
		if v.plan && (c.ID == "move.up" || c.ID == "move.down") {
			dy := 1
			if c.ID == "move.up" {
				dy = -1
			}
			return v.walk(f, 0, dy), nil
		}
		v.list, _ = v.moved(f, c)
	}
	return v, nil
}

// moved steps over the lines of a device of several units as one.
func (v Racks) moved(f Frame, c keys.Command) (list, bool) {
	r := v.rows(f)
	was := v.caret(f).selected(r)
	l, ok := v.caret(f).move(c, r, page(f))
	for i := l.at; ok && i > 0 && i < r.n-1 && l.selected(r) == was && was != ""; {
		switch c.ID {
		case "move.down":
			i++
		case "move.up":
			i--
		default:
			return l, ok
		}
		l = l.to(i, r)
	}
	return l, ok
}

func (v Racks) walk(f Frame, dx, dy int) Racks {
	if r := v.at(f); r != nil {
		v.rack, v.list = v.memo.grid.step(f, r.Spec.ID, dx, dy), list{}
		if n := f.Snap.Racks.Get(v.rack); n != nil {
			v.region = n.Spec.Region
		}
	}
	return v
}
