package views

import "plumb/keys"

// list is a caret on rows that are known by id. When the rows change under it
// the caret stays on its row; when the row is gone it stays where it was.
type list struct {
	id string
	at int
}

// rows is what a list moves over.
type rows struct {
	n  int
	id func(int) string
}

// index returns the row of the caret, -1 where there are no rows.
func (l list) index(r rows) int {
	if r.n == 0 {
		return -1
	}
	if l.id == "" {
		return min(max(l.at, 0), r.n-1)
	}
	if l.at >= 0 && l.at < r.n && r.id(l.at) == l.id {
		return l.at
	}
	for i := range r.n {
		if r.id(i) == l.id {
			return i
		}
	}
	return min(max(l.at, 0), r.n-1)
}

// to returns the list with its caret on row i.
func (l list) to(i int, r rows) list {
	if r.n == 0 {
		return list{}
	}
	i = min(max(i, 0), r.n-1)
	return list{id: r.id(i), at: i}
}

// selected returns the id of the caret's row, or "".
func (l list) selected(r rows) string {
	if i := l.index(r); i >= 0 {
		return r.id(i)
	}
	return ""
}

// move returns the list after a command of moving, and whether it was one.
func (l list) move(c keys.Command, r rows, page int) (list, bool) {
	i := l.index(r)
	switch c.ID {
	case "move.up":
		i--
	case "move.down":
		i++
	case "move.page-up":
		i -= max(1, page-1)
	case "move.page-down":
		i += max(1, page-1)
	case "move.first":
		i = 0
	case "move.last":
		i = r.n - 1
	default:
		return l, false
	}
	return l.to(i, r), true
}

// page is how many rows a table shows, for paging; the exact number only says
// how far a page key goes.
func page(f Frame) int { return max(3, f.Height-8) }

// scrolled is the first line that is shown of a text after a command, so that
// its last line stays on the screen.
func scrolled(f Frame, c keys.Command, at, last int) int {
	switch c.ID {
	case "move.up":
		at--
	case "move.down":
		at++
	case "move.page-up":
		at -= page(f) - 1
	case "move.page-down":
		at += page(f) - 1
	case "move.first":
		at = 0
	case "move.last":
		at = last
	}
	return min(max(at, 0), last)
}
