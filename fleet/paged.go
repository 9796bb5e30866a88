package fleet

import "iter"

// pageSize is how many entities a page holds. A device is about 900 bytes, so a
// page is about 14 kB: with 128 to a page a second's 167 polls of 10,000 devices
// touch nearly every page and copy 9 MB, with 16 they copy a quarter of them.
const pageSize = 16

// Table is an immutable list of entities with an index by id, in pages, so
// that the next snapshot copies only the pages a step touched and the table of
// pages, not the whole fleet. The zero Table is empty.
type Table[T any] struct {
	index map[string]int32 // shared between versions until the ids change
	ids   []string
	pages []*[pageSize]T
}

// Len returns how many entities there are.
func (t *Table[T]) Len() int { return len(t.ids) }

// Get returns the entity with the id, or nil. It must not be written.
func (t *Table[T]) Get(id string) *T {
	if n, ok := t.index[id]; ok {
		return t.At(int(n))
	}
	return nil
}

// At returns the entity with the dense number n, 0 <= n < Len.
func (t *Table[T]) At(n int) *T { return &t.pages[n/pageSize][n%pageSize] }

// ID returns the id of the entity with the dense number n.
func (t *Table[T]) ID(n int) string { return t.ids[n] }

// Number returns the dense number of an id, or -1. It holds for this snapshot
// and its successors until the inventory changes.
func (t *Table[T]) Number(id string) int {
	if n, ok := t.index[id]; ok {
		return int(n)
	}
	return -1
}

// All yields every entity in inventory order.
func (t *Table[T]) All() iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		for n, id := range t.ids {
			if !yield(id, t.At(n)) {
				return
			}
		}
	}
}

// NewTable builds a table; ids and rows have one length, and ids are unique.
func NewTable[T any](ids []string, rows []T) Table[T] {
	return TableOf(ids, func(n int, row *T) { *row = rows[n] })
}

// TableOf builds a table of which fill writes the rows, where they will stay;
// ids are unique.
func TableOf[T any](ids []string, fill func(n int, row *T)) Table[T] {
	t := Table[T]{ids: ids, index: make(map[string]int32, len(ids)), pages: make([]*[pageSize]T, (len(ids)+pageSize-1)/pageSize)}
	for i := range t.pages {
		t.pages[i] = new([pageSize]T)
	}
	for n, id := range ids {
		t.index[id] = int32(n)
		fill(n, t.At(n))
	}
	return t
}

// Again builds a table of rows, most of them rows of t: a page of which each row
// stays where it was is shared and not copied.
func (t *Table[T]) Again(ids []string, rows []*T) Table[T] {
	next := Table[T]{ids: ids, index: make(map[string]int32, len(ids)), pages: make([]*[pageSize]T, (len(ids)+pageSize-1)/pageSize)}
	for n, id := range ids {
		next.index[id] = int32(n)
	}
	for p := range next.pages {
		page := rows[p*pageSize : min((p+1)*pageSize, len(rows))]
		if t.holds(p, page) {
			next.pages[p] = t.pages[p]
			continue
		}
		next.pages[p] = new([pageSize]T)
		for k, x := range page {
			next.pages[p][k] = *x
		}
	}
	return next
}

// holds reports whether page p of t is made of these rows.
func (t *Table[T]) holds(p int, page []*T) bool {
	if len(page) < pageSize || p >= len(t.pages) {
		return false
	}
	for k, x := range page {
		if x != &t.pages[p][k] {
			return false
		}
	}
	return true
}

// TableEdit makes the next version of a table. It belongs to one goroutine.
type TableEdit[T any] struct {
	next  Table[T]
	owned []bool // by page: already copied
}

// Edit starts the next version of t.
func (t *Table[T]) Edit() *TableEdit[T] { return &TableEdit[T]{next: *t} }

// Get returns an entity for writing and copies its page on the first touch,
// or nil where there is no such id.
func (e *TableEdit[T]) Get(id string) *T {
	n, ok := e.next.index[id]
	if !ok {
		return nil
	}
	return e.At(int(n))
}

// At is Get by dense number.
func (e *TableEdit[T]) At(n int) *T {
	p := n / pageSize
	if e.owned == nil {
		e.owned = make([]bool, len(e.next.pages))
		e.next.pages = append([]*[pageSize]T(nil), e.next.pages...)
	}
	if !e.owned[p] {
		c := *e.next.pages[p]
		e.next.pages[p], e.owned[p] = &c, true
	}
	return e.next.At(n)
}

// Own copies every page now, so that entities may be written from several
// goroutines at once, each entity from one.
func (e *TableEdit[T]) Own() {
	pages := make([][pageSize]T, len(e.next.pages))
	e.owned = make([]bool, len(pages))
	was := e.next.pages
	e.next.pages = make([]*[pageSize]T, len(pages))
	for i := range pages {
		pages[i] = *was[i]
		e.next.pages[i], e.owned[i] = &pages[i], true
	}
}

// Peek returns an entity for reading, written or not.
func (e *TableEdit[T]) Peek(n int) *T { return e.next.At(n) }

// Len returns how many entities there are.
func (e *TableEdit[T]) Len() int { return len(e.next.ids) }

// Done returns the next version; the edit must not be used after it.
func (e *TableEdit[T]) Done() Table[T] { return e.next }
