package lifecycle

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// Case is a device with what is known around it.
type Case struct {
	Device *fleet.Device
	Norms  fleet.Norms // of its like
	// Carries reports whether a guest or a service stands on it, and whether
	// that is known.
	Carries func() (carries, known bool)
	Now     time.Time
}

// Device judges one machine: what came back to it, and whether it idles.
func Device(c Case) []fleet.Look {
	looks := recurring(c.Device, c.Now)
	if look, ok := idle(c); ok {
		looks = append(looks, look)
	}
	return looks
}

// Often is how many times in [fleet.AgainFor] are too many.
const Often = 3

// recurring speaks of what began, or was done, three times.
func recurring(d *fleet.Device, now time.Time) (looks []fleet.Look) {
	if d.Docket == nil {
		return nil
	}
	for i := range d.Docket.Again {
		a := &d.Docket.Again[i]
		times := a.Within(now)
		if len(times) < Often {
			continue
		}
		words := make([]string, len(times))
		for k, t := range times {
			words[k] = stamp(t)
		}
		what, verb := partOf(d, a.What), "came back"
		if name, ok := strings.CutPrefix(a.What, "action "); ok {
			what, verb = name, "was done"
		}
		f := finding(Recurring, fleet.Count(len(times), "time"), fmt.Sprintf("%s %s %s in 30 d: %s", what, verb, fleet.Count(len(times), "time"), strings.Join(words, ", ")))
		looks = append(looks, fleet.Look{Facet: Recurring + " " + a.What, Known: true, Found: f})
	}
	return looks
}

// partOf names the part that came back as people know it: a sensor by its name
// and not by its key.
func partOf(d *fleet.Device, what string) string {
	key, ok := strings.CutPrefix(what, "sensor ")
	if x := d.Sensor(key); ok && x != nil && x.Name != "" {
		return x.Name
	}
	return what
}

// What makes a server idle: for a week, but for an hour in twenty, it took
// hardly more than the idlest of its like.
const (
	idleHours = 7 * 24
	idleSeen  = idleHours * 9 / 10 // hours that must be known
	idleOver  = 1.10
	idleRest  = 0.05
)

// idle looks at servers that carry nothing now. ok is false for what is no
// server or carries something: there is nothing to look at.
func idle(c Case) (look fleet.Look, ok bool) {
	d := c.Device
	if d.Spec.Kind != fleet.KindServer || d.Power == fleet.PowerOff {
		return look, false
	}
	carries, known := c.Carries()
	if carries && known {
		return look, false
	}
	look = fleet.Look{Facet: Idle}
	floor := c.Norms.IdleW
	if !known || floor <= 0 || !d.Past.Has(fleet.PastPower) {
		return look, true
	}
	hours, busy, sum := 0, 0, 0.0
	for h := d.Past.Until() - idleHours; h < d.Past.Until(); h++ {
		w := d.Past.At(fleet.PastPower, h)
		if math.IsNaN(w) {
			continue
		}
		hours++
		sum += w
		if w > floor*idleOver {
			busy++
		}
	}
	if hours < idleSeen || c.Now.Unix()/3600-d.Past.Until() > 24 {
		return look, true
	}
	look.Known = true
	if float64(busy) > idleRest*float64(hours) {
		return look, true
	}
	f := finding(Idle, "idle", d.Spec.ID+" has taken idle watts for 7 d and carries no instance and no service")
	f.Confidence = fleet.ConfidenceMedium // what runs without a name here is not seen
	f.Evidence = fmt.Sprintf("%s on average over 7 d; the idlest of its like take %s", kilo(sum/float64(hours)), kilo(floor))
	f.Fix = fmt.Sprintf("switch it off, or give it work: it takes %s and %g U", kilo(sum/float64(hours)), d.Spec.Height.Num().Float())
	look.Found = f
	return look, true
}

// devices counts what [Device] could look at; its findings stand in dockets.
func (v *survey) devices() {
	shared := map[int]bool{} // what came back is told of the model
	for name, list := range v.members {
		if check(Recurring).Of(&fleet.Finding{Facet: name.facet}) {
			for _, i := range list {
				shared[i] = true
			}
		}
	}
	for i := range v.s.Devices.Len() {
		d := v.s.Devices.At(i)
		found := func(id string) bool {
			return slices.ContainsFunc(d.Docket.Of(), func(f fleet.Finding) bool { return check(id).Of(&f) })
		}
		if d.SeenAt.IsZero() {
			v.blind(Recurring, 1)
		} else if !found(Recurring) && !shared[i] {
			v.pass(Recurring, 1)
		}
		if look, ok := idle(Case{Device: d, Norms: v.s.Norms[drift.CohortKey(d)], Carries: func() (bool, bool) { return Carries(v.s, i) }, Now: v.now}); ok && !found(Idle) {
			if look.Known {
				v.pass(Idle, 1)
			} else {
				v.blind(Idle, 1)
			}
		} else if !ok && d.Spec.Kind == fleet.KindServer {
			v.pass(Idle, 1)
		}
	}
}

// Carries reports whether a guest or a service stands on a device, and whether
// that can be told: a hypervisor is taken at its cloud's word.
func Carries(s *fleet.Snapshot, i int) (carries, known bool) {
	if n, ok := s.HostOf[i]; ok {
		h := s.Hosts.At(n)
		if c := s.Clouds.Get(h.Cloud); c == nil || c.State == fleet.StateUnknown {
			return false, false
		}
		if h.RunningVMs > 0 {
			return true, true
		}
	}
	tags := s.Devices.At(i).Spec.Tags
	for n := range s.Services.Len() {
		if s.Services.At(n).Spec.Matches(tags) {
			return true, true
		}
	}
	return false, true
}
