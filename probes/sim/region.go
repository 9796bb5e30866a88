package sim

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"plumb/probes/sim/openstack"
	"plumb/probes/sim/world"
)

// cloudProject owns every instance of the demo.
const cloudProject = "demo"

// regionCache keeps the last region that was made, for a burst of requests.
type regionCache struct {
	mu  sync.Mutex
	at  time.Time
	reg *openstack.Region
}

// region returns a region of the cloud as it is now, nil where there is none.
func (f *Fleet) region(name string) *openstack.Region {
	n := slices.IndexFunc(f.World.Regions, func(r world.Region) bool { return r.Name == name })
	if n < 0 {
		return nil
	}
	now := f.opt.Now()
	c := &f.regions[n]
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reg != nil && now.Sub(c.at) < stateLife && !now.Before(c.at) {
		return c.reg
	}
	c.at, c.reg = now, f.makeRegion(n, now)
	return c.reg
}

func (f *Fleet) makeRegion(n int, now time.Time) *openstack.Region {
	w := f.World
	st := w.Cloud(n, now)
	reg := &openstack.Region{Name: w.Regions[n].Name, Quota: openstack.Quota{Instances: 400, Cores: 2000, MemoryMB: 8 << 20, ServerGroups: 50}}
	for _, fl := range world.Flavors {
		reg.Flavors = append(reg.Flavors, openstack.Flavor{ID: fl.ID, Name: fl.Name, VCPUs: int64(fl.VCPU), MemoryMB: int64(fl.RAMMB), Disk: int64(fl.DiskG)})
	}
	for _, h := range st.Hosts {
		sv := &w.Servers[h.Server]
		hw := sv.Hardware
		reg.Hosts = append(reg.Hosts, openstack.Host{
			ID: uuid(sv.GUID), Name: sv.Name, Zone: w.Zone(sv.Rack), IP: w.ServerIP(h.Server, 0).String(), Up: h.Up, Disabled: h.Disabled, DisabledReason: h.Reason, SeenAt: h.SeenAt, BootedAt: h.BootedAt,
			Inventory: []openstack.Inventory{{Class: "VCPU", Total: int64(hw.VCPU), Ratio: 4}, {Class: "MEMORY_MB", Total: int64(hw.MemMB), Reserved: 8192, Ratio: 1}, {Class: "DISK_GB", Total: 3576, Reserved: 50, Ratio: 1}},
		})
	}
	groups := map[string]*openstack.Group{}
	for _, s := range st.Instances {
		in := &w.Instances[s.N]
		host := &w.Servers[s.Host]
		svc := &w.Services[in.Service]
		launched := time.Unix(in.Launched, 0).UTC()
		reg.Servers = append(reg.Servers, openstack.Instance{
			ID: in.ID, Name: in.Name, ProjectID: openstack.ProjectID(cloudProject), Host: host.Name, Zone: w.Zone(host.Rack), Flavor: s.Flavor.ID, Status: s.Status,
			Created: launched.Add(-40 * time.Second), Launched: launched, Updated: launched,
			Metadata:  map[string]string{"service": svc.Name, "owner": svc.Owner},
			Addresses: addressesOf(s.N, n, w.Regions[n].Name, svc.Name),
			Groups:    groupsOf(svc.Name),
			Done:      doneTo(&s, launched),
		})
		g := groups[in.Group]
		if g == nil {
			g = &openstack.Group{ID: uuid(groupID(in.Group)), Name: in.Group, Policy: "soft-anti-affinity", ProjectID: openstack.ProjectID(cloudProject)}
			groups[in.Group] = g
		}
		g.Members = append(g.Members, in.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		reg.Groups = append(reg.Groups, *groups[name])
	}
	reg.Rules = securityGroups(reg.Name, st.Opened, st.RulesOff)
	return reg
}

// doneTo is what the cloud remembers of an instance: that it was made, and that
// somebody resized it.
func doneTo(s *world.InstanceState, launched time.Time) []openstack.Done {
	list := []openstack.Done{{Action: "create", UserID: openstack.ProjectID("terraform"), At: launched}}
	if !s.Sized.IsZero() {
		list = append([]openstack.Done{{Action: "resize", UserID: openstack.ProjectID("eve"), At: s.Sized}}, list...)
	}
	return list
}

// groupID makes 16 bytes of a name: the same in every run.
func groupID(name string) (id [16]byte) {
	s := (&secrets{key: []byte("ids")}).of(name) // only for its spread
	copy(id[:], s)
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

func uuid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// cutCloud answers for the endpoints of a region that cannot be reached: what
// stands before them says 503. The identity service is elsewhere.
func (f *Fleet) cutCloud(c openstack.Call) openstack.Fault {
	for n, r := range f.World.Regions {
		if r.Name == c.Region && !f.World.RegionReachable(n, f.opt.Now()) {
			return openstack.Fault{Status: http.StatusServiceUnavailable}
		}
	}
	return openstack.Fault{}
}

var errAct = errors.New("the cloud cannot do this")

// actInstance carries out what the cloud's API accepted.
func (f *Fleet) actInstance(_, id, action string) error {
	now := f.opt.Now()
	switch action {
	case "os-start", "reboot":
		return f.World.SetInstance(id, "ACTIVE", now)
	case "os-stop":
		return f.World.SetInstance(id, "SHUTOFF", now)
	case "os-migrateLive":
		return orNoHost(f.World.Evacuate(id, now))
	case "evacuate":
		err := f.World.Evacuate(id, now)
		if errors.Is(err, world.ErrNoHost) { // what could not be built again is in ERROR; what could not move runs on
			_ = f.World.SetInstance(id, "ERROR", now)
		}
		return orNoHost(err)
	}
	return errAct
}

// orNoHost says it in the cloud's words where there was no host.
func orNoHost(err error) error {
	if errors.Is(err, world.ErrNoHost) {
		return openstack.ErrNoHost
	}
	return err
}

// removeRule takes a rule out of its security group. What is read next shows it.
func (f *Fleet) removeRule(region, id string) error {
	if err := f.World.RemoveRule(id, f.opt.Now()); err != nil {
		return err
	}
	f.forget(region)
	return nil
}

// setService lets a region's cloud use a host, or not.
func (f *Fleet) setService(region, host string, disabled bool, reason string) error {
	if err := f.World.SetService(host, disabled, reason, f.opt.Now()); err != nil {
		return err
	}
	f.forget(region)
	return nil
}

// forget lets the next request see the region anew.
func (f *Fleet) forget(region string) {
	for n, r := range f.World.Regions {
		if r.Name == region {
			c := &f.regions[n]
			c.mu.Lock()
			c.reg = nil
			c.mu.Unlock()
		}
	}
}
