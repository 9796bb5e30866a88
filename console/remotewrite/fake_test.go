package remotewrite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"plumb/fleet"
	"plumb/store"
)

// memory is a store of one sensor for each of a few devices.
type memory struct {
	mu      sync.Mutex
	snap    *fleet.Snapshot
	rows    []fleet.Readings // the batch of each is its place, from 1
	sent    map[string]uint64
	remarks []string
}

var sensorKeys = []fleet.SeriesKey{{Table: fleet.TableSensors, Row: "a"}, {Table: fleet.TablePorts, Row: "e1", Field: fleet.FieldCounter}}

func newMemory(devices int) *memory {
	def := &fleet.SensorDef{Key: "a", Name: "Inlet", Class: fleet.ClassTemperature, Unit: "C"}
	ids, rows := make([]string, devices), make([]fleet.Device, devices)
	for i := range ids {
		ids[i] = fmt.Sprintf("s%d", i)
		rows[i] = fleet.Device{Spec: &fleet.DeviceSpec{ID: ids[i], Region: "ams", Kind: fleet.KindServer}, Sensors: []fleet.Sensor{{SensorDef: def}}}
	}
	return &memory{snap: &fleet.Snapshot{Devices: fleet.NewTable(ids, rows)}, sent: map[string]uint64{}}
}

// poll commits one row of each device.
func (m *memory) poll(value int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.snap.Devices.All() {
		m.rows = append(m.rows, fleet.Readings{Target: id, At: time.Now(), Keys: sensorKeys, Values: []fleet.Num{fleet.Dec(value, -1), {N: -1, Known: true}}})
	}
}

func (m *memory) Snapshot() *fleet.Snapshot { return m.snap }

func (m *memory) Here() store.Place {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.rows) == 0 {
		return store.Place{}
	}
	return store.Place{Seq: uint64(len(m.rows)), At: m.rows[len(m.rows)-1].At}
}

func (m *memory) ReadingsSince(ctx context.Context, q store.Since, yield func(fleet.Readings) error) (store.Place, error) {
	here := m.Here()
	if here.Seq <= q.From.Seq {
		return q.From, nil
	}
	m.mu.Lock()
	rows := m.rows[q.From.Seq:here.Seq]
	m.mu.Unlock()
	for id := range m.snap.Devices.All() {
		for _, r := range rows {
			if r.Target == id && (q.Until.IsZero() || !r.At.After(q.Until)) && r.At.After(q.From.At.Add(-q.Late)) {
				if err := yield(r); err != nil {
					return q.From, err
				}
			}
		}
	}
	if !q.Until.IsZero() && q.Until.Before(here.At) {
		here = store.Place{Seq: q.From.Seq, At: q.Until}
	}
	return here, nil
}

func (m *memory) Sent(to string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent[to], nil
}

func (m *memory) KeepSent(_ context.Context, to string, seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent[to] = max(m.sent[to], seq)
	return nil
}

func (m *memory) Apply(_ context.Context, in ...fleet.Input) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range in {
		m.remarks = append(m.remarks, i.(fleet.Remark).Text)
	}
	return nil
}

// receiver is an engine as strict as Prometheus: it takes a request as a whole
// or not at all, and refuses one with a sample older than the newest of its
// series. One that it has is taken once more.
type receiver struct {
	t *testing.T

	mu       sync.Mutex
	status   int // of the next answers; 0: it works
	header   http.Header
	lose     bool // it takes the next request, and its answer is lost
	requests int
	last     *http.Request
	series   map[string][]point
}

type point struct {
	at    int64
	value float64
}

func (x *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		x.t.Error(err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests++
	x.last = r
	answer := func(status int, text string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: x.header, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
	if x.status != 0 {
		return answer(x.status, "not now")
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		x.t.Errorf("no snappy: %v", err)
	}
	found := decode(x.t, raw)
	newest := map[string]point{}
	for _, f := range found {
		n, ok := newest[f.labels]
		if old := x.series[f.labels]; !ok && len(old) > 0 {
			n, ok = old[len(old)-1], true
		}
		if ok && (f.at < n.at || f.at == n.at && f.value != n.value) {
			return answer(http.StatusBadRequest, "out of order sample")
		}
		newest[f.labels] = f.point
	}
	for _, f := range found {
		if old := x.series[f.labels]; len(old) == 0 || old[len(old)-1].at < f.at {
			x.series[f.labels] = append(old, f.point)
		}
	}
	if x.lose {
		x.lose = false
		return nil, io.ErrUnexpectedEOF
	}
	return answer(http.StatusNoContent, "")
}

type found struct {
	labels string
	point
}

// decode reads a WriteRequest, and complains about labels that are not sorted.
func decode(t *testing.T, b []byte) (out []found) {
	t.Helper()
	field := func(b []byte, tag byte) (value, rest []byte) {
		n, size := binary.Uvarint(b[1:])
		if b[0] != tag || size <= 0 || n > uint64(len(b)-1-size) {
			t.Fatalf("% x is no field %d", b[:min(len(b), 8)], tag>>3)
		}
		return b[1+size : 1+size+int(n)], b[1+size+int(n):]
	}
	for len(b) > 0 {
		var one, record []byte
		one, b = field(b, 1<<3|2)
		var labels []string
		for one[0] == 1<<3|2 {
			record, one = field(one, 1<<3|2)
			name, rest := field(record, 1<<3|2)
			value, rest := field(rest, 2<<3|2)
			if len(rest) > 0 || len(labels) > 0 && labels[len(labels)-1] >= string(name)+"=" {
				t.Errorf("label %s after %v", name, labels)
			}
			labels = append(labels, string(name)+"="+string(value))
		}
		sample, rest := field(one, 2<<3|2)
		at, size := binary.Uvarint(sample[10:])
		if len(rest) > 0 || sample[0] != 1<<3|1 || sample[9] != 2<<3 || 10+size != len(sample) {
			t.Fatalf("% x is no sample", sample)
		}
		out = append(out, found{strings.Join(labels, " "), point{int64(at), math.Float64frombits(binary.LittleEndian.Uint64(sample[1:]))}})
	}
	return out
}

// begin runs a writer until the function that it returns is called.
func begin(t *testing.T, m *memory, x *receiver, cfg Config) (w *Writer, end func()) {
	t.Helper()
	w = prepared(t, m, x, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	return w, func() { cancel(); <-done }
}

var log bytes.Buffer

func prepared(t *testing.T, m *memory, x *receiver, cfg Config) *Writer {
	t.Helper()
	cfg.Name, cfg.URL, cfg.Timeout = "far", &url.URL{Scheme: "http", Host: "far.example", Path: "/write"}, DefaultTimeout
	if x.series == nil {
		x.t, x.series = t, map[string][]point{}
	}
	log.Reset()
	w := New(cfg, m, time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
	w.client.Transport = x
	return w
}

// holds reports what is missing of what the store has.
func (x *receiver) holds(m *memory, labels func(id string) string) {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for id := range m.snap.Devices.All() {
		var want []point
		for _, r := range m.rows {
			if r.Target == id {
				want = append(want, point{r.At.UnixMilli(), r.Values[0].Float()})
			}
		}
		if got := x.series[labels(id)]; fmt.Sprint(got) != fmt.Sprint(want) {
			x.t.Errorf("%s: %d samples arrived of %d: %v", id, len(got), len(want), x.series)
		}
	}
}

func inlet(id string) string {
	return "__name__=plumb_sensor_temperature_celsius device=" + id + " name=Inlet region=ams sensor=a"
}
