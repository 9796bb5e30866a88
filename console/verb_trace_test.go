package console

import (
	"bytes"
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// TestTreeDrawsEachNodeOnce holds that a tree goes the way that the trace went,
// draws what two lines lead to once in full, and leaves out ports that lead
// nowhere.
func TestTreeDrawsEachNodeOnce(t *testing.T) {
	node := func(id string, k trace.Kind) trace.Node { return trace.Node{ID: id, Kind: k, State: fleet.StateOK} }
	chain := trace.Chain{
		Nodes: []trace.Node{node("s", trace.Server), node("rack", trace.Rack), node("o1", trace.Outlet), node("o2", trace.Outlet), node("pdu", trace.PDU), node("feed", trace.Feed), node("sw/9", trace.Port)},
		Edges: []trace.Edge{
			{From: "rack", To: "s", Kind: "mount", Back: true}, {From: "o1", To: "s", Kind: "power", Back: true}, {From: "o2", To: "s", Kind: "power", Back: true},
			{From: "s", To: "sw/9", Kind: "data"},
			{From: "pdu", To: "o1", Kind: "power", Back: true}, {From: "pdu", To: "o2", Kind: "power", Back: true}, {From: "feed", To: "pdu", Kind: "power", Back: true},
		},
	}
	var out bytes.Buffer
	printTree(&verbCall{VerbCall: VerbCall{Stdout: &out}}, "stands on", chain)
	text := out.String()
	if n := strings.Count(text, "feed feed"); n != 1 {
		t.Errorf("the feed is drawn %d times:\n%s", n, text)
	}
	if strings.Count(text, "(as above)") != 1 || strings.Contains(text, "sw/9") {
		t.Errorf("not as expected:\n%s", text)
	}
	if i, j := strings.Index(text, "o1 outlet"), strings.Index(text, "pdu pdu"); i < 0 || j < i {
		t.Errorf("the PDU is not under its outlet:\n%s", text)
	}
}
