package fleet

import (
	"errors"
	"fmt"
)

// State is the health of a thing. There are exactly five; maintenance and
// drift are marks beside a state, never states.
type State uint8

// The zero State is unknown, so that what nobody looked at is never healthy.
const (
	StateUnknown State = iota
	StateOK
	StateWarn
	StateCrit
	StateOff
	NumStates = iota
)

var stateWords = [NumStates]string{"unknown", "ok", "warn", "crit", "off"}

// rollUp orders states for a parent: crit > warn > unknown > ok > off.
var rollUp = [NumStates]uint8{StateOff: 0, StateOK: 1, StateUnknown: 2, StateWarn: 3, StateCrit: 4}

func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return "unknown"
}

// MarshalText writes the state's word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's word.
func (s *State) UnmarshalText(b []byte) error { return word(stateWords[:], b, s, "state") }

// Worse reports whether s outranks t in a roll-up.
func (s State) Worse(t State) bool { return rollUp[s] > rollUp[t] }

// Worst returns the state that outranks the other in a roll-up.
func Worst(a, b State) State {
	if b.Worse(a) {
		return b
	}
	return a
}

// Severity grades a finding, an alert or an event.
type Severity uint8

// Severities, least first. The zero value is info.
const (
	SeverityInfo Severity = iota
	SeverityWarn
	SeverityCrit
)

var severityWords = [...]string{"info", "warn", "crit"}

func (s Severity) String() string { return severityWords[min(int(s), len(severityWords)-1)] }

// MarshalText writes the severity's word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's word.
func (s *Severity) UnmarshalText(b []byte) error { return word(severityWords[:], b, s, "severity") }

// Power is whether a machine runs. The zero value is unknown.
type Power uint8

// Power states of a server.
const (
	PowerUnknown Power = iota
	PowerOn
	PowerOff
)

var powerWords = [...]string{"unknown", "on", "off"}

func (p Power) String() string { return powerWords[min(int(p), len(powerWords)-1)] }

// MarshalText writes the power state's word.
func (p Power) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the power state's word.
func (p *Power) UnmarshalText(b []byte) error { return word(powerWords[:], b, p, "power state") }

// Role is what a user may do; each role includes the ones before it.
type Role uint8

// Roles. The zero value may do nothing at all, not even look.
const (
	RoleNone     Role = iota
	RoleWall          // looks at the wall
	RoleViewer        // looks at everything
	RoleOperator      // acts: danger 1 and 2, danger 3 with a second person
	RoleAdmin         // users, policies, approvals
)

var roleWords = [...]string{"none", "wall", "viewer", "operator", "admin"}

func (r Role) String() string { return roleWords[min(int(r), len(roleWords)-1)] }

// MarshalText writes the role's word.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role's word.
func (r *Role) UnmarshalText(b []byte) error { return word(roleWords[:], b, r, "role") }

// ErrWord says that a word is not one of the known ones.
var ErrWord = errors.New("unknown word")

// word sets *to to the place of b in words.
func word[T ~uint8](words []string, b []byte, to *T, what string) error {
	for i, w := range words {
		if w == string(b) {
			*to = T(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %q is not a %s", ErrWord, Clean(string(b), 40), what)
}
