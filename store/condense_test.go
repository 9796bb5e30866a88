package store

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// The quick way to a point, over plain integers, and the one over samples agree
// to the last digit: a chart changes from one to the other where its tier ends.
func TestPointsOfCellsAreThoseOfSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]fleet.SeriesKind{fleet.Gauge, fleet.Discrete}).Draw(t, "kind")
		most := rapid.SampledFrom([]int64{3, 1000, math.MaxInt64}).Draw(t, "most")
		scale := rapid.Int8Range(-18, 18).Draw(t, "scale")
		mixed := rapid.Bool().Draw(t, "mixed")
		var c cells
		var run []sample
		for range rapid.IntRange(1, 70).Draw(t, "rows") {
			x := fleet.Num{N: rapid.Int64Range(-most, most).Draw(t, "value"), Scale: scale, Known: true}
			if mixed && rapid.Bool().Draw(t, "other") {
				x = rapid.SampledFrom([]fleet.Num{{}, fleet.Dec(x.N, scale/2)}).Draw(t, "as")
			}
			if c.add(x); x.Known {
				run = append(run, sample{v: x})
			}
		}
		_, same := c.scale()
		got := stepPoint(kind, &c, 0, len(c.ints), same && c.scales[0] != noScale)
		var want fleet.Point
		switch {
		case len(run) > 0 && kind == fleet.Gauge:
			want = gaugePoint(run)
		case len(run) > 0:
			want = statePoint(run)
		}
		if got != want {
			t.Fatalf("%v: %+v, want %+v", run, got, want)
		}
	})
}

// The columns of a series say of each step what its point says.
func TestColumnsOfStepsSayWhatTheirPointsSay(t *testing.T) {
	var r tierRows // its columns hold what was there before
	r.columns = make([]cells, 4)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]fleet.SeriesKind{fleet.Gauge, fleet.Discrete, fleet.Counter}).Draw(t, "kind")
		most := rapid.SampledFrom([]int64{3, 1000, math.MaxInt64}).Draw(t, "most")
		scale := rapid.Int8Range(-18, 18).Draw(t, "scale")
		others := rapid.Bool().Draw(t, "others")
		var v cells
		v.add(fleet.Int(1)) // of the step before
		r.steps, r.begins = r.steps[:0], append(r.begins[:0], 1)
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			for range rapid.IntRange(1, 6).Draw(t, "rows") {
				x := fleet.Num{N: rapid.Int64Range(-most, most).Draw(t, "value"), Scale: scale, Known: true}
				if others && rapid.IntRange(0, 5).Draw(t, "other") == 0 {
					x = rapid.SampledFrom([]fleet.Num{{}, fleet.Dec(x.N, scale/2)}).Draw(t, "as")
				}
				v.add(x)
			}
			r.steps, r.begins = append(r.steps, int64(i)), append(r.begins, len(v.ints))
		}
		if rapid.Bool().Draw(t, "same") {
			v.set(0, fleet.Num{N: 1, Scale: scale, Known: true})
		}
		r.condense(r.columns, kind, &v)
		for i := range r.steps {
			want := [4]fleet.Num{v.at(r.begins[i+1] - 1)}
			if kind != fleet.Counter {
				if p := stepPoint(kind, &v, r.begins[i], r.begins[i+1], false); p.Count > 0 {
					want = [4]fleet.Num{p.Min, p.Max, p.Mean, fleet.Int(int64(p.Count))}
				} else {
					want = [4]fleet.Num{}
				}
			}
			for c := range widthOf(kind) {
				var one cells
				if one.add(want[c]); r.columns[c].at(i) != one.at(0) {
					t.Fatalf("%v, step %d, column %d: %v, want %v", kind, i, c, r.columns[c].at(i), one.at(0))
				}
			}
		}
	})
}

func TestMeanIsRoundedHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		sum   int64
		n     int
		scale int8
		want  string
	}{{10, 4, 0, "2.5"}, {1, 3, 0, "0.3"}, {2, 3, 0, "0.7"}, {-1, 20, 0, "-0.1"}, {1, 20, 0, "0.1"}, {-1, 21, 0, "0"}, {405, 2, -1, "20.25"}, {7, 2, 3, "3500"}} {
		if got := mean(c.sum, c.n, c.scale).String(); got != c.want {
			t.Errorf("%d of scale %d by %d: %s, want %s", c.sum, c.scale, c.n, got, c.want)
		}
	}
}
