package main

import (
	"os"
	"runtime/debug"
)

// A start reads a configuration and what the store remembers, and keeps most of
// what it makes: collecting often then is work for nothing, a fifth of what it
// takes to load 10,000 devices. Once everything runs, the heap is what the fleet
// needs and little more. Who sets GOGC or GOMEMLIMIT is obeyed. There is no
// limit of our own: one too low for a fleet would spend its processor on
// collecting, and nobody would see why.
const (
	startGC  = 400 // percent of the live heap
	steadyGC = 100
)

// collect sets how much the heap may grow between two collections.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
