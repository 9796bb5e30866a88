package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"plumb/fleet"
)

// aboutHealth is a reason that a service's workload gives itself.
const aboutHealth = "health"

// rowHealth keeps what a workload was judged to say.
const rowHealth = "health"

// healthRow is that row: what a restart needs, and what was so at a time.
type healthRow struct {
	State   fleet.State `json:"state"`
	Hard    fleet.State `json:"hard"`
	Text    string      `json:"text"`
	Since   time.Time   `json:"since"`
	Unheard bool        `json:"unheard,omitempty"`
	Ailing  bool        `json:"ailing,omitempty"`
	Blind   time.Time   `json:"blind_since,omitzero"`
	// SaidAt is when it last said so: readings tell it too, and later.
	SaidAt time.Time `json:"said_at,omitzero"`
	// Asked is the hash of the question.
	Asked string `json:"asked,omitempty"`
}

// healthKeys are the readings of a workload. It is one slice for all, so that the
// store knows it again.
var healthKeys = []fleet.SeriesKey{{Table: fleet.TableSensors, Row: fleet.SensorLatency}, {Table: fleet.TableSensors, Row: fleet.SensorHealth, Field: fleet.FieldState}}

// observeHealth takes one look at a workload. A look that could make nothing out
// leaves the last word with its age.
func (s *step) observeHealth(k int, o *fleet.Observation) {
	x := s.next.Services.At(k)
	if x.Spec.Health == nil || o.Source != fleet.SourceHealth {
		return // asked before the inventory changed
	}
	h := fleet.Health{}
	if x.Health != nil {
		h = *x.Health
	}
	spec := s.healthSpec(x)
	state, text, ok := o.Word()
	h.Err = o.Err
	if ok {
		count(&h, state, &spec)
		h.Said, h.Text, h.SaidAt, h.BlindSince = state, text, o.At.Truncate(time.Millisecond), zero // as readings are kept, so that the past says the same
		h.Unheard = errors.Is(o.Err, fleet.ErrTimeout) || errors.Is(o.Err, fleet.ErrUnreachable)
		h.Facts = s.mergeFacts(o, h.Facts)
		s.readHealth(&h, o)
	} else if h.BlindSince.IsZero() {
		h.BlindSince = o.At
	}
	s.judgeHealth(k, &h)
}

// count makes a state of words: bad ones count when there were enough with no
// good one between, and good ones too. Words that do not know make nothing bad,
// but with the bad ones they end that it is well. From one bad state to another it
// goes at once.
func count(h *fleet.Health, said fleet.State, spec *fleet.HealthSpec) {
	const most = 1000
	switch {
	case said == fleet.StateOK:
		h.Good, h.Bad, h.Unsure = min(h.Good+1, most), 0, 0
		if !h.Ailing || h.Good >= spec.RecoverAfter {
			h.Hard, h.Ailing = said, false
		}
		return
	case !bad(said):
		h.Good, h.Unsure = 0, min(h.Unsure+1, most)
	case bad(h.Hard):
		h.Good, h.Bad, h.Unsure = 0, min(h.Bad+1, most), 0 // it no longer knows: that takes as many looks in a row as anything
	default:
		h.Good, h.Bad = 0, min(h.Bad+1, most)
	}
	switch {
	case bad(said) && (h.Ailing || h.Bad >= spec.Attempts):
		h.Hard, h.Ailing, h.Unsure = said, true, 0
	case bad(h.Hard) && h.Unsure >= spec.Attempts, !bad(h.Hard) && h.Bad+h.Unsure >= spec.Attempts:
		h.Hard = fleet.StateUnknown
	}
}

// readHealth takes the numbers of a look as readings.
func (s *step) readHealth(h *fleet.Health, o *fleet.Observation) {
	h.LatencyMs = fleet.Num{}
	for i := range o.Sensors {
		if o.Sensors[i].Key == fleet.SensorLatency {
			h.LatencyMs = o.Sensors[i].Value
		}
	}
	values := []fleet.Num{h.LatencyMs, {N: int64(h.Said), Known: h.Said != fleet.StateUnknown}}
	s.out.Readings = append(s.out.Readings, fleet.Readings{Target: o.Target, At: o.At, Keys: healthKeys, Values: values})
}

// healthSpec is how a service is asked, with what nobody said.
func (s *step) healthSpec(x *fleet.Service) fleet.HealthSpec {
	return x.Spec.Health.Filled(s.next.Intervals[fleet.LaneFast], 0)
}

// judgeHealth puts what is known of a workload in its place. The service itself
// is judged again where that says something else than before.
func (s *step) judgeHealth(k int, h *fleet.Health) {
	edit := s.next.Services.Edit()
	x := edit.At(k)
	was := x.Health
	if h.State = s.healthState(x, h); was == nil || was.State != h.State {
		h.Since = s.now
	}
	x.Health = h
	s.next.Services = edit.Done()
	s.changed = true
	moved := was == nil || was.State != h.State || was.Hard != h.Hard || was.Unheard != h.Unheard || was.BlindSince.IsZero() != h.BlindSince.IsZero()
	told := moved || !alike(was.Text, h.Text)
	s.guests = s.guests || told && (was == nil || was.State != fleet.StateOK || h.State != fleet.StateOK)
	if moved || told && s.now.Sub(h.KeptAt) >= errorsEvery {
		h.KeptAt = s.now
		s.change(x.Spec.Name, fleet.TableStatus, rowHealth, encode(healthRow{h.State, h.Hard, h.Text, h.Since, h.Unheard, h.Ailing, h.BlindSince, h.SaidAt, askedHash(x.Spec.Health)}))
	}
}

// healthState is what counts now. A word older than two of its beats is unknown,
// and so is silence from behind a lost way.
func (s *step) healthState(x *fleet.Service, h *fleet.Health) fleet.State {
	spec := s.healthSpec(x)
	switch {
	case !fleet.Young(h.SaidAt, s.now, spec.Every):
		return fleet.StateUnknown
	case h.Unheard && bad(h.Hard) && s.wayLost(x) != "":
		return fleet.StateUnknown
	}
	return h.Hard
}

// ageHealth judges again what nobody asked in this step.
func (s *step) ageHealth() {
	for k := range s.next.Services.Len() {
		x := s.next.Services.At(k)
		if x.Spec.Health == nil || x.Health == nil {
			continue
		}
		if s.healthState(x, x.Health) != x.Health.State {
			h := *x.Health
			s.judgeHealth(k, &h)
			x = s.next.Services.At(k)
		}
		if x.Health.State != fleet.StateUnknown {
			spec := s.healthSpec(x)
			s.stale = soonest(s.stale, x.Health.SaidAt.Add(2*spec.Every+time.Millisecond))
		}
	}
}

// soonest is the earlier of two times of which one may not be set.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return earlier(a, b)
}

// wayLost names a site to which the way is lost, where all that carries a service
// stands behind such ways: then its silence says nothing.
func (s *step) wayLost(x *fleet.Service) (lost string) {
	behind := func(site string) bool {
		y := s.next.Sites.Get(site)
		if y == nil || y.SilentSince.IsZero() {
			return false
		}
		lost = site
		return true
	}
	for _, n := range x.Devices {
		if !behind(s.devices.Peek(n).Spec.Site) {
			return ""
		}
	}
	for _, n := range x.Instances {
		i := s.next.Instances.At(n)
		if i.Device >= 0 && behind(s.devices.Peek(i.Device).Spec.Site) {
			continue
		}
		c := s.cloud(i.Cloud)
		if i.Device >= 0 || c == nil || !s.regionLost(c.Spec.Region, behind) {
			return ""
		}
	}
	return lost
}

// regionLost reports whether the ways to all sites of a region are lost.
func (s *step) regionLost(region string, behind func(string) bool) (lost bool) {
	for name, site := range s.next.Sites.All() {
		if site.Spec.Region == region {
			if lost = behind(name); !lost {
				return false
			}
		}
	}
	return lost
}

// addHealth adds what a service's workload says to what its replicas do.
func (s *step) addHealth(v *verdict, x *fleet.Service) {
	h := x.Health
	switch {
	case x.Spec.Health == nil:
	case h == nil || h.SaidAt.IsZero() && h.Err == nil:
		v.add(fleet.StateUnknown, aboutHealth, "its workload was not asked yet")
	case h.SaidAt.IsZero():
		v.add(fleet.StateUnknown, aboutHealth, "its workload cannot be asked: %s", h.Err.Kind())
	case h.State == fleet.StateUnknown && h.Hard == fleet.StateUnknown && h.Said != fleet.StateUnknown && fleet.Young(h.SaidAt, s.now, s.healthSpec(x).Every):
		v.add(fleet.StateUnknown, aboutHealth, "its workload says: %s; it is asked again before that counts", h.Text)
	case h.State == fleet.StateUnknown && !fleet.Young(h.SaidAt, s.now, s.healthSpec(x).Every):
		why := "nobody asked"
		if h.Err != nil && !h.BlindSince.IsZero() {
			why = h.Err.Kind()
		}
		v.add(fleet.StateUnknown, aboutHealth, "its workload was not heard since %s: %s", h.SaidAt.UTC().Format(clock), why)
	case h.State == fleet.StateUnknown && h.Unheard && s.wayLost(x) != "":
		v.add(fleet.StateUnknown, aboutHealth, "its workload is not heard, and the way to %s is lost", s.wayLost(x))
	case h.State == fleet.StateUnknown:
		v.add(fleet.StateUnknown, aboutHealth, "its workload does not know: %s", h.Text)
	case bad(h.State):
		v.add(h.State, aboutHealth, "workload says: %s", h.Text)
	}
}

// sameHealth reports whether two inventories ask a service the same.
func sameHealth(a, b *fleet.ServiceSpec) bool {
	return a != nil && b != nil && bytes.Equal(encode(a.Health), encode(b.Health))
}

// askedHash tells one question from another.
func askedHash(spec *fleet.HealthSpec) string {
	sum := sha256.Sum256(encode(spec))
	return hex.EncodeToString(sum[:8])
}

// recallHealth puts back what a workload was judged to say, and what it showed.
func (s *step) recallHealth(k int, rows *fleet.Rows) {
	edit := s.next.Services.Edit()
	defer func() { s.next.Services = edit.Done() }()
	x := edit.At(k)
	if x.Spec.Health == nil {
		return
	}
	h := fleet.Health{}
	if x.Health != nil {
		h = *x.Health
	}
	switch rows.Table {
	case fleet.TableFacts:
		h.Facts = recallFacts(rows.RowSet)
	case fleet.TableStatus:
		for i, name := range rows.Names {
			if was := decode[healthRow](rows.Values[i]); was != nil && name == rowHealth {
				if was.Asked != "" && was.Asked != askedHash(x.Spec.Health) { // its readings and facts neither: settleHealth
					s.elsewise = append(s.elsewise, k)
					continue
				}
				h.Ailing = was.Ailing || was.Asked == "" && bad(was.Hard) // rows of before do not say it
				h.State, h.Hard, h.Said, h.Text, h.Since = was.State, was.Hard, was.Hard, was.Text, was.Since
				h.Unheard, h.BlindSince, h.KeptAt, h.SaidAt = was.Unheard, was.Blind, rows.At(i), later(h.SaidAt, was.SaidAt)
			}
		}
	}
	x.Health = &h
}

// seeHealth notes when a workload was last heard.
func (s *step) seeHealth(k int, r *fleet.Readings) {
	edit := s.next.Services.Edit()
	if x := edit.At(k); x.Spec.Health != nil {
		h := fleet.Health{}
		if x.Health != nil {
			h = *x.Health
		}
		h.SaidAt = later(h.SaidAt, r.At)
		for i, key := range r.Keys {
			if key.Row == fleet.SensorLatency && i < len(r.Values) {
				h.LatencyMs = r.Values[i]
			}
		}
		x.Health = &h
	}
	s.next.Services = edit.Done()
}

// settleHealth judges what came back: a word that is too old is none.
func (s *step) settleHealth() {
	for _, k := range s.elsewise {
		edit := s.next.Services.Edit()
		edit.At(k).Health = nil
		s.next.Services = edit.Done()
	}
	for k := range s.next.Services.Len() {
		x := s.next.Services.At(k)
		if x.Health == nil {
			continue
		}
		h := *x.Health
		h.SaidAt = earlier(h.SaidAt, s.now)
		if st := s.healthState(x, &h); st != h.State {
			h.State, h.Since = st, s.now
		}
		edit := s.next.Services.Edit()
		edit.At(k).Health = &h
		s.next.Services = edit.Done()
	}
}
