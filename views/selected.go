package views

import (
	"slices"

	"plumb/fleet"
)

// selected is what the caret of a view stands on, as commands that are about
// parts of the fleet mean it: of an alert, what it is about.
func selected(f Frame, v View) (kind, id string) {
	kind, id = v.Selected(f)
	if kind != KindAlert {
		return kind, id
	}
	if a := f.Snap.Alerts.Find(id); a != nil {
		return kindOfAlert(f, a), a.Target
	}
	return "", ""
}

// kindOfAlert is what an alert's target is: a part of the graph, like a power
// supply, is followed as anything that an event may name.
func kindOfAlert(f Frame, a *fleet.Alert) string {
	switch id := a.Target; {
	case f.Snap.Devices.Get(id) != nil:
		return KindDevice
	case f.Snap.Racks.Get(id) != nil:
		return KindRack
	case f.Snap.Regions.Get(id) != nil:
		return KindRegion
	case f.Snap.Sites.Get(id) != nil:
		return KindSite
	case f.Snap.Instances.Get(id) != nil:
		return KindInstance
	case f.Snap.Services.Get(id) != nil:
		return KindService
	}
	return KindEvent
}

// markedTargets are the parts of the fleet that are marked, each once: of an
// alert that is marked, what it is about.
func markedTargets(f Frame) []string {
	var out []string
	for m := range f.Marks {
		if a := f.Snap.Alerts.Find(m); a != nil {
			m = a.Target
		}
		out = append(out, m)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
