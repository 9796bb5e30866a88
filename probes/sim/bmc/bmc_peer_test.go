package bmc

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/probes/sim/world"
)

// start runs the BMC of a server on a free port until the test ends.
func start(t testing.TB, w *world.World, server int) (*Server, *net.UDPConn) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{World: w, Server: server, Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Users: []User{{"plumb", "read-only-1", Reader}, {"plumb-act", "may-act-1", Admin}}}, conn)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, conn
}

func testWorld(t testing.TB) *world.World {
	t.Helper()
	w, err := world.New(1, 2, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func peer(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("PLUMB_PEERS is not set: strangers' clients are asked by make peers only")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install ipmitool freeipmi-tools", name)
	}
	return path
}

func run(t *testing.T, path string, args ...string) string {
	t.Helper()
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPeerIpmitoolReads(t *testing.T) {
	path := peer(t, "ipmitool")
	w := testWorld(t)
	for _, server := range []int{0, 7, 20} {
		_, conn := start(t, w, server)
		port := strconv.Itoa(int(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()))
		for _, suite := range []string{"3", "17"} {
			base := []string{"-I", "lanplus", "-H", "127.0.0.1", "-p", port, "-U", "plumb-act", "-P", "may-act-1", "-C", suite}
			for _, c := range []struct{ cmd, want string }{
				{"sdr elist", "Inlet Temp"}, {"sensor", "Inlet Temp"}, {"sel elist", "cleared"}, {"sel info", "Entries"}, {"fru", w.Servers[server].Serial},
				{"chassis status", "System Power         : on"}, {"dcmi power reading", "Instantaneous power reading"}, {"mc info", "Firmware Revision"}, {"mc guid", "GUID"},
				{"lan print 1", "MAC Address"}, {"user list 1", "plumb-act"}, {"dcmi discover", "Power"}, {"channel info 1", "802.3 LAN"}, {"session info active", "session handle"},
				{"dcmi asset_tag", w.Servers[server].Name},
			} {
				out := run(t, path, append(base, strings.Fields(c.cmd)...)...)
				if !strings.Contains(out, c.want) {
					t.Errorf("%s: no %q in\n%s", c.cmd, c.want, out)
				}
				if os.Getenv("PLUMB_PEERS") == "2" && suite == "17" {
					t.Logf("%s\n%s", c.cmd, out)
				}
			}
		}
	}
}

func TestPeerFreeIPMIReads(t *testing.T) {
	path := peer(t, "ipmi-sensors")
	w := testWorld(t)
	_, conn := start(t, w, 3)
	host := "127.0.0.1:" + strconv.Itoa(int(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()))
	base := []string{"--driver-type=LAN_2_0", "-h", host, "-u", "plumb", "-p", "read-only-1", "-l", "USER", "-I", "17", "--sdr-cache-directory=" + t.TempDir()}
	out := run(t, path, append(base, "--output-sensor-state")...)
	for _, want := range []string{"Inlet Temp", "FAN6", "PS2 Status", "Presence detected"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if os.Getenv("PLUMB_PEERS") == "2" {
		t.Log(out)
	}
	if sel, err := exec.LookPath("ipmi-sel"); err == nil {
		t.Log(run(t, sel, base...))
	}
	if fru, err := exec.LookPath("ipmi-fru"); err == nil {
		if out := run(t, fru, base...); !strings.Contains(out, w.Servers[3].Serial) {
			t.Errorf("no serial in\n%s", out)
		}
	}
}

// ipmitool switches a server off, and the world has it off.
func TestPeerIpmitoolActs(t *testing.T) {
	path := peer(t, "ipmitool")
	w := testWorld(t)
	_, conn := start(t, w, 0)
	port := strconv.Itoa(int(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()))
	as := func(user, pass, level string) []string {
		return []string{"-I", "lanplus", "-H", "127.0.0.1", "-p", port, "-U", user, "-P", pass, "-C", "17", "-L", level}
	}
	if out, err := exec.Command(path, append(as("plumb", "read-only-1", "USER"), "chassis", "power", "off")...).CombinedOutput(); err == nil {
		t.Errorf("a reader switched a server off: %s", out)
	}
	run(t, path, append(as("plumb-act", "may-act-1", "ADMINISTRATOR"), "chassis", "power", "off")...)
	if w.Server(0, time.Now()).On {
		t.Error("the server is on after power off")
	}
	run(t, path, append(as("plumb-act", "may-act-1", "ADMINISTRATOR"), "chassis", "identify", "20")...)
	if !w.Server(0, time.Now()).Identify {
		t.Error("the LED does not blink")
	}
	run(t, path, append(as("plumb-act", "may-act-1", "ADMINISTRATOR"), "sel", "clear")...)
	if log, _ := w.Log(0, time.Now()); len(log) != 1 {
		t.Errorf("%d records after clear", len(log))
	}
}

// ipmitool sets what a BMC keeps, reads it back, and the world has it.
func TestPeerIpmitoolSets(t *testing.T) {
	path := peer(t, "ipmitool")
	w := testWorld(t)
	_, conn := start(t, w, 0)
	port := strconv.Itoa(int(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()))
	as := func(suite string, args ...string) []string {
		return append([]string{"-I", "lanplus", "-H", "127.0.0.1", "-p", port, "-U", "plumb-act", "-P", "may-act-1", "-C", suite}, args...)
	}
	run(t, path, as("17", "chassis", "bootdev", "pxe")...)
	if out := run(t, path, as("17", "chassis", "bootparam", "get", "5")...); !strings.Contains(out, "Force PXE") || !strings.Contains(out, "Boot Flag Valid") {
		t.Errorf("%s", out)
	}
	run(t, path, as("17", "chassis", "power", "cycle")...)
	if out := run(t, path, as("17", "chassis", "bootparam", "get", "5")...); !strings.Contains(out, "No override") {
		t.Errorf("after a start: %s", out)
	}
	run(t, path, as("17", "user", "disable", "2")...)
	if out, err := exec.Command(path, "-I", "lanplus", "-H", "127.0.0.1", "-p", port, "-U", "plumb", "-P", "read-only-1", "-C", "17", "-L", "USER", "-R", "1", "-N", "1", "mc", "info").CombinedOutput(); err == nil {
		t.Errorf("a disabled user logs in: %s", out)
	}
	run(t, path, as("17", "user", "enable", "2")...)
	if w.Server(0, time.Now()).Shut.User(2) {
		t.Error("the user is disabled")
	}
	run(t, path, as("17", "lan", "set", "1", "cipher_privs", "XaXXXXXXXXXXXXX")...)
	if !w.Server(0, time.Now()).Shut.Suite(3) {
		t.Error("suite 3 is open")
	}
	if out, err := exec.Command(path, append(as("3", "mc", "info"), "-R", "1", "-N", "1")...).CombinedOutput(); err == nil {
		t.Errorf("suite 3 lets in: %s", out)
	}
	run(t, path, as("17", "mc", "reset", "cold")...) // it does not wait for an answer
	for deadline := time.Now().Add(2 * time.Second); w.Reachable(0, time.Now()); {
		if time.Now().After(deadline) {
			t.Fatal("it answers while it starts")
		}
	}
}
