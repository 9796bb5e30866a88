package performance

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// Tally is a check over the whole fleet. It counts devices, and of what wears
// their parts; a device of which no wire tells what a check needs counts once.
type Tally struct {
	fleet.Checked
	// Learning counts what is seen, and not for long enough to be judged. It is
	// in none of the others.
	Learning int `json:"learning"`
}

// Says is a check in a word or two: what is learned still has not passed.
func (t *Tally) Says() string {
	if t.Learning > 0 && t.Passed+t.Found+t.Decided == 0 {
		return "learning"
	}
	return t.Checked.Says()
}

// scene is a fleet with the device at hand, as a check sees it.
type scene struct {
	s     *fleet.Snapshot
	peers map[string]int // devices by cohort
	d     *fleet.Device
	keys  [fleet.NumPasts][]fleet.SeriesKey
	parts []meter
	looks []fleet.Look
}

// tells reports whether a wire tells a class of hours of the device. Watts have
// a key with everybody, also where nobody measures any.
func (sc *scene) tells(class fleet.PastClass) bool {
	if class == fleet.PastPower {
		return sc.d.PowerW.Known || sc.d.Past.Has(class)
	}
	return len(sc.keys[class]) > 0
}

// wears reports whether a wire tells of parts of a class.
func (sc *scene) wears(class fleet.PartClass) bool {
	return slices.ContainsFunc(sc.parts, func(m meter) bool { return m.class == class })
}

// peered reports whether there are enough of its like to be held against.
func (sc *scene) peered() bool { return sc.peers[drift.CohortKey(sc.d)] >= minPeers }

// LogWhole reports whether the event log of a device was read in full and not
// long ago, and takes new records: only then is nothing in it the same as
// nothing there.
func LogWhole(d *fleet.Device, intervals [3]time.Duration, now time.Time) bool {
	t := &d.Tables[fleet.TableEvents]
	return t.Is == fleet.Complete && fleet.Young(t.At, now, intervals[min(int(t.Lane), len(intervals)-1)]) && d.Facts.Get("sel.overflow") != "yes"
}

// Coverage counts every check over the fleet. What was found is what stands in
// the dockets; the rest is judged anew, at the time of the snapshot.
func Coverage(s *fleet.Snapshot) []Tally { return CoverageIn(s, "") }

// CoverageIn is the coverage of one region; an empty name is that of all.
func CoverageIn(s *fleet.Snapshot, region string) []Tally {
	all := slices.Concat(Checks, Unread)
	out := make([]Tally, len(all))
	for i := range all {
		c := &all[i]
		out[i].Checked = fleet.Checked{ID: c.ID, Title: c.Title, Severity: c.Severity, How: c.How, Fix: c.Fix}
	}
	sc := &scene{s: s, peers: map[string]int{}}
	for _, d := range s.Devices.All() {
		sc.peers[drift.CohortKey(d)]++
	}
	for _, d := range s.Devices.All() {
		if region != "" && d.Spec.Region != region {
			continue
		}
		sc.turn(d)
		for i := range all {
			out[i].count(&all[i], sc)
		}
	}
	return out
}

// turn takes another device in hand.
func (sc *scene) turn(d *fleet.Device) {
	sc.d, sc.keys, sc.parts = d, Keys(d), meters(d)
	sc.looks = Judge(Case{Device: d, Past: d.Past, Norms: sc.s.Norms[drift.CohortKey(d)], Now: sc.s.At}).Looks
}

// count counts a device: what stands against it, and of what was looked at what
// passed and what is learned still.
func (t *Tally) count(c *Check, sc *scene) {
	var stands []string
	for i := range sc.d.Docket.Of() {
		if f := &sc.d.Docket.Findings[i]; c.Of(f) {
			t.Add(f)
			stands = append(stands, f.Facet)
		}
	}
	seen := c.sees != nil && c.sees(sc)
	switch {
	case len(stands) > 0:
	case !seen && c.about(sc.d):
		t.NotVisible++
	case seen && c.atOnce:
		t.Passed++
	}
	if !seen || c.atOnce {
		return
	}
	looked := false
	for i := range sc.looks {
		look := &sc.looks[i]
		if !fleet.OfCheck(look.Facet, c.facet) {
			continue
		}
		switch looked = true; {
		case slices.Contains(stands, look.Facet):
		case look.Known && look.Found == nil:
			t.Passed++
		default: // what is found and not in the docket yet is judged when its next block closes
			t.Learning++
		}
	}
	if !looked && len(stands) == 0 { // of parts that are new here
		t.Learning += max(1, sc.count(c))
	}
}

// count counts the parts that a check is about.
func (sc *scene) count(c *Check) (n int) {
	for i := range sc.parts {
		if strings.HasPrefix(partFacet(sc.parts[i].class, sc.parts[i].part), c.facet+" ") {
			n++
		}
	}
	return n
}
