package fleet

import "time"

// Memory is what the store remembers at start: the engine makes the first
// snapshot from it and the inventory, so that a restart shows yesterday at
// once, marked with its age.
type Memory struct {
	Version  uint64
	At       time.Time
	Latest   []Change   // the newest of each row, by target
	Readings []Readings // the newest of each target
	Recent   []Event    // newest first, at most MaxRecent
	Jobs     []Job      // open ones, newest first
}
