package export

import (
	"plumb/fleet"
)

// devices writes how devices stand. These are judgements of plumb and not
// readings: they are never too old, because a device that is not seen is one
// of the things they say.
func (p *page) devices() {
	if !p.wants(ClassDevice) {
		return
	}
	num := func(m Metric, help string, of func(*fleet.Device) fleet.Num) {
		p.family(m, help)
		p.each(func(_ int, d *fleet.Device, labels []byte) {
			if v := of(d); v.Known {
				p.open(labels)
				p.value(v)
			}
		})
	}
	num(Metric{Name: "plumb_device_state"}, "State of a device: "+stateHelp, func(d *fleet.Device) fleet.Num { return StateNum(d.State) })
	num(Metric{Name: "plumb_device_blind"}, "1 while the last poll of a device failed.", func(d *fleet.Device) fleet.Num { return truth(d.Blind()) })
	num(Metric{Name: "plumb_device_maintenance"}, "1 while a device is in maintenance.", func(d *fleet.Device) fleet.Num { return truth(d.Maintenance) })
	num(Metric{Name: "plumb_device_drift_open"}, "Open findings of drift.", func(d *fleet.Device) fleet.Num { return fleet.Int(int64(d.DriftOpen)) })
	num(Metric{Name: "plumb_device_seen_timestamp_seconds"}, "When anything of a device was last read.", func(d *fleet.Device) fleet.Num {
		if d.SeenAt.IsZero() {
			return fleet.Num{}
		}
		return fleet.Dec(d.SeenAt.UnixMilli(), -3)
	})
	young := func(d *fleet.Device) bool {
		return fleet.Young(d.SeenAt, p.now, p.s.Intervals[fleet.LaneFast])
	}
	num(Metric{Name: "plumb_device_on"}, "1 while a machine runs, 0 while it is off.", func(d *fleet.Device) fleet.Num {
		if d.Power == fleet.PowerUnknown || !young(d) {
			return fleet.Num{}
		}
		return truth(d.Power == fleet.PowerOn)
	})
	num(deviceWatts, "What a device draws.", func(d *fleet.Device) fleet.Num {
		if !young(d) {
			return fleet.Num{}
		}
		return d.PowerW
	})
	p.info()
}

// info is a series of ones that carries what a device is, to be joined with
// the others by device.
func (p *page) info() {
	p.family(Metric{Name: "plumb_device_info"}, "What a device is, to be joined by device; always 1.")
	p.each(func(_ int, d *fleet.Device, labels []byte) {
		p.open(labels)
		p.label("kind", string(d.Spec.Kind))
		p.label("model", d.Spec.Model)
		p.label("owner", d.Spec.Owner)
		p.label("tenant", d.Spec.Tenant)
		p.label("env", d.Spec.Env)
		p.value(fleet.Int(1))
	})
}

// plant writes racks and feeds.
func (p *page) plant() {
	if p.wants(ClassRack) {
		rack := func(name, help string, of func(*fleet.Rack) fleet.Num) {
			p.family(Metric{Name: name}, help)
			for id, r := range p.s.Racks.All() {
				if v := of(r); v.Known && p.regionIs(r.Spec.Region) {
					p.open(nil)
					p.label(labelRack, id)
					p.label(labelSite, r.Spec.Site)
					p.label(labelRegion, r.Spec.Region)
					p.value(v)
				}
			}
		}
		rack("plumb_rack_state", "State of a rack: "+stateHelp, func(r *fleet.Rack) fleet.Num { return StateNum(r.State) })
		rack("plumb_rack_power_watts", "What a rack draws.", func(r *fleet.Rack) fleet.Num { return r.PowerW })
	}
	if p.wants(ClassFeed) {
		feed := func(name, help string, of func(*fleet.Feed) fleet.Num) {
			p.family(Metric{Name: name}, help)
			for id, x := range p.s.Feeds.All() {
				region := p.regionOf(x.Spec.Site)
				if v := of(x); v.Known && p.regionIs(region) {
					p.open(nil)
					p.label("feed", id)
					p.label(labelSite, x.Spec.Site)
					p.label(labelRegion, region)
					p.value(v)
				}
			}
		}
		feed("plumb_feed_state", "State of a power feed: "+stateHelp, func(x *fleet.Feed) fleet.Num { return StateNum(x.State) })
		feed("plumb_feed_power_watts", "What hangs on a feed draws.", func(x *fleet.Feed) fleet.Num { return x.PowerW })
		feed("plumb_feed_current_amperes", "Current of a feed.", func(x *fleet.Feed) fleet.Num { return x.AmpsA })
	}
}

func (p *page) regionOf(site string) string {
	if x := p.s.Sites.Get(site); x != nil {
		return x.Spec.Region
	}
	return ""
}

// workloads writes instances and services.
func (p *page) workloads() {
	if p.wants(ClassInstance) {
		p.family(Metric{Name: "plumb_instance_state"}, "State of an instance: "+stateHelp)
		for id, x := range p.s.Instances.All() {
			if p.regionIs(x.Region) {
				p.open(nil)
				p.label("id", id)
				p.label(labelName, x.Name)
				p.label("cloud", x.Cloud)
				p.label(labelRegion, x.Region)
				p.label("zone", x.Zone)
				p.label("service", x.Service)
				p.value(StateNum(x.State))
			}
		}
	}
	if p.wants(ClassService) && p.filter.Region == "" {
		service := func(name, help string, of func(*fleet.Service) int64) {
			p.family(Metric{Name: name}, help)
			for id, x := range p.s.Services.All() {
				p.open(nil)
				p.label("service", id)
				p.label("owner", x.Spec.Owner)
				p.value(fleet.Int(of(x)))
			}
		}
		service("plumb_service_state", "State of a service: "+stateHelp, func(x *fleet.Service) int64 { return stateValues[x.State] })
		service("plumb_service_replicas", "Replicas that run.", func(x *fleet.Service) int64 { return int64(x.Replicas) })
		service("plumb_service_floor", "Replicas below which a service is at risk.", func(x *fleet.Service) int64 { return int64(x.Spec.Floor) })
		service("plumb_service_hosts", "Hosts that its replicas stand on.", func(x *fleet.Service) int64 { return int64(x.Hosts) })
		asked := func(name, help string, of func(*fleet.Service) fleet.Num) {
			p.family(Metric{Name: name}, help)
			for id, x := range p.s.Services.All() {
				if v := of(x); x.Spec.Health != nil && v.Known {
					p.open(nil)
					p.label("service", id)
					p.label("owner", x.Spec.Owner)
					p.value(v)
				}
			}
		}
		asked("plumb_service_health", "What the workload of a service says: "+stateHelp, func(x *fleet.Service) fleet.Num {
			if x.Health == nil {
				return StateNum(fleet.StateUnknown)
			}
			return StateNum(x.Health.State)
		})
		asked("plumb_service_latency_seconds", "How long the workload of a service took to answer.", func(x *fleet.Service) fleet.Num {
			if x.Health == nil || x.Health.State == fleet.StateUnknown {
				return fleet.Num{}
			}
			return seconds(x.Health.LatencyMs)
		})
		service("plumb_service_racks", "Racks that its replicas stand in.", func(x *fleet.Service) int64 { return int64(x.Racks) })
	}
}

// stock writes capacity. Its rows are handed in: they are a judgement.
func (p *page) stock(rows []Stock) {
	if !p.wants(ClassCapacity) || p.filter.Region != "" {
		return
	}
	for _, m := range []struct {
		name, help string
		of         func(*Stock) fleet.Num
	}{
		{"plumb_capacity_used", "What is used of a resource, in the unit of its label.", func(r *Stock) fleet.Num { return r.Used }},
		{"plumb_capacity_limit", "How much there is of a resource, in the unit of its label.", func(r *Stock) fleet.Num { return r.Total }},
	} {
		p.family(Metric{Name: m.name}, m.help)
		for i := range rows {
			r := &rows[i]
			if v := m.of(r); v.Known {
				p.open(nil)
				p.label("scope", r.Scope)
				p.label("id", r.ID)
				p.label("resource", r.Resource)
				p.label("class", r.Class)
				p.label("unit", r.Unit)
				p.value(v)
			}
		}
	}
}
