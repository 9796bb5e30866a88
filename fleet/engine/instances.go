package engine

import (
	"plumb/fleet"
	"plumb/fleet/drift"
)

// mergeInstances takes a cloud's list of instances. A cloud of a hundred thousand
// says almost the same at each poll, so rows are compared before anything is
// made of them: one that says the same stays the row that it was, settled as it
// is, and where the same instances are listed in the same order only the pages of
// those that changed are copied.
func (s *step) mergeInstances(c *fleet.Cloud, o *fleet.Observation) {
	fresh := o.Instances
	switch o.Tables[fleet.TableInstances] {
	case fleet.Absent:
		fresh = nil
	case fleet.Complete, fleet.Partial:
	default:
		return
	}
	if mine := s.listedBefore(o.Target, fresh); mine != nil {
		edit := s.next.Instances.Edit()
		for k, n := range mine {
			if x := s.renewed(c, edit.Peek(n), &fresh[k]); x != nil {
				*edit.At(n) = *x
				s.unsettleGuest(x.ID)
			}
		}
		s.next.Instances = edit.Done()
		return
	}
	s.relist(c, o, fresh)
}

// listedBefore are the numbers of a cloud's instances, where its list names
// them all in their order and no others; else nil.
func (s *step) listedBefore(cloud string, fresh []fleet.Instance) []int {
	t := &s.next.Instances
	mine := make([]int, 0, len(fresh))
	for n := range t.Len() {
		if t.At(n).Cloud != cloud {
			continue
		}
		if k := len(mine); k == len(fresh) || fresh[k].ID != t.ID(n) {
			return nil
		}
		mine = append(mine, n)
	}
	if len(mine) != len(fresh) {
		return nil
	}
	return mine
}

// renewed is the row of an instance that says something else than before, with
// that written down; nil: it says the same.
func (s *step) renewed(c *fleet.Cloud, was *fleet.InstanceState, is *fleet.Instance) *fleet.InstanceState {
	cloud := c.Spec.Name
	if was != nil && sameInstance(&was.Instance, is, was.Told, cloud) {
		return nil
	}
	x := &fleet.InstanceState{Instance: *is, Told: is.State}
	x.Cloud = cloud
	s.change(cloud, fleet.TableInstances, is.ID, encode(instanceKept(&x.Instance)))
	if was != nil {
		x.Device, x.Service, x.State, x.Reasons = was.Device, was.Service, was.State, was.Reasons // until it is settled
		drift.NoteInstance(&was.Instance, is, func(facet, value string) { c.Docket = s.note(cloud, c.Docket, facet, value) })
	}
	return x
}

// relist makes the table anew: instances came, went or stand in another order.
// An id that a provider gives twice is kept once, the first time.
func (s *step) relist(c *fleet.Cloud, o *fleet.Observation, fresh []fleet.Instance) {
	old := &s.next.Instances
	others := make([]bool, old.Len()) // rows that stay as they are
	shown := make([]bool, old.Len())
	size := max(old.Len(), len(fresh))
	ids, rows, have := make([]string, 0, size), make([]*fleet.InstanceState, 0, size), make(map[string]bool)
	for n := range old.Len() {
		if x := old.At(n); x.Cloud != o.Target {
			others[n] = true
			ids, rows = append(ids, old.ID(n)), append(rows, x)
		}
	}
	for k := range fresh {
		is := &fresh[k]
		n := old.Number(is.ID)
		switch {
		case n < 0 && !have[is.ID]:
			have[is.ID] = true
		case n < 0 || others[n] || shown[n]:
			continue
		default:
			shown[n] = true
		}
		var was *fleet.InstanceState
		if n >= 0 {
			was = old.At(n)
		}
		x := s.renewed(c, was, is)
		if x == nil {
			x = was
		} else {
			s.unsettleGuest(is.ID)
		}
		ids, rows = append(ids, is.ID), append(rows, x)
	}
	for n := range old.Len() {
		switch {
		case others[n] || shown[n]:
		case o.Tables[fleet.TableInstances] == fleet.Partial:
			ids, rows = append(ids, old.ID(n)), append(rows, old.At(n))
		default:
			s.change(o.Target, fleet.TableInstances, old.ID(n), nil)
		}
	}
	s.next.Instances = old.Again(ids, rows)
}

// unsettleGuest has an instance settled anew at the end of the step.
func (s *step) unsettleGuest(id string) {
	if s.unsettled == nil {
		s.unsettled = map[string]bool{}
	}
	s.unsettled[id] = true
}
