package views

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views/widget"
)

// Spreads keeps what the replicas of services share, worked out once for a
// snapshot when a view first asks: the graph behind it is that of the whole
// fleet, and changes only with the inventory. It belongs to one session.
type Spreads struct {
	snap  *fleet.Snapshot
	graph *trace.Graph
	of    map[string]*trace.Spread // by service
}

// For returns the spreads of a snapshot: x itself, where it is theirs. A nil x
// is one that has worked out nothing yet.
func (x *Spreads) For(s *fleet.Snapshot) *Spreads {
	if x != nil && x.snap == s {
		return x
	}
	next := &Spreads{snap: s, of: map[string]*trace.Spread{}}
	if x != nil {
		next.graph = x.graph
	}
	return next
}

// laid returns the graph of the snapshot's inventory.
func (x *Spreads) laid() *trace.Graph {
	if !x.graph.Of(x.snap) {
		x.graph = trace.Build(x.snap)
	}
	return x.graph
}

// graphOf returns the graph of who hangs on whom.
func graphOf(f Frame) *trace.Graph { return f.Spreads.For(f.Snap).laid() }

func (x *Spreads) service(id string) *trace.Spread {
	if have := x.of[id]; have != nil {
		return have
	}
	is := x.laid().SharedFate(x.snap, x.snap.Services.Number(id))
	x.of[id] = &is
	return &is
}

// spreadOf tells what the replicas of a service share.
func spreadOf(f Frame, service string) *trace.Spread { return f.Spreads.For(f.Snap).service(service) }

// standing are the open findings against a service, the worst first: a few, for
// there are few checks of services.
func standing(d *fleet.Docket) []*fleet.Finding {
	var out []*fleet.Finding
	for i := range d.Of() {
		if x := &d.Findings[i]; x.Open() {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b *fleet.Finding) int { return int(b.Severity) - int(a.Severity) })
	return out[:min(len(out), 3)]
}

// opacityText says how many replicas nobody can tell apart, and from what.
func opacityText(x *trace.Spread) (string, widget.Style) {
	switch {
	case x.Replicas == 0:
		return "", widget.Dim
	case x.Opaque == 0:
		return "opacity 0: every replica is seen apart", widget.Dim
	}
	return "opacity " + strconv.Itoa((100*x.Opaque+x.Replicas/2)/x.Replicas) + "%: " + fleet.Count(x.Opaque, "replica") + " cannot be told apart", widget.Unknown
}

// leastBar are the columns below which a bar tells nothing.
const leastBar = 4

// drawFate draws how much of a service is lost with one part. What is left
// without it is said in whole; the bar takes what room there is beside that.
func drawFate(f Frame, on widget.Canvas, x *trace.Spread, d *trace.Fate) {
	nameW := min(28, on.W/3)
	room := on.W - nameW - 2 - len(" of ") - 3*len(strconv.Itoa(x.Replicas))
	without, rest := "  without it ", " run: below floor"
	if room-len(without+rest) < leastBar {
		without, rest = ", leaves ", ": below floor"
	}
	w := min(20, on.W/4, room-len(without+rest))
	st, text := widget.Fill, strconv.Itoa(d.Takes)+" of "+strconv.Itoa(x.Replicas)
	if d.Below {
		st = widget.Warn
		text += without + strconv.Itoa(d.Left) + rest
	}
	on.Cut(f.Theme, 0, 0, nameW, string(d.Kind)+" "+d.ID, widget.Plain)
	at := nameW + 1
	if w >= leastBar {
		widget.Bar(on, f.Theme, at, 0, w, float64(d.Takes)/float64(max(x.Replicas, 1)), st)
		at += w + 1
	}
	at = on.Cut(f.Theme, at, 0, on.W-at, text, widget.Dim) + 2
	if len(d.Also) > 0 {
		on.Cut(f.Theme, at, 0, on.W-at, "the same with "+strings.Join(d.Also, ", "), widget.Dim)
	}
}
