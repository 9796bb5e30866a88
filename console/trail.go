package console

import (
	"time"

	"plumb/views"
)

// place is a view as it was left: views are values, so that going back finds
// sort, filter, columns and caret as they were. So it does the time.
type place struct {
	view views.View
	at   time.Time // the past it shows; zero: live
}

// trail is where a person has been. The zero trail is empty; a session opens
// its first view before anything else.
type trail struct {
	places []place
	pos    int
	last   int // where the person was before; -1: nowhere
}

const maxTrail = 200

// here returns the place on screen. It may be changed in place.
func (t *trail) here() *place { return &t.places[t.pos] }

// open goes on to a new place; what lay ahead is forgotten.
func (t *trail) open(p place) {
	if len(t.places) == 0 {
		t.places, t.pos, t.last = []place{p}, 0, -1
		return
	}
	t.last = t.pos
	t.places = append(t.places[:t.pos+1], p)
	if drop := len(t.places) - maxTrail; drop > 0 {
		t.places = append(t.places[:0], t.places[drop:]...)
		t.last = max(t.last-drop, 0)
	}
	t.pos = len(t.places) - 1
}

// step goes n places on, or back where n is below zero; false: there is none.
func (t *trail) step(n int) bool {
	to := t.pos + n
	if to < 0 || to >= len(t.places) {
		return false
	}
	t.last, t.pos = t.pos, to
	return true
}

// drop leaves a place for good: going on does not come back to it.
func (t *trail) drop() bool {
	if !t.step(-1) {
		return false
	}
	t.places = t.places[:t.pos+1]
	t.last = -1
	return true
}

// swap goes to where the person was before, and the next time back again.
func (t *trail) swap() bool {
	if t.last < 0 || t.last >= len(t.places) || t.last == t.pos {
		return false
	}
	t.last, t.pos = t.pos, t.last
	return true
}
