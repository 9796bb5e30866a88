package capacity

import (
	"fmt"
	"testing"

	"plumb/fleet"
)

// large is 10,000 devices: 454 racks in four rows of feeds, each with 18
// servers, two switches of 54 ports and two PDUs of 24 outlets.
func large() *fleet.Snapshot {
	b := &site{}
	for f := range 8 {
		b.feed(fmt.Sprintf("A%d", f), "", 2000, 400, 3)
		b.feed(fmt.Sprintf("B%d", f), "", 2000, 400, 3)
	}
	draw := map[string]float64{}
	for n := range 454 {
		name := fmt.Sprintf("r%03d", n)
		r := b.rack(name, 42)
		b.pdu(name+"-pa", r, fmt.Sprintf("A%d", n%8), 32, 24)
		b.pdu(name+"-pb", r, fmt.Sprintf("B%d", n%8), 32, 24)
		for k := range 2 {
			sw := b.device(fleet.DeviceSpec{ID: fmt.Sprintf("%s-sw%d", name, k), Kind: fleet.KindSwitch, Rack: r, Unit: fleet.HalfU(84 - 2*k), Height: 2}, 180)
			for p := range 54 {
				sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: fmt.Sprintf("Ethernet%d", p+1), Type: "ethernetCsmacd", SpeedBps: fleet.Int(25e9), Oper: []string{"up", "notPresent"}[p%2]}})
			}
		}
		for k := range 18 {
			d := fleet.DeviceSpec{ID: fmt.Sprintf("%s-s%02d", name, k), Kind: fleet.KindServer, Rack: r, Unit: fleet.HalfU(2 + 2*k), Height: 2}
			for side, pdu := range []string{"pa", "pb"} {
				d.Power = append(d.Power, fleet.PowerCord{PSU: side + 1, Outlet: fmt.Sprintf("%s-%s/%d", name, pdu, k+1)})
				d.Links = append(d.Links, fleet.Cable{NIC: fmt.Sprintf("eth%d", side), To: fmt.Sprintf("%s-sw%d/Ethernet%d", name, side, k+1)})
				draw[d.Power[side].Outlet] = 110
			}
			b.device(d, 220)
		}
	}
	for i := range b.devices {
		d := &b.devices[i]
		for k := range d.Outlets {
			w := draw[fmt.Sprintf("%s/%d", d.Spec.ID, k+1)]
			d.Outlets[k].PowerW, d.PowerW = fleet.FromFloat(w, 0), fleet.FromFloat(d.PowerW.Float()+w, 0)
		}
	}
	return b.snapshot()
}

func BenchmarkOf10000(b *testing.B) {
	s := large()
	if n := s.Devices.Len(); n < 9900 {
		b.Fatalf("%d devices", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		Of(s)
	}
}

func BenchmarkPlace10000(b *testing.B) {
	s := large()
	for b.Loop() {
		PlaceIn(s, Request{Servers: 12, HeightU: 2, Watts: 450, Ports: 2, SpeedBps: 25e9, KeepAB: true, RackSpread: 4})
	}
}
