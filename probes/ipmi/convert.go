package ipmi

import (
	"math"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/types"
)

// factors turn a raw byte into a value: y = L[(M*x + B*10^Bexp) * 10^Rexp]
// (section 36.3).
type factors struct {
	m, b       int16 // 10 bits, signed
	bExp, rExp int8  // 4 bits, signed
}

// parseFactors reads SDR bytes 25 to 30, which Get Sensor Reading Factors
// returns in the same layout.
func parseFactors(b [6]byte) factors {
	return factors{
		m:    signed(uint16(b[0])|uint16(b[1])>>6<<8, 10),
		b:    signed(uint16(b[2])|uint16(b[3])>>6<<8, 10),
		bExp: int8(signed(uint16(b[5]&15), 4)),
		rExp: int8(signed(uint16(b[5]>>4), 4)),
	}
}

func signed(x uint16, bits uint) int16 { return int16(x<<(16-bits)) >> (16 - bits) }

// rawValue reads the byte in the record's data format (SDR byte 21 [7:6]).
func rawValue(raw uint8, format byte) int64 {
	switch format {
	case 1: // ones' complement
		if raw&0x80 != 0 {
			return -int64(^raw)
		}
	case 2: // two's complement
		return int64(int8(raw))
	}
	return int64(raw)
}

// exact is the formula in whole numbers, before linearisation. The largest
// it can be is 511*255*10^8 + 511*10^7: it fits easily.
func (f factors) exact(x int64) fleet.Num {
	if f.bExp < 0 {
		return fleet.Dec(int64(f.m)*x*pow10(-f.bExp)+int64(f.b), f.bExp+f.rExp)
	}
	return fleet.Dec(int64(f.m)*x+int64(f.b)*pow10(f.bExp), f.rExp)
}

func pow10(n int8) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// decimals is how many a value deserves: enough to tell one raw step from
// the next with a digit to spare, and no more than the formula has.
func (f factors) decimals() int {
	has := -int(f.rExp)
	if f.bExp < 0 && f.b != 0 {
		has -= int(f.bExp)
	}
	step := math.Abs(float64(f.m)) * math.Pow10(int(f.rExp))
	if step == 0 {
		return max(0, min(has, 3))
	}
	return max(0, min(has, int(math.Ceil(-math.Log10(step)))+1))
}

// value turns a raw byte into a number in the sensor's unit.
func (r *record) value(raw uint8) fleet.Num {
	return r.convert(raw, r.factors)
}

func (r *record) convert(raw uint8, f factors) fleet.Num {
	x := f.exact(rawValue(raw, r.unit[0]>>6))
	if l := types.LinearizationFunc(r.linear); l != 0 && !l.IsNonLinear() {
		return r.scaled(fleet.FromFloat(linearise(l, x.Float()), 3))
	}
	return r.scaled(x.Rescale(int8(-f.decimals())))
}

// linearise is go-ipmi's, but for powers of ten, which it truncates.
func linearise(l types.LinearizationFunc, x float64) float64 {
	if l == types.LinearizationFunc_EXP10 {
		return math.Pow(10, x)
	}
	return l.Apply(x)
}

// scaled brings a value to the unit that unitOf names.
func (r *record) scaled(n fleet.Num) fleet.Num {
	if r.unit[0]&1 != 0 {
		return n
	}
	switch types.SensorUnitType(r.unit[1]) {
	case types.SensorUnitType_DegreesF:
		return fleet.FromFloat((n.Float()-32)*5/9, 1)
	case types.SensorUnitType_DegreesK:
		return fleet.FromFloat(n.Float()-273.15, 2)
	case types.SensorUnitType_MilliSecond:
		return fleet.FromFloat(n.Float()/1000, 3)
	case types.SensorUnitType_Minute:
		return fleet.FromFloat(n.Float()*60, 0)
	case types.SensorUnitType_Hour:
		return fleet.FromFloat(n.Float()*3600, 0)
	}
	return n
}

// measure is what a unit code measures and how it is spelled.
var measures = map[types.SensorUnitType]struct {
	class fleet.SensorClass
	unit  string
}{
	types.SensorUnitType_DegreesC:    {fleet.ClassTemperature, "C"},
	types.SensorUnitType_DegreesF:    {fleet.ClassTemperature, "C"},
	types.SensorUnitType_DegreesK:    {fleet.ClassTemperature, "C"},
	types.SensorUnitType_Volts:       {fleet.ClassVoltage, "V"},
	types.SensorUnitType_Amps:        {fleet.ClassCurrent, "A"},
	types.SensorUnitType_Watts:       {fleet.ClassPower, "W"},
	types.SensorUnitType_VA:          {fleet.ClassPower, "VA"},
	types.SensorUnitType_KPa:         {fleet.ClassPressure, "kPa"},
	types.SensorUnitType_PSI:         {fleet.ClassPressure, "psi"},
	types.SensorUnitType_CFM:         {fleet.ClassAirflow, "CFM"},
	types.SensorUnitType_RPM:         {fleet.ClassFan, "rpm"},
	types.SensorUnitType_Hz:          {fleet.ClassFrequency, "Hz"},
	types.SensorUnitType_MilliSecond: {fleet.ClassRuntime, "s"},
	types.SensorUnitType_Second:      {fleet.ClassRuntime, "s"},
	types.SensorUnitType_Minute:      {fleet.ClassRuntime, "s"},
	types.SensorUnitType_Hour:        {fleet.ClassRuntime, "s"},
}

// typeClass is the class of a sensor whose unit says nothing.
var typeClass = map[uint8]fleet.SensorClass{
	1: fleet.ClassTemperature, 2: fleet.ClassVoltage, 3: fleet.ClassCurrent, 4: fleet.ClassFan, 0x0a: fleet.ClassFan,
}

// classify returns a sensor's class and the spelling of its unit.
func (r *record) classify() (fleet.SensorClass, string) {
	if !r.analogue {
		return fleet.ClassState, ""
	}
	if r.unit[0]&1 != 0 { // percentage
		if c := typeClass[r.kind]; c == fleet.ClassFan {
			return c, "%"
		}
		return fleet.ClassPercent, "%"
	}
	if m, ok := measures[types.SensorUnitType(r.unit[1])]; ok {
		return m.class, m.unit
	}
	if c, ok := typeClass[r.kind]; ok && r.unit[1] == 0 {
		return c, ""
	}
	if u := types.SensorUnitType(r.unit[1]); u != types.SensorUnitType_Unspecified {
		return fleet.ClassCount, u.String()
	}
	return fleet.ClassCount, ""
}

// limits builds a sensor's limits from raw thresholds and the mask of those
// that exist, both in the order lnc lc lnr unc uc unr.
func (r *record) limits(raw [6]byte, mask uint8) fleet.Limits {
	at := func(i int) fleet.Num {
		if mask&(1<<i) == 0 {
			return fleet.Num{}
		}
		return r.value(raw[i])
	}
	l := fleet.Limits{LowWarn: at(0), LowCrit: at(1), HighWarn: at(3), HighCrit: at(4)}
	if !l.LowCrit.Known {
		l.LowCrit = at(2)
	}
	if !l.HighCrit.Known {
		l.HighCrit = at(5)
	}
	return l
}
