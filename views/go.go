package views

import (
	"cmp"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/trace"
	"plumb/keys"
)

// Kinds of things that a caret can stand on and [Follow] can open.
const (
	KindRegion   = "region"
	KindRack     = "rack"
	KindDevice   = "device"
	KindPort     = "port"
	KindSensor   = "sensor"
	KindOutlet   = "outlet"
	KindInstance = "instance"
	KindService  = "service"
	KindEvent    = "event"
	KindJob      = "job"
	KindCloud    = "cloud"
	KindSite     = "site"
	KindFeed     = "feed"
	KindCheck    = "check"
	KindGroup    = "group" // a security group: CLOUD/GROUP
	KindAlert    = "alert" // RULE:TARGET or RULE:TARGET/PART
	KindSilence  = "silence"
)

// Follow returns the screen that shows a thing; false where it is not in the
// snapshot.
func Follow(f Frame, kind, id string) (View, bool) {
	head, _, _ := strings.Cut(id, "/")
	switch kind {
	case KindRegion:
		return NewRacks(id, ""), f.Snap.Regions.Get(id) != nil
	case KindRack:
		r := f.Snap.Racks.Get(id)
		if r == nil {
			return nil, false
		}
		return NewRacks(r.Spec.Region, id), true
	case KindDevice:
		return NewDevice(id), f.Snap.Devices.Get(id) != nil
	case KindSensor, KindOutlet:
		return NewDeviceAt(head, id), f.Snap.Devices.Get(head) != nil
	case KindPort:
		return NewPort(id), f.Snap.Devices.Get(head) != nil
	case KindInstance:
		return NewInstance(id), f.Snap.Instances.Get(id) != nil
	case KindService:
		return NewService(id), f.Snap.Services.Get(id) != nil
	case KindCloud:
		return NewInstances("cloud:" + id), f.Snap.Clouds.Get(id) != nil
	case KindSite:
		return newCapacityPage(capacity.ScopeSite, id), f.Snap.Sites.Get(id) != nil
	case KindFeed:
		return newCapacityPage(capacity.ScopeFeed, id), f.Snap.Feeds.Get(id) != nil
	case KindCheck:
		kind := "security"
		if of, _, _ := strings.Cut(id, "."); of == string(fleet.FindLifecycle) || of == string(fleet.FindResilience) {
			kind = of
		}
		return Drift{sheet: sheet{text: "kind:" + kind + " facet:" + id}, all: true, memo: &driftMemo{}}, true
	case KindEvent:
		return followAny(f, id)
	case KindJob:
		return NewJob(id), true
	case KindAlert:
		return NewAlert(id), f.Snap.Alerts.Find(id) != nil
	case string(trace.PSU), string(trace.NIC), string(trace.BMC):
		return NewDevice(head), f.Snap.Devices.Get(head) != nil
	}
	return nil, false
}

// followAny finds what an id names without knowing its kind.
func followAny(f Frame, id string) (View, bool) {
	for _, kind := range [...]string{KindDevice, KindInstance, KindRack, KindRegion, KindService, KindCloud, KindFeed} {
		if v, ok := Follow(f, kind, id); ok {
			return v, true
		}
	}
	if head, rest, ok := strings.Cut(id, "/"); ok {
		if d := f.Snap.Devices.Get(head); d != nil {
			if d.Port(rest) != nil {
				return NewPort(id), true
			}
			return NewDeviceAt(head, id), true
		}
	}
	return nil, false
}

// Scene is what commands may know of a view on a frame.
func Scene(f Frame, v View) keys.Scene {
	f = f.whole()
	_, sel := v.Selected(f)
	kind, id := selected(f, v)
	s := keys.Scene{Snap: f.Snap, Role: f.Role, Live: f.Live, User: f.User, View: v.ID(), Target: id, Kind: kind, Since: f.Since,
		Alert: sel != id || id != "" && acked(f, v) != sel}
	for m := range f.Marks {
		s.Marks = append(s.Marks, m)
	}
	switch v.(type) {
	case Drift, Finding, Actions:
		s.Reverts = actsOn(f, v).revert != nil
	}
	return s
}

// Subject is what a page is about, for the question what happened to it; ""
// where it is about many things.
func Subject(v View) string {
	switch v := v.(type) {
	case Device:
		return v.id
	case Switch:
		return v.id
	case Port:
		return hostOf(v.id)
	case Instance:
		return v.id
	case Service:
		return v.id
	case Drift:
		return v.target
	case Finding:
		return v.target
	case Trace:
		if v.memo != nil && isPiece(v.memo.part.Kind) {
			return hostOf(v.id)
		}
		return v.id
	case Confirm:
		if len(v.targets) == 1 {
			return hostOf(v.targets[0])
		}
	}
	return ""
}

// Needs returns every query a screen with the view on it asks.
func Needs(f Frame, v View) []fleet.Query {
	f = f.whole()
	return append(v.Needs(f), stripQuery(f))
}

// Dispatch carries a command to the view, then to what every view can do. The
// command has been found enabled; one that the session carries out itself
// (keys.Command.Session) never comes here. It returns the view as it is now
// and what is asked of the session; a nil intent with an unchanged view means
// that the command meant nothing here.
func Dispatch(f Frame, v View, c keys.Command) (View, Intent) {
	f = f.whole()
	next, in := v.Handle(f, c)
	if in != nil {
		return next, in
	}
	if kind, ok := c.Action(); ok {
		return next, confirm(f, next, kind, c)
	}
	if in := onAlerts(f, next, c); in != nil {
		return next, in
	}
	kind, id := selected(f, next)
	switch c.ID {
	case "enter":
		if to, ok := Follow(f, kind, id); ok && !sameScreen(f, next, to) {
			return next, Open{View: to}
		}
	case "back":
		return next, Back{}
	case "copy":
		return next, Copy{Text: id}
	case "drift":
		return next, openDrift(kind, id)
	case "trace":
		return next, openTrace(f, next, cmp.Or(c.Arg(0), id))
	case "whatif":
		return next, openWhatIf(f, c.Arg(0), id)
	case "page":
		if to, ok := Follow(f, kind, id); ok && to.ID() != "trace" {
			return next, Open{View: to}
		}
		return next, Toast{Text: "a " + kind + " has no page of its own"}
	case "events":
		return next, Open{View: NewEvents(id)}
	case "ports":
		return next, openPorts(f, kind, id)
	case "act":
		return next, Open{View: actsOn(f, next)}
	case "job.next":
		return next, Open{View: NewJob(keys.Request(f.Snap, f.User).ID)}
	case "runbooks":
		return next, openBooks(f, next, id)
	case "answer":
		return next, answered(c.Arg(0))
	case "help":
		return next, Open{View: NewHelp(Scene(f, next))}
	case "filter":
		return next, Filter{Text: filterOf(next)}
	}
	return next, opened(f, c)
}

// sameScreen says that following would show what is shown already.
func sameScreen(f Frame, a, b View) bool {
	if a.ID() != b.ID() {
		return false
	}
	ac, bc := a.Crumbs(f), b.Crumbs(f)
	return len(ac) > 0 && len(bc) > 0 && strings.Join(ac, "/") == strings.Join(bc, "/")
}

// opened handles the commands that name a screen.
func opened(f Frame, c keys.Command) Intent {
	switch c.ID {
	case "go.place":
		return openPlacement(f, c.Arg(0))
	case "go.whatif":
		return openWhatIf(f, c.Arg(0), "")
	}
	if kind, ok := strings.CutPrefix(c.ID, "go."); ok {
		if to, ok := Follow(f, kind, c.Arg(0)); ok {
			return Open{View: to}
		}
		return Toast{Text: "no " + kind + " " + c.Arg(0)}
	}
	switch c.ID {
	case "open.fleet":
		return Open{View: NewFleet()}
	case "open.racks":
		return Open{View: NewRacks("", "")}
	case "open.devices":
		return Open{View: NewDevices("")}
	case "open.network":
		return Open{View: NewNetwork()}
	case "open.services":
		return openServices(f, c.Arg(0))
	case "open.instances":
		return Open{View: NewInstances("")}
	case "open.capacity":
		return Open{View: NewCapacity()}
	case "open.drift":
		return Open{View: NewDrift("")}
	case "open.security":
		return Open{View: NewSecurity()}
	case "open.lifecycle":
		return Open{View: NewLifecycle()}
	case "open.performance":
		return Open{View: NewPerformance()}
	case "open.report":
		return Open{View: NewReport(c.Arg(0))}
	case "open.handover":
		return Open{View: NewReport("handover")}
	case "open.alerts":
		return Open{View: NewAlerts()}
	case "open.silences":
		return Open{View: NewSilences()}
	case "open.events":
		return Open{View: NewEvents("")}
	case "open.jobs":
		if id := c.Arg(0); id != "" {
			return Open{View: NewJob(id)}
		}
		return Open{View: NewJobs()}
	case "open.who":
		return Open{View: NewWho()}
	case "open.wall":
		return Open{View: NewWall()}
	}
	return nil
}

// openServices is the page of a service, or the list of those that match.
func openServices(f Frame, filter string) Intent {
	if to, ok := Follow(f, KindService, filter); ok {
		return Open{View: to}
	}
	v := Services{sheet: sheet{text: filter}}
	if filter != "" && len(v.shown(f)) == 0 {
		return Toast{Text: "no service matches " + filter + "; :services lists them"}
	}
	return Open{View: v}
}

func openAlert(f Frame, id string) Intent {
	to, ok := Follow(f, KindAlert, id)
	if !ok {
		return Toast{Text: "alert " + id + " is over"}
	}
	return Open{View: to}
}

// openDrift is the drift of a device or of what its part belongs to; of a place,
// that of all in it.
func openDrift(kind, id string) Intent {
	switch kind {
	case KindRegion, KindRack:
		return Open{View: Drift{sheet: sheet{text: kind + ":" + id}, memo: &driftMemo{}}}
	}
	return Open{View: NewDrift(hostOf(id))}
}

// partOf finds the part that an id names; of a reading that is its device.
func partOf(f Frame, id string) (trace.Part, bool) {
	g := graphOf(f)
	if p, ok := g.Find(f.Snap, id); ok {
		return p, true
	}
	return g.Find(f.Snap, hostOf(id))
}

// openTrace is the trace of a part.
func openTrace(f Frame, from View, id string) Intent {
	if id == "" {
		return Toast{Text: "trace: nothing is selected"}
	}
	p, ok := partOf(f, id)
	if !ok {
		return Toast{Text: "trace: no part " + id}
	}
	to := NewTrace(graphOf(f).ID(f.Snap, p))
	if sameScreen(f, from, to) {
		return Toast{Text: "this is where it begins"}
	}
	return Open{View: to}
}

// openWhatIf is what is lost with the named parts, else with all that is
// marked, else with what the caret stands on; or, where the first word is add,
// what would be with more servers.
func openWhatIf(f Frame, named, selected string) Intent {
	if ask, isAdd := strings.CutPrefix(strings.TrimSpace(named), "add "); isAdd {
		return openAdd(f, ask)
	}
	ids := strings.Fields(named)
	if len(ids) == 0 {
		ids = markedTargets(f)
	}
	if len(ids) == 0 && selected != "" {
		ids = []string{selected}
	}
	if len(ids) == 0 {
		return Toast{Text: "what-if: nothing is selected"}
	}
	v := WhatIf{memo: &whatIfMemo{}}
	for _, id := range ids {
		p, ok := partOf(f, id)
		if !ok {
			return Toast{Text: "what-if: no part " + id}
		}
		if why := cannotFail(p.Kind); why != "" {
			return Toast{Text: "what-if: " + why}
		}
		v = v.with(graphOf(f).ID(f.Snap, p))
	}
	return Open{View: v}
}

func openPorts(f Frame, kind, id string) Intent {
	head, _, _ := strings.Cut(id, "/")
	if d := f.Snap.Devices.Get(head); d != nil && len(d.Ports) > 0 {
		return Open{View: NewSwitch(head)}
	}
	return Toast{Text: "no port of it has been read"}
}

// filtered is a view with a filter.
type filtered interface{ filterText() string }

func filterOf(v View) string {
	if x, ok := v.(filtered); ok {
		return x.filterText()
	}
	return ""
}
