package agent

// Change is one thing that a SET asks of the world.
type Change struct {
	Kind  ChangeKind
	Row   int    // ifIndex of the port, number of the outlet, or VLAN
	Value int    // SetPortAdmin: a Status; SetOutlet: an OutletCommand; SetPVID: a VLAN
	Text  string // SetPortAlias
	Ports string // SetVLANPorts: the octets of a PortList, who is in the VLAN Row and nobody else
}

// ChangeKind says which object a SET wrote.
type ChangeKind int

// Objects that can be written.
const (
	SetPortAdmin ChangeKind = iota + 1 // ifAdminStatus
	SetPortAlias                       // ifAlias
	SetOutlet                          // rPDU2OutletSwitchedControlCommand
	SetVLANPorts                       // dot1qVlanStaticEgressPorts or -UntaggedPorts
	SetPVID                            // dot1qPvid
)

// OutletCommand is rPDU2OutletSwitchedControlCommand.
type OutletCommand int

// Outlet commands; the delayed ones are refused as wrongValue.
const (
	OutletOn     OutletCommand = 1
	OutletOff    OutletCommand = 2
	OutletReboot OutletCommand = 3
)

// intSetter takes INTEGERs from low to high.
func intSetter(kind ChangeKind, low, high int64, row func(v *view, row int) int) setter {
	return func(v *view, r int, tag byte, value []byte) (Change, errorStatus) {
		if tag != tagInteger {
			return Change{}, wrongType
		}
		n, ok := parseInt(value)
		if !ok {
			return Change{}, wrongLength
		}
		if n < low || n > high {
			return Change{}, wrongValue
		}
		return Change{Kind: kind, Row: row(v, r), Value: int(n)}, noError
	}
}

// unsignedSetter takes Unsigned32 from low to high.
func unsignedSetter(kind ChangeKind, low, high int64, row func(v *view, row int) int) setter {
	as := intSetter(kind, low, high, row)
	return func(v *view, r int, tag byte, value []byte) (Change, errorStatus) {
		if tag != tagGauge32 {
			return Change{}, wrongType
		}
		return as(v, r, tagInteger, value)
	}
}

// portsSetter takes a PortList (RFC 4363) of no more ports than there are.
func portsSetter(kind ChangeKind, row func(v *view, row int) int) setter {
	return func(v *view, r int, tag byte, value []byte) (Change, errorStatus) {
		if tag != tagOctets {
			return Change{}, wrongType
		}
		if len(value) > maxPorts/8 {
			return Change{}, wrongLength
		}
		return Change{Kind: kind, Row: row(v, r), Ports: string(value)}, noError
	}
}

// textSetter takes printable text (DisplayString, RFC 2579) of up to limit bytes.
func textSetter(kind ChangeKind, limit int, row func(v *view, row int) int) setter {
	return func(v *view, r int, tag byte, value []byte) (Change, errorStatus) {
		if tag != tagOctets {
			return Change{}, wrongType
		}
		if len(value) > limit {
			return Change{}, wrongLength
		}
		for _, c := range value {
			if c < 0x20 || c == 0x7f {
				return Change{}, wrongValue
			}
		}
		return Change{Kind: kind, Row: row(v, r), Text: string(value)}, noError
	}
}
