package snmp

import (
	"context"
	"errors"
	"fmt"

	"plumb/fleet"
)

// How much one GETBULK asks for at first; link.shrink lowers it.
const (
	maxRepetitions = 25
	maxWidth       = 10
)

// walked says how a walk went. cells counts what it delivered; why is empty
// for complete and absent.
type walked struct {
	is    fleet.Completeness
	cells int
	why   string
	err   error // the wire failed; nil where the device merely answered oddly
}

// walker walks the columns of one table side by side. Columns advance on
// their own: a hole in one does not shift the others.
type walker struct {
	*conn
	columns []oid
	last    []oid  // where each column stands
	done    []bool // ended, by its end or by an oddity
	rows    []int
	most    int // rows of one column
	expect  int // rows known from an earlier poll, 0: none
	single  bool
	step    int // repetitions for the rest of this walk, 0: the link's
	cell    func(column int, index oid, v value)
	walked
}

// walk delivers every cell of the columns. The index and the value are good
// during the call of cell only.
func (c *conn) walk(ctx context.Context, columns []oid, expect int, cell func(column int, index oid, v value)) walked {
	return c.walkUpTo(ctx, columns, c.cfg.MaxRows, expect, cell)
}

// walkSome walks a table of which most rows are enough.
func (c *conn) walkSome(ctx context.Context, columns []oid, most int, cell func(column int, index oid, v value)) walked {
	return c.walkUpTo(ctx, columns, min(most, c.cfg.MaxRows), 0, cell)
}

func (c *conn) walkUpTo(ctx context.Context, columns []oid, most, expect int, cell func(column int, index oid, v value)) walked {
	if c.dead {
		return walked{is: fleet.Failed, why: "the device stopped answering", err: errNoAnswer}
	}
	w := walker{conn: c, columns: columns, last: make([]oid, len(columns)), done: make([]bool, len(columns)), rows: make([]int, len(columns)), most: most, expect: expect, cell: cell}
	for i, o := range columns {
		w.last[i] = append(make(oid, 0, len(o)+16), o...)
	}
	w.run(ctx)
	switch {
	case w.why == "" && w.cells == 0:
		w.is = fleet.Absent
	case w.why == "":
		w.is = fleet.Complete
	case w.cells > 0:
		w.is = fleet.Partial
	default:
		w.is = fleet.Failed
	}
	return w.walked
}

func (w *walker) run(ctx context.Context) {
	failures := 0
	for {
		active := w.active()
		if len(active) == 0 {
			return
		}
		before := w.cells
		r, err := w.do(ctx, w.request(active), 1)
		switch {
		case err == errVarbinds:
			less := w.link.shrink()
			if w.take(active, r); w.cells == before && !less {
				w.odd(active, "answers are cut")
			}
		case err == errNoAnswer:
			w.link.shrink()
			if failures++; failures > w.cfg.Retries {
				w.fail(ctx, err)
				return
			}
		case err != nil:
			w.fail(ctx, err)
			return
		case r.status != statusOK:
			w.refused(active, r)
		case !w.take(active, r):
			w.odd(active, "empty answer")
		default:
			failures = 0
		}
	}
}

// active returns the columns of the next request, at most the link's width.
func (w *walker) active() []int {
	limit := w.link.width
	if w.single {
		limit = 1
	}
	var out []int
	for i, done := range w.done {
		if !done && len(out) < limit {
			out = append(out, i)
		}
	}
	return out
}

func (w *walker) request(active []int) *request {
	q := &request{kind: pduGetBulk, names: make([]oid, len(active)), repetitions: w.link.repetitions}
	for i, col := range active {
		q.names[i] = w.last[col]
	}
	if w.step > 0 {
		q.repetitions = min(q.repetitions, w.step)
	}
	if left := w.expect - w.rows[active[0]] + 1; w.expect > 0 && left > 0 {
		q.repetitions = min(q.repetitions, left)
	}
	if w.cfg.quirk(QuirkNoBulk) {
		q.kind, q.repetitions = pduGetNext, 0
	}
	return q
}

// take delivers an answer's cells. It reports whether there were any varbinds.
func (w *walker) take(active []int, r *response) bool {
	for i, v := range r.vars {
		col := active[i%len(active)]
		if w.done[col] {
			continue
		}
		index, inside := v.name.under(w.columns[col])
		switch {
		case !inside || len(index) == 0 || v.value.tag == tagEndOfMibView:
			w.done[col] = true
		case v.name.compare(w.last[col]) <= 0:
			w.odd([]int{col}, "OID not increasing")
		case w.rows[col] >= w.most:
			w.odd([]int{col}, fmt.Sprintf("more than %d rows", w.most))
		default:
			w.last[col] = append(w.last[col][:0], v.name...)
			w.rows[col]++
			if v.value.exists() {
				w.cells++
				w.cell(col, index, v.value)
			}
		}
	}
	return len(r.vars) > 0
}

// refused deals with an error-status: ask less, then one column at a time,
// then give that column up.
func (w *walker) refused(active []int, r *response) {
	switch {
	case r.status == statusTooBig && w.link.shrink():
	case r.status == statusNoSuchName && r.index >= 1 && r.index <= len(active):
		w.done[active[r.index-1]] = true // how an SNMPv1 agent says end
	case r.status == statusNoSuchName && len(active) == 1:
		w.done[active[0]] = true
	case w.step != 1:
		w.step = 1
	case len(active) > 1:
		w.single = true
	default:
		w.odd(active, r.status.Error())
	}
}

// odd ends columns that the device did not let us finish.
func (w *walker) odd(columns []int, why string) {
	for _, col := range columns {
		w.done[col] = true
		if w.why == "" {
			w.why = why + " after " + w.last[col].String()
		}
	}
}

// fail ends the walk. After silence one small question tells a table the
// device cannot build from a device that is gone.
func (w *walker) fail(ctx context.Context, err error) {
	w.err, w.why = err, err.Error()
	if !errors.Is(err, errNoAnswer) {
		w.dead = true
		return
	}
	if _, err := w.do(ctx, &request{kind: pduGet, names: []oid{sysUpTime}}, 1); err != nil {
		w.dead = true
	}
}
