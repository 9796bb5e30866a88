package export

import (
	"strings"

	"plumb/fleet"
)

// How readings are named for Prometheus, whoever carries them there: a page
// that is scraped (prometheus.go) or a write that plumb makes itself. Units are
// those of SI in the name, shares are ratios from 0 to 1, and what only counts
// up ends in _total.

// Metric is a series' name, and by which power of ten its values are to be
// multiplied to be in the unit that the name says.
type Metric struct {
	Name    string
	Shift   int8
	Counter bool
}

// units are the units of sensors as names say them, and their power of ten.
var units = map[string]struct {
	suffix string
	shift  int8
}{
	"C": {"_celsius", 0}, "V": {"_volts", 0}, "A": {"_amperes", 0}, "W": {"_watts", 0}, "VA": {"_voltamperes", 0},
	"rpm": {"_rpm", 0}, "Hz": {"_hertz", 0}, "%": {"_ratio", -2}, "dBm": {"", 0}, "s": {"_seconds", 0},
	"kPa": {"_pascals", 3}, "psi": {"_psi", 0}, "CFM": {"_cfm", 0}, "": {"", 0},
}

// SensorMetric names what a sensor of a class measures in a unit. What spells
// its unit in a way that is not known is named by its class alone.
func SensorMetric(class fleet.SensorClass, unit string) Metric {
	u, word := units[unit], plain(string(class))
	if class == fleet.ClassCount {
		word = "number" // _count is of histograms
	}
	return Metric{Name: "plumb_sensor_" + word + u.suffix, Shift: u.shift}
}

// plain is what the name of a metric may hold.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(s))
}

// counterMetrics are the counters of ports, in the order of CounterID.
var counterMetrics = [fleet.NumCounters]Metric{
	{"plumb_port_in_bytes_total", 0, true}, {"plumb_port_out_bytes_total", 0, true},
	{"plumb_port_in_errors_total", 0, true}, {"plumb_port_out_errors_total", 0, true},
	{"plumb_port_in_discards_total", 0, true}, {"plumb_port_out_discards_total", 0, true},
}

var (
	outletAmps  = Metric{Name: "plumb_outlet_current_amperes"}
	outletWatts = Metric{Name: "plumb_outlet_power_watts"}
	deviceWatts = Metric{Name: "plumb_device_power_watts"}
)

// stateValues are states as numbers: 0 is well, and what is worse is more.
var stateValues = [fleet.NumStates]int64{fleet.StateOK: 0, fleet.StateWarn: 1, fleet.StateCrit: 2, fleet.StateUnknown: 3, fleet.StateOff: 4}

// stateHelp stands in the help of each metric that is a state.
const stateHelp = "0 ok, 1 warn, 2 crit, 3 unknown, 4 off."

// StateNum is a state as the metrics write it.
func StateNum(s fleet.State) fleet.Num {
	return fleet.Int(stateValues[min(int(s), fleet.NumStates-1)])
}

// Label is one label of a series.
type Label struct{ Name, Value string }

// Labels of what is read of devices. None is free text that changes with time:
// a label that changes begins another series.
const (
	labelDevice = "device"
	labelRegion = "region"
	labelSite   = "site"
	labelRack   = "rack"
	labelRole   = "role"
	labelSensor = "sensor"
	labelName   = "name"
	labelPort   = "port"
	labelOutlet = "outlet"
)

// deviceLabels appends what places a device; what it has not is no label.
func deviceLabels(to []Label, d *fleet.DeviceSpec) []Label {
	for _, l := range [...]Label{{labelDevice, d.ID}, {labelRegion, d.Region}, {labelSite, d.Site}, {labelRack, d.Rack}, {labelRole, d.Tags["role"]}} {
		if l.Value != "" {
			to = append(to, l)
		}
	}
	return to
}

// Reading is a series of a device as metrics know it.
type Reading struct {
	Metric
	Class  string // temperature ... of sensors; else port, outlet, device
	Labels []Label
	State  bool // its value is a state's number
}

// Value is a value of the series in the metric's unit; null is not known.
func (r *Reading) Value(n fleet.Num) fleet.Num {
	switch {
	case !n.Known:
		return n
	case r.State:
		if n.N < 0 || n.N >= fleet.NumStates {
			return fleet.Num{}
		}
		return StateNum(fleet.State(n.N))
	}
	n.Scale += r.Shift
	return n
}

// ReadingOf says what a series of a device is; false where the device has no
// such part any more. The labels are appended to room; place is where the series
// stands among those of the device, which is where its sensor is mostly found.
func ReadingOf(d *fleet.Device, key fleet.SeriesKey, place int, room []Label) (r Reading, ok bool) {
	r.Labels = deviceLabels(room, d.Spec)
	add := func(name, value string) { r.Labels = append(r.Labels, Label{name, value}) }
	switch {
	case key.Table == fleet.TableSensors:
		x := sensorAt(d, place, key.Row)
		if x == nil {
			return r, false
		}
		r.Metric, r.Class, r.State = SensorMetric(x.Class, x.Unit), string(x.Class), key.Field == fleet.FieldState
		add(labelSensor, x.Key)
		add(labelName, x.Name)
	case key.Table == fleet.TablePorts && key.Field >= fleet.FieldCounter && int(key.Field-fleet.FieldCounter) < fleet.NumCounters:
		r.Metric, r.Class = counterMetrics[key.Field-fleet.FieldCounter], ClassPort
		add(labelPort, key.Row)
	case key.Table == fleet.TableOutlets && key.Field == fleet.FieldCurrent:
		r.Metric, r.Class = outletAmps, ClassOutlet
		add(labelOutlet, key.Row)
	case key.Table == fleet.TableOutlets && key.Field == fleet.FieldPower:
		r.Metric, r.Class = outletWatts, ClassOutlet
		add(labelOutlet, key.Row)
	case key.Table == fleet.TableFacts && key.Field == fleet.FieldPower:
		r.Metric, r.Class = deviceWatts, ClassDevice
	default:
		return r, false
	}
	return r, true
}

func sensorAt(d *fleet.Device, place int, key string) *fleet.Sensor {
	if place < len(d.Sensors) && d.Sensors[place].Key == key {
		return &d.Sensors[place]
	}
	return d.Sensor(key)
}

// Classes of what is not read by a sensor.
const (
	ClassPort     = "port"     // counters, whether it is up, its speed
	ClassRate     = "rate"     // bits a second of ports
	ClassOutlet   = "outlet"   // of PDUs
	ClassDevice   = "device"   // state, sight, power, drift
	ClassRack     = "rack"     // power, state
	ClassFeed     = "feed"     // power and current
	ClassInstance = "instance" // state
	ClassService  = "service"  // state and replicas
	ClassCapacity = "capacity" // used and total
)

// SensorClasses are the classes of sensors.
var SensorClasses = []fleet.SensorClass{
	fleet.ClassTemperature, fleet.ClassVoltage, fleet.ClassCurrent, fleet.ClassPower, fleet.ClassFan, fleet.ClassFrequency,
	fleet.ClassHumidity, fleet.ClassPercent, fleet.ClassDBm, fleet.ClassLoad, fleet.ClassRuntime, fleet.ClassCharge,
	fleet.ClassAirflow, fleet.ClassPressure, fleet.ClassState, fleet.ClassCount,
}

// Classes are all words that a filter by class may hold.
func Classes() []string {
	var out []string
	for _, c := range SensorClasses {
		out = append(out, string(c))
	}
	return append(out, ClassPort, ClassRate, ClassOutlet, ClassDevice, ClassRack, ClassFeed, ClassInstance, ClassService, ClassCapacity)
}
