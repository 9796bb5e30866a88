package keys

import (
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

func actCommands() []Command {
	menu := bind("act", "a", "act", "what can be done to what the caret stands on", rank(22), why(whyNoMenu))
	return []Command{
		menu,
		action(fleet.ActIdentify, "i", "identify", "light the identify LED for 15 s"),
		action(fleet.ActPowerOn, "o", "power on", "switch the server on"),
		action(fleet.ActSoftOff, "s", "soft off", "ask the operating system to shut down (ACPI)"),
		action(fleet.ActPowerOff, "f", "power off", "cut the power at once"),
		action(fleet.ActPowerCycle, "c", "power cycle", "off and on again"),
		action(fleet.ActReset, "r", "reset", "hard reset without losing power"),
		action(fleet.ActPortUp, "u", "port up", "set the port's ifAdminStatus to up"),
		action(fleet.ActPortDown, "d", "port down", "set the port's ifAdminStatus to down"),
		bind("confirm.type", "", "type it", "type what shows that you looked at what stands there", in("confirm"), params("text")),
		bind("confirm.reason", "e", "reason", "type the reason for the audit log", in("confirm"), params("reason"), rank(21)),
	}
}

// whyNoMenu says why there is nothing to act on here.
func whyNoMenu(s Scene) string {
	if s.View == "actions" || s.View == "confirm" {
		return "this is where it led"
	}
	return needsTarget(s)
}

// action makes the command of one kind of action. Its letter works only in
// the action menu, so that no single key on a list ever begins a write.
func action(kind fleet.ActionKind, letter, title, help string) Command {
	return bind(ActPrefix+string(kind), letter, title, help, func(c *Command) {
		c.KeysIn = []string{"actions"}
		c.Danger = kind.Danger()
		c.Needs = fleet.RoleOperator
		c.Writes = true
		c.why = func(s Scene) string { return whyNot(kind, s) }
	})
}

// whyNot says why an action means nothing for the target; the executor judges
// again, on what is true then.
func whyNot(kind fleet.ActionKind, s Scene) string {
	if s.Target == "" {
		return "nothing is selected"
	}
	d := s.device()
	switch {
	case d == nil:
		return "not a device or a port"
	case kind == fleet.ActPortUp || kind == fleet.ActPortDown:
		return whyNotPort(kind, s, d)
	case s.Kind == "port":
		return "a port has no power of its own"
	case d.Spec.Kind != fleet.KindServer:
		return "only servers, by their BMC"
	case !hasBMC(d.Spec):
		return "no BMC is configured"
	case d.Blind() && len(s.Marks) == 0:
		return "its BMC does not answer"
	case kind == fleet.ActPowerOn && d.Power == fleet.PowerOn && len(s.Marks) == 0:
		return "it is on"
	case kind != fleet.ActPowerOn && kind != fleet.ActIdentify && d.Power == fleet.PowerOff && len(s.Marks) == 0:
		return "it is off"
	}
	return ""
}

func whyNotPort(kind fleet.ActionKind, s Scene, d *fleet.Device) string {
	_, name, _ := strings.Cut(s.Target, "/")
	if s.Kind != "port" {
		return "select a port"
	}
	p := d.Port(name)
	switch {
	case p == nil:
		return "the port has not been read"
	case kind == fleet.ActPortUp && p.Admin == "up":
		return "it is administratively up"
	case kind == fleet.ActPortDown && p.Admin == "down":
		return "it is administratively down"
	}
	return ""
}

func hasBMC(d *fleet.DeviceSpec) bool {
	for _, e := range d.Endpoints {
		if e.Source == fleet.SourceIPMI || e.Source == fleet.SourceRedfish {
			return true
		}
	}
	return false
}
