package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kinds are all faults, in the order in which they are listed.
var kinds = []kind{
	{"feed-loss", "a feed", "the breaker of feed {} opened",
		"every PDU on {} goes silent, its servers run on the other cord with a lost redundancy, single-corded ones go dark; one cause: {}",
		pickFeed, func(w *World, f *Fault, _ float64, fx *effects) { fx.feed[f.ref.N] = true }},
	{"pdu-loss", "a PDU", "PDU {} lost its input",
		"{} goes silent, servers of its rack run on one supply, single-corded ones on it go dark; one cause: {}",
		pickPDU, func(w *World, f *Fault, _ float64, fx *effects) { fx.pdu[f.ref.N] = true }},
	{"psu-loss", "a server", "one power supply of {} failed",
		"{} reports a failed power supply and 0 W on it, the other carries the load, the outlet reads 0 A",
		pickServer, func(w *World, f *Fault, _ float64, fx *effects) { fx.psu[[2]int{f.ref.N, w.firstPSU(f.ref.N)}] = true }},
	{"fan-slow", "a server", "a fan bearing of {} wears out",
		"one fan of {} reads under its limit, the others speed up, its CPUs get warmer",
		pickServer, func(w *World, f *Fault, _ float64, fx *effects) {
			fx.fan[f.ref.N] = w.roll(f.Target, "fan").n(Fans)
		}},
	{"temp-rise", "a rack (site/rack)", "the air in front of rack {} gets warm",
		"every server of {} shows a rising inlet temperature, fans follow; one cause: the room, not the servers",
		pickRack, func(w *World, f *Fault, _ float64, fx *effects) { fx.heat[f.ref.N] = 28 }},
	{"switch-loss", "a switch", "switch {} died",
		"{} goes silent, its links are down at both ends, BMCs behind a ToR-A cannot be seen; hosts go on with one link",
		pickToR, func(w *World, f *Fault, _ float64, fx *effects) { fx.sw[f.ref.N] = true }},
	{"switch-flap", "a port (switch/ifName)", "the optic of {} is loose",
		"{} goes down and up every 8 s; it is one flapping port, not many alerts",
		pickUplink, func(w *World, f *Fault, since float64, fx *effects) { fx.flap[w.linkAt(f)] = since }},
	{"port-errors", "a port (switch/ifName)", "the cable of {} is damaged",
		"input errors rise on {} while it stays up",
		pickAccess, func(w *World, f *Fault, _ float64, fx *effects) { fx.errs[w.linkAt(f)] = 45 }},
	{"cable-swap", "a server", "eth0 of {} and of the server above it were exchanged",
		"addresses and LLDP of {} and its neighbour in the rack appear on each other's port: cabling drift on two ports",
		pickPair, func(w *World, f *Fault, _ float64, fx *effects) {
			fx.swap = append(fx.swap, [2]int{w.Servers[f.ref.N].NIC[0], w.Servers[f.ref.N+1].NIC[0]})
		}},
	{"vlan-drift", "a port (switch/ifName)", "somebody moved {} to VLAN 999",
		"the access VLAN of {} is not what its neighbours have: configuration drift",
		pickAccess, func(w *World, f *Fault, since float64, fx *effects) {
			fx.vlan[[2]int{f.ref.N, f.port}] = since
		}},
	{"port-alias", "a port (switch/ifName)", "somebody described {} as spare",
		"the alias of {} no longer names what is intended to hang there: configuration drift of low severity, which port-alias puts back",
		pickAccess, func(w *World, f *Fault, since float64, fx *effects) {
			fx.alias[[2]int{f.ref.N, f.port}] = since
		}},
	{"firmware-drift", "a server or a switch", "{} was flashed with an old image",
		"the firmware of {} is older than intended and than its peers have",
		pickServer, func(w *World, f *Fault, _ float64, fx *effects) { fx.firmware[f.ref] = true }},
	{"default-user", "a server", "the vendor's account was enabled again on the BMC of {}",
		"the user list of {} has an enabled administrator that nobody intends",
		pickServer, func(w *World, f *Fault, since float64, fx *effects) { fx.user[f.ref.N] = since }},
	{"cipher-zero", "a server", "somebody opened cipher suite 0 on the BMC of {}",
		"the BMC of {} offers cipher suite 0, which asks for no password",
		pickServer, func(w *World, f *Fault, since float64, fx *effects) { fx.cipher0[f.ref.N] = since }},
	{"bmc-silent", "a server", "the BMC of {} hangs",
		"{} is blind: last values with their age, neither healthy nor broken; its links stay up",
		pickServer, func(w *World, f *Fault, since float64, fx *effects) { fx.silent[f.ref.N] = since }},
	{"bmc-lies", "a server", "{} is off, and its BMC says that it runs",
		"the BMC of {} says on with a steady load, but its outlets read standby and its links are down",
		pickServer, func(w *World, f *Fault, _ float64, fx *effects) { fx.lies[f.ref.N] = true }},
	{"host-dead", "a hypervisor", "the kernel of {} hangs after memory errors",
		"the cloud says the compute service of {} is down, its instances stay ACTIVE; they must not be shown healthy; traffic stops, the SEL has memory errors",
		pickHypervisor, func(w *World, f *Fault, since float64, fx *effects) { fx.dead[f.ref.N] = since }},
	{"instance-spread", "a service", "the scheduler put replicas of {} on one host",
		"several replicas of {} share one host although their group asks for anti-affinity",
		pickService, applySpread},
	{"retirement", "a hypervisor", "the provider will retire {}",
		"the host {} is disabled with a reason; its instances have to move",
		pickHypervisor, func(w *World, f *Fault, since float64, fx *effects) { fx.retire[w.Servers[f.ref.N].Hypervisor] = since }},
	{"site-path-lost", "a site", "the way to site {} is cut",
		"everything in {} goes silent at once: one path lost, not hundreds of devices down",
		pickSite, func(w *World, f *Fault, _ float64, fx *effects) { fx.path[f.ref.N] = true }},
	{"counter-reset", "a switch", "a line card of {} started anew",
		"all counters of {} start from zero with a new discontinuity time: a gap in the rates, no spike",
		pickToR, func(w *World, f *Fault, since float64, fx *effects) { fx.reset[f.ref.N] = since }},
	{"ifindex-shuffle", "a switch", "{} restarted and numbered its interfaces anew",
		"every ifIndex of {} names another port and its uptime fell: ports keep their identity by name, rates show a gap",
		pickToR, func(w *World, f *Fault, _ float64, fx *effects) { fx.shuffle[f.ref.N] = true }},
	{"sel-full", "a server", "the event log of {} ran full",
		"the SEL of {} is full and takes no new events",
		pickServer, func(w *World, f *Fault, since float64, fx *effects) { fx.selFull[f.ref.N] = since }},
	{"ecc-errors", "a server", "a memory module of {} wears out",
		"the SEL of {} has corrected memory errors of one module, faster and faster, until it logs no more of them: a performance finding that names the module",
		pickServer, func(w *World, f *Fault, since float64, fx *effects) { fx.ecc[f.ref.N] = since }},
	{"instance-resize", "a service", "somebody resized an instance of {} by hand",
		"one instance of {} is of another type than before: configuration drift, with who did it, as the cloud tells",
		pickService, applyResize},
	{"open-group", "a region", "somebody opened SSH in the security group mgmt of {} to the world",
		"group mgmt of {} lets 22/tcp in from 0.0.0.0/0: a management port is open to anyone, and to the game servers there is a way, since they have public addresses; configuration drift of one group, not of many instances",
		pickRegion, func(w *World, f *Fault, since float64, fx *effects) { fx.open[f.ref.N] = since }},
	{"service-sick", "a service", "a deadlock in the software of {}",
		"the workload of {} says 500, or takes no connection, while all that carries it is well; the service is crit, and the cause is {} itself",
		pickAsked, func(w *World, f *Fault, _ float64, fx *effects) { fx.sick[f.ref.N] = true }},
}

func (w *World) firstPSU(server int) int {
	if w.Servers[server].Cords[0].PDU < 0 {
		return 1
	}
	return 0
}

func (w *World) linkAt(f *Fault) int { return w.Switches[f.ref.N].Ports[f.port].Link }

// choose rolls a number below n that depends on the fault's name and try.
func (w *World) choose(f *Fault, n int) int {
	return w.roll(f.Name, strconv.Itoa(f.port), "target").n(n)
}

func (w *World) named(f *Fault, kind Kind, what string) error {
	ref, ok := w.Find(f.Target)
	if !ok || ref.Kind != kind {
		return fmt.Errorf("%w: %q is not %s", ErrNoSuch, f.Target, what)
	}
	f.ref, f.rack = ref, w.placed(ref).Rack
	return nil
}

func (w *World) take(f *Fault, ref Ref) error {
	f.ref, f.Target, f.rack = ref, w.Name(ref), w.placed(ref).Rack
	return nil
}

func pickFeed(w *World, f *Fault) error {
	for i := range w.Feeds {
		if f.Target == w.Feeds[i].Name {
			f.ref = Ref{N: i}
			return nil
		}
	}
	if f.Target != "" {
		return fmt.Errorf("%w: %q is not a feed", ErrNoSuch, f.Target)
	}
	f.ref = Ref{N: w.choose(f, len(w.Feeds))}
	f.Target = w.Feeds[f.ref.N].Name
	return nil
}

func pickSite(w *World, f *Fault) error {
	for i := range w.Sites {
		if f.Target == w.Sites[i].Name {
			f.ref = Ref{N: i}
			return nil
		}
	}
	if f.Target != "" {
		return fmt.Errorf("%w: %q is not a site", ErrNoSuch, f.Target)
	}
	f.ref = Ref{N: w.choose(f, len(w.Sites))}
	f.Target = w.Sites[f.ref.N].Name
	return nil
}

func pickRegion(w *World, f *Fault) error {
	for i := range w.Regions {
		if f.Target == w.Regions[i].Name {
			f.ref = Ref{N: i}
			return nil
		}
	}
	if f.Target != "" {
		return fmt.Errorf("%w: %q is not a region", ErrNoSuch, f.Target)
	}
	f.ref = Ref{N: w.choose(f, len(w.Regions))}
	f.Target = w.Regions[f.ref.N].Name
	return nil
}

func pickRack(w *World, f *Fault) error {
	if f.Target == "" {
		f.Target = w.Racks[w.Servers[w.choose(f, len(w.Servers))].Rack].ID
	}
	for i := range w.Racks {
		if f.Target == w.Racks[i].ID {
			f.ref, f.rack = Ref{N: i}, i
			return nil
		}
	}
	return fmt.Errorf("%w: %q is not a rack such as %s", ErrNoSuch, f.Target, w.Racks[0].ID)
}

func pickService(w *World, f *Fault) error {
	for i := range w.Services {
		if f.Target == w.Services[i].Name {
			f.ref = Ref{N: i}
			return nil
		}
	}
	if f.Target != "" {
		return fmt.Errorf("%w: %q is not a service", ErrNoSuch, f.Target)
	}
	f.ref = Ref{N: w.choose(f, len(w.Services))}
	f.Target = w.Services[f.ref.N].Name
	return nil
}

func pickPDU(w *World, f *Fault) error {
	if f.Target != "" {
		return w.named(f, KindPDU, "a PDU")
	}
	rack := &w.Racks[w.Servers[w.choose(f, len(w.Servers))].Rack]
	return w.take(f, Ref{KindPDU, rack.PDUs[w.choose(f, 2)]})
}

func pickServer(w *World, f *Fault) error {
	if f.Target != "" {
		if ref, ok := w.Find(f.Target); ok && ref.Kind == KindSwitch && f.Name == "firmware-drift" {
			return w.take(f, ref)
		}
		return w.named(f, KindServer, "a server")
	}
	for i := w.choose(f, len(w.Servers)); ; i = (i + 1) % len(w.Servers) {
		if w.Servers[i].Cords[1].PDU >= 0 { // one that survives the loss of a supply
			return w.take(f, Ref{KindServer, i})
		}
	}
}

func pickHypervisor(w *World, f *Fault) error {
	if f.Target == "" {
		if len(w.Hyps) == 0 {
			return ErrNoSuch
		}
		return w.take(f, Ref{KindServer, w.Hyps[w.choose(f, len(w.Hyps))]})
	}
	if err := w.named(f, KindServer, "a hypervisor"); err != nil {
		return err
	}
	if w.Servers[f.ref.N].Hypervisor < 0 {
		return fmt.Errorf("%w: %q is a server, not a hypervisor such as %s", ErrNoSuch, f.Target, w.Servers[w.Hyps[0]].Name)
	}
	return nil
}

func pickPair(w *World, f *Fault) error {
	if f.Target == "" {
		i := w.choose(f, len(w.Servers))
		if w.Servers[i].Slot == serversPerRack {
			i--
		}
		return w.take(f, Ref{KindServer, i})
	}
	if err := w.named(f, KindServer, "a server"); err != nil {
		return err
	}
	if w.Servers[f.ref.N].Slot == serversPerRack {
		return fmt.Errorf("%w: %q has no server above it", ErrNoSuch, f.Target)
	}
	return nil
}

func pickToR(w *World, f *Fault) error {
	if f.Target != "" {
		return w.named(f, KindSwitch, "a switch")
	}
	rack := &w.Racks[w.Servers[w.choose(f, len(w.Servers))].Rack]
	return w.take(f, Ref{KindSwitch, rack.ToR[1]}) // B, so that BMCs stay in sight
}

func pickUplink(w *World, f *Fault) error {
	if f.Target != "" {
		return w.namedPort(f)
	}
	rack := &w.Racks[w.Servers[w.choose(f, len(w.Servers))].Rack]
	return w.takePort(f, rack.ToR[w.choose(f, 2)], torAccessPorts)
}

func pickAccess(w *World, f *Fault) error {
	if f.Target != "" {
		return w.namedPort(f)
	}
	sv := &w.Servers[w.choose(f, len(w.Servers))]
	return w.takePort(f, w.Racks[sv.Rack].ToR[w.choose(f, 2)], sv.Slot-1)
}

func (w *World) takePort(f *Fault, sw, port int) error {
	f.ref, f.port, f.rack = Ref{KindSwitch, sw}, port, w.Switches[sw].Rack
	f.Target = w.portName(End{f.ref, port})
	return nil
}

func (w *World) namedPort(f *Fault) error {
	name, port, _ := strings.Cut(f.Target, "/")
	ref, ok := w.Find(name)
	if !ok || ref.Kind != KindSwitch {
		return fmt.Errorf("%w: %q is not a port such as %s/Ethernet1", ErrNoSuch, f.Target, w.Switches[0].Name)
	}
	for i, p := range w.Switches[ref.N].Ports {
		if p.Name == port && p.Link >= 0 {
			return w.takePort(f, ref.N, i)
		}
	}
	return fmt.Errorf("%w: nothing is plugged into %q", ErrNoSuch, f.Target)
}

// applyResize gives the first instance of a service the next flavor.
func applyResize(w *World, f *Fault, since float64, fx *effects) {
	for i := range w.Instances {
		if in := &w.Instances[i]; in.Service == f.ref.N {
			k := slices.IndexFunc(Flavors, func(x Flavor) bool { return x.ID == in.Flavor.ID })
			fx.resized[i] = resize{Flavors[(k+1)%len(Flavors)], since}
			return
		}
	}
}

// applySpread moves up to four replicas of a service in one region onto the
// host of the first.
func applySpread(w *World, f *Fault, since float64, fx *effects) {
	host, region, moved := -1, -1, 0
	for i := range w.Instances {
		in := &w.Instances[i]
		if in.Service != f.ref.N || region >= 0 && in.Region != region {
			continue
		}
		if host < 0 {
			host, region = in.Host, in.Region
			continue
		}
		if in.Host != host && moved < 4 {
			fx.spread[i] = seat{host, since}
			moved++
		}
	}
}
