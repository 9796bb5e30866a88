package performance

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// darkDBm is below what any receiver understands: no light, not weak light.
// idleMA is what a laser that is off may be told to draw.
const (
	darkDBm = -32
	idleMA  = 0.05
)

// leastYieldW is how much a supply must give for its yield to say something: of
// less, most of what it takes is its own.
const leastYieldW = 10

// meter is what is made of the sensors of one part.
type meter struct {
	class fleet.PartClass
	part  string
	of    []*fleet.Sensor
	make  func(v []float64) float64 // of a value of each, NaN where that says nothing
}

// meters are the series of a device's parts that wear, as its wires tell them:
// light and laser of optics (ENTITY-SENSOR-MIB, RFC 3433), and both sides of
// power supplies. Yield and load of a supply stand one behind the other.
func meters(d *fleet.Device) (out []meter) {
	type supply struct{ in, out side }
	var supplies [10]supply
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if n, output := x.SupplySide(); n > 0 {
			if output {
				supplies[n].out.add(x)
			} else {
				supplies[n].in.add(x)
			}
			continue
		}
		switch class, ok := optic(x); {
		case !ok:
		case class == fleet.PartLaser:
			out = append(out, meter{class, opticPort(d, x), []*fleet.Sensor{x}, milliamperes})
		case x.Class == fleet.ClassDBm:
			out = append(out, meter{class, opticPort(d, x), []*fleet.Sensor{x}, lit})
		default:
			out = append(out, meter{class, opticPort(d, x), []*fleet.Sensor{x}, func(v []float64) float64 { return lit([]float64{decibels(v[0])}) }})
		}
	}
	for n := range supplies {
		in, given := supplies[n].in.sensors(), supplies[n].out.sensors()
		if in == nil || given == nil {
			continue
		}
		name, k := "PSU "+strconv.Itoa(n), len(in)
		out = append(out, meter{fleet.PartYield, name, slices.Concat(in, given), func(v []float64) float64 {
			took, gave := product(v[:k]), product(v[k:])
			if gave < leastYieldW || took <= 0 {
				return math.NaN()
			}
			return gave / took
		}}, meter{fleet.PartLoad, name, given, product})
	}
	return out
}

// side is one side of a supply: its watts, or its volts and amperes. What is
// multiplied so of alternating current is volt-amperes: that share is smaller
// than the efficiency, and falls with it.
type side struct{ watts, volts, amperes *fleet.Sensor }

func (s *side) add(x *fleet.Sensor) {
	switch x.Class {
	case fleet.ClassPower:
		s.watts = x
	case fleet.ClassVoltage:
		s.volts = x
	case fleet.ClassCurrent:
		s.amperes = x
	}
}

func (s *side) sensors() []*fleet.Sensor {
	switch {
	case s.watts != nil:
		return []*fleet.Sensor{s.watts}
	case s.volts != nil && s.amperes != nil:
		return []*fleet.Sensor{s.volts, s.amperes}
	}
	return nil
}

func product(v []float64) float64 {
	out := 1.0
	for _, x := range v {
		out *= x
	}
	return out
}

func decibels(watts float64) float64 { return 10 * math.Log10(1000*watts) }

func lit(v []float64) float64 {
	if !(v[0] > darkDBm) {
		return math.NaN()
	}
	return v[0]
}

func milliamperes(v []float64) float64 {
	if 1000*v[0] < idleMA {
		return math.NaN()
	}
	return 1000 * v[0]
}

// optic tells by its name whether a sensor measures an optic's light or laser,
// as the makers of switches call them: "DOM RX Power Sensor for Ethernet5",
// "Ethernet1/1 Receive Power Sensor", "xe-0/0/1 Rx Power".
func optic(x *fleet.Sensor) (fleet.PartClass, bool) {
	name := strings.ToLower(x.Name)
	switch x.Class {
	case fleet.ClassCurrent:
		return fleet.PartLaser, strings.Contains(name, "bias")
	case fleet.ClassDBm, fleet.ClassPower:
		return fleet.PartLight, strings.Contains(name, "power") && (hasWord(name, "rx") || hasWord(name, "receive"))
	}
	return 0, false
}

// hasWord reports whether a name holds a word by itself.
func hasWord(name, word string) bool {
	return slices.Contains(strings.FieldsFunc(name, apart), word)
}

func apart(r rune) bool { return r == ' ' || r == '_' || r == ',' || r == '(' || r == ')' }

// opticPort is the port whose optic a sensor tells of: the one it names, else
// the sensor as it is called.
func opticPort(d *fleet.Device, x *fleet.Sensor) string {
	words := strings.FieldsFunc(x.Name, apart)
	for i := range d.Ports {
		if slices.Contains(words, d.Ports[i].Name) {
			return d.Ports[i].Name
		}
	}
	return x.Name
}

func sensorKey(x *fleet.Sensor) fleet.SeriesKey {
	return fleet.SeriesKey{Table: fleet.TableSensors, Row: x.Key, Field: fleet.FieldValue}
}

// PartHours makes hours of a device's parts of a summary. What is made of
// several series is known where all of them are.
func PartHours(d *fleet.Device, s fleet.Summary) (out []fleet.PartHour) {
	list := meters(d)
	if len(list) == 0 {
		return nil
	}
	means, hours := meansOf(s)
	var values []float64
	for i := range list {
		m := &list[i]
		for _, h := range hours {
			values = values[:0]
			for _, x := range m.of {
				if v, ok := means[cell{sensorKey(x), h}]; ok {
					values = append(values, v)
				}
			}
			if len(values) < len(m.of) {
				continue
			}
			if v := m.make(values); !math.IsNaN(v) {
				out = append(out, fleet.PartHour{Class: m.class, Part: m.part, Hour: h, Value: v})
			}
		}
	}
	return out
}
