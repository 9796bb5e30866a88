package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views"
	"plumb/views/export"
)

// traceMost bounds the nodes that one trace prints: a feed carries thousands.
const traceMost = 5000

// partOf finds what an id names, or says which is nearest.
func partOf(s *fleet.Snapshot, g *trace.Graph, id string) (trace.Part, error) {
	if p, ok := g.Find(s, id); ok {
		return p, nil
	}
	ids := slices.Concat(idsOf(&s.Devices), idsOf(&s.Racks), idsOf(&s.Feeds), idsOf(&s.Services), idsOf(&s.Regions), idsOf(&s.Sites))
	hint := "a region, site, rack, feed, device, DEVICE/PORT, PDU/OUTLET, host, instance or service"
	if near := export.Closest(ids, id); near != "" {
		hint = "did you mean " + near + "?"
	}
	return trace.Part{}, &Failure{"unknown", fmt.Sprintf("%s: no such part", fleet.Clean(id, 80)), hint}
}

func idsOf[T any](t *fleet.Table[T]) (ids []string) {
	for id := range t.All() {
		ids = append(ids, id)
	}
	return ids
}

// runTrace follows a part up to the utility and the region's edge, and down to
// the services.
func runTrace(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.want(1, "the id of a part"); err != nil {
		return err
	}
	g := trace.Build(s)
	p, err := partOf(s, g, c.words[0])
	if err != nil {
		return err
	}
	up, down := c.flags["up"] != "", c.flags["down"] != ""
	if !up && !down {
		up, down = true, true
	}
	switch c.format {
	case export.JSON, export.NDJSON:
		chain := g.Trace(s, p, trace.Walk{Up: up, Down: down, Limit: traceMost})
		if p.Kind == trace.Service {
			return export.Object(c.Stdout, c.format, s.At, tracedService{chain, g.SharedFate(s, p.N)})
		}
		return export.Object(c.Stdout, c.format, s.At, chain)
	case export.CSV, export.Markdown:
		return write(c, s.At, g.Trace(s, p, trace.Walk{Up: up, Down: down, Limit: traceMost}).Edges)
	}
	if up {
		printTree(c, "stands on", g.Trace(s, p, trace.Walk{Up: true, Limit: traceMost}))
	}
	if down {
		printTree(c, "carries", g.Trace(s, p, trace.Walk{Down: true, Limit: traceMost}))
	}
	if p.Kind == trace.Service {
		return printSpread(c, s, g.SharedFate(s, p.N))
	}
	return nil
}

// printTree prints a chain as a tree from its first node outwards.
func printTree(c *verbCall, what string, t trace.Chain) {
	lines := t.Lines()
	root := lines[0].Node
	fmt.Fprintf(c.Stdout, "%s %s %s %s\n", root.ID, root.Kind, root.State, what)
	if len(t.Edges) == 0 {
		fmt.Fprintln(c.Stdout, "  nothing")
	}
	indent := []string{""} // by depth, from 1
	for i := range lines[1:] {
		l := &lines[i+1]
		branch, below := "├─ ", "│  "
		if l.Last {
			branch, below = "└─ ", "   "
		}
		again := ""
		if l.As != "" {
			again = "  (as " + l.As + ")"
		}
		fmt.Fprintf(c.Stdout, "%s%s%s %s %s  %s%s\n", indent[l.Depth-1], branch, l.Node.ID, l.Node.Kind, l.Node.State, vouched(l.Edge), again)
		indent = append(indent[:l.Depth], indent[l.Depth-1]+below)
	}
	if t.Omitted > 0 {
		fmt.Fprintf(c.Stdout, "and %d more; --json has the first %d too\n", t.Omitted, traceMost)
	}
}

// vouched says who vouches for an edge.
func vouched(e *trace.Edge) string {
	text := "[" + e.Kind + ": " + e.Evidence + "]"
	if e.Contradict != "" {
		text += " ◇ contradicted: " + e.Contradict
	}
	return text
}

// runWhatIf says what would be lost with parts, on the state of now.
func runWhatIf(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if len(c.words) > 0 && c.words[0] == "add" {
		return whatIfAdd(s, c)
	}
	if len(c.words) < 2 || c.words[0] != "fail" {
		return usage("whatif fail fra1-A fra1-r01-swa", "whatif: needs the word fail and the ids of what fails, or the word add and how many servers")
	}
	if len(c.flags) > 0 && slices.ContainsFunc(views.PlaceFlags, func(f string) bool { return c.flags[f] != "" }) {
		return usage("whatif fail fra1-A", "whatif fail: takes ids only")
	}
	g := trace.Build(s)
	var parts []trace.Part
	for _, id := range c.words[1:] {
		p, err := partOf(s, g, id)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	b := g.Blast(s, parts...)
	if c.format != export.Text {
		if c.format == export.CSV || c.format == export.Markdown {
			return write(c, s.At, lossRows(b))
		}
		return export.Object(c.Stdout, c.format, s.At, b)
	}
	return printBlast(c, s, b)
}

// lossRow is one line of a what-if as a table.
type lossRow struct {
	What string     `json:"what"` // lost degraded unseen
	ID   string     `json:"id"`
	Kind trace.Kind `json:"kind"`
	Why  string     `json:"why"`
}

func lossRows(b trace.Blast) []lossRow {
	rows := []lossRow{}
	for _, l := range []struct {
		what string
		list []trace.Loss
	}{{"lost", b.Lost}, {"degraded", b.Degraded}, {"unseen", b.Unseen}} {
		for _, x := range l.list {
			rows = append(rows, lossRow{l.what, x.ID, x.Kind, x.Why})
		}
	}
	return rows
}

func printBlast(c *verbCall, s *fleet.Snapshot, b trace.Blast) error {
	fmt.Fprintf(c.Stdout, "with %s gone: %s lost, redundancy lost for %s, %d unseen\n", strings.Join(b.Failed, " and "), trace.ByKind(b.Lost), trace.ByKind(b.Degraded), len(b.Unseen))
	if len(b.Already) > 0 {
		fmt.Fprintf(c.Stdout, "dead already: %s\n", strings.Join(b.Already, ", "))
	}
	for _, h := range b.Services {
		mark := ""
		switch {
		case h.Below:
			mark = fmt.Sprintf("  ✖ below its floor of %d", h.Floor)
		case h.Floor > 0 && h.After == h.Floor:
			mark = fmt.Sprintf("  ▲ exactly at its floor of %d", h.Floor)
		}
		fmt.Fprintf(c.Stdout, "service %s %d → %d%s\n", h.Service, h.Before, h.After, mark)
	}
	if rows := lossRows(b); len(rows) > 0 {
		for i := range rows { // people know an instance by its name
			rows[i].ID = named(s, []string{rows[i].ID})[0]
		}
		if err := write(c, s.At, rows); err != nil {
			return err
		}
	}
	if len(b.Power) > 0 {
		return write(c, s.At, b.Power)
	}
	return nil
}
