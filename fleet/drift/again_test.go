package drift

import (
	"testing"
	"time"

	"plumb/fleet"
)

func TestAgain(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	var d *fleet.Docket
	say := func(what string, after time.Duration) (fleet.Again, bool) {
		now = now.Add(after)
		next, row, ok := Again(d, what, now)
		d = next
		return row, ok
	}
	if _, ok := say("PSU 1", 0); !ok {
		t.Fatal("the first is not remembered")
	}
	if _, ok := say("PSU 1", 59*time.Minute); ok {
		t.Error("within the hour it is one trouble")
	}
	if row, ok := say("PSU 1", time.Minute); !ok || len(row.At) != 2 {
		t.Errorf("an hour later: %+v %v", row, ok)
	}
	if row, _ := say("PSU 1", fleet.AgainFor); len(row.At) != 1 {
		t.Errorf("30 d later: %+v", row)
	}
	for range 20 {
		say("PSU 1", time.Hour)
	}
	for i := range 2 * maxAgain {
		say("port "+string(rune('a'+i)), time.Second)
	}
	if len(d.Again) != maxAgain || len(d.Again[0].At) != maxTimes {
		t.Errorf("%d troubles, %d times", len(d.Again), len(d.Again[0].At))
	}
}
