package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// Explain says why an alert is as it is, a line each: what its rule asks, what
// it sees, and who keeps it from being told. It answers for alerts that are not
// there too, by "RULE:TARGET" or "RULE:TARGET/PART". ok is false where there is
// no such rule or nothing of that name to look at.
func Explain(s *fleet.Snapshot, id string, now time.Time) (lines []string, ok bool) {
	rules, _ := s.Rules.(*Book)
	name, target, _ := strings.Cut(id, ":")
	if rules == nil || rules.byName[name] == nil {
		return nil, false
	}
	p, a := rules.byName[name], s.Alerts.Find(id)
	x, found := sceneAt(s, p, target, now)
	if a == nil && !found {
		return nil, false
	}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("rule %s looks at %s: %s", p.Name, p.On, p.Problem)
	if p.Recovery != "" {
		say("it is over when also: %s", p.Recovery)
	}
	if found {
		explainLook(say, p, x)
	} else {
		say("what it spoke of is not there now")
	}
	if a == nil {
		say("so it is inactive")
		return lines, true
	}
	explainLife(say, p, a, now)
	explainTelling(say, rules, s, a, now)
	return lines, true
}

func explainLook(say func(string, ...any), p *program, x *scene) {
	for _, r := range p.problem.reads {
		say("  %s = %s", r.name, r.show(x))
	}
	t := Unknown
	switch {
	case x.device != nil && !x.seen && !p.sight:
		say("%s does not answer: nobody can tell", x.device.Spec.ID)
	case x.sensor != nil && (x.sensor.Stale || x.sensor.State == fleet.StateUnknown):
		say("the sensor was not read: nobody can tell")
	default:
		t = p.problem.of(x)
	}
	say("now the problem is %s", t)
	if x.device != nil && !slices.ContainsFunc(p.setOf(x), func(q *program) bool { return q == p }) {
		say("the rule does not select %s", x.device.Spec.ID)
	}
}

// setOf are the rules on the program's subject that apply to a device.
func (p *program) setOf(x *scene) []*program {
	rules := x.s.Rules.(*Book)
	if !p.device() || x.n >= len(rules.devices) {
		return []*program{p}
	}
	return rules.devices[x.n][p.On]
}

func explainLife(say func(string, ...any), p *program, a *fleet.Alert, now time.Time) {
	span := func(t time.Time) string { return now.Sub(t).Round(time.Second).String() }
	switch a.State {
	case fleet.AlertPending:
		if !a.Hard {
			say("pending for %s: %d bad looks of %d that make it hard", span(a.Since), a.Bad, p.limits.attempts)
		} else {
			say("pending for %s of %s", span(a.Since), p.limits.wait)
		}
	case fleet.AlertFiring:
		say("firing for %s, bad for %s", span(a.Fired), span(a.Since))
		if !a.Quiet.IsZero() {
			say("the problem is over for %s, and it is kept firing for %s; %d good looks of %d", span(a.Quiet), p.limits.keep, a.Good, p.limits.recover)
		}
	default:
		say("over for %s", span(a.Ended))
	}
	if !a.Stale.IsZero() {
		say("not seen for %s: it stays what it was", span(a.Stale))
	}
	if a.Ring != 0 {
		say("flaps %.1f %% (starts at 20, stops at 5)", Flap(a.Ring))
	}
}

func explainTelling(say func(string, ...any), rules *Book, s *fleet.Snapshot, a *fleet.Alert, now time.Time) {
	quiet := false
	if h := a.Held; h != nil {
		quiet = true
		say("held by %s since %s: that explains it", h.By, h.At.UTC().Format(time.RFC3339))
		if !h.Over.IsZero() {
			say("that is over since %s; it is let go after a fresh poll", h.Over.UTC().Format(time.RFC3339))
		}
	}
	if a.Silenced != "" {
		quiet = true
		say("silenced by %s", a.Silenced)
	}
	if a.Ack.Stands(now) {
		quiet = true
		say("acknowledged by %s: %s", a.Ack.By, a.Ack.Reason)
	}
	switch {
	case rules.root == nil:
		say("nobody is told: there are no receivers")
	case quiet:
		say("so nobody is told")
	case !s.Alerts.Settled:
		say("plumb has just started: nobody is told before everything was polled once")
	case rules.awaits(s, a, now):
		say("nobody is told before what it stands on was polled")
	default:
		to := rules.routes(s, a)
		if len(to) == 0 {
			say("nobody is told: no other receiver takes notices")
		}
		for _, r := range to {
			key, _ := r.group(a)
			say("told to %s in group %s%s", r.receiver, key, groupText(s, key, a))
		}
	}
}

func groupText(s *fleet.Snapshot, key string, a *fleet.Alert) string {
	for i := range s.Alerts.Groups {
		g := &s.Alerts.Groups[i]
		switch {
		case g.Key != key:
		case g.Sent.IsZero():
			return ", first at " + g.Next.UTC().Format(time.RFC3339)
		case g.Heard(a.ID()).IsZero():
			return ", with its next word at " + g.Due(s.At).UTC().Format(time.RFC3339)
		default:
			at := g.Heard(a.ID())
			last := ", last at " + at.UTC().Format(time.RFC3339)
			if r := s.Undelivered(g.Receiver, at); r != nil {
				last += "; that still waits: it takes nothing since " + r.Failing.UTC().Format(time.RFC3339) + ": " + r.Error
			}
			return last
		}
	}
	return ""
}

// sceneAt finds what a rule would look at by the name of it, TARGET or
// TARGET/PART.
func sceneAt(s *fleet.Snapshot, p *program, name string, now time.Time) (*scene, bool) {
	x := &scene{s: s, now: now}
	if p.device() {
		return x, deviceScene(x, p, name)
	}
	switch p.On {
	case "region":
		x.region = s.Regions.Get(name)
		return x, x.region != nil
	case "site":
		x.site = s.Sites.Get(name)
		return x, x.site != nil
	case "rack":
		x.rack = s.Racks.Get(name)
		return x, x.rack != nil
	case "receiver":
		x.receiver = receiverOf(s, name)
		return x, x.receiver != nil
	case "feed":
		x.feed = s.Feeds.Get(name)
		return x, x.feed != nil
	case "cloud":
		x.cloud = s.Clouds.Get(name)
		return x, x.cloud != nil
	case "host":
		x.host = s.Hosts.Get(name)
		return x, x.host != nil
	case "instance":
		x.instance = s.Instances.Get(name)
		return x, x.instance != nil
	case "service":
		x.service = s.Services.Get(name)
		return x, x.service != nil
	case "finding":
		for f := range s.Findings() {
			if f.Target+"/"+f.Facet == name {
				x.finding = f
				return x, true
			}
		}
	case "cause":
		causes := trace.Build(s).Causes(s, now)
		for i := range causes {
			if causes[i].ID == name {
				x.cause = &causes[i]
				return x, true
			}
		}
	}
	return x, false
}

// deviceScene finds a device and the part of it that a rule looks at.
func deviceScene(x *scene, p *program, name string) bool {
	id, part, _ := strings.Cut(name, "/")
	x.n = x.s.Devices.Number(id)
	if x.n < 0 {
		return false
	}
	d := x.s.Devices.At(x.n)
	x.device = d
	x.seen = !d.SeenAt.IsZero() && !d.Blind() && !quiet(x)
	switch p.On {
	case "device":
		return part == ""
	case "sensor":
		for i := range d.Sensors {
			if sensorPart(&d.Sensors[i]) == part {
				x.sensor = &d.Sensors[i]
				if class := p.problem.class; class == "" || class == string(x.sensor.Class) {
					return true
				}
			}
		}
	case "port":
		x.port = d.Port(part)
		return x.port != nil
	case "outlet":
		for i := range d.Outlets {
			if x.outlet = &d.Outlets[i]; itoa(x.outlet.Index) == part {
				return true
			}
		}
	case "forecast":
		for i := range d.Forecasts {
			if x.forecast = &d.Forecasts[i]; x.forecast.What == part {
				return true
			}
		}
	}
	return false
}
