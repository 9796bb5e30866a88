package fleet

import (
	"slices"
	"time"
)

// Policies are the user's own rules for judgements. The zero value is the
// defaults.
type Policies struct {
	Facets   []FacetPolicy
	Checks   map[string]CheckPolicy // by the id of a security check
	Segments []Segment
	// Ports are what is intended of ports, after what their devices say; the
	// first that says it counts.
	Ports []PortPolicy
	// AdminUsers is how many enabled users with administrator privilege over
	// LAN a BMC may have; 0 means the default of 2.
	AdminUsers int
	// ManagementVLANs are where BMCs belong; none: where nearly all other BMCs
	// of the site are.
	ManagementVLANs []int
	// PortMACs is how many addresses a port to one server may learn; 0 means 8,
	// or twice what nearly all ports of its like have where that is more.
	PortMACs int
	// Private pick instances that are to have no public address, each by cloud,
	// region, project, zone, type, service, name or else tags, as patterns.
	// Others are not judged by their addresses: nobody said what is intended.
	Private []map[string]string
}

// FacetPolicy says how a facet is held against its baselines. The first that
// matches counts.
type FacetPolicy struct {
	Facet    string // a name, or a pattern of path.Match: "bios.*"
	Select   map[string]string
	Mode     Mode
	Owned    Ownership
	Severity Severity
	Graded   bool // Severity was given
	Owner    string
	Reason   string
	Until    time.Time // of an ignore: when it ends
}

// Standing returns the policies without what has ended by now: the same pointer
// where nothing has.
func (p *Policies) Standing(now time.Time) *Policies {
	over := func(f FacetPolicy) bool { return !f.Until.IsZero() && !now.Before(f.Until) }
	if p == nil || !slices.ContainsFunc(p.Facets, over) {
		return p
	}
	next := *p
	next.Facets = slices.DeleteFunc(slices.Clone(p.Facets), over)
	return &next
}

// Mode says when an observed value agrees with an expected one.
type Mode string

// Modes of facets.
const (
	ModeExact   Mode = "exact"
	ModeMinimum Mode = "minimum" // newer is fine
	ModeSubset  Mode = "subset"  // more is allowed
	ModeIgnored Mode = "ignored"
)

// Ownership says whose a field is. Only owned fields page.
type Ownership string

// Ownerships of fields.
const (
	Owned     Ownership = "owned"
	CoManaged Ownership = "co-managed"
	Volatile  Ownership = "volatile"
	Secret    Ownership = "secret"
)

// CheckPolicy changes a security check.
type CheckPolicy struct {
	Off      bool
	Severity Severity
	Graded   bool // Severity was given
	Reason   string
}

// Segment is a rule about who may be reached from where: what it selects
// belongs on these VLANs and nothing else does, or never reaches those.
type Segment struct {
	Name string
	// Select picks devices by kind, role, env and other tags; "part: bmc" means
	// their management ports.
	Select map[string]string
	VLANs  []int             // where they belong; none: not said
	Never  []int             // VLANs that they must not be members of
	Apart  map[string]string // selects what they must not share a VLAN with
	Reason string
}
