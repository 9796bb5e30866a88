package widget

// Hint is a key with its word.
type Hint struct{ Key, Word string }

// Hints draws hints from the left as long as they fit and returns the column
// after the last; they come in the order of their weight.
func Hints(c Canvas, y int, hints []Hint) int {
	x := 1
	for _, h := range hints {
		need := Width(h.Key) + 1 + Width(h.Word)
		if x+need > c.W {
			continue
		}
		x = c.Text(x, y, h.Key, Key)
		x = c.Text(x+1, y, h.Word, Dim) + 2
	}
	return x
}
