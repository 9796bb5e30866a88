package trace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// maxEvidence bounds what a cause quotes of its own reasons.
const maxEvidence = 4

// evidence says in words why a part is named. Silence alone shows a lost path
// and no dead part.
func (q *inquiry) evidence(c *claim, symptoms []symptom, mute bool, explains int) []string {
	out := []string{}
	if mute && !slices.ContainsFunc(c.symptoms, func(i int) bool {
		return strings.HasPrefix(symptoms[i].about, "table ") || symptoms[i].about == "health"
	}) {
		out = append(out, fmt.Sprintf("path lost: %s silent, and nothing shows that a part is dead", fleet.Count(explains, "part")))
	}
	for _, text := range q.quotes(c, symptoms) {
		if len(out) < maxEvidence {
			out = append(out, text)
		}
	}
	if c.part.Kind == PDU {
		if lost, fed := q.supplyVotes(c.part.N); lost > 0 {
			out = append(out, fmt.Sprintf("%d of %s on it without input", lost, fleet.Count(lost+fed, "power supply")))
		}
	}
	if c.part.Kind == Feed || c.part.Kind == Utility {
		if lost, fed := q.feedVotes(c.part.N); lost > 0 {
			out = append(out, fmt.Sprintf("%d of %s on it dead", lost, fleet.Count(lost+fed, "part")))
		}
	}
	out = append(out, q.shifted(c, symptoms)...)
	if len(out) == 0 {
		out = append(out, fmt.Sprintf("common to %s", fleet.Count(explains, "part")))
	}
	return out
}

// quotes are what the engine says of a part. Of a device that is what the cause
// explains of it; the rest of its reasons is another's.
func (q *inquiry) quotes(c *claim, symptoms []symptom) []string {
	p := c.part
	switch p.Kind {
	case Feed, Utility:
		return q.s.Feeds.At(p.N).Reasons
	case Site:
		return q.s.Sites.At(p.N).Reasons
	case Rack:
		return q.s.Racks.At(p.N).Reasons
	case Cloud:
		return q.s.Clouds.At(p.N).Reasons
	case Instance:
		return q.s.Instances.At(p.N).Reasons
	case Service:
		return q.s.Services.At(p.N).Reasons
	case Host, Region:
		return nil
	case PSU:
		if text := q.crossedText(p); text != "" {
			return []string{text}
		}
	}
	d := q.s.Devices.At(p.N)
	concerns, silent := map[string]bool{}, false
	for _, i := range c.symptoms {
		if x := &symptoms[i]; x.part.device() && x.part.N == p.N {
			concerns[x.about] = true
			silent = silent || x.silence
		}
	}
	var out []string
	if other, ok := q.swapped(p); ok && concerns["cable "+p.Name] {
		out = append(out, q.swappedText(p, other))
		delete(concerns, "cable "+p.Name)
		if other.N == p.N {
			delete(concerns, "cable "+other.Name)
		}
	}
	for i, about := range d.About {
		if i < len(d.Reasons) && (concerns[about] || silent && strings.HasPrefix(about, "note ")) {
			out = append(out, d.Reasons[i])
		}
	}
	return out
}

// began is when a part went wrong; where that is not known, when the first of
// what it explains did.
func (q *inquiry) began(p Part, explains []string) time.Time {
	at := q.since(p)
	if !at.IsZero() {
		return at
	}
	for _, id := range explains {
		if other, ok := q.g.Find(q.s, id); ok && other != p {
			if t := q.since(other); !t.IsZero() && (at.IsZero() || t.Before(at)) {
				at = t
			}
		}
	}
	return at
}

// since is when a part went wrong, as well as it is known: a state has no
// date, so it is when silence or the present power began, else the last event
// that says so.
func (q *inquiry) since(p Part) time.Time {
	if p.Kind == Site {
		return q.s.Sites.At(p.N).SilentSince
	}
	if p.Kind == Service {
		if h := q.s.Services.At(p.N).Health; h != nil && (h.State == fleet.StateCrit || h.State == fleet.StateWarn) {
			return h.Since
		}
	}
	target := q.g.ID(q.s, p)
	if p.device() || p.on() {
		d := q.s.Devices.At(p.N)
		target = d.Spec.ID
		switch {
		case p.on() && p.Kind != BMC: // what the device says of itself tells nothing of the piece
		case d.Blind():
			return d.BlindSince
		case d.Power == fleet.PowerOff:
			return d.PowerSince
		}
	}
	name := p.Name
	if p.Kind == PSU { // as events call it
		name = "PSU " + strings.TrimPrefix(name, "psu")
	}
	at := time.Time{}
	for _, e := range q.news(target) {
		if p.on() && !strings.Contains(e.Text, name) {
			continue
		}
		if at = e.At; p.on() || !goesOn(e) {
			break
		}
	}
	return at
}

// goesOn reports whether an event says that what was in trouble is in more or
// worse of it: the trouble began before.
func goesOn(e *fleet.Event) bool {
	return e.Type == "state" && (strings.HasPrefix(e.Text, "also: ") || strings.HasPrefix(e.Text, "warn → ") || strings.HasPrefix(e.Text, "crit → "))
}

// news are the events that say something went wrong with a target, newest
// first.
func (q *inquiry) news(target string) []*fleet.Event {
	if q.asserted == nil {
		q.asserted = map[string][]*fleet.Event{}
		for i := range q.s.Recent {
			if e := &q.s.Recent[i]; e.Asserted {
				q.asserted[e.Target] = append(q.asserted[e.Target], e)
			}
		}
	}
	return q.asserted[target]
}
