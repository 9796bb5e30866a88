package store

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"plumb/fleet"
)

// A layout is the list of series that a poll holds, in order. Polls and blocks
// name it by number. It is found by its content, so that four hundred servers
// of one model share a few, and by the identity of the slice the engine shares
// between polls, so that the content is looked at only when it changes.
type layout struct {
	id    uint32
	keys  []fleet.SeriesKey
	once  sync.Once
	index map[fleet.SeriesKey]int
}

// maxColumns bounds the series of one target.
const maxColumns = 1 << 16

// column returns the place of a series, or -1.
func (l *layout) column(k fleet.SeriesKey) int {
	l.once.Do(func() {
		l.index = make(map[fleet.SeriesKey]int, len(l.keys))
		for i, k := range l.keys {
			l.index[k] = i
		}
	})
	if i, ok := l.index[k]; ok {
		return i
	}
	return -1
}

func encodeLayout(keys []fleet.SeriesKey) []byte {
	b := binary.AppendUvarint(nil, uint64(len(keys)))
	for _, k := range keys {
		b = append(b, byte(k.Table), byte(k.Field))
		b = binary.AppendUvarint(b, uint64(len(k.Row)))
		b = append(b, k.Row...)
	}
	return b
}

func decodeLayout(b []byte) ([]fleet.SeriesKey, error) {
	n, b, err := readUvarint(b)
	if err != nil {
		return nil, err
	}
	if n > maxColumns || n > uint64(len(b)) {
		return nil, damaged("a layout of %d series in %d bytes", n, len(b))
	}
	keys := make([]fleet.SeriesKey, 0, n)
	for range n {
		if len(b) < 2 || b[0] >= fleet.NumTables || b[1] >= byte(fleet.FieldCounter)+fleet.NumCounters {
			return nil, damaged("a series of an unknown table or field")
		}
		k := fleet.SeriesKey{Table: fleet.TableID(b[0]), Field: fleet.SeriesField(b[1])}
		var size uint64
		if size, b, err = readUvarint(b[2:]); err != nil {
			return nil, err
		}
		if size > uint64(len(b)) {
			return nil, damaged("a series name of %d bytes", size)
		}
		k.Row, b = string(b[:size]), b[size:]
		keys = append(keys, k)
	}
	if len(b) != 0 {
		return nil, damaged("%d bytes follow a layout", len(b))
	}
	return keys, nil
}

// layouts holds every layout by number and by content. Numbers start at 1. The
// mutex guards all of it; only the writer adds.
type layouts struct {
	mu      sync.RWMutex
	list    []*layout
	byHash  map[[32]byte]*layout
	unsaved []*layout // added, and not yet in a commit
}

func (ls *layouts) get(id uint32) *layout {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	if id == 0 || int(id) > len(ls.list) {
		return nil
	}
	return ls.list[id-1]
}

func (ls *layouts) all() []*layout {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ls.list[:len(ls.list):len(ls.list)]
}

// intern returns the layout of keys. It copies what it keeps.
func (ls *layouts) intern(keys []fleet.SeriesKey) *layout {
	hash := sha256.Sum256(encodeLayout(keys))
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.byHash[hash]; l != nil {
		return l
	}
	l := ls.add(hash, append([]fleet.SeriesKey(nil), keys...))
	ls.unsaved = append(ls.unsaved, l)
	return l
}

func (ls *layouts) add(hash [32]byte, keys []fleet.SeriesKey) *layout {
	l := &layout{id: uint32(len(ls.list) + 1), keys: keys}
	if ls.byHash == nil {
		ls.byHash = make(map[[32]byte]*layout)
	}
	ls.list, ls.byHash[hash] = append(ls.list, l), l
	return l
}

// keysOK reports whether keys can be kept as a layout.
func keysOK(keys []fleet.SeriesKey) bool {
	if len(keys) == 0 || len(keys) > maxColumns {
		return false
	}
	for _, k := range keys {
		if len(k.Row) > maxName || k.Table >= fleet.NumTables || k.Field >= fleet.FieldCounter+fleet.SeriesField(fleet.NumCounters) {
			return false
		}
	}
	return true
}
