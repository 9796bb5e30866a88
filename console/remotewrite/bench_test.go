//go:build unix

package remotewrite

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
	"plumb/store"
)

// takesAll is a receiver that costs nothing.
type takesAll struct{}

func (takesAll) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader(""))}, err
}

// poured is a store that has one row of each device to tell.
type poured struct{ *memory }

func (p poured) ReadingsSince(_ context.Context, _ store.Since, yield func(fleet.Readings) error) (store.Place, error) {
	for _, r := range p.rows {
		if err := yield(r); err != nil {
			return store.Place{}, err
		}
	}
	return p.Here(), nil
}

// BenchmarkRemoteWrite tells one poll of 10,000 devices with 50 sensors each:
// names, labels, protobuf and snappy.
func BenchmarkRemoteWrite(b *testing.B) {
	m := newMemory(10_000)
	var keys []fleet.SeriesKey
	var sensors []fleet.Sensor
	for i := range 50 {
		def := &fleet.SensorDef{Key: fmt.Sprintf("20.0.%02x", i), Name: fmt.Sprintf("Sensor %d", i), Class: fleet.ClassTemperature, Unit: "C"}
		sensors, keys = append(sensors, fleet.Sensor{SensorDef: def}), append(keys, fleet.SeriesKey{Table: fleet.TableSensors, Row: def.Key})
	}
	at := time.Now()
	for id, d := range m.snap.Devices.All() {
		d.Sensors = sensors
		values := make([]fleet.Num, len(keys))
		for i := range values {
			values[i] = fleet.Dec(int64(200+len(m.rows)%97+i), -1)
		}
		m.rows = append(m.rows, fleet.Readings{Target: id, At: at, Keys: keys, Values: values})
	}
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			w := New(Config{Name: "far", URL: &url.URL{Scheme: "http", Host: "far.example"}}, poured{m}, time.Minute, slog.New(slog.DiscardHandler))
			w.client.Transport = takesAll{}
			began := benchline.CPU()
			w.step(b.Context())
			cpu := (benchline.CPU() - began).Seconds()
			sent := w.Stats().Sent
			if sent != 500_000 {
				b.Fatalf("%d samples", sent)
			}
			return []benchline.Line{{Bench: "remote-write", Value: float64(sent) / cpu, Unit: "samples/cpu_s", Goal: 1_000_000, Higher: true, Note: "10,000 devices with 50 sensors each minute are 8,333 a second"}}
		})...)
	}
}
