package capacity

import (
	"cmp"
	"slices"
)

// moved is where the watts go when a node fails.
type moved struct {
	extra []float64 // by node
	hit   []int     // nodes whose extra is set
	dies  float64   // watts of what loses its last cord
	dead  []int     // loads that do
}

func (m *moved) add(t *tree, from int, w float64) {
	for ; from >= 0; from = t.nodes[from].up {
		if m.extra[from] == 0 {
			m.hit = append(m.hit, from)
		}
		m.extra[from] += w
	}
}

func (m *moved) clear() {
	for _, i := range m.hit {
		m.extra[i] = 0
	}
	m.hit, m.dead, m.dies = m.hit[:0], m.dead[:0], 0
}

// fail carries what hangs below node f to the other cords of its loads. Above
// both, nothing changes: two cords under one parent take the watts off it and
// put them back. It reports false where nothing hangs there.
func (t *tree) fail(f int, m *moved) bool {
	m.clear()
	for _, k := range t.nodes[f].below {
		l := &t.loads[k]
		lost, left := 0.0, 0
		for _, c := range l.cords {
			switch {
			case t.under(c.pdu, f):
				lost += c.watts
				m.add(t, c.pdu, -c.watts)
			case !t.nodes[c.pdu].dark:
				left++
			}
		}
		if left == 0 {
			if l.watts() > 0 || l.device >= 0 {
				m.dies += lost
				m.dead = append(m.dead, k)
			}
			continue
		}
		for _, c := range l.cords {
			if !t.under(c.pdu, f) && !t.nodes[c.pdu].dark {
				m.add(t, c.pdu, lost/float64(left))
			}
		}
	}
	return len(t.nodes[f].below) > 0
}

// threat is the worst that a failure elsewhere does to a node.
type threat struct {
	by    int     // the node whose failure it is, -1: none
	watts float64 // the load then
	phase int     // 1 to 3: the phase that is over, though the whole is not
	over  float64 // watts above the limit; negative: below it
}

// threats fails every node in turn and keeps for each other one the worst.
func (t *tree) threats() []threat {
	worst := make([]threat, len(t.nodes))
	for i := range worst {
		worst[i].by = -1
	}
	m := &moved{extra: make([]float64, len(t.nodes))}
	for f := range t.nodes {
		if t.nodes[f].dark || !t.fail(f, m) {
			continue
		}
		for _, i := range m.hit {
			if t.under(i, f) || t.under(f, i) || m.extra[i] <= 0 {
				continue
			}
			w := t.nodes[i].watts + m.extra[i]
			if worst[i].by < 0 || w > worst[i].watts {
				x := threat{by: f, watts: w, over: w - t.nodes[i].limitW}
				x.phase, x.over = t.phase(i, f, m.extra[i], x.over)
				worst[i] = x
			}
		}
	}
	return worst
}

// phase looks at the phases of a feed where a UPS measures those of both: what
// moves comes on the phase it left, for the cords of a rack are meant to hang
// alike on A and B.
func (t *tree) phase(i, f int, extra, over float64) (int, float64) {
	n := &t.nodes[i]
	from := t.nodes[f].phaseW
	for up := t.nodes[f].up; from[0] == 0 && up >= 0; up = t.nodes[up].up { // a PDU, by its feed
		from = t.nodes[up].phaseW
	}
	if n.phaseW[0] == 0 || from[0] == 0 || !t.nodes[f].feed {
		return 0, over
	}
	phase, sum := 0, from[0]+from[1]+from[2]
	for p := range 3 {
		if o := n.phaseW[p] + extra*from[p]/sum - n.limitW/3; o*3 > over && o > 0 {
			phase, over = p+1, o*3
		}
	}
	return phase, over
}

// single lists the loads whose live cords all lie below one node: it fails, and
// they do. The heaviest come first.
func (t *tree) single(f int) []int {
	var out []int
	for _, k := range t.nodes[f].below {
		alone := true
		for _, c := range t.loads[k].cords {
			alone = alone && (t.under(c.pdu, f) || t.nodes[c.pdu].dark)
		}
		if alone {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(t.loads[b].watts(), t.loads[a].watts()) })
	return out
}
