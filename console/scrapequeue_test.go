package console

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func peer(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// One peer has one place; its next scrape waits for its own and not for others.
func TestScrapePlacesAreSharedByPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q scrapeQueue
		a, b, c := peer("10.0.0.1/32"), peer("10.0.0.2/32"), peer("10.0.0.3/32")
		firstOfA, err := q.place(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		came := make(chan string, 3)
		var backs = make(chan func(), 3)
		ask := func(who netip.Prefix, name string) {
			go func() {
				back, err := q.place(context.Background(), who)
				if err != nil {
					t.Error(name, err)
					return
				}
				came <- name
				backs <- back
			}()
			synctest.Wait()
		}
		ask(a, "a again")
		ask(b, "b")
		ask(c, "c")
		if got := <-came; got != "b" || len(came) != 0 {
			t.Fatalf("%s came beside a, and %d more: want b alone", got, len(came))
		}
		firstOfA()
		synctest.Wait()
		if got := <-came; got != "a again" {
			t.Errorf("%s came after a: want a again, which waited longest", got)
		}
		(<-backs)()
		synctest.Wait()
		if got := <-came; got != "c" {
			t.Error(got)
		}
		(<-backs)()
		(<-backs)()
		if len(q.busy) != 0 || len(q.waiting) != 0 {
			t.Errorf("left behind: %v %v", q.busy, q.waiting)
		}
	})
}

// Who waits too long is refused, who leaves is forgotten, and neither takes a
// place with it.
func TestScrapePlacesAreNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q scrapeQueue
		a := peer("10.0.0.1/32")
		back, err := q.place(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := q.place(t.Context(), a); !errors.Is(err, errBusy) || time.Since(began) != queueWithin {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := q.place(gone, a); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		back()
		if back, err = q.place(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		back()
		for range maxQueue {
			q.waiting = append(q.waiting, &scrapeTurn{who: a, come: make(chan struct{})})
		}
		if _, err := q.place(t.Context(), peer("10.0.0.2/32")); !errors.Is(err, errBusy) {
			t.Errorf("one too many waits: %v", err)
		}
	})
}

func TestScrapesOfAPeerAreCounted(t *testing.T) {
	var q scrapeQueue
	a := peer("10.0.0.1/32")
	var leave func()
	for range maxOfPeer {
		var err error
		if leave, err = q.enter(a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.enter(a); !errors.Is(err, errBusy) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := q.enter(peer("10.0.0.2/32")); err != nil {
		t.Errorf("another peer: %v", err)
	}
	leave()
	if _, err := q.enter(a); err != nil {
		t.Errorf("after one left: %v", err)
	}
}
