package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// What people intended is history too: which racks there were, what was cabled
// to what. Every inventory is kept once, by the hash of its JSON, and when it
// came into force. It names credentials and holds none.

// InventoryID names an inventory by its content.
type InventoryID [16]byte

// maxInventory bounds the JSON of one inventory: a hundred thousand devices
// take about 60 MB.
const maxInventory = 256 << 20

// inventory is one on its way to the writer.
type inventory struct {
	id     InventoryID
	packed []byte
	at     time.Time
}

// KeepInventory records that an inventory is in force from a time on. One that
// is in force already is not recorded again. Run must be running.
func (s *Store) KeepInventory(ctx context.Context, inv *fleet.Inventory, at time.Time) error {
	text, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("store: inventory: %w", err)
	}
	if len(text) > maxInventory {
		return fmt.Errorf("store: inventory: %d bytes are more than the %d that are kept", len(text), maxInventory)
	}
	x := inventory{id: inventoryID(text), at: at}
	var last InventoryID
	err = view(s.state, func(tx *bbolt.Tx) (err error) {
		_, last, err = inventoryAt(tx, maxTime)
		return err
	})
	if err != nil || last == x.id {
		return err
	}
	if x.packed, err = pack(text); err != nil {
		return err
	}
	return s.submit(ctx, &request{inventory: &x, urgent: true, done: make(chan error, 1)})
}

func inventoryID(text []byte) (id InventoryID) {
	sum := sha256.Sum256(text)
	copy(id[:], sum[:])
	return id
}

func pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// gunzip reads what pack wrote, and no more than an inventory may have.
func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, damaged("inventory: %v", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxInventory+1))
	if err != nil || len(text) > maxInventory {
		return nil, damaged("inventory of %d bytes: %v", len(text), err)
	}
	return text, nil
}

// putInventory writes an inventory and when it came into force. A clock that
// went back does not put it before its predecessor.
func putInventory(tx *bbolt.Tx, x *inventory) error {
	blobs, times := tx.Bucket(bucketInventories), tx.Bucket(bucketInventoryTimes)
	at := x.at
	if k, _ := times.Cursor().Last(); len(k) == 8 && !at.After(readTime(k)) {
		at = readTime(k).Add(1)
	}
	if blobs.Get(x.id[:]) == nil {
		if err := put(blobs, x.id[:], slices.Clone(x.packed)); err != nil {
			return err
		}
	}
	return put(times, appendTime(nil, at), slices.Clone(x.id[:]))
}

// inventoryAt finds which inventory was in force at a time, and since when. At
// a time before the first it is the first. The id is zero where none is kept.
func inventoryAt(tx *bbolt.Tx, at time.Time) (since time.Time, id InventoryID, err error) {
	c := tx.Bucket(bucketInventoryTimes).Cursor()
	want := appendTime(nil, at)
	k, raw := c.Seek(want)
	switch {
	case k == nil:
		k, raw = c.Last()
	case !bytes.Equal(k, want):
		if before, r := c.Prev(); before != nil {
			k, raw = before, r
		} else {
			k, raw = c.First()
		}
	}
	if k == nil {
		return since, id, nil
	}
	return readInventoryTime(k, raw)
}

func readInventoryTime(k, raw []byte) (since time.Time, id InventoryID, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return since, id, err
	}
	if len(k) != 8 || len(v) != len(id) {
		return since, id, damaged("inventory of time %x", k)
	}
	copy(id[:], v)
	return readTime(k), id, nil
}

func readInventory(k, raw []byte) (*fleet.Inventory, error) {
	v, err := unseal(k, raw)
	if err != nil {
		return nil, err
	}
	text, err := gunzip(v)
	if err != nil {
		return nil, err
	}
	if id := inventoryID(text); !bytes.Equal(id[:], k) {
		return nil, damaged("inventory %x is not what its name says", k)
	}
	inv := new(fleet.Inventory)
	if err := json.Unmarshal(text, inv); err != nil {
		return nil, damaged("inventory %x: %v", k, err)
	}
	return inv, nil
}

// InventoryAt returns which inventory was in force at a time, zero where none
// is kept. Before the first that is kept it is the first.
func (s *Store) InventoryAt(at time.Time) (id InventoryID, err error) {
	err = view(s.state, func(tx *bbolt.Tx) (err error) {
		_, id, err = inventoryAt(tx, at)
		return err
	})
	return id, err
}

// ErrNoInventory says that no inventory of an id is kept.
var ErrNoInventory = errors.New("no such inventory")

// Inventory returns an inventory that InventoryAt named.
func (s *Store) Inventory(id InventoryID) (inv *fleet.Inventory, err error) {
	err = view(s.state, func(tx *bbolt.Tx) (err error) {
		raw := tx.Bucket(bucketInventories).Get(id[:])
		if raw == nil {
			return ErrNoInventory
		}
		inv, err = readInventory(id[:], raw)
		return err
	})
	return inv, err
}

// expireInventories forgets inventories that ceased to be in force before the
// horizon: what was true at the horizon stays answerable.
func expireInventories(tx *bbolt.Tx, horizon time.Time) error {
	times := tx.Bucket(bucketInventoryTimes)
	c := times.Cursor()
	first, raw := c.First()
	second, _ := c.Next()
	if second == nil || !readTime(second).Before(horizon) {
		return nil
	}
	_, id, err := readInventoryTime(first, raw)
	if err != nil {
		return err
	}
	if err := times.Delete(slices.Clone(first)); err != nil {
		return err
	}
	c = times.Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		if _, other, err := readInventoryTime(k, raw); err != nil || other == id {
			return err
		}
	}
	return tx.Bucket(bucketInventories).Delete(id[:])
}

// inventory checks one; when each was in force was looked at before.
func (v *verifier) inventory(k, raw []byte) error {
	_, err := readInventory(k, raw)
	if err == nil {
		var id InventoryID
		copy(id[:], k)
		if v.inForce[id] == 0 {
			err = damaged("the inventory was never in force")
		}
	}
	return err
}

func (v *verifier) inventoryTime(k, raw []byte) error {
	_, id, err := readInventoryTime(k, raw)
	if err != nil {
		return err
	}
	v.inForce[id]++
	if v.state.Bucket(bucketInventories).Get(id[:]) == nil {
		return damaged("inventory %x is missing", id)
	}
	return nil
}
