package engine

import (
	"slices"
	"strings"

	"plumb/fleet"
)

func (s *step) observeCloud(i int, o *fleet.Observation) {
	c := s.clouds.At(i)
	s.changed, s.guests = true, true
	s.stamp(&c.Tables, o)
	before := *c
	c.Err = o.Err
	if seen(o) {
		c.SeenAt, c.BlindSince = o.At, zero
	} else if c.BlindSince.IsZero() {
		c.BlindSince = o.At
	}
	c.Facts = s.mergeFacts(o, c.Facts)
	s.mergeHosts(o)
	s.mergeInstances(c, o)
	groups := c.Groups
	c.Groups = mergeRows(s, o.Target, fleet.TableSecurityGroups, o.Tables[fleet.TableSecurityGroups], c.Groups, o.SecurityGroups,
		func(g *fleet.SecurityGroup) string { return g.ID }, sameGroup, whole[fleet.SecurityGroup])
	if o.Tables[fleet.TableSecurityGroups] == fleet.Complete {
		s.noteGroups(c, groups)
	}
	s.readCloud(o)
	s.out.Events = append(s.out.Events, o.Events...)
	if !s.judgeCloud(i) && (!before.BlindSince.Equal(c.BlindSince) || errorText(before.Err) != errorText(c.Err)) {
		s.keepCloud(c)
	}
	if o.Tables[fleet.TableSecurityGroups] != fleet.NotAsked || o.Tables[fleet.TableInstances] == fleet.Complete {
		s.doubt(i)
	}
}

func (s *step) keepCloud(c *fleet.Cloud) {
	s.change(c.Spec.Name, fleet.TableStatus, "cloud", encode(Status{State: c.State, Reasons: c.Reasons, BlindSince: c.BlindSince, Err: c.Err}))
}

// judgeCloud decides how well a cloud can be seen; kept says that it wrote that
// down.
func (s *step) judgeCloud(i int) (kept bool) {
	c := s.clouds.At(i)
	was := c.State
	before := c.Reasons
	c.State, c.Reasons = fleet.StateOK, nil
	switch limit := 2 * s.next.Intervals[fleet.LaneFast]; {
	case c.SeenAt.IsZero():
		c.State, c.Reasons = fleet.StateUnknown, []string{"not polled yet"}
		if c.Err != nil {
			c.Reasons = []string{"never seen: " + c.Err.Kind()}
		}
	case s.now.Sub(c.SeenAt) > limit:
		c.State, c.Reasons = fleet.StateUnknown, []string{"not seen since " + c.SeenAt.UTC().Format("15:04:05")}
	case !c.BlindSince.IsZero():
		c.State = was
		c.Reasons = []string{"blind since " + c.BlindSince.UTC().Format(clock)}
		if c.Err != nil {
			c.Reasons[0] += ": " + c.Err.Kind()
		}
	case c.Err != nil:
		c.State, c.Reasons = fleet.StateWarn, []string{"partly visible: " + c.Err.Op + ": " + c.Err.Kind()}
	}
	s.recolour(fleet.KindOfCloud, was, c.State)
	if kept = was != c.State || !slices.Equal(before, c.Reasons); kept {
		s.keepCloud(c)
	}
	if was != c.State {
		s.changed, s.guests = true, true
		if c.State == fleet.StateUnknown {
			s.loseHosts(c.Spec.Name)
		}
		s.sayCloud(c, was, before)
	}
	return kept
}

// loseHosts makes the hosts of a cloud that fell silent unknown: that they were
// up was its word. The next list of hosts says what they are.
func (s *step) loseHosts(cloud string) {
	edit := s.next.Hosts.Edit()
	for i := range edit.Len() {
		if edit.Peek(i).Cloud == cloud {
			edit.At(i).State = fleet.StateUnknown
		}
	}
	s.next.Hosts = edit.Done()
}

// sayCloud tells that a cloud is seen otherwise than before.
func (s *step) sayCloud(c *fleet.Cloud, was fleet.State, before []string) {
	text := "cloud " + c.Spec.Name + ": " + was.String() + " → " + c.State.String() + tail(c.Reasons)
	switch {
	case c.State == fleet.StateOK && len(before) > 0 && strings.HasPrefix(before[0], "not polled yet"):
		return
	case c.State == fleet.StateOK:
		s.event(c.Spec.Name, "state", text, fleet.SeverityInfo, false)
	default:
		s.event(c.Spec.Name, "state", text, fleet.SeverityWarn, true)
	}
}

// mergeHosts replaces the hosts of one cloud by what it says now.
func (s *step) mergeHosts(o *fleet.Observation) {
	if c := o.Tables[fleet.TableHosts]; c == fleet.NotAsked || c == fleet.Failed {
		return // a poll that says nothing of hosts must not bring back those that were lost
	}
	old := pick(&s.next.Hosts, func(h *fleet.HostState) bool { return h.Cloud == o.Target })
	before := make([]fleet.Host, len(old))
	for i, h := range old {
		before[i] = h.Host
	}
	after := mergeRows(s, o.Target, fleet.TableHosts, o.Tables[fleet.TableHosts], before, o.Hosts,
		func(h *fleet.Host) string { return h.ID }, sameHost, hostKept)
	rows := make([]fleet.HostState, 0, len(after))
	for _, h := range after {
		rows = append(rows, fleet.HostState{Host: h, Cloud: o.Target, State: hostState(&h), Device: s.next.Devices.Number(h.Name)})
	}
	s.next.Hosts = replace(&s.next.Hosts, rows, func(h *fleet.HostState) bool { return h.Cloud == o.Target },
		func(h *fleet.HostState) string { return h.Cloud + "/" + h.Name })
	s.indexHosts()
	for _, h := range old {
		is := s.next.Hosts.Get(h.Cloud + "/" + h.Name)
		if h.Device >= 0 && (is == nil || is.State != h.State || is.Maintenance != h.Maintenance) {
			s.stirred = append(s.stirred, h.Device)
		}
	}
	if len(old) == 0 {
		for i := range rows {
			if rows[i].State != fleet.StateOK && rows[i].Device >= 0 {
				s.stirred = append(s.stirred, rows[i].Device)
			}
		}
	}
}

// indexHosts says anew which hypervisor each device is.
func (s *step) indexHosts() {
	of := make(map[int]int, s.next.Hosts.Len())
	for n := range s.next.Hosts.Len() {
		if i := s.next.Devices.Number(s.next.Hosts.At(n).Name); i >= 0 {
			of[i] = n
		}
	}
	s.next.HostOf = of
}

// hostKept leaves what moves with every guest out of the history.
func hostKept(h *fleet.Host) any {
	k := *h
	k.RunningVMs = 0
	k.Resources = nil
	for _, r := range h.Resources {
		r.Used = 0
		k.Resources = append(k.Resources, r)
	}
	return k
}

func hostState(h *fleet.Host) fleet.State {
	switch {
	case h.State == "down":
		return fleet.StateCrit
	case h.State != "up":
		return fleet.StateUnknown
	case h.Status == "disabled":
		return fleet.StateWarn
	}
	return fleet.StateOK
}

func instanceKept(x *fleet.Instance) any {
	k := *x
	k.Service = "" // follows from the inventory
	return k
}

func pick[T any](t *fleet.Table[T], ours func(*T) bool) []*T {
	var out []*T
	for _, x := range t.All() {
		if ours(x) {
			out = append(out, x)
		}
	}
	return out
}

// replace swaps the rows of one cloud for new ones and keeps the others. An id
// that a provider gives twice is kept once, the first time.
func replace[T any](t *fleet.Table[T], rows []T, ours func(*T) bool, id func(*T) string) fleet.Table[T] {
	ids, all, have := make([]string, 0, len(rows)), make([]T, 0, len(rows)), make(map[string]bool, len(rows))
	put := func(x *T) {
		if k := id(x); !have[k] {
			have[k] = true
			ids, all = append(ids, k), append(all, *x)
		}
	}
	for _, x := range t.All() {
		if !ours(x) {
			put(x)
		}
	}
	for i := range rows {
		put(&rows[i])
	}
	return fleet.NewTable(ids, all)
}
