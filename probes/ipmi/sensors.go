package ipmi

import (
	"context"
	"encoding/binary"
	"errors"

	"plumb/fleet"
)

// readSensors reads every known sensor once. What could be read stands in the
// observation also when the poll ends early.
func (b *BMC) readSensors(ctx context.Context, o *fleet.Observation, hostOff bool) error {
	whole := b.sensors.complete && b.valid
	o.Sensors = make([]fleet.Sensor, 0, len(b.sensors.sensors)+1)
	for _, s := range b.sensors.sensors {
		row, ok, err := b.readSensor(ctx, s, hostOff)
		if over(err) {
			o.SetTable(fleet.TableSensors, fleet.Partial)
			return err
		}
		whole = whole && ok
		o.Sensors = append(o.Sensors, row)
	}
	o.SetTable(fleet.TableSensors, fleet.Partial)
	if whole {
		o.SetTable(fleet.TableSensors, fleet.Complete)
	}
	return nil
}

// readSensor reads one. ok is false when it should have been readable and was
// not; its row then says why. Only an error that ends the poll is returned.
func (b *BMC) readSensor(ctx context.Context, s *sensor, hostOff bool) (row fleet.Sensor, ok bool, err error) {
	row.SensorDef = s.def
	if s.foreign {
		row.Text = "belongs to another controller"
		return row, true, nil
	}
	data, err := b.ask(ctx, command{fn: fnSensor, lun: s.lun, cmd: 0x2d, data: []byte{s.number}, op: "get sensor reading"})
	if err != nil {
		if over(err) {
			return row, false, err
		}
		row.State = silence(hostOff || s.ifPresent && refusedWith(err, ccNotPresent))
		row.Text = reason(err)
		return row, refusedWith(err, ccNotPresent, ccState, ccDisabled, ccIllegal), nil
	}
	x, err := parseReading(data)
	if err != nil {
		row.Text = reason(err)
		return row, false, nil
	}
	f, err := b.factorsOf(ctx, s, x.value)
	if over(err) {
		return row, false, err
	}
	row.Value, row.State, row.Text = s.judge(x, f, s.def.Limits, b.quirks, hostOff)
	return row, true, nil
}

// reason is the shortest form of an error, for a row.
func reason(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.code.String()
	}
	return "answer not understood"
}

// factorsOf returns how to convert a raw byte. Non-linear sensors have other
// factors for each byte: Get Sensor Reading Factors (section 35.5), kept.
func (b *BMC) factorsOf(ctx context.Context, s *sensor, x uint8) (factors, error) {
	if s.linear < 0x70 || !s.analogue {
		return s.factors, nil
	}
	if f, ok := s.perRaw[x]; ok {
		return f, nil
	}
	data, err := b.ask(ctx, command{fn: fnSensor, lun: s.lun, cmd: 0x23, data: []byte{s.number, x}, op: "get sensor reading factors"})
	if err != nil || len(data) < 7 {
		return s.factors, err
	}
	if s.perRaw == nil {
		s.perRaw = make(map[uint8]factors)
	}
	f := parseFactors([6]byte(data[1:7]))
	s.perRaw[x] = f
	return f, nil
}

// readLimits asks for the thresholds that can be set by anyone or that the
// records do not carry: Get Sensor Thresholds (section 35.9).
func (b *BMC) readLimits(ctx context.Context) error {
	for _, s := range b.sensors.sensors {
		if !s.asksLimits() {
			continue
		}
		data, err := b.ask(ctx, command{fn: fnSensor, lun: s.lun, cmd: 0x27, data: []byte{s.number}, op: "get sensor thresholds"})
		if over(err) {
			return err
		}
		if err != nil || len(data) < 7 {
			continue // the record's own serve
		}
		if l := s.limits([6]byte(data[1:7]), data[0]&s.readMask); l != s.def.Limits {
			s.define(l)
		}
	}
	return nil
}

// meter is the DCMI power meter (DCMI 1.5 section 6.6.1), where there is one.
type meter struct {
	asked, present bool
}

var meterDef = &fleet.SensorDef{ID: "dcmi.power", Key: "dcmi.power", Name: "Power (DCMI)", Class: fleet.ClassPower, Unit: "W"}

const dcmi = 0xdc // group extension id

// readMeter reads the present power of the whole machine. A BMC without the
// command is asked again only by the slow lane.
func (b *BMC) readMeter(ctx context.Context, o *fleet.Observation, lane fleet.Lane, hostOff bool) error {
	if b.meter.asked && !b.meter.present && lane != fleet.LaneSlow {
		return nil
	}
	data, err := b.askOptional(ctx, command{fn: fnGroup, cmd: 0x02, data: []byte{dcmi, 1, 0, 0}, op: "get power reading"})
	if over(err) {
		return err
	}
	b.meter.asked = true
	b.meter.present = err == nil && len(data) >= 18 && data[0] == dcmi
	if !b.meter.present {
		return nil
	}
	row := fleet.Sensor{SensorDef: meterDef, State: silence(hostOff)}
	if data[17]&0x40 != 0 { // measuring
		row.Value, row.State = fleet.Int(int64(binary.LittleEndian.Uint16(data[1:]))), fleet.StateOK
	}
	o.Sensors = append(o.Sensors, row)
	return nil
}
