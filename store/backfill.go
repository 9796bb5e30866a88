package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// History that was not polled comes in here and nowhere else: the demo's past,
// imports from other systems. It is encoded by whoever brings it and handed to
// the writer as finished blocks, a bounded amount per batch.

// importBlock is a finished block on its way to the writer.
type importBlock struct {
	source   string
	target   string
	keys     []fleet.SeriesKey
	window   int64
	from, to int64 // first and last row, Unix milliseconds
	rows     int
	value    []byte
}

// An import is encoded when so many values have come together, or so much time
// has passed: larger blocks are better ones.
const (
	importValues = 4 << 20
	importAge    = 3 * time.Second
)

// Backfill stores history that was not polled, marked with its source, and
// returns how many of the rows it took. It takes only rows that lie before
// everything the store held of their target when this call first met it, so it
// never writes over what was seen, and does nothing the second time. Rows may
// come in any order; if they come newest first, an import that was interrupted
// goes on where it stopped. Rows older than the raw tier is kept are not taken.
//
// Run must be running. The keys of rows are shared or not, as it comes.
func (s *Store) Backfill(ctx context.Context, source string, rows iter.Seq[fleet.Readings]) (n int, err error) {
	if source == "" || !nameOK(source) {
		return 0, fmt.Errorf("store: backfill: %q is not a source", fleet.Clean(source, 80))
	}
	im := importer{store: s, source: source, since: time.Now(), oldest: toMs(s.keptBy().Add(-s.cfg.Retention.most().Raw)), before: map[string]int64{}, groups: map[importKey]*importGroup{}}
	for r := range rows {
		if err := im.add(ctx, r); err != nil {
			return im.taken, fmt.Errorf("store: backfill: %w", err)
		}
	}
	if err := im.flush(ctx); err != nil {
		return im.taken, fmt.Errorf("store: backfill: %w", err)
	}
	return im.taken, nil
}

type importer struct {
	store  *Store
	source string
	oldest int64            // Unix milliseconds
	before map[string]int64 // by target: rows must lie before it
	groups map[importKey]*importGroup
	values int
	since  time.Time // of the last flush
	taken  int       // rows that are committed
	enc    encoder
}

type importKey struct {
	target string
	window int64
	keys   *fleet.SeriesKey // the slice's first element
	n      int
}

type importGroup struct {
	keys  []fleet.SeriesKey
	times []int64
	rows  [][]fleet.Num
}

func (g *importGroup) column(c int, dst *cells) error {
	for _, r := range g.rows {
		dst.add(r[c])
	}
	return nil
}

func (im *importer) add(ctx context.Context, r fleet.Readings) error {
	if r.Target == "" || !nameOK(r.Target) || len(r.Keys) != len(r.Values) || !keysOK(r.Keys) {
		return fmt.Errorf("a row of %q cannot be kept", fleet.Clean(r.Target, 80))
	}
	before, err := im.limit(ctx, r.Target)
	if err != nil {
		return err
	}
	at := toMs(r.At)
	if at >= before || at < im.oldest {
		return ctx.Err()
	}
	t := target{phase: im.store.targets.phase(r.Target)}
	key := importKey{r.Target, t.windowOf(at), &r.Keys[0], len(r.Keys)}
	g := im.groups[key]
	if g == nil {
		g = &importGroup{keys: r.Keys}
		im.groups[key] = g
	}
	g.times, g.rows = append(g.times, at), append(g.rows, r.Values)
	im.values += len(r.Values)
	if im.values >= importValues || im.values > 0 && time.Since(im.since) > importAge {
		return im.flush(ctx)
	}
	return nil
}

// limit returns before when rows of a target are history.
func (im *importer) limit(ctx context.Context, name string) (int64, error) {
	if ms, ok := im.before[name]; ok {
		return ms, nil
	}
	ms := toMs(time.Now())
	if t := im.store.targets.get(name); t != nil {
		oldest, ok, err := im.store.oldest(ctx, t)
		if err != nil {
			return 0, err
		}
		if ok {
			ms = oldest
		}
	}
	im.before[name] = ms
	return ms, nil
}

// flush encodes what has come together and sends it to the writer, and waits
// for each chunk: an import has no more in the air than one batch takes.
func (im *importer) flush(ctx context.Context) error {
	var chunk []importBlock
	bytes := 0
	send := func() error {
		if err := im.store.submit(ctx, &request{imports: chunk, urgent: true, done: make(chan error, 1)}); err != nil {
			return err
		}
		for _, b := range chunk {
			im.taken += b.rows
		}
		chunk, bytes = nil, 0
		return nil
	}
	for key, g := range im.groups {
		value, err := im.enc.block(g.times, len(g.keys), g.column)
		if err != nil {
			return err
		}
		chunk = append(chunk, importBlock{
			source: im.source, target: key.target, keys: g.keys, window: key.window,
			from: slices.Min(g.times), to: slices.Max(g.times), rows: len(g.times), value: value,
		})
		if bytes += len(value); bytes >= importBytes/4 {
			if err := send(); err != nil {
				return err
			}
		}
	}
	clear(im.groups)
	im.values, im.since = 0, time.Now()
	if chunk == nil {
		return ctx.Err()
	}
	return send()
}

// putImports writes the blocks of an import and notes where they came from.
func (s *Store) putImports(tx *bbolt.Tx, seq uint64, imports []importBlock) error {
	for i, b := range imports {
		t := s.targets.intern(b.target)
		l := s.layouts.intern(b.keys)
		key := blockKey{target: t.id, window: b.window, imported: true, layout: l.id, part: seq<<12 | uint64(i&0xfff)}
		if err := put(tx.Bucket(bucketBlocks), key.encode(), b.value); err != nil {
			return err
		}
		if err := tx.Bucket(bucketPending).Put(windowKey(t.id, b.window), nil); err != nil {
			return err
		}
		if err := noteImport(tx, b); err != nil {
			return err
		}
	}
	if len(imports) > 0 {
		return s.saveNames(tx)
	}
	return nil
}

// installImports lets the parts of an import be merged.
func (s *Store) installImports(imports []importBlock) {
	for _, b := range imports {
		t := s.targets.intern(b.target)
		s.targets.mu.Lock()
		t.await(b.window, b.window+windowMs+durMs(s.pace.grace))
		s.targets.mu.Unlock()
	}
}

// Import says what part of a target's history was not polled.
type Import struct {
	Source, Target string
	From, To       time.Time // first and last row
	Rows           int
}

func noteImport(tx *bbolt.Tx, b importBlock) error {
	bucket, key := tx.Bucket(bucketImports), nameKey(b.source, b.target)
	note := Import{From: fromMs(b.from), To: fromMs(b.to), Rows: b.rows}
	if raw := bucket.Get(key); raw != nil {
		was, err := readImport(key, raw)
		if err != nil {
			return err
		}
		note.Rows += was.Rows
		if was.From.Before(note.From) {
			note.From = was.From
		}
		if was.To.After(note.To) {
			note.To = was.To
		}
	}
	v := appendTime(appendTime(nil, note.From), note.To)
	return put(bucket, key, binary.BigEndian.AppendUint64(v, uint64(note.Rows)))
}

func readImport(k, raw []byte) (im Import, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return im, err
	}
	source, target, ok := cut(k)
	if !ok || len(v) != 24 {
		return im, damaged("import %q", k)
	}
	return Import{Source: source, Target: string(target), From: readTime(v), To: readTime(v[8:]), Rows: int(binary.BigEndian.Uint64(v[16:]))}, nil
}

// Sources returns what was imported, by source and target.
func (s *Store) Sources(ctx context.Context) ([]Import, error) {
	var out []Import
	err := s.viewSeries(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketImports).ForEach(func(k, raw []byte) error {
			im, err := readImport(k, raw)
			if err == nil {
				out, err = append(out, im), ctx.Err()
			}
			return err
		})
	})
	return out, err
}
