package agent

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// One tree per kind of device, built when the first agent of the kind starts.
var (
	switchTree = sync.OnceValue(func() *tree {
		return newTree(systemMIB(), engineMIB(), ifMIB(), bridgeMIB(), arpMIB(), lldpMIB(), entityMIB())
	})
	pduTree = sync.OnceValue(func() *tree { return newTree(systemMIB(), engineMIB(), ifMIB(), apcMIB()) })
	upsTree = sync.OnceValue(func() *tree { return newTree(systemMIB(), engineMIB(), ifMIB(), upsMIB()) })
)

func (*Switch) tree() *tree { return switchTree() }
func (*PDU) tree() *tree    { return pduTree() }
func (*UPS) tree() *tree    { return upsTree() }

// ErrOrder says that the rows of a table are not in ascending order.
var ErrOrder = errors.New("rows out of order")

// Check walks everything that an agent would serve of d and returns ErrOrder
// with the place, if a client would see it in the wrong order.
func Check(d Device) error {
	t, v := d.tree(), d.view()
	v.engine = &engine{id: []byte("check"), maxSize: DefaultMaxSize}
	var e encoder
	var last []uint32
	for p, ok := (place{}), true; ok; {
		e.b = e.b[:0]
		if p, ok = t.step(&e, &v, p); !ok {
			break
		}
		r := newReader(e.b)
		bind := r.enter(tagSequence)
		oid, good := parseOID(bind.octets(tagOID), nil)
		if !good || slices.Compare(last, oid) >= 0 {
			return fmt.Errorf("agent: %w: %v after %v", ErrOrder, oid, last)
		}
		last = oid
	}
	return nil
}
