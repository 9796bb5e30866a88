package viewstest

import (
	"fmt"
	"math"
	"time"

	"plumb/fleet"
)

// sensorSeed describes a sensor: its value lies in low..high.
type sensorSeed struct {
	name, unit string
	class      fleet.SensorClass
	low, high  int64
	scale      int8
	limits     fleet.Limits
}

func high(warn, crit int64) fleet.Limits {
	return fleet.Limits{HighWarn: fleet.Int(warn), HighCrit: fleet.Int(crit)}
}

func lowLimits(warn, crit int64) fleet.Limits {
	return fleet.Limits{LowWarn: fleet.Int(warn), LowCrit: fleet.Int(crit)}
}

var serverSensors = func() []sensorSeed {
	s := []sensorSeed{
		{"Inlet Temp", "C", fleet.ClassTemperature, 20, 25, 0, high(38, 42)},
		{"Exhaust Temp", "C", fleet.ClassTemperature, 34, 44, 0, high(70, 75)},
		{"CPU1 Temp", "C", fleet.ClassTemperature, 52, 66, 0, high(85, 92)},
		{"CPU2 Temp", "C", fleet.ClassTemperature, 50, 64, 0, high(85, 92)},
		{"Pwr Consumption", "W", fleet.ClassPower, 180, 370, 0, high(896, 980)},
		{"PSU1 Input", "W", fleet.ClassPower, 90, 190, 0, fleet.Limits{}},
		{"PSU2 Input", "W", fleet.ClassPower, 90, 190, 0, fleet.Limits{}},
		{"PSU1 Status", "", fleet.ClassState, 0, 0, 0, fleet.Limits{}},
		{"PSU2 Status", "", fleet.ClassState, 0, 0, 0, fleet.Limits{}},
		{"PS Redundancy", "", fleet.ClassState, 0, 0, 0, fleet.Limits{}},
		{"12V", "V", fleet.ClassVoltage, 1190, 1214, -2, fleet.Limits{LowWarn: fleet.Dec(114, -1), LowCrit: fleet.Dec(108, -1), HighWarn: fleet.Dec(126, -1), HighCrit: fleet.Dec(132, -1)}},
		{"3.3V", "V", fleet.ClassVoltage, 327, 334, -2, fleet.Limits{LowCrit: fleet.Dec(297, -2), HighCrit: fleet.Dec(363, -2)}},
		{"DIMM B2 ECC", "", fleet.ClassCount, 0, 0, 0, high(10, 100)},
	}
	for i := range 6 {
		s = append(s, sensorSeed{fmt.Sprintf("Fan%d", i+1), "rpm", fleet.ClassFan, 4200, 5100, 0, lowLimits(1800, 1200)})
	}
	return s
}()

var upsSensors = []sensorSeed{
	{"Battery Charge", "%", fleet.ClassCharge, 97, 100, 0, lowLimits(50, 20)},
	{"Runtime", "s", fleet.ClassRuntime, 1400, 1700, 0, lowLimits(600, 300)},
	{"Output Load", "%", fleet.ClassPercent, 35, 50, 0, high(80, 95)},
}

func (b *builder) sense(n int, seeds []sensorSeed) {
	for i, s := range seeds {
		x := fleet.Sensor{SensorDef: &fleet.SensorDef{ID: fmt.Sprint(i + 1), Key: fmt.Sprintf("20.0.%02x", i+1), Name: s.name, Class: s.class, Unit: s.unit, Limits: s.limits}, State: fleet.StateOK}
		if s.class == fleet.ClassState {
			x.Text = "present"
		} else {
			x.Value = fleet.Dec(s.low+int64(b.d.next(int(s.high-s.low+1))), s.scale)
		}
		b.devs[n].Sensors = append(b.devs[n].Sensors, x)
	}
}

func (b *builder) ports(n, small, big int, name string) {
	d := &b.devs[n]
	d.Tables[fleet.TablePorts] = fleet.TableState{Is: fleet.Complete, At: d.SeenAt}
	d.PowerW, d.InletC = fleet.Int(int64(150+b.d.next(60))), fleet.Int(int64(22+b.d.next(4)))
	pre := d.Spec.ID[:max(0, len(d.Spec.ID)-4)]
	for i := range small + big {
		def := &fleet.PortDef{Index: 1001 + i, Name: fmt.Sprintf("%s%d", name, i+1), Type: "ethernetCsmacd", SpeedBps: fleet.Dec(25, 9), MTU: 9214,
			MAC: fmt.Sprintf("02:1c:73:%02x:%02x:%02x", n/256, n%256, i), Admin: "up", Oper: "up", VLAN: 208}
		p := fleet.Port{PortDef: def}
		switch {
		case i >= small:
			def.SpeedBps, def.VLAN, def.Alias = fleet.Dec(100, 9), 0, "uplink"
			if i >= small+4 {
				def.Oper, def.Admin = "notPresent", "up"
			} else {
				p.Neighbor = fmt.Sprintf("%s1-spine%d/Ethernet%d", d.Spec.Region, i%2+1, b.d.next(16)+1)
			}
		case i < 18 || big == 0:
			if big > 0 {
				p.Neighbor = fmt.Sprintf("%s-s%02d/eth%c", pre, i+1, d.Spec.ID[len(d.Spec.ID)-1]-1)
			}
		case i >= 30 && d.Spec.ID[len(d.Spec.ID)-1] == '1':
			def.VLAN, def.SpeedBps, def.Alias = 900, fleet.Dec(1, 9), "bmc"
		case i == 20:
			def.Admin, def.Oper = "down", "down"
		default:
			def.Oper = "notPresent"
		}
		if def.Oper == "up" {
			p.Rates = fleet.Rates{InBps: fleet.Dec(int64(100+b.d.next(9000)), 6), OutBps: fleet.Dec(int64(100+b.d.next(9000)), 6), Errors: fleet.Int(0), Discards: fleet.Int(0)}
			p.Counters.Set(fleet.InOctets, uint64(b.d.next(1<<40)), true)
			p.Counters.Set(fleet.OutOctets, uint64(b.d.next(1<<40)), true)
		}
		d.Ports = append(d.Ports, p)
	}
}

func (b *builder) outlets(n, side int, pre string, total int64) {
	d := &b.devs[n]
	d.PowerW = fleet.Int(total / 2)
	d.Tables[fleet.TableOutlets] = fleet.TableState{Is: fleet.Complete, At: d.SeenAt}
	for i := range 24 {
		o := fleet.Outlet{Index: i + 1, Name: fmt.Sprintf("outlet %d", i+1), State: "on", CurrentA: fleet.Int(0), PowerW: fleet.Int(0)}
		if i < 18 {
			o.PowerW = fleet.Int(int64(90 + b.d.next(90)))
			o.CurrentA = fleet.Dec(o.PowerW.N*100/230, -2)
			if pre == "fra1-r03" && side == 1 && i >= 3 && i < 9 {
				o.CurrentA, o.PowerW = fleet.Int(0), fleet.Int(0)
			}
		}
		d.Outlets = append(d.Outlets, o)
	}
	d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{ID: "1", Key: "pdu:load", Name: "Load", Class: fleet.ClassCurrent, Unit: "A", Limits: high(24, 28)},
		Value: fleet.Dec(total*5/230, -1), State: fleet.StateOK})
}

func (b *builder) instances() {
	clouds := []string{"os-ams", "os-fra", "os-iad"}
	for i := range min(600, len(b.hyper)*5) {
		n := b.hyper[(i*7)%len(b.hyper)]
		d := &b.devs[n]
		region := map[string]int{"ams": 0, "fra": 1, "iad": 2}[d.Spec.Region]
		svc := services[i%len(services)]
		x := fleet.InstanceState{Device: n, Instance: fleet.Instance{ID: fmt.Sprintf("%08x-7f31-4c1e-9a55-%012x", i*2654435761%(1<<32), i), Name: fmt.Sprintf("%s-%s-%03d", svc, d.Spec.Region, i),
			Cloud: clouds[region], Region: d.Spec.Region, Zone: d.Spec.Region + "-" + string(rune('a'+i%2)), Type: []string{"c2.large", "c2.xlarge", "m1.medium"}[i%3],
			State: fleet.StateOK, RunState: "ACTIVE", Host: d.Spec.Name, Service: svc, LaunchedAt: At.Add(-time.Duration(i) * 3 * time.Hour), Tags: map[string]string{"service": svc}}}
		switch {
		case d.State == fleet.StateCrit:
			x.State, x.Reasons = fleet.StateWarn, []string{"its host " + d.Spec.Name + " is crit: " + d.Reasons[0]}
		case d.State == fleet.StateUnknown:
			x.State, x.Reasons = fleet.StateUnknown, []string{"its host " + d.Spec.Name + " cannot be seen"}
		case i%97 == 5:
			x.State, x.RunState, x.Reasons = fleet.StateCrit, "ERROR", []string{"no valid host was found"}
		case i%61 == 3:
			x.Host, x.Device = "", -1
		}
		b.instIDs, b.insts = append(b.instIDs, x.ID), append(b.insts, x)
	}
	for i := range len(b.hyper) {
		d := &b.devs[b.hyper[i]]
		b.hostIDs = append(b.hostIDs, "h-"+d.Spec.ID)
		b.hosts = append(b.hosts, fleet.HostState{Host: fleet.Host{ID: "h-" + d.Spec.ID, Name: d.Spec.Name, State: "up", Status: "enabled"}, Cloud: "os-" + d.Spec.Region, State: d.State, Device: b.hyper[i]})
	}
}

func (b *builder) snapshot() *fleet.Snapshot {
	s := &fleet.Snapshot{Version: 4711, At: At.Add(-2 * time.Second), Live: true, Topology: &b.topo, Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}}
	for i := range b.devs {
		d := &b.devs[i]
		if !d.Maintenance {
			s.Counts.By[fleet.KindOfDevice][d.State]++
		} else {
			s.Counts.Maintenance++
		}
		if d.Blind() {
			s.Counts.Blind++
		}
		s.Counts.DriftOpen += d.DriftOpen
	}
	b.cable()
	b.rollUp()
	s.Regions = fleet.NewTable(b.regionIDs, b.regions)
	s.Sites = fleet.NewTable(b.siteIDs, b.sites)
	s.Racks = fleet.NewTable(b.rackIDs, b.racks)
	s.Feeds = fleet.NewTable(b.feedIDs, b.feeds)
	s.Devices = fleet.NewTable(b.devIDs, b.devs)
	s.Instances = fleet.NewTable(b.instIDs, b.insts)
	s.Hosts = fleet.NewTable(b.hostIDs, b.hosts)
	s.Clouds = fleet.NewTable([]string{"os-ams", "os-fra", "os-iad"}, []fleet.Cloud{
		{Spec: &fleet.CloudSpec{Name: "os-ams", Region: "ams", Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack}}, State: fleet.StateOK, SeenAt: At.Add(-7 * time.Second)},
		{Spec: &fleet.CloudSpec{Name: "os-fra", Region: "fra", Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack}}, State: fleet.StateOK, SeenAt: At.Add(-3 * time.Second)},
		{Spec: &fleet.CloudSpec{Name: "os-iad", Region: "iad", Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack}}, State: fleet.StateUnknown, SeenAt: At.Add(-11 * time.Minute),
			BlindSince: At.Add(-11 * time.Minute), Err: &fleet.ProbeError{Target: "os-iad", Op: "list servers", Err: fmt.Errorf("HTTP 503: %w", fleet.ErrBusy)}},
	})
	s.Services = b.services()
	s.Recent = Events()
	s.Jobs = Jobs()
	return s
}

// cable indexes the intended cables by their ports, as the engine does.
func (b *builder) cable() {
	for i := range b.devs {
		for _, c := range b.devs[i].Spec.Links {
			b.topo.Cabled[c.To] = fleet.Attachment{Device: i, Part: c.NIC}
		}
	}
}

func (b *builder) rollUp() {
	for i := range b.racks {
		r := &b.racks[i]
		r.State = fleet.StateOff
		for _, n := range b.topo.DevicesOf[r.Spec.ID] {
			d := &b.devs[n]
			r.Devices++
			r.By[d.State]++
			if d.Blind() {
				r.Blind++
			}
			if !d.Maintenance {
				r.State = fleet.Worst(r.State, d.State)
			}
		}
	}
	for _, id := range b.regionIDs {
		g := fleet.Region{Spec: &fleet.RegionSpec{Name: id}, State: fleet.StateOff, Sites: 1, Racks: len(b.topo.RacksOf[id])}
		power := int64(0)
		for _, n := range b.topo.RacksOf[id] {
			power += b.racks[n].PowerW.N
		}
		for i := range b.devs {
			if d := &b.devs[i]; d.Spec.Region == id {
				g.Devices++
				g.By[d.State]++
				g.DriftOpen += d.DriftOpen
				if d.Blind() {
					g.Blind++
				}
				if !d.Maintenance {
					g.State = fleet.Worst(g.State, d.State)
				}
			}
		}
		g.PowerW = fleet.Int(power)
		b.regions = append(b.regions, g)
	}
}

// workload is how a service is asked and what it says; most are not.
func workload(service string) (*fleet.HealthSpec, *fleet.Health) {
	at := At.Add(-4 * time.Second)
	switch service {
	case "match":
		return &fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "https://match.example/healthz"},
			&fleet.Health{State: fleet.StateOK, Hard: fleet.StateOK, Said: fleet.StateOK, Text: "HTTP 200", SaidAt: at, LatencyMs: fleet.Dec(123, -1), Facts: fleet.Facts{{Name: fleet.FactTLSExpires, Value: "2027-03-01T00:00:00Z"}}}
	case "login":
		return &fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "login.example:7443"},
			&fleet.Health{State: fleet.StateOK, Hard: fleet.StateOK, Said: fleet.StateOK, Text: "it takes connections", SaidAt: at, LatencyMs: fleet.Dec(7, -1)}
	}
	return nil, nil
}

func (b *builder) services() fleet.Table[fleet.Service] {
	rows := make([]fleet.Service, len(services))
	for i, name := range services {
		asks, health := workload(name)
		s := fleet.Service{Spec: &fleet.ServiceSpec{Name: name, Owner: owners[i%4], Floor: 60 + i%3*5, Select: map[string]string{"service": name}, Health: asks}, State: fleet.StateOK, Health: health}
		zones, hosts, racks := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for n := range b.insts {
			x := &b.insts[n]
			if x.Service != name {
				continue
			}
			s.Instances = append(s.Instances, n)
			if x.RunState == "ACTIVE" {
				s.Replicas++
			}
			if x.Device < 0 {
				s.Unplaced++
				continue
			}
			zones[x.Zone], hosts[x.Host], racks[b.devs[x.Device].Spec.Rack] = true, true, true
		}
		s.Zones, s.Hosts, s.Racks = len(zones), len(hosts), len(racks)
		switch {
		case s.Replicas < s.Spec.Floor:
			s.State, s.Reasons = fleet.StateCrit, []string{fmt.Sprintf("%d run, floor %d", s.Replicas, s.Spec.Floor)}
		case s.Zones == 1:
			s.State, s.Reasons = fleet.StateWarn, []string{"all in one zone"}
		}
		rows[i] = s
	}
	return fleet.NewTable(append([]string(nil), services...), rows)
}

// Events returns a day of events, newest first.
func Events() []fleet.Event {
	var out []fleet.Event
	add := func(ago time.Duration, target, source, sensor, kind, text string, s fleet.Severity) {
		out = append(out, fleet.Event{ID: fmt.Sprint(len(out)), At: At.Add(-ago), Target: target, Source: source, Sensor: sensor, Type: kind, Text: text, Severity: s, Asserted: true})
	}
	for i := range 6 {
		add(4*time.Minute+27*time.Second+time.Duration(i)*time.Second, fmt.Sprintf("fra1-r03-s%02d", 9-i), "sel", "PSU2 Status", "power supply", "input lost", fleet.SeverityCrit)
	}
	add(4*time.Minute+40*time.Second, "iad1-r01-s09", "plumb", "", "blind", "does not answer: timeout", fleet.SeverityWarn)
	add(11*time.Minute, "os-iad", "plumb", "", "blind", "HTTP 503 on list servers", fleet.SeverityWarn)
	add(23*time.Minute, "ams1-r05-s07", "sel", "CPU1 Temp", "temperature", "upper non-critical, going high", fleet.SeverityWarn)
	add(41*time.Minute, "fra1-r02-sw2/Ethernet9", "trap", "", "link", "41 errors/s", fleet.SeverityWarn)
	add(67*time.Minute, "iad1-r02-s11", "sel", "Fan2", "fan", "lower non-critical, going low", fleet.SeverityWarn)
	for i := range 30 {
		add(time.Duration(80+i*41)*time.Minute, fmt.Sprintf("ams1-r%02d-s%02d", i%8+1, i%18+1), "sel", "Drive 2", "drive", "predictive failure", fleet.Severity(i%3))
	}
	return out
}

// Jobs returns two actions on their way.
func Jobs() []fleet.Job {
	return []fleet.Job{
		{ID: "j-88", Action: fleet.ActIdentify, Targets: []string{"fra1-r03-s04"}, State: fleet.JobVerified, By: "anna", Reason: "look for the box", Began: At.Add(-3 * time.Minute), Ended: At.Add(-178 * time.Second), Steps: []fleet.JobStep{{Name: "act", State: fleet.JobVerified, Text: "LED on for 15 s"}}},
		{ID: "j-87", Action: fleet.ActPowerCycle, Targets: []string{"iad1-r01-s09"}, State: fleet.JobFailed, By: "raj", Reason: "hangs since 13:58", Began: At.Add(-9 * time.Minute), Ended: At.Add(-8 * time.Minute), Steps: []fleet.JobStep{{Name: "read state", State: fleet.JobFailed, Text: "timeout"}}},
	}
}

// Answers answers every query from formulas, as a store would from disk. Err
// makes every answer fail; Only, where it is set, answers just that kind.
type Answers struct {
	Err  error
	None bool // nothing has arrived yet
}

// Get implements views.Answers.
func (a Answers) Get(q fleet.Query) (fleet.Answer, bool) {
	switch {
	case a.None:
		return fleet.Answer{}, false
	case a.Err != nil:
		return fleet.Answer{Err: a.Err}, true
	}
	switch q.Kind {
	case fleet.QuerySeries:
		return fleet.Answer{Points: series(q)}, true
	case fleet.QueryEvents:
		var out []fleet.Event
		for _, e := range Events() {
			if q.Target == "" || e.Target == q.Target {
				out = append(out, e)
			}
		}
		return fleet.Answer{Events: out}, true
	case fleet.QueryJobs:
		return fleet.Answer{Jobs: Jobs()}, true
	case fleet.QueryAudit:
		return fleet.Answer{Audit: audit()}, true
	}
	return fleet.Answer{}, true
}

func series(q fleet.Query) []fleet.Point {
	seed := 0
	for _, c := range q.Target + q.Key.Row {
		seed = seed*31 + int(c)
	}
	var out []fleet.Point
	step := max(q.Step, q.Span/240, time.Second)
	total := 0.0
	for at := At.Add(-q.Span); !at.After(At); at = at.Add(step) {
		x := at.Sub(At).Hours()
		v := 50 + 8*math.Sin(x*2+float64(seed%100)) + 3*math.Sin(x*17) + float64(seed%7)
		if q.Key.Field >= fleet.FieldCounter {
			total += v * 1e7
			n := fleet.Int(int64(total))
			out = append(out, fleet.Point{Ms: at.UnixMilli(), Min: n, Max: n, Mean: n, Count: 1})
			continue
		}
		if ago := At.Sub(at); ago > q.Span*3/5 && ago < q.Span*13/20 {
			continue // nobody polled then
		}
		n := fleet.FromFloat(v, 1)
		out = append(out, fleet.Point{Ms: at.UnixMilli(), Min: n, Max: n, Mean: n, Count: 1})
	}
	return out
}

func audit() []fleet.AuditEntry {
	var out []fleet.AuditEntry
	for i, e := range []fleet.AuditEntry{
		{Who: "anna", From: "10.1.0.7", Action: "identify", Target: "fra1-r03-s04", Outcome: "done", Reason: "look for the box"},
		{Who: "anna", From: "10.1.0.7", Action: "identify", Target: "fra1-r03-s04", Outcome: "begun", Reason: "look for the box"},
		{Who: "raj", From: "10.1.0.9", Action: "power-cycle", Target: "iad1-r01-s09", Outcome: "failed", Reason: "hangs since 13:58"},
		{Who: "mallory", From: "203.0.113.9", Action: "login", Target: "", Outcome: "denied", Reason: "key is not known"},
		{Who: "vic", From: "10.1.0.12", Action: "power-off", Target: "ams1-r01-s01", Outcome: "refused", Reason: "needs role operator"},
	} {
		e.Seq, e.At, e.Hash = uint64(412-i), At.Add(-time.Duration(i*97)*time.Second), fmt.Sprintf("%016x", (i+1)*2654435761)
		out = append(out, e)
	}
	return out
}
