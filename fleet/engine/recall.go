package engine

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/fleet/drift"
)

// recaller puts remembered rows and readings back into their devices. What the
// store remembers once for many devices is decoded once for all of them.
type recaller struct {
	*step
	sensors map[*fleet.RowSet][]fleet.Sensor
	outlets map[*fleet.RowSet][]fleet.Outlet
	places  map[placing][]int
	words   map[string]string  // strings that many rows share
	judged  map[string]*Status // verdicts that many devices share: all is well
}

// recallAll puts all of a memory back. Devices do not look at each other here,
// so they are shared out among the processors; clouds come after them, in their
// order.
func (s *step) recallAll(mem *fleet.Memory) {
	s.devices.Own()
	tables, readings := mem.Tables, mem.Readings
	alone := func(i int) int { // the tables of one target stay together
		for i > 0 && i < len(tables) && tables[i].Target == tables[i-1].Target {
			i++
		}
		return i
	}
	others, looks := make([][]*fleet.Rows, runtime.GOMAXPROCS(0)), make([][]*fleet.Readings, runtime.GOMAXPROCS(0))
	s.statuses, s.cloudStatuses = make([]*Status, s.devices.Len()), map[int]*Status{}
	spread(len(tables), func(worker, from, to int) {
		r := newRecaller(s)
		n, of := -1, ""
		for i := alone(from); i < alone(to); i++ {
			if t := tables[i].Table; t == fleet.TableAlerts || t == fleet.TableSilences {
				continue // they are not a device's own: see alert.Recall
			}
			if tables[i].Target != of {
				of = tables[i].Target
				n = s.next.Devices.Number(of)
			}
			if n >= 0 {
				r.device(n, &tables[i])
			} else {
				others[worker] = append(others[worker], &tables[i])
			}
		}
	})
	spread(len(readings), func(worker, from, to int) {
		r := newRecaller(s)
		for i := from; i < to; i++ {
			if n := s.next.Devices.Number(readings[i].Target); n >= 0 {
				r.readings(s.devices.At(n), &readings[i])
			} else {
				looks[worker] = append(looks[worker], &readings[i])
			}
		}
	})
	spread(s.devices.Len(), func(_, from, to int) {
		for i := from; i < to; i++ {
			s.dateDevice(s.devices.At(i))
		}
	})
	s.next.Alerts = alert.Recall(tables)
	for _, rows := range slices.Concat(others...) {
		switch i := s.next.Clouds.Number(rows.Target); {
		case i >= 0:
			s.recallCloud(s.clouds.At(i), rows)
		case rows.Target == self && rows.Table == fleet.TableStatus:
			for k, name := range rows.Names {
				if name == "freeze" {
					s.next.Freeze = decode[fleet.Freeze](rows.Values[k])
				}
			}
		case s.next.Services.Number(rows.Target) >= 0 && !rows.Table.Judged():
			s.recallHealth(s.next.Services.Number(rows.Target), rows)
		case rows.Table.Judged():
			s.putDocket(rows.Target, recallDocket(s.next.Docket(rows.Target), rows))
		}
	}
	for _, r := range slices.Concat(looks...) {
		if i := s.next.Clouds.Number(r.Target); i >= 0 {
			seeCloud(s.clouds.At(i), r.At)
		} else if k := s.next.Services.Number(r.Target); k >= 0 {
			s.seeHealth(k, r)
		}
	}
	s.recallClouds()
}

// seeCloud notes that a cloud was seen: its rows tell only when they changed.
func seeCloud(c *fleet.Cloud, at time.Time) {
	c.SeenAt = later(c.SeenAt, at)
	for t := range c.Tables {
		if st := &c.Tables[t]; st.Is != fleet.NotAsked {
			st.At = later(st.At, at)
		}
	}
}

// dateDevice dates what came back and reads off it what is read off a poll.
func (s *step) dateDevice(d *fleet.Device) {
	d.SeenAt = earlier(d.SeenAt, s.now)
	for t := range d.Tables { // what is known of it was so when it was last seen
		if st := &d.Tables[t]; st.Is != fleet.NotAsked {
			st.At = earlier(later(st.At, d.SeenAt), s.now)
		}
	}
	measure(d)
	d.Miscabled = s.miscabled(d)
	d.Crossings = drift.Recalled(d.Docket)
}

// spread calls f with the parts of 0..n, one for each processor, and waits.
func spread(n int, f func(worker, from, to int)) {
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { f(w, n*w/workers, n*(w+1)/workers) })
	}
	all.Wait()
}

// placing is a list of series and the sensors that they are readings of.
type placing struct {
	keys    *fleet.SeriesKey // the first
	n       int
	sensors *fleet.SensorDef // the first
}

func newRecaller(s *step) *recaller {
	return &recaller{step: s, sensors: map[*fleet.RowSet][]fleet.Sensor{}, outlets: map[*fleet.RowSet][]fleet.Outlet{}, places: map[placing][]int{}, words: map[string]string{}, judged: map[string]*Status{}}
}

// device puts one table of a device back.
func (r *recaller) device(i int, rows *fleet.Rows) {
	d := r.devices.At(i)
	if rows.Table.Judged() {
		d.Docket = recallDocket(d.Docket, rows)
		d.Forecasts = append(d.Forecasts, recallForecasts(rows)...)
		if m := recallMemory(rows); m != nil {
			d.MemoryErrors = m
		}
		d.DriftOpen = d.Docket.Open()
		return
	}
	remember(&d.Tables[rows.Table], rows.Newest)
	switch rows.Table {
	case fleet.TableFacts:
		d.Facts = recallFacts(rows.RowSet)
		if k, ok := slices.BinarySearch(rows.Names, fleet.FactPower); ok {
			d.PowerSince = rows.At(k)
		}
	case fleet.TableStatus:
		r.statuses[i] = r.status(rows)
	case fleet.TableSensors:
		d.Sensors = append([]fleet.Sensor(nil), r.sensorsOf(rows.RowSet)...) // each device has its own readings
	case fleet.TablePorts:
		d.Ports = r.ports(rows.RowSet)
	case fleet.TableOutlets:
		d.Outlets = append([]fleet.Outlet(nil), r.outletsOf(rows.RowSet)...)
	case fleet.TableEntities:
		d.Entities = recallRows[fleet.Entity](rows.RowSet)
	case fleet.TableNeighbors:
		d.Neighbors = r.neighbors(rows.RowSet)
	case fleet.TableVLANs:
		d.VLANs = recallRows[fleet.VLAN](rows.RowSet)
	}
}

// status decodes a judgement. Nearly all are the same: nothing is wrong.
func (r *recaller) status(rows *fleet.Rows) *Status {
	value := rows.Values[len(rows.Values)-1]
	if st, ok := r.judged[string(value)]; ok {
		return st
	}
	st := recallStatus(rows)
	if st == nil || st.Err == nil { // an error names its target
		r.judged[string(value)] = st
	}
	return st
}

func (r *recaller) sensorsOf(set *fleet.RowSet) []fleet.Sensor {
	out, ok := r.sensors[set]
	if !ok {
		for _, v := range set.Values {
			if def := decode[fleet.SensorDef](v); def != nil {
				out = append(out, fleet.Sensor{SensorDef: def})
			}
		}
		r.sensors[set] = out
	}
	return out
}

func (r *recaller) outletsOf(set *fleet.RowSet) []fleet.Outlet {
	out, ok := r.outlets[set]
	if !ok {
		out = recallRows[fleet.Outlet](set)
		r.outlets[set] = out
	}
	return out
}

func recallRows[T any](set *fleet.RowSet) []T {
	out := make([]T, 0, len(set.Values))
	for _, v := range set.Values {
		if x := decode[T](v); x != nil {
			out = append(out, *x)
		}
	}
	return out
}

// recallFacts reads facts, which are remembered in the order of their names.
func recallFacts(set *fleet.RowSet) fleet.Facts {
	f := make(fleet.Facts, 0, len(set.Names))
	for i, v := range set.Values {
		if text, ok := plainText(v); ok {
			f = append(f, fleet.Fact{Name: set.Names[i], Value: string(text)})
			continue
		}
		var text string
		if json.Unmarshal(v, &text) == nil {
			f.Set(set.Names[i], text)
		} else if n, err := fleet.ParseNum(string(v)); err == nil {
			f.SetNum(set.Names[i], n, false)
		}
	}
	return f
}

// word returns a string that is likely to be there already.
func (r *recaller) word(b []byte) string {
	if s, ok := r.words[string(b)]; ok {
		return s
	}
	s := string(b)
	r.words[s] = s
	return s
}

// ports decodes ports. They are no two alike, and half a million of them are
// between a start and its screen: what is flat is read without reflection.
func (r *recaller) ports(set *fleet.RowSet) []fleet.Port {
	out, defs := make([]fleet.Port, 0, len(set.Values)), make([]fleet.PortDef, len(set.Values))
	for i, v := range set.Values {
		def := &defs[i]
		if !r.port(v, def) {
			*def = fleet.PortDef{}
			if json.Unmarshal(v, def) != nil {
				continue
			}
		}
		out = append(out, fleet.Port{PortDef: def})
	}
	return out
}

func (r *recaller) port(b []byte, d *fleet.PortDef) bool {
	return flat(b, func(key, v []byte, text bool) bool {
		ok := true
		switch string(key) {
		case "index":
			d.Index, ok = plainInt(v)
		case "name":
			d.Name = r.word(v)
		case "alias":
			d.Alias = string(v)
		case "descr":
			d.Descr = r.word(v)
		case "type":
			d.Type = r.word(v)
		case "speed_bps":
			n, err := fleet.ParseNum(string(v))
			d.SpeedBps, ok = n, err == nil
		case "mtu":
			d.MTU, ok = plainInt(v)
		case "mac":
			d.MAC = string(v)
		case "admin":
			d.Admin = r.word(v)
		case "oper":
			d.Oper = r.word(v)
		case "vlan":
			d.VLAN, ok = plainInt(v)
		case "lag":
			d.LAG = r.word(v)
		case "no_alias":
			d.NoAlias = string(v) == "true"
		}
		return ok
	})
}

func (r *recaller) neighbors(set *fleet.RowSet) []fleet.Neighbor {
	out := make([]fleet.Neighbor, 0, len(set.Values))
	for _, v := range set.Values {
		var n fleet.Neighbor
		if !r.neighbor(v, &n) {
			n = fleet.Neighbor{}
			if json.Unmarshal(v, &n) != nil {
				continue
			}
		}
		out = append(out, n)
	}
	return out
}

func (r *recaller) neighbor(b []byte, n *fleet.Neighbor) bool {
	return flat(b, func(key, v []byte, text bool) bool {
		switch string(key) {
		case "local_port":
			n.LocalPort = r.word(v)
		case "remote_name":
			n.RemoteName = string(v)
		case "remote_port":
			n.RemotePort = r.word(v)
		case "remote_chassis":
			n.RemoteChassis = string(v)
		case "protocol":
			n.Protocol = r.word(v)
		}
		return text
	})
}

// readings puts the newest numbers back behind their definitions. Port
// counters stay gaps: the first difference after a start would span the time
// nobody polled.
func (r *recaller) readings(d *fleet.Device, x *fleet.Readings) {
	if len(x.Keys) == 0 {
		return
	}
	d.SeenAt = later(d.SeenAt, x.At)
	places := r.placesOf(d, x.Keys)
	for k, at := range places {
		if k >= len(x.Values) || !x.Values[k].Known {
			continue
		}
		v, key := x.Values[k], &x.Keys[k]
		switch {
		case at >= 0 && key.Field == fleet.FieldState:
			d.Sensors[at].State = fleet.State(min(max(v.N, 0), fleet.NumStates-1))
		case at >= 0:
			s := &d.Sensors[at]
			s.Value, s.State = v, s.Limits.Judge(v)
		case key.Table == fleet.TableOutlets:
			recallOutlet(d, *key, v)
		}
	}
}

// placesOf says for each series which sensor it is a reading of, or -1.
func (r *recaller) placesOf(d *fleet.Device, keys []fleet.SeriesKey) []int {
	p := placing{keys: &keys[0], n: len(keys)}
	if len(d.Sensors) > 0 {
		p.sensors = d.Sensors[0].SensorDef
	}
	if places, ok := r.places[p]; ok {
		return places
	}
	by := make(map[string]int, len(d.Sensors))
	for i := range d.Sensors {
		by[d.Sensors[i].Key] = i
	}
	places := make([]int, len(keys))
	for k, key := range keys {
		places[k] = -1
		if at, ok := by[key.Row]; ok && key.Table == fleet.TableSensors {
			places[k] = at
		}
	}
	r.places[p] = places
	return places
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

// plainText returns the text of a JSON string that holds no escape.
func plainText(v []byte) ([]byte, bool) {
	n := len(v)
	if n < 2 || v[0] != '"' || v[n-1] != '"' || n == 2 {
		return nil, false
	}
	v = v[1 : n-1]
	return v, bytes.IndexByte(v, '\\') < 0 && bytes.IndexByte(v, '"') < 0
}

func plainInt(v []byte) (int, bool) {
	n, err := strconv.Atoi(string(v))
	return n, err == nil
}

// flat calls f with each field of a JSON object that holds nothing but strings
// without escapes, numbers and words, as plumb writes them: no blanks. text
// says that the value is a string. It reports false where the object is
// anything else, or f was not content; the caller then asks encoding/json.
func flat(b []byte, f func(key, value []byte, text bool) bool) bool {
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return false
	}
	b = b[1 : len(b)-1]
	for len(b) > 0 {
		key, rest, ok := quoted(b)
		if !ok || len(rest) < 2 || rest[0] != ':' {
			return false
		}
		rest = rest[1:]
		var value []byte
		text := rest[0] == '"'
		if text {
			if value, rest, ok = quoted(rest); !ok {
				return false
			}
		} else {
			end := bytes.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			value, rest = rest[:end], rest[end:]
			if len(value) == 0 {
				return false
			}
			if c := value[0]; c == '{' || c == '[' || c == ' ' {
				return false
			}
		}
		if !f(key, value, text) {
			return false
		}
		if len(rest) > 0 {
			if rest[0] != ',' || len(rest) == 1 {
				return false
			}
			rest = rest[1:]
		}
		b = rest
	}
	return true
}

// quoted cuts a string without escapes off the front.
func quoted(b []byte) (s, rest []byte, ok bool) {
	if b[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 || bytes.IndexByte(b[1:1+end], '\\') >= 0 {
		return nil, nil, false
	}
	return b[1 : 1+end], b[end+2:], true
}
