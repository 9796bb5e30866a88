package world

import (
	"fmt"
	"time"
)

// What a site holds. The counts are those of the demo's specification.
const (
	racksPerSite    = 8
	serversPerRack  = 18
	racksPerEmpty   = 24 // one rack in so many holds no server
	outletsPerPDU   = 24
	torAccessPorts  = 48
	torPorts        = 54 // 48 x 25G, 6 x 100G
	spinePorts      = 32
	bmcPortBase     = 31 // the BMC of server n is on ToR-A port 30+n
	bmcVLAN         = 900
	hypervisorsIn   = 414
	hypervisorsOf   = 120
	instancesPerHyp = 5
)

// MaxRacks bounds the fleet.
const MaxRacks = 200

// Region is a region and its busy hour, in seconds of the UTC day.
type Region struct {
	Name string
	Peak float64
}

// Site is a building.
type Site struct {
	Name   string
	Region int
	Feeds  [2]int // A and B
	UPS    [2]int
	Racks  []int
	Spines [2]int
}

// Feed is a power feed below a UPS.
type Feed struct {
	Name, Parent string
	Site         int
	BreakerA     float64
	Volts        int // between phases
	Phases       int
}

// Rack is a rack with what is in it.
type Rack struct {
	ID, Name, Row string // ID is site/name
	Site, Region  int
	Servers       []int
	ToR           [2]int
	PDUs          [2]int
	InletC        float64 // the air in front of it
}

// Cord is a power cord's upper end. PDU is -1 where there is none.
type Cord struct{ PDU, Outlet int }

// Placed is what every device has.
type Placed struct {
	Name          string
	Site, Rack    int     // Rack is -1 outside of racks
	Unit, Height  float64 // lowest rack unit and height; unit 0 is beside the rails
	Vendor, Model string
	Serial        string
	Firmware      string
}

// Server is a server as it is meant and as it is built.
type Server struct {
	Placed
	Hardware            *ServerModel
	Slot                int // 1..18 in its rack
	Role                string
	Owner, Tenant, Env  string // empty: nobody knows
	Service             string // bare-metal service, or empty
	Warranty            time.Time
	GUID                [16]byte
	MAC                 [2]MAC // eth0, eth1
	BMCMAC              MAC
	VLAN                int
	Planned, Cords      [2]Cord // as the inventory says, and as they are
	NIC                 [2]int  // links
	BMCLink             int
	Hypervisor          int // its number among the hypervisors, or -1
	Load                float64
	Demand              shape
	BaseBytesPerSec     float64 // traffic without instances
	Phase               float64
	CPUTrim, WattFactor float64
}

// Switch is a top-of-rack switch or a spine.
type Switch struct {
	Placed
	Spine bool
	Side  int // 0: A or sp1, 1: B or sp2
	MAC   MAC
	Cords [2]Cord
	Ports []SwitchPort // in order; index 0 is port 1
	Boot  time.Time
}

// SwitchPort is a socket of a switch.
type SwitchPort struct {
	Name, Alias string
	SpeedBps    int64
	MAC         MAC
	VLAN        int
	Link        int // -1: nothing plugged in
	End         int // which end of the link this is
}

// PDU is a rack PDU of 24 switched outlets.
type PDU struct {
	Placed
	Feed    int
	Side    int
	Phase   int // 0..2: which phase of the feed it hangs on
	RatingA float64
	MAC     MAC
	Boot    time.Time
	Loads   [outletsPerPDU]Load
}

// Load is what hangs on an outlet.
type Load struct {
	Kind Kind // KindNone: nothing
	N    int  // server or switch
	PSU  int  // 0 or 1
}

// UPS is an uninterruptible supply above one feed.
type UPS struct {
	Placed
	Feed    int
	RatingW float64
	MAC     MAC
	Boot    time.Time
}

// Kind says what a device or a load is.
type Kind uint8

// Kinds.
const (
	KindNone Kind = iota
	KindServer
	KindSwitch
	KindPDU
	KindUPS
	KindBMC // the far end of a management link
	KindOutside
)

// Ref names a device by kind and number.
type Ref struct {
	Kind Kind
	N    int
}

// End is one end of a link: port counts from 0; for a server 0 is eth0.
type End struct {
	Ref
	Port int
}

// Link is a cable, or a pair of optics with a fibre. Its first end is the
// server's, the BMC's or the lower switch's.
type Link struct {
	Ends   [2]End
	Demand shape
}

// MAC is an Ethernet address.
type MAC [6]byte

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// Layout is the fleet as it is built. It never changes.
type Layout struct {
	Regions   []Region
	Sites     []Site
	Feeds     []Feed
	Racks     []Rack
	Servers   []Server
	Switches  []Switch
	PDUs      []PDU
	UPSes     []UPS
	Links     []Link
	Hyps      []int // servers
	Instances []Instance
	Services  []Service
	Born      time.Time // when this fleet was first started

	byName map[string]Ref
	seed   dice
}

// Find returns the device with a name.
func (l *Layout) Find(name string) (Ref, bool) {
	r, ok := l.byName[name]
	return r, ok
}

// Name returns a device's name.
func (l *Layout) Name(r Ref) string {
	switch r.Kind {
	case KindServer, KindBMC:
		return l.Servers[r.N].Name
	case KindSwitch:
		return l.Switches[r.N].Name
	case KindPDU:
		return l.PDUs[r.N].Name
	case KindUPS:
		return l.UPSes[r.N].Name
	}
	return ""
}

// placed returns what a device has in common with all.
func (l *Layout) placed(r Ref) *Placed {
	switch r.Kind {
	case KindServer, KindBMC:
		return &l.Servers[r.N].Placed
	case KindSwitch:
		return &l.Switches[r.N].Placed
	case KindPDU:
		return &l.PDUs[r.N].Placed
	case KindUPS:
		return &l.UPSes[r.N].Placed
	}
	return nil
}

// places are the regions and their sites' airport codes, with the busy hour.
var places = [...]Region{{"fra", 19 * 3600}, {"ams", 19.5 * 3600}, {"iad", 0.5 * 3600}}
