package remotewrite

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

var onlyHeat = Config{Match: Match{Class: []string{"temperature"}}}

// What is read from the first start on arrives, in order, with its labels.
func TestTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(3), &receiver{}
		w, end := begin(t, m, x, Config{Labels: map[string]string{"cluster": "eu", "device": "mine"}, Headers: map[string]string{"X-Scope-OrgID": "plumb"},
			Username: "ann", Password: func(context.Context) (string, error) { return "hush", nil }})
		for i := range int64(20) {
			time.Sleep(10 * time.Second)
			m.poll(200 + i)
		}
		end()
		x.holds(m, func(id string) string {
			return "__name__=plumb_sensor_temperature_celsius cluster=eu device=" + id + " name=Inlet region=ams sensor=a"
		})
		octets := x.series["__name__=plumb_port_in_bytes_total cluster=eu device=s0 port=e1 region=ams"]
		if len(octets) != 20 || octets[0].value != 1<<64 {
			t.Errorf("%v: a counter has 64 bits and no sign", octets)
		}
		if s := w.Stats(); s.Sent != 120 || s.Refused+s.Failed+s.Nameless != 0 {
			t.Errorf("%+v", s)
		}
		user, secret, _ := x.last.BasicAuth()
		if user != "ann" || secret != "hush" || x.last.Header.Get("X-Scope-OrgID") != "plumb" || x.last.Header.Get("Content-Encoding") != "snappy" || x.last.Header.Get("X-Prometheus-Remote-Write-Version") != "0.1.0" {
			t.Errorf("%v", x.last.Header)
		}
	})
}

// An outage of an hour costs nothing but time: the receiver is away, refuses us at the door,
// or is busy, and everything is there afterwards.
func TestOutage(t *testing.T) {
	for _, status := range []int{500, 503, 429, 401, 403, 404, 302} {
		synctest.Test(t, func(t *testing.T) {
			m, x := newMemory(2), &receiver{}
			w, end := begin(t, m, x, Config{Match: onlyHeat.Match, Password: func(context.Context) (string, error) { return "hush", nil }})
			for i := range int64(80) {
				time.Sleep(time.Minute)
				m.poll(i)
				x.mu.Lock()
				x.status = 0
				if i >= 10 && i < 70 {
					x.status = status
				}
				x.mu.Unlock()
			}
			time.Sleep(time.Minute)
			end()
			x.holds(m, inlet)
			if s := w.Stats(); s.Failed < 60 || s.Failed > 200 || s.Behind > time.Minute {
				t.Errorf("%d: %+v", status, s)
			}
			if len(m.remarks) != 2 || !strings.Contains(m.remarks[0], "far takes no readings: status") || !strings.Contains(m.remarks[1], "takes readings again after") {
				t.Errorf("%d: the timeline says %q", status, m.remarks)
			}
			if text := log.String(); strings.Contains(text, "hush") || strings.Count(text, "level=ERROR") != 1 {
				t.Errorf("%s", text)
			}
		})
	}
}

// What a receiver takes after an hour was read an hour ago: it is said to be
// behind by that, not to have caught up.
func TestBehindAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(2), &receiver{status: 503}
		w := prepared(t, m, x, onlyHeat)
		if err := w.resume(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		m.poll(1)
		go func() {
			for i := range int64(60) {
				time.Sleep(time.Minute)
				m.poll(i)
			}
			x.mu.Lock()
			x.status = 0
			x.mu.Unlock()
		}()
		w.step(t.Context())
		if s := w.Stats(); s.Behind < 59*time.Minute {
			t.Errorf("%+v", s)
		}
		for w.step(t.Context()) {
		}
		if s := w.Stats(); s.Behind > time.Minute {
			t.Errorf("caught up, it says %+v", s)
		}
		x.holds(m, inlet)
	})
}

// Retry-After is obeyed, within bounds.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(1), &receiver{status: 429, header: http.Header{"Retry-After": {"120"}}}
		_, end := begin(t, m, x, onlyHeat)
		time.Sleep(time.Second)
		m.poll(1)
		time.Sleep(10 * time.Minute)
		end()
		if x.requests > 7 { // six, and a last one at the end
			t.Errorf("%d requests in ten minutes", x.requests)
		}
	})
}

// A process that is killed tells once more what it may have told, and nothing is
// missed, although the receiver refuses a request with a single old sample.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(5), &receiver{}
		for i := range int64(30) {
			w := prepared(t, m, x, onlyHeat)
			if err := w.resume(); err != nil {
				t.Fatal(err)
			}
			for n := range 1 + i%4 {
				m.poll(10*i + n)
				time.Sleep(7 * time.Second)
				if n == 1 {
					x.lose = true // the answer does not arrive
				}
				w.step(t.Context())
			}
			w.keep(t.Context(), i%3 == 0) // else it is killed before it can
			m.poll(10*i + 9)
			time.Sleep(time.Second)
		}
		_, end := begin(t, m, x, onlyHeat)
		time.Sleep(2 * time.Second)
		end()
		x.holds(m, inlet)
	})
}

// What the receiver does not want is dropped alone, counted and said once.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(40), &receiver{}
		w, end := begin(t, m, x, onlyHeat)
		time.Sleep(time.Second)
		m.poll(1)
		x.mu.Lock()
		x.series[inlet("s7")] = []point{{time.Now().Add(90 * time.Second).UnixMilli(), 5}} // it has one of the future
		x.mu.Unlock()
		for range 5 {
			time.Sleep(time.Minute)
			m.poll(2)
		}
		time.Sleep(2 * time.Second)
		end()
		if s := w.Stats(); s.Refused != 2 || s.Sent != 40*6-2 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
		if len(m.remarks) != 1 || !strings.Contains(m.remarks[0], "far refuses readings: status 400: out of order sample") {
			t.Errorf("%q", m.remarks)
		}
	})
}

// What left the inventory has no name any more; what is not selected is not told.
func TestLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(2), &receiver{}
		w, end := begin(t, m, x, Config{Match: Match{Select: map[string]string{"kind": "switch"}}})
		time.Sleep(time.Second)
		m.poll(1)
		time.Sleep(5 * time.Second)
		end()
		if x.requests != 0 || w.Stats().Sent != 0 {
			t.Errorf("%d requests", x.requests)
		}
		m.snap.Devices.At(0).Sensors = nil
		w, end = begin(t, m, x, onlyHeat)
		time.Sleep(time.Second)
		m.poll(2)
		time.Sleep(5 * time.Second)
		end()
		if s := w.Stats(); s.Nameless != 1 || s.Sent != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A secret that cannot be had is an outage, and no panic.
func TestNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(1), &receiver{}
		w, end := begin(t, m, x, Config{Password: func(context.Context) (string, error) { return "", errors.New("no such file") }})
		time.Sleep(time.Second)
		m.poll(1)
		time.Sleep(time.Minute)
		end()
		if x.requests != 0 || w.Stats().Failed == 0 {
			t.Errorf("%d requests, %+v", x.requests, w.Stats())
		}
	})
}

// Memory is bounded by what went out of late.
func TestForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, x := newMemory(3), &receiver{}
		w, end := begin(t, m, x, onlyHeat)
		for i := range int64(1000) {
			time.Sleep(10 * time.Second)
			m.poll(i)
		}
		end()
		if n := len(w.recent["s1"]); n > 10 || cap(w.rows) > 100 {
			t.Errorf("%d times are remembered, room for %d rows", n, cap(w.rows))
		}
	})
}

// A row is named like the series of the verb: by the device and its part.
func TestEncodesStates(t *testing.T) {
	def := &fleet.SensorDef{Key: "ps", Name: "PS1", Class: fleet.ClassState}
	d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "s1"}, Sensors: []fleet.Sensor{{SensorDef: def}}, Outlets: []fleet.Outlet{{Index: 3}}}
	keys := []fleet.SeriesKey{{Table: fleet.TableSensors, Row: "ps", Field: fleet.FieldState}, {Table: fleet.TableOutlets, Row: "3", Field: fleet.FieldCurrent}, {Table: fleet.TableOutlets, Row: "3", Field: fleet.FieldPower}, {Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}}
	r := fleet.Readings{Target: "s1", At: time.UnixMilli(1_700_000_000_123), Keys: keys, Values: []fleet.Num{fleet.Int(int64(fleet.StateCrit)), fleet.Dec(15, -1), {}, fleet.Int(210)}}
	b, n, nameless := newEncoder(&Match{}, nil).row(nil, d, &r)
	if n != 3 || nameless != 0 {
		t.Errorf("%d samples, %d without a name", n, nameless)
	}
	want := []found{
		{"__name__=plumb_sensor_state device=s1 name=PS1 sensor=ps", point{1_700_000_000_123, 2}},
		{"__name__=plumb_outlet_current_amperes device=s1 outlet=3", point{1_700_000_000_123, 1.5}},
		{"__name__=plumb_device_power_watts device=s1", point{1_700_000_000_123, 210}},
	}
	for i, got := range decode(t, b) {
		if got != want[i] {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
}

// A receiver may say what it was told: its words are in the log and the timeline.
func TestSecretIsNotToldOn(t *testing.T) {
	for _, user := range []string{"", "plumb"} {
		w := New(Config{URL: &url.URL{Scheme: "http", Host: "r"}, Username: user, Password: func(context.Context) (string, error) { return "hush-hush", nil }}, newMemory(1), 0, slog.New(slog.DiscardHandler))
		sent := ""
		for _, status := range []int{400, 401, 500} {
			w.client.Transport = trip(func(r *http.Request) *http.Response {
				_, sent, _ = strings.Cut(r.Header.Get("Authorization"), " ")
				return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("bad credential hush-\x00hush " + sent))}
			})
			err := w.post(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), "bad credential") || strings.Contains(err.Error(), "hush-hush") || strings.Contains(err.Error(), sent) {
				t.Errorf("%d to %q: %v", status, user, err)
			}
		}
	}
}

// trip answers requests.
type trip func(*http.Request) *http.Response

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }
