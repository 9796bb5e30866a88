package world

import (
	"maps"
	"math"
	"time"
)

// makeCloud says where instances are and what the cloud says of its hosts. A
// hypervisor whose kernel hangs or that is off is down; what ran on it stays
// ACTIVE, as clouds have it.
func (w *World) makeCloud(prev, r *run, fx *effects) {
	r.hyps = make([]hypRun, len(w.Hyps))
	for h, n := range w.Hyps {
		s := &r.servers[n]
		r.hyps[h] = hypRun{up: r.booted(n) && !s.hung && (r.links[w.Servers[n].NIC[0]].up || r.links[w.Servers[n].NIC[1]].up), status: "enabled"}
		switch p := &r.hyps[h]; {
		case p.up:
		case prev != nil && !prev.hyps[h].up:
			p.downAt = prev.hyps[h].downAt
		default:
			p.downAt = r.at
		}
		retired, retires := fx.retire[h]
		if retires {
			r.hyps[h].status, r.hyps[h].reason = "disabled", "scheduled retirement: hardware end of life"
		}
		if c, ok := w.state.Services[w.Servers[n].Name]; ok && (!retires || w.seconds(c.At) >= retired) {
			if r.hyps[h].status, r.hyps[h].reason = "enabled", ""; c.Disabled {
				r.hyps[h].status, r.hyps[h].reason = "disabled", c.Reason
			}
		}
	}
	r.sick = fx.sick
	r.opened, r.rulesOff = fx.open, maps.Clone(w.state.RulesOff)
	r.instances = make([]instanceRun, len(w.Instances))
	for i := range w.Instances {
		in := &w.Instances[i]
		s := instanceRun{host: in.Host, status: "ACTIVE", resize: fx.resized[i]}
		p, moved := fx.spread[i]
		if c, ok := w.state.Instances[in.ID]; ok {
			if c.Status != "" {
				s.status = c.Status
			}
			if h, at := w.hypervisor(c.Host), w.seconds(c.Moved); h >= 0 && (!moved || at >= p.since) {
				p, moved = seat{h, at}, true
			}
		}
		if moved && p.host != s.host {
			s.host = p.host
			if r.moved == nil {
				r.moved = map[int]int{}
			}
			r.moved[i] = p.host
		}
		r.instances[i] = s
	}
}

// CloudState is what the cloud knows of one region at a moment.
type CloudState struct {
	Version   uint64
	Reachable bool
	Opened    time.Time            // since when the security group mgmt lets the world in; zero: it does not
	RulesOff  map[string]time.Time // rules of security groups that were taken out, when; not to be written
	Hosts     []HostState
	Instances []InstanceState
}

// HostState is a hypervisor as its cloud sees it.
type HostState struct {
	Server   int // in the layout
	Up       bool
	Disabled bool
	Reason   string
	SeenAt   time.Time // last report of its compute service
	BootedAt time.Time
}

// InstanceState is an instance as its cloud sees it.
type InstanceState struct {
	N      int // in the layout
	Host   int // server
	Status string
	Flavor Flavor
	Sized  time.Time // when somebody gave it that flavor by hand; zero: nobody did
}

// regionReachable reports whether the way to any site of a region is there:
// the cloud's endpoints are in all of them.
func (w *World) regionReachable(r *run, region int) bool {
	for i := range w.Sites {
		if w.Sites[i].Region == region && r.sites[i] {
			return true
		}
	}
	return false
}

// RegionReachable reports whether a region's cloud can be reached at now.
func (w *World) RegionReachable(region int, now time.Time) bool {
	r, _ := w.run(now)
	return w.regionReachable(r, region)
}

// Cloud returns the state of a region. A host that is down was last seen when
// it went down.
func (w *World) Cloud(region int, now time.Time) CloudState {
	r, t := w.run(now)
	st := CloudState{Version: r.seq, Reachable: w.regionReachable(r, region), RulesOff: r.rulesOff}
	if since, ok := r.opened[region]; ok {
		st.Opened = w.time(since)
	}
	for h, n := range w.Hyps {
		sv := &w.Servers[n]
		if w.Sites[sv.Site].Region != region {
			continue
		}
		s := &r.hyps[h]
		host := HostState{Server: n, Up: s.up, Disabled: s.status != "enabled", Reason: s.reason, SeenAt: w.time(t - math.Mod(t+sv.Phase, 10)), BootedAt: w.Born.Add(-time.Duration(1+n%90) * 24 * time.Hour)}
		if !s.up && s.downAt > 0 {
			host.SeenAt = w.time(s.downAt)
		}
		if on := r.servers[n].wentOn; on > 0 {
			host.BootedAt = w.time(on)
		}
		st.Hosts = append(st.Hosts, host)
	}
	for i := range w.Instances {
		if w.Instances[i].Region == region {
			in := InstanceState{N: i, Host: w.Hyps[r.instances[i].host], Status: r.instances[i].status, Flavor: w.Instances[i].Flavor}
			if x := r.instances[i].resize; x.flavor.ID != "" {
				in.Flavor, in.Sized = x.flavor, w.time(x.since)
			}
			st.Instances = append(st.Instances, in)
		}
	}
	return st
}
