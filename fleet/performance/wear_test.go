package performance

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// arista is a switch as the recording of a 7150S shows it: the optics of three
// of its ports, one of them in the dark, and both sides of two supplies, which
// are told apart by what their sensors stand in.
func arista() *fleet.Device {
	d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "sw1", Kind: fleet.KindSwitch}, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet5"}}, {PortDef: &fleet.PortDef{Name: "Ethernet50"}}, {PortDef: &fleet.PortDef{Name: "Ethernet52"}}}}
	add := func(name, in, unit string, class fleet.SensorClass, n int64, scale int8) {
		key := name + in
		d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: key, Name: name, In: in, Class: class, Unit: unit}, Value: fleet.Dec(n, scale), State: fleet.StateOK})
	}
	for port, v := range map[string][3]int64{"Ethernet5": {509, 6015, 4025}, "Ethernet50": {513, 6037, 4}, "Ethernet52": {496, 5986, 9990}} {
		add("DOM TX Bias Sensor for "+port, "", "A", fleet.ClassCurrent, v[0], -5)
		add("DOM TX Power Sensor for "+port, "", "W", fleet.ClassPower, v[1], -7)
		add("DOM RX Power Sensor for "+port, "", "W", fleet.ClassPower, v[2], -7)
		add("DOM Voltage Sensor for "+port, "", "V", fleet.ClassVoltage, 330, -2)
	}
	for psu, v := range map[string][4]int64{"PowerSupply1": {38, 550, 21600, 1219}, "PowerSupply2": {25, 363, 21850, 1220}} {
		add("Input current sensor", psu, "A", fleet.ClassCurrent, v[0], -2)
		add("Output current sensor", psu, "A", fleet.ClassCurrent, v[1], -2)
		add("Input voltage sensor", psu, "V", fleet.ClassVoltage, v[2], -2)
		add("Output voltage sensor", psu, "V", fleet.ClassVoltage, v[3], -2)
	}
	return d
}

// summaryAt is an hour in which every sensor that is wanted read what it reads.
func summaryAt(d *fleet.Device, at time.Time) fleet.Summary {
	sum := fleet.Summary{Target: d.Spec.ID}
	for _, k := range Wanted(d) {
		if x := d.Sensor(k.Row); x != nil && k.Table == fleet.TableSensors {
			sum.Series = append(sum.Series, fleet.SeriesSummary{Key: k, From: at, Mean: x.Value})
		}
	}
	return sum
}

func TestPartsOfARecordedSwitch(t *testing.T) {
	d := arista()
	got := map[string]float64{}
	for _, h := range PartHours(d, summaryAt(d, now)) {
		got[h.Class.String()+" "+h.Part] = h.Value
	}
	want := map[string]float64{
		"light Ethernet5": -3.95, "light Ethernet52": -0.004, // Ethernet50 is dark
		"laser Ethernet5": 5.09, "laser Ethernet50": 5.13, "laser Ethernet52": 4.96,
		"yield PSU 1": 0.8168, "yield PSU 2": 0.8107, "load PSU 1": 67.05, "load PSU 2": 44.29,
	}
	for name, v := range want {
		if x, ok := got[name]; !ok || math.Abs(x-v) > 0.005*math.Max(1, math.Abs(v)) {
			t.Errorf("%s is %v, want %v", name, x, v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d parts: %v", len(got), got)
	}
}

// TestPartsAreHeldToBothSides: a supply of which one side is not known that hour
// has no yield, and one that hardly gives anything neither.
func TestPartsAreHeldToBothSides(t *testing.T) {
	d := arista()
	sum := summaryAt(d, now)
	for i := range sum.Series {
		if sum.Series[i].Key.Row == "Output voltage sensorPowerSupply1" {
			sum.Series[i].Mean = fleet.Num{}
		}
		if sum.Series[i].Key.Row == "Output current sensorPowerSupply2" {
			sum.Series[i].Mean = fleet.Dec(5, -1)
		}
	}
	for _, h := range PartHours(d, sum) {
		if h.Class == fleet.PartYield || h.Class == fleet.PartLoad && h.Part == "PSU 1" {
			t.Errorf("%s of %s is %v", h.Class, h.Part, h.Value)
		}
	}
}

// worn is a switch with three weeks of its parts; bend changes a value.
func worn(seed uint64, bend func(days float64, class fleet.PartClass, part string, v float64) float64) []fleet.Look {
	r := rand.New(rand.NewPCG(seed, 7))
	d := arista()
	var hours []fleet.PartHour
	add := func(h int64, class fleet.PartClass, part string, v float64) {
		if bend != nil {
			v = bend(float64(h)/24, class, part, v)
		}
		hours = append(hours, fleet.PartHour{Class: class, Part: part, Hour: fleet.HourOf(now) - fleet.PastHours + h, Value: v})
	}
	for h := int64(7); h < fleet.PastHours; h += fleet.PartEvery {
		if r.IntN(20) == 0 {
			continue
		}
		sun := math.Sin(2 * math.Pi * float64(h%24) / 24)
		add(h, fleet.PartLight, "Ethernet5", -4+0.1*sun+0.15*r.NormFloat64())
		add(h, fleet.PartLaser, "Ethernet5", 5.1*(1+0.02*sun+0.004*r.NormFloat64()))
		busy := 60 + 12*sun + 2*r.NormFloat64()
		add(h, fleet.PartLoad, "PSU 1", busy)
		add(h, fleet.PartYield, "PSU 1", 0.80+0.001*(busy-60)+0.006*r.NormFloat64()) // a supply is better under load
	}
	d.Parts = fleet.PartsWith(nil, hours)
	return Judge(Case{Device: d, Past: nil, Now: now}).Looks
}

func TestPartsThatWear(t *testing.T) {
	for name, c := range map[string]struct {
		facet, text string
		bend        func(days float64, class fleet.PartClass, part string, v float64) float64
	}{
		"a fibre that gets dirty": {"performance light Ethernet5", "light that arrives at Ethernet5 went from", func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			if c == fleet.PartLight {
				return v - 0.15*days
			}
			return v
		}},
		"a fibre that was bent yesterday": {"performance light Ethernet5", "within a day", func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			if c == fleet.PartLight && days > 20.9 {
				return v - 5
			}
			return v
		}},
		"a laser that ages": {"performance laser Ethernet5", "current of the laser of Ethernet5 went from 5", func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			if c == fleet.PartLaser {
				return v * (1 + 0.02*days)
			}
			return v
		}},
		"a supply that ages": {"performance yield PSU 1", "yield of PSU 1 went from", func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			if c == fleet.PartYield {
				return v - 0.004*days
			}
			return v
		}},
	} {
		right := 0
		for seed := range uint64(100) {
			for _, l := range worn(seed, c.bend) {
				switch {
				case l.Found == nil:
				case l.Facet != c.facet:
					t.Errorf("%s, seed %d: %s", name, seed, l.Found.Text)
				case strings.Contains(l.Found.Text, c.text) && l.Found.Severity == fleet.SeverityInfo:
					right++
				}
			}
		}
		if right < 95 {
			t.Errorf("%s: found in %d of 100", name, right)
		}
	}
}

// TestPartsThatAreWell: noise, days and gaps wear nothing, and neither does a
// load that is another one this week.
func TestPartsThatAreWell(t *testing.T) {
	known := 0
	for name, bend := range map[string]func(float64, fleet.PartClass, string, float64) float64{
		"well": nil,
		"half the load for two weeks, then all of it": func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			switch {
			case days > 14:
			case c == fleet.PartLoad:
				return v / 2
			case c == fleet.PartYield:
				return v + 0.08
			}
			return v
		},
		"a spike": func(days float64, c fleet.PartClass, _ string, v float64) float64 {
			if days > 21.6 && c == fleet.PartLight {
				return v - 9
			}
			return v
		},
	} {
		for seed := range uint64(200) {
			for _, l := range worn(seed, bend) {
				if l.Found != nil {
					t.Errorf("%s, seed %d: %s", name, seed, l.Found.Text)
				}
				if l.Known {
					known++
				}
			}
		}
	}
	if known < 1500 { // of 1800: what is judged at another load has to learn
		t.Errorf("%d looks saw anything", known)
	}
}
