package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/lifecycle"
	"plumb/fleet/security"
)

// Prefixes of rows in the table of baselines: what people ruled, what a facet
// was before it last changed, and what came back.
const (
	rowRuling = "rule "
	rowFormer = "was "
	rowAgain  = "again " // what began or was done lately, and when
)

// weigher is what a step has to do about findings.
type weigher struct {
	cohorts map[string]fleet.Tally // this step's own copy; nil: untouched
	moved   map[string]bool        // cohorts that have another value in common now
	doubted map[int]bool           // clouds of which there is something new to judge
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
	if !slow {
		return
	}
	d.DeepAt = o.At
	for i := range d.Sources {
		if src := &d.Sources[i]; src.Source == o.Source {
			src.Facts, src.FactsAt = o.Tables[fleet.TableFacts], o.At
		}
	}
}

// readable reports whether a table was read in full and not long ago.
func (s *step) readable(d *fleet.Device, t fleet.TableID) bool {
	return d.Deep[t] == fleet.Complete && fleet.Young(d.DeepAt, s.now, s.next.Intervals[fleet.LaneSlow])
}

// scene is what the checks of doors may know of the fleet.
func (s *step) scene() *security.Scene {
	return &security.Scene{Now: s.now, Intervals: s.next.Intervals, Policies: s.policies(), Instances: &s.next.Instances,
		Cohorts: s.next.Cohorts, Cabled: s.next.Cabled, Number: s.next.Devices.Number, Device: s.devices.Peek}
}

// agedOut reports whether something that was young at the step before is not
// any more.
func (s *step) agedOut(at time.Time, lane fleet.Lane) bool {
	every := s.next.Intervals[lane]
	return !fleet.Young(at, s.now, every) && fleet.Young(at, s.prev.At, every)
}

// weighAged judges again what grew too old to say anything, whoever stopped
// reading it: that it is in order must not outlive the look that saw it so.
func (s *step) weighAged(i int, d *fleet.Device) {
	if d.Docket == nil {
		return
	}
	aged := s.agedOut(d.DeepAt, fleet.LaneSlow) || s.agedOut(d.AttachedAt, fleet.LaneSlow)
	for k := 0; k < len(d.Sources) && len(d.Sources) > 1; k++ { // of one wire it is the same
		aged = aged || s.agedOut(d.Sources[k].FactsAt, fleet.LaneSlow)
	}
	if aged {
		s.gatherCohorts()
		s.weigh(i)
	}
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
		s.gatherAttached(all, d)
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

// notePorts remembers what ports were set to that changed.
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
		if a, b := drift.AdminText(q), drift.AdminText(p); a != b && a != "" && b != "" {
			s.former(d, "port "+p.Name+" admin", a)
		}
		if p.Alias != q.Alias && !p.NoAlias && !q.NoAlias {
			s.former(d, "port "+p.Name+" alias", q.Alias)
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

// former remembers, durably, what a facet of a device was before it changed.
func (s *step) former(d *fleet.Device, facet, value string) {
	d.Docket = s.note(d.Spec.ID, d.Docket, facet, value)
}

// note remembers, durably, what a facet of a target was before it changed.
func (s *step) note(target string, docket *fleet.Docket, facet, value string) *fleet.Docket {
	docket = drift.Note(docket, fleet.Former{Facet: facet, Value: value, At: s.now})
	k := slices.IndexFunc(docket.Past, func(f fleet.Former) bool { return f.Facet == facet })
	s.change(target, fleet.TableBaselines, rowFormer+facet, encode(docket.Past[k]))
	return docket
}

func (s *step) policies() *fleet.Policies {
	if p := s.next.Policies; p != nil {
		return p
	}
	return &noPolicies
}

var noPolicies fleet.Policies

// judged are the kinds of findings that weigh makes.
var judged = slices.Concat(drift.Kinds, security.Kinds, lifecycle.Kinds)

// weigh judges everything that may stand against a device.
func (s *step) weigh(i int) {
	d := s.devices.At(i)
	s.changed = true
	s.attach(i, d)
	j := s.drifted(d)
	looks, looked, blind := security.Judge(d, s.scene())
	j.Looks, j.Looked, j.Blind = append(j.Looks, looks...), j.Looked+looked, j.Blind+blind
	j.Looks = append(j.Looks, lifecycle.Device(lifecycle.Case{
		Device: d, Norms: s.next.Norms[drift.CohortKey(d)], Now: s.now,
		Carries: func() (carries, known bool) { return lifecycle.Carries(&s.next, i) },
	})...)
	j.Kinds = judged
	j.StaleAfter, j.LastRead = 2*s.next.Intervals[fleet.LaneSlow], d.DeepAt
	fresh := d.Docket == nil || d.Docket.Looked == 0
	s.settle(i, drift.Settle(d.Docket, d.Spec.ID, j, s.now), fresh)
}

// drifted holds a device against its baselines.
func (s *step) drifted(d *fleet.Device) drift.Judgement {
	cabled := s.next.CabledOn[d.Spec.ID] // a switch asks for a thousand ports
	return drift.Judge(drift.Case{
		Device: d, Policies: s.policies(), Cohort: drift.Cohort(s.next.Cohorts[drift.CohortKey(d)]),
		Readable: func(t fleet.TableID) bool { return s.readable(d, t) },
		End:      s.end,
		Name:     func(a fleet.Attachment) string { return s.devices.Peek(a.Device).Spec.Name },
		Meant: func(port string) (fleet.Attachment, bool) {
			far, ok := cabled[port]
			return far, ok
		},
		Twin:   func(port string) string { return s.twin(d, port) },
		Corded: func(outlet int) fleet.Attachment { return s.next.Corded[d.Spec.ID+"/"+strconv.Itoa(outlet)] },
	})
}

// twin is the access VLAN of the other cables of the machine that is meant to
// hang on a port, where they are all in one.
func (s *step) twin(d *fleet.Device, port string) (vlan string) {
	far, ok := s.next.Cabled[d.Spec.ID+"/"+port]
	if !ok || far.Device < 0 {
		return ""
	}
	for _, c := range s.devices.Peek(far.Device).Spec.Links {
		sw, name, _ := splitPort(c.To)
		n := s.next.Devices.Number(sw)
		if c.NIC == far.Part || c.Management() || n < 0 {
			continue
		}
		p := s.devices.Peek(n).Port(name)
		if p == nil || drift.VLANText(p) == "" || vlan != "" && vlan != drift.VLANText(p) {
			return ""
		}
		vlan = drift.VLANText(p)
	}
	return vlan
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
	s.nameDoers(d.Spec.ID, after)
	s.keepFindings(d.Spec.ID, after)
	if !fresh {
		s.sayFindings(d.Spec.ID, after)
	}
}

// sayFindings tells of findings that begin and end, where they are worth it.
func (s *step) sayFindings(target string, after drift.Settled) {
	for _, f := range after.Begun {
		if f.Severity > fleet.SeverityInfo && f.Open() && !toldAsFact(f.Facet) {
			s.event(target, newsOf(&f), f.Text+by(&f), f.Severity, true)
		}
	}
	for _, f := range after.Ended {
		if f.Severity > fleet.SeverityInfo {
			s.event(target, newsOf(&f), "over: "+f.Text+by(&f), fleet.SeverityInfo, false)
		}
	}
}

// by names in an event who brought a finding about, or ended it.
func by(f *fleet.Finding) string {
	if f.Who == "" || !f.Ended.IsZero() && f.State != fleet.FindingReverted {
		return "" // who it was that began it did not end it
	}
	return ", by " + f.Who
}

// newsOf is the type of the event that tells of a finding.
func newsOf(f *fleet.Finding) string {
	if f.Kind.Planned() {
		return string(f.Kind)
	}
	return "drift"
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
		if d := s.devices.Peek(i); d.Docket != nil && (moved[drift.CohortKey(d)] || d.Attached != nil && moved[security.SiteKey(d.Spec.Site)]) {
			s.weigh(i)
		}
	}
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
		case strings.HasPrefix(name, rowAgain):
			if a := decode[fleet.Again](v); a != nil {
				d.Again = append(d.Again, *a)
			}
		}
	}
	return d
}
