package store

import (
	"context"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"plumb/fleet"
)

// A target is known to series.db by a number. Its newest rows, those that are
// not yet in a block, lie here in the encoding of the write-ahead values.
type target struct {
	id     uint32
	name   string
	phase  int64 // ms: where its windows begin
	byName bool  // its phase goes by its name

	// The slice of keys that was last seen, with its layout. It is held so
	// that the address of its first element cannot be used again. Writer only.
	keys   []fleet.SeriesKey
	layout *layout
	pass   int     // of the clock, in which its newest row was committed; writer only
	thin   thinned // writer only

	// The rest is guarded by targets.mu; only the writer changes it. What is looked at
	// in thousands of targets at a time stands together and first.
	mergeAt int64     // when one of the windows is to be merged first, or before that
	seq     uint64    // of the first of rows
	came    int64     // of that one
	bytes   int       // of the bodies of rows
	rows    []*row    // in order of commit; replaced, never written in place
	keeper  keeper    // of rows
	pending []toMerge // windows that have rows or parts to merge
	last    row       // the newest by time
	kept    bool      // series.db holds last
	parted  uint64    // no row of a later batch is in a block
}

// row is one poll in memory.
type row struct {
	seq    uint64
	at     int64 // Unix milliseconds
	came   int64 // when it was committed or read back, Unix milliseconds
	layout *layout
	body   []byte
}

// keeper keeps the rows of one target, a few to a piece of memory: what became a
// block is let go, however long the rows of others that came with it stay.
type keeper struct {
	rows   []row
	bodies []byte
}

// keepRows is how many rows have a piece in common.
const keepRows = 8

// keep returns a copy of a row.
func (k *keeper) keep(r row) *row {
	if len(k.bodies)+len(r.body) > cap(k.bodies) {
		k.bodies = make([]byte, 0, keepRows*len(r.body))
	}
	from := len(k.bodies)
	k.bodies = append(k.bodies, r.body...)
	r.body = k.bodies[from:len(k.bodies):len(k.bodies)]
	if len(k.rows) == cap(k.rows) {
		k.rows = make([]row, 0, keepRows)
	}
	k.rows = append(k.rows, r)
	return &k.rows[len(k.rows)-1]
}

// toMerge is a window that is to be merged, and when.
type toMerge struct{ window, due int64 }

// push adds a row.
func (t *target) push(p pace, r *row) {
	if t.rows = append(t.rows, r); len(t.rows) == 1 {
		t.seq, t.came = r.seq, r.came
	}
	t.bytes += len(r.body)
	t.expect(p, r)
	newer := r.at > t.last.at || r.at == t.last.at && r.seq >= t.last.seq
	if t.last.layout == nil || newer || t.last.at > r.came+durMs(jumpLeast) { // or that was a clock ahead of itself
		t.last, t.kept = *r, false
	}
}

// expect notes that the window of a row is to be merged once it has passed; one that
// has passed waits for more that comes late.
func (t *target) expect(p pace, r *row) {
	window := t.windowOf(r.at)
	due := window + windowMs + durMs(p.grace)
	if window+windowMs <= r.came {
		due = max(due, r.came+durMs(p.age))
	}
	if n := len(t.pending); n == 0 || t.pending[n-1].window != window {
		t.await(window, due)
	}
}

// await notes that a window is to be merged.
func (t *target) await(window, due int64) {
	t.thickened(window)
	t.mergeAt = min(t.mergeAt, due)
	for i := range t.pending {
		if w := &t.pending[i]; w.window == window {
			w.due = min(w.due, due)
			return
		}
	}
	t.pending = append(t.pending, toMerge{window, due})
}

// settled notes that a window is merged.
func (t *target) settled(window int64) {
	t.pending = slices.DeleteFunc(t.pending, func(w toMerge) bool { return w.window == window })
	t.mergeAt = math.MaxInt64
	for _, w := range t.pending {
		t.mergeAt = min(t.mergeAt, w.due)
	}
}

// awaits reports whether a window is still to be merged.
func (t *target) awaits(window int64) bool {
	return slices.ContainsFunc(t.pending, func(w toMerge) bool { return w.window == window })
}

// firstPending returns the start of the first window that is still to be merged.
func (t *target) firstPending() int64 {
	first := int64(math.MaxInt64)
	for _, w := range t.pending {
		first = min(first, w.window)
	}
	return first
}

// isLast reports whether a row is the newest by time.
func (t *target) isLast(r *row) bool { return r.seq == t.last.seq && r.at == t.last.at }

// Windows do not all end at once: each target has a phase. Until schema 7 that
// went by its name. Now neighbours in number have theirs in common: their blocks
// lie beside each other, and are written with the same pages.
const neighbours = 64

// phaseOf returns where the windows of a target begin, by its number.
func phaseOf(id uint32) int64 {
	const golden = 2654435769 // 2^32 divided by the golden ratio: what comes next lies far from what was
	return int64(uint64((id-1)/neighbours*golden) * uint64(windowMs) >> 32)
}

// phaseByName is the phase of targets from before schema 7, and of those that are
// imported before they are polled.
func phaseByName(name string) int64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int64(h.Sum32()) % windowMs
}

// windowOf returns the start of the window that holds ms.
func (t *target) windowOf(ms int64) int64 {
	off := (ms - t.phase) % windowMs
	if off < 0 {
		off += windowMs
	}
	return ms - off
}

func toMs(t time.Time) int64      { return t.UnixMilli() }
func fromMs(ms int64) time.Time   { return time.UnixMilli(ms).UTC() }
func durMs(d time.Duration) int64 { return d.Milliseconds() }

// targets holds every target by number (from 1) and name. The mutex guards
// the lists and what target says of itself.
type targets struct {
	mu       sync.RWMutex
	list     []*target
	byName   map[string]*target
	promised map[string]bool // names of targets to come whose phase goes by them
	unsaved  []*target

	newest Place  // up to where there are rows
	opened uint64 // the last batch when the store was opened: which of its rows are in blocks is not known
	rows   int    // in memory
	bytes  int64  // of their bodies
}

func (ts *targets) get(name string) *target {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.byName[name]
}

func (ts *targets) byID(id uint32) *target {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if id == 0 || int(id) > len(ts.list) {
		return nil
	}
	return ts.list[id-1]
}

func (ts *targets) all() []*target {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.list[:len(ts.list):len(ts.list)]
}

// intern returns the target of the name, new where it is not yet known.
func (ts *targets) intern(name string) *target {
	if t := ts.get(name); t != nil {
		return t
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.add(name, ts.promised[name])
	delete(ts.promised, name)
	ts.unsaved = append(ts.unsaved, t)
	return t
}

func (ts *targets) add(name string, byName bool) *target {
	t := &target{id: uint32(len(ts.list) + 1), name: name, byName: byName, mergeAt: math.MaxInt64}
	if t.phase = phaseOf(t.id); byName {
		t.phase = phaseByName(name)
	}
	if ts.byName == nil {
		ts.byName = make(map[string]*target)
	}
	ts.list, ts.byName[name] = append(ts.list, t), t
	return t
}

// phase returns where the windows of a target begin, which need not be known yet.
func (ts *targets) phase(name string) int64 {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byName[name]; t != nil {
		return t.phase
	}
	if ts.promised == nil {
		ts.promised = map[string]bool{}
	}
	ts.promised[name] = true
	return phaseByName(name)
}

// push adds the rows of a batch.
func (ts *targets) push(p pace, rows []walRow) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, r := range rows {
		ts.put(p, r.target, r.row)
	}
	ts.newest = Place{rows[0].row.seq, fromMs(rows[0].row.came)}
}

// put adds a copy of a row.
func (ts *targets) put(p pace, t *target, r *row) { ts.hold(p, t, t.keeper.keep(*r)) }

// hold adds a row itself.
func (ts *targets) hold(p pace, t *target, r *row) {
	t.push(p, r)
	ts.rows++
	ts.bytes += int64(len(r.body))
}

// putBefore adds rows, and no copies, of a target of which there are newer ones, by
// their batches.
func (ts *targets) putBefore(p pace, t *target, older []*row) {
	size := 0
	for _, r := range older {
		t.expect(p, r)
		size += len(r.body)
	}
	t.bytes += size
	ts.rows, ts.bytes = ts.rows+len(older), ts.bytes+int64(size)
	newer := t.rows
	t.rows = make([]*row, 0, len(older)+len(newer))
	for len(older) > 0 && len(newer) > 0 {
		from := &older
		if newer[0].seq < older[0].seq { // it lies in series.db
			from = &newer
		}
		t.rows, *from = append(t.rows, (*from)[0]), (*from)[1:]
	}
	if t.rows = append(append(t.rows, older...), newer...); len(t.rows) > 0 {
		t.seq, t.came = t.rows[0].seq, t.rows[0].came
	}
}

// dropRows lets go of the first n rows of a target.
func (ts *targets) dropRows(t *target, n int) {
	size := 0
	for _, r := range t.rows[:n] {
		size += len(r.body)
	}
	t.bytes -= size
	ts.rows, ts.bytes = ts.rows-n, ts.bytes-int64(size)
	// Those that hold the old ones read on. As many will come again.
	if t.rows = append(make([]*row, 0, cap(t.rows)), t.rows[n:]...); len(t.rows) > 0 {
		t.seq, t.came = t.rows[0].seq, t.rows[0].came
	}
}

// encodeTarget writes what series.db holds of a target: its name, and a zero where
// its phase goes by its number.
func encodeTarget(t *target) []byte {
	if t.byName {
		return []byte(t.name)
	}
	return append([]byte(t.name), 0)
}

func decodeTarget(b []byte) (name string, byName bool) {
	name, byNumber := strings.CutSuffix(string(b), "\x00")
	return name, !byNumber
}

// openRows returns the rows of t that are not yet in a block.
func (ts *targets) openRows(t *target) []*row {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return t.rows[:len(t.rows):len(t.rows)]
}

// openRows returns the rows of a target that are not yet in a block, once all of them
// are read.
func (s *Store) openRows(ctx context.Context, t *target) ([]*row, error) {
	if _, err := s.blocks(ctx); err != nil {
		return nil, err
	}
	return s.targets.openRows(t), nil
}

// allOpen returns the rows that are not yet in a block of every target, in the
// order of all.
func (ts *targets) allOpen() [][]*row {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	out := make([][]*row, len(ts.list))
	for i, t := range ts.list {
		out[i] = t.rows[:len(t.rows):len(t.rows)]
	}
	return out
}

// openParted returns the rows of t that are not yet in a block, and up to which
// batch rows may be in one.
func (ts *targets) openParted(t *target) (rows []*row, parted uint64) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return t.rows[:len(t.rows):len(t.rows)], max(t.parted, ts.opened)
}

// has reports whether keys are the slice that was last seen.
func (t *target) has(keys []fleet.SeriesKey) bool {
	return len(t.keys) == len(keys) && len(keys) > 0 && &t.keys[0] == &keys[0]
}

// layoutOf finds the layout of keys, by identity where it can.
func (s *Store) layoutOf(t *target, keys []fleet.SeriesKey) *layout {
	if t.has(keys) {
		return t.layout
	}
	t.keys, t.layout = keys, s.layouts.intern(keys)
	return t.layout
}
