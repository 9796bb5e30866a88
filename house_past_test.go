package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/performance"
	"plumb/store"
)

// TestAPastBecomesAForecast goes the whole way: weeks in the store's tiers, told
// as hours, judged, kept, and there again after a restart.
func TestAPastBecomesAForecast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(365 * 24 * time.Hour) // of the bubble: nothing lies before 1970
		inv := &fleet.Inventory{Devices: []fleet.DeviceSpec{{ID: "s1", Kind: fleet.KindServer}}, Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}
		cpu := fleet.SeriesKey{Table: fleet.TableSensors, Row: "20.0.01"}
		def := &fleet.SensorDef{ID: "1", Key: cpu.Row, Name: "CPU1 Temp", Class: fleet.ClassTemperature, Unit: "C", Limits: fleet.Limits{HighWarn: fleet.Int(85)}}
		began := time.Now().UTC()
		heat := func(at time.Time) fleet.Num { return fleet.FromFloat(65+0.5*at.Sub(began).Hours()/24, 1) }
		past := func(yield func(fleet.Readings) bool) {
			for back := time.Duration(0); back < 21*24*time.Hour; back += 10 * time.Minute {
				at := began.Add(-back)
				if !yield(fleet.Readings{Target: "s1", At: at, Keys: []fleet.SeriesKey{cpu}, Values: []fleet.Num{heat(at)}}) {
					return
				}
			}
		}
		cfg := store.Defaults()
		cfg.Dir, cfg.Ballast = t.TempDir(), -1
		cfg.Retention.Raw = 30 * 24 * time.Hour // what is imported stays until it was merged

		open := func() (*house, *fleet.Snapshot, func()) {
			st, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			mem, err := st.Memory(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			first := engine.Restore(inv, mem, time.Now())
			ctx, stop := context.WithCancel(context.Background())
			h := &house{store: &keeper{Store: st}}
			var both sync.WaitGroup
			both.Go(func() {
				if err := st.Run(ctx, first, engine.Step, nil); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() { h.summarise(ctx) })
			return h, first, sync.OnceFunc(func() {
				stop()
				both.Wait()
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
		}

		h, _, shut := open()
		defer func() { shut() }()
		if _, err := h.store.Backfill(t.Context(), "test", past); err != nil {
			t.Fatal(err)
		}
		for range 300 { // twelve windows a day are merged, one with each commit
			o := &fleet.Observation{Target: "s1", Source: fleet.SourceIPMI, At: time.Now(), Sensors: []fleet.Sensor{{SensorDef: def, Value: heat(time.Now()), State: fleet.StateOK}}}
			o.SetTable(fleet.TableSensors, fleet.Complete)
			if err := h.store.Apply(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		check := func(s *fleet.Snapshot, when string) {
			t.Helper()
			d := s.Devices.Get("s1")
			if got := performance.Score(s); got != (performance.Record{Open: 1}) {
				t.Fatalf("%s: %+v", when, got)
			}
			due := began.Add(40 * 24 * time.Hour)
			if f := d.Forecasts[0]; f.At.Sub(due).Abs() > 48*time.Hour || f.Low.After(due) || f.High.Before(due) {
				t.Errorf("%s: foretold for %s between %s and %s, due %s", when, f.At, f.Low, f.High, due)
			}
			if !slices.ContainsFunc(d.Docket.Of(), func(f fleet.Finding) bool { return f.Kind == fleet.FindPerformance }) {
				t.Errorf("%s: nothing is found", when)
			}
		}
		check(h.store.Snapshot(), "when it was merged")
		shut()
		shut()

		var first *fleet.Snapshot
		h, first, shut = open()
		check(first, "after a restart")
		time.Sleep(time.Second)
		synctest.Wait()
		check(h.store.Snapshot(), "when its weeks were read back")
		if d := h.store.Snapshot().Devices.Get("s1"); d.Past.Until() == 0 {
			t.Error("its weeks were not read back")
		}
		shut()
	})
}
