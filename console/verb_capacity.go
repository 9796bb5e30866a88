package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views"
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
		case scope != "" && r.Scope != scope, region != "" && capacity.RegionOf(s, r.Scope, r.ID) != region:
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

// placeRow is a rack that takes machines, that would, or why it takes none.
type placeRow struct {
	Rank    int    `json:"rank"` // in the order of choice; 0: it takes none
	Rack    string `json:"rack"`
	Servers int    `json:"servers"` // that go there
	Units   string `json:"units"`   // the lowest unit of each
	Room    int    `json:"room"`    // how many it would take
	Why     string `json:"why"`     // what binds there
}

// elsewhereShown is how many racks that take nothing are listed for people.
const elsewhereShown = 20

// runPlace answers where machines of one shape fit: of every rack its rank, or
// what binds it. It exits 1 where some find no place.
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
	rows := placeRows(&p)
	if p.Short > 0 {
		c.code = exitFailed
	}
	if c.format != export.Text {
		return write(c, s.At, rows)
	}
	shown := rows[:min(len(rows), len(p.Places)+elsewhereShown)]
	for i := range shown {
		switch r := &shown[i]; {
		case r.Rank == 0:
			r.Why = "none: " + r.Why
		case r.Servers == 0:
			r.Why = "not needed; binds " + r.Why
		}
	}
	if err := write(c, s.At, shown); err != nil {
		return err
	}
	if left := len(rows) - len(shown); left > 0 {
		fmt.Fprintf(c.Stdout, "and %d racks more; --json has them all\n", left)
	}
	_, err = fmt.Fprintf(c.Stdout, "%d of %d placed, racks: %d chosen, %d not needed, %d take none\n", q.Servers-p.Short, q.Servers, len(p.Places), len(p.Spare), len(p.Refused))
	return err
}

// placeRows is an answer rack by rack, in the order of choice.
func placeRows(p *capacity.Placement) []placeRow {
	var rows []placeRow
	for _, list := range [...][]capacity.Place{p.Places, p.Spare} {
		for _, x := range list {
			units := make([]string, len(x.Units))
			for i, u := range x.Units {
				units[i] = u.Num().String()
			}
			rows = append(rows, placeRow{len(rows) + 1, x.Rack, x.Servers, strings.Join(units, " "), x.Room, x.Why})
		}
	}
	for _, x := range p.Refused {
		rows = append(rows, placeRow{Rack: x.Rack, Why: x.Why})
	}
	return rows
}

// placeRequest reads what a verb asks room for.
func placeRequest(s *fleet.Snapshot, c *verbCall) (capacity.Request, error) {
	q, err := views.ParsePlace(s, c.words, c.flags)
	if err != nil {
		return q, usage("place 12 --units 1 --watts 450 --ports 2x25G --region fra --spread 3", "place: %v", err)
	}
	return q, nil
}
