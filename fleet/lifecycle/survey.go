package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Target is something with what was looked at of it. It is a region, a rack, a
// feed, a service or a cloud, never a device.
type Target struct {
	ID    string
	Looks []fleet.Look
}

// Survey judges everything but single machines.
func Survey(s *fleet.Snapshot, now time.Time) []Target {
	v := newSurvey(s, now)
	v.walk()
	return v.targets
}

// survey is a Survey under way.
type survey struct {
	s       *fleet.Snapshot
	now     time.Time
	targets []Target
	counts  map[string]count // by check
	// members are the devices, by number, of which a finding of a group speaks.
	members map[finds][]int
}

// finds names a finding: whose it is, and its facet.
type finds struct{ target, facet string }

// count says what was looked at and is in order, and what could not be told.
type count struct{ passed, blind int }

func newSurvey(s *fleet.Snapshot, now time.Time) *survey {
	return &survey{s: s, now: now, counts: map[string]count{}, members: map[finds][]int{}}
}

func (v *survey) walk() {
	regions := v.gather()
	for n := range v.s.Regions.Len() {
		r := &regions[n]
		t := Target{ID: v.s.Regions.ID(n)}
		t.Looks = append(t.Looks, v.warranty(r)...)
		t.Looks = append(t.Looks, v.unowned(r)...)
		t.Looks = append(t.Looks, v.waves(r)...)
		t.Looks = append(t.Looks, v.batches(r)...)
		v.targets = append(v.targets, t)
	}
	v.balances()
	v.services()
	v.clouds()
}

func (v *survey) pass(check string, n int) {
	c := v.counts[check]
	c.passed += n
	v.counts[check] = c
}

// about adds what was found of several devices of a region.
func (v *survey) about(looks []fleet.Look, r *region, facet string, f *fleet.Finding, devices []int) []fleet.Look {
	v.members[finds{r.name, facet}] = devices
	return append(looks, fleet.Look{Facet: facet, Known: true, Found: f})
}

func (v *survey) blind(check string, n int) {
	c := v.counts[check]
	c.blind += n
	v.counts[check] = c
}

// region is what the walk over the devices gathers of one.
type region struct {
	name        string
	ended, soon []int            // devices by the end of their support
	ownerless   map[string][]int // by kind
	models      map[string]*wave
	machines    map[string]int         // by model
	troubles    map[[2]string]*trouble // by model and part
}

// gather walks over all devices once. What stands in no region is left out.
func (v *survey) gather() []region {
	out := make([]region, v.s.Regions.Len())
	for n := range out {
		out[n] = region{name: v.s.Regions.ID(n), ownerless: map[string][]int{}, models: map[string]*wave{}, machines: map[string]int{}, troubles: map[[2]string]*trouble{}}
	}
	for i := range v.s.Devices.Len() {
		d := v.s.Devices.At(i)
		n := v.s.Regions.Number(d.Spec.Region)
		if n < 0 {
			continue
		}
		v.support(&out[n], i, d)
		if d.Spec.Owner == "" {
			out[n].ownerless[string(d.Spec.Kind)] = append(out[n].ownerless[string(d.Spec.Kind)], i)
		} else {
			v.pass(Unowned, 1)
		}
		out[n].run(i, d)
		out[n].remember(i, d, v.now)
	}
	return out
}

// names lists the first few ids and counts the rest.
func (v *survey) names(devices []int) string {
	ids := make([]string, 0, namesShown)
	for _, i := range devices[:min(len(devices), namesShown)] {
		ids = append(ids, v.s.Devices.ID(i))
	}
	return strings.Join(ids, ", ") + more(len(devices)-len(ids))
}

const namesShown = 5

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// worth says what devices take and hold: "1.2 kW and 8 U".
func (v *survey) worth(devices []int) string {
	watts, known, units := 0.0, 0, 0.0
	for _, i := range devices {
		d := v.s.Devices.At(i)
		if d.PowerW.Known {
			watts, known = watts+d.PowerW.Float(), known+1
		}
		if d.Spec.Unit > 0 {
			units += d.Spec.Height.Num().Float()
		}
	}
	text := "unknown watts"
	if known > 0 {
		text = kilo(watts)
	}
	if known > 0 && known < len(devices) {
		text += fmt.Sprintf(" measured at %d of them", known)
	}
	return text + fmt.Sprintf(" and %g U", units)
}

func kilo(w float64) string {
	if w >= 1000 {
		return fmt.Sprintf("%.1f kW", w/1000)
	}
	return fmt.Sprintf("%.0f W", w)
}

// kinds counts devices by kind: "12 servers, 2 switches".
func (v *survey) kinds(devices []int) string {
	by, order := map[string]int{}, []string{}
	for _, i := range devices {
		k := string(v.s.Devices.At(i).Spec.Kind)
		if by[k]++; by[k] == 1 {
			order = append(order, k)
		}
	}
	slices.Sort(order)
	words := make([]string, len(order))
	for i, k := range order {
		words[i] = fleet.Count(by[k], k)
	}
	return strings.Join(words, ", ")
}
