package snmp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
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

func TestSilent(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	f.on = func(fakeRequest, []byte) [][]byte { return nil }
	start := time.Now()
	o, err := agentOf(t, f, quick).Observe(deadline(t, 5*time.Second), fleet.LaneSlow)
	if err != nil || o == nil || !errors.Is(o.Err, fleet.ErrUnreachable) {
		t.Fatalf("%v %v", err, o.Err)
	}
	if o.Tables[fleet.TablePorts] != fleet.Failed || time.Since(start) > 4*time.Second {
		t.Errorf("ports %v after %v", o.Tables[fleet.TablePorts], time.Since(start))
	}
}

// TestDiesInMidPoll: what was read stays, what was not is failed, and the poll
// does not wait for every table.
func TestDiesInMidPoll(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.n > 3 {
			return nil
		}
		return [][]byte{answer}
	}
	start := time.Now()
	o, err := agentOf(t, f, quick).Observe(deadline(t, 5*time.Second), fleet.LaneSlow)
	if err != nil || !errors.Is(o.Err, fleet.ErrTimeout) {
		t.Fatalf("%v %v", err, o.Err)
	}
	if o.Facts.Get(fleet.FactName) != "sw1" || o.Tables[fleet.TableNeighbors] != fleet.Failed || o.Tables[fleet.TableOutlets] != fleet.Failed {
		t.Errorf("%v", o.Tables)
	}
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestCancel(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1")...)
	ctx, cancel := context.WithCancel(context.Background())
	f.on = func(fakeRequest, []byte) [][]byte { cancel(); return nil }
	start := time.Now()
	o, err := agentOf(t, f, func(c *Config) { c.Timeout = time.Minute }).Observe(ctx, fleet.LaneFast)
	if !errors.Is(err, context.Canceled) || o == nil {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("cancel took %v", d)
	}
}

func TestDeadline(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1")...)
	f.on = func(fakeRequest, []byte) [][]byte { return nil }
	start := time.Now()
	o, err := agentOf(t, f, func(c *Config) { c.Timeout = time.Minute }).Observe(deadline(t, 100*time.Millisecond), fleet.LaneFast)
	if d := time.Since(start); d > time.Second || err != nil || !errors.Is(o.Err, fleet.ErrTimeout) {
		t.Errorf("%v %v after %v", err, o.Err, d)
	}
}

// TestEndless: an agent that always has one more row is cut, not followed.
func TestEndless(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1")...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduGet {
			return [][]byte{answer}
		}
		var vars []object
		at := q.names
		for range max(1, q.repetitions) {
			next := make([]oid, len(at))
			for i, n := range at {
				if next[i] = n.plus(1); len(n) > 12 {
					next[i] = slices.Clone(n)
					next[i][len(n)-1]++
				}
				vars = append(vars, objAt(next[i], 1))
			}
			at = next
		}
		return [][]byte{fakeMessage("public", pduResponse, q.id, 0, 0, vars)}
	}
	a := agentOf(t, f, func(c *Config) { c.MaxRows, c.MaxBytes = 500, 4<<20 })
	o := observe(t, a, fleet.LaneSlow)
	if o.Tables[fleet.TablePorts] != fleet.Partial || len(o.Ports) > 501 {
		t.Errorf("ports %v %d", o.Tables[fleet.TablePorts], len(o.Ports))
	}
	if !strings.Contains(o.Facts.Get("snmp.partial"), "more than 500 rows") {
		t.Errorf("why: %q", o.Facts.Get("snmp.partial"))
	}
}

// TestNotIncreasing: a column out of order ends there, and says so; the tables
// behind it are read.
func TestNotIncreasing(t *testing.T) {
	tree := switchTree(1, "sw1", fakePort{index: 1, name: "a"}, fakePort{index: 2, name: "b"}, fakePort{index: 3, name: "c"})
	for i := range tree {
		if index, ok := tree[i].name.under(parseOID("1.3.6.1.2.1.31.1.1.1.18")); ok && index[0] == 3 {
			tree[i].name = parseOID("1.3.6.1.2.1.31.1.1.1.18.1") // aliases run 1 2 1
		}
	}
	tree = append(tree, obj("1.3.6.1.2.1.33.1.2.4.0", 97))
	f := newFake(t, tree...)
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Partial || len(o.Ports) != 3 {
		t.Errorf("err %v ports %v %d", o.Err, o.Tables[fleet.TablePorts], len(o.Ports))
	}
	if o.Tables[fleet.TableSensors] != fleet.Complete || len(o.Sensors) != 1 || !strings.Contains(o.Facts.Get("snmp.partial"), "not increasing") {
		t.Errorf("sensors %v %d, %q", o.Tables[fleet.TableSensors], len(o.Sensors), o.Facts.Get("snmp.partial"))
	}
}

func TestTooBig(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	f.refuse = func(q fakeRequest) errorStatus {
		if q.kind == pduGetBulk && q.repetitions*len(q.names) > 30 {
			return statusTooBig
		}
		return statusOK
	}
	a := agentOf(t, f)
	o := observe(t, a, fleet.LaneSlow)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) != 48 {
		t.Errorf("%v %v", o.Err, o.Tables)
	}
	if a.link.repetitions*a.link.width > 30 {
		t.Errorf("not remembered: %+v", a.link)
	}
}

// TestShortAnswers: an agent may cut the list of a GETBULK anywhere.
func TestShortAnswers(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	f.maxVars = 7
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) != 48 || o.Ports[47].Alias != "uplink" {
		t.Errorf("%v %v %d", o.Err, o.Tables, len(o.Ports))
	}
}

// TestTruncated: datagrams cut on their way are our answers all the same.
func TestTruncated(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	f.on = func(_ fakeRequest, answer []byte) [][]byte { return [][]byte{answer[:min(len(answer), 900)]} }
	a := agentOf(t, f)
	o := observe(t, a, fleet.LaneSlow)
	if o.Err != nil || o.Tables[fleet.TablePorts] != fleet.Complete || len(o.Ports) != 48 {
		t.Errorf("%v %v %d", o.Err, o.Tables, len(o.Ports))
	}
	if a.link.repetitions == maxRepetitions {
		t.Error("did not ask less")
	}
}

// TestGenErr: an agent that cannot read one column in mid-walk says genErr;
// that column ends, what came before stays, and the table is partial.
func TestGenErr(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", ports48()...)...)
	alias := parseOID("1.3.6.1.2.1.31.1.1.1.18")
	f.refuse = func(q fakeRequest) errorStatus {
		for _, n := range q.names {
			if index, ok := n.under(alias); ok && (q.kind == pduGetBulk && len(index) > 0 && index[0]+uint32(q.repetitions) > 20) {
				return statusGenErr
			}
		}
		return statusOK
	}
	o := observe(t, agentOf(t, f), fleet.LaneSlow)
	if o.Tables[fleet.TablePorts] != fleet.Partial || len(o.Ports) != 48 {
		t.Fatalf("%v %v %d", o.Err, o.Tables[fleet.TablePorts], len(o.Ports))
	}
	if o.Ports[9].Alias != "uplink" || o.Ports[47].Alias != "" || !strings.Contains(o.Facts.Get("snmp.partial"), "genErr") {
		t.Errorf("alias %q %q, why %q", o.Ports[9].Alias, o.Ports[47].Alias, o.Facts.Get("snmp.partial"))
	}
	if in, ok := o.Ports[47].Counters.Get(fleet.InOctets); !ok || in == 0 {
		t.Error("counters lost")
	}
}

// TestHangingTable: a subtree that never answers fails alone.
func TestHangingTable(t *testing.T) {
	t.Parallel()
	f := newFake(t, append(switchTree(1, "sw1", ports48()...), obj("1.3.6.1.2.1.33.1.2.4.0", 97))...)
	sensors := parseOID("1.3.6.1.2.1.99")
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if _, hangs := q.names[0].under(sensors); hangs {
			return nil
		}
		return [][]byte{answer}
	}
	o := observe(t, agentOf(t, f, quick), fleet.LaneSlow)
	if o.Tables[fleet.TablePorts] != fleet.Complete || o.Tables[fleet.TableNeighbors] != fleet.Absent || o.Tables[fleet.TableSensors] != fleet.Partial {
		t.Errorf("%v", o.Tables)
	}
	if !errors.Is(o.Err, fleet.ErrTimeout) || o.Err.Op != "walk ENTITY-SENSOR-MIB" {
		t.Errorf("%v", o.Err)
	}
}

// TestSlowAgent: an answer that comes after its request was sent again still
// counts.
func TestSlowAgent(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1")...)
	var late []byte
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		switch q.n {
		case 0:
			late = answer
			return nil
		case 1:
			return [][]byte{late}
		}
		return [][]byte{answer}
	}
	o := observe(t, agentOf(t, f, func(c *Config) { c.Timeout = 700 * time.Millisecond }), fleet.LaneFast)
	if o.Err != nil || o.Facts.Get(fleet.FactName) != "sw1" {
		t.Errorf("%v", o.Err)
	}
}

// TestOtherSource: some agents answer from another address or port.
func TestOtherSource(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1")...)
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		_, _ = other.WriteToUDP(answer, q.from)
		return nil
	}
	if o := observe(t, agentOf(t, f), fleet.LaneFast); o.Err != nil || o.Facts.Get(fleet.FactName) != "sw1" {
		t.Errorf("%v", o.Err)
	}
}

func TestWrongCommunity(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1")...)
	o, err := agentOf(t, f, quick, func(c *Config) { c.Community = secret("hunter2") }).Observe(deadline(t, 5*time.Second), fleet.LaneFast)
	if err != nil || !errors.Is(o.Err, fleet.ErrUnreachable) || !strings.Contains(o.Err.Error(), "community") {
		t.Errorf("%v %v", err, o.Err)
	}
	if strings.Contains(o.Err.Error(), "hunter2") {
		t.Error("the community is in the error")
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
