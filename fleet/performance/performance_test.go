package performance

import (
	"math"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestHealthyIsSilent: noise, weather, weekends, gaps and meters that lie are
// no findings.
func TestHealthyIsSilent(t *testing.T) {
	n, known := norms(7), 0
	for seed := range uint64(400) {
		found, j := judged(seed, n, nil)
		for _, f := range found {
			t.Errorf("seed %d: %s: %s", seed, f.Severity, f.Text)
		}
		if len(j.Forecasts) > 0 {
			t.Errorf("seed %d: %+v", seed, j.Forecasts)
		}
		known += len(j.Looks) - blind(j)
	}
	if known < 400*9 { // of ten; two of the last hours may be gaps
		t.Errorf("%d looks of 4000 saw anything", known)
	}
}

func blind(j Judgement) (n int) {
	for _, l := range j.Looks {
		if !l.Known {
			n++
		}
	}
	return n
}

// planted are faults with what must be found of them.
var planted = []struct {
	name  string
	facet string
	least int // of a hundred machines
	f     fault
}{
	{"a fan that wears, 1 % a day", "trend", 95, func(d float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastSlowest {
			return v - 0.01*d
		}
		return v
	}},
	{"dust: the heat rises 0.6 C a day", "trend", 95, func(d float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastHot {
			return v + 0.6*d
		}
		return v
	}},
	{"a cold aisle that warms by 0.4 C a day", "trend", 95, func(d float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastInlet {
			return v + 0.4*d
		}
		return v
	}},
	{"a heat sink that came loose yesterday: +12 C", "", 95, func(d float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastHot && d > 21 {
			return v + 12
		}
		return v
	}},
	{"paste that was never good: +15 C from the first day", "heat by power", 95, func(_ float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastHot {
			return v + 15
		}
		return v
	}},
	{"a miner since this morning: 600 W", "power by hour", 95, func(d float64, c fleet.PastClass, v float64) float64 {
		if c == fleet.PastPower && d > 21.6 {
			return 600
		}
		return v
	}},
}

// TestPlantedAreFound counts what is found of a hundred machines each.
func TestPlantedAreFound(t *testing.T) {
	n := norms(7)
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			hit := 0
			for seed := range uint64(100) {
				found, _ := judged(seed, n, p.f)
				for _, f := range found {
					if f.Kind != fleet.FindPerformance || f.Severity > fleet.SeverityWarn || f.Text == "" || len(f.Baselines) == 0 {
						t.Fatalf("%+v", f)
					}
				}
				if seen(judgeOnly(seed, n, p.f), p.facet) {
					hit++
				}
			}
			t.Logf("found %d of 100", hit)
			if hit < p.least {
				t.Errorf("found %d of 100, want %d", hit, p.least)
			}
		})
	}
}

func judgeOnly(seed uint64, n fleet.Norms, f fault) Judgement { _, j := judged(seed, n, f); return j }

func seen(j Judgement, facet string) bool {
	for _, l := range j.Looks {
		if l.Found != nil && strings.Contains(l.Facet, facet) {
			return true
		}
	}
	return false
}

// TestForecastOfAFanThatWears: the date lies near where the slope leads, and
// the day it comes is scored.
func TestForecastOfAFanThatWears(t *testing.T) {
	wear := planted[0].f
	hits := 0
	for seed := range uint64(50) {
		w := newWeather(seed)
		var p *fleet.Past
		until := fleet.HourOf(now)
		p = p.With(w.hours(until, wear))
		j := Judge(Case{Device: machine("s1"), Past: p, Now: now})
		if len(j.Forecasts) != 1 {
			t.Fatalf("seed %d: %d forecasts", seed, len(j.Forecasts))
		}
		next, changed, _ := Foretell(nil, j.Forecasts, p, now)
		if len(changed) != 1 || next[0].Limit != 0.6 { // 4800 of 8000
			t.Fatalf("seed %d: %+v", seed, next)
		}
		// 0.987 to 0.6 at 0.01 a day is 38.7 days from the first hour.
		if due := now.Add(time.Duration((38.7 - 22) * 24 * float64(time.Hour))); next[0].At.Sub(due).Abs() > 2*day {
			t.Errorf("seed %d: foretold for %s, due %s", seed, next[0].At, due)
		}
		for d := 1; next[0].Score == fleet.ScoreOpen && d < 90; d++ {
			at := now.Add(time.Duration(d) * day)
			day := w.hours(until+int64(24*d), func(days float64, c fleet.PastClass, v float64) float64 { return wear(days+float64(d), c, v) })
			p = p.With(day)
			next, _, _ = Foretell(next, nil, p, at)
		}
		if next[0].Score == fleet.ScoreHit {
			hits++
		} else if next[0].Score == fleet.ScoreOpen {
			t.Errorf("seed %d: never scored: %+v", seed, next[0])
		}
	}
	t.Logf("%d of 50 within their interval", hits)
	if hits < 40 {
		t.Errorf("%d of 50 forecasts came true", hits)
	}
}

func TestScores(t *testing.T) {
	f := fleet.Forecast{Class: fleet.PastHot, Limit: 85, Made: now, Low: now.Add(5 * day), At: now.Add(7 * day), High: now.Add(9 * day)}
	hours := func(from, to float64, v float64) (out []fleet.Hour) {
		for h := fleet.HourOf(now) + int64(24*from); h < fleet.HourOf(now)+int64(24*to); h++ {
			out = append(out, fleet.Hour{Class: fleet.PastHot, Hour: h, Value: v})
		}
		return out
	}
	for _, c := range []struct {
		name string
		add  [][]fleet.Hour
		at   float64
		want fleet.Score
	}{
		{"not yet", [][]fleet.Hour{hours(0, 4, 60)}, 4, fleet.ScoreOpen},
		{"one hot hour is none", [][]fleet.Hour{hours(0, 4, 60), hours(4, 4.01+1./24-.01, 90)}, 4.5, fleet.ScoreOpen},
		{"before its time", [][]fleet.Hour{hours(0, 2, 60), hours(2, 2.5, 90)}, 3, fleet.ScoreEarly},
		{"in its time", [][]fleet.Hour{hours(0, 6, 60), hours(6, 6.5, 90)}, 7, fleet.ScoreHit},
		{"it never came", [][]fleet.Hour{hours(0, 12, 60)}, 12, fleet.ScoreLate},
		{"nobody looked", [][]fleet.Hour{hours(0, 3, 60), hours(12, 13, 60)}, 13, fleet.ScoreVoid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p *fleet.Past
			for _, h := range c.add {
				p = p.With(h)
			}
			if got := Settle(&f, p, now.Add(time.Duration(c.at*float64(day)))); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestForetellKeepsOne: while a forecast of a class is open no other takes its
// place, and what was scored long ago is forgotten.
func TestForetellKeepsOne(t *testing.T) {
	f := fleet.Forecast{Class: fleet.PastHot, Limit: 85, Made: now, Low: now.Add(5 * day), At: now.Add(7 * day), High: now.Add(9 * day)}
	better := f
	better.Made, better.At = now.Add(day), now.Add(8*day)
	old := f
	old.Score, old.Scored, old.Made = fleet.ScoreHit, now.Add(-200*day), now.Add(-220*day)
	next, changed, gone := Foretell([]fleet.Forecast{old, f}, []fleet.Forecast{better}, past(1, nil), now.Add(day))
	if len(next) != 1 || !next[0].Made.Equal(now) || len(changed) != 0 || len(gone) != 1 {
		t.Errorf("next %+v, changed %+v, gone %+v", next, changed, gone)
	}
}

// TestHoursOfASummary: keys become classes, and a fan is held against the
// others.
func TestHoursOfASummary(t *testing.T) {
	d := machine("s1")
	var s fleet.Summary
	at := now.Truncate(time.Hour)
	put := func(row string, v int64) {
		s.Series = append(s.Series, fleet.SeriesSummary{Key: fleet.SeriesKey{Table: fleet.TableSensors, Row: row}, From: at, Mean: fleet.Int(v)})
	}
	put("Inlet Temp", 22)
	put("CPU1 Temp", 50)
	put("CPU2 Temp", 60)
	for i, v := range []int64{8000, 8000, 8000, 8000, 8000, 6000} {
		put(d.Sensors[3+i].Key, v)
	}
	s.Series = append(s.Series, fleet.SeriesSummary{Key: PowerKey, From: at, Mean: fleet.Int(300)})
	got := map[fleet.PastClass]float64{}
	for _, h := range Hours(d, s) {
		got[h.Class] = h.Value
	}
	want := map[fleet.PastClass]float64{fleet.PastInlet: 22, fleet.PastHot: 60, fleet.PastFans: 46000. / 6, fleet.PastSlowest: 0.75, fleet.PastPower: 300}
	for c, v := range want {
		if math.Abs(got[c]-v) > 1e-9 {
			t.Errorf("%s is %g, want %g", c, got[c], v)
		}
	}
	if len(got) != len(want) || len(Wanted(d)) != 10 {
		t.Errorf("%v of %d keys", got, len(Wanted(d)))
	}
}

// TestFewDaysSayLittle: a machine that is new says nothing, then little.
func TestFewDaysSayLittle(t *testing.T) {
	for _, c := range []struct {
		days  int64
		found bool
	}{{2, false}, {4, false}, {12, true}} {
		var p *fleet.Past
		var hours []fleet.Hour
		for _, h := range newWeather(3).hours(fleet.HourOf(now), planted[3].f) {
			if h.Hour >= fleet.HourOf(now)-24*c.days {
				hours = append(hours, h)
			}
		}
		j := Judge(Case{Device: machine("s1"), Past: p.With(hours), Now: now})
		if seen(j, "heat by hour") != c.found {
			t.Errorf("%d days: found is %t, want %t", c.days, !c.found, c.found)
		}
		for _, l := range j.Looks {
			if l.Found != nil && l.Found.Confidence != fleet.ConfidenceLow {
				t.Errorf("%d days: %s is said with %s confidence", c.days, l.Facet, l.Found.Confidence)
			}
		}
	}
}
