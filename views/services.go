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

// Services is what users see: each service with its replicas and how its
// failure domains are spread; beside it the clouds and how well they are seen.
type Services struct {
	sheet
	clouds bool // the caret is on the clouds
	cloud  list
}

// NewServices returns the list of services and clouds.
func NewServices() View { return Services{} }

var serviceColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "service", Min: 12, Max: 24, Name: true}, {Title: "running", Min: 7, Right: true}, {Title: "floor", Min: 5, Rank: 1, Right: true},
	{Title: "", Min: 10, Max: 24, Rank: 4}, {Title: "health", Min: 9, Max: 16, Rank: 1},
	{Title: "zones", Min: 5, Rank: 3, Right: true}, {Title: "hosts", Min: 5, Rank: 2, Right: true}, {Title: "racks", Min: 5, Rank: 3, Right: true},
	{Title: "unplaced", Min: 8, Rank: 2, Right: true}, {Title: "owner", Min: 8, Max: 16, Rank: 5, Name: true}, {Title: "why", Min: 14, Max: 60, Rest: true, Rank: 2, Name: true},
}

// ID implements View.
func (v Services) ID() string { return "services" }

// Crumbs implements View.
func (v Services) Crumbs(Frame) []string { return []string{"services"} }

// Needs implements View.
func (v Services) Needs(f Frame) []fleet.Query {
	return Service{id: v.list.selected(v.rows(f))}.Needs(f) // its page is drawn below the list
}

type serviceRecord struct{ s *fleet.Service }

func (r serviceRecord) field(name string) (string, bool) {
	switch name {
	case "state":
		return r.s.State.String(), true
	case "owner":
		return r.s.Spec.Owner, true
	case "service", "name":
		return r.s.Spec.Name, true
	case "health":
		if r.s.Spec.Health == nil {
			return "", true
		}
		return healthState(r.s).String(), true
	}
	return "", false
}

func (r serviceRecord) amount(name string) (float64, bool) {
	switch name {
	case "running", "replicas":
		return float64(r.s.Replicas), true
	case "floor":
		return float64(r.s.Spec.Floor), true
	case "latency":
		if r.s.Health != nil && r.s.Health.LatencyMs.Known {
			return r.s.Health.LatencyMs.Float(), true
		}
	case "unplaced":
		return float64(r.s.Unplaced), true
	case "hosts":
		return float64(r.s.Hosts), true
	}
	return 0, false
}

func (r serviceRecord) word(w string) bool {
	return holds(r.s.Spec.Name, w) || holds(r.s.Spec.Owner, w)
}

// shown returns the services that pass the filter, sorted; there are few.
func (v Services) shown(f Frame) []int {
	flt := parseFilter(v.text)
	var out []int
	for n := range f.Snap.Services.Len() {
		if flt.match(serviceRecord{f.Snap.Services.At(n)}) {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		x, y := f.Snap.Services.At(a), f.Snap.Services.At(b)
		return v.sign() * compareServices(x, y, serviceColumns[v.sort].Title, v.sort)
	})
	return out
}

func compareServices(x, y *fleet.Service, column string, n int) int {
	switch column {
	case "service":
		return strings.Compare(x.Spec.Name, y.Spec.Name)
	case "owner":
		return strings.Compare(x.Spec.Owner, y.Spec.Owner)
	case "running":
		return cmp.Compare(y.Replicas, x.Replicas)
	case "floor":
		return cmp.Compare(y.Spec.Floor, x.Spec.Floor)
	case "zones":
		return cmp.Compare(x.Zones, y.Zones)
	case "hosts":
		return cmp.Compare(x.Hosts, y.Hosts)
	case "racks":
		return cmp.Compare(x.Racks, y.Racks)
	case "unplaced":
		return cmp.Compare(y.Unplaced, x.Unplaced)
	case "health":
		return compareHealth(x, y)
	case "":
		if n > 0 {
			return cmp.Compare(x.Replicas-x.Spec.Floor, y.Replicas-y.Spec.Floor)
		}
	}
	return worse(x.State, y.State)
}

func (v Services) rows(f Frame) rows {
	r := v.shown(f)
	return rows{len(r), func(i int) string { return f.Snap.Services.ID(r[i]) }}
}

func cloudRows(f Frame) rows {
	return rows{f.Snap.Clouds.Len(), func(i int) string { return f.Snap.Clouds.ID(i) }}
}

// Selected implements View.
func (v Services) Selected(f Frame) (kind, id string) {
	if v.clouds {
		return KindCloud, v.cloud.selected(cloudRows(f))
	}
	return KindService, v.list.selected(v.rows(f))
}

// Handle implements View.
func (v Services) Handle(f Frame, c keys.Command) (next View, in Intent) {
	if c.ID == "pane.next" || c.ID == "pane.back" {
		v.clouds = !v.clouds
		return v, nil
	}
	if v.clouds {
		if to, moved := v.cloud.move(c, cloudRows(f), page(f)); moved {
			v.cloud = to
			return v, nil
		}
	}
	v.sheet, in = v.handle(f, c, v.rows(f), len(serviceColumns)-1)
	return v, in
}

// Draw implements View.
func (v Services) Draw(f Frame, on widget.Canvas) {
	r := v.shown(f)
	cloudH := min(f.Snap.Clouds.Len()+3, max(5, on.H/3))
	upper := on.Sub(0, 0, on.W, on.H-cloudH)
	if id := v.list.selected(v.rows(f)); id != "" && upper.H-len(r)-3 >= 12 {
		h := len(r) + 3
		Service{id: id, still: true}.Draw(f, upper.Sub(0, h, upper.W, upper.H-h))
		upper = upper.Sub(0, 0, upper.W, h)
	}
	v.draw(f, upper, look{title: "services", noun: "service", kind: KindService, columns: serviceColumns, total: f.Snap.Services.Len(), away: v.clouds}, v.rows(f),
		func(on widget.Canvas, row, col int) { serviceCell(f, on, f.Snap.Services.At(r[row]), col) })
	v.drawClouds(f, on.Sub(0, on.H-cloudH, on.W, cloudH))
}

func serviceCell(f Frame, on widget.Canvas, s *fleet.Service, col int) {
	num := func(n int, st widget.Style) { on.CutRight(f.Theme, 0, 0, on.W, strconv.Itoa(n), st) }
	switch col {
	case 0:
		on.Glyph(f.Theme, 0, 0, s.State)
	case 1:
		on.Cut(f.Theme, 0, 0, on.W, s.Spec.Name, widget.Plain)
	case 2:
		num(s.Replicas, widget.Plain)
	case 3:
		num(s.Spec.Floor, widget.Dim)
	case 4:
		drawFloor(f, on, s)
	case 5:
		drawHealthCell(f, on, s)
	case 6:
		num(s.Zones, domainStyle(s.Zones))
	case 7:
		num(s.Hosts, domainStyle(s.Hosts))
	case 8:
		num(s.Racks, domainStyle(s.Racks))
	case 9:
		st := widget.Dim
		if s.Unplaced > 0 {
			st = widget.Unknown
		}
		num(s.Unplaced, st)
	case 10:
		on.Cut(f.Theme, 0, 0, on.W, or(s.Spec.Owner), widget.Dim)
	case 11:
		text := ""
		if len(s.Reasons) > 0 {
			text = s.Reasons[0]
		}
		on.Cut(f.Theme, 0, 0, on.W, text, widget.StateStyle(s.State))
	}
}

// domainStyle marks a single failure domain.
func domainStyle(n int) widget.Style {
	if n <= 1 {
		return widget.Warn
	}
	return widget.Plain
}

// drawFloor draws the replicas as a bar with a mark where the floor is.
func drawFloor(f Frame, on widget.Canvas, s *fleet.Service) {
	full := max(s.Replicas, len(s.Instances)+len(s.Devices), s.Spec.Floor, 1)
	st := widget.Fill
	switch {
	case s.Replicas < s.Spec.Floor:
		st = widget.Crit
	case s.Replicas == s.Spec.Floor:
		st = widget.Warn
	}
	widget.Bar(on, f.Theme, 0, 0, on.W, float64(s.Replicas)/float64(full), st)
	if s.Spec.Floor > 0 {
		on.Rune(min(s.Spec.Floor*on.W/full, on.W-1), 0, 1, f.Theme.Glyphs.V, widget.Bold)
	}
}

// replicas writes how many run, of how many, and the floor.
func replicas(s *fleet.Service) string {
	return strconv.Itoa(s.Replicas) + " of " + strconv.Itoa(len(s.Instances)+len(s.Devices)) + " run, floor " + strconv.Itoa(s.Spec.Floor)
}

func (v Services) drawClouds(f Frame, on widget.Canvas) {
	in := widget.Box(on, f.Theme, "clouds", strconv.Itoa(f.Snap.Instances.Len())+" instances", v.clouds)
	if f.Snap.Clouds.Len() == 0 {
		in.Text(1, 0, "none is configured", widget.Dim)
		return
	}
	at := v.cloud.index(cloudRows(f))
	top := widget.Window(f.Snap.Clouds.Len(), at, in.H)
	for y := 0; y < in.H && top+y < f.Snap.Clouds.Len(); y++ {
		drawCloud(f, in.Sub(2, y, in.W-3, 1), f.Snap.Clouds.ID(top+y), f.Snap.Clouds.At(top+y))
		if v.clouds && top+y == at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
	}
}

func drawCloud(f Frame, on widget.Canvas, id string, c *fleet.Cloud) {
	hosts, up, vms := 0, 0, 0
	for _, h := range f.Snap.Hosts.All() {
		if h.Cloud == id {
			hosts++
			if h.Host.State == "up" {
				up++
			}
		}
	}
	for _, i := range f.Snap.Instances.All() {
		if i.Cloud == id {
			vms++
		}
	}
	on.Glyph(f.Theme, 0, 0, c.State)
	x := max(on.Cut(f.Theme, 2, 0, 20, id, widget.Bold)+2, 16)
	if on.W >= 72 {
		x = on.Text(x, 0, string(c.Spec.Endpoint.Source), widget.Dim) + 2
	}
	x = on.Text(x, 0, strconv.Itoa(up)+" of "+strconv.Itoa(hosts)+" hosts up", widget.Plain) + 2
	x = on.Text(x, 0, strconv.Itoa(vms)+" instances", widget.Plain) + 2
	switch {
	case !c.BlindSince.IsZero():
		text := "blind " + since(f, c.BlindSince)
		if c.Err != nil {
			text += ": " + c.Err.Kind() + ", " + c.Err.Op
		}
		on.Cut(f.Theme, x, 0, on.W-x, text, widget.Unknown)
	case len(c.Reasons) > 0:
		on.Cut(f.Theme, x, 0, on.W-x, c.Reasons[0], widget.StateStyle(c.State))
	default:
		on.Cut(f.Theme, x, 0, on.W-x, "seen "+since(f, c.SeenAt)+" ago", widget.Dim)
	}
}
