package engine

import (
	"encoding/json"
	"time"

	"plumb/fleet"
)

// Restore makes the first snapshot: the inventory with everything the store
// remembers of it, each thing as old as it is. Rows that do not decode are
// skipped; the next complete read writes them anew.
//
// It stands between exec and the first screen, and between a key and the past:
// what many devices share is decoded once, and nothing is said or recorded.
func Restore(inv *fleet.Inventory, mem fleet.Memory, now time.Time) *fleet.Snapshot {
	blank := &fleet.Snapshot{Version: mem.Version, Recent: mem.Recent, Jobs: mem.Jobs, Topology: &fleet.Topology{}}
	s := &step{prev: blank, next: *blank, now: now, quiet: true, touched: make(map[int]bool), said: make(map[string]int)}
	s.open()
	s.lay(inv)
	r := newRecaller(s)
	for i := range mem.Tables {
		r.rows(&mem.Tables[i])
	}
	for i := range mem.Readings {
		r.readings(&mem.Readings[i])
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

// remember notes that a table is as old as the newest row of it. Which lane
// reads it is not remembered: the slowest is assumed until a faster one comes,
// or a table that only the slow lane reads would be taken for neglected.
func remember(st *fleet.TableState, at time.Time) {
	if st.Is == fleet.NotAsked {
		st.Lane = fleet.LaneSlow
	}
	st.Is, st.At = fleet.Partial, later(st.At, at)
}

func decode[T any](b []byte) *T {
	x := new(T)
	if json.Unmarshal(b, x) != nil {
		return nil
	}
	return x
}

// recallCloud gathers rows; recallClouds builds the tables from them.
func (s *step) recallCloud(cloud *fleet.Cloud, rows *fleet.Rows) {
	remember(&cloud.Tables[rows.Table], rows.Newest)
	cloud.SeenAt = later(cloud.SeenAt, rows.Newest)
	switch rows.Table {
	case fleet.TableFacts:
		cloud.Facts = recallFacts(rows.RowSet)
	case fleet.TableHosts:
		for _, v := range rows.Values {
			if h := decode[fleet.Host](v); h != nil {
				s.hosts = append(s.hosts, fleet.HostState{Host: *h, Cloud: rows.Target, State: hostState(h), Device: s.next.Devices.Number(h.Name)})
			}
		}
	case fleet.TableInstances:
		for _, v := range rows.Values {
			if x := decode[fleet.Instance](v); x != nil {
				x.Cloud = rows.Target
				s.instances = append(s.instances, fleet.InstanceState{Instance: *x, Told: fleet.StateUnknown})
			}
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
