package engine

import (
	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/lifecycle"
)

// survey judges what is no single machine's, once a minute: it speaks of days,
// and asks for a walk over the fleet. It comes last, when the tables of the next
// snapshot are closed.
func (s *step) survey() {
	if s.now.Truncate(lapseEvery).Equal(s.prev.At.Truncate(lapseEvery)) {
		return
	}
	for _, t := range lifecycle.Survey(&s.next, s.now) {
		s.hold(t)
	}
}

// hold folds what was said of a target into its docket. A first look makes no
// news: what it finds was there before.
func (s *step) hold(t lifecycle.Target) {
	was := s.next.Docket(t.ID)
	fresh := was == nil
	if l, ok := drift.Lapse(was, s.now); ok {
		was = l.Docket
		s.forget(t.ID, &l)
		s.keepFindings(t.ID, l.Settled)
	} else if !fresh && len(was.Findings) == 0 && nothing(t.Looks) {
		return
	}
	j := drift.Judgement{Kinds: lifecycle.Kinds, Looks: t.Looks, StaleAfter: 2 * s.next.Intervals[fleet.LaneSlow]}
	if !fresh { // the coverage is that of what was read, not of what it stands on
		j.Looked, j.Blind = was.Looked, was.Blind
	}
	if c := s.next.Clouds.Get(t.ID); c != nil {
		j.LastRead = c.SeenAt
	}
	after := drift.Settle(was, t.ID, j, s.now)
	s.putDocket(t.ID, after.Docket)
	s.keepFindings(t.ID, after)
	if !fresh {
		s.sayFindings(t.ID, after)
	}
}

func nothing(looks []fleet.Look) bool {
	for i := range looks {
		if looks[i].Found != nil {
			return false
		}
	}
	return true
}

// putDocket puts the docket of what is no device into its place. Outside of
// the survey a cloud's is not put here: its table is being edited.
func (s *step) putDocket(target string, d *fleet.Docket) {
	_ = put(&s.next.Regions, target, func(x *fleet.Region) { x.Docket = d }) ||
		put(&s.next.Racks, target, func(x *fleet.Rack) { x.Docket = d }) ||
		put(&s.next.Feeds, target, func(x *fleet.Feed) { x.Docket = d }) ||
		put(&s.next.Clouds, target, func(x *fleet.Cloud) { x.Docket = d }) ||
		put(&s.next.Services, target, func(x *fleet.Service) { x.Docket = d })
}

func put[T any](t *fleet.Table[T], id string, set func(*T)) bool {
	if t.Number(id) < 0 {
		return false
	}
	edit := t.Edit()
	set(edit.Get(id))
	*t = edit.Done()
	return true
}

// again remembers, durably, that a trouble began on a device or that an action
// was done to it.
func (s *step) again(d *fleet.Device, what string) {
	next, row, ok := drift.Again(d.Docket, what, s.now)
	if !ok {
		return
	}
	d.Docket = next
	s.change(d.Spec.ID, fleet.TableBaselines, rowAgain+what, encode(row))
}

// acted remembers an action that was carried out on a target.
func (s *step) acted(k fleet.ActionKind, target string) {
	device, part, _ := splitPort(target)
	i := s.next.Devices.Number(device)
	if i < 0 {
		return
	}
	what := "action " + string(k)
	if part != "" {
		what += " " + part
	}
	s.again(s.devices.At(i), what)
}
