//go:build unix

package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// largeFleet is 10,000 devices with 50 sensors and 48 ports each.
func largeFleet(devices int) *fleet.Snapshot {
	sensors, ports := make([]fleet.SensorDef, 50), make([]fleet.PortDef, 48)
	classes := []fleet.SensorDef{{Class: fleet.ClassTemperature, Unit: "C"}, {Class: fleet.ClassFan, Unit: "rpm"}, {Class: fleet.ClassVoltage, Unit: "V"}, {Class: fleet.ClassPower, Unit: "W"}, {Class: fleet.ClassState}}
	for i := range sensors {
		sensors[i] = classes[i%len(classes)]
		sensors[i].Key, sensors[i].Name = fmt.Sprintf("20.0.%02x", i), fmt.Sprintf("Sensor %d", i)
	}
	for i := range ports {
		ports[i] = fleet.PortDef{Name: fmt.Sprintf("Ethernet%d", i+1), Oper: "up", SpeedBps: fleet.Int(25_000_000_000)}
	}
	ids, rows := make([]string, devices), make([]fleet.Device, devices)
	now := time.Now()
	for n := range rows {
		rack := fmt.Sprintf("ams1/r%03d", n/20)
		ids[n] = fmt.Sprintf("ams1-r%03d-s%02d", n/20, n%20)
		d := fleet.Device{Spec: &fleet.DeviceSpec{ID: ids[n], Kind: fleet.KindServer, Region: "ams", Site: "ams1", Rack: rack, Tags: map[string]string{"role": "game"}}, State: fleet.StateOK, SeenAt: now}
		for i := range sensors {
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &sensors[i], Value: fleet.Dec(int64(n+i*37), -1), State: fleet.StateOK})
		}
		for i := range ports {
			p := fleet.Port{PortDef: &ports[i], Rates: fleet.Rates{InBps: fleet.Int(int64(n * i)), OutBps: fleet.Int(int64(n))}}
			for c := range fleet.CounterID(fleet.NumCounters) {
				p.Counters.Set(c, uint64(n)*1e9+uint64(i), true)
			}
			d.Ports = append(d.Ports, p)
		}
		d.Tables[fleet.TableSensors].At, d.Tables[fleet.TablePorts].At = now, now
		rows[n] = d
	}
	return &fleet.Snapshot{At: now, Intervals: [3]time.Duration{time.Hour, time.Hour, time.Hour}, Devices: fleet.NewTable(ids, rows), Topology: &fleet.Topology{}}
}

// sink is a reader that counts.
type sink struct {
	header http.Header
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(b []byte) (int, error) {
	s.bytes += len(b)
	return len(b), nil
}

// BenchmarkFleetPage scrapes the readings of 10,000 devices with 50 sensors and
// 48 ports each: 0.5 million sensors and 480,000 ports.
func BenchmarkFleetPage(b *testing.B) {
	s := largeFleet(10_000)
	p := NewPages(func() *fleet.Snapshot { return s }, time.Now)
	scrape := func(query, encoding string) (cpu, mb, allocated float64) {
		r := httptest.NewRequest(http.MethodGet, "/fleet"+query, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := &sink{header: http.Header{}}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := benchline.CPU()
		p.fleet(w, r)
		cpu = (benchline.CPU() - began).Seconds()
		runtime.ReadMemStats(&after)
		return cpu, float64(w.bytes) / 1e6, float64(after.TotalAlloc-before.TotalAlloc) / 1e6
	}
	web := httptest.NewServer(http.HandlerFunc(p.fleet))
	defer web.Close()
	wire := func() float64 { // as Prometheus reads it: zipped, over a connection
		began := time.Now()
		r, err := http.NewRequest(http.MethodGet, web.URL+"/fleet", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip")
		got, err := web.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer got.Body.Close()
		if _, err := io.Copy(io.Discard, got.Body); err != nil || got.StatusCode != http.StatusOK {
			b.Fatal(got.Status, err)
		}
		return time.Since(began).Seconds()
	}
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			cpu, mb, alloc := scrape("", "")
			zipped, zippedMB, zippedAlloc := scrape("", "gzip")
			one, oneMB, _ := scrape("?class=temperature", "gzip")
			return []benchline.Line{
				{Bench: "fleet-page-cpu", Value: cpu, Unit: "cpu_s", Goal: 6, Note: "5.4 million series; unzipped for readers that cannot"},
				{Bench: "fleet-page-bytes", Value: mb, Unit: "MB", Goal: 1000},
				{Bench: "fleet-page-allocated", Value: alloc, Unit: "MB", Goal: 10},
				{Bench: "fleet-page-gzip-cpu", Value: zipped, Unit: "cpu_s", Goal: 3},
				{Bench: "fleet-page-gzip-bytes", Value: zippedMB, Unit: "MB", Goal: 100},
				{Bench: "fleet-page-gzip-allocated", Value: zippedAlloc, Unit: "MB", Goal: 50, Note: "it is kept zipped until it is read"},
				{Bench: "fleet-page-gzip-wire", Value: wire(), Unit: "s", Goal: 4},
				{Bench: "fleet-page-temperature-cpu", Value: one, Unit: "cpu_s", Goal: 0.15, Note: "one class of sixteen, gzip"},
				{Bench: "fleet-page-temperature-bytes", Value: oneMB, Unit: "MB", Goal: 2},
			}
		})...)
	}
}
