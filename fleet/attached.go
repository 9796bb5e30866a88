package fleet

// Attached is what the switches at the other ends of a device's cables show of
// it. It is never written after it was made.
type Attached struct {
	BMC   Sighting
	Ports []Membership // one a cable; nil where no policy asks for them
}

// Sighting is where an address was learned.
type Sighting struct {
	Switch, Port string // the switch's id and ifName; empty: it is seen nowhere near
	VLAN         int    // 0 where not known
}

// Membership is the VLANs of the port that a cable of a device leads to.
type Membership struct {
	NIC          string
	Management   bool   // the cable is its BMC's
	Switch, Port string // the switch's id and ifName
	Known        bool
	VLANs        []int // in ascending order, tagged and untagged alike
}
