package alert

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// hold asks of every active alert whether another one explains it: jobs under
// way and the graph's causes first, then what the user's inhibitions say. One that is held stays in
// sight; when its cause is over it is let go as soon as its target was seen
// again and the problem is still there.
//
// All alerts are asked where what holds may have changed, else only those that
// did.
func (w *work) hold() {
	all := w.jobsMoved() || w.moved || w.book.CausesAt.Equal(w.now) || w.book.Loose > 0
	for _, a := range w.changed {
		all = all || len(w.rules.inhibit) > 0 || a == nil || len(a.Places) > 0 || w.rules.causal(a)
	}
	for i, a := range w.standing(false) {
		all = all || w.rules.causal(a) || len(a.Places) > 0 || len(w.rules.inhibit) > 0 && w.was[i] != a
	}
	active := w.holders(all)
	for i, a := range w.standing(all) {
		if !a.Active() {
			if a.Held != nil {
				w.edit(i).Held = nil
			}
			continue
		}
		by := w.holder(a, active)
		switch held := a.Held; {
		case by != "" && (held == nil || held.By != by || !held.Over.IsZero()):
			w.edit(i).Held = &fleet.Hold{By: by, At: w.now}
		case by == "" && held != nil && held.Over.IsZero():
			w.edit(i).Held = &fleet.Hold{By: held.By, At: held.At, Over: w.now}
			w.nudge(a.Target)
		case by == "" && held != nil && w.seenSince(a, held):
			w.edit(i).Held = nil
		}
	}
}

// seenSince reports whether an alert's target was polled after its cause was
// over. What is no device is judged with everything else, and needs no poll.
func (w *work) seenSince(a *fleet.Alert, h *fleet.Hold) bool {
	switch p := w.rules.byName[a.Rule]; {
	case p != nil && p.On == "room":
		return w.book.SurveyedAt.After(h.Over)
	case p != nil && p.On == "finding":
		return w.judgedSince(a, h)
	}
	d := w.Next.Devices.Get(a.Target)
	if d == nil {
		return w.now.After(h.Over)
	}
	for i := range d.Sources {
		if d.Sources[i].Err != nil && d.Blind() && w.now.Sub(h.Over) > 2*w.Next.Intervals[fleet.LaneFast] {
			return true // polled, in vain: that is an answer too
		}
	}
	return d.SeenAt.After(h.Over)
}

// judgedSince is seenSince for what was found of a target: it is judged with the
// tables of it, which are read in slower lanes.
func (w *work) judgedSince(a *fleet.Alert, h *fleet.Hold) bool {
	d := w.Next.Devices.Get(a.Target)
	return d == nil && w.now.After(h.Over) || d != nil && d.DeepAt.After(h.Over) || w.now.Sub(h.Over) > 2*w.Next.Intervals[fleet.LaneSlow]
}

// holders are what may hold others now: the ids of active alerts on causes, and
// for each inhibition the labels of what fires.
type holders struct {
	causes  map[string]bool
	sources []map[string]string // by inhibition: values of the equal labels -> id
	leaders map[string]*fleet.Alert
}

func (w *work) holders(all bool) holders {
	h := holders{causes: map[string]bool{}, sources: make([]map[string]string, len(w.rules.inhibit))}
	for _, by := range w.book.Explained {
		if _, asked := h.causes[by]; !asked {
			a := w.find(by)
			h.causes[by] = a != nil && a.Active()
		}
	}
	if all {
		h.leaders = w.leaders()
	}
	if len(w.rules.inhibit) == 0 || !all {
		return h
	}
	for _, a := range w.standing(true) {
		if a.State != fleet.AlertFiring {
			continue
		}
		for k := range w.rules.inhibit {
			x := &w.rules.inhibit[k]
			if !x.source.match(a.Labels) {
				continue
			}
			if v, ok := x.values(a.Labels); ok {
				if h.sources[k] == nil {
					h.sources[k] = map[string]string{}
				}
				if h.sources[k][v] == "" {
					h.sources[k][v] = a.ID()
				}
			}
		}
	}
	return h
}

// wholly are the troubles of a part that take all of it: what is silent or dead
// has no fan of its own to mend.
var wholly = []string{"sight", "blind", "power", "light", "host", "path", "feed", "guest", "health"}

// explains notes what a cause explains: a whole part, or one trouble of it, so
// that a fan that fails while a feed is lost is told all the same.
func explains(explained map[string]string, s *fleet.Snapshot, c *trace.Cause, by string) {
	if s.Devices.Number(c.ID) < 0 {
		explained[c.ID] = by
	}
	for _, x := range c.Symptoms {
		if x.About == "health" && news(s, x.ID, c) {
			explained[x.ID+replicas] = by
		} else if slices.Contains(wholly, x.About) {
			explained[x.ID] = by
		} else {
			explained[x.ID+"\x00"+x.About] = by
		}
	}
	for _, id := range append([]string{c.ID}, c.Explains...) {
		n := s.Devices.Number(id)
		if n < 0 || s.Topology == nil {
			continue
		}
		if powers[c.Kind] {
			starves(explained, s, s.Devices.At(n).Spec, by)
		}
		hides(explained, s, n, by)
	}
	if powers[c.Kind] {
		explained[c.ID+short] = by
	}
}

// powers are the parts whose loss takes power from others.
var powers = map[trace.Kind]bool{trace.Utility: true, trace.UPS: true, trace.Feed: true, trace.PDU: true, trace.Outlet: true}

// What a cause does to more than its parts: short is that there is little power
// where it took some, unseen that a BMC behind it does not answer.
const (
	short  = "\x00short"
	unseen = "\x00unseen"
)

// starves notes the places that have less power since a device lost its own:
// that they have none left, or would not carry one more loss, is no other news.
func starves(explained map[string]string, s *fleet.Snapshot, d *fleet.DeviceSpec, by string) {
	for _, id := range [...]string{d.Rack, d.Site, d.Region, d.Feed} {
		if id != "" {
			explained[id+short] = by
		}
	}
	if r := s.Racks.Get(d.Rack); r != nil {
		for _, feed := range r.Spec.Feeds {
			explained[feed+short] = by
		}
	}
}

// hides notes the machines whose BMC is behind a switch that is a cause, or
// went with one: they are not seen, and nothing more is known of them.
func hides(explained map[string]string, s *fleet.Snapshot, n int, by string) {
	d := s.Devices.At(n)
	if d.Spec.Kind != fleet.KindSwitch || !d.Blind() && !trace.Dead(d) || n >= len(s.Near) {
		return
	}
	for _, i := range s.Near[n] {
		spec := s.Devices.At(i).Spec
		for k := range spec.Links {
			if to, _, _ := strings.Cut(spec.Links[k].To, "/"); to == d.Spec.ID && strings.EqualFold(spec.Links[k].NIC, "bmc") {
				explained[spec.ID+unseen] = by
			}
		}
	}
}

// troubles are the names under which an alert may be explained: its target as a
// whole, its part, and the part as reasons speak of it.
func troubles(p *program, a *fleet.Alert) []string {
	out := []string{a.Target, a.Target + "/" + a.Part}
	about := func(what string) { out = append(out, a.Target+"\x00"+what+" "+a.Part) }
	switch p.On {
	case "device":
		if p.sight {
			out = append(out, a.Target+unseen)
		}
	case "service":
		if !p.hears() {
			out = append(out, a.Target+replicas)
		}
	case "room":
		if strings.HasPrefix(a.Part, "power") {
			out = []string{a.Target + short}
		} else {
			out = nil
		}
	case "sensor":
		if no, ok := strings.CutPrefix(a.Part, "psu"); ok {
			return append(out, a.Target+"\x00PSU "+no)
		}
		about("sensor")
	case "port":
		about("port")
		about("errors")
	case "outlet":
		about("outlet")
	}
	return out
}

// causal reports whether an alert is on a cause.
func (b *Book) causal(a *fleet.Alert) bool {
	p := b.byName[a.Rule]
	return p != nil && p.On == "cause"
}

// values joins the values of the labels that must be equal; ok is false where
// one is missing: what both lack is not the same.
func (x *inhibition) values(labels map[string]string) (string, bool) {
	var b strings.Builder
	for _, name := range x.equal {
		v := labels[name]
		if v == "" {
			return "", false
		}
		b.WriteString(v)
		b.WriteByte('\x1f')
	}
	return b.String(), true
}

// holder names the alert, or the job, that explains an alert, or "".
func (w *work) holder(a *fleet.Alert, h holders) string {
	if by := w.done(a); by != "" {
		return by
	}
	if p := w.rules.byName[a.Rule]; p != nil && p.On != "cause" {
		for _, id := range troubles(p, a) {
			if by := w.book.Explained[id]; by != "" && h.causes[by] {
				return by
			}
		}
	}
	if by := w.sameAs(a, h.leaders); by != "" {
		return by
	}
	for k := range w.rules.inhibit {
		x := &w.rules.inhibit[k]
		if len(h.sources[k]) == 0 || !x.target.match(a.Labels) || x.source.match(a.Labels) {
			continue // what is both does not hold its like, nor itself
		}
		if v, ok := x.values(a.Labels); ok {
			if by := h.sources[k][v]; by != "" {
				return by
			}
		}
	}
	return ""
}
