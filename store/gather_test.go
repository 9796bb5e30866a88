package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// A few polls are committed within Gather, many are waited for up to ten times
// as long, and neither a person nor a tick waits for them.
func TestBatchesOfALargeFleetWaitForMore(t *testing.T) {
	const gather = 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Gather = gather
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var wake time.Time
		o := run(t, s, cfg.Dir, func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
			return prev, fleet.Output{Wake: wake}
		})
		poll := func(n int) <-chan time.Duration {
			took, began := make(chan time.Duration, 1), time.Now()
			go func() {
				in := make([]fleet.Input, n)
				for i := range in {
					in[i] = &fleet.Observation{}
				}
				if err := o.Apply(context.Background(), in...); err != nil {
					t.Error(err)
				}
				took <- time.Since(began)
			}()
			return took
		}
		time.Sleep(time.Minute)
		for _, c := range []struct {
			name        string
			first, then int
			want        time.Duration
		}{
			{"a few", crowd - 1, 0, gather},
			{"many", crowd, 0, gatherMost * gather},
			{"enough", crowdMost, 0, gather},
			{"enough after a while", crowd, crowdMost, 3 * gather},
		} {
			took := poll(c.first)
			time.Sleep(3 * gather)
			if c.then > 0 {
				<-poll(c.then)
			}
			if got := <-took; got != c.want {
				t.Errorf("%s waited %v, want %v", c.name, got, c.want)
			}
		}

		took := poll(crowd)
		time.Sleep(2 * gather)
		if err := o.Apply(t.Context(), fleet.Decision{Audit: []fleet.AuditEntry{{Who: "ann"}}}); err != nil {
			t.Fatal(err)
		}
		if got := <-took; got != 2*gather {
			t.Errorf("beside a decision many waited %v", got)
		}

		wake = time.Now().Add(5 * gather)
		<-poll(1)
		wake = time.Time{}
		if got := <-poll(crowd); got != 4*gather {
			t.Errorf("a tick came after %v, was due after %v", got, 4*gather)
		}
	})
}
