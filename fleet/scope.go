package fleet

import "slices"

// Scope limits what somebody may write to; it limits nobody's looking. Of each
// list that names anything one has to fit; nil is everything. What does not say
// whose it is, is outside of a scope that asks.
type Scope struct{ Regions, Owners, Tenants []string }

func fits(list []string, is string) bool { return len(list) == 0 || slices.Contains(list, is) }

// Device reports whether a device, and what belongs to it, is within the scope.
func (x *Scope) Device(d *DeviceSpec) bool {
	return x == nil || fits(x.Regions, d.Region) && fits(x.Owners, d.Owner) && fits(x.Tenants, d.Tenant)
}

// Cloud reports whether a cloud and all that runs in it is within the scope: a
// cloud has a region, and is nobody's.
func (x *Scope) Cloud(c *CloudSpec) bool { return x.region(c.Region) }

// Service reports whether a service is: it has an owner, and is everywhere.
func (x *Scope) Service(v *ServiceSpec) bool {
	return x == nil || len(x.Regions) == 0 && len(x.Tenants) == 0 && fits(x.Owners, v.Owner)
}

// region reports whether all of a region is.
func (x *Scope) region(name string) bool {
	return x == nil || fits(x.Regions, name) && len(x.Owners) == 0 && len(x.Tenants) == 0
}

// Holds reports whether what a finding is about is within the scope: a device,
// region, rack, feed, cloud or service. What is not known is not.
func (x *Scope) Holds(s *Snapshot, target string) bool {
	if x == nil {
		return true
	}
	if d := s.Devices.Get(target); d != nil {
		return x.Device(d.Spec)
	}
	if s.Regions.Get(target) != nil {
		return x.region(target)
	}
	if r := s.Racks.Get(target); r != nil {
		return x.region(r.Spec.Region)
	}
	if f := s.Feeds.Get(target); f != nil {
		site := s.Sites.Get(f.Spec.Site)
		return site != nil && x.region(site.Spec.Region)
	}
	if c := s.Clouds.Get(target); c != nil {
		return x.Cloud(c.Spec)
	}
	if v := s.Services.Get(target); v != nil {
		return x.Service(v.Spec)
	}
	return false
}

// Equal reports whether two scopes say the same.
func (x *Scope) Equal(y *Scope) bool {
	if x == nil || y == nil {
		return x == y
	}
	return slices.Equal(x.Regions, y.Regions) && slices.Equal(x.Owners, y.Owners) && slices.Equal(x.Tenants, y.Tenants)
}
