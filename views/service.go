package views

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Service is the page of one service: how its failure domains are spread and
// each replica with the host it stands on.
type Service struct {
	id    string
	still bool // drawn beside a list that has the caret
	upper bool // the caret is on the alerts
	alert list
	sheet // sorted by host, else worst first
}

// NewService returns a service's page.
func NewService(id string) View { return Service{id: id} }

// ID implements View.
func (v Service) ID() string { return "service" }

// Crumbs implements View.
func (v Service) Crumbs(Frame) []string { return []string{"services", v.id} }

// Needs implements View.
func (v Service) Needs(f Frame) []fleet.Query {
	if s := f.Snap.Services.Get(v.id); s != nil && s.Spec.Health != nil {
		return []fleet.Query{healthQuery(v.id)}
	}
	return nil
}

// replica is one line: an instance or a bare-metal device.
type replica struct {
	instance *fleet.InstanceState
	device   *fleet.Device
}

func (r replica) id() string {
	if r.instance != nil {
		return r.instance.ID
	}
	return r.device.Spec.ID
}

func (r replica) state() fleet.State {
	if r.instance != nil {
		return r.instance.State
	}
	return r.device.State
}

func (r replica) host() string {
	if r.instance != nil {
		return r.instance.Host
	}
	return r.device.Spec.Name
}

func (v Service) replicas(f Frame) []replica {
	s := f.Snap.Services.Get(v.id)
	if s == nil {
		return nil
	}
	flt := parseFilter(v.text)
	var out []replica
	for _, n := range s.Devices {
		if d := f.Snap.Devices.At(n); flt.match(deviceRecord{&f, d}) {
			out = append(out, replica{device: d})
		}
	}
	for _, n := range s.Instances {
		if i := f.Snap.Instances.At(n); flt.match(instanceRecord{&f, i}) {
			out = append(out, replica{instance: i})
		}
	}
	slices.SortStableFunc(out, func(a, b replica) int {
		if v.sort == 1 {
			return v.sign() * strings.Compare(a.host(), b.host())
		}
		return v.sign() * worse(a.state(), b.state())
	})
	return out
}

func (v Service) rows(f Frame) rows {
	r := v.replicas(f)
	return rows{len(r), func(i int) string { return r[i].id() }}
}

// alerts are what the caret can stand on above the replicas.
func (v Service) alerts(f Frame) rows {
	list := activeOn(f, v.id)
	return rows{min(len(list), ownAlerts), func(i int) string { return list[i].ID() }}
}

// Selected implements View.
func (v Service) Selected(f Frame) (kind, id string) {
	if id := v.alert.selected(v.alerts(f)); v.upper && id != "" {
		return KindAlert, id
	}
	r := v.replicas(f)
	i := v.list.index(rows{len(r), func(i int) string { return r[i].id() }})
	switch {
	case i < 0:
		return KindService, v.id
	case r[i].instance != nil:
		return KindInstance, r[i].id()
	}
	return KindDevice, r[i].id()
}

// Handle implements View.
func (v Service) Handle(f Frame, c keys.Command) (next View, in Intent) {
	above := v.alerts(f)
	upper := v.upper && above.n > 0
	top := v.list.index(v.rows(f)) <= 0
	switch {
	case c.ID == "pane.next", c.ID == "pane.back", c.ID == "move.up" && !upper && top, c.ID == "move.down" && upper && v.alert.index(above) == above.n-1:
		v.upper = !upper && above.n > 0
		return v, nil
	case upper && c.ID == "enter":
		return v, openAlert(f, v.alert.selected(above))
	case upper:
		if to, moved := v.alert.move(c, above, page(f)); moved {
			v.alert = to
			return v, nil
		}
	}
	v.sheet, in = v.handle(f, c, v.rows(f), 2)
	return v, in
}

// reasons says why the service is as it is, without what its workload's own line
// says.
func reasons(s *fleet.Service) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(s.Reasons), func(r string) bool {
		return s.Health != nil && strings.HasSuffix(r, ": "+s.Health.Text)
	}), "; ")
}

// Draw implements View.
func (v Service) Draw(f Frame, on widget.Canvas) {
	s := f.Snap.Services.Get(v.id)
	if s == nil {
		drawEmpty(f, on, "no service "+v.id, "it is not in the inventory of this snapshot; esc goes back")
		return
	}
	spread := spreadOf(f, v.id)
	against := standing(s.Docket)
	asked, alerts, why := healthRows(s, on.W-4), activeOn(f, v.id), reasons(s)
	h := min(5+asked+len(against)+min(len(alerts), ownAlerts+1)+min(len(spread.Shared), 6), on.H/2)
	in := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "service "+v.id, s.State.String(), false)
	in = in.Sub(1, 0, in.W-2, in.H)
	in.Glyph(f.Theme, 0, 0, s.State)
	x := in.Text(2, 0, replicas(s), widget.Bold) + 2
	drawFloor(f, in.Sub(x, 0, min(24, in.W-x), 1), s)
	x = drawNow(f, in, x+26, 0, KindService, v.id)
	in.Cut(f.Theme, x, 0, in.W-x, "owner "+or(s.Spec.Owner), widget.Dim)
	x = in.Text(2, 1, fleet.Count(s.Zones, "zone")+"  "+fleet.Count(s.Hosts, "host")+"  "+fleet.Count(s.Racks, "rack"), widget.Plain) + 2
	text, st := opacityText(spread)
	in.Cut(f.Theme, x, 1, in.W-x, text, st)
	y := 2 + asked
	if asked > 0 {
		drawHealth(f, in.Sub(0, 2, in.W, asked), s)
	}
	if why != "" {
		in.Cut(f.Theme, 2, y, in.W-2, why, widget.StateStyle(s.State))
		y++
	}
	at := -1
	if v.upper {
		at = v.alert.index(v.alerts(f))
	}
	y += drawOwnAlerts(f, in.Sub(2, 0, in.W-2, in.H), y, alerts, at)
	for i := 0; i < len(against) && y < in.H; i++ {
		in.Cut(f.Theme, in.Text(2, y, f.Theme.Glyphs.Drift, widget.Drift)+1, y, in.W-4, against[i].Text, widget.Plain)
		y++
	}
	for i := 0; i < len(spread.Shared) && y < in.H; i++ {
		drawFate(f, in.Sub(2, y, in.W-2, 1), spread, &spread.Shared[i])
		y++
	}
	v.drawReplicas(f, on.Sub(0, h, on.W, on.H-h), s)
}

var replicaColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "replica", Min: 14, Max: 28}, {Title: "run", Min: 7, Max: 9, Rank: 2}, {Title: "host", Min: 13, Max: 22},
	{Title: "rack", Min: 8, Max: 12, Rank: 3}, {Title: "zone", Min: 6, Max: 12, Rank: 4}, {Title: "cloud", Min: 7, Max: 14, Rank: 5}, {Title: "why", Min: 14, Max: 60, Rest: true, Rank: 1},
}

func (v Service) drawReplicas(f Frame, on widget.Canvas, s *fleet.Service) {
	r := v.replicas(f)
	order := [...]string{"worst first", "by host"}[v.sort]
	if v.desc {
		order += ", reversed"
	}
	v.draw(f, on, look{title: "replicas", after: order, noun: "replica", columns: replicaColumns, total: len(s.Instances) + len(s.Devices), still: v.still, away: v.upper && v.alerts(f).n > 0, plain: true},
		rows{len(r), func(i int) string { return r[i].id() }},
		func(on widget.Canvas, row, col int) { replicaCell(f, on, r[row], replicaColumns[col].Title) })
}

func replicaCell(f Frame, on widget.Canvas, r replica, column string) {
	if r.instance != nil {
		if column == "replica" {
			column = "instance"
		}
		instanceCell(f, on, r.instance, column)
		return
	}
	switch column {
	case "replica", "host":
		on.Cut(f.Theme, 0, 0, on.W, r.device.Spec.Name, widget.Link)
	case "run":
		on.Cut(f.Theme, 0, 0, on.W, "power "+r.device.Power.String(), widget.Plain)
	case "zone", "cloud":
		on.Cut(f.Theme, 0, 0, on.W, "metal", widget.Dim)
	case "":
		on.Glyph(f.Theme, 0, 0, r.device.State)
	default:
		text, _ := deviceField(f, r.device, column)
		on.Cut(f.Theme, 0, 0, on.W, text, widget.Dim)
	}
}

// tagText writes tags in the order of their names.
func tagText(tags map[string]string) string {
	out := make([]string, 0, len(tags))
	for k, v := range tags {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
