package alert

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Rows of what is kept: alerts under their targets, by rule and part; groups,
// silences and flexible maintenances under plumb itself. A rule has no blank in
// its name, so these prefixes are none's.
const (
	rowGroup    = "group "
	rowSilence  = "silence "
	rowFlexible = "flexible "
)

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
	for i := range tables {
		t := &tables[i]
		if t.Table != fleet.TableAlerts && t.Table != fleet.TableSilences {
			continue
		}
		for k, name := range t.Names {
			recallRow(b, name, t.Values[k])
		}
	}
	slices.SortFunc(b.List, order)
	slices.SortFunc(b.Groups, func(x, y fleet.AlertGroup) int { return strings.Compare(x.Key, y.Key) })
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

func recallRow(b *fleet.AlertBook, name string, value []byte) {
	flexible, isFlexible := strings.CutPrefix(name, rowFlexible)
	switch {
	case strings.HasPrefix(name, rowGroup):
		var g fleet.AlertGroup
		if json.Unmarshal(value, &g) == nil {
			if g.Told == nil {
				g.Told = map[string]string{}
			}
			if g.Whole.IsZero() { // one that does not say was told whole each time
				g.Whole = g.Sent
			}
			b.Groups = append(b.Groups, g)
		}
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
			b.List = append(b.List, a)
		}
	}
}
