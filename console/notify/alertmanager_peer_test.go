package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
)

// manager is a real Alertmanager on loopback that tells a catcher.
type manager struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd

	mu  sync.Mutex
	got []string // "status alertname of N", as it told the catcher
}

func startManager(t *testing.T) *manager {
	needPeer(t, "")
	m := &manager{t: t, dir: t.TempDir()}
	catcher := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b struct {
			Status      string            `json:"status"`
			Alerts      []json.RawMessage `json:"alerts"`
			GroupLabels map[string]string `json:"groupLabels"`
		}
		_ = json.NewDecoder(r.Body).Decode(&b)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.got = append(m.got, fmt.Sprintf("%s %s of %d", b.Status, b.GroupLabels["alertname"], len(b.Alerts)))
	}))
	t.Cleanup(catcher.Close)
	config := fmt.Sprintf("route: {receiver: catch, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}\nreceivers: [{name: catch, webhook_configs: [{url: %q}]}]\n", catcher.URL)
	if err := os.WriteFile(filepath.Join(m.dir, "am.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m.addr = freeAddress(t)
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *manager) start() {
	m.t.Helper()
	name := "prometheus-alertmanager"
	if _, err := exec.LookPath(name); err != nil {
		name = "alertmanager"
	}
	m.cmd = exec.Command(name, "--config.file="+filepath.Join(m.dir, "am.yml"), "--storage.path="+filepath.Join(m.dir, "data"), "--web.listen-address="+m.addr, "--cluster.listen-address=")
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal("no Alertmanager: apt-get install prometheus-alertmanager: ", err)
	}
	m.until(20*time.Second, "it is ready", func() bool {
		res, err := http.Get("http://" + m.addr + "/-/ready")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == 200
	})
}

func (m *manager) stop() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

func (m *manager) until(within time.Duration, what string, ok func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(within); !ok(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.t.Fatalf("not within %v: %s; it told %v, it has %v", within, what, m.got, m.alerts())
		}
	}
}

// alerts are those it has, as "alertname target state".
func (m *manager) alerts() (out []string) {
	res, err := http.Get("http://" + m.addr + "/api/v2/alerts")
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var list []struct {
		Labels map[string]string `json:"labels"`
		Status struct {
			State string `json:"state"`
		} `json:"status"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		m.t.Error(err)
	}
	for _, a := range list {
		if a.Annotations["summary"] == "" {
			m.t.Errorf("%v says nothing", a.Labels)
		}
		out = append(out, a.Labels["alertname"]+" "+a.Labels["target"]+" "+a.Status.State)
	}
	return out
}

func (m *manager) told() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.got, "; ")
}

func (m *manager) has(want string) func() bool {
	return func() bool { return strings.Contains(strings.Join(m.alerts(), "; "), want) }
}

// standing are pages of servers that are too hot, all of one rule.
func standing(status string, n int) fleet.Pages {
	p := fleet.Pages{Receiver: "am", Group: "am 0", Labels: map[string]string{"rule": "hot"}, Status: status}
	for i := range n {
		target := fmt.Sprintf("s%02d", i+1)
		page := fleet.Page{ID: "hot:" + target, Status: status, Severity: fleet.SeverityWarn, Since: time.Now().Add(-time.Minute), Summary: target + " is hot", Labels: map[string]string{"rule": "hot", "target": target, "severity": "warn"}}
		if status == "resolved" {
			page.Ended = time.Now()
		}
		p.Alerts = append(p.Alerts, page)
	}
	return p
}

// TestPeerAlertmanager: alerts arrive and are grouped; one more is told alone, and
// the others stand; what is said again makes no new ones; they are silenced there; after its restart they are there again
// within a minute; and they are resolved.
func TestPeerAlertmanager(t *testing.T) {
	m := startManager(t)
	b := &box{}
	var mu sync.Mutex
	var fires []fleet.Pages
	d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler), Standing: func(*fleet.Snapshot, string) []fleet.Pages { mu.Lock(); defer mu.Unlock(); return fires }},
		[]Config{{Name: "am", Kind: &Alertmanager{URLs: []string{"http://" + m.addr}}}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	say := func(key string, p fleet.Pages) {
		body, _ := json.Marshal(p)
		b.put("am", key, func(n *fleet.Notice) { n.Body = body })
	}
	mu.Lock()
	fires = []fleet.Pages{standing("firing", 3)}
	mu.Unlock()
	say("k1", fires[0])
	m.until(10*time.Second, "three alerts in one group", func() bool { return strings.Contains(m.told(), "firing hot of 3") && len(m.alerts()) == 3 })
	mu.Lock()
	fires = []fleet.Pages{standing("firing", 4)}
	mu.Unlock()
	one := fires[0]
	one.Alerts = one.Alerts[3:]
	say("one more", one)
	m.until(10*time.Second, "four alerts in one group", func() bool { return strings.HasSuffix(m.told(), "firing hot of 4") && len(m.alerts()) == 4 })
	for range 3 { // said again by hand, as every minute does
		if _, err := d.workers["am"].sender.(refresher).Refresh(ctx, func() []fleet.Pages { return fires }); err != nil {
			t.Fatal(err)
		}
	}
	silence(t, m.addr, "s02")
	m.until(10*time.Second, "one is silenced there", m.has("hot s02 suppressed"))
	if len(m.alerts()) != 4 || m.told() != "firing hot of 3; firing hot of 4" {
		t.Errorf("it has %v and told %q", m.alerts(), m.told())
	}
	m.stop()
	m.start()
	if m.has("hot s01")() {
		t.Log("it remembers alerts over a restart")
	}
	began := time.Now()
	m.until(refreshEvery+5*time.Second, "they are there again", m.has("hot s01 active"))
	t.Logf("after its restart they are there again within %v", time.Since(began).Round(time.Second))
	mu.Lock()
	fires = nil
	mu.Unlock()
	say("k2", standing("resolved", 4))
	m.until(15*time.Second, "all are over", func() bool { return len(m.alerts()) == 0 && strings.Contains(m.told(), "resolved hot") })
	if n := len(b.Backlogs()); n > 0 {
		t.Errorf("%v wait", b.Backlogs())
	}
}

func silence(t *testing.T, addr, target string) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"matchers": []map[string]any{{"name": "target", "value": target, "isRegex": false, "isEqual": true}},
		"startsAt": time.Now().UTC(), "endsAt": time.Now().Add(time.Hour).UTC(), "createdBy": "test", "comment": "known"})
	res, err := http.Post("http://"+addr+"/api/v2/silences", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
		t.Fatalf("%s: %s", res.Status, text)
	}
}
