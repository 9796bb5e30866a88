package store

import (
	"slices"

	"plumb/fleet"
)

// Where the samples of a time are no longer kept, a tier answers for it: with
// the mean of the step that the time lies in, the last of a state, the total of
// a counter. That somebody was polled in the step, and until when, a tier keeps
// too, so that the past does not turn unknown with the day its samples go. A
// poll later in the step stands for one at the time that was asked for.

// tierRow is row, of the finest tier that holds the time. Of a time whose
// samples are kept the tiers know nothing better.
func (r *pastReader) tierRow(t *target) (out fleet.Readings, err error) {
	if r.at >= toMs(r.store.keptBy())-durMs(r.store.cfg.Retention.most().Raw) {
		return out, nil
	}
	for _, tier := range tiers {
		if out, err = r.stepRow(t, tier); err != nil || out.Keys != nil {
			return out, err
		}
	}
	return out, nil
}

// stepRow returns the newest step of a tier that began by the time, without
// Keys where it began more than two windows, or a step, before.
func (r *pastReader) stepRow(t *target, tier tier) (out fleet.Readings, err error) {
	began, ended, place, layout := r.at-max(tier.step, 2*windowMs), int64(0), -1, uint32(0)
	w := &r.walk
	w.begin(r.tiers, tier, t.id, bucket(r.at, tier.window)-tier.window)
	for {
		ok, err := w.next(r.at + 1)
		if err == nil && !ok {
			break
		}
		if err == nil {
			r.times, err = w.appendTimes(r.times[:0])
		}
		if err != nil {
			if err = r.store.skipDamage(err); err != nil {
				return out, err
			}
			continue
		}
		i, exact := slices.BinarySearch(r.times, r.at)
		if !exact {
			i--
		}
		if i < 0 || r.times[i] < began {
			continue
		}
		if err := w.need(0, 1); err != nil {
			return out, err
		}
		last, err := pick(w.column(0), w.rows, i)
		if err != nil {
			return out, err
		}
		if r.times[i] > began || r.times[i]+last.N >= ended { // a layout may change within a step
			began, ended, place = r.times[i], r.times[i]+last.N, i
			layout = w.at.key.layout
			r.found, w.longBlock = w.longBlock, r.found
		}
	}
	if place < 0 {
		return out, nil
	}
	if err := r.found.all(); err != nil {
		return out, err
	}
	return stepValues(&r.found.block, r.store.layouts.get(layout), place, min(ended, r.at))
}

// stepValues reads one step.
func stepValues(b *block, l *layout, place int, at int64) (out fleet.Readings, err error) {
	if l == nil {
		return out, damaged("a tier of an unknown layout")
	}
	starts, n := l.tierColumns()
	if n != b.columns {
		return out, damaged("a tier of %d columns, not %d", b.columns, n)
	}
	out = fleet.Readings{At: fromMs(at), Keys: l.keys, Values: make([]fleet.Num, len(l.keys))}
	lengths, data, next := b.lengths, b.data, 0
	for c := range b.columns {
		size, rest, err := readUvarint(lengths)
		if err != nil || size > uint64(len(data)) {
			return out, damaged("column %d", c)
		}
		if next < len(starts) && c == starts[next]+tierValue(l.keys[next]) {
			if out.Values[next], err = pick(data[:size], b.rows, place); err != nil {
				return out, err
			}
			next++
		}
		lengths, data = rest, data[size:]
	}
	return out, nil
}

// tierValue is which of a series' columns stands for it: the mean of a gauge,
// the last of a state, the total of a counter.
func tierValue(k fleet.SeriesKey) int {
	if k.Kind() == fleet.Counter {
		return 0
	}
	return 2
}
