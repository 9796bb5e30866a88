package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// target is one target under judgement: what it is, and what hangs on it.
type target struct {
	fleet.PlanTarget
	device   *fleet.Device // it, or whose port or outlet it is; nil for a cloud's
	cloud    *fleet.Cloud
	instance *fleet.InstanceState
	group    *fleet.SecurityGroup
	host     *fleet.HostState
	port     *fleet.Port
	outlet   *fleet.Outlet
	fed      *fleet.Device // what the outlet feeds or the port leads to; nil: nothing known
	seen     time.Time     // when what the action changes was read last
	lane     fleet.Lane    // by which it is read
}

// find resolves a target; the error says in words what is not there.
func find(s *fleet.Snapshot, spec *fleet.ActionSpec, args map[string]string, id string) (*target, error) {
	t := &target{PlanTarget: fleet.PlanTarget{ID: id, Source: spec.Source}}
	var err error
	switch spec.On {
	case fleet.OnServer:
		err = t.server(s, id)
	case fleet.OnPort:
		err = t.onPort(s, id)
	case fleet.OnOutlet:
		err = t.onOutlet(s, id)
	case fleet.OnInstance:
		err = t.onInstance(s, id)
	case fleet.OnGroup:
		err = t.onGroup(s, id)
	case fleet.OnHost:
		err = t.onHost(s, id)
	}
	if err != nil {
		return nil, err
	}
	if t.device != nil {
		t.Wire, t.Serial, t.Place = t.device.Spec.ID, t.device.Facts.Get(fleet.FactSerial), place(t.device.Spec)
		if t.cloud == nil && !hasWire(t.device.Spec, spec.Source) {
			return nil, fmt.Errorf("%s has no %s configured", t.device.Spec.ID, wireName(spec.Source))
		}
	}
	if t.cloud != nil {
		t.Wire, t.Source = t.cloud.Spec.Name, t.cloud.Spec.Endpoint.Source
	}
	t.Before, t.After = t.states(spec, args)
	return t, nil
}

func place(d *fleet.DeviceSpec) string {
	if d.Rack == "" {
		return d.Site
	}
	if d.Unit == 0 {
		return d.Rack
	}
	return d.Rack + "/U" + d.Unit.Num().String()
}

func hasWire(d *fleet.DeviceSpec, source fleet.Source) bool {
	for _, e := range d.Endpoints {
		if e.Source == source {
			return true
		}
	}
	return false
}

func wireName(s fleet.Source) string {
	if s == fleet.SourceIPMI {
		return "BMC"
	}
	return string(s)
}

func missing(id string) error {
	return fmt.Errorf("%s is not in the inventory", fleet.Clean(id, 80))
}

func (t *target) server(s *fleet.Snapshot, id string) error {
	d := s.Devices.Get(id)
	switch {
	case d == nil && strings.Contains(id, "/"):
		return fmt.Errorf("%s: that is for a whole device", fleet.Clean(id, 80))
	case d == nil:
		return missing(id)
	case d.Spec.Kind != fleet.KindServer:
		return fmt.Errorf("%s is a %s, not a server", id, d.Spec.Kind)
	}
	t.device, t.seen = d, d.SeenAt
	return nil
}

// part splits DEVICE/PART and finds the device.
func (t *target) part(s *fleet.Snapshot, id, what string) (string, error) {
	name, part, ok := strings.Cut(id, "/")
	d := s.Devices.Get(name)
	switch {
	case d == nil:
		return "", missing(id)
	case !ok || part == "":
		return "", fmt.Errorf("%s names no %s", name, what)
	}
	t.device, t.seen = d, d.SeenAt
	return part, nil
}

func (t *target) onPort(s *fleet.Snapshot, id string) error {
	name, err := t.part(s, id, "port")
	if err != nil {
		return err
	}
	if t.port = t.device.Port(name); t.port == nil {
		return fmt.Errorf("%s has no port %s", t.device.Spec.ID, fleet.Clean(name, 40))
	}
	if far, ok := s.Cabled[id]; ok && far.Device >= 0 {
		t.fed = s.Devices.At(far.Device)
	}
	t.seen, t.lane = t.device.Tables[fleet.TablePorts].At, t.device.Tables[fleet.TablePorts].Lane
	return nil
}

func (t *target) onOutlet(s *fleet.Snapshot, id string) error {
	name, err := t.part(s, id, "outlet")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		return fmt.Errorf("%s: outlets are numbers", fleet.Clean(id, 80))
	}
	for i := range t.device.Outlets {
		if t.device.Outlets[i].Index == n {
			t.outlet = &t.device.Outlets[i]
		}
	}
	if t.outlet == nil {
		return fmt.Errorf("%s has no outlet %d", t.device.Spec.ID, n)
	}
	if far, ok := s.Corded[id]; ok && far.Device >= 0 {
		t.fed = s.Devices.At(far.Device)
	}
	t.seen, t.lane = t.device.Tables[fleet.TableOutlets].At, t.device.Tables[fleet.TableOutlets].Lane
	return nil
}

func (t *target) onInstance(s *fleet.Snapshot, id string) error {
	x := s.Instances.Get(id)
	if x == nil {
		return fmt.Errorf("there is no instance %s", fleet.Clean(id, 80))
	}
	if t.cloud = s.Clouds.Get(x.Cloud); t.cloud == nil {
		return fmt.Errorf("the cloud %s of instance %s is not configured", fleet.Clean(x.Cloud, 40), fleet.Clean(id, 80))
	}
	t.instance, t.Place = x, x.Host
	t.seen, t.lane = t.cloud.Tables[fleet.TableInstances].At, t.cloud.Tables[fleet.TableInstances].Lane
	return nil
}

func (t *target) onGroup(s *fleet.Snapshot, id string) error {
	cloud, group, _ := strings.Cut(id, "/")
	if t.cloud = s.Clouds.Get(cloud); t.cloud == nil {
		return fmt.Errorf("there is no cloud %s", fleet.Clean(cloud, 40))
	}
	for i := range t.cloud.Groups {
		if t.cloud.Groups[i].ID == group {
			t.group = &t.cloud.Groups[i]
		}
	}
	if t.group == nil {
		return fmt.Errorf("%s has no security group %s", cloud, fleet.Clean(group, 64))
	}
	t.seen, t.lane = t.cloud.Tables[fleet.TableSecurityGroups].At, t.cloud.Tables[fleet.TableSecurityGroups].Lane
	return nil
}

// onHost finds a server in the list of its cloud's hypervisors. A hypervisor that
// the inventory does not know is no target: whose it is, and what stands and falls
// with it, nobody could say.
func (t *target) onHost(s *fleet.Snapshot, id string) error {
	if h := s.Unlisted(id); h != nil {
		return fmt.Errorf("%s is a hypervisor of cloud %s that the inventory does not know, so nobody can say who may act on it; %s", fleet.Clean(h.Name, 80), h.Cloud, h.ListIt())
	}
	if err := t.server(s, id); err != nil {
		return err
	}
	n, is := s.HostOf[s.Devices.Number(id)]
	if h := s.Alike(id); !is && h != nil {
		return fmt.Errorf("%s is no hypervisor of a cloud that is watched, but cloud %s has a %s: where that is it, it is the id that the device has to have", id, h.Cloud, fleet.Clean(h.Name, 80))
	}
	if !is {
		return fmt.Errorf("%s is no hypervisor of a cloud that is watched", id)
	}
	t.host = s.Hosts.At(n)
	if t.cloud = s.Clouds.Get(t.host.Cloud); t.cloud == nil {
		return fmt.Errorf("the cloud %s of %s is not configured", fleet.Clean(t.host.Cloud, 40), id)
	}
	t.seen, t.lane = t.cloud.Tables[fleet.TableHosts].At, t.cloud.Tables[fleet.TableHosts].Lane
	return nil
}

// states are what a target is now and what shows that it is done: what the
// approval binds to. "" where no state shows it.
func (t *target) states(spec *fleet.ActionSpec, args map[string]string) (before, after string) {
	switch spec.Kind {
	case fleet.ActPowerOn, fleet.ActSoftOff, fleet.ActPowerOff, fleet.ActPowerCycle, fleet.ActReset:
		before = "power " + t.device.Power.String()
		switch {
		case spec.Kind == fleet.ActPowerOn:
			after = "power on"
		case !spec.Ends:
			after = "power off"
		}
	case fleet.ActPortUp, fleet.ActPortDown, fleet.ActPortBounce:
		before = "admin " + t.port.Admin
		if after = "admin up"; spec.Kind == fleet.ActPortDown {
			after = "admin down"
		}
	case fleet.ActPortVLAN:
		before, after = "vlan "+strconv.Itoa(t.port.VLAN), "vlan "+args["vlan"]
	case fleet.ActPortAlias:
		before, after = "alias "+t.port.Alias, "alias "+args["alias"]
	case fleet.ActOutletOn, fleet.ActOutletOff, fleet.ActOutletCycle:
		before = "outlet " + t.outlet.State
		if after = "outlet on"; spec.Kind == fleet.ActOutletOff {
			after = "outlet off"
		}
	case fleet.ActInstanceStart, fleet.ActInstanceStop, fleet.ActInstanceReboot, fleet.ActInstanceEvacuate, fleet.ActInstanceMigrate:
		before = t.instance.RunState
		switch spec.Kind {
		case fleet.ActInstanceStart:
			after = "ACTIVE"
		case fleet.ActInstanceStop:
			after = "SHUTOFF"
		case fleet.ActInstanceEvacuate, fleet.ActInstanceMigrate:
			before += " on " + t.instance.Host
		}
	case fleet.ActHostDrain, fleet.ActHostUndrain:
		if before = t.host.Status; t.host.Maintenance != "" {
			before += ": " + t.host.Maintenance
		}
		if after = "enabled"; spec.Kind == fleet.ActHostDrain {
			after = "disabled"
		}
	case fleet.ActUserOff:
		before = t.device.Facts.Get("bmc.user." + args["slot"])
	case fleet.ActCipherOff, fleet.ActCipherSet:
		if before = "suites " + t.device.Facts.Get(factSuites); t.device.Facts.Get(factLimits) != "" {
			before = limitsWord + t.device.Facts.Get(factLimits)
		}
	case fleet.ActRuleRemove:
		before = t.ruleText(args["rule"])
	}
	return before, after
}

func (t *target) ruleText(id string) string {
	for i := range t.group.Rules {
		if r := &t.group.Rules[i]; r.ID == id {
			return fmt.Sprintf("rule %s %s %s-%s %s", r.Direction, r.Protocol, r.PortMin, r.PortMax, r.Remote)
		}
	}
	return ""
}

// LeaseOf is what only one person may act on at a time: a device with all its
// ports and outlets and as a hypervisor, an instance, or a group.
func LeaseOf(k fleet.ActionKind, t fleet.PlanTarget) string {
	if spec := k.Spec(); spec != nil && (spec.On == fleet.OnInstance || spec.On == fleet.OnGroup || spec.On == fleet.OnHost) {
		return t.ID
	}
	return t.Wire
}
