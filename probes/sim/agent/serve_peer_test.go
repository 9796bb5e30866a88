package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// peer skips unless real peers are wanted and the tool is there.
func peer(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("skipped: real peers run with PLUMB_PEERS=1 (make peers)")
	}
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("skipped: %s is not installed (package snmp)", tool)
	}
}

// run runs a net-snmp tool without MIB files and returns its output.
func run(t *testing.T, want int, tool string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Env = append(os.Environ(), "MIBS=", "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+filepath.Join(dir, "state"))
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Fatalf("%s %s: exit %d, want %d: %v\n%s%s", tool, strings.Join(args, " "), code, want, err, out, complaint.String())
	}
	if want != 0 {
		return complaint.String()
	}
	return string(out)
}

func TestPeerWalkEachDevice(t *testing.T) {
	peer(t, "snmpbulkwalk")
	for name, d := range map[string]Device{"switch": sampleSwitch(), "pdu": samplePDU(), "ups": sampleUPS()} {
		t.Run(name, func(t *testing.T) {
			_, addr := start(t, Config{Community: "secret", Device: device(d)})
			bulk := run(t, 0, "snmpbulkwalk", "-v2c", "-c", "secret", "-On", addr.String(), ".1")
			next := run(t, 0, "snmpwalk", "-v2c", "-c", "secret", "-On", addr.String(), ".1")
			if lines := strings.Count(bulk, "\n"); lines < 70 {
				t.Errorf("only %d lines", lines)
			}
			if a, b := instances(bulk), instances(next); a != b {
				t.Errorf("bulk walk has %d instances, walk %d", strings.Count(a, "\n"), strings.Count(b, "\n"))
			}
			t.Log(strings.Count(bulk, "\n"), "instances")
		})
	}
}

// instances strips values, which may move, and the last line's remark.
func instances(walk string) string {
	var b strings.Builder
	for line := range strings.Lines(walk) {
		oid, _, _ := strings.Cut(line, " = ")
		b.WriteString(oid + "\n")
	}
	return b.String()
}

// netSNMP are the arguments that make a net-snmp tool speak as u.
func netSNMP(u User) []string {
	args := []string{"-v3", "-u", u.Name, "-t", "1", "-r", "1"}
	if u.Auth == "" {
		return append(args, "-l", "noAuthNoPriv")
	}
	args = append(args, "-a", u.Auth, "-A", u.AuthPass)
	if u.Priv == "" {
		return append(args, "-l", "authNoPriv")
	}
	return append(args, "-l", "authPriv", "-x", u.Priv, "-X", u.PrivPass)
}

func TestPeerEverySuite(t *testing.T) {
	peer(t, "snmpget")
	_, addr := start(t, Config{Users: v3Users(), EngineID: testEngine, Device: device(sampleUPS())})
	for _, u := range v3Users() {
		t.Run(u.Name, func(t *testing.T) {
			args := append(netSNMP(u), "-Ovq", addr.String(), ".1.3.6.1.2.1.1.5.0")
			if got := run(t, 0, "snmpget", args...); strings.TrimSpace(got) != `"ams1-ups-1"` {
				t.Errorf("sysName is %q", got)
			}
		})
	}
}

func TestPeerV3Walk(t *testing.T) {
	peer(t, "snmpbulkwalk")
	u := User{Name: "spine", Auth: "SHA-512", AuthPass: "authpass1", Priv: "AES-256", PrivPass: "privpass1"}
	_, addr := start(t, Config{Users: []User{u}, EngineID: testEngine, Device: device(sampleSwitch())})
	walk := run(t, 0, "snmpbulkwalk", append(netSNMP(u), "-On", "-Cr50", addr.String(), ".1")...)
	if n := strings.Count(walk, "\n"); n < 3000 {
		t.Errorf("only %d lines", n)
	}
}

func TestPeerV3Refusals(t *testing.T) {
	peer(t, "snmpget")
	good := User{Name: "spine", Auth: "SHA-256", AuthPass: "authpass1", Priv: "AES", PrivPass: "privpass1"}
	_, addr := start(t, Config{Users: []User{good}, EngineID: testEngine, Device: device(sampleUPS())})
	wrongName, wrongPass, plain, unauth := good, good, good, User{Name: "spine"}
	wrongName.Name, wrongPass.AuthPass, plain.Priv = "nobody", "wrongpass1", ""
	wrongPriv := good
	wrongPriv.PrivPass = "wrongpass1"
	for name, c := range map[string]struct {
		user User
		exit int
		want string
	}{
		"unknown user":   {wrongName, 1, "Unknown user name"},
		"wrong password": {wrongPass, 1, "Authentication failure"},
		"wrong key":      {wrongPriv, 1, "Timeout"},
		"no privacy":     {plain, 2, "authorizationError"},
		"nothing":        {unauth, 2, "authorizationError"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, c.exit, "snmpget", append(netSNMP(c.user), addr.String(), ".1.3.6.1.2.1.1.5.0")...)
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPeerSnmpset(t *testing.T) {
	peer(t, "snmpset")
	u := User{Name: "admin", Auth: "SHA-256", AuthPass: "authpass1", Priv: "AES-256", PrivPass: "privpass1"}
	var log changeLog
	_, addr := start(t, Config{
		Users: []User{u}, EngineID: testEngine, Device: device(samplePDU()),
		Set: log.set,
	})
	const control = ".1.3.6.1.4.1.318.1.1.26.9.2.4.1.5."
	run(t, 0, "snmpset", append(netSNMP(u), addr.String(), control+"7", "i", "2")...)
	if got := log.changes(); len(got) != 1 || got[0] != (Change{Kind: SetOutlet, Row: 7, Value: int(OutletOff)}) {
		t.Errorf("got %v", got)
	}
	for args, want := range map[[3]string]string{
		{control + "7", "i", "9"}:           "wrongValue",
		{control + "7", "s", "off"}:         "wrongType",
		{control + "99", "i", "1"}:          "noCreation",
		{".1.3.6.1.2.1.1.5.0", "s", "mine"}: "notWritable",
	} {
		if said := run(t, 2, "snmpset", append(netSNMP(u), addr.String(), args[0], args[1], args[2])...); !strings.Contains(said, want) {
			t.Errorf("%v: got %q, want %s", args, said, want)
		}
	}
	if got := log.changes(); len(got) != 1 {
		t.Errorf("what was refused was done: %v", got)
	}
}
