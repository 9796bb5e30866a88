package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

func neverSeen(d *fleet.Device) bool { return d.SeenAt.IsZero() && d.State == fleet.StateUnknown }

// say writes down as one event what a judgement changed: the state, or which
// parts are in trouble. The first look at a healthy device is no news, what a
// lost path explains is told once for the site, and what flaps is told once.
func (s *step) say(d, was *fleet.Device, v *verdict) {
	before := s.prev.Devices.Get(d.Spec.ID)
	fresh := before == nil || neverSeen(before)
	if fresh && !bad(d.State) || s.heldByPath(d, was) {
		return
	}
	if was.State != d.State && !fresh && s.flipState(d) {
		return
	}
	begun, over := v.begun(was), ended(d, was)
	for _, r := range begun {
		s.again(d, r.about)
	}
	sev, text := fleet.SeverityInfo, ""
	switch {
	case was.State != d.State:
		sev, text = s.turned(d, was, begun, over)
	case len(begun) > 0:
		sev, text = severity(begun[0].state), "also: "+begun[0].text+more(len(begun)-1)
	case len(over) > 0:
		text = "over: " + over[0] + more(len(over)-1)
	default:
		return
	}
	s.event(d.Spec.ID, "state", text, sev, d.State != fleet.StateOK)
}

// turned is the sentence about a change of state.
func (s *step) turned(d, was *fleet.Device, begun []reason, over []string) (fleet.Severity, string) {
	text := was.State.String() + " → " + d.State.String()
	if slices.Contains(was.About, aboutSight) && !slices.Contains(d.About, aboutSight) {
		if before := s.prev.Devices.Get(d.Spec.ID); before != nil && !before.SeenAt.IsZero() {
			text += ": seen again after " + d.SeenAt.Sub(before.SeenAt).Round(time.Second).String()
		}
	}
	switch {
	case d.State == fleet.StateOK && len(over) > 0:
		return fleet.SeverityInfo, text + ": over: " + over[0] + more(len(over)-1)
	case d.State == fleet.StateOK:
		return fleet.SeverityInfo, text
	case len(d.Reasons) > 0:
		text += ": " + d.Reasons[0] + more(len(begun)-1)
	}
	if i := slices.Index(d.About, aboutNote+aboutPath); d.State == fleet.StateUnknown && i > 0 {
		text += "; " + d.Reasons[i]
	}
	if d.State == fleet.StateWarn && was.State.Worse(d.State) {
		return fleet.SeverityInfo, text // better than it was
	}
	if d.State == fleet.StateUnknown {
		if slices.Contains(d.About, aboutNote+aboutPath) {
			return fleet.SeverityInfo, text // the switch before it is the news
		}
		return fleet.SeverityWarn, text
	}
	return severity(d.State), text
}

func bad(s fleet.State) bool { return s == fleet.StateWarn || s == fleet.StateCrit }

func severity(s fleet.State) fleet.Severity {
	switch s {
	case fleet.StateCrit:
		return fleet.SeverityCrit
	case fleet.StateWarn:
		return fleet.SeverityWarn
	}
	return fleet.SeverityInfo
}

// begun are the troubles, worst first, of parts that had none before.
func (v *verdict) begun(was *fleet.Device) []reason {
	var out []reason
	for _, r := range v.reasons {
		if bad(r.state) && !slices.Contains(was.About, r.about) {
			out = append(out, r)
		}
	}
	return out
}

// ended are the texts of troubles that are over. Notes about a device that
// does not answer are no troubles of their own.
func ended(d, was *fleet.Device) []string {
	var out []string
	for i, about := range was.About {
		note := about == aboutBlind || about == aboutSight || strings.HasPrefix(about, aboutNote)
		if !note && i < len(was.Reasons) && !slices.Contains(d.About, about) {
			out = append(out, was.Reasons[i])
		}
	}
	return out
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("; and %d more", n)
}

// sayFacts tells of facts that should not change by themselves.
func (s *step) sayFacts(target string, f fleet.Fact, old string) {
	if old == "" {
		return
	}
	switch f.Name {
	case fleet.FactFirmware, fleet.FactSerial, fleet.FactGUID, fleet.FactModel:
		s.event(target, "changed."+f.Name, fmt.Sprintf("%s changed from %s to %s", f.Name, old, f.Value), fleet.SeverityWarn, true)
	}
}
