package export

import (
	"time"

	"plumb/fleet"
)

// Cause is a part that explains what is wrong, with how that is known.
type Cause struct {
	Part       string           `json:"part"`
	Kind       string           `json:"kind"`
	State      fleet.State      `json:"state"`
	Share      fleet.Num        `json:"share"`    // of all current symptoms, 0 to 1
	Explains   []string         `json:"explains"` // ids
	Since      *time.Time       `json:"since"`    // null: not known
	Confidence fleet.Confidence `json:"confidence"`
	Evidence   []string         `json:"evidence"`
	Also       []string         `json:"also"` // ids of what else it takes, or leaves on its last path
}

// NewCause fills in what needs a form of its own.
func NewCause(part, kind string, share float64, since time.Time) Cause {
	return Cause{Part: part, Kind: kind, Share: fleet.FromFloat(share, 3), Since: when(since)}
}
