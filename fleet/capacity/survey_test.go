package capacity

import (
	"errors"
	"testing"
	"time"

	"plumb/fleet"
)

func lossOf(t *testing.T, v Survey, part string) Loss {
	t.Helper()
	for _, l := range v.Losses {
		if l.Part == part {
			return l
		}
	}
	t.Fatalf("no loss of %s", part)
	return Loss{}
}

// TestSurveyFailures: what each failure moves is what the rows say of the worst
// one, by part.
func TestSurveyFailures(t *testing.T) {
	v := SurveyOf(twoFeeds().snapshot())
	a := lossOf(t, v, "A")
	if a.Kind != "feed" || a.LoadW != fleet.Int(2704) || a.LimitW != fleet.Int(4992) || len(a.To) != 2 || len(a.Alone) != 0 {
		t.Fatalf("%+v", a)
	}
	for _, c := range a.To {
		if c.BeforeW != fleet.Int(2912) || c.AfterW != fleet.Int(5616) || c.OverW != fleet.Int(624) || !c.Over() {
			t.Errorf("%+v", c)
		}
	}
	if x := lossOf(t, v, "pb"); x.Kind != "pdu" || x.Rack != "ams1/r01" || len(x.To) != 2 {
		t.Errorf("%+v", x)
	}
	rack := v.Subjects[2]
	if rack.Scope != ScopeRack || rack.Row(Failover) == nil || rack.Tightest().Resource != Failover || rack.Hurt() < 1 {
		t.Errorf("%+v", rack)
	}
	if f := v.Fits["ams1/r01"]; f.Binds != Outlets || f.Takes != 23 || len(f.Fits) != 2 {
		t.Errorf("%+v", f)
	}
}

func TestSurveyAloneAndDark(t *testing.T) {
	b := &site{}
	b.feed("A", "", 32, 230, 1)
	b.feed("B", "", 32, 230, 1)
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 16, 8)
	b.pdu("pb", r, "B", 16, 8)
	b.server("lone", r, 1, 150, "pa/1")
	b.server("good", r, 3, 300, "pa/3", "pb/3")
	s := b.snapshot()
	v := SurveyOf(s)
	if a := lossOf(t, v, "A").Alone; len(a) != 1 || a[0] != (Lone{"lone", fleet.Int(150)}) {
		t.Errorf("%+v", a)
	}
	if a := lossOf(t, v, "pb").Alone; len(a) != 0 {
		t.Errorf("%+v", a)
	}
	e := s.Feeds.Edit()
	e.Get("A").State = fleet.StateCrit
	s.Feeds = e.Done()
	v = SurveyOf(s)
	if a := lossOf(t, v, "A"); !a.Dark || len(a.To) != 0 || a.LoadW != fleet.Int(0) {
		t.Errorf("%+v", a)
	}
	if b := lossOf(t, v, "B"); len(b.Alone) != 1 || b.Alone[0].Device != "good" {
		t.Errorf("what runs on its other cord hangs on B alone: %+v", b)
	}
}

// TestRackFitSaysWhatPlacingSays: a rack without power takes nothing, however
// much room it has.
func TestRackFitSaysWhatPlacingSays(t *testing.T) {
	b := smallFleet(1)
	b.rack("r99", 42)
	dim := b.rack("r98", 42)
	b.feed("X", "", 32, 230, 1)
	b.pdu("xa", dim, "X", 16, 8)
	b.pdu("xb", dim, "nowhere", 16, 8)
	v := SurveyOf(b.snapshot())
	if f := v.Fits["ams1/r99"]; !f.Known || f.Takes != 0 || f.Why != "0 PDUs: A and B are not both there" {
		t.Errorf("%+v", f)
	}
	if f := v.Fits["ams1/r98"]; f.Known || f.Why != "how much power is left is not known" {
		t.Errorf("%+v", f)
	}
	if f := v.Fits["ams1/r01"]; !f.Known || f.Takes == 0 || f.Binds == "" {
		t.Errorf("%+v", f)
	}
}

func TestSubjectsAreOrderedByWhatHurts(t *testing.T) {
	unknown := Subject{Rows: []Row{{Resource: Power}, {Resource: Contiguous, Total: fleet.Int(10), Free: fleet.Int(1)}}}
	half := Subject{Rows: []Row{{Resource: Power, Used: fleet.Int(5), Total: fleet.Int(10)}}}
	full := Subject{Rows: []Row{{Resource: Units, Used: fleet.Int(42), Total: fleet.Int(42)}}}
	phase := Subject{Rows: []Row{{Resource: Power, Used: fleet.Int(5), Total: fleet.Int(10), Over: true}}}
	over := Subject{Rows: []Row{{Resource: Failover, Used: fleet.Int(12), Total: fleet.Int(10), Over: true}}}
	order := []Subject{unknown, half, full, phase, over}
	for i := range order[1:] {
		if order[i].Hurt() >= order[i+1].Hurt() {
			t.Errorf("%d hurts %g, the next %g", i, order[i].Hurt(), order[i+1].Hurt())
		}
	}
	if unknown.Tightest() != nil {
		t.Errorf("%+v", unknown.Tightest())
	}
}

// TestAddTo: what more machines change is told beside what is, whether they fit
// or not, and racks that they do not touch are not told.
func TestAddTo(t *testing.T) {
	s := smallFleet(2).snapshot()
	q := Request{Servers: 60, HeightU: 2, Watts: 450, KeepAB: true}
	c, err := AddTo(s, q, "ams1/r02")
	if err != nil || c.Placed != 60 || c.Short != 0 {
		t.Fatalf("%+v %v", c, err)
	}
	breaks := 0
	for _, d := range c.Deltas {
		if d.After.Scope == ScopeRack && d.After.ID != "ams1/r02" {
			t.Errorf("another rack: %+v", d.After)
		}
		if d.Breaks() && d.After.ID == "ams1/r02" {
			breaks++
			if d.After.Free.N >= 0 || d.Before.Free.N < 0 {
				t.Errorf("%+v", d)
			}
		}
	}
	if breaks < 4 { // units, power, failover, outlets
		t.Errorf("%d limits break", breaks)
	}
	q.Servers, q.Site = 3, "ams1"
	if c, err = AddTo(s, q, ""); err != nil || c.Placed != 3 || len(c.Adds) == 0 {
		t.Errorf("%+v %v", c, err)
	}
	q.Site = "elsewhere"
	if c, err = AddTo(s, q, ""); err != nil || c.Placed != 0 || c.Short != 3 || len(c.Deltas) != 0 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err = AddTo(s, q, "ams1/r99"); !errors.Is(err, ErrRack) {
		t.Error(err)
	}
}

func BenchmarkSurvey10000(b *testing.B) {
	s := large()
	for b.Loop() {
		SurveyOf(s)
	}
}

func TestWhere(t *testing.T) {
	b := smallFleet(1)
	s := b.snapshot()
	s.Clouds = fleet.NewTable([]string{"c"}, []fleet.Cloud{{Spec: &fleet.CloudSpec{Region: "fra"}}})
	for _, c := range []struct {
		scope            Scope
		id, site, region string
	}{
		{ScopeRegion, "ams", "", "ams"}, {ScopeSite, "ams1", "ams1", "ams"}, {ScopeRack, "ams1/r01", "ams1", "ams"}, {ScopeFeed, "A", "ams1", "ams"}, {ScopeCloud, "c", "", "fra"},
		{ScopeRack, "ams1/r99", "", ""}, {ScopeFeed, "Z", "", ""}, {ScopeCloud, "d", "", ""},
	} {
		if site, region := SiteOf(s, c.scope, c.id), RegionOf(s, c.scope, c.id); site != c.site || region != c.region {
			t.Errorf("%s %s is in %q, %q", c.scope, c.id, site, region)
		}
	}
}

// BenchmarkForeseeRacks10000 is the forecast of every rack from the hours in
// memory.
func BenchmarkForeseeRacks10000(b *testing.B) {
	s := large()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var hours []fleet.Hour
	for h := range int64(fleet.PastHours) {
		hours = append(hours, fleet.Hour{Class: fleet.PastPower, Hour: fleet.HourOf(now) - fleet.PastHours + h, Value: 2000 + float64(h%24)*7 + float64(h*7919%97)})
	}
	past := (*fleet.Past)(nil).With(hours)
	e := s.Devices.Edit()
	for i := range s.Devices.Len() {
		if s.Devices.At(i).Spec.Kind == fleet.KindPDU {
			e.At(i).Past = past
		}
	}
	s.Devices = e.Done()
	rows, asks := Of(s), Asks(s)
	for b.Loop() {
		if n := len(Foresee(rows, asks, now, func(fleet.Query) ([]fleet.Point, bool) { return nil, false })); n != 454 {
			b.Fatalf("%d racks", n)
		}
	}
}
