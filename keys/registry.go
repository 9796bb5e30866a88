package keys

import (
	"strings"

	"charm.land/bubbles/v2/key"

	"plumb/fleet"
)

// Views whose body is a table that can be sorted and filtered.
var tables = []string{"devices", "network", "switch", "services", "service", "instances", "capacity", "placement", "whatif-add", "drift", "security", "events", "alerts", "silences"}

// Views in which things are marked, to be acted on together.
var marking = []string{"devices", "device", "racks", "network", "switch", "instances", "trace", "alerts"}

// All returns every command there is, in the order of the help page: by
// group, and in a group as a person learns them.
func All() []Command {
	var all []Command
	for _, g := range groups {
		all = append(all, g.commands()...)
	}
	return all
}

// Group is a heading of the help page with its commands.
type Group struct {
	Title    string
	commands func() []Command
}

var groups = []Group{
	{"Views", viewCommands},
	{"Moving", moveCommands},
	{"Finding", findCommands},
	{"Looking", lookCommands},
	{"Time", timeCommands},
	{"Acting", actCommands},
	{"Jobs", jobCommands},
	{"Runbooks", bookCommands},
	{"Alerts", alertCommands},
	{"Drift", driftCommands},
	{"Tracing", traceCommands},
	{"Session", sessionCommands},
}

// bind makes a command with keys; keys are separated by blanks, "space" is the
// space bar. The first key is the one people read.
func bind(id, keyList, title, help string, more ...func(*Command)) Command {
	c := Command{ID: id, Title: title, Help: help}
	if names := strings.Fields(keyList); len(names) > 0 {
		c.Keys = key.NewBinding(key.WithKeys(names...), key.WithHelp(Label(names[0]), title))
	}
	for _, m := range more {
		m(&c)
	}
	return c
}

func in(views ...string) func(*Command)       { return func(c *Command) { c.In = views } }
func not(views ...string) func(*Command)      { return func(c *Command) { c.NotIn = views } }
func rank(n int) func(*Command)               { return func(c *Command) { c.Rank = n } }
func alone(c *Command)                        { c.Alone = true }
func params(names ...string) func(*Command)   { return func(c *Command) { c.Params = names } }
func past(n int) func(*Command)               { return func(c *Command) { c.RankPast = n } }
func session(c *Command)                      { c.Session = true }
func why(f func(Scene) string) func(*Command) { return func(c *Command) { c.why = f } }

func viewCommands() []Command {
	return []Command{
		bind("open.fleet", "1", "Fleet", "regions, what is wrong and why", rank(10)),
		bind("open.racks", "2", "Racks", "floor plan and rack elevation", rank(11)),
		bind("open.devices", "3", "Devices", "every device in one table", rank(12)),
		bind("open.network", "4", "Net", "switches, faceplates, ports", rank(13)),
		bind("open.services", "5", "Services", "services and the instances that carry them; or one by its name, or those that match", params("filter"), alone, rank(14)),
		bind("open.capacity", "6", "Capacity", "what is left of what, what binds, and what a failure would break", rank(14)),
		bind("open.drift", "7", "Drift", "what is not as intended, accepted, last week or among its like", rank(14)),
		bind("open.alerts", "8", "Alerts", "whom plumb calls and about what, with events on one axis of time; tab: events, silences", rank(15)),
		bind("open.jobs", "9", "Jobs", "actions on their way, and the audit log; or one job", params("job"), alone, rank(16)),
		bind("open.events", "", "all events", "what happened, newest first"),
		bind("open.instances", "", "instances", "every instance in one table"),
		bind("open.security", "", "security", "every check with what it found, passed and could not see"),
		bind("open.lifecycle", "", "lifecycle", "what ends, comes back, is nobody's, idles, is out of balance or stands on too little"),
		bind("open.performance", "", "performance", "what works worse than it did: every check, with what it learns still and cannot see"),
		bind("open.report", "", "report", "hand-over and review (ops), or what failed by what it is built of (design)", params("ops|handover|design"), alone),
		bind("open.handover", "", "handover", "the alerts of a shift, for whoever is called next"),
		bind("open.who", "W", "who", "who is on this console"),
		bind("open.wall", "w", "wall", "the wall display, pages by itself"),
		bind("go.region", "", "region", "open a region's racks", params("region")),
		bind("go.rack", "", "rack", "open a rack", params("rack")),
		bind("go.device", "", "device", "open a device", params("device")),
		bind("go.port", "", "port", "open a port, as DEVICE/PORT", params("port")),
		bind("go.instance", "", "instance", "open an instance", params("instance")),
		bind("go.service", "", "service", "open a service", params("service")),
		bind("go.place", "", "place", "where servers of one shape fit: 12 --watts 450 --units 1 --ports 2x25G", params("servers")),
		bind("go.whatif", "", "whatif", "what is lost with parts: ID...; or capacity with more servers: add 12 --watts 450 --in fra1", params("change")),
	}
}

func moveCommands() []Command {
	return []Command{
		bind("move.up", "up k", "up", "one up"),
		bind("move.down", "down j", "down", "one down"),
		bind("move.left", "left h", "left", "one left, or the pane before"),
		bind("move.right", "right l", "right", "one right, or the next pane"),
		bind("move.page-up", "pgup ctrl+b", "page up", "one page up"),
		bind("move.page-down", "pgdown ctrl+f", "page down", "one page down"),
		bind("move.first", "home g", "first", "to the first"),
		bind("move.last", "end G", "last", "to the last"),
		bind("pane.next", "tab", "pane", "to the next pane", rank(34)),
		bind("pane.back", "shift+tab", "pane back", "to the pane before"),
		bind("enter", "enter", "open", "follow what the caret stands on; a reading grows to a chart", rank(45)),
		bind("back", "esc backspace", "back", "out again; first clears the filter", rank(46)),
		bind("view.last", "-", "last view", "the view before this one, and back", session),
		bind("history.back", "H", "history back", "one step back, with sort, filter and caret as they were", session),
		bind("history.forward", "L", "history forward", "one step forward again", session),
	}
}

func findCommands() []Command {
	return []Command{
		bind("filter", "/", "filter", "words, !not, state:crit kind:pdu rack: owner: vlan: age>1d", rank(24),
			in(append([]string{"device", "jobs"}, tables...)...)),
		bind("filter.set", "", "filter by", "show only the rows that match", params("filter"),
			in(append([]string{"device", "jobs"}, tables...)...)),
		bind("palette", ":", "cmd", "any command by name, with arguments", session, rank(25)),
		bind("help", "?", "help", "this list; enter runs what the caret stands on", rank(23)),
		bind("mark", "space", "mark", "mark or unmark; actions then mean all marked", session,
			in(marking...), rank(40)),
		bind("mark.range", "ctrl+@", "mark range", "mark from the last mark to the caret", session,
			in(marking...)),
		bind("mark.clear", "ctrl+u", "unmark", "clear all marks", session),
		bind("copy", "y", "copy", "copy the id the caret stands on (OSC 52)", why(needsTarget), not("job")),
		bind("copy.screen", "Y", "copy screen", "copy the whole screen as text (OSC 52)", session),
	}
}

func lookCommands() []Command {
	return []Command{
		bind("sort", "s", "sort", "sort by the next column", in(tables...), rank(32)),
		bind("sort.reverse", "S", "reverse", "turn the order around", in(tables...)),
		bind("scale", "z", "scale", "rack as strip, folded, or true to scale", in("racks"), rank(30)),
		bind("face", "f", "face", "front or rear of the rack", in("racks"), rank(31)),
		bind("paint", "m", "paint", "paint by state, power, temperature or age", in("racks", "fleet"), rank(32)),
		bind("span", "r", "span", "how far back charts and sparklines reach", in("device", "port"), rank(31)),
		bind("ports", "n", "ports", "the ports of this device", in("device", "racks", "devices"), why(needsPorts), rank(33)),
		bind("drift", "d", "drift", "what is not as it should be of what the caret stands on", why(needsTarget),
			in("fleet", "racks", "devices", "device", "network", "switch", "port", "events", "alerts", "alert", "finding", "trace", "whatif"), rank(36)),
		bind("drift.all", "space", "all", "show also what people ruled on, and what ended within a day", in("drift"), rank(27)),
		bind("events", "E", "events", "what happened to what the caret stands on", why(needsTarget)),
		bind("theme", "T", "theme", "next theme: okabe, light, 16, mono, ascii", session, params("theme"), alone),
	}
}

func timeCommands() []Command {
	return []Command{
		bind("time.small-back", ",", "step back", "one poll into the past, 10 s to 1 min", session, why(needsPast), past(21)),
		bind("time.small-on", ".", "step on", "one poll towards now", session, why(needsPast), past(21)),
		bind("time.big-back", "<", "10m back", "10 minutes into the past", session, why(needsPast), past(26)),
		bind("time.big-on", ">", "10m on", "10 minutes towards now", session, why(needsPast), past(26)),
		bind("time.event-back", "[", "event before", "to the warning or fault before; on a page, to that of what it shows", session, why(needsPast), past(23)),
		bind("time.event-on", "]", "next event", "to the next warning or fault", session, why(needsPast), past(23)),
		bind("time.at", "@", "go to time", "show the fleet as of a time: 14:02, -2h, 2026-11-26 14:02, RFC 3339", session, params("time"), why(needsPast), past(25)),
		bind("time.pause", "p", "pause", "hold the screen still, or let it run", session),
		bind("time.live", "0", "live", "back to now", session, past(20)),
	}
}

func sessionCommands() []Command {
	return []Command{
		bind("cancel", "ctrl+c", "cancel", "clear the prompt, else ask to leave", session),
		bind("quit", "q", "quit", "leave", session, rank(50)),
	}
}

func needsTarget(s Scene) string {
	if s.Target == "" {
		return "nothing is selected"
	}
	return ""
}

func needsPast(s Scene) string {
	switch {
	case s.View == "wall":
		return "the wall is always live"
	case s.Since.IsZero():
		return "nothing of the past is kept yet"
	}
	return ""
}

func needsPorts(s Scene) string {
	if d := s.device(); d == nil || len(d.Ports) == 0 {
		return "no port of it has been read"
	}
	return ""
}

// device returns the device that is the target, or that the port belongs to.
func (s Scene) device() *fleet.Device {
	if s.Snap == nil {
		return nil
	}
	if s.Kind == "port" || s.Kind == "outlet" {
		dev, _, _ := strings.Cut(s.Target, "/")
		return s.Snap.Devices.Get(dev)
	}
	return s.Snap.Devices.Get(s.Target)
}
