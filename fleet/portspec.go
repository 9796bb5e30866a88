package fleet

import "strings"

// PortSpec is what is intended of a port, or of all ports whose names are like
// a pattern. What is not said is 0, "" or nil.
type PortSpec struct {
	Name  string // ifName, or a pattern: see Like
	VLAN  int    // the access VLAN
	Admin string // up or down
	// Alias is the description (ifAlias). FarDevice and FarPort in it stand for
	// what is intended to hang on the port; where nothing is, nothing is said.
	Alias *string
}

// PortPolicy is what is intended of ports of many devices.
type PortPolicy struct {
	PortSpec
	Select map[string]string // as FacetPolicy.Select
}

// What stands in an intended alias for the far end of the cable: the name of the
// device, and its NIC or port.
const (
	FarDevice = "{device}"
	FarPort   = "{port}"
)

// MaxAlias is the size of ifAlias (RFC 2863), in octets.
const MaxAlias = 64

// WritableAlias reports whether a text can be written as an alias: a
// DisplayString is what is printable in ASCII and nothing else (RFC 2579). What
// Clean would take away at its ends cannot be read back.
func WritableAlias(s string) bool {
	return len(s) <= MaxAlias && clean(s) && strings.TrimSpace(s) == s
}
