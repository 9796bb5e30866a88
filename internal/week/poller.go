package week

import (
	"time"

	"plumb/fleet"
)

// Poller says what probes would have said, minute by minute. It remembers what
// they do.
type Poller struct {
	*World
	targets []*target
}

// target is a device or a cloud with what a poller knows of it.
type target struct {
	id    string
	thing any
	owed  fleet.Lane // what silence kept from being read
	read  bool       // once, whole
	facts fleet.Facts
	is    fleet.Completeness
	up    map[*Event]bool // reboots that were seen
	log   logCursor
}

// NewPoller polls a world from its first minute on.
func NewPoller(w *World) *Poller {
	p := &Poller{World: w}
	for i := range w.Inv.Devices {
		id := w.Inv.Devices[i].ID
		p.targets = append(p.targets, &target{id: id, thing: w.byID[id], up: map[*Event]bool{}})
	}
	for _, c := range w.clouds {
		p.targets = append(p.targets, &target{id: c.id, thing: c, up: map[*Event]bool{}})
	}
	return p
}

// Poll returns what was polled in a minute: each target every five minutes, its
// tables and the slow lane at times of their own.
func (p *Poller) Poll(m Moment) []*fleet.Observation {
	var out []*fleet.Observation
	fast, tables, slow := int64(Intervals[0]/time.Minute), int64(Intervals[1]/Intervals[0]), int64(Intervals[2]/Intervals[0])
	for i, t := range p.targets {
		if (minute(m)-int64(i))%fast != 0 {
			continue
		}
		k := (minute(m)-int64(i)%fast)/fast + int64(i)/fast
		switch {
		case k%slow == 0 || !t.read:
			t.owed = fleet.LaneSlow
		case k%tables == 0:
			t.owed = max(t.owed, fleet.LaneTables)
		}
		out = append(out, p.poll(t, m))
	}
	return out
}

// Ask polls one target out of its turn, as a nudge does; nil: nothing polls it.
func (p *Poller) Ask(id string, m Moment) *fleet.Observation {
	for _, t := range p.targets {
		if t.id == id {
			return p.poll(t, m)
		}
	}
	return nil
}

func (p *Poller) poll(t *target, m Moment) *fleet.Observation {
	o := &fleet.Observation{Target: t.id, Lane: t.owed, At: p.Time(m), Took: 80 * time.Millisecond, Source: fleet.SourceSNMP}
	switch t.thing.(type) {
	case *server:
		o.Source = fleet.SourceIPMI
	case *cloud:
		o.Source = fleet.SourceOpenStack
	}
	if p.Unseen(t.id, m) {
		silent(o)
		return o
	}
	switch x := t.thing.(type) {
	case *server:
		p.askServer(o, t, x, m)
	case *netswitch:
		p.askSwitch(o, t, x, m)
	case *pdu:
		p.askPDU(o, x, m)
	case *cloud:
		askCloud(p.World, o, x, m)
	}
	t.owed, t.read = fleet.LaneFast, true
	return o
}

// silent is a poll that nobody answered.
func silent(o *fleet.Observation) {
	o.Err = &fleet.ProbeError{Target: o.Target, Op: "open session", Err: fleet.ErrTimeout}
	asked := map[fleet.Source][]fleet.TableID{
		fleet.SourceIPMI:      {fleet.TableFacts, fleet.TableSensors},
		fleet.SourceSNMP:      {fleet.TablePorts, fleet.TableSensors, fleet.TableOutlets},
		fleet.SourceOpenStack: {fleet.TableFacts, fleet.TableInstances, fleet.TableHosts},
	}
	for _, t := range asked[o.Source] {
		o.SetTable(t, fleet.Failed)
	}
	if o.Source == fleet.SourceSNMP && o.Lane >= fleet.LaneTables {
		for _, t := range []fleet.TableID{fleet.TableNeighbors, fleet.TableFDB, fleet.TableVLANs, fleet.TableARP} {
			o.SetTable(t, fleet.Failed)
		}
	}
	if o.Source == fleet.SourceSNMP && o.Lane == fleet.LaneSlow {
		o.SetTable(fleet.TableFacts, fleet.Failed)
		o.SetTable(fleet.TableEntities, fleet.Failed)
	}
}

// Unseen reports whether a target does not answer.
func (w *World) Unseen(id string, m Moment) (is bool) {
	site := ""
	switch x := w.byID[id].(type) {
	case *server:
		site, is = x.site, w.lost(x.head+"swa", m)
	case *netswitch:
		site, is = x.site, w.lost(x.id, m)
	case *pdu:
		site, is = x.site, !x.ups && w.dark(x.id, m)
	case *cloud:
		site = x.site
	}
	w.events(site, m, func(e *Event) { is = is || e.Site == site })
	w.events(id, m, func(e *Event) { is = is || e.Blind })
	return is
}

func (p *Poller) askServer(o *fleet.Observation, t *target, s *server, m Moment) {
	if o.Lane == fleet.LaneSlow {
		facts, is := p.identity(s, m)
		t.facts, t.is = facts, is
		o.Entities, is = p.parts(s, m)
		o.SetTable(fleet.TableEntities, is)
	}
	o.Facts = append(fleet.Facts(nil), t.facts...)
	o.Facts.Set(fleet.FactPower, "on")
	o.SetTable(fleet.TableFacts, t.is)
	rebooted := false
	for _, e := range p.on[s.id] {
		if e.Reboot && m >= e.At && !t.up[e] {
			t.up[e], rebooted = true, true
		}
	}
	o.Sensors = p.sensors(s, m, rebooted)
	o.SetTable(fleet.TableSensors, fleet.Complete)
	if o.Lane >= fleet.LaneTables {
		o.SetTable(fleet.TableEvents, fleet.Complete)
		o.Events = t.log.read(p.World, s, m)
	}
}

func (p *Poller) askSwitch(o *fleet.Observation, t *target, x *netswitch, m Moment) {
	at, _ := p.began(x, "", m)
	x.readFast(p.World, o, m)
	if o.Lane >= fleet.LaneTables {
		x.readTables(p.World, o, m)
	}
	if o.Lane == fleet.LaneSlow {
		o.Facts = x.facts(p.World, m)
		o.SetTable(fleet.TableFacts, fleet.Complete)
		o.SetTable(fleet.TableEntities, fleet.Complete)
		o.Entities = []fleet.Entity{{Index: 1, Class: "chassis", Name: x.id, Model: x.model(), Serial: x.serial()}}
	}
	o.Facts.SetNum(fleet.FactUptime, num(time.Duration(m-at).Seconds(), 2), true)
}

func (p *Poller) askPDU(o *fleet.Observation, x *pdu, m Moment) {
	p.readPDU(o, x, m)
	if o.Lane >= fleet.LaneTables {
		for _, t := range []fleet.TableID{fleet.TableNeighbors, fleet.TableFDB, fleet.TableVLANs, fleet.TableARP} {
			o.SetTable(t, fleet.Absent)
		}
	}
	o.SetTable(fleet.TablePorts, fleet.Absent)
	if o.Lane == fleet.LaneSlow {
		o.Facts = p.pduFacts(x, m)
		o.SetTable(fleet.TableFacts, fleet.Complete)
		o.SetTable(fleet.TableEntities, fleet.Absent)
	}
	o.Facts.SetNum(fleet.FactUptime, num(time.Duration(m).Seconds()+5e6, 2), true)
}

func askCloud(w *World, o *fleet.Observation, c *cloud, m Moment) {
	c.read(w, o, m)
	o.Facts = c.facts(w, m)
	o.SetTable(fleet.TableFacts, word(o.Lane == fleet.LaneSlow, fleet.Complete, fleet.Partial))
	if o.Lane >= fleet.LaneTables {
		o.SecurityGroups = c.groups(w, m)
		o.SetTable(fleet.TableSecurityGroups, fleet.Complete)
	}
}
