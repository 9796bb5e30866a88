package trace

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

func nodes(c Chain) string {
	var out []string
	for _, n := range c.Nodes {
		out = append(out, n.ID)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestTrace(t *testing.T) {
	up, down, both := Walk{Up: true}, Walk{Down: true}, Walk{Up: true, Down: true}
	for _, c := range []struct {
		id   string
		walk Walk
		want string
	}{
		{"r01-s03", up, "A B ams ams1/r01 grid r01-pa r01-pa/21 r01-pa/22 r01-pa/23 r01-pa/3 r01-pb r01-pb/21 r01-pb/22 r01-pb/23 r01-pb/3 r01-s03 r01-s03/bmc r01-s03/eth1 r01-s03/psu1 r01-s03/psu2 r01-swa r01-swa/E3 r01-swa/E49 r01-swa/E50 r01-swa/M3 r01-swa/psu1 r01-swa/psu2 sp1 sp1/E2 sp1/psu1 sp1/psu2 sp2 sp2/E2 sp2/psu1 sp2/psu2 ups-a ups-b"},
		{"r01-s03", down, "match r01-s03 vm-1-3"},
		{"r01-pa/4", both, "A ams ams1/r01 grid match r01-pa r01-pa/4 r01-s04 r01-s04/psu1 ups-a vm-1-4"},
		{"r01-swa/E1", down, "match r01-s01 r01-s01/eth1 r01-swa/E1 vm-1-1"},
		{"r01-s04/psu1", up, "A ams ams1/r01 grid r01-pa r01-pa/4 r01-s04/psu1 ups-a"},
		{"match", Walk{}, "match"},
	} {
		s := hall(1).snap()
		g := Build(s)
		if got := nodes(g.Trace(s, parts(t, g, s, c.id)[0], c.walk)); got != c.want {
			t.Errorf("%s %+v:\n%s\nwant\n%s", c.id, c.walk, got, c.want)
		}
	}
}

// TestTraceIsTheSameFromBothEnds: what stands above a thing has it below.
func TestTraceIsTheSameFromBothEnds(t *testing.T) {
	s := hall(2).snap()
	g := Build(s)
	for id := range s.Devices.All() {
		low := parts(t, g, s, id)[0]
		for _, n := range g.Trace(s, low, Walk{Up: true}).Nodes {
			high := parts(t, g, s, n.ID)[0]
			if !slices.Contains(strings.Fields(nodes(g.Trace(s, high, Walk{Down: true}))), id) {
				t.Errorf("%s is above %s and does not have it below", n.ID, id)
			}
		}
	}
}

func TestTraceEndsInNodes(t *testing.T) {
	s := hall(2).snap()
	g := Build(s)
	c := g.Trace(s, parts(t, g, s, "match")[0], Walk{Up: true, Down: true, Limit: 20})
	if len(c.Nodes) != 20 || c.Omitted == 0 {
		t.Errorf("%d nodes, %d omitted", len(c.Nodes), c.Omitted)
	}
	have := strings.Fields(nodes(c))
	for _, e := range c.Edges {
		if !slices.Contains(have, e.From) || !slices.Contains(have, e.To) {
			t.Errorf("an edge from %s to %s leads out of the nodes", e.From, e.To)
		}
	}
}

func TestEdgesNameTheirWitnesses(t *testing.T) {
	const other = 8 // the number of r01-s01
	s := hall(1).snap(func(d *fleet.Device) {
		if d.Spec.ID != "r01-swb" {
			return
		}
		d.Neighbors = []fleet.Neighbor{{LocalPort: "E1", RemoteName: "r01-s01", Protocol: "lldp"}}
		d.FDB = []fleet.FDBEntry{{MAC: "r01-s01-eth2", Port: "E1"}}
		d.Tables[fleet.TableNeighbors].At = t0
		d.Miscabled = []fleet.Miscable{{Port: "E2", Hears: fleet.Attachment{Device: other, Part: "eth2"}, Source: "lldp"}}
	})
	g := Build(s)
	edge := func(id, from, to string, w Walk) Edge {
		for _, e := range g.Trace(s, parts(t, g, s, id)[0], w).Edges {
			if e.From == from && e.To == to {
				return e
			}
		}
		t.Fatalf("no edge from %s to %s", from, to)
		return Edge{}
	}
	if e := edge("r01-s01", "r01-s01/eth2", "r01-swb/E1", Walk{Up: true}); !e.Intended || !e.Observed || e.Evidence != "inventory+lldp+fdb" || e.At == nil || !e.At.Equal(t0) {
		t.Errorf("seen twice: %+v", e)
	}
	if e := edge("r01-s02", "r01-s02/eth2", "r01-swb/E2", Walk{Up: true}); !e.Intended || e.Observed || !strings.Contains(e.Contradict, "hears r01-s01/eth2 (lldp)") {
		t.Errorf("contradicted: %+v", e)
	}
	if e := edge("r01-swb/E2", "r01-s01/eth2", "r01-swb/E2", Walk{Down: true}); e.Intended || !e.Observed {
		t.Errorf("there instead: %+v", e)
	}
	if e := edge("r01-pa", "r01-pa", "r01-pa/1", Walk{Down: true}); !e.Observed || e.Evidence != "inventory+outlets" {
		t.Errorf("an outlet that is listed: %+v", e)
	}
}

// TestACloudCarriesWhatShowsNoHost: what leads up to a cloud is found from there
// again; what has a host of ours hangs on that.
func TestACloudCarriesWhatShowsNoHost(t *testing.T) {
	h := hall(1)
	h.guest("adrift", "", "match")
	h.guests[len(h.guests)-1].Cloud = "os-ams"
	s := h.snap()
	g := Build(s)
	down := g.Trace(s, parts(t, g, s, "os-ams")[0], Walk{Down: true})
	var got []string
	for _, n := range down.Nodes[1:] {
		got = append(got, n.ID)
	}
	if strings.Join(got, " ") != "adrift match" {
		t.Errorf("the cloud carries %q", got)
	}
}
