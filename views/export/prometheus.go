package export

import (
	"io"
	"math"
	"strconv"
	"time"

	"plumb/fleet"
)

// Stock is one line of capacity.
type Stock struct {
	Scope, ID, Resource, Class, Unit string
	Used, Total                      fleet.Num
}

// FleetFilter says what of the fleet is wanted; the zero filter is everything.
type FleetFilter struct {
	Device func(*fleet.DeviceSpec) bool // nil: every one; else only what is of devices is written
	Region string                       // "": every one
	Class  func(string) bool            // nil: every one
}

// WriteFleet writes the readings of a snapshot in the text format of Prometheus
// (version 0.0.4), a family at a time, from one buffer: what it takes does not
// grow with the fleet. There are no timestamps, so what is older than two of its
// intervals is left out, as is what is not known: a series that ends is what
// Prometheus makes of both.
func WriteFleet(w io.Writer, s *fleet.Snapshot, stock []Stock, f FleetFilter, now time.Time) error {
	p := &page{w: w, s: s, filter: f, now: now, b: make([]byte, 0, pageBuffer+4096)}
	p.places()
	p.sensors()
	p.ports()
	p.outlets()
	p.devices()
	if f.Device == nil {
		p.plant()
		p.workloads()
		p.stock(stock)
	}
	return p.flush()
}

// pageBuffer is how much is written at once.
const pageBuffer = 64 << 10

// page is a page on its way out.
type page struct {
	w      io.Writer
	s      *fleet.Snapshot
	filter FleetFilter
	now    time.Time
	err    error

	b    []byte
	name string // of the family that is being written

	// Labels of each device, one after the other, and where each ends. A device
	// that is not wanted has none.
	labels []byte
	ends   []int32
}

func (p *page) wants(class string) bool { return p.filter.Class == nil || p.filter.Class(class) }

// family begins a family of series. All series of one stand together.
func (p *page) family(m Metric, help string) {
	p.name = m.Name
	kind := " gauge\n"
	if m.Counter {
		kind = " counter\n"
	}
	p.b = append(append(append(append(p.b, "# HELP "...), m.Name...), ' '), help...)
	p.b = append(append(append(p.b, "\n# TYPE "...), m.Name...), kind...)
}

// open begins a series with labels that are written already.
func (p *page) open(labels []byte) {
	p.b = append(append(append(p.b, p.name...), '{'), labels...)
}

// label adds a label to the series that is open.
func (p *page) label(name, value string) {
	if value == "" {
		return
	}
	if p.b[len(p.b)-1] != '{' {
		p.b = append(p.b, ',')
	}
	p.b = appendLabel(p.b, name, value)
}

// value ends a series.
func (p *page) value(n fleet.Num) {
	p.b = append(p.b, '}', ' ')
	p.b, _ = n.AppendText(p.b) // it fails never
	p.end()
}

func (p *page) uint(n uint64) {
	p.b = strconv.AppendUint(append(p.b, '}', ' '), n, 10)
	p.end()
}

func (p *page) end() {
	p.b = append(p.b, '\n')
	if len(p.b) >= pageBuffer {
		_ = p.flush() // it is remembered
	}
}

func (p *page) flush() error {
	if p.err == nil {
		_, p.err = p.w.Write(p.b)
	}
	p.b = p.b[:0]
	return p.err
}

func appendLabel(b []byte, name, value string) []byte {
	b = append(append(b, name...), '=', '"')
	for i := 0; i < len(value); i++ {
		switch c := value[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// places writes the labels of each device once.
func (p *page) places() {
	p.ends = make([]int32, 0, p.s.Devices.Len())
	p.labels = make([]byte, 0, 96*p.s.Devices.Len())
	var room [8]Label
	for _, d := range p.s.Devices.All() {
		if (p.filter.Device == nil || p.filter.Device(d.Spec)) && (p.filter.Region == "" || p.filter.Region == d.Spec.Region) {
			for i, l := range deviceLabels(room[:0], d.Spec) {
				if i > 0 {
					p.labels = append(p.labels, ',')
				}
				p.labels = appendLabel(p.labels, l.Name, l.Value)
			}
		}
		p.ends = append(p.ends, int32(len(p.labels)))
	}
}

// each yields the devices that are wanted, with their labels.
func (p *page) each(do func(n int, d *fleet.Device, labels []byte)) {
	from := int32(0)
	for n, to := range p.ends {
		if to > from && p.err == nil {
			do(n, p.s.Devices.At(n), p.labels[from:to])
		}
		from = to
	}
}

// young reports whether a table of a device is not older than two of the
// intervals at which its numbers are read.
func (p *page) young(d *fleet.Device, t fleet.TableID) bool {
	return fleet.Young(d.Tables[t].At, p.now, p.s.Intervals[fleet.LaneFast])
}

// kindOfSensor is what one family of sensors has in common.
type kindOfSensor struct {
	class fleet.SensorClass
	unit  string
}

// maxKinds bounds the families of sensors: a device cannot make more of them.
const maxKinds = 64

// sensors writes a family for each class and unit that there is. The first walk
// notes which devices have which, so that the others skip those that do not.
func (p *page) sensors() {
	var kinds []kindOfSensor
	var has []uint64
	find := func(k kindOfSensor) int {
		for i, x := range kinds {
			if x == k {
				return i
			}
		}
		if len(kinds) == maxKinds || !p.wants(string(k.class)) {
			return -1
		}
		kinds = append(kinds, k)
		return len(kinds) - 1
	}
	has = make([]uint64, len(p.ends))
	p.each(func(n int, d *fleet.Device, _ []byte) {
		if !p.young(d, fleet.TableSensors) {
			return
		}
		for i := range d.Sensors {
			if k := find(kindOfSensor{d.Sensors[i].Class, d.Sensors[i].Unit}); k >= 0 {
				has[n] |= 1 << k
			}
		}
	})
	done := map[string]bool{}
	for i, k := range kinds {
		m := SensorMetric(k.class, k.unit)
		if done[m.Name] { // units that are not known share the name of their class: of each only the first
			continue
		}
		done[m.Name] = true
		p.sensorFamily(m, k, has, uint64(1)<<i)
	}
}

func (p *page) sensorFamily(m Metric, k kindOfSensor, has []uint64, bit uint64) {
	help := "What sensors of class " + string(k.class) + " read."
	if k.class == fleet.ClassState {
		help = "What sensors of class state say: " + stateHelp
	}
	p.family(m, help)
	p.each(func(n int, d *fleet.Device, labels []byte) {
		if has[n]&bit == 0 {
			return
		}
		for i := range d.Sensors {
			x := &d.Sensors[i]
			v := x.Value
			if k.class == fleet.ClassState {
				v = StateNum(x.State)
			}
			if x.Class != k.class || x.Unit != k.unit || x.Stale || !v.Known {
				continue
			}
			p.open(labels)
			p.label(labelSensor, x.Key)
			p.label(labelName, x.Name)
			v.Scale += m.Shift
			p.value(v)
		}
	})
}

// ports writes counters, rates, and whether ports are up.
func (p *page) ports() {
	if p.wants(ClassPort) {
		for c := range fleet.CounterID(fleet.NumCounters) {
			p.family(counterMetrics[c], "Counter of IF-MIB as the device has it.")
			p.eachPort(func(x *fleet.Port, labels []byte) {
				if n, ok := x.Counters.Get(c); ok {
					p.open(labels)
					p.label(labelPort, x.Name)
					p.uint(n)
				}
			})
		}
		p.portNum("plumb_port_up", "1 while a port passes packets.", func(x *fleet.Port) fleet.Num { return truth(x.Up()) })
		p.portNum("plumb_port_speed_bytes_per_second", "Speed of a port.", func(x *fleet.Port) fleet.Num { return bytesOf(x.SpeedBps) })
	}
	if p.wants(ClassRate) {
		p.portNum("plumb_port_in_bytes_per_second", "Rate between the last two polls.", func(x *fleet.Port) fleet.Num { return bytesOf(x.Rates.InBps) })
		p.portNum("plumb_port_out_bytes_per_second", "Rate between the last two polls.", func(x *fleet.Port) fleet.Num { return bytesOf(x.Rates.OutBps) })
	}
}

func (p *page) portNum(name, help string, of func(*fleet.Port) fleet.Num) {
	p.family(Metric{Name: name}, help)
	p.eachPort(func(x *fleet.Port, labels []byte) {
		if v := of(x); v.Known {
			p.open(labels)
			p.label(labelPort, x.Name)
			p.value(v)
		}
	})
}

func (p *page) eachPort(do func(*fleet.Port, []byte)) {
	p.each(func(_ int, d *fleet.Device, labels []byte) {
		if !p.young(d, fleet.TablePorts) {
			return
		}
		for i := range d.Ports {
			do(&d.Ports[i], labels)
		}
	})
}

func (p *page) outlets() {
	if !p.wants(ClassOutlet) {
		return
	}
	each := func(m Metric, help string, of func(*fleet.Outlet) fleet.Num) {
		p.family(m, help)
		p.each(func(_ int, d *fleet.Device, labels []byte) {
			if !p.young(d, fleet.TableOutlets) {
				return
			}
			for i := range d.Outlets {
				x := &d.Outlets[i]
				if v := of(x); v.Known {
					p.open(labels)
					p.b = append(p.b, `,`+labelOutlet+`="`...)
					p.b = append(strconv.AppendInt(p.b, int64(x.Index), 10), '"')
					p.value(v)
				}
			}
		})
	}
	each(outletAmps, "Current of an outlet.", func(x *fleet.Outlet) fleet.Num { return x.CurrentA })
	each(outletWatts, "Power of an outlet.", func(x *fleet.Outlet) fleet.Num { return x.PowerW })
	each(Metric{Name: "plumb_outlet_on"}, "1 while an outlet is switched on.", func(x *fleet.Outlet) fleet.Num {
		if x.State != "on" && x.State != "off" {
			return fleet.Num{}
		}
		return truth(x.State == "on")
	})
}

// bytesOf turns bits into bytes, exactly.
func bytesOf(bits fleet.Num) fleet.Num {
	const most = math.MaxInt64 / 125
	if !bits.Known || bits.N > most || bits.N < -most {
		return fleet.Num{}
	}
	return fleet.Dec(bits.N*125, bits.Scale-3)
}

func truth(is bool) fleet.Num {
	if is {
		return fleet.Int(1)
	}
	return fleet.Int(0)
}

// regionIs reports whether something of a region is wanted.
func (p *page) regionIs(region string) bool {
	return p.filter.Region == "" || p.filter.Region == region
}
