package capacity

import "plumb/fleet"

// SiteOf is the site that something of a scope belongs to, "" where it has none
// or is more than one.
func SiteOf(s *fleet.Snapshot, scope Scope, id string) string {
	switch scope {
	case ScopeSite:
		return id
	case ScopeRack:
		if r := s.Racks.Get(id); r != nil {
			return r.Spec.Site
		}
	case ScopeFeed:
		if f := s.Feeds.Get(id); f != nil {
			return f.Spec.Site
		}
	}
	return ""
}

// RegionOf is the region that something of a scope belongs to, "" where it has
// none.
func RegionOf(s *fleet.Snapshot, scope Scope, id string) string {
	if scope == ScopeRegion {
		return id
	}
	if c := s.Clouds.Get(id); scope == ScopeCloud && c != nil {
		return c.Spec.Region
	}
	if x := s.Sites.Get(SiteOf(s, scope, id)); x != nil {
		return x.Spec.Region
	}
	return ""
}
