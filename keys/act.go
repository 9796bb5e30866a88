package keys

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// ActPrefix begins the id of every command that is an action.
const ActPrefix = "act."

// Action returns the action a command stands for.
func (c Command) Action() (fleet.ActionKind, bool) {
	k, ok := strings.CutPrefix(c.ID, ActPrefix)
	return fleet.ActionKind(k), ok
}

// Menu is the id of the menu of what can be done to targets of a kind. Each has
// letters of its own, so that o is on and f is off whatever is meant.
func Menu(on fleet.TargetKind) string {
	return [...]string{fleet.OnServer: "actions", fleet.OnOutlet: "actions-outlet", fleet.OnPort: "actions-port", fleet.OnInstance: "actions-instance", fleet.OnGroup: "actions-group", fleet.OnHost: "actions"}[on]
}

// IsMenu reports whether a view is one of the menus.
func IsMenu(view string) bool { return view == "actions" || strings.HasPrefix(view, "actions-") }

// letters are the keys of actions in their menus, and the words for them.
var letters = []struct {
	kind          fleet.ActionKind
	letter, title string
}{
	{fleet.ActIdentify, "i", "identify"}, {fleet.ActPowerOn, "o", "power on"}, {fleet.ActSoftOff, "s", "soft off"}, {fleet.ActPowerOff, "f", "power off"},
	{fleet.ActPowerCycle, "c", "power cycle"}, {fleet.ActReset, "r", "reset"}, {fleet.ActBootOnce, "b", "boot once"}, {fleet.ActBMCReset, "m", "BMC reset"},
	{fleet.ActSELClear, "e", "clear SEL"}, {fleet.ActUserOff, "u", "user off"}, {fleet.ActCipherOff, "v", "cipher off"}, {fleet.ActCipherSet, "z", "cipher set"},
	{fleet.ActOutletOn, "o", "outlet on"}, {fleet.ActOutletOff, "f", "outlet off"}, {fleet.ActOutletCycle, "c", "outlet cycle"},
	{fleet.ActPortUp, "u", "port up"}, {fleet.ActPortDown, "d", "port down"}, {fleet.ActPortBounce, "b", "port bounce"}, {fleet.ActPortVLAN, "v", "port VLAN"}, {fleet.ActPortAlias, "n", "port alias"},
	{fleet.ActInstanceStart, "o", "start"}, {fleet.ActInstanceStop, "f", "stop"}, {fleet.ActInstanceReboot, "r", "reboot"}, {fleet.ActInstanceEvacuate, "v", "evacuate"}, {fleet.ActInstanceMigrate, "m", "migrate"},
	{fleet.ActHostDrain, "d", "drain"}, {fleet.ActHostUndrain, "n", "undrain"},
	{fleet.ActRuleRemove, "r", "remove rule"},
}

func actCommands() []Command {
	out := []Command{bind("act", "a", "act", "what can be done to what the caret stands on", rank(24), why(whyNoMenu))}
	for _, l := range letters {
		out = append(out, action(l.kind, l.letter, l.title))
	}
	return append(out,
		bind("confirm.arg", "=", "arguments", "say the arguments of the action again, one after the other", in("confirm"), params("value")),
		bind("confirm.type", "", "type it", "type what shows that you looked at what stands there", in("confirm"), params("text")),
		bind("confirm.reason", "e", "reason", "type the reason for the audit log", in("confirm"), params("reason"), rank(21)),
		bind("confirm.break", "!", "break glass", "go past freeze, budgets, floors and the second person; everybody is told; asks again", in("confirm"), params("word"), rank(29), func(c *Command) { c.Needs = fleet.RoleAdmin }),
	)
}

// whyNoMenu says why there is nothing to act on here.
func whyNoMenu(s Scene) string {
	if IsMenu(s.View) || s.View == "confirm" {
		return "this is where it led"
	}
	return needsTarget(s)
}

// action makes the command of one kind of action. Its letter works only in
// the action menu, so that no single key on a list ever begins a write.
func action(kind fleet.ActionKind, letter, title string) Command {
	spec := kind.Spec()
	return bind(ActPrefix+string(kind), letter, title, spec.Help, func(c *Command) {
		c.KeysIn = []string{Menu(spec.On)}
		c.Danger = spec.Danger
		c.Needs = fleet.RoleOperator
		c.Writes = true
		c.why = func(s Scene) string { return whyNot(spec, s) }
	})
}

// TargetOf is what actions may be done to a thing that a caret stands on; false:
// none. A device that is no server has ports or outlets, and no switch of its own.
func TargetOf(s *fleet.Snapshot, kind, id string) (fleet.TargetKind, bool) {
	switch kind {
	case "port":
		return fleet.OnPort, true
	case "outlet":
		return fleet.OnOutlet, true
	case "instance":
		return fleet.OnInstance, true
	case "group":
		return fleet.OnGroup, true
	case "device":
		if s == nil {
			return 0, false
		}
		d := s.Devices.Get(id)
		return fleet.OnServer, d != nil && d.Spec.Kind == fleet.KindServer
	}
	return 0, false
}

// whyNot says why an action means nothing for the target, at a glance: whoever
// makes the plan, and the executor again, judge the rest. Of many that are
// marked the plan says it of each.
func whyNot(spec *fleet.ActionSpec, s Scene) string {
	if s.Target == "" {
		return "nothing is selected"
	}
	if on, ok := TargetOf(s.Snap, s.Kind, s.Target); !ok || !Offers(on, spec.On) {
		return "only " + [...]string{fleet.OnServer: "servers, by their BMC", fleet.OnOutlet: "outlets of a PDU", fleet.OnPort: "ports of a switch", fleet.OnInstance: "instances of a cloud", fleet.OnGroup: "security groups", fleet.OnHost: "hypervisors of a cloud"}[spec.On]
	}
	if len(s.Marks) > 0 {
		return ""
	}
	switch spec.On {
	case fleet.OnServer:
		return whyNotServer(spec.Kind, s.device())
	case fleet.OnPort:
		return whyNotPort(spec.Kind, s)
	case fleet.OnOutlet:
		return whyNotOutlet(spec.Kind, s)
	case fleet.OnInstance:
		return whyNotInstance(spec.Kind, s)
	case fleet.OnHost:
		return whyNotHost(spec.Kind, s)
	}
	return ""
}

// Offers reports whether the menu of things of a kind offers an action: a server
// may be a hypervisor too.
func Offers(on, action fleet.TargetKind) bool {
	return on == action || on == fleet.OnServer && action == fleet.OnHost
}

func whyNotHost(kind fleet.ActionKind, s Scene) string {
	n, is := s.Snap.HostOf[s.Snap.Devices.Number(s.Target)]
	if !is {
		return "it is no hypervisor of a cloud that is watched"
	}
	switch h := s.Snap.Hosts.At(n); {
	case kind == fleet.ActHostDrain && h.Status == "disabled":
		return "it is drained: " + h.Maintenance
	case kind == fleet.ActHostUndrain && h.Status == "enabled":
		return "its cloud uses it"
	}
	return ""
}

func whyNotServer(kind fleet.ActionKind, d *fleet.Device) string {
	power := kind == fleet.ActPowerOn || kind == fleet.ActSoftOff || kind == fleet.ActPowerOff || kind == fleet.ActPowerCycle || kind == fleet.ActReset
	switch {
	case !hasWire(d, fleet.SourceIPMI):
		return "no BMC is configured"
	case d.Blind():
		return "its BMC does not answer"
	case power && d.Power == fleet.PowerUnknown:
		return "its power state is not known"
	case kind == fleet.ActPowerOn && d.Power == fleet.PowerOn:
		return "it is on"
	case power && kind != fleet.ActPowerOn && d.Power == fleet.PowerOff:
		return "it is off"
	case kind == fleet.ActUserOff && !slices.ContainsFunc(d.Facts, func(f fleet.Fact) bool { return strings.HasPrefix(f.Name, "bmc.user.") }):
		return "its users have not been read"
	case kind == fleet.ActCipherSet && d.Facts.Get("bmc.lan.cipher_privileges") == "":
		return "its BMC does not tell how far its suites let in"
	case kind == fleet.ActCipherOff && d.Facts.Get("bmc.ciphers") == "":
		return "its cipher suites have not been read"
	}
	return ""
}

func whyNotPort(kind fleet.ActionKind, s Scene) string {
	d := s.device()
	_, name, _ := strings.Cut(s.Target, "/")
	if d == nil || d.Port(name) == nil {
		return "the port has not been read"
	}
	p := d.Port(name)
	switch {
	case !hasWire(d, fleet.SourceSNMP):
		return "no SNMP is configured"
	case d.Blind():
		return "its switch does not answer"
	case kind == fleet.ActPortUp && p.Admin == "up":
		return "it is administratively up"
	case (kind == fleet.ActPortDown || kind == fleet.ActPortBounce) && p.Admin == "down":
		return "it is administratively down"
	case kind == fleet.ActPortVLAN && p.VLAN == 0:
		return "its access VLAN is not known: it may be a trunk"
	}
	return ""
}

func whyNotOutlet(kind fleet.ActionKind, s Scene) string {
	d := s.device()
	o := (*fleet.Outlet)(nil)
	if _, n, _ := strings.Cut(s.Target, "/"); d != nil {
		for i := range d.Outlets {
			if strconv.Itoa(d.Outlets[i].Index) == n {
				o = &d.Outlets[i]
			}
		}
	}
	switch {
	case o == nil:
		return "the outlet has not been read"
	case !hasWire(d, fleet.SourceSNMP):
		return "no SNMP is configured"
	case d.Blind():
		return "its PDU does not answer"
	case o.State != "on" && o.State != "off":
		return "its state is not known"
	case kind == fleet.ActOutletOn && o.State == "on":
		return "it is on"
	case kind != fleet.ActOutletOn && o.State == "off":
		return "it is off"
	}
	return ""
}

func whyNotInstance(kind fleet.ActionKind, s Scene) string {
	x := (*fleet.InstanceState)(nil)
	if s.Snap != nil {
		x = s.Snap.Instances.Get(s.Target)
	}
	if x == nil {
		return "the instance has not been read"
	}
	switch h := s.Snap.Hosts.Get(x.Cloud + "/" + x.Host); {
	case kind == fleet.ActInstanceStart && x.RunState == "ACTIVE", kind == fleet.ActInstanceStop && x.RunState == "SHUTOFF",
		kind == fleet.ActInstanceReboot && x.RunState != "ACTIVE":
		return "it is " + x.RunState
	case kind == fleet.ActInstanceEvacuate && (h == nil || h.State != fleet.StateCrit):
		return "its host is not down: there is nothing to evacuate it from"
	case kind == fleet.ActInstanceMigrate && x.RunState != "ACTIVE":
		return "it is " + x.RunState + ": only what runs is moved while it runs"
	case kind == fleet.ActInstanceMigrate && h != nil && h.State == fleet.StateCrit:
		return "its host is down: v evacuates it"
	}
	return ""
}

func hasWire(d *fleet.Device, source fleet.Source) bool {
	return slices.ContainsFunc(d.Spec.Endpoints, func(e fleet.Endpoint) bool { return e.Source == source })
}
