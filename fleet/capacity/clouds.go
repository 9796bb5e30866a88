package capacity

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// cloudRoom is a cloud with what placement says of its hosts.
type cloudRoom struct {
	id        string
	cloud     *fleet.Cloud
	seen      bool // any host has an inventory
	zones     map[string]*zone
	names     []string // of the zones, sorted
	instances int
	off       int // hosts that take nothing: down or disabled
}

// zone is a failure domain with its hosts.
type zone struct {
	vcpu, memory pool
	instances    int
	hosts        int
}

// pool is one resource of a zone.
type pool struct{ used, total, biggest float64 }

func (p *pool) add(r fleet.Resource, takes bool) {
	p.used += float64(r.Used)
	if takes {
		c := float64(r.Total-r.Reserved) * r.Ratio.Float()
		p.total, p.biggest = p.total+c, max(p.biggest, c)
	}
}

const mib = 1 << 20

// clouds reads what the clouds say of themselves. A host that is down or
// disabled still holds what runs on it and takes nothing more.
func (p *plant) clouds() []*cloudRoom {
	out := make([]*cloudRoom, 0, p.snap.Clouds.Len())
	by := map[string]*cloudRoom{}
	for id, c := range p.snap.Clouds.All() {
		r := &cloudRoom{id: id, cloud: c, zones: map[string]*zone{}}
		by[id], out = r, append(out, r)
	}
	for _, h := range p.snap.Hosts.All() {
		if c := by[h.Cloud]; c != nil {
			c.host(&h.Host)
		}
	}
	for _, x := range p.snap.Instances.All() {
		if c := by[x.Cloud]; c != nil {
			c.instances++
			c.zone(x.Zone).instances++
		}
	}
	return out
}

func (c *cloudRoom) zone(name string) *zone {
	if c.zones[name] == nil {
		c.zones[name] = &zone{}
		i, _ := slices.BinarySearch(c.names, name)
		c.names = slices.Insert(c.names, i, name)
	}
	return c.zones[name]
}

func (c *cloudRoom) host(h *fleet.Host) {
	z := c.zone(h.Zone)
	takes := h.State == "up" && h.Status != "disabled"
	if !takes {
		c.off++
	}
	z.hosts++
	for _, r := range h.Resources {
		switch r.Class {
		case "VCPU":
			z.vcpu.add(r, takes)
			c.seen = true
		case "MEMORY_MB":
			z.memory.add(r, takes)
			c.seen = true
		}
	}
}

func (c *cloudRoom) rows() []Row {
	var out []Row
	if c.seen {
		out = append(out, c.pool(VCPU, "vcpu", 1, func(z *zone) *pool { return &z.vcpu }),
			c.pool(Memory, "bytes", mib, func(z *zone) *pool { return &z.memory }), c.count())
	}
	return append(out, c.quotas()...)
}

// pool is a resource over all zones; the worst is the zone that has least left
// when its biggest host is lost.
func (c *cloudRoom) pool(r Resource, unit string, scale float64, of func(*zone) *pool) Row {
	out := Row{Scope: ScopeCloud, ID: c.id, Resource: r, Unit: unit}
	used, total, short := 0.0, 0.0, ""
	least := 0.0
	for _, name := range c.names {
		z := of(c.zones[name])
		used, total = used+z.used, total+z.total
		if z.total == 0 && z.used == 0 {
			continue
		}
		if left := z.total - z.biggest - z.used; short == "" || left < least {
			least, short = left, name
		}
	}
	out.Used, out.Total = fleet.FromFloat(used*scale, 0), fleet.FromFloat(total*scale, 0)
	out.settle()
	if short != "" {
		out.Worst = fmt.Sprintf("zone %s has %s left after its biggest host", short, amount(least*scale, unit))
		if least < 0 {
			out.Over, out.Do = true, "add a host to zone "+short
		}
	}
	if c.off > 0 {
		out.Worst += fmt.Sprintf("; %d of its hosts take nothing: down or disabled", c.off)
	}
	return out
}

// amount writes a number of a unit.
func amount(f float64, unit string) string {
	if unit == "bytes" {
		return fmt.Sprintf("%.0f GiB", f/(1<<30))
	}
	if unit == "vcpu" {
		return fmt.Sprintf("%.0f vCPU", f)
	}
	return fmt.Sprintf("%.0f", f)
}

// count is how many instances of the mean size there may be with the biggest
// host of each zone kept free: N+1.
func (c *cloudRoom) count() Row {
	out := Row{Scope: ScopeCloud, ID: c.id, Resource: Instances, Unit: "count", Used: fleet.Int(int64(c.instances))}
	var cpu, mem float64
	for _, z := range c.zones {
		cpu, mem = cpu+z.vcpu.used, mem+z.memory.used
	}
	if c.instances == 0 || cpu <= 0 && mem <= 0 {
		out.Worst = "no instance to take the size from"
		return out
	}
	cpu, mem = cpu/float64(c.instances), mem/float64(c.instances)
	more, binds, short := 0, "", 0
	for _, name := range c.names {
		z := c.zones[name]
		n, by := -1, ""
		for _, x := range []struct {
			p    *pool
			each float64
			name Resource
		}{{&z.vcpu, cpu, VCPU}, {&z.memory, mem, Memory}} {
			left := x.p.total - x.p.biggest - x.p.used
			if x.each <= 0 {
				continue
			}
			if k := times(left, x.each); n < 0 || k < n {
				n, by = k, string(x.name)
			}
			if left < 0 {
				short++
			}
		}
		if n > 0 || binds == "" {
			binds = or(by, binds)
		}
		more += max(0, n)
	}
	out.Total, out.Binds = fleet.Int(int64(c.instances+more)), binds
	out.settle()
	out.Worst = fmt.Sprintf("N+1 in each zone, of the mean size %.1f vCPU %.1f GiB", cpu, mem/1024)
	if short > 0 {
		out.Over = true
		out.Worst += ": a zone does not survive its biggest host"
	}
	return out
}

// Quotas lists the quotas of all clouds, each also after its fullest zone is
// lost.
func Quotas(s *fleet.Snapshot) (out []Row) {
	for _, c := range (&plant{snap: s}).clouds() {
		out = append(out, c.quotas()...)
	}
	return out
}

// quotas are the limits of the project. After a zone is lost its instances are
// made anew while the lost ones still count, so that is what must be left.
func (c *cloudRoom) quotas() []Row {
	var out []Row
	lost, name := 0, ""
	for _, z := range c.names {
		if n := c.zones[z].instances; n > lost {
			lost, name = n, z
		}
	}
	for _, f := range c.cloud.Facts {
		class, ok := strings.CutSuffix(f.Name, ".max")
		class, is := strings.CutPrefix(class, "quota.")
		if !ok || !is {
			continue
		}
		x := Row{Scope: ScopeCloud, ID: c.id, Resource: Quota, Class: class, Unit: "count",
			Used: c.cloud.Facts.Num("quota." + class + ".used"), Total: c.cloud.Facts.Num(f.Name)}
		scale := 1.0
		switch class {
		case "vcpus":
			x.Unit = "vcpu"
		case "memory_mb":
			x.Class, x.Unit, scale = "memory", "bytes", mib
		}
		x.Used = fleet.FromFloat(x.Used.Float()*scale, 0)
		if x.Total.Known && x.Total.Float() < 0 {
			x.Total, x.Worst = fleet.Num{}, "no limit is set"
			out = append(out, x)
			continue
		}
		x.Total = fleet.FromFloat(x.Total.Float()*scale, 0)
		x.settle()
		c.zoneLoss(&x, class, name, lost)
		out = append(out, x)
	}
	return out
}

// zoneLoss says what is left of a quota when the fullest zone is lost.
func (c *cloudRoom) zoneLoss(x *Row, class, name string, lost int) {
	if lost == 0 || !x.Free.Known || c.instances == 0 {
		return
	}
	switch class {
	case "instances", "vcpus", "memory_mb":
	default:
		return
	}
	need := x.Used.Float() * float64(lost) / float64(c.instances)
	left := x.Free.Float() - need
	x.Worst = fmt.Sprintf("zone %s lost: room for %s is needed to make its %d instances anew, %s left", name, amount(need, x.Unit), lost, amount(left, x.Unit))
	if left < 0 {
		x.Over, x.Do = true, "ask for a higher quota"
	}
}

// summed adds the clouds of a region.
func summed(scope Scope, id string, rows []Row) []Row {
	var out []Row
	for _, r := range []struct {
		res  Resource
		unit string
	}{{VCPU, "vcpu"}, {Memory, "bytes"}, {Instances, "count"}} {
		var used, total sum
		x := Row{Scope: scope, ID: id, Resource: r.res, Unit: r.unit}
		n := 0
		for i := range rows {
			if y := &rows[i]; y.Resource == r.res {
				n++
				used.add(y.Used)
				total.add(y.Total)
				x.Over = x.Over || y.Over
				x.Worst, x.Do, x.Binds = or(x.Worst, y.Worst), or(x.Do, y.Do), or(x.Binds, y.Binds)
			}
		}
		if n > 0 {
			x.Used, x.Total = used.num(r.unit), total.num(r.unit)
			x.settle()
			out = append(out, x)
		}
	}
	return out
}
