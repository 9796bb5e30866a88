package agent

import "time"

// PDU is a switched and metered rack PDU as APC's PowerNet-MIB shows one in
// its rPDU2 tables (1.3.6.1.4.1.318.1.1.26), module 1.
type PDU struct {
	System
	Model, Serial                string // "AP8641", "3F3452A52295"
	HardwareRev, FirmwareRev     string
	Manufactured                 string // MM/DD/YYYY
	RatedAmps                    int    // of one phase
	MaxPhaseAmps                 int    // of the breaker; 0 counts as RatedAmps
	Watts, PeakWatts, ApparentVA int
	EnergyWh                     uint64
	// NearWatts and OverWatts are the load thresholds of the whole device.
	NearWatts, OverWatts int
	PSU1Failed           bool // input of the first internal supply is lost
	PSU2Failed           bool
	Phases               []Phase  // row n is phase n
	Banks                []Bank   // row n is bank n
	Outlets              []Outlet // row n is outlet n
}

// Load are the thresholds of a phase or a bank in whole amperes.
type Load struct{ LowA, NearA, OverA int }

// state returns rPDU2's load state: low 1, normal 2, near overload 3, over 4.
func (l Load) state(ampsX10 int) int64 {
	switch {
	case l.OverA > 0 && ampsX10 >= l.OverA*10:
		return 4
	case l.NearA > 0 && ampsX10 >= l.NearA*10:
		return 3
	case ampsX10 < l.LowA*10:
		return 1
	}
	return 2
}

// Phase is one phase of a PDU's input.
type Phase struct {
	Volts                    int
	AmpsX10, PeakAmpsX10     int // tenths of an ampere
	Watts, VA, FactorPercent int
	Limits                   Load
}

// Bank is a breaker group of outlets.
type Bank struct {
	Phase                int
	AmpsX10, PeakAmpsX10 int // tenths of an ampere
	Limits               Load
}

// Outlet is one socket.
type Outlet struct {
	Name             string
	Phase, Bank      int
	On               bool
	Pending          bool // a delayed command waits
	AmpsX10          int  // tenths of an ampere
	Watts, PeakWatts int
	EnergyWh         uint64
	NearWatts        int
	OverWatts        int
	Type             string // "IEC C13"
}

// UPS is an uninterruptible supply as the UPS-MIB shows one (RFC 1628).
type UPS struct {
	System
	Vendor, Model              string
	FirmwareRev, AgentRev      string
	Label                      string // upsIdentName
	Battery                    Battery
	Input                      []Line // row n is line n
	InputLineBads              uint32
	Output                     []Line
	OutputSource               OutputSource
	OutputHertzX10             int
	Alarms                     []Alarm // ascending by ID
	RatedVA, RatedWatts        int
	RatedInVolts, RatedInHzX10 int
	RatedVolts, RatedHertzX10  int
	LowBatteryMinutes          int
}

// Battery is the battery group.
type Battery struct {
	Status         BatteryStatus
	OnBattery      time.Duration // 0: on utility
	Remaining      time.Duration
	ChargePercent  int
	VoltsX10       int
	AmpsX10        int // negative while it discharges
	CelsiusDegrees int
}

// BatteryStatus is upsBatteryStatus.
type BatteryStatus int

// Battery statuses.
const (
	BatteryUnknown  BatteryStatus = 1
	BatteryNormal   BatteryStatus = 2
	BatteryLow      BatteryStatus = 3
	BatteryDepleted BatteryStatus = 4
)

// OutputSource is upsOutputSource.
type OutputSource int

// Output sources.
const (
	SourceOther   OutputSource = 1
	SourceNone    OutputSource = 2
	SourceNormal  OutputSource = 3
	SourceBypass  OutputSource = 4
	SourceBattery OutputSource = 5
)

// Line is one input or output line.
type Line struct {
	HertzX10    int // input only
	Volts       int
	AmpsX10     int
	Watts       int
	LoadPercent int // output only
}

// Alarm is one row of upsAlarmTable.
type Alarm struct {
	ID    int
	What  AlarmKind
	Since time.Duration // Uptime at which it began
}

// AlarmKind is the last arc of one of upsWellKnownAlarms.
type AlarmKind int

// Alarms in use.
const (
	AlarmBatteryBad     AlarmKind = 1
	AlarmOnBattery      AlarmKind = 2
	AlarmLowBattery     AlarmKind = 3
	AlarmDepleted       AlarmKind = 4
	AlarmTemperatureBad AlarmKind = 5
	AlarmInputBad       AlarmKind = 6
	AlarmOutputOverload AlarmKind = 8
	AlarmOnBypass       AlarmKind = 9
)
