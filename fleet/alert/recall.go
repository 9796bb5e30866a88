package alert

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Rows of what is kept: alerts under their targets, by rule and part; silences
// and flexible maintenances under plumb itself. A group, and each alert that it
// told, has a table of its own, since a table is written whole. No rule has a
// blank in its name, or none, so these names are no alert's.
const (
	rowGroup    = " group"
	rowTold     = " told "
	rowSilence  = "silence "
	rowFlexible = "flexible "
	rowBundled  = "group " // under plumb itself, with all whom it told, in older stores
)

// toldRow is what a group told an alert as.
type toldRow struct {
	Group string    `json:"group"`
	Alert string    `json:"alert"`
	As    string    `json:"as"`
	At    time.Time `json:"at"`
}

// bundledRow is a group's row of an older store.
type bundledRow struct {
	fleet.AlertGroup
	Whom map[string]string `json:"told"`
}

func rowOf(a *fleet.Alert) string {
	if a.Part == "" {
		return a.Rule
	}
	return a.Rule + " " + a.Part
}

// Recall makes the book of what the store remembers. Rows that do not decode
// are left out; of alerts the next look makes them anew.
func Recall(tables []fleet.Rows) *fleet.AlertBook {
	b := &fleet.AlertBook{}
	var told []toldRow
	for i := range tables {
		t := &tables[i]
		if t.Table != fleet.TableAlerts && t.Table != fleet.TableSilences {
			continue
		}
		for k, name := range t.Names {
			switch {
			case strings.HasPrefix(name, rowTold):
				var r toldRow
				if json.Unmarshal(t.Values[k], &r) == nil {
					told = append(told, r)
				}
			case name == rowGroup || t.Target == self && strings.HasPrefix(name, rowBundled):
				recallGroup(b, t.Values[k], name != rowGroup)
			default:
				recallRow(b, name, t.Values[k])
			}
		}
	}
	slices.SortFunc(b.Groups, func(x, y fleet.AlertGroup) int { return strings.Compare(x.Key, y.Key) })
	for _, r := range told {
		if i, ok := slices.BinarySearchFunc(b.Groups, r.Group, func(g fleet.AlertGroup, key string) int { return strings.Compare(g.Key, key) }); ok {
			b.Groups[i].Told[r.Alert] = fleet.Word{As: r.As, At: r.At}
		}
	}
	slices.SortFunc(b.List, order)
	slices.SortFunc(b.Silences, func(x, y fleet.Silence) int { return x.Start.Compare(y.Start) })
	w := work{book: *b}
	for _, a := range b.List {
		w.tally(a, 1)
	}
	*b = w.book
	b.Newest = newest(b.List)
	b.Due = time.Unix(0, 0) // whatever is due was so already
	if len(b.List)+len(b.Groups)+len(b.Silences)+len(b.Flexible) == 0 {
		return nil
	}
	return b
}

func recallGroup(b *fleet.AlertBook, value []byte, bundled bool) {
	var r bundledRow
	if json.Unmarshal(value, &r) != nil {
		return
	}
	g := r.AlertGroup
	g.Bundled, g.Told = bundled, make(map[string]fleet.Word, len(r.Whom))
	for id, as := range r.Whom {
		g.Told[id] = fleet.Word{As: as, At: g.Sent}
	}
	if g.Whole.IsZero() { // one that does not say was told whole each time
		g.Whole = g.Sent
	}
	b.Groups = append(b.Groups, g)
}

func recallRow(b *fleet.AlertBook, name string, value []byte) {
	flexible, isFlexible := strings.CutPrefix(name, rowFlexible)
	switch {
	case strings.HasPrefix(name, rowSilence):
		var s fleet.Silence
		if json.Unmarshal(value, &s) == nil {
			b.Silences = append(b.Silences, s)
		}
	case isFlexible:
		var t time.Time
		if json.Unmarshal(value, &t) == nil {
			if b.Flexible == nil {
				b.Flexible = map[string]time.Time{}
			}
			b.Flexible[flexible] = t
		}
	default:
		a := &fleet.Alert{}
		if json.Unmarshal(value, a) == nil && a.Rule != "" {
			if !a.Flapping {
				a.Ring = steady(a.State)
			}
			b.List = append(b.List, a)
		}
	}
}
