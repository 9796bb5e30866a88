package capacity

import (
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/trend"
)

// How far back a forecast looks, how fine, and what a day of its series is.
const (
	history = 60 * 24 * time.Hour
	step    = time.Hour
	period  = 24 * time.Hour
)

// maxQueries bounds what is asked for one list.
const maxQueries = 48

// Ask names the history of one row: the sum of the series it queries.
type Ask struct {
	Scope    Scope
	ID       string
	Resource Resource
	Queries  []fleet.Query
}

// powerKey is the series of a device's total watts.
var powerKey = fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}

func series(target string, key fleet.SeriesKey) fleet.Query {
	return fleet.Query{Kind: fleet.QuerySeries, Target: target, Key: key, Span: history, Step: step}
}

// Asks lists the history that forecasts need: of clouds their instances, of
// feeds the UPS above where it carries nothing else, else their PDUs, and of the
// racks named the PDUs. What would go beyond a few dozen series is left out,
// whole rows at a time: half a sum is no load.
func Asks(s *fleet.Snapshot, racks ...string) []Ask {
	var out []Ask
	n := 0
	add := func(a Ask) {
		if len(a.Queries) > 0 && n+len(a.Queries) <= maxQueries {
			n, out = n+len(a.Queries), append(out, a)
		}
	}
	for _, id := range racks {
		a := Ask{Scope: ScopeRack, ID: id, Resource: Power}
		for _, i := range s.DevicesOf[id] {
			if s.Devices.At(i).Spec.Kind == fleet.KindPDU {
				a.Queries = append(a.Queries, series(s.Devices.ID(i), powerKey))
			}
		}
		add(a)
	}
	for id := range s.Clouds.All() {
		add(Ask{ScopeCloud, id, Instances, []fleet.Query{series(id, fleet.SeriesKey{Table: fleet.TableInstances, Row: "count"})}})
	}
	children := map[string]int{}
	for _, f := range s.Feeds.All() {
		children[f.Spec.Parent]++
	}
	for id, f := range s.Feeds.All() {
		a := Ask{Scope: ScopeFeed, ID: id, Resource: Power}
		if up := s.Devices.Get(f.Spec.Parent); up != nil && up.Spec.Kind == fleet.KindUPS && children[f.Spec.Parent] == 1 {
			a.Queries = append(a.Queries, series(f.Spec.Parent, powerKey))
		} else {
			for _, i := range s.PDUsOf[id] {
				a.Queries = append(a.Queries, series(s.Devices.ID(i), powerKey))
			}
		}
		add(a)
	}
	return out
}

// Foresee fills the dates and the 95th percentile into the rows that were asked
// for; get returns the points of a query, false where they are not there.
func Foresee(rows []Row, asks []Ask, now time.Time, get func(fleet.Query) ([]fleet.Point, bool)) {
	for _, a := range asks {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Scope == a.Scope && r.ID == a.ID && r.Resource == a.Resource })
		if i < 0 {
			continue
		}
		parts := make([][]fleet.Point, len(a.Queries))
		whole := true
		for k, q := range a.Queries {
			var ok bool
			parts[k], ok = get(q)
			whole = whole && ok
		}
		if whole {
			rows[i].foresee(total(parts), now)
		}
	}
}

// total adds up series in the hours that all of them have.
func total(parts [][]fleet.Point) []trend.Sample {
	if len(parts) == 1 {
		return trend.Samples(parts[0])
	}
	type hour struct {
		sum float64
		of  int // series that have it
	}
	hours := map[int64]hour{}
	for k, p := range parts {
		for i := range p {
			at := p[i].At.Truncate(step).Unix()
			if h := hours[at]; p[i].Mean.Known && h.of == k { // once a series, and only if all before had it
				hours[at] = hour{h.sum + p[i].Mean.Float(), k + 1}
			}
		}
	}
	var out []trend.Sample
	for at, h := range hours {
		if h.of == len(parts) {
			out = append(out, trend.Sample{At: time.Unix(at, 0).UTC(), V: h.sum})
		}
	}
	slices.SortFunc(out, func(a, b trend.Sample) int { return a.At.Compare(b.At) })
	return out
}

func (r *Row) foresee(s []trend.Sample, now time.Time) {
	if len(s) == 0 {
		r.Runway = "no history is kept"
		return
	}
	r.P95 = whole(trend.Quantile(trend.Values(s), 0.95), r.Unit)
	if !r.Total.Known {
		r.Runway = "its limit is not known"
		return
	}
	way := trend.Slope(s, period).Until(r.Total.Float(), now)
	r.Low, r.At, r.High, r.Runway = date(way.Low), date(way.At), date(way.High), way.Why
	r.Confidence = &way.Confidence
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Hour)
	return &t
}
