package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"plumb/fleet"
)

// maxKept bounds what of a text stands in a name of the store.
const maxKept = 400

// keptAs is the name under which the store keeps what belongs to a text of any
// length: a text that is long is cut, and told from others by its sum.
func keptAs(text string) string {
	if len(text) <= maxKept {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return fleet.Clean(text, maxKept) + " " + hex.EncodeToString(sum[:16])
}

// keepGroup writes a group's row.
func (w *work) keepGroup(g *fleet.AlertGroup) {
	w.say(fleet.Change{Target: keptAs(g.Key), Table: fleet.TableAlerts, Row: rowGroup, At: w.now, Value: encode(g)})
}

// keepTold writes what a group has told: its own row, and those of alerts that
// were told anew or are over. What came bundled is written apart.
func (w *work) keepTold(g *fleet.AlertGroup, news, over []*fleet.Alert) {
	w.keepGroup(g)
	say := func(id string, value []byte) {
		w.say(fleet.Change{Target: keptAs(id), Table: fleet.TableAlerts, Row: rowTold + keptAs(g.Key), At: w.now, Value: value})
	}
	for _, a := range over {
		say(a.ID(), nil)
	}
	tell := func(id string) { say(id, encode(toldRow{g.Key, id, g.Told[id].As, g.Told[id].At})) }
	if !g.Bundled {
		for _, a := range news {
			tell(a.ID())
		}
		return
	}
	for _, id := range slices.Sorted(maps.Keys(g.Told)) {
		tell(id)
	}
	w.unbundle(g)
}

// dropGroup takes away the row of a group that goes.
func (w *work) dropGroup(g *fleet.AlertGroup) {
	w.say(fleet.Change{Target: keptAs(g.Key), Table: fleet.TableAlerts, Row: rowGroup, At: w.now})
	if g.Bundled {
		w.unbundle(g)
	}
}

// unbundle takes away the row that an older store has of a group.
func (w *work) unbundle(g *fleet.AlertGroup) {
	w.say(fleet.Change{Target: self, Table: fleet.TableAlerts, Row: rowBundled + g.Key, At: w.now})
	g.Bundled = false
}
