package store

import (
	"hash/fnv"
	"sync"
	"time"

	"plumb/fleet"
)

// A target is known to series.db by a number. Its newest rows, those that are
// not yet in a part, lie here in the encoding of the write-ahead values.
type target struct {
	id    uint32
	name  string
	phase int64 // ms: where its windows begin, so that not all end at once

	// The slice of keys that was last seen, with its layout. It is held so
	// that the address of its first element cannot be used again. Writer only.
	keys   []fleet.SeriesKey
	layout *layout
	pass   int     // of the clock, in which its newest row was committed; writer only
	thin   thinned // writer only

	// The rest is guarded by targets.mu; only the writer changes it.
	rows    []row   // in order of commit; replaced, never written in place
	pending []int64 // starts of windows that have parts to merge
	last    row     // the newest by time
	parted  uint64  // no row of a later batch is in a part
}

// row is one poll in memory.
type row struct {
	seq    uint64
	at     int64 // Unix milliseconds
	came   int64 // when it was committed or read back, Unix milliseconds
	layout *layout
	body   []byte
}

// push adds a row.
func (t *target) push(r row) {
	t.rows = append(t.rows, r)
	if t.last.layout == nil || r.at >= t.last.at || t.last.at > r.came+durMs(jumpLeast) { // or that was a clock ahead of itself
		t.last = r
	}
}

// isLast reports whether a row is the newest by time.
func (t *target) isLast(r row) bool { return r.seq == t.last.seq && r.at == t.last.at }

func phaseOf(name string) int64 {
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
	mu      sync.RWMutex
	list    []*target
	byName  map[string]*target
	unsaved []*target

	newest Place  // up to where there are rows
	opened uint64 // the last batch when the store was opened: which of its rows are in parts is not known
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
	t := ts.add(name)
	ts.unsaved = append(ts.unsaved, t)
	return t
}

func (ts *targets) add(name string) *target {
	t := &target{id: uint32(len(ts.list) + 1), name: name, phase: phaseOf(name)}
	if ts.byName == nil {
		ts.byName = make(map[string]*target)
	}
	ts.list, ts.byName[name] = append(ts.list, t), t
	return t
}

// openRows returns the rows of t that are not yet in a part.
func (ts *targets) openRows(t *target) []row {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return t.rows[:len(t.rows):len(t.rows)]
}

// allOpen returns the rows that are not yet in a part of every target, in the
// order of all.
func (ts *targets) allOpen() [][]row {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	out := make([][]row, len(ts.list))
	for i, t := range ts.list {
		out[i] = t.rows[:len(t.rows):len(t.rows)]
	}
	return out
}

// openParted returns the rows of t that are not yet in a part, and up to which
// batch rows may be in one.
func (ts *targets) openParted(t *target) (rows []row, parted uint64) {
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
