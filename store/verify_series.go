package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"plumb/fleet"
)

func (v *verifier) wal(k, raw []byte) error {
	seq, i, err := readWALKey(k)
	if err != nil {
		return err
	}
	follows := i == 0 || seq == v.batch && i == v.value+1
	v.batch, v.value = seq, i
	b, err := unseal(k, raw)
	if err == nil && !follows {
		err = damaged("value %d of batch %d does not follow the one before it", i, seq)
	}
	if err != nil {
		return err
	}
	r, err := readWAL(b)
	if err != nil {
		return err
	}
	if seq > v.happened {
		if i == 0 {
			v.report.Unfinished++ // nobody was told that it was kept, and the next open or commit drops it
		}
		return nil
	}
	return v.walRows(r)
}

func (v *verifier) walRows(r walReader) error {
	for {
		h, body, ok, err := r.next()
		if err != nil || !ok {
			return err
		}
		if err := v.row(h.target, h.layout, body); err != nil {
			return err
		}
	}
}

// readJournal reads the journal and finds out which batch was the last that
// happened, by all that was written ahead.
func (v *verifier) readJournal() {
	alone := map[uint64]bool{}
	note := func(seq uint64, value []byte) {
		if r, err := readWAL(value); err == nil {
			alone[seq] = r.alone
		}
	}
	err := guard(func() error { return v.journal.read(func(r journalRecord) { note(r.seq, r.value) }) })
	v.journalProblem(err)
	v.torn = err != nil
	_ = guard(func() error {
		return v.series.Bucket(bucketWAL).ForEach(func(k, raw []byte) error {
			if seq, _, err := readWALKey(k); err == nil && len(raw) > sumLen {
				note(seq, raw[:len(raw)-sumLen])
			}
			return nil
		})
	})
	h := happened{last: v.happened}
	for _, seq := range slices.Sorted(maps.Keys(alone)) {
		h.has(seq, alone[seq])
	}
	v.happened = h.last
	v.report.Batch = h.last
}

func (v *verifier) journalProblem(err error) {
	var fe *FileError
	if errors.As(err, &fe) {
		v.report.Problems = append(v.report.Problems, Problem{filepath.Base(fe.Path), "records", "the newest readings", fe.Err})
	} else {
		v.problem("series.db", "journal", err)
	}
}

// journalRows checks the rows of the journal, as far as it can be read. It is read
// a second time, so as not to be held.
func (v *verifier) journalRows() {
	sound := 0
	err := guard(func() error {
		return v.journal.read(func(r journalRecord) {
			if r.value == nil {
				return
			}
			if r.seq > v.happened {
				v.report.Unfinished++
				return
			}
			w, err := readWAL(r.value)
			if err == nil {
				err = v.walRows(w)
			}
			if err == nil {
				sound++
			} else {
				v.problem("series-*.log", fmt.Sprintf("batch %d", r.seq), err)
			}
		})
	})
	if !v.torn {
		v.journalProblem(err)
	}
	v.report.Records["series/journal"] = sound
}

func (v *verifier) row(target, layout uint32, body []byte) error {
	keys, ok := v.layouts[layout]
	if !ok || target == 0 || target > v.targets {
		return damaged("a row of target %d and layout %d, which are not known", target, layout)
	}
	return readBody(body, make([]fleet.Num, len(keys)))
}

func (v *verifier) block(k, raw []byte) error {
	b, err := openStored(k, raw)
	if err == nil && b.key.part != 0 {
		err = v.awaited(b.key)
	}
	if err != nil {
		return err
	}
	if keys, ok := v.layouts[b.key.layout]; !ok || len(keys) != b.columns || b.key.target == 0 || b.key.target > v.targets {
		return damaged("a block of target %d and layout %d, with %d columns", b.key.target, b.key.layout, b.columns)
	}
	times, err := b.appendTimes(nil)
	if err != nil {
		return err
	}
	for i, at := range times {
		if at < b.key.window || at >= b.key.window+windowMs || i > 0 && at <= times[i-1] {
			return damaged("row %d of the block is out of its place", i)
		}
	}
	var values []fleet.Num
	for c := range b.columns {
		if values, err = b.appendColumn(values[:0], c); err != nil {
			return fmt.Errorf("column %d: %w", c, err)
		}
		v.report.Samples += len(values)
	}
	v.report.Blocks++
	return nil
}

func (v *verifier) tier(k, raw []byte) error {
	key, b, err := openTier(k, raw)
	if err != nil {
		return err
	}
	return v.tierBlock(key, &b)
}

// piece checks a piece by itself and that another follows it, and with the last
// one the block, where all are there. What is damaged or missing is said once.
func (v *verifier) piece(k, raw []byte) error {
	key, i, err := readPieceKey(k)
	if err != nil {
		return err
	}
	l := &v.long
	begins := key != l.key
	if begins {
		l.key, l.cuts = key, cuts{} // of how many pieces is not yet known
	}
	piece, err := readPiece(k, raw)
	switch {
	case err != nil:
		return err
	case i == 0:
		err = l.begin(key, piece, v.series)
	case begins:
		return damaged("a long block begins with piece %d", i)
	case l.cuts.pieces == 0:
		return nil // its first piece is damaged
	case i >= l.cuts.pieces:
		return damaged("piece %d of %d", i, l.cuts.pieces)
	default:
		err = l.take(i, piece)
	}
	if err != nil {
		return err
	}
	if i+1 < l.cuts.pieces {
		if v.series.Bucket(bucketLong).Get(key.piece(i+1)) == nil {
			return damaged("piece %d of %d is missing", i+1, l.cuts.pieces)
		}
		return nil
	}
	if slices.Contains(l.has, false) {
		return nil
	}
	if checksum(key.whole(), l.whole) != l.sum {
		return damaged("the block fails its checksum")
	}
	if err := l.parse(); err != nil {
		return err
	}
	return v.tierBlock(key, &l.block)
}

// tierBlock checks a tier's block, of which all columns are there.
func (v *verifier) tierBlock(key tierKey, b *block) error {
	keys, ok := v.layouts[key.layout]
	if !ok || key.target == 0 || key.target > v.targets {
		return damaged("a tier of target %d and layout %d, which are not known", key.target, key.layout)
	}
	if _, n := (&layout{keys: keys}).tierColumns(); n != b.columns {
		return damaged("a tier of %d columns, not %d", b.columns, n)
	}
	t := tiers[key.tier-1]
	times, err := b.appendTimes(nil)
	if err != nil {
		return err
	}
	for i, at := range times {
		if at < key.window || at >= key.window+t.window || at%t.step != 0 || i > 0 && at <= times[i-1] {
			return damaged("row %d of the tier is out of its place", i)
		}
	}
	var values []fleet.Num
	for c := range b.columns {
		if values, err = b.appendColumn(values[:0], c); err != nil {
			return fmt.Errorf("column %d: %w", c, err)
		}
	}
	v.report.Tiers++
	return nil
}

func (v *verifier) last(k, raw []byte) error {
	b, err := unseal(k, raw)
	if err != nil {
		return err
	}
	l, r, err := decodeLast(b)
	if err == nil && len(k) != 4 {
		err = damaged("newest row %x", k)
	}
	if err != nil {
		return err
	}
	return v.row(binary.BigEndian.Uint32(k), l, r.body)
}
