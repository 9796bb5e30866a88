package trace

// Line is a node where the tree of a chain shows it.
type Line struct {
	Node  *Node
	Edge  *Edge // that leads to it; nil: it is the first
	Depth int
	Last  bool // of those that hang on the same node
	// As is "above" or "below" where it stands elsewhere with all that follows
	// it, else "".
	As string
}

// Near is the end of an edge that the trace came from.
func (e *Edge) Near() string {
	if e.Back {
		return e.To
	}
	return e.From
}

// Far is the end of an edge that the trace went to.
func (e *Edge) Far() string {
	if e.Back {
		return e.From
	}
	return e.To
}

// Lines lays a chain out as a tree from its first node outwards. A node that
// several edges lead to is followed where it is nearest to the first, and ports
// that lead nowhere are left out.
func (c *Chain) Lines() []Line {
	if len(c.Nodes) == 0 {
		return nil
	}
	t := &tree{c: c, next: map[string][]int{}, nodes: make(map[string]*Node, len(c.Nodes)), own: map[string]int{c.Nodes[0].ID: -1}, drawn: map[string]bool{}}
	for i := range c.Nodes {
		t.nodes[c.Nodes[i].ID] = &c.Nodes[i]
	}
	for i := range c.Edges { // the nearest come first
		near, far := c.Edges[i].Near(), c.Edges[i].Far()
		t.next[near] = append(t.next[near], i)
		if _, ok := t.own[far]; !ok {
			t.own[far] = i
		}
	}
	t.out = append(t.out, Line{Node: &c.Nodes[0], Last: true})
	t.drawn[c.Nodes[0].ID] = true
	t.follow(c.Nodes[0].ID, 1)
	return t.out
}

// tree is a chain being laid out.
type tree struct {
	c     *Chain
	next  map[string][]int // edges by the end that the trace came from
	own   map[string]int   // the edge that a node hangs on
	nodes map[string]*Node
	drawn map[string]bool
	out   []Line
}

func (t *tree) follow(id string, depth int) {
	last := -1
	for _, i := range t.next[id] {
		e := &t.c.Edges[i]
		n := t.nodes[e.Far()]
		if n == nil || n.Kind == Port && !t.leads(n.ID) {
			continue
		}
		last = len(t.out)
		if t.own[n.ID] == i {
			t.out = append(t.out, Line{Node: n, Edge: e, Depth: depth})
			t.drawn[n.ID] = true
			t.follow(n.ID, depth+1)
			continue
		}
		as := "below"
		if t.drawn[n.ID] {
			as = "above"
		}
		t.out = append(t.out, Line{Node: n, Edge: e, Depth: depth, As: as})
	}
	if last >= 0 {
		t.out[last].Last = true
	}
}

// leads reports whether a trace goes on to anything new beyond a port.
func (t *tree) leads(port string) bool {
	for _, i := range t.next[port] {
		if t.c.Edges[i].Far() != t.c.Nodes[0].ID {
			return true
		}
	}
	return false
}
