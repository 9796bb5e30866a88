package ration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// book is a log that can be full.
type book struct {
	mu   sync.Mutex
	all  []fleet.AuditEntry
	full bool
}

func (b *book) write(_ context.Context, e fleet.AuditEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return errors.New("no space left on device")
	}
	b.all = append(b.all, e)
	return nil
}

func (b *book) fill(full bool) { b.mu.Lock(); defer b.mu.Unlock(); b.full = full }

// told is how many entries of a user the log accounts for, one by one and summed up.
func (b *book) told(who string) (written, summed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.all {
		var n int
		if _, err := fmt.Sscanf(e.Reason, "%d more since", &n); e.Who == who && err == nil {
			summed += n
		} else if e.Who == who {
			written++
		}
	}
	return written, summed
}

// TestNothingGoesWithoutATrace: whoever is loud, however many at once, and
// whatever the log takes meanwhile: in the end it accounts for every entry.
func TestNothingGoesWithoutATrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		r := New(b.write, time.Now)
		const users, each = 8, 100
		var all sync.WaitGroup
		for u := range users {
			all.Go(func() {
				for n := range each {
					_, _ = r.Say(t.Context(), fleet.AuditEntry{At: time.Now(), Who: fmt.Sprint("user", u), Action: []string{"act", "run"}[n%2], Outcome: "refused"})
				}
			})
		}
		all.Wait()
		b.fill(true)
		for range 3 {
			if written, err := r.Say(t.Context(), fleet.AuditEntry{At: time.Now(), Who: "late", Action: "act", Outcome: "denied"}); written || err == nil {
				t.Error("a full log takes an entry")
			}
		}
		time.Sleep(Sum + time.Second) // the clock of the bubble
		b.fill(false)
		time.Sleep(Sum)
		synctest.Wait()
		for u := range users {
			if written, summed := b.told(fmt.Sprint("user", u)); written != Burst || written+summed != each {
				t.Errorf("user%d: %d written and %d summed up, of %d", u, written, summed, each)
			}
		}
		if written, summed := b.told("late"); written != 0 || summed != 3 {
			t.Errorf("late: %d written, %d summed up", written, summed)
		}
	})
}

// TestShareComesBack: whoever was loud once is written one by one again, at the
// pace of the trickle.
func TestShareComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		r := New(b.write, time.Now)
		e := fleet.AuditEntry{Who: "ann", Action: "act", Outcome: "refused"}
		for range Burst + 5 {
			_, _ = r.Say(t.Context(), e)
		}
		time.Sleep(Every + time.Second) // the clock of the bubble
		if written, err := r.Say(t.Context(), e); !written || err != nil {
			t.Errorf("after %s: %v, %v", Every, written, err)
		}
		if written, _ := r.Say(t.Context(), e); written {
			t.Error("the whole share is back at once")
		}
		r.Flush(t.Context())
		if written, summed := b.told("ann"); written != Burst+1 || summed != 6 {
			t.Errorf("%d written, %d summed up", written, summed)
		}
	})
}
