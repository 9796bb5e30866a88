package engine

import (
	"plumb/fleet"
)

// rollUp carries the states of touched devices up: rack, site, region, feed;
// and from hosts to guests to services.
func (s *step) rollUp() {
	if s.guests {
		s.settleGuests()
	}
	s.weighClouds()
	if len(s.touched) > 0 || s.rolled {
		s.rollTouched()
	}
	s.countOpen()
}

// rollTouched carries touched devices up.
func (s *step) rollTouched() {
	racks, sites, feeds := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range s.touched {
		d := s.devices.Peek(i).Spec
		racks[d.Rack], sites[d.Site], feeds[d.Feed] = true, true, true
	}
	if s.rolled { // a rack that lost its last device has nobody left to touch it
		name(racks, &s.next.Racks)
		name(sites, &s.next.Sites)
		name(feeds, &s.next.Feeds)
	}
	s.rollRacks(racks)
	s.rollFeeds(feeds)
	s.rollRegions(s.rollSites(sites))
}

func name[T any](ids map[string]bool, t *fleet.Table[T]) {
	for id := range t.All() {
		ids[id] = true
	}
}

// tally is a roll-up under way.
type tally struct {
	state  fleet.State
	by     [fleet.NumStates]int
	blind  int
	drift  int
	n      int
	watts  float64
	meters int
}

func (t *tally) add(d *fleet.Device) {
	t.n++
	t.by[d.State]++
	if d.Blind() {
		t.blind++
	}
	t.drift += d.DriftOpen
	if !d.Maintenance {
		t.state = fleet.Worst(t.state, d.State)
	}
}

func newTally() tally { return tally{state: fleet.StateOff} }

// power is null where nothing measures.
func (t *tally) power() fleet.Num {
	if t.meters == 0 {
		return fleet.Num{}
	}
	return fleet.FromFloat(t.watts, 0)
}

func (t *tally) meter(n fleet.Num) {
	if n.Known {
		t.watts, t.meters = t.watts+n.Float(), t.meters+1
	}
}

// done is the state of a parent; one with nothing in it is ok, not off.
func (t *tally) done() fleet.State {
	if t.n == 0 {
		return fleet.StateOK
	}
	return t.state
}

func (s *step) rollRacks(ids map[string]bool) {
	edit := s.next.Racks.Edit()
	for id := range ids {
		r := edit.Get(id)
		if r == nil {
			continue
		}
		t, servers := newTally(), newTally()
		for _, i := range s.next.DevicesOf[id] {
			d := s.devices.Peek(i)
			t.add(d)
			switch {
			case !s.metered(d):
			case d.Spec.Kind == fleet.KindPDU:
				t.meter(d.PowerW)
			default:
				servers.meter(d.PowerW)
			}
		}
		r.PowerW = t.power()
		if !r.PowerW.Known {
			r.PowerW = servers.power()
		}
		s.recolour(fleet.KindOfRack, r.State, t.done())
		r.State, r.Devices, r.Blind, r.DriftOpen, r.By = t.done(), t.n, t.blind, t.drift, t.by
		r.Reasons = s.rackReasons(r)
	}
	s.next.Racks = edit.Done()
}

func (s *step) rollSites(ids map[string]bool) map[string]bool {
	regions := map[string]bool{}
	edit := s.next.Sites.Edit()
	for id := range ids {
		site := edit.Get(id)
		if site == nil {
			continue
		}
		t := newTally()
		for _, r := range s.next.RacksOf[site.Spec.Region] {
			if rack := s.next.Racks.At(r); rack.Spec.Site == id && rack.Devices > 0 {
				t.n++
				t.state = fleet.Worst(t.state, rack.State)
			}
		}
		for _, i := range s.next.Loose[id] {
			t.add(s.devices.Peek(i))
		}
		site.State, site.Reasons = t.done(), nil
		if !site.SilentSince.IsZero() {
			site.State, site.Reasons = fleet.StateCrit, []string{pathLost(site, len(s.next.SiteOf[id]))}
		}
		regions[site.Spec.Region] = true
	}
	s.next.Sites = edit.Done()
	return regions
}

func (s *step) rollRegions(ids map[string]bool) {
	edit := s.next.Regions.Edit()
	for id := range ids {
		r := edit.Get(id)
		if r == nil {
			continue
		}
		t, racks, sites := newTally(), 0, 0
		var reasons []string
		for _, n := range s.next.RacksOf[id] {
			rack := s.next.Racks.At(n)
			racks++
			t.n, t.blind, t.drift = t.n+rack.Devices, t.blind+rack.Blind, t.drift+rack.DriftOpen
			for st, k := range rack.By {
				t.by[st] += k
			}
			t.meter(rack.PowerW)
			if rack.Devices > 0 {
				t.state = fleet.Worst(t.state, rack.State)
			}
		}
		for name, site := range s.next.Sites.All() {
			if site.Spec.Region != id {
				continue
			}
			sites++
			if !site.SilentSince.IsZero() {
				t.state = fleet.StateCrit // the path is; what lies behind it is unknown
			}
			reasons = append(reasons, site.Reasons...)
			for _, i := range s.next.Loose[name] {
				t.add(s.devices.Peek(i))
			}
		}
		s.recolour(fleet.KindOfRegion, r.State, t.done())
		r.State, r.Devices, r.Racks, r.Sites, r.Blind, r.DriftOpen, r.PowerW, r.By = t.done(), t.n, racks, sites, t.blind, t.drift, t.power(), t.by
		r.Reasons = append(reasons, s.feedReasons(id)...)
	}
	s.next.Regions = edit.Done()
}

// countOpen sums what regions and clouds hold. A cloud is in none of them, and
// changes without any device.
func (s *step) countOpen() {
	blind, drifted := 0, 0
	for _, r := range s.next.Regions.All() {
		blind += r.Blind
		drifted += r.DriftOpen
	}
	for i := range s.clouds.Len() {
		drifted += s.clouds.Peek(i).Docket.Open()
	}
	s.next.Counts.Blind, s.next.Counts.DriftOpen = blind, drifted
}

func (s *step) recolour(k fleet.Kind, from, to fleet.State) {
	s.next.Counts.By[k][from]--
	s.next.Counts.By[k][to]++
}

// recount counts everything anew, after the inventory or the set of guests
// changed.
func (s *step) recount() {
	c, n := &s.next.Counts, &s.next
	c.By = [fleet.NumKinds][fleet.NumStates]int{}
	for _, x := range n.Regions.All() {
		c.By[fleet.KindOfRegion][x.State]++
	}
	for _, x := range n.Racks.All() {
		c.By[fleet.KindOfRack][x.State]++
	}
	for i := range s.devices.Len() {
		c.By[fleet.KindOfDevice][s.devices.Peek(i).State]++
	}
	for i := range s.clouds.Len() {
		c.By[fleet.KindOfCloud][s.clouds.Peek(i).State]++
	}
	s.recountGuests()
}

func (s *step) recountGuests() {
	c, n := &s.next.Counts, &s.next
	c.By[fleet.KindOfHost], c.By[fleet.KindOfInstance], c.By[fleet.KindOfService] = [fleet.NumStates]int{}, [fleet.NumStates]int{}, [fleet.NumStates]int{}
	for _, x := range n.Hosts.All() {
		c.By[fleet.KindOfHost][x.State]++
	}
	for _, x := range n.Instances.All() {
		c.By[fleet.KindOfInstance][x.State]++
	}
	for _, x := range n.Services.All() {
		c.By[fleet.KindOfService][x.State]++
	}
}
