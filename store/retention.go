package store

import (
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// Retention says how long readings are kept by tier. Events and the history of
// rows are kept as long as the longest tier; jobs and audit entries for ever.
//
// A class of series may differ from the others: the counters of a switch are
// most of what it says, and their samples are seldom looked at after a day.
type Retention struct {
	Raw     time.Duration // every sample
	FiveMin time.Duration // one point per 5 minutes
	Hour    time.Duration // one point per hour

	Gauges, Counters, States Tiers // what is kept for another time than the others
}

// Tiers says how long one class of series is kept by tier. Zero stands for the
// retention of all.
type Tiers struct {
	Raw, FiveMin, Hour time.Duration
}

// kinds are the classes of series.
var kinds = [...]fleet.SeriesKind{fleet.Gauge, fleet.Counter, fleet.Discrete}

// of returns how long the series of a class are kept.
func (r Retention) of(kind fleet.SeriesKind) Tiers {
	own := r.Gauges
	switch kind {
	case fleet.Counter:
		own = r.Counters
	case fleet.Discrete:
		own = r.States
	}
	or := func(own, all time.Duration) time.Duration {
		if own != 0 {
			return own
		}
		return all
	}
	return Tiers{or(own.Raw, r.Raw), or(own.FiveMin, r.FiveMin), or(own.Hour, r.Hour)}
}

// most returns how long the class that is kept longest is kept, by tier.
func (r Retention) most() (t Tiers) {
	for _, kind := range kinds {
		k := r.of(kind)
		t = Tiers{max(t.Raw, k.Raw), max(t.FiveMin, k.FiveMin), max(t.Hour, k.Hour)}
	}
	return t
}

func (t Tiers) longest() time.Duration { return max(t.Raw, t.FiveMin, t.Hour) }

func (r Retention) longest() time.Duration {
	return max(r.Raw, r.FiveMin, r.Hour, r.most().longest())
}

// at returns how long a level is kept: 0 is the samples, then the tiers.
func (t Tiers) at(level int) int64 {
	return durMs([...]time.Duration{t.Raw, t.FiveMin, t.Hour}[level])
}

// validate reports what is wrong with the retention of all, and of each class
// that differs.
func (r Retention) validate() error {
	errs := []error{Tiers{r.Raw, r.FiveMin, r.Hour}.validate("retention.")}
	for i, own := range []Tiers{r.Gauges, r.Counters, r.States} {
		if own != (Tiers{}) {
			errs = append(errs, r.of(kinds[i]).validate("retention."+[...]string{"gauges", "counters", "states"}[i]+"."))
		}
	}
	return errors.Join(errs...)
}

func (t Tiers) validate(at string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("store: "+at+format, args...)) }
	if t.Raw < 2*window {
		bad("raw: %v is shorter than two blocks (%v)", t.Raw, 2*window)
	}
	if t.FiveMin < t.Raw {
		bad("5m: %v is shorter than %sraw (%v)", t.FiveMin, at, t.Raw)
	}
	if t.Hour < t.FiveMin {
		bad("1h: %v is shorter than %s5m (%v)", t.Hour, at, t.FiveMin)
	}
	return errors.Join(errs...)
}
