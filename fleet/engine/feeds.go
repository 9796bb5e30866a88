package engine

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

// rollFeeds adds up what the PDUs below a feed measure. A feed whose PDUs are
// all known to give nothing carries nothing itself: that is one cause, told
// once, and not as many as there are PDUs. Silence alone proves nothing.
func (s *step) rollFeeds(ids map[string]bool) {
	edit := s.next.Feeds.Edit()
	for k := range edit.Len() {
		if ids[edit.Peek(k).Spec.Name] {
			s.rollFeed(edit.At(k))
		}
	}
	s.next.Feeds = edit.Done()
}

func (s *step) rollFeed(f *fleet.Feed) {
	watts, amps := newTally(), newTally()
	was := f.State
	f.State, f.Reasons = fleet.StateUnknown, nil
	pdus, dead := 0, 0
	for _, i := range s.next.PDUsOf[f.Spec.Name] {
		d := s.devices.Peek(i)
		if s.metered(d) {
			watts.meter(d.PowerW)
			for k := range d.Outlets {
				amps.meter(d.Outlets[k].CurrentA)
			}
		}
		if s.lit(d) {
			f.State = fleet.StateOK
		}
		if d.Spec.Kind != fleet.KindPDU {
			continue
		}
		pdus++
		if !s.lit(d) && slices.Contains(d.About, aboutPower) && d.State == fleet.StateCrit {
			dead++
		}
	}
	f.PowerW, f.AmpsA = watts.power(), fleet.Num{}
	if amps.meters > 0 {
		f.AmpsA = fleet.FromFloat(amps.watts, 1)
	}
	if dead > 0 && dead == pdus && pdus > 1 {
		f.State, f.PowerW, f.AmpsA = fleet.StateCrit, fleet.Num{}, fleet.Num{}
		f.Reasons = []string{fmt.Sprintf("feed %s lost: no output on %d of its %s", f.Spec.Name, dead, fleet.Count(pdus, "PDU"))}
	}
	switch {
	case f.State == fleet.StateCrit && was != fleet.StateCrit:
		s.event(f.Spec.Name, "feed", f.Reasons[0], fleet.SeverityCrit, true)
	case f.State != fleet.StateCrit && was == fleet.StateCrit:
		s.event(f.Spec.Name, "feed", "feed "+f.Spec.Name+" is back", fleet.SeverityInfo, false)
	}
}

// metered reports whether what a device last measured may stand in a sum. The
// last watts of a PDU that died are now carried, and measured, by its partner.
func (s *step) metered(d *fleet.Device) bool {
	return !s.silent(d) && !(d.Blind() && slices.Contains(d.About, aboutPower))
}

// feedReasons are the troubles of a region's feeds.
func (s *step) feedReasons(region string) []string {
	var out []string
	for _, f := range s.next.Feeds.All() {
		if site := s.next.Sites.Get(f.Spec.Site); site != nil && site.Spec.Region == region {
			out = append(out, f.Reasons...)
		}
	}
	return out
}
