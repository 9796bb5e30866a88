package store

import (
	"slices"

	"plumb/fleet"
)

// A step is made again when something came late, or the window beside it is
// merged. Mostly it is made of the samples of the first time and more. But
// samples go before their points do, of one class of series before the others:
// what is made of those that are left must not replace what was made of all.
// How much a row was made of stands in it: how many samples a gauge or a state
// had, and when the poll was whose total a counter has.

// remade is a block of a tier some of whose steps are made again.
type remade struct {
	l      *layout
	starts []int // of the columns of each series
	steps  *tierRows
	from   int   // of the steps, those of this block
	place  []int // of each, where it is in the old block; -1: it is not
	old    *block
	reader columnReader
	times  []int64 // of the old block's rows
	last   []fleet.Num

	counts   []fleet.Num // of the old block, of the series whose columns begin at
	countsOf int
}

// remake reads the block whose steps are made again.
func remake(l *layout, old *block, r *tierRows, from, end int) (a *remade, err error) {
	a = &remade{l: l, steps: r, from: from, place: make([]int, end-from), old: old, countsOf: -1}
	a.starts, _ = l.tierColumns()
	for i := range a.place {
		a.place[i] = -1
	}
	if a.old.columns != len(r.columns) {
		return nil, damaged("a tier of %d columns for %d", a.old.columns, len(r.columns))
	}
	if a.times, err = a.old.appendTimes(nil); err != nil {
		return nil, err
	}
	for i := range a.place {
		if p, ok := slices.BinarySearch(a.times, r.steps[from+i]); ok {
			a.place[i] = p
		}
	}
	a.reader = a.old.reader()
	a.last, err = a.old.appendColumn(nil, 0)
	return a, err
}

// column appends the old rows of a column, and then the new.
func (a *remade) column(c int, dst *cells) error {
	if err := a.reader.next(dst); err != nil {
		return err
	}
	for i, p := range a.place {
		v := a.steps.columns[c].at(a.from + i)
		if p >= 0 {
			stays, err := a.stays(c, i)
			if err != nil {
				return err
			}
			if stays {
				v = dst.at(p)
			}
		}
		dst.add(v)
	}
	return nil
}

// stays reports whether a column of a step that is there already keeps what it
// had: the new row is made of less.
func (a *remade) stays(c, i int) (bool, error) {
	p, at := a.place[i], a.from+i
	last, now := a.last[p].N, a.steps.columns[0].ints[at]
	if c == 0 {
		return last > now, nil
	}
	series, _ := slices.BinarySearch(a.starts, c+1)
	start := a.starts[series-1]
	if tierWidth(a.l.keys[series-1]) == 1 {
		return last > now || last == now && a.steps.columns[c].scales[at] == noScale, nil
	}
	if a.countsOf != start {
		var err error
		if a.counts, err = a.old.appendColumn(a.counts[:0], start+3); err != nil {
			return false, err
		}
		a.countsOf = start
	}
	return a.counts[p].N > a.steps.columns[start+3].ints[at], nil
}
