package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/store"
)

// TestDrain empties a backlog of a living receiver out of a real store, beside
// ten thousand notices of a dead one, and says what it takes.
func TestDrain(t *testing.T) {
	c := store.Defaults()
	c.Dir, c.Ballast = t.TempDir(), -1
	st, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	say := func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
		next, out := *prev, fleet.Output{}
		next.At = now
		for _, i := range in {
			r, ok := i.(fleet.Remark)
			if !ok || r.Kind != "say" {
				continue
			}
			body, _ := json.Marshal(sample(r.Text, now))
			for n := range 1000 {
				out.Notices = append(out.Notices, fleet.Notice{Key: fmt.Sprint(r.Text, now.UnixNano(), "-", n), Receiver: r.Text, At: now, Expires: now.Add(time.Hour), Body: body})
			}
		}
		return &next, out
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = st.Run(ctx, nil, say, nil) }()
	for range 10 {
		if err := st.Apply(ctx, fleet.Remark{Kind: "say", Text: "dead"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Apply(ctx, fleet.Remark{Kind: "say", Text: "living"}); err != nil {
		t.Fatal(err)
	}
	living := &fake{}
	dead := &fake{hears: func(context.Context, *Message) error { return errors.New("connection refused") }}
	d := New(Deps{Outbox: st, Watch: func() Watch { return st.Watch() }, Log: slog.New(slog.DiscardHandler), Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }},
		[]Config{{Name: "dead", Kind: dead}, {Name: "living", Kind: living}})
	began := time.Now()
	go d.Run(ctx)
	waits := func(name string) int { return len(st.Waiting(name)) }
	for waits("living") > 0 {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d still wait", waits("living"))
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Logf("1000 notices told and taken out within %v, beside %d for a dead one; %d batches", time.Since(began).Round(time.Millisecond), waits("dead"), st.Stats().Batches)
	if n := waits("dead"); n != 10_000 || len(living.got()) != 1000 {
		t.Errorf("%d wait for the dead one, the living one has %d", n, len(living.got()))
	}
}
