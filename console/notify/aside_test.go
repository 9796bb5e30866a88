package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
)

// inGroup puts a notice into a group of its own.
func inGroup(group string) func(*fleet.Notice) {
	return func(n *fleet.Notice) {
		var p fleet.Pages
		_ = json.Unmarshal(n.Body, &p)
		p.Group = group
		n.Body, _ = json.Marshal(p)
	}
}

// broken answers 500 to what it is told of a group, for as long as it is ill.
func broken(ill func(m *Message) bool) *fake {
	return &fake{hears: func(_ context.Context, m *Message) error {
		if ill(m) {
			return &Refusal{Verdict: Retry, Answered: true, Why: "500 Internal Server Error: no such team"}
		}
		return nil
	}}
}

// TestOneStuckNoticeHoldsNobody: a receiver answers 500 to one notice for ever and
// takes all others. They arrive in order; what is stuck is shown, and what comes
// after it of its group waits behind it.
func TestOneStuckNoticeHoldsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ill atomic.Bool
		ill.Store(true)
		f := broken(func(m *Message) bool { return ill.Load() && m.Pages.Group == "bad" })
		b := &box{}
		d := running(t, b, Config{Name: "pager", Kind: f})
		b.put("pager", "bad1", inGroup("bad"))
		later(2 * time.Second)
		if s := d.States()[0]; len(s.Stuck) != 1 || s.Stuck[0].Key != "bad1" || s.Stuck[0].Tries == 0 || !strings.Contains(s.Stuck[0].Error, "no such team") || s.Stuck[0].What == "" || s.Stuck[0].Aside {
			t.Errorf("what is stuck: %+v", s.Stuck)
		}
		for i := range 40 {
			b.put("pager", fmt.Sprint("k", i), inGroup(fmt.Sprint("g", i%3)))
		}
		b.put("pager", "bad2", inGroup("bad"))
		b.put("pager", "last", inGroup("g0"))
		later(2 * time.Minute)
		got := f.got()
		if len(got) != 41 || got[40] != "last" {
			t.Fatalf("%d of 41 others arrived: %v", len(got), got)
		}
		for i := range 40 {
			if got[i] != fmt.Sprint("k", i) {
				t.Fatalf("out of order at %d: %v", i, got)
			}
		}
		s := d.States()[0]
		if len(s.Stuck) != 1 || !s.Stuck[0].Aside || s.Stuck[0].Tries < enoughAnswers || s.Waiting != 2 || !s.Failing.IsZero() {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(b.told(), "set aside") {
			t.Errorf("the timeline says %q", b.told())
		}
		ill.Store(false)
		later(2 * longWait)
		if got = f.got(); !slices.Equal(got[41:], []string{"bad1", "bad2"}) {
			t.Errorf("after it was mended came %v", got[41:])
		}
		if s := d.States()[0]; len(s.Stuck) != 0 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAllFiveHundredIsIllness: where nothing is taken, nothing is set aside, and
// all of it arrives in order when the receiver is well again.
func TestAllFiveHundredIsIllness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ill atomic.Bool
		ill.Store(true)
		f := broken(func(*Message) bool { return ill.Load() })
		b := &box{}
		d := running(t, b, Config{Name: "pager", Kind: f})
		var want []string
		for i := range 10 {
			key := fmt.Sprint("k", i)
			want = append(want, key)
			b.put("pager", key, inGroup(key))
		}
		later(20 * time.Minute)
		if s := d.States()[0]; len(s.Stuck) != 1 || s.Stuck[0].Aside || s.Failing.IsZero() || s.Waiting != 10 {
			t.Errorf("%+v", s)
		}
		ill.Store(false)
		later(2 * longWait)
		if got := f.got(); !slices.Equal(got, want) {
			t.Errorf("came %v", got)
		}
	})
}

// TestStuckNoticeExpires: what is set aside ends with its expiry, as an event.
func TestStuckNoticeExpires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := broken(func(m *Message) bool { return m.Pages.Group == "bad" })
		b := &box{}
		d := running(t, b, Config{Name: "pager", Kind: f})
		b.put("pager", "bad", inGroup("bad"), func(n *fleet.Notice) { n.Expires = time.Now().Add(time.Hour) })
		b.put("pager", "good", inGroup("good"))
		later(time.Hour + 2*longWait)
		if s := d.States()[0]; s.Waiting != 0 || len(s.Stuck) != 0 || s.Counts[ResultExpired] != 1 || s.Counts[ResultSent] != 1 {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(b.told(), "no longer worth telling") {
			t.Errorf("the timeline says %q", b.told())
		}
	})
}
