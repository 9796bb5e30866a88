package capacity

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// cloudy is a cloud of two zones: za has hosts of 16 and 32 VCPUs at a ratio of
// 2 with 4 kept back on each, zb one host that is down.
func cloudy() *site {
	b := &site{}
	host := func(id, zone, state string, total, used int64) {
		b.hosts = append(b.hosts, fleet.Host{ID: id, Name: id, Zone: zone, State: state, Status: "enabled", Resources: []fleet.Resource{
			{Class: "VCPU", Total: total, Reserved: 4, Ratio: fleet.Int(2), Used: used},
			{Class: "MEMORY_MB", Total: 4096 * total, Ratio: fleet.Int(1), Used: 1024 * used}}})
	}
	host("h1", "za", "up", 16, 10)
	host("h2", "za", "up", 32, 6)
	host("h3", "zb", "down", 16, 4)
	for n := range 10 {
		b.guests = append(b.guests, fleet.InstanceState{Instance: fleet.Instance{Zone: []string{"za", "zb"}[n/8]}})
	}
	c := fleet.Cloud{Spec: &fleet.CloudSpec{Name: "os", Region: "ams"}}
	for name, n := range map[string]int64{"instances.max": 16, "instances.used": 10, "vcpus.max": -1, "vcpus.used": 20, "memory_mb.max": 40960, "memory_mb.used": 20480} {
		c.Facts.SetNum("quota."+name, fleet.Int(n), false)
	}
	b.clouds = []fleet.Cloud{c}
	return b
}

func TestCloud(t *testing.T) {
	rows := Of(cloudy().snapshot())
	x := row(t, rows, ScopeCloud, "os", VCPU)
	// (16-4)*2 + (32-4)*2; what is on the dead host is used and gives nothing.
	if x.Total != fleet.Int(80) || x.Used != fleet.Int(20) || x.Free != fleet.Int(60) {
		t.Errorf("vcpu: %+v", x)
	}
	// zb: nothing to take, 4 used. za: 80 - 56 - 16 = 8.
	if !x.Over || !strings.HasPrefix(x.Worst, "zone zb has -4 vCPU left after its biggest host") || !strings.Contains(x.Worst, "1 of its hosts") {
		t.Errorf("vcpu: %q", x.Worst)
	}
	if x = row(t, rows, ScopeCloud, "os", Memory); x.Total != fleet.Int(48*4096*mib) || x.Used != fleet.Int(20*1024*mib) {
		t.Errorf("memory: %+v", x)
	}
	// Of the mean size of 2 VCPU and 2 GiB, za takes 8/2 more by VCPU.
	if x = row(t, rows, ScopeCloud, "os", Instances); x.Used != fleet.Int(10) || x.Total != fleet.Int(14) || x.Binds != "vcpu" {
		t.Errorf("instances: %+v", x)
	}
	if x = row(t, rows, ScopeRegion, "ams", VCPU); x.Total != fleet.Int(80) {
		t.Errorf("region: %+v", x)
	}
}

func TestQuota(t *testing.T) {
	rows := Of(cloudy().snapshot())
	x := row(t, rows, ScopeCloud, "os", Quota, "instances")
	// Six are left; za has eight to be made anew.
	if x.Free != fleet.Int(6) || !x.Over || !strings.HasPrefix(x.Worst, "zone za lost: room for 8 is needed to make its 8 instances anew, -2 left") {
		t.Errorf("%+v", x)
	}
	if x = row(t, rows, ScopeCloud, "os", Quota, "vcpus"); x.Total.Known || x.Free.Known || x.Worst != "no limit is set" {
		t.Errorf("no limit is none, not a full one: %+v", x)
	}
	if x = row(t, rows, ScopeCloud, "os", Quota, "memory"); x.Total != fleet.Int(40960*mib) || x.Unit != "bytes" {
		t.Errorf("%+v", x)
	}
	b := cloudy()
	b.hosts = nil
	for _, x := range Of(b.snapshot()) {
		if x.Resource == VCPU || x.Resource == Memory {
			t.Errorf("nothing is seen of the hosts: %+v", x)
		}
	}
}
