package drift

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Kinds are the findings that this judge makes.
var Kinds = []fleet.FindingKind{fleet.FindFirmware, fleet.FindConfig, fleet.FindCabling, fleet.FindInventory}

// Case is a device with all that it is held against.
type Case struct {
	Device   *fleet.Device
	Policies *fleet.Policies
	Cohort   Cohort
	// Readable reports whether the last read of a table was good and is young
	// enough: what it does not show is then not there.
	Readable func(fleet.TableID) bool
	// End names the far end of a cable.
	End func(fleet.Attachment) string
	// Name is what people call the device at the far end of a cable.
	Name func(fleet.Attachment) string
	// Meant is what is intended to hang on a port, by ifName.
	Meant func(port string) (fleet.Attachment, bool)
	// Twin is the access VLAN that the other cables of the machine on a port are
	// in, where they agree; "": it is not known, or there are none. nil: nobody
	// looks.
	Twin func(port string) string
	// Corded is what is intended to hang on an outlet, by its number.
	Corded func(outlet int) fleet.Attachment
}

// judge is a judgement of a device under way.
type judge struct {
	Case
	ledger
}

// Judge looks at every facet of a device. Only those that are found, that were
// found before or that people ruled on get a look of their own; the others are
// counted.
func Judge(c Case) Judgement {
	j := &judge{c, newLedger(c.Device.Docket, func(facet string) *fleet.FacetPolicy { return policyOf(c.Policies, c.Device.Spec, facet) })}
	j.facts()
	j.identity()
	j.parts()
	j.ports()
	j.tags()
	j.cables()
	j.cords()
	j.unread(func(facet string) bool { return j.Readable(tableOf(facet)) })
	return j.out
}

// tableOf is the table that a facet is read from.
func tableOf(facet string) fleet.TableID {
	switch kind, rest, _ := strings.Cut(facet, " "); {
	case kind == "part":
		return fleet.TableEntities
	case kind == "outlet":
		return fleet.TableOutlets
	case kind == "port" && strings.HasSuffix(rest, " cable"):
		return fleet.TableNeighbors
	case kind == "port" && strings.HasSuffix(rest, tagged):
		return fleet.TableVLANs
	case kind == "port":
		return fleet.TablePorts
	}
	return fleet.TableFacts
}

// facts judges every fact that a rule or an expectation names.
func (j *judge) facts() {
	d, known := j.Device, j.Readable(fleet.TableFacts)
	for i := range d.Facts {
		f := &d.Facts[i]
		_, expected := d.Spec.Expect[f.Name]
		r, judged := ruleOf(j.Policies, d.Spec, f.Name)
		if !judged && !f.Volatile && muted(j.Policies, d.Spec, f.Name) {
			j.out.Muted++
			continue
		}
		if (!judged && !expected) || f.Volatile {
			continue
		}
		if f.Name == fleet.FactSerial || f.Name == fleet.FactModel {
			continue // see identity
		}
		j.fact(r, f.Name, f.Value, known)
	}
	j.vanished(known)
	for name := range d.Spec.Expect { // what is meant to be there and is not
		if Vouched(name, d.Facts) {
			continue
		}
		if _, judged := ruleOf(j.Policies, d.Spec, name); d.Facts.Get(name) == "" && judged {
			// A fact that was never read proves nothing: the wire may not carry it.
			j.look(name, false, nil)
		}
	}
}

// vanished judges facts that are not there, where the device would show them if
// they were: what it had within a week, what its like have and what is intended.
func (j *judge) vanished(known bool) {
	d := j.Device
	names := map[string]bool{}
	add := func(name string) {
		if Vouched(name, d.Facts) && d.Facts.Get(name) == "" {
			names[name] = true
		}
	}
	if d.Docket != nil {
		for i := range d.Docket.Past {
			add(d.Docket.Past[i].Facet)
		}
	}
	for name := range j.Cohort {
		add(name)
	}
	for name := range d.Spec.Expect {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if r, judged := ruleOf(j.Policies, d.Spec, name); judged {
			j.fact(r, name, "", known)
		}
	}
}

func (j *judge) fact(r rule, name, value string, known bool) {
	if !known {
		j.look(name, false, nil)
		return
	}
	f := &fleet.Finding{Facet: name, Kind: r.kind, Class: fleet.ClassChanged, Observed: value, Severity: r.severity, Evidence: "fact " + name}
	if value == "" {
		f.Class = fleet.ClassMissing
	}
	if x := j.Device.Spec.Expect[name]; x.Min != "" {
		r.mode = fleet.ModeMinimum // newer is fine, whoever is asked
	}
	j.against(f, j.intended(r, name, value), r.mode)
	if j.Device.Spec.Expect[name].Exact != "" && len(f.Baselines) == 0 {
		// Just as intended: that it was otherwise a week ago, or that its like
		// are, is how it came to be right. Within a bound both still speak.
		j.look(name, true, nil)
		return
	}
	if r.week {
		j.againstWeek(f, r.mode)
	}
	if r.cohort {
		j.againstCohort(f, r.mode)
	}
	j.verdict(f)
}

func (j *judge) againstCohort(f *fleet.Finding, mode fleet.Mode) {
	value, ok := j.Cohort.Others(f.Facet, f.Observed)
	if !ok || Agrees(mode, value, f.Observed) {
		return
	}
	if value == "" {
		f.Class = fleet.ClassUnmanaged
	}
	f.Baselines = append(f.Baselines, fleet.Baseline{Name: fleet.BaseCohort, Expected: value})
}

// intended is the inventory's word about a fact, where observed is not as it
// says.
func (j *judge) intended(r rule, name, observed string) *fleet.Baseline {
	x, ok := j.Device.Spec.Expect[name]
	if !ok {
		return nil
	}
	expected, mode := x.Exact, r.mode
	switch {
	case x.Min != "":
		expected, mode = x.Min, fleet.ModeMinimum
	case len(x.Subset) > 0:
		expected, mode = strings.Join(x.Subset, " "), fleet.ModeSubset
	}
	if Agrees(mode, expected, observed) {
		return nil
	}
	if mode == fleet.ModeMinimum {
		expected = "at least " + expected
	}
	return &fleet.Baseline{Name: fleet.BaseIntended, Expected: expected}
}

// identity holds serial and model against the inventory: another serial is
// another machine.
func (j *judge) identity() {
	d := j.Device
	known := j.Readable(fleet.TableFacts)
	for _, x := range []struct {
		name, meant string
		agrees      func(meant, is string) bool
	}{
		{fleet.FactSerial, d.Spec.Serial, strings.EqualFold},
		{fleet.FactModel, d.Spec.Model, sameModel},
	} {
		is := d.Facts.Get(x.name)
		if is == "" {
			continue
		}
		if !known {
			j.look(x.name, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: x.name, Kind: fleet.FindInventory, Class: fleet.ClassChanged, Observed: is, Severity: fleet.SeverityWarn, Evidence: "fact " + x.name}
		var meant *fleet.Baseline
		if x.meant != "" && !x.agrees(x.meant, is) {
			meant = &fleet.Baseline{Name: fleet.BaseIntended, Expected: x.meant}
		}
		j.against(f, meant, fleet.ModeExact)
		j.againstWeek(f, fleet.ModeExact)
		j.verdict(f)
	}
}

// sameModel knows that makers write "PowerEdge R6515" where people write R6515.
func sameModel(meant, is string) bool {
	meant, is = strings.ToLower(meant), strings.ToLower(is)
	return strings.Contains(is, meant) || strings.Contains(meant, is)
}

// parts finds hardware that went, came or was exchanged within a week.
func (j *judge) parts() {
	d := j.Device.Docket
	if d == nil {
		return
	}
	known := j.Readable(fleet.TableEntities)
	for i := range d.Past {
		p := &d.Past[i]
		name, ok := strings.CutPrefix(p.Facet, "part ")
		if !ok {
			continue
		}
		if !known {
			j.look(p.Facet, false, nil)
			continue
		}
		is := PartText(j.part(name))
		if is == p.Value {
			j.look(p.Facet, true, nil)
			continue
		}
		f := &fleet.Finding{Facet: p.Facet, Kind: fleet.FindInventory, Class: fleet.ClassChanged, Observed: is, Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceHigh,
			Baselines: []fleet.Baseline{{Name: fleet.BaseLastWeek, Expected: p.Value}}, Evidence: "parts list"}
		switch {
		case is == "":
			f.Class, f.Text = fleet.ClassMissing, name+" is gone: was "+p.Value
		case p.Value == "":
			f.Class, f.Severity, f.Text = fleet.ClassUnmanaged, fleet.SeverityInfo, name+" is new: "+is
		default:
			f.Text = name + " was exchanged: " + p.Value + " → " + is
		}
		j.look(p.Facet, true, f)
	}
}

func (j *judge) part(name string) *fleet.Entity {
	for i := range j.Device.Entities {
		if PartName(&j.Device.Entities[i]) == name {
			return &j.Device.Entities[i]
		}
	}
	return nil
}

// PartName names a part the way it survives another read.
func PartName(e *fleet.Entity) string {
	switch {
	case e.Name != "":
		return e.Name
	case e.Descr != "":
		return e.Descr + " " + strconv.Itoa(e.Index)
	}
	return strconv.Itoa(e.Index)
}

// PartText is what tells one part from another: model and serial.
func PartText(e *fleet.Entity) string {
	if e == nil {
		return ""
	}
	text := strings.TrimSpace(e.Model + " " + e.Serial)
	if text == "" {
		return strings.TrimSpace(e.Descr)
	}
	return text
}

// PartCounts reports whether a part is one that people buy, lose and exchange:
// containers, ports and sensors are not.
func PartCounts(e *fleet.Entity) bool {
	switch strings.ToLower(e.Class) {
	case "port", "sensor", "container", "backplane", "stack", "other", "unknown", "":
		return e.Serial != ""
	}
	return true
}

// cables are ports that hear something else than what is meant to hang there.
func (j *judge) cables() {
	d := j.Device
	known := j.Readable(fleet.TableNeighbors) || j.Readable(fleet.TableFDB)
	for i := range d.Miscabled {
		m := &d.Miscabled[i]
		facet := "port " + m.Port + " cable"
		if !known {
			j.look(facet, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: facet, Kind: fleet.FindCabling, Class: fleet.ClassMoved, Observed: j.End(m.Hears), Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceHigh,
			Evidence: m.Source + " of " + d.Spec.ID}
		if m.Home != "" {
			f.Baselines = []fleet.Baseline{{Name: fleet.BaseIntended, Expected: ""}}
			f.Text = m.Port + " hears " + f.Observed + ", which is intended on " + m.Home
		} else {
			f.Baselines = []fleet.Baseline{{Name: fleet.BaseIntended, Expected: j.End(m.Meant)}}
			f.Text = m.Port + " hears " + f.Observed + ", intended " + j.End(m.Meant)
		}
		if m.Source == "fdb" { // a learned address may have come through another switch
			f.Confidence = fleet.ConfidenceMedium
		}
		j.look(facet, true, f)
	}
}
