package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// world is a fleet under construction: one region, one rack with two PDUs, six
// like servers of which the first four are hypervisors, and a service on them.
type world struct {
	region   fleet.Region
	rack     fleet.Rack
	feeds    []fleet.Feed
	devices  []fleet.Device
	hosts    []fleet.HostState
	guests   []fleet.InstanceState
	services []fleet.Service
	cloud    fleet.Cloud
}

func newWorld() *world {
	w := &world{region: fleet.Region{Spec: &fleet.RegionSpec{Name: "ams"}}, rack: fleet.Rack{Spec: &fleet.RackSpec{ID: "ams1/r01", Region: "ams", Feeds: []string{"A", "B"}}}}
	for _, f := range []string{"A", "B"} {
		w.feeds = append(w.feeds, fleet.Feed{Spec: &fleet.FeedSpec{Name: f, Site: "ams1"}, State: fleet.StateOK, PowerW: fleet.Int(600)})
		w.devices = append(w.devices, fleet.Device{Spec: &fleet.DeviceSpec{ID: "p" + strings.ToLower(f), Kind: fleet.KindPDU, Rack: "ams1/r01", Region: "ams", Feed: f, Owner: "dc"}, State: fleet.StateOK, PowerW: fleet.Int(600), SeenAt: t0})
	}
	for i := range 6 {
		id := fmt.Sprintf("s%d", i)
		d := fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Model: "R650", Rack: "ams1/r01", Region: "ams", Owner: "team", Unit: 2, Height: 4, WarrantyUntil: t0.AddDate(1, 0, 0),
			Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI}}, Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprint("pa/", i)}, {PSU: 2, Outlet: fmt.Sprint("pb/", i)}}},
			State: fleet.StateOK, Power: fleet.PowerOn, PowerW: fleet.Int(200), SeenAt: t0}
		d.Facts.Set(fleet.FactFirmware, "2.19")
		w.devices = append(w.devices, d)
		if i < 4 {
			w.hosts = append(w.hosts, fleet.HostState{Host: fleet.Host{Name: id, State: "up", Status: "enabled", RunningVMs: 2}, Cloud: "os", State: fleet.StateOK, Device: i + 2})
		}
	}
	w.cloud = fleet.Cloud{Spec: &fleet.CloudSpec{Name: "os", Region: "ams"}, State: fleet.StateOK, SeenAt: t0}
	w.cloud.Tables[fleet.TableInstances] = fleet.TableState{Is: fleet.Complete, At: t0}
	w.cloud.Facts.Set("group.web", "anti-affinity")
	w.cloud.Facts.Set("group.soft", "soft-anti-affinity")
	w.cloud.Facts.Set("sees.hosts", "seen")
	for i := range 4 {
		w.guest(fmt.Sprint("web-", i), fmt.Sprint("s", i), "web", fmt.Sprint("z", i%2))
	}
	w.services = []fleet.Service{{Spec: &fleet.ServiceSpec{Name: "web", Owner: "team", Floor: 3, Select: map[string]string{"service": "web"}}, State: fleet.StateOK}}
	return w
}

func (w *world) guest(id, host, group, zone string) {
	n := slices.IndexFunc(w.devices, func(d fleet.Device) bool { return d.Spec.ID == host })
	w.guests = append(w.guests, fleet.InstanceState{Instance: fleet.Instance{ID: id, Cloud: "os", Host: host, PlacementGroup: group, Zone: zone, State: fleet.StateOK}, Device: n})
}

func (w *world) server(i int) *fleet.Device { return &w.devices[i+2] }

func (w *world) snap() *fleet.Snapshot {
	s := &fleet.Snapshot{At: t0, Live: true, Topology: &fleet.Topology{DevicesOf: map[string][]int{}}, HostOf: map[int]int{}}
	s.Regions = table([]fleet.Region{w.region}, func(x *fleet.Region) string { return x.Spec.Name })
	s.Racks = table([]fleet.Rack{w.rack}, func(x *fleet.Rack) string { return x.Spec.ID })
	s.Feeds = table(w.feeds, func(x *fleet.Feed) string { return x.Spec.Name })
	s.Devices = table(w.devices, func(x *fleet.Device) string { return x.Spec.ID })
	s.Hosts = table(w.hosts, func(x *fleet.HostState) string { return x.Cloud + "/" + x.Name })
	s.Clouds = table([]fleet.Cloud{w.cloud}, func(x *fleet.Cloud) string { return x.Spec.Name })
	s.Instances = table(w.guests, func(x *fleet.InstanceState) string { return x.ID })
	for i := range w.services {
		x := &w.services[i]
		zones, hosts := map[string]bool{}, map[string]bool{}
		x.Replicas, x.Instances = 0, nil
		for n, g := range w.guests {
			if !strings.HasPrefix(g.ID, x.Spec.Name) {
				continue
			}
			x.Instances = append(x.Instances, n)
			if running(g.State) {
				x.Replicas++
				zones[g.Zone], hosts[g.Host] = true, true
				if g.Host == "" {
					x.Unplaced++
				}
			}
		}
		x.Zones, x.Hosts, x.Racks = len(zones), len(hosts), 1
	}
	s.Services = table(w.services, func(x *fleet.Service) string { return x.Spec.Name })
	for i := range w.devices {
		s.DevicesOf["ams1/r01"] = append(s.DevicesOf["ams1/r01"], i)
	}
	for n := range w.hosts {
		s.HostOf[w.hosts[n].Device] = n
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

// found gives what is found, by "target:facet", and what is not known.
func found(s *fleet.Snapshot) (is map[string]*fleet.Finding, unknown []string) {
	is = map[string]*fleet.Finding{}
	add := func(target string, looks []fleet.Look) {
		for _, l := range looks {
			id := target + ":" + l.Facet
			if !l.Known {
				unknown = append(unknown, id)
			} else if l.Found != nil {
				is[id] = l.Found
			}
		}
	}
	for _, t := range Survey(s, t0) {
		add(t.ID, t.Looks)
	}
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		add(d.Spec.ID, Device(Case{Device: d, Norms: fleet.Norms{IdleW: 100}, Now: t0, Carries: func() (bool, bool) { return Carries(s, i) }}))
	}
	return is, unknown
}

// inRack is what the world always has: its service stands in the one rack.
const inRack = "web:" + OnePlace

func TestEachCheckFinds(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world)
		want   string // target:facet
		sev    fleet.Severity
		says   string // of its sentence or fix
	}{
		{"support ended", func(w *world) { w.server(1).Spec.WarrantyUntil = t0.AddDate(0, 0, -3) }, "ams:lifecycle.warranty ended", fleet.SeverityWarn, "the first on 2026-11-19: s1"},
		{"support ends today", func(w *world) { w.server(1).Spec.WarrantyUntil = t0 }, "ams:lifecycle.warranty ended", fleet.SeverityWarn, "s1"},
		{"support ends soon", func(w *world) { w.server(1).Spec.WarrantyUntil = t0.AddDate(0, 0, 90) }, "ams:lifecycle.warranty soon", fleet.SeverityInfo, "200 W and 2 U"},
		{"a server is nobody's", func(w *world) { w.server(1).Spec.Owner = "" }, "ams:lifecycle.unowned server", fleet.SeverityInfo, "1 server of ams"},
		{"a service is nobody's", func(w *world) { w.services[0].Spec.Owner = "" }, "web:lifecycle.unowned", fleet.SeverityWarn, "no owner"},
		{"a wave stands", func(w *world) {
			for i := range 3 {
				w.server(i).Facts.Set(fleet.FactFirmware, "2.20")
			}
			w.server(0).Docket = &fleet.Docket{Past: []fleet.Former{{Facet: "firmware", Value: "2.19", At: t0.Add(-72 * time.Hour)}}}
		}, "ams:lifecycle.firmware-wave R650", fleet.SeverityWarn, "3 on 2.20, 3 on 2.19; a wave stands half done, the last changed at 2026-11-19 14:00Z"},
		{"a wave goes on", func(w *world) {
			for i := range 2 {
				w.server(i).Facts.Set(fleet.FactFirmware, "2.20")
				w.server(i).Docket = &fleet.Docket{Past: []fleet.Former{{Facet: "firmware", Value: "2.19", At: t0.Add(-time.Hour)}}}
			}
		}, "ams:lifecycle.firmware-wave R650", fleet.SeverityInfo, "4 are left to flash with 2.20"},
		{"a trouble comes back", func(w *world) {
			w.server(1).Docket = &fleet.Docket{Again: []fleet.Again{{What: "PSU 1", At: []time.Time{t0.Add(-40 * 24 * time.Hour), t0.Add(-20 * 24 * time.Hour), t0.Add(-48 * time.Hour), t0.Add(-time.Hour)}}}}
		}, "s1:lifecycle.recurring PSU 1", fleet.SeverityWarn, "PSU 1 came back 3 times in 30 d: 2026-11-02"},
		{"an action is done again", func(w *world) {
			w.server(1).Docket = &fleet.Docket{Again: []fleet.Again{{What: "action power-cycle", At: []time.Time{t0.Add(-9 * time.Hour), t0.Add(-8 * time.Hour), t0.Add(-time.Hour)}}}}
		}, "s1:lifecycle.recurring action power-cycle", fleet.SeverityWarn, "power-cycle was done 3 times"},
		{"a batch has a weak part", func(w *world) {
			for i := range 3 {
				w.server(i).Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "20.0.41", Name: "FAN1"}}}
				w.server(i).Docket = &fleet.Docket{Again: []fleet.Again{{What: "sensor 20.0.41", At: []time.Time{t0.Add(time.Duration(-5*i) * time.Hour)}}}}
			}
		}, "ams:lifecycle.recurring R650 20.0.41", fleet.SeverityWarn, "3 of 6 machines had trouble with FAN1 in 30 d: s0, s1, s2"},
		{"a server idles", func(w *world) { w.server(5).Past = week(104) }, "s5:lifecycle.idle", fleet.SeverityInfo, "104 W and 2 U"},
		{"a rack leans", func(w *world) { w.load(800, 400) }, "ams1/r01:lifecycle.balance", fleet.SeverityInfo, "move about 200 W of cords from A to B"},
		{"so does the pair of its feeds", func(w *world) { w.load(300, 900) }, "A:lifecycle.balance with B", fleet.SeverityInfo, "B carries about 75%"},
		{"phases", func(w *world) { w.ups(3000, 1000, 1000) }, "A:lifecycle.balance phases", fleet.SeverityInfo, "from phase 1 to phase 2"},
		{"all on one host", func(w *world) { w.move("s0") }, "web:resilience.one-place", fleet.SeverityWarn, "in one host, s0"},
		{"a hard policy is broken", func(w *world) { w.guests[1].Host, w.guests[1].Device = "s0", 2 }, "os:resilience.anti-affinity web", fleet.SeverityCrit, "2 of the 4 members of web share host s0"},
		{"a soft policy is broken", func(w *world) {
			for i := range 4 {
				w.guest(fmt.Sprint("x", i), "s3", "soft", "z0")
			}
		}, "os:resilience.anti-affinity soft", fleet.SeverityWarn, "4 of the 4 members"},
		{"a soft policy is a little broken", func(w *world) {
			for i := range 13 {
				w.guest(fmt.Sprint("x", i), fmt.Sprint("s", i%4), "soft", "z0")
			}
			for i := 4; i < len(w.guests); i++ {
				w.hosts = append(w.hosts, fleet.HostState{Host: fleet.Host{Name: fmt.Sprint("h", i), State: "up"}, Cloud: "os", State: fleet.StateOK, Device: -1})
			}
			for i := 8; i < 16; i++ {
				w.guests[i].Host, w.guests[i].Device = fmt.Sprint("h", i), -1
			}
		}, "os:resilience.anti-affinity", fleet.SeverityInfo, "soft (2 on s0)"},
		{"the floor falls with a host that is to go", func(w *world) { w.retire("s0", "s1") }, "web:resilience.retirement", fleet.SeverityCrit, "without them 2 run, floor 3"},
		{"the floor is reached", func(w *world) { w.retire("s0") }, "web:resilience.retirement", fleet.SeverityWarn, "s0 (end of life); without them 3 run"},
		{"the quota is short of a zone", func(w *world) {
			w.cloud.Facts.SetNum("quota.instances.max", fleet.Int(5), false)
			w.cloud.Facts.SetNum("quota.instances.used", fleet.Int(4), false)
		}, "os:resilience.quota instances", fleet.SeverityWarn, "after the loss of a zone"},
		{"sight is lost", func(w *world) { w.cloud.Facts.Set("sees.hosts", "stale") }, "os:resilience.visibility hosts", fleet.SeverityWarn, "could be seen before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			c.change(w)
			got, _ := found(w.snap())
			f := got[c.want]
			if f == nil {
				t.Fatalf("not found; found are %v", ids(got))
			}
			if f.Severity != c.sev || !strings.Contains(f.Text+"; "+f.Fix, c.says) || f.Evidence == "" || f.Fix == "" || f.Observed == "" {
				t.Errorf("%+v", f)
			}
			for id := range got {
				if id != c.want && id != inRack && !leans(id, c.want) {
					t.Errorf("also found: %s", id)
				}
			}
		})
	}
}

// leans reports whether both are about sides: the one rack there is leans with
// the pair of its feeds.
func leans(a, b string) bool { return strings.Contains(a, Balance) && strings.Contains(b, Balance) }

// TestNothingIsFound shows what looks like trouble and is none, and what nobody
// can tell.
func TestNothingIsFound(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*world)
		unknown string // a look that is not known then
	}{
		{"all in order", func(*world) {}, ""},
		{"no date of support", func(w *world) { w.server(1).Spec.WarrantyUntil = time.Time{} }, ""},
		{"one machine alone has another firmware", func(w *world) { w.server(1).Facts.Set(fleet.FactFirmware, "2.1") }, ""},
		{"twice is no habit", func(w *world) {
			w.server(1).Docket = &fleet.Docket{Again: []fleet.Again{{What: "PSU 1", At: []time.Time{t0.Add(-31 * 24 * time.Hour), t0.Add(-48 * time.Hour), t0.Add(-time.Hour)}}}}
		}, ""},
		{"many at once are no batch", func(w *world) {
			for i := range 6 {
				w.server(i).Docket = &fleet.Docket{Again: []fleet.Again{{What: "sensor PS1", At: []time.Time{t0.Add(time.Duration(-5*i) * time.Minute)}}}}
			}
		}, ""},
		{"what comes from above is no batch", func(w *world) {
			for i := range 3 {
				w.server(i).Docket = &fleet.Docket{Again: []fleet.Again{{What: "power", At: []time.Time{t0.Add(time.Duration(-5*i) * time.Hour)}}}}
			}
		}, ""},
		{"a busy server", func(w *world) { w.server(5).Past = week(180) }, ""},
		{"a hypervisor takes little", func(w *world) { w.server(0).Past = week(101) }, ""},
		{"no history of power", func(*world) {}, "s5:lifecycle.idle"},
		{"one side was read before a failure", func(w *world) { w.load(600, 1200) }, "ams1/r01:lifecycle.balance"},
		{"a machine does not say what it takes", func(w *world) { w.server(0).PowerW = fleet.Num{}; w.load(800, 400) }, "ams1/r01:lifecycle.balance"},
		{"a PDU is not in order", func(w *world) { w.devices[0].State = fleet.StateCrit; w.devices[0].PowerW = fleet.Int(0) }, "ams1/r01:lifecycle.balance"},
		{"a feed is lost", func(w *world) { w.feeds[0].State = fleet.StateCrit; w.feeds[0].PowerW = fleet.Int(0) }, "A:lifecycle.balance with B"},
		{"hosts are hidden", func(w *world) { w.guests[0].Host, w.guests[1].Host = "", "s0" }, "os:resilience.anti-affinity web"},
		{"the list of instances is not whole", func(w *world) {
			w.cloud.Tables[fleet.TableInstances].Is = fleet.Partial
			w.guests[1].Host = "s0"
		}, "os:resilience.anti-affinity web"},
		{"the cloud is silent", func(w *world) { w.cloud.BlindSince = t0; w.cloud.Facts.Set("sees.hosts", "stale") }, "os:resilience.visibility hosts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			c.change(w)
			got, unknown := found(w.snap())
			delete(got, inRack)
			if len(got) > 0 {
				t.Errorf("found %v", ids(got))
			}
			if c.unknown != "" && !slices.Contains(unknown, c.unknown) {
				t.Errorf("%s is taken for known; unknown are %v", c.unknown, unknown)
			}
		})
	}
}

// TestLeanStays shows that a rack near the limit is not news at every reading.
func TestLeanStays(t *testing.T) {
	w := newWorld()
	w.load(707, 493) // 17.8 points
	if got, _ := found(w.snap()); got["ams1/r01:"+Balance] != nil {
		t.Error("found below the limit")
	}
	w.rack.Docket = &fleet.Docket{Findings: []fleet.Finding{{Facet: Balance}}}
	if got, _ := found(w.snap()); got["ams1/r01:"+Balance] == nil {
		t.Error("gone while it is hardly better")
	}
}

// TestCoverage holds every check to be listed, and what is not read to be seen.
func TestCoverage(t *testing.T) {
	w := newWorld()
	w.server(2).Spec.WarrantyUntil = time.Time{}
	w.region.Docket = &fleet.Docket{Findings: []fleet.Finding{{Facet: Unowned + " pdu", State: fleet.FindingOpen, Since: t0}, {Facet: Unowned + " ups", State: fleet.FindingWaived}}}
	by := map[string]fleet.Checked{}
	for _, x := range Coverage(w.snap(), t0) {
		by[x.ID] = x
	}
	if len(by) != len(Checks)+len(Unread) {
		t.Errorf("%d rows", len(by))
	}
	if x := by[Warranty]; x.Passed != 5 || x.NotVisible != 3 { // the PDUs have no date either
		t.Errorf("%+v", x)
	}
	if x := by[Unowned]; x.Found != 1 || x.Decided != 1 || x.Oldest == nil {
		t.Errorf("%+v", x)
	}
	if x := by[Idle]; x.Passed != 4 || x.NotVisible != 2 {
		t.Errorf("%+v", x)
	}
	for _, c := range Unread {
		if by[c.ID].NotVisible == 0 || by[c.ID].Passed != 0 {
			t.Errorf("%s is taken for seen", c.ID)
		}
	}
}

// TestCoverageCountsDevices: a finding of a region speaks of many machines, and
// each of them counts once, whoever decided about it.
func TestCoverageCountsDevices(t *testing.T) {
	w := newWorld()
	all := w.snap().Devices.Len()
	w.server(1).Spec.WarrantyUntil, w.server(2).Spec.WarrantyUntil = t0.Add(-24*time.Hour), t0.Add(-48*time.Hour)
	w.server(3).Spec.WarrantyUntil = t0.Add(24 * time.Hour)
	w.region.Docket = &fleet.Docket{Findings: []fleet.Finding{{Target: "ams", Facet: Warranty + " ended", State: fleet.FindingOpen, Since: t0}, {Target: "ams", Facet: Warranty + " soon", State: fleet.FindingWaived}}}
	for _, x := range Coverage(w.snap(), t0) {
		if sum := x.Passed + x.Found + x.Decided + x.NotVisible; x.ID == Warranty && (x.Found != 2 || x.Decided != 1 || sum != all) {
			t.Errorf("of %d devices: %+v", all, x)
		}
	}
}

func ids(m map[string]*fleet.Finding) (out []string) {
	for id := range m {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// week is a week and a bit of steady watts.
func week(watts float64) *fleet.Past {
	var hours []fleet.Hour
	for h := range 24 * 8 {
		hours = append(hours, fleet.Hour{Class: fleet.PastPower, Hour: fleet.HourOf(t0) - int64(h), Value: watts})
	}
	return (*fleet.Past)(nil).With(hours)
}

// ups puts a UPS above feed A that measures its phases.
func (w *world) ups(watts ...float64) {
	w.feeds[0].Spec.Parent = "ups"
	d := fleet.Device{Spec: &fleet.DeviceSpec{ID: "ups", Kind: fleet.KindUPS, Region: "ams", Owner: "dc"}, State: fleet.StateOK, SeenAt: t0}
	for i, x := range watts {
		d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Name: fmt.Sprintf("phase %d output power", i+1), Class: fleet.ClassPower}, Value: fleet.FromFloat(x, 0)})
	}
	w.devices = append(w.devices, d)
}

// load sets what the PDUs of the rack measure.
func (w *world) load(a, b int64) {
	w.devices[0].PowerW, w.devices[1].PowerW = fleet.Int(a), fleet.Int(b)
}

// move puts all guests on one host; that their group's policy is broken with it
// is not what is asked.
func (w *world) move(host string) {
	for i := range w.guests {
		w.guests[i].Host, w.guests[i].PlacementGroup = host, ""
	}
}

func (w *world) retire(hosts ...string) {
	for i := range w.hosts {
		if h := &w.hosts[i]; slices.Contains(hosts, h.Name) {
			h.Status, h.Maintenance, h.State = "disabled", "end of life", fleet.StateWarn
		}
	}
}
