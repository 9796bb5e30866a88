package alert

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// roomEvery is the beat of capacity, which costs a walk over the fleet.
const roomEvery = 10 * time.Minute

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
		w.nudgeFed(target)
		w.nudgeNear(target)
	}
	w.settle(k, a, n)
}

// settle puts an alert where it changed, and looks at what stands on it when it
// is over.
func (w *work) settle(k key, was, n *fleet.Alert) {
	if n == nil && was != nil {
		n = w.owed(was)
	}
	if n == was {
		return
	}
	w.put(k, n)
	if was != nil && was.State == fleet.AlertFiring && (n == nil || n.State == fleet.AlertResolved) {
		w.nudgeNear(k.target)
	}
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
