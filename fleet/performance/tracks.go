package performance

import (
	"math"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trend"
)

// minFans is how many fans a device needs for one to be held against the
// others.
const minFans = 3

// PowerKey is the series of a device's watts, as the engine keeps it.
var PowerKey = fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}

// Keys returns the series of a device whose hours are kept, by class. A device
// with ports has no inlet among them: what it has to say is in their errors.
func Keys(d *fleet.Device) (out [fleet.NumPasts][]fleet.SeriesKey) {
	var hot, cpu []fleet.SeriesKey
	for i := range d.Sensors {
		x := &d.Sensors[i]
		key := fleet.SeriesKey{Table: fleet.TableSensors, Row: x.Key, Field: fleet.FieldValue}
		switch {
		case x.Inlet():
			if len(out[fleet.PastInlet]) == 0 && len(d.Ports) == 0 {
				out[fleet.PastInlet] = append(out[fleet.PastInlet], key)
			}
		case x.Class == fleet.ClassTemperature && isCPU(x):
			cpu = append(cpu, key)
		case x.Class == fleet.ClassTemperature:
			hot = append(hot, key)
		case x.Class == fleet.ClassFan && x.Unit != "%":
			out[fleet.PastFans] = append(out[fleet.PastFans], key)
		}
	}
	if len(cpu) > 0 {
		hot = cpu
	}
	out[fleet.PastHot] = hot
	if fans := out[fleet.PastFans]; len(fans) >= minFans {
		out[fleet.PastSlowest] = fans
	}
	out[fleet.PastPower] = []fleet.SeriesKey{PowerKey}
	for i := range d.Ports {
		for _, c := range []fleet.CounterID{fleet.InErrors, fleet.OutErrors} {
			out[fleet.PastErrors] = append(out[fleet.PastErrors], fleet.SeriesKey{Table: fleet.TablePorts, Row: d.Ports[i].Name, Field: fleet.FieldCounter + fleet.SeriesField(c)})
		}
	}
	return out
}

// Wanted lists the keys of all classes and of the parts, each once.
func Wanted(d *fleet.Device) (out []fleet.SeriesKey) {
	keys := Keys(d)
	for c := range keys {
		if c != int(fleet.PastSlowest) { // they are those of the fans
			out = append(out, keys[c]...)
		}
	}
	for _, m := range meters(d) {
		if m.class != fleet.PartLoad { // its sensors are among those of the yield
			for _, x := range m.of {
				out = append(out, sensorKey(x))
			}
		}
	}
	return out
}

func isCPU(x *fleet.Sensor) bool {
	name := strings.ToLower(x.Name)
	return strings.Contains(name, "cpu") || strings.Contains(name, "proc")
}

// cell is one series in one hour.
type cell struct {
	key  fleet.SeriesKey
	hour int64
}

// meansOf takes a summary apart; the hours are in the order of time.
func meansOf(s fleet.Summary) (means map[cell]float64, hours []int64) {
	means = make(map[cell]float64, len(s.Series))
	for i := range s.Series {
		if x := &s.Series[i]; x.Mean.Known {
			h := fleet.HourOf(x.From)
			means[cell{x.Key, h}] = x.Mean.Float()
			if k, ok := slices.BinarySearch(hours, h); !ok {
				hours = slices.Insert(hours, k, h)
			}
		}
	}
	return means, hours
}

// Hours makes hours of a summary. An hour in which a series was not read is
// made of the others.
func Hours(d *fleet.Device, s fleet.Summary) (out []fleet.Hour) {
	means, hours := meansOf(s)
	keys := Keys(d)
	var values []float64
	for _, h := range hours {
		for c := range keys {
			values = values[:0]
			for _, k := range keys[c] {
				if v, ok := means[cell{k, h}]; ok {
					values = append(values, v)
				}
			}
			if v := together(fleet.PastClass(c), values); !math.IsNaN(v) {
				out = append(out, fleet.Hour{Class: fleet.PastClass(c), Hour: h, Value: v})
			}
		}
	}
	slices.SortFunc(out, func(a, b fleet.Hour) int {
		if a.Class != b.Class {
			return int(a.Class) - int(b.Class)
		}
		return int(a.Hour - b.Hour)
	})
	return out
}

// together makes one value of those of an hour, NaN of none.
func together(c fleet.PastClass, values []float64) float64 {
	if len(values) == 0 || c == fleet.PastSlowest && len(values) < minFans {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch c {
	case fleet.PastHot:
		return slices.Max(values)
	case fleet.PastSlowest:
		middle := trend.Median(values)
		if middle <= 0 {
			return math.NaN()
		}
		return slices.Min(values) / middle
	case fleet.PastFans:
		return sum / float64(len(values))
	case fleet.PastErrors:
		return sum * 3600 // a counter's mean is per second
	}
	return sum
}

// limit is what a class of a device must not reach; NaN where the device names
// none. Of several parts the most cautious counts.
func limit(d *fleet.Device, c fleet.PastClass) float64 {
	out := math.NaN()
	least := func(n fleet.Num) {
		if v := n.Float(); n.Known && (math.IsNaN(out) || v < out) {
			out = v
		}
	}
	keys := Keys(d)[c]
	switch c {
	case fleet.PastInlet, fleet.PastHot:
		for _, k := range keys {
			if x := d.Sensor(k.Row); x != nil {
				least(first(x.Limits.HighWarn, x.Limits.HighCrit))
			}
		}
	case fleet.PastSlowest:
		var speeds []float64
		for _, k := range keys {
			x := d.Sensor(k.Row)
			if x == nil || !x.Value.Known {
				continue
			}
			least(first(x.Limits.LowWarn, x.Limits.LowCrit))
			speeds = append(speeds, x.Value.Float())
		}
		if len(speeds) < minFans {
			return math.NaN()
		}
		out /= trend.Median(speeds)
	}
	return out
}

func first(a, b fleet.Num) fleet.Num {
	if a.Known {
		return a
	}
	return b
}
