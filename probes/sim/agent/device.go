package agent

import "time"

// Device is what an agent serves: *[Switch], *[PDU] or *[UPS]. A value is not
// written after it was handed to an agent; parts that do not change may be
// shared between values.
//
// Slices that become table rows are in ascending order of their index, as
// [Check] verifies: an agent that answers out of order ends a walk.
type Device interface {
	view() view
	tree() *tree
}

// System is what every device says of itself: the system group (RFC 3418), the
// interfaces (RFC 2863) and the age of its SNMP engine.
type System struct {
	Name     string // sysName
	Descr    string // sysDescr
	ObjectID string // sysObjectID, dotted
	Location string
	Contact  string
	Services int // sysServices, a sum of 2^(layer-1)

	// Uptime is the time since the device started: sysUpTime in hundredths
	// modulo 2^32, snmpEngineTime in seconds.
	Uptime time.Duration
	// Boots is how often the engine has started (RFC 3414 section 2.2.2).
	// It goes up whenever Uptime goes back. 0 counts as 1.
	Boots uint32

	Ports []Port // ascending by Index; bridge ports first
}

// MAC is a 48-bit address.
type MAC [6]byte

// Status is ifAdminStatus and ifOperStatus (RFC 2863).
type Status int

// Values of Status; Admin takes the first three.
const (
	Up             Status = 1
	Down           Status = 2
	Testing        Status = 3
	Unknown        Status = 4
	Dormant        Status = 5
	NotPresent     Status = 6
	LowerLayerDown Status = 7
)

// Interface types (IANAifType).
const (
	EthernetCsmacd   = 6
	SoftwareLoopback = 24
)

// Port is one interface.
type Port struct {
	Index  int // ifIndex
	Bridge int // dot1dBasePort, ascending with Index; 0: not a bridge port
	Name   string
	Alias  string
	Descr  string
	Type   int // IANAifType; 0 counts as EthernetCsmacd
	MTU    int // bytes
	// SpeedMbps is ifHighSpeed in 10^6 bits/s; ifSpeed follows from it.
	SpeedMbps uint32
	MAC       MAC
	Admin     Status
	Oper      Status
	PVID      int // untagged VLAN; 0: none

	In, Out Traffic
	// LastChange is the Uptime at which Oper last changed; Discontinuity
	// the Uptime at which the counters last began anew.
	LastChange, Discontinuity time.Duration
}

// Traffic is one direction of a port: totals since Discontinuity. The 32-bit
// columns are these numbers modulo 2^32.
type Traffic struct {
	Octets, Unicast, Multicast, Broadcast uint64
	Errors, Discards                      uint64
}

// Switch is a bridge with its neighbours and its parts.
type Switch struct {
	System
	Chassis   MAC        // LLDP chassis id and bridge address
	Neighbors []Neighbor // ascending by (TimeMark, Port, Index)
	FDB       *FDB       // see NewFDB; nil: the table is empty
	ARP       *ARP       // see NewARP; nil: the table is empty
	VLANs     []VLAN     // ascending by ID
	Entities  []Entity   // ascending by Index
	Sensors   []Sensor   // ascending by Entity
}

// Neighbor is one row of lldpRemTable (IEEE 802.1AB): what is heard on a port.
type Neighbor struct {
	TimeMark  uint32 // hundredths of a second of uptime when it was learned
	Port      int    // lldpLocPortNum: the port's Index
	Index     int    // lldpRemIndex
	Chassis   MAC    // subtype macAddress
	PortID    string // subtype interfaceName
	PortDescr string
	SysName   string
	SysDescr  string
}

// VLAN is one VLAN with the bridge ports that send it.
type VLAN struct {
	ID               int
	Name             string
	Egress, Untagged PortList
}

// PortList is a set of bridge ports: bit 0x80 of byte 0 is port 1 (RFC 4363).
type PortList []byte

// maxPorts bounds a PortList.
const maxPorts = 4096

// Has reports whether a bridge port is in the set.
func (l PortList) Has(port int) bool {
	at := (port - 1) / 8
	return port >= 1 && at < len(l) && l[at]&(0x80>>((port-1)%8)) != 0
}

// Ports returns the set of the given bridge ports.
func Ports(bridge ...int) PortList {
	var l PortList
	for _, p := range bridge {
		if p < 1 || p > maxPorts {
			continue
		}
		for len(l) <= (p-1)/8 {
			l = append(l, 0)
		}
		l[(p-1)/8] |= 0x80 >> ((p - 1) % 8)
	}
	return l
}

// Entity is one row of entPhysicalTable (RFC 6933).
type Entity struct {
	Index, Parent, Position               int
	Class                                 EntityClass
	Name, Descr, Model, Serial, Vendor    string
	HardwareRev, FirmwareRev, SoftwareRev string
	Replaceable                           bool
}

// EntityClass is IANAPhysicalClass.
type EntityClass int

// Entity classes in use.
const (
	ClassOther       EntityClass = 1
	ClassChassis     EntityClass = 3
	ClassContainer   EntityClass = 5
	ClassPowerSupply EntityClass = 6
	ClassFan         EntityClass = 7
	ClassSensor      EntityClass = 8
	ClassModule      EntityClass = 9
	ClassPort        EntityClass = 10
)

// Sensor is one row of entPhySensorTable (RFC 3433). The reading is
// Value * 10^-Precision * 10^(3*(Scale-9)) of the unit of its Type.
type Sensor struct {
	Entity    int // entPhysicalIndex
	Type      SensorType
	Scale     int // EntitySensorDataScale; 9 is units, 8 milli; 0 counts as 9
	Precision int // decimals in Value
	Value     int32
	Status    SensorStatus // 0 counts as SensorOK
	Units     string       // entPhySensorUnitsDisplay
}

// SensorType is EntitySensorDataType.
type SensorType int

// Sensor types in use.
const (
	VoltsAC    SensorType = 3
	VoltsDC    SensorType = 4
	Amperes    SensorType = 5
	Watts      SensorType = 6
	Hertz      SensorType = 7
	Celsius    SensorType = 8
	PercentRH  SensorType = 9
	RPM        SensorType = 10
	TruthValue SensorType = 12
	DBm        SensorType = 14
)

// SensorStatus is EntitySensorStatus.
type SensorStatus int

// Sensor statuses.
const (
	SensorOK             SensorStatus = 1
	SensorUnavailable    SensorStatus = 2
	SensorNonoperational SensorStatus = 3
)
