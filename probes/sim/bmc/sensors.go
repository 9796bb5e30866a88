package bmc

import (
	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

var sensorCommands = []entry{
	{types.CommandGetSensorReading, 1, user, sensorReading},
	{types.CommandGetSensorThresholds, 1, user, sensorThresholds},
	{types.CommandGetSensorReadingFactors, 2, user, sensorFactors},
	{types.CommandGetSensorHysteresis, 1, user, func(d *device, req []byte) ([]byte, types.CompletionCode) {
		if _, cc := d.sensor(req[0]); cc != ccOK {
			return nil, cc
		}
		return []byte{0, 0}, ccOK
	}},
	{types.CommandGetSensorEventEnable, 1, user, sensorEvents},
	{types.CommandGetSensorEventStatus, 1, user, func(d *device, req []byte) ([]byte, types.CompletionCode) {
		if _, cc := d.sensor(req[0]); cc != ccOK {
			return nil, cc
		}
		return []byte{0xc0, 0, 0, 0, 0}, ccOK
	}},
	{types.CommandGetSensorType, 1, user, func(d *device, req []byte) ([]byte, types.CompletionCode) {
		i, cc := d.sensor(req[0])
		if cc != ccOK {
			return nil, cc
		}
		if s := &d.model.sensors[i]; s.Quantity == world.Discrete {
			return []byte{s.Type, 0x6f}, ccOK
		}
		return []byte{d.model.sensors[i].Type, 0x01}, ccOK
	}},
}

// sensor returns the place of a sensor number.
func (d *device) sensor(number byte) (int, types.CompletionCode) {
	if i := d.model.byNum[number]; i >= 0 {
		return int(i), ccOK
	}
	return 0, ccNotPresent
}

// sensorReading is table 35-15.
func sensorReading(d *device, req []byte) ([]byte, types.CompletionCode) {
	i, cc := d.sensor(req[0])
	if cc != ccOK {
		return nil, cc
	}
	const scanning, unavailable = 0xc0, 0x20
	s, r := &d.model.sensors[i], d.look().Readings[i]
	switch {
	case !r.OK:
		return []byte{0, scanning | unavailable, 0xc0, 0x80}, ccOK
	case s.Quantity == world.Discrete:
		return []byte{0, scanning, byte(r.Bits), byte(r.Bits>>8) | 0x80}, ccOK
	}
	raw := s.raw(r.Value)
	return []byte{raw, scanning, 0xc0 | s.over(raw), 0x80}, ccOK
}

// sensorThresholds is table 35-9.
func sensorThresholds(d *device, req []byte) ([]byte, types.CompletionCode) {
	i, cc := d.sensor(req[0])
	if cc != ccOK {
		return nil, cc
	}
	s := &d.model.sensors[i]
	if s.Quantity == world.Discrete {
		return nil, ccField
	}
	return append([]byte{s.has}, s.limits[:]...), ccOK
}

// sensorFactors is table 35-5.
func sensorFactors(d *device, req []byte) ([]byte, types.CompletionCode) {
	i, cc := d.sensor(req[0])
	if cc != ccOK {
		return nil, cc
	}
	s := &d.model.sensors[i]
	return []byte{req[1], byte(s.m), byte(s.m >> 8 & 3 << 6), 0, 0, 0, byte(s.exp << 4)}, ccOK
}

// sensorEvents is table 35-11.
func sensorEvents(d *device, req []byte) ([]byte, types.CompletionCode) {
	i, cc := d.sensor(req[0])
	if cc != ccOK {
		return nil, cc
	}
	s := &d.model.sensors[i]
	mask := thresholdEvents(s.has)
	if s.Quantity == world.Discrete {
		mask = discreteStates[s.Type]
	}
	return []byte{0xc0, byte(mask), byte(mask >> 8), byte(mask), byte(mask >> 8)}, ccOK
}
