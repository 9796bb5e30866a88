package agent

func (p *PDU) view() view { return view{sys: &p.System, pdu: p} }

func phase(v *view, i int) *Phase   { return &v.pdu.Phases[i] }
func bank(v *view, i int) *Bank     { return &v.pdu.Banks[i] }
func outlet(v *view, i int) *Outlet { return &v.pdu.Outlets[i] }
func unit(v *view, _ int) *PDU      { return v.pdu }

func countedRows(count func(*view) int) *rows {
	return &rows{count: count, index: func(_ *view, i int, to []uint32) []uint32 { return append(to, uint32(i+1)) }}
}

var (
	unitRows   = fixedRows(1)
	phaseRows  = countedRows(func(v *view) int { return len(v.pdu.Phases) })
	bankRows   = countedRows(func(v *view) int { return len(v.pdu.Banks) })
	outletRows = countedRows(func(v *view) int { return len(v.pdu.Outlets) })
)

// rowNumber is a column that repeats the index.
func rowNumber(e *encoder, _ *view, i int) bool { e.integer(int64(i + 1)); return true }

func (p *PDU) name() string    { return p.Name }
func (o *Outlet) name() string { return o.Name }

// decawatts is hundredths of a kilowatt, the unit of most powers here.
func decawatts(w int) int64 { return int64(w+5) / 10 }

// tenthsKWh is the unit of energies.
func tenthsKWh(wh uint64) int64 { return int64(wh / 100) }

// failed is rPDU2's alarm: normal 1, alarm 2.
func failed(b bool) int64 {
	if b {
		return 2
	}
	return 1
}

func (p *PDU) maxAmps() int64 {
	if p.MaxPhaseAmps == 0 {
		return int64(p.RatedAmps)
	}
	return int64(p.MaxPhaseAmps)
}

func (p *PDU) state() int64 {
	switch {
	case p.OverWatts > 0 && p.Watts >= p.OverWatts:
		return 4
	case p.NearWatts > 0 && p.Watts >= p.NearWatts:
		return 3
	}
	return 2
}

func (o *Outlet) loadState() int64 {
	switch {
	case o.OverWatts > 0 && o.Watts >= o.OverWatts:
		return 4
	case o.NearWatts > 0 && o.Watts >= o.NearWatts:
		return 3
	}
	return 2
}

// switched is rPDU2OutletSwitchedStatusState: off 1, on 2.
func (o *Outlet) switched() int64 {
	if o.On {
		return 2
	}
	return 1
}

// command is what the control object reads as: the command that leads to the
// present state.
func (o *Outlet) command() int64 {
	if o.On {
		return int64(OutletOn)
	}
	return int64(OutletOff)
}

// apcMIB is the rPDU2 part of PowerNet-MIB: identity, device, phases, banks,
// and outlets switched and metered.
func apcMIB() []object {
	const base = "1.3.6.1.4.1.318.1.1.26."
	list := []object{
		numberOf(base+"1", func(*view) int64 { return 1 }),
		numberOf(base+"3", func(*view) int64 { return 1 }),
		numberOf(base+"5", func(v *view) int64 { return int64(len(v.pdu.Phases)) }),
		numberOf(base+"7", func(v *view) int64 { return int64(len(v.pdu.Banks)) }),
		numberOf(base+"9.1", func(v *view) int64 { return int64(len(v.pdu.Outlets)) }),
	}
	list = append(list, apcDevice(base)...)
	list = append(list, apcPhases(base)...)
	list = append(list, apcBanks(base)...)
	return append(list, apcOutlets(base)...)
}

func apcDevice(base string) []object {
	list := table(base+"2.1", unitRows, // rPDU2IdentTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: rowNumber},
		column{arc: 3, get: str(unit, (*PDU).name)},
		column{arc: 4, get: str(unit, func(p *PDU) string { return p.Location })},
		column{arc: 5, get: str(unit, func(p *PDU) string { return p.HardwareRev })},
		column{arc: 6, get: str(unit, func(p *PDU) string { return p.FirmwareRev })},
		column{arc: 7, get: str(unit, func(p *PDU) string { return p.Manufactured })},
		column{arc: 8, get: str(unit, func(p *PDU) string { return p.Model })},
		column{arc: 9, get: str(unit, func(p *PDU) string { return p.Serial })},
		column{arc: 10, get: str(unit, func(p *PDU) string { return p.Contact })},
	)
	list = append(list, table(base+"4.2.1", unitRows, // rPDU2DevicePropertiesTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: rowNumber},
		column{arc: 3, get: str(unit, (*PDU).name)},
		column{arc: 4, get: number(unit, func(p *PDU) int64 { return int64(len(p.Outlets)) })},
		column{arc: 5, get: number(unit, func(p *PDU) int64 { return int64(len(p.Outlets)) })},
		column{arc: 6, get: number(unit, func(p *PDU) int64 { return int64(len(p.Outlets)) })},
		column{arc: 7, get: number(unit, func(p *PDU) int64 { return int64(len(p.Phases)) })},
		column{arc: 8, get: number(unit, func(p *PDU) int64 { return int64(len(p.Banks)) })},
		column{arc: 9, get: number(unit, func(p *PDU) int64 { return int64(p.RatedAmps) })},
		column{arc: 10, get: constant(2)}, // breakers present
		column{arc: 11, get: number(unit, func(p *PDU) int64 { return int64(len(p.Banks)) })},
		column{arc: 12, get: number(unit, (*PDU).maxAmps)},
		column{arc: 13, get: number(unit, func(p *PDU) int64 { return int64(p.OverWatts) / 100 })},
	)...)
	return append(list, table(base+"4.3.1", unitRows, // rPDU2DeviceStatusTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: rowNumber},
		column{arc: 3, get: str(unit, (*PDU).name)},
		column{arc: 4, get: number(unit, (*PDU).state)},
		column{arc: 5, get: number(unit, func(p *PDU) int64 { return decawatts(p.Watts) })},
		column{arc: 6, get: number(unit, func(p *PDU) int64 { return decawatts(p.PeakWatts) })},
		column{arc: 9, get: number(unit, func(p *PDU) int64 { return tenthsKWh(p.EnergyWh) })},
		column{arc: 11, get: constant(2)}, // no command pending
		column{arc: 12, get: number(unit, func(p *PDU) int64 { return failed(p.PSU1Failed || p.PSU2Failed) })},
		column{arc: 13, get: number(unit, func(p *PDU) int64 { return failed(p.PSU1Failed) })},
		column{arc: 14, get: number(unit, func(p *PDU) int64 { return failed(p.PSU2Failed) })},
		column{arc: 16, get: number(unit, func(p *PDU) int64 { return decawatts(p.ApparentVA) })},
	)...)
}

func apcPhases(base string) []object {
	list := table(base+"6.1.1", phaseRows, // rPDU2PhaseConfigTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
		column{arc: 4, get: constant(1)}, // overload restriction: always allow
		column{arc: 5, get: number(phase, func(p *Phase) int64 { return int64(p.Limits.LowA) })},
		column{arc: 6, get: number(phase, func(p *Phase) int64 { return int64(p.Limits.NearA) })},
		column{arc: 7, get: number(phase, func(p *Phase) int64 { return int64(p.Limits.OverA) })},
	)
	list = append(list, table(base+"6.2.1", phaseRows, // rPDU2PhasePropertiesTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
	)...)
	return append(list, table(base+"6.3.1", phaseRows, // rPDU2PhaseStatusTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
		column{arc: 4, get: number(phase, func(p *Phase) int64 { return p.Limits.state(p.AmpsX10) })},
		column{arc: 5, get: number(phase, func(p *Phase) int64 { return int64(p.AmpsX10) })},
		column{arc: 6, get: number(phase, func(p *Phase) int64 { return int64(p.Volts) })},
		column{arc: 7, get: number(phase, func(p *Phase) int64 { return decawatts(p.Watts) })},
		column{arc: 8, get: number(phase, func(p *Phase) int64 { return decawatts(p.VA) })},
		column{arc: 9, get: number(phase, func(p *Phase) int64 { return int64(p.FactorPercent) })},
		column{arc: 10, get: number(phase, func(p *Phase) int64 { return int64(p.PeakAmpsX10) })},
	)...)
}

func apcBanks(base string) []object {
	list := table(base+"8.1.1", bankRows, // rPDU2BankConfigTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
		column{arc: 4, get: constant(1)},
		column{arc: 5, get: number(bank, func(b *Bank) int64 { return int64(b.Limits.LowA) })},
		column{arc: 6, get: number(bank, func(b *Bank) int64 { return int64(b.Limits.NearA) })},
		column{arc: 7, get: number(bank, func(b *Bank) int64 { return int64(b.Limits.OverA) })},
	)
	list = append(list, table(base+"8.2.1", bankRows, // rPDU2BankPropertiesTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
		column{arc: 4, get: number(bank, func(b *Bank) int64 { return int64(b.Phase) })},
		column{arc: 5, get: number(bank, func(b *Bank) int64 { return int64(b.Limits.OverA) })},
	)...)
	return append(list, table(base+"8.3.1", bankRows, // rPDU2BankStatusTable
		column{arc: 1, get: rowNumber},
		column{arc: 2, get: constant(1)},
		column{arc: 3, get: rowNumber},
		column{arc: 4, get: number(bank, func(b *Bank) int64 { return b.Limits.state(b.AmpsX10) })},
		column{arc: 5, get: number(bank, func(b *Bank) int64 { return int64(b.AmpsX10) })},
		column{arc: 6, get: number(bank, func(b *Bank) int64 { return int64(b.PeakAmpsX10) })},
	)...)
}

// outletHead are the four columns that every outlet table begins with.
func outletHead() []column {
	return []column{
		{arc: 1, get: rowNumber},
		{arc: 2, get: constant(1)},
		{arc: 3, get: str(outlet, (*Outlet).name)},
		{arc: 4, get: rowNumber},
	}
}

func apcOutlets(base string) []object {
	outlets := func(entry string, more ...column) []object {
		return table(base+entry, outletRows, append(outletHead(), more...)...)
	}
	list := outlets("9.2.1.1", // rPDU2OutletSwitchedConfigTable
		column{arc: 5, get: constant(0)}, // power-on time, s
		column{arc: 6, get: constant(0)}, // power-off time, s
		column{arc: 7, get: constant(5)}, // reboot duration, s
	)
	list = append(list, outlets("9.2.2.1", // rPDU2OutletSwitchedPropertiesTable
		column{arc: 5, get: number(outlet, func(o *Outlet) int64 { return int64(o.Phase) })},
		column{arc: 6, get: number(outlet, func(o *Outlet) int64 { return int64(o.Bank) })},
	)...)
	list = append(list, outlets("9.2.3.1", // rPDU2OutletSwitchedStatusTable
		column{arc: 5, get: number(outlet, (*Outlet).switched)},
		column{arc: 6, get: number(outlet, func(o *Outlet) int64 { return truth(o.Pending) })},
	)...)
	list = append(list, outlets("9.2.4.1", // rPDU2OutletSwitchedControlTable
		column{
			arc: 5, get: number(outlet, (*Outlet).command),
			set: intSetter(SetOutlet, int64(OutletOn), int64(OutletReboot), func(_ *view, i int) int { return i + 1 }),
		},
	)...)
	list = append(list, outlets("9.4.1.1", // rPDU2OutletMeteredConfigTable
		column{arc: 5, get: constant(0)},
		column{arc: 6, get: number(outlet, func(o *Outlet) int64 { return int64(o.NearWatts) })},
		column{arc: 7, get: number(outlet, func(o *Outlet) int64 { return int64(o.OverWatts) })},
	)...)
	list = append(list, outlets("9.4.2.1", // rPDU2OutletMeteredPropertiesTable
		column{arc: 5, get: number(outlet, func(o *Outlet) int64 { return int64(o.Phase) })},
		column{arc: 6, get: number(outlet, func(o *Outlet) int64 { return int64(o.OverWatts) })},
		column{arc: 7, get: number(outlet, func(o *Outlet) int64 { return int64(o.Bank) })},
	)...)
	return append(list, outlets("9.4.3.1", // rPDU2OutletMeteredStatusTable
		column{arc: 5, get: number(outlet, (*Outlet).loadState)},
		column{arc: 6, get: number(outlet, func(o *Outlet) int64 { return int64(o.AmpsX10) })},
		column{arc: 7, get: number(outlet, func(o *Outlet) int64 { return int64(o.Watts) })},
		column{arc: 8, get: number(outlet, func(o *Outlet) int64 { return int64(o.PeakWatts) })},
		column{arc: 11, get: number(outlet, func(o *Outlet) int64 { return tenthsKWh(o.EnergyWh) })},
		column{arc: 12, get: str(outlet, func(o *Outlet) string { return o.Type })},
	)...)
}
