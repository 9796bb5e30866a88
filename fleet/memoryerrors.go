package fleet

import "time"

// MemoryError says what a record of an event log says of memory.
type MemoryError string

// What IPMI 2.0 table 42-3 has of sensor type 0Ch that counts.
const (
	MemoryCorrected   MemoryError = "corrected"   // offset 00h: correctable ECC, or another correctable error
	MemoryUncorrected MemoryError = "uncorrected" // offset 01h
	MemoryLimit       MemoryError = "limit"       // offset 05h: so many that the machine logs no more of them
)

// MemoryEvent is a record of an event log that tells of a memory error. Epoch,
// when the log was last erased, and Record name the record on its machine, so
// that a log that is read again is counted once.
type MemoryEvent struct {
	Error  MemoryError `json:"error"`
	Module string      `json:"module,omitempty"` // "module 3", where the record names it
	Epoch  uint32      `json:"epoch"`
	Record uint16      `json:"record"`
	Timed  bool        `json:"timed"` // the record has a time of its own
}

// MemoryErrors are the memory errors that a machine's event log told of within
// the last week, by module. Like all of a snapshot they are never written.
type MemoryErrors struct {
	// Epoch and Record name the last record that was counted, and At is the newest
	// time of one.
	Epoch   uint32         `json:"epoch"`
	Record  uint16         `json:"record"`
	At      time.Time      `json:"at"`
	Modules []MemoryModule `json:"modules,omitempty"` // by name
}

// MemoryModule is what one module, or a sensor that stands for several, showed.
type MemoryModule struct {
	Name    string       `json:"name"`
	Hours   []MemoryHour `json:"hours"`             // oldest first; hours without any are left out
	Limit   time.Time    `json:"limit,omitzero"`    // when its logging limit was last reached
	Last    time.Time    `json:"last"`              // of the newest record
	Records []string     `json:"records,omitempty"` // the newest, in words, oldest first
}

// MemoryHour counts one hour.
type MemoryHour struct {
	Hour        int64 `json:"hour"` // since 1970
	Corrected   int   `json:"corrected,omitempty"`
	Uncorrected int   `json:"uncorrected,omitempty"`
}

// MemoryErrorsFor is how long memory errors are remembered.
const MemoryErrorsFor = 7 * 24 * time.Hour
