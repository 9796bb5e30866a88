package engine

import (
	"maps"
	"slices"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

// doubt has a cloud judged in this step, once its guests are settled: which
// service an instance carries is part of what it is judged by.
func (s *step) doubt(cloud int) {
	if s.weigher.doubted == nil {
		s.weigher.doubted = map[int]bool{}
	}
	s.weigher.doubted[cloud] = true
}

// doubtAged doubts a cloud of which something grew too old to be judged by.
func (s *step) doubtAged(i int, c *fleet.Cloud) {
	for _, table := range [...]fleet.TableID{fleet.TableSecurityGroups, fleet.TableInstances} {
		if t := &c.Tables[table]; c.Docket != nil && s.agedOut(t.At, t.Lane) {
			s.doubt(i)
		}
	}
}

// weighClouds judges what stands open in the clouds that are in doubt.
func (s *step) weighClouds() {
	for _, i := range slices.Sorted(maps.Keys(s.weigher.doubted)) {
		c := s.clouds.Peek(i)
		groups := &c.Tables[fleet.TableSecurityGroups]
		j := drift.Judgement{Kinds: security.Kinds, StaleAfter: 2 * s.next.Intervals[groups.Lane], LastRead: groups.At}
		j.Looks, j.Looked, j.Blind = security.JudgeCloud(c, s.scene())
		fresh := c.Docket == nil || c.Docket.Looked == 0
		s.settleDoors(i, drift.Settle(c.Docket, c.Spec.Name, j, s.now), fresh)
	}
	s.weigher.doubted = nil
}

// settleDoors is settle for a cloud.
func (s *step) settleDoors(i int, after drift.Settled, fresh bool) {
	s.changed = true
	c := s.clouds.At(i)
	c.Docket = after.Docket
	s.keepFindings(c.Spec.Name, after)
	if !fresh {
		s.sayFindings(c.Spec.Name, after)
	}
}
