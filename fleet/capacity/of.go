package capacity

import (
	"plumb/fleet"
)

// Of lists the capacity of everything in a snapshot: regions, sites, racks,
// feeds and clouds, in the order of the inventory.
func Of(s *fleet.Snapshot) []Row { return newPlant(s).rows() }

func (p *plant) rows() []Row {
	s := p.snap
	racks := make([][]Row, len(p.rooms))
	n := 0
	for i := range p.rooms {
		racks[i] = p.rackRows(&p.rooms[i])
		n += len(racks[i])
	}
	feeds := map[string][]Row{} // by site
	var feedRows []Row
	for id, f := range s.Feeds.All() {
		r := p.feedRows(id, f)
		feeds[f.Spec.Site] = append(feeds[f.Spec.Site], r...)
		feedRows = append(feedRows, r...)
	}
	clouds := map[string][]Row{} // by region
	var cloudRows []Row
	for _, c := range p.clouds() {
		clouds[c.cloud.Spec.Region] = append(clouds[c.cloud.Spec.Region], c.rows()...)
		cloudRows = append(cloudRows, c.rows()...)
	}
	out := make([]Row, 0, n+len(feedRows)+len(cloudRows)+64)
	var sites []Row
	for id := range s.Regions.All() {
		whole := group{scope: ScopeRegion, id: id}
		for site, x := range s.Sites.All() {
			if x.Spec.Region != id {
				continue
			}
			g := group{scope: ScopeSite, id: site, limitW: SiteLimitW(s, site), limited: true}
			for i := range p.rooms {
				if p.rooms[i].rack.Spec.Site == site {
					g.take(racks[i])
				}
			}
			g.feeds = feeds[site]
			whole.join(&g)
			sites = append(sites, g.rows()...)
		}
		out = append(out, whole.rows()...)
		out = append(out, summed(ScopeRegion, id, clouds[id])...)
	}
	out = append(out, sites...)
	for _, r := range racks {
		out = append(out, r...)
	}
	return append(append(out, feedRows...), cloudRows...)
}
