package store

import (
	"encoding/binary"
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
// are made, from what is there of its neighbours too: the neighbour makes the
// shared step again when its own turn comes. The same samples give the same
// row, so that a window may be merged again when something came late.
type tier struct {
	id     byte
	step   int64 // ms
	part   int64 // ms that a short block covers, see tier_parts.go
	window int64 // ms that a long one covers
}

var tiers = [...]tier{
	{1, durMs(5 * time.Minute), durMs(2 * time.Hour), durMs(24 * time.Hour)},
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
func tierWidth(k fleet.SeriesKey) int {
	if k.Kind() == fleet.Counter {
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
// the windows beside it.
func (s *Store) makeTiers(tx *bbolt.Tx, t *target, window int64) error {
	raw := map[uint32][]stored{}
	c := tx.Bucket(bucketBlocks).Cursor()
	first := windowKey(t.id, window-windowMs)
	for k, v := c.Seek(first); hasPrefix(k, first[:4]); k, v = c.Next() {
		b, err := openStored(k, v)
		if err != nil {
			return err
		}
		if b.key.window > window+windowMs {
			break
		}
		raw[b.key.layout] = append(raw[b.key.layout], b)
	}
	for id, blocks := range raw {
		l := s.layouts.get(id)
		if l == nil {
			return damaged("a block of an unknown layout")
		}
		if err := s.makeTier(tx, t, l, blocks, window); err != nil {
			return err
		}
	}
	return nil
}

// tierRows are rows of a tier that are being made.
type tierRows struct {
	tier        tier
	from, to    int64
	steps, last []int64 // where each begins, and when its last poll was
	columns     [][]fleet.Num
}

// makeTier makes the rows of one layout.
func (s *Store) makeTier(tx *bbolt.Tx, t *target, l *layout, raw []stored, window int64) error {
	starts, columns := l.tierColumns()
	if columns > maxColumns {
		return nil // a target of more than 16,000 series keeps its samples only
	}
	var times []int64
	var err error
	for i := range raw {
		if times, err = raw[i].appendTimes(times); err != nil {
			return err
		}
	}
	var made []*tierRows
	for _, tier := range tiers {
		r := &tierRows{tier: tier, from: bucket(window, tier.step), to: bucket(window+windowMs-1, tier.step) + tier.step}
		if r.place(times, columns) {
			made = append(made, r)
		}
	}
	var values []fleet.Num
	samples := make([]sample, 0, len(times))
	for c, key := range l.keys {
		values = values[:0]
		for i := range raw {
			if values, err = raw[i].appendColumn(values, c); err != nil {
				return err
			}
		}
		for _, r := range made {
			samples = samples[:0]
			for i, at := range times {
				if at >= r.from && at < r.to {
					samples = append(samples, sample{at, values[i]})
				}
			}
			r.condense(r.columns[starts[c]:], key.Kind(), inOrder(samples))
		}
	}
	for _, r := range made {
		if err := s.putTier(tx, t, l, r); err != nil {
			return err
		}
	}
	return nil
}

// place finds the steps that have polls, and makes room for their columns.
func (r *tierRows) place(times []int64, columns int) bool {
	for _, at := range slices.Sorted(slices.Values(times)) {
		if at < r.from || at >= r.to {
			continue
		}
		if b := bucket(at, r.tier.step); len(r.steps) == 0 || r.steps[len(r.steps)-1] != b {
			r.steps, r.last = append(r.steps, b), append(r.last, at)
		}
		r.last[len(r.last)-1] = at
	}
	r.columns = make([][]fleet.Num, columns)
	for c := range r.columns {
		r.columns[c] = make([]fleet.Num, len(r.steps))
	}
	for i, last := range r.last {
		r.columns[0][i] = fleet.Int(last - r.steps[i])
	}
	return len(r.steps) > 0
}

// condense fills the columns of one series, from its samples in order of time.
func (r *tierRows) condense(columns [][]fleet.Num, kind fleet.SeriesKind, samples []sample) {
	place := func(at int64) int { i, _ := slices.BinarySearch(r.steps, at); return i }
	points := gaugePoints
	switch kind {
	case fleet.Counter:
		for _, x := range samples {
			if i := place(bucket(x.at, r.tier.step)); r.last[i] == x.at {
				columns[0][i] = x.v
			}
		}
		return
	case fleet.Discrete:
		points = statePoints
	}
	for _, p := range points(samples, r.tier.step) {
		i := place(toMs(p.At))
		columns[0][i], columns[1][i], columns[2][i], columns[3][i] = p.Min, p.Max, p.Mean, fleet.Int(int64(p.Count))
	}
}

// putTier puts rows into the blocks that their steps lie in. Of a step that is
// there already the new row stays, but for what says less (see remade).
func (s *Store) putTier(tx *bbolt.Tx, t *target, l *layout, r *tierRows) error {
	b, tier, steps := tx.Bucket(bucketTiers), r.tier, r.steps
	for first := 0; first < len(steps); {
		end, next := first, bucket(steps[first], tier.part)+tier.part
		for end < len(steps) && steps[end] < next {
			end++
		}
		k, raw, err := tier.home(b, t.id, l.id, steps[first])
		if err != nil {
			return err
		}
		again, err := remake(l, k, raw, r, first, end)
		if err != nil {
			return err
		}
		value, err := s.writer.enc.block(append(again.times, steps[first:end]...), len(r.columns), again.column)
		if err != nil {
			return err
		}
		if err := put(b, k, value); err != nil {
			return err
		}
		first = end
	}
	return nil
}

// expireTiers deletes the blocks of a target that are older than their tier is
// kept, at most expireMost of each.
func (s *Store) expireTiers(tx *bbolt.Tx, t *target, now int64) error {
	b := tx.Bucket(bucketTiers)
	most := s.cfg.Retention.most()
	for i, tier := range tiers {
		horizon := now - most.at(1+i) - tier.window
		prefix := tierKey{tier: tier.id, target: t.id}.prefix()
		var old [][]byte
		c := b.Cursor()
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
			if err := b.Delete(k); err != nil {
				return err
			}
		}
	}
	return nil
}
