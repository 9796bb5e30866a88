package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// What verify finds damaged lies under keys that nobody reads. Here they become
// what an operator knows: a target's name, a table and a row, a stretch of time.

// describe says what lies under the keys from (inclusive) to to (exclusive, or
// the same for one record; nil: no bound) of a bucket. name gives the name of a
// target's number, or "".
func describe(bucket string, from, to []byte, name func(uint32) string) string {
	one := bytes.Equal(from, to)
	switch bucket {
	case string(bucketBlocks), string(bucketPending):
		return stretchOf("readings of ", from, to, 0, durMs(window), name)
	case string(bucketTiers):
		if len(from) > 0 && from[0] >= 1 && int(from[0]) <= len(tiers) {
			t := tiers[from[0]-1]
			if !bytes.HasPrefix(to, from[:1]) {
				to = nil
			}
			return stretchOf(t.points()+" of ", from, to, 1, t.window, name)
		}
	case string(bucketLong):
		return pointsOf(from, to, name)
	case string(bucketWAL):
		return numbers("the newest readings, batch", from, to)
	case string(bucketAudit):
		return numbers("audit entry", from, to)
	case string(bucketLast), string(bucketTargets):
		if n := numberOf(from); n != 0 && one {
			return "the newest readings of " + named32(n, name)
		}
	case string(bucketLayouts):
		return "which series the readings are of, without which they cannot be read" // many targets share a layout
	case string(bucketLatest):
		return rowsIn("", from, to)
	case string(bucketHistory):
		return rowsIn("the past of ", from, to)
	case string(bucketGone):
		return rowsIn("what is gone of ", from, to)
	case string(bucketEvents):
		if len(from) >= 8 {
			until := ""
			if len(to) >= 8 && !one {
				until = " to " + clockTime(readTime(to))
			}
			return "events of " + clockTime(readTime(from)) + until
		}
		return "events"
	case string(bucketEventsOf), string(bucketEventIDs):
		if target, _, ok := cut(from); ok && one {
			return "an index to the events of " + shown(target)
		}
		return "an index to the events"
	case string(bucketJobs):
		if one {
			return "job " + shown(string(from))
		}
		return "jobs"
	case string(bucketJobTimes):
		return "the index to the jobs"
	}
	return ""
}

func shown(s string) string { return fleet.Clean(strings.ToValidUTF8(s, "?"), 60) }

func named32(id uint32, name func(uint32) string) string {
	if n := name(id); n != "" {
		return shown(n)
	}
	return fmt.Sprintf("target %d, whose name cannot be read", id)
}

func numberOf(k []byte) uint32 {
	if len(k) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(k)
}

// stretchOf reads keys of target and window behind skip bytes.
func stretchOf(of string, from, to []byte, skip int, width int64, name func(uint32) string) string {
	if len(from) < skip+12 {
		return of + "some targets"
	}
	id, begin := numberOf(from[skip:]), fromMs(readMs(from[skip+4:]))
	what := of + named32(id, name) + " from " + clockTime(begin)
	switch {
	case bytes.Equal(from, to):
		return what + " to " + clockTime(begin.Add(time.Duration(width)*time.Millisecond))
	case len(to) < skip+12:
		return what + " on, and of every target numbered after it"
	case numberOf(to[skip:]) == id:
		return what + " to " + clockTime(fromMs(readMs(to[skip+4:])).Add(time.Duration(width)*time.Millisecond))
	}
	return what + " on, and of those up to " + named32(numberOf(to[skip:]), name)
}

func (t tier) points() string {
	return fmt.Sprintf("points of %v", time.Duration(t.step)*time.Millisecond)
}

// pointsOf reads keys of tier, window, target and layout.
func pointsOf(from, to []byte, name func(uint32) string) string {
	if len(from) < 13 || from[0] == 0 || int(from[0]) > len(tiers) {
		return "points of some targets"
	}
	t, window := tiers[from[0]-1], readMs(from[1:])
	one := bytes.Equal(from, to) || len(to) >= wholeKeyLen && bytes.HasPrefix(from, to[:wholeKeyLen])
	what := t.points()
	if one {
		what += " of " + named32(numberOf(from[9:]), name)
	}
	what += " from " + clockTime(fromMs(window))
	switch {
	case len(to) < 9 || to[0] != from[0]:
		return what + " on, of many targets"
	case !one:
		what += ", of many targets,"
	}
	return what + " to " + clockTime(fromMs(readMs(to[1:])+t.window))
}

func numbers(what string, from, to []byte) string {
	if len(from) < 8 {
		return what
	}
	n := binary.BigEndian.Uint64(from)
	switch {
	case bytes.Equal(from, to):
		return fmt.Sprintf("%s %d", what, n)
	case len(to) < 8:
		return fmt.Sprintf("%s %d and later", what, n)
	}
	return fmt.Sprintf("%s %d to %d", what, n, binary.BigEndian.Uint64(to)-1)
}

// rowsIn reads keys of target, table and row.
func rowsIn(of string, from, to []byte) string {
	target, table, row, err := readRowKey(from)
	if err != nil {
		return of + "some rows"
	}
	if of != "" && len(row) > 9 && row[len(row)-9] == 0 {
		row = row[:len(row)-9] // a version: its time follows
	}
	what := fmt.Sprintf("%s%s of %s", of, table, shown(target))
	if len(row) > 0 {
		what = fmt.Sprintf("%s%s %s of %s", of, table, shown(string(row)), shown(target))
	}
	if bytes.Equal(from, to) {
		return what
	}
	if last, _, _, err := readRowKey(to); err == nil && last != target {
		return what + " and of what follows, up to " + shown(last)
	} else if err != nil {
		return what + " and of what follows"
	}
	return what + " and more of it"
}
