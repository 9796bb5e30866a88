package trace

import "plumb/fleet"

// Ways are like ways by which a machine gets what it needs, and how many of
// them work: cords that give power, cables and uplinks that lead to the edge of
// its region.
type Ways struct {
	Kind string `json:"kind"` // cord cable uplink
	Left int    `json:"left"`
	All  int    `json:"all"`
}

// Now is the fleet as a snapshot shows it, for many questions about one moment.
// Answers are kept; it belongs to one caller.
type Now struct{ w *world }

// Now opens the present of a snapshot.
func (g *Graph) Now(s *fleet.Snapshot) *Now { return &Now{g.world(s, newInquiry(g, s, s.At), nil)} }

// Ways lists the ways of a part that is a device; another part has none.
func (n *Now) Ways(p Part) (out []Ways) {
	if !p.device() {
		return nil
	}
	w, d := n.w, &n.w.g.devices[p.N]
	add := func(kind string, left, all int) {
		if all > 0 {
			out = append(out, Ways{kind, left, all})
		}
	}
	add("cord", w.cords(p.N), len(d.cords))
	if p.Kind == Switch || p.Kind == Router {
		add("uplink", w.uplinks(p.N), w.count(p.N, func(c *cableNode) bool { return w.g.carries(c.to) }))
		return out
	}
	add("cable", w.paths(p.N), w.count(p.N, func(c *cableNode) bool { return !c.management }))
	return out
}

// count counts the cables of a device that lead to another one and are such.
func (w *world) count(n int, such func(*cableNode) bool) (all int) {
	for k := range w.g.devices[n].cables {
		if c := &w.g.devices[n].cables[k]; c.to >= 0 && such(c) {
			all++
		}
	}
	return all
}
