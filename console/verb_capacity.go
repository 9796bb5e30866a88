package console

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/export"
)

// runCapacity lists what is left of what. For people that is regions, feeds,
// clouds and whatever breaks a limit; scripts get every scope.
func runCapacity(ctx context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	region := strings.Join(c.words, "")
	if err := knownRegion(s, region); err != nil {
		return err
	}
	scope := capacity.Scope(c.flags["scope"])
	if scope != "" && !slices.Contains(capacity.Scopes, scope) {
		return usage("scopes: region site rack feed cloud", "capacity: %s: no such scope", fleet.Clean(string(scope), 40))
	}
	rows := v.capacity(ctx, s, c.now)
	brief := scope == "" && (c.format == export.Text || c.format == export.Markdown)
	rows = slices.DeleteFunc(rows, func(r capacity.Row) bool {
		switch {
		case scope != "" && r.Scope != scope, region != "" && regionOf(s, &r) != region:
			return true
		case brief && !r.Over:
			return r.Scope == capacity.ScopeSite || r.Scope == capacity.ScopeRack
		}
		return false
	})
	return write(c, s.At, rows, "exhausts_low", "exhausts_at", "exhausts_high", "confidence", "do")
}

// capacity is what is left of everything, with its runway where history gives
// one.
func (v *Verbs) capacity(ctx context.Context, s *fleet.Snapshot, now time.Time) []capacity.Row {
	rows := capacity.Of(s)
	capacity.Foresee(rows, capacity.Asks(s), now, func(q fleet.Query) ([]fleet.Point, bool) {
		a := v.Memory.Answer(ctx, q, now)
		return a.Points, a.Err == nil && len(a.Points) > 0
	})
	return rows
}

func knownRegion(s *fleet.Snapshot, region string) error {
	if region == "" || s.Regions.Get(region) != nil {
		return nil
	}
	var ids []string
	for id := range s.Regions.All() {
		ids = append(ids, id)
	}
	return &Failure{"unknown", fmt.Sprintf("%s: no such region", fleet.Clean(region, 40)), "regions: " + strings.Join(ids, ", ")}
}

// regionOf is the region that a row belongs to, "" where it has none.
func regionOf(s *fleet.Snapshot, r *capacity.Row) string {
	site := ""
	switch r.Scope {
	case capacity.ScopeRegion:
		return r.ID
	case capacity.ScopeSite:
		site = r.ID
	case capacity.ScopeRack:
		if x := s.Racks.Get(r.ID); x != nil {
			return x.Spec.Region
		}
	case capacity.ScopeFeed:
		if x := s.Feeds.Get(r.ID); x != nil {
			site = x.Spec.Site
		}
	case capacity.ScopeCloud:
		if x := s.Clouds.Get(r.ID); x != nil {
			return x.Spec.Region
		}
	}
	if x := s.Sites.Get(site); x != nil {
		return x.Spec.Region
	}
	return ""
}

// placeRow is a rack that takes machines, or why it takes none.
type placeRow struct {
	Rack    string `json:"rack"`
	Servers int    `json:"servers"`
	Units   string `json:"units"` // the lowest unit of each
	Room    int    `json:"room"`  // how many it would take
	Why     string `json:"why"`
}

// runPlace answers where machines of one shape fit. It exits 1 where some find
// no place.
func runPlace(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	q, err := placeRequest(s, c)
	if err != nil {
		return err
	}
	p := capacity.PlaceIn(s, q)
	var rows []placeRow
	for _, x := range p.Places {
		units := make([]string, len(x.Units))
		for i, u := range x.Units {
			units[i] = u.Num().String()
		}
		rows = append(rows, placeRow{x.Rack, x.Servers, strings.Join(units, " "), x.Room, x.Why})
	}
	if c.format != export.Text || len(p.Places) == 0 || p.Short > 0 {
		for _, x := range p.Refused {
			rows = append(rows, placeRow{Rack: x.Rack, Why: x.Why})
		}
	}
	if err := write(c, s.At, rows); err != nil {
		return err
	}
	if p.Short > 0 {
		c.code = exitFailed
	}
	if c.format == export.Text {
		_, err = fmt.Fprintf(c.Stdout, "%d of %d placed, %d racks refused\n", q.Servers-p.Short, q.Servers, len(p.Refused))
	}
	return err
}

// Bounds of what may be asked for.
const (
	maxServers = 10_000
	maxWatts   = 100_000
)

func placeRequest(s *fleet.Snapshot, c *verbCall) (q capacity.Request, err error) {
	const example = "place 12 --u 1 --watts 450 --ports 2x25G --region fra --spread 3"
	if err := c.want(1, "how many servers"); err != nil {
		return q, err
	}
	q = capacity.Request{HeightU: 2, KeepAB: c.flags["single-cord"] == "", Region: c.flags["region"]}
	if q.Servers, err = strconv.Atoi(c.words[0]); err != nil || q.Servers < 1 || q.Servers > maxServers {
		return q, usage(example, "place: %s: not a number of servers from 1 to %d", fleet.Clean(c.words[0], 20), maxServers)
	}
	if err := knownRegion(s, q.Region); err != nil {
		return q, err
	}
	if u := c.flags["u"]; u != "" {
		f, err := strconv.ParseFloat(u, 64)
		if err != nil || f <= 0 || f > 60 || f*2 != math.Trunc(f*2) {
			return q, usage(example, "place: --u %s: not a height in units, in steps of a half", fleet.Clean(u, 20))
		}
		q.HeightU = fleet.HalfU(f * 2)
	}
	if q.Watts, err = strconv.ParseFloat(c.flags["watts"], 64); err != nil || !(q.Watts > 0 && q.Watts <= maxWatts) {
		return q, usage(example, "place: --watts of one server is needed")
	}
	if p := c.flags["ports"]; p != "" {
		n, speed, ok := strings.Cut(strings.ToUpper(p), "X")
		g, isG := strings.CutSuffix(speed, "G")
		count, err1 := strconv.Atoi(n)
		gigabits, err2 := strconv.Atoi(g)
		if !ok || !isG || err1 != nil || err2 != nil || count < 0 || count > 64 || gigabits < 1 || gigabits > 1600 {
			return q, usage(example, "place: --ports %s: not like 2x25G", fleet.Clean(p, 20))
		}
		q.Ports, q.SpeedBps = count, int64(gigabits)*1e9
	}
	if n := c.flags["spread"]; n != "" {
		if q.RackSpread, err = strconv.Atoi(n); err != nil || q.RackSpread < 1 || q.RackSpread > q.Servers {
			return q, usage(example, "place: --spread %s: not a number of racks from 1 to %d", fleet.Clean(n, 20), q.Servers)
		}
	}
	return q, nil
}
