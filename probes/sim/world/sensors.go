package world

import "math"

// Sensor numbers of the servers' BMCs. They are the same for every model; a
// model without a second socket leaves its numbers out.
const (
	SensorInlet     byte = 0x01
	SensorExhaust   byte = 0x02
	SensorCPU1      byte = 0x03
	SensorCPU2      byte = 0x04
	SensorDIMM      byte = 0x05
	SensorPCH       byte = 0x06
	SensorFan1      byte = 0x10 // to 0x15
	Sensor12V       byte = 0x20
	Sensor5V        byte = 0x21
	Sensor3V3       byte = 0x22
	SensorBattery   byte = 0x23
	SensorVcore1    byte = 0x24
	SensorVcore2    byte = 0x25
	SensorVDIMM     byte = 0x26
	SensorPSU1Watts byte = 0x30
	SensorPSU2Watts byte = 0x31
	SensorWatts     byte = 0x32
	SensorPSU1      byte = 0x38
	SensorPSU2      byte = 0x39
	SensorIntrusion byte = 0x40
	SensorMemory    byte = 0x41
	SensorOS        byte = 0x42
	SensorLog       byte = 0x43
	SensorPowerUnit byte = 0x44
)

// Fans of a server.
const Fans = 6

// Quantity is what a sensor measures.
type Quantity uint8

// Quantities; a discrete sensor has states instead of a value.
const (
	Discrete Quantity = iota
	Celsius
	RPM
	Volts
	Watts
)

// Sensor describes one sensor of a server, in its own unit. A limit that is
// NaN does not exist.
type Sensor struct {
	Number   byte
	Name     string
	Quantity Quantity
	Entity   byte // IPMI entity id (IPMI 2.0 table 43-13)
	Instance byte
	Type     byte // IPMI sensor type (table 42-3); only of discrete sensors

	LowCrit, LowWarn, HighWarn, HighCrit float64
	Nominal                              float64
}

// Reading is a sensor's present value, or its states.
type Reading struct {
	Value float64
	Bits  uint16 // asserted states of a discrete sensor
	OK    bool   // false: not available, as of a fan while the host is off
}

// Sensors returns the sensors of a model in a fixed order; the readings of a
// [ServerState] come in the same order. The slice is shared.
func (m *ServerModel) Sensors() []Sensor { return modelSensors[m] }

var modelSensors = func() map[*ServerModel][]Sensor {
	all := map[*ServerModel][]Sensor{}
	for _, m := range []*ServerModel{modelR6515, modelR7515, modelR650, modelR750, modelR7525, modelR940} {
		all[m] = m.sensors()
	}
	return all
}()

func (m *ServerModel) sensors() []Sensor {
	none := math.NaN()
	temp := func(n byte, name string, entity, inst byte, warn, crit float64) Sensor {
		return Sensor{n, name, Celsius, entity, inst, 1, none, none, warn, crit, 40}
	}
	volt := func(n byte, name string, entity byte, v float64) Sensor {
		return Sensor{n, name, Volts, entity, 1, 2, v * 0.92, v * 0.95, v * 1.05, v * 1.08, v}
	}
	watt := func(n byte, name string, entity, inst byte) Sensor {
		return Sensor{n, name, Watts, entity, inst, 0x0b, none, none, none, none, 200}
	}
	s := []Sensor{
		{SensorInlet, "Inlet Temp", Celsius, 0x37, 1, 1, 3, 5, 35, 42, 22},
		temp(SensorExhaust, "Exhaust Temp", 0x37, 2, 65, 75),
		temp(SensorCPU1, "CPU1 Temp", 3, 1, 85, 95),
	}
	if m.Sockets > 1 {
		s = append(s, temp(SensorCPU2, "CPU2 Temp", 3, 2, 85, 95))
	}
	s = append(s, temp(SensorDIMM, "DIMM Temp", 0x20, 1, 80, 90), temp(SensorPCH, "PCH Temp", 7, 1, 85, 95))
	for f := range byte(Fans) {
		s = append(s, Sensor{SensorFan1 + f, "FAN" + string('1'+rune(f)), RPM, 0x1d, f + 1, 4, m.FanRPM * 0.12, m.FanRPM * 0.18, none, none, m.FanRPM / 2})
	}
	s = append(s, volt(Sensor12V, "12V", 7, 12), volt(Sensor5V, "5V", 7, 5), volt(Sensor3V3, "3.3V", 7, 3.3), volt(SensorBattery, "VBAT", 0x28, 3.0), volt(SensorVcore1, "Vcpu1", 3, 1.1))
	if m.Sockets > 1 {
		s = append(s, volt(SensorVcore2, "Vcpu2", 3, 1.1))
	}
	return append(s,
		volt(SensorVDIMM, "VDIMM", 8, 1.2),
		watt(SensorPSU1Watts, "PS1 Input Power", 0x0a, 1), watt(SensorPSU2Watts, "PS2 Input Power", 0x0a, 2), watt(SensorWatts, "Pwr Consumption", 7, 1),
		Sensor{Number: SensorPSU1, Name: "PS1 Status", Entity: 0x0a, Instance: 1, Type: 0x08},
		Sensor{Number: SensorPSU2, Name: "PS2 Status", Entity: 0x0a, Instance: 2, Type: 0x08},
		Sensor{Number: SensorIntrusion, Name: "Intrusion", Entity: 0x17, Instance: 1, Type: 0x05},
		Sensor{Number: SensorMemory, Name: "ECC Errors", Entity: 0x20, Instance: 2, Type: 0x0c},
		Sensor{Number: SensorLog, Name: "SEL", Entity: 6, Instance: 1, Type: 0x10},
	)
}

// States of a power supply (IPMI 2.0 table 42-3, type 08h).
const (
	PSUPresent   = 1 << 0
	PSUFailed    = 1 << 1
	PSUInputLost = 1 << 3
)

// States of the event log (type 10h).
const (
	LogFull       = 1 << 4
	LogAlmostFull = 1 << 5
)
