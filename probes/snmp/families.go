package snmp

import "plumb/fleet"

// families are the sensor tables beyond ENTITY-SENSOR-MIB that plumb reads. To
// add one, describe its columns here.
var families = []family{upsFamily, rPDU2DeviceFamily, rPDU2PhaseFamily, rPDU2BankFamily, rPDUFamily, rPDUPowerFamily}

// negative lets a gauge fall below zero: currents of a charging battery,
// temperatures.
const negative = -1 << 31

// upsFamily is the standard UPS-MIB (RFC 1628).
var upsFamily = family{
	table: "ups",
	rows:  3,
	gauges: []gauge{
		{column: parseOID("1.3.6.1.2.1.33.1.2.4"), name: "battery charge", class: fleet.ClassCharge, unit: "%"},
		{column: parseOID("1.3.6.1.2.1.33.1.2.3"), name: "battery runtime", class: fleet.ClassRuntime, unit: "s", times: 60},
		{column: parseOID("1.3.6.1.2.1.33.1.2.2"), name: "time on battery", class: fleet.ClassCount, unit: "s"},
		{column: parseOID("1.3.6.1.2.1.33.1.2.1"), name: "battery status", class: fleet.ClassState, words: []enum{
			{"unknown", fleet.StateUnknown}, {"normal", fleet.StateOK}, {"low", fleet.StateCrit}, {"depleted", fleet.StateCrit}}},
		{column: parseOID("1.3.6.1.2.1.33.1.2.5"), name: "battery voltage", class: fleet.ClassVoltage, unit: "V", scale: -1},
		{column: parseOID("1.3.6.1.2.1.33.1.2.6"), name: "battery current", class: fleet.ClassCurrent, unit: "A", scale: -1, low: negative},
		{column: parseOID("1.3.6.1.2.1.33.1.2.7"), name: "battery temperature", class: fleet.ClassTemperature, unit: "C", low: negative},
		{column: parseOID("1.3.6.1.2.1.33.1.4.1"), name: "output source", class: fleet.ClassState, words: []enum{
			{"other", fleet.StateUnknown}, {"none", fleet.StateCrit}, {"normal", fleet.StateOK}, {"bypass", fleet.StateWarn},
			{"battery", fleet.StateWarn}, {"booster", fleet.StateOK}, {"reducer", fleet.StateOK}}},
		{column: parseOID("1.3.6.1.2.1.33.1.4.2"), name: "output frequency", class: fleet.ClassFrequency, unit: "Hz", scale: -1},
		{column: parseOID("1.3.6.1.2.1.33.1.6.1"), name: "alarms present", class: fleet.ClassCount},
		{column: parseOID("1.3.6.1.2.1.33.1.3.3.1.2"), name: "input frequency", class: fleet.ClassFrequency, unit: "Hz", scale: -1},
		{column: parseOID("1.3.6.1.2.1.33.1.3.3.1.3"), name: "input voltage", class: fleet.ClassVoltage, unit: "V"},
		{column: parseOID("1.3.6.1.2.1.33.1.3.3.1.4"), name: "input current", class: fleet.ClassCurrent, unit: "A", scale: -1},
		{column: parseOID("1.3.6.1.2.1.33.1.3.3.1.5"), name: "input power", class: fleet.ClassPower, unit: "W"},
		{column: parseOID("1.3.6.1.2.1.33.1.4.4.1.2"), name: "output voltage", class: fleet.ClassVoltage, unit: "V"},
		{column: parseOID("1.3.6.1.2.1.33.1.4.4.1.3"), name: "output current", class: fleet.ClassCurrent, unit: "A", scale: -1},
		{column: parseOID("1.3.6.1.2.1.33.1.4.4.1.4"), name: "output power", class: fleet.ClassPower, unit: "W"},
		{column: parseOID("1.3.6.1.2.1.33.1.4.4.1.5"), name: "output load", class: fleet.ClassLoad, unit: "%"},
	},
	labels: []label{{nil, "phase"}},
}

// loadStates of rPDU2 (PowerNet-MIB); the fifth is "not supported".
var loadStates = []enum{{"low load", fleet.StateOK}, {"normal", fleet.StateOK}, {"near overload", fleet.StateWarn}, {"overload", fleet.StateCrit}, {"", fleet.StateUnknown}}

// APC PowerNet-MIB rPDU2: metered and switched rack PDUs of the AP8000 series
// and later. Powers are hundredths of a kilowatt, currents tenths of an ampere.
var (
	rPDU2DeviceFamily = family{
		table: "rPDU2DeviceStatus",
		rows:  1,
		gauges: []gauge{
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.4.3.1.5"), name: "power", class: fleet.ClassPower, unit: "W", scale: 1},
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.4.3.1.4"), name: "load state", class: fleet.ClassState, words: loadStates},
		},
		labels: []label{{nil, "device"}},
	}
	rPDU2PhaseFamily = family{
		table: "rPDU2PhaseStatus",
		rows:  3,
		gauges: []gauge{
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.6.3.1.5"), name: "current", class: fleet.ClassCurrent, unit: "A", scale: -1},
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.6.3.1.6"), name: "voltage", class: fleet.ClassVoltage, unit: "V"},
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.6.3.1.7"), name: "power", class: fleet.ClassPower, unit: "W", scale: 1},
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.6.3.1.4"), name: "load state", class: fleet.ClassState, words: loadStates},
		},
		labels: []label{{nil, "phase"}},
		limits: []limit{{"phase", parseOID("1.3.6.1.4.1.318.1.1.26.6.1.1.6"), parseOID("1.3.6.1.4.1.318.1.1.26.6.1.1.7")}},
	}
	rPDU2BankFamily = family{
		table: "rPDU2BankStatus",
		rows:  6,
		gauges: []gauge{
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.8.3.1.5"), name: "current", class: fleet.ClassCurrent, unit: "A", scale: -1},
			{column: parseOID("1.3.6.1.4.1.318.1.1.26.8.3.1.4"), name: "load state", class: fleet.ClassState, words: loadStates},
		},
		labels: []label{{nil, "bank"}},
		limits: []limit{{"bank", parseOID("1.3.6.1.4.1.318.1.1.26.8.1.1.6"), parseOID("1.3.6.1.4.1.318.1.1.26.8.1.1.7")}},
	}
)

// APC PowerNet-MIB rPDU: the AP7000 series. A row is a bank or a phase.
var (
	rPDUFamily = family{
		table:  "rPDULoadStatus",
		unless: rPDU2PhaseFamily.table, class: fleet.ClassCurrent,
		rows: 6,
		gauges: []gauge{
			{column: parseOID("1.3.6.1.4.1.318.1.1.12.2.3.1.1.2"), name: "current", class: fleet.ClassCurrent, unit: "A", scale: -1},
			{column: parseOID("1.3.6.1.4.1.318.1.1.12.2.3.1.1.3"), name: "load state", class: fleet.ClassState, words: []enum{
				{"normal", fleet.StateOK}, {"low load", fleet.StateOK}, {"near overload", fleet.StateWarn}, {"overload", fleet.StateCrit}}},
		},
		labels: []label{{parseOID("1.3.6.1.4.1.318.1.1.12.2.3.1.1.5"), "bank"}, {parseOID("1.3.6.1.4.1.318.1.1.12.2.3.1.1.4"), "phase"}},
		limits: []limit{
			{"phase", parseOID("1.3.6.1.4.1.318.1.1.12.2.2.1.1.3"), parseOID("1.3.6.1.4.1.318.1.1.12.2.2.1.1.4")},
			{"bank", parseOID("1.3.6.1.4.1.318.1.1.12.2.4.1.1.3"), parseOID("1.3.6.1.4.1.318.1.1.12.2.4.1.1.4")},
		},
	}
	rPDUPowerFamily = family{
		table:  "rPDUIdent",
		unless: rPDU2DeviceFamily.table, class: fleet.ClassPower,
		rows:   1,
		gauges: []gauge{{column: parseOID("1.3.6.1.4.1.318.1.1.12.1.16"), name: "power", class: fleet.ClassPower, unit: "W"}},
	}
)
