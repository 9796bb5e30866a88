package snmp

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

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
	if o.Ports[9].Alias != "uplink" || o.Ports[9].NoAlias || o.Ports[47].Alias != "" || !o.Ports[47].NoAlias || !strings.Contains(o.Facts.Get("snmp.partial"), "genErr") {
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
