package trace

import (
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
)

// standing is what others show of a part that is suspected.
type standing uint8

const (
	suspect   standing = iota // nobody vouches for it
	cleared                   // seen at work by a fresh witness
	convicted                 // shown to be dead, not only silent
)

// inquiry finds out whose failure alone would take something away. Answers are
// kept; it belongs to one call.
type inquiry struct {
	g         *Graph
	s         *fleet.Snapshot
	now       time.Time
	power     map[int][]Part // by device
	ways      map[int][]Part // by device
	feeds     map[int][]Part // by feed
	standings map[Part]standing
	asserted  map[string][]*fleet.Event // by target; nil: not sorted yet
}

func newInquiry(g *Graph, s *fleet.Snapshot, now time.Time) *inquiry {
	if !s.Live {
		now = s.At // what was fresh then is a witness of then
	}
	return &inquiry{g: g, s: s, now: now, power: map[int][]Part{}, ways: map[int][]Part{}, feeds: map[int][]Part{}, standings: map[Part]standing{}}
}

// witness reports whether a device was seen so lately that what it says holds.
func (q *inquiry) witness(d *fleet.Device) bool {
	return fresh(d) && q.now.Sub(d.SeenAt) <= 2*q.s.Intervals[fleet.LaneFast]
}

// powerOf lists the parts of which each alone would leave a device without
// power, itself first.
func (q *inquiry) powerOf(n int) []Part {
	if list, ok := q.power[n]; ok {
		return list
	}
	q.power[n] = nil // who comes back here is in a circle, which explains nothing
	d := &q.g.devices[n]
	list := []Part{q.g.deviceAt(q.s, n)}
	if d.feed >= 0 {
		list = join(list, q.feedOf(d.feed))
	}
	var cords [][]Part
	for k := range d.cords {
		cords = append(cords, q.cordOf(n, k))
	}
	list = join(list, q.anyOf(cords))
	q.power[n] = list
	return list
}

// feedOf lists what leaves a feed dark, itself first.
func (q *inquiry) feedOf(n int) []Part {
	if list, ok := q.feeds[n]; ok {
		return list
	}
	q.feeds[n] = nil
	list := []Part{q.g.feedAt(n)}
	switch f := &q.g.feeds[n]; {
	case f.feed >= 0:
		list = join(list, q.feedOf(f.feed))
	case f.ups >= 0:
		list = join(list, q.powerOf(f.ups))
	}
	q.feeds[n] = list
	return list
}

// cordOf lists what leaves a cord dead: its outlet where that is off, and
// whatever takes the PDU.
func (q *inquiry) cordOf(n, k int) []Part {
	c := q.g.devices[n].cords[k]
	if c.pdu < 0 {
		return nil
	}
	var list []Part
	if p := (Part{Outlet, c.pdu, outletName(c.outlet)}); q.standing(p) == convicted {
		list = append(list, p)
	}
	return join(list, q.powerOf(c.pdu))
}

// wayOf lists what cuts a switch off from the edge of its region, itself first.
func (q *inquiry) wayOf(n int) []Part {
	if list, ok := q.ways[n]; ok {
		return list
	}
	q.ways[n] = nil
	list := slices.Clone(q.powerOf(n))
	if d := &q.g.devices[n]; !d.edge {
		var ups [][]Part
		for k := range d.cables {
			if to := d.cables[k].to; to >= 0 && q.g.carries(to) {
				ups = append(ups, q.wayOf(to))
			}
		}
		list = join(list, q.anyOf(ups))
	}
	q.ways[n] = list
	return list
}

// sightOf lists what would make a device silent, itself first: its power and
// the way to its management address.
func (q *inquiry) sightOf(n int) []Part {
	if q.g.carries(n) {
		return q.wayOf(n)
	}
	list := slices.Clone(q.powerOf(n))
	for k := range q.g.devices[n].cables {
		if c := &q.g.devices[n].cables[k]; c.management && c.to >= 0 {
			list = join(list, q.wayOf(c.to))
		}
	}
	return list
}

// anyOf lists what takes the last of several branches. One that is dead
// already is no redundancy; where all are, each had its part in it.
func (q *inquiry) anyOf(branches [][]Part) (list []Part) {
	live := slices.Clone(branches)
	live = slices.DeleteFunc(live, func(b []Part) bool { return slices.ContainsFunc(b, q.guilty) })
	if len(live) == 0 {
		for _, b := range branches {
			list = join(list, b)
		}
		return list
	}
	for _, p := range live[0] {
		if !slices.ContainsFunc(live[1:], func(b []Part) bool { return !slices.Contains(b, p) }) {
			list = append(list, p)
		}
	}
	return list
}

func join(list, more []Part) []Part {
	for _, p := range more {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

func (q *inquiry) guilty(p Part) bool { return q.standing(p) == convicted }

// standing is what witnesses show of a part.
func (q *inquiry) standing(p Part) standing {
	if st, ok := q.standings[p]; ok {
		return st
	}
	q.standings[p] = suspect
	st := q.try(p)
	q.standings[p] = st
	return st
}

func (q *inquiry) try(p Part) standing {
	switch {
	case p.Kind == Feed || p.Kind == Utility:
		lost, fed := q.feedVotes(p.N)
		if q.s.Feeds.At(p.N).State == fleet.StateCrit {
			return convicted
		}
		return verdictOf(lost, fed, false)
	case p.Kind == Outlet:
		d := q.s.Devices.At(p.N)
		no, _ := strconv.Atoi(p.Name)
		if o := outletOf(d, no); o != nil && o.State == "off" && q.witness(d) {
			return convicted
		}
	case p.device():
		d := q.s.Devices.At(p.N)
		if Dead(d) {
			return convicted
		}
		lost, fed := q.deviceVotes(p)
		return verdictOf(lost, fed, q.witness(d) && p.Kind != Server)
	}
	return suspect
}

// verdictOf weighs what depends on a part: nine that lost it outvote one that
// has it, because a cord may be in another outlet than intended. One alone may
// have failed by itself. A part that answers needs no other witness.
func verdictOf(lost, fed int, answers bool) standing {
	switch {
	case lost > 1 && lost >= 9*fed:
		return convicted
	case answers, fed > 0 && lost < 9*fed:
		return cleared
	}
	return suspect
}

// feedVotes counts what hangs on a feed and is dead, and what is not. A PDU that
// was last seen before the first of the dead was lost says nothing of now.
func (q *inquiry) feedVotes(n int) (lost, fed int) {
	f := &q.g.feeds[n]
	for _, k := range f.feeds {
		tally(q.standing(q.g.feedAt(k)), &lost, &fed)
	}
	struck := time.Time{}
	for _, k := range f.devices {
		d := q.s.Devices.At(k)
		if q.standing(q.g.deviceAt(q.s, k)) == convicted && d.Blind() && (struck.IsZero() || d.BlindSince.Before(struck)) {
			struck = d.BlindSince
		}
	}
	for _, k := range f.devices {
		st := q.standing(q.g.deviceAt(q.s, k))
		if st == cleared && !struck.IsZero() && q.s.Devices.At(k).SeenAt.Before(struck) {
			continue
		}
		tally(st, &lost, &fed)
	}
	return lost, fed
}

func tally(st standing, lost, fed *int) {
	switch st {
	case convicted:
		*lost++
	case cleared:
		*fed++
	}
}

// deviceVotes asks who hangs on a device: the supplies on a PDU, the feeds of a
// UPS, those whose management address lies behind a switch. Silence behind a
// silent switch shows that nothing passes, and not why: it convicts nobody.
func (q *inquiry) deviceVotes(p Part) (lost, fed int) {
	switch p.Kind {
	case PDU:
		return q.supplyVotes(p.N)
	case UPS:
		for _, k := range q.g.devices[p.N].lines {
			tally(q.standing(q.g.feedAt(k)), &lost, &fed)
		}
	case Switch, Router:
		silent := 0
		for _, e := range q.g.devices[p.N].ends {
			switch d := q.s.Devices.At(e.device); {
			case !q.g.devices[e.device].cables[e.k].management:
			case q.witness(d) && d.SeenAt.After(q.s.Devices.At(p.N).SeenAt):
				fed++
			case unseen(d):
				silent++
			}
		}
		if silent >= 9*fed {
			fed = 0
		}
	}
	return lost, fed
}

// idleW is less than any supply takes that has input.
const idleW = 5

// supplyVotes counts the supplies on a PDU that have no input and that have. Of
// one that is silent only what was read since counts: what has no input, since it
// was last seen; what has, since it was asked in vain.
func (q *inquiry) supplyVotes(n int) (lost, fed int) {
	pdu := q.s.Devices.At(n)
	for _, e := range q.g.devices[n].feeds {
		d := q.s.Devices.At(e.device)
		c := q.g.devices[e.device].cords[e.k]
		if !q.witness(d) || unseen(pdu) && !d.SeenAt.After(pdu.SeenAt) {
			continue
		}
		o := outletOf(pdu, c.outlet)
		if o != nil && o.State == "off" {
			continue // it says nothing of the PDU
		}
		switch x := supplyOf(d, c.psu); {
		case o != nil && q.witness(pdu) && o.PowerW.Known && o.PowerW.Float() >= idleW:
			fed++ // watts flow, whatever is behind them
		case x == nil || x.State == fleet.StateUnknown:
		case x.State == fleet.StateWarn || x.State == fleet.StateCrit:
			lost++
		case unseen(pdu) && pdu.Blind() && d.SeenAt.Before(pdu.BlindSince):
		default:
			fed++
		}
	}
	return lost, fed
}
