package engine

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

// settler is what a step has to do about guests.
type settler struct {
	unsettled map[string]bool // instances of which a cloud told something new
}

// settleGuests decides what instances and services stand on. A provider may
// call a guest ACTIVE for as long as its hypervisor is dead, so a guest is
// never shown greener than the machine under it.
func (s *step) settleGuests() {
	if s.next.Instances.Len() > 0 || s.next.Services.Len() > 0 {
		m := make([]members, s.next.Services.Len())
		s.settleInstances(m)
		s.settleDevices(m)
		services := s.next.Services.Edit()
		for k := range m {
			s.settleService(services, k, &m[k])
		}
		s.next.Services = services.Done()
	}
	s.recountGuests() // the last of them may have just left
	s.next.Guests = fleet.NewGuests(&s.next)
}

// settleInstances places those of which there is something to say and leaves the
// others as they are.
func (s *step) settleInstances(m []members) {
	number := make(map[string]int, len(m))
	for k := range m {
		m[k].instances = make([]int, 0, len(s.next.Services.At(k).Instances))
		number[s.next.Services.At(k).Spec.Name] = k
	}
	edit := s.next.Instances.Edit()
	g := s.footing(edit)
	for i := range edit.Len() {
		x := edit.Peek(i)
		if !g.still(i, x) {
			is := *x
			s.place(&is, s.next.Hosts.Get(is.Cloud+"/"+is.Host))
			is.Service = s.serves(is.Tags)
			if is.State != x.State || is.Device != x.Device || is.Service != x.Service || !slices.Equal(is.Reasons, x.Reasons) {
				x = edit.At(i)
				*x = is
			}
		}
		if x.Service != "" {
			m[number[x.Service]].instance(s, i, x)
		}
	}
	s.next.Instances = edit.Done()
}

// serves names the service that instances with such tags carry.
func (s *step) serves(tags map[string]string) string {
	for k := range s.next.Services.Len() {
		if spec := s.next.Services.At(k).Spec; spec.Matches(tags) {
			return spec.Name
		}
	}
	return ""
}

// settleDevices counts the devices that carry services themselves. Which ones do
// changes with the inventory alone.
func (s *step) settleDevices(m []members) {
	if !s.rolled {
		for k := range m {
			for _, i := range s.next.Services.At(k).Devices {
				m[k].device(s.devices.Peek(i), i)
			}
		}
		return
	}
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		for k := range m {
			if len(d.Spec.Tags) > 0 && s.next.Services.At(k).Spec.Matches(d.Spec.Tags) {
				m[k].device(d, i)
			}
		}
	}
}

// footing is what is wrong under instances. One that was well, of which its cloud
// told nothing new and under which nothing is wrong stays as it is: almost all.
type footing struct {
	s       *step
	all     bool   // the inventory is another one
	news    []bool // by instance; nil: none
	hosts   map[hostKey]bool
	cloud   string // of the last instance
	unread  bool
	started bool
}

type hostKey struct{ cloud, name string }

func (s *step) footing(edit *fleet.TableEdit[fleet.InstanceState]) *footing {
	g := &footing{s: s, all: s.rolled, hosts: map[hostKey]bool{}}
	for _, h := range s.next.Hosts.All() {
		if h.State == fleet.StateCrit || h.State == fleet.StateWarn {
			g.hosts[hostKey{h.Cloud, h.Name}] = true
		}
	}
	if len(s.unsettled) > 0 {
		g.news = make([]bool, edit.Len())
		for id := range s.unsettled {
			if n := s.next.Instances.Number(id); n >= 0 {
				g.news[n] = true
			}
		}
	}
	return g
}

// still reports whether an instance stays as it is.
func (g *footing) still(i int, x *fleet.InstanceState) bool {
	if g.all || g.news != nil && g.news[i] || len(x.Reasons) > 0 || x.State != x.Told {
		return false
	}
	if x.Device >= 0 {
		if st := g.s.devices.Peek(x.Device).State; st == fleet.StateCrit || st == fleet.StateOff {
			return false
		}
	}
	if !g.started || x.Cloud != g.cloud {
		g.started, g.cloud, g.unread = true, x.Cloud, g.s.unread(x.Cloud) != ""
	}
	return !g.unread && (len(g.hosts) == 0 || !g.hosts[hostKey{x.Cloud, x.Host}])
}

// place gives an instance its device, state and reasons.
func (s *step) place(x *fleet.InstanceState, h *fleet.HostState) {
	x.State, x.Reasons, x.Device = x.Told, nil, s.next.Devices.Number(x.Host)
	if x.State == fleet.StateCrit {
		x.Reasons = append(x.Reasons, "the provider says "+x.RunState)
	}
	if x.State == fleet.StateOff {
		return
	}
	if why := s.unread(x.Cloud); why != "" {
		x.State = fleet.StateUnknown
		x.Reasons = append(x.Reasons, why)
	}
	lower := func(to fleet.State, format string, args ...any) {
		x.State = fleet.Worst(x.State, to)
		x.Reasons = append(x.Reasons, fmt.Sprintf(format, args...))
	}
	if h != nil && h.State == fleet.StateCrit {
		lower(fleet.StateCrit, "host %s is down: what the guest says is not to be trusted", x.Host)
	}
	if h != nil && h.State == fleet.StateWarn {
		lower(fleet.StateWarn, "host %s is %s", x.Host, disabled(h))
	}
	if x.Device < 0 {
		return
	}
	switch d := s.devices.Peek(x.Device); d.State {
	case fleet.StateOff:
		lower(fleet.StateCrit, "host %s is switched off", x.Host)
	case fleet.StateCrit:
		if h == nil || h.State != fleet.StateCrit { // else it is said already
			lower(fleet.StateWarn, "host %s: %s", x.Host, first(d.Reasons))
		}
	}
}

// unread says why a cloud's list of instances is too old to be believed, or "".
func (s *step) unread(name string) string {
	c := s.cloud(name)
	if c == nil {
		return ""
	}
	if c.State == fleet.StateUnknown {
		return "cloud " + name + " " + first(c.Reasons)
	}
	t := &c.Tables[fleet.TableInstances]
	if limit := 2 * s.next.Intervals[min(int(t.Lane), len(s.next.Intervals)-1)]; !t.At.IsZero() && s.now.Sub(t.At) > limit {
		return "cloud " + name + ": instances not read since " + t.At.UTC().Format(clock)
	}
	return ""
}

// unreadCloud names a cloud whose instances were never listed, or "": until they
// are, nobody can say that a service has too few.
func (s *step) unreadCloud() string {
	for i := range s.clouds.Len() {
		c := s.clouds.Peek(i)
		if t := &c.Tables[fleet.TableInstances]; t.At.IsZero() && t.Is != fleet.Absent {
			return c.Spec.Name
		}
	}
	return ""
}

// cloud finds a cloud with what this step made of it.
func (s *step) cloud(name string) *fleet.Cloud {
	if i := s.next.Clouds.Number(name); i >= 0 {
		return s.clouds.Peek(i)
	}
	return nil
}

// members gathers what carries one service.
type members struct {
	instances, devices  []int
	running, unplaced   int
	unseen              int // members of which nobody knows whether they run
	zones, hosts, racks map[string]bool
	zone                string   // that was counted last
	counted             []uint64 // by device, a bit: its host and rack were
}

func (m *members) domain(zone, host, rack string) {
	if m.zones == nil {
		m.zones, m.hosts, m.racks = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	m.zones[zone], m.hosts[host], m.racks[rack] = true, true, true
	m.zone = zone
}

func (m *members) instance(s *step, i int, x *fleet.InstanceState) {
	m.instances = append(m.instances, i)
	if x.State == fleet.StateUnknown {
		m.unseen++
	}
	if x.State != fleet.StateOK && x.State != fleet.StateWarn {
		return
	}
	m.running++
	if x.Host == "" {
		m.unplaced++
	}
	rack := ""
	if x.Device >= 0 {
		if m.counted == nil {
			m.counted = make([]uint64, s.devices.Len()/64+1)
		}
		word, bit := &m.counted[x.Device/64], uint64(1)<<(x.Device%64)
		if *word&bit != 0 && x.Zone == m.zone {
			return
		}
		*word |= bit
		rack = s.devices.Peek(x.Device).Spec.Rack
	}
	m.domain(x.Zone, x.Host, rack)
}

func (m *members) device(d *fleet.Device, i int) {
	m.devices = append(m.devices, i)
	if d.State == fleet.StateUnknown {
		m.unseen++
	}
	if d.State != fleet.StateOK && d.State != fleet.StateWarn {
		return
	}
	m.running++
	m.domain(d.Spec.Site, d.Spec.ID, d.Spec.Rack)
}

// known counts the names that are not empty.
func known(set map[string]bool) int {
	n := len(set)
	if set[""] {
		n--
	}
	return n
}

func (s *step) settleService(edit *fleet.TableEdit[fleet.Service], k int, m *members) {
	v := verdict{state: fleet.StateOK}
	spec, unread := edit.Peek(k).Spec, s.unreadCloud()
	switch total := len(m.instances) + len(m.devices); {
	case total == 0:
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "nothing carries it: no instance or device has its tags")
	case m.running < spec.Floor && m.running+m.unseen >= spec.Floor, m.running == spec.Floor && m.unseen > 0 && spec.Floor > 0:
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "%d running, %d not seen, floor %d", m.running, m.unseen, spec.Floor)
	case m.running < spec.Floor && unread != "":
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "%d running, floor %d, cloud %s not read yet", m.running, spec.Floor, unread)
	case m.running < spec.Floor:
		v.add(fleet.StateCrit, "floor", "%d running, floor %d", m.running, spec.Floor)
	case m.running == spec.Floor && spec.Floor > 0:
		v.add(fleet.StateWarn, "floor", "at its floor of %d: the next loss is an outage", spec.Floor)
	}
	x := edit.At(k)
	was, docket, health := x.State, x.Docket, x.Health
	x.Instances, x.Devices = m.instances, m.devices
	s.addHealth(&v, x)
	reasons, _ := v.words()
	*x = fleet.Service{
		Spec: spec, State: v.state, Reasons: reasons, Replicas: m.running, Unseen: m.unseen, Unread: unread != "", Instances: m.instances, Devices: m.devices,
		Zones: known(m.zones), Hosts: known(m.hosts), Racks: known(m.racks), Unplaced: m.unplaced, Docket: docket, Health: health,
	}
	hurt := spec.Health != nil && health != nil && bad(health.State) // it said so itself: that is news whatever was known before
	if was != v.state && s.prev.Version > 0 && (was != fleet.StateUnknown || hurt) {
		sev := map[fleet.State]fleet.Severity{fleet.StateCrit: fleet.SeverityCrit, fleet.StateWarn: fleet.SeverityWarn}[v.state]
		s.event(spec.Name, "state", "service "+spec.Name+": "+was.String()+" → "+v.state.String()+tail(x.Reasons), sev, v.state != fleet.StateOK)
	}
}

func tail(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return ": " + reasons[0]
}
