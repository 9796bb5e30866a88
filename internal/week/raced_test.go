//go:build race

package week_test

// raced: the race detector looks on, which makes a day as dear as a week.
const raced = true
