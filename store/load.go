package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// batchMark is what state.db says of the last batch that it had a part in. It is
// the truth about which of those happened.
type batchMark struct {
	seq   uint64
	at    time.Time
	audit AuditHead
}

func (m batchMark) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, m.seq)
	b = appendTime(b, m.at)
	b = binary.BigEndian.AppendUint64(b, m.audit.Seq)
	return append(b, m.audit.Hash...)
}

func readMark(tx *bbolt.Tx) (m batchMark, err error) {
	raw := tx.Bucket(bucketMeta).Get(keyBatch)
	m.audit.Hash = firstPrev
	if raw == nil {
		return m, nil
	}
	b, err := unseal(keyBatch, raw)
	if err != nil {
		return m, err
	}
	return decodeMark(b)
}

func decodeMark(b []byte) (m batchMark, err error) {
	if len(b) != 24+len(firstPrev) {
		return m, damaged("the mark of the last batch has %d bytes", len(b))
	}
	m.seq, m.at = binary.BigEndian.Uint64(b), readTime(b[8:])
	m.audit = AuditHead{Seq: binary.BigEndian.Uint64(b[16:]), Hash: string(b[24:])}
	return m, nil
}

// lastBatch returns the place of the last batch that happened: that of state.db's
// mark, or one after it that series.db alone holds.
func (s *Store) lastBatch(m batchMark) Place {
	if newest := s.targets.place(); newest.Seq > m.seq {
		return newest
	}
	return Place{m.seq, m.at}
}

// loadState reads where the last batch ended, and what waits in the outbox.
func (s *Store) loadState() error {
	return view(s.state, func(tx *bbolt.Tx) error {
		m, err := readMark(tx)
		s.writer.mark, s.writer.seq = m, m.seq
		s.targets.newest, s.targets.opened = Place{m.seq, m.at}, m.seq
		if err == nil {
			err = s.writer.time.load(tx)
		}
		if err == nil {
			err = s.loadBacklog(tx)
		}
		return err
	})
}

// loadSeries reads the names of targets and series and the newest rows, of batches
// that happened. Those that are older and not yet in a block loadOlder reads.
func (s *Store) loadSeries(tx *bbolt.Tx, found *openRecords) error {
	for _, load := range []func(*bbolt.Tx) error{s.loadTargets, s.loadLayouts, s.loadLast} {
		if err := load(tx); err != nil {
			return err
		}
	}
	values, err := s.writtenAhead(tx, found.wal)
	if err == nil {
		err = s.loadWAL(values)
	}
	if err != nil {
		return err
	}
	return s.loadPending(found.pending)
}

// writtenAhead returns the write-ahead values of series.db, and of the journal from
// where the newest rows are, in order of their batches, checked against their sums.
func (s *Store) writtenAhead(tx *bbolt.Tx, records []walRecord) ([]walValue, error) {
	var values []walValue
	for _, x := range records {
		v, err := unseal(x.key, x.raw)
		if err != nil {
			return nil, err
		}
		seq, _, err := readWALKey(x.key)
		if err != nil {
			return nil, err
		}
		values = append(values, walValue{seq: seq, b: v})
	}
	known, err := journalOf(tx)
	if err != nil {
		return nil, err
	}
	s.journal, err = s.journalValues(known, known.newest, known.to, &values)
	slices.SortStableFunc(values, func(a, b walValue) int { return cmp.Compare(a.seq, b.seq) })
	return values, err
}

// journalValues reads files of the journal, and appends the values of their records.
func (s *Store) journalValues(known journalRange, from, to uint64, values *[]walValue) (*journal, error) {
	return readJournal(s.cfg.Dir, storeID(s.state), known, from, to, func(r journalRecord) {
		if r.value != nil && r.seq >= known.first {
			*values = append(*values, walValue{seq: r.seq, b: slices.Clone(r.value), journal: true})
		}
	})
}

// loadOlder reads the rows of the journal that a start could do without.
func (s *Store) loadOlder() error {
	known := s.journal.known
	if known.from == known.newest {
		return nil
	}
	l := walLoad{targets: s.targets.all(), layouts: s.layouts.all()}
	rows, keepers := make([][]*row, len(l.targets)), make([]keeper, len(l.targets))
	came := toMs(time.Now())
	var broken error
	older, err := readJournal(s.cfg.Dir, storeID(s.state), known, known.from, known.newest-1, func(r journalRecord) {
		if r.value == nil || r.seq < known.first || broken != nil {
			return
		}
		live, err := l.rows(r.seq, r.value, came, func(t *target, r *row) {
			rows[t.id-1] = append(rows[t.id-1], keepers[t.id-1].keep(*r))
		})
		if err != nil {
			broken = err
		}
		s.writer.noteWAL(walValue{seq: r.seq, journal: true}, live)
	})
	if err == nil {
		err = broken
	}
	if err == nil {
		err = s.journal.behind(older)
	}
	if err != nil {
		return err
	}
	s.writer.round.kept = older.prev() + 1
	slices.SortStableFunc(s.writer.wal, func(a, b walEntry) int { return cmp.Compare(a.seq, b.seq) })
	s.targets.mu.Lock()
	defer s.targets.mu.Unlock()
	for i, t := range l.targets {
		s.targets.putBefore(s.pace, t, rows[i])
	}
	return nil
}

// journalOf returns the files of the journal that series.db knows of.
func journalOf(tx *bbolt.Tx) (r journalRange, err error) {
	raw := tx.Bucket(bucketMeta).Get(keyJournal)
	if raw == nil {
		return r, nil
	}
	v, err := unseal(keyJournal, raw)
	if err != nil {
		return r, err
	}
	return decodeJournalRange(v)
}

// dropBeyond deletes write-ahead values of batches that never happened: the
// process died between its two commits, and nobody was told of them.
func (s *Store) dropBeyond(db *file, seq uint64) error {
	if err := s.journal.takeBack(seq + 1); err != nil {
		return err
	}
	var drop [][]byte
	err := view(db, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketWAL).Cursor()
		for k, raw := c.Seek(seqKey(seq + 1)); k != nil; k, raw = c.Next() {
			if _, err := unseal(k, raw); err != nil {
				return err // not a batch that never happened, but one whose number is damaged
			}
			drop = append(drop, append([]byte(nil), k...))
		}
		return nil
	})
	if err != nil || drop == nil {
		return err
	}
	return update(db, func(tx *bbolt.Tx) error {
		for _, k := range drop {
			if err := tx.Bucket(bucketWAL).Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
func idKey(id uint32) []byte   { return binary.BigEndian.AppendUint32(nil, id) }

// numbered calls f with each value of a bucket whose keys are 1, 2, 3 ...
func numbered(b *bbolt.Bucket, f func(value []byte) error) error {
	n := uint32(0)
	return b.ForEach(func(k, raw []byte) error {
		n++
		if len(k) != 4 || binary.BigEndian.Uint32(k) != n {
			return damaged("number %d is missing", n)
		}
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		return f(v)
	})
}

func (s *Store) loadTargets(tx *bbolt.Tx) error {
	return numbered(tx.Bucket(bucketTargets), func(v []byte) error {
		s.targets.add(decodeTarget(v))
		return nil
	})
}

func (s *Store) loadLayouts(tx *bbolt.Tx) error {
	return numbered(tx.Bucket(bucketLayouts), func(v []byte) error {
		keys, err := decodeLayout(v)
		if err == nil {
			s.layouts.add(sha256.Sum256(v), keys)
		}
		return err
	})
}

// loadLast reads the newest row of each target that is kept.
func (s *Store) loadLast(tx *bbolt.Tx) error {
	return tx.Bucket(bucketLast).ForEach(func(k, raw []byte) error {
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		l, r, err := decodeLast(v)
		if err != nil || len(k) != 4 {
			return damaged("newest row %x", k)
		}
		t := s.targets.byID(binary.BigEndian.Uint32(k))
		r.layout = s.layouts.get(l)
		if t == nil || r.layout == nil {
			return damaged("newest row %x of an unknown target or layout", k)
		}
		r.body = slices.Clone(r.body)
		t.last, t.kept = r, true
		return nil
	})
}

// lastSeq marks a newest row that says of which batch it is, as all do from schema
// 7 on.
const lastSeq = 1 << 31

// encodeLast writes a newest row: layout, time, batch, body.
func encodeLast(r row) []byte {
	b := binary.BigEndian.AppendUint32(nil, r.layout.id|lastSeq)
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = binary.BigEndian.AppendUint64(b, r.seq)
	return append(b, r.body...)
}

// decodeLast returns a newest row, whose body is a slice of b, and its layout.
func decodeLast(b []byte) (layout uint32, r row, err error) {
	if len(b) < 12 {
		return 0, r, damaged("a newest row of %d bytes", len(b))
	}
	layout, r.at, b = binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint64(b[4:])), b[12:]
	if layout&lastSeq != 0 {
		if len(b) < 8 {
			return 0, r, damaged("a newest row of %d bytes", 12+len(b))
		}
		layout, r.seq, b = layout&^lastSeq, binary.BigEndian.Uint64(b), b[8:]
	}
	r.body = b
	return layout, r, nil
}

// openRecords is what series.db says of rows that are not yet in a merged block,
// in the order of its keys and in memory of its own. No sum was checked yet.
type openRecords struct {
	wal     []walRecord
	pending [][]byte // keys
	room    []byte   // in which those keys stand
}

// walRecord is a write-ahead value as it lies in series.db.
type walRecord struct{ key, raw []byte }

// walValue is a write-ahead value of a batch.
type walValue struct {
	seq     uint64
	b       []byte
	journal bool
}

// take takes a record along, if it is of those.
func (o *openRecords) take(bucket string, k, raw []byte) {
	switch bucket {
	case string(bucketWAL):
		o.wal = append(o.wal, walRecord{slices.Clone(k), slices.Clone(raw)})
	case string(bucketPending):
		from := len(o.room)
		o.room = append(o.room, k...)
		o.pending = append(o.pending, o.room[from:])
	}
}

// recordsIn takes them from an open file.
func recordsIn(tx *bbolt.Tx) *openRecords {
	var o openRecords
	for _, name := range [][]byte{bucketWAL, bucketPending} {
		c := tx.Bucket(name).Cursor()
		for k, raw := c.First(); k != nil; k, raw = c.Next() {
			o.take(string(name), k, raw)
		}
	}
	return &o
}

// loadWAL puts rows that are not yet in a block into memory. Room for their list is
// made in one piece, as much for each target as it has on average; who has more gets
// more.
func (s *Store) loadWAL(values []walValue) error {
	l := walLoad{targets: s.targets.all(), layouts: s.layouts.all(), happened: happened{last: s.writer.mark.seq}}
	if len(l.targets) == 0 {
		return nil
	}
	l.makeRoom(values)
	came := toMs(time.Now())
	newest := s.targets.newest
	for _, x := range values {
		r, err := readWAL(x.b)
		if err != nil {
			return err
		}
		if !l.happened.has(x.seq, r.alone) {
			continue // see dropBeyond
		}
		if x.seq > newest.Seq {
			newest = Place{x.seq, fromMs(r.base)}
		}
		// They are few, and a start is not to wait for copies of them.
		made := make([]row, 0, min(r.left, uint64(len(x.b)/leastRow)))
		live, err := l.rows(x.seq, x.b, came, func(t *target, r *row) {
			made = append(made, *r)
			s.targets.hold(s.pace, t, &made[len(made)-1])
		})
		if err != nil {
			return err
		}
		s.writer.noteWAL(x, live)
	}
	s.writer.seq, s.targets.newest, s.targets.opened = newest.Seq, newest, newest.Seq
	return nil
}

// happened tells by their write-ahead values, in the order of their keys, which
// batches happened: those up to state.db's number, and after them those that
// series.db alone holds. One that state.db should know of and does not was cut
// short, and was the last.
type happened struct {
	last uint64
	cut  bool
}

// has is asked of each value in turn.
func (h *happened) has(seq uint64, alone bool) bool {
	if seq <= h.last {
		return true
	}
	if h.cut = h.cut || !alone; !h.cut {
		h.last = seq
	}
	return !h.cut
}

// noteWAL counts one more value of a batch.
func (w *writer) noteWAL(v walValue, live int) {
	if n := len(w.wal); n == 0 || w.wal[n-1].seq != v.seq {
		w.wal = append(w.wal, walEntry{seq: v.seq})
	}
	e := &w.wal[len(w.wal)-1]
	if e.live += live; !v.journal {
		e.values++
	}
}

// walLoad reads the write-ahead values of batches that happened.
type walLoad struct {
	targets  []*target
	layouts  []*layout
	happened happened
}

// leastRow is what a row takes in a value at least.
const leastRow = 6 // bytes

// makeRoom asks each value how many rows it has. Nothing of it is checked yet:
// a wrong answer costs room, and no more than the values themselves take.
func (l *walLoad) makeRoom(values []walValue) {
	total := 0
	for _, v := range values {
		if r, err := readWAL(v.b); err == nil {
			total += int(min(r.left, uint64(len(v.b)/leastRow)))
		}
	}
	each := (total + len(l.targets) - 1) / len(l.targets)
	room := make([]*row, each*len(l.targets))
	for i, t := range l.targets {
		t.rows = room[i*each : i*each : (i+1)*each]
	}
}

// rows calls f with each row of a value, whose bodies are slices of it, and returns
// how many there are. The row is good until f returns.
func (l *walLoad) rows(seq uint64, value []byte, came int64, f func(t *target, r *row)) (n int, err error) {
	r, err := readWAL(value)
	if err != nil {
		return 0, err
	}
	for x := new(row); ; n++ {
		h, body, ok, err := r.next()
		if err != nil || !ok {
			return n, err
		}
		t, y := h.target-1, h.layout-1 // 0 is none
		if t >= uint32(len(l.targets)) || y >= uint32(len(l.layouts)) {
			return 0, damaged("batch %d has a row of an unknown target or layout", seq)
		}
		*x = row{seq: seq, at: h.at, came: came, layout: l.layouts[y], body: body}
		f(l.targets[t], x)
	}
}

func (s *Store) loadPending(keys [][]byte) error {
	for _, k := range keys {
		if len(k) != windowKeyLen {
			return damaged("pending window %x", k)
		}
		t := s.targets.byID(binary.BigEndian.Uint32(k))
		if t == nil {
			return damaged("pending window %x of an unknown target", k)
		}
		window := readMs(k[4:])
		t.await(window, window+windowMs+durMs(s.pace.grace))
	}
	return nil
}

// readAheadTables reads the tables beside the opening of series.db. What it
// cannot read Memory reads again, and says why.
func (s *Store) readAheadTables(ctx context.Context) <-chan []fleet.Rows {
	done := make(chan []fleet.Rows, 1)
	go func() {
		var rows []fleet.Rows
		_ = view(s.state, func(tx *bbolt.Tx) (err error) {
			if rows, err = readLatest(ctx, tx); err != nil {
				rows = nil
			}
			return err
		})
		done <- rows
	}()
	return done
}

// takeAhead gives away what Open read, once, and not when Run may have changed
// it since.
func (s *Store) takeAhead() []fleet.Rows {
	s.life.Lock()
	defer s.life.Unlock()
	rows := s.ahead
	s.ahead = nil
	if s.life.running || s.life.done {
		return nil
	}
	return rows
}

// Memory returns what the store remembers: the newest of every row, reading
// and job that weighs, for the engine to make the first snapshot from. It is called before
// Run; later it gives the present.
func (s *Store) Memory(ctx context.Context) (fleet.Memory, error) {
	var m fleet.Memory
	err := view(s.state, func(tx *bbolt.Tx) error {
		mark, err := readMark(tx)
		if err != nil {
			return err
		}
		last := s.lastBatch(mark)
		m.Version, m.At = last.Seq, last.At
		if m.Tables = s.takeAhead(); m.Tables == nil {
			if m.Tables, err = readLatest(ctx, tx); err != nil {
				return err
			}
		}
		weighs := func(j *fleet.Job) bool { return j.Weighs(m.At) }
		if m.Jobs, err = readJobs(ctx, tx, time.Time{}, maxTime, 0, weighs); err != nil {
			return err
		}
		m.Recent, err = readEvents(ctx, tx, eventQuery{until: maxTime, limit: fleet.MaxRecent, least: fleet.SeverityWarn})
		return err
	})
	if err == nil {
		m.Readings, err = s.lastReadings(ctx)
	}
	return m, err
}

// lastReadings decodes the newest row of every target. Targets of one layout
// share one slice of keys.
func (s *Store) lastReadings(ctx context.Context) ([]fleet.Readings, error) {
	s.targets.mu.RLock()
	defer s.targets.mu.RUnlock()
	out := make([]fleet.Readings, 0, len(s.targets.list))
	for _, t := range s.targets.list {
		if t.last.layout == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := fleet.Readings{Target: t.name, At: fromMs(t.last.at), Keys: t.last.layout.keys, Values: make([]fleet.Num, len(t.last.layout.keys))}
		if err := readBody(t.last.body, r.Values); err != nil {
			return nil, damaged("the newest row of %s: %w", t.name, err)
		}
		out = append(out, r)
	}
	return out, nil
}
