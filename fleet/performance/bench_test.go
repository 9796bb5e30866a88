package performance

import (
	"testing"
	"time"

	"plumb/fleet"
)

// BenchmarkJudge is one healthy machine whose block closed: two hours more are
// folded into its weeks, and all classes are judged.
func BenchmarkJudge(b *testing.B) {
	d, p, n := machine("s1"), past(1, nil), norms(7)
	sum := fleet.Summary{Target: "s1"}
	for h := range 2 {
		at := now.Add(time.Duration(h) * time.Hour)
		for _, k := range Wanted(d) {
			v := fleet.Int(50)
			if x := d.Sensor(k.Row); x != nil {
				v = x.Value
			}
			sum.Series = append(sum.Series, fleet.SeriesSummary{Key: k, From: at, Mean: v})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Judge(Case{Device: d, Past: p.With(Hours(d, sum)), Norms: n, Now: now})
	}
}
