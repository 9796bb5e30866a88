package engine

import (
	"fmt"
	"time"

	"plumb/fleet"
)

// minSilent is how many devices a site needs for their silence to be told
// from that of each of them.
const minSilent = 3

// findSilentSites tells a lost path from many lost devices. When nothing of a
// site was seen for half an interval, and since then a third of the devices
// that had answered went silent, the way there is lost: one event, and the
// devices keep still. Those that were silent before prove nothing, and a single
// answer proves the way.
func (s *step) findSilentSites() {
	var edit *fleet.TableEdit[fleet.Site]
	for n := range s.next.Sites.Len() {
		site := s.next.Sites.At(n)
		polled := s.next.SiteOf[site.Spec.Name]
		newest, seen, before, fell := s.sightings(polled)
		since, back := site.SilentSince, site.BackAt
		switch {
		case since.IsZero() && fell >= minSilent && 3*fell >= seen-before && s.now.Sub(newest) >= s.next.Intervals[fleet.LaneFast]/2:
			since = newest
			s.event(site.Spec.Name, "path", fmt.Sprintf("path to site %s lost: %d of %d devices silent since %s",
				site.Spec.Name, len(polled), len(polled), since.UTC().Format(clock)), fleet.SeverityCrit, true)
		case !since.IsZero() && newest.After(since):
			s.event(site.Spec.Name, "path", fmt.Sprintf("path to site %s is back after %s", site.Spec.Name, newest.Sub(since).Round(time.Second)), fleet.SeverityInfo, false)
			since, back = zero, s.now
			for _, i := range polled { // a way that is back has what lies behind it polled
				if d := s.devices.Peek(i); d.Blind() {
					s.out.Nudges = append(s.out.Nudges, d.Spec.ID)
				}
			}
			for id, c := range s.next.Clouds.All() { // and its cloud, which would be named next
				if c.Spec.Region == site.Spec.Region && !c.BlindSince.IsZero() {
					s.out.Nudges = append(s.out.Nudges, id)
				}
			}
		default:
			continue
		}
		if edit == nil {
			edit = s.next.Sites.Edit()
		}
		x := edit.At(n)
		x.SilentSince, x.BackAt = since, back
		s.changed = true
		for _, i := range polled {
			s.touched[i] = true
		}
	}
	if edit != nil {
		s.next.Sites = edit.Done()
	}
}

// sightings is when any of the devices was last seen, how many ever were, how
// many of those were silent by then already, and how many fell silent since.
func (s *step) sightings(devices []int) (newest time.Time, seen, before, fell int) {
	for _, i := range devices {
		newest = later(newest, s.devices.Peek(i).SeenAt)
	}
	for _, i := range devices {
		d := s.devices.Peek(i)
		if d.SeenAt.IsZero() {
			continue
		}
		seen++
		switch {
		case !d.Blind():
		case d.BlindSince.After(newest):
			fell++
		default:
			before++
		}
	}
	return newest, seen, before, fell
}

// heldByPath reports whether the lost or returned path to a device's site
// explains its change: gone unknown while the site is silent, well again
// shortly after.
func (s *step) heldByPath(d, was *fleet.Device) bool {
	site := s.next.Sites.Get(d.Spec.Site)
	if site == nil {
		return false
	}
	if !site.SilentSince.IsZero() {
		return d.State == fleet.StateUnknown || was.State == fleet.StateUnknown && !bad(d.State)
	}
	back := !site.BackAt.IsZero() && s.now.Sub(site.BackAt) < 12*s.next.Intervals[fleet.LaneFast]
	return back && was.State == fleet.StateUnknown && !bad(d.State)
}

// pathLost is the reason of everything in a silent site.
func pathLost(site *fleet.Site, n int) string {
	return fmt.Sprintf("site path lost: %d of %d devices of %s silent since %s", n, n, site.Spec.Name, site.SilentSince.UTC().Format(clock))
}
