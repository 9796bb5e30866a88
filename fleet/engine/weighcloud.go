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

// weighClouds judges what may stand against the clouds that are in doubt, their
// instances and their security groups.
func (s *step) weighClouds() {
	for _, i := range slices.Sorted(maps.Keys(s.weigher.doubted)) {
		c := s.clouds.Peek(i)
		j := s.driftedCloud(c)
		looks, looked, blind := security.JudgeCloud(c, s.scene())
		j.Looks, j.Looked, j.Blind = append(j.Looks, looks...), j.Looked+looked, j.Blind+blind
		j.Kinds = judgedInClouds
		groups := &c.Tables[fleet.TableSecurityGroups]
		j.StaleAfter, j.LastRead = 2*s.next.Intervals[groups.Lane], groups.At
		fresh := c.Docket == nil || c.Docket.Looked == 0
		s.settleCloudFindings(i, drift.Settle(c.Docket, c.Spec.Name, j, s.now), fresh)
	}
	s.weigher.doubted = nil
}

// judgedInClouds are the kinds of findings that weighClouds makes; the survey
// makes others.
var judgedInClouds = slices.Concat(drift.Kinds, security.Kinds)

// driftedCloud is drifted for a cloud.
func (s *step) driftedCloud(c *fleet.Cloud) drift.Judgement {
	var mine []*fleet.Instance
	for _, x := range s.next.Instances.All() {
		if x.Cloud == c.Spec.Name {
			mine = append(mine, &x.Instance)
		}
	}
	return drift.JudgeCloud(drift.CloudCase{Cloud: c, Instances: mine, Policies: s.policies(), Readable: func(t fleet.TableID) bool { return s.told(c, t) }})
}

// told reports whether a cloud's table was read in full and not long ago.
func (s *step) told(c *fleet.Cloud, t fleet.TableID) bool {
	x := &c.Tables[t]
	return x.Is == fleet.Complete && s.now.Sub(x.At) <= 2*s.next.Intervals[min(int(x.Lane), len(s.next.Intervals)-1)]
}

// settleCloudFindings puts a docket in its place and writes down what changed.
// What a first look finds was there before: it is found, and no news.
func (s *step) settleCloudFindings(i int, after drift.Settled, fresh bool) {
	c := s.clouds.At(i)
	c.Docket = after.Docket
	s.changed = true
	s.nameDoers(c.Spec.Name, after)
	s.keepFindings(c.Spec.Name, after)
	if !fresh {
		s.sayFindings(c.Spec.Name, after)
	}
}

// noteGroups remembers which rules of security groups are others now.
func (s *step) noteGroups(c *fleet.Cloud, before []fleet.SecurityGroup) {
	note := func(facet, value string) { c.Docket = s.note(c.Spec.Name, c.Docket, facet, value) }
	paired(before, c.Groups, func(g *fleet.SecurityGroup) string { return g.ID }, func(was, is *fleet.SecurityGroup) { drift.NoteGroup(was, is, note) })
}

// paired calls f for every row that is in both lists. Providers list in the
// same order each time, so an index is made only where they do not.
func paired[T any](before, after []T, id func(*T) string, f func(was, is *T)) {
	var index map[string]*T
	for i := range after {
		k := id(&after[i])
		if i < len(before) && id(&before[i]) == k {
			f(&before[i], &after[i])
			continue
		}
		if index == nil {
			index = make(map[string]*T, len(before))
			for j := range before {
				index[id(&before[j])] = &before[j]
			}
		}
		if was := index[k]; was != nil {
			f(was, &after[i])
		}
	}
}
