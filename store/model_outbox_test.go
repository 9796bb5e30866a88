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
		n := fleet.Notice{Key: drawNoticeKey(t), Receiver: "pager", At: m.now(), Body: fmt.Append(nil, "said at ", m.unique)}
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
}
