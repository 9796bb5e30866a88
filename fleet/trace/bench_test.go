//go:build unix

package trace

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// large is 500 racks of 18 servers, a switch of 48 ports, a PDU of 24 outlets
// in four regions: 10,000 devices and 100,000 instances.
func large() *fleet.Snapshot {
	h := &house{}
	for _, region := range []string{"ams", "fra", "lhr", "nyc"} {
		h.place(region)
		h.feed(region+"1", region+"-A", "")
		for r := range 125 {
			name := fmt.Sprintf("%s-r%03d", region, r)
			rack := region + "1/" + name
			h.device(name+"-pa", fleet.KindPDU, rack, region+"-A", nil, nil)
			h.device(name+"-sw", fleet.KindSwitch, rack, "", nil, []string{name + "-pa/20"})
			for k := range 18 {
				id := fmt.Sprintf("%s-s%02d", name, k)
				h.device(id, fleet.KindServer, rack, "", []string{fmt.Sprintf("%s-sw/E%d", name, k+1), fmt.Sprintf("%s-sw/E%d", name, k+25)}, []string{fmt.Sprintf("%s-pa/%d", name, k+1)})
				n := len(h.devices) - 1
				for v := range 11 {
					h.guests = append(h.guests, fleet.InstanceState{Instance: fleet.Instance{ID: fmt.Sprintf("%s-v%d", id, v), Host: id, Cloud: "os-" + region, Service: fmt.Sprintf("svc%d", (n+v)%100), State: fleet.StateOK}, Device: n})
				}
			}
		}
	}
	for k := range 100 {
		h.services = append(h.services, fleet.Service{Spec: &fleet.ServiceSpec{Name: fmt.Sprintf("svc%d", k), Floor: 900}, State: fleet.StateOK})
	}
	for n := range h.guests {
		var k int
		fmt.Sscanf(h.guests[n].Service, "svc%d", &k)
		h.services[k].Instances = append(h.services[k].Instances, n)
	}
	s := h.snap(func(d *fleet.Device) {
		for k := len(d.Ports); d.Spec.Kind == fleet.KindSwitch && k < 48; k++ {
			d.Ports = append(d.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: fmt.Sprintf("x%d", k), Oper: "up"}})
		}
	})
	s.Guests = fleet.NewGuests(s) // as a step does
	return s
}

// BenchmarkGraph asks for the trace and the loss of one part of each kind, and
// for the loss of a region.
func BenchmarkGraph(b *testing.B) {
	s := large()
	var was, is runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&was)
	g := Build(s)
	runtime.GC()
	runtime.ReadMemStats(&is)
	for b.Loop() {
		lines := []benchline.Line{{Bench: "trace-memory-10000", Value: float64(is.HeapAlloc-was.HeapAlloc) / (1 << 20), Unit: "MB", Goal: 150}}
		cost := func(name string, goal float64, f func()) {
			lines = append(lines, benchline.Median(5, func() []benchline.Line {
				began := benchline.CPU()
				for range 5 {
					f()
				}
				return []benchline.Line{{Bench: name, Value: float64(benchline.CPU()-began) / 5 / float64(time.Millisecond), Unit: "cpu_ms", Goal: goal}}
			})...)
		}
		cost("trace-build-10000", 100, func() { Build(s) })
		cost("trace-guests-100000", 10, func() { fleet.NewGuests(s) })
		for _, id := range []string{"ams-r000-s00", "ams-r000-sw", "ams-r000-pa", "ams-A", "ams-r000-s00-v0", "svc7", "ams1/ams-r000", "ams-r000-sw/E1"} {
			p := parts(b, g, s, id)[0]
			cost("trace-"+string(p.Kind), 5, func() { g.Trace(s, p, Walk{Up: true, Down: true, Limit: 4096}) })
			cost("blast-"+string(p.Kind), 5, func() { g.Blast(s, p) })
		}
		region := parts(b, g, s, "ams")[0]
		cost("whatif-region", 100, func() {
			if len(g.Blast(s, region).Lost) < 2500 {
				b.Fatal("a region takes its devices with it")
			}
		})
		benchline.Print(lines...)
	}
	runtime.KeepAlive(g)
}
