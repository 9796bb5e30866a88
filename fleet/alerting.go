package fleet

import (
	"slices"
	"time"
)

// Alerting is what the user wants to be called for, and how. The zero value
// calls nobody.
type Alerting struct {
	Rules       []AlertRule
	Route       *AlertRoute // the root; nil: nobody is told
	Receivers   []string
	Each        []string // those of them that know every alert by itself, and its end: they are told what changed, and all when it is repeated
	Inhibit     []Inhibition
	Maintenance []Maintenance
	// Settle is how long nothing is told after a start at most, while not
	// everything was polled once; 0: three polls.
	Settle time.Duration
	// AckFor is how long an ack stands where nobody says; 0: until its alert
	// changes.
	AckFor time.Duration
}

// AlertRule says what to look for, and what to say of it. Expressions are those
// of fleet/alert.
type AlertRule struct {
	Name     string
	On       string            // what it looks at: device, sensor, port ...
	Select   map[string]string // as FacetPolicy.Select, of the device
	Problem  string
	Recovery string // "": that the problem is over
	Severity Severity
	Graded   bool // Severity was given; else a finding's or an event's own
	For      time.Duration
	Keep     time.Duration // goes on firing after the last true
	// Attempts bad looks in a row make it hard; 0: three where it is polled.
	Attempts     int
	RecoverAfter int           // good looks in a row that it takes; 0: one
	Retry        time.Duration // between soft looks; 0: half a second
	Labels       map[string]string
	// Summary and the others are texts with {fields} in them.
	Summary, Cause, Evidence, Runbook string
}

// AlertRoute says who is told. What it leaves out it has from the route above.
type AlertRoute struct {
	Receiver string
	Match    []Matcher
	GroupBy  []string // nil: as above; "...": every alert alone
	Wait     time.Duration
	Interval time.Duration
	Repeat   time.Duration
	Continue bool // those after it are asked too
	Routes   []AlertRoute
}

// Inhibition holds what matches Target while something that matches Source
// fires and has the same labels. A label that both lack is not the same.
type Inhibition struct {
	Source, Target []Matcher
	Equal          []string
}

// Maintenance is a time in which nothing of what it covers is told: between
// From and Until, or, where Lasts is given, for that long from the first bad
// state within them; or every week on Days, from Start to End.
type Maintenance struct {
	Name        string
	Match       []Matcher
	At          string // a region, site, rack, feed or device, and all in it; "": see Match
	From, Until time.Time
	Lasts       time.Duration
	Days        []time.Weekday // every week on these days; nil: see From
	Start, End  time.Duration  // since 00:00 UTC of the day; End may be beyond 24 h
	Reason      string
}

// Weekly reports whether a maintenance that is every week is open at a time.
func (m *Maintenance) Weekly(now time.Time) bool {
	return len(m.Days) > 0 && weekly(m.Days, m.Start, m.End, now)
}

// Edge is when one that is every week opens or closes next.
func (m *Maintenance) Edge(now time.Time) (next time.Time) {
	now = now.UTC()
	for ahead := -1; ahead <= 8; ahead++ {
		day := time.Date(now.Year(), now.Month(), now.Day()+ahead, 0, 0, 0, 0, time.UTC)
		if !slices.Contains(m.Days, day.Weekday()) {
			continue
		}
		for _, t := range [...]time.Time{day.Add(m.Start), day.Add(m.End)} {
			if t.After(now) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}
