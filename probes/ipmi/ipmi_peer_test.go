package ipmi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// peerDir is where the scripts of the real peers are kept, beside the
// repository.
const peerDir = "../../../shared/peers/ipmi"

// sim is a running ipmi_sim: a BMC in C, by other people.
type sim struct {
	t             testing.TB
	dir           string
	port, console int
}

// startSim starts one, or skips and says why.
func startSim(t testing.TB, port int, args ...string) *sim {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") != "1" {
		t.Skip("real peers run with PLUMB_PEERS=1 (make peers)")
	}
	if _, err := os.Stat(peerDir); err != nil {
		t.Skipf("the peers' scripts are not here: %v", err)
	}
	for _, tool := range []string{"ipmi_sim", "sdrcomp", "ipmitool", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("install openipmi and ipmitool: %v", err)
		}
	}
	s := &sim{t: t, dir: t.TempDir(), port: port, console: port + 1}
	s.run("bash", append([]string{filepath.Join(peerDir, "start-ipmi-sim.sh"), s.dir, strconv.Itoa(port), strconv.Itoa(s.console)}, args...)...)
	t.Cleanup(func() { s.run("bash", filepath.Join(peerDir, "stop-ipmi-sim.sh"), s.dir) })
	s.tool("sel", "time", "set", "now")
	return s
}

func (s *sim) run(name string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// tool runs ipmitool against it.
func (s *sim) tool(args ...string) string {
	s.t.Helper()
	return s.run("ipmitool", append([]string{"-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "ADMIN", "-P", "ADMIN"}, args...)...)
}

func (s *sim) ctl(args ...string) {
	s.t.Helper()
	s.run("python3", append([]string{filepath.Join(peerDir, "simctl.py"), s.dir, strconv.Itoa(s.console)}, args...)...)
}

func (s *sim) probe(user, password string) *BMC {
	s.t.Helper()
	b, err := New(Config{Target: "s01", Address: fmt.Sprintf("127.0.0.1:%d", s.port), Username: user,
		Password: func(context.Context) (string, error) { return password, nil }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { b.Close() })
	return b
}

// toolRow is one line of ipmitool's sensor table.
type toolRow struct {
	value, unit, status string
	limits              [6]string // lnr lcr lnc unc ucr unr
}

// table is ipmitool's, in the order of the records. Names are left to
// names: ipmitool prints 6-bit ones undecoded.
func (s *sim) table() []toolRow {
	var rows []toolRow
	for line := range strings.Lines(s.tool("sensor")) {
		c := strings.Split(line, "|")
		if len(c) != 10 {
			continue
		}
		for i := range c {
			c[i] = strings.TrimSpace(c[i])
		}
		rows = append(rows, toolRow{c[1], c[2], c[3], [6]string(c[4:10])})
	}
	return rows
}

// names are what the sim was configured with.
func (s *sim) names() []string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "sensors.tsv"))
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, "\t")
		list = append(list, name)
	}
	return list
}

var toolUnits = map[string]string{"degrees C": "C", "Volts": "V", "RPM": "rpm", "Watts": "W", "discrete": ""}

// sameNumber reports whether ipmitool's text is our number, at its three decimals.
func sameNumber(text string, n fleet.Num) bool {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return !n.Known // na
	}
	return n.Known && abs(f-n.Float()) < 0.00051
}

func abs(f float64) float64 { return max(f, -f) }

// compare checks every sensor against ipmitool: value, unit, thresholds, state.
func (s *sim) compare(o *fleet.Observation) {
	s.t.Helper()
	rows := s.table()
	names := s.names()
	if len(rows) != len(o.Sensors) || len(names) != len(o.Sensors) {
		s.t.Fatalf("%d sensors, ipmitool has %d, the sim %d", len(o.Sensors), len(rows), len(names))
	}
	states := map[string]fleet.State{"ok": fleet.StateOK, "nc": fleet.StateWarn, "cr": fleet.StateCrit, "nr": fleet.StateCrit}
	for i, x := range o.Sensors {
		row := rows[i]
		if x.Name != names[i] {
			s.t.Errorf("sensor %d is %q, configured as %q", i, x.Name, names[i])
		}
		if u, ok := toolUnits[row.unit]; !ok || u != x.Unit {
			s.t.Errorf("%q: unit %q, ipmitool %q", x.Name, x.Unit, row.unit)
		}
		if x.Class == fleet.ClassState {
			if bits, err := strconv.ParseInt(strings.TrimPrefix(row.value, "0x"), 16, 64); err != nil || x.Value != fleet.Int(bits) {
				s.t.Errorf("%q: states %v, ipmitool %q", x.Name, x.Value, row.value)
			}
			continue
		}
		if !sameNumber(row.value, x.Value) {
			s.t.Errorf("%q: %v, ipmitool %s", x.Name, x.Value, row.value)
		}
		if want := states[row.status]; want != x.State {
			s.t.Errorf("%q: %v, ipmitool %s", x.Name, x.State, row.status)
		}
		l := [4]string{first(na(row.limits[1]), na(row.limits[0])), row.limits[2], row.limits[3], first(na(row.limits[4]), na(row.limits[5]))}
		for i, n := range []fleet.Num{x.Limits.LowCrit, x.Limits.LowWarn, x.Limits.HighWarn, x.Limits.HighCrit} {
			if !sameNumber(l[i], n) {
				s.t.Errorf("%q: limit %d is %v, ipmitool %q", x.Name, i, n, l[i])
			}
		}
	}
}

func na(s string) string {
	if s == "na" {
		return ""
	}
	return s
}

func TestPeerSensors(t *testing.T) {
	for name, args := range map[string][]string{"24": {"24"}, "100": {"100"}, "sixbit": {"24", "--sixbit"}} {
		t.Run(name, func(t *testing.T) {
			s := startSim(t, 31010, args...)
			b := s.probe("ADMIN", "ADMIN")
			s.compare(well(t, look(t, b, fleet.LaneSlow)))
			sent := b.sent.Load()
			o := well(t, look(t, b, fleet.LaneFast))
			s.compare(o)
			if n := b.sent.Load() - sent; n > int64(2*(len(o.Sensors)+4)) {
				t.Errorf("a fast poll of %d sensors took %d datagrams", len(o.Sensors), n)
			}
		})
	}
}

// The states a reading goes through, and limits that are set from outside.
func TestPeerThresholds(t *testing.T) {
	s := startSim(t, 31012)
	b := s.probe("mon", "monpw")
	well(t, look(t, b, fleet.LaneSlow))
	for _, v := range []string{"52", "91", "96", "105", "60"} {
		s.ctl("set", "CPU1 Temp", v)
		s.compare(well(t, look(t, b, fleet.LaneFast)))
	}
	s.ctl("set", "Fan1", "600")
	s.ctl("bit", "PSU1 Status", "3", "1")
	s.compare(well(t, look(t, b, fleet.LaneFast)))
	o := look(t, b, fleet.LaneFast)
	for _, x := range o.Sensors {
		if x.Name == "PSU1 Status" && (x.State != fleet.StateCrit || !strings.Contains(x.Text, "input lost")) {
			t.Errorf("a PSU without input: %v %q", x.State, x.Text)
		}
	}
	s.tool("sensor", "thresh", "CPU2 Temp", "unc", "77")
	s.compare(well(t, look(t, b, fleet.LaneSlow)))
}

func TestPeerLog(t *testing.T) {
	s := startSim(t, 31014)
	b := s.probe("ADMIN", "ADMIN")
	old := well(t, look(t, b, fleet.LaneTables))
	s.ctl("set", "CPU1 Temp", "97", "--event")
	o := well(t, look(t, b, fleet.LaneTables))
	if len(o.Events) == 0 {
		t.Fatal("the new event was not seen")
	}
	for _, e := range o.Events {
		if e.Sensor != "CPU1 Temp" || !strings.Contains(e.Text, "going high") || !e.Asserted || time.Since(e.At).Abs() > time.Hour {
			t.Errorf("event: %+v", e)
		}
	}
	lines := strings.Count(s.tool("sel", "elist"), "\n")
	if n := len(old.Events) + len(o.Events); n != lines {
		t.Errorf("%d events, ipmitool lists %d", n, lines)
	}
	s.tool("sel", "clear")
	o = well(t, look(t, b, fleet.LaneTables))
	if o.Tables[fleet.TableEvents] != fleet.Complete {
		t.Errorf("after the clear: %v", o.Tables[fleet.TableEvents])
	}
}

func TestPeerIdentity(t *testing.T) {
	s := startSim(t, 31016)
	o := well(t, look(t, s.probe("ADMIN", "ADMIN"), fleet.LaneSlow))
	if len(o.Entities) != 1 || o.Entities[0].Serial != fmt.Sprintf("PS%05d", s.port) || o.Entities[0].Class != "powerSupply" || o.Entities[0].Model != "PWS-920" {
		t.Errorf("entities: %+v", o.Entities)
	}
	fru := s.tool("fru", "print", "0")
	for fact, label := range map[string]string{
		"serial": "Product Serial", "product.part": "Product Part Number", "model": "Product Name", "vendor": "Product Manufacturer",
		"asset": "Product Asset Tag", "board.serial": "Board Serial", "chassis.serial": "Chassis Serial",
	} {
		m := regexp.MustCompile(`(?m)^ *` + label + ` *: (.*)$`).FindStringSubmatch(fru)
		if m == nil || strings.TrimSpace(m[1]) != o.Facts.Get(fact) {
			t.Errorf("%s is %q; ipmitool: %q", fact, o.Facts.Get(fact), m)
		}
	}
	if m := regexp.MustCompile(`System GUID *: ([0-9a-fA-F-]+)`).FindStringSubmatch(s.tool("mc", "guid")); m == nil || bareGUID(m[1]) != bareGUID(o.Facts.Get(fleet.FactGUID)) {
		t.Errorf("guid is %q; ipmitool: %q", o.Facts.Get(fleet.FactGUID), m)
	}
	if m := regexp.MustCompile(`MAC Address *: ([0-9a-f:]+)`).FindStringSubmatch(s.tool("lan", "print", "1")); m == nil || m[1] != o.Facts.Get("bmc.mac") {
		t.Errorf("bmc.mac is %q; ipmitool: %q", o.Facts.Get("bmc.mac"), m)
	}
	if m := regexp.MustCompile(`Firmware Revision *: (\S+)`).FindStringSubmatch(s.tool("mc", "info")); m == nil || m[1] != o.Facts.Get(fleet.FactFirmware) {
		t.Errorf("firmware is %q; ipmitool: %q", o.Facts.Get(fleet.FactFirmware), m)
	}
}

func TestPeerPassword(t *testing.T) {
	s := startSim(t, 31018)
	b := s.probe("ADMIN", "wrong")
	o := look(t, b, fleet.LaneFast)
	kind(t, o, fleet.ErrAuth)
	if o.Took > time.Second {
		t.Errorf("it took %v", o.Took)
	}
	kind(t, look(t, s.probe("nobody", "x"), fleet.LaneFast), fleet.ErrAuth)
	well(t, look(t, s.probe("ADMIN", "ADMIN"), fleet.LaneFast)) // and no harm done
}

// The chassis program of the sim logs what it was told to do.
func TestPeerPower(t *testing.T) {
	s := startSim(t, 31020)
	b := s.probe("ADMIN", "ADMIN")
	serial := fmt.Sprintf("SN%05d", s.port)
	for _, c := range []struct {
		kind  fleet.ActionKind
		after string
		logs  string
	}{
		{fleet.ActPowerCycle, "on", "power|reset"},
		{fleet.ActPowerOff, "off", "power"},
		{fleet.ActPowerOn, "on", "power"},
		{fleet.ActReset, "on", "reset"},
		{fleet.ActIdentify, "", "identify"},
	} {
		os.Remove(filepath.Join(s.dir, "state", "log"))
		out, err := b.Act(t.Context(), fleet.Action{Kind: c.kind, Serial: serial})
		if err != nil || !out.Done || c.after != "" && out.After != c.after {
			t.Errorf("%s: %+v, %v", c.kind, out, err)
		}
		log, _ := os.ReadFile(filepath.Join(s.dir, "state", "log"))
		t.Logf("%s: %q: %s", c.kind, log, out.Text)
		n := len(regexp.MustCompile(`(?m)^\d+ (`+c.logs+`) `).FindAll(log, -1))
		if n != 1 && !(c.kind == fleet.ActPowerCycle && n == 2) { // a cycle is off and on
			t.Errorf("%s: the chassis was told %d times: %q", c.kind, n, log)
		}
	}
	if _, err := b.Act(t.Context(), fleet.Action{Kind: fleet.ActPowerOff, Serial: "SN99999"}); !errors.Is(err, ErrIdentity) {
		t.Errorf("another serial: %v", err)
	}
}

func bareGUID(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }

// It goes away and comes back: the next poll logs in anew.
func TestPeerRestart(t *testing.T) {
	s := startSim(t, 31022)
	b := s.probe("ADMIN", "ADMIN")
	well(t, look(t, b, fleet.LaneSlow))
	s.run("bash", filepath.Join(peerDir, "stop-ipmi-sim.sh"), s.dir)
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrUnreachable)
	s.run("bash", filepath.Join(peerDir, "start-ipmi-sim.sh"), s.dir, strconv.Itoa(s.port), strconv.Itoa(s.console))
	o := well(t, look(t, b, fleet.LaneFast))
	s.compare(o)
}

// BenchmarkPeerPoll is a fast poll of 24 analogue and 4 state sensors of a
// BMC in another process: the CPU time is the probe's alone.
func BenchmarkPeerPoll(b *testing.B) {
	s := startSim(b, 31024)
	p := s.probe("ADMIN", "ADMIN")
	if o, err := p.Observe(b.Context(), fleet.LaneSlow); err != nil || o.Err != nil {
		b.Fatal(err, o.Err)
	}
	measurePolls(b, p)
}

// The sim leaves cipher 0, a null user and 1.5 without password open on
// purpose; Knock must see it, and log in nowhere.
func TestPeerKnock(t *testing.T) {
	s := startSim(t, 31026)
	g, err := Knock(t.Context(), fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil || !g.V15 || !g.V20 || !g.NoAuth || !g.Cipher0 || !g.IPMI {
		t.Errorf("%+v, %v", g, err)
	}
	t.Logf("%+v", g)
}
