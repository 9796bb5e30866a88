package engine

import (
	"encoding/json"
	"slices"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// observe merges one observation into its device or cloud. A target that the
// inventory no longer names is dropped: the poll was under way when it went.
func (s *step) observe(o *fleet.Observation) {
	if i := s.next.Devices.Number(o.Target); i >= 0 {
		s.observeDevice(i, o)
		return
	}
	if i := s.next.Clouds.Number(o.Target); i >= 0 {
		s.observeCloud(i, o)
		return
	}
	if k := s.next.Services.Number(o.Target); k >= 0 {
		s.observeHealth(k, o)
	}
}

func (s *step) observeDevice(i int, o *fleet.Observation) {
	s.gatherCohorts()
	was := *s.devices.Peek(i)
	d := s.devices.At(i)
	s.changed, s.touched[i] = true, true
	s.look(i)
	s.see(d, o)
	s.stamp(&d.Tables, o)

	d.Facts = s.mergeFacts(o, d.Facts)
	if o.Facts.Num(fleet.FactUptime).Known {
		d.UptimeAt = o.At
	}
	d.Sensors = apart(d, o, fleet.TableSensors, d.Sensors, sensorRow, func(rows []fleet.Sensor) []fleet.Sensor {
		return s.mergeSensors(rows, o, was.Tables[fleet.TableSensors].At)
	})
	d.Ports = apart(d, o, fleet.TablePorts, d.Ports, portRow, func(rows []fleet.Port) []fleet.Port {
		return s.mergePorts(rows, o, sampleSpan(&was, o))
	})
	s.followPorts(d, &was, o)
	d.Outlets = plain(s, d, o, fleet.TableOutlets, d.Outlets, o.Outlets, outletRow, sameOutlet, outletKept)
	d.Entities = plain(s, d, o, fleet.TableEntities, d.Entities, o.Entities, entityRow, equal[fleet.Entity], whole[fleet.Entity])
	d.Neighbors = plain(s, d, o, fleet.TableNeighbors, d.Neighbors, o.Neighbors, neighborRow, equal[fleet.Neighbor], whole[fleet.Neighbor])
	d.VLANs = plain(s, d, o, fleet.TableVLANs, d.VLANs, o.VLANs, vlanRow, sameVLAN, whole[fleet.VLAN])
	if c := o.Tables[fleet.TableFDB]; c == fleet.Complete || c == fleet.Absent {
		d.FDB = o.FDB // learned MACs come and go: present only, no history
	}
	if c := o.Tables[fleet.TableARP]; c == fleet.Complete || c == fleet.Absent {
		d.ARP = o.ARP // as learned MACs do
	}
	if o.Tables[fleet.TableNeighbors] == fleet.Complete {
		d.Ports = withNeighbors(slices.Clone(d.Ports), d.Neighbors)
	}
	if fresh(o, fleet.TableNeighbors) || fresh(o, fleet.TableFDB) {
		d.Miscabled = s.miscabled(d)
	}
	if d.Spec.Kind == fleet.KindPDU && o.Tables[fleet.TableOutlets] == fleet.Complete {
		d.Cords, d.Crossings = drift.Cross(d.Cords, d.Crossings, s.cords(d), o.At)
	}
	s.out.Events = append(s.out.Events, o.Events...)
	s.countMemory(i, o)
	measure(d)
	if d.Power != was.Power || d.PowerSince.IsZero() {
		d.PowerSince = o.At
	}
	s.calm(d)
	s.judge(i)
	s.weighAfter(i, &was, o)
	s.weighBehind(i, &was)
	s.read(d, o, was.Series)
}

// see notes whether the target was seen over this wire.
func (s *step) see(d *fleet.Device, o *fleet.Observation) {
	d.Sources = slices.Clone(d.Sources)
	k := slices.IndexFunc(d.Sources, func(x fleet.SourceState) bool { return x.Source == o.Source })
	if k < 0 {
		k = len(d.Sources)
		d.Sources = append(d.Sources, fleet.SourceState{Source: o.Source})
	}
	src := &d.Sources[k]
	src.Took, src.Err = o.Took, o.Err
	if seen(o) {
		src.SeenAt, src.BlindSince = o.At, zero
	} else if src.BlindSince.IsZero() {
		src.BlindSince = o.At
	}
	if !src.SeenAt.IsZero() { // a clock that was set back must not keep a device young
		d.SeenAt = zero
	}
	d.BlindSince, d.Err = zero, nil
	for _, x := range d.Sources {
		d.SeenAt = later(d.SeenAt, x.SeenAt)
		if x.Err != nil {
			d.Err = x.Err
		}
		if !x.BlindSince.IsZero() && (d.BlindSince.IsZero() || x.BlindSince.Before(d.BlindSince)) {
			d.BlindSince, d.Err = x.BlindSince, x.Err
		}
	}
}

// seen reports whether an observation holds anything at all: half an answer is
// not blindness.
func seen(o *fleet.Observation) bool {
	if o.Err == nil {
		return true
	}
	for _, c := range o.Tables {
		if c == fleet.Complete || c == fleet.Partial {
			return true
		}
	}
	return false
}

// stamp keeps when and by which lane each table was read. The fastest lane
// that ever reads a table is the one its age counts by.
func (s *step) stamp(tables *[fleet.NumTables]fleet.TableState, o *fleet.Observation) {
	for t, c := range o.Tables {
		if int(t) >= len(tables) {
			continue
		}
		st := &tables[t]
		if st.Is == fleet.NotAsked || o.Lane < st.Lane {
			st.Lane = o.Lane
		}
		st.Is = c
		if c == fleet.Complete || c == fleet.Partial {
			if st.Span = 0; !st.At.IsZero() {
				st.Span = max(o.At.Sub(st.At), 0)
			}
			st.At = o.At
		}
	}
}

// mergeFacts sets what was read. Facts are only ever named, so a fact that was
// not named stays, whatever the table's completeness; except for those that are
// told together, see [fleet.Facts.Ended].
func (s *step) mergeFacts(o *fleet.Observation, old fleet.Facts) fleet.Facts {
	fresh := o.Facts
	if len(fresh) == 0 {
		return old
	}
	next := slices.Clone(old)
	for _, f := range fresh {
		if !f.Volatile && old.Get(f.Name) != f.Value {
			s.change(o.Target, fleet.TableFacts, f.Name, encode(factValue(f)))
			s.sayFacts(o.Target, f, old.Get(f.Name))
		}
		next.Put(f)
	}
	if o.Lane < fleet.LaneSlow || o.Tables[fleet.TableFacts] != fleet.Complete {
		return next
	}
	return slices.DeleteFunc(next, func(f fleet.Fact) bool {
		ended := fresh.Ended(f.Name)
		if ended && !f.Volatile {
			s.change(o.Target, fleet.TableFacts, f.Name, nil)
		}
		return ended
	})
}

func factValue(f fleet.Fact) any {
	if f.Number {
		return json.Number(f.Value)
	}
	return f.Value
}

// mergeRows merges a table of plain rows by key. kept says which part of a row
// is worth history, and same whether two rows are equal in it, which is no change.
func mergeRows[T any](s *step, target string, table fleet.TableID, c fleet.Completeness, old, fresh []T, key func(*T) string, same func(a, b *T) bool, kept func(*T) any) []T {
	switch c {
	case fleet.Absent:
		fresh = nil
	case fleet.Complete, fleet.Partial:
	default:
		return old
	}
	before := make(map[string]*T, len(old))
	for i := range old {
		before[key(&old[i])] = &old[i]
	}
	next := make([]T, 0, max(len(fresh), len(old)))
	for i := range fresh {
		k := key(&fresh[i])
		was := before[k]
		delete(before, k)
		if was == nil || !same(was, &fresh[i]) {
			s.change(target, table, k, encode(kept(&fresh[i])))
		}
		next = append(next, fresh[i])
	}
	for i := range old {
		k := key(&old[i])
		if before[k] != &old[i] {
			continue
		}
		if c == fleet.Partial {
			next = append(next, old[i])
		} else {
			s.change(target, table, k, nil)
		}
	}
	return next
}

func whole[T any](x *T) any { return x }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return b
}
