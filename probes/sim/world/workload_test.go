package world

import (
	"errors"
	"testing"
	"time"
)

// A workload fails with what carries it, or by itself.
func TestWorkload(t *testing.T) {
	start := func(fault string) (*World, time.Time) {
		now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
		w, err := New(1, 2, nil, now)
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.ParseFaults(fault, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Inject(list, now); err != nil {
			t.Fatal(err)
		}
		return w, now.Add(time.Minute)
	}
	w, now := start("")
	well := w.Workload(0, now)
	if !well.OK() || well.Serving != well.Total || well.Latency <= 0 {
		t.Errorf("well: %+v", well)
	}
	w, now = start("service-sick")
	if st := w.Workload(0, now); !st.Sick || st.OK() || st.Serving != st.Total {
		t.Errorf("sick: %+v", st)
	}
	if st := w.Workload(1, now); !st.OK() {
		t.Errorf("another: %+v", st)
	}
	w, now = start("feed-loss@fra1-A,feed-loss@fra1-B")
	if st := w.Workload(0, now); st.OK() || st.Serving >= well.Serving || st.Sick {
		t.Errorf("without power: %+v", st)
	}
	if _, err := w.ParseFaults("service-sick@chat", now); !errors.Is(err, ErrNoSuch) {
		t.Errorf("a service that nobody asks: %v", err)
	}
}
