package alert

import (
	"time"

	"plumb/fleet"
)

// limits are what a rule asks of the life of its alerts.
type limits struct {
	wait     time.Duration // for
	keep     time.Duration // keep_firing_for
	attempts int
	recover  int
	retry    time.Duration
}

// Bounds of what stays: a resolved alert is shown for linger, and one whose part
// is not looked at any more goes after forget.
const (
	linger  = 15 * time.Minute
	forget  = 24 * time.Hour
	maxBad  = 1000 // looks are counted up to here
	maxGood = 1000
)

// look feeds one look to an alert; nil is one that is not there. It returns the
// alert as it is then, the same one where nothing changed. recovery is what the
// rule asks for before the problem counts as over.
func (l *limits) look(a *fleet.Alert, problem, recovery Truth, now time.Time) *fleet.Alert {
	switch {
	case problem == True:
		return l.tick(l.bad(a, now), now)
	case a == nil:
		return nil
	case problem == Unknown || a.State == fleet.AlertFiring && recovery == Unknown:
		return stale(a, now)
	case a.State == fleet.AlertFiring && recovery == False:
		return l.still(a, now)
	}
	return l.tick(l.good(a, now), now)
}

// stale marks that nobody can tell any more. Its state stays.
func stale(a *fleet.Alert, now time.Time) *fleet.Alert {
	if a.State == fleet.AlertResolved || !a.Stale.IsZero() {
		return a
	}
	n := *a
	n.Stale = now
	return &n
}

// bad is one more look at the problem.
func (l *limits) bad(a *fleet.Alert, now time.Time) *fleet.Alert {
	var n fleet.Alert
	switch {
	case a == nil:
		n = fleet.Alert{State: fleet.AlertPending, Since: now}
	case a.State == fleet.AlertResolved:
		n = fleet.Alert{Rule: a.Rule, Target: a.Target, Part: a.Part, State: fleet.AlertPending, Since: now, Ring: a.Ring, Flapping: a.Flapping}
	default:
		n = *a
	}
	before := n
	n.Good, n.Quiet, n.Stale, n.Looked = 0, time.Time{}, time.Time{}, now
	n.Bad = min(n.Bad+1, maxBad)
	if n.Hard = n.Hard || n.Bad >= l.attempts; n.Hard {
		record(&n, 1)
		n.Retry = time.Time{}
	} else {
		n.Retry = now.Add(l.retry)
	}
	if a != nil && a.State == fleet.AlertFiring && sameBut(&before, &n) {
		return a // one more look at what is known: nothing to keep
	}
	return &n
}

// sameBut reports whether two looks at a firing alert differ only in their
// count, which matters as long as it is soft.
func sameBut(a, b *fleet.Alert) bool {
	return (a.Bad == b.Bad || b.Hard) && a.Good == b.Good && a.Quiet.Equal(b.Quiet) && a.Stale.Equal(b.Stale) && a.Hard == b.Hard && a.Ring == b.Ring && a.Flapping == b.Flapping
}

// still is a look that shows the problem over and the recovery not reached: the
// alert goes on as if nothing had changed.
func (l *limits) still(a *fleet.Alert, now time.Time) *fleet.Alert {
	n := *a
	n.Good, n.Quiet, n.Stale, n.Looked = 0, time.Time{}, time.Time{}, now
	record(&n, 1)
	if sameBut(a, &n) {
		return a
	}
	return &n
}

// good is a look that shows the problem over.
func (l *limits) good(a *fleet.Alert, now time.Time) *fleet.Alert {
	n := *a
	n.Stale, n.Looked = time.Time{}, now
	n.Good = min(n.Good+1, maxGood)
	over := n.Good >= l.recover
	switch {
	case a.State == fleet.AlertResolved:
		if a.Ring == 0 {
			return a
		}
		record(&n, 0)
	case a.State == fleet.AlertPending && over:
		if record(&n, 0); n.Ring == 0 {
			return nil // a soft recovery is silent
		}
		n.State, n.Ended, n.Hard, n.Retry = fleet.AlertResolved, now, false, time.Time{}
	case a.State == fleet.AlertFiring:
		if n.Quiet.IsZero() {
			n.Quiet = now
		}
		if over {
			record(&n, 0)
			n.Hard, n.Bad = false, 0
		}
	}
	return &n
}

// tick lets time pass. It returns nil for an alert that is gone.
func (l *limits) tick(a *fleet.Alert, now time.Time) *fleet.Alert {
	if a == nil {
		return nil
	}
	switch a.State {
	case fleet.AlertPending:
		if a.Hard && a.Good == 0 && a.Stale.IsZero() && now.Sub(a.Since) >= l.wait {
			n := *a
			n.State, n.Fired = fleet.AlertFiring, now
			return &n
		}
	case fleet.AlertFiring:
		if !a.Quiet.IsZero() && a.Good >= l.recover && a.Stale.IsZero() && now.Sub(a.Quiet) >= l.keep {
			n := *a
			n.State, n.Ended, n.Hard, n.Held, n.Ack, n.Retry = fleet.AlertResolved, now, false, nil, nil, time.Time{}
			return &n
		}
	case fleet.AlertResolved:
		done := now.Sub(a.Ended) >= linger && a.Ring == 0 || now.Sub(a.Ended) >= forget
		if done && a.Silenced == "" {
			return nil
		}
	}
	return a
}

// due is when time alone would change the alert; zero: never.
func (l *limits) due(a *fleet.Alert) time.Time {
	switch {
	case a.State == fleet.AlertPending && !a.Hard:
		return a.Retry
	case a.State == fleet.AlertPending && a.Good == 0 && a.Stale.IsZero():
		return a.Since.Add(l.wait)
	case a.State == fleet.AlertFiring && !a.Quiet.IsZero() && a.Good >= l.recover && a.Stale.IsZero():
		return a.Quiet.Add(l.keep)
	case a.State == fleet.AlertResolved && a.Ring == 0 && a.Silenced == "":
		return a.Ended.Add(linger)
	case a.State == fleet.AlertResolved && a.Silenced == "":
		return a.Ended.Add(forget)
	}
	return time.Time{}
}
