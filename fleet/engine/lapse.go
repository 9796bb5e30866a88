package engine

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// lapseEvery is how often it is looked for what its time has passed.
const lapseEvery = time.Minute

// lapse takes out what its time has passed, once in a minute.
func (s *step) lapse() {
	if s.now.Truncate(lapseEvery).Equal(s.prev.At.Truncate(lapseEvery)) {
		return
	}
	s.lapsePolicies()
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		s.lapseMemory(i, d)
		l, ok := drift.Lapse(s.devices.Peek(i).Docket, s.now)
		if !ok {
			continue
		}
		s.forget(d.Spec.ID, &l)
		s.settle(i, l.Settled, true)
		if len(l.Past) > 0 {
			s.gatherCohorts()
			s.weigh(i)
		}
	}
	for i := range s.clouds.Len() {
		if c := s.clouds.Peek(i); c.Docket != nil {
			if l, ok := drift.Lapse(c.Docket, s.now); ok {
				s.forget(c.Spec.Name, &l)
				s.settleCloudFindings(i, l.Settled, true)
				s.doubt(i)
			}
		}
	}
}

// lapsePolicies takes out the user's ignores that have ended, and judges again
// what they kept out of sight.
func (s *step) lapsePolicies() {
	standing := s.policies().Standing(s.now)
	if standing == s.policies() {
		return
	}
	s.next.Policies, s.next.Cohorts = standing, nil
	s.gatherCohorts()
	for i := range s.devices.Len() {
		if s.devices.Peek(i).Docket != nil {
			s.weigh(i)
		}
	}
	for i := range s.clouds.Len() {
		if s.clouds.Peek(i).Docket != nil {
			s.doubt(i)
		}
	}
}

// forget drops the rows of what lapsed.
func (s *step) forget(target string, l *drift.Lapsed) {
	s.changed = true
	for _, r := range l.Rulings {
		s.change(target, fleet.TableBaselines, rowRuling+r.Facet, nil)
	}
	for _, f := range l.Past {
		s.change(target, fleet.TableBaselines, rowFormer+f.Facet, nil)
	}
	for _, f := range l.Gone {
		s.change(target, fleet.TableFindings, f.Facet, nil)
	}
	for _, a := range l.Again {
		s.change(target, fleet.TableBaselines, rowAgain+a.What, nil)
	}
}

// rule takes what a person decided about a finding.
func (s *step) rule(r fleet.Ruling) {
	i, cloud := s.next.Devices.Number(r.Target), s.next.Clouds.Number(r.Target)
	if i < 0 && s.next.Docket(r.Target) == nil {
		return
	}
	s.changed = true
	s.gatherCohorts()
	value := encode(r)
	if r.Verdict == fleet.FindingOpen {
		value = nil
	}
	s.change(r.Target, fleet.TableBaselines, rowRuling+r.Facet, value)
	switch {
	case i < 0 && cloud < 0:
		after := drift.Rule(s.next.Docket(r.Target), r, s.now)
		s.putDocket(r.Target, after.Docket)
		s.keepFindings(r.Target, after)
		return
	case i < 0:
		s.settleCloudFindings(cloud, drift.Rule(s.clouds.Peek(cloud).Docket, r, s.now), true)
		s.doubt(cloud)
		return
	}
	s.settle(i, drift.Rule(s.devices.Peek(i).Docket, r, s.now), true)
	s.weigh(i)
}
