package keys

import "plumb/fleet"

// alertable are the views whose selection may have alerts.
var alertable = []string{"alerts", "alert", "fleet", "racks", "devices", "device", "network", "switch", "port", "services", "service", "instances", "instance", "events", "trace"}

// alertCommands are what people say about alerts. Each asks before anything is
// said, so that a key by itself never writes.
func alertCommands() []Command {
	word := func(c *Command) { c.Danger, c.Needs, c.Writes = 1, fleet.RoleOperator, true }
	return []Command{
		bind("alert.ack", "A", "ack", "say that you know of its alerts: nobody is told again until they change; asks why; again takes it back", in(alertable...), params("reason"), alone, word, rank(24), why(whyNoAlert)),
		bind("alert.silence", "Z", "silence", "keep its alerts from being told for a time; asks what, for how long and why", in(alertable...), word, rank(38), why(needsTarget)),
		bind("alert.maintain", "M", "maintain", "a maintenance of it, its rack, site or region and all in it; asks for how long and why", in(alertable...), word, rank(39), why(needsTarget)),
		bind("open.silences", "", "silences", "silences and maintenance that stand, and those that ended"),
		bind("alert.unsilence", "u", "end", "end the silence now; asks once more", in("silences"), params("reason"), alone, word, rank(20), why(needsTarget)),
		bind("hush.reason", "e", "reason", "type the reason that others will read", in("hush"), params("reason"), alone, rank(20)),
		bind("hush.for", "f", "for", "another time than those offered: 30m, 4h, 2d", in("hush"), params("duration"), alone, rank(21)),
		bind("hush.match", "=", "matchers", "type matchers of your own", in("hush"), params("matchers"), alone, rank(22)),
		bind("bell", "", "bell", "ring for what fires and waits for somebody: off, crit, or warn and crit; for you, on this console", session, params("off|warn|crit"), alone),
	}
}

func whyNoAlert(s Scene) string {
	switch {
	case len(s.Marks) > 0:
		return ""
	case s.Target == "":
		return "nothing is selected"
	case s.Snap == nil || s.Snap.Alerts == nil:
		return "no rule has looked yet"
	case s.Snap.Regions.Number(s.Target) >= 0 || s.Alert:
		return "" // of all that is in it; it says so itself
	case len(s.Snap.Alerts.On(s.Snap, s.Target)) == 0:
		return "no alert stands on it"
	}
	return ""
}
