package cloud

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"

	"plumb/fleet"
)

// cached answers every request as a cloud did the first time, so that a
// benchmark measures the probe and next to nothing of the cloud.
func cached(b *testing.B, upstream string) *httptest.Server {
	type answer struct {
		status int
		header http.Header
		body   []byte
	}
	var mu sync.Mutex
	seen := map[string]answer{}
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Method + r.URL.String()
		mu.Lock()
		a, ok := seen[key]
		mu.Unlock()
		if !ok {
			req, _ := http.NewRequest(r.Method, upstream+r.URL.String(), r.Body)
			req.Header = r.Header.Clone()
			req.Header.Set("Accept-Encoding", "identity")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			defer resp.Body.Close()
			raw, _ := io.ReadAll(resp.Body)
			a = answer{resp.StatusCode, resp.Header.Clone(), []byte(strings.ReplaceAll(string(raw), upstream, srv.URL))}
			a.header.Del("Content-Length")
			mu.Lock()
			seen[key] = a
			mu.Unlock()
		}
		for k, v := range a.header {
			w.Header()[k] = v
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	}))
	b.Cleanup(srv.Close)
	return srv
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// benchLook measures looks at a region of 600 instances on 120 hosts.
func benchLook(b *testing.B, lane fleet.Lane) {
	srv := cached(b, "http://"+serve(b, newWorld(120, 600)).Addr())
	cfg := config(srv.URL+"/v3", "admin")
	cfg.Limits.Rate = 1e6
	o := probe(b, cfg)
	if obs := observe(b, o, fleet.LaneSlow); obs.Err != nil || len(obs.Instances) != 600 || len(obs.Hosts) != 120 {
		b.Fatal(obs.Err)
	}
	b.ReportAllocs()
	cpu := cpuSeconds()
	for b.Loop() {
		if obs := observe(b, o, lane); obs.Err != nil {
			b.Fatal(obs.Err)
		}
	}
	b.ReportMetric((cpuSeconds()-cpu)*1e3/float64(b.N), "cpu-ms/op")
}

func BenchmarkFastLook(b *testing.B) { benchLook(b, fleet.LaneFast) }
func BenchmarkSlowLook(b *testing.B) { benchLook(b, fleet.LaneSlow) }

// BenchmarkSimulated is a fast look with the simulated cloud's own work in it.
func BenchmarkSimulated(b *testing.B) {
	cfg := config(serve(b, newWorld(120, 600)).AuthURL(), "admin")
	cfg.Limits.Rate = 1e6
	o := probe(b, cfg)
	observe(b, o, fleet.LaneSlow)
	b.ReportAllocs()
	cpu := cpuSeconds()
	for b.Loop() {
		if obs := observe(b, o, fleet.LaneFast); obs.Err != nil {
			b.Fatal(obs.Err)
		}
	}
	b.ReportMetric((cpuSeconds()-cpu)*1e3/float64(b.N), "cpu-ms/op")
}

// BenchmarkRow is one server's row, which is where a look's time goes.
func BenchmarkRow(b *testing.B) {
	o := probe(b, config(serve(b, newWorld(1, 1)).AuthURL(), "admin"))
	observe(b, o, fleet.LaneFast)
	rows, _, err := o.page(b.Context(), source{o.session.compute, "servers/detail", "servers"}, url.Values{})
	if err != nil || len(rows) != 1 {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(rows[0])))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := parseServer(rows[0]); err != nil {
			b.Fatal(err)
		}
	}
}
