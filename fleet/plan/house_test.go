package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// t0 is a Sunday.
var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// house is a fleet that tests change before it is opened.
type house struct {
	devices   []fleet.Device
	instances []fleet.InstanceState
	hosts     []fleet.HostState
	clouds    []fleet.Cloud
	services  []fleet.Service
	jobs      []fleet.Job
	freeze    *fleet.Freeze
	bounds    fleet.Remediation
}

// build is a rack of six servers, each on two PDUs of two feeds and on two
// switches, and a cloud with two instances. s05 has one cord and one cable.
func build(edits ...func(*house)) *house {
	h := &house{devices: make([]fleet.Device, 0, 20)} // what device returns stays what it is
	snmp, ipmi := []fleet.Endpoint{{Source: fleet.SourceSNMP}}, []fleet.Endpoint{{Source: fleet.SourceIPMI}}
	for side, name := range []string{"a", "b"} {
		pdu := h.device("p"+name, fleet.KindPDU, snmp)
		pdu.Spec.Feed = strings.ToUpper(name)
		pdu.Tables[fleet.TableOutlets] = fleet.TableState{Is: fleet.Complete, At: t0}
		sw := h.device("sw"+name, fleet.KindSwitch, snmp)
		sw.Tables[fleet.TablePorts] = fleet.TableState{Is: fleet.Complete, At: t0}
		for k := 1; k <= 6; k++ {
			pdu.Outlets = append(pdu.Outlets, fleet.Outlet{Index: k, State: "on"})
			sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: "E" + digit(k), Admin: "up", Oper: "up", VLAN: 20 + side, Alias: "to s0" + digit(k)}})
		}
	}
	for k := 1; k <= 6; k++ {
		d := h.device("s0"+digit(k), fleet.KindServer, ipmi)
		d.Power = fleet.PowerOn
		d.Facts.Set(fleet.FactSerial, "7XK2P0"+digit(k))
		for side, name := range []string{"a", "b"} {
			if k == 5 && side == 1 {
				break
			}
			d.Spec.Power = append(d.Spec.Power, fleet.PowerCord{PSU: side + 1, Outlet: "p" + name + "/" + digit(k)})
			d.Spec.Links = append(d.Spec.Links, fleet.Cable{NIC: "eth" + digit(side), To: "sw" + name + "/E" + digit(k)})
		}
	}
	groups := []fleet.SecurityGroup{{ID: "g1", Name: "web", Rules: []fleet.SecurityRule{{ID: "r1", Direction: "ingress"}}}}
	h.clouds = []fleet.Cloud{{Spec: &fleet.CloudSpec{Name: "os", Region: "ams"}, SeenAt: t0, State: fleet.StateOK, Groups: groups}}
	for _, t := range []fleet.TableID{fleet.TableInstances, fleet.TableSecurityGroups} {
		h.clouds[0].Tables[t] = fleet.TableState{Is: fleet.Complete, At: t0}
	}
	h.hosts = []fleet.HostState{{Host: fleet.Host{Name: "h1"}, Cloud: "os", State: fleet.StateOK, Device: -1}}
	for _, id := range []string{"vm1", "vm2"} {
		h.instances = append(h.instances, fleet.InstanceState{Instance: fleet.Instance{ID: id, Cloud: "os", Region: "ams", Host: "h1", RunState: "ACTIVE", State: fleet.StateOK}, Device: -1})
	}
	for _, edit := range edits {
		edit(h)
	}
	return h
}

func digit(n int) string { return string(rune('0' + n)) }

func (h *house) device(id string, kind fleet.DeviceKind, ep []fleet.Endpoint) *fleet.Device {
	h.devices = append(h.devices, fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Kind: kind, Rack: "ams1/r01", Site: "ams1", Region: "ams", Endpoints: ep, Tags: map[string]string{}}, State: fleet.StateOK, SeenAt: t0})
	return &h.devices[len(h.devices)-1]
}

func (h *house) get(id string) *fleet.Device {
	i := slices.IndexFunc(h.devices, func(d fleet.Device) bool { return d.Spec.ID == id })
	return &h.devices[i]
}

// serve makes devices the replicas of a service.
func (h *house) serve(name string, floor int, devices ...string) {
	v := fleet.Service{Spec: &fleet.ServiceSpec{Name: name, Floor: floor}, State: fleet.StateOK, Replicas: len(devices)}
	for _, id := range devices {
		v.Devices = append(v.Devices, slices.IndexFunc(h.devices, func(d fleet.Device) bool { return d.Spec.ID == id }))
	}
	h.services = append(h.services, v)
}

// host puts instances of a service on a server.
func (h *house) host(server, service string, instances ...string) {
	i := slices.IndexFunc(h.services, func(v fleet.Service) bool { return v.Spec.Name == service })
	if i < 0 {
		i = len(h.services)
		h.services = append(h.services, fleet.Service{Spec: &fleet.ServiceSpec{Name: service}, State: fleet.StateOK})
	}
	for _, id := range instances {
		n := slices.IndexFunc(h.instances, func(x fleet.InstanceState) bool { return x.ID == id })
		h.instances[n].Service, h.instances[n].Device = service, slices.IndexFunc(h.devices, func(d fleet.Device) bool { return d.Spec.ID == server })
		h.services[i].Instances = append(h.services[i].Instances, n)
		h.services[i].Replicas++
	}
}

// hypervisors makes servers the hosts of the cloud, up and enabled, with both
// instances on the first.
func (h *house) hypervisors(servers ...string) {
	h.clouds[0].Tables[fleet.TableHosts] = fleet.TableState{Is: fleet.Complete, At: t0}
	h.hosts = nil
	for _, id := range servers {
		n := slices.IndexFunc(h.devices, func(d fleet.Device) bool { return d.Spec.ID == id })
		h.hosts = append(h.hosts, fleet.HostState{Host: fleet.Host{Name: id, State: "up", Status: "enabled"}, Cloud: "os", State: fleet.StateOK, Device: n})
	}
	for i := range h.instances {
		h.instances[i].Host = servers[0]
	}
}

// did puts a job on record of which every target stands in a state since ago.
func (h *house) did(kind fleet.ActionKind, state fleet.JobState, ago time.Duration, targets ...string) {
	at := t0.Add(-ago)
	j := fleet.Job{ID: "j" + digit(len(h.jobs)), Action: kind, Targets: targets, By: "ann", State: state, Began: at, Planned: &fleet.Plan{}}
	for _, t := range targets {
		j.Steps = append(j.Steps, fleet.JobStep{Name: "begin", Target: t, State: fleet.JobRunning, At: at})
		if state != fleet.JobRunning {
			j.Steps = append(j.Steps, fleet.JobStep{Name: "verify", Target: t, State: state, At: at})
		}
	}
	h.jobs = append([]fleet.Job{j}, h.jobs...)
}

// snap opens the fleet.
func (h *house) snap() *fleet.Snapshot {
	s := &fleet.Snapshot{Version: 7, At: t0, Live: true, Jobs: h.jobs, Freeze: h.freeze,
		Topology:  &fleet.Topology{Cabled: map[string]fleet.Attachment{}, Corded: map[string]fleet.Attachment{}, Remediation: &h.bounds},
		Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}
	s.Regions = table([]fleet.Region{{Spec: &fleet.RegionSpec{Name: "ams"}}}, func(x *fleet.Region) string { return x.Spec.Name })
	s.Racks = table([]fleet.Rack{{Spec: &fleet.RackSpec{ID: "ams1/r01", Site: "ams1", Region: "ams"}}}, func(x *fleet.Rack) string { return x.Spec.ID })
	s.Feeds = table([]fleet.Feed{{Spec: &fleet.FeedSpec{Name: "A", Site: "ams1"}, State: fleet.StateOK}, {Spec: &fleet.FeedSpec{Name: "B", Site: "ams1"}, State: fleet.StateOK}}, func(x *fleet.Feed) string { return x.Spec.Name })
	s.Devices = table(h.devices, func(x *fleet.Device) string { return x.Spec.ID })
	s.Clouds = table(h.clouds, func(x *fleet.Cloud) string { return x.Spec.Name })
	s.Hosts = table(h.hosts, func(x *fleet.HostState) string { return x.Cloud + "/" + x.Name })
	s.Instances = table(h.instances, func(x *fleet.InstanceState) string { return x.ID })
	s.Services = table(h.services, func(x *fleet.Service) string { return x.Spec.Name })
	s.HostOf = map[int]int{}
	for i := range h.hosts {
		if n := h.hosts[i].Device; n >= 0 {
			s.HostOf[n] = i
		}
	}
	s.Near = make([][]int, len(h.devices))
	near := func(i int, end string) {
		name, _, _ := strings.Cut(end, "/")
		if n := s.Devices.Number(name); n >= 0 {
			s.Near[i], s.Near[n] = append(s.Near[i], n), append(s.Near[n], i)
		}
	}
	for i := range h.devices {
		for _, c := range h.devices[i].Spec.Links {
			near(i, c.To)
		}
		for _, c := range h.devices[i].Spec.Power {
			near(i, c.Outlet)
		}
		for _, c := range h.devices[i].Spec.Links {
			s.Cabled[c.To] = fleet.Attachment{Device: i, Part: c.NIC}
		}
		for _, c := range h.devices[i].Spec.Power {
			s.Corded[c.Outlet] = fleet.Attachment{Device: i, Part: "PSU " + digit(c.PSU)}
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

// asked is what an operator wants done.
func asked(kind fleet.ActionKind, targets ...string) Ask {
	return Ask{Action: kind, Targets: targets, By: "bob", Role: fleet.RoleOperator}
}

// with adds an argument.
func (a Ask) with(name, value string) Ask {
	a.Args = map[string]string{name: value}
	return a
}

// found is what a guard says of a plan, the gravest; "" where it is silent.
func found(p *fleet.Plan, id string) (fleet.Verdict, string) {
	grave := []fleet.Verdict{"", fleet.VerdictOK, fleet.VerdictNote, fleet.VerdictEscalate, fleet.VerdictRefuse, fleet.VerdictDeny}
	best, text := fleet.Verdict(""), ""
	for _, g := range p.Guards {
		if g.ID == id && slices.Index(grave, g.Verdict) > slices.Index(grave, best) {
			best, text = g.Verdict, g.Text
		}
	}
	return best, text
}

// judged is one row of a guard's table.
type judged struct {
	name string
	ask  Ask
	edit func(*house)
	want fleet.Verdict
	text string
}

// judge runs a guard's table.
func judge(t *testing.T, guard string, rows []judged) {
	t.Helper()
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			h := build()
			if c.edit != nil {
				c.edit(h)
			}
			p := For(World{Snap: h.snap(), Now: t0.Add(10 * time.Second)}, c.ask)
			got, text := found(&p, guard)
			if got != c.want || !strings.Contains(text, c.text) {
				t.Errorf("%s says %q %q, want %q with %q\n%+v", guard, got, text, c.want, c.text, p.Guards)
			}
			if stops := c.want == fleet.VerdictRefuse || c.want == fleet.VerdictDeny; stops && p.Stops() == nil {
				t.Error("nothing stops it")
			}
			if c.want == fleet.VerdictEscalate && (p.Danger <= c.ask.Action.Danger() && p.Danger < 3) {
				t.Errorf("danger %d: it escalates nothing", p.Danger)
			}
		})
	}
}
