package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

// Prefixes of rows in the table of baselines: what people ruled, and what a
// facet was before it last changed.
const (
	rowRuling = "rule "
	rowFormer = "was "
)

// weigher is what a step has to do about findings.
type weigher struct {
	cohorts map[string]fleet.Tally // this step's own copy; nil: untouched
	moved   map[string]bool        // cohorts that have another value in common now
}

// weighAfter has a device's findings judged again where an observation says
// something new about them.
func (s *step) weighAfter(i int, was *fleet.Device, o *fleet.Observation) {
	d := s.devices.At(i)
	s.deepen(d, o)
	news := s.noteFacts(d, was)
	news = s.noteParts(d, was, o) || news
	news = s.notePorts(d, was) || news
	news = s.noteTags(d, was, o) || news
	if news || o.Lane > fleet.LaneFast || len(d.Miscabled) != len(was.Miscabled) {
		s.weigh(i)
	}
}

// deepen keeps how well each table was read by the slowest lane that reads it.
// Facts and parts are the slow lane's; a fast poll reads a few of them.
func (s *step) deepen(d *fleet.Device, o *fleet.Observation) {
	if o.Lane == fleet.LaneFast {
		return
	}
	slow := o.Lane == fleet.LaneSlow
	for t, c := range o.Tables {
		if int(t) < len(d.Deep) && (slow || t != fleet.TableFacts && t != fleet.TableEntities) {
			d.Deep[t] = c
		}
	}
	if slow {
		d.DeepAt = o.At
	}
}

// readable reports whether a table was read in full and not long ago.
func (s *step) readable(d *fleet.Device, t fleet.TableID) bool {
	return d.Deep[t] == fleet.Complete && s.now.Sub(d.DeepAt) <= 2*s.next.Intervals[fleet.LaneSlow]
}

// noteFacts takes changed facts into the cohort, and remembers what they were.
func (s *step) noteFacts(d, was *fleet.Device) bool {
	if len(d.Facts) == len(was.Facts) && (len(d.Facts) == 0 || &d.Facts[0] == &was.Facts[0]) {
		return false
	}
	key, keyWas := drift.CohortKey(d), drift.CohortKey(was)
	known := !was.DeepAt.IsZero() // before the first whole look nothing appears, it is read
	news := key != keyWas
	each := func(name, before, after string) {
		if before == after {
			return
		}
		news = true
		if drift.InCohort(s.policies(), d.Spec, name) && key == keyWas {
			s.cohort(key, name, before, after)
		}
		if known || before != "" {
			s.former(d, name, before)
		}
	}
	a, b := was.Facts, d.Facts
	for len(a) > 0 || len(b) > 0 { // both in the order of their names
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			if !a[0].Volatile {
				each(a[0].Name, a[0].Value, "")
			}
			a = a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			if !b[0].Volatile {
				each(b[0].Name, "", b[0].Value)
			}
			b = b[1:]
		default:
			if !b[0].Volatile {
				each(b[0].Name, a[0].Value, b[0].Value)
			}
			a, b = a[1:], b[1:]
		}
	}
	if key != keyWas {
		s.changeCohort(d, was, key, keyWas)
	}
	return news
}

// changeCohort moves a device whose model became known, or another.
func (s *step) changeCohort(d, was *fleet.Device, key, keyWas string) {
	for _, f := range was.Facts {
		if !f.Volatile && drift.InCohort(s.policies(), d.Spec, f.Name) {
			s.cohort(keyWas, f.Name, f.Value, "")
		}
	}
	for _, f := range d.Facts {
		if !f.Volatile && drift.InCohort(s.policies(), d.Spec, f.Name) {
			s.cohort(key, f.Name, "", f.Value)
		}
	}
}

func (s *step) cohort(key, fact, was, value string) {
	if s.weigher.cohorts == nil {
		s.weigher.cohorts = maps.Clone(s.next.Cohorts)
		s.next.Cohorts = s.weigher.cohorts
	}
	next, moved := drift.Cohort(s.weigher.cohorts[key]).With(fact, was, value)
	s.weigher.cohorts[key] = fleet.Tally(next)
	if moved {
		if s.weigher.moved == nil {
			s.weigher.moved = map[string]bool{}
		}
		s.weigher.moved[key] = true
	}
}

// gatherCohorts counts every device once, at the first step that asks: a
// restart has better to do before its first screen. It comes before the first
// device of the step is touched.
func (s *step) gatherCohorts() {
	if s.next.Cohorts != nil {
		return
	}
	all := map[string]fleet.Tally{}
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		if len(d.Facts) == 0 {
			continue
		}
		key := drift.CohortKey(d)
		if all[key] == nil {
			all[key] = fleet.Tally{}
		}
		for _, f := range d.Facts {
			if !f.Volatile && drift.InCohort(s.policies(), d.Spec, f.Name) {
				drift.Cohort(all[key]).Add(f.Name, f.Value)
			}
		}
	}
	s.next.Cohorts = all
}

// noteParts remembers parts that went, came or were exchanged.
func (s *step) noteParts(d, was *fleet.Device, o *fleet.Observation) bool {
	if o.Tables[fleet.TableEntities] != fleet.Complete || was.Deep[fleet.TableEntities] != fleet.Complete || slices.Equal(d.Entities, was.Entities) {
		return false
	}
	before := map[string]string{}
	for i := range was.Entities {
		if e := &was.Entities[i]; drift.PartCounts(e) {
			before[drift.PartName(e)] = drift.PartText(e)
		}
	}
	for i := range d.Entities {
		e := &d.Entities[i]
		if !drift.PartCounts(e) {
			continue
		}
		name := drift.PartName(e)
		if text, ok := before[name]; !ok || text != drift.PartText(e) {
			s.former(d, "part "+name, text)
		}
		delete(before, name)
	}
	for name, text := range before {
		s.former(d, "part "+name, text)
	}
	return true
}

// notePorts remembers VLANs and speeds that changed.
func (s *step) notePorts(d, was *fleet.Device) bool {
	if len(d.Ports) != len(was.Ports) {
		return true
	}
	news := false
	for i := range d.Ports {
		p, q := &d.Ports[i], &was.Ports[i]
		if p.PortDef == q.PortDef || p.PortDef == nil || q.PortDef == nil {
			continue
		}
		news = true
		if p.Name != q.Name {
			if q = was.Port(p.Name); q == nil {
				continue
			}
		}
		if p.VLAN != q.VLAN && p.VLAN != 0 && q.VLAN != 0 {
			s.former(d, "port "+p.Name+" vlan", drift.VLANText(q))
		}
		if a, b := drift.SpeedText(q), drift.SpeedText(p); a != b && a != "" && b != "" {
			s.former(d, "port "+p.Name+" speed", a)
		}
	}
	return news
}

// noteTags remembers the tagged VLANs of ports that have light before and
// after: of a dark one some switches list none.
func (s *step) noteTags(d, was *fleet.Device, o *fleet.Observation) bool {
	if o.Tables[fleet.TableVLANs] != fleet.Complete || was.Deep[fleet.TableVLANs] != fleet.Complete || slices.EqualFunc(d.VLANs, was.VLANs, func(a, b fleet.VLAN) bool { return sameVLAN(&a, &b) }) {
		return false
	}
	before, after := drift.Tags(was), drift.Tags(d)
	news := false
	for _, port := range slices.Sorted(maps.Keys(after)) {
		if had, ok := before[port]; ok && had != after[port] {
			s.former(d, drift.TagsFacet(port), had)
			news = true
		}
	}
	return news
}

// former remembers, durably, what a facet was before it changed.
func (s *step) former(d *fleet.Device, facet, value string) {
	f := fleet.Former{Facet: facet, Value: value, At: s.now}
	before := 0
	if d.Docket != nil {
		before = len(d.Docket.Past)
	}
	d.Docket = drift.Note(d.Docket, f)
	if len(d.Docket.Past) > before {
		s.change(d.Spec.ID, fleet.TableBaselines, rowFormer+facet, encode(f))
	}
}

func (s *step) policies() *fleet.Policies {
	if p := s.next.Policies; p != nil {
		return p
	}
	return &noPolicies
}

var noPolicies fleet.Policies

// judged are the kinds of findings that weigh makes.
var judged = slices.Concat(drift.Kinds, security.Kinds)

// weigh judges everything that may stand against a device.
func (s *step) weigh(i int) {
	d := s.devices.At(i)
	s.changed = true
	j := drift.Judge(drift.Case{
		Device: d, Policies: s.policies(), Cohort: drift.Cohort(s.next.Cohorts[drift.CohortKey(d)]),
		Readable: func(t fleet.TableID) bool { return s.readable(d, t) },
		End:      s.end,
		Meant: func(port string) (fleet.Attachment, bool) {
			far, ok := s.next.Cabled[d.Spec.ID+"/"+port]
			return far, ok
		},
		Corded: func(outlet int) fleet.Attachment { return s.next.Corded[d.Spec.ID+"/"+strconv.Itoa(outlet)] },
	})
	looks, looked, blind := security.Judge(d, s.policies(), s.readable(d, fleet.TableFacts))
	j.Looks, j.Looked, j.Blind = append(j.Looks, looks...), j.Looked+looked, j.Blind+blind
	j.Kinds = judged
	j.StaleAfter, j.LastRead = 2*s.next.Intervals[fleet.LaneSlow], d.DeepAt
	fresh := d.Docket == nil || d.Docket.Looked == 0
	s.settle(i, drift.Settle(d.Docket, d.Spec.ID, j, s.now), fresh)
}

// settle puts a docket in its place and writes down what changed. What a first
// look finds was there before: it is found, and no news.
func (s *step) settle(i int, after drift.Settled, fresh bool) {
	d := s.devices.At(i)
	d.Docket = after.Docket
	if open := after.Docket.Open(); open != d.DriftOpen {
		d.DriftOpen = open
		s.touched[i] = true
	}
	s.keepFindings(d.Spec.ID, after)
	if !fresh {
		s.sayFindings(d.Spec.ID, after)
	}
}

// sayFindings tells of findings that begin and end, where they are worth it.
func (s *step) sayFindings(target string, after drift.Settled) {
	for _, f := range after.Begun {
		if f.Severity > fleet.SeverityInfo && f.Open() && !toldAsFact(f.Facet) {
			s.event(target, "drift", f.Text, f.Severity, true)
		}
	}
	for _, f := range after.Ended {
		if f.Severity > fleet.SeverityInfo {
			s.event(target, "drift", "over: "+f.Text, fleet.SeverityInfo, false)
		}
	}
}

// keepFindings records the findings that changed.
func (s *step) keepFindings(target string, after drift.Settled) {
	for _, list := range [...][]fleet.Finding{after.Begun, after.Moved, after.Ended} {
		for i := range list {
			s.change(target, fleet.TableFindings, list[i].Facet, encode(&list[i]))
		}
	}
}

// toldAsFact reports whether sayFacts tells of a change of this fact.
func toldAsFact(facet string) bool {
	switch facet {
	case fleet.FactFirmware, fleet.FactSerial, fleet.FactGUID, fleet.FactModel:
		return true
	}
	return false
}

// weighMoved judges again the devices whose like has something else in common
// now.
func (s *step) weighMoved() {
	moved := s.weigher.moved
	if len(moved) == 0 {
		return
	}
	s.weigher.moved = nil
	for i := range s.devices.Len() {
		if d := s.devices.Peek(i); d.Docket != nil && moved[drift.CohortKey(d)] {
			s.weigh(i)
		}
	}
}

// lapseEvery is how often it is looked for what its time has passed.
const lapseEvery = time.Minute

// lapse takes out what its time has passed, once in a minute.
func (s *step) lapse() {
	if s.now.Truncate(lapseEvery).Equal(s.prev.At.Truncate(lapseEvery)) {
		return
	}
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		l, ok := drift.Lapse(d.Docket, s.now)
		if !ok {
			continue
		}
		s.keepLapsed(d.Spec.ID, &l)
		s.settle(i, l.Settled, true)
		if len(l.Past) > 0 {
			s.gatherCohorts()
			s.weigh(i)
		}
	}
	s.lapseClouds()
}

// keepLapsed records what its time has passed.
func (s *step) keepLapsed(target string, l *drift.Lapsed) {
	s.changed = true
	for _, r := range l.Rulings {
		s.change(target, fleet.TableBaselines, rowRuling+r.Facet, nil)
	}
	for _, f := range l.Past {
		s.change(target, fleet.TableBaselines, rowFormer+f.Facet, nil)
	}
	for _, f := range l.Gone {
		s.change(target, fleet.TableFindings, f.Facet, nil)
	}
}

// rule takes what a person decided about a finding.
func (s *step) rule(r fleet.Ruling) {
	i, cloud := s.next.Devices.Number(r.Target), s.next.Clouds.Number(r.Target)
	if i < 0 && cloud < 0 {
		return
	}
	s.changed = true
	s.gatherCohorts()
	value := encode(r)
	if r.Verdict == fleet.FindingOpen {
		value = nil
	}
	s.change(r.Target, fleet.TableBaselines, rowRuling+r.Facet, value)
	if i < 0 {
		c := s.clouds.At(cloud)
		s.holdAgainst(c, drift.Rule(c.Docket, r, s.now), true)
		s.weighCloud(c)
		return
	}
	s.settle(i, drift.Rule(s.devices.Peek(i).Docket, r, s.now), true)
	s.weigh(i)
}

// recallDocket puts findings, or what they rest on, back.
func recallDocket(d *fleet.Docket, rows *fleet.Rows) *fleet.Docket {
	if d == nil {
		d = &fleet.Docket{}
	}
	for i, v := range rows.Values {
		switch name := rows.Names[i]; {
		case rows.Table == fleet.TableFindings:
			if f := decode[fleet.Finding](v); f != nil && f.Ended.IsZero() {
				d.Findings = append(d.Findings, *f)
			} else if f != nil {
				d.Gone = append(d.Gone, *f)
			}
		case strings.HasPrefix(name, rowRuling):
			if r := decode[fleet.Ruling](v); r != nil {
				d.Rulings = append(d.Rulings, *r)
			}
		case strings.HasPrefix(name, rowFormer):
			if f := decode[fleet.Former](v); f != nil {
				d.Past = append(d.Past, *f)
			}
		}
	}
	return d
}
