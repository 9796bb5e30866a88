package world

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, racks int) *World {
	t.Helper()
	w, err := New(7, racks, nil, t0)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func inject(t testing.TB, w *World, spec string, at time.Time) {
	t.Helper()
	list, err := w.ParseFaults(spec, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Inject(list, at); err != nil {
		t.Fatal(err)
	}
}

func server(t testing.TB, w *World, name string) int {
	t.Helper()
	r, ok := w.Find(name)
	if !ok || r.Kind != KindServer {
		t.Fatalf("no server %s", name)
	}
	return r.N
}

func TestSameSeedSameWorld(t *testing.T) {
	a, b := newWorld(t, 24), newWorld(t, 24)
	if !reflect.DeepEqual(a.Layout, b.Layout) {
		t.Error("two layouts of one seed differ")
	}
	at := t0.Add(3 * time.Hour)
	for i := range a.Servers {
		if x, y := a.Server(i, at), b.Server(i, at); !reflect.DeepEqual(x, y) {
			t.Fatalf("%s: %+v and %+v", a.Servers[i].Name, x, y)
		}
	}
	c, err := New(8, 24, nil, t0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Servers[0].Serial == a.Servers[0].Serial {
		t.Error("another seed gives the same serials")
	}
}

func TestRatios(t *testing.T) {
	for _, racks := range []int{1, 2, 9, 24, 48, 200} {
		w := newWorld(t, racks)
		want := (racks - racks/racksPerEmpty) * serversPerRack
		if len(w.Racks) != racks || len(w.Servers) != want || len(w.PDUs) != 2*racks {
			t.Errorf("%d racks: %d racks, %d servers (want %d), %d PDUs", racks, len(w.Racks), len(w.Servers), want, len(w.PDUs))
		}
		if hyps := want * hypervisorsOf / hypervisorsIn; len(w.Hyps) < hyps-1 || len(w.Hyps) > hyps+1 {
			t.Errorf("%d racks: %d hypervisors, want about %d", racks, len(w.Hyps), hyps)
		}
		seen := map[string]bool{}
		for i := range w.Instances {
			if seen[w.Instances[i].ID] || seen[w.Instances[i].Name] {
				t.Fatalf("instance %s twice", w.Instances[i].Name)
			}
			seen[w.Instances[i].ID], seen[w.Instances[i].Name] = true, true
		}
	}
}

// The specification's spots of life are there.
func TestLife(t *testing.T) {
	w := newWorld(t, 24)
	single, crossed, tall, half, unowned := 0, 0, 0, 0, 0
	for i := range w.Servers {
		s := &w.Servers[i]
		if s.Cords[1].PDU < 0 {
			single++
		}
		if s.Cords != s.Planned {
			crossed++
		}
		if s.Height == 4 {
			tall++
		}
		if s.Owner == "" {
			unowned++
		}
	}
	for i := range w.PDUs {
		if w.PDUs[i].Height == 0.5 {
			half++
		}
	}
	if single < 18 || single > 23 || crossed != 2 || tall != 1 || half != 1 || unowned == 0 {
		t.Errorf("%d single-corded, %d crossed, %d of 4U, %d half-height PDUs, %d without owner", single, crossed, tall, half, unowned)
	}
	used := map[[2]int]string{}
	for i := range w.Racks {
		for _, n := range w.Racks[i].Servers {
			place(t, used, i, &w.Servers[n].Placed)
		}
	}
	for i := range w.Switches {
		place(t, used, w.Switches[i].Rack, &w.Switches[i].Placed)
	}
}

func place(t *testing.T, used map[[2]int]string, rack int, p *Placed) {
	for u := int(p.Unit); u < int(p.Unit+p.Height); u++ {
		if other := used[[2]int{rack, u}]; other != "" || u < 1 || u > 42 {
			t.Errorf("%s at U%d, where %q is", p.Name, u, other)
		}
		used[[2]int{rack, u}] = p.Name
	}
}

// What flows into a feed is what flows out of its outlets, and what flows out
// of an outlet is what the supply on it says.
func TestPowerAddsUp(t *testing.T) {
	w := newWorld(t, 24)
	at := t0.Add(90 * time.Minute)
	bySide := map[int]float64{}
	for i := range w.PDUs {
		st := w.PDU(i, at)
		sum := 0.0
		for o, out := range st.Outlets {
			sum += out.Amps
			if load := w.PDUs[i].Loads[o]; load.Kind == KindServer {
				if in := w.Server(load.N, at).Input[load.PSU]; math.Abs(in-out.Watts) > 1e-9 {
					t.Errorf("%s outlet %d gives %g W, its supply takes %g W", w.PDUs[i].Name, o+1, out.Watts, in)
				}
			}
		}
		if math.Abs(sum-st.Amps) > 1e-6 {
			t.Errorf("%s: outlets %g A, input %g A", w.PDUs[i].Name, sum, st.Amps)
		}
		if st.Amps > w.PDUs[i].RatingA {
			t.Errorf("%s carries %g A", w.PDUs[i].Name, st.Amps)
		}
		bySide[w.PDUs[i].Feed] += st.Watts
	}
	for i := range w.Feeds {
		if got := w.FeedWatts(i, at); math.Abs(got-bySide[i]) > 1e-6 || got < 5000 {
			t.Errorf("feed %s carries %g W, its PDUs %g W", w.Feeds[i].Name, got, bySide[i])
		}
	}
}

// Both ends of a link hear each other, and count the same octets.
func TestNetworkIsSymmetric(t *testing.T) {
	w := newWorld(t, 24)
	at := t0.Add(time.Hour)
	heard := map[[2]string][2]string{}
	for n := range w.Switches {
		for _, h := range w.Neighbors(n, at) {
			heard[[2]string{w.Switches[n].Name, w.Switches[n].Ports[h.Port].Name}] = [2]string{h.SysName, h.RemotePort}
		}
	}
	pairs := 0
	for here, there := range heard {
		if r, _ := w.Find(there[0]); r.Kind != KindSwitch {
			continue
		}
		pairs++
		if heard[there] != here {
			t.Errorf("%v hears %v, which hears %v", here, there, heard[there])
		}
	}
	if pairs < 2*96 {
		t.Errorf("only %d switch links", pairs)
	}
	for n := range w.Switches {
		for _, l := range w.FDB(n, at) {
			if l.Port < 18 && l.VLAN == bmcVLAN || l.Port >= 30 && l.Port < 48 && l.VLAN != bmcVLAN {
				t.Errorf("%s port %d learned %s in VLAN %d", w.Switches[n].Name, l.Port+1, l.MAC, l.VLAN)
			}
		}
	}
	for n := range w.Switches {
		st := w.Switch(n, at)
		for p := range st.Ports {
			if k := w.Switches[n].Ports[p].Link; k >= 0 {
				far := w.Links[k].Ends[1-w.Switches[n].Ports[p].End]
				if far.Kind == KindSwitch {
					d1 := rate(w, n, p, at, true)
					d2 := rate(w, far.N, far.Port, at, false)
					if math.Abs(d1-d2) > 2 {
						t.Errorf("%s out %g, %s in %g", w.portName(End{Ref{KindSwitch, n}, p}), d1, w.portName(far), d2)
					}
				}
			}
		}
	}
}

// rate is the octets of ten seconds.
func rate(w *World, n, p int, at time.Time, out bool) float64 {
	a, b := w.Switch(n, at).Ports[p], w.Switch(n, at.Add(10*time.Second)).Ports[p]
	if out {
		return float64(b.OutOctets - a.OutOctets)
	}
	return float64(b.InOctets - a.InOctets)
}

// Counters never go back, whatever goes wrong, but where they begin anew.
func TestCountersAreMonotone(t *testing.T) {
	w := newWorld(t, 3)
	w.Schedule(t0)
	inject(t, w, "switch-flap@fra1-r01-swa/Ethernet49+20s,host-dead+40s,cable-swap@fra1-r01-s03+1m", t0)
	type key struct{ sw, port int }
	last := map[key]PortState{}
	boot := map[int]time.Time{}
	disc := map[int]time.Time{}
	moved := false
	for at := t0; at.Before(t0.Add(90 * time.Minute)); at = at.Add(7 * time.Second) {
		for n := range w.Switches {
			st := w.Switch(n, at)
			fresh := !st.Boot.Equal(boot[n]) || !st.Discontinuity.Equal(disc[n])
			boot[n], disc[n] = st.Boot, st.Discontinuity
			for p, now := range st.Ports {
				was := last[key{n, p}]
				if !fresh && (now.InOctets < was.InOctets || now.OutOctets < was.OutOctets || now.InErrors < was.InErrors) {
					t.Fatalf("%s at %v: %+v after %+v", w.portName(End{Ref{KindSwitch, n}, p}), at.Sub(t0), now, was)
				}
				if fresh && was.InOctets > now.InOctets {
					moved = true
				}
				last[key{n, p}] = now
			}
		}
	}
	if !moved {
		t.Error("no counter ever began anew: the schedule brought no restart")
	}
}

// A world that was kept and continued is the world that went on.
func TestRestartContinues(t *testing.T) {
	w := newWorld(t, 3)
	inject(t, w, "switch-loss@fra1-r02-swb+1m", t0)
	if err := w.SetPower(5, false, t0.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	at := t0.Add(5 * time.Minute)
	st := w.State(at)
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	v, err := New(7, 3, &back, at)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(w.Layout, v.Layout) {
		t.Error("the layout changed")
	}
	if v.Server(5, at).On {
		t.Error("the server that was switched off is on again")
	}
	later := at.Add(time.Minute)
	for n := range w.Switches {
		x, y := w.Switch(n, at), v.Switch(n, later)
		if w.Switches[n].Name == "fra1-r02-swb" {
			continue // it was dead, and the restart ends its fault
		}
		if !x.Boot.Equal(y.Boot) {
			t.Errorf("%s was started at %v and at %v", w.Switches[n].Name, x.Boot, y.Boot)
		}
		for p := range x.Ports {
			if y.Ports[p].InOctets < x.Ports[p].InOctets || y.Ports[p].InOctets-x.Ports[p].InOctets > 60*100e9/8 {
				t.Errorf("%s: %d octets, after the restart %d", w.portName(End{Ref{KindSwitch, n}, p}), x.Ports[p].InOctets, y.Ports[p].InOctets)
			}
		}
	}
	if _, err := New(8, 3, &back, at); err == nil {
		t.Error("a state of another seed was taken")
	}
}

// Temperatures lag: a change never makes them jump.
func TestTemperaturesAreContinuous(t *testing.T) {
	w := newWorld(t, 2)
	n := server(t, w, "fra1-r01-s04")
	inject(t, w, "temp-rise@fra1/r01+1m,fan-slow@fra1-r01-s04+4m", t0)
	places := map[byte]int{}
	for i, s := range w.Servers[n].Hardware.Sensors() {
		places[s.Number] = i
	}
	was := w.Server(n, t0)
	first := was.Readings[places[SensorInlet]].Value
	for at := t0.Add(time.Second); at.Before(t0.Add(20 * time.Minute)); at = at.Add(time.Second) {
		now := w.Server(n, at)
		for _, s := range []byte{SensorInlet, SensorCPU1, SensorExhaust} {
			if d := math.Abs(now.Readings[places[s]].Value - was.Readings[places[s]].Value); d > 1.2 {
				t.Fatalf("sensor %#x jumps by %g K at %v", s, d, at.Sub(t0))
			}
		}
		was = now
	}
	if rise := was.Readings[places[SensorInlet]].Value - first; rise < 13 {
		t.Errorf("the inlet got only %g K warmer", rise)
	}
}
