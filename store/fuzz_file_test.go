package store

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Bounds of what it takes to say what is wrong with a store of less than a
// megabyte.
const (
	fuzzMemory = 64 << 20
	fuzzTime   = 20 * time.Second
)

// edit is one change of a file: where, and what is turned over there.
func edit(at uint32, b byte) []byte { return append(binary.BigEndian.AppendUint32(nil, at), b) }

// FuzzFile changes some bytes of a whole file, puts the sums of its meta pages
// right, so that they may say anything, and cuts it. Whoever opens, verifies or
// examines the store then says what he finds, soon, in bounded memory, and does
// not panic.
func FuzzFile(f *testing.F) {
	from := f.TempDir()
	fillEveryBucket(f, from)
	fillBranches(f, from)
	for _, series := range []bool{false, true} {
		f.Add(series, uint32(0), []byte(nil))
		f.Add(series, uint32(5000), edit(3*uint32(os.Getpagesize())+10, 1))
		for at := uint32(0); at < metaLen; at += 8 { // a field of either meta page, and of both
			one, other := edit(metaOffset+at, 0xff), edit(uint32(os.Getpagesize())+metaOffset+at, 0xff)
			f.Add(series, uint32(0), one)
			f.Add(series, uint32(0), other)
			f.Add(series, uint32(0), append(one, other...))
		}
	}
	f.Fuzz(func(t *testing.T, series bool, cut uint32, edits []byte) {
		dir := t.TempDir()
		copyStore(t, from, dir)
		path := filepath.Join(dir, "state.db")
		if series {
			path = filepath.Join(dir, "series.db")
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, mutate(b, cut, edits))
		ctx, cancel := context.WithTimeout(t.Context(), fuzzTime)
		defer cancel()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		lookAt(ctx, dir)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > fuzzMemory {
			t.Errorf("%d bytes were allocated", n)
		}
		if ctx.Err() != nil {
			t.Error("it takes too long")
		}
	})
}

func mutate(b []byte, cut uint32, edits []byte) []byte {
	for ; len(edits) >= 5; edits = edits[5:] {
		b[int(binary.BigEndian.Uint32(edits))%len(b)] ^= edits[4]
	}
	for page := range metaPages {
		m := b[page*os.Getpagesize()+metaOffset:][:metaLen]
		binary.LittleEndian.PutUint64(m[56:], fnv64(m[:56]))
	}
	return b[:len(b)-int(cut)%len(b)]
}

// lookAt does to a store all that can be done to one that may be damaged.
// Errors are welcome.
func lookAt(ctx context.Context, dir string) {
	cfg := testConfig(dir)
	_, _ = Examine(ctx, dir)
	s, err := Open(ctx, cfg)
	if err != nil {
		return
	}
	defer s.Close()
	if _, err := s.blocks(ctx); err == nil {
		_, _ = s.Verify(ctx)
		_, _ = s.At(ctx, day0.Add(time.Hour))
		_, _ = s.Series(ctx, "server-one", gauge, day0, day0.Add(6*time.Hour), 5*time.Minute)
	}
	_, _ = s.Memory(ctx)
}
