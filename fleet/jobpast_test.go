package fleet

import (
	"testing"
	"time"
)

func TestAJobAsOfATime(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	j := Job{ID: "j1", State: JobVerified, Began: at(10), Ended: at(30), Steps: []JobStep{
		{Name: "begin", State: JobRunning, At: at(10)}, {Name: "act", State: JobAccepted, At: at(20)}, {Name: "verify", State: JobVerified, At: at(30)},
	}}
	for _, c := range []struct {
		at    int
		state JobState
		steps int
		ended bool
	}{{9, JobProposed, 0, false}, {10, JobRunning, 1, false}, {25, JobAccepted, 2, false}, {30, JobVerified, 3, true}, {99, JobVerified, 3, true}} {
		if got := j.AsOf(at(c.at)); got.State != c.state || len(got.Steps) != c.steps || got.Ended.IsZero() == c.ended {
			t.Errorf("at %d: %s with %d steps, ended %v", c.at, got.State, len(got.Steps), got.Ended)
		}
	}
	if len(j.Steps) != 3 || j.Ended.IsZero() {
		t.Error("the job itself was written")
	}
}
