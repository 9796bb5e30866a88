package store

import (
	"context"
	"encoding/binary"
	"os"
)

// Some of what a file says carries no sum of its own: bbolt's two meta pages,
// the number that the outbox has counted to, and the records that are keys
// only. What is lost or altered there shows in what it does not agree with.

var errNoMark = damaged("a mark that says more than its key")

// tornMetas returns the meta pages that are not whole. bbolt opens a file by
// the other one, which is that of the commit before: it says nothing, and the
// next commit covers it up. The writer writes no page meanwhile.
func (s *Store) tornMetas(ctx context.Context) (torn []Problem, err error) {
	blocks, err := s.blocks(ctx)
	if err != nil {
		return nil, err
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	for name, db := range map[string]*file{"state.db": s.state, "series.db": blocks} {
		if err := wholeMetas(db); err != nil {
			torn = append(torn, Problem{File: name, Where: "pages", Err: err})
		}
	}
	return torn, nil
}

func wholeMetas(db *file) error {
	f, err := os.Open(db.path)
	if err != nil {
		return err
	}
	defer f.Close()
	for n := range metaPages {
		var m [metaLen]byte
		if _, err := f.ReadAt(m[:], int64(n*db.db.Info().PageSize+metaOffset)); err != nil {
			return err
		}
		if !soundMeta(m[:]) {
			return damaged("meta page %d is not whole: the last commit may be missing", n)
		}
	}
	return nil
}

// counted checks that the outbox gives no number a second time.
func (v *verifier) counted() error {
	b := v.state.Bucket(bucketOutbox)
	if b == nil {
		return nil // said where its records are looked at
	}
	if k, _ := b.Cursor().Last(); len(k) == 8 && binary.BigEndian.Uint64(k) > b.Sequence() {
		return damaged("it holds number %d and has counted to %d", binary.BigEndian.Uint64(k), b.Sequence())
	}
	return nil
}

// awaited checks that somebody is to merge a part: its window is pending, or
// the parts of it are too many for one block.
func (v *verifier) awaited(part blockKey) error {
	if v.series.Bucket(bucketPending).Get(windowKey(part.target, part.window)) != nil {
		return nil
	}
	prefix := part.encode()[:blockKeyLen-8]
	rows := 0
	c := v.series.Bucket(bucketBlocks).Cursor()
	for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
		b, err := openStored(k, raw)
		if err != nil {
			return err
		}
		rows += b.rows
	}
	if rows > maxInts {
		return nil
	}
	return damaged("a part of a window that nobody is to merge")
}

// pending checks that a window that is to be merged has blocks.
func (v *verifier) pending(k, raw []byte) error {
	if len(raw) > 0 {
		return errNoMark
	}
	if len(k) != 12 || binary.BigEndian.Uint32(k) == 0 || binary.BigEndian.Uint32(k) > v.targets {
		return damaged("a window of an unknown target")
	}
	if b, _ := v.series.Bucket(bucketBlocks).Cursor().Seek(k); !hasPrefix(b, k) {
		return damaged("a window without blocks")
	}
	return nil
}
