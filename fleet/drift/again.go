package drift

import (
	"slices"
	"time"

	"plumb/fleet"
)

const (
	// sameTrouble is how close together two beginnings are one trouble: what
	// flaps came once.
	sameTrouble = time.Hour
	// maxAgain bounds what is remembered of one target, and of one trouble.
	maxAgain, maxTimes = 32, 8
)

// Again returns a docket that knows that a trouble began, or that an action was
// done, and the row to keep; ok is false where it is the same as just before.
func Again(was *fleet.Docket, what string, now time.Time) (next *fleet.Docket, row fleet.Again, ok bool) {
	d := fleet.Docket{}
	if was != nil {
		d = *was
	}
	i := slices.IndexFunc(d.Again, func(a fleet.Again) bool { return a.What == what })
	switch {
	case i >= 0:
		row = d.Again[i]
		if n := len(row.At); n > 0 && now.Sub(row.At[n-1]) < sameTrouble {
			return was, row, false
		}
	case len(d.Again) >= maxAgain:
		return was, row, false
	}
	d.Again = slices.Clone(d.Again)
	if i < 0 {
		i, d.Again = len(d.Again), append(d.Again, fleet.Again{What: what})
	}
	a := &d.Again[i]
	a.At = append(slices.Clone(a.Within(now)), now)
	a.At = a.At[max(0, len(a.At)-maxTimes):]
	return &d, *a, true
}
