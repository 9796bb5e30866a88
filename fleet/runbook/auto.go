package runbook

import (
	"fmt"
	"strings"

	"plumb/fleet"
)

// Policy lets plumb itself begin a runbook where its trigger holds.
type Policy struct {
	Book      string
	Select    map[string]string // of the device; nil: every one
	MaxPerDay int               // runs; 0: three
	Act       bool              // false: it only says what it would have done
}

// Most is how many runs a day the policy allows.
func (p *Policy) Most() int {
	if p.MaxPerDay == 0 {
		return 3
	}
	return p.MaxPerDay
}

// AutoDanger is the most that plumb does by itself, with what guards add.
const AutoDanger fleet.Danger = 2

// FitsAuto says why a book cannot be begun by plumb itself, or "".
func (b *Book) FitsAuto() string {
	switch {
	case len(b.When) == 0:
		return "has no trigger: nothing says when it is of use"
	case b.Prompts():
		return "asks somebody, and nobody is there"
	case b.Danger() > AutoDanger:
		return fmt.Sprintf("is of danger %d; by itself plumb does what is of danger 1 or 2", b.Danger())
	}
	return ""
}

// Selected reports whether a policy is about a target. What stands on no known
// device is selected only where everything is.
func (p *Policy) Selected(s *fleet.Snapshot, target string) bool {
	if len(p.Select) == 0 {
		return true
	}
	host, _, _ := strings.Cut(target, "/")
	if i := s.Instances.Get(target); i != nil && i.Device >= 0 {
		return fleet.Selects(p.Select, s.Devices.At(i.Device).Spec)
	}
	d := s.Devices.Get(host)
	return d != nil && fleet.Selects(p.Select, d.Spec)
}

// leastGroup is how many devices a place must have for its share of sick ones
// to say anything.
const leastGroup = 5

// TooSick says that so much is unhealthy where a target stands, or everywhere,
// that the cause is another and hands make it worse; "": it is not so. What
// cannot be seen is not healthy.
func TooSick(s *fleet.Snapshot, target string) string {
	type share struct{ sick, all int }
	var region string
	host, _, _ := strings.Cut(target, "/")
	if i := s.Instances.Get(target); i != nil {
		region = i.Region
	} else if d := s.Devices.Get(host); d != nil {
		region = d.Spec.Region
	}
	var here, whole share
	for _, d := range s.Devices.All() {
		if d.Maintenance {
			continue
		}
		bad := d.State == fleet.StateCrit || d.State == fleet.StateUnknown
		for _, g := range [...]struct {
			of *share
			in bool
		}{{&whole, true}, {&here, d.Spec.Region == region}} {
			if g.in {
				g.of.all++
				if bad {
					g.of.sick++
				}
			}
		}
	}
	most := s.Remediation.Or().Unhealthy
	for _, g := range [...]struct {
		share
		name string
	}{{here, "region " + region}, {whole, "the fleet"}} {
		if g.all >= leastGroup && g.sick > g.all*most/100 {
			return fmt.Sprintf("%d of %d devices of %s are critical or unknown: more than %d %%", g.sick, g.all, g.name, most)
		}
	}
	return ""
}
