package health

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestPeerPrometheus asks a real Prometheus: what it answers to each kind of
// query is read as it should be.
func TestPeerPrometheus(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("against real peers: make peers")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("no prometheus: apt-get install prometheus")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	ready := func() bool {
		answer, err := http.Get("http://" + addr + "/-/ready")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !ready(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("prometheus does not get ready")
		}
	}
	for _, c := range []struct {
		query string
		state fleet.State
		text  string
		kind  error
	}{
		{"vector(1)", fleet.StateOK, "the query says 1", nil},
		{"vector(0)", fleet.StateCrit, "the query says 0", nil},
		{"1 < bool 2", fleet.StateOK, "the query says 1", nil},
		{"3 < bool 2", fleet.StateCrit, "the query says 0", nil},
		{`up{job="none"}`, fleet.StateUnknown, "the query has no result", nil},
		{"vector(0) / vector(0)", fleet.StateUnknown, "the query says no number", nil},
		{"vector(1) / vector(0)", fleet.StateUnknown, "the query says no number", nil},
		{`label_replace(vector(1), "a", "b", "", "") or label_replace(vector(0), "a", "c", "", "")`, fleet.StateCrit, `1 of 2 values of the query are 0, first {a="c"}`, nil},
		{"up[5m]", fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{`"text"`, fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"sum(", fleet.StateUnknown, "(blind)", fleet.ErrUnsupported},
	} {
		state, text, o := ask(t, Config{HealthSpec: fleet.HealthSpec{Kind: fleet.HealthPrometheus, Address: "http://" + addr, Query: c.query, Timeout: 5 * time.Second}})
		if state != c.state || text != c.text || (o.Err == nil) != (c.kind == nil) || c.kind != nil && !errors.Is(o.Err, c.kind) {
			t.Errorf("%s: %v %q, %v; want %v %q, %v", c.query, state, text, o.Err, c.state, c.text, c.kind)
		}
		if o.Err != nil && strings.Contains(fmt.Sprint(o.Err), addr) {
			t.Errorf("%s: the address stands in %v", c.query, o.Err)
		}
	}
}
