package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"plumb/fleet"
	"plumb/views/widget"
)

// verdict is why a device is as it is, in one line.
func verdict(f Frame, d *fleet.Device) (string, widget.Style) {
	judged := len(d.Reasons) > 0 && (d.State == fleet.StateCrit || d.State == fleet.StateWarn)
	switch {
	case d.Blind() && judged: // others tell what it cannot say itself
		return d.Reasons[0], widget.StateStyle(d.State)
	case d.Blind():
		text := "blind " + since(f, d.BlindSince)
		if d.Err != nil {
			text += ": " + d.Err.Kind() + ", " + d.Err.Op
		}
		return text, widget.Unknown
	case d.Maintenance:
		return "in maintenance", widget.Maintenance
	case len(d.Reasons) > 0:
		return d.Reasons[0], widget.StateStyle(d.State)
	case d.State == fleet.StateOff:
		return "power off", widget.Off
	case d.State == fleet.StateUnknown && d.SeenAt.IsZero():
		if len(d.Spec.Endpoints) == 0 {
			return "no way to see it is configured", widget.Dim
		}
		return "not seen yet", widget.Unknown
	}
	return "", widget.Dim
}

// mark is the glyph of a device: its state, M where it is in maintenance, and
// the one of drift where that is all there is to say.
func mark(th *widget.Theme, d *fleet.Device) (string, widget.Style) {
	if d.Maintenance {
		return th.Glyphs.Maintenance, widget.Maintenance
	}
	if d.State == fleet.StateOK && d.DriftOpen > 0 {
		return th.Glyphs.Drift, widget.Drift
	}
	return th.Glyphs.State(d.State), widget.StateStyle(d.State)
}

// trouble is one cause as far as plain grouping finds it: devices of a region
// that say the same thing.
type trouble struct {
	state   fleet.State
	text    string
	devices []int // dense numbers
	racks   int
	where   string    // the rack where it is one, else the region
	what    string    // what it is where it is no device: "service match"
	first   time.Time // blind since
}

// troubles is what is not in order, kept for one snapshot.
type troubles struct {
	snap   *fleet.Snapshot
	causes []trouble
	list   []int // dense device numbers, worst first
}

// of returns the troubles of a snapshot, from memory where it is the same one.
func (t *troubles) of(f Frame) *troubles {
	if t.snap != f.Snap {
		*t = troubles{snap: f.Snap}
		t.collect(f)
	}
	return t
}

func (t *troubles) collect(f Frame) {
	type key struct{ region, text string }
	known := map[key]int{}
	racks := map[key]string{}
	for n := range f.Snap.Devices.Len() {
		d := f.Snap.Devices.At(n)
		if !wrong(d) {
			continue
		}
		t.list = append(t.list, n)
		text, _ := verdict(f, d)
		if d.Blind() && d.State == fleet.StateUnknown {
			text = "not answering"
			if d.Err != nil {
				text += ": " + d.Err.Kind()
			}
		}
		k := key{d.Spec.Region, d.State.String() + plainText(text)}
		i, ok := known[k]
		if !ok {
			i = len(t.causes)
			known[k] = i
			t.causes = append(t.causes, trouble{state: d.State, text: text, where: or(d.Spec.Rack)})
		}
		c := &t.causes[i]
		c.devices = append(c.devices, n)
		if d.Blind() {
			if c.first.IsZero() || d.BlindSince.Before(c.first) {
				c.first = d.BlindSince
			}
		}
		if d.Spec.Rack != racks[k] {
			racks[k], c.racks = d.Spec.Rack, c.racks+1
		}
		if c.racks > 1 {
			c.where = d.Spec.Region
		}
	}
	t.collectPlaces(f)
	t.collectLogical(f)
	slices.SortStableFunc(t.causes, func(a, b trouble) int {
		return cmp.Or(worse(a.state, b.state), cmp.Compare(len(b.devices), len(a.devices)))
	})
	slices.SortStableFunc(t.list, func(a, b int) int {
		return worse(f.Snap.Devices.At(a).State, f.Snap.Devices.At(b).State)
	})
}

// collectPlaces adds what is wrong with a feed, a site, a rack or a region as a
// whole. A rack does not repeat what its site says, nor a region.
func (t *troubles) collectPlaces(f Frame) {
	said := map[string]bool{}
	add := func(state fleet.State, where, what string, reasons []string) {
		for _, r := range reasons {
			if key := where + plainText(r); r != "" && !said[key] && !said[plainText(r)] {
				said[key] = true
				if what != "rack" {
					said[plainText(r)] = true
				}
				t.causes = append(t.causes, trouble{state: state, text: r, where: where, what: what})
			}
		}
	}
	for id, s := range f.Snap.Sites.All() {
		add(s.State, id, "site", s.Reasons)
	}
	for id, x := range f.Snap.Feeds.All() {
		add(x.State, id, "feed", x.Reasons)
	}
	for id, r := range f.Snap.Racks.All() {
		if site := f.Snap.Sites.Get(r.Spec.Site); site == nil || site.SilentSince.IsZero() {
			add(r.State, id, "rack", r.Reasons)
		}
	}
	for id, r := range f.Snap.Regions.All() {
		add(r.State, id, "region", r.Reasons)
	}
}

// collectLogical adds the clouds that cannot be seen and the services that are
// not in order.
func (t *troubles) collectLogical(f Frame) {
	for id, c := range f.Snap.Clouds.All() {
		switch {
		case !c.BlindSince.IsZero():
			text := "not answering"
			if c.Err != nil {
				text += ": " + c.Err.Kind() + ", " + c.Err.Op
			}
			t.causes = append(t.causes, trouble{state: fleet.StateUnknown, text: text, where: c.Spec.Region, what: "cloud " + id, first: c.BlindSince})
		case c.State == fleet.StateCrit || c.State == fleet.StateWarn:
			t.causes = append(t.causes, trouble{state: c.State, text: firstOf(c.Reasons), where: c.Spec.Region, what: "cloud " + id})
		}
	}
	for id, s := range f.Snap.Services.All() {
		if s.State == fleet.StateCrit || s.State == fleet.StateWarn {
			t.causes = append(t.causes, trouble{state: s.State, text: firstOf(s.Reasons), where: "service", what: id + " " + replicas(s)})
		}
	}
}

func firstOf(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}

// who names what the cause is about.
func (t *trouble) who(f Frame) string {
	switch {
	case t.what != "":
		return t.what
	case len(t.devices) == 1:
		return f.Snap.Devices.At(t.devices[0]).Spec.Name
	case t.racks > 1:
		return kindCount(f, t.devices) + " in " + count(t.racks, "rack")
	}
	return kindCount(f, t.devices)
}

// wrong reports whether a person should look at the device.
func wrong(d *fleet.Device) bool {
	if d.Maintenance {
		return false
	}
	return d.State == fleet.StateCrit || d.State == fleet.StateWarn || d.Blind() ||
		d.State == fleet.StateUnknown && len(d.Spec.Endpoints) > 0
}

// worse orders states, worst first.
func worse(a, b fleet.State) int {
	switch {
	case a == b:
		return 0
	case a.Worse(b):
		return -1
	}
	return 1
}

// plainText drops digits, so that PSU1 and PSU2, or 41 and 42 degrees, are one.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}

// line draws a cause in one row; who is the room for what it is about.
func (t *trouble) line(f Frame, on widget.Canvas, y, who int) {
	x := on.Glyph(f.Theme, 0, y, t.state) + 1
	x = on.Text(x, y, t.where, widget.Bold) + 1
	x = max(x, 12)
	on.Cut(f.Theme, x, y, who, t.who(f), widget.Link)
	x += who + 2
	text := t.text
	if !t.first.IsZero() {
		text += ", blind for " + since(f, t.first)
	}
	on.Cut(f.Theme, x, y, on.W-x, text, widget.StateStyle(t.state))
}

// kindCount writes "9 servers" or, for several kinds, "9 devices".
func kindCount(f Frame, devices []int) string {
	kind := f.Snap.Devices.At(devices[0]).Spec.Kind
	for _, n := range devices {
		if f.Snap.Devices.At(n).Spec.Kind != kind {
			return count(len(devices), "device")
		}
	}
	if kind == fleet.KindPDU || kind == fleet.KindUPS {
		return strconv.Itoa(len(devices)) + " " + strings.ToUpper(string(kind)) + "s"
	}
	return count(len(devices), string(kind))
}

// drawVerdict draws the totals in words, then the causes that fit.
func drawVerdict(f Frame, on widget.Canvas, t *troubles) {
	by, g := &f.Snap.Counts.By[fleet.KindOfDevice], f.Theme.Glyphs
	total := f.Snap.Devices.Len()
	x := 0
	part := func(glyph string, n int, word string, st widget.Style) {
		if n == 0 || x+len(word)+8 > on.W {
			return
		}
		x = on.Text(x, 0, glyph, st) + 1
		x = on.Text(x, 0, strconv.Itoa(n), widget.Bold) + 1
		x = on.Text(x, 0, word, st) + 3
	}
	part(g.Crit, by[fleet.StateCrit], "crit", widget.Crit)
	part(g.Warn, by[fleet.StateWarn], "degraded", widget.Warn)
	part(g.Unknown, f.Snap.Counts.Blind, "not answering", widget.Unknown)
	part(g.Unknown, max(0, by[fleet.StateUnknown]-f.Snap.Counts.Blind), "unknown", widget.Unknown)
	part(g.Drift, f.Snap.Counts.DriftOpen, "drifted", widget.Drift)
	part(g.Maintenance, f.Snap.Counts.Maintenance, "in maintenance", widget.Maintenance)
	part(g.Off, by[fleet.StateOff], "off", widget.Off)
	share := ""
	if total > 0 {
		share = " healthy (" + strconv.FormatFloat(float64(by[fleet.StateOK])*100/float64(total), 'f', 1, 64) + "%)"
	}
	part(g.OK, by[fleet.StateOK], "of "+strconv.Itoa(total)+share, widget.OK)
	who := 0
	for i := 0; i < len(t.causes) && i+1 < on.H; i++ {
		who = max(who, widget.Width(t.causes[i].who(f)))
	}
	who = min(who, max(20, on.W/4))
	for i := 0; i < len(t.causes) && i+1 < on.H; i++ {
		if i+2 == on.H && len(t.causes) > i+1 {
			rest := len(t.causes) - i
			on.Text(0, i+1, "and "+count(rest, "more finding")+" below", widget.Dim)
			return
		}
		t.causes[i].line(f, on, i+1, who)
	}
	if len(t.causes) == 0 && total > 0 {
		on.Text(0, 1, "nothing needs you", widget.Dim)
	}
}
