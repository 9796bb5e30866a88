package world

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// after is when a fault that began at t0 has shown itself.
var after = t0.Add(2 * time.Minute)

func (w *World) sensor(n int, number byte, at time.Time) Reading {
	for i, s := range w.Servers[n].Hardware.Sensors() {
		if s.Number == number {
			return w.Server(n, at).Readings[i]
		}
	}
	return Reading{}
}

func logged(w *World, n int, sensor byte, at time.Time) int {
	log, _ := w.Log(n, at)
	count := 0
	for _, r := range log {
		if r.Sensor == sensor && r.At >= t0.Unix() {
			count++
		}
	}
	return count
}

func port(t *testing.T, w *World, name string) (sw, p int) {
	t.Helper()
	dev, ifName, _ := strings.Cut(name, "/")
	r, ok := w.Find(dev)
	if !ok {
		t.Fatalf("no %s", dev)
	}
	for i := range w.Switches[r.N].Ports {
		if w.Switches[r.N].Ports[i].Name == ifName {
			return r.N, i
		}
	}
	t.Fatalf("no %s", name)
	return 0, 0
}

func TestFeedLoss(t *testing.T) {
	w := newWorld(t, 24)
	before := w.FeedWatts(0, t0) + w.FeedWatts(1, t0)
	inject(t, w, "feed-loss@fra1-A", t0)
	if w.FeedWatts(0, after) != 0 {
		t.Error("the feed still carries power")
	}
	dark := 0.0
	for i := range w.Servers {
		sv := &w.Servers[i]
		if sv.Site != 0 {
			continue
		}
		st := w.Server(i, after)
		lost := -1
		for psu, c := range sv.Cords {
			if c.PDU >= 0 && w.PDUs[c.PDU].Feed == 0 {
				lost = psu
			}
		}
		switch {
		case lost < 0:
			if !st.On {
				t.Errorf("%s went dark on the other feed", sv.Name)
			}
		case sv.Cords[1].PDU < 0:
			dark += 250
			if st.On || w.Reachable(i, after) || st.Watts != 0 {
				t.Errorf("single-corded %s: %+v", sv.Name, st)
			}
		default:
			if !st.On || st.Input[lost] != 0 || st.Input[1-lost] < 50 || logged(w, i, SensorPSU1+byte(lost), after) != 1 || w.sensor(i, SensorPSU1+byte(lost), after).Bits != PSUPresent|PSUInputLost {
				t.Errorf("%s: %+v, %d records", sv.Name, st, logged(w, i, SensorPSU1+byte(lost), after))
			}
		}
	}
	if other := w.FeedWatts(1, after); other < before*0.85-dark {
		t.Errorf("feed B carries %g W of %g W", other, before)
	}
	for i := range w.PDUs {
		if live := w.PDU(i, after).Reachable; live == (w.PDUs[i].Feed == 0) {
			t.Errorf("%s reachable: %v", w.PDUs[i].Name, live)
		}
	}
}

func TestPDUAndPSULoss(t *testing.T) {
	w := newWorld(t, 2)
	inject(t, w, "pdu-loss@fra1-r01-pb,psu-loss@fra1-r02-s03", t0)
	r, _ := w.Find("fra1-r01-pb")
	if w.PDU(r.N, after).Reachable {
		t.Error("the PDU answers")
	}
	n := server(t, w, "fra1-r02-s03")
	st := w.Server(n, after)
	if st.Input[0] != 0 || st.Input[1] < 80 || w.sensor(n, SensorPSU1, after).Bits != PSUPresent|PSUFailed {
		t.Errorf("%+v", st)
	}
	pdu := w.Servers[n].Cords[0]
	if a := w.PDU(pdu.PDU, after).Outlets[pdu.Outlet-1].Amps; a != 0 {
		t.Errorf("its outlet gives %g A", a)
	}
}

func TestSwitchLoss(t *testing.T) {
	w := newWorld(t, 2)
	b, q := port(t, w, "fra1-r01-swb/Ethernet1")
	was := rate(w, b, q, t0, false)
	inject(t, w, "switch-loss@fra1-r01-swa", t0)
	r, _ := w.Find("fra1-r01-swa")
	if w.Switch(r.N, after).Reachable {
		t.Error("the switch answers")
	}
	sp, p := port(t, w, "fra1-sp1/Ethernet1")
	if w.Switch(sp, after).Ports[p].Oper {
		t.Error("the spine's end is up")
	}
	for _, n := range w.Racks[0].Servers {
		if !w.Server(n, after).On || w.Reachable(n, after) {
			t.Errorf("%s: on %v, BMC reachable %v", w.Servers[n].Name, w.Server(n, after).On, w.Reachable(n, after))
		}
	}
	if is := rate(w, b, q, after, false); is < 1.6*was {
		t.Errorf("the other link carries %g octets, before %g", is, was)
	}
}

func TestFlapErrorsVLAN(t *testing.T) {
	w := newWorld(t, 2)
	inject(t, w, "switch-flap@fra1-r01-swa/Ethernet50,port-errors@fra1-r01-swa/Ethernet2,vlan-drift@fra1-r01-swb/Ethernet4", t0)
	n, p := port(t, w, "fra1-r01-swa/Ethernet50")
	ups, changes, last := 0, 0, false
	for s := range 64 {
		up := w.Switch(n, t0.Add(time.Duration(s)*time.Second)).Ports[p].Oper
		if up {
			ups++
		}
		if s > 0 && up != last {
			changes++
		}
		last = up
	}
	if ups != 32 || changes != 7 {
		t.Errorf("up %d of 64 s with %d changes", ups, changes)
	}
	a, b := w.Switch(n, t0.Add(10*time.Second)).Ports[1], w.Switch(n, t0.Add(70*time.Second)).Ports[1]
	if d := b.InErrors - a.InErrors; d < 2600 || d > 2800 || !b.Oper {
		t.Errorf("%d errors in a minute", d)
	}
	m, q := port(t, w, "fra1-r01-swb/Ethernet4")
	if v := w.Switch(m, after).Ports[q].VLAN; v != 999 {
		t.Errorf("VLAN %d", v)
	}
	for _, l := range w.FDB(m, after) {
		if l.Port == q && l.VLAN != 999 {
			t.Errorf("learned in VLAN %d", l.VLAN)
		}
	}
}

func TestCableSwap(t *testing.T) {
	w := newWorld(t, 2)
	n := server(t, w, "fra1-r01-s06")
	inject(t, w, "cable-swap@fra1-r01-s06", t0)
	sw, _ := w.Find("fra1-r01-swa")
	where := map[MAC]int{}
	for _, l := range w.FDB(sw.N, after) {
		where[l.MAC] = l.Port + 1
	}
	if where[w.Servers[n].MAC[0]] != 7 || where[w.Servers[n+1].MAC[0]] != 6 {
		t.Errorf("ports %d and %d", where[w.Servers[n].MAC[0]], where[w.Servers[n+1].MAC[0]])
	}
	for _, a := range w.Resolved(sw.N, after) {
		if a.Port == 5 && a.IP == w.ServerIP(n, 0) || a.Port == 6 && a.IP == w.ServerIP(n+1, 0) || a.Port == 5 && a.MAC == w.Servers[n].MAC[0] {
			t.Errorf("%s is still resolved on port %d", a.IP, a.Port+1)
		}
		delete(where, a.MAC)
	}
	if where[w.Servers[n].MAC[0]] != 0 || where[w.Servers[n+1].MAC[0]] != 0 {
		t.Error("a server that was plugged elsewhere is not resolved there")
	}
	for _, h := range w.Neighbors(sw.N, after) {
		if h.Port == 5 && h.SysName != "fra1-r01-s07" {
			t.Errorf("port 6 hears %s", h.SysName)
		}
	}
}

func TestServerFaults(t *testing.T) {
	w := newWorld(t, 3)
	inject(t, w, "fan-slow@fra1-r01-s01,firmware-drift@fra1-r01-s02,default-user@fra1-r01-s03,bmc-silent@fra1-r01-s05,bmc-lies@fra1-r01-s06,sel-full@fra1-r01-s07", t0)
	n := server(t, w, "fra1-r01-s01")
	slow := 0
	for i, s := range w.Servers[n].Hardware.Sensors() {
		if r := w.Server(n, after).Readings[i]; s.Quantity == RPM && r.Value < s.LowWarn && r.Value > s.LowCrit {
			slow++
		}
	}
	if slow != 1 {
		t.Errorf("%d slow fans", slow)
	}
	if st := w.Server(n+1, after); st.Firmware != w.Servers[n+1].Hardware.OldFirmware {
		t.Errorf("firmware %s", st.Firmware)
	}
	if !w.Server(n+2, after).DefaultUser {
		t.Error("no default user")
	}
	if w.Reachable(n+4, after) || !w.Server(n+4, after).On {
		t.Error("a silent BMC is no dead server")
	}
	liar := w.Server(n+5, after)
	cord := w.Servers[n+5].Cords[0]
	if !liar.On || liar.Watts < 80 || w.PDU(cord.PDU, after).Outlets[cord.Outlet-1].Watts > standbyW {
		t.Errorf("the liar says on %v, %g W; its outlet gives %g W", liar.On, liar.Watts, w.PDU(cord.PDU, after).Outlets[cord.Outlet-1].Watts)
	}
	if w.Switch(w.Racks[0].ToR[0], after).Ports[w.Servers[n+5].Slot-1].Oper {
		t.Error("the liar's link is up")
	}
	if log, _ := w.Log(n+6, after); len(log) != SELCapacity || !w.Server(n+6, after).LogFull {
		t.Errorf("%d records", len(log))
	}
}

func TestCloudFaults(t *testing.T) {
	w := newWorld(t, 24)
	dead, old := w.Hyps[3], w.Hyps[9]
	inject(t, w, "host-dead@"+w.Servers[dead].Name+",retirement@"+w.Servers[old].Name+",instance-spread@match", t0)
	perHost := map[int]int{}
	for r := range w.Regions {
		st := w.Cloud(r, after)
		for _, h := range st.Hosts {
			if h.Up == (h.Server == dead) || h.Disabled != (h.Server == old) || h.Server == dead && after.Sub(h.SeenAt) < time.Minute {
				t.Errorf("%s: %+v", w.Servers[h.Server].Name, h)
			}
		}
		for _, in := range st.Instances {
			if in.Status != "ACTIVE" {
				t.Errorf("%s is %s", w.Instances[in.N].Name, in.Status)
			}
			if w.Services[w.Instances[in.N].Service].Name == "match" {
				perHost[in.Host]++
			}
		}
	}
	most := 0
	for _, n := range perHost {
		most = max(most, n)
	}
	if most < 5 {
		t.Errorf("at most %d replicas of match on a host", most)
	}
	if !w.Server(dead, after).On || logged(w, dead, SensorMemory, after) == 0 {
		t.Error("the dead host's chassis should be on, with memory errors in its log")
	}
}

func TestPathLost(t *testing.T) {
	w := newWorld(t, 24)
	inject(t, w, "site-path-lost@ams1", t0)
	for i := range w.Servers {
		if w.Reachable(i, after) != (w.Servers[i].Site != 1) || !w.Server(i, after).On {
			t.Fatalf("%s: reachable %v", w.Servers[i].Name, w.Reachable(i, after))
		}
	}
	for i := range w.UPSes {
		if w.UPS(i, after).Reachable != (w.UPSes[i].Site != 1) {
			t.Errorf("%s", w.UPSes[i].Name)
		}
	}
}

func TestCountersBeginAnew(t *testing.T) {
	w := newWorld(t, 2)
	inject(t, w, "counter-reset@fra1-r01-swa+10s,ifindex-shuffle@fra1-r02-swa+10s", t0)
	a, _ := w.Find("fra1-r01-swa")
	b, _ := w.Find("fra1-r02-swa")
	before := w.Switch(b.N, t0.Add(9*time.Second))
	was, is := w.Switch(a.N, t0.Add(9*time.Second)), w.Switch(a.N, t0.Add(11*time.Second))
	if is.Ports[0].InOctets > was.Ports[0].InOctets/1000 || !is.Boot.Equal(was.Boot) || !is.Discontinuity.Equal(t0.Add(10*time.Second)) {
		t.Errorf("%d octets after %d, discontinuity %v", is.Ports[0].InOctets, was.Ports[0].InOctets, is.Discontinuity)
	}
	was, is = before, w.Switch(b.N, t0.Add(11*time.Second))
	if !is.Boot.After(was.Boot) || is.Ports[0].Index == was.Ports[0].Index || is.Boots != was.Boots+1 {
		t.Errorf("index %d after %d, boot %v", is.Ports[0].Index, was.Ports[0].Index, is.Boot)
	}
	seen := map[int]bool{}
	for _, p := range is.Ports {
		if seen[p.Index] || p.Index < 1 || p.Index > len(is.Ports) {
			t.Errorf("index %d", p.Index)
		}
		seen[p.Index] = true
	}
}

// By default one fault at a time, the first after 30 s, 3 min on and 2 min
// off, and no rack twice in a row.
func TestSchedule(t *testing.T) {
	w := newWorld(t, 24)
	w.Schedule(t0)
	if f := w.Faults(t0.Add(29 * time.Second)); len(f) != 0 {
		t.Errorf("%+v before the first", f)
	}
	lastRack := -2
	for k := range len(gentle) {
		start := t0.Add(scheduleFirst + time.Duration(k)*(scheduleOn+scheduleOff))
		on, off := w.Faults(start.Add(time.Minute)), w.Faults(start.Add(scheduleOn+time.Minute))
		if len(on) != 1 || on[0].Name != gentle[k] || len(off) != 0 || on[0].Expect == "" || strings.Contains(on[0].Cause, "{}") {
			t.Fatalf("turn %d: %+v, then %+v", k, on, off)
		}
		if on[0].rack >= 0 && on[0].rack == lastRack {
			t.Errorf("two faults in a row in rack %d", lastRack)
		}
		lastRack = on[0].rack
	}
}

// Whoever switches a server off sees it everywhere.
func TestPowerOffShowsEverywhere(t *testing.T) {
	w := newWorld(t, 24)
	n := w.Hyps[0]
	sv := &w.Servers[n]
	if err := w.SetPower(n, false, t0); err != nil {
		t.Fatal(err)
	}
	st := w.Server(n, after)
	if st.On || st.Watts != standbyW || !w.Reachable(n, after) || w.sensor(n, SensorFan1, after).OK {
		t.Errorf("%+v", st)
	}
	if w.Switch(w.Racks[sv.Rack].ToR[1], after).Ports[sv.Slot-1].Oper {
		t.Error("its link is up")
	}
	for _, h := range w.Cloud(0, after).Hosts {
		if h.Server == n && h.Up {
			t.Error("its cloud says it is up")
		}
	}
	if err := w.SetPower(n, true, after); err != nil {
		t.Fatal(err)
	}
	if w.Switch(w.Racks[sv.Rack].ToR[1], after.Add(5*time.Second)).Ports[sv.Slot-1].Oper {
		t.Error("its link is up before it has booted")
	}
	if !w.Switch(w.Racks[sv.Rack].ToR[1], after.Add(25*time.Second)).Ports[sv.Slot-1].Oper {
		t.Error("its link is not up after it has booted")
	}
}

// TestMemoryWears: errors of one module come faster and faster, name it, and end
// with the word that no more of them are logged.
func TestMemoryWears(t *testing.T) {
	w := newWorld(t, 24)
	inject(t, w, "ecc-errors@fra1-r01-s04", t0)
	n := server(t, w, "fra1-r01-s04")
	var counts []int
	for _, at := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 10 * time.Minute} {
		counts = append(counts, logged(w, n, SensorMemory, t0.Add(at)))
	}
	if want := []int{0, 3, 14, 56, eccLimit}; !slices.Equal(counts, want) {
		t.Errorf("%v errors, want %v", counts, want)
	}
	log, _ := w.Log(n, t0.Add(10*time.Minute))
	last := log[len(log)-1]
	if last.Type != 0x0c || last.Data[0] != eccModuleSaid|5 || last.Data[2] != eccModule(n) {
		t.Errorf("the last record is %+v", last)
	}
	if other := logged(w, n+1, SensorMemory, t0.Add(10*time.Minute)); other != 0 {
		t.Errorf("%d errors of a server that is well", other)
	}
}
