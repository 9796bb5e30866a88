package fleet

import "time"

// Crossing is a pair of outlets of a PDU, A below B, of which each gives what the
// other one's power supply draws, or did and no longer does.
type Crossing struct {
	A, B  int
	Meant [2]string // the supplies that the inventory has on them: "s03 PSU 1"
	Sure  bool      // that they are crossed; else, that they no longer are
	Since time.Time // that this is known
}

// CordPast is what a PDU's outlets gave over the last hours and what the supplies
// drew that are meant to hang on them. It never changes once it is in a snapshot.
type CordPast struct {
	Began time.Time // of the hour under way
	Looks int       // polls in it
	Lines []CordLine
}

// CordLine is one outlet with its supply. All lines of a PDU have the same number of
// hours, but for those that came later.
type CordLine struct {
	Outlet int
	Supply string // "s03 PSU 1"
	Now    CordSum
	Hours  []CordHour // that are over, the last one last
}

// CordSum adds up an hour's polls, in W.
type CordSum struct {
	Looks        int
	Gives, Draws float64
	Gave, Drew   float64 // by the last poll
	Stir         float64 // the squares of what either moved by from one poll to the next
}

// CordHour is an hour's means, in W, and the variance of both from poll to poll, in
// W². Gives is 0 where too little was seen.
type CordHour struct {
	Gives, Draws, Stir float32
}
