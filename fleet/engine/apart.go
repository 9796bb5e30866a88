package engine

import (
	"maps"

	"plumb/fleet"
)

func sensorRow(x *fleet.Sensor) string { return x.Key }
func portRow(x *fleet.Port) string     { return x.Name }

// apart merges one table of a device that may be read over more than one wire.
// A table that is complete over one says nothing about the rows of another: a
// server whose operating system answers SNMP without a sensor still has those
// of its BMC. With one wire, which is the rule, nothing is kept apart.
func apart[T any](d *fleet.Device, o *fleet.Observation, table fleet.TableID, rows []T, key func(*T) string, merge func([]T) []T) []T {
	if len(d.Spec.Endpoints) < 2 || o.Tables[table] == fleet.NotAsked {
		return merge(rows)
	}
	var ours, theirs []T
	for i := range rows {
		if owner := d.Owners[table.String()+":"+key(&rows[i])]; owner == o.Source {
			ours = append(ours, rows[i])
		} else {
			theirs = append(theirs, rows[i])
		}
	}
	merged := merge(ours)
	owners := maps.Clone(d.Owners)
	if owners == nil {
		owners = make(map[string]fleet.Source)
	}
	mine := make(map[string]bool, len(merged))
	for i := range ours {
		delete(owners, table.String()+":"+key(&ours[i]))
	}
	for i := range merged {
		k := key(&merged[i])
		mine[k] = true
		owners[table.String()+":"+k] = o.Source
	}
	for i := range theirs {
		if k := key(&theirs[i]); !mine[k] { // after a start nobody owns a row until it is read
			merged = append(merged, theirs[i])
		}
	}
	d.Owners = owners
	return merged
}

// plain is apart for tables of plain rows.
func plain[T any](s *step, d *fleet.Device, o *fleet.Observation, table fleet.TableID, rows, fresh []T, key func(*T) string, same func(a, b *T) bool, kept func(*T) any) []T {
	return apart(d, o, table, rows, key, func(rows []T) []T {
		return mergeRows(s, o.Target, table, o.Tables[table], rows, fresh, key, same, kept)
	})
}
