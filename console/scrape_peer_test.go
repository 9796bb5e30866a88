package console

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"plumb/fleet"
)

// TestPeerPrometheus has a real Prometheus scrape /fleet and /metrics, and find
// the management addresses by /sd.
func TestPeerPrometheus(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("against real peers: make peers")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("no prometheus: apt-get install prometheus")
	}
	now := time.Now()
	def := &fleet.SensorDef{Key: "a", Name: `In"let`, Class: fleet.ClassTemperature, Unit: "C"}
	d := fleet.Device{Spec: &fleet.DeviceSpec{ID: "s1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:9"}}}, SeenAt: now,
		Sensors: []fleet.Sensor{{SensorDef: def, Value: fleet.Dec(215, -1), State: fleet.StateOK}}}
	d.Tables[fleet.TableSensors].At = now
	s := &fleet.Snapshot{At: now, Intervals: [3]time.Duration{time.Hour, time.Hour, time.Hour}, Devices: fleet.NewTable([]string{"s1"}, []fleet.Device{d}), Topology: &fleet.Topology{}}
	web := httptest.NewServer((&Meters{Snapshot: func() *fleet.Snapshot { return s }, Pages: NewPages(func() *fleet.Snapshot { return s }, time.Now)}).Handler())
	defer web.Close()
	at, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := fmt.Sprintf(`global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: fleet, metrics_path: /fleet, params: {class: ["temperature,device"]}, static_configs: [{targets: ["%[1]s"]}]}
  - {job_name: plumb, static_configs: [{targets: ["%[1]s"]}]}
  - job_name: ipmi
    http_sd_configs: [{url: "http://%[1]s/sd?kind=ipmi", refresh_interval: 1s}]
    relabel_configs:
      - {source_labels: [__meta_plumb_device], target_label: device}
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "%[1]s"}
`, at.Host)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
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
	for query, want := range map[string]string{
		`plumb_sensor_temperature_celsius{device="s1",name="In\"let",region="ams",sensor="a"}`: "21.5",
		`up{job="fleet"}`: "1", `up{job="plumb"}`: "1", `plumb_device_blind`: "0",
		`up{job="ipmi",device="s1"}`: "1", // it was found, and what it was pointed at answers
	} {
		eventually(t, 30*time.Second, query, func() bool { return promValue(addr, query) == want })
	}
}

// promValue is the value of one series, "" where there is none.
func promValue(addr, query string) string {
	r, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	var a struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || len(a.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(a.Data.Result[0].Value[1])
}
