package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// A file of an older schema is brought up to date when it is opened, one
// version at a time, in the transaction that opens it: it is the old one or
// the new one, whatever happens. testdata holds a store of every past version.
var stateMigrations = []func(*bbolt.Tx) error{packRows, shareSets}

var seriesMigrations = []func(*bbolt.Tx) error{wantTiers, sameSeries, sameSeries, sameSeries, sameSeries, sameSeries}

// sameSeries brings schema 2 to 3 and so on to 7: blocks and write-ahead values
// say their version themselves, a long block may lie in one piece, there may be no
// journal, the windows of targets go on as they are, and old ones are read for as
// long as they are kept.
func sameSeries(*bbolt.Tx) error { return nil }

// wantTiers brings schema 1 to 2, which has tiers: every window is to be merged
// again, which makes them.
func wantTiers(tx *bbolt.Tx) error {
	pending := tx.Bucket(bucketPending)
	c := tx.Bucket(bucketBlocks).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		key, err := readBlockKey(k)
		if err != nil {
			return err
		}
		if err := pending.Put(windowKey(key.target, key.window), nil); err != nil {
			return err
		}
	}
	return nil
}

// packRows brings schema 1 to 2. Schema 1 had a key per row, and every version
// of every row in the history, also the newest.
func packRows(tx *bbolt.Tx) error {
	history, gone := tx.Bucket(bucketHistory), tx.Bucket(bucketGone)
	packed := map[string]*tableEdit{}
	var newest [][]byte // history keys of what is the newest of its row
	c := tx.Bucket(bucketLatest).Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		target, table, row, err := readRowKey(k)
		if err != nil {
			return err
		}
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		if len(v) <= 8 {
			return damaged("row %q is empty", k)
		}
		key := tableKey(target, table)
		if packed[string(key)] == nil {
			packed[string(key)] = &tableEdit{key: key, rows: map[string]tableRow{}}
		}
		at := int64(binary.BigEndian.Uint64(v) ^ 1<<63)
		packed[string(key)].rows[string(row)] = tableRow{name: string(row), at: at, value: slices.Clone(v[8:])}
		newest = append(newest, pastKey(k, at))
	}
	ends, err := lastVersions(history, packed)
	if err != nil {
		return err
	}
	for _, k := range newest {
		if err := history.Delete(k); err != nil {
			return err
		}
	}
	for _, k := range ends {
		row, at, err := readPastKey(k)
		if err != nil {
			return err
		}
		if err := history.Delete(k); err != nil {
			return err
		}
		if err := put(gone, slices.Clone(row), binary.BigEndian.AppendUint64(nil, uint64(at))); err != nil {
			return err
		}
	}
	if err := tx.DeleteBucket(bucketLatest); err != nil {
		return err
	}
	latest, err := tx.CreateBucket(bucketLatest)
	if err != nil {
		return err
	}
	for key, e := range packed {
		if err := put(latest, []byte(key), encodePacked(e.sorted())); err != nil {
			return err
		}
	}
	return nil
}

// lastVersions returns the history keys of the last versions of rows that have
// no newest: they say that the row was gone.
func lastVersions(history *bbolt.Bucket, packed map[string]*tableEdit) (ends [][]byte, err error) {
	var row, last []byte
	end := func() error {
		if row == nil {
			return nil
		}
		target, table, name, err := readRowKey(row)
		if err != nil {
			return err
		}
		t := packed[string(tableKey(target, table))]
		if t != nil {
			if _, held := t.rows[string(name)]; held {
				return nil
			}
		}
		ends = append(ends, slices.Clone(last))
		return nil
	}
	c := history.Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		if _, err := unseal(k, raw); err != nil {
			return nil, err
		}
		r, _, err := readPastKey(k)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if string(r) != string(row) {
			if err := end(); err != nil {
				return nil, err
			}
			row = slices.Clone(r)
		}
		last = slices.Clone(k)
	}
	return ends, end()
}
