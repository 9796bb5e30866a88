package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// stateVersion is raised when an old state cannot be continued.
const stateVersion = 1

// State is what does not follow from seed and time. It is plain data, so that
// it can be written to a file and continued from there.
type State struct {
	Version int       `json:"version"`
	Seed    uint64    `json:"seed"`
	Racks   int       `json:"racks"`
	Born    time.Time `json:"born"`
	Saved   time.Time `json:"saved"`

	Off       map[string]bool           `json:"off,omitempty"`        // servers that were switched off
	Outlets   map[string]bool           `json:"outlets,omitempty"`    // outlets that were switched off, "pdu/n"
	AdminDown map[string]bool           `json:"admin_down,omitempty"` // ports that were shut, "switch/ifName"
	Identify  map[string]time.Time      `json:"identify,omitempty"`   // LEDs that blink, until when
	Boots     map[string]time.Time      `json:"boots,omitempty"`      // devices that were restarted since
	Restarts  map[string]int            `json:"restarts,omitempty"`   // how often: the boots of an SNMP engine
	Resets    map[string]reset          `json:"resets,omitempty"`     // switches whose counters began anew
	Links     map[int]ledger            `json:"links,omitempty"`      // links whose rate ever changed
	SEL       map[string][]Record       `json:"sel,omitempty"`        // logs that are not as they were at birth
	Erased    map[string]time.Time      `json:"erased,omitempty"`     // when a log was cleared
	Instances map[string]instanceChange `json:"instances,omitempty"`  // instances that were acted on

	Services map[string]serviceChange `json:"services,omitempty"` // compute services of hypervisors that were set

	VLANs     map[string]vlanChange        `json:"vlans,omitempty"`      // ports that were put into a VLAN, "switch/ifName"
	Aliases   map[string]aliasChange       `json:"described,omitempty"`  // ports that were described, "switch/ifName"
	Reboots   map[string]time.Time         `json:"reboots,omitempty"`    // outlets that are off for a while, "pdu/n", until when
	BMCStarts map[string]time.Time         `json:"bmc_starts,omitempty"` // BMCs that start, until when
	BootFlags map[string]BootFlags         `json:"boot_flags,omitempty"` // what servers boot from next
	UsersOff  map[string]map[int]time.Time `json:"users_off,omitempty"`  // users of a BMC that were disabled, by slot, when
	SuitesOff map[string]map[int]time.Time `json:"suites_off,omitempty"` // cipher suites of a BMC that were closed, when
	RulesOff  map[string]time.Time         `json:"rules_off,omitempty"`  // rules that were taken out of security groups, when
}

// ledger is what a link had carried when its rate last changed, from its first
// end to its second and back, in octets and packets in error.
type ledger struct {
	Since  float64    `json:"since"` // seconds of the world
	Rate   [2]float64 `json:"rate"`  // mean octets per second
	Acc    [2]float64 `json:"acc"`
	ErrAcc float64    `json:"err,omitempty"`
	ErrBps float64    `json:"err_rate,omitempty"` // errors per second
}

// reset says when and where a switch's counters began anew.
type reset struct {
	At   float64      `json:"at"`
	Base [][3]float64 `json:"base"` // in, out, errors of each port
}

type instanceChange struct {
	Status string    `json:"status,omitempty"`
	Host   string    `json:"host,omitempty"` // it was built again there
	Moved  time.Time `json:"moved,omitzero"`
}

// serviceChange is whether the cloud may use a hypervisor, as somebody set it.
type serviceChange struct {
	Disabled bool      `json:"disabled,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

// vlanChange is the VLAN somebody put a port into.
type vlanChange struct {
	VLAN int       `json:"vlan"`
	At   time.Time `json:"at"`
}

// aliasChange is how somebody described a port.
type aliasChange struct {
	Alias string    `json:"alias"`
	At    time.Time `json:"at"`
}

// BootFlags is parameter 5 of a BMC's boot options (IPMI 2.0 table 28-14).
type BootFlags [5]byte

// ErrState says that a state cannot be continued.
var ErrState = errors.New("state is of another fleet")

func newState(seed uint64, racks int, born time.Time) State {
	s := State{Version: stateVersion, Seed: seed, Racks: racks, Born: born}
	s.fill()
	return s
}

// fill makes the maps that a file may have left out.
func (s *State) fill() {
	if s.Off == nil {
		s.Off = map[string]bool{}
	}
	if s.Outlets == nil {
		s.Outlets = map[string]bool{}
	}
	if s.AdminDown == nil {
		s.AdminDown = map[string]bool{}
	}
	if s.Identify == nil {
		s.Identify = map[string]time.Time{}
	}
	if s.Boots == nil {
		s.Boots = map[string]time.Time{}
	}
	if s.Restarts == nil {
		s.Restarts = map[string]int{}
	}
	if s.Resets == nil {
		s.Resets = map[string]reset{}
	}
	if s.Links == nil {
		s.Links = map[int]ledger{}
	}
	if s.SEL == nil {
		s.SEL = map[string][]Record{}
	}
	if s.Erased == nil {
		s.Erased = map[string]time.Time{}
	}
	if s.Instances == nil {
		s.Instances = map[string]instanceChange{}
	}
	s.fillActs()
}

// fillActs makes the maps of what was done by way of the devices.
func (s *State) fillActs() {
	if s.Services == nil {
		s.Services = map[string]serviceChange{}
	}
	if s.VLANs == nil {
		s.VLANs = map[string]vlanChange{}
	}
	if s.Aliases == nil {
		s.Aliases = map[string]aliasChange{}
	}
	if s.Reboots == nil {
		s.Reboots = map[string]time.Time{}
	}
	if s.BMCStarts == nil {
		s.BMCStarts = map[string]time.Time{}
	}
	if s.BootFlags == nil {
		s.BootFlags = map[string]BootFlags{}
	}
	if s.UsersOff == nil {
		s.UsersOff = map[string]map[int]time.Time{}
	}
	if s.SuitesOff == nil {
		s.SuitesOff = map[string]map[int]time.Time{}
	}
	if s.RulesOff == nil {
		s.RulesOff = map[string]time.Time{}
	}
}

// clone returns a copy that shares nothing that is written.
func (s *State) clone() State {
	c := *s
	c.Off, c.Outlets, c.AdminDown = maps.Clone(s.Off), maps.Clone(s.Outlets), maps.Clone(s.AdminDown)
	c.Identify, c.Boots, c.Erased = maps.Clone(s.Identify), maps.Clone(s.Boots), maps.Clone(s.Erased)
	c.Restarts = maps.Clone(s.Restarts)
	c.Resets, c.Links, c.Instances = maps.Clone(s.Resets), maps.Clone(s.Links), maps.Clone(s.Instances)
	c.VLANs, c.Aliases, c.Reboots, c.BMCStarts = maps.Clone(s.VLANs), maps.Clone(s.Aliases), maps.Clone(s.Reboots), maps.Clone(s.BMCStarts)
	c.Services = maps.Clone(s.Services)
	c.BootFlags, c.RulesOff = maps.Clone(s.BootFlags), maps.Clone(s.RulesOff)
	c.UsersOff, c.SuitesOff = cloneNested(s.UsersOff), cloneNested(s.SuitesOff)
	c.SEL = make(map[string][]Record, len(s.SEL))
	for k, v := range s.SEL {
		c.SEL[k] = slices.Clone(v)
	}
	return c
}

func cloneNested(m map[string]map[int]time.Time) map[string]map[int]time.Time {
	c := make(map[string]map[int]time.Time, len(m))
	for k, v := range m {
		c[k] = maps.Clone(v)
	}
	return c
}

// fits reports whether the state continues the layout.
func (s *State) fits(l *Layout) error {
	for n := range s.Links {
		if n < 0 || n >= len(l.Links) {
			return fmt.Errorf("%w: link %d of %d", ErrState, n, len(l.Links))
		}
	}
	for name, r := range s.Resets {
		ref, ok := l.Find(name)
		if !ok || ref.Kind != KindSwitch || len(r.Base) != len(l.Switches[ref.N].Ports) {
			return fmt.Errorf("%w: counters of %q", ErrState, name)
		}
	}
	return nil
}
