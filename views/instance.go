package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// chain is a page that goes down from what users see to what it stands on, a
// line a step; enter follows the line of the caret.
type chain struct {
	lines []link
}

// link is one line of a chain.
type link struct {
	kind, id string // what enter follows; empty: nothing
	depth    int
	state    fleet.State
	what     string
	text     string
	style    widget.Style
	plain    bool // no glyph: a note
}

func (c *chain) add(depth int, kind, id string, state fleet.State, what, text string, st widget.Style) {
	c.lines = append(c.lines, link{kind: kind, id: id, depth: depth, state: state, what: what, text: text, style: st})
}

func (c *chain) note(depth int, what, text string, st widget.Style) {
	c.lines = append(c.lines, link{depth: depth, what: what, text: text, style: st, plain: true})
}

func (c *chain) rows() rows {
	return rows{len(c.lines), func(i int) string { return strconv.Itoa(i) + c.lines[i].kind + c.lines[i].id }}
}

// draw draws the lines with the caret.
func (c *chain) draw(f Frame, on widget.Canvas, at int) {
	top := widget.Window(len(c.lines), at, on.H)
	for y := 0; y < on.H && top+y < len(c.lines); y++ {
		l := &c.lines[top+y]
		x := 2 + 2*l.depth
		if l.depth > 0 {
			c.drawBranches(f, on, y, top+y)
		}
		if !l.plain {
			on.Glyph(f.Theme, x, y, l.state)
		}
		st := widget.Link
		if l.plain {
			st = widget.Dim
		}
		whatW := min(34, max(16, on.W/3))
		on.Cut(f.Theme, x+2, y, whatW-x, l.what, st)
		on.Cut(f.Theme, whatW+3, y, on.W-whatW-4, l.text, l.style)
		if top+y == at {
			on.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			on.Select(0, y, on.W)
		}
	}
	widget.Scroll(on, f.Theme, len(c.lines), at)
}

// drawBranches draws the tree's lines before a line of the chain.
func (c *chain) drawBranches(f Frame, on widget.Canvas, y, i int) {
	g := f.Theme.Glyphs
	for d := 1; d <= c.lines[i].depth; d++ {
		more := false
		for _, l := range c.lines[i+1:] {
			if l.depth < d {
				break
			}
			more = more || l.depth == d
		}
		x := 2 * d
		switch {
		case d < c.lines[i].depth && more:
			on.Rune(x, y, 1, g.V, widget.Border)
		case d < c.lines[i].depth:
		case more:
			on.Text(x, y, g.Tee, widget.Border)
		default:
			on.Text(x, y, g.Elbow, widget.Border)
		}
	}
}

// Instance is the page of one instance: itself, and below it the host, its
// rack, its power and its network, down to the feeds.
type Instance struct {
	id   string
	list list
}

// NewInstance returns an instance's page.
func NewInstance(id string) View { return Instance{id: id} }

// ID implements View.
func (v Instance) ID() string { return "instance" }

// Crumbs implements View.
func (v Instance) Crumbs(f Frame) []string {
	i := f.Snap.Instances.Get(v.id)
	if i == nil {
		return []string{"instances", v.id}
	}
	return []string{"services", or(i.Service), i.Name}
}

// Needs implements View.
func (v Instance) Needs(Frame) []fleet.Query { return nil }

func (v Instance) chain(f Frame) *chain {
	c := &chain{}
	i := f.Snap.Instances.Get(v.id)
	if i == nil {
		return c
	}
	c.add(0, KindInstance, i.ID, i.State, i.Name, strings.TrimSpace(i.RunState+"  "+i.Type+"  "+strings.Join(i.Reasons, "; ")), widget.StateStyle(i.State))
	if s := f.Snap.Services.Get(i.Service); s != nil {
		c.add(1, KindService, i.Service, s.State, "service "+i.Service, replicas(s), widget.Plain)
	}
	if cl := f.Snap.Clouds.Get(i.Cloud); cl != nil {
		text := "region " + or(i.Region) + "  zone " + or(i.Zone)
		if !cl.BlindSince.IsZero() {
			text += "  blind " + since(f, cl.BlindSince)
		}
		c.add(1, KindCloud, i.Cloud, cl.State, "cloud "+i.Cloud, text, widget.Plain)
	}
	if i.PlacementGroup != "" {
		c.note(1, "placement group", i.PlacementGroup, widget.Plain)
	}
	if i.Host == "" {
		c.note(1, "host", "not visible: the cloud does not say where it runs", widget.Unknown)
		return c
	}
	if i.Device < 0 || i.Device >= f.Snap.Devices.Len() {
		c.note(1, "host "+i.Host, "a hypervisor that the inventory does not know", widget.Unknown)
		return c
	}
	v.addHost(f, c, i.Device)
	return c
}

// addHost adds the device an instance stands on and what that stands on.
func (v Instance) addHost(f Frame, c *chain, n int) {
	d := f.Snap.Devices.At(n)
	text, st := verdict(f, d)
	if text == "" {
		text, st = string(d.Spec.Kind)+"  "+watts(d.PowerW)+"  inlet "+quantity(f.Theme, d.InletC, "C"), widget.Plain
	}
	c.add(1, KindDevice, d.Spec.ID, d.State, "host "+d.Spec.Name, text, st)
	for _, e := range deviceEnds(f, d, nil) {
		c.add(2, e.kind, e.to, e.state, e.near+" "+f.Theme.Glyphs.From+" "+e.to, e.text, widget.Dim)
		if e.kind == KindOutlet {
			addFeed(f, c, e.to)
		}
	}
	if r := f.Snap.Racks.Get(d.Spec.Rack); r != nil {
		c.add(2, KindRack, r.Spec.ID, r.State, "rack "+r.Spec.ID+" U"+unit(d.Spec.Unit), watts(r.PowerW)+"  "+percent(rackLoad(f.Snap, r.Spec.ID))+" of what one PDU carries", widget.Plain)
	}
	others := 0
	for _, x := range f.Snap.Instances.All() {
		if x.Device == n && x.ID != v.id {
			others++
		}
	}
	c.note(2, "shares the host", "with "+fleet.Count(others, "other instance"), widget.Dim)
}

// addFeed adds the PDU and the feeds above an outlet.
func addFeed(f Frame, c *chain, outlet string) {
	pdu, _, _ := strings.Cut(outlet, "/")
	d := f.Snap.Devices.Get(pdu)
	if d == nil {
		return
	}
	text, st := verdict(f, d)
	if text == "" {
		text, st = percent(pduShare(f, d))+" of its rating", widget.Dim
	}
	c.add(3, KindDevice, pdu, d.State, "PDU "+pdu, text, st)
	seen, depth := map[string]bool{}, 4
	for id := d.Spec.Feed; id != "" && !seen[id]; {
		seen[id] = true
		feed := f.Snap.Feeds.Get(id)
		if feed == nil {
			if up := f.Snap.Devices.Get(id); up != nil { // a feed may hang on a device that measures it
				text, st := watts(up.PowerW), widget.Dim
				if why, bad := verdict(f, up); why != "" {
					text, st = why, bad
				}
				c.add(depth, KindDevice, id, up.State, strings.ToUpper(string(up.Spec.Kind))+" "+id, text, st)
				return
			}
			c.note(depth, "feed "+id, "not measured", widget.Dim)
			return
		}
		c.add(depth, KindFeed, id, feed.State, "feed "+id, number(feed.AmpsA, 1)+"A  "+watts(feed.PowerW), widget.Dim)
		id, depth = feed.Spec.Parent, depth+1
	}
}

// Selected implements View.
func (v Instance) Selected(f Frame) (kind, id string) {
	c := v.chain(f)
	i := v.list.index(c.rows())
	if i < 0 {
		return KindInstance, v.id
	}
	return c.lines[i].kind, c.lines[i].id
}

// Handle implements View.
func (v Instance) Handle(f Frame, c keys.Command) (View, Intent) {
	v.list, _ = v.list.move(c, v.chain(f).rows(), page(f))
	return v, nil
}

// Draw implements View.
func (v Instance) Draw(f Frame, on widget.Canvas) {
	i := f.Snap.Instances.Get(v.id)
	if i == nil {
		drawEmpty(f, on, "no instance "+v.id, "its cloud does not list it any more; esc goes back")
		return
	}
	c := v.chain(f)
	h := on.H
	if on.H >= 14 {
		h = min(on.H, len(c.lines)+2)
	}
	box := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "from "+i.Name+" down to the feeds", "enter follows", true)
	c.draw(f, box, v.list.index(c.rows()))
	drawInstanceFacts(f, on.Sub(0, h, on.W, on.H-h), i)
}

func drawInstanceFacts(f Frame, on widget.Canvas, i *fleet.InstanceState) {
	if on.H < 4 {
		return
	}
	in := widget.Box(on, f.Theme, "what the cloud says", i.Cloud, false)
	in = in.Sub(1, 0, in.W-2, in.H)
	launched := dash
	if !i.LaunchedAt.IsZero() {
		launched = i.LaunchedAt.UTC().Format("2006-01-02 15:04Z") + ", " + since(f, i.LaunchedAt) + " ago"
	}
	y := 0
	for _, p := range [...][2]string{{"id", i.ID}, {"type", i.Type}, {"run state", i.RunState}, {"launched", launched}, {"zone", i.Zone}, {"host", i.Host}, {"group", i.PlacementGroup}, {"tags", tagText(i.Tags)}} {
		in.Text(0, y, p[0], widget.Dim)
		in.Cut(f.Theme, 11, y, in.W-11, or(p[1]), widget.Plain)
		y++
	}
}
