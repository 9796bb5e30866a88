package store

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Above the samples lie two tiers of points: one per five minutes, one per
// hour. They are made when a window's parts are merged, from the samples of
// that window, and kept longer than those.
//
// A tier's block is a block like any other, over a longer window and with its
// own columns: first where in the step its last poll lay, then for each series
// of the layout
//
//	gauge    least, most, mean, how many samples
//	state    best, worst, last, how many samples
//	counter  the total at that last poll; null where that poll had none
//
// Steps do not end where windows do. So with a window all steps that touch it
// are made, from what is there of its neighbours too; but the last, where the
// window after it is still to be merged, which makes it then. The same samples
// give the same row, so that a window may be merged again when something came
// late. Rows go into short blocks first, see tier_parts.go.
type tier struct {
	id     byte
	step   int64 // ms
	part   int64 // ms over which a short block goes on, see tier_parts.go; 0: it is of one window of samples
	window int64 // ms that a long one covers
}

var tiers = [...]tier{
	{1, durMs(5 * time.Minute), 0, durMs(24 * time.Hour)},
	{2, durMs(time.Hour), durMs(24 * time.Hour), durMs(14 * 24 * time.Hour)},
}

// tierKey names a tier's block.
type tierKey struct {
	tier   byte
	target uint32
	window int64 // start, Unix milliseconds
	layout uint32
}

const tierKeyLen = 1 + 4 + 8 + 4

func (k tierKey) prefix() []byte {
	b := append(make([]byte, 0, tierKeyLen), k.tier)
	return binary.BigEndian.AppendUint32(b, k.target)
}

func (k tierKey) encode() []byte {
	b := binary.BigEndian.AppendUint64(k.prefix(), uint64(k.window)^1<<63)
	return binary.BigEndian.AppendUint32(b, k.layout)
}

func readTierKey(b []byte) (k tierKey, t tier, err error) {
	if len(b) != tierKeyLen || b[0] == 0 || int(b[0]) > len(tiers) {
		return k, t, damaged("tier key %x", b)
	}
	k = tierKey{tier: b[0], target: binary.BigEndian.Uint32(b[1:]), window: readMs(b[5:]), layout: binary.BigEndian.Uint32(b[13:])}
	return k, tiers[k.tier-1], nil
}

func openTier(k, raw []byte) (tierKey, block, error) {
	key, _, err := readTierKey(k)
	if err != nil {
		return key, block{}, err
	}
	v, err := unseal(k, raw)
	if err != nil {
		return key, block{}, err
	}
	b, err := readBlock(v)
	return key, b, err
}

// tierWidth is how many columns a series has in a tier.
func tierWidth(k fleet.SeriesKey) int { return widthOf(k.Kind()) }

func widthOf(kind fleet.SeriesKind) int {
	if kind == fleet.Counter {
		return 1
	}
	return 4
}

// tierColumns returns where the columns of each series begin, and how many
// there are.
func (l *layout) tierColumns() (starts []int, n int) {
	n = 1
	for _, k := range l.keys {
		starts = append(starts, n)
		n += tierWidth(k)
	}
	return starts, n
}

// makeTiers makes the steps that touch a window, from its blocks and those of
// the windows beside it. What is damaged of those is left out, and is the error
// in the end.
func (s *Store) makeTiers(tx *bbolt.Tx, t *target, window int64) error {
	var h holes
	raw := map[uint32][]stored{}
	c := tx.Bucket(bucketBlocks).Cursor()
	first := windowKey(t.id, window-windowMs)
	for k, v := c.Seek(first); hasPrefix(k, first[:4]); k, v = c.Next() {
		key, err := readBlockKey(k)
		if err == nil && key.window > window+windowMs {
			break
		}
		var b stored
		if err == nil {
			b, err = openStored(k, v)
		}
		if err == nil {
			raw[b.key.layout] = append(raw[b.key.layout], b)
		} else if err = h.pass(err, func() string { return "readings of " + t.name }); err != nil {
			return err
		}
	}
	for id, blocks := range raw {
		l := s.layouts.get(id)
		if l == nil {
			return damaged("a block of an unknown layout")
		}
		slices.SortStableFunc(blocks, importedFirst)
		err := s.makeTier(tx, t, l, blocks, window)
		if err = h.pass(err, func() string { return "points of " + t.name }); err != nil {
			return err
		}
	}
	return h.err()
}

// importedFirst orders the blocks of one window: of samples of one time the last
// stays, and that is what was polled.
func importedFirst(a, b stored) int {
	switch {
	case a.key.window != b.key.window:
		return cmp.Compare(a.key.window, b.key.window)
	case a.key.imported == b.key.imported:
		return 0
	case a.key.imported:
		return -1
	}
	return 1
}

// tierRows are rows of a tier that are being made.
type tierRows struct {
	tier        tier
	from, to    int64
	steps, last []int64 // where each begins, and when its last poll was
	begins      []int   // of each, its first row among the samples; and where the last one ends
	columns     []cells
}

// makeTier makes the rows of one layout.
func (s *Store) makeTier(tx *bbolt.Tx, t *target, l *layout, raw []stored, window int64) error {
	columns := 1
	for _, key := range l.keys {
		columns += tierWidth(key)
	}
	if columns > maxColumns {
		return nil // a target of more than 16,000 series keeps its samples only
	}
	m := &s.writer.tiers
	m.times = m.times[:0]
	var err error
	for i := range raw {
		if m.times, err = raw[i].appendTimes(m.times); err != nil {
			return err
		}
	}
	order := ascending(m.times)
	if order != nil {
		m.times = permute(m.times, order)
	}
	made := m.rows[:0]
	for i, tier := range tiers {
		r := &m.room[i]
		r.tier, r.from, r.to = tier, bucket(window, tier.step), t.tierEnd(window, tier.step)
		if r.place(m.times, columns) {
			made = append(made, r)
		}
	}
	m.readers = m.readers[:0]
	for i := range raw {
		m.readers = append(m.readers, raw[i].reader())
	}
	start := 1
	for c, key := range l.keys {
		m.values.clear()
		for i := range m.readers {
			if m.fresh.rows > 0 && raw[i].key == m.fresh.key {
				m.fresh.column(c, &m.values)
			} else if err = m.readers[i].next(&m.values); err != nil {
				return err
			}
		}
		if order != nil {
			m.values.pick(order, &m.spare)
		}
		for _, r := range made {
			r.condense(r.columns[start:], key.Kind(), &m.values)
		}
		start += tierWidth(key)
	}
	for _, r := range made {
		if err := s.putTier(tx, t, l, r); err != nil {
			return err
		}
	}
	return nil
}

// tierMaker is scratch space for making tiers.
type tierMaker struct {
	times         []int64
	values, spare cells
	readers       []columnReader
	fresh         fresh
	old           longBlock // that is written again
	room          [len(tiers)]tierRows
	rows          [len(tiers)]*tierRows
}

// tierEnd is where the steps end that are made with a window. The one that
// reaches into the next window is left to that one where it is still to be
// merged: it is made once, of all its samples.
func (t *target) tierEnd(window, step int64) int64 {
	end := window + windowMs
	last := bucket(end, step)
	if last == end || t.awaits(end) {
		return last
	}
	return last + step
}

// place finds the steps that have polls, by the times in order, and makes room
// for their columns.
func (r *tierRows) place(times []int64, columns int) bool {
	r.steps, r.last, r.begins = r.steps[:0], r.last[:0], r.begins[:0]
	first, _ := slices.BinarySearch(times, r.from)
	end, next := first, int64(math.MinInt64)
	for ; end < len(times) && times[end] < r.to; end++ {
		if at := times[end]; at >= next {
			b := bucket(at, r.tier.step)
			next = b + r.tier.step
			r.steps, r.last, r.begins = append(r.steps, b), append(r.last, at), append(r.begins, end)
		}
		r.last[len(r.last)-1] = times[end]
	}
	r.begins = append(r.begins, end)
	r.columns = slices.Grow(r.columns[:0], columns)[:columns]
	lasts := &r.columns[0]
	lasts.clear()
	for i, last := range r.last {
		lasts.add(fleet.Int(last - r.steps[i]))
	}
	return len(r.steps) > 0
}

// condense fills the columns of one series, from its samples in order of time.
func (r *tierRows) condense(columns []cells, kind fleet.SeriesKind, v *cells) {
	columns = columns[:widthOf(kind)]
	if kind == fleet.Counter {
		r.totals(&columns[0], v)
		return
	}
	scale, same := v.scale()
	if kind == fleet.Gauge && same && scale != noScale && r.gauge(columns, v.ints, scale) {
		return
	}
	for c := range columns {
		columns[c].clear()
		columns[c].none(len(r.steps))
	}
	if same && scale == noScale {
		return
	}
	for i := range r.steps {
		p := stepPoint(kind, v, r.begins[i], r.begins[i+1], same)
		if p.Count == 0 {
			continue
		}
		columns[0].set(i, p.Min)
		columns[1].set(i, p.Max)
		columns[2].set(i, p.Mean)
		columns[3].set(i, fleet.Int(int64(p.Count)))
	}
}

// totals fills the column of a counter with what stood at the last poll of each
// step.
func (r *tierRows) totals(column, v *cells) {
	column.clear()
	for _, end := range r.begins[1:] {
		column.append(v, end-1, end)
	}
}

// gauge fills the columns of a gauge whose samples all have one scale, as most
// do, with what stepPoint says of them. It gives up where a sum is not exact.
func (r *tierRows) gauge(columns []cells, v []int64, scale byte) bool {
	n := len(r.steps)
	for c, scale := range [...]byte{scale, scale, scale, 0} {
		columns[c].reset(n, scale)
	}
	finer := meansFiner(int8(scale))
	least, most, means, counts := columns[0].ints, columns[1].ints[:n], &columns[2], columns[3].ints[:n]
	for i := range least {
		run := v[r.begins[i]:r.begins[i+1]]
		low, high, sum := run[0], run[0], int64(0)
		for _, x := range run {
			low, high, sum = min(low, x), max(high, x), sum+x
		}
		least[i], most[i], counts[i] = low, high, int64(len(run))
		switch {
		case len(run) == 1:
			means.ints[i] = low
		case low == high && finer && sumsUp(low, high): // as most are; without a division
			means.set(i, fleet.Num{N: 10 * low, Scale: int8(scale) - 1, Known: true})
		case sumsUp(low, high):
			means.set(i, mean(sum, len(run), int8(scale)))
		default:
			return false
		}
	}
	return true
}

// columnOf asks for the columns of some of the steps.
func (r *tierRows) columnOf(from, end int) rowsOf {
	return func(c int, dst *cells) error {
		dst.append(&r.columns[c], from, end)
		return nil
	}
}

// putTier puts rows into the blocks that their steps lie in. Of a step that is
// there already the new row stays, but for what says less (see remade).
func (s *Store) putTier(tx *bbolt.Tx, t *target, l *layout, r *tierRows) error {
	b, tier, steps := tiersIn(tx), r.tier, r.steps
	for first := 0; first < len(steps); {
		p, err := tier.home(b, &s.writer.tiers.old, t.id, l.id, steps[first])
		if err != nil {
			return err
		}
		end := first
		for end < len(steps) && steps[end] < p.until {
			end++
		}
		times, column := steps[first:end], r.columnOf(first, end)
		if p.old != nil {
			again, err := remake(l, p.old, r, first, end)
			if err != nil {
				return err
			}
			times, column = append(again.times, times...), again.column
		}
		s.writer.enc.brief = len(times) <= shortSteps
		value, err := s.writer.enc.block(times, len(r.columns), column)
		s.writer.enc.brief = false
		if err != nil {
			return err
		}
		if err := b.put(p.key, p.long, value); err != nil {
			return err
		}
		first = end
	}
	return nil
}

// expireTiers deletes the blocks of a target that are older than their tier is
// kept, at most expireMost of each, and the pieces of the oldest long blocks,
// whose target is any.
func (s *Store) expireTiers(tx *bbolt.Tx, t *target, now int64) error {
	b := tiersIn(tx)
	most := s.cfg.Retention.most()
	for i, tier := range tiers {
		horizon := now - most.at(1+i) - tier.window
		prefix := tierKey{tier: tier.id, target: t.id}.prefix()
		var old [][]byte
		c := b.short.Cursor()
		for k, _ := c.Seek(prefix); hasPrefix(k, prefix) && len(old) < expireMost; k, _ = c.Next() {
			key, _, err := readTierKey(k)
			if err != nil {
				return err
			}
			if key.window >= horizon {
				break
			}
			old = append(old, slices.Clone(k))
		}
		for _, k := range old {
			if err := b.short.Delete(k); err != nil {
				return err
			}
		}
		if err := expireLong(b.long, tier, horizon); err != nil {
			return err
		}
	}
	return nil
}
