package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/trace"
)

// Beats of what is not asked at every step: causes cost a walk over what is
// wrong, capacity one over the fleet.
const (
	causesEvery = 2 * time.Second
	roomEvery   = 10 * time.Minute
	eventFresh  = time.Hour // an event that is older when it is read calls nobody
)

// looks takes a look with every rule at what changed.
func (w *work) looks() {
	looked := w.Looked
	if w.Before.Topology != w.Next.Topology { // what there was is looked at with the new rules
		looked = nil
		for i := range w.Next.Devices.Len() {
			looked = append(looked, i)
		}
	}
	for _, i := range looked {
		w.device(i)
	}
	w.places()
	w.receivers()
	w.guests()
	w.dockets()
	w.events()
	w.causes(len(looked) > 0 || w.Guests)
	w.rooms()
}

// device looks at one device and its parts. Parts are looked at where their
// table was read since the step before.
func (w *work) device(i int) {
	if i >= len(w.rules.devices) {
		return
	}
	d, rules := w.Next.Devices.At(i), w.rules.devices[i]
	mine := w.prev.Of(d.Spec.ID)
	was := w.Before.Devices.Get(d.Spec.ID)
	x := scene{s: w.Next, now: w.now, device: d, n: i}
	x.seen = !d.SeenAt.IsZero() && !d.Blind() && !quiet(&x)
	for _, p := range rules["device"] {
		w.ask(p, &x, mine, d.Spec.ID, "")
	}
	if !x.seen {
		w.blinded(mine)
		return
	}
	read := func(t fleet.TableID) bool {
		return was == nil || w.Before.Topology != w.Next.Topology || !was.Tables[t].At.Equal(d.Tables[t].At) || was.Blind()
	}
	if list := rules["sensor"]; len(list) > 0 && read(fleet.TableSensors) {
		w.sensors(list, &x, mine)
		w.vanished(d, mine, fleet.TableSensors, "sensor", func(a *fleet.Alert) bool {
			return slices.ContainsFunc(d.Sensors, func(y fleet.Sensor) bool { return sensorPart(&y) == a.Part })
		})
	}
	if list := rules["port"]; len(list) > 0 && read(fleet.TablePorts) {
		for k := range d.Ports {
			if x.port = &d.Ports[k]; x.port.PortDef != nil {
				for _, p := range list {
					w.ask(p, &x, mine, d.Spec.ID, x.port.Name)
				}
			}
		}
		w.vanished(d, mine, fleet.TablePorts, "port", func(a *fleet.Alert) bool { return d.Port(a.Part) != nil })
	}
	if list := rules["outlet"]; len(list) > 0 && read(fleet.TableOutlets) {
		for k := range d.Outlets {
			x.outlet = &d.Outlets[k]
			for _, p := range list {
				w.ask(p, &x, mine, d.Spec.ID, itoa(x.outlet.Index))
			}
		}
		w.vanished(d, mine, fleet.TableOutlets, "outlet", func(a *fleet.Alert) bool {
			return slices.ContainsFunc(d.Outlets, func(o fleet.Outlet) bool { return itoa(o.Index) == a.Part })
		})
	}
	if list := rules["forecast"]; len(list) > 0 {
		w.forecasts(list, &x, mine)
	}
}

// sensors looks at the sensors of a device. One that did not read says nothing,
// also where it keeps the trouble that it last had.
func (w *work) sensors(list []*program, x *scene, mine []*fleet.Alert) {
	d := x.device
	for k := range d.Sensors {
		y := &d.Sensors[k]
		x.sensor = y
		for _, p := range list {
			if c := p.problem.class; c != "" && c != string(y.Class) {
				continue
			}
			if y.Stale || y.State == fleet.StateUnknown {
				if len(mine) > 0 {
					w.take(p, x, mine, d.Spec.ID, sensorPart(y), Unknown)
				}
				continue
			}
			w.ask(p, x, mine, d.Spec.ID, sensorPart(y))
		}
	}
}

// sensorPart is the part that a sensor tells of: the power supply as the graph
// names it, else the sensor itself.
func sensorPart(x *fleet.Sensor) string {
	if n := x.Supply(); n > 0 {
		return "psu" + itoa(n)
	}
	return x.Key
}

// blinded marks the alerts of a device that does not answer: what they said
// nobody can tell any more.
func (w *work) blinded(mine []*fleet.Alert) {
	for _, a := range mine {
		if p := w.rules.byName[a.Rule]; p != nil && polled[p.On] && !p.sight {
			k := keyOf(a)
			if now := w.get(mine, k); now != nil { // as this step has it
				w.settle(k, now, stale(now, w.now))
			}
		}
	}
}

func (w *work) forecasts(list []*program, x *scene, mine []*fleet.Alert) {
	d, seen := x.device, map[string]bool{}
	for k := range d.Forecasts {
		if x.forecast = &d.Forecasts[k]; x.forecast.Score != fleet.ScoreOpen {
			continue
		}
		seen[x.forecast.What] = true
		for _, p := range list {
			w.ask(p, x, mine, d.Spec.ID, x.forecast.What)
		}
	}
	w.gone(mine, "forecast", func(a *fleet.Alert) bool { return seen[a.Part] })
}

// ask takes a look with a rule at a subject.
func (w *work) ask(p *program, x *scene, mine []*fleet.Alert, target, part string) {
	t := Unknown
	if p.sight || x.device == nil || x.seen {
		t = p.problem.of(x)
	}
	if t == True || len(mine) > 0 {
		w.take(p, x, mine, target, part, t)
	}
}

// take feeds the alert of a rule and a subject with a look.
func (w *work) take(p *program, x *scene, mine []*fleet.Alert, target, part string, t Truth) {
	k := key{target, p.Name, part}
	a := w.get(mine, k)
	if a == nil && t != True {
		return
	}
	recovery := True
	if t == False && p.recovery != nil {
		recovery = p.recovery.of(x)
	}
	n := p.limits.look(a, t, recovery, w.now)
	worse := t == True && n != nil && a != nil && a.Severity != p.severity(x)
	if worse && n == a {
		y := *a
		n = &y
	}
	if worse || n != nil && n != a && t == True && (a == nil || a.State != n.State) {
		w.word(p, x, n, target, part)
	}
	if a == nil && polled[p.On] && n != nil {
		w.nudgeNear(target)
	}
	w.settle(k, a, n)
}

// settle puts an alert where it changed, and looks at what stands on it when it
// is over.
func (w *work) settle(k key, was, n *fleet.Alert) {
	if n == was {
		return
	}
	w.put(k, n)
	if was != nil && was.State == fleet.AlertFiring && (n == nil || n.State == fleet.AlertResolved) {
		w.nudgeNear(k.target)
	}
}

// word says in words what an alert is about; n is the caller's own.
func (w *work) word(p *program, x *scene, n *fleet.Alert, target, part string) {
	n.Rule, n.Target, n.Part = p.Name, target, part
	n.Severity = p.severity(x)
	n.Summary, n.Cause, n.Evidence, n.Runbook = p.summary.of(x), p.cause.of(x), p.evidence.of(x), p.runbook.of(x)
	if n.Summary == "" {
		n.Summary = p.Name + " on " + strings.TrimSuffix(target+"/"+part, "/")
	}
	n.Labels, n.Groups, n.Places = w.labels(p, x, n), nil, p.placesOf(x, target, part)
	if x.cause != nil {
		n.Blast = w.blast(x.cause)
	}
}

// severity is that of the rule, else that of what it looks at.
func (p *program) severity(x *scene) fleet.Severity {
	state := fleet.StateWarn
	switch {
	case p.Graded:
		return p.Severity
	case x.finding != nil:
		return x.finding.Severity
	case x.event != nil:
		return x.event.Severity
	case x.sensor != nil:
		state = x.sensor.State
	case x.device != nil:
		state = x.device.State
	}
	if state == fleet.StateCrit {
		return fleet.SeverityCrit
	}
	return fleet.SeverityWarn
}

// labels are what an alert is routed and grouped by. What is not known has none.
func (w *work) labels(p *program, x *scene, n *fleet.Alert) map[string]string {
	out := map[string]string{"rule": p.Name, "severity": n.Severity.String(), "target": n.Target}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	put("part", n.Part)
	device := x.device
	if device == nil {
		device = w.Next.Devices.Get(n.Target)
		if id, _, piece := strings.Cut(n.Target, "/"); device == nil && piece {
			device = w.Next.Devices.Get(id)
		}
	}
	if device != nil {
		for _, name := range [...]string{"kind", "rack", "site", "region", "owner", "tenant", "env"} {
			put(name, device.Spec.Carries(name))
		}
		put("service", device.Spec.Tags["service"])
	}
	switch {
	case x.rack != nil:
		put("rack", x.rack.Spec.ID)
		put("site", x.rack.Spec.Site)
		put("region", x.rack.Spec.Region)
	case x.site != nil:
		put("site", x.site.Spec.Name)
		put("region", x.site.Spec.Region)
	case x.region != nil:
		put("region", x.region.Spec.Name)
	case x.service != nil:
		put("service", x.service.Spec.Name)
		put("owner", x.service.Spec.Owner)
	case x.instance != nil:
		put("service", x.instance.Service)
		put("cloud", x.instance.Cloud)
	case x.host != nil:
		put("cloud", x.host.Cloud)
	case x.receiver != nil:
		put("receiver", x.receiver.Name)
	case x.cloud != nil:
		put("cloud", x.cloud.Spec.Name)
		put("region", x.cloud.Spec.Region)
	}
	if f := x.feed; f != nil {
		put("site", f.Spec.Site)
	} else if f := w.Next.Feeds.Get(n.Target); f != nil {
		put("site", f.Spec.Site)
	}
	if x.cause != nil {
		put("kind", string(x.cause.Kind))
	}
	for name, t := range p.labels {
		put(name, t.of(x))
	}
	return out
}

// places looks at regions, sites, racks, feeds, clouds and services. They are
// few, and change with what they hold.
func (w *work) places() {
	s := w.Next
	each(w, "region", &s.Regions, func(x *scene, v *fleet.Region) { x.region = v })
	each(w, "site", &s.Sites, func(x *scene, v *fleet.Site) { x.site = v })
	each(w, "rack", &s.Racks, func(x *scene, v *fleet.Rack) { x.rack = v })
	each(w, "feed", &s.Feeds, func(x *scene, v *fleet.Feed) { x.feed = v })
	each(w, "cloud", &s.Clouds, func(x *scene, v *fleet.Cloud) { x.cloud = v })
	each(w, "service", &s.Services, func(x *scene, v *fleet.Service) { x.service = v })
}

// guests looks at hosts and instances where a cloud was read.
func (w *work) guests() {
	if w.Guests || w.Before.Topology != w.Next.Topology {
		each(w, "host", &w.Next.Hosts, func(x *scene, v *fleet.HostState) { x.host = v })
		each(w, "instance", &w.Next.Instances, func(x *scene, v *fleet.InstanceState) { x.instance = v })
		w.gone(w.prev.List, "host", func(a *fleet.Alert) bool { return w.Next.Hosts.Number(a.Target) >= 0 })
		w.gone(w.prev.List, "instance", func(a *fleet.Alert) bool { return w.Next.Instances.Number(a.Target) >= 0 })
	}
}

func each[T any](w *work, on string, t *fleet.Table[T], set func(*scene, *T)) {
	list := w.rules.other[on]
	if len(list) == 0 {
		return
	}
	x := scene{s: w.Next, now: w.now}
	for id, v := range t.All() {
		set(&x, v)
		mine := w.prev.Of(id)
		for _, p := range list {
			w.ask(p, &x, mine, id, "")
		}
	}
}

// dockets looks at the findings of what was judged since the step before.
func (w *work) dockets() {
	list := w.rules.other["finding"]
	if len(list) == 0 {
		return
	}
	for _, i := range w.Looked {
		d := w.Next.Devices.At(i)
		var was *fleet.Docket
		if before := w.Before.Devices.Get(d.Spec.ID); before != nil {
			was = before.Docket
		}
		w.docket(list, d.Spec.ID, was, d.Docket)
	}
	s, b := w.Next, w.Before
	docketsOf(w, list, &s.Regions, &b.Regions, func(x *fleet.Region) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Racks, &b.Racks, func(x *fleet.Rack) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Feeds, &b.Feeds, func(x *fleet.Feed) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Clouds, &b.Clouds, func(x *fleet.Cloud) *fleet.Docket { return x.Docket })
	docketsOf(w, list, &s.Services, &b.Services, func(x *fleet.Service) *fleet.Docket { return x.Docket })
}

func docketsOf[T any](w *work, list []*program, t, before *fleet.Table[T], docket func(*T) *fleet.Docket) {
	for id, x := range t.All() {
		var was *fleet.Docket
		if b := before.Get(id); b != nil {
			was = docket(b)
		}
		w.docket(list, id, was, docket(x))
	}
}

func (w *work) docket(list []*program, target string, was, docket *fleet.Docket) {
	if docket == nil || was == docket && w.Before.Topology == w.Next.Topology {
		return
	}
	mine, there := w.prev.Of(target), map[string]bool{}
	x := scene{s: w.Next, now: w.now}
	for i := range docket.Findings {
		f := &docket.Findings[i]
		x.finding, there[f.Facet] = f, true
		for _, p := range list {
			if f.Stale.IsZero() {
				w.ask(p, &x, mine, target, f.Facet)
			} else if len(mine) > 0 {
				w.take(p, &x, mine, target, f.Facet, Unknown)
			}
		}
	}
	w.gone(mine, "finding", func(a *fleet.Alert) bool { return there[a.Part] })
}

// events looks at what happened in this step. An alert of an event has no second
// look: it is kept firing for as long as its rule says, or until the event is
// taken back.
func (w *work) events() {
	list := w.rules.other["event"]
	for i := range w.Events {
		e := &w.Events[i]
		if len(list) == 0 || w.now.Sub(e.At) > eventFresh {
			continue
		}
		x := scene{s: w.Next, now: w.now, event: e}
		mine := w.prev.Of(e.Target)
		for _, p := range list {
			if p.problem.of(&x) == True {
				w.happened(p, &x, mine)
			}
		}
	}
}

func (w *work) happened(p *program, x *scene, mine []*fleet.Alert) {
	e := x.event
	part := cmp.Or(e.Sensor, e.Type)
	k := key{e.Target, p.Name, part}
	a := w.get(mine, k)
	if !e.Asserted {
		if a != nil && a.State == fleet.AlertFiring {
			n := *a
			n.Good, n.Quiet, n.Stale = p.limits.recover, w.now.Add(-p.limits.keep), time.Time{}
			w.settle(k, a, p.limits.tick(&n, w.now))
		}
		return
	}
	w.take(p, x, mine, e.Target, part, True)
	if n := w.get(mine, k); n != nil && n.State == fleet.AlertFiring {
		y := *n
		y.Quiet, y.Good = w.now, p.limits.recover
		w.put(k, &y)
	}
}

// causes asks the graph what is behind what is wrong. It is asked after states
// changed, not more often than causesEvery.
func (w *work) causes(stirred bool) {
	list := w.rules.other["cause"]
	if len(list) == 0 {
		return
	}
	w.book.CausesDue = w.book.CausesDue || stirred && w.turned()
	if !w.book.CausesDue {
		return
	}
	if next := w.book.CausesAt.Add(causesEvery); w.now.Before(next) {
		w.wake(next)
		return
	}
	w.book.CausesAt, w.book.CausesDue = w.now, false
	there, explained := map[key]bool{}, map[string]string{}
	found := w.rules.graphOf(w.Next).Causes(w.Next, w.now)
	for i := range found {
		c := &found[i]
		x := scene{s: w.Next, now: w.now, cause: c}
		mine := w.prev.Of(c.ID)
		for _, p := range list {
			w.ask(p, &x, mine, c.ID, "")
			k := key{c.ID, p.Name, ""}
			there[k] = true
			if a := w.get(mine, k); a != nil && a.Active() {
				explains(explained, w.Next, c, a.ID())
			}
		}
	}
	w.book.Explained = explained
	w.gone(w.prev.List, "cause", func(a *fleet.Alert) bool { return there[keyOf(a)] })
}

// turned reports whether a state or a reason changed in this step.
func (w *work) turned() bool {
	if w.Guests || w.Before.Topology != w.Next.Topology {
		return true
	}
	for _, i := range w.Looked {
		d := w.Next.Devices.At(i)
		was := w.Before.Devices.Get(d.Spec.ID)
		if was == nil || was.State != d.State || was.Blind() != d.Blind() || !slices.Equal(was.About, d.About) {
			return true
		}
	}
	return false
}

// rooms looks at capacity.
func (w *work) rooms() {
	list := w.rules.other["room"]
	if len(list) == 0 || w.now.Sub(w.book.SurveyedAt) < roomEvery {
		return
	}
	w.book.SurveyedAt = w.now
	rows, there := capacity.Of(w.Next), map[key]bool{}
	for i := range rows {
		r := &rows[i]
		x := scene{s: w.Next, now: w.now, room: r}
		part := strings.TrimSpace(string(r.Resource) + " " + r.Class)
		mine := w.prev.Of(r.ID)
		for _, p := range list {
			there[key{r.ID, p.Name, part}] = true
			w.ask(p, &x, mine, r.ID, part)
		}
	}
	w.gone(w.prev.List, "room", func(a *fleet.Alert) bool { return there[keyOf(a)] })
}

// blast says what a cause takes with it: what it explains, what else stands on
// it, and the services that have replicas there.
func (w *work) blast(c *trace.Cause) string {
	var out []string
	if n := len(c.Explains); n > 0 {
		out = append(out, "explains "+plural(n, "part"))
	}
	if len(c.Also) > 0 {
		out = append(out, "also takes or leaves without redundancy "+trace.ByKind(c.Also))
	}
	if c.LastPath > 0 {
		out = append(out, plural(c.LastPath, "machine")+" on the last of several ways")
	}
	if s := w.atRisk(c); s != "" {
		out = append(out, "services at risk: "+s)
	}
	return fleet.Clean(strings.Join(out, "; "), 2*fleet.MaxText)
}

// maxServices bounds how many services are named.
const maxServices = 8

// atRisk names services with replicas on what a cause explains or takes.
func (w *work) atRisk(c *trace.Cause) string {
	on := map[int]bool{}
	see := func(id string) {
		if head, _, ok := strings.Cut(id, "/"); ok && w.Next.Devices.Number(id) < 0 {
			id = head
		}
		if n := w.Next.Devices.Number(id); n >= 0 {
			on[n] = true
		}
	}
	see(c.ID)
	for _, id := range c.Explains {
		see(id)
	}
	for _, l := range c.Also {
		see(l.ID)
	}
	var out []string
	for id, v := range w.Next.Services.All() {
		n := 0
		for _, i := range v.Devices {
			if on[i] {
				n++
			}
		}
		for _, i := range v.Instances {
			if d := w.Next.Instances.At(i).Device; d >= 0 && on[d] {
				n++
			}
		}
		if n > 0 {
			out = append(out, id+" ("+itoa(n)+" of "+itoa(len(v.Devices)+len(v.Instances))+" replicas)")
		}
	}
	if len(out) > maxServices {
		out = append(out[:maxServices], "and "+itoa(len(out)-maxServices)+" more")
	}
	return strings.Join(out, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}
