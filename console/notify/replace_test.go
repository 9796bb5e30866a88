package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// says makes a notice of a group say something of alerts: "a firing warn".
func says(group string, words ...string) func(*fleet.Notice) {
	return func(n *fleet.Notice) {
		p := fleet.Pages{Receiver: n.Receiver, Group: group, Status: "firing"}
		for _, w := range words {
			f := strings.Fields(w)
			x := fleet.Page{ID: f[0], Status: f[1], Since: t0}
			if err := x.Severity.UnmarshalText([]byte(f[2])); err != nil {
				panic(err)
			}
			p.Alerts = append(p.Alerts, x)
		}
		n.Body, _ = json.Marshal(p)
	}
}

// TestWhatIsSaidAgainIsKeptOnce: what waits for a dead receiver and is said again
// later, with nothing else said in between, gives way; all else stays, in order.
func TestWhatIsSaidAgainIsKeptOnce(t *testing.T) {
	within := func(d time.Duration) func(*fleet.Notice) {
		return func(n *fleet.Notice) { n.Expires = time.Now().Add(d) }
	}
	for name, c := range map[string]struct {
		said [][]func(*fleet.Notice) // after a first one, whose turn it is
		want []string
	}{
		"the same":             {[][]func(*fleet.Notice){{says("g", "a firing warn")}, {says("g", "a firing warn")}, {says("g", "a firing warn")}}, []string{"k2"}},
		"whole, in two pieces": {[][]func(*fleet.Notice){{says("g", "a firing warn", "b firing warn")}, {says("g", "b firing warn", "c flapping warn")}, {says("g", "a firing warn")}}, []string{"k1", "k2"}},
		"a part of it only":    {[][]func(*fleet.Notice){{says("g", "a firing warn", "b firing warn")}, {says("g", "a firing warn")}}, []string{"k0", "k1"}},
		"another group":        {[][]func(*fleet.Notice){{says("g", "a firing warn")}, {says("h", "a firing warn")}}, []string{"k0", "k1"}},
		"another severity":     {[][]func(*fleet.Notice){{says("g", "a firing warn")}, {says("g", "a firing crit")}}, []string{"k0", "k1"}},
		"another word between": {[][]func(*fleet.Notice){{says("g", "a firing warn")}, {says("g", "a flapping warn")}, {says("g", "a firing warn")}}, []string{"k0", "k1", "k2"}},
		"an end":               {[][]func(*fleet.Notice){{says("g", "a firing warn", "b resolved warn")}, {says("g", "a firing warn", "b resolved warn")}}, []string{"k0", "k1"}},
		"what waits less long": {[][]func(*fleet.Notice){{says("g", "a firing warn")}, {says("g", "a firing warn"), within(time.Hour)}}, []string{"k0", "k1"}},
		"what never expires":   {[][]func(*fleet.Notice){{says("g", "a firing warn"), func(n *fleet.Notice) { n.Expires = time.Time{} }}, {says("g", "a firing warn")}}, []string{"k0", "k1"}},
		"no alert":             {[][]func(*fleet.Notice){{says("g")}, {says("g")}}, []string{"k0", "k1"}},
		"what cannot be read":  {[][]func(*fleet.Notice){{func(n *fleet.Notice) { n.Body = []byte("{") }}, {says("g", "a firing warn")}, {says("g", "a firing warn")}}, []string{"k0", "k2"}},
	} {
		bubble(t, func(t *testing.T) {
			var ill atomic.Bool
			ill.Store(true)
			f := &fake{hears: func(context.Context, *Message) error {
				if ill.Load() {
					return errors.New("connection refused")
				}
				return nil
			}}
			b := &box{}
			d := running(t, b, Config{Name: "pager", Kind: f})
			b.put("pager", "first", says("g", "a firing warn"))
			for i, change := range c.said {
				later(time.Second)
				b.put("pager", fmt.Sprint("k", i), change...)
			}
			later(20 * time.Minute)
			want := append([]string{"first"}, c.want...)
			var got []string
			for _, x := range b.Waiting("pager") {
				got = append(got, x.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v wait, want %v", name, got, want)
			}
			if n := d.States()[0].Counts[ResultReplaced]; int(n) != len(c.said)-len(c.want) || b.told() != "" {
				t.Errorf("%s: %d replaced, the timeline says %q", name, n, b.told())
			}
			ill.Store(false)
			later(2 * longWait)
			want = slices.DeleteFunc(want, func(key string) bool { return name == "what cannot be read" && key == "k0" })
			if !slices.Equal(f.got(), want) {
				t.Errorf("%s: came %v, want %v", name, f.got(), want)
			}
		})
	}
}

// TestWhatWasTriedStays: a group that was set aside waits with its first, which its
// receiver may have, however often it is said again.
func TestWhatWasTriedStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var dead atomic.Bool
		f := &fake{hears: func(_ context.Context, m *Message) error {
			switch {
			case dead.Load():
				return errors.New("connection refused")
			case m.Pages.Group == "bad":
				return &Refusal{Verdict: Retry, Answered: true, Why: "500"}
			}
			return nil
		}}
		b := &box{}
		d := running(t, b, Config{Name: "pager", Kind: f})
		b.put("pager", "bad0", says("bad", "a firing warn"))
		b.put("pager", "good", says("good", "a firing warn"))
		later(2 * longWait)
		if s := d.States()[0]; len(s.Stuck) != 1 || !s.Stuck[0].Aside {
			t.Fatalf("%+v", s)
		}
		dead.Store(true)
		b.put("pager", "next", says("good", "a firing crit"))
		for i := range 3 {
			b.put("pager", fmt.Sprint("bad", i+1), says("bad", "a firing warn"))
		}
		later(2 * longWait)
		var got []string
		for _, x := range b.Waiting("pager") {
			got = append(got, x.Key)
		}
		if want := []string{"bad0", "next", "bad3"}; !slices.Equal(got, want) {
			t.Errorf("%v wait, want %v", got, want)
		}
	})
}

// TestWhatIsDoneWithReplacesNothing: what was dropped says nothing again, also while
// the store does not take that it was. What left the outbox is forgotten.
func TestWhatIsDoneWithReplacesNothing(t *testing.T) {
	b := &box{}
	d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler)}, []Config{{Name: "pager", Kind: &fake{}}})
	w := d.workers["pager"]
	for i := range 3 {
		b.put("pager", fmt.Sprint("k", i), says("g", "a firing warn"))
	}
	d.ledger.close("pager", ResultDropped, "", "k2")
	w.replace(1)
	if d.ledger.isDone("k1") {
		t.Error("it gave way to what was dropped")
	}
	d.ledger.write(t.Context(), true)
	w.replace(1)
	if len(w.says) != 2 {
		t.Errorf("it knows what %d say, and 2 wait", len(w.says))
	}
}

// TestNoWordIsLostToALaterOne: whatever is said while a receiver takes nothing, now
// and then or never, of each alert it hears every word in the order in which they
// were said; only of one that is said several times in a row some may be missing.
func TestNoWordIsLostToALaterOne(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(r, what) }
		b := &box{}
		d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler)}, []Config{{Name: "pager", Kind: &fake{}}})
		w := d.workers["pager"]
		said, heard := map[string][]string{}, map[string][]string{}
		ends := [2]int{} // said, heard
		note := func(to map[string][]string, n *fleet.Notice, side int) {
			var p fleet.Pages
			if err := json.Unmarshal(n.Body, &p); err != nil {
				r.Fatal(err)
			}
			for _, x := range p.Alerts {
				about, is := p.Group+" "+x.ID, x.Status+" "+x.Severity.String()
				if list := to[about]; len(list) == 0 || list[len(list)-1] != is {
					to[about] = append(list, is)
				}
				if x.Status == "resolved" {
					ends[side]++
				}
			}
		}
		take := func() {
			list, _ := b.Notices(t.Context(), "pager", 0, 1)
			for i := range list {
				note(heard, &list[i].Notice, 1)
				d.ledger.close("pager", ResultSent, "", list[i].Key)
				d.ledger.write(t.Context(), true)
			}
		}
		for n := range draw("turns", 1, 80) {
			switch draw("turn", 0, 5) {
			case 0:
				take()
			case 1:
				if list := b.Waiting("pager"); len(list) > 0 {
					w.replace(list[0].Seq)
					d.ledger.write(t.Context(), true)
				}
			default:
				var words []string
				for _, id := range []string{"a", "b", "c"} {
					if is := draw(id, 0, 6); is < 5 {
						words = append(words, id+" "+[]string{"firing warn", "firing warn", "firing crit", "flapping warn", "resolved warn"}[is])
					}
				}
				b.put("pager", fmt.Sprint("k", n), says(fmt.Sprint("g", draw("group", 0, 1)), words...))
				note(said, &b.list[len(b.list)-1].Notice, 0)
			}
		}
		for len(b.list) > 0 {
			take()
		}
		if fmt.Sprint(heard) != fmt.Sprint(said) || ends[0] != ends[1] {
			r.Fatalf("heard %v and %d ends, said were %v and %d", heard, ends[1], said, ends[0])
		}
	})
}
