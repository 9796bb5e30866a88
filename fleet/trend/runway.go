package trend

import (
	"fmt"
	"time"

	"plumb/fleet"
)

// Horizon is how far ahead anything is said. What would happen later is not
// known from the past that is kept.
const Horizon = 180 * 24 * time.Hour

// Runway says when a series reaches a limit.
type Runway struct {
	Low, At, High time.Time // earliest, likely, latest; zero: not within the horizon
	Confidence    fleet.Confidence
	Why           string // in words, always set
}

// Until says when a line reaches a limit from below: its busy hours do, not its
// middle, for a breaker does not wait for the night. A date beyond the horizon
// is none. What is over its limit already is at it now.
func (l Line) Until(limit float64, now time.Time) Runway {
	days := fmt.Sprintf("no limit within %d d", int(Horizon.Hours()/24))
	switch {
	case l.Points >= MinPoints && l.Peak >= limit:
		return Runway{Low: now, At: now, High: now, Confidence: l.trust(0), Why: "at its limit now"}
	case !l.Trend():
		return Runway{Why: l.Why}
	case l.Slope <= 0:
		return Runway{Confidence: l.trust(0), Why: days + ": it falls"}
	}
	reach := func(slope float64) time.Time {
		if slope <= 0 {
			return time.Time{}
		}
		s := (limit - l.Peak) / slope
		if s > Horizon.Seconds() {
			return time.Time{}
		}
		t := l.Last.Add(time.Duration(s * float64(time.Second)))
		if t.Before(now) {
			return now
		}
		return t
	}
	r := Runway{Low: reach(l.High), At: reach(l.Slope), High: reach(l.Low)}
	if r.Low.IsZero() {
		r.Confidence, r.Why = l.trust(0), days
		return r
	}
	r.Confidence = l.trust(r.At.Sub(now))
	if r.At.IsZero() {
		r.Confidence, r.Why = fleet.ConfidenceLow, days+", at the earliest "+date(r.Low)
		return r
	}
	r.Why = "about " + date(r.At) + ", " + date(r.Low) + " at the earliest"
	return r
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02") }

// trust is low where the way ahead is longer than the way behind, or the
// interval of the slope is wider than the slope, and high only where both are
// far from it and two weeks were seen.
func (l Line) trust(ahead time.Duration) fleet.Confidence {
	width := l.High - l.Low
	switch slope := max(l.Slope, -l.Slope); {
	case ahead > l.Span, width > slope && l.Trend():
		return fleet.ConfidenceLow
	case l.Span >= 14*24*time.Hour && width <= slope/2 && 3*ahead <= l.Span:
		return fleet.ConfidenceHigh
	}
	return fleet.ConfidenceMedium
}
