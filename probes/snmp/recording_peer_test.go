package snmp

import (
	"bufio"
	"compress/bzip2"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
)

// Ports of the peers that these tests start.
const (
	snmpsimPort = 32030
	snmpdPort   = 32031
)

// shared returns the directory of peers and recordings beside the repository,
// or skips.
func shared(t *testing.T) string {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("PLUMB_PEERS is not set: run make peers")
	}
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(filepath.Dir(dir), "shared")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no peers beside the repository: %v", err)
	}
	return dir
}

// peer starts a program that stays in the foreground and stops it with the
// test. It skips where the program is not installed.
func peer(t *testing.T, needs, script string, env []string, args ...string) (stop func()) {
	t.Helper()
	if _, err := exec.LookPath(needs); err != nil {
		if _, err := os.Stat("/usr/sbin/" + needs); err != nil {
			t.Skipf("%s is not installed", needs)
		}
	}
	cmd := exec.Command("sh", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s: %s", needs, log.String())
		}
	}
	t.Cleanup(stop)
	return stop
}

// open directory: some peers drop their privileges.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "plumb-snmp-peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// recording is what a .snmprec file says, read without any SNMP.
type recording map[string]string // by OID

func unpack(t *testing.T, from, to string) recording {
	t.Helper()
	packed, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	b, err := io.ReadAll(bzip2.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
	r := recording{}
	var last oid
	lines := bufio.NewScanner(strings.NewReader(string(b)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f := strings.SplitN(lines.Text(), "|", 3)
		if len(f) != 3 {
			continue
		}
		// Some devices answered out of order when they were recorded; snmpsim
		// searches its file and cannot serve such rows, to anyone.
		name := parseOID(f[0])
		if len(name) > 13 && len(last) > 13 && slices.Equal(name[:13], last[:13]) && name.compare(last) <= 0 {
			continue
		}
		last = name
		v := f[2]
		if strings.Contains(f[1], ":") {
			v = "(varies)"
		} else if strings.HasSuffix(f[1], "x") {
			raw, err := hex.DecodeString(v)
			if err != nil {
				t.Fatalf("%s: %v", f[0], err)
			}
			v = string(raw)
		}
		r[f[0]] = v
	}
	return r
}

// column returns a column's values by index.
func (r recording) column(oid string) map[string]string {
	out := map[string]string{}
	for k, v := range r {
		if index, ok := strings.CutPrefix(k, oid+"."); ok {
			out[index] = v
		}
	}
	return out
}

// TestPeerRecordings replays every recording through snmpsim and compares the
// standard tables with what the file says.
func TestPeerRecordings(t *testing.T) {
	dir := shared(t)
	data := openDir(t)
	files, err := filepath.Glob(filepath.Join(dir, "recordings/snmp/*.snmprec.bz2"))
	if err != nil || len(files) == 0 {
		t.Skip("no recordings")
	}
	records := map[string]recording{}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".snmprec.bz2")
		records[name] = unpack(t, f, filepath.Join(data, name+".snmprec"))
	}
	peer(t, "snmpsimd", filepath.Join(dir, "peers/snmp/run-snmpsim.sh"), []string{"TMPDIR=" + data}, data, strconv.Itoa(snmpsimPort))
	agent := func(t *testing.T, community string) *Agent {
		a, err := New(Config{Target: community, Address: fmt.Sprintf("127.0.0.1:%d", snmpsimPort), Community: secret(community), Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	ready(t, func() *Agent { return agent(t, "geist-temp") })
	t.Run("v3 with a context", func(t *testing.T) { compare(t, records["arista-7150s"], overContext(t, "arista-7150s")) })
	names := []string{}
	for name := range records {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			a := agent(t, name)
			o, err := a.Observe(deadline(t, 2*time.Minute), fleet.LaneSlow)
			if err != nil || o.Err != nil {
				t.Fatalf("%v %v", err, o.Err)
			}
			compare(t, records[name], o)
			fast, err := a.Observe(deadline(t, time.Minute), fleet.LaneFast)
			if err != nil || fast.Err != nil || fast.Tables[fleet.TablePorts] != fleet.Complete || len(fast.Ports) != len(o.Ports) {
				t.Errorf("fast poll: %v %v %v", err, fast.Err, fast.Tables)
			}
			t.Logf("%s: %d ports, %d sensors, %d entities, %d neighbours, %d FDB, %d VLANs, %d outlets, fast poll %v", name, len(o.Ports), len(o.Sensors), len(o.Entities), len(o.Neighbors), len(o.FDB), len(o.VLANs), len(o.Outlets), fast.Took.Round(time.Millisecond))
		})
	}
}

// overContext reads a recording by its context name, as snmpsim's v3 user.
func overContext(t *testing.T, name string) *fleet.Observation {
	t.Helper()
	a, err := New(Config{
		Target: name, Address: fmt.Sprintf("127.0.0.1:%d", snmpsimPort), Version: "3", User: "simulator", Context: name, Timeout: 5 * time.Second,
		Auth: "SHA", AuthPassword: secret("auctoritas"), Priv: "AES", PrivPassword: secret("privatus"),
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := a.Observe(deadline(t, 2*time.Minute), fleet.LaneSlow)
	if err != nil || o.Err != nil {
		t.Fatalf("%v %v", err, o.Err)
	}
	return o
}

// ready waits until a peer answers.
func ready(t *testing.T, agent func() *Agent) {
	t.Helper()
	ctx := deadline(t, 60*time.Second)
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		o, _ := agent().Observe(one, fleet.LaneFast)
		cancel()
		if o.Facts.Get(fleet.FactUptime) != "" {
			return
		}
	}
	t.Fatal("the peer does not answer")
}

func compare(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	ifNames, ifDescrs, octets := r.column("1.3.6.1.2.1.31.1.1.1.1"), r.column("1.3.6.1.2.1.2.2.1.2"), r.column("1.3.6.1.2.1.31.1.1.1.6")
	if len(o.Ports) != len(ifDescrs) {
		t.Errorf("%d ports, the recording has %d", len(o.Ports), len(ifDescrs))
	}
	for _, p := range o.Ports {
		i := strconv.Itoa(p.Index)
		want := text([]byte(ifNames[i]))
		if want == "" {
			want = text([]byte(ifDescrs[i]))
		}
		if p.Name != want && p.Name != want+"#"+i {
			t.Errorf("ifIndex %s is %q, the recording says %q", i, p.Name, want)
		}
		n, ok := p.Counters.Get(fleet.InOctets)
		if want, there := octets[i]; there && want != "(varies)" && (!ok || p.Counters.Wide&1 == 0 || strconv.FormatUint(n, 10) != want) {
			t.Errorf("%s: ifHCInOctets %d, the recording says %s", p.Name, n, want)
		}
	}
	count := func(what string, got int, columns ...string) {
		rows := map[string]bool{}
		for _, c := range columns {
			for i := range r.column(c) {
				rows[c[:12]+i] = true
			}
		}
		if got != len(rows) {
			t.Errorf("%d %s, the recording has %d", got, what, len(rows))
		}
	}
	lldp, cdp, standard := 0, 0, 0
	for _, n := range o.Neighbors {
		if n.Protocol == "lldp" {
			lldp++
		} else {
			cdp++
		}
		if n.LocalPort == "" || !slices.ContainsFunc(o.Ports, func(p fleet.Port) bool { return p.Name == n.LocalPort }) {
			t.Errorf("neighbour on %q, which is no port", n.LocalPort)
		}
	}
	for _, s := range o.Sensors {
		if strings.HasPrefix(s.Key, "entPhySensor:") {
			standard++
		}
	}
	count("LLDP neighbours", lldp, "1.0.8802.1.1.2.1.4.1.1.7")
	count("CDP neighbours", cdp, "1.3.6.1.4.1.9.9.23.1.2.1.1.6")
	count("ENTITY sensors", standard, "1.3.6.1.2.1.99.1.1.1.4")
	count("entities", len(o.Entities), "1.3.6.1.2.1.47.1.1.1.1.5")
	compareFDB(t, r, o)
	compareNet(t, r, o)
	keys := map[string]bool{}
	for _, s := range o.Sensors {
		if keys[s.Key] {
			t.Errorf("two sensors with the key %q", s.Key)
		}
		keys[s.Key] = true
	}
	for name, want := range map[string]string{"name": "1.3.6.1.2.1.1.5.0", "location": "1.3.6.1.2.1.1.6.0"} {
		if got := o.Facts.Get(name); got != text([]byte(r[want])) {
			t.Errorf("%s %q, the recording says %q", name, got, r[want])
		}
	}
}

// compareFDB counts what is neither ageing out nor the bridge's own.
func compareFDB(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	rows, status := r.column("1.3.6.1.2.1.17.7.1.2.2.1.2"), r.column("1.3.6.1.2.1.17.7.1.2.2.1.3")
	if len(rows) == 0 && len(status) == 0 {
		rows, status = r.column("1.3.6.1.2.1.17.4.3.1.2"), r.column("1.3.6.1.2.1.17.4.3.1.3")
	}
	all := map[string]bool{}
	for i := range rows {
		all[i] = true
	}
	for i := range status {
		all[i] = true
	}
	want := 0
	for i := range all {
		if status[i] != "2" && status[i] != "4" {
			want++
		}
	}
	if len(o.FDB) != want {
		t.Errorf("%d FDB entries, the recording has %d", len(o.FDB), want)
	}
}
