package engine

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/performance"
)

// weeksOf are the hours of a device's first sensor and its watts; hot says what
// the sensors but the first say on a day.
func weeksOf(target string, now time.Time, hot func(days float64) float64) fleet.Summary {
	s := fleet.Summary{Target: target}
	first := now.Truncate(time.Hour).Add(-fleet.PastHours * time.Hour)
	for h := range fleet.PastHours {
		at, days := first.Add(time.Duration(h)*time.Hour), float64(h)/24
		put := func(k fleet.SeriesKey, v float64) {
			s.Series = append(s.Series, fleet.SeriesSummary{Key: k, From: at, To: at.Add(time.Hour), Count: 60, Mean: fleet.FromFloat(v, 2)})
		}
		wave := math.Sin(2 * math.Pi * days)
		put(fleet.SeriesKey{Table: fleet.TableSensors, Row: "20.0.00"}, 22+wave)
		put(fleet.SeriesKey{Table: fleet.TableSensors, Row: "20.0.01"}, hot(days)+2*wave)
		put(PowerKey, 300+20*wave)
	}
	return s
}

func TestPowerKeysAgree(t *testing.T) {
	if PowerKey != performance.PowerKey {
		t.Errorf("the engine keeps %v, performance asks for %v", PowerKey, performance.PowerKey)
	}
}

// TestCreepIsForetold: a part that gets hotter by half a degree a day is found
// and given a date, both survive a restart, nobody is paged, and what is steady
// is silent.
func TestCreepIsForetold(t *testing.T) {
	l := newLarge(1)
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, first := Step(snap, l.say(l.all()), l.now)
	steady := func(float64) float64 { return 50 }
	creep := func(d float64) float64 { return 50 + 0.7*d } // 80 is its warning
	before := snap
	l.now = l.now.Add(time.Minute)
	snap, out := Step(snap, []fleet.Input{weeksOf("r000-s00", l.now, creep), weeksOf("r000-s01", l.now, steady), fleet.Summary{Target: "nobody"}}, l.now)
	if before.Devices.Get("r000-s00").Past != nil {
		t.Error("the snapshot before was written")
	}
	found := performing(snap, "r000-s00")
	if len(found) != 1 || !strings.Contains(found[0].Text, "hottest part at 80.0 C about") {
		t.Fatalf("%+v", found)
	}
	if n := performing(snap, "r000-s01"); len(n) != 0 {
		t.Errorf("a steady machine: %+v", n)
	}
	if got := performance.Score(snap); got != (performance.Record{Open: 1}) {
		t.Errorf("%+v", got)
	}
	if d := snap.Devices.Get("r000-s00"); d.State != before.Devices.Get("r000-s00").State {
		t.Errorf("a forecast made the device %s", d.State)
	}
	mem := l.memory(fleet.Output{Changes: append(first.Changes, out.Changes...), Readings: first.Readings})
	back := Restore(l.inv, mem, l.now)
	was, is := snap.Devices.Get("r000-s00").Forecasts, back.Devices.Get("r000-s00").Forecasts
	if len(is) != 1 || !is[0].At.Equal(was[0].At) || is[0].What != was[0].What || len(performing(back, "r000-s00")) != 1 {
		t.Errorf("after a restart %+v, before %+v", is, was)
	}
	// Cooled again: the finding goes, the forecast stays until its day and is scored.
	after := was[0].High.Add(time.Hour)
	snap, out = Step(back, []fleet.Input{weeksOf("r000-s00", after, steady)}, after)
	if got := performance.Score(snap); got != (performance.Record{Late: 1}) {
		t.Errorf("its day came: %+v", got)
	}
	if len(performing(snap, "r000-s00")) != 0 || len(out.Changes) == 0 {
		t.Errorf("cooled: %+v", performing(snap, "r000-s00"))
	}
}

// TestObservationsJudgeNoPast: a poll leaves performance alone.
func TestObservationsJudgeNoPast(t *testing.T) {
	l := newLarge(1)
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, _ = Step(snap, l.say(l.all()), l.now)
	snap, _ = Step(snap, []fleet.Input{weeksOf("r000-s00", l.now, func(d float64) float64 { return 50 + 0.7*d })}, l.now)
	was := snap.Devices.Get("r000-s00")
	for range 5 {
		l.now = l.now.Add(time.Minute)
		snap, _ = Step(snap, l.say(l.all()), l.now)
	}
	if is := snap.Devices.Get("r000-s00"); is.Past != was.Past || len(performing(snap, "r000-s00")) != 1 {
		t.Errorf("the past is another: %v, findings %+v", is.Past != was.Past, performing(snap, "r000-s00"))
	}
}

func performing(s *fleet.Snapshot, id string) (out []fleet.Finding) {
	for _, f := range s.Devices.Get(id).Docket.Of() {
		if f.Kind == fleet.FindPerformance {
			out = append(out, f)
		}
	}
	return out
}

// TestPastFitsItsRoom: ten thousand devices with five classes each stay within
// 60 MB.
func TestPastFitsItsRoom(t *testing.T) {
	const devices, room = 10_000, 60 << 20
	all := make([]*fleet.Past, devices)
	hour := fleet.HourOf(t0)
	hours := []fleet.Hour{{Class: fleet.PastInlet, Hour: hour, Value: 22}, {Class: fleet.PastHot, Hour: hour, Value: 50}, {Class: fleet.PastFans, Hour: hour, Value: 8000}, {Class: fleet.PastSlowest, Hour: hour, Value: 0.98}, {Class: fleet.PastPower, Hour: hour, Value: 300}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		all[i] = all[i].With(hours)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := after.HeapAlloc - before.HeapAlloc
	t.Logf("%.1f MB", float64(held)/(1<<20))
	if held > room || all[devices-1].At(fleet.PastHot, hour) != 50 {
		t.Errorf("%d bytes, want at most %d", held, room)
	}
}

// BenchmarkSummaries is what two hours more of 167 devices cost, beside the
// same step without them: that many are never told of in one second, ten
// thousand in two hours are one or two.
func BenchmarkSummaries(b *testing.B) {
	l := newLarge(500)
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, _ = Step(snap, l.say(l.all()), l.now)
	for i := range l.obs {
		snap, _ = Step(snap, []fleet.Input{weeksOf(l.obs[i].Target, l.now, func(float64) float64 { return 50 })}, l.now)
	}
	const changed = 167
	var in []fleet.Input
	for _, i := range l.every(changed, 0) {
		s := weeksOf(l.obs[i].Target, l.now, func(float64) float64 { return 50 })
		s.Series = s.Series[len(s.Series)-6:] // two hours
		in = append(in, s)
	}
	b.ReportAllocs()
	for b.Loop() {
		Step(snap, in, l.now)
	}
}

// TestFadingLightIsFound: blocks that close add up to the weeks of an optic, and
// what fades is found at its port; the snapshot before is not written.
func TestFadingLightIsFound(t *testing.T) {
	l := newLarge(1)
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	in := l.say(l.all())
	for i := range in {
		if o, ok := in[i].(*fleet.Observation); ok && o.Target == "r000-s00" {
			o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: "rx", Name: "DOM RX Power Sensor for Ethernet1", Class: fleet.ClassDBm, Unit: "dBm"}, Value: fleet.Int(-4), State: fleet.StateOK})
		}
	}
	snap, _ = Step(snap, in, l.now)
	key := fleet.SeriesKey{Table: fleet.TableSensors, Row: "rx", Field: fleet.FieldValue}
	first := l.now.Truncate(time.Hour)
	for block := range 20 * 12 {
		at := first.Add(time.Duration(2*block) * time.Hour)
		sum := fleet.Summary{Target: "r000-s00"}
		for h := range 2 {
			from := at.Add(time.Duration(h) * time.Hour)
			sum.Series = append(sum.Series, fleet.SeriesSummary{Key: key, From: from, To: from.Add(time.Hour), Count: 60, Mean: fleet.FromFloat(-4-0.2*from.Sub(first).Hours()/24, 3)})
		}
		before := snap.Devices.Get("r000-s00").Parts
		was := int64(0)
		if len(before) > 0 {
			was = before[0].Until()
		}
		snap, _ = Step(snap, []fleet.Input{sum}, at.Add(2*time.Hour))
		if len(before) > 0 && before[0].Until() != was {
			t.Fatalf("block %d: the snapshot before was written", block)
		}
	}
	found := performing(snap, "r000-s00")
	if len(found) != 1 || found[0].Facet != "performance light DOM RX Power Sensor for Ethernet1" || !strings.Contains(found[0].Text, "went from -4.") {
		t.Fatalf("%+v", found)
	}
}
