//go:build race

package remedy

// raced: the race detector looks on, which makes a round ten times as dear.
const raced = true
