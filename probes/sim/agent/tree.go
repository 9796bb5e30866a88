package agent

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// view is what the objects of a tree read: one state of one device and what
// the agent knows of its own engine.
type view struct {
	sys    *System
	sw     *Switch
	pdu    *PDU
	ups    *UPS
	engine *engine
	index  [maxIndex]uint32 // scratch: an array of the caller's would escape to the heap
}

// rows is the index space of a table: how many rows there are now and which
// index each has, in ascending order.
type rows struct {
	count func(v *view) int
	index func(v *view, row int, to []uint32) []uint32 // appends
}

// getter writes the value of a row; false: this row has no such instance.
type getter func(e *encoder, v *view, row int) bool

// setter checks a new value and says what it means.
type setter func(v *view, row int, tag byte, value []byte) (Change, errorStatus)

// object is a column or a scalar.
type object struct {
	oid  []uint32 // without index
	ber  []byte   // oid, encoded
	rows *rows
	get  getter
	set  setter // nil: read-only
}

// tree is the objects of one kind of device in ascending order. No object's
// identifier is a prefix of another's.
type tree struct{ objects []object }

func newTree(groups ...[]object) *tree {
	t := &tree{objects: slices.Concat(groups...)}
	slices.SortFunc(t.objects, func(a, b object) int { return slices.Compare(a.oid, b.oid) })
	for i := range t.objects {
		o := &t.objects[i]
		if i > 0 && hasPrefix(o.oid, t.objects[i-1].oid) {
			panic(fmt.Sprintf("agent: object %v twice", o.oid))
		}
		var e encoder
		e.arcs([]uint32{o.oid[0]*40 + o.oid[1]})
		e.arcs(o.oid[2:])
		o.ber = e.b
	}
	return t
}

var (
	zeroIndex = []uint32{0}
	oneRow    = &rows{
		count: func(*view) int { return 1 },
		index: func(_ *view, _ int, to []uint32) []uint32 { return append(to, zeroIndex...) },
	}
)

// scalar declares an object with the one instance .0.
func scalar(oid string, get func(e *encoder, v *view)) object {
	return object{oid: mustOID(oid), rows: oneRow, get: func(e *encoder, v *view, _ int) bool {
		get(e, v)
		return true
	}}
}

type column struct {
	arc uint32
	get getter
	set setter
}

// table declares the columns of one conceptual row.
func table(entry string, r *rows, columns ...column) []object {
	base := mustOID(entry)
	list := make([]object, 0, len(columns))
	for _, c := range columns {
		list = append(list, object{oid: append(slices.Clip(base), c.arc), rows: r, get: c.get, set: c.set})
	}
	return list
}

// mustOID parses a constant.
func mustOID(s string) []uint32 {
	ids, ok := appendDotted(nil, s)
	if !ok {
		panic("agent: bad object identifier " + strconv.Quote(s))
	}
	return ids
}

// appendDotted parses 1.3.6.1 with or without a leading dot.
func appendDotted(to []uint32, s string) ([]uint32, bool) {
	s = strings.TrimPrefix(s, ".")
	for s != "" {
		var arc string
		arc, s, _ = strings.Cut(s, ".")
		n, err := strconv.ParseUint(arc, 10, 32)
		if err != nil || len(to) == maxSubIDs {
			return to, false
		}
		to = append(to, uint32(n))
	}
	return to, len(to) >= 2
}

func hasPrefix(oid, prefix []uint32) bool {
	return len(oid) >= len(prefix) && slices.Equal(oid[:len(prefix)], prefix)
}

// place is an instance: an object and a row of it. It stays valid for one view.
type place struct{ object, row int }

// floor returns the first object after oid, and whether the one before it has
// oid as an instance or is oid itself.
func (t *tree) floor(oid []uint32) (next int, inside bool) {
	next = sort.Search(len(t.objects), func(i int) bool { return slices.Compare(t.objects[i].oid, oid) > 0 })
	return next, next > 0 && hasPrefix(oid, t.objects[next-1].oid)
}

// find returns the instance that oid names, or the exception that says why
// there is none.
func (t *tree) find(v *view, oid []uint32) (place, byte) {
	next, inside := t.floor(oid)
	if !inside {
		return place{}, tagNoSuchObject
	}
	o := &t.objects[next-1]
	row, exact := o.rows.search(v, oid[len(o.oid):])
	if !exact {
		return place{}, tagNoSuchInstance
	}
	return place{next - 1, row}, 0
}

// settable reports whether oid lies under an object that can be written.
func (t *tree) settable(oid []uint32) bool {
	next, inside := t.floor(oid)
	return inside && t.objects[next-1].set != nil
}

// seek returns the first place after oid. It may lie beyond the end of its
// object, or have no instance: step sorts that out.
func (t *tree) seek(v *view, oid []uint32) place {
	next, inside := t.floor(oid)
	if !inside {
		return place{next, 0}
	}
	o := &t.objects[next-1]
	row, exact := o.rows.search(v, oid[len(o.oid):])
	if exact {
		row++
	}
	return place{next - 1, row}
}

// search returns the first row whose index is not before index, and whether it
// is that index.
func (r *rows) search(v *view, index []uint32) (int, bool) {
	lo, hi := 0, r.count(v)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch c := slices.Compare(r.index(v, mid, v.index[:0]), index); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// maxIndex is the longest index of any table here, in arcs.
const maxIndex = 20

// bind appends the variable binding of p; false, and nothing appended, if it
// has no instance.
func (t *tree) bind(e *encoder, v *view, p place) bool {
	o := &t.objects[p.object]
	start := len(e.b)
	whole := e.open(tagSequence)
	t.name(e, v, p)
	if !o.get(e, v, p.row) {
		e.b = e.b[:start]
		return false
	}
	e.close(whole)
	return true
}

// name appends the identifier of p.
func (t *tree) name(e *encoder, v *view, p place) {
	o := &t.objects[p.object]
	at := e.open(tagOID)
	e.b = append(e.b, o.ber...)
	e.arcs(o.rows.index(v, p.row, v.index[:0]))
	e.close(at)
}

// step appends the binding of the first instance at or after p and returns the
// place behind it; false at the end of the tree.
func (t *tree) step(e *encoder, v *view, p place) (place, bool) {
	for p.object < len(t.objects) {
		count := t.objects[p.object].rows.count(v)
		for ; p.row < count; p.row++ {
			if t.bind(e, v, p) {
				return place{p.object, p.row + 1}, true
			}
		}
		p = place{p.object + 1, 0}
	}
	return p, false
}
