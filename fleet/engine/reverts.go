package engine

import (
	"slices"
	"time"

	"plumb/fleet"
)

// creditFor is how long after an action was seen to be done a finding that
// begins or ends is still its doing: the look that shows it may be another
// lane's.
const creditFor = 10 * time.Minute

// creditReverts tells findings that somebody put right, or brought about, from
// those that came and went by themselves. The look that shows the action's result
// may be the one that changes the finding, or come before or after it.
func (s *step) creditReverts() {
	by, wires := map[string][]doing{}, []string(nil)
	for _, d := range s.doings("") {
		if by[d.wire] == nil {
			wires = append(wires, d.wire)
		}
		by[d.wire] = append(by[d.wire], d)
	}
	for _, wire := range wires {
		s.credit(wire, by[wire])
	}
}

// credit names in the docket of a target who did what.
func (s *step) credit(target string, list []doing) {
	was := s.docketOf(target)
	if was == nil || len(was.Findings)+len(was.Gone) == 0 {
		return
	}
	next := *was
	next.Findings, next.Gone = slices.Clone(was.Findings), slices.Clone(was.Gone)
	news := false
	for _, findings := range [...][]fleet.Finding{next.Findings, next.Gone} {
		for i := range findings {
			if f := &findings[i]; s.nameIn(list, f, false) {
				s.change(target, fleet.TableFindings, f.Facet, encode(f))
				news = true
			}
		}
	}
	if !news {
		return
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
