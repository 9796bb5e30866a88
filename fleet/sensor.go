package fleet

// SensorClass says what a sensor measures.
type SensorClass string

// Sensor classes, as the contract spells them.
const (
	ClassTemperature SensorClass = "temperature"
	ClassVoltage     SensorClass = "voltage"
	ClassCurrent     SensorClass = "current"
	ClassPower       SensorClass = "power"
	ClassFan         SensorClass = "fan"
	ClassFrequency   SensorClass = "frequency"
	ClassHumidity    SensorClass = "humidity"
	ClassPercent     SensorClass = "percent"
	ClassDBm         SensorClass = "dbm"
	ClassLoad        SensorClass = "load"
	ClassRuntime     SensorClass = "runtime"
	ClassCharge      SensorClass = "charge"
	ClassAirflow     SensorClass = "airflow"
	ClassPressure    SensorClass = "pressure"
	ClassState       SensorClass = "state"
	ClassCount       SensorClass = "count"
	ClassLatency     SensorClass = "latency" // of a workload's answer
)

// Limits are a sensor's thresholds in its own unit; null where the device has
// none. IPMI non-critical is warn and critical is crit; non-recoverable serves
// as crit only where critical is absent (IPMI 2.0 section 35.5).
type Limits struct {
	LowCrit  Num `json:"low_crit"`
	LowWarn  Num `json:"low_warn"`
	HighWarn Num `json:"high_warn"`
	HighCrit Num `json:"high_crit"`
}

// Judge compares a value with the limits. A null value is unknown; a sensor
// without limits is ok as long as it reads.
func (l Limits) Judge(v Num) State {
	switch {
	case !v.Known:
		return StateUnknown
	case l.HighCrit.Known && v.Cmp(l.HighCrit) >= 0, l.LowCrit.Known && v.Cmp(l.LowCrit) <= 0:
		return StateCrit
	case l.HighWarn.Known && v.Cmp(l.HighWarn) >= 0, l.LowWarn.Known && v.Cmp(l.LowWarn) <= 0:
		return StateWarn
	}
	return StateOK
}

// SensorDef is what a sensor is. A probe builds it once per re-read of its
// tables and shares it between polls; it is never written after that.
type SensorDef struct {
	ID     string      `json:"id"`  // on the wire: OID without leading dot, or SDR record id in decimal
	Key    string      `json:"key"` // survives a re-read: owner.lun.number in hex, or table:entPhysicalName
	Name   string      `json:"name"`
	Class  SensorClass `json:"class"`
	Unit   string      `json:"unit"` // C V A W rpm Hz % dBm s ...; empty for state sensors
	Limits Limits      `json:"limits"`
	// In is the part that it stands in, where the wire tells: a power supply
	// (entPhysicalContainedIn, RFC 6933). A name alone may say "input voltage".
	In string `json:"in,omitempty"`
}

// Sensor is a definition with its present reading.
type Sensor struct {
	*SensorDef
	Value Num    `json:"value"`
	State State  `json:"state"`
	Text  string `json:"text,omitempty"` // state sensors: the asserted states in words
	// Stale: the last poll could not read it. A state that was bad stays until
	// it is read again, because silence resolves nothing.
	Stale bool `json:"stale,omitempty"`
}
