package fleet

import "time"

// Completeness says how much of a table one observation holds. The zero value
// is "not asked": it says nothing and deletes nothing.
type Completeness uint8

// Completeness of a table. Partial never deletes what it did not show.
const (
	NotAsked Completeness = iota
	Complete
	Partial
	Failed
	Absent // asked, and the device has no such table
)

var completenessWords = [...]string{"", "complete", "partial", "failed", "absent"}

func (c Completeness) String() string {
	return completenessWords[min(int(c), len(completenessWords)-1)]
}

// MarshalText writes the word.
func (c Completeness) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the word.
func (c *Completeness) UnmarshalText(b []byte) error {
	return word(completenessWords[:], b, c, "completeness")
}

// TableID names a table of an observation. In JSON it is the table's word.
type TableID uint8

// The tables, in the order of the contract, and after them those that came
// later: a table's number is on disk and never changes.
const (
	TableFacts TableID = iota
	TablePorts
	TableSensors
	TableEntities
	TableNeighbors
	TableFDB
	TableVLANs
	TableOutlets
	TableEvents
	TableInstances
	TableHosts
	TableStatus // plumb's own: one row, what the target was judged to be

	// Tables of plumb's own judgements. Their rows are kept like those that were
	// read, every version with its time, so that what was firing, silenced, found
	// or accepted at a time is as answerable as a firmware.
	TableAlerts
	TableSilences
	TableFindings
	TableBaselines

	TableARP
	TableSecurityGroups
	NumTables = iota
)

// Judged reports whether the table holds judgements, which no probe observes.
func (t TableID) Judged() bool { return t >= TableAlerts && t <= TableBaselines }

var tableWords = [NumTables]string{"facts", "ports", "sensors", "entities", "neighbors", "fdb", "vlans", "outlets", "events", "instances", "hosts", "status",
	"alerts", "silences", "findings", "baselines", "arp", "security_groups"}

func (t TableID) String() string { return tableWords[t] }

// MarshalText writes the table's word.
func (t TableID) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the table's word.
func (t *TableID) UnmarshalText(b []byte) error { return word(tableWords[:], b, t, "table") }

// Entity is a physical part: ENTITY-MIB entPhysicalTable (RFC 6933), or a FRU.
type Entity struct {
	Index    int    `json:"index"`
	Parent   int    `json:"parent"`
	Class    string `json:"class"` // chassis module powerSupply fan port ...
	Name     string `json:"name"`
	Descr    string `json:"descr"`
	Model    string `json:"model"`
	Serial   string `json:"serial"`
	Hardware string `json:"hardware"`
	Firmware string `json:"firmware"`
	Software string `json:"software"`
}

// Neighbor is what a device hears on a port: LLDP-MIB (IEEE 802.1AB) or CDP.
type Neighbor struct {
	LocalPort     string `json:"local_port"`
	RemoteName    string `json:"remote_name"`
	RemotePort    string `json:"remote_port"`
	RemoteChassis string `json:"remote_chassis"`
	Protocol      string `json:"protocol"` // lldp or cdp
}

// FDBEntry is a learned MAC: BRIDGE-MIB (RFC 4188) or Q-BRIDGE-MIB (RFC 4363).
type FDBEntry struct {
	MAC  string `json:"mac"`
	Port string `json:"port"` // ifName
	VLAN int    `json:"vlan"`
}

// VLAN is a VLAN with its member ports by ifName: Q-BRIDGE-MIB (RFC 4363)
// dot1qVlanCurrentTable. Untagged are those of Ports whose frames leave without
// a tag; nil where the device does not say.
type VLAN struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	Ports    []string `json:"ports"`
	Untagged []string `json:"untagged,omitempty"`
}

// Address is a resolved neighbour: IP-MIB (RFC 4293) ipNetToPhysicalTable, or
// ipNetToMediaTable of old. They come and go like learned MACs.
type Address struct {
	IP   string `json:"ip"`
	MAC  string `json:"mac"`  // lower case with colons
	Port string `json:"port"` // ifName of the interface, which may be a VLAN's
}

// SecurityGroup is a set of rules that a cloud holds in front of instances.
type SecurityGroup struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Project string         `json:"project"`
	Rules   []SecurityRule `json:"rules"`
}

// SecurityRule lets traffic in or out. PortMin and PortMax are null where the
// rule is for all ports; for ICMP they are type and code.
type SecurityRule struct {
	ID        string `json:"id"`
	Direction string `json:"direction"` // ingress egress
	Family    string `json:"family"`    // ipv4 ipv6
	Protocol  string `json:"protocol"`  // tcp udp icmp ..., empty: any
	PortMin   Num    `json:"port_min"`
	PortMax   Num    `json:"port_max"`
	Remote    string `json:"remote"` // CIDR, or the id of a security group; empty: anywhere
}

// Outlet is one socket of a PDU.
type Outlet struct {
	Index    int    `json:"index"`
	Name     string `json:"name"`
	State    string `json:"state"` // on off unknown
	CurrentA Num    `json:"current_a"`
	PowerW   Num    `json:"power_w"`
}

// Event is something that happened: a SEL record, a trap, a provider's notice,
// or plumb's own word. ID makes a second read idempotent.
type Event struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Target   string    `json:"target"`
	Source   string    `json:"source"` // sel trap cloud plumb
	Sensor   string    `json:"sensor,omitempty"`
	Type     string    `json:"type"`
	Text     string    `json:"text"`
	Severity Severity  `json:"severity"`
	Asserted bool      `json:"asserted"`
	Raw      string    `json:"raw,omitempty"` // hex
	// Memory is set where it tells of a memory error.
	Memory *MemoryEvent `json:"memory,omitempty"`
}

// Instance is a virtual machine as its provider tells it.
type Instance struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	Cloud          string            `json:"cloud"`
	Project        string            `json:"project,omitempty"` // the provider's id of it; empty where not known
	Region         string            `json:"region"`
	Zone           string            `json:"zone"`
	Type           string            `json:"type"` // flavor
	State          State             `json:"state"`
	RunState       string            `json:"run_state"` // the provider's own word
	Host           string            `json:"host"`      // hypervisor_hostname, empty where not visible
	PlacementGroup string            `json:"placement_group"`
	Service        string            `json:"service"`                   // filled by the engine from the inventory
	SecurityGroups []string          `json:"security_groups,omitempty"` // names; nil where the cloud does not say
	Addresses      []string          `json:"addresses,omitempty"`       // all of them, those reachable from outside first
	Public         []string          `json:"public,omitempty"`          // of Addresses: floating ones, and those of global scope
	Image          string            `json:"image,omitempty"`           // image id
	ChangedBy      string            `json:"changed_by,omitempty"`      // who last made it of something else while it was watched, and how: "eve (resize)"
	ChangedAt      time.Time         `json:"changed_at,omitzero"`       // when, as the provider tells it
	LaunchedAt     time.Time         `json:"launched_at"`
	Tags           map[string]string `json:"tags"`
}

// Host is a hypervisor as its cloud tells it, with what placement says of it.
type Host struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // hypervisor_hostname: the device's name where we own it
	Zone        string     `json:"zone"`
	State       string     `json:"state"`  // up down
	Status      string     `json:"status"` // enabled disabled
	Type        string     `json:"type"`
	RunningVMs  int        `json:"running_vms"`
	Maintenance string     `json:"maintenance"` // reason of a disabled host
	Resources   []Resource `json:"resources"`
}

// Resource is one placement inventory with its usage. Capacity is
// (Total - Reserved) * Ratio (OpenStack placement API).
type Resource struct {
	Class    string `json:"class"` // VCPU MEMORY_MB DISK_GB ...
	Total    int64  `json:"total"`
	Reserved int64  `json:"reserved"`
	Ratio    Num    `json:"ratio"`
	Used     int64  `json:"used"`
}
