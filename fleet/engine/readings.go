package engine

import (
	"plumb/fleet"
)

// PowerKey is the series of a device's total watts.
var PowerKey = fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}

// read takes the numbers of one poll as one row of readings. The keys are made
// anew only when the device's tables changed shape; until then the slice is
// shared, and the store knows it by its identity. What this poll did not read
// is a gap.
func (s *step) read(d *fleet.Device, o *fleet.Observation, was []fleet.SeriesKey) {
	sensors, ports, outlets := fresh(o, fleet.TableSensors), fresh(o, fleet.TablePorts), fresh(o, fleet.TableOutlets)
	if !sensors && !ports && !outlets {
		return
	}
	d.Series = seriesKeys(d, was)
	values := make([]fleet.Num, 0, len(d.Series))
	for i := range d.Sensors {
		x := &d.Sensors[i]
		values = append(values, when(sensors, sensorValue(x)))
	}
	for i := range d.Ports {
		for c := range fleet.CounterID(fleet.NumCounters) {
			n, ok := d.Ports[i].Counters.Get(c)
			values = append(values, fleet.Num{N: int64(n), Known: ok && ports})
		}
	}
	for i := range d.Outlets {
		values = append(values, when(outlets, d.Outlets[i].CurrentA), when(outlets, d.Outlets[i].PowerW))
	}
	values = append(values, when(sensors || outlets, d.PowerW))
	s.out.Readings = append(s.out.Readings, fleet.Readings{Target: o.Target, At: o.At, Keys: d.Series, Values: values})
}

// cloudKeys are the readings of a cloud: how many instances it lists.
var cloudKeys = []fleet.SeriesKey{{Table: fleet.TableInstances, Row: "count"}}

// readCloud takes one number of each poll of a cloud. It is worth a chart, and
// it keeps when the cloud was last seen: its rows tell only when they changed.
func (s *step) readCloud(o *fleet.Observation) {
	if !seen(o) {
		return
	}
	n := fleet.Num{}
	if o.Tables[fleet.TableInstances] == fleet.Complete {
		n = fleet.Int(int64(len(o.Instances)))
	}
	s.out.Readings = append(s.out.Readings, fleet.Readings{Target: o.Target, At: o.At, Keys: cloudKeys, Values: []fleet.Num{n}})
}

func fresh(o *fleet.Observation, t fleet.TableID) bool {
	c := o.Tables[t]
	return c == fleet.Complete || c == fleet.Partial
}

func when(ok bool, n fleet.Num) fleet.Num {
	n.Known = n.Known && ok
	return n
}

func sensorKey(x *fleet.Sensor) fleet.SeriesKey {
	k := fleet.SeriesKey{Table: fleet.TableSensors, Row: x.Key}
	if x.Class == fleet.ClassState {
		k.Field = fleet.FieldState
	}
	return k
}

func sensorValue(x *fleet.Sensor) fleet.Num {
	if x.Class == fleet.ClassState {
		return fleet.Num{N: int64(x.State), Known: x.State != fleet.StateUnknown && !x.Stale}
	}
	return x.Value
}

// seriesKeys returns was where it still fits, else the keys in the order read
// writes the values.
func seriesKeys(d *fleet.Device, was []fleet.SeriesKey) []fleet.SeriesKey {
	n := len(d.Sensors) + len(d.Ports)*fleet.NumCounters + 2*len(d.Outlets) + 1
	keys, same, at := was, len(was) == n, 0
	put := func(k fleet.SeriesKey) {
		if same && was[at] != k {
			same, keys = false, append(make([]fleet.SeriesKey, 0, n), was[:at]...)
		} else if !same && at == 0 {
			keys = make([]fleet.SeriesKey, 0, n)
		}
		if !same {
			keys = append(keys, k)
		}
		at++
	}
	for i := range d.Sensors {
		put(sensorKey(&d.Sensors[i]))
	}
	for i := range d.Ports {
		for c := range fleet.NumCounters {
			put(fleet.SeriesKey{Table: fleet.TablePorts, Row: d.Ports[i].Name, Field: fleet.FieldCounter + fleet.SeriesField(c)})
		}
	}
	for i := range d.Outlets {
		row := outletRow(&d.Outlets[i])
		put(fleet.SeriesKey{Table: fleet.TableOutlets, Row: row, Field: fleet.FieldCurrent})
		put(fleet.SeriesKey{Table: fleet.TableOutlets, Row: row, Field: fleet.FieldPower})
	}
	put(PowerKey)
	return keys
}
