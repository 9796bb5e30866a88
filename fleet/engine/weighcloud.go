package engine

import (
	"maps"
	"slices"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

// judgedOfClouds are the kinds of findings that weighCloud makes.
var judgedOfClouds = slices.Concat(drift.CloudKinds, security.Kinds)

// noteCloud remembers what instances and groups were before somebody changed
// them, where both looks saw all of them.
func (s *step) noteCloud(c, was *fleet.Cloud, before []*fleet.InstanceState) {
	if c.Tables[fleet.TableInstances].Is == fleet.Complete {
		old := make(map[string]*fleet.Instance, len(before))
		for _, x := range before {
			old[x.ID] = &x.Instance
		}
		for _, x := range pick(&s.next.Instances, func(x *fleet.InstanceState) bool { return x.Cloud == c.Spec.Name }) {
			if y := old[x.ID]; y != nil && !sameInstance(y, &x.Instance) {
				s.noteChoices(c, drift.InstanceFacets(y), drift.InstanceFacets(&x.Instance))
			}
		}
	}
	if c.Tables[fleet.TableSecurityGroups].Is == fleet.Complete {
		old := make(map[string]*fleet.SecurityGroup, len(was.Groups))
		for i := range was.Groups {
			old[was.Groups[i].ID] = &was.Groups[i]
		}
		for i := range c.Groups {
			g := &c.Groups[i]
			if y := old[g.ID]; y != nil && !sameGroup(y, g) {
				s.noteChoices(c, map[string]string{drift.GroupFacet(y): drift.RulesText(y)}, map[string]string{drift.GroupFacet(g): drift.RulesText(g)})
			}
		}
	}
}

// noteChoices remembers the facets that differ. What one look does not tell is
// no change.
func (s *step) noteChoices(c *fleet.Cloud, before, after map[string]string) {
	for _, facet := range slices.Sorted(maps.Keys(after)) {
		if had, ok := before[facet]; ok && had != after[facet] {
			f := fleet.Former{Facet: facet, Value: had, At: s.now}
			known := 0
			if c.Docket != nil {
				known = len(c.Docket.Past)
			}
			if c.Docket = drift.Note(c.Docket, f); len(c.Docket.Past) > known {
				s.change(c.Spec.Name, fleet.TableBaselines, rowFormer+facet, encode(f))
			}
		}
	}
}

// weighCloud judges what was changed and what stands open in a cloud.
func (s *step) weighCloud(c *fleet.Cloud) {
	s.changed = true
	ours := pick(&s.next.Instances, func(x *fleet.InstanceState) bool { return x.Cloud == c.Spec.Name })
	exposed := func(group string) bool {
		return slices.ContainsFunc(ours, func(x *fleet.InstanceState) bool {
			return len(x.Public) > 0 && slices.Contains(x.SecurityGroups, group)
		})
	}
	list := make([]*fleet.Instance, len(ours))
	for i, x := range ours {
		list[i] = &x.Instance
	}
	j := drift.JudgeCloud(drift.CloudCase{Cloud: c, Instances: list, Readable: func(t fleet.TableID) bool { return c.Tables[t].Is == fleet.Complete }})
	looks, looked, blind := security.JudgeCloud(c, s.policies(), exposed)
	j.Looks, j.Looked, j.Blind = append(j.Looks, looks...), j.Looked+looked, j.Blind+blind
	j.Kinds = judgedOfClouds
	j.StaleAfter, j.LastRead = 2*s.next.Intervals[fleet.LaneSlow], c.Tables[fleet.TableSecurityGroups].At
	fresh := c.Docket == nil || c.Docket.Looked == 0
	s.holdAgainst(c, drift.Settle(c.Docket, c.Spec.Name, j, s.now), fresh)
}

// holdAgainst puts a docket in its place and writes down what changed.
func (s *step) holdAgainst(c *fleet.Cloud, after drift.Settled, fresh bool) {
	c.Docket = after.Docket
	s.keepFindings(c.Spec.Name, after)
	if !fresh {
		s.sayFindings(c.Spec.Name, after)
	}
}

// lapseClouds takes out what its time has passed.
func (s *step) lapseClouds() {
	for i := range s.clouds.Len() {
		l, ok := drift.Lapse(s.clouds.Peek(i).Docket, s.now)
		if !ok {
			continue
		}
		c := s.clouds.At(i)
		s.keepLapsed(c.Spec.Name, &l)
		s.holdAgainst(c, l.Settled, true)
		if len(l.Past) > 0 {
			s.weighCloud(c)
		}
	}
}
