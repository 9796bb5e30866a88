package agent

import (
	"bytes"
	"cmp"
	"slices"
)

// FDBEntry is one learned address.
type FDBEntry struct {
	MAC    MAC
	Port   int // bridge port
	VLAN   int // also the filtering database's id
	Static bool
}

// FDB is a forwarding table in the two orders that the two MIBs index it by.
// It is immutable, so that the states of many moments share one.
type FDB struct {
	byVLAN []FDBEntry // by (VLAN, MAC): dot1qTpFdbTable
	byMAC  []FDBEntry // by MAC, each once: dot1dTpFdbTable
	vlans  []fdbCount
}

type fdbCount struct{ vlan, learned int }

// NewFDB returns the table of the entries, in any order; of two entries with
// one VLAN and MAC the first counts.
func NewFDB(entries []FDBEntry) *FDB {
	byVLAN := func(a, b FDBEntry) int {
		return cmp.Or(cmp.Compare(a.VLAN, b.VLAN), bytes.Compare(a.MAC[:], b.MAC[:]))
	}
	byMAC := func(a, b FDBEntry) int { return bytes.Compare(a.MAC[:], b.MAC[:]) }
	f := &FDB{byVLAN: sorted(entries, byVLAN), byMAC: sorted(entries, byMAC)}
	for _, e := range f.byVLAN {
		if n := len(f.vlans); n == 0 || f.vlans[n-1].vlan != e.VLAN {
			f.vlans = append(f.vlans, fdbCount{vlan: e.VLAN})
		}
		if !e.Static {
			f.vlans[len(f.vlans)-1].learned++
		}
	}
	return f
}

// sorted returns a sorted copy without entries that compare equal.
func sorted(entries []FDBEntry, by func(a, b FDBEntry) int) []FDBEntry {
	s := slices.Clone(entries)
	slices.SortStableFunc(s, by)
	return slices.CompactFunc(s, func(a, b FDBEntry) bool { return by(a, b) == 0 })
}
