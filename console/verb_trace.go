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

// printTree prints a chain as a tree from its first node outwards. A node that
// several lines lead to is followed once, and ports that lead nowhere are left
// out.
func printTree(c *verbCall, what string, t trace.Chain) {
	next := map[string][]int{} // edges by the end that the trace came from
	for i := range t.Edges {
		near, _ := course(&t.Edges[i])
		next[near] = append(next[near], i)
	}
	nodes := map[string]*trace.Node{}
	for i := range t.Nodes {
		nodes[t.Nodes[i].ID] = &t.Nodes[i]
	}
	root := t.Nodes[0]
	fmt.Fprintf(c.Stdout, "%s %s %s %s\n", root.ID, root.Kind, root.State, what)
	if len(t.Edges) == 0 {
		fmt.Fprintln(c.Stdout, "  nothing")
	}
	drawn := map[string]bool{root.ID: true}
	var walk func(id, indent string)
	walk = func(id, indent string) {
		var list []int
		for _, i := range next[id] {
			_, id := course(&t.Edges[i])
			if n := nodes[id]; n == nil || n.Kind == trace.Port && !leads(id, root.ID, next, t.Edges) {
				continue
			}
			list = append(list, i)
		}
		for k, i := range list {
			e := &t.Edges[i]
			_, id := course(e)
			n := nodes[id]
			branch, below := "├─ ", "│  "
			if k == len(list)-1 {
				branch, below = "└─ ", "   "
			}
			again := ""
			if drawn[n.ID] {
				again = "  (as above)"
			}
			fmt.Fprintf(c.Stdout, "%s%s%s %s %s  %s%s\n", indent, branch, n.ID, n.Kind, n.State, vouched(e), again)
			if !drawn[n.ID] {
				drawn[n.ID] = true
				walk(n.ID, indent+below)
			}
		}
	}
	walk(root.ID, "")
	if t.Omitted > 0 {
		fmt.Fprintf(c.Stdout, "and %d more; --json has the first %d too\n", t.Omitted, traceMost)
	}
}

// course are the parts that the trace went from and to along an edge.
func course(e *trace.Edge) (near, far string) {
	if e.Back {
		return e.To, e.From
	}
	return e.From, e.To
}

// leads reports whether a trace goes on to anything new beyond a port.
func leads(port, root string, next map[string][]int, edges []trace.Edge) bool {
	for _, i := range next[port] {
		if _, id := course(&edges[i]); id != root {
			return true
		}
	}
	return false
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
	fmt.Fprintf(c.Stdout, "with %s gone: %s lost, redundancy lost for %s, %d unseen\n", strings.Join(b.Failed, " and "), byKind(b.Lost), byKind(b.Degraded), len(b.Unseen))
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
		if err := write(c, s.At, rows); err != nil {
			return err
		}
	}
	if len(b.Power) > 0 {
		return write(c, s.At, b.Power)
	}
	return nil
}

// byKind counts losses by kind: "3 servers, 1 pdu".
func byKind(list []trace.Loss) string {
	if len(list) == 0 {
		return "nothing"
	}
	count, order := map[trace.Kind]int{}, []trace.Kind{}
	for _, x := range list {
		if count[x.Kind]++; count[x.Kind] == 1 {
			order = append(order, x.Kind)
		}
	}
	words := make([]string, len(order))
	for i, k := range order {
		words[i] = fmt.Sprintf("%d %s", count[k], k)
	}
	return strings.Join(words, ", ")
}
