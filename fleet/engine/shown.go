package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// witnessed is an action on one target, and when its turn came.
type witnessed struct {
	kind   fleet.ActionKind
	target string
	began  time.Time
	j      *fleet.Job
	doubt  string // who speaks against what the device says of itself
}

func (w *witnessed) args() map[string]string {
	if w.j.Planned == nil {
		return nil
	}
	return w.j.Planned.Args
}

// within is how long it may take to show.
func (w *witnessed) within() time.Duration {
	if spec := w.kind.Spec(); spec != nil && spec.Within > 0 {
		return spec.Within
	}
	return verifyWithin
}

// restarts reports whether an action is to end in the power state it began in,
// so that the state alone shows nothing.
func (w *witnessed) restarts() bool {
	return w.kind == fleet.ActPowerCycle || w.kind == fleet.ActReset
}

// looked is when that which shows the outcome was last observed.
func (s *step) looked(w *witnessed) time.Time {
	if c := s.cloudOf(w); c != nil {
		switch w.kind.Spec().On {
		case fleet.OnGroup:
			return c.Tables[fleet.TableSecurityGroups].At
		case fleet.OnHost:
			return c.Tables[fleet.TableHosts].At
		}
		return c.Tables[fleet.TableInstances].At
	}
	target, _, _ := splitPort(w.target)
	i := s.next.Devices.Number(target)
	if i < 0 {
		return time.Time{}
	}
	d := s.devices.Peek(i)
	switch spec := w.kind.Spec(); {
	case spec != nil && spec.On == fleet.OnPort:
		return d.Tables[fleet.TablePorts].At
	case spec != nil && spec.On == fleet.OnOutlet:
		return d.Tables[fleet.TableOutlets].At
	case w.kind == fleet.ActUserOff || w.kind == fleet.ActCipherOff || w.kind == fleet.ActCipherSet:
		return d.DeepAt
	}
	return d.Tables[fleet.TableFacts].At
}

// cloudOf is the cloud whose lists show the outcome; nil: a device does.
func (s *step) cloudOf(w *witnessed) *fleet.Cloud {
	switch spec := w.kind.Spec(); {
	case spec == nil:
	case spec.On == fleet.OnInstance:
		if x := s.next.Instances.Get(w.target); x != nil {
			return s.cloud(x.Cloud)
		}
	case spec.On == fleet.OnGroup:
		name, _, _ := strings.Cut(w.target, "/")
		return s.cloud(name)
	case spec.On == fleet.OnHost:
		if h := s.hypervisor(w.target); h != nil {
			return s.cloud(h.Cloud)
		}
	}
	return nil
}

// hypervisor is a device as its cloud knows it; nil: it is none.
func (s *step) hypervisor(device string) *fleet.HostState {
	if n, is := s.next.HostOf[s.next.Devices.Number(device)]; is {
		return s.next.Hosts.At(n)
	}
	return nil
}

// shownOnHost says whether the cloud calls a host what it was to become, and
// what is left on it.
func (s *step) shownOnHost(w *witnessed, c *fleet.Cloud) (bool, string) {
	h := s.hypervisor(w.target)
	if h == nil || !c.Tables[fleet.TableHosts].At.After(w.began) {
		return false, ""
	}
	text := "observed: " + h.Status
	if h.Maintenance != "" {
		text += ", " + strconv.Quote(h.Maintenance)
	}
	if w.kind == fleet.ActHostUndrain {
		return h.Status == "enabled", text
	}
	return h.Status == "disabled", text + ", instances on it: " + strconv.Itoa(h.RunningVMs)
}

// shown says whether the newest observation shows what the action was to bring.
// Only what was observed after its turn came counts.
func (s *step) shown(w *witnessed) (bool, string) {
	if c := s.cloudOf(w); c != nil {
		return s.shownInCloud(w, c)
	}
	target, part, _ := splitPort(w.target)
	i := s.next.Devices.Number(target)
	if i < 0 {
		return false, ""
	}
	d := s.devices.Peek(i)
	switch spec := w.kind.Spec(); {
	case spec == nil:
		return false, ""
	case spec.On == fleet.OnPort:
		return s.shownOnPort(w, d, part)
	case spec.On == fleet.OnOutlet:
		return shownOnOutlet(w, d, part)
	}
	switch w.kind {
	case fleet.ActIdentify:
		return d.SeenAt.After(w.began), "the BMC took it; the LED is for eyes"
	case fleet.ActBootOnce:
		return d.SeenAt.After(w.began), "the BMC took it and read it back; the next start shows it"
	case fleet.ActBMCReset:
		return d.SeenAt.After(w.began), "the BMC answers again"
	case fleet.ActSELClear:
		return d.Tables[fleet.TableFacts].At.After(w.began), "the BMC took it and read it back: its log is empty"
	case fleet.ActUserOff:
		value := d.Facts.Get("bmc.user." + w.args()["slot"])
		return d.DeepAt.After(w.began) && !strings.Contains(value, " enabled "), "observed: the user is disabled"
	case fleet.ActCipherOff:
		suites := strings.Fields(d.Facts.Get("bmc.ciphers"))
		open := slices.ContainsFunc(strings.Fields(w.args()["suite"]), func(id string) bool { return slices.Contains(suites, id) })
		return d.DeepAt.After(w.began) && !open, "observed: not offered any more: " + w.args()["suite"]
	case fleet.ActCipherSet:
		limits := strings.Fields(d.Facts.Get("bmc.lan.cipher_privileges"))
		differs := slices.ContainsFunc(strings.Fields(w.args()["limits"]), func(x string) bool { return !slices.Contains(limits, x) })
		return d.DeepAt.After(w.began) && !differs, "observed: " + strings.Join(limits, " ")
	}
	return s.powerShown(w, d)
}

// powerShown believes a BMC about power only where nobody speaks against it:
// the watts at its outlets, the light on its cables.
func (s *step) powerShown(w *witnessed, d *fleet.Device) (bool, string) {
	if !d.Tables[fleet.TableFacts].At.After(w.began) {
		return false, "" // seen since, but not asked for its power
	}
	if w.restarts() {
		return s.restartShown(d, w)
	}
	want := fleet.PowerOn
	if w.kind == fleet.ActPowerOff || w.kind == fleet.ActSoftOff {
		want = fleet.PowerOff
	}
	if d.Power != want {
		return false, ""
	}
	text := "observed: power " + want.String()
	watts, names, ok := s.delivered(d)
	switch {
	case ok && want == fleet.PowerOff && watts > lieHighW:
		w.doubt = "the BMC says off, but " + names + " deliver " + strconv.FormatFloat(watts, 'f', 0, 64) + " W"
		return false, ""
	case ok && want == fleet.PowerOn && watts < lieLowW:
		w.doubt = "the BMC says on, but " + names + " deliver " + strconv.FormatFloat(watts, 'f', 0, 64) + " W"
		return false, ""
	case ok:
		text += ", and " + strconv.FormatFloat(watts, 'f', 0, 64) + " W at " + names
	}
	return true, text
}

func (s *step) shownOnPort(w *witnessed, d *fleet.Device, name string) (bool, string) {
	p := d.Port(name)
	if p == nil || !d.Tables[fleet.TablePorts].At.After(w.began) {
		return false, ""
	}
	switch w.kind {
	case fleet.ActPortUp, fleet.ActPortBounce:
		return p.Admin == "up", "observed: admin up, oper " + p.Oper
	case fleet.ActPortDown:
		return p.Admin == "down", "observed: admin down"
	case fleet.ActPortVLAN:
		return strconv.Itoa(p.VLAN) == w.args()["vlan"], "observed: VLAN " + strconv.Itoa(p.VLAN)
	case fleet.ActPortAlias:
		return p.Alias == w.args()["alias"], "observed: alias " + strconv.Quote(p.Alias)
	}
	return false, ""
}

func shownOnOutlet(w *witnessed, d *fleet.Device, name string) (bool, string) {
	if !d.Tables[fleet.TableOutlets].At.After(w.began) {
		return false, ""
	}
	for i := range d.Outlets {
		if o := &d.Outlets[i]; strconv.Itoa(o.Index) == name {
			want := "on"
			if w.kind == fleet.ActOutletOff {
				want = "off"
			}
			return o.State == want, "observed: outlet " + o.State
		}
	}
	return false, ""
}

func (s *step) shownInCloud(w *witnessed, c *fleet.Cloud) (bool, string) {
	if w.kind == fleet.ActRuleRemove {
		t := &c.Tables[fleet.TableSecurityGroups]
		if t.Is != fleet.Complete || !t.At.After(w.began) {
			return false, ""
		}
		_, group, _ := strings.Cut(w.target, "/")
		for i := range c.Groups {
			if g := &c.Groups[i]; g.ID == group {
				gone := !slices.ContainsFunc(g.Rules, func(r fleet.SecurityRule) bool { return r.ID == w.args()["rule"] })
				return gone, "observed: the rule is gone"
			}
		}
		return true, "observed: the group is gone, with all of its rules"
	}
	if w.kind.Spec().On == fleet.OnHost {
		return s.shownOnHost(w, c)
	}
	x := s.next.Instances.Get(w.target)
	if x == nil || !c.Tables[fleet.TableInstances].At.After(w.began) {
		return false, ""
	}
	switch w.kind {
	case fleet.ActInstanceStop:
		return x.RunState == "SHUTOFF", "observed: " + x.RunState
	case fleet.ActInstanceEvacuate, fleet.ActInstanceMigrate:
		was := ""
		for _, t := range w.j.Planned.Targets {
			if t.ID == w.target {
				was = t.Place
			}
		}
		return x.Host != "" && x.Host != was && x.RunState == "ACTIVE", "observed: " + x.RunState + " on " + x.Host
	}
	return x.RunState == "ACTIVE", "observed: " + x.RunState
}

// restartShown looks for a witness of a cycle or a reset after the job began:
// the machine was seen off, its log says that it started, or the light on one
// of its switch ports came and went.
func (s *step) restartShown(d *fleet.Device, w *witnessed) (bool, string) {
	if d.Power != fleet.PowerOn {
		return false, ""
	}
	if d.PowerSince.After(w.began) {
		return true, "observed: it was off and is on again"
	}
	for i := range s.out.Events {
		if e := &s.out.Events[i]; e.Target == d.Spec.ID && e.Source == "sel" && e.At.After(w.began.Add(-time.Second)) && started(e) {
			return true, "its log says: " + e.Text
		}
	}
	for _, c := range d.Spec.Links {
		sw, port, _ := splitPort(c.To)
		if n := s.next.Devices.Number(sw); n >= 0 && flippedSince(s.devices.Peek(n), port, w.began) {
			return true, "observed: the light on " + c.To + " came and went"
		}
	}
	return false, ""
}

// started reports whether a SEL record tells of a power-down, a power cycle or
// a start of the system (IPMI 2.0 table 42-3: types 09h, 1Dh, 22h).
func started(e *fleet.Event) bool {
	for _, t := range []string{"Power Unit", "System Boot", "System ACPI Power State"} {
		if strings.HasPrefix(e.Type, t) {
			return true
		}
	}
	return false
}

// splitPort splits "device/port".
func splitPort(id string) (device, port string, ok bool) {
	for i := range len(id) {
		if id[i] == '/' {
			return id[:i], id[i+1:], true
		}
	}
	return id, "", false
}
