package store

import (
	"errors"
	"fmt"
)

// holes gathers what could not be read of something that is of use without it:
// one damaged block must not take a chart along.
type holes struct {
	n     int
	first error
}

// pass takes an error of damage, which is of what, and passes on every other.
func (h *holes) pass(err error, what func() string) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if h.n++; h.n == 1 {
		h.first = fmt.Errorf("%s: %w", what(), err)
	}
	return nil
}

// err says what could not be read, and wraps ErrDamaged; nil: nothing.
func (h *holes) err() error {
	if h.n > 1 {
		return fmt.Errorf("%w; and %d more", h.first, h.n-1)
	}
	return h.first
}
