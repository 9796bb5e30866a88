package engine

import (
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
)

// watcher is what a step gathers for the alerts.
type watcher struct {
	viewed   []int // devices that were read or judged anew, each once
	viewedAt map[int]bool
	silences []fleet.Silence
	acks     []fleet.Acknowledgement
	wake     time.Time
}

// look notes that there is a new look at a device.
func (s *step) look(i int) {
	if s.viewedAt == nil {
		s.viewedAt = map[int]bool{}
	}
	if !s.viewedAt[i] {
		s.viewedAt[i] = true
		s.viewed = append(s.viewed, i)
	}
}

// watch moves the alerts on. It comes last and must see the edits of this step,
// so it closes and reopens them.
func (s *step) watch() {
	idle := s.next.Rules == nil || s.next.Rules.Rules() == 0 && s.prev.Alerts == nil
	if s.next.Topology == nil || idle && len(s.silences) == 0 {
		return
	}
	s.next.Devices, s.next.Clouds = s.devices.Done(), s.clouds.Done()
	defer s.open()
	slices.Sort(s.viewed)
	r := alert.Step(&alert.Case{
		Before: s.prev, Next: &s.next, Looked: s.viewed, Guests: s.guests, Events: s.out.Events,
		Silences: s.silences, Acks: s.acks, Now: s.now,
	})
	s.changed = s.changed || r.Book != s.prev.Alerts
	s.next.Alerts = r.Book
	s.watcher.wake = r.Wake
	s.out.Changes = append(s.out.Changes, r.Changes...)
	s.out.Notices = append(s.out.Notices, r.Notices...)
	s.out.Nudges = append(s.out.Nudges, r.Nudges...)
	for _, x := range r.Said { // info: the state that it rests on was news already
		s.event(x.Target, "alert", x.Text, fleet.SeverityInfo, true)
	}
}
