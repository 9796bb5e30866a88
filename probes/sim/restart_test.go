package sim

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// What was done to the fleet is in sim.json at once, so that a kill loses
// nothing: a second fleet of the directory goes on where the first one was.
func TestKillAndRestart(t *testing.T) {
	dir := t.TempDir()
	opt := Options{Dir: dir, Racks: 2, Fault: "none", PortBase: DefaultPortBase, Logf: t.Logf}
	f, err := Start(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.World.SetPower(4, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	killed, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		t.Fatal(err)
	}
	port := f.World.Switch(0, time.Now()).Ports[0]
	secret := f.secrets.of("bmc")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, stateFile), killed, 0o600); err != nil { // as a kill would have left it
		t.Fatal(err)
	}
	g := startFleet(t, opt)
	if g.World.Server(4, time.Now()).On {
		t.Error("what was switched off is on")
	}
	if now := g.World.Switch(0, time.Now()).Ports[0]; now.InOctets < port.InOctets || now.InOctets > port.InOctets+30*25e9/8 {
		t.Errorf("%d octets before, %d after", port.InOctets, now.InOctets)
	}
	if g.secrets.of("bmc") != secret {
		t.Error("the secrets changed")
	}
	if st, err := os.Stat(filepath.Join(dir, stateFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
}

// A state that cannot be read stops the start with the file's name; one of
// another fleet is put aside, and the log says so.
func TestDamagedAndForeignState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, stateFile)
	if err := os.WriteFile(path, []byte(`{"world":`), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := Options{Dir: dir, Racks: 1, Fault: "none", Logf: t.Logf}
	if _, err := Start(context.Background(), opt); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f, err := Start(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	said := false
	opt.Racks, opt.Logf = 2, func(format string, _ ...any) { said = said || strings.Contains(format, "another fleet") }
	f, err = Start(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !said || len(f.World.Racks) != 2 {
		t.Errorf("said %v, %d racks", said, len(f.World.Racks))
	}
}

// A block of ports in which one is taken moves on as a whole, and says so.
func TestTakenBlockMovesOn(t *testing.T) {
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 21003})
	if err != nil {
		t.Skipf("port 21003 is taken by somebody else: %v", err)
	}
	defer taken.Close()
	said := ""
	f := &Fleet{opt: Options{Logf: func(format string, args ...any) { said = format }}}
	conns, next, err := f.block("BMCs", 21000, 8)
	if err != nil {
		t.Fatal(err)
	}
	first := int(localAddr(conns[0]).Port())
	for i, c := range conns {
		if p := int(localAddr(c).Port()); p != first+i || first < 22000 || first%blockSize != 0 {
			t.Errorf("port %d", p)
		}
		_ = c.Close()
	}
	if next != first+blockSize || said == "" {
		t.Errorf("next %d, said %q", next, said)
	}
}

// The probes see what a fault does, over the wire.
func TestFaultsShowOnTheWire(t *testing.T) {
	f := startFleet(t, Options{Racks: 2, Fault: "site-path-lost@fra1+1h,psu-loss@fra1-r01-s02,bmc-silent@fra1-r01-s05"})
	hyp := f.World.Servers[f.World.Hyps[0]].Name
	if err := f.Inject("retirement@" + hyp); err != nil {
		t.Fatal(err)
	}
	var list []probe
	for _, p := range f.probes(t) {
		switch p.target {
		case "fra1-r01-s02", "fra1-r01-s05", "stack-fra":
			list = append(list, p)
		}
	}
	seen := observeAll(t, list, fleet.LaneSlow)
	o := seen["fra1-r01-s02"]
	crit := false
	for _, s := range o.Sensors {
		crit = crit || s.Name == "PS1 Status" && s.State == fleet.StateCrit
	}
	if !crit || o.Err != nil {
		t.Errorf("no failed supply in %+v", o.Sensors)
	}
	found := false
	for _, e := range o.Events {
		found = found || strings.HasPrefix(e.Sensor, "PS1") && time.Since(e.At) < time.Minute
	}
	if !found {
		t.Errorf("no event of it in %+v", o.Events)
	}
	if o := seen["fra1-r01-s05"]; o.Err == nil || o.Err.Kind() != "unreachable" && o.Err.Kind() != "timeout" {
		t.Errorf("a silent BMC: %v", o.Err)
	}
	for _, h := range seen["stack-fra"].Hosts {
		if h.Name == hyp && (h.Status != "disabled" || h.Maintenance == "") {
			t.Errorf("%+v", h)
		}
	}
}
