package store

import (
	"errors"
	"fmt"
)

// Errors when opening.
var (
	ErrInUse   = errors.New("in use by another process")
	ErrForeign = errors.New("not a plumb store")
	ErrDamaged = errors.New("damaged")
	ErrSchema  = errors.New("made by a newer plumb")
	ErrOlder   = errors.New("made by an older plumb") // and is to be read only as it is
)

// Errors while running.
var (
	ErrStopped = errors.New("the store has stopped")
	ErrRunning = errors.New("the store is already running")
	ErrExists  = errors.New("there is a store already")
)

// ErrReadings says that everything was kept but readings. It wraps what the
// system said of the disk.
var ErrReadings = errors.New("readings are not kept")

// InUseError says which process holds the store.
type InUseError struct {
	Dir string
	PID int // 0 where it cannot be told
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("open store %s: in use by another process", e.Dir)
	}
	return fmt.Sprintf("open store %s: in use by pid %d", e.Dir, e.PID)
}

func (e *InUseError) Unwrap() error { return ErrInUse }

// Hint says what to do about it.
func (e *InUseError) Hint() string { return "stop that process, or choose another directory with --db" }

// FileError says what is wrong with one file of the store. Err wraps
// ErrForeign, ErrDamaged, ErrSchema, or what the system said.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("open store: %s: %v", e.Path, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *FileError) Hint() string {
	switch {
	case errors.Is(e.Err, ErrForeign):
		return "choose another directory with --db; this file is left as it is"
	case errors.Is(e.Err, ErrDamaged):
		return "plumb verify --db DIR says what is lost and what still reads; then move the directory away and restore a backup into its place"
	case errors.Is(e.Err, ErrOlder):
		return "start this plumb on it once, which brings it up to date: plumb compact --db does no more than that"
	case errors.Is(e.Err, ErrSchema):
		return "run the plumb that wrote it, or a newer one"
	}
	return ""
}

// damaged wraps ErrDamaged with what was found.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}
