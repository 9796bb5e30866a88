package store

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// A query is answered from the coarsest tier whose steps make up the step that
// was asked for, as far as that reaches, and from the samples where no tier is
// made yet. Where samples or a finer tier are no longer kept, a coarser tier
// stands in with its own steps.

// segment is a stretch of time that one source answers.
type segment struct {
	tier     int   // place in tiers; -1: samples
	from, to int64 // ms
}

// chosen is the coarsest tier whose steps make up a step, or -1.
func chosen(step int64) int {
	best := -1
	for i, t := range tiers {
		if step >= t.step && step%t.step == 0 {
			best = i
		}
	}
	return best
}

// segments splits from..to, in order of time. Seams lie on steps of the tier,
// and where samples answer a step that is not made of those, on such a step too.
func (s *Store) segments(t *target, kind fleet.SeriesKind, from, to, step int64) []segment {
	hour, five := tiers[1], tiers[0]
	keep, by := s.cfg.Retention.of(kind), toMs(s.keptBy())
	grid, best := hour.step, chosen(step)
	if best < 0 && step > 0 {
		grid = step / gcd(step, hour.step) * hour.step
	}
	open := bucket(s.uncovered(t, toMs(s.clock.wall())), five.step) // from here on there are samples only
	hours := bucket(by-durMs(keep.FiveMin), grid)                   // until here hours must do
	fives := bucket(by-durMs(keep.Raw), grid)
	switch best {
	case 0:
		fives = open
	case 1:
		open = bucket(open, hour.step)
		hours, fives = open, open
	}
	var out []segment
	for _, next := range []segment{{1, 0, min(hours, open)}, {0, 0, min(fives, open)}, {-1, 0, to}} {
		end := min(next.to, to)
		if next.tier >= 0 { // never a step that ends later than what was asked for
			end = min(end, bucket(to, tiers[next.tier].step))
		}
		if end > from {
			out = append(out, segment{next.tier, from, end})
			from = end
		}
	}
	return out
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// reach returns the earliest time that is kept of a target in any tier, in ms.
func (s *Store) reach(ctx context.Context, t *target) (ms int64, ok bool, err error) {
	if ms, ok, err = s.oldest(ctx, t); err != nil {
		return 0, false, err
	}
	err = s.viewSeries(ctx, func(tx *bbolt.Tx) error {
		for _, tier := range tiers {
			var w tierWalk
			w.begin(tiersIn(tx), tier, t.id, math.MinInt64)
			times, err := w.firstTimes()
			if err != nil {
				return err
			}
			if len(times) > 0 && (!ok || times[0] < ms) {
				ms, ok = times[0], true
			}
		}
		return nil
	})
	return ms, ok, err
}

// uncovered returns the start of the first window of a target that the tiers
// do not hold yet, in ms.
func (s *Store) uncovered(t *target, now int64) int64 {
	s.targets.mu.RLock()
	defer s.targets.mu.RUnlock()
	return min(t.firstPending(), t.windowOf(now-durMs(s.pace.grace)))
}

// tierPoint is one row of one series in a tier.
type tierPoint struct {
	at   int64 // where its step begins
	last int64 // when its last poll was
	v    [4]fleet.Num
}

// tierPoints reads the rows of one series whose steps overlap from..to and end
// by to, in order of time. Where a layout changed inside a step there are two.
func (s *seriesReader) tierPoints(ctx context.Context, tier tier, from, to int64) (out []tierPoint, err error) {
	err = s.viewSeries(ctx, func(tx *bbolt.Tx) error {
		out, err = s.readTier(ctx, tx, tier, from, to)
		return err
	})
	order := func(a, b tierPoint) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.last, b.last)) }
	if !slices.IsSortedFunc(out, order) {
		slices.SortFunc(out, order)
	}
	return out, err
}

func (s *seriesReader) readTier(ctx context.Context, tx *bbolt.Tx, tier tier, from, to int64) (out []tierPoint, err error) {
	x := tierColumns{seriesReader: s, tier: tier, from: from, to: to}
	w := walks.Get().(*tierWalk)
	defer walks.Put(w)
	w.begin(tiersIn(tx), tier, s.t.id, bucket(from-tier.step, tier.window))
	for {
		ok, err := w.next(to)
		if err == nil && !ok {
			return out, nil
		}
		if err == nil {
			out, err = x.add(out, w)
		}
		if err = s.holes.pass(err, func() string { return tier.points() + " of " + shown(s.t.name) }); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// tierColumns reads one series from block after block of a tier.
type tierColumns struct {
	*seriesReader
	tier     tier
	from, to int64
	times    []int64
	columns  [5][]fleet.Num
}

// add appends the rows of the present block.
func (x *tierColumns) add(out []tierPoint, w *tierWalk) (_ []tierPoint, err error) {
	l := x.layouts.get(w.at.key.layout)
	if l == nil {
		return out, damaged("tier %x of an unknown layout", w.at.k)
	}
	series := l.column(x.key)
	if series < 0 {
		return out, nil
	}
	start := 1
	for _, k := range l.keys[:series] {
		start += tierWidth(k)
	}
	width := tierWidth(x.key)
	if err := errors.Join(w.need(0, 1), w.need(start, start+width)); err != nil {
		return out, err
	}
	if x.times, err = w.appendTimes(x.times[:0]); err != nil {
		return out, err
	}
	for i := range width + 1 {
		place := 0
		if i > 0 {
			place = start + i - 1
		}
		if x.columns[i], err = w.appendColumn(x.columns[i][:0], place); err != nil {
			return out, err
		}
	}
	out = slices.Grow(out, len(x.times))
	for i, at := range x.times {
		if at+x.tier.step <= x.from || at+x.tier.step > x.to {
			continue
		}
		p := tierPoint{at: at, last: at + x.columns[0][i].N}
		for c := range width {
			p.v[c] = x.columns[c+1][i]
		}
		out = append(out, p)
	}
	return out, nil
}

// walks are kept between reads, as scratches are.
var walks = sync.Pool{New: func() any { return new(tierWalk) }}

// totals are the samples that a counter's tier holds.
func totals(rows []tierPoint) (out []sample) {
	for _, r := range rows {
		if r.v[0].Known {
			out = append(out, sample{r.last, r.v[0]})
		}
	}
	return out
}

// combine makes points of a step, a multiple of the tier's, from its rows.
func combine(rows []tierPoint, kind fleet.SeriesKind, step int64) (out []fleet.Point) {
	sum := 0.0 // of the values in the last point
	if len(rows) > 0 {
		span := rows[len(rows)-1].at - rows[0].at
		out = make([]fleet.Point, 0, min(int64(len(rows)), span/max(step, 1)+1))
	}
	for i := range rows {
		r := &rows[i]
		n := int(r.v[3].N)
		if n <= 0 || !r.v[0].Known {
			continue
		}
		at := bucket(r.at, step)
		p := fleet.Point{Ms: at, Min: r.v[0], Max: r.v[1], Mean: r.v[2], Count: n}
		if len(out) == 0 || out[len(out)-1].Ms != at {
			out, sum = append(out, p), p.Mean.Float()*float64(n)
			continue
		}
		last := &out[len(out)-1]
		last.Count += n
		if kind == fleet.Discrete {
			last.Mean = p.Mean
			if asState(p.Max).Worse(asState(last.Max)) {
				last.Max = p.Max
			}
			if asState(last.Min).Worse(asState(p.Min)) {
				last.Min = p.Min
			}
			continue
		}
		if p.Min.Cmp(last.Min) < 0 {
			last.Min = p.Min
		}
		if p.Max.Cmp(last.Max) > 0 {
			last.Max = p.Max
		}
		sum += p.Mean.Float() * float64(n)
		last.Mean = fleet.FromFloat(sum/float64(last.Count), -int(min(last.Mean.Scale, p.Mean.Scale)))
	}
	return out
}

// readSegments reads the points of a gauge or a state, segment by segment.
func (s *seriesReader) readSegments(ctx context.Context, parts []segment, step int64) (points []fleet.Point, err error) {
	condense := gaugePoints
	if s.key.Kind() == fleet.Discrete {
		condense = statePoints
	}
	best := chosen(step)
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	var rows []tierPoint
	for _, part := range parts {
		if part.tier >= 0 {
			more, err := s.tierPoints(ctx, tiers[part.tier], part.from, part.to)
			if err != nil {
				return nil, err
			}
			if rows = append(rows, more...); best < 0 {
				points, rows = append(points, combine(rows, s.key.Kind(), max(step, tiers[part.tier].step))...), nil
			}
			continue
		}
		v, err := s.samples(ctx, sc, part.from, part.to)
		if err != nil {
			return nil, err
		}
		if best < 0 {
			if more := condense(v, step); points == nil {
				points = more
			} else {
				points = append(points, more...)
			}
			continue
		}
		// A long step may lie across the seam: what is not in the tier yet is
		// made like it.
		for _, p := range condense(v, tiers[best].step) {
			rows = append(rows, tierPoint{at: p.Ms, v: [4]fleet.Num{p.Min, p.Max, p.Mean, fleet.Int(int64(p.Count))}})
		}
	}
	if best >= 0 {
		return combine(rows, s.key.Kind(), step), nil
	}
	return points, nil
}

// readTotals reads the totals of a counter, segment by segment, with the one
// before the first, and returns over how long a gap in ms they make a rate:
// totals of a tier lie a step apart.
func (s *seriesReader) readTotals(ctx context.Context, parts []segment) (out []sample, gap int64, err error) {
	gap = durMs(bridge)
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	for i, part := range parts {
		lead := int64(0)
		if part.tier < 0 {
			if i == 0 {
				lead = durMs(bridge)
			}
			v, err := s.samples(ctx, sc, part.from-lead, part.to)
			if err != nil {
				return nil, 0, err
			}
			out = append(out, v...)
			continue
		}
		tier := tiers[part.tier]
		if i == 0 {
			lead = tier.step
		}
		rows, err := s.tierPoints(ctx, tier, part.from-lead, part.to)
		if err != nil {
			return nil, 0, err
		}
		out, gap = append(out, totals(rows)...), max(gap, tier.step+durMs(bridge))
	}
	return out, gap, nil
}
