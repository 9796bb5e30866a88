package views

import (
	"strconv"

	"plumb/fleet"
	"plumb/views/widget"
)

// attention is one row of the list under the regions. The list says what the
// verdict says, in its order: a cause, and under it some of what it explains; or
// the things of a group that nothing explains, each by itself.
type attention struct {
	line  *troubleLine
	kind  string      // of what other views call it
	id    string      // of the page it leads to; "" is that of the line itself, or of the rest of it
	name  string      // where it is no device as a whole; "": the device's, or the line's
	text  string      // what to say of it; "": the device's verdict, or the line's
	dev   int         // dense number of the device that is, or that it is a piece of; -1: none
	state fleet.State // of an effect
	deep  bool        // it is an effect of the line's cause
	rest  int         // effects that have no row of their own; the row says how many
}

// effectsShown is how many effects of a cause have a row: as many as leave the
// other findings in sight, but one at least. One more is shown in the place of
// "and 1 more".
func (t *troubles) effectsShown(f Frame) int {
	causes := 0
	for i := range t.lines {
		if t.lines[i].cause != nil {
			causes++
		}
	}
	const most = 8
	room := f.Height/3 - len(t.lines) - 2*causes
	return min(max(room/max(causes, 1), 1), most)
}

// lay makes the rows of all lines.
func (t *troubles) lay(f Frame) {
	t.few = t.effectsShown(f)
	for i := range t.lines {
		l := &t.lines[i]
		switch {
		case l.cause != nil:
			t.layCause(f, l)
		case len(l.group.devices) == 0:
			t.rows = append(t.rows, attention{line: l, dev: deviceOfPart(f, l.group.id)})
		}
		if l.group != nil {
			for _, n := range l.group.devices {
				t.rows = append(t.rows, attention{line: l, kind: KindDevice, id: f.Snap.Devices.ID(n), dev: n})
			}
		}
	}
}

// layCause makes the rows of a cause: itself, its worst effects, and how many
// more there are.
func (t *troubles) layCause(f Frame, l *troubleLine) {
	x := l.cause
	t.rows = append(t.rows, attention{line: l, dev: deviceOfPart(f, x.ID)})
	effects := make([]attention, 0, len(x.Explains))
	for _, id := range x.Explains {
		if r, ok := effectOf(f, l, id); ok {
			effects = append(effects, r)
		}
	}
	shown := effects
	if len(effects) > t.few+1 {
		shown = worstFew(effects, t.few)
	}
	t.rows = append(t.rows, shown...)
	if rest := len(effects) - len(shown); rest > 0 {
		t.rows = append(t.rows, attention{line: l, dev: -1, deep: true, rest: rest})
	}
}

// effectOf is the row of one thing that a cause explains; false for the cause
// itself. It looks into the tables and asks no graph: a fleet screen is drawn
// before there is one.
func effectOf(f Frame, l *troubleLine, id string) (attention, bool) {
	s := f.Snap
	r := attention{line: l, id: id, kind: KindDevice, dev: -1, state: fleet.StateUnknown, deep: true}
	if h := s.Hosts.Get(id); h != nil && h.Device >= 0 { // a hypervisor is the machine that it runs on
		r.id, r.name, r.state, r.text = s.Devices.ID(h.Device), "host "+id, h.State, "the hypervisor on "+s.Devices.ID(h.Device)
		return r, true
	}
	if x := s.Instances.Get(id); x != nil {
		r.kind, r.name, r.state, r.text = KindInstance, "instance "+or(x.Name), x.State, "runs on "+or(x.Host)
	} else if x := s.Services.Get(id); x != nil {
		r.kind, r.name, r.state, r.text = KindService, "service "+id, x.State, firstOf(x.Reasons)
	} else if x := s.Feeds.Get(id); x != nil {
		r.kind, r.name, r.state, r.text = KindFeed, "feed "+id, x.State, firstOf(x.Reasons)
	} else if r.dev = deviceOfPart(f, id); r.dev >= 0 {
		r.id, r.state = s.Devices.ID(r.dev), s.Devices.At(r.dev).State
		if id != r.id { // a piece of it
			r.name = id
		}
	} else {
		r.kind, r.id, r.name = "", "", id
	}
	return r, id != l.cause.ID
}

// worstFew picks n of many effects: machines that are crit, then other machines,
// then what is no machine. A cause may explain thousands, and they are not
// sorted for the few that are seen.
func worstFew(list []attention, n int) []attention {
	out := make([]attention, 0, n)
	for rank := range 3 {
		for i := range list {
			r := &list[i]
			is := 2
			if r.dev >= 0 && r.name == "" {
				is = 1
				if r.state == fleet.StateCrit {
					is = 0
				}
			}
			if len(out) < n && is == rank {
				out = append(out, *r)
			}
		}
	}
	return out
}

func deviceOfPart(f Frame, id string) int { return f.Snap.Devices.Number(hostOf(id)) }

// key names a row for the caret.
func (r *attention) key() string {
	key := r.line.key() + " > " + r.kind + " " + r.name + " " + r.id
	if r.rest > 0 {
		key += "..."
	}
	return key
}

// subject is what a row is about, as other views know it. The rest of a cause
// is the cause: its trace has them all.
func (r *attention) subject(f Frame) (kind, id string) {
	if r.id == "" {
		return r.line.subject(f)
	}
	return r.kind, r.id
}

// whole reports whether the row is about a device as a whole, and so has all
// that a row of devices has.
func (r *attention) whole(f Frame) bool {
	if r.dev < 0 || r.name != "" {
		return false
	}
	return r.id != "" || r.line.cause != nil && r.line.cause.ID == f.Snap.Devices.ID(r.dev)
}

// attentionCell draws one cell, by the column's title.
func attentionCell(f Frame, on widget.Canvas, t *troubles, row int, column string) {
	r := &t.rows[row]
	switch {
	case column == "device", column == "what":
		r.drawName(f, on)
	case column == "why":
		r.drawWhy(f, on, t)
	case column == "" && r.rest > 0:
	case column == "" && !r.whole(f):
		state := r.line.state
		if r.deep {
			state = r.state
		}
		on.Glyph(f.Theme, 0, 0, state)
	case r.dev >= 0:
		deviceCell(f, on, r.dev, column)
	case column == "rack" && r.line.group != nil:
		on.Cut(f.Theme, 0, 0, on.W, r.line.group.where, widget.Dim)
	}
}

// drawName draws what a row is about; an effect stands under its cause.
func (r *attention) drawName(f Frame, on widget.Canvas) {
	if r.deep {
		on = on.Sub(2, 0, on.W-2, 1)
	}
	switch {
	case r.rest > 0:
		on.Cut(f.Theme, 0, 0, on.W, "and "+strconv.Itoa(r.rest)+" more", widget.Dim)
	case r.whole(f):
		deviceCell(f, on, r.dev, "device")
	case r.name != "":
		on.Cut(f.Theme, 0, 0, on.W, r.name, widget.Plain)
	case r.line.cause != nil:
		on.Cut(f.Theme, 0, 0, on.W, causeName(r.line.cause), widget.Plain)
	default:
		on.Cut(f.Theme, 0, 0, on.W, r.line.group.who(f), widget.Plain)
	}
}

// drawWhy draws what is wrong with it.
func (r *attention) drawWhy(f Frame, on widget.Canvas, t *troubles) {
	switch c := r.line.cause; {
	case r.rest > 0:
		on.Cut(f.Theme, 0, 0, on.W, "explained by "+c.ID+"; enter lists them", widget.Dim)
	case r.deep && r.text != "":
		on.Cut(f.Theme, 0, 0, on.W, r.text, widget.Dim)
	case r.id == "" && !r.deep && c != nil:
		x := on.Cut(f.Theme, 0, 0, on.W, "explains "+t.why.share(c), widget.Bold) + 2
		on.Cut(f.Theme, x, 0, on.W-x, firstOf(c.Evidence), widget.StateStyle(r.line.state))
	case r.dev >= 0 && r.id != "" && !(r.line.group != nil && r.line.group.remains):
		deviceCell(f, on, r.dev, "why")
	case r.line.group != nil:
		on.Cut(f.Theme, 0, 0, on.W, r.line.group.text, widget.StateStyle(r.line.state))
	}
}
