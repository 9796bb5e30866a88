package fleet

import "strings"

// Supply is the number of the power supply whose state a sensor tells, or 0.
// The names are those of the vendors: "PS1 Status", "PSU 2", "Power Supply 1".
func (x *Sensor) Supply() int {
	if x.Class != ClassState {
		return 0
	}
	return supplyOf(x.Name)
}

// Input is the number of the power supply of which a sensor tells the watts it
// draws, or 0: "PS1 Input Power", "PSU2 Power In".
func (x *Sensor) Input() int {
	if n, output := x.SupplySide(); !output && x.Class == ClassPower {
		return n
	}
	return 0
}

// SupplySide is the number of the power supply of which a sensor measures watts,
// volts or amperes on one of its sides, and which side; 0: it measures no such
// thing. The supply is named by the sensor, or is what the sensor stands in:
// "PSU1 Pout", "Output current sensor" in "PowerSupply1".
func (x *Sensor) SupplySide() (n int, output bool) {
	switch {
	case x.Class == ClassPower && x.Unit == "W", x.Class == ClassVoltage && x.Unit == "V", x.Class == ClassCurrent && x.Unit == "A":
	default:
		return 0, false
	}
	if n = supplyOf(x.Name); n == 0 {
		if n = supplyOf(x.In); n == 0 {
			return 0, false
		}
	}
	in := false
	for _, word := range strings.FieldsFunc(strings.ToLower(x.Name), func(r rune) bool { return r == ' ' || r == '_' || r == '-' || r == '.' || r == '/' }) {
		switch word {
		case "in", "pin", "vin", "iin", "pwrin", "powerin":
			in = true
		case "out", "pout", "vout", "iout", "pwrout", "powerout":
			output = true
		default: // "InputPower"
			in, output = in || strings.HasPrefix(word, "input"), output || strings.HasPrefix(word, "output")
		}
	}
	if in == output { // neither, or a ratio of both
		return 0, false
	}
	return n, output
}

func supplyOf(name string) int {
	if name == "" || name[0]|0x20 != 'p' { // as each head below begins
		return 0
	}
	name = strings.ToLower(name)
	for _, head := range []string{"power supply", "powersupply", "pwrsupply", "psu", "ps"} {
		rest, ok := strings.CutPrefix(name, head)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " _-#")
		if rest == "" || rest[0] < '1' || rest[0] > '9' || len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' {
			return 0
		}
		return int(rest[0] - '0')
	}
	return 0
}

// Inlet reports whether a sensor measures the air that a machine breathes in.
func (x *Sensor) Inlet() bool {
	if x.Class != ClassTemperature {
		return false
	}
	return x.Says("inlet") || x.Says("ambient")
}

// Says reports whether a sensor's name holds a word, which is in lower case.
func (d *SensorDef) Says(word string) bool { return holds(d.Name, word) }

// holds reports whether a name holds a word, which is in lower case, in letters
// of any case: every sensor of every machine is asked at every poll.
func holds(name, word string) bool {
	for i := 0; i+len(word) <= len(name); i++ {
		if name[i]|0x20 == word[0] && strings.EqualFold(name[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// Management reports whether the cable is that of a BMC: nothing that runs
// hangs on it, only the sight of the machine does.
func (c *Cable) Management() bool {
	switch strings.ToLower(c.NIC) {
	case "bmc", "ipmi", "idrac", "ilo", "imm", "xcc", "mgmt", "management":
		return true
	}
	return false
}
