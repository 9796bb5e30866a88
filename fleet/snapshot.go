package fleet

import (
	"iter"
	"time"
)

// Snapshot is the whole fleet at one moment. It is never written after it was
// published: readers keep it as long as they like, without locks. Only
// fleet/engine makes one.
type Snapshot struct {
	Version uint64
	At      time.Time
	Live    bool // false: as of At, from history

	Regions   Table[Region]
	Sites     Table[Site]
	Racks     Table[Rack]
	Feeds     Table[Feed]
	Devices   Table[Device]
	Clouds    Table[Cloud]
	Hosts     Table[HostState]
	Instances Table[InstanceState]
	Services  Table[Service]
	Jobs      []Job      // open and recent, newest first
	Freeze    *Freeze    // the switch that stops all writes; nil: never thrown
	Alerts    *AlertBook // nil: nobody looked
	// Receivers is how it goes with those who are told; nil: nobody said yet.
	Receivers []ReceiverState

	// HostOf says which hypervisor a device is: its dense number in Hosts by
	// the device's. A device that is none is not in it.
	HostOf map[int]int

	// Guests says what stands on what: it is of Instances, Hosts and Services as
	// they are here. Nil in a snapshot that no step made.
	Guests *Guests

	// Cohorts count what devices of one kind, model and role have in common.
	Cohorts map[string]Tally
	// Norms say how devices of one kind, model and role behave under load, as
	// of NormsAt.
	Norms   map[string]Norms
	NormsAt time.Time

	Counts Counts
	Recent []Event   // newest first, at most MaxRecent, warn and crit
	Oldest time.Time // the oldest SeenAt of a device that should be polled

	// Intervals of the lanes, from the inventory.
	Intervals [3]time.Duration
	*Topology
}

// MaxRecent bounds Snapshot.Recent.
const MaxRecent = 64

// Topology holds the indexes that change only with the inventory. Numbers are
// dense numbers in the snapshot's tables.
type Topology struct {
	RacksOf   map[string][]int // by region
	DevicesOf map[string][]int // by rack id, top unit first
	Loose     map[string][]int // devices outside of racks, by site
	// Cabled and Corded say what is meant to hang on a port "switch/ifName"
	// and on an outlet "pdu/number". A cable between two switches stands in
	// Cabled under both of its ends.
	Cabled map[string]Attachment
	// CabledOn is Cabled by device and port: who asks for all ports of a switch
	// asks a small map, and makes no names.
	CabledOn map[string]map[string]Attachment
	Corded   map[string]Attachment
	// PDUsOf are the PDUs below a feed.
	PDUsOf map[string][]int
	// NICs says whose an address is, by MAC in lower case.
	NICs map[string]Attachment
	// Near are the devices at the other ends of a device's cables and cords,
	// by its dense number: what one of them shows is evidence about the other.
	Near [][]int
	// SiteOf are all devices of a site that should be polled.
	SiteOf map[string][]int
	// Policies are the user's rules for judgements, Remediation those for
	// everything that writes.
	Policies    *Policies
	Remediation *Remediation
	// Rules are the user's alert rules, ready to run. Only fleet/alert looks
	// inside.
	Rules RuleBook
}

// RuleBook is what fleet/alert makes of the user's rules for one inventory.
type RuleBook interface{ Rules() int }

// Attachment is the far end of an intended cable or cord.
type Attachment struct {
	Device int    // dense device number
	Part   string // "eth0" or "PSU 1"
}

// Kind says which table an id lives in.
type Kind uint8

// Kinds of things with a state.
const (
	KindOfRegion Kind = iota
	KindOfRack
	KindOfDevice
	KindOfCloud
	KindOfHost
	KindOfInstance
	KindOfService
	NumKinds = iota
)

var kindWords = [NumKinds]string{"region", "rack", "device", "cloud", "host", "instance", "service"}

func (k Kind) String() string { return kindWords[k] }

// MarshalText writes the kind's word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Counts are kept as states change, never recounted by a reader.
type Counts struct {
	By          [NumKinds][NumStates]int
	Blind       int
	Maintenance int
	DriftOpen   int
}

// Region is a region with its roll-up.
type Region struct {
	Spec                  *RegionSpec
	State                 State
	Devices, Racks, Sites int
	Blind, DriftOpen      int
	PowerW                Num // measured, the sum of its racks
	By                    [NumStates]int
	Reasons               []string // what is wrong with the region as a whole
	Docket                *Docket
}

// Site is a building with its roll-up.
type Site struct {
	Spec    *SiteSpec
	State   State
	Reasons []string // what is wrong with the site as a whole
	// SilentSince is when anything in the site was last seen, while the way
	// to it is lost; BackAt is when it last came back.
	SilentSince, BackAt time.Time
}

// Rack is a rack with its roll-up.
type Rack struct {
	Spec      *RackSpec
	State     State
	Devices   int
	FreeUnits int // whole units with nothing in them, either face
	DriftOpen int
	Docket    *Docket
	PowerW    Num // measured at its PDUs, else at its servers
	Blind     int
	By        [NumStates]int
	Reasons   []string // what is wrong with the rack as a whole
}

// Feed is a power feed with what its PDUs measure.
type Feed struct {
	Spec   *FeedSpec
	State  State
	AmpsA  Num
	PowerW Num
	// Reasons say what the PDUs and power supplies below it show.
	Reasons []string
	Docket  *Docket
}

// Device is a device with everything that was last read of it. Its slices are
// shared between snapshots and never written.
type Device struct {
	Spec        *DeviceSpec
	State       State
	Reasons     []string // why the state is what it is, worst first
	About       []string // which part each reason speaks of: "port Ethernet3", "PSU 1"
	Power       Power
	PowerSince  time.Time // when Power was first seen to be what it is
	Maintenance bool
	DriftOpen   int
	PowerW      Num
	InletC      Num  // air temperature at the inlet
	InletHot    bool // at or over a limit of that sensor

	Kept       Kept
	BlindSince time.Time // zero: every source was seen at its last poll
	SeenAt     time.Time // last time anything was read
	Err        *ProbeError
	Sources    []SourceState // by wire; nil until the first poll
	Tables     [NumTables]TableState
	// Deep is how well each table was read by the slowest lane that reads it,
	// and DeepAt when: a fast poll that is complete says nothing of what only
	// the slow one reads.
	Deep   [NumTables]Completeness
	DeepAt time.Time

	Facts     Facts
	Sensors   []Sensor
	Ports     []Port
	Outlets   []Outlet
	Entities  []Entity
	Neighbors []Neighbor
	FDB       []FDBEntry
	VLANs     []VLAN
	ARP       []Address

	// Miscabled are ports that hear something else than the inventory says.
	Miscabled []Miscable
	// Crossings are pairs of a PDU's outlets whose cords changed places. Nil for
	// almost every device.
	Crossings []Crossing
	Cords     *CordPast // nil for what is no PDU
	// Flips are the parts that changed their state lately, for telling one
	// flapping part from many faults. Nil for almost every device.
	Flips []Flip

	// Attached is where the switches near it show it, nil where nobody asks, and
	// AttachedAt how old the oldest of what that rests on is.
	Attached   *Attached
	AttachedAt time.Time

	// UptimeAt is when the fact uptime_s was read.
	UptimeAt time.Time
	// Owners says over which wire a row was read, by "table:row", where there
	// is more than one wire: what one does not show the other may.
	Owners map[string]Source
	// Docket is what stands against it; nil: it was not judged yet.
	Docket *Docket
	// Series are the keys of its readings, shared until its tables change.
	Series []SeriesKey
	// Past is its last weeks by the hour, nil until they were read back.
	Past *Past
	// Parts are the last weeks of those of its parts that wear; nil: no wire
	// tells of any.
	Parts []PartPast
	// MemoryErrors are those of the last week; nil: its log never told of any.
	MemoryErrors *MemoryErrors
	// Forecasts are what was foretold of it, oldest first, scored and open.
	Forecasts []Forecast
}

// Kept is what the last row of a device's status says of the wire, and when
// that was written: an error may change without changing the state.
type Kept struct {
	Blind time.Time
	Error string // without its numbers
	At    time.Time
}

// Miscable is a port whose far end is another device than intended, or one that
// is meant to hang somewhere else.
type Miscable struct {
	Port   string
	Hears  Attachment // what LLDP or a learned MAC shows
	Meant  Attachment // what the inventory says; nothing where Home is set
	Home   string     // "device/port": nothing is meant to hang here, and what it hears belongs there
	Source string     // lldp, cdp or fdb
}

// Flip counts the changes of state of one part: a port by name, or the device
// itself where Part is empty.
type Flip struct {
	Part string
	At   []time.Time // of the last changes, oldest first
	Told bool        // that it flaps was said
}

// SourceState is how one wire to a target fares.
type SourceState struct {
	Source     Source
	SeenAt     time.Time
	BlindSince time.Time
	Took       time.Duration
	Err        *ProbeError
	// Facts is how well this wire's slow lane last read its facts, and FactsAt
	// when.
	Facts   Completeness
	FactsAt time.Time
}

// Young reports whether what was read at a time is not older than two of its
// intervals. Older, it tells what was.
func Young(at, now time.Time, interval time.Duration) bool {
	return !at.IsZero() && now.Sub(at) <= 2*interval
}

// TableState says when a table was last read and how well.
type TableState struct {
	Is   Completeness
	At   time.Time
	Span time.Duration // since it was read before; 0: never, or that is not known
	Lane Lane
}

// Findings yields everything that stands against anything in the fleet.
func (s *Snapshot) Findings() iter.Seq[*Finding] {
	return func(yield func(*Finding) bool) {
		for _, d := range s.Dockets() {
			for i := range d.Of() {
				if !yield(&d.Findings[i]) {
					return
				}
			}
		}
	}
}

// Docket returns what stands against a target: a device, region, rack, feed,
// cloud or service. It is nil where there is none.
func (s *Snapshot) Docket(id string) *Docket {
	switch {
	case s.Devices.Number(id) >= 0:
		return s.Devices.Get(id).Docket
	case s.Regions.Number(id) >= 0:
		return s.Regions.Get(id).Docket
	case s.Racks.Number(id) >= 0:
		return s.Racks.Get(id).Docket
	case s.Feeds.Number(id) >= 0:
		return s.Feeds.Get(id).Docket
	case s.Clouds.Number(id) >= 0:
		return s.Clouds.Get(id).Docket
	case s.Services.Number(id) >= 0:
		return s.Services.Get(id).Docket
	}
	return nil
}

// Dockets yields the dockets there are, with whose they are.
func (s *Snapshot) Dockets() iter.Seq2[string, *Docket] {
	return func(yield func(string, *Docket) bool) {
		more := each(&s.Devices, func(x *Device) *Docket { return x.Docket }, yield) &&
			each(&s.Regions, func(x *Region) *Docket { return x.Docket }, yield) &&
			each(&s.Racks, func(x *Rack) *Docket { return x.Docket }, yield) &&
			each(&s.Feeds, func(x *Feed) *Docket { return x.Docket }, yield) &&
			each(&s.Clouds, func(x *Cloud) *Docket { return x.Docket }, yield)
		if more {
			each(&s.Services, func(x *Service) *Docket { return x.Docket }, yield)
		}
	}
}

func each[T any](t *Table[T], docket func(*T) *Docket, yield func(string, *Docket) bool) bool {
	for id, x := range t.All() {
		if d := docket(x); d != nil && !yield(id, d) {
			return false
		}
	}
	return true
}

// Blind reports whether the last poll of the device failed.
func (d *Device) Blind() bool { return !d.BlindSince.IsZero() }

// Sensor returns the sensor with the key, or nil.
func (d *Device) Sensor(key string) *Sensor {
	for i := range d.Sensors {
		if d.Sensors[i].Key == key {
			return &d.Sensors[i]
		}
	}
	return nil
}

// Port returns the port with the ifName, or nil.
func (d *Device) Port(name string) *Port {
	for i := range d.Ports {
		if d.Ports[i].Name == name {
			return &d.Ports[i]
		}
	}
	return nil
}

// Cloud is one region of one provider account and how well it can be seen.
type Cloud struct {
	Spec       *CloudSpec
	State      State
	Reasons    []string
	BlindSince time.Time
	SeenAt     time.Time
	Err        *ProbeError
	Tables     [NumTables]TableState
	Facts      Facts
	Groups     []SecurityGroup
	Docket     *Docket // of the cloud, its hosts and its instances
}

// HostState is a hypervisor with its state and, where we own the metal, the
// device it is.
type HostState struct {
	Host
	Cloud  string
	State  State
	Device int // dense device number, -1 where it is not ours
}

// InstanceState is an instance with the state that follows from its own and
// its host's: a guest is never shown greener than what it stands on.
type InstanceState struct {
	Instance
	Told    State // what the provider's word alone would make it
	Reasons []string
	Device  int // dense device number of its host, -1 where not known
}

// Service is a service with its replicas.
type Service struct {
	Spec                *ServiceSpec
	State               State
	Reasons             []string
	Replicas            int // running ones
	Unseen              int // those of which nobody knows whether they run
	Instances           []int
	Devices             []int
	Zones, Hosts, Racks int     // distinct failure domains
	Unplaced            int     // replicas whose place cannot be seen
	Unread              bool    // there may be more: a cloud was never listed
	Health              *Health // what its workload says; nil: nobody asks, or has asked yet
	Docket              *Docket
}
