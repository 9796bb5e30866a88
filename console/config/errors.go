package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// ErrInvalid is what every error of this package about the text of a
// configuration wraps.
var ErrInvalid = errors.New("configuration not valid")

// maxErrors is how many mistakes are collected before the rest is only counted.
const maxErrors = 50

// place is where something stands in a file; line and column count from 1.
type place struct {
	file         string
	line, column int
}

func (p place) String() string { return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.column) }

// Error is one mistake.
type Error struct {
	File         string
	Line, Column int
	What, Why    string
	Hint         string // what to do; may be empty
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.What, e.Why)
	if e.Hint != "" {
		s += "\n  hint: " + e.Hint
	}
	return s
}

// Unwrap returns ErrInvalid.
func (e *Error) Unwrap() error { return ErrInvalid }

// Errors are the mistakes of a configuration in the order of the files.
type Errors struct {
	List []*Error
	More int // that were found and not kept
}

func (e *Errors) Error() string {
	lines := make([]string, 0, len(e.List)+1)
	for _, x := range e.List {
		lines = append(lines, x.Error())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each mistake.
func (e *Errors) Unwrap() []error {
	list := make([]error, len(e.List))
	for i, x := range e.List {
		list[i] = x
	}
	return list
}

// add keeps a mistake; text from the file must not reach what, why or hint
// except through quote.
func (e *Errors) add(at place, what, why, hint string) {
	if len(e.List) >= maxErrors {
		e.More++
		return
	}
	e.List = append(e.List, &Error{File: at.file, Line: at.line, Column: at.column, What: what, Why: why, Hint: hint})
}

// full reports whether further mistakes are only counted, so that nobody looks
// for good advice that nobody will read.
func (e *Errors) full() bool { return len(e.List) >= maxErrors }

// err returns the errors sorted by place within each file, or nil.
func (e *Errors) err(files []string) error {
	if len(e.List) == 0 {
		return nil
	}
	slices.SortStableFunc(e.List, func(a, b *Error) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
		)
	})
	return e
}

// quote shows text from a file: short, clean and in backquotes.
func quote(s string) string {
	if clean := fleet.Clean(s, 60); clean != s {
		return "`" + clean + "…`"
	}
	return "`" + s + "`"
}
