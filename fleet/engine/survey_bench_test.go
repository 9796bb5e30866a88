//go:build unix

package engine

import (
	"fmt"
	"testing"

	"plumb/fleet"
	"plumb/fleet/lifecycle"
	"plumb/internal/benchline"
)

// BenchmarkSurvey walks over 10,000 devices and 100,000 instances for what is
// not broken and will cost: once a minute.
func BenchmarkSurvey(b *testing.B) {
	l := newLarge(500)
	snap, _ := Step(Restore(l.inv, fleet.Memory{}, l.now), l.say(l.all()), l.now)
	crowd(snap)
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			began := benchline.CPU()
			said := lifecycle.Survey(snap, l.now)
			used := benchline.CPU() - began
			if len(said) != 4+500+4+1+100 {
				b.Fatal(len(said), "targets")
			}
			return []benchline.Line{{Bench: "lifecycle-survey-10000", Value: used.Seconds() * 1e3, Unit: "cpu_ms", Goal: 100}}
		})...)
	}
}

// crowd puts eleven instances of a hundred services on each server, in a cloud
// with as many server groups.
func crowd(s *fleet.Snapshot) {
	c := fleet.Cloud{Spec: &fleet.CloudSpec{Name: "os", Region: "ams"}, State: fleet.StateOK}
	c.Tables[fleet.TableInstances].Is = fleet.Complete
	services := make([]fleet.Service, 100)
	var hosts []fleet.HostState
	var guests []fleet.InstanceState
	for k := range services {
		services[k] = fleet.Service{Spec: &fleet.ServiceSpec{Name: fmt.Sprint("svc", k), Owner: "team", Floor: 900}}
		c.Facts.Set(fmt.Sprint("group.svc", k), "soft-anti-affinity")
	}
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		if d.Spec.Kind != fleet.KindServer {
			continue
		}
		hosts = append(hosts, fleet.HostState{Host: fleet.Host{Name: d.Spec.ID, State: "up", RunningVMs: 11}, Cloud: "os", State: fleet.StateOK, Device: i})
		for v := range 11 {
			k := (i + v) % len(services)
			services[k].Instances = append(services[k].Instances, len(guests))
			guests = append(guests, fleet.InstanceState{Instance: fleet.Instance{ID: fmt.Sprint(d.Spec.ID, "-", v), Host: d.Spec.ID, Cloud: "os", PlacementGroup: fmt.Sprint("svc", k), Zone: "a", State: fleet.StateOK}, Device: i})
		}
	}
	for k := range services {
		x := &services[k]
		x.Replicas, x.Hosts, x.Racks, x.Zones = len(x.Instances), len(x.Instances), 500, 1
	}
	s.Clouds = fleet.NewTable([]string{"os"}, []fleet.Cloud{c})
	s.Hosts = tableOf(hosts, func(x *fleet.HostState) string { return x.Cloud + "/" + x.Name })
	s.Instances = tableOf(guests, func(x *fleet.InstanceState) string { return x.ID })
	s.Services = tableOf(services, func(x *fleet.Service) string { return x.Spec.Name })
}

func tableOf[T any](rows []T, id func(*T) string) fleet.Table[T] {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = id(&rows[i])
	}
	return fleet.NewTable(ids, rows)
}
