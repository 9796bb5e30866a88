package store

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Counters that are kept for less time leave the blocks they share with gauges,
// their points come from the coarser tiers, and nothing else changes.
func TestRetentionByClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every = 2 * time.Minute
		cfg := testConfig(t.TempDir())
		cfg.Retention = Retention{Raw: 10 * time.Hour, FiveMin: 40 * time.Hour, Hour: 100 * time.Hour, Counters: Tiers{Raw: 4 * time.Hour, FiveMin: 12 * time.Hour}}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := run(t, s, cfg.Dir, testStep)
		began := time.Now().UTC()
		for i := range int64(40 * time.Hour / every) {
			r := reading("s1", time.Now().UTC(), fleet.Int(i), fleet.Int(600*i), fleet.Int(int64(fleet.StateOK)))
			o.apply(t, payload{Readings: []fleet.Readings{r}})
			time.Sleep(every)
		}
		now := time.Now().UTC()

		for _, c := range []struct {
			key  fleet.SeriesKey
			keep time.Duration
		}{{gauge, 10 * time.Hour}, {octets, 4 * time.Hour}, {health, 10 * time.Hour}} {
			v, err := s.samples(t.Context(), "s1", c.key, 0, toMs(now))
			if err != nil {
				t.Fatal(err)
			}
			known := 0
			var oldest time.Duration
			for _, x := range v {
				if !x.v.Known {
					continue
				}
				if known++; known == 1 {
					oldest = now.Sub(fromMs(x.at))
				}
				i := int64(fromMs(x.at).Sub(began) / every)
				if want := map[fleet.SeriesKey]int64{gauge: i, octets: 600 * i, health: int64(fleet.StateOK)}[c.key]; x.v.N != want {
					t.Fatalf("%v at %v is %v, want %d", c.key, fromMs(x.at), x.v, want)
				}
			}
			if oldest < c.keep || oldest > c.keep+2*window {
				t.Errorf("the oldest sample of %v is %v old, kept are %v", c.key, oldest, c.keep)
			}
			if least := int(c.keep / every); known < least {
				t.Errorf("%d samples of %v, want %d", known, c.key, least)
			}
		}

		// Over 30 hours: two minutes apart, then five, then an hour, and no hole.
		points := o.read(t, octets, now.Add(-30*time.Hour), now, 0)
		apart, at := map[time.Duration]int{}, points[0].At()
		if from := now.Add(-30 * time.Hour); at.Sub(from) > 2*time.Hour {
			t.Errorf("the first point is %v late", at.Sub(from))
		}
		for _, p := range points[1:] {
			if p.Mean.Float() != 5 {
				t.Fatalf("%v at %v, want 5 a second", p.Mean, p.At())
			}
			apart[p.At().Sub(at).Round(time.Minute)]++
			at = p.At()
		}
		if apart[time.Hour] < 15 || apart[every] < 100 || len(apart) < 3 {
			t.Errorf("points lie apart %v", apart)
		}
		for d := range apart {
			if d > time.Hour+5*time.Minute {
				t.Errorf("a hole of %v", d)
			}
		}
		if p := o.read(t, octets, began, now, time.Hour); len(p) < 38 {
			t.Errorf("%d points of an hour", len(p))
		}
		checkThin(t, o, s.targets.get("s1"), toMs(now))
	})
}

// checkThin looks at every block from the first again: what is past its horizon
// is thin, what is not is whole.
func checkThin(t *testing.T, o *opened, target *target, now int64) {
	t.Helper()
	keep := o.cfg.Retention.of(fleet.Counter)
	err := o.series.View(func(tx *bbolt.Tx) error {
		for i := range levels {
			l := levelOf(tx, target, i, 0)
			thin, thick := 0, 0
			for {
				b, ok, err := l.next(math.MaxInt64)
				if err != nil {
					return err
				}
				if !ok {
					break
				}
				places, err := o.thickPlaces(&b, i, fleet.Counter)
				if err != nil {
					return err
				}
				gauges, err := o.thickPlaces(&b, i, fleet.Gauge)
				if err != nil || gauges == nil {
					t.Errorf("level %d: a block without its gauge: %v", i, err)
				}
				past := now - keep.at(i) - b.window - l.length
				switch {
				case places == nil:
					thin++
					if past < 0 {
						t.Errorf("level %d: a block lost its counter %v early", i, -past)
					}
				default:
					thick++
					if past > durMs(10*time.Minute) {
						t.Errorf("level %d: a block has had its counter for %v ms too long", i, past)
					}
				}
			}
			if i < 1 && (thin == 0 || thick == 0) {
				t.Errorf("level %d: %d thin blocks and %d others", i, thin, thick)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRetentionOfClassesIsChecked(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		keep Retention
		want string // in the error; empty: none
	}{
		{"shorter", Retention{Counters: Tiers{Raw: day, FiveMin: 7 * day}}, ""},
		{"longer", Retention{States: Tiers{Hour: 3 * 365 * day}}, ""},
		{"less than two blocks", Retention{Gauges: Tiers{Raw: time.Hour}}, "retention.gauges.raw: 1h0m0s is shorter"},
		{"raw longer than the points of all", Retention{Counters: Tiers{Raw: 60 * day}}, "retention.counters.5m: 720h0m0s is shorter than retention.counters.raw"},
		{"points longer than the hours", Retention{States: Tiers{Hour: day}}, "retention.states.1h: 24h0m0s is shorter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Config{Dir: "x", Retention: c.keep}.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
