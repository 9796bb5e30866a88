package sim

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"plumb/probes/sim/world"
)

// Accounts of the demo: everybody reads as one and acts as the other.
const readUser, actUser = "plumb", "plumb-act"

// ConfigYAML returns the configuration of the fleet as a user would write it:
// everything but the ssh part. Secrets stand in files of mode 0600 below Dir.
func (f *Fleet) ConfigYAML() ([]byte, error) {
	y := &inventory{f: f}
	y.line(0, "poll: {interval: 10s, timeout: 5s, tables: 60s, slow: 300s}")
	y.credentials()
	y.line(0, "regions:")
	for r := range f.World.Regions {
		y.line(1, "- name: %s", f.World.Regions[r].Name)
		y.line(2, "sites:")
		for s := range f.World.Sites {
			if f.World.Sites[s].Region == r {
				y.site(s)
			}
		}
	}
	y.clouds()
	y.services()
	y.policies()
	return y.buf.Bytes(), y.err
}

// inventory writes block style for what holds others and flow style for leaves.
type inventory struct {
	f   *Fleet
	buf bytes.Buffer
	err error
}

func (y *inventory) line(depth int, format string, args ...any) {
	y.buf.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&y.buf, format, args...)
	y.buf.WriteByte('\n')
}

// flow collects the pairs of a flow mapping; a pair without a value is left out.
type flow []string

func (m *flow) add(key, value string) {
	if value != "" {
		*m = append(*m, key+": "+value)
	}
}

// text adds a string, quoted so that no reader takes it for something else.
func (m *flow) text(key, value string) {
	if value != "" {
		m.add(key, strconv.Quote(value))
	}
}

func (m flow) String() string { return "{" + strings.Join(m, ", ") + "}" }

func (y *inventory) secret(name string) string {
	path, err := y.f.secrets.path(name)
	if err != nil && y.err == nil {
		y.err = fmt.Errorf("sim: write a secret: %w", err)
	}
	return strconv.Quote(path)
}

func (y *inventory) credentials() {
	y.line(0, "credentials:")
	y.line(1, "bmc: {username: %s, password_file: %s}", readUser, y.secret("bmc"))
	y.line(1, "bmc-act: {username: %s, password_file: %s}", actUser, y.secret("bmc-act"))
	y.line(1, "cloud: {username: %s, password_file: %s, project: %s}", readUser, y.secret("cloud"), cloudProject)
	w := y.f.World
	for i := range w.Switches {
		sw := &w.Switches[i]
		if !sw.Spine {
			y.community(sw.Name)
			continue
		}
		suite := suites[y.f.spine(i)%len(suites)]
		y.line(1, "%s: {version: 3, username: %s, auth: %s, auth_password_file: %s, priv: %s, priv_password_file: %s}", credential(sw.Name), readUser, suite[0], y.secret(sw.Name+"-auth"), suite[1], y.secret(sw.Name+"-priv"))
	}
	for i := range w.PDUs {
		y.community(w.PDUs[i].Name)
	}
	for i := range w.UPSes {
		y.community(w.UPSes[i].Name)
	}
}

func credential(device string) string { return "snmp-" + device }

func (y *inventory) community(device string) {
	y.line(1, "%s: {version: 2c, community_file: %s}", credential(device), y.secret(device))
}

func (y *inventory) site(n int) {
	w := y.f.World
	s := &w.Sites[n]
	y.line(3, "- name: %s", s.Name)
	y.line(4, "feeds:")
	y.line(5, "- {name: %s-utility, breaker_a: 400, volts: 400, phases: 3}", s.Name)
	for _, i := range s.Feeds {
		fd := &w.Feeds[i]
		y.line(5, "- {name: %s, parent: %s, breaker_a: %g, volts: %d, phases: %d}", fd.Name, fd.Parent, fd.BreakerA, fd.Volts, fd.Phases)
	}
	y.line(4, "devices:")
	for _, i := range s.UPS {
		u := &w.UPSes[i]
		m := y.placed(&u.Placed, "ups")
		m.add("feed", s.Name+"-utility")
		m.add("snmp", y.snmp(len(w.Switches)+len(w.PDUs)+i, u.Name))
		y.line(5, "- %s", m)
	}
	y.line(4, "racks:")
	for _, i := range s.Racks {
		y.rack(s, i)
	}
}

func (y *inventory) rack(s *world.Site, n int) {
	w := y.f.World
	r := &w.Racks[n]
	y.line(5, "- name: %s", r.Name)
	y.line(6, "row: %s", r.Row)
	y.line(6, "units: 42")
	y.line(6, "max_weight_kg: 1000")
	y.line(6, "feeds: [%s, %s]", w.Feeds[s.Feeds[0]].Name, w.Feeds[s.Feeds[1]].Name)
	y.line(6, "devices:")
	for i := range w.Switches {
		if w.Switches[i].Rack == n {
			y.line(7, "- %s", y.switchMap(i))
		}
	}
	for _, i := range r.PDUs {
		p := &w.PDUs[i]
		m := y.placed(&p.Placed, "pdu")
		m.add("snmp", y.snmp(len(w.Switches)+i, p.Name))
		m.add("feed", w.Feeds[p.Feed].Name)
		m.add("rating_a", fmt.Sprintf("%g", p.RatingA))
		y.line(7, "- %s", m)
	}
	for _, i := range r.Servers {
		y.line(7, "- %s", y.server(i))
	}
}

func (y *inventory) placed(p *world.Placed, kind string) flow {
	var m flow
	m.add("name", p.Name)
	m.add("kind", kind)
	if p.Unit > 0 {
		m.add("unit", fmt.Sprintf("%g", p.Unit))
		m.add("height", fmt.Sprintf("%g", p.Height))
		m.add("face", "front")
		m.add("depth", "full")
	}
	m.text("model", p.Model)
	m.text("serial", p.Serial)
	return m
}

func (y *inventory) snmp(i int, device string) string {
	return fmt.Sprintf("{address: %q, credential: %s}", y.f.snmpAddr[i], credential(device))
}

func (y *inventory) switchMap(n int) flow {
	w := y.f.World
	sw := &w.Switches[n]
	m := y.placed(&sw.Placed, "switch")
	m.add("owner", "team-network")
	m.add("env", "prod")
	m.add("snmp", y.snmp(n, sw.Name))
	m.add("power", y.cords(sw.Cords))
	var links []string
	role := "spine"
	if !sw.Spine {
		role = "tor"
		for up := 48; up < 50; up++ { // to the spines; the far side is theirs
			far := w.Links[sw.Ports[up].Link].Ends[1]
			links = append(links, y.cable(sw.Ports[up].Name, sw.Ports[up].MAC, far))
		}
	}
	if len(links) > 0 {
		m.add("links", "["+strings.Join(links, ", ")+"]")
	}
	m.add("tags", "{role: "+role+"}")
	return m
}

func (y *inventory) cable(nic string, mac world.MAC, to world.End) string {
	sw := &y.f.World.Switches[to.N]
	return fmt.Sprintf("{nic: %s, mac: %q, to: %s/%s}", nic, mac, sw.Name, sw.Ports[to.Port].Name)
}

func (y *inventory) cords(cords [2]world.Cord) string {
	var c []string
	for psu, cord := range cords {
		if cord.PDU >= 0 {
			c = append(c, fmt.Sprintf("{psu: %d, outlet: %s/%d}", psu+1, y.f.World.PDUs[cord.PDU].Name, cord.Outlet))
		}
	}
	return "[" + strings.Join(c, ", ") + "]"
}

func (y *inventory) server(n int) flow {
	w := y.f.World
	sv := &w.Servers[n]
	m := y.placed(&sv.Placed, "server")
	m.text("owner", sv.Owner)
	m.text("tenant", sv.Tenant)
	m.text("env", sv.Env)
	m.add("bmc", fmt.Sprintf("{address: %q, credential: bmc, act: bmc-act}", y.f.bmcAddr[n]))
	m.add("power", y.cords(sv.Planned))
	var links []string
	for nic, k := range sv.NIC {
		links = append(links, y.cable(fmt.Sprintf("eth%d", nic), sv.MAC[nic], w.Links[k].Ends[1]))
	}
	links = append(links, y.cable("bmc", sv.BMCMAC, w.Links[sv.BMCLink].Ends[1]))
	m.add("links", "["+strings.Join(links, ", ")+"]")
	m.add("expect", fmt.Sprintf("{firmware: {min: %q}}", sv.Hardware.Firmware))
	tags := map[string]string{"role": sv.Role}
	if sv.Service != "" {
		tags["service"] = sv.Service
	}
	m.add("tags", tagFlow(tags))
	if !sv.Warranty.IsZero() {
		m.add("warranty_until", sv.Warranty.Format("2006-01-02"))
	}
	return m
}

func tagFlow(tags map[string]string) string {
	var m flow
	for k, v := range tags {
		m.add(k, v)
	}
	sort.Strings(m)
	return m.String()
}

func (y *inventory) clouds() {
	y.line(0, "clouds:")
	for _, r := range y.f.World.Regions {
		y.line(1, "- {name: stack-%s, provider: openstack, region: %s, endpoint: %q, credential: cloud}", r.Name, r.Name, y.f.cloudURL)
	}
}

func (y *inventory) services() {
	y.line(0, "services:")
	for n := range y.f.World.Services {
		s := &y.f.World.Services[n]
		m := flow{"name: " + s.Name, "owner: " + s.Owner, "select: {tag: {service: " + s.Name + "}}", fmt.Sprintf("floor: %d", s.Floor)}
		m.add("health", y.f.health(n, s))
		y.line(1, "- %s", m)
	}
}

// policies are what is intended of all switches: that an alias names what hangs
// on its port.
func (y *inventory) policies() {
	y.line(0, "policies:")
	y.line(1, "ports:")
	y.line(2, "- {port: \"Ethernet*\", select: {kind: switch}, alias: \"{device} {port}\"}")
}
