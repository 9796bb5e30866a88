package snmp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

const writableSimPort = 32032

// writable is a device for snmpsim that takes what it is written, if the type is
// right: two ports in VLAN 10, and one outlet.
const writable = `1.3.6.1.2.1.1.1.0|4|a writable device
1.3.6.1.2.1.1.3.0|67|1000
1.3.6.1.2.1.1.5.0|4|writable
1.3.6.1.2.1.2.1.0|2|2
1.3.6.1.2.1.2.2.1.2.1|4|port 1
1.3.6.1.2.1.2.2.1.2.2|4|port 2
1.3.6.1.2.1.2.2.1.7.1|2:writecache|value=1
1.3.6.1.2.1.2.2.1.7.2|2:writecache|value=1,vlist=eq:2:notwritable
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.2.2.1.8.2|2|1
1.3.6.1.2.1.17.1.4.1.2.1|2|1
1.3.6.1.2.1.17.1.4.1.2.2|2|2
1.3.6.1.2.1.17.7.1.4.3.1.2.10|4:writecache|hexvalue=c000
1.3.6.1.2.1.17.7.1.4.3.1.2.20|4:writecache|hexvalue=0000
1.3.6.1.2.1.17.7.1.4.3.1.4.10|4:writecache|hexvalue=c000
1.3.6.1.2.1.17.7.1.4.3.1.4.20|4:writecache|hexvalue=0000
1.3.6.1.2.1.17.7.1.4.5.1.1.1|66:writecache|value=10
1.3.6.1.2.1.17.7.1.4.5.1.1.2|66:writecache|value=10
1.3.6.1.2.1.31.1.1.1.1.1|4|e1
1.3.6.1.2.1.31.1.1.1.1.2|4|e2
1.3.6.1.2.1.31.1.1.1.18.1|4:writecache|value=uplink
1.3.6.1.2.1.31.1.1.1.18.2|4x|73706172651b5b324a
1.3.6.1.4.1.318.1.1.26.2.1.8.1|4|AP8641
1.3.6.1.4.1.318.1.1.26.2.1.9.1|4|3F3452A52295
1.3.6.1.4.1.318.1.1.26.9.2.1.1.7.1|2|5
1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1|2:writecache|value=2
1.3.6.1.4.1.318.1.1.26.9.2.3.1.6.1|2|2
1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.1|2:writecache|value=1
`

// TestPeerWrites writes to snmpsim, whose codec is other people's, and asks
// net-snmp what came of it.
func TestPeerWrites(t *testing.T) {
	dir := shared(t)
	for _, tool := range []string{"snmpget", "snmpset"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (package snmp)", tool)
		}
	}
	data := openDir(t)
	if err := os.WriteFile(filepath.Join(data, "writable.snmprec"), []byte(writable), 0o644); err != nil {
		t.Fatal(err)
	}
	peer(t, "snmpsimd", filepath.Join(dir, "peers/snmp/run-snmpsim.sh"), []string{"TMPDIR=" + data}, data, strconv.Itoa(writableSimPort))
	agent := func() *Agent {
		a, err := New(Config{Target: "peer", Address: fmt.Sprintf("127.0.0.1:%d", writableSimPort), Community: secret("writable"), Timeout: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		a.wait.settle = time.Second
		return a
	}
	ready(t, agent)
	a := agent()
	do := func(kind fleet.ActionKind, target string, args map[string]string) (fleet.Outcome, error) {
		t.Helper()
		out, err := a.Act(deadline(t, 20*time.Second), fleet.Action{Kind: kind, Target: "peer/" + target, Serial: "3F3452A52295", Args: args})
		t.Logf("%s %s %v: %+v, %v", kind, target, args, out, err)
		return out, err
	}
	tool := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, append([]string{"-v2c", "-c", "writable", "-Oqv", "-Ox", fmt.Sprintf("127.0.0.1:%d", writableSimPort)}, args...)...)
		cmd.Env = append(os.Environ(), "MIBS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	says := func(object, want string) {
		t.Helper()
		if got := tool("snmpget", object); got != want {
			t.Errorf("%s is %q, want %q", object, got, want)
		}
	}

	if out, err := do(fleet.ActPortDown, "e1", nil); err != nil || !out.Done {
		t.Error("port-down")
	}
	says("1.3.6.1.2.1.2.2.1.7.1", "2")
	if out, err := do(fleet.ActPortUp, "e1", nil); err != nil || !out.Done {
		t.Error("port-up")
	}
	if out, err := do(fleet.ActPortBounce, "e1", nil); err != nil || !out.Done || out.After != "up" {
		t.Error("port-bounce")
	}
	if out, err := do(fleet.ActPortBounce, "e2", nil); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
		t.Error("a bounce that is refused")
	}
	if out, err := do(fleet.ActPortAlias, "e1", map[string]string{"alias": "to fra1-r02"}); err != nil || !out.Done {
		t.Error("port-alias")
	}
	says("1.3.6.1.2.1.31.1.1.1.18.1", `"74 6F 20 66 72 61 31 2D 72 30 32 "`)
	// What was written is read, and put back; what holds an escape code is seen
	// not to be what the device has.
	read := func() (first, second string) {
		o, err := a.Observe(deadline(t, 20*time.Second), fleet.LaneSlow)
		if err != nil || len(o.Ports) != 2 || o.Ports[0].NoAlias || o.Ports[1].NoAlias {
			t.Fatalf("%v %v: %+v", err, o.Err, o.Ports)
		}
		return o.Ports[0].Alias, o.Ports[1].Alias
	}
	if e1, e2 := read(); e1 != "to fra1-r02" || e2 != "spare\ufffd[2J" || fleet.WritableAlias(e2) {
		t.Errorf("read %q, %q", e1, e2)
	}
	if out, err := do(fleet.ActPortAlias, "e1", map[string]string{"alias": "uplink"}); err != nil || out.Before != "to fra1-r02" || out.After != "uplink" {
		t.Error("port-alias, put back")
	}
	if e1, _ := read(); e1 != "uplink" {
		t.Errorf("read %q", e1)
	}
	if out, err := do(fleet.ActPortAlias, "e2", map[string]string{"alias": "x"}); err == nil || out.Done || out.Before != "spare\ufffd[2J" {
		t.Error("an alias that cannot be written")
	}
	if out, err := do(fleet.ActPortVLAN, "e2", map[string]string{"vlan": "20"}); err != nil || !out.Done || out.After != "VLAN 20" {
		t.Error("port-vlan")
	}
	for object, want := range map[string]string{"3.1.2.10": `"80 00 "`, "3.1.4.10": `"80 00 "`, "3.1.2.20": `"40 00 "`, "3.1.4.20": `"40 00 "`, "5.1.1.1": "10", "5.1.1.2": "20"} {
		says("1.3.6.1.2.1.17.7.1.4."+object, want)
	}

	// The state of snmpsim's outlet follows no command: it says yes and stays.
	out, err := do(fleet.ActOutletOff, "1", nil)
	if err != nil || !out.Done || out.After != "on" || !strings.Contains(out.Text, "still on") {
		t.Error("outlet-off")
	}
	says("1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.1", "2")
	tool("snmpset", "1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1", "i", "1")
	if out, err := do(fleet.ActOutletOff, "1", nil); err != nil || !out.Done || out.After != "off" || !strings.Contains(out.Text, "already") {
		t.Error("outlet-off of one that is off")
	}
}
