package agent

import "time"

func (u *UPS) view() view { return view{sys: &u.System, ups: u} }

func inLine(v *view, i int) *Line  { return &v.ups.Input[i] }
func outLine(v *view, i int) *Line { return &v.ups.Output[i] }

var (
	inRows    = countedRows(func(v *view) int { return len(v.ups.Input) })
	outRows   = countedRows(func(v *view) int { return len(v.ups.Output) })
	alarmRows = &rows{
		count: func(v *view) int { return len(v.ups.Alarms) },
		index: func(v *view, i int, to []uint32) []uint32 { return append(to, uint32(v.ups.Alarms[i].ID)) },
	}
	wellKnownAlarms = mustOID("1.3.6.1.2.1.33.1.6.3")
)

func volts(l *Line) int64 { return int64(l.Volts) }
func amps(l *Line) int64  { return int64(l.AmpsX10) }
func watts(l *Line) int64 { return int64(l.Watts) }

// upsMIB is UPS-MIB (RFC 1628).
func upsMIB() []object {
	const base = "1.3.6.1.2.1.33.1."
	list := upsScalars(base)
	list = append(list, table(base+"3.3.1", inRows, // upsInputTable
		column{arc: 2, get: number(inLine, func(l *Line) int64 { return int64(l.HertzX10) })},
		column{arc: 3, get: number(inLine, volts)},
		column{arc: 4, get: number(inLine, amps)},
		column{arc: 5, get: number(inLine, watts)},
	)...)
	list = append(list, table(base+"4.4.1", outRows, // upsOutputTable
		column{arc: 2, get: number(outLine, volts)},
		column{arc: 3, get: number(outLine, amps)},
		column{arc: 4, get: number(outLine, watts)},
		column{arc: 5, get: number(outLine, func(l *Line) int64 { return int64(l.LoadPercent) })},
	)...)
	return append(list, table(base+"6.2.1", alarmRows, // upsAlarmTable
		column{arc: 2, get: func(e *encoder, v *view, i int) bool {
			var buf [maxIndex]uint32
			e.oid(append(append(buf[:0], wellKnownAlarms...), uint32(v.ups.Alarms[i].What)))
			return true
		}},
		column{arc: 3, get: func(e *encoder, v *view, i int) bool {
			e.unsigned(tagTimeTicks, ticks(v.ups.Alarms[i].Since))
			return true
		}},
	)...)
}

func upsScalars(base string) []object {
	text := func(arcs string, get func(*UPS) string) object {
		return textOf(base+arcs, func(v *view) string { return get(v.ups) })
	}
	num := func(arcs string, get func(*UPS) int) object {
		return numberOf(base+arcs, func(v *view) int64 { return int64(get(v.ups)) })
	}
	return []object{
		text("1.1", func(u *UPS) string { return u.Vendor }),
		text("1.2", func(u *UPS) string { return u.Model }),
		text("1.3", func(u *UPS) string { return u.FirmwareRev }),
		text("1.4", func(u *UPS) string { return u.AgentRev }),
		text("1.5", func(u *UPS) string { return u.Label }),
		text("1.6", func(*UPS) string { return "" }),
		num("2.1", func(u *UPS) int { return int(or(u.Battery.Status, BatteryNormal)) }),
		num("2.2", func(u *UPS) int { return int(u.Battery.OnBattery / time.Second) }),
		num("2.3", func(u *UPS) int { return int(u.Battery.Remaining / time.Minute) }),
		num("2.4", func(u *UPS) int { return u.Battery.ChargePercent }),
		num("2.5", func(u *UPS) int { return u.Battery.VoltsX10 }),
		num("2.6", func(u *UPS) int { return u.Battery.AmpsX10 }),
		num("2.7", func(u *UPS) int { return u.Battery.CelsiusDegrees }),
		scalar(base+"3.1", func(e *encoder, v *view) { e.unsigned(tagCounter32, uint64(v.ups.InputLineBads)) }),
		num("3.2", func(u *UPS) int { return len(u.Input) }),
		num("4.1", func(u *UPS) int { return int(or(u.OutputSource, SourceNormal)) }),
		num("4.2", func(u *UPS) int { return u.OutputHertzX10 }),
		num("4.3", func(u *UPS) int { return len(u.Output) }),
		num("5.1", func(u *UPS) int { return u.OutputHertzX10 }), // bypass frequency
		num("5.2", func(*UPS) int { return 0 }),                  // bypass lines
		scalar(base+"6.1", func(e *encoder, v *view) { e.unsigned(tagGauge32, uint64(len(v.ups.Alarms))) }),
		num("9.1", func(u *UPS) int { return u.RatedInVolts }),
		num("9.2", func(u *UPS) int { return u.RatedInHzX10 }),
		num("9.3", func(u *UPS) int { return u.RatedVolts }),
		num("9.4", func(u *UPS) int { return u.RatedHertzX10 }),
		num("9.5", func(u *UPS) int { return u.RatedVA }),
		num("9.6", func(u *UPS) int { return u.RatedWatts }),
		num("9.7", func(u *UPS) int { return u.LowBatteryMinutes }),
		num("9.8", func(*UPS) int { return 1 }), // audible alarm disabled
	}
}
