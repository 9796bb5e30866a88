package snmp

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Columns of entPhySensorTable (ENTITY-SENSOR-MIB, RFC 3433).
const (
	sensorValue = iota
	sensorStatus
	sensorType
	sensorScale
	sensorPrecision
	sensorUnits
)

var sensorColumns = oids("1.3.6.1.2.1.99.1.1.1.4", "1.3.6.1.2.1.99.1.1.1.5",
	"1.3.6.1.2.1.99.1.1.1.1", "1.3.6.1.2.1.99.1.1.1.2", "1.3.6.1.2.1.99.1.1.1.3", "1.3.6.1.2.1.99.1.1.1.6")

// entitySensor is an ENTITY-SENSOR with how its integer is to be read.
type entitySensor struct {
	def      *fleet.SensorDef
	truth    bool // TruthValue: a state, not a number
	exponent int8 // value is N * 10^exponent
	unfit    bool // a scale that no decimal of ours can hold
}

// sensorMemory is what is remembered of sensors.
type sensorMemory struct {
	entity   map[int]*entitySensor
	order    []int
	families []*familyMemory
}

// readSensors reads every sensor the device has, by whatever MIB.
func (p *poll) readSensors(ctx context.Context) {
	if p.define {
		p.defineSensors(ctx, p.readEntities(ctx))
	} else {
		p.sampleSensors(ctx)
	}
	p.readFamilies(ctx)
}

// sensorRow gathers the columns of one entPhySensorTable row.
type sensorRow struct {
	value                          int64
	known                          bool
	status, kind, scale, precision int
	units                          string
}

func (r *sensorRow) set(col int, v value) {
	switch col {
	case sensorValue:
		r.value, r.known = v.int()
	case sensorStatus:
		r.status = v.small()
	case sensorType:
		r.kind = v.small()
	case sensorScale:
		r.scale = v.small()
	case sensorPrecision:
		r.precision = v.small()
	case sensorUnits:
		r.units = v.text()
	}
}

func (p *poll) walkSensors(ctx context.Context, columns []oid, expect int) (map[int]*sensorRow, []int, walked) {
	rows := map[int]*sensorRow{}
	var order []int
	w := p.walk(ctx, columns, expect, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		i := int(index[0])
		r := rows[i]
		if r == nil {
			r = &sensorRow{}
			rows[i] = r
			order = append(order, i)
		}
		r.set(col, v)
	})
	return rows, order, w
}

func (p *poll) defineSensors(ctx context.Context, parts map[int]*fleet.Entity) {
	rows, order, w := p.walkSensors(ctx, sensorColumns, 0)
	if w = p.note(fleet.TableSensors, "ENTITY-SENSOR-MIB", w); w.is != fleet.Absent && w.cells == 0 {
		return // not read: what is known of them stays
	}
	p.sensors.entity, p.sensors.order = make(map[int]*entitySensor, len(rows)), order
	taken := map[string]bool{}
	for _, i := range order {
		s := rows[i].define(i, parts)
		if taken[s.def.Key] { // two parts of one name: the index must tell them apart
			s.def.Key += "." + strconv.Itoa(i)
		}
		taken[s.def.Key] = true
		p.sensors.entity[i] = s
	}
	p.addSensors(rows)
}

func (p *poll) sampleSensors(ctx context.Context) {
	if len(p.sensors.order) == 0 {
		return
	}
	rows, _, w := p.walkSensors(ctx, sensorColumns[:2], len(p.sensors.order))
	p.note(fleet.TableSensors, "ENTITY-SENSOR-MIB", w)
	p.addSensors(rows)
}

func (p *poll) addSensors(rows map[int]*sensorRow) {
	for _, i := range p.sensors.order {
		if r := rows[i]; r != nil {
			p.obs.Sensors = append(p.obs.Sensors, p.sensors.entity[i].read(r))
		}
	}
}

// define makes the definition. The key is the part's name, and its index only
// where it has none.
func (r *sensorRow) define(index int, parts map[int]*fleet.Entity) *entitySensor {
	part := parts[index]
	s := &entitySensor{truth: r.kind == 12}
	class, unit := sensorKind(r.kind, r.units)
	d := &fleet.SensorDef{ID: sensorColumns[sensorValue].plus(uint32(index)).String(), Class: class, Unit: unit}
	if part != nil {
		d.Name = part.Name
	}
	key := d.Name
	if key == "" {
		key = strconv.Itoa(index)
		if part != nil {
			d.Name = part.Descr
		}
	}
	if d.Name == "" {
		d.Name = string(class) + " " + strconv.Itoa(index)
	}
	d.Key = "entPhySensor:" + key
	d.In = supplyAround(part, parts)
	s.def = d
	exponent := scaleExponent(r.scale) - max(r.precision, 0)
	s.exponent, s.unfit = int8(exponent), exponent < -18 || exponent > 18
	return s
}

// supplyAround names the power supply that a part stands in, by what the agent
// calls it; "": in none. A row that names itself as what it stands in is no end.
func supplyAround(part *fleet.Entity, parts map[int]*fleet.Entity) string {
	for steps := 0; part != nil && steps < 8; steps++ {
		if part.Class == "powerSupply" {
			return cmp.Or(part.Name, part.Descr)
		}
		part = parts[part.Parent]
	}
	return ""
}

// scaleExponent returns the power of ten of an EntitySensorDataScale. In the
// MIB exa is 14 and peta 15, against their order.
func scaleExponent(scale int) int {
	switch {
	case scale == 14:
		return 18
	case scale == 15:
		return 15
	case scale >= 1 && scale <= 17:
		return 3 * (scale - 9)
	}
	return 0
}

// sensorKind returns class and unit of an EntitySensorDataType; what the MIB
// calls other is known by the agent's own word for its unit.
func sensorKind(kind int, units string) (fleet.SensorClass, string) {
	switch kind {
	case 3, 4:
		return fleet.ClassVoltage, "V"
	case 5:
		return fleet.ClassCurrent, "A"
	case 6:
		if strings.EqualFold(units, "dBm") {
			return fleet.ClassDBm, "dBm"
		}
		return fleet.ClassPower, "W"
	case 7:
		return fleet.ClassFrequency, "Hz"
	case 8:
		return fleet.ClassTemperature, "C"
	case 9:
		return fleet.ClassHumidity, "%"
	case 10:
		return fleet.ClassFan, "rpm"
	case 11:
		return fleet.ClassAirflow, "m3/min"
	case 12:
		return fleet.ClassState, ""
	}
	switch strings.ToLower(units) {
	case "dbm":
		return fleet.ClassDBm, "dBm"
	case "%", "percent":
		return fleet.ClassPercent, "%"
	case "celsius", "c", "degrees c":
		return fleet.ClassTemperature, "C"
	case "volts", "v":
		return fleet.ClassVoltage, "V"
	case "amperes", "amps", "a":
		return fleet.ClassCurrent, "A"
	case "watts", "w":
		return fleet.ClassPower, "W"
	case "rpm":
		return fleet.ClassFan, "rpm"
	case "pascals", "pa":
		return fleet.ClassPressure, "Pa"
	}
	return fleet.ClassCount, units
}

// sensorOverflow is what an agent sends for a value it cannot hold (RFC 3433,
// EntitySensorValue): its negative is an underflow.
const sensorOverflow = 1_000_000_000

// read makes a reading. unavailable and nonoperational (RFC 3433) are values
// that cannot be seen: unknown, never healthy and never broken.
func (s *entitySensor) read(r *sensorRow) fleet.Sensor {
	out := fleet.Sensor{SensorDef: s.def}
	switch {
	case r.status == 2:
		out.Text = "unavailable"
	case r.status == 3:
		out.Text = "nonoperational"
	case !r.known || s.unfit:
	case s.truth:
		out.Value, out.Text, out.State = fleet.Int(r.value), truthWord(r.value), fleet.StateOK
	case r.value >= sensorOverflow || r.value <= -sensorOverflow:
		out.Text = "out of range"
	default:
		if out.Value = fleet.Dec(r.value, s.exponent); !out.Value.Known { // exa and yotta beyond 64 bits
			out.Text = "out of range"
		}
		out.State = s.def.Limits.Judge(out.Value)
	}
	return out
}

func truthWord(n int64) string {
	if n == 1 {
		return "true"
	}
	return "false"
}
