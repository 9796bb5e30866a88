package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// streams are where a command writes.
type streams struct{ out, err io.Writer }

// hinted is an error that knows what to do about it.
type hinted struct {
	err  error
	hint string
	code int
}

func (h *hinted) Error() string { return h.err.Error() }

func (h *hinted) Unwrap() error { return h.err }

func hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err: err, hint: fmt.Sprintf(format, args...), code: 1}
}

// usage is an error of whoever typed: exit code 3.
func usage(err error, format string, args ...any) error {
	return &hinted{err: err, hint: fmt.Sprintf(format, args...), code: 3}
}

// unsound is what is wrong with files that somebody wrote: exit code 3.
func unsound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usage(err, "name a file that is there")
	}
	return usage(err, "mend the places named above")
}

// coded ends the process with a code and no further word.
type coded int

func (c coded) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// report prints an error once, here, and returns the exit code.
func report(err error, stderr io.Writer) int {
	var code coded
	var h *hinted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "plumb: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	if errors.As(err, &h) {
		return h.code
	}
	return 1
}

// hintOf says what to do about an error: what the disk and the system say goes
// first, since no other advice helps there; then what the error itself knows,
// then what its caller knew.
func hintOf(err error) string {
	var own interface{ Hint() string }
	var h *hinted
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on that disk, or choose another directory with --db or store.dir"
	case errors.Is(err, syscall.EROFS), errors.Is(err, os.ErrPermission):
		return "choose a directory and addresses that this user may use"
	case errors.As(err, &own) && own.Hint() != "":
		return own.Hint()
	case errors.As(err, &h):
		return h.hint
	}
	return ""
}
