package snmp

import (
	"context"
	"strconv"

	"plumb/fleet"
)

// outletTable describes where a vendor keeps its outlets; there is no standard
// MIB for them. Columns that the table has not are nil.
type outletTable struct {
	what                        string
	name, state, current, power oid
	on, off                     int  // values of state
	currentScale, powerScale    int8 // powers of ten to A and W
	// What switches an outlet, whether a command waits on it, and how many
	// seconds a reboot of it takes. Nil: the table only tells.
	command, pending, reboot oid
}

// outletTables are the families that plumb reads. To add one, describe it here.
var outletTables = []outletTable{
	{what: "rPDU2OutletSwitched", name: parseOID("1.3.6.1.4.1.318.1.1.26.9.2.3.1.3"), state: parseOID("1.3.6.1.4.1.318.1.1.26.9.2.3.1.5"), off: 1, on: 2,
		command: parseOID("1.3.6.1.4.1.318.1.1.26.9.2.4.1.5"), pending: parseOID("1.3.6.1.4.1.318.1.1.26.9.2.3.1.6"), reboot: parseOID("1.3.6.1.4.1.318.1.1.26.9.2.1.1.7")},
	// Its own state is that of the load, and normal where the outlet is off.
	{what: "rPDU2OutletMetered", name: parseOID("1.3.6.1.4.1.318.1.1.26.9.4.3.1.3"),
		current: parseOID("1.3.6.1.4.1.318.1.1.26.9.4.3.1.6"), currentScale: -1, power: parseOID("1.3.6.1.4.1.318.1.1.26.9.4.3.1.7")},
	{what: "rPDUOutlet", name: parseOID("1.3.6.1.4.1.318.1.1.12.3.5.1.1.2"), state: parseOID("1.3.6.1.4.1.318.1.1.12.3.5.1.1.4"), on: 1, off: 2,
		current: parseOID("1.3.6.1.4.1.318.1.1.12.3.5.1.1.7"), currentScale: -1,
		command: parseOID("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4"), pending: parseOID("1.3.6.1.4.1.318.1.1.12.3.5.1.1.5"), reboot: parseOID("1.3.6.1.4.1.318.1.1.12.3.4.1.1.6")},
}

// States of an outlet in words.
const (
	outletOn      = "on"
	outletOff     = "off"
	outletUnknown = "unknown"
)

// word is a value of state in words.
func (t *outletTable) word(v value) string {
	switch v.small() {
	case t.on:
		return outletOn
	case t.off:
		return outletOff
	}
	return outletUnknown
}

// outletMemory is what is remembered of outlets.
type outletMemory struct {
	tables []int // of outletTables, which the device has
	names  map[int]string
	count  int
}

// readOutlets reads state, current and power of each outlet, and its name
// where the lane asks for names.
func (p *poll) readOutlets(ctx context.Context) {
	ask := p.outlets.tables
	names := p.define || p.lane >= fleet.LaneTables
	if p.define {
		ask = make([]int, len(outletTables))
		for i := range ask {
			ask[i] = i
		}
	}
	rows := map[int]*fleet.Outlet{}
	var order, present []int
	for _, i := range ask {
		w := p.walkOutlets(ctx, &outletTables[i], names, func(n int) *fleet.Outlet {
			o := rows[n]
			if o == nil {
				o = &fleet.Outlet{Index: n, State: outletUnknown, Name: p.outlets.names[n]}
				rows[n] = o
				order = append(order, n)
			}
			return o
		})
		if w = p.note(fleet.TableOutlets, outletTables[i].what, w); w.is != fleet.Absent {
			present = append(present, i)
		}
	}
	if p.define {
		p.outlets.tables = present
	}
	if p.define && p.obs.Tables[fleet.TableOutlets] == fleet.Complete || p.outlets.names == nil {
		p.outlets.names = map[int]string{}
	}
	p.outlets.count = len(order)
	for _, n := range order {
		o := rows[n]
		if o.Name == "" {
			o.Name = "outlet " + strconv.Itoa(n)
		}
		p.outlets.names[n] = o.Name
		p.obs.Outlets = append(p.obs.Outlets, *o)
	}
}

func (p *poll) walkOutlets(ctx context.Context, t *outletTable, names bool, row func(int) *fleet.Outlet) walked {
	var columns []oid
	var set []func(*fleet.Outlet, value)
	add := func(o oid, f func(*fleet.Outlet, value)) {
		if o != nil {
			columns, set = append(columns, o), append(set, f)
		}
	}
	add(t.state, func(o *fleet.Outlet, v value) {
		if w := t.word(v); w != outletUnknown {
			o.State = w
		}
	})
	add(t.current, func(o *fleet.Outlet, v value) { o.CurrentA = measured(v, t.currentScale) })
	add(t.power, func(o *fleet.Outlet, v value) { o.PowerW = measured(v, t.powerScale) })
	if names {
		add(t.name, func(o *fleet.Outlet, v value) { o.Name = v.text() })
	}
	return p.walk(ctx, columns, p.outlets.count, func(col int, index oid, v value) {
		if len(index) == 1 {
			set[col](row(int(index[0])), v)
		}
	})
}

// measured reads an amount; what is below zero is "not measured here".
func measured(v value, scale int8) fleet.Num {
	n, ok := v.int()
	if !ok || n < 0 {
		return fleet.Num{}
	}
	return fleet.Dec(n, scale)
}
