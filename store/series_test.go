package store

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

var (
	gauge   = fleet.SeriesKey{Table: fleet.TableSensors, Row: "inlet"}
	octets  = fleet.SeriesKey{Table: fleet.TablePorts, Row: "eth0", Field: fleet.FieldCounter}
	health  = fleet.SeriesKey{Table: fleet.TableSensors, Row: "psu", Field: fleet.FieldState}
	allKeys = []fleet.SeriesKey{gauge, octets, health}
)

func reading(target string, at time.Time, values ...fleet.Num) fleet.Readings {
	return fleet.Readings{Target: target, At: at, Keys: allKeys[:len(values)], Values: values}
}

func (o *opened) read(t *testing.T, key fleet.SeriesKey, from, to time.Time, step time.Duration) []fleet.Point {
	t.Helper()
	p, err := o.Series(t.Context(), "s1", key, from, to, step)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGaugesKeepExtremesAndGaps(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	var null fleet.Num
	for i, v := range []fleet.Num{fleet.Int(20), fleet.Dec(205, -1), null, fleet.Int(30), null, null, fleet.Int(10)} {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(i)*time.Minute), v)}})
	}
	if p := o.read(t, gauge, day0, day0.Add(time.Hour), 0); len(p) != 4 || !p[2].At().Equal(day0.Add(3*time.Minute)) {
		t.Errorf("as stored: %+v", p)
	}
	want := []fleet.Point{
		{Ms: toMs(day0), Min: fleet.Int(20), Max: fleet.Dec(205, -1), Mean: fleet.Dec(2025, -2), Count: 2},
		{Ms: toMs(day0.Add(2 * time.Minute)), Min: fleet.Int(30), Max: fleet.Int(30), Mean: fleet.Int(30), Count: 1},
		{Ms: toMs(day0.Add(6 * time.Minute)), Min: fleet.Int(10), Max: fleet.Int(10), Mean: fleet.Int(10), Count: 1},
	}
	if p := o.read(t, gauge, day0, day0.Add(time.Hour), 2*time.Minute); !slices.Equal(p, want) {
		t.Errorf("by 2 minutes: %+v\nwant %+v", p, want)
	}
	if p := o.read(t, gauge, day0.Add(time.Minute), day0.Add(3*time.Minute), 0); len(p) != 1 {
		t.Errorf("from is inside and to is not: %+v", p)
	}
}

func TestCountersAreRatesModulo64Bits(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	total := func(u uint64) fleet.Num { return fleet.Int(int64(u)) }
	rows := []struct {
		after time.Duration
		v     fleet.Num
	}{
		{0, total(1<<64 - 500)},
		{10 * time.Second, total(500)},  // wraps: 100 a second
		{20 * time.Second, total(2500)}, // 200 a second
		{30 * time.Second, total(1000)}, // a reset: no rate
		{40 * time.Second, total(1000)}, // a measured zero
		{50 * time.Second, fleet.Num{}}, // not read
		{60 * time.Second, total(9000)}, // and so no rate
		{40 * time.Minute, total(9001)}, // too long ago: no rate
		{40*time.Minute + 8*time.Second, total(9002)},
	}
	for _, r := range rows {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(r.after), fleet.Int(0), r.v)}})
	}
	p := o.read(t, octets, day0, day0.Add(time.Hour), 0)
	var got []string
	for _, x := range p {
		got = append(got, x.At().Sub(day0).String()+"="+x.Mean.String())
	}
	want := []string{"10s=100", "20s=200", "40s=0", "40m8s=0.125"}
	if !slices.Equal(got, want) {
		t.Errorf("rates %v, want %v", got, want)
	}
	p = o.read(t, octets, day0, day0.Add(time.Minute), time.Minute)
	if len(p) != 1 || p[0].Mean != fleet.Dec(100000, -3) || p[0].Max != fleet.Dec(200000, -3) || p[0].Min != fleet.Dec(0, -3) || p[0].Count != 3 {
		t.Errorf("a minute: %+v", p)
	}
	// The first rate of a range comes from the sample before it.
	if p := o.read(t, octets, day0.Add(15*time.Second), day0.Add(25*time.Second), 0); len(p) != 1 || p[0].Mean.String() != "200" {
		t.Errorf("first rate: %+v", p)
	}
}

func TestStatesKeepTheWorstAndTheLast(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	for i, st := range []fleet.State{fleet.StateOK, fleet.StateCrit, fleet.StateOff} {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(i)*time.Second), fleet.Int(0), fleet.Int(0), fleet.Int(int64(st)))}})
	}
	p := o.read(t, health, day0, day0.Add(time.Minute), time.Minute)
	if len(p) != 1 || asState(p[0].Max) != fleet.StateCrit || asState(p[0].Mean) != fleet.StateOff || asState(p[0].Min) != fleet.StateOff {
		t.Errorf("%+v", p)
	}
}

// A day of polls passes in fake time, with late and repeated ones, so that rows
// become parts and parts blocks; what is read back is what was said, before and
// after a restart.
func TestADayThroughPartsAndBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := start(t, dir, testStep)
		began := time.Now().UTC()
		want := map[int64]int64{}
		for i := range 24 * 60 {
			at := time.Now().UTC()
			rs := []fleet.Readings{reading("s1", at, fleet.Int(int64(i)))}
			want[toMs(at)] = int64(i)
			if i%10 == 0 { // late, and out of order
				late := at.Add(-95*time.Minute - 30*time.Second)
				rs = append(rs, reading("s1", late, fleet.Int(int64(-i))))
				want[toMs(late)] = int64(-i)
			}
			if i%7 == 0 { // the same once more
				rs = append(rs, rs[0])
			}
			o.apply(t, payload{Readings: rs})
			time.Sleep(time.Minute)
		}
		check := func(o *opened) {
			t.Helper()
			p := o.read(t, gauge, began.Add(-3*time.Hour), time.Now(), 0)
			if len(p) != len(want) {
				t.Fatalf("%d points, want %d", len(p), len(want))
			}
			for i, x := range p {
				if x.Mean.N != want[x.Ms] || i > 0 && p[i-1].Ms >= x.Ms {
					t.Fatalf("point %d is %+v, want %d", i, x, want[x.Ms])
				}
			}
		}
		check(o)
		if r := verifyClean(t, o.Store); r.Blocks < 12 || r.Blocks > 12+10 {
			t.Errorf("%d blocks for a day of one target", r.Blocks)
		}
		if st := o.Stats(); st.OpenRows > 100 {
			t.Errorf("%d rows are still in memory", st.OpenRows)
		}
		o.stop()
		check(start(t, dir, testStep))
	})
}

func TestRawIsDeletedWhenItIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, t.TempDir(), testStep)
		for range 5 * 24 * 6 {
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", time.Now().UTC(), fleet.Int(1))}})
			time.Sleep(10 * time.Minute)
		}
		p, err := o.samples(t.Context(), "s1", gauge, 0, toMs(time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		kept := time.Since(fromMs(p[0].at))
		if kept < o.cfg.Retention.Raw || kept > o.cfg.Retention.Raw+3*window {
			t.Errorf("the oldest sample is %v old, raw is kept for %v", kept, o.cfg.Retention.Raw)
		}
	})
}

func TestBackfillFillsOnlyWhatIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := start(t, dir, testStep)
		polled := time.Now().UTC()
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", polled, fleet.Int(1))}})
		past := func(n int) iter.Seq[fleet.Readings] {
			return func(yield func(fleet.Readings) bool) {
				for i := range n { // newest first, and ten that lie in what was polled
					if !yield(reading("s1", polled.Add(time.Duration(9-i)*time.Minute), fleet.Int(100))) {
						return
					}
				}
			}
		}
		time.Sleep(time.Hour)
		if n, err := o.Backfill(t.Context(), "sim-history", past(310)); err != nil || n != 300 {
			t.Fatalf("Backfill took %d, %v; want 300", n, err)
		}
		if n, err := o.Backfill(t.Context(), "sim-history", past(310)); err != nil || n != 0 {
			t.Fatalf("the second Backfill took %d, %v; want 0", n, err)
		}
		if n, err := o.Backfill(t.Context(), "sim-history", past(320)); err != nil || n != 10 {
			t.Fatalf("a longer Backfill took %d, %v; want 10", n, err)
		}
		p := o.read(t, gauge, polled.Add(-24*time.Hour), time.Now(), 0)
		if len(p) != 311 || p[310].Mean != fleet.Int(1) {
			t.Errorf("%d points, the last %+v", len(p), p[len(p)-1])
		}
		src, err := o.Sources(t.Context())
		if err != nil || len(src) != 1 || src[0].Source != "sim-history" || src[0].Target != "s1" || src[0].Rows != 310 ||
			!src[0].To.Equal(polled.Add(-time.Minute)) || !src[0].From.Equal(polled.Add(-310*time.Minute)) {
			t.Errorf("Sources = %+v, %v", src, err)
		}
		o.stop()
		o = start(t, dir, testStep)
		if p := o.read(t, gauge, polled.Add(-24*time.Hour), time.Now(), 0); len(p) != 311 {
			t.Errorf("%d points after reopening", len(p))
		}
	})
}

func TestAnswers(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	at := day0.Add(time.Hour)
	for i := range 60 {
		o.apply(t, payload{
			Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(i)*time.Minute), fleet.Int(int64(i)))},
			Events: []fleet.Event{
				{ID: string(rune('A' + i)), Target: "s1", At: day0.Add(time.Duration(i) * time.Minute)},
				{ID: "x", Target: "s2", At: day0, Text: string(rune('A' + i))}, // read again and again
			},
			Changes: []fleet.Change{{Target: "s1", Table: fleet.TablePorts, Row: "eth0", At: day0.Add(time.Duration(i) * time.Minute), Value: []byte{'0' + byte(i%10)}}},
			Jobs:    []fleet.Job{{ID: "j" + string(rune('A'+i)), Began: day0.Add(time.Duration(i) * time.Minute), State: fleet.JobVerified}},
			Audit:   []fleet.AuditEntry{{Who: "ann", At: day0.Add(time.Duration(i) * time.Minute)}},
		})
	}
	ask := func(q fleet.Query, at time.Time) fleet.Answer {
		t.Helper()
		a := o.Answer(t.Context(), q, at)
		if a.Err != nil {
			t.Fatal(a.Err)
		}
		return a
	}
	a := ask(fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 10 * time.Minute, Step: 5 * time.Minute}, day0.Add(30*time.Minute))
	if len(a.Points) != 3 || a.Points[0].Count != 5 || a.Points[2].Mean != fleet.Int(30) || a.Seam {
		t.Errorf("series: %+v", a)
	}
	if a = ask(fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 10 * time.Hour}, at); !a.Seam || len(a.Points) != 60 {
		t.Errorf("the seam is not seen: %d points, %v", len(a.Points), a.Seam)
	}
	if a = ask(fleet.Query{Kind: fleet.QueryEvents, Target: "s1", Limit: 3}, day0.Add(10*time.Minute)); len(a.Events) != 3 || a.Events[0].ID != "K" || a.Events[2].ID != "I" {
		t.Errorf("events: %+v", a.Events)
	}
	if a = ask(fleet.Query{Kind: fleet.QueryEvents}, at); len(a.Events) != 61 {
		t.Errorf("%d events of all, want 61", len(a.Events))
	}
	if a = ask(fleet.Query{Kind: fleet.QueryEvents, Target: "s2"}, at); len(a.Events) != 1 || a.Events[0].Text != "A" {
		t.Errorf("the first telling stays: %+v", a.Events)
	}
	if a = ask(fleet.Query{Kind: fleet.QueryEvents, Span: 5 * time.Minute}, day0.Add(20*time.Minute)); len(a.Events) != 6 {
		t.Errorf("%d events of 5 minutes, want 6", len(a.Events))
	}
	if a = ask(fleet.Query{Kind: fleet.QueryJobs, Limit: 2}, day0.Add(10*time.Minute)); len(a.Jobs) != 2 || a.Jobs[0].ID != "jK" {
		t.Errorf("jobs: %+v", a.Jobs)
	}
	if a = ask(fleet.Query{Kind: fleet.QueryAudit, Limit: 2}, day0.Add(10*time.Minute)); len(a.Audit) != 2 || a.Audit[0].Seq != 11 {
		t.Errorf("audit: %+v", a.Audit)
	}
	if a = ask(fleet.Query{Kind: fleet.QueryHistory, Target: "s1", Table: fleet.TablePorts, Span: 2 * time.Minute}, day0.Add(9*time.Minute)); len(a.Changes) != 3 || string(a.Changes[2].Value) != "9" {
		t.Errorf("history: %+v", a.Changes)
	}
	if a := o.Answer(t.Context(), fleet.Query{Kind: 99}, at); a.Err == nil {
		t.Error("an unknown kind is not refused")
	}
}

// samples reads the samples of one series as they are kept.
func (s *Store) samples(ctx context.Context, target string, key fleet.SeriesKey, from, to int64) ([]sample, error) {
	t := s.targets.get(target)
	if t == nil {
		return nil, nil
	}
	r := seriesReader{Store: s, t: t, key: key}
	out, err := r.samples(ctx, new(scratch), from, to)
	return out, cmp.Or(err, r.holes.err())
}
