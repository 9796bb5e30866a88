package trace

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// house is a fleet under construction: what tests say in a line each.
type house struct {
	regions  []fleet.Region
	sites    []fleet.Site
	racks    []fleet.Rack
	feeds    []fleet.Feed
	devices  []fleet.Device
	clouds   []fleet.Cloud
	guests   []fleet.InstanceState
	services []fleet.Service
	drained  string // a device that is a hypervisor which people disabled
}

func (h *house) place(region string) {
	h.regions = append(h.regions, fleet.Region{Spec: &fleet.RegionSpec{Name: region}, State: fleet.StateOK})
	h.sites = append(h.sites, fleet.Site{Spec: &fleet.SiteSpec{Name: region + "1", Region: region}})
	h.clouds = append(h.clouds, fleet.Cloud{Spec: &fleet.CloudSpec{Name: "os-" + region, Region: region}, State: fleet.StateOK, SeenAt: t0})
}

func (h *house) feed(site, name, parent string) {
	h.feeds = append(h.feeds, fleet.Feed{Spec: &fleet.FeedSpec{Name: name, Site: site, Parent: parent, BreakerA: fleet.Int(30), Volts: 208}, State: fleet.StateOK, PowerW: fleet.Int(1000)})
}

// device adds a device that is well; "sw/E1" are its cables, "pa/1" its cords.
func (h *house) device(id string, kind fleet.DeviceKind, rack, feed string, cables, cords []string) *fleet.Device {
	site, _, _ := strings.Cut(rack, "/")
	spec := &fleet.DeviceSpec{ID: id, Kind: kind, Rack: rack, Site: site, Region: strings.TrimSuffix(site, "1"), Feed: feed}
	for k, to := range cables {
		nic := fmt.Sprintf("eth%d", k)
		if name, rest, ok := strings.Cut(to, "="); ok {
			nic, to = name, rest
		}
		spec.Links = append(spec.Links, fleet.Cable{NIC: nic, MAC: fmt.Sprintf("%s-%s", id, nic), To: to})
	}
	for k, to := range cords {
		spec.Power = append(spec.Power, fleet.PowerCord{PSU: k + 1, Outlet: to})
	}
	d := fleet.Device{Spec: spec, State: fleet.StateOK, SeenAt: t0}
	if kind == fleet.KindServer {
		d.Power, d.PowerW = fleet.PowerOn, fleet.Int(200)
		for k := range cords {
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: fmt.Sprintf("ps%d", k+1), Name: fmt.Sprintf("PS%d Status", k+1), Class: fleet.ClassState}, State: fleet.StateOK, Text: "Presence detected"})
		}
	}
	h.devices = append(h.devices, d)
	return &h.devices[len(h.devices)-1]
}

func (h *house) guest(id, host, service string) {
	n := -1
	for i := range h.devices {
		if h.devices[i].Spec.ID == host {
			n = i
		}
	}
	x := fleet.InstanceState{Instance: fleet.Instance{ID: id, Host: host, Service: service, State: fleet.StateOK}, Device: n}
	if n >= 0 {
		x.Cloud = "os-" + h.devices[n].Spec.Region
	}
	h.guests = append(h.guests, x)
}

func (h *house) service(name string, floor int, devices ...string) {
	h.services = append(h.services, fleet.Service{Spec: &fleet.ServiceSpec{Name: name, Floor: floor}, State: fleet.StateOK})
	v := &h.services[len(h.services)-1]
	for i := range h.devices {
		for _, id := range devices {
			if h.devices[i].Spec.ID == id {
				v.Devices = append(v.Devices, i)
			}
		}
	}
	for i := range h.guests {
		if h.guests[i].Service == name {
			v.Instances = append(v.Instances, i)
		}
	}
	v.Replicas = len(v.Devices) + len(v.Instances)
}

// snap opens the fleet. Every port and outlet that something is plugged into
// is there and in order, but for those that change says otherwise of.
func (h *house) snap(change ...func(d *fleet.Device)) *fleet.Snapshot {
	h.furnish()
	for i := range h.devices {
		for _, f := range change {
			f(&h.devices[i])
		}
	}
	s := &fleet.Snapshot{At: t0, Live: true, Topology: &fleet.Topology{Cabled: map[string]fleet.Attachment{}, Corded: map[string]fleet.Attachment{}}, Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}
	s.Regions = table(h.regions, func(x *fleet.Region) string { return x.Spec.Name })
	s.Sites = table(h.sites, func(x *fleet.Site) string { return x.Spec.Name })
	s.Racks = table(h.racks, func(x *fleet.Rack) string { return x.Spec.ID })
	s.Feeds = table(h.feeds, func(x *fleet.Feed) string { return x.Spec.Name })
	s.Devices = table(h.devices, func(x *fleet.Device) string { return x.Spec.ID })
	s.Clouds = table(h.clouds, func(x *fleet.Cloud) string { return x.Spec.Name })
	s.Instances = table(h.guests, func(x *fleet.InstanceState) string { return x.ID })
	s.Services = table(h.services, func(x *fleet.Service) string { return x.Spec.Name })
	if n := s.Devices.Number(h.drained); n >= 0 {
		hosts := []fleet.HostState{{Host: fleet.Host{Name: h.drained, State: "up", Status: "disabled"}, Cloud: "os-ams", State: fleet.StateWarn, Device: n}}
		s.Hosts, s.HostOf = table(hosts, func(x *fleet.HostState) string { return x.Name }), map[int]int{n: 0}
	}
	for i := range h.devices {
		for _, c := range h.devices[i].Spec.Links {
			s.Cabled[c.To] = fleet.Attachment{Device: i, Part: c.NIC}
		}
		for _, c := range h.devices[i].Spec.Power {
			s.Corded[c.Outlet] = fleet.Attachment{Device: i, Part: fmt.Sprintf("PSU %d", c.PSU)}
		}
	}
	return s
}

func table[T any](rows []T, id func(*T) string) fleet.Table[T] {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = id(&rows[i])
	}
	return fleet.NewTable(ids, rows)
}

func (h *house) furnish() {
	at := map[string]*fleet.Device{}
	for i := range h.devices {
		h.devices[i].Ports, h.devices[i].Outlets = nil, nil
		at[h.devices[i].Spec.ID] = &h.devices[i]
	}
	put := func(d *fleet.Device, port string) {
		d.Ports = append(d.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: port, Admin: "up", Oper: "up"}})
	}
	for i := range h.devices {
		d := &h.devices[i]
		for _, c := range d.Spec.Links {
			name, port, _ := strings.Cut(c.To, "/")
			if far := at[name]; far != nil {
				put(far, port)
			}
			if carries(d.Spec.Kind) {
				put(d, c.NIC)
			}
		}
		for _, c := range d.Spec.Power {
			name, no, _ := strings.Cut(c.Outlet, "/")
			if far := at[name]; far != nil {
				var n int
				fmt.Sscan(no, &n)
				far.Outlets = append(far.Outlets, fleet.Outlet{Index: n, State: "on", PowerW: fleet.Int(100)})
			}
		}
	}
	seen := map[string]bool{}
	for i := range h.devices {
		if rack := h.devices[i].Spec.Rack; strings.Contains(rack, "/") && !seen[rack] {
			seen[rack] = true
			h.racks = append(h.racks, fleet.Rack{Spec: &fleet.RackSpec{ID: rack, Site: h.devices[i].Spec.Site, Region: h.devices[i].Spec.Region}})
		}
	}
}

// hall is a region as the demo has it: two UPSes under a utility, a feed below
// each, and racks with two PDUs, two switches, and servers on both; s04 hangs
// on the first PDU and s03 on the first switch alone.
func hall(racks int) *house {
	h := &house{}
	h.place("ams")
	h.feed("ams1", "grid", "")
	h.device("ups-a", fleet.KindUPS, "ams1", "grid", nil, nil)
	h.device("ups-b", fleet.KindUPS, "ams1", "grid", nil, nil)
	h.feed("ams1", "A", "ups-a")
	h.feed("ams1", "B", "ups-b")
	h.device("sp1", fleet.KindSwitch, "ams1/r01", "", nil, []string{"r01-pa/21", "r01-pb/21"})
	h.device("sp2", fleet.KindSwitch, "ams1/r01", "", nil, []string{"r01-pa/22", "r01-pb/22"})
	for r := 1; r <= racks; r++ {
		name := fmt.Sprintf("r%02d", r)
		rack := "ams1/" + name
		h.device(name+"-pa", fleet.KindPDU, rack, "A", nil, nil)
		h.device(name+"-pb", fleet.KindPDU, rack, "B", nil, nil)
		for side, k := range []string{"a", "b"} {
			h.device(name+"-sw"+k, fleet.KindSwitch, rack, "", []string{fmt.Sprintf("E49=sp1/E%d", 2*r+side), fmt.Sprintf("E50=sp2/E%d", 2*r+side)}, []string{fmt.Sprintf("%s-pa/%d", name, 23+side), fmt.Sprintf("%s-pb/%d", name, 23+side)})
		}
		for k := 1; k <= 4; k++ {
			cables := []string{fmt.Sprintf("bmc=%s-swa/M%d", name, k), fmt.Sprintf("%s-swa/E%d", name, k), fmt.Sprintf("%s-swb/E%d", name, k)}
			cords := []string{fmt.Sprintf("%s-pa/%d", name, k), fmt.Sprintf("%s-pb/%d", name, k)}
			if k == 3 {
				cables = cables[:2]
			}
			if k == 4 {
				cords = cords[:1]
			}
			h.device(fmt.Sprintf("%s-s%02d", name, k), fleet.KindServer, rack, "", cables, cords)
			h.guest(fmt.Sprintf("vm-%d-%d", r, k), fmt.Sprintf("%s-s%02d", name, k), "match")
		}
	}
	h.service("match", 4*racks-1)
	return h
}
