package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

const (
	ok       = fleet.VerdictOK
	note     = fleet.VerdictNote
	escalate = fleet.VerdictEscalate
	refuse   = fleet.VerdictRefuse
	deny     = fleet.VerdictDeny
)

func as(role fleet.Role, a Ask) Ask { a.Role = role; return a }

func TestWhoMayAct(t *testing.T) {
	broken := asked(fleet.ActReset, "s01")
	broken.BreakGlass = true
	judge(t, "role", []judged{
		{"nobody", as(fleet.RoleNone, asked(fleet.ActReset, "s01")), nil, deny, "you are none"},
		{"wall", as(fleet.RoleWall, asked(fleet.ActIdentify, "s01")), nil, deny, "you are wall"},
		{"viewer", as(fleet.RoleViewer, asked(fleet.ActIdentify, "s01")), nil, deny, "you are viewer"},
		{"operator", asked(fleet.ActReset, "s01"), nil, ok, "role operator"},
		{"admin", as(fleet.RoleAdmin, asked(fleet.ActReset, "s01")), nil, ok, "role admin"},
		{"operator with a hammer", broken, nil, deny, "needs role admin to break the glass"},
	})
	judge(t, "action", []judged{{"no such action", asked("explode", "s01"), nil, deny, `"explode"`}})
}

func TestScope(t *testing.T) {
	game := asked(fleet.ActReset, "s01")
	game.Within = func(d *fleet.DeviceSpec) bool { return d.Owner == "game" }
	port := asked(fleet.ActPortDown, "swa/E1")
	port.Within = game.Within
	vm := asked(fleet.ActInstanceStop, "vm1")
	vm.Cloud = func(c *fleet.CloudSpec) bool { return c.Region == "fra" }
	judge(t, "scope", []judged{
		{"everything", asked(fleet.ActReset, "s01"), nil, "", ""},
		{"mine", game, func(h *house) { h.get("s01").Spec.Owner = "game" }, "", ""},
		{"another's", game, nil, deny, "s01 is outside of your scope"},
		{"another's switch", port, func(h *house) { h.get("s01").Spec.Owner = "game" }, deny, "swa/E1 is outside of your scope"},
		{"another's cloud", vm, nil, deny, "cloud os is outside of your scope"},
		{"my cloud", vm, func(h *house) { h.clouds[0].Spec.Region = "fra" }, "", ""},
	})
}

func TestOutside(t *testing.T) {
	s := build(func(h *house) { h.get("s01").Spec.Owner = "game" }).snap()
	game := func(d *fleet.DeviceSpec) bool { return d.Owner == "game" }
	none := func(*fleet.CloudSpec) bool { return false }
	for _, c := range []struct {
		ask  Ask
		want string
	}{
		{Ask{Action: fleet.ActReset, Targets: []string{"s01", "s02"}}, ""},
		{Ask{Action: fleet.ActReset, Targets: []string{"s01"}, Within: game, Cloud: none}, ""},
		{Ask{Action: fleet.ActReset, Targets: []string{"s01", "s02"}, Within: game}, "s02"},
		{Ask{Action: fleet.ActReset, Targets: []string{"gone"}, Within: game}, "gone"},
		{Ask{Action: "explode", Targets: []string{"s01"}, Within: game}, "s01"},
		{Ask{Action: fleet.ActInstanceStop, Targets: []string{"vm1"}, Within: game, Cloud: none}, "vm1"},
	} {
		if got := Outside(s, c.ask); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.ask.Action, c.ask.Targets, got, c.want)
		}
	}
}

func TestTargets(t *testing.T) {
	many := make([]string, 10000)
	for i := range many {
		many[i] = "s01"
	}
	judge(t, "targets", []judged{
		{"none", asked(fleet.ActReset), nil, refuse, "never everything"},
		{"an empty list", asked(fleet.ActReset, []string{}...), nil, refuse, "never everything"},
		{"too many", asked(fleet.ActReset, many...), nil, refuse, "10000 targets at once"},
		{"twice", asked(fleet.ActReset, "s01", "s01"), nil, refuse, "named twice"},
	})
	judge(t, "target", []judged{
		{"nothing", asked(fleet.ActReset, ""), nil, refuse, "not in the inventory"},
		{"a pattern", asked(fleet.ActReset, "*"), nil, refuse, "not in the inventory"},
		{"a rack", asked(fleet.ActReset, "ams1/r01"), nil, refuse, "for a whole device"},
		{"a switch", asked(fleet.ActReset, "swa"), nil, refuse, "swa is a switch"},
		{"no BMC", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").Spec.Endpoints = nil }, refuse, "no BMC configured"},
		{"no SNMP", asked(fleet.ActPortDown, "swa/E1"), func(h *house) { h.get("swa").Spec.Endpoints = nil }, refuse, "no snmp configured"},
		{"a port of nobody", asked(fleet.ActPortDown, "swx/E1"), nil, refuse, "not in the inventory"},
		{"no port", asked(fleet.ActPortDown, "swa"), nil, refuse, "names no port"},
		{"no such port", asked(fleet.ActPortDown, "swa/E9"), nil, refuse, "no port E9"},
		{"no outlet", asked(fleet.ActOutletOff, "pa/"), nil, refuse, "names no outlet"},
		{"an outlet in words", asked(fleet.ActOutletOff, "pa/one"), nil, refuse, "outlets are numbers"},
		{"no such outlet", asked(fleet.ActOutletOff, "pa/9"), nil, refuse, "no outlet 9"},
		{"no such instance", asked(fleet.ActInstanceStop, "vm9"), nil, refuse, "no instance vm9"},
		{"an instance of a cloud that went", asked(fleet.ActInstanceStop, "vm1"), func(h *house) { h.clouds = nil }, refuse, "not configured"},
		{"no such cloud", asked(fleet.ActRuleRemove, "gcp/g1").with("rule", "r1"), nil, refuse, "no cloud gcp"},
		{"no such group", asked(fleet.ActRuleRemove, "os/g9").with("rule", "r1"), nil, refuse, "no security group g9"},
		{"control characters", asked(fleet.ActReset, "s01\x1b[2J\n"), nil, refuse, "not in the inventory"},
	})
	for _, a := range []Ask{asked(fleet.ActReset, "s01\x1b]0;x\x07"), asked(fleet.ActPortDown, "swa/\x1b[2J"), asked("a\x1bb", "s01")} {
		for _, g := range For(World{Snap: build().snap(), Now: t0}, a).Guards {
			if strings.ContainsAny(g.Text, "\x1b\x07") {
				t.Errorf("a guard repeats control characters: %q", g.Text)
			}
		}
	}
}

func TestFreezeSwitch(t *testing.T) {
	frozen := func(until time.Time) func(*house) {
		return func(h *house) {
			h.freeze = &fleet.Freeze{By: "ann", Reason: "audit", At: t0.Add(-time.Hour), Until: until}
		}
	}
	judge(t, "freeze", []judged{
		{"thawed", asked(fleet.ActIdentify, "s01"), nil, "", ""},
		{"for good", asked(fleet.ActIdentify, "s01"), frozen(time.Time{}), refuse, "frozen by ann since 13:00: audit"},
		{"for a while", asked(fleet.ActIdentify, "s01"), frozen(t0.Add(time.Minute)), refuse, "frozen by ann"},
		{"it ran out", asked(fleet.ActIdentify, "s01"), frozen(t0.Add(time.Second)), "", ""},
	})
}

func TestFreezeWindows(t *testing.T) {
	window := func(w fleet.FreezeWindow) func(*house) {
		return func(h *house) { w.Name = "event"; h.bounds.Freezes = []fleet.FreezeWindow{w} }
	}
	sunday := fleet.FreezeWindow{Days: []time.Weekday{time.Sunday}, Start: 13 * time.Hour, End: 15 * time.Hour}
	saturday := fleet.FreezeWindow{Days: []time.Weekday{time.Saturday}, Start: 18 * time.Hour, End: 39 * time.Hour} // until Sunday 15:00
	of := func(w fleet.FreezeWindow, k, v string) fleet.FreezeWindow {
		w.Select = map[string]string{k: v}
		return w
	}
	act := asked(fleet.ActReset, "s01")
	judge(t, "freeze", []judged{
		{"once", act, window(fleet.FreezeWindow{From: t0, Until: t0.Add(time.Hour)}), refuse, "freeze window event"},
		{"over", act, window(fleet.FreezeWindow{From: t0.Add(-time.Hour), Until: t0.Add(10 * time.Second)}), "", ""},
		{"to come", act, window(fleet.FreezeWindow{From: t0.Add(time.Minute), Until: t0.Add(time.Hour)}), "", ""},
		{"of this day", act, window(sunday), refuse, "event"},
		{"of another day", act, window(fleet.FreezeWindow{Days: []time.Weekday{time.Monday}, Start: 0, End: 24 * time.Hour}), "", ""},
		{"of the day before, over midnight", act, window(saturday), refuse, "event"},
		{"of the day before, over by now", act, window(fleet.FreezeWindow{Days: []time.Weekday{time.Saturday}, Start: 18 * time.Hour, End: 38 * time.Hour}), "", ""},
		{"of others", act, window(of(sunday, "role", "game")), "", ""},
		{"of its like", act, func(h *house) { h.get("s01").Spec.Tags["role"] = "game"; window(of(sunday, "role", "g*"))(h) }, refuse, "event"},
		{"of one of two", asked(fleet.ActReset, "s02", "s01"), func(h *house) { h.get("s01").Spec.Tags["role"] = "game"; window(of(sunday, "role", "game"))(h) }, refuse, "event"},
		{"an instance, by everything", asked(fleet.ActInstanceStop, "vm1"), window(sunday), refuse, "event"},
		{"an instance, by its region", asked(fleet.ActInstanceStop, "vm1"), window(of(sunday, "region", "ams")), refuse, "event"},
		{"an instance, by its tag", asked(fleet.ActInstanceStop, "vm1"), func(h *house) {
			h.instances[0].Tags = map[string]string{"env": "prod"}
			window(of(sunday, "env", "prod"))(h)
		}, refuse, "event"},
		{"an instance elsewhere", asked(fleet.ActInstanceStop, "vm1"), window(of(sunday, "region", "fra")), "", ""},
	})
}

func TestFresh(t *testing.T) {
	judge(t, "fresh", []judged{
		{"seen", asked(fleet.ActReset, "s01"), nil, ok, "seen 10s ago"},
		{"never", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").SeenAt = time.Time{} }, refuse, "not seen within 2m0s"},
		{"two polls ago", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").SeenAt = t0.Add(-110 * time.Second) }, ok, ""},
		{"longer ago", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").SeenAt = t0.Add(-111 * time.Second) }, refuse, "not seen"},
		{"from the future", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").SeenAt = t0.Add(time.Hour) }, ok, "seen 0s ago"},
		{"blind", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").BlindSince = t0 }, refuse, "blind since 14:00:00"},
		{"a switch whose ports were not read", asked(fleet.ActPortDown, "swa/E1"), func(h *house) { h.get("swa").Tables[fleet.TablePorts].At = t0.Add(-time.Hour) }, refuse, "not seen"},
		{"ports that the slow lane reads", asked(fleet.ActPortDown, "swa/E1"), func(h *house) {
			h.get("swa").Tables[fleet.TablePorts] = fleet.TableState{Is: fleet.Complete, At: t0.Add(-9 * time.Minute), Lane: fleet.LaneSlow}
		}, ok, ""},
		{"a PDU whose outlets were not read", asked(fleet.ActOutletOff, "pa/1"), func(h *house) { h.get("pa").Tables[fleet.TableOutlets].At = time.Time{} }, refuse, "not seen"},
		{"a blind cloud", asked(fleet.ActInstanceStop, "vm1"), func(h *house) { h.clouds[0].BlindSince = t0 }, refuse, "os is blind"},
		{"an old list of instances", asked(fleet.ActInstanceStop, "vm1"), func(h *house) { h.clouds[0].Tables[fleet.TableInstances].At = t0.Add(-time.Hour) }, refuse, "not seen"},
		{"an old list of groups", asked(fleet.ActRuleRemove, "os/g1").with("rule", "r1"), func(h *house) { h.clouds[0].Tables[fleet.TableSecurityGroups].At = t0.Add(-time.Hour) }, refuse, "not seen"},
	})
}

// TestHypervisors: what is asked of a server's cloud is judged by that cloud's
// word, leaves nobody without a place to go, and meets whoever acts on the server.
func TestHypervisors(t *testing.T) {
	two := func(edits ...func(*house)) func(*house) {
		return func(h *house) {
			h.hypervisors("s01", "s02")
			for _, edit := range edits {
				edit(h)
			}
		}
	}
	second := func(edit func(*fleet.HostState)) func(*house) { return two(func(h *house) { edit(&h.hosts[1]) }) }
	foreign := func(name string) func(*house) {
		return two(func(h *house) {
			h.hosts = append(h.hosts, fleet.HostState{Host: fleet.Host{Name: name, State: "up", Status: "enabled"}, Cloud: "os", Device: -1})
		})
	}
	drain, move := asked(fleet.ActHostDrain, "s01"), asked(fleet.ActInstanceMigrate, "vm1")
	judge(t, "target", []judged{
		{"no hypervisor", asked(fleet.ActHostDrain, "s03"), two(), refuse, "s03 is no hypervisor of a cloud that is watched"},
		{"a switch", asked(fleet.ActHostDrain, "swa"), two(), refuse, "not a server"},
		{"a host that only its cloud knows", asked(fleet.ActHostDrain, "kvm7"), foreign("kvm7"), refuse, "kvm7 is a hypervisor of cloud os that the inventory does not know, so nobody can say who may act on it; add it to the inventory as a server with the id kvm7"},
		{"the same with its cloud", asked(fleet.ActHostUndrain, "os/kvm7"), foreign("kvm7"), refuse, "kvm7 is a hypervisor of cloud os that"},
		{"its cloud may mean another name", asked(fleet.ActHostDrain, "s03"), foreign("s03.example.net"), refuse, "but cloud os has a s03.example.net"},
		{"nobody knows it", asked(fleet.ActHostDrain, "kvm8"), foreign("kvm7"), refuse, "kvm8 is not in the inventory"},
		{"without a BMC", drain, two(func(h *house) { h.get("s01").Spec.Endpoints = nil }), "", ""},
	})
	judge(t, "fresh", []judged{
		{"a blind cloud", drain, two(func(h *house) { h.clouds[0].BlindSince = t0 }), refuse, "os is blind"},
		{"an old list of hosts", drain, two(func(h *house) { h.clouds[0].Tables[fleet.TableHosts].At = t0.Add(-time.Hour) }), refuse, "not seen"},
	})
	judge(t, "scope", []judged{
		{"not one's servers", Ask{Action: fleet.ActHostDrain, Targets: []string{"s01"}, Role: fleet.RoleOperator, Within: func(*fleet.DeviceSpec) bool { return false }}, two(), fleet.VerdictDeny, "s01 is outside"},
		{"not one's cloud", Ask{Action: fleet.ActHostDrain, Targets: []string{"s01"}, Role: fleet.RoleOperator, Cloud: func(*fleet.CloudSpec) bool { return false }}, two(), fleet.VerdictDeny, "cloud os is outside"},
	})
	judge(t, "partner", []judged{
		{"another takes it", drain, two(), ok, "1 other host of cloud os"},
		{"the other is disabled", drain, second(func(x *fleet.HostState) { x.Status = "disabled" }), refuse, "no other host of cloud os"},
		{"the other is down", drain, second(func(x *fleet.HostState) { x.Host.State = "down" }), refuse, "no other host"},
		{"the other is of another cloud", drain, second(func(x *fleet.HostState) { x.Cloud = "aws" }), refuse, "no other host"},
		{"all of them at once", asked(fleet.ActHostDrain, "s01", "s02"), two(), refuse, "no other host"},
		{"an instance may go", move, two(), ok, "1 other host"},
		{"an instance may go from a host that is drained", move, two(func(h *house) { h.hosts[0].Status = "disabled" }), ok, ""},
		{"nothing takes what its host lost", asked(fleet.ActInstanceEvacuate, "vm1"), two(func(h *house) { h.hosts[0].State, h.hosts[1].Status = fleet.StateCrit, "disabled" }), refuse, "no other host"},
		{"another takes what its host lost", asked(fleet.ActInstanceEvacuate, "vm1"), two(func(h *house) { h.hosts[0].State = fleet.StateCrit }), ok, "1 other host"},
		{"an instance has no place to go", move, second(func(x *fleet.HostState) { x.Status = "disabled" }), refuse, "no other host"},
	})
	out := func(note string) func(*house) {
		return two(func(h *house) { h.hosts[0].Status, h.hosts[0].Maintenance = "disabled", note })
	}
	judge(t, "owner", []judged{
		{"plumb's own", asked(fleet.ActHostUndrain, "s01"), out("plumb j1 ann: PSU"), "", ""},
		{"somebody else's", asked(fleet.ActHostUndrain, "s01"), out("carol: retired"), refuse, "s01 is disabled: carol: retired: it was not taken out from here"},
		{"nobody says whose", asked(fleet.ActHostUndrain, "s01"), out(""), refuse, "not taken out from here"},
		{"not with a word that only begins so", asked(fleet.ActHostUndrain, "s01"), out("plumber: pipes"), refuse, "not taken out from here"},
		{"with the glass broken", Ask{Action: fleet.ActHostUndrain, Targets: []string{"s01"}, Role: fleet.RoleAdmin, BreakGlass: true}, out("carol: retired"), fleet.VerdictNote, "glass broken"},
	})
	h := build(two())
	now := t0.Add(10 * time.Second)
	p := For(World{Snap: h.snap(), Now: now, UnderWay: []UnderWay{{Step: Step{Action: fleet.ActPowerCycle, Target: "s01"}, Who: "ann", Since: t0, Lease: "s01", Job: "j9"}}}, drain)
	if v, text := found(&p, "lease"); v != refuse || !strings.Contains(text, "ann is acting on s01") {
		t.Errorf("while somebody power-cycles it: %s %s", v, text)
	}
	p = For(World{Snap: h.snap(), Now: now}, drain)
	if p.Stops() != nil || p.Danger != 2 || p.Undo != fleet.ActHostUndrain || p.Targets[0].Wire != "os" || p.Targets[0].Before != "enabled" || p.Targets[0].After != "disabled" || LeaseOf(p.Action, p.Targets[0]) != "s01" || len(p.Lost) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestStateOfEveryAction(t *testing.T) {
	power := func(p fleet.Power) func(*house) { return func(h *house) { h.get("s01").Power = p } }
	fact := func(name, value string) func(*house) { return func(h *house) { h.get("s01").Facts.Set(name, value) } }
	admin := func(is string) func(*house) { return func(h *house) { h.get("swa").Ports[0].Admin = is } }
	outlet := func(is string) func(*house) { return func(h *house) { h.get("pa").Outlets[0].State = is } }
	hosts := func(status, note string) func(*house) {
		return func(h *house) { h.hypervisors("s01", "s02"); h.hosts[0].Status, h.hosts[0].Maintenance = status, note }
	}
	runs := func(is string) func(*house) { return func(h *house) { h.instances[0].RunState = is } }
	rows := []judged{
		{"identify", asked(fleet.ActIdentify, "s01"), power(fleet.PowerOff), "", ""},
		{"boot-once", asked(fleet.ActBootOnce, "s01").with("from", "pxe"), power(fleet.PowerOff), "", ""},
		{"bmc-reset", asked(fleet.ActBMCReset, "s01"), power(fleet.PowerUnknown), "", ""},
		{"sel-clear", asked(fleet.ActSELClear, "s01"), nil, "", ""},
		{"power-on", asked(fleet.ActPowerOn, "s01"), power(fleet.PowerOff), "", ""},
		{"power-on, on", asked(fleet.ActPowerOn, "s01"), nil, refuse, "s01 is already on"},
		{"power-on, unknown", asked(fleet.ActPowerOn, "s01"), power(fleet.PowerUnknown), refuse, "not known"},
		{"bmc-user-off", asked(fleet.ActUserOff, "s01").with("slot", "2"), fact("bmc.user.2", "root enabled admin"), "", ""},
		{"bmc-user-off, off", asked(fleet.ActUserOff, "s01").with("slot", "2"), fact("bmc.user.2", "root disabled admin"), refuse, "no enabled user in slot 2"},
		{"bmc-user-off, nobody", asked(fleet.ActUserOff, "s01").with("slot", "3"), nil, refuse, "no enabled user in slot 3"},
		{"bmc-cipher-off", asked(fleet.ActCipherOff, "s01").with("suite", "0"), fact("bmc.ciphers", "0 3 17"), "", ""},
		{"bmc-cipher-off, not offered", asked(fleet.ActCipherOff, "s01").with("suite", "1"), fact("bmc.ciphers", "0 3 17"), refuse, "does not offer suite 1"},
		{"bmc-cipher-off, several", asked(fleet.ActCipherOff, "s01").with("suite", "0 3"), fact("bmc.ciphers", "0 3 17"), "", ""},
		{"bmc-cipher-off, one of several", asked(fleet.ActCipherOff, "s01").with("suite", "0 1"), fact("bmc.ciphers", "0 3 17"), refuse, "does not offer suite 1"},
		{"bmc-cipher-set", asked(fleet.ActCipherSet, "s01").with("limits", "0=user"), fact("bmc.lan.cipher_privileges", "0=unspecified 3=administrator"), "", ""},
		{"bmc-cipher-set, not listed", asked(fleet.ActCipherSet, "s01").with("limits", "1=user"), fact("bmc.lan.cipher_privileges", "0=unspecified 3=administrator"), refuse, "does not offer suite 1"},
		{"bmc-cipher-off, unknown", asked(fleet.ActCipherOff, "s01").with("suite", "0"), nil, refuse, "does not offer suite 0"},
		{"outlet-on", asked(fleet.ActOutletOn, "pa/1"), outlet("off"), "", ""},
		{"outlet-on, on", asked(fleet.ActOutletOn, "pa/1"), nil, refuse, "already on"},
		{"outlet-on, unknown", asked(fleet.ActOutletOn, "pa/1"), outlet("unknown"), refuse, "not known"},
		{"outlet-off", asked(fleet.ActOutletOff, "pa/1"), nil, "", ""},
		{"outlet-off, off", asked(fleet.ActOutletOff, "pa/1"), outlet("off"), refuse, "already off"},
		{"outlet-cycle", asked(fleet.ActOutletCycle, "pa/1"), nil, "", ""},
		{"outlet-cycle, off", asked(fleet.ActOutletCycle, "pa/1"), outlet("off"), refuse, "is off"},
		{"outlet-cycle, unread", asked(fleet.ActOutletCycle, "pa/1"), outlet(""), refuse, "not known"},
		{"port-up", asked(fleet.ActPortUp, "swa/E1"), admin("down"), "", ""},
		{"port-up, up", asked(fleet.ActPortUp, "swa/E1"), nil, refuse, "already admin up"},
		{"port-down", asked(fleet.ActPortDown, "swa/E1"), nil, "", ""},
		{"port-down, down", asked(fleet.ActPortDown, "swa/E1"), admin("down"), refuse, "already admin down"},
		{"port-bounce", asked(fleet.ActPortBounce, "swa/E1"), nil, "", ""},
		{"port-bounce, down", asked(fleet.ActPortBounce, "swa/E1"), admin("down"), refuse, "administratively down"},
		{"port-vlan", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "30"), nil, "", ""},
		{"port-vlan, in it", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "20"), nil, refuse, "already vlan 20"},
		{"port-vlan, unknown", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "30"), func(h *house) { h.get("swa").Ports[0].VLAN = 0 }, refuse, "may be a trunk"},
		{"port-alias", asked(fleet.ActPortAlias, "swa/E1").with("alias", "db"), nil, "", ""},
		{"port-alias, the same", asked(fleet.ActPortAlias, "swa/E1").with("alias", "to s01"), nil, refuse, "already alias to s01"},
		{"instance-start", asked(fleet.ActInstanceStart, "vm1"), runs("SHUTOFF"), "", ""},
		{"instance-start, runs", asked(fleet.ActInstanceStart, "vm1"), nil, refuse, "already ACTIVE"},
		{"instance-stop", asked(fleet.ActInstanceStop, "vm1"), nil, "", ""},
		{"instance-stop, stopped", asked(fleet.ActInstanceStop, "vm1"), runs("SHUTOFF"), refuse, "already SHUTOFF"},
		{"instance-reboot", asked(fleet.ActInstanceReboot, "vm1"), nil, "", ""},
		{"instance-reboot, stopped", asked(fleet.ActInstanceReboot, "vm1"), runs("SHUTOFF"), refuse, "vm1 is SHUTOFF"},
		{"instance-evacuate", asked(fleet.ActInstanceEvacuate, "vm1"), func(h *house) { h.hosts[0].State = fleet.StateCrit }, "", ""},
		{"instance-evacuate, alive", asked(fleet.ActInstanceEvacuate, "vm1"), nil, refuse, "is not down"},
		{"instance-evacuate, unknown", asked(fleet.ActInstanceEvacuate, "vm1"), func(h *house) { h.hosts = nil }, refuse, "is not down"},
		{"instance-migrate", asked(fleet.ActInstanceMigrate, "vm1"), hosts("disabled", "x"), "", ""},
		{"instance-migrate, stopped", asked(fleet.ActInstanceMigrate, "vm1"), runs("SHUTOFF"), refuse, "only what runs is moved"},
		{"instance-migrate, host down", asked(fleet.ActInstanceMigrate, "vm1"), func(h *house) { h.hosts[0].State = fleet.StateCrit }, refuse, "can be evacuated"},
		{"host-drain", asked(fleet.ActHostDrain, "s01"), hosts("enabled", ""), "", ""},
		{"host-drain, with its BMC blind", asked(fleet.ActHostDrain, "s01"), func(h *house) { hosts("enabled", "")(h); h.get("s01").BlindSince = t0 }, "", ""},
		{"host-drain, drained", asked(fleet.ActHostDrain, "s01"), hosts("disabled", "retired"), refuse, "s01 is disabled: retired already"},
		{"host-drain, unknown", asked(fleet.ActHostDrain, "s01"), hosts("", ""), refuse, "does not say"},
		{"host-undrain", asked(fleet.ActHostUndrain, "s01"), hosts("disabled", "plumb j1"), "", ""},
		{"host-undrain, in use", asked(fleet.ActHostUndrain, "s01"), hosts("enabled", ""), refuse, "already enabled"},
		{"rule-remove", asked(fleet.ActRuleRemove, "os/g1").with("rule", "r1"), nil, "", ""},
		{"rule-remove, gone", asked(fleet.ActRuleRemove, "os/g1").with("rule", "r2"), nil, refuse, "has no rule r2"},
	}
	for _, k := range []fleet.ActionKind{fleet.ActSoftOff, fleet.ActPowerOff, fleet.ActPowerCycle, fleet.ActReset} {
		off := "s01 is off"
		if k == fleet.ActSoftOff || k == fleet.ActPowerOff {
			off = "already off"
		}
		rows = append(rows, judged{string(k), asked(k, "s01"), nil, "", ""},
			judged{string(k) + ", off", asked(k, "s01"), power(fleet.PowerOff), refuse, off},
			judged{string(k) + ", unknown", asked(k, "s01"), power(fleet.PowerUnknown), refuse, "not known"})
	}
	judge(t, "state", rows)
	for i := range fleet.Actions {
		if !slices.ContainsFunc(rows, func(c judged) bool { return c.ask.Action == fleet.Actions[i].Kind }) {
			t.Errorf("no row for %s", fleet.Actions[i].Kind)
		}
	}
}

func TestArguments(t *testing.T) {
	judge(t, "arguments", []judged{
		{"missing", asked(fleet.ActPortVLAN, "swa/E1"), nil, refuse, "needs vlan"},
		{"of another action", asked(fleet.ActReset, "s01").with("vlan", "3"), nil, refuse, "takes no argument"},
		{"too high", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "4095"), nil, refuse, "1 to 4094"},
		{"no number", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "0x14"), nil, refuse, "1 to 4094"},
		{"a number in another spelling", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "+20"), nil, refuse, "1 to 4094"},
		{"control characters", asked(fleet.ActPortAlias, "swa/E1").with("alias", "a\x1b[2J"), nil, refuse, "control characters"},
		{"as long as an alias may be", asked(fleet.ActPortAlias, "swa/E1").with("alias", strings.Repeat("x", 64)), nil, "", ""},
		{"longer than an alias may be", asked(fleet.ActPortAlias, "swa/E1").with("alias", strings.Repeat("x", 65)), nil, refuse, "at most 64 printable"},
		{"letters that no alias has", asked(fleet.ActPortAlias, "swa/E1").with("alias", "Zürich"), nil, refuse, "at most 64 printable"},
		{"no such word", asked(fleet.ActBootOnce, "s01").with("from", "tape"), nil, refuse, "one of pxe"},
		{"fine", asked(fleet.ActBootOnce, "s01").with("from", "none"), nil, "", ""},
	})
}

func TestIdentity(t *testing.T) {
	meant := func(serial string) func(*house) { return func(h *house) { h.get("s01").Spec.Serial = serial } }
	judge(t, "identity", []judged{
		{"nobody says", asked(fleet.ActReset, "s01"), nil, "", ""},
		{"as intended", asked(fleet.ActReset, "s01"), meant("7xk2p01"), "", ""},
		{"another machine", asked(fleet.ActReset, "s01"), meant("OTHER"), refuse, "that is another machine"},
		{"it tells none", asked(fleet.ActReset, "s01"), func(h *house) { h.get("s01").Facts = nil }, note, "tells no serial"},
		{"a switch that was swapped", asked(fleet.ActPortDown, "swa/E1"), func(h *house) { h.get("swa").Facts.Set(fleet.FactSerial, "X"); h.get("swa").Spec.Serial = "Y" }, refuse, "another machine"},
		{"an instance has none", asked(fleet.ActInstanceStop, "vm1"), nil, "", ""},
	})
}

func TestLease(t *testing.T) {
	held := func(kind fleet.ActionKind, target, lease string) []UnderWay {
		return []UnderWay{{Step: Step{Action: kind, Target: target}, Who: "ann", Since: t0, Lease: lease, Job: "j9"}}
	}
	for _, c := range []struct {
		name string
		ask  Ask
		held []UnderWay
		own  string
		want fleet.Verdict
	}{
		{"free", asked(fleet.ActReset, "s01"), nil, "", ""},
		{"the same server", asked(fleet.ActReset, "s01"), held(fleet.ActIdentify, "s01", "s01"), "", refuse},
		{"another server", asked(fleet.ActReset, "s02"), held(fleet.ActReset, "s01", "s01"), "", ""},
		{"another port of the switch", asked(fleet.ActPortAlias, "swa/E2").with("alias", "x"), held(fleet.ActPortDown, "swa/E1", "swa"), "", refuse},
		{"the same job", asked(fleet.ActPortAlias, "swa/E2").with("alias", "x"), held(fleet.ActPortAlias, "swa/E1", "swa"), "j9", ""},
		{"the same instance", asked(fleet.ActInstanceReboot, "vm1"), held(fleet.ActInstanceStop, "vm1", "vm1"), "", refuse},
		{"another instance of the cloud", asked(fleet.ActInstanceReboot, "vm2"), held(fleet.ActInstanceStop, "vm1", "vm1"), "", ""},
	} {
		p := For(World{Snap: build().snap(), Now: t0, UnderWay: c.held, Own: c.own}, c.ask)
		if got, text := found(&p, "lease"); got != c.want {
			t.Errorf("%s: %q %s, want %q", c.name, got, text, c.want)
		}
	}
}

func TestCooldownAndQuarantine(t *testing.T) {
	tried := func(kind fleet.ActionKind, ago ...time.Duration) func(*house) {
		return func(h *house) {
			for _, d := range ago {
				h.did(kind, fleet.JobVerified, d-10*time.Second, "s01") // the plan is made 10 s later
			}
		}
	}
	reset, off := asked(fleet.ActReset, "s01"), asked(fleet.ActPowerOff, "s01")
	judge(t, "cooldown", []judged{
		{"first", reset, nil, "", ""},
		{"again", reset, tried(fleet.ActReset, 59*time.Second), refuse, "59s ago; wait 1s"},
		{"after a minute", reset, tried(fleet.ActReset, time.Minute), "", ""},
		{"another target", asked(fleet.ActReset, "s02"), tried(fleet.ActReset, time.Second), "", ""},
		{"another action", reset, tried(fleet.ActPowerCycle, time.Second), "", ""},
		{"harmless", asked(fleet.ActIdentify, "s01"), tried(fleet.ActIdentify, time.Second), "", ""},
		{"doubles", off, tried(fleet.ActPowerOff, time.Hour, 119*time.Second), refuse, "wait 1s"},
		{"doubles again", off, tried(fleet.ActPowerOff, 2*time.Hour, time.Hour, 239*time.Second), refuse, "wait 1s"},
		{"doubled and over", off, tried(fleet.ActPowerOff, 2*time.Hour, time.Hour, 240*time.Second), "", ""},
		{"a day ago", reset, tried(fleet.ActReset, 25*time.Hour), "", ""},
		{"its own measure", reset, func(h *house) { h.bounds.CoolDown = time.Hour; tried(fleet.ActReset, 59*time.Minute)(h) }, refuse, "wait 1m0s"},
		{"what was refused was no try", reset, func(h *house) { h.did(fleet.ActReset, fleet.JobRefused, 0, "s01") }, "", ""},
		{"what was proposed was no try", reset, func(h *house) {
			h.jobs = []fleet.Job{{ID: "p", Action: fleet.ActReset, Targets: []string{"s01"}, State: fleet.JobExpired, Began: t0, Steps: []fleet.JobStep{{Name: "propose", At: t0}}}}
		}, "", ""},
		{"it counts from the turn, not from the proposal", reset, func(h *house) {
			h.did(fleet.ActReset, fleet.JobVerified, 0, "s01")
			h.jobs[0].Began = t0.Add(-14 * time.Minute)
		}, refuse, "10s ago; wait 50s"},
	})
	judge(t, "quarantine", []judged{
		{"one try", reset, tried(fleet.ActReset, time.Hour), "", ""},
		{"two tries", reset, tried(fleet.ActReset, 2*time.Hour, time.Hour), refuse, "tried 2 times within a day"},
		{"one of them long ago", reset, tried(fleet.ActReset, 25*time.Hour, time.Hour), "", ""},
		{"work is not hope", off, tried(fleet.ActPowerOff, 2*time.Hour, time.Hour), "", ""},
		{"three are allowed", reset, func(h *house) { h.bounds.Tries = 3; tried(fleet.ActReset, 2*time.Hour, time.Hour)(h) }, "", ""},
		{"failed tries count", reset, func(h *house) {
			h.did(fleet.ActReset, fleet.JobFailed, time.Hour, "s01")
			h.did(fleet.ActReset, fleet.JobUnknown, 2*time.Hour, "s01")
		}, refuse, "2 times"},
	})
}

func TestUnhealthy(t *testing.T) {
	sick := func(state fleet.State, ids ...string) func(*house) {
		return func(h *house) {
			for _, id := range ids {
				h.get(id).State = state
			}
		}
	}
	act := asked(fleet.ActReset, "s01") // of ten devices: four may be sick
	judge(t, "unhealthy", []judged{
		{"none", act, nil, "", ""},
		{"40 %", act, sick(fleet.StateCrit, "s02", "s03", "s04", "s05"), "", ""},
		{"more", act, sick(fleet.StateCrit, "s02", "s03", "s04", "s05", "s06"), refuse, "5 of 10 devices of ams1/r01"},
		{"unknown is not healthy", act, sick(fleet.StateUnknown, "s02", "s03", "s04", "s05", "s06"), refuse, "critical or unknown"},
		{"warned is", act, sick(fleet.StateWarn, "s02", "s03", "s04", "s05", "s06"), "", ""},
		{"off is", act, sick(fleet.StateOff, "s02", "s03", "s04", "s05", "s06"), "", ""},
		{"to mend the sick one", act, sick(fleet.StateCrit, "s01", "s02", "s03", "s04", "s05"), "", ""},
		{"maintenance does not count", act, func(h *house) {
			sick(fleet.StateCrit, "s02", "s03", "s04", "s05", "s06")(h)
			h.get("s02").Maintenance = true
		}, refuse, "4 of 9"}, // 40 % of 9 is 3
		{"40 % of six is two", act, func(h *house) { h.devices = h.devices[4:]; sick(fleet.StateCrit, "s02", "s03")(h) }, "", ""},
		{"three of six are too many", act, func(h *house) { h.devices = h.devices[4:]; sick(fleet.StateCrit, "s02", "s03", "s04")(h) }, refuse, "3 of 6"},
		{"small groups say little", act, func(h *house) { h.devices = h.devices[4:8]; sick(fleet.StateCrit, "s02", "s03", "s04")(h) }, "", ""},
		{"its own measure", act, func(h *house) { h.bounds.Unhealthy = 10; sick(fleet.StateCrit, "s02", "s03")(h) }, refuse, "more than 10 %"},
		{"what takes nothing is not asked", asked(fleet.ActIdentify, "s01"), sick(fleet.StateCrit, "s02", "s03", "s04", "s05", "s06"), "", ""},
	})
}
