package notify

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
)

// box is an outbox in memory.
type box struct {
	mu      sync.Mutex
	seq     uint64
	list    []fleet.Queued
	remarks []string
	states  []fleet.ReceiverState
	snap    fleet.Snapshot
	watches []*boxWatch
	refuse  error // what Apply says
	down    error // why there is no heartbeat
}

func (b *box) Snapshot() *fleet.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.snap
	return &s
}

// put says something to a receiver.
func (b *box) put(receiver, key string, change ...func(*fleet.Notice)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	body, _ := json.Marshal(sample(receiver, time.Now()))
	n := fleet.Notice{Key: key, Receiver: receiver, At: time.Now(), Expires: time.Now().Add(4 * time.Hour), Body: body}
	for _, c := range change {
		c(&n)
	}
	b.list = append(b.list, fleet.Queued{Seq: b.seq, Notice: n})
	b.ring()
}

func (b *box) ring() {
	for _, w := range b.watches {
		select {
		case w.bell <- struct{}{}:
		default:
		}
	}
}

func (b *box) Backlogs() (out []fleet.Backlog) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.list {
		i := slices.IndexFunc(out, func(x fleet.Backlog) bool { return x.Receiver == n.Receiver })
		if i < 0 {
			i, out = len(out), append(out, fleet.Backlog{Receiver: n.Receiver, Oldest: n.At})
		}
		out[i].Waiting++
		out[i].Newest = n.Seq
	}
	return out
}

func (b *box) Waiting(receiver string) (out []fleet.Waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.list {
		if n.Receiver == receiver {
			out = append(out, fleet.Waiting{Seq: n.Seq, Key: n.Key, At: n.At, Expires: n.Expires})
		}
	}
	return out
}

func (b *box) Notices(_ context.Context, receiver string, after uint64, limit int) (out []fleet.Queued, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.list {
		if n.Receiver == receiver && n.Seq > after && len(out) < limit {
			out = append(out, n)
		}
	}
	return out, nil
}

func (b *box) Apply(_ context.Context, in ...fleet.Input) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	for _, i := range in {
		switch x := i.(type) {
		case fleet.Delivered:
			b.list = slices.DeleteFunc(b.list, func(n fleet.Queued) bool { return slices.Contains(x.Keys, n.Key) })
		case fleet.Remark:
			b.remarks = append(b.remarks, x.Text)
		case fleet.Receipts:
			b.states = x.Receivers
		}
	}
	return nil
}

func (b *box) watch() Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &boxWatch{bell: make(chan struct{}, 1)}
	w.bell <- struct{}{}
	b.watches = append(b.watches, w)
	return w
}

func (b *box) alive() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.down
}

func (b *box) told() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.remarks, "\n")
}

func (b *box) state(name string) fleet.ReceiverState {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.states {
		if s.Name == name {
			return s
		}
	}
	return fleet.ReceiverState{}
}

type boxWatch struct{ bell chan struct{} }

func (w *boxWatch) Next(ctx context.Context) (*fleet.Snapshot, error) {
	select {
	case <-w.bell:
		return &fleet.Snapshot{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *boxWatch) Close() {}

func fileOf(t *testing.T, path string) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return []string{string(b)}
}
