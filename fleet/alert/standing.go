package alert

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// pageStatus is as what an alert is told: flapping, firing or resolved.
func pageStatus(a *fleet.Alert) string {
	if a.Flapping {
		return "flapping"
	}
	return string(a.State)
}

// pageOf is an alert as it is told.
func pageOf(a *fleet.Alert, holds int) fleet.Page {
	p := fleet.Page{ID: a.ID(), Status: pageStatus(a), Severity: a.Severity, Since: a.Since, Ended: a.Ended, Summary: a.Summary, Cause: a.Cause,
		Evidence: a.Evidence, Blast: a.Blast, Runbook: a.Runbook, Holds: holds, Labels: a.Labels}
	if a.Ack != nil {
		p.AckedBy = a.Ack.By
	}
	return p
}

// Standing is what one receiver was told and still fires, group by group: for
// receivers that forget what is not said again. It costs a walk over the alerts
// where the receiver was told anything, and nothing else.
func Standing(s *fleet.Snapshot, receiver string) []fleet.Pages {
	if s == nil || s.Alerts == nil {
		return nil
	}
	var groups []*fleet.AlertGroup
	for i := range s.Alerts.Groups {
		if g := &s.Alerts.Groups[i]; g.Receiver == receiver && len(g.Told) > 0 {
			groups = append(groups, g)
		}
	}
	if groups == nil {
		return nil
	}
	byID, holds := map[string]*fleet.Alert{}, map[string]int{}
	for _, a := range s.Alerts.List {
		byID[a.ID()] = a
		if a.Held != nil {
			holds[a.Held.By]++
		}
	}
	var out []fleet.Pages
	for _, g := range groups {
		p := fleet.Pages{Receiver: receiver, Group: g.Key, Labels: g.Labels, Status: "firing"}
		for id := range g.Told {
			if a := byID[id]; a != nil && (a.Flapping || a.State == fleet.AlertFiring) {
				p.Alerts = append(p.Alerts, pageOf(a, holds[id]))
			}
		}
		slices.SortFunc(p.Alerts, func(a, b fleet.Page) int { return strings.Compare(a.ID, b.ID) })
		if len(p.Alerts) > 0 {
			out = append(out, p)
		}
	}
	return out
}
