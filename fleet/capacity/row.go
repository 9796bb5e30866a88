package capacity

import (
	"math"
	"time"

	"plumb/fleet"
)

// Scope says what a row is about.
type Scope string

// Scopes.
const (
	ScopeRegion Scope = "region"
	ScopeSite   Scope = "site"
	ScopeRack   Scope = "rack"
	ScopeFeed   Scope = "feed"
	ScopeCloud  Scope = "cloud"
)

// Scopes lists them, the widest first.
var Scopes = []Scope{ScopeRegion, ScopeSite, ScopeRack, ScopeFeed, ScopeCloud}

// Resource is what may run out.
type Resource string

// Resources.
const (
	Units      Resource = "units"
	Contiguous Resource = "contiguous_units"
	Power      Resource = "power"
	Failover   Resource = "power_failover"
	Ports      Resource = "ports"
	Outlets    Resource = "outlets"
	Weight     Resource = "weight"
	VCPU       Resource = "vcpu"
	Memory     Resource = "memory"
	Instances  Resource = "instances"
	Quota      Resource = "quota"
)

// Row is one resource of one scope. Numbers are null where they are not known.
// Used and Free need not add up to Total: of contiguous units Free is the
// longest run, and what no longer fits makes Free negative.
type Row struct {
	Scope    Scope      `json:"scope"`
	ID       string     `json:"id"`
	Resource Resource   `json:"resource"`
	Class    string     `json:"class"` // ports: their speed; quota: its name; else empty
	Used     fleet.Num  `json:"used"`
	P95      fleet.Num  `json:"p95"` // of the history that was asked for
	Total    fleet.Num  `json:"total"`
	Unit     string     `json:"unit"` // U W count kg vcpu bytes
	Free     fleet.Num  `json:"free"`
	Stranded fleet.Num  `json:"stranded"` // of Free: unusable because of Binds
	Binds    string     `json:"binds"`    // what runs out first, or whose loss is the worst
	Low      *time.Time `json:"exhausts_low"`
	At       *time.Time `json:"exhausts_at"`
	High     *time.Time `json:"exhausts_high"`
	// Confidence is that of the dates, null where no history was looked at.
	Confidence *fleet.Confidence `json:"confidence"`
	Runway     string            `json:"runway"` // the dates in words, or why there are none
	Worst      string            `json:"worst"`  // the worst that may happen, in words
	Do         string            `json:"do"`     // what helps
	Over       bool              `json:"over"`   // a limit is broken, now or in the worst case
}

// Share is how full the row is, NaN where that is not known.
func (r *Row) Share() float64 {
	switch {
	case !r.Total.Known || r.Total.Float() <= 0:
		return math.NaN()
	case r.Resource == Contiguous && r.Free.Known:
		return 1 - r.Free.Float()/r.Total.Float()
	case !r.Used.Known:
		return math.NaN()
	}
	return r.Used.Float() / r.Total.Float()
}

// settle fills in what is free.
func (r *Row) settle() {
	if r.Used.Known && r.Total.Known {
		r.Free = whole(r.Total.Float()-r.Used.Float(), r.Unit)
		r.Over = r.Over || r.Free.N < 0
	}
}

// whole rounds as the unit is read: units on their half grid, the rest to one.
func whole(f float64, unit string) fleet.Num {
	if unit == "U" {
		return fleet.FromFloat(f, 1)
	}
	return fleet.FromFloat(f, 0)
}
