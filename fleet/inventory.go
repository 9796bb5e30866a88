package fleet

import "time"

// Inventory is what people intend: the config's regions, racks, devices,
// clouds and services, flat and in a stable order. Every reference in it has
// been checked; it is never written after it was loaded.
type Inventory struct {
	Regions     []RegionSpec
	Sites       []SiteSpec
	Racks       []RackSpec
	Feeds       []FeedSpec
	Devices     []DeviceSpec
	Clouds      []CloudSpec
	Services    []ServiceSpec
	Policies    Policies
	Remediation Remediation
	Alerting    Alerting
	// Intervals of the lanes; the age of a value counts by the interval of
	// the lane that reads it.
	Intervals [3]time.Duration
}

// RegionSpec is a region.
type RegionSpec struct{ Name string }

// SiteSpec is a building in a region.
type SiteSpec struct{ Name, Region string }

// HalfU is a height or a place in a rack on the half-unit grid: 3U is 6.
type HalfU int16

// U returns whole rack units from half ones: HalfU(7).Num() is 3.5.
func (h HalfU) Num() Num { return Dec(int64(h)*5, -1) }

// RackSpec is a rack. Its id is site/name.
type RackSpec struct {
	ID, Name, Site, Region, Row string
	Units                       int
	MaxWeightKg                 Num
	Feeds                       []string
}

// FeedSpec is a power feed; parents lead up to UPS and utility.
type FeedSpec struct {
	Name, Site, Parent string
	BreakerA           Num
	Volts              int
	Phases             int
}

// DeviceKind says what a device is.
type DeviceKind string

// Device kinds.
const (
	KindServer DeviceKind = "server"
	KindSwitch DeviceKind = "switch"
	KindRouter DeviceKind = "router"
	KindPDU    DeviceKind = "pdu"
	KindUPS    DeviceKind = "ups"
	KindOther  DeviceKind = "other"
)

// DeviceSpec is a device as it is meant to be.
type DeviceSpec struct {
	ID, Name           string
	Kind               DeviceKind
	Rack, Site, Region string // Rack is the rack's id, empty outside of racks
	Unit, Height       HalfU  // lowest unit, counted from the bottom; 0: beside the rails
	Face               string // front or rear
	Depth              string // full or half
	Model, Serial      string
	Owner, Tenant, Env string
	Tags               map[string]string
	WarrantyUntil      time.Time
	Power              []PowerCord
	Links              []Cable
	Ports              []PortSpec // a port's own word goes before that of a pattern, then the first
	Feed               string     // PDU: the feed above it
	RatingA            Num
	Expect             map[string]Expectation
	Endpoints          []Endpoint
}

// PowerCord is an intended cord from a PSU to an outlet "pdu/number".
type PowerCord struct {
	PSU    int
	Outlet string
}

// Cable is an intended network cable from a NIC to a port "switch/ifName".
type Cable struct{ NIC, MAC, To string }

// Expectation is what a fact is meant to be: one of the three is set.
type Expectation struct {
	Exact  string
	Min    string
	Subset []string
}

// Endpoint is one way to reach a target. Credentials are names; the secrets
// behind them stay with the probes.
type Endpoint struct {
	Source        Source
	Address       string // host:port
	Credential    string
	ActCredential string // empty: actions use Credential
	Quirks        []string
}

// CloudSpec is one region of one provider account.
type CloudSpec struct {
	Name, Region string
	Endpoint     Endpoint
	Options      map[string]string
	Declared     *Declared // nil: nobody says what it should hold
}

// Declared is what a tool that makes clouds says one should hold.
type Declared struct {
	Source string // "terraform prod.json"
	// Whole says that the tool makes everything in the cloud: what it does not
	// name is unmanaged.
	Whole     bool
	Instances []DeclaredInstance
	Groups    []DeclaredGroup
}

// DeclaredInstance is an instance as it should be. What is empty or nil is not
// said.
type DeclaredInstance struct {
	Resource string // its name in the tool: openstack_compute_instance_v2.match[0]
	ID       string // the provider's
	Name     string
	Type     string
	Image    string // image id
	Zone     string
	RunState string // in the provider's words: ACTIVE SHUTOFF
	Groups   []string
	Tags     map[string]string
}

// DeclaredGroup is a security group as it should be.
type DeclaredGroup struct {
	Resource, ID, Name string
	Rules              []SecurityRule
}

// ServiceSpec is what users see, carried by instances and bare-metal devices
// that carry all of the selected tags.
type ServiceSpec struct {
	Name, Owner string
	Select      map[string]string
	Floor       int
	Health      *HealthSpec `json:",omitempty"` // how its workload is asked itself; nil: nobody asks
}

// Matches reports whether tags carry everything the service selects. A service
// that selects nothing matches nothing.
func (s *ServiceSpec) Matches(tags map[string]string) bool {
	for k, v := range s.Select {
		if tags[k] != v {
			return false
		}
	}
	return len(s.Select) > 0
}
