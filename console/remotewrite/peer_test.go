package remotewrite

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestPeerPrometheus tells a real Prometheus that is killed and started again
// while it is told, and holds what it has against what there is, sample by sample.
func TestPeerPrometheus(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("against real peers: make peers")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("no prometheus: apt-get install prometheus")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := l.Addr().String(), t.TempDir()
	l.Close()
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte("global: {scrape_interval: 1h}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		p := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
			"--web.listen-address="+addr, "--web.enable-remote-write-receiver", "--log.level=error")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := start()
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()

	m := newMemory(20)
	w := New(Config{Name: "peer", URL: &url.URL{Scheme: "http", Host: addr, Path: "/api/v1/write"}, Timeout: 5 * time.Second}, m, time.Minute, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range int64(200) {
		<-tick.C
		m.poll(200 + i)
		switch i {
		case 60:
			_ = p.Process.Kill()
			_ = p.Wait()
		case 100:
			p = start()
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for w.Stats().Sent < uint64(2*len(m.rows)) && time.Now().Before(deadline) {
		<-tick.C
	}
	cancel()
	<-done
	if s := w.Stats(); s.Failed == 0 {
		t.Errorf("it was never away: %+v", s)
	}
	want := map[string]map[int64]float64{}
	for _, r := range m.rows {
		if want[r.Target] == nil {
			want[r.Target] = map[int64]float64{}
		}
		want[r.Target][r.At.UnixMilli()] = r.Values[0].Float()
	}
	got := asked(t, addr, `plumb_sensor_temperature_celsius[10m]`)
	for target, samples := range want {
		for at, v := range samples {
			if g, ok := got[target][at]; !ok || g != v {
				t.Errorf("%s at %d: %v, want %v", target, at, g, v)
			}
		}
		if len(got[target]) != len(samples) {
			t.Errorf("%s: %d samples, want %d", target, len(got[target]), len(samples))
		}
	}
}

// asked is what Prometheus has, by device and time.
func asked(t *testing.T, addr, query string) map[string]map[int64]float64 {
	t.Helper()
	r, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var a struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[int64]float64{}
	for _, s := range a.Data.Result {
		of := map[int64]float64{}
		for _, v := range s.Values {
			f, err := strconv.ParseFloat(fmt.Sprint(v[1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			of[int64(math.Round(v[0].(float64)*1000))] = f
		}
		out[s.Metric["device"]] = of
	}
	return out
}
