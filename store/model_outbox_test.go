package store

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// The twin's outbox is a list: what is said and does not wait already is put at
// its end, and what was delivered is taken out of it.

func drawNoticeKey(t *rapid.T) string {
	return fmt.Sprint("n", rapid.IntRange(0, 11).Draw(t, "notice"))
}

func (m *twin) waits(key string) bool {
	return slices.ContainsFunc(m.notices, func(n fleet.Notice) bool { return n.Key == key })
}

func (m *twin) notify(t *rapid.T) {
	var p payload
	for range rapid.IntRange(1, 5).Draw(t, "notices") {
		key := drawNoticeKey(t)
		n := fleet.Notice{Key: key, Receiver: []string{"pager", "mail", "chat"}[int(key[len(key)-1])%3], At: m.now(), Body: fmt.Append(nil, "said at ", m.unique)}
		p.Notices = append(p.Notices, n)
		if !m.waits(n.Key) {
			m.notices = append(m.notices, n)
		}
	}
	m.apply(t, modelObs(p))
}

// deliver names some that wait, and some that do not.
func (m *twin) deliver(t *rapid.T) {
	var d fleet.Delivered
	for range rapid.IntRange(1, 4).Draw(t, "delivered") {
		d.Keys = append(d.Keys, drawNoticeKey(t))
	}
	m.notices = slices.DeleteFunc(m.notices, func(n fleet.Notice) bool { return slices.Contains(d.Keys, n.Key) })
	m.apply(t, d)
}

func (m *twin) checkOutbox(t *rapid.T, ctx context.Context) {
	got, err := m.s.Outbox(ctx, 1000)
	if err != nil || len(got) != len(m.notices) {
		t.Fatalf("%d notices wait, want %d, %v", len(got), len(m.notices), err)
	}
	for i, want := range m.notices {
		if got[i].Key != want.Key || string(got[i].Body) != string(want.Body) || !got[i].At.Equal(want.At) {
			t.Fatalf("notice %d is %+v, want %+v", i, got[i], want)
		}
	}
	for _, receiver := range []string{"pager", "mail", "chat", "nobody"} {
		m.checkReceiver(t, ctx, receiver)
	}
}

// checkReceiver reads what waits for one in two pieces.
func (m *twin) checkReceiver(t *rapid.T, ctx context.Context, receiver string) {
	var want []string
	for _, n := range m.notices {
		if n.Receiver == receiver {
			want = append(want, n.Key)
		}
	}
	var got, known []string
	after := uint64(0)
	for _, limit := range []int{2, 1000} {
		list, err := m.s.Notices(ctx, receiver, after, limit)
		if err != nil || len(list) > limit {
			t.Fatalf("%s: %d of %d, %v", receiver, len(list), limit, err)
		}
		for _, n := range list {
			got, after = append(got, n.Key), n.Seq
		}
	}
	for _, x := range m.s.Waiting(receiver) {
		known = append(known, x.Key)
	}
	if !slices.Equal(got, want) || !slices.Equal(known, want) {
		t.Fatalf("for %s wait %v, known are %v, want %v", receiver, got, known, want)
	}
	for _, b := range m.s.Backlogs() {
		if b.Receiver == receiver && b.Waiting != len(want) || b.Waiting == 0 {
			t.Fatalf("%+v, want %d", b, len(want))
		}
	}
}
