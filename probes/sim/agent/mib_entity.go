package agent

import "time"

func entity(v *view, i int) *Entity { return &v.sw.Entities[i] }
func sensor(v *view, i int) *Sensor { return &v.sw.Sensors[i] }

var (
	entityRows = &rows{
		count: func(v *view) int { return len(v.sw.Entities) },
		index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.sw.Entities[i].Index)) },
	}
	sensorRows = &rows{
		count: func(v *view) int { return len(v.sw.Sensors) },
		index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.sw.Sensors[i].Entity)) },
	}
)

// truth is a TruthValue (RFC 2579).
func truth(b bool) int64 {
	if b {
		return 1
	}
	return 2
}

// or is n, or instead where n was left zero.
func or[T ~int](n, instead T) int64 {
	if n == 0 {
		return int64(instead)
	}
	return int64(n)
}

func none[T any](*T) string { return "" }

// entityMIB is entPhysicalTable (RFC 6933) and entPhySensorTable (RFC 3433).
func entityMIB() []object {
	list := []object{ticksOf("1.3.6.1.2.1.47.1.4.1", func(*view) time.Duration { return time.Second })}
	list = append(list, table("1.3.6.1.2.1.47.1.1.1.1", entityRows,
		column{arc: 2, get: str(entity, func(x *Entity) string { return x.Descr })},
		column{arc: 3, get: nullOID},
		column{arc: 4, get: number(entity, func(x *Entity) int64 { return int64(x.Parent) })},
		column{arc: 5, get: number(entity, func(x *Entity) int64 { return or(x.Class, ClassOther) })},
		column{arc: 6, get: number(entity, func(x *Entity) int64 { return int64(x.Position) })},
		column{arc: 7, get: str(entity, func(x *Entity) string { return x.Name })},
		column{arc: 8, get: str(entity, func(x *Entity) string { return x.HardwareRev })},
		column{arc: 9, get: str(entity, func(x *Entity) string { return x.FirmwareRev })},
		column{arc: 10, get: str(entity, func(x *Entity) string { return x.SoftwareRev })},
		column{arc: 11, get: str(entity, func(x *Entity) string { return x.Serial })},
		column{arc: 12, get: str(entity, func(x *Entity) string { return x.Vendor })},
		column{arc: 13, get: str(entity, func(x *Entity) string { return x.Model })},
		column{arc: 14, get: str(entity, none[Entity])},
		column{arc: 15, get: str(entity, none[Entity])},
		column{arc: 16, get: number(entity, func(x *Entity) int64 { return truth(x.Replaceable) })},
	)...)
	return append(list, table("1.3.6.1.2.1.99.1.1.1", sensorRows,
		column{arc: 1, get: number(sensor, func(x *Sensor) int64 { return or(x.Type, 1) })},
		column{arc: 2, get: number(sensor, func(x *Sensor) int64 { return or(x.Scale, 9) })},
		column{arc: 3, get: number(sensor, func(x *Sensor) int64 { return int64(x.Precision) })},
		column{arc: 4, get: number(sensor, func(x *Sensor) int64 { return int64(x.Value) })},
		column{arc: 5, get: number(sensor, func(x *Sensor) int64 { return or(x.Status, SensorOK) })},
		column{arc: 6, get: str(sensor, func(x *Sensor) string { return x.Units })},
		column{arc: 7, get: func(e *encoder, v *view, _ int) bool {
			e.unsigned(tagTimeTicks, ticks(v.sys.Uptime))
			return true
		}},
		column{arc: 8, get: uns(tagGauge32, sensor, func(*Sensor) uint64 { return 1000 })},
	)...)
}
