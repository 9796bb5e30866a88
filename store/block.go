package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"plumb/fleet"
)

// window is what one block covers: two hours fill a 4 KiB page for a server
// polled once a minute, one hour leaves almost half of it empty.
const window = 2 * time.Hour

const windowMs = int64(window / time.Millisecond)

// blockVersion is what is written. Blocks of version 1 are read as they are:
// they know fewer codings, see ints.go.
const blockVersion = 2

// A block holds the rows of one target and one layout inside one window, or a
// part of them, as columns:
//
//	version byte, uvarint rows, uvarint columns,
//	uvarint length of the time column, of each column,
//	time column (Unix milliseconds, ascending), columns
//
// The lengths come first, so that one column is found without reading others.
type block struct {
	rows, columns int
	lengths       []byte // of the columns
	times, data   []byte
}

// rowsOf asks for one column of rows that are not yet a block, in the order of
// their times. Columns are asked for in order.
type rowsOf func(column int, dst *cells) error

// block encodes rows. Rows may come out of order and twice; of two rows with
// one time the later wins.
func (e *encoder) block(times []int64, columns int, rows rowsOf) ([]byte, error) {
	order := ascending(times)
	if order != nil {
		times = permute(times, order)
	}
	e.data = e.appendInts(e.data[:0], times)
	e.lengths = binary.AppendUvarint(e.lengths[:0], uint64(len(e.data)))
	for c := range columns {
		e.cells.clear()
		if err := rows(c, &e.cells); err != nil {
			return nil, err
		}
		if order != nil {
			e.cells.pick(order, &e.spare)
		}
		start := len(e.data)
		e.data = e.appendCells(e.data, &e.cells)
		e.lengths = binary.AppendUvarint(e.lengths, uint64(len(e.data)-start))
	}
	b := make([]byte, 0, 8+len(e.lengths)+len(e.data)+sumLen)
	b = binary.AppendUvarint(append(b, blockVersion), uint64(len(times)))
	b = binary.AppendUvarint(b, uint64(columns))
	return append(append(b, e.lengths...), e.data...), nil
}

// ascending returns the places of the rows in the order of their times, each
// time once, or nil where they stand so already.
func ascending(times []int64) []int {
	ok := true
	for i := 1; i < len(times) && ok; i++ {
		ok = times[i-1] < times[i]
	}
	if ok {
		return nil
	}
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(times[a], times[b]) })
	out := order[:0]
	for i, p := range order {
		if i+1 < len(order) && times[order[i+1]] == times[p] {
			continue // a later row has the same time
		}
		out = append(out, p)
	}
	return out
}

func permute[T any](v []T, order []int) []T {
	out := make([]T, len(order))
	for i, p := range order {
		out[i] = v[p]
	}
	return out
}

// readBlock reads the head of a block; b is not copied.
func readBlock(b []byte) (block, error) {
	if len(b) == 0 || b[0] == 0 || b[0] > blockVersion {
		return block{}, damaged("block of an unknown version")
	}
	rows, b, err := readUvarint(b[1:])
	if err != nil {
		return block{}, err
	}
	columns, b, err := readUvarint(b)
	if err != nil {
		return block{}, err
	}
	if rows == 0 || rows > maxInts || columns > maxColumns {
		return block{}, damaged("block of %d rows and %d columns", rows, columns)
	}
	times, b, err := readUvarint(b)
	if err != nil {
		return block{}, err
	}
	lengths, sum := b, uint64(0)
	for range columns {
		var n uint64
		if n, b, err = readUvarint(b); err != nil {
			return block{}, err
		}
		if sum += n; n > uint64(len(lengths)) {
			return block{}, damaged("a column of %d bytes", n)
		}
	}
	if times > uint64(len(b)) || sum != uint64(len(b))-times {
		return block{}, damaged("block of %d bytes for columns of %d", len(b), sum)
	}
	return block{
		rows: int(rows), columns: int(columns),
		lengths: lengths[:len(lengths)-len(b)], times: b[:times], data: b[times:],
	}, nil
}

// appendTimes appends the times of the rows, in Unix milliseconds.
func (b *block) appendTimes(dst []int64) ([]int64, error) {
	dst, _, err := readInts(dst, b.times, b.rows)
	return dst, err
}

// appendColumn appends the values of one column.
func (b *block) appendColumn(dst []fleet.Num, column int) ([]fleet.Num, error) {
	raw := b.column(column)
	if raw == nil {
		return dst, damaged("block has no column %d", column)
	}
	return readColumn(dst, raw, b.rows)
}

// columnReader reads all columns of a block, one after the other.
type columnReader struct {
	rows          int
	lengths, data []byte
}

func (b *block) reader() columnReader { return columnReader{b.rows, b.lengths, b.data} }

// next appends the values of the next column.
func (r *columnReader) next(dst *cells) error {
	n, size := binary.Uvarint(r.lengths)
	if size <= 0 || n > uint64(len(r.data)) {
		return damaged("a column of %d bytes", n)
	}
	raw := r.data[:n]
	r.lengths, r.data = r.lengths[size:], r.data[n:]
	return readCells(dst, raw, r.rows)
}

func (b *block) column(column int) []byte {
	if column < 0 || column >= b.columns {
		return nil
	}
	from, end := b.span(column)
	return b.data[from:end]
}

// span is where one of the columns begins and ends.
func (b *block) span(column int) (from, end int) {
	lengths := b.lengths
	for range column {
		n, size := binary.Uvarint(lengths)
		from, lengths = from+int(n), lengths[size:]
	}
	n, _ := binary.Uvarint(lengths)
	return from, from + int(n)
}
