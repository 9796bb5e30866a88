package engine

import (
	"encoding/json"
	"strconv"
	"time"

	"plumb/fleet"
)

// Restore makes the first snapshot: the inventory with everything the store
// remembers of it, each thing as old as it is. Rows that do not decode are
// skipped; the next complete read writes them anew.
func Restore(inv *fleet.Inventory, mem fleet.Memory, now time.Time) *fleet.Snapshot {
	blank := &fleet.Snapshot{Version: mem.Version, Recent: mem.Recent, Jobs: mem.Jobs, Topology: &fleet.Topology{}}
	s := &step{prev: blank, next: *blank, now: now, touched: make(map[int]bool), said: make(map[string]int)}
	s.open()
	s.reload(inv)
	for _, c := range mem.Latest {
		s.recall(c)
	}
	for _, r := range mem.Readings {
		s.recallReadings(r)
	}
	s.recallClouds()
	for i := range s.devices.Len() {
		d := s.devices.At(i)
		d.SeenAt = earlier(d.SeenAt, now)
		for t := range d.Tables { // what is known of it was so when it was last seen
			if st := &d.Tables[t]; st.Is != fleet.NotAsked {
				st.At = earlier(later(st.At, d.SeenAt), now)
			}
		}
		measure(d)
		d.Miscabled = s.miscabled(d)
	}
	for i := range s.devices.Len() {
		s.judge(i)
	}
	s.settleNear()
	s.rollUp()
	s.recount()
	first, _ := s.close()
	first.Version = mem.Version
	first.Recent = newest(mem.Recent, nil, now)
	return first
}

// recall puts one remembered row back into its table.
func (s *step) recall(c fleet.Change) {
	if c.Value == nil {
		return
	}
	if i := s.next.Devices.Number(c.Target); i >= 0 {
		recallDevice(s.devices.At(i), c)
	} else if i := s.next.Clouds.Number(c.Target); i >= 0 {
		s.recallCloud(s.clouds.At(i), c)
	}
}

func recallDevice(d *fleet.Device, c fleet.Change) {
	st := &d.Tables[c.Table]
	remember(st, c)
	switch c.Table {
	case fleet.TableFacts:
		recallFact(&d.Facts, c)
	case fleet.TableSensors:
		if def := decode[fleet.SensorDef](c.Value); def != nil {
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: def})
		}
	case fleet.TablePorts:
		if def := decode[fleet.PortDef](c.Value); def != nil {
			d.Ports = append(d.Ports, fleet.Port{PortDef: def})
		}
	case fleet.TableOutlets:
		recallRow(&d.Outlets, c)
	case fleet.TableEntities:
		recallRow(&d.Entities, c)
	case fleet.TableNeighbors:
		recallRow(&d.Neighbors, c)
	case fleet.TableVLANs:
		recallRow(&d.VLANs, c)
	}
}

// remember notes that a table is as old as the newest row of it. Which lane
// reads it is not remembered: the slowest is assumed until a faster one comes,
// or a table that only the slow lane reads would be taken for neglected.
func remember(st *fleet.TableState, c fleet.Change) {
	if st.Is == fleet.NotAsked {
		st.Lane = fleet.LaneSlow
	}
	st.Is, st.At = fleet.Partial, later(st.At, c.At)
}

func recallRow[T any](list *[]T, c fleet.Change) {
	if x := decode[T](c.Value); x != nil {
		*list = append(*list, *x)
	}
}

func recallFact(f *fleet.Facts, c fleet.Change) {
	var text string
	if json.Unmarshal(c.Value, &text) == nil {
		f.Set(c.Row, text)
		return
	}
	if n, err := fleet.ParseNum(string(c.Value)); err == nil {
		f.SetNum(c.Row, n, false)
	}
}

func decode[T any](b []byte) *T {
	x := new(T)
	if json.Unmarshal(b, x) != nil {
		return nil
	}
	return x
}

// recallReadings puts the newest numbers back behind their definitions. Port
// counters stay gaps: the first difference after a start would span the time
// nobody polled.
func (s *step) recallReadings(r fleet.Readings) {
	i := s.next.Devices.Number(r.Target)
	if i < 0 {
		return
	}
	d := s.devices.At(i)
	d.SeenAt = later(d.SeenAt, r.At)
	sensors := make(map[string]*fleet.Sensor, len(d.Sensors))
	for k := range d.Sensors {
		sensors[d.Sensors[k].Key] = &d.Sensors[k]
	}
	for k, key := range r.Keys {
		if k >= len(r.Values) || !r.Values[k].Known {
			continue
		}
		switch v := r.Values[k]; {
		case key.Table == fleet.TableSensors && sensors[key.Row] != nil:
			x := sensors[key.Row]
			if key.Field == fleet.FieldState {
				x.State = fleet.State(min(max(v.N, 0), fleet.NumStates-1))
			} else {
				x.Value, x.State = v, x.Limits.Judge(v)
			}
		case key.Table == fleet.TableOutlets:
			recallOutlet(d, key, v)
		}
	}
}

func recallOutlet(d *fleet.Device, key fleet.SeriesKey, v fleet.Num) {
	n, err := strconv.Atoi(key.Row)
	for k := range d.Outlets {
		if o := &d.Outlets[k]; err == nil && o.Index == n {
			if key.Field == fleet.FieldCurrent {
				o.CurrentA = v
			} else {
				o.PowerW = v
			}
		}
	}
}

// recallCloud gathers rows; recallClouds builds the tables from them.
func (s *step) recallCloud(cloud *fleet.Cloud, c fleet.Change) {
	st := &cloud.Tables[c.Table]
	remember(st, c)
	cloud.SeenAt = later(cloud.SeenAt, c.At)
	switch c.Table {
	case fleet.TableFacts:
		recallFact(&cloud.Facts, c)
	case fleet.TableHosts:
		if h := decode[fleet.Host](c.Value); h != nil {
			s.hosts = append(s.hosts, fleet.HostState{Host: *h, Cloud: c.Target, State: hostState(h), Device: s.next.Devices.Number(h.Name)})
		}
	case fleet.TableInstances:
		if x := decode[fleet.Instance](c.Value); x != nil {
			x.Cloud = c.Target
			s.instances = append(s.instances, fleet.InstanceState{Instance: *x, Told: fleet.StateUnknown})
		}
	}
}

func (s *step) recallClouds() {
	none := func(*fleet.HostState) bool { return false }
	s.next.Hosts = replace(&s.next.Hosts, s.hosts, none, func(h *fleet.HostState) string { return h.Cloud + "/" + h.Name })
	s.next.Instances = replace(&s.next.Instances, s.instances, func(*fleet.InstanceState) bool { return false }, func(x *fleet.InstanceState) string { return x.ID })
	for i := range s.clouds.Len() {
		s.judgeCloud(i)
	}
	s.guests = true
}
