package console

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/export"
	"plumb/views/viewstest"
)

func pagesOf(s *fleet.Snapshot) http.Handler {
	m := &Meters{Snapshot: func() *fleet.Snapshot { return s }, Pages: NewPages(func() *fleet.Snapshot { return s }, func() time.Time { return viewstest.At })}
	return m.Handler()
}

func scraped(t *testing.T, h http.Handler, url, encoding string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := w.Result()
	body := io.Reader(got.Body)
	if got.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return got, string(b)
}

func TestFleetPageOverHTTP(t *testing.T) {
	h := pagesOf(viewstest.Fleet())
	plain, text := scraped(t, h, "/fleet", "")
	zipped, same := scraped(t, h, "/fleet", "deflate, gzip;q=0.5")
	if zipped.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" || text != same {
		t.Error("zipped and plain differ, or neither is zipped")
	}
	if refused, _ := scraped(t, h, "/fleet", "gzip;q=0"); refused.Header.Get("Content-Encoding") != "" {
		t.Error("zipped for somebody who cannot read it")
	}
	if !strings.HasPrefix(plain.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Error(plain.Header)
	}
	for _, want := range []string{"plumb_device_state{", "plumb_capacity_used{", "plumb_rack_power_watts{", "plumb_instance_state{"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	_, one := scraped(t, h, "/fleet?class=temperature,fan&region=ams&device=ams1-r0[12]-s*&device=x", "")
	for line := range strings.Lines(one) {
		if !strings.HasPrefix(line, "#") && (!strings.Contains(line, `device="ams1-r01-s`) && !strings.Contains(line, `device="ams1-r02-s`) || strings.Contains(line, "_port_")) {
			t.Fatalf("not asked for: %s", line)
		}
	}
	if !strings.Contains(one, "plumb_sensor_temperature_celsius{") {
		t.Error("nothing of what was asked for")
	}
}

// A scrape that was taken counts as served, zipped or not.
func TestScrapesAreCounted(t *testing.T) {
	p := NewPages(viewstest.Fleet, time.Now)
	mux := http.NewServeMux()
	p.Register(mux)
	for i, encoding := range []string{"", "gzip"} {
		scraped(t, mux, "/fleet", encoding)
		if got := p.Results(); got["served"] != uint64(i+1) || got["left"]+got["cut"]+got["refused"] != 0 {
			t.Errorf("after %q: %v", encoding, got)
		}
	}
}

// Who leaves while it waits is not refused, and an answer that is too large is.
func TestScrapesThatGetNoAnswerAreCounted(t *testing.T) {
	p := NewPages(viewstest.Fleet, time.Now)
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequest(http.MethodGet, "/fleet", nil)
	p.queue.busy = append(p.queue.busy, peerOf(r)) // its only place is taken
	p.serve(httptest.NewRecorder(), r.WithContext(gone), nil)
	if got := p.Results(); got["left"] != 1 || got["refused"] != 0 {
		t.Errorf("after one left: %v", got)
	}
	p.queue.busy = nil
	w := httptest.NewRecorder()
	p.serve(w, r, func(io.Writer, time.Time) error { return errSpoolFull })
	if got := p.Results(); got["refused"] != 1 || w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "too large") {
		t.Errorf("too large: %v, %d %s", got, w.Code, w.Body)
	}
}

func TestFleetPageRefuses(t *testing.T) {
	h := pagesOf(viewstest.Fleet())
	for url, want := range map[string]string{
		"/fleet?class=heat":               "class=heat: no such class: temperature",
		"/fleet?device=[":                 "device=[: syntax error",
		"/fleet?rack=r01":                 "rack: no such filter",
		"/fleet?region=a&region=b":        "one region",
		"/fleet?class=" + many("fan", 99): "too many words",
		"/fleet?region=asm":               "region=asm: no such region",
		"/sd?kind=ssh":                    "ssh: no such kind: ipmi redfish snmp",
		"/sd?knid=ipmi":                   "knid: no such filter",
		"/sd?kind=ipmi&kind=snmp":         "kind is, once",
	} {
		if got, text := scraped(t, h, url, ""); got.StatusCode != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", url, got.StatusCode, text)
		}
	}
	for _, url := range []string{"/fleet", "/sd"} {
		if got, _ := scraped(t, pagesOf(nil), url, ""); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s while starting: %d", url, got.StatusCode)
		}
	}
}

func many(word string, n int) string { return strings.TrimSuffix(strings.Repeat(word+",", n), ",") }

func TestDiscoveryOverHTTP(t *testing.T) {
	s := &fleet.Snapshot{Devices: fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s1", Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "10.0.0.1:623"}}}}})}
	for url, want := range map[string]int{"/sd": 1, "/sd?kind=ipmi": 1, "/sd?kind=snmp": 0} {
		got, text := scraped(t, pagesOf(s), url, "")
		var list []export.TargetGroup
		if err := json.Unmarshal([]byte(text), &list); err != nil || list == nil || len(list) != want || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v %s", url, err, text)
		}
	}
}
