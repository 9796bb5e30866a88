package store

import (
	"errors"

	"plumb/fleet"
)

// request is one Apply, or one chunk of an import, on its way to the writer.
type request struct {
	in        []fleet.Input
	imports   []importBlock
	inventory *inventory // nil: none
	sent      *sent      // nil: none
	urgent    bool       // a person waits for it
	refused   error      // it was left out of its batch
	done      chan error // of capacity one
}

// maxBatch bounds the inputs of one batch, and importBytes the imports.
const (
	maxBatch    = 4096
	importBytes = 1 << 20
)

// batch is what one commit will hold.
type batch struct {
	requests []*request
	tick     bool
	inputs   int
	bytes    int // of imports
}

// extras is what a batch keeps that no step said.
type extras struct {
	imports     []importBlock
	inventories []*inventory
	sent        []*sent
	delivered   []string // notices that may leave the outbox
}

func (b *batch) extras(imports []importBlock) extras {
	x := extras{imports: imports}
	for _, r := range b.requests {
		if r.inventory != nil {
			x.inventories = append(x.inventories, r.inventory)
		}
		if r.sent != nil {
			x.sent = append(x.sent, r.sent)
		}
		for _, i := range r.in {
			if d, ok := i.(fleet.Delivered); ok {
				x.delivered = append(x.delivered, d.Keys...)
			}
		}
	}
	return x
}

// add takes a request and reports whether the batch may wait for more.
func (b *batch) add(r *request) bool {
	b.requests = append(b.requests, r)
	b.inputs += len(r.in)
	for _, i := range r.imports {
		b.bytes += len(i.value)
	}
	return !r.urgent && b.inputs < maxBatch && b.bytes < importBytes
}

// drain takes what is queued without waiting, and asks to be called again for
// as long as there is more than fits one batch.
func (s *Store) drain() (b batch, more bool) {
	for {
		select {
		case r := <-s.queue:
			if !b.add(r) {
				return b, true
			}
		default:
			return b, false
		}
	}
}

// answer is what a request is told of its batch: one that brings no readings
// does not miss them.
func (r *request) answer(err error) error {
	if r.refused != nil {
		return r.refused
	}
	if !errors.Is(err, ErrReadings) || r.imports != nil {
		return err
	}
	for _, i := range r.in {
		if _, ok := i.(*fleet.Observation); ok {
			return err
		}
	}
	return nil
}
