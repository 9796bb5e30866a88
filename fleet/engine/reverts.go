package engine

import (
	"slices"
	"time"

	"plumb/fleet"
)

// creditFor is how long after an action was seen to be done a finding that ends
// is still its doing: the look that finds it gone may be another lane's.
const creditFor = 10 * time.Minute

// creditReverts tells findings that somebody put right from those that went by
// themselves. The look that shows the action's result may be the one that ends
// the finding, or come before or after it.
func (s *step) creditReverts() {
	for i := range s.next.Jobs {
		j := &s.next.Jobs[i]
		if j.Planned == nil || len(j.Planned.Reverts) == 0 {
			continue
		}
		for k := range j.Planned.Targets {
			t := &j.Planned.Targets[k]
			if at := j.Of(t.ID); at != nil && at.State == fleet.JobVerified && s.now.Sub(at.At) < creditFor {
				s.credit(j, t.Wire)
			}
		}
	}
}

// credit marks the findings of a target that ended since a job began and that
// the job was to put right.
func (s *step) credit(j *fleet.Job, target string) {
	mine := func(f *fleet.Finding) bool {
		return f.State == fleet.FindingGone && !f.Ended.Before(j.Began) && slices.Contains(j.Planned.Reverts, f.ID())
	}
	was := s.docketOf(target)
	if was == nil || !slices.ContainsFunc(was.Gone, func(f fleet.Finding) bool { return mine(&f) }) {
		return
	}
	next := *was
	next.Gone = slices.Clone(was.Gone)
	for i := range next.Gone {
		if f := &next.Gone[i]; mine(f) {
			f.State, f.Who = fleet.FindingReverted, j.By
			s.change(target, fleet.TableFindings, f.Facet, encode(f))
		}
	}
	s.changed = true
	if i := s.next.Devices.Number(target); i >= 0 {
		s.devices.At(i).Docket = &next
	} else if i := s.next.Clouds.Number(target); i >= 0 {
		s.clouds.At(i).Docket = &next
	}
}

// docketOf is what stands against a device or a cloud as of this step.
func (s *step) docketOf(target string) *fleet.Docket {
	if i := s.next.Devices.Number(target); i >= 0 {
		return s.devices.Peek(i).Docket
	}
	if i := s.next.Clouds.Number(target); i >= 0 {
		return s.clouds.Peek(i).Docket
	}
	return nil
}
