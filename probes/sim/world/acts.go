package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What somebody does to the fleet by way of its devices, beside power. A fault
// that is there does not undo it, and what began later than the act is not
// undone by it: the later of the two holds.

const (
	rebootSeconds   = 5 // an outlet's reboot
	bmcStartSeconds = 8 // a BMC's restart
)

// OutletReboot is how long a reboot lets an outlet be off.
const OutletReboot = rebootSeconds * time.Second

// misnamed is what the fault port-alias describes a port as.
const misnamed = "spare"

// BadUserSlot is where the account of the fault default-user is.
const BadUserSlot = 9

// Shut is what was closed at a BMC: users and cipher suites by their number.
type Shut struct{ Users, Suites uint64 }

// User reports whether the user in a slot was disabled.
func (s Shut) User(slot int) bool { return s.Users&(1<<slot) != 0 }

// Suite reports whether a cipher suite was closed.
func (s Shut) Suite(id int) bool { return s.Suites&(1<<id) != 0 }

// maxBit is the highest number of a user or a cipher suite.
const maxBit = 63

// RebootOutlet lets an outlet (1..24) of a PDU be off for a while.
func (w *World) RebootOutlet(pdu, outlet int, now time.Time) error {
	return w.change(now, func(t float64) error {
		if outlet < 1 || outlet > outletsPerPDU {
			return ErrNoSuch
		}
		key := fmt.Sprintf("%s/%d", w.PDUs[pdu].Name, outlet)
		delete(w.state.Outlets, key) // it ends on, wherever it began
		w.state.Reboots[key] = w.time(t + rebootSeconds)
		return nil
	})
}

// SetVLAN puts an access port of a switch (0 is the first) into a VLAN.
func (w *World) SetVLAN(sw, port, vlan int, now time.Time) error {
	return w.change(now, func(t float64) error {
		if port < 0 || port >= len(w.Switches[sw].Ports) || !slices.Contains(w.VLANs(sw), vlan) {
			return ErrNoSuch
		}
		w.state.VLANs[w.portName(End{Ref{KindSwitch, sw}, port})] = vlanChange{vlan, w.time(t)}
		return nil
	})
}

// SetAlias describes a port of a switch (0 is the first).
func (w *World) SetAlias(sw, port int, alias string, now time.Time) error {
	return w.change(now, func(t float64) error {
		if port < 0 || port >= len(w.Switches[sw].Ports) {
			return ErrNoSuch
		}
		w.state.Aliases[w.portName(End{Ref{KindSwitch, sw}, port})] = aliasChange{alias, w.time(t)}
		return nil
	})
}

// VLANs are those a switch is configured for: what its links were built into,
// and in a rack the quarantine.
func (w *World) VLANs(sw int) (ids []int) {
	if !w.Switches[sw].Spine {
		ids = append(ids, quarantine)
	}
	for _, p := range w.Switches[sw].Ports {
		if p.Link >= 0 {
			ids = append(ids, p.VLAN)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// makePorts says which ports are in another VLAN, or described otherwise, than
// as built.
func (w *World) makePorts(r *run, fx *effects) {
	vlan := func(sw, port, id int) {
		if r.switches[sw].vlan == nil {
			r.switches[sw].vlan = map[int]int{}
		}
		r.switches[sw].vlan[port] = id
	}
	for at := range fx.vlan {
		vlan(at[0], at[1], quarantine)
	}
	for key, c := range w.state.VLANs {
		sw, port := w.portNamed(key)
		if since, ok := fx.vlan[[2]int{sw, port}]; port >= 0 && (!ok || w.seconds(c.At) >= since) {
			vlan(sw, port, c.VLAN)
		}
	}
	alias := func(sw, port int, text string) {
		if r.switches[sw].alias == nil {
			r.switches[sw].alias = map[int]string{}
		}
		r.switches[sw].alias[port] = text
	}
	for at := range fx.alias {
		alias(at[0], at[1], misnamed)
	}
	for key, c := range w.state.Aliases {
		sw, port := w.portNamed(key)
		if since, ok := fx.alias[[2]int{sw, port}]; port >= 0 && (!ok || w.seconds(c.At) >= since) {
			alias(sw, port, c.Alias)
		}
	}
}

// portNamed reads "switch/ifName"; port is -1 where there is none.
func (w *World) portNamed(key string) (sw, port int) {
	name, ifName, _ := strings.Cut(key, "/")
	ref, ok := w.Find(name)
	if !ok || ref.Kind != KindSwitch {
		return 0, -1
	}
	return ref.N, slices.IndexFunc(w.Switches[ref.N].Ports, func(p SwitchPort) bool { return p.Name == ifName })
}

// SetUser disables the user in a slot of a server's BMC, or enables it again.
func (w *World) SetUser(server, slot int, enabled bool, now time.Time) error {
	return w.shutAt(w.state.UsersOff, server, slot, !enabled, now)
}

// SetSuite closes a cipher suite of a server's BMC, or opens it again.
func (w *World) SetSuite(server, id int, open bool, now time.Time) error {
	return w.shutAt(w.state.SuitesOff, server, id, !open, now)
}

func (w *World) shutAt(what map[string]map[int]time.Time, server, n int, shut bool, now time.Time) error {
	return w.change(now, func(t float64) error {
		name := w.Servers[server].Name
		switch {
		case n < 0 || n > maxBit:
			return ErrNoSuch
		case !shut:
			delete(what[name], n)
			return nil
		case what[name] == nil:
			what[name] = map[int]time.Time{}
		}
		what[name][n] = w.time(t)
		return nil
	})
}

// makeDoors says who gets in at a BMC, and whether its log is full.
func (w *World) makeDoors(s *serverRun, name string, i int, fx *effects) {
	user, badUser := fx.user[i]
	suite, cipher0 := fx.cipher0[i]
	s.badUser, s.cipher0 = badUser, cipher0
	for slot, at := range w.state.UsersOff[name] {
		if slot != BadUserSlot || w.seconds(at) >= user {
			s.shut.Users |= 1 << slot
		}
	}
	for id, at := range w.state.SuitesOff[name] {
		if id != 0 || w.seconds(at) >= suite {
			s.shut.Suites |= 1 << id
		}
	}
	full, ok := fx.selFull[i]
	erased := w.state.Erased[name]
	s.selFull = ok && (erased.IsZero() || w.seconds(erased) < full)
}

// RestartBMC restarts the BMC of a server; the host runs on.
func (w *World) RestartBMC(server int, now time.Time) error {
	return w.change(now, func(t float64) error {
		w.state.BMCStarts[w.Servers[server].Name] = w.time(t + bmcStartSeconds)
		return nil
	})
}

// starts reports whether a BMC is starting.
func (w *World) starts(r *run, name string) bool {
	until, ok := w.state.BMCStarts[name]
	if !ok {
		return false
	}
	t := w.seconds(until)
	if t <= r.at {
		delete(w.state.BMCStarts, name)
		return false
	}
	r.wakeAt(t)
	return true
}

// Validity of boot flags, in their first octet.
const (
	bootValid    = 0x80
	bootEachTime = 0x40
)

// SetBoot says what a server boots from.
func (w *World) SetBoot(server int, flags BootFlags, now time.Time) error {
	return w.change(now, func(float64) error {
		w.state.BootFlags[w.Servers[server].Name] = flags
		return nil
	})
}

// Boot returns what a server boots from next.
func (w *World) Boot(server int, now time.Time) BootFlags {
	w.run(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.BootFlags[w.Servers[server].Name]
}

// started uses up what was said for one start. mu is held.
func (w *World) started(name string) {
	if f, ok := w.state.BootFlags[name]; ok && f[0]&(bootValid|bootEachTime) == bootValid {
		delete(w.state.BootFlags, name)
	}
}

// ErrNoHost says that there is no host to take an instance.
var ErrNoHost = fmt.Errorf("%w: no host can take it", ErrNoSuch)

// Evacuate builds an instance again on another host of its region, or moves it
// there while it runs, which here is the same: the one with the fewest instances
// among those that are up and enabled, best without one of its group.
func (w *World) Evacuate(id string, now time.Time) error {
	return w.change(now, func(t float64) error {
		n := slices.IndexFunc(w.Instances, func(in Instance) bool { return in.ID == id })
		if n < 0 {
			return ErrNoSuch
		}
		h := w.refuge(n)
		if h < 0 {
			return ErrNoHost
		}
		c := w.state.Instances[id]
		c.Host, c.Moved = w.Servers[w.Hyps[h]].Name, w.time(t)
		if c.Status == "ERROR" { // built again, it runs
			c.Status = ""
		}
		w.state.Instances[id] = c
		return nil
	})
}

// SetService says whether a region's cloud may use a hypervisor, and why not.
func (w *World) SetService(host string, disabled bool, reason string, now time.Time) error {
	return w.change(now, func(t float64) error {
		if w.hypervisor(host) < 0 {
			return ErrNoSuch
		}
		w.state.Services[host] = serviceChange{disabled, reason, w.time(t)}
		return nil
	})
}

// refuge picks the host for Evacuate, or -1.
func (w *World) refuge(n int) int {
	r := w.current.Load()
	load := make([]int, len(w.Hyps))
	const shared = 1 << 20 // more than there are instances
	for i := range w.Instances {
		if load[r.instances[i].host]++; w.Instances[i].Group == w.Instances[n].Group {
			load[r.instances[i].host] += shared
		}
	}
	best := -1
	for h, server := range w.Hyps {
		p := &r.hyps[h]
		if !p.up || p.status != "enabled" || h == r.instances[n].host || w.Sites[w.Servers[server].Site].Region != w.Instances[n].Region {
			continue
		}
		if best < 0 || load[h] < load[best] {
			best = h
		}
	}
	return best
}

// hypervisor is the number of a hypervisor by its server's name, or -1.
func (w *World) hypervisor(name string) int {
	if ref, ok := w.Find(name); ok && ref.Kind == KindServer {
		return w.Servers[ref.N].Hypervisor
	}
	return -1
}

// RemoveRule takes a rule out of its security group.
func (w *World) RemoveRule(id string, now time.Time) error {
	return w.change(now, func(t float64) error {
		w.state.RulesOff[id] = w.time(t)
		return nil
	})
}
