package engine

import (
	"testing"
	"time"

	"plumb/fleet"
)

// A word counts by how many of its kind there were: o is well, c crit, w warn and
// u does not know, and what counts stands below each.
func TestWordsAreCounted(t *testing.T) {
	letters := map[rune]fleet.State{'o': fleet.StateOK, 'c': fleet.StateCrit, 'w': fleet.StateWarn, 'u': fleet.StateUnknown}
	for _, c := range []struct {
		says, counts string
		recover      int
	}{
		{"occcoo", "ooocoo", 1},
		{"occcoooc", "ooocccoo", 3},
		{"occcuuuoooooo", "ooocccuuuuooo", 4}, // not well by having been unknown between
		{"occcuuucow", "ooocccuccw", 3},
		{"uuc", "uuu", 1}, // one crit word is one
		{"uucuccco", "uuuuucco", 1},
		{"ocucuc", "ooouuc", 1},
		{"ouuoccoc", "oooooooo", 1},
		{"ouuu", "ooou", 1},
		{"wuwo", "uuuo", 1},
	} {
		h := fleet.Health{Hard: fleet.StateUnknown}
		got := ""
		for _, l := range c.says {
			count(&h, letters[l], &fleet.HealthSpec{Attempts: 3, RecoverAfter: c.recover})
			for x, st := range letters {
				if st == h.Hard {
					got += string(x)
				}
			}
		}
		if got != c.counts {
			t.Errorf("%s with %d counts as %s, want %s", c.says, c.recover, got, c.counts)
		}
	}
}

// What a workload said before a stop is no answer to what is asked after it; nor
// is it well again because plumb was stopped.
func TestWorkloadAskedElsewise(t *testing.T) {
	k := openShop(t)
	for range 3 {
		k.says(fleet.StateCrit, "HTTP 500", nil)
	}
	mem := fleet.Memory{Version: 1, At: k.now, Tables: fleet.Remember(k.all.Changes), Readings: lastReadings(k.all.Readings)}
	other := shop()
	other.Services[0].Health.Address = "http://shop/other"
	at := k.now.Add(time.Second)
	k.now = at
	k.want(Restore(other, mem, at).Services.Get("shop"), fleet.StateUnknown, "not asked yet")
	patient := shop()
	patient.Services[0].Health.RecoverAfter = 2
	p := &shopkeeper{t: t, snap: Restore(patient, fleet.Memory{}, t0), now: t0}
	for range 3 {
		p.says(fleet.StateCrit, "HTTP 500", nil)
	}
	mem = fleet.Memory{Version: 1, At: p.now, Tables: fleet.Remember(p.all.Changes), Readings: lastReadings(p.all.Readings)}
	p.snap = Restore(patient, mem, p.now)
	p.want(p.says(fleet.StateOK, "HTTP 200", nil), fleet.StateCrit, "workload says")
	p.want(p.says(fleet.StateOK, "HTTP 200", nil), fleet.StateOK, "")
}
