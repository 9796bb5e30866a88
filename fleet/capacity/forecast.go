package capacity

import (
	"math"
	"slices"
	"strings"
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

// Ask names the history of one row: the sum of the series it queries, or of the
// hours that stay in memory.
type Ask struct {
	Scope    Scope
	ID       string
	Resource Resource
	Queries  []fleet.Query
	Pasts    []*fleet.Past // of racks, for which there would be too many queries
	Region   string        // of a site: a region lasts as long as its first one
}

// Forecast is the history of a row with the line through it.
type Forecast struct {
	Scope    Scope
	ID       string
	Resource Resource
	Limit    fleet.Num
	Samples  []trend.Sample // oldest first
	Line     trend.Line
}

// powerKey is the series of a device's total watts.
var powerKey = fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}

func series(target string, key fleet.SeriesKey) fleet.Query {
	return fleet.Query{Kind: fleet.QuerySeries, Target: target, Key: key, Span: history, Step: step}
}

// asker collects what is asked, each query counted once.
type asker struct {
	asks []Ask
	seen map[fleet.Query]bool
}

// add takes an ask where its queries still have room: half a sum is no load.
func (x *asker) add(a Ask) {
	fresh := 0
	for _, q := range a.Queries {
		if !x.seen[q] {
			fresh++
		}
	}
	if len(a.Queries)+len(a.Pasts) == 0 || len(x.seen)+fresh > maxQueries {
		return
	}
	for _, q := range a.Queries {
		x.seen[q] = true
	}
	x.asks = append(x.asks, a)
}

// Asks lists the history that forecasts need: of clouds their instances, of
// feeds the UPS above where it carries nothing else, else their PDUs, of sites
// those of their feeds, and of racks the hours in memory. Racks that are named
// are asked for by their PDUs, further back. What would go beyond a few dozen
// series is left out, whole rows at a time.
func Asks(s *fleet.Snapshot, racks ...string) []Ask {
	x := &asker{seen: map[fleet.Query]bool{}}
	for _, id := range racks {
		a := Ask{Scope: ScopeRack, ID: id, Resource: Power}
		for _, i := range s.DevicesOf[id] {
			if s.Devices.At(i).Spec.Kind == fleet.KindPDU {
				a.Queries = append(a.Queries, series(s.Devices.ID(i), powerKey))
			}
		}
		x.add(a)
	}
	for id := range s.Clouds.All() {
		x.add(Ask{Scope: ScopeCloud, ID: id, Resource: Instances, Queries: []fleet.Query{series(id, fleet.SeriesKey{Table: fleet.TableInstances, Row: "count"})}})
	}
	x.feeds(s)
	for id := range s.Racks.All() {
		if !slices.Contains(racks, id) {
			x.add(rackPast(s, id))
		}
	}
	return x.asks
}

// feeds asks for each feed and then for each site, whose load is that of the
// feeds that PDUs hang on.
func (x *asker) feeds(s *fleet.Snapshot) {
	children := map[string]int{}
	for _, f := range s.Feeds.All() {
		children[f.Spec.Parent]++
	}
	sites := map[string][]fleet.Query{}
	for id, f := range s.Feeds.All() {
		a := Ask{Scope: ScopeFeed, ID: id, Resource: Power}
		if up := s.Devices.Get(f.Spec.Parent); up != nil && up.Spec.Kind == fleet.KindUPS && children[f.Spec.Parent] == 1 {
			a.Queries = append(a.Queries, series(f.Spec.Parent, powerKey))
		} else {
			for _, i := range s.PDUsOf[id] {
				a.Queries = append(a.Queries, series(s.Devices.ID(i), powerKey))
			}
		}
		if feedsRacks(s, id) {
			sites[f.Spec.Site] = append(sites[f.Spec.Site], a.Queries...)
		}
		x.add(a)
	}
	for id, site := range s.Sites.All() {
		x.add(Ask{Scope: ScopeSite, ID: id, Resource: Power, Queries: sites[id], Region: site.Spec.Region})
	}
}

// feedsRacks reports whether PDUs hang on a feed itself. What stands above other
// feeds carries their load once more.
func feedsRacks(s *fleet.Snapshot, feed string) bool {
	return slices.ContainsFunc(s.PDUsOf[feed], func(i int) bool { return s.Devices.At(i).Spec.Kind == fleet.KindPDU })
}

// rackPast asks for the hours of a rack's PDUs, of all of them or none.
func rackPast(s *fleet.Snapshot, id string) Ask {
	a := Ask{Scope: ScopeRack, ID: id, Resource: Power}
	for _, i := range s.DevicesOf[id] {
		d := s.Devices.At(i)
		if d.Spec.Kind != fleet.KindPDU {
			continue
		}
		if !d.Past.Has(fleet.PastPower) {
			return Ask{}
		}
		a.Pasts = append(a.Pasts, d.Past)
	}
	return a
}

// Foresee fills the dates and the 95th percentile into the rows that were asked
// for, and returns the lines behind them; get returns the points of a query,
// false where they are not there.
func Foresee(rows []Row, asks []Ask, now time.Time, get func(fleet.Query) ([]fleet.Point, bool)) []Forecast {
	var out []Forecast
	got := map[fleet.Query][]fleet.Point{}
	for _, a := range asks {
		i := indexOf(rows, a.Scope, a.ID, a.Resource)
		if i < 0 {
			continue
		}
		samples, ok := hours(a.Pasts), true
		if len(a.Pasts) == 0 {
			samples, ok = a.total(got, get)
		}
		if ok {
			out = append(out, Forecast{a.Scope, a.ID, a.Resource, rows[i].Total, samples, rows[i].foresee(samples, now)})
		}
	}
	for _, a := range asks {
		if i := indexOf(rows, ScopeRegion, a.Region, a.Resource); i >= 0 && a.Scope == ScopeSite {
			if k := indexOf(rows, a.Scope, a.ID, a.Resource); k >= 0 {
				rows[i].lastsAs(&rows[k])
			}
		}
	}
	return out
}

func indexOf(rows []Row, scope Scope, id string, r Resource) int {
	return slices.IndexFunc(rows, func(x Row) bool { return x.Scope == scope && x.ID == id && x.Resource == r })
}

// lastsAs takes the runway of a part, where it is the first that comes to an
// end; one that is not known is no comfort, and is said as long as none ends.
func (r *Row) lastsAs(part *Row) {
	switch {
	case part.Runway == "":
	case r.Runway == "", part.At != nil && (r.At == nil || part.At.Before(*r.At)), part.Low != nil && r.Low == nil, !part.Foreseen() && r.Low == nil:
		r.Low, r.At, r.High, r.Confidence, r.Runway = part.Low, part.At, part.High, part.Confidence, part.ID+": "+part.Runway
	}
}

// Foreseen reports whether the runway is an answer, be it that no limit is in
// sight; false: it says why there is none.
func (r *Row) Foreseen() bool { return r.Confidence != nil && !strings.Contains(r.Runway, noTrend) }

// noTrend stands in the runway of a row whose history says nothing.
const noTrend = "no trend:"

// hours adds up the hours of several devices that all of them have.
func hours(pasts []*fleet.Past) []trend.Sample {
	var out []trend.Sample
	until := int64(0)
	for _, p := range pasts {
		until = max(until, p.Until())
	}
	for h := until - fleet.PastHours; h < until; h++ {
		sum := 0.0
		for _, p := range pasts {
			sum += p.At(fleet.PastPower, h) // NaN, where one has none
		}
		if !math.IsNaN(sum) {
			out = append(out, trend.Sample{At: time.Unix(h*3600, 0).UTC(), V: sum})
		}
	}
	return out
}

// total asks for the series of an ask and adds them up; false where one is not
// there.
func (a *Ask) total(got map[fleet.Query][]fleet.Point, get func(fleet.Query) ([]fleet.Point, bool)) ([]trend.Sample, bool) {
	parts := make([][]fleet.Point, len(a.Queries))
	for k, q := range a.Queries {
		if _, has := got[q]; !has {
			points, ok := get(q)
			if !ok {
				points = nil
			}
			got[q] = points
		}
		if parts[k] = got[q]; parts[k] == nil {
			return nil, false
		}
	}
	return total(parts), true
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
			at := p[i].At().Truncate(step).Unix()
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

func (r *Row) foresee(s []trend.Sample, now time.Time) trend.Line {
	if len(s) == 0 {
		r.Runway = "no history is kept"
		return trend.Line{}
	}
	line := trend.Slope(s, period)
	r.P95 = whole(trend.Quantile(trend.Values(s), 0.95), r.Unit)
	if !r.Total.Known {
		r.Runway = "its limit is not known"
		return line
	}
	way := line.Until(r.Total.Float(), now)
	r.Low, r.At, r.High, r.Runway = date(way.Low), date(way.At), date(way.High), way.Why
	r.Confidence = &way.Confidence
	return line
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Hour)
	return &t
}
