//go:build unix

package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/trace"
	"plumb/internal/benchline"
)

// deepen gives the devices what the slow lane reads: doors, users and versions
// of BMCs, and 960 ports a switch with VLANs, which makes 480,000.
func (l *large) deepen() {
	for i, o := range l.obs {
		o.Lane = fleet.LaneSlow
		switch l.inv.Devices[i].Kind {
		case fleet.KindServer:
			o.Facts = serverFacts(i)
			o.SetTable(fleet.TableFacts, fleet.Complete)
		case fleet.KindSwitch:
			for k := 48; k < 960; k++ {
				o.Ports = append(o.Ports, fleet.Port{PortDef: &fleet.PortDef{Index: k + 1, Name: fmt.Sprintf("Ethernet%d", k+1), Admin: "up", Oper: "up", VLAN: 208, SpeedBps: fleet.Int(25_000_000_000)}})
			}
			o.Facts.Set("snmp.access", "v3 authPriv")
			o.SetTable(fleet.TableFacts, fleet.Complete)
		}
	}
}

func serverFacts(i int) fleet.Facts {
	var f fleet.Facts
	f.Set(fleet.FactPower, "on")
	f.Set(fleet.FactModel, "R6515")
	f.Set(fleet.FactSerial, fmt.Sprintf("SN%06d", i))
	f.Set(fleet.FactFirmware, "2.19")
	f.Set("bmc.ciphers", "3 17")
	f.Set("bmc.sees.users", "yes")
	f.Set("bmc.users.admins", "2")
	for _, door := range []string{"v15", "null_user", "anonymous"} {
		f.Set("bmc.auth."+door, "no")
	}
	for n := range 6 {
		f.Set(fmt.Sprintf("bmc.user.%d", n+2), fmt.Sprintf("user%d operator enabled lan", n))
	}
	for _, name := range []string{"address", "gateway", "mac", "source", "vlan"} {
		f.Set("bmc.lan."+name, fmt.Sprint(name, i%7))
	}
	return f
}

// BenchmarkJudge measures the judgements where they cost most: every device
// anew, a second in which every poll is a slow one, and a cloud of 100,000
// instances that is read in full.
func BenchmarkJudge(b *testing.B) {
	l := newLarge(500)
	l.deepen()
	l.inv.Clouds = []fleet.CloudSpec{{Name: "os", Region: "ams", Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack, Address: "http://127.0.0.1:1"}}}
	l.inv.Services = []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: 1000}}
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	cloud := manyInstances(100_000)
	turned := 0
	look := func(in ...fleet.Input) time.Duration {
		l.now = l.now.Add(time.Second)
		for _, x := range in {
			if o, ok := x.(*fleet.Observation); ok {
				o.At = l.now
			}
		}
		began := benchline.CPU()
		snap, _ = Step(snap, in, l.now)
		return benchline.CPU() - began
	}
	look(append(l.say(l.all()), cloud)...)
	turn := 0
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			all := look(fleet.Reload{Inventory: l.inv})
			began := benchline.CPU()
			causes, rows := trace.Causes(snap, l.now), capacity.Of(snap)
			all += benchline.CPU() - began
			if len(rows) == 0 || snap.Devices.At(0).Docket == nil {
				b.Fatal("nothing was judged", len(causes))
			}
			const steps = 20
			var slow time.Duration
			for range steps {
				turn++
				slow += look(l.say(l.every(167, turn))...)
			}
			return []benchline.Line{
				{Bench: "engine-judge-all-10000", Value: all.Seconds(), Unit: "cpu_s", Goal: 2},
				{Bench: "engine-step-167-slow", Value: slow.Seconds() * 1e3 / steps, Unit: "cpu_ms", Goal: 20},
				{Bench: "engine-cloud-100000-same", Value: look(again(cloud, 0, &turned)).Seconds() * 1e3, Unit: "cpu_ms", Goal: 100},
				{Bench: "engine-cloud-100000-100-changed", Value: look(again(cloud, 100, &turned)).Seconds() * 1e3, Unit: "cpu_ms", Goal: 100},
				{Bench: "engine-cloud-100000-10-came-or-went", Value: (look(fewer(cloud, 10)) + look(again(cloud, 0, &turned))).Seconds() * 1e3 / 2, Unit: "cpu_ms", Goal: 100},
				{Bench: "engine-cloud-100000-all-changed", Value: look(again(cloud, 100_000, &turned)).Seconds() * 1e3, Unit: "cpu_ms", Goal: 500},
			}
		})...)
	}
}

// again is the cloud's next answer, in memory of its own, with some instances
// restarted since.
func again(o *fleet.Observation, changed int, turned *int) *fleet.Observation {
	next := *o
	next.Instances = slices.Clone(o.Instances)
	for k := range next.Instances {
		x := &next.Instances[k]
		x.ID, x.Name, x.Host, x.Tags = strings.Clone(x.ID), strings.Clone(x.Name), strings.Clone(x.Host), maps.Clone(x.Tags)
	}
	for range changed {
		x := &next.Instances[*turned%len(next.Instances)]
		x.LaunchedAt = x.LaunchedAt.Add(time.Minute)
		*turned += 7
	}
	o.Instances = next.Instances
	return &next
}

// fewer is an answer in which some instances at the beginning are gone.
func fewer(o *fleet.Observation, n int) *fleet.Observation {
	next := *o
	next.Instances = o.Instances[n:]
	return &next
}

func manyInstances(n int) *fleet.Observation {
	o := &fleet.Observation{Target: "os", Source: fleet.SourceOpenStack}
	o.SetTable(fleet.TableInstances, fleet.Complete)
	o.SetTable(fleet.TableHosts, fleet.Complete)
	for i := range 2000 {
		o.Hosts = append(o.Hosts, fleet.Host{ID: fmt.Sprint("h", i), Name: fmt.Sprintf("r%03d-s%02d", i/18, i%18), Zone: "az1", State: "up", Status: "enabled"})
	}
	for i := range n {
		o.Instances = append(o.Instances, fleet.Instance{ID: fmt.Sprint("i-", i), Name: fmt.Sprint("match-", i), Cloud: "os", Zone: "az1", Type: "m1.large", State: fleet.StateOK, RunState: "ACTIVE",
			Host: o.Hosts[i%len(o.Hosts)].Name, SecurityGroups: []string{"default"}, Tags: map[string]string{"service": "match"}})
	}
	return o
}
