package agent

import (
	"slices"
	"time"
)

// Getters for the shapes that most columns have. T is the row.

func number[T any](row func(v *view, i int) *T, get func(*T) int64) getter {
	return func(e *encoder, v *view, i int) bool { e.integer(get(row(v, i))); return true }
}

func str[T any](row func(v *view, i int) *T, get func(*T) string) getter {
	return func(e *encoder, v *view, i int) bool { e.text(get(row(v, i))); return true }
}

func uns[T any](tag byte, row func(v *view, i int) *T, get func(*T) uint64) getter {
	return func(e *encoder, v *view, i int) bool { e.unsigned(tag, get(row(v, i))); return true }
}

// counter32 shows the low 32 bits of a total, as a narrow counter does.
func counter32[T any](row func(v *view, i int) *T, get func(*T) uint64) getter {
	return uns(tagCounter32, row, func(t *T) uint64 { return get(t) & (1<<32 - 1) })
}

// constant is a column whose rows all say the same number.
func constant(n int64) getter {
	return func(e *encoder, _ *view, _ int) bool { e.integer(n); return true }
}

// nullOID is a column of 0.0.
func nullOID(e *encoder, _ *view, _ int) bool { e.oid(nil); return true }

// ticks is a duration in hundredths of a second, modulo 2^32.
func ticks(d time.Duration) uint64 { return uint64(d/(10*time.Millisecond)) & (1<<32 - 1) }

// Scalars.

func numberOf(oid string, get func(v *view) int64) object {
	return scalar(oid, func(e *encoder, v *view) { e.integer(get(v)) })
}

func textOf(oid string, get func(v *view) string) object {
	return scalar(oid, func(e *encoder, v *view) { e.text(get(v)) })
}

func ticksOf(oid string, get func(v *view) time.Duration) object {
	return scalar(oid, func(e *encoder, v *view) { e.unsigned(tagTimeTicks, ticks(get(v))) })
}

// fixedRows is an index space of 1 to n.
func fixedRows(n int) *rows {
	return &rows{
		count: func(*view) int { return n },
		index: func(_ *view, i int, to []uint32) []uint32 { return append(to, uint32(i+1)) },
	}
}

// systemMIB is the system group of SNMPv2-MIB (RFC 3418).
func systemMIB() []object {
	modules := [...]struct {
		id    []uint32
		descr string
	}{
		{mustOID("1.3.6.1.6.3.1"), "SNMPv2-MIB, RFC 3418"},
		{mustOID("1.3.6.1.2.1.31"), "IF-MIB, RFC 2863"},
		{mustOID("1.3.6.1.6.3.10.3.1.1"), "SNMP-FRAMEWORK-MIB, RFC 3411"},
	}
	list := []object{
		textOf("1.3.6.1.2.1.1.1", func(v *view) string { return v.sys.Descr }),
		scalar("1.3.6.1.2.1.1.2", func(e *encoder, v *view) {
			var buf [maxSubIDs]uint32
			id, _ := appendDotted(buf[:0], v.sys.ObjectID)
			e.oid(id)
		}),
		ticksOf("1.3.6.1.2.1.1.3", func(v *view) time.Duration { return v.sys.Uptime }),
		textOf("1.3.6.1.2.1.1.4", func(v *view) string { return v.sys.Contact }),
		textOf("1.3.6.1.2.1.1.5", func(v *view) string { return v.sys.Name }),
		textOf("1.3.6.1.2.1.1.6", func(v *view) string { return v.sys.Location }),
		numberOf("1.3.6.1.2.1.1.7", func(v *view) int64 { return int64(v.sys.Services) }),
		ticksOf("1.3.6.1.2.1.1.8", func(*view) time.Duration { return 0 }),
	}
	return append(list, table("1.3.6.1.2.1.1.9.1", fixedRows(len(modules)),
		column{arc: 2, get: func(e *encoder, _ *view, i int) bool { e.oid(modules[i].id); return true }},
		column{arc: 3, get: func(e *encoder, _ *view, i int) bool { e.text(modules[i].descr); return true }},
		column{arc: 4, get: func(e *encoder, _ *view, _ int) bool { e.unsigned(tagTimeTicks, 0); return true }},
	)...)
}

// engineMIB is what the agent says of its engine: snmpEngine (RFC 3411) and
// the counters of the user-based security model (RFC 3414 section 5).
func engineMIB() []object {
	list := []object{
		scalar("1.3.6.1.6.3.10.2.1.1", func(e *encoder, v *view) { e.octets(v.engine.id) }),
		numberOf("1.3.6.1.6.3.10.2.1.2", func(v *view) int64 { return v.sys.engineBoots() }),
		numberOf("1.3.6.1.6.3.10.2.1.3", func(v *view) int64 { return v.sys.engineTime() }),
		numberOf("1.3.6.1.6.3.10.2.1.4", func(v *view) int64 { return int64(v.engine.maxSize) }),
	}
	for i := range usmReports {
		object := object{oid: append(slices.Clone(usmStats), uint32(i+1)), rows: oneRow}
		object.get = func(e *encoder, v *view, _ int) bool {
			e.unsigned(tagCounter32, uint64(v.engine.stats[i]))
			return true
		}
		list = append(list, object)
	}
	return list
}

// engineBoots and engineTime are the clock of the user-based security model.
func (s *System) engineBoots() int64 { return max(1, int64(s.Boots&(1<<31-1))) }
func (s *System) engineTime() int64  { return int64(s.Uptime/time.Second) & (1<<31 - 1) }
