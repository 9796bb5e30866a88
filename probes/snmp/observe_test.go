package snmp

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func ports48() []fakePort {
	var out []fakePort
	for i := range uint32(48) {
		out = append(out, fakePort{index: i + 1, name: fmt.Sprintf("Ethernet%d", i+1), alias: "uplink", in: 1<<60 + uint64(i)})
	}
	return out
}

func observe(t *testing.T, a *Agent, lane fleet.Lane) *fleet.Observation {
	t.Helper()
	o, err := a.Observe(deadline(t, 10*time.Second), lane)
	if err != nil {
		t.Fatalf("Observe: %v (%v)", err, o.Err)
	}
	return o
}

func TestObserveSwitch(t *testing.T) {
	f := newFake(t, switchTree(12345, "sw1", ports48()...)...)
	a := agentOf(t, f)
	o := observe(t, a, fleet.LaneFast)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) != 48 {
		t.Fatalf("err %v tables %v ports %d", o.Err, o.Tables, len(o.Ports))
	}
	p := o.Ports[47]
	if in, ok := p.Counters.Get(fleet.InOctets); !ok || in != 1<<60+47 || p.Counters.Wide&1 == 0 {
		t.Errorf("in_octets %d %v wide %b", in, ok, p.Counters.Wide)
	}
	if p.Name != "Ethernet48" || p.SpeedBps.String() != "25000000000" || p.MAC != "52:54:00:00:00:30" || p.Admin != "up" || p.Oper != "up" || p.Type != "ethernetCsmacd" || p.MTU != 9000 {
		t.Errorf("port %+v", *p.PortDef)
	}
	for name, want := range map[string]string{"name": "sw1", "vendor": "Arista", "location": "r1", "uptime_s": "123.45"} {
		if got := o.Facts.Get(name); got != want {
			t.Errorf("fact %s = %q, want %q", name, got, want)
		}
	}
	for _, table := range []fleet.TableID{fleet.TableSensors, fleet.TableNeighbors, fleet.TableFDB, fleet.TableVLANs, fleet.TableOutlets, fleet.TableEntities} {
		if o.Tables[table] != fleet.Absent {
			t.Errorf("%v is %q, want absent", table, o.Tables[table])
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back fleet.Observation
	if err := json.Unmarshal(b, &back); err != nil || len(back.Ports) != 48 {
		t.Errorf("round trip: %v", err)
	}
	// The next fast poll names only what it read.
	o = observe(t, a, fleet.LaneFast)
	if _, named := o.Tables[fleet.TableNeighbors]; named || o.Tables[fleet.TableFacts] != fleet.NotAsked || len(o.Ports) != 48 {
		t.Errorf("fast poll: %v", o.Tables)
	}
}

func TestNarrowCounters(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 1, name: "a", in: 7, narrow: true}, fakePort{index: 2, name: "b", in: 8})...)
	a := agentOf(t, f)
	for range 2 {
		o := observe(t, a, fleet.LaneFast)
		first, second := o.Ports[0].Counters, o.Ports[1].Counters
		if n, ok := first.Get(fleet.InOctets); !ok || n != 7 || first.Wide != 0 {
			t.Errorf("narrow port: %d %v wide %b", n, ok, first.Wide)
		}
		if n, ok := second.Get(fleet.InOctets); !ok || n != 8 || second.Wide != 3 {
			t.Errorf("wide port: %d %v wide %b", n, ok, second.Wide)
		}
	}
}

func TestShuffledIndex(t *testing.T) {
	f := newFake(t, switchTree(100, "sw1", fakePort{index: 1, name: "a", in: 1}, fakePort{index: 2, name: "b", in: 2})...)
	a := agentOf(t, f)
	observe(t, a, fleet.LaneSlow)
	f.set(func() {
		f.tree = switchTree(200, "sw1", fakePort{index: 1, name: "b", in: 22}, fakePort{index: 7, name: "a", in: 11})
	})
	o := observe(t, a, fleet.LaneFast)
	got := map[string]uint64{}
	for _, p := range o.Ports {
		got[fmt.Sprint(p.Name, p.Index)], _ = p.Counters.Get(fleet.InOctets)
	}
	if len(got) != 2 || got["a7"] != 11 || got["b1"] != 22 {
		t.Errorf("after the shuffle: %v", got)
	}
}

func TestHostileText(t *testing.T) {
	p := ports48()
	for i := range p {
		p[i].alias = "\x1b]0;pwned\x07up\x9b31m\u202e"
	}
	f := newFake(t, switchTree(1, "\x1b[2Jsw\x00tail", p...)...)
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\\u001b", "\u009b", "\u202e", "\\u0007"} {
		if strings.Contains(string(b), bad) {
			t.Errorf("%q reached the observation", bad)
		}
	}
	if got := o.Facts.Get(fleet.FactName); got != "[2Jsw" {
		t.Errorf("name %q", got)
	}
}

// TestStrays: what is not an answer costs neither a try nor the poll.
func TestStrays(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	garbage := [][]byte{{}, {0x30}, []byte("hello"), {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1}, make([]byte, 3000)}
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		out := slices.Clone(garbage)
		out = append(out,
			fakeMessage("public", pduResponse, q.id+1, 0, 0, []object{obj("1.3.6.1.2.1.1.3.0", ticks(9))}),
			fakeMessage("public", pduResponse, 0, 0, 0, []object{obj("1.3.6.1.2.1.1.3.0", ticks(9))}),
			fakeMessage("other", pduResponse, q.id, 0, 0, []object{obj("1.3.6.1.2.1.1.3.0", ticks(9))}),
			fakeMessage("public", pduGet, q.id, 0, 0, nil))
		return append(out, answer)
	}
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) != 48 || o.Facts.Get("uptime_s") != "0.01" {
		t.Errorf("err %v tables %v", o.Err, o.Tables)
	}
}

// TestOtherOIDs: an answer about something else is no answer to a GET.
func TestOtherOIDs(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1")...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind != pduGet {
			return [][]byte{answer}
		}
		return [][]byte{fakeMessage("public", pduResponse, q.id, 0, 0, []object{obj("1.3.6.1.9.9", "lie"), obj("1.3.6.1.9.8", "lie")})}
	}
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	if got := o.Facts.Get(fleet.FactName) + o.Facts.Get(fleet.FactUptime); got != "" {
		t.Errorf("took %q from another object", got)
	}
}

func TestNothingLeaks(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	a := agentOf(t, f)
	observe(t, a, fleet.LaneFast)
	before := runtime.NumGoroutine()
	for range 50 {
		observe(t, a, fleet.LaneFast)
	}
	for until := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(until) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
	if err := a.Close(); err != nil || a.Close() != nil {
		t.Error("Close")
	}
}

// TestGreedyBridge: a small datagram may not become a large table.
func TestGreedyBridge(t *testing.T) {
	tree := switchTree(1, "sw1", ports48()...)
	list := strings.Repeat("\xff", 40_000)
	for v := range uint32(8) {
		tree = append(tree, objAt(parseOID("1.3.6.1.2.1.17.7.1.4.3.1.2").plus(v+1), list))
	}
	slices.SortFunc(tree, func(a, b object) int { return a.name.compare(b.name) })
	f := newFake(t, tree...)
	f.maxVars, f.sorted = 1, true
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	n := 0
	for _, v := range o.VLANs {
		n += len(v.Ports)
	}
	if n > maxMembers || o.Tables[fleet.TableVLANs] != fleet.Partial {
		t.Errorf("%d members, VLANs %v", n, o.Tables[fleet.TableVLANs])
	}
}

func TestQuirks(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	bulk, fdb := 0, 0
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduGetBulk {
			bulk++
		}
		for _, n := range q.names {
			if _, ok := n.under(parseOID("1.3.6.1.2.1.17.4.3")); ok {
				fdb++
			}
		}
		return [][]byte{answer}
	}
	o := observe(t, agentOf(t, f, func(c *Config) { c.Quirks = []string{QuirkNoBulk, QuirkNoHC, QuirkNoFDB} }), fleet.LaneSlow)
	if len(o.Ports) != 48 || o.Tables[fleet.TablePorts] != fleet.Complete {
		t.Fatalf("%v %d", o.Tables, len(o.Ports))
	}
	if n, ok := o.Ports[3].Counters.Get(fleet.InOctets); !ok || n != 3 || o.Ports[3].Counters.Wide != 0 {
		t.Errorf("32-bit in_octets %d %v", n, ok)
	}
	if _, asked := o.Tables[fleet.TableFDB]; bulk != 0 || fdb != 0 || asked {
		t.Errorf("%d GETBULKs, %d FDB requests", bulk, fdb)
	}
}

// TestPulse: a change of ifTableLastChange is followed once at once, and does
// not make every poll a full one where it is the agent's uptime.
func TestPulse(t *testing.T) {
	tree := func(up uint32, alias string) []object {
		out := append(switchTree(up, "sw1", fakePort{index: 1, name: "a", alias: alias}), obj("1.3.6.1.2.1.31.1.5.0", ticks(up)))
		slices.SortFunc(out, func(a, b object) int { return a.name.compare(b.name) })
		return out
	}
	f := newFake(t, tree(100, "old")...)
	a := agentOf(t, f)
	for i, c := range []struct {
		up    uint32
		alias string
		want  string
		full  bool
	}{
		{100, "old", "old", true}, {100, "old", "old", false}, {200, "new", "new", true}, {300, "newer", "new", false}, {50, "newest", "newest", true},
	} {
		f.set(func() { f.tree = tree(c.up, c.alias) })
		o := observe(t, a, fleet.LaneFast)
		if full := o.Facts.Get(fleet.FactName) != ""; full != c.full || o.Ports[0].Alias != c.want {
			t.Errorf("poll %d: full %v, alias %q", i, full, o.Ports[0].Alias)
		}
		if want := map[bool]fleet.Lane{true: fleet.LaneSlow, false: fleet.LaneFast}[c.full]; o.Lane != want {
			t.Errorf("poll %d: lane %v, want %v: its facts would be held for old after two fast polls", i, o.Lane, want)
		}
	}
}
