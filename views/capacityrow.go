package views

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// Columns of the list. The first orders by what hurts.
var (
	placeColumns = []widget.Column{
		{Title: "", Min: 1}, {Title: "id", Min: 9, Max: 16, Name: true}, {Title: "power", Min: 14, Max: 24}, {Title: "load", Min: 13, Rank: 4, Right: true},
		{Title: "fails", Min: 6, Right: true}, {Title: "takes", Min: 5, Rank: 1, Right: true}, {Title: "free U", Min: 6, Rank: 2, Right: true}, {Title: "run", Min: 4, Rank: 5, Right: true},
		{Title: "binds", Min: 8, Max: 14, Rank: 1, Name: true}, {Title: "lasts", Min: 10, Max: 40, Rank: 3}, {Title: "what hurts", Min: 18, Max: 90, Name: true},
	}
	feedColumns = []widget.Column{
		{Title: "", Min: 1}, {Title: "id", Min: 12, Max: 16, Name: true}, {Title: "power", Min: 14, Max: 24}, {Title: "load", Min: 14, Rank: 2, Right: true},
		{Title: "fails", Min: 6, Right: true}, {Title: "alone", Min: 5, Rank: 1, Right: true}, {Title: "by", Min: 8, Max: 14, Rank: 3, Name: true}, {Title: "lasts", Min: 10, Max: 40, Rank: 2}, {Title: "what hurts", Min: 18, Max: 90, Name: true},
	}
	cloudColumns = []widget.Column{
		{Title: "", Min: 1}, {Title: "id", Min: 10, Max: 16, Name: true}, {Title: "tightest", Min: 14, Max: 24}, {Title: "load", Min: 15, Rank: 2, Right: true}, {Title: "of", Min: 10, Max: 18, Rank: 1, Name: true},
		{Title: "binds", Min: 8, Max: 14, Rank: 3, Name: true}, {Title: "lasts", Min: 10, Max: 40, Rank: 2}, {Title: "what hurts", Min: 20, Max: 90, Name: true},
	}
	// groupColumns are those of places; a rack alone says how many more it
	// takes, for racks share their feeds and their numbers do not add up.
	groupColumns = slices.DeleteFunc(slices.Clone(placeColumns), func(c widget.Column) bool { return c.Title == "takes" })
)

func capacityColumns(scope capacity.Scope) []widget.Column {
	switch scope {
	case capacity.ScopeRack:
		return placeColumns
	case capacity.ScopeFeed:
		return feedColumns
	case capacity.ScopeCloud:
		return cloudColumns
	}
	return groupColumns
}

// bar returns the row that the bar of a subject shows: its power, of a cloud
// what is tightest.
func (r *capacityRow) bar() *capacity.Row {
	if r.Scope == capacity.ScopeCloud {
		return r.Tightest()
	}
	return r.Row(capacity.Power)
}

// number is a column as a number, NaN where it is not known.
func (r *capacityRow) number(title string) float64 {
	share := func(x *capacity.Row) float64 {
		if x == nil {
			return math.NaN()
		}
		return x.Share()
	}
	free := func(x *capacity.Row) float64 {
		if x == nil {
			return math.NaN()
		}
		return x.Free.Float()
	}
	switch title {
	case "":
		return r.Hurt()
	case "power", "tightest", "load":
		return share(r.bar())
	case "fails":
		return share(r.Row(capacity.Failover))
	case "free U":
		return free(r.Row(capacity.Units))
	case "run":
		return free(r.Row(capacity.Contiguous))
	case "alone":
		return float64(r.alone)
	case "takes":
		if r.fit != nil && r.fit.Known {
			return float64(r.fit.Takes)
		}
	}
	return math.NaN()
}

// column is a row's text by its column, for sorting and for the plain cells.
func (r *capacityRow) column(title string) string {
	switch title {
	case "id":
		return r.ID
	case "binds":
		return r.binds()
	case "by":
		if x := r.Row(capacity.Failover); x != nil {
			return x.Binds
		}
	case "of":
		if x := r.bar(); x != nil {
			return resourceWord(x)
		}
	case "what hurts":
		return hurtText(r)
	}
	return ""
}

// binds is the resource that runs out first.
func (r *capacityRow) binds() string {
	if r.fit != nil && r.fit.Binds == "" {
		return dash
	}
	if r.fit != nil {
		return strings.ReplaceAll(string(r.fit.Binds), "_", " ")
	}
	for _, res := range [...]capacity.Resource{capacity.Units, capacity.Instances} {
		if x := r.Row(res); x != nil && x.Binds != "" {
			return strings.ReplaceAll(x.Binds, "_", " ")
		}
	}
	return ""
}

// resourceWord names a row's resource as people say it.
func resourceWord(x *capacity.Row) string {
	switch x.Resource {
	case capacity.Contiguous:
		return "longest run"
	case capacity.Failover:
		return "failed over"
	case capacity.Ports, capacity.Quota:
		return strings.TrimSpace(string(x.Resource) + " " + strings.ReplaceAll(x.Class, "_", " "))
	case capacity.VCPU:
		return "vCPU"
	}
	return string(x.Resource)
}

// hurtText says in words what hurts most: a limit that is broken, else who is
// not redundant and what is nearest to its end.
func hurtText(r *capacityRow) string {
	t := r.Tightest()
	if t == nil {
		return "nothing is known of it"
	}
	if t.Over {
		if t.Worst != "" {
			return t.Worst
		}
		return resourceWord(t) + " is over: " + amountOfRow(t.Used, t) + " of " + amountOfRow(t.Total, t)
	}
	text := resourceWord(t) + " " + percent(t.Share()) + " used"
	if r.fit != nil && (!r.fit.Known || r.fit.Takes == 0) {
		text = fitRefusal(r.fit)
	}
	if x := r.Row(capacity.Failover); x != nil && !x.Used.Known && x.Worst != "" {
		return x.Worst
	}
	switch {
	case r.alone > 0 && r.Scope == capacity.ScopeRack:
		text = strconv.Itoa(r.alone) + " on one cord; " + text
	case r.alone > 0:
		text = strconv.Itoa(r.alone) + " on it alone; " + text
	}
	return text
}

// fitRefusal says why a rack takes no more.
func fitRefusal(fit *capacity.RackFit) string {
	switch {
	case !fit.Known:
		return "takes nobody knows how many: " + fit.Why
	case fit.Binds == "":
		return "takes none: " + fit.Why
	}
	return "full for its kind: " + strings.ReplaceAll(string(fit.Binds), "_", " ") + ", " + fit.Why
}

// amountOfRow writes a number in the unit of a row: 4.4kW, 10U, 13.0GiB.
func amountOfRow(n fleet.Num, r *capacity.Row) string {
	if !n.Known {
		return dash
	}
	switch r.Unit {
	case "W":
		return watts(n)
	case "U":
		return number(n, 1) + "U"
	case "bytes":
		return bytesText(n.Float())
	case "kg":
		return number(n, 0) + "kg"
	}
	return number(n, 0)
}

// bytesText writes a memory in powers of 1024.
func bytesText(f float64) string {
	for _, u := range [...]struct {
		at   float64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}} {
		if math.Abs(f) >= u.at {
			return strconv.FormatFloat(f/u.at, 'f', 1, 64) + u.name
		}
	}
	return strconv.FormatFloat(f, 'f', 0, 64) + "B"
}

// roomStyle is the style of a bar: calm until little is left.
func roomStyle(x *capacity.Row) widget.Style {
	if x.Over {
		return widget.Crit
	}
	return widget.LoadStyle(x.Share(), 0.85, 1.0001) // full is no fault, beyond is
}

// drawRoom draws how a row's room is taken, with its share behind.
func drawRoom(f Frame, on widget.Canvas, x *capacity.Row, p95 fleet.Num) {
	if x == nil {
		on.Text(0, 0, f.Theme.Glyphs.Unknown+" not known", widget.Unknown)
		return
	}
	total := x.Total.Float()
	share := x.Share()
	mark, lost := math.NaN(), 0.0
	if p95.Known {
		mark = p95.Float() / total
	}
	if x.Stranded.Known {
		lost = x.Stranded.Float() / total
	}
	w := max(on.W-5, 3)
	widget.Room(on, f.Theme, 0, 0, w, share, mark, lost, roomStyle(x))
	if math.IsNaN(share) {
		on.Right(on.W, 0, f.Theme.Glyphs.Unknown+"  ", widget.Unknown)
		return
	}
	on.Right(on.W, 0, percent(share), roomText(roomStyle(x)))
}

// roomText is the style of words beside a bar.
func roomText(st widget.Style) widget.Style {
	if st == widget.Fill {
		return widget.Plain
	}
	return st
}

func capacityCell(f Frame, on widget.Canvas, r *capacityRow, column string) {
	switch column {
	case "":
		glyph, st := hurtMark(f, r)
		on.Text(0, 0, glyph, st)
	case "id":
		on.Cut(f.Theme, 0, 0, on.W, r.ID, widget.Link)
	case "power", "tightest":
		p95 := fleet.Num{}
		if x := r.bar(); x != nil && r.way != nil && r.way.Resource == x.Resource {
			p95 = r.way.P95
		}
		drawRoom(f, on, r.bar(), p95)
	case "load":
		if x := r.bar(); x != nil {
			on.CutRight(f.Theme, 0, 0, on.W, amountOfRow(x.Used, x)+"/"+amountOfRow(x.Total, x), widget.Dim)
		}
	case "fails":
		drawFails(f, on, r.Row(capacity.Failover))
	case "free U", "run", "takes", "alone":
		n := r.number(column)
		text, st := dash, widget.Unknown
		if !math.IsNaN(n) {
			text, st = strconv.FormatFloat(n, 'f', -1, 64), widget.Plain
		}
		if n <= 0 && column != "alone" {
			st = widget.Warn
		}
		on.CutRight(f.Theme, 0, 0, on.W, text, st)
	case "lasts":
		text, st := lastsText(f, r.way, on.W)
		on.Cut(f.Theme, 0, 0, on.W, text, st)
	case "what hurts":
		st := widget.Plain
		if r.Hurt() >= 1 {
			st = widget.Crit
		}
		on.Cut(f.Theme, 0, 0, on.W, hurtText(r), st)
	default:
		on.Cut(f.Theme, 0, 0, on.W, or(r.column(column)), widget.Dim)
	}
}

// hurtMark is a row's glyph: a broken limit, little left, or in order.
func hurtMark(f Frame, r *capacityRow) (string, widget.Style) {
	g := f.Theme.Glyphs
	switch h := r.Hurt(); {
	case h < 0:
		return g.Unknown, widget.Unknown
	case h >= 1:
		return g.Crit, widget.Crit
	case h >= 0.9 || r.fit != nil && r.fit.Known && r.fit.Takes == 0:
		return g.Warn, widget.Warn
	case r.fit != nil && !r.fit.Known:
		return g.Unknown, widget.Unknown
	case r.leaf && r.alone > 0 && !r.Row(capacity.Failover).Used.Known:
		return g.Warn, widget.Warn // its partner is gone; a feed above both never had one
	}
	return g.OK, widget.OK
}

// drawFails draws how full the worst failure makes it.
func drawFails(f Frame, on widget.Canvas, x *capacity.Row) {
	switch {
	case x == nil, !x.Used.Known && x.Worst == "":
		on.CutRight(f.Theme, 0, 0, on.W, dash, widget.Unknown)
	case !x.Used.Known && x.Over:
		on.CutRight(f.Theme, 0, 0, on.W, "dark", widget.Crit)
	case !x.Used.Known: // everything below hangs on it
		on.CutRight(f.Theme, 0, 0, on.W, "single", widget.Warn)
	case x.Over:
		on.CutRight(f.Theme, 0, 0, on.W, f.Theme.Glyphs.Crit+percent(x.Share()), widget.Crit)
	default:
		on.CutRight(f.Theme, 0, 0, on.W, percent(x.Share()), roomText(roomStyle(x)))
	}
}

// soon is how near an end must be to be marked: what it takes to buy and build.
const soon = 90 * 24 * time.Hour

// lastsText says how long a row lasts, in so many columns.
func lastsText(f Frame, way *capacity.Row, w int) (string, widget.Style) {
	switch {
	case way == nil:
		return f.Theme.Glyphs.Unknown + " unknown", widget.Unknown
	case !way.Foreseen():
		if w < 24 {
			return f.Theme.Glyphs.Unknown + " no trend", widget.Unknown
		}
		return way.Runway, widget.Unknown
	case way.At == nil && way.Low == nil:
		return ">180 d", widget.Plain
	case way.At == nil:
		return ">180 d, " + way.Low.UTC().Format("2006-01-02") + " at the earliest", widget.Plain
	case !way.At.After(f.At):
		return "at it now", widget.Crit
	}
	text := way.At.UTC().Format("2006-01-02")
	if w >= 24 {
		text += ", " + way.Low.UTC().Format("2006-01-02") + " earliest"
	}
	if way.At.Sub(f.At) < soon {
		return text, widget.Warn
	}
	return text, widget.Plain
}
