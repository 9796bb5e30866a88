package engine

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

// settleGuests decides what instances and services stand on. A provider may
// call a guest ACTIVE for as long as its hypervisor is dead, so a guest is
// never shown greener than the machine under it.
func (s *step) settleGuests() {
	if s.next.Instances.Len() == 0 && s.next.Services.Len() == 0 {
		s.recountGuests() // the last of them may have just left
		s.next.Guests = fleet.NewGuests(&s.next)
		return
	}
	hosts := make(map[string]*fleet.HostState, s.next.Hosts.Len())
	for _, h := range s.next.Hosts.All() {
		hosts[h.Cloud+"/"+h.Name] = h
	}
	members := make([]members, s.next.Services.Len())
	edit := s.next.Instances.Edit()
	for i := range edit.Len() {
		was := edit.Peek(i)
		is := *was
		s.place(&is, hosts[is.Cloud+"/"+is.Host])
		is.Service = ""
		for k := range members {
			if spec := s.next.Services.At(k).Spec; spec.Matches(is.Tags) {
				is.Service = spec.Name
				members[k].instance(s, i, &is)
				break
			}
		}
		if is.State != was.State || is.Device != was.Device || is.Service != was.Service || !slices.Equal(is.Reasons, was.Reasons) {
			*edit.At(i) = is
		}
	}
	s.next.Instances = edit.Done()
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		for k := range members {
			if len(d.Spec.Tags) > 0 && s.next.Services.At(k).Spec.Matches(d.Spec.Tags) {
				members[k].device(d, i)
			}
		}
	}
	services := s.next.Services.Edit()
	for k := range members {
		s.settleService(services, k, &members[k])
	}
	s.next.Services = services.Done()
	s.recountGuests()
	s.next.Guests = fleet.NewGuests(&s.next)
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
}

func (m *members) domain(zone, host, rack string) {
	if m.zones == nil {
		m.zones, m.hosts, m.racks = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	m.zones[zone], m.hosts[host], m.racks[rack] = true, true, true
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
	rack := ""
	if x.Device >= 0 {
		rack = s.devices.Peek(x.Device).Spec.Rack
	}
	if x.Host == "" {
		m.unplaced++
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
	spec := edit.Peek(k).Spec
	switch total := len(m.instances) + len(m.devices); {
	case total == 0:
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "nothing carries it: no instance or device has its tags")
	case m.running < spec.Floor && m.running+m.unseen >= spec.Floor, m.running == spec.Floor && m.unseen > 0 && spec.Floor > 0:
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "%d running, %d not seen, floor %d", m.running, m.unseen, spec.Floor)
	case m.running < spec.Floor && s.unreadCloud() != "":
		v.state = fleet.StateUnknown
		v.add(fleet.StateUnknown, aboutSight, "%d running, floor %d, cloud %s not read yet", m.running, spec.Floor, s.unreadCloud())
	case m.running < spec.Floor:
		v.add(fleet.StateCrit, "floor", "%d running, floor %d", m.running, spec.Floor)
	case m.running == spec.Floor && spec.Floor > 0:
		v.add(fleet.StateWarn, "floor", "at its floor of %d: the next loss is an outage", spec.Floor)
	}
	x := edit.At(k)
	was, docket := x.State, x.Docket
	reasons, _ := v.words()
	*x = fleet.Service{
		Spec: spec, State: v.state, Reasons: reasons, Replicas: m.running, Instances: m.instances, Devices: m.devices,
		Zones: known(m.zones), Hosts: known(m.hosts), Racks: known(m.racks), Unplaced: m.unplaced, Docket: docket,
	}
	if was != v.state && s.prev.Version > 0 && was != fleet.StateUnknown {
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
