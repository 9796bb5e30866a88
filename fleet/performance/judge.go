package performance

import (
	"fmt"
	"math"
	"time"

	"plumb/fleet"
)

// Case is a device with all that it is held against.
type Case struct {
	Device *fleet.Device
	Past   *fleet.Past
	Norms  fleet.Norms // of its like
	Now    time.Time
}

// Judgement is what was found, and what is going to be.
type Judgement struct {
	Looks     []fleet.Look
	Forecasts []fleet.Forecast
}

// Judge looks at every class of hours that a device has, and at its parts.
func Judge(c Case) (out Judgement) {
	for class := range fleet.PastClass(fleet.NumPasts) {
		if !c.Past.Has(class) {
			continue
		}
		out.Looks = append(out.Looks, c.usual(class))
		if drifts[class].creeps {
			look, forecast := c.creep(class)
			out.Looks = append(out.Looks, look)
			if forecast != nil {
				out.Forecasts = append(out.Forecasts, *forecast)
			}
		}
	}
	out.Looks = append(append(out.Looks, c.alike()...), c.wearing()...)
	return out
}

// habit says how a class drifts.
type habit struct {
	name, unit string
	// least and share are how far off a value must be at least to be spoken of,
	// in its unit and as a share of what is usual: less than that is what meters
	// and rooms do.
	least, share float64
	creeps       bool // where it goes is worth a look: wear and dust creep, load does not
	falls        bool // it is falling that is bad
}

var drifts = [fleet.NumPasts]habit{
	fleet.PastInlet:   {name: "inlet", unit: "C", least: 4, creeps: true},
	fleet.PastHot:     {name: "hottest part", unit: "C", least: 5, creeps: true},
	fleet.PastFans:    {name: "fans", unit: "rpm", least: 500, share: 0.15},
	fleet.PastSlowest: {name: "slowest fan", unit: "of the middle one", least: 0.06, creeps: true, falls: true},
	fleet.PastPower:   {name: "power", unit: "W", least: 40, share: 0.25},
	fleet.PastErrors:  {name: "port errors", unit: "an hour", least: 20, share: 1},
}

// say writes a value of the class.
func (d habit) say(v float64) string {
	switch d.unit {
	case "C":
		return fmt.Sprintf("%.1f C", v)
	case "rpm", "W":
		return fmt.Sprintf("%.0f %s", v, d.unit)
	case "of the middle one":
		return fmt.Sprintf("%.0f %% of the middle one", 100*v)
	}
	return fmt.Sprintf("%.0f %s", v, d.unit)
}

// floor is how far off a value must be at least.
func (d habit) floor(usual float64) float64 { return max(d.least, d.share*math.Abs(usual)) }

// finding is one about a class, with what all of them share.
func finding(class fleet.PastClass, base fleet.BaselineName, expected, observed string) *fleet.Finding {
	return &fleet.Finding{
		Kind: fleet.FindPerformance, Class: fleet.ClassChanged, Severity: fleet.SeverityInfo,
		Baselines: []fleet.Baseline{{Name: base, Expected: expected}}, Observed: observed,
		Evidence: "hours of " + drifts[class].name,
	}
}
