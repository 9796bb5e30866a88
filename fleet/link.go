package fleet

import "time"

// LinkSource says where a relation comes from.
type LinkSource string

// Sources of links. An intended link that observation contradicts stays
// intended; what was seen instead stands beside it as observed.
const (
	Intended LinkSource = "intended"
	Observed LinkSource = "observed"
	Both     LinkSource = "both"
)

// Link is one relation between two things, by their ids.
type Link struct {
	From     string     `json:"from"`
	To       string     `json:"to"`
	Kind     string     `json:"kind"` // data power mount host serves
	Source   LinkSource `json:"source"`
	Evidence string     `json:"evidence"` // inventory, lldp, fdb, cloud; joined by +
	Since    *time.Time `json:"since"`    // null where not known
	State    State      `json:"state"`
}
