package fleet

import (
	"slices"
	"strings"
)

// AlertRegions are the regions that an alert speaks of: the one that its target
// is or stands in, and of a service each with a replica of it. Nil: none is known.
func (s *Snapshot) AlertRegions(a *Alert) []string {
	if name := a.Labels["region"]; name != "" {
		return []string{name}
	}
	if v := s.Services.Get(a.Target); v != nil {
		return s.regionsOf(v)
	}
	if name := s.regionOf(a.Target); name != "" {
		return []string{name}
	}
	return nil
}

// regionOf is the region that a thing is, or that it or the device it is a piece
// of stands in; "" where that is none.
func (s *Snapshot) regionOf(id string) string {
	if s.Regions.Get(id) != nil {
		return id
	}
	if r := s.Racks.Get(id); r != nil {
		return r.Spec.Region
	}
	site := id
	if f := s.Feeds.Get(id); f != nil {
		site = f.Spec.Site
	}
	if x := s.Sites.Get(site); x != nil {
		return x.Spec.Region
	}
	if c := s.Clouds.Get(id); c != nil {
		return c.Spec.Region
	}
	if x := s.Instances.Get(id); x != nil {
		return s.regionOf(x.Cloud)
	}
	if h := s.Hosts.Get(id); h != nil {
		return s.regionOf(h.Cloud)
	}
	head, _, _ := strings.Cut(id, "/")
	if d := s.Devices.Get(head); d != nil {
		return d.Spec.Region
	}
	return ""
}

// regionsOf are the regions with replicas of a service, sorted.
func (s *Snapshot) regionsOf(v *Service) []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, n := range v.Devices {
		add(s.Devices.At(n).Spec.Region)
	}
	for _, n := range v.Instances {
		add(s.regionOf(s.Instances.ID(n)))
	}
	slices.Sort(out)
	return out
}
