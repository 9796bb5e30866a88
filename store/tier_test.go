package store

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// A target is polled every two minutes for 40 hours. Samples are kept for four
// hours, five minutes for twelve: what is older must come from the tiers, and
// be what the samples would have said.
func TestTiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Retention = Retention{Raw: 4 * time.Hour, FiveMin: 12 * time.Hour, Hour: 10 * 24 * time.Hour}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := run(t, s, cfg.Dir, testStep)
		truth := map[fleet.SeriesKey][]sample{}
		for i := range 40 * 30 {
			v := []fleet.Num{fleet.Dec(int64(200+i*i%97), -1), fleet.Int(int64(math.MaxInt64) + int64(600*i)), fleet.Int(int64(i % 3))}
			if i%5 == 2 {
				v[0] = fleet.Num{}
			}
			now := time.Now().UTC()
			for k, key := range allKeys {
				truth[key] = append(truth[key], sample{toMs(now), v[k]})
			}
			o.apply(t, payload{Readings: []fleet.Readings{{Target: "s1", At: now, Keys: allKeys, Values: v}}})
			time.Sleep(2 * time.Minute)
		}
		checkTiers(t, o.Store, truth)
		if r := verifyClean(t, o.Store); r.Tiers < 2 {
			t.Errorf("%d blocks of tiers", r.Tiers)
		}
		o.stop()
		if s, err = Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		checkTiers(t, run(t, s, cfg.Dir, testStep).Store, truth)
	})
}

// The fleet as of a time whose samples are gone is that of the tiers: whoever
// was polled then was seen then, and shows the mean of the step.
func TestThePastBeyondItsSamples(t *testing.T) {
	t.Run("in short blocks", func(t *testing.T) {
		wantPast(t, 12*time.Hour, map[time.Duration]time.Duration{10*time.Hour + 7*time.Minute: 5 * time.Minute, 30*time.Hour + 13*time.Minute: time.Hour})
	})
	t.Run("in long ones", func(t *testing.T) {
		wantPast(t, 44*time.Hour, map[time.Duration]time.Duration{30*time.Hour + 13*time.Minute: 5 * time.Minute, 20*time.Hour + 3*time.Minute: 5 * time.Minute})
	})
}

// wantPast polls for 44 hours and asks for times that lie so far back, which
// steps of such a length answer.
func wantPast(t *testing.T, fiveMin time.Duration, steps map[time.Duration]time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Retention = Retention{Raw: 4 * time.Hour, FiveMin: fiveMin, Hour: 10 * 24 * time.Hour}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := run(t, s, cfg.Dir, testStep)
		var gauges []sample
		for i := range 44 * 30 {
			now := time.Now().UTC()
			v := []fleet.Num{fleet.Dec(int64(200+i*i%97), -1), fleet.Int(int64(600 * i)), fleet.Int(int64(i % 3))}
			gauges = append(gauges, sample{toMs(now), v[0]})
			o.apply(t, payload{Readings: []fleet.Readings{{Target: "s1", At: now, Keys: allKeys, Values: v}}})
			time.Sleep(2 * time.Minute)
		}
		now := time.Now()
		for ago, step := range steps {
			at := now.Add(-ago)
			m, err := o.At(t.Context(), at)
			if err != nil || len(m.Readings) != 1 || len(m.Readings[0].Values) != len(allKeys) {
				t.Fatalf("%v ago: %+v, %v", ago, m.Readings, err)
			}
			r := m.Readings[0]
			if age := at.Sub(r.At); age < 0 || age > 2*time.Minute {
				t.Errorf("%v ago: seen %v before, polled every two minutes", ago, age)
			}
			want := fleet.Num{}
			for _, p := range gaugePoints(gauges, durMs(step)) {
				if p.Ms == bucket(toMs(at), durMs(step)) {
					want = p.Mean
				}
			}
			if r.Values[0].String() != want.String() || !r.Values[1].Known || !r.Values[2].Known {
				t.Errorf("%v ago: %v, want a mean of %v", ago, r.Values, want)
			}
		}
		if m, err := o.At(t.Context(), now.Add(-45*time.Hour)); err != nil || len(m.Readings) != 0 {
			t.Errorf("before the first poll: %+v, %v", m.Readings, err)
		}
		o.stop()
	})
}

func checkTiers(t *testing.T, s *Store, truth map[fleet.SeriesKey][]sample) {
	t.Helper()
	now := time.Now().UTC()
	raw, err := s.samples(t.Context(), "s1", gauge, 0, toMs(now))
	if err != nil || now.Sub(fromMs(raw[0].at)) > 9*time.Hour {
		t.Fatalf("samples reach back to %v, %v: this tests no tier", fromMs(raw[0].at), err)
	}
	for _, c := range []struct{ step, back time.Duration }{
		{5 * time.Minute, 11 * time.Hour}, {15 * time.Minute, 11 * time.Hour}, {time.Hour, 38 * time.Hour}, {2 * time.Hour, 38 * time.Hour}, {24 * time.Hour, 39 * time.Hour},
	} {
		from := bucket(toMs(now.Add(-c.back)), durMs(c.step))
		for _, key := range []fleet.SeriesKey{gauge, health} {
			condense := gaugePoints
			if key == health {
				condense = statePoints
			}
			compareSteps(t, s, key, c.step, from, condense(since(truth[key], from), durMs(c.step)))
		}
		p, err := s.Series(t.Context(), "s1", octets, fromMs(from), now, c.step)
		if err != nil || len(p) < int(c.back/c.step)-1 {
			t.Errorf("rates by %v: %d points, %v", c.step, len(p), err)
		}
		for i, x := range p {
			if x.Mean.String() != "5" || x.Min.String() != "5" || x.Max.String() != "5" || i > 0 && x.At().Sub(p[i-1].At()) != c.step {
				t.Fatalf("rates by %v: point %d is %+v", c.step, i, x)
			}
		}
	}
	// Whatever the step: hours, then five minutes, then samples.
	p, err := s.Series(t.Context(), "s1", health, now.Add(-30*time.Hour), now, 0)
	if err != nil {
		t.Fatal(err)
	}
	gaps := map[time.Duration]int{}
	for i := 1; i < len(p); i++ {
		gap := p[i].At().Sub(p[i-1].At()).Round(time.Minute)
		if gap <= 0 || gap > time.Hour {
			t.Fatalf("%v after %v", p[i].At(), p[i-1].At())
		}
		gaps[gap]++
	}
	if gaps[time.Hour] < 16 || gaps[5*time.Minute] < 60 || gaps[2*time.Minute] < 100 {
		t.Errorf("gaps between points: %v", gaps)
	}
}

func since(v []sample, from int64) []sample {
	for len(v) > 0 && v[0].at < from {
		v = v[1:]
	}
	return v
}

func compareSteps(t *testing.T, s *Store, key fleet.SeriesKey, step time.Duration, from int64, want []fleet.Point) {
	t.Helper()
	got, err := s.Series(t.Context(), "s1", key, fromMs(from), time.Now(), step)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v by %v: %d points, want %d, %v", key, step, len(got), len(want), err)
	}
	for i, w := range want {
		g := got[i]
		if g.Ms != w.Ms || g.Count != w.Count || g.Min.String() != w.Min.String() || g.Max.String() != w.Max.String() || math.Abs(g.Mean.Float()-w.Mean.Float()) > 0.015 { // two means, each rounded to a hundredth
			t.Fatalf("%v by %v: point %d is %+v, want %+v", key, step, i, g, w)
		}
	}
}
