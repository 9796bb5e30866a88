package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// Wall is the display that nobody touches: the verdict, the regions, what
// happens, paging by itself with the clock. It draws the whole screen, with no
// header or footer around it.
type Wall struct {
	pages  []string
	period time.Duration
	hold   int // page chosen by hand, from 1; 0: by the clock
	memo   *fleetMemo
	alerts Alerts
}

// wallPages are what a wall can show.
var wallPages = []string{"overview", "alerts", "services", "events"}

// WallPages lists the pages that NewWall knows.
func WallPages() []string { return append([]string(nil), wallPages...) }

// NewWall returns the wall with the named pages, all where none is named,
// changing every 15 s. Names it does not know are left out.
func NewWall(pages ...string) View { return NewWallEvery(15*time.Second, pages...) }

// NewWallEvery is NewWall with a period of its own.
func NewWallEvery(period time.Duration, pages ...string) View {
	w := Wall{period: max(period, time.Second), memo: &fleetMemo{}, alerts: Alerts{memo: &alertMemo{}}}
	for _, p := range pages {
		for _, known := range wallPages {
			if p == known {
				w.pages = append(w.pages, p)
			}
		}
	}
	if len(w.pages) == 0 {
		w.pages = wallPages
	}
	return w
}

// ID implements View.
func (v Wall) ID() string { return "wall" }

// Crumbs implements View.
func (v Wall) Crumbs(f Frame) []string { return []string{"wall", v.page(f)} }

func (v Wall) query() fleet.Query {
	return fleet.Query{Kind: fleet.QueryEvents, Span: 6 * time.Hour, Limit: 2000}
}

// Needs implements View.
func (v Wall) Needs(f Frame) []fleet.Query {
	q := append(v.memo.facts.needs(f), v.query(), derivedQuery(derivedCauses))
	switch v.page(f) {
	case "events", "alerts":
		q = append(q, Events{}.query())
	case "services":
		q = append(q, Services{}.Needs(f)...)
	}
	return q
}

// Selected implements View.
func (v Wall) Selected(Frame) (kind, id string) { return "", "" }

// Handle implements View.
func (v Wall) Handle(f Frame, c keys.Command) (View, Intent) {
	n := len(v.pages)
	switch c.ID {
	case "move.right", "move.down", "pane.next":
		v.hold = v.index(f)%n + 2
	case "move.left", "move.up", "pane.back":
		v.hold = (v.index(f)+n-1)%n + 1
	case "move.first":
		v.hold = 0
	}
	if v.hold > n {
		v.hold = 1
	}
	return v, nil
}

// fresh is how long a new crit holds the overview on the wall.
const fresh = 30 * time.Second

// index is the page by the clock; an alert that has just begun to call somebody
// brings the alerts, a new crit the overview.
func (v Wall) index(f Frame) int {
	if v.hold > 0 {
		return v.hold - 1
	}
	if i := slices.Index(v.pages, "alerts"); i >= 0 && calls(f) {
		return i
	}
	for i := range f.Snap.Recent {
		e := &f.Snap.Recent[i]
		if f.At.Sub(e.At) > fresh {
			break
		}
		if e.Severity == fleet.SeverityCrit {
			return 0
		}
	}
	return int(f.At.UnixNano()/int64(v.period)) % len(v.pages)
}

func (v Wall) page(f Frame) string { return v.pages[v.index(f)] }

// Draw implements View.
func (v Wall) Draw(f Frame, on widget.Canvas) {
	v.drawHead(f, on.Sub(0, 0, on.W, 1))
	y := 1
	if age := f.At.Sub(f.Snap.At); f.Live && age > StaleAfter(f.Snap) {
		row := on.Sub(0, y, on.W, 1)
		row.Fill(widget.Alarm)
		row.Cut(f.Theme, 1, 0, on.W-2, "NO NEWS: the last snapshot is "+span(age)+" old. What stands below is the past; look at plumb itself.", widget.Alarm)
		y++
	}
	row := on.Sub(0, y, on.W, 1)
	if drawStanding(f, row, 1) > 1 {
		y++
	}
	bottom := 1
	if on.H >= 40 {
		bottom = 2
		v.drawLegend(f, on.Sub(0, on.H-1, on.W, 1))
	}
	v.drawTicker(f, on.Sub(0, on.H-bottom, on.W, 1))
	body := on.Sub(0, y, on.W, on.H-y-bottom)
	t := v.memo.troubles.of(f)
	h := 2 + min(max(len(t.lines)+1, 2), max(3, on.H/7))
	drawVerdict(f, widget.Box(body.Sub(0, 0, body.W, h), f.Theme, "verdict", "", false).Sub(0, 0, on.W-3, h-2), t, -1)
	body = body.Sub(0, h, body.W, body.H-h)
	switch v.page(f) {
	case "alerts":
		v.alerts.drawWall(f, body)
	case "services":
		v.drawServices(f, body)
	case "events":
		Events{}.Draw(f, body)
	default:
		v.drawOverview(f, body)
	}
}

// drawHead draws the totals, the clock and a heartbeat that moves with it.
func (v Wall) drawHead(f Frame, on widget.Canvas) {
	beat := [...]rune{f.Theme.Glyphs.Parts[1], f.Theme.Glyphs.Parts[3], f.Theme.Glyphs.Parts[5], f.Theme.Glyphs.Parts[7]}
	if f.Theme.Ascii {
		beat = [...]rune{'|', '/', '-', '\\'}
	}
	on.Rune(on.W-2, 0, 1, beat[f.At.Unix()&3], widget.Fill)
	x := drawClock(f, Chrome{}, on.Sub(0, 0, on.W-2, 1))
	if n := len(v.pages); n > 1 {
		text := "page " + strconv.Itoa(v.index(f)+1) + "/" + strconv.Itoa(n)
		if v.hold == 0 && on.W >= 120 {
			left := v.period - time.Duration(f.At.UnixNano()%int64(v.period))
			text += " next " + span(left.Truncate(time.Second))
		}
		x = on.Right(x-3, 0, text, widget.Dim)
	}
	at := on.Text(on.Text(1, 0, "PLUMB", widget.Bold)+1, 0, "wall", widget.Dim) + 3
	kinds := map[fleet.DeviceKind]int{}
	for n := range f.Snap.Devices.Len() {
		kinds[f.Snap.Devices.At(n).Spec.Kind]++
	}
	for _, c := range [...]string{fleet.Count(f.Snap.Regions.Len(), "region"), fleet.Count(f.Snap.Racks.Len(), "rack"), fleet.Count(kinds[fleet.KindServer], "server"),
		fleet.Count(kinds[fleet.KindSwitch]+kinds[fleet.KindRouter], "switch"), fleet.Count(f.Snap.Instances.Len(), "instance"), fleet.Count(f.Snap.Services.Len(), "service")} {
		if at+len(c)+3 > x {
			break
		}
		at = on.Text(at, 0, c, widget.Plain) + 3
	}
}

// drawOverview draws the cards, then alerts, services and jobs side by side,
// then the density of events.
func (v Wall) drawOverview(f Frame, on widget.Canvas) {
	y := Fleet{memo: v.memo, lower: true, still: true}.drawCards(f, on)
	y += drawRegionStrips(f, on.Sub(0, y, on.W, on.H-y), "", PaintState)
	rest := on.Sub(0, y, on.W, on.H-y)
	density := 0
	if rest.H >= 16 {
		density = 5
		events := recent(f, v.query())
		drawDensity(f, rest.Sub(0, rest.H-5, rest.W, 5), events, v.query().Span)
	}
	rest = rest.Sub(0, 0, rest.W, rest.H-density)
	if rest.H < 3 {
		return
	}
	if rest.W < 120 {
		drawEventLines(f, widget.Box(rest, f.Theme, "newest alerts", "", false), f.Snap.Recent)
		return
	}
	left := rest.Sub(0, 0, rest.W/2, rest.H)
	drawEventLines(f, widget.Box(left, f.Theme, "newest alerts", "", false), f.Snap.Recent)
	right := rest.Sub(left.W, 0, rest.W-left.W, rest.H)
	if h := f.Snap.Feeds.Len() + 5; rest.W < 200 && right.H >= h+f.Snap.Services.Len()+f.Snap.Clouds.Len()+2 {
		v.drawPeople(f, right.Sub(0, right.H-h, right.W, h))
		right = right.Sub(0, 0, right.W, right.H-h)
	}
	if rest.W >= 200 {
		jobs := right.Sub(right.W*55/100, 0, right.W-right.W*55/100, right.H)
		right = right.Sub(0, 0, right.W*55/100, right.H)
		v.drawPeople(f, jobs)
	}
	drawServiceLines(f, right)
}

func (v Wall) drawServices(f Frame, on widget.Canvas) { Services{clouds: false}.Draw(f, on) }

// drawServiceLines draws each service with its replicas above the floor.
func drawServiceLines(f Frame, on widget.Canvas) {
	in := widget.Box(on, f.Theme, "services", "running, floor", false)
	y := 0
	for id, s := range f.Snap.Services.All() {
		if y >= in.H-1 && y > 0 {
			break
		}
		in.Glyph(f.Theme, 1, y, s.State)
		drawDelta(f, in, 0, y, KindService, id)
		in.Cut(f.Theme, 3, y, 16, id, widget.Plain)
		w := max(8, in.W-48)
		drawFloor(f, in.Sub(20, y, w, 1), s)
		in.Cut(f.Theme, 21+w, y, in.W-22-w, replicas(s), widget.Dim)
		y++
	}
	for id, c := range f.Snap.Clouds.All() {
		if y >= in.H {
			return
		}
		drawCloud(f, in.Sub(1, y, in.W-2, 1), id, c)
		y++
	}
}

// drawPeople draws who is here and what they do.
func (v Wall) drawPeople(f Frame, on widget.Canvas) {
	in := widget.Box(on, f.Theme, "people, jobs, feeds", "", false)
	here := "nobody"
	if len(f.Here) > 0 {
		here = strings.TrimPrefix(hereText(f, true), "here: ")
	}
	in.Cut(f.Theme, in.Text(1, 0, "here", widget.Dim)+2, 0, in.W-8, here, widget.Plain)
	if len(f.Snap.Jobs) == 0 {
		in.Text(1, 1, "no job yet", widget.Dim)
	}
	shown := max(1, min(len(f.Snap.Jobs), in.H/3))
	for i := range f.Snap.Jobs[:min(shown, len(f.Snap.Jobs))] {
		j := &f.Snap.Jobs[i]
		state, st := jobStyle(j.State)
		x := in.Glyph(f.Theme, 1, i+1, state) + 1
		x = in.Text(x, i+1, jobWord(j), st) + 1
		in.Cut(f.Theme, x, i+1, in.W-x-1, string(j.Action)+" "+strings.Join(j.Targets, " ")+"  by "+j.By, widget.Plain)
	}
	drawFeeds(f, in.Sub(1, shown+2, in.W-2, in.H-shown-2))
}

// drawFeeds draws the load of each power feed against its breaker.
func drawFeeds(f Frame, in widget.Canvas) {
	y := 0
	for id, x := range f.Snap.Feeds.All() {
		if y >= in.H {
			return
		}
		share := x.AmpsA.Float() / x.Spec.BreakerA.Float()
		text, textW := percent(share), 5
		if in.W >= 46 {
			text, textW = text+"  "+number(x.AmpsA, 0)+" of "+number(x.Spec.BreakerA, 0)+"A", 18
		}
		in.Glyph(f.Theme, 0, y, x.State)
		in.Cut(f.Theme, 2, y, 12, id, widget.Plain)
		if !x.AmpsA.Known { // a utility feed is known by its UPSes' watts, if at all
			text := "not measured"
			if x.PowerW.Known {
				text = watts(x.PowerW)
			}
			in.Text(15, y, text, widget.Dim)
			y++
			continue
		}
		w := max(6, in.W-16-textW)
		widget.Bar(in, f.Theme, 15, y, w, share, widget.LoadStyle(share, 0.7, capacity.Continuous))
		in.CutRight(f.Theme, 16+w, y, in.W-16-w, text, widget.Dim)
		y++
	}
}

// drawTicker draws the causes one behind the other, moving a cause at a time.
func (v Wall) drawTicker(f Frame, on widget.Canvas) {
	t := v.memo.troubles.of(f)
	x := on.Text(1, 0, "TICKER", widget.Dim) + 2
	n := len(t.lines)
	if n == 0 {
		on.Text(x, 0, "nothing needs anybody", widget.OK)
		return
	}
	start := int(f.At.Unix()/5) % n
	for i := range n {
		if on.W-x < 20 {
			return
		}
		l := &t.lines[(start+i)%n]
		x = on.Glyph(f.Theme, x, 0, l.state) + 1
		x = on.Cut(f.Theme, x, 0, on.W-x-1, l.headline(f, t.why), widget.Plain)
		if i < n-1 {
			x = on.Text(x+1, 0, "...", widget.Dim) + 1
		}
	}
}

func (v Wall) drawLegend(f Frame, on widget.Canvas) {
	drawLegend(f, on)
	on.Right(on.W-1, 0, "read-only, needs no key; racks show "+PaintState.legend()+" "+heatKey(f.Theme), widget.Dim)
}

// heatKey explains the shades: ░<40 ▒<60 ▓<80 █.
func heatKey(th *widget.Theme) string {
	h := th.Glyphs.Heat
	return string(h[0]) + "<40 " + string(h[1]) + "<60 " + string(h[2]) + "<80 " + string(h[3]) + "80%+"
}
