package snmp

import (
	"context"
	"strconv"
	"strings"

	"plumb/fleet"
)

// family describes the sensors of one MIB as data: UPS-MIB and the vendors'
// PDU tables have no ENTITY-SENSOR rows. A scalar is a column with the one
// row 0.
type family struct {
	table  string // prefix of the sensors' keys
	gauges []gauge
	rows   int // rows to expect, so that a walk does not run far into what follows
	// labels name the rows; the first column with a value above zero wins.
	labels []label
	limits []limit
	// unless names a family that carries the same measurements under newer
	// names: where it has this class, this family is left out.
	unless string
	class  fleet.SensorClass
}

// gauge is one column of readings.
type gauge struct {
	column oid
	name   string
	class  fleet.SensorClass
	unit   string
	scale  int8  // power of ten from the wire to unit
	times  int64 // and a factor; 0: 1
	low    int64 // smallest value that is one; below it the device has none
	words  []enum
}

// enum is one value of a state: its word and what it means for health.
type enum struct {
	word  string
	state fleet.State
}

// label names rows by a column's value ("phase 2"), or by the index where the
// column is nil.
type label struct {
	column oid
	word   string
}

// limit holds warn and crit thresholds of the rows that carry the label's word.
type limit struct {
	word       string
	warn, crit oid
}

// familyMemory is what is remembered of a family that the device has.
type familyMemory struct {
	*family
	sensors []*familySensor
	byPlace map[place]*familySensor
	keys    map[string]bool
}

// place is a gauge's number with a row.
type place struct {
	gauge int
	row   string
}

type familySensor struct {
	*gauge
	def *fleet.SensorDef
}

// readFamilies reads the sensors of all families: in a defining poll each is
// asked for, else those that were there.
func (p *poll) readFamilies(ctx context.Context) {
	if p.define {
		p.defineFamilies(ctx)
	}
	for _, m := range p.sensors.families {
		values := map[*familySensor]fleet.Sensor{}
		columns := make([]oid, len(m.gauges))
		for i := range m.gauges {
			columns[i] = m.gauges[i].column
		}
		w := p.walk(ctx, columns, m.rows, func(col int, index oid, v value) {
			if s := m.byPlace[place{col, index.String()}]; s != nil {
				values[s] = s.read(v)
			}
		})
		p.note(fleet.TableSensors, m.table, w)
		for _, s := range m.sensors {
			if r, ok := values[s]; ok {
				p.obs.Sensors = append(p.obs.Sensors, r)
			}
		}
	}
}

// defineFamilies finds out which families the device has, and their rows.
func (p *poll) defineFamilies(ctx context.Context) {
	known := p.sensors.families
	p.sensors.families = nil
	for i := range families {
		f := &families[i]
		if p.replaced(f) {
			continue
		}
		m := &familyMemory{family: f, byPlace: map[place]*familySensor{}, keys: map[string]bool{}}
		var places []place
		columns := make([]oid, len(f.gauges))
		for i := range f.gauges {
			columns[i] = f.gauges[i].column
		}
		w := p.walk(ctx, columns, f.rows, func(col int, index oid, v value) {
			if n, ok := v.int(); ok && f.gauges[col].has(n) {
				places = append(places, place{col, index.String()})
			}
		})
		w = p.confirm(f.table, w)
		switch {
		case w.err != nil || w.is == fleet.Partial && w.cells == 0: // not read, or not there for the moment
			p.note(fleet.TableSensors, f.table, w)
			for _, k := range known {
				if k.family == f {
					p.sensors.families = append(p.sensors.families, k)
				}
			}
			continue
		case len(places) == 0:
			continue
		}
		names := p.rowLabels(ctx, f)
		limits := p.rowLimits(ctx, f)
		for i := range f.gauges {
			for _, at := range places {
				if at.gauge == i {
					m.add(at, names[at.row], limits)
				}
			}
		}
		p.sensors.families = append(p.sensors.families, m)
	}
}

// replaced reports whether a newer family of the device has what f would say.
func (p *poll) replaced(f *family) bool {
	for _, m := range p.sensors.families {
		for _, s := range m.sensors {
			if m.table == f.unless && s.def.Class == f.class {
				return true
			}
		}
	}
	return false
}

// has reports whether the device measures what it answers n for.
func (g *gauge) has(n int64) bool {
	if n >= 1 && n <= int64(len(g.words)) {
		return g.words[n-1].word != ""
	}
	return n >= g.low
}

func (m *familyMemory) add(at place, row string, limits map[string]fleet.Limits) {
	g := &m.gauges[at.gauge]
	name := g.name
	if row == "" && at.row != "0" {
		row = strings.TrimSpace(m.rowWord() + " " + at.row)
	}
	if row != "" {
		name = row + " " + g.name
	}
	s := &familySensor{gauge: g, def: &fleet.SensorDef{ID: g.column.String() + "." + at.row, Key: m.table + ":" + name, Name: name, Class: g.class, Unit: g.unit}}
	if g.class == fleet.ClassCurrent {
		s.def.Limits = limits[row]
	}
	if m.keys[s.def.Key] {
		s.def.Key += "." + at.row
	}
	m.keys[s.def.Key] = true
	m.sensors = append(m.sensors, s)
	m.byPlace[at] = s
}

// rowWord is what a row is called that has only its index.
func (f *family) rowWord() string {
	for _, l := range f.labels {
		if l.column == nil {
			return l.word
		}
	}
	return "row"
}

// rowLabels names the rows of a family.
func (p *poll) rowLabels(ctx context.Context, f *family) map[string]string {
	names := map[string]string{}
	for _, l := range f.labels {
		if l.column == nil {
			continue
		}
		p.walk(ctx, []oid{l.column}, f.rows, func(_ int, index oid, v value) {
			if n := v.small(); n > 0 && names[index.String()] == "" {
				names[index.String()] = l.word + " " + strconv.Itoa(n)
			}
		})
	}
	return names
}

// rowLimits reads the thresholds by the label of their row.
func (p *poll) rowLimits(ctx context.Context, f *family) map[string]fleet.Limits {
	limits := map[string]fleet.Limits{}
	for _, l := range f.limits {
		p.walk(ctx, []oid{l.warn, l.crit}, f.rows, func(col int, index oid, v value) {
			n, ok := v.int()
			if !ok || n <= 0 || len(index) != 1 {
				return
			}
			row := l.word + " " + index.String()
			is := limits[row]
			if col == 0 {
				is.HighWarn = fleet.Int(n)
			} else {
				is.HighCrit = fleet.Int(n)
			}
			limits[row] = is
		})
	}
	return limits
}

func (s *familySensor) read(v value) fleet.Sensor {
	out := fleet.Sensor{SensorDef: s.def}
	n, ok := v.int()
	if !ok || n < s.low {
		return out
	}
	if s.words != nil {
		out.Value, out.Text = fleet.Int(n), "unknown"
		if n >= 1 && n <= int64(len(s.words)) {
			out.Text, out.State = s.words[n-1].word, s.words[n-1].state
		}
		return out
	}
	if s.times > 1 {
		if n > 1<<40 {
			return out
		}
		n *= s.times
	}
	out.Value = fleet.Dec(n, s.scale)
	out.State = s.def.Limits.Judge(out.Value)
	return out
}
