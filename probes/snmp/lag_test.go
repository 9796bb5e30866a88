package snmp

import (
	"slices"
	"testing"

	"plumb/fleet"
)

// TestLAG: members by the LAG MIB, else by the interface stack.
func TestLAG(t *testing.T) {
	ports := []fakePort{{index: 1, name: "p1"}, {index: 2, name: "p2"}, {index: 3, name: "p3"}, {index: 90, name: "po1"}}
	ofType := func(tree []object, index uint32, kind int) []object {
		for i := range tree {
			if tree[i].name.compare(portColumns[ifType].plus(index)) == 0 {
				tree[i] = objAt(tree[i].name, kind)
			}
		}
		return tree
	}
	agg := func(rows ...[3]int) (out []object) { // port, selected, attached; -1: no such column
		for _, r := range rows {
			out = append(out, objAt(aggPort[0].plus(uint32(r[0])), r[1]))
			if r[2] >= 0 {
				out = append(out, objAt(aggPort[1].plus(uint32(r[0])), r[2]))
			}
		}
		return out
	}
	stack := func(higher, lower uint32, status int) object { return objAt(ifStack[0].plus(higher, lower), status) }
	for name, c := range map[string]struct {
		kind int // of po1
		rows []object
		want []string
	}{
		"attached":             {53, agg([3]int{1, 90, 90}, [3]int{2, 90, 90}, [3]int{3, 0, 0}), []string{"po1", "po1", "", ""}},
		"selected only":        {161, agg([3]int{1, 90, 90}, [3]int{2, 90, 0}), []string{"po1", "", "", ""}},
		"no attached column":   {161, agg([3]int{1, 90, -1}, [3]int{2, 0, -1}), []string{"po1", "", "", ""}},
		"its own aggregate":    {161, agg([3]int{1, 1, 1}), []string{"", "", "", ""}},
		"aggregate unknown":    {161, agg([3]int{1, 77, 77}), []string{"", "", "", ""}},
		"stack":                {161, []object{stack(90, 1, 1), stack(90, 3, 1), stack(90, 2, 2), stack(0, 90, 1), stack(1, 0, 1)}, []string{"po1", "", "po1", ""}},
		"stack without an ae":  {6, []object{stack(90, 1, 1)}, []string{"", "", "", ""}},
		"MIB before the stack": {161, append(agg([3]int{1, 90, 90}), stack(90, 3, 1)), []string{"po1", "", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := ofType(append(switchTree(1, "sw1", ports...), c.rows...), 90, c.kind)
			a := agentOf(t, newFake(t, sorted(tree)...))
			for _, lane := range []fleet.Lane{fleet.LaneTables, fleet.LaneSlow, fleet.LaneFast} {
				var got []string
				for _, p := range observe(t, a, lane).Ports {
					got = append(got, p.LAG)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%v: %q, want %q", lane, got, c.want)
				}
			}
		})
	}
}

// TestLAGLeft: a port that left its aggregate says so, in a definition of its
// own: the old one may be in a snapshot.
func TestLAGLeft(t *testing.T) {
	tree := append(switchTree(1, "sw1", fakePort{index: 1, name: "p1"}, fakePort{index: 90, name: "po1"}), objAt(aggPort[1].plus(1), 90))
	f := newFake(t, sorted(tree)...)
	a := agentOf(t, f)
	before := observe(t, a, fleet.LaneTables).Ports[0]
	f.set(func() {
		for i := range f.tree {
			if f.tree[i].name.compare(aggPort[1].plus(1)) == 0 {
				f.tree[i] = objAt(f.tree[i].name, 0)
			}
		}
	})
	if after := observe(t, a, fleet.LaneTables).Ports[0]; after.LAG != "" || before.LAG != "po1" {
		t.Errorf("%q before, %q after", before.LAG, after.LAG)
	}
}
