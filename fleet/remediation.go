package fleet

import (
	"slices"
	"time"
)

// Remediation are the user's own bounds for everything that writes. The zero
// value is the defaults.
type Remediation struct {
	Freezes []FreezeWindow
	Budgets Budgets
	// Unhealthy is the share of like devices of a rack or a region, in percent,
	// that may be unhealthy before nothing is done to the others; 0: 40.
	Unhealthy int
	// CoolDown is how long the same action on the same target waits after the
	// first try; it doubles with each. 0: a minute.
	CoolDown time.Duration
	// Tries are how often the same may be tried on one target within a day
	// before it is in quarantine; 0: two.
	Tries int
	// Soak is how long a wave is watched before the next begins; 0: 15 s.
	Soak time.Duration
}

// Budgets are how many targets an hour may be taken from their work. 0: the
// default.
type Budgets struct{ Rack, Feed, Switch, Service, Region, Fleet int }

// FreezeWindow is a time in which nothing is done: once, or every week.
type FreezeWindow struct {
	Name        string
	Select      map[string]string // as FacetPolicy.Select; nil: everything
	From, Until time.Time         // once
	Days        []time.Weekday    // every week on these days; nil: see From
	Start, End  time.Duration     // since 00:00 UTC of the day; End may be beyond 24 h
	Reason      string
}

// Covers reports whether the window is open at a time.
func (w *FreezeWindow) Covers(now time.Time) bool {
	if len(w.Days) == 0 {
		return !now.Before(w.From) && now.Before(w.Until)
	}
	return weekly(w.Days, w.Start, w.End, now)
}

// weekly reports whether a time is within what begins and ends, so long since
// 00:00 UTC, on days of the week.
func weekly(days []time.Weekday, start, end time.Duration, now time.Time) bool {
	now = now.UTC()
	for _, back := range [...]int{0, -1} { // a window may reach into the next day
		day := time.Date(now.Year(), now.Month(), now.Day()+back, 0, 0, 0, 0, time.UTC)
		since := now.Sub(day)
		if slices.Contains(days, day.Weekday()) && since >= start && since < end {
			return true
		}
	}
	return false
}

// Freeze is the switch that stops everything: who threw it, when and why.
type Freeze struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"` // zero: until somebody thaws
}

// Holds reports whether the switch is thrown.
func (f *Freeze) Holds(now time.Time) bool {
	return f != nil && (f.Until.IsZero() || now.Before(f.Until))
}

// Or returns the bounds with the defaults where nothing is said.
func (r *Remediation) Or() Remediation {
	var out Remediation
	if r != nil {
		out = *r
	}
	put := func(n *int, or int) {
		if *n == 0 {
			*n = or
		}
	}
	put(&out.Budgets.Rack, 8)
	put(&out.Budgets.Feed, 20)
	put(&out.Budgets.Switch, 20)
	put(&out.Budgets.Service, 10)
	put(&out.Budgets.Region, 60)
	put(&out.Budgets.Fleet, 120)
	put(&out.Unhealthy, 40)
	put(&out.Tries, 2)
	if out.CoolDown == 0 {
		out.CoolDown = time.Minute
	}
	if out.Soak == 0 {
		out.Soak = 15 * time.Second
	}
	return out
}
