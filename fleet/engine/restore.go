package engine

import (
	"encoding/json"
	"time"

	"plumb/fleet"
)

// Ground is an inventory laid out as a snapshot of which nothing is known yet.
// It is made once and serves every time at which that inventory was true.
type Ground struct{ bare fleet.Snapshot }

// Lay lays an inventory out.
func Lay(inv *fleet.Inventory) *Ground {
	blank := &fleet.Snapshot{Topology: &fleet.Topology{}}
	s := &step{prev: blank, next: *blank, touched: make(map[int]bool), said: make(map[string]int)}
	s.open()
	s.lay(inv)
	s.next.Devices, s.next.Clouds = s.devices.Done(), s.clouds.Done()
	return &Ground{s.next}
}

// Restore makes the first snapshot: the inventory with everything the store
// remembers of it, each thing as old as it is.
func Restore(inv *fleet.Inventory, mem fleet.Memory, now time.Time) *fleet.Snapshot {
	return Lay(inv).Restore(mem, now)
}

// Restore makes a snapshot of what is remembered. Rows that do not decode are
// skipped; the next complete read writes them anew.
//
// It stands between exec and the first screen, and between a key and the past:
// what many devices share is decoded once, and devices are shared out among the
// processors. Nothing is said or recorded.
func (g *Ground) Restore(mem fleet.Memory, now time.Time) *fleet.Snapshot {
	return g.restore(mem, now, (*step).unsettle)
}

// restore does it; settle says what becomes of the judgements that were kept.
func (g *Ground) restore(mem fleet.Memory, now time.Time, settle func(*step)) *fleet.Snapshot {
	blank := g.bare
	blank.Version, blank.Recent, blank.Jobs = mem.Version, mem.Recent, mem.Jobs
	s := &step{prev: &blank, next: blank, now: now, changed: true, guests: true, rolled: true, touched: make(map[int]bool), said: make(map[string]int)}
	s.open()
	s.recallAll(&mem)
	s.judgeAll()
	settle(s)
	s.settleHealth()
	s.rollUp()
	s.recount()
	first, _ := s.close()
	first.Version = mem.Version
	first.Recent = newest(mem.Recent, nil, now)
	return first
}

// judgeAll judges what came back. A verdict rests on what was read, the
// neighbours' too, and not on other verdicts, except where a device does not
// answer: those are judged once more when all others have been.
func (s *step) judgeAll() {
	verdicts := make([]*verdict, s.devices.Len())
	spread(len(verdicts), func(_, from, to int) {
		for i := from; i < to; i++ {
			verdicts[i] = s.verdict(i, s.devices.Peek(i))
		}
	})
	spread(len(verdicts), func(_, from, to int) {
		for i := from; i < to; i++ {
			take(s.devices.At(i), verdicts[i])
		}
	})
	for i := range verdicts {
		if d := s.devices.At(i); d.Blind() || s.silent(d) {
			take(d, s.verdict(i, d))
		}
	}
}

func take(d *fleet.Device, v *verdict) {
	d.State = v.state
	d.Reasons, d.About = v.words()
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
	if rows.Table == fleet.TableStatus { // plumb's own word is no sign of life
		if st := recallStatus(rows); st != nil {
			s.cloudStatuses[s.next.Clouds.Number(rows.Target)] = st
		}
		return
	}
	if rows.Table.Judged() {
		cloud.Docket = recallDocket(cloud.Docket, rows)
		return
	}
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
	case fleet.TableSecurityGroups:
		cloud.Groups = recallRows[fleet.SecurityGroup](rows.RowSet)
	case fleet.TableInstances:
		for _, v := range rows.Values {
			if x := decode[fleet.Instance](v); x != nil {
				x.Cloud = rows.Target
				s.instances = append(s.instances, fleet.InstanceState{Instance: *x, Told: x.State})
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
