package drift

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// found is a look at a facet that is not as it should be.
func found(facet, observed string) fleet.Look {
	return fleet.Look{Facet: facet, Known: true, Found: &fleet.Finding{Kind: fleet.FindFirmware, Class: fleet.ClassChanged, Observed: observed, Severity: fleet.SeverityWarn,
		Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: "2.19"}}, Text: facet + " is " + observed}}
}

func clean(facet string) fleet.Look  { return fleet.Look{Facet: facet, Known: true} }
func unread(facet string) fleet.Look { return fleet.Look{Facet: facet} }

func judged(looks ...fleet.Look) Judgement {
	return Judgement{Kinds: Kinds, Looks: looks, Looked: len(looks), StaleAfter: 10 * time.Minute}
}

func only(t *testing.T, d *fleet.Docket) fleet.Finding {
	t.Helper()
	if len(d.Of()) != 1 {
		t.Fatalf("%d findings, want one: %+v", len(d.Of()), d.Of())
	}
	return d.Findings[0]
}

func TestAFindingKeepsWhenItWasFirstSeen(t *testing.T) {
	s := Settle(nil, "s01", judged(found("firmware", "2.14")), t0)
	if f := only(t, s.Docket); f.ID() != "s01:firmware" || !f.Since.Equal(t0) || f.State != fleet.FindingOpen || len(s.Begun) != 1 {
		t.Fatalf("first look: %+v, begun %d", f, len(s.Begun))
	}
	again := Settle(s.Docket, "s01", judged(found("firmware", "2.14")), t0.Add(time.Hour))
	if f := only(t, again.Docket); !f.Since.Equal(t0) || len(again.Begun)+len(again.Moved)+len(again.Ended) != 0 {
		t.Errorf("the same again: since %v, %+v", f.Since, again)
	}
	other := Settle(again.Docket, "s01", judged(found("firmware", "2.15")), t0.Add(2*time.Hour))
	if f := only(t, other.Docket); !f.Since.Equal(t0) || f.Observed != "2.15" || len(other.Moved) != 1 {
		t.Errorf("another wrong value: %+v, moved %d", f, len(other.Moved))
	}
	gone := Settle(other.Docket, "s01", judged(clean("firmware")), t0.Add(3*time.Hour))
	if len(gone.Docket.Findings) != 0 || len(gone.Ended) != 1 || len(gone.Docket.Gone) != 1 {
		t.Fatalf("as it should be: %+v", gone)
	}
	if f := gone.Docket.Gone[0]; f.State != fleet.FindingGone || !f.Ended.Equal(t0.Add(3*time.Hour)) || !f.Since.Equal(t0) {
		t.Errorf("gone: %+v", f)
	}
	back := Settle(gone.Docket, "s01", judged(found("firmware", "2.14")), t0.Add(4*time.Hour))
	if f := only(t, back.Docket); !f.Since.Equal(t0.Add(4*time.Hour)) || len(back.Docket.Gone) != 0 {
		t.Errorf("back again it is a new finding: %+v, gone %d", f, len(back.Docket.Gone))
	}
}

func TestAFindingIsAsOldAsTheChangeThatMadeIt(t *testing.T) {
	d := Note(nil, fleet.Former{Facet: "firmware", Value: "2.19", At: t0})
	s := Settle(d, "s01", judged(found("firmware", "2.14")), t0.Add(5*time.Minute))
	if f := only(t, s.Docket); !f.Since.Equal(t0) {
		t.Errorf("since %v, the change was seen at %v", f.Since, t0)
	}
}

func TestWhatCannotBeReadNeitherFindsNorClears(t *testing.T) {
	s := Settle(nil, "s01", judged(unread("firmware")), t0)
	if len(s.Docket.Findings) != 0 {
		t.Fatalf("found without a look: %+v", s.Docket.Findings)
	}
	s = Settle(nil, "s01", judged(found("firmware", "2.14")), t0)
	j := judged(unread("firmware"))
	j.LastRead = t0
	soon := Settle(s.Docket, "s01", j, t0.Add(10*time.Minute))
	if f := only(t, soon.Docket); !f.Stale.IsZero() || len(soon.Moved) != 0 {
		t.Errorf("not yet stale: %+v", f)
	}
	late := Settle(soon.Docket, "s01", j, t0.Add(11*time.Minute))
	if f := only(t, late.Docket); !f.Stale.Equal(t0.Add(11*time.Minute)) || f.State != fleet.FindingOpen || len(late.Moved) != 1 {
		t.Errorf("too old: %+v", f)
	}
	later := Settle(late.Docket, "s01", j, t0.Add(time.Hour))
	if f := only(t, later.Docket); !f.Stale.Equal(t0.Add(11*time.Minute)) || len(later.Moved) != 0 {
		t.Errorf("stale since when it became so: %+v", f)
	}
	seen := Settle(later.Docket, "s01", judged(found("firmware", "2.14")), t0.Add(2*time.Hour))
	if f := only(t, seen.Docket); !f.Stale.IsZero() || !f.Since.Equal(t0) {
		t.Errorf("read again: %+v", f)
	}
}

func TestAJudgeLeavesTheFindingsOfOthersAlone(t *testing.T) {
	other := fleet.Finding{Target: "s01", Facet: "ipmi.cipher0", Kind: fleet.FindSecurity, Since: t0, State: fleet.FindingOpen}
	s := Settle(&fleet.Docket{Findings: []fleet.Finding{other}}, "s01", judged(), t0.Add(time.Hour))
	if f := only(t, s.Docket); f.Kind != fleet.FindSecurity || len(s.Ended) != 0 {
		t.Errorf("another judge's finding: %+v, ended %d", f, len(s.Ended))
	}
}

func TestRulings(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name   string
		ruling fleet.Ruling
		value  string
		after  time.Duration
		want   fleet.FindingState
	}{
		{"accepted", fleet.Ruling{Verdict: fleet.FindingAccepted, Value: "2.14"}, "2.14", 400 * day, fleet.FindingAccepted},
		{"accepted, then another value", fleet.Ruling{Verdict: fleet.FindingAccepted, Value: "2.14"}, "2.15", time.Hour, fleet.FindingOpen},
		{"waived", fleet.Ruling{Verdict: fleet.FindingWaived, Value: "2.14", Until: t0.Add(day)}, "2.14", day - 1, fleet.FindingWaived},
		{"waived, whatever the value", fleet.Ruling{Verdict: fleet.FindingWaived, Value: "2.14", Until: t0.Add(day)}, "2.15", time.Hour, fleet.FindingWaived},
		{"waived until now", fleet.Ruling{Verdict: fleet.FindingWaived, Value: "2.14", Until: t0.Add(day)}, "2.14", day, fleet.FindingOpen},
		{"ignored", fleet.Ruling{Verdict: fleet.FindingIgnored}, "2.15", 400 * day, fleet.FindingIgnored},
		{"ignored until", fleet.Ruling{Verdict: fleet.FindingIgnored, Until: t0.Add(day)}, "2.14", 2 * day, fleet.FindingOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Settle(nil, "s01", judged(found("firmware", "2.14")), t0)
			c.ruling.Target, c.ruling.Facet = "s01", "firmware"
			s = Rule(s.Docket, c.ruling, t0)
			if f := only(t, s.Docket); f.State != c.ruling.Verdict || len(s.Moved) != 1 {
				t.Fatalf("a ruling counts at once: %+v", f)
			}
			s = Settle(s.Docket, "s01", judged(found("firmware", c.value)), t0.Add(c.after))
			if f := only(t, s.Docket); f.State != c.want || !f.Since.Equal(t0) {
				t.Errorf("%s after %v: %s since %v, want %s", c.value, c.after, f.State, f.Since, c.want)
			}
			s = Rule(s.Docket, fleet.Ruling{Target: "s01", Facet: "firmware", Verdict: fleet.FindingOpen}, t0.Add(c.after))
			if f := only(t, s.Docket); f.State != fleet.FindingOpen || len(s.Docket.Rulings) != 0 {
				t.Errorf("reopened: %s, %d rulings", f.State, len(s.Docket.Rulings))
			}
		})
	}
}

func TestLapse(t *testing.T) {
	d := Settle(nil, "s01", judged(found("a", "1"), found("b", "1"), found("c", "1")), t0).Docket
	d = Settle(d, "s01", judged(found("a", "1"), found("b", "1"), clean("c")), t0.Add(time.Minute)).Docket
	d = Rule(d, fleet.Ruling{Facet: "a", Verdict: fleet.FindingWaived, Until: t0.Add(time.Hour)}, t0).Docket
	d = Rule(d, fleet.Ruling{Facet: "b", Verdict: fleet.FindingAccepted, Value: "1"}, t0).Docket
	d = Note(d, fleet.Former{Facet: "b", Value: "0", At: t0})
	for _, c := range []struct {
		at                   time.Time
		rulings, past, gone  int
		open, stays, remains int
	}{
		{t0.Add(time.Hour - 1), 0, 0, 0, 0, 2, 1},
		{t0.Add(time.Hour), 1, 0, 0, 1, 1, 1},
		{t0.Add(time.Minute + Day), 0, 0, 1, 1, 1, 1},
		{t0.Add(Week - 1), 0, 0, 0, 1, 1, 1},
		{t0.Add(Week), 0, 1, 0, 1, 1, 0},
	} {
		l, ok := Lapse(d, c.at)
		if len(l.Rulings) != c.rulings || len(l.Past) != c.past || len(l.Gone) != c.gone || ok != (c.rulings+c.past+c.gone > 0) {
			t.Fatalf("at %v: %d rulings, %d past, %d gone, %v", c.at.Sub(t0), len(l.Rulings), len(l.Past), len(l.Gone), ok)
		}
		if ok {
			d = l.Docket
		}
		if d.Open() != c.open || len(d.Rulings) != c.stays || len(d.Past) != c.remains {
			t.Errorf("at %v: %d open, %d rulings and %d values left", c.at.Sub(t0), d.Open(), len(d.Rulings), len(d.Past))
		}
	}
	if _, ok := Lapse(nil, t0); ok {
		t.Error("a nil docket has nothing to lose")
	}
}

func TestNoteKeepsTheFirstChangeOfAWeek(t *testing.T) {
	d := Note(nil, fleet.Former{Facet: "firmware", Value: "2.14", At: t0})
	d2 := Note(d, fleet.Former{Facet: "firmware", Value: "2.19", At: t0.Add(time.Hour)})
	d2 = Note(d2, fleet.Former{Facet: "bios.version", Value: "1", At: t0.Add(time.Hour)})
	if len(d.Past) != 1 || len(d2.Past) != 2 || d2.Past[0].Value != "2.14" || !d2.Past[0].At.Equal(t0) {
		t.Errorf("noted %+v, then %+v", d.Past, d2.Past)
	}
	if at := d2.Past[0].Changed(); !at.Equal(t0.Add(time.Hour)) || !d2.Past[0].At.Equal(t0) {
		t.Errorf("it changed last at %v", at)
	}
}

// TestSinceIsOfThePresentSpell: what was off, went back and is off again has been
// off since it changed last.
func TestSinceIsOfThePresentSpell(t *testing.T) {
	d := Note(nil, fleet.Former{Facet: "firmware", Value: "2.19", At: t0})
	for i, value := range []string{"2.14", "2.19"} { // back after an hour, off again after two
		d = Note(d, fleet.Former{Facet: "firmware", Value: value, At: t0.Add(time.Duration(i+1) * time.Hour)})
	}
	look := fleet.Look{Facet: "firmware", Known: true, Found: &fleet.Finding{Kind: fleet.FindFirmware, Observed: "2.14"}}
	s := Settle(d, "s01", Judgement{Kinds: []fleet.FindingKind{fleet.FindFirmware}, Looks: []fleet.Look{look}}, t0.Add(3*time.Hour))
	if len(s.Begun) != 1 || !s.Begun[0].Since.Equal(t0.Add(2*time.Hour)) {
		t.Errorf("begun %+v", s.Begun)
	}
}

// model is the life of findings told slowly: one row a facet, nothing shared.
type model struct {
	rows    map[string]fleet.Finding
	rulings map[string]fleet.Ruling
}

func (m *model) settle(looks []fleet.Look, lastRead, now time.Time, after time.Duration) (begun, ended []string) {
	for _, facet := range facets {
		i := slices.IndexFunc(looks, func(l fleet.Look) bool { return l.Facet == facet })
		f, stood := m.rows[facet]
		switch {
		case i >= 0 && !looks[i].Known: // says nothing
			if stood && f.Stale.IsZero() && now.Sub(lastRead) > after {
				f.Stale = now
				m.rows[facet] = f
			}
		case i >= 0 && looks[i].Found != nil:
			since := now
			if stood {
				since = f.Since
			} else {
				begun = append(begun, facet)
			}
			f = *looks[i].Found
			f.Since = since
			m.rows[facet] = f
		case stood:
			delete(m.rows, facet)
			ended = append(ended, facet)
		}
	}
	return begun, ended
}

func (m *model) state(facet string, now time.Time) fleet.FindingState {
	r, ok := m.rulings[facet]
	switch {
	case !ok:
	case r.Verdict == fleet.FindingAccepted && r.Value == m.rows[facet].Observed:
		return r.Verdict
	case r.Verdict != fleet.FindingAccepted && (r.Until.IsZero() || now.Before(r.Until)):
		return r.Verdict
	}
	return fleet.FindingOpen
}

var facets = []string{"bios.version", "firmware", "port Ethernet1 vlan", "port Ethernet2 vlan"}

// TestLifeAgainstAModel lets chance look, rule and wait, and holds every docket
// against the model; what was written down on the way must rebuild it, and no
// docket may be written after it was made.
func TestLifeAgainstAModel(t *testing.T) {
	tally := map[string]int{}
	for seed := range uint64(200) {
		life(t, rand.New(rand.NewPCG(seed, 3)), tally)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, what := range []string{"begun", "ended", "moved", "stale", "accepted", "waived", "ignored", "lapsed"} {
		if tally[what] < 50 {
			t.Errorf("%s happened %d times: the test proves little", what, tally[what])
		}
	}
}

func life(t *testing.T, r *rand.Rand, tally map[string]int) {
	m := model{rows: map[string]fleet.Finding{}, rulings: map[string]fleet.Ruling{}}
	kept := map[string]fleet.Finding{} // as the store has it
	var d *fleet.Docket
	now, lastRead := t0, t0
	for range 60 {
		now = now.Add(time.Duration(1+r.IntN(20)) * time.Minute)
		before := text(d)
		was, s := d, Settled{}
		switch r.IntN(6) {
		case 0:
			ruling := randomRuling(r, &m, now)
			s = Rule(d, ruling, now)
		case 1:
			l, ok := Lapse(d, now)
			if !ok {
				continue
			}
			s = l.Settled
			for _, x := range l.Rulings {
				delete(m.rulings, x.Facet)
				tally["lapsed"]++
			}
		default:
			j := judged(randomLooks(r)...)
			if r.IntN(3) == 0 {
				lastRead = now
			}
			j.LastRead = lastRead
			s = Settle(d, "s01", j, now)
			begun, ended := m.settle(j.Looks, lastRead, now, j.StaleAfter)
			if a, b := names(s.Begun), names(s.Ended); !sameSet(a, begun) || !sameSet(b, ended) {
				t.Errorf("begun %v ended %v, the model says %v and %v", a, b, begun, ended)
			}
			tally["begun"] += len(begun)
			tally["ended"] += len(ended)
		}
		if text(was) != before {
			t.Error("a docket was written after it was made")
		}
		d = s.Docket
		keep(kept, s, tally)
		m.check(t, d, kept, now, tally)
		if t.Failed() {
			return
		}
	}
}

func keep(kept map[string]fleet.Finding, s Settled, tally map[string]int) {
	for _, f := range s.Ended {
		delete(kept, f.Facet)
	}
	for _, f := range append(slices.Clone(s.Begun), s.Moved...) {
		kept[f.Facet] = f
	}
	tally["moved"] += len(s.Moved)
}

// check holds a docket against the model and against what was written down.
func (m *model) check(t *testing.T, d *fleet.Docket, kept map[string]fleet.Finding, now time.Time, tally map[string]int) {
	t.Helper()
	if len(d.Findings) != len(m.rows) || len(kept) != len(m.rows) {
		t.Errorf("%d findings, %d kept, the model has %d", len(d.Findings), len(kept), len(m.rows))
	}
	for i, f := range d.Findings {
		want, stands := m.rows[f.Facet]
		state := m.state(f.Facet, now)
		if !stands || f.Observed != want.Observed || !f.Since.Equal(want.Since) || !f.Stale.Equal(want.Stale) || f.State != state || f.Target != "s01" {
			t.Errorf("%+v, the model has %+v, %s", f, want, state)
		}
		if k := kept[f.Facet]; !alike(&k, &f) || !k.Since.Equal(f.Since) {
			t.Errorf("stands %+v, written down is %+v", f, k)
		}
		if i > 0 && d.Findings[i-1].Facet >= f.Facet {
			t.Error("not in the order of facets")
		}
		tally[string(f.State)]++
		if !f.Stale.IsZero() {
			tally["stale"]++
		}
	}
}

func randomLooks(r *rand.Rand) (looks []fleet.Look) {
	for _, facet := range facets {
		switch r.IntN(6) {
		case 0:
			looks = append(looks, clean(facet))
		case 1, 2:
			looks = append(looks, unread(facet))
		case 3, 4:
			looks = append(looks, found(facet, fmt.Sprint(r.IntN(2))))
		}
	}
	return looks
}

func randomRuling(r *rand.Rand, m *model, now time.Time) fleet.Ruling {
	verdicts := []fleet.FindingState{fleet.FindingAccepted, fleet.FindingWaived, fleet.FindingIgnored, fleet.FindingOpen}
	x := fleet.Ruling{Target: "s01", Facet: facets[r.IntN(len(facets))], Verdict: verdicts[r.IntN(4)], Value: fmt.Sprint(r.IntN(2)), At: now}
	if x.Verdict == fleet.FindingWaived {
		x.Until = now.Add(time.Duration(r.IntN(60)) * time.Minute)
	}
	m.rulings[x.Facet] = x
	if x.Verdict == fleet.FindingOpen {
		delete(m.rulings, x.Facet)
	}
	return x
}

func names(list []fleet.Finding) (out []string) {
	for i := range list {
		out = append(out, list[i].Facet)
	}
	return out
}

func sameSet(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return strings.Join(a, ",") == strings.Join(b, ",")
}

func text(d *fleet.Docket) string {
	b, _ := json.Marshal(d)
	return string(b)
}

// TestWhatIsGoneIsKept holds that a door that was shut is kept for a week, for
// the trend, and is out of sight after a day as all others are.
func TestWhatIsGoneIsKept(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	gone := func(kind fleet.FindingKind, facet string) fleet.Finding {
		return fleet.Finding{Kind: kind, Facet: facet, State: fleet.FindingGone, Ended: at}
	}
	was := &fleet.Docket{Gone: []fleet.Finding{gone(fleet.FindConfig, "bios"), gone(fleet.FindSecurity, "ipmi.v15")}}
	for _, c := range []struct {
		age         time.Duration
		kept, shown int
	}{{time.Hour, 2, 2}, {Day, 1, 0}, {Week - time.Hour, 1, 0}, {Week, 0, 0}} {
		docket := was
		if l, ok := Lapse(was, at.Add(c.age)); ok {
			docket = l.Docket
		}
		s := &fleet.Snapshot{At: at.Add(c.age), Devices: fleet.NewTable([]string{"s"}, []fleet.Device{{Docket: docket}})}
		if shown := len(Read(s, "").Gone); len(docket.Gone) != c.kept || shown != c.shown {
			t.Errorf("after %v: %d kept, %d shown; want %d, %d", c.age, len(docket.Gone), shown, c.kept, c.shown)
		}
	}
}
