package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"plumb/fleet"
	"plumb/fleet/trace"
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
	where   string    // the rack where it is one, else the region; "": no one place
	what    string    // what it is where it is no device: "service match"
	id      string    // of that
	first   time.Time // blind since
	door    bool      // a finding and no state: no cause explains it
	facet   string    // of the finding, where it is one
	remains bool      // the text is of what no cause explains
}

// troubles is what is not in order, kept for one snapshot: the causes, and what
// none of them explains. Until causes are there it is plain groups alone.
type troubles struct {
	snap   *fleet.Snapshot
	height int
	why    *Causes // nil: not there yet
	rest   []trouble
	lines  []troubleLine
	rows   []attention
	few    int // effects of a cause that have a row, by the height of the screen
	wrong  int // devices that a person should look at
}

// troubleLine is one line of the verdict: a cause, or a group that no cause
// explains.
type troubleLine struct {
	state fleet.State
	cause *trace.Cause // nil: it is a group
	group *trouble
}

// of returns the troubles of a snapshot, from memory where it is the same one.
func (t *troubles) of(f Frame) *troubles {
	why, _ := derived[*Causes](f, derivedCauses)
	if t.snap != f.Snap || t.why != why || t.height != f.Height {
		*t = troubles{snap: f.Snap, why: why, height: f.Height}
		t.collect(f)
		t.leaveOut(f)
		t.order()
		t.lay(f)
	}
	return t
}

// leaveOut takes from the groups what a cause says better.
func (t *troubles) leaveOut(f Frame) {
	if t.why == nil {
		return
	}
	t.rest = slices.DeleteFunc(t.rest, func(x trouble) bool {
		return x.what == "region" || x.id != "" && !x.door && t.why.led(x.id)
	})
	for i := range t.rest {
		x := &t.rest[i]
		had, first := len(x.devices), -1
		if had > 0 {
			first = x.devices[0]
		}
		x.devices = slices.DeleteFunc(x.devices, func(n int) bool { return t.why.led(f.Snap.Devices.ID(n)) })
		if had > 0 && len(x.devices) == 0 {
			x.text = ""
		} else if had > 0 {
			t.reword(f, x, first)
		}
	}
	t.rest = slices.DeleteFunc(t.rest, func(x trouble) bool { return x.text == "" })
}

// reword gives a group the words of who is left in it, and one device alone those
// of what no cause explains.
func (t *troubles) reword(f Frame, x *trouble, first int) {
	if text := t.why.remains(f.Snap.Devices.ID(x.devices[0])); text != "" && len(x.devices) == 1 {
		x.text, x.remains = text, true
	} else if x.devices[0] != first {
		x.text, _ = verdict(f, f.Snap.Devices.At(x.devices[0]))
	}
}

// order lays the lines out: what is crit first, and of that the causes, which
// explain most first.
func (t *troubles) order() {
	if t.why != nil {
		for i := range t.why.list {
			if x := &t.why.list[i]; leads(x) {
				t.lines = append(t.lines, troubleLine{t.why.states[i], x, nil})
			}
		}
	}
	for i := range t.rest {
		t.lines = append(t.lines, troubleLine{t.rest[i].state, nil, &t.rest[i]})
	}
	slices.SortStableFunc(t.lines, func(a, b troubleLine) int {
		return boolFirst(a.state == fleet.StateCrit, b.state == fleet.StateCrit)
	})
}

// key names a line for the caret.
func (l *troubleLine) key() string {
	if l.cause != nil {
		return l.cause.ID
	}
	return l.group.where + " " + l.group.what + " " + l.group.text
}

// subject is what a line is about, as other views know it; of a group of
// several "".
func (l *troubleLine) subject(f Frame) (kind, id string) {
	switch {
	case l.cause != nil:
		return kindOfPart(l.cause.Kind), l.cause.ID
	case len(l.group.devices) == 1:
		return KindDevice, f.Snap.Devices.ID(l.group.devices[0])
	case len(l.group.devices) == 0:
		if p, ok := partOf(f, l.group.id); ok {
			return kindOfPart(p.Kind), l.group.id
		}
	}
	return "", ""
}

// headline is a line in a few words.
func (l *troubleLine) headline(f Frame, why *Causes) string {
	if x := l.cause; x != nil {
		return causeName(x) + " explains " + why.share(x) + ": " + firstOf(x.Evidence)
	}
	return strings.TrimPrefix(l.group.where+" ", " ") + l.group.who(f) + " " + l.group.text
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
		t.wrong++
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
			i = len(t.rest)
			known[k] = i
			t.rest = append(t.rest, trouble{state: d.State, text: text, where: or(d.Spec.Rack)})
		}
		c := &t.rest[i]
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
	t.collectDoors(f)
	slices.SortStableFunc(t.rest, func(a, b trouble) int {
		return cmp.Or(worse(a.state, b.state), cmp.Compare(len(b.devices), len(a.devices)))
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
				t.rest = append(t.rest, trouble{state: state, text: r, where: where, what: what, id: where})
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
			t.rest = append(t.rest, trouble{state: fleet.StateUnknown, text: text, where: c.Spec.Region, what: "cloud " + id, id: id, first: c.BlindSince})
		case c.State == fleet.StateCrit || c.State == fleet.StateWarn:
			t.rest = append(t.rest, trouble{state: c.State, text: firstOf(c.Reasons), where: c.Spec.Region, what: "cloud " + id, id: id})
		}
	}
	for id, s := range f.Snap.Services.All() {
		if s.State == fleet.StateCrit || s.State == fleet.StateWarn {
			t.rest = append(t.rest, trouble{state: s.State, text: firstOf(s.Reasons) + "; " + replicas(s), what: "service " + id, id: id})
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
		return kindCount(f, t.devices) + " in " + fleet.Count(t.racks, "rack")
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
	end := max(x+widget.Width(t.where)+1, 12) + who
	if t.where != "" {
		x = max(on.Text(x, y, t.where, widget.Bold)+1, 12)
	}
	on.Cut(f.Theme, x, y, end-x, t.who(f), widget.Link)
	x = end + 2
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
			return fleet.Count(len(devices), "device")
		}
	}
	if kind == fleet.KindPDU || kind == fleet.KindUPS {
		return strconv.Itoa(len(devices)) + " " + strings.ToUpper(string(kind)) + "s"
	}
	return fleet.Count(len(devices), string(kind))
}

// drawVerdict draws the totals in words, then the causes that fit; at is the
// cause under the caret, -1 where it is elsewhere.
func drawVerdict(f Frame, on widget.Canvas, t *troubles, at int) {
	drawTotals(f, on)
	drawTroubles(f, on.Sub(0, 1, on.W, on.H-1), t, at)
	if len(t.lines) == 0 && f.Snap.Devices.Len() > 0 {
		on.Text(1, 1, "nothing needs you", widget.Dim)
	}
}

// total is one of the numbers of the verdict.
type total struct {
	glyph string
	n     int
	word  string
	style widget.Style
}

// totals are how many services, clouds and devices are not in order, and how many
// devices are. The first of a kind names it.
func totals(f Frame) []total {
	c, g := &f.Snap.Counts, f.Theme.Glyphs
	var out []total
	add := func(glyph string, n int, word string, st widget.Style) {
		if n > 0 {
			out = append(out, total{glyph, n, word, st})
		}
	}
	for _, k := range [...]fleet.Kind{fleet.KindOfService, fleet.KindOfCloud, fleet.KindOfDevice} {
		by, first := &c.By[k], len(out)
		blind := 0
		if k == fleet.KindOfDevice {
			blind = c.Blind
		}
		add(g.Crit, by[fleet.StateCrit], "crit", widget.Crit)
		add(g.Warn, by[fleet.StateWarn], "degraded", widget.Warn)
		add(g.Unknown, blind, "not answering", widget.Unknown)
		add(g.Unknown, by[fleet.StateUnknown]-blind, "unknown", widget.Unknown)
		if first < len(out) {
			_, name, _ := strings.Cut(fleet.Count(out[first].n, k.String()), " ")
			out[first].word = name + " " + out[first].word
		}
	}
	add(g.Drift, c.DriftOpen, "drifted", widget.Drift)
	add(g.Maintenance, c.Maintenance, "in maintenance", widget.Maintenance)
	add(g.Off, c.By[fleet.KindOfDevice][fleet.StateOff], "off", widget.Off)
	return out
}

// drawTotals draws the totals that have room.
func drawTotals(f Frame, on widget.Canvas) {
	ok, all := f.Snap.Counts.By[fleet.KindOfDevice][fleet.StateOK], f.Snap.Devices.Len()
	share := "of " + fleet.Count(all, "device") + " healthy (" + strconv.FormatFloat(float64(ok)*100/float64(max(all, 1)), 'f', 1, 64) + "%)"
	x := 1
	for _, t := range append(totals(f), total{f.Theme.Glyphs.OK, ok, share, widget.OK}) {
		amount := strconv.Itoa(t.n)
		if t.n == 0 || x+len(amount)+len(t.word)+3 > on.W {
			continue
		}
		x = on.Text(x, 0, t.glyph, t.style) + 1
		x = on.Text(x, 0, amount, widget.Bold) + 1
		x = on.Text(x, 0, t.word, t.style) + 3
	}
}

// drawTroubles draws the lines that fit, around the caret where it stands on
// one.
func drawTroubles(f Frame, on widget.Canvas, t *troubles, at int) {
	n, room := len(t.lines), on.H
	if n > room {
		room-- // how many more there are
	}
	top := widget.Window(n, at, max(room, 1))
	name, who := 0, 0
	for i := range t.lines {
		if l := &t.lines[i]; l.cause != nil {
			name = max(name, widget.Width(causeName(l.cause)))
		} else if i < room {
			who = max(who, widget.Width(l.group.who(f)))
		}
	}
	name, who = min(name, max(22, on.W/5)), min(who, max(20, on.W/4))
	for y := 0; y < room && top+y < n; y++ {
		line := on.Sub(1, 0, on.W-1, on.H)
		if l := &t.lines[top+y]; l.cause != nil {
			drawCauseLine(f, line, y, t.why, l.cause, l.state, name)
		} else {
			l.group.line(f, line, y, who)
		}
		if top+y == at {
			on.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			on.Select(0, y, on.W)
		}
	}
	if rest := n - top - room; rest > 0 && on.H > 1 {
		on.Text(1, room, "and "+fleet.Count(rest, "more finding")+" below", widget.Dim)
	}
}
