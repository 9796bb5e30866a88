package openstack

import "time"

// Region is everything the cloud says of one of its regions at one moment. The
// server only reads it; whoever made it must not write it any more.
type Region struct {
	Name    string
	Hosts   []Host
	Servers []Instance
	Flavors []Flavor
	Groups  []Group
	Rules   []SecurityGroup
	Quota   Quota
}

// Host is a hypervisor with the nova-compute on it.
type Host struct {
	ID             string // uuid, also of its resource provider
	Name           string // hypervisor_hostname and service host
	Zone           string
	Type           string // hypervisor_type; empty: QEMU
	IP             string
	Up             bool // nova-compute reports
	Disabled       bool
	DisabledReason string
	SeenAt         time.Time // last report of nova-compute
	BootedAt       time.Time
	Inventory      []Inventory
}

// Inventory is what a host offers of one resource class. Usage is not given:
// it follows from the flavors of the servers placed on the host.
type Inventory struct {
	Class           string // VCPU MEMORY_MB DISK_GB
	Total, Reserved int64
	Ratio           float64 // allocation_ratio
}

// Instance is a server of the compute API.
type Instance struct {
	ID, Name  string
	ProjectID string
	Host      string // name of its host; empty while it has none
	Zone      string
	Flavor    string // id or name
	Status    string // ACTIVE SHUTOFF ERROR BUILD PAUSED SUSPENDED ...
	Fault     string // message of an ERROR
	Created   time.Time
	Launched  time.Time
	Updated   time.Time
	Metadata  map[string]string
	Tags      []string
	Addresses []Address
	Groups    []string // names of security groups
	Done      []Done   // what was done to it, newest first
}

// Done is an instance action.
type Done struct {
	Action, UserID string
	At             time.Time
}

// Address is an address of a server on a network; a floating one belongs to the
// port behind it and is reachable from outside.
type Address struct {
	Network, IP, MAC string
	Floating         bool
}

// Flavor is an instance type.
type Flavor struct {
	ID, Name              string
	VCPUs, MemoryMB, Disk int64 // Disk in GB
	ExtraSpecs            map[string]string
}

// Group is a server group; Policy is affinity, anti-affinity, soft-affinity or
// soft-anti-affinity.
type Group struct {
	ID, Name, Policy string
	ProjectID        string
	MaxPerHost       int
	Members          []string // server ids
}

// SecurityGroup is a named set of network rules.
type SecurityGroup struct {
	ID, Name, ProjectID string
	Rules               []Rule
}

// Rule is one rule of a security group. Ports 0 and 0 mean all.
type Rule struct {
	ID               string
	Ingress          bool
	Protocol         string // tcp udp icmp, empty: any
	PortMin, PortMax int
	Remote           string // CIDR, empty: any
	RemoteGroup      string // id of a group instead of a CIDR
	IPv6             bool
}

// Quota limits a project; what is used follows from its servers. Zero values
// take the defaults of Nova: 10 instances, 20 cores, 50 GiB.
type Quota struct {
	Instances, Cores, MemoryMB int
	ServerGroups               int
}

func (q Quota) withDefaults() Quota {
	def := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	def(&q.Instances, 10)
	def(&q.Cores, 20)
	def(&q.MemoryMB, 51200)
	def(&q.ServerGroups, 10)
	return q
}

func (r *Region) server(id string) *Instance {
	for i := range r.Servers {
		if r.Servers[i].ID == id {
			return &r.Servers[i]
		}
	}
	return nil
}

func (r *Region) host(match func(*Host) bool) *Host {
	for i := range r.Hosts {
		if match(&r.Hosts[i]) {
			return &r.Hosts[i]
		}
	}
	return nil
}

func (r *Region) hostNamed(name string) *Host {
	return r.host(func(h *Host) bool { return h.Name == name })
}

func (r *Region) flavor(ref string) *Flavor {
	for i := range r.Flavors {
		if r.Flavors[i].ID == ref || r.Flavors[i].Name == ref {
			return &r.Flavors[i]
		}
	}
	return nil
}

// holdsResources reports whether a server of the status counts in placement:
// all do until they are deleted or taken off their host.
func (s *Instance) holdsResources() bool {
	return s.Status != "DELETED" && s.Status != "SHELVED_OFFLOADED"
}

// usage sums what the servers on a host are allocated, by resource class.
func (r *Region) usage(host string) map[string]int64 {
	used := map[string]int64{}
	for i := range r.Servers {
		s := &r.Servers[i]
		f := r.flavor(s.Flavor)
		if s.Host != host || f == nil || !s.holdsResources() {
			continue
		}
		used["VCPU"] += f.VCPUs
		used["MEMORY_MB"] += f.MemoryMB
		used["DISK_GB"] += f.Disk
	}
	return used
}
