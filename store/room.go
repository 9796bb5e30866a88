package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Disks fill up, mostly with other people's files. Two things make that a
// nuisance rather than a loss.
//
// A ballast lies beside the files: bytes that are truly allocated and mean
// nothing. It is thrown off when state.db can no longer be written, so that
// facts, events, jobs and the audit chain go on for the hours in which people
// make room. It is made only where the disk has room for it several times over
// and made again when there is room again.
//
// And readings, which are nearly all of what is written, give way first: they
// pause when a commit of series.db fails, and before that when less than low
// is free. See unkept.go for what happens then.
//
// bbolt makes a file longer without allocating what it adds, so a full disk
// shows when pages are written or synced, in the middle of a commit. bbolt then
// keeps the old meta page and finds its free pages again by walking the whole
// file: right, but dear. So a commit that failed is not tried again at once.
type room struct {
	path string                // of the ballast
	size int64                 // what the ballast takes; 0: none is wanted
	low  int64                 // free bytes below which readings pause
	ask  func() (int64, error) // free bytes for this process

	free    atomic.Int64 // at the last look; -1: not known
	ballast atomic.Bool  // it is there
	thrown  atomic.Bool  // it was thrown off, and has not been made again

	looked time.Duration // when, by the steady clock; writer only
	making sync.WaitGroup
	busy   atomic.Bool // making it
}

const (
	lowWater    = 16 << 20
	roomFactor  = 4 // of the ballast must be free for it to be made
	ballastName = "ballast"
	openLeast   = 1 << 20
	lookEvery   = time.Second
)

// openRoom finds out how things stand. A ballast that was cut short, or was
// meant to be of another size, is made anew.
func openRoom(cfg Config) *room {
	r := &room{path: filepath.Join(cfg.Dir, ballastName), size: max(cfg.Ballast, 0), low: lowWater, ask: func() (int64, error) { return freeBytes(cfg.Dir) }}
	r.free.Store(-1)
	r.looked = -lookEvery
	info, err := os.Lstat(r.path)
	switch {
	case err != nil:
	case r.size > 0 && info.Size() == r.size && info.Mode().IsRegular():
		r.ballast.Store(true)
	case info.Mode().IsRegular():
		os.Remove(r.path)
	}
	return r
}

// look asks the system for the free bytes, at most once a second, and makes the
// ballast where there is room for it.
func (r *room) look(mono time.Duration) {
	if mono-r.looked < lookEvery {
		return
	}
	r.looked = mono
	free, err := r.ask()
	if err != nil {
		free = -1 // then only a commit that fails can tell
	}
	r.free.Store(free)
	if r.size > 0 && !r.ballast.Load() && free >= roomFactor*r.size && r.busy.CompareAndSwap(false, true) {
		r.making.Go(func() { // where blocks must be written one by one, the writer does not wait
			defer r.busy.Store(false)
			r.make()
		})
	}
}

// scarce reports whether less is free than readings may use.
func (r *room) scarce() bool {
	free := r.free.Load()
	return free >= 0 && free < r.low
}

// ample reports whether readings may be tried again: well above the mark at
// which they stop, and not out of the room that the ballast has just left.
func (r *room) ample() bool {
	free, want := r.free.Load(), 2*r.low
	if r.thrown.Load() {
		want += r.size
	}
	return free < 0 || free >= want
}

// make writes the ballast under another name first: a part of it is none.
func (r *room) make() {
	part := r.path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	if err = allocate(f, r.size); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, r.path)
	}
	if err != nil {
		os.Remove(part) // there is less room than it seemed; the next look tries again
		return
	}
	r.ballast.Store(true)
	r.thrown.Store(false)
}

// release throws the ballast off and reports whether there was one.
func (r *room) release() bool {
	r.making.Wait()
	r.ballast.Store(false)
	err := os.Remove(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = os.Truncate(r.path, 0)
	}
	if err == nil {
		r.thrown.Store(true)
	}
	return err == nil
}

// makeWay throws the ballast off where a store would not even open: that
// writes a few pages.
func (r *room) makeWay() {
	if free, err := r.ask(); err == nil && free < openLeast && r.ballast.Load() {
		r.release()
	}
}

// fill writes zeros where the system cannot allocate by itself.
func fill(f *os.File, size int64) error {
	for size > 0 {
		n, err := f.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

// full are the system's words for a disk, or our share of it, that is full. The
// last is the limit on the size of one file: for us it is the same.
var full = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

var zeros [64 << 10]byte

// named gives an error of a commit its system's number back: of a file that
// could not be made longer bbolt passes on the text only.
func named(err error) error {
	var no syscall.Errno
	if err == nil || errors.As(err, &no) {
		return err
	}
	for _, no := range append(full, syscall.EIO, syscall.EROFS) {
		if strings.HasSuffix(err.Error(), no.Error()) {
			return fmt.Errorf("%w (%v)", no, err)
		}
	}
	return err
}

// ofDisk reports whether an error is the system's: about the disk, and not about
// what was to be written to it.
func ofDisk(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no)
}

func noRoom(err error) bool {
	for _, no := range full {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
