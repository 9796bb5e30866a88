package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

// serversFault breaks servers/detail only, on every page or on later ones.
func serversFault(later bool, f sim.Fault) func(sim.Call) sim.Fault {
	return func(c sim.Call) sim.Fault {
		if c.Path != "/v2.1/servers/detail" || later && !strings.Contains(c.Query, "marker=") {
			return sim.Fault{}
		}
		return f
	}
}

// TestHalfAnAnswer breaks the list of servers in every way, at once or on its
// second page: what was read is kept, the table says that it is not all, and
// the error says why.
func TestHalfAnAnswer(t *testing.T) {
	huge := append(append([]byte(`{"servers": [{"id": "`), bytes.Repeat([]byte("x"), 2<<20)...), `"}]}`...)
	for _, c := range []struct {
		name  string
		fault sim.Fault
		want  error
		text  string
	}{
		{"503", sim.Fault{Status: 503, RetryAfter: 7 * time.Second}, fleet.ErrBusy, "asks to wait 7s"},
		{"429", sim.Fault{Status: 429}, fleet.ErrBusy, "429"},
		{"500", sim.Fault{Status: 500}, fleet.ErrProtocol, "500"},
		{"502", sim.Fault{Status: 502}, fleet.ErrUnreachable, "502"},
		{"connection cut", sim.Fault{CutAfter: 500}, fleet.ErrProtocol, "ends in the middle"},
		{"garbage", sim.Fault{Body: []byte("<html>\x1b[2J")}, fleet.ErrProtocol, "no list of servers"},
		{"half of the JSON", sim.Fault{Body: []byte(`{"servers": [{"id": "a"`)}, fleet.ErrProtocol, "no list of servers"},
		{"other JSON", sim.Fault{Body: []byte(`{"servers": {"id": 1}}`)}, fleet.ErrProtocol, "no list of servers"},
		{"null", sim.Fault{Body: []byte(`null`)}, fleet.ErrProtocol, "no list of servers"},
		{"too deep", sim.Fault{Body: []byte(`{"servers": ` + strings.Repeat("[", 20000))}, fleet.ErrProtocol, ""},
		{"too large", sim.Fault{Body: huge}, fleet.ErrProtocol, "too large"},
		{"hang", sim.Fault{Delay: time.Hour}, fleet.ErrTimeout, ""},
	} {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s later=%v", c.name, later), func(t *testing.T) {
				w := newWorld(2, 150)
				w.breakWith(serversFault(later, c.fault))
				cfg := config(serve(t, w).AuthURL(), "admin")
				cfg.Limits.BodyBytes = 1 << 20
				if c.want == fleet.ErrTimeout {
					cfg.Timeout = 300 * time.Millisecond
				}
				obs := observe(t, probe(t, cfg), fleet.LaneFast)
				if !errors.Is(obs.Err, c.want) || !strings.Contains(obs.Err.Error(), c.text) {
					t.Errorf("error %v, want %v with %q", obs.Err, c.want, c.text)
				}
				if strings.ContainsAny(obs.Err.Error(), "\x1b\n") {
					t.Errorf("raw bytes in the error: %q", obs.Err)
				}
				rows, is := 0, fleet.Failed
				if later {
					rows, is = 100, fleet.Partial
				}
				if len(obs.Instances) != rows || obs.Tables[fleet.TableInstances] != is {
					t.Errorf("%d instances, %v; want %d, %v", len(obs.Instances), obs.Tables[fleet.TableInstances], rows, is)
				}
				if c.want == fleet.ErrProtocol && len(obs.Hosts) != 2 {
					t.Errorf("nonsense about servers cost the hosts")
				}
			})
		}
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	w := newWorld(1, 1)
	w.breakWith(serversFault(false, sim.Fault{Status: 503, RetryAfter: 30 * time.Second}))
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	now := time.Now()
	o.wire.now = func() time.Time { return now }
	obs := observe(t, o, fleet.LaneFast)
	var said interface{ RetryAfter() time.Duration }
	if !errors.As(obs.Err, &said) || said.RetryAfter() != 30*time.Second {
		t.Errorf("the error does not say how long to wait: %v", obs.Err)
	}
	asked := w.count("compute")
	now = now.Add(29 * time.Second)
	if obs = observe(t, o, fleet.LaneFast); !errors.Is(obs.Err, fleet.ErrBusy) || w.count("compute") != asked {
		t.Errorf("%v; asked %d times while it wanted quiet", obs.Err, w.count("compute")-asked)
	}
	w.breakWith(nil)
	now = now.Add(2 * time.Second)
	if obs = observe(t, o, fleet.LaneFast); obs.Err != nil || len(obs.Instances) != 1 {
		t.Errorf("after the wait: %v", obs.Err)
	}
}

func TestHostsDeniedOrBroken(t *testing.T) {
	hosts := func(f sim.Fault) func(sim.Call) sim.Fault {
		return func(c sim.Call) sim.Fault {
			if strings.HasPrefix(c.Path, "/v2.1/os-hypervisors") {
				return f
			}
			return sim.Fault{}
		}
	}
	for _, c := range []struct {
		status int
		is     fleet.Completeness
		sees   string
		err    error
	}{
		{403, fleet.Failed, "denied", nil},
		{404, fleet.Failed, "stale", fleet.ErrUnsupported},
		{500, fleet.Failed, "stale", fleet.ErrProtocol},
	} {
		w := newWorld(2, 3)
		o := probe(t, config(serve(t, w).AuthURL(), "admin"))
		observe(t, o, fleet.LaneSlow)
		w.breakWith(hosts(sim.Fault{Status: c.status}))
		obs := observe(t, o, fleet.LaneSlow)
		if obs.Tables[fleet.TableHosts] != c.is || obs.Facts.Get("sees.hosts") != c.sees {
			t.Errorf("%d: hosts %v, sees.hosts %q; want %v, %q", c.status, obs.Tables[fleet.TableHosts], obs.Facts.Get("sees.hosts"), c.is, c.sees)
		}
		if c.err == nil && obs.Err != nil || c.err != nil && !errors.Is(obs.Err, c.err) {
			t.Errorf("%d: error %v, want %v", c.status, obs.Err, c.err)
		}
		if len(obs.Instances) != 3 || obs.Tables[fleet.TableInstances] != fleet.Complete {
			t.Errorf("%d: instances suffered: %v", c.status, obs.Tables)
		}
	}
}

// TestGoneForAMoment: a proxy that says once that there is no such call. The
// rows stay, the next fast look asks again, and nothing is ever absent.
func TestGoneForAMoment(t *testing.T) {
	for _, path := range []string{"/v2.1/servers/detail", "/v2.1/os-hypervisors/detail"} {
		for _, status := range []int{404, 405, 410, 501} {
			for _, before := range []bool{true, false} { // seen before, and from the first look on
				w := newWorld(2, 5)
				o := probe(t, config(serve(t, w).AuthURL(), "admin"))
				if before {
					observe(t, o, fleet.LaneSlow)
				}
				w.breakWith(func(c sim.Call) sim.Fault {
					if c.Path == path {
						return sim.Fault{Status: status}
					}
					return sim.Fault{}
				})
				table, sees := fleet.TableInstances, "sees.instances"
				if strings.Contains(path, "hypervisors") {
					table, sees = fleet.TableHosts, "sees.hosts"
				}
				obs := observe(t, o, fleet.LaneFast)
				if obs.Tables[table] != fleet.Failed || !errors.Is(obs.Err, fleet.ErrUnsupported) {
					t.Errorf("%s %d: %s, error %v", path, status, tables(obs), obs.Err)
				}
				if want := map[bool]string{true: "stale", false: "unsupported"}[before]; obs.Facts.Get(sees) != want {
					t.Errorf("%s %d: %s is %q, want %q", path, status, sees, obs.Facts.Get(sees), want)
				}
				w.breakWith(nil)
				obs = observe(t, o, fleet.LaneFast)
				if obs.Err != nil || obs.Tables[table] != fleet.Complete || len(obs.Instances) != 5 || len(obs.Hosts) != 2 {
					t.Errorf("%s %d, well again: %s, %d instances, %d hosts, error %v", path, status, tables(obs), len(obs.Instances), len(obs.Hosts), obs.Err)
				}
			}
		}
	}
}

// TestOptionalGoneForAMoment: of what only some clouds have, one that was seen
// turns stale with an error; one that was never seen is no failure.
func TestOptionalGoneForAMoment(t *testing.T) {
	for _, before := range []bool{true, false} {
		w := newWorld(1, 1)
		o := probe(t, config(serve(t, w).AuthURL(), "admin"))
		if before {
			observe(t, o, fleet.LaneSlow)
		}
		w.breakWith(func(c sim.Call) sim.Fault {
			if c.Path == "/v2.1/os-server-groups" {
				return sim.Fault{Status: 404}
			}
			return sim.Fault{}
		})
		obs := observe(t, o, fleet.LaneSlow)
		if got, want := obs.Facts.Get("sees.groups"), map[bool]string{true: "stale", false: "unsupported"}[before]; got != want || (obs.Err != nil) != before {
			t.Errorf("seen before %v: sees.groups %q, want %q; error %v", before, got, want, obs.Err)
		}
	}
}

// hostile is an API that answers what the handler says, behind a login that
// works.
func hostile(t *testing.T, compute http.HandlerFunc) *OpenStack {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "the-token")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token": {"catalog": [{"type": "compute", "endpoints": [{"interface": "public", "region_id": "ams", "url": "%s/nova"}]}]}}`, srv.URL)
	})
	mux.HandleFunc("GET /nova/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"version": {"id": "v2.1", "version": "2.96"}}`)
	})
	mux.HandleFunc("/nova/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/servers/detail") {
			compute(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/os-hypervisors/detail") {
			_, _ = io.WriteString(w, `{"hypervisors": []}`)
			return
		}
		http.NotFound(w, r)
	})
	return probe(t, config(srv.URL+"/v3", "admin"))
}

func serverRow(i int) string {
	return fmt.Sprintf(`{"id": %q, "name": "n", "status": "ACTIVE", "OS-EXT-STS:power_state": 1}`, uuid(1, i))
}

func TestPagesThatLeadNowhere(t *testing.T) {
	for _, c := range []struct {
		name string
		page func(n int, q url.Values) string // rows and marker of the n-th answer
		rows int
		most int32 // requests
	}{
		{"the same page again", func(int, url.Values) string { return serverRow(1) + "|m1" }, 1, 2},
		{"the same rows under new markers", func(n int, _ url.Values) string { return serverRow(1) + fmt.Sprintf("|m%d", n) }, 1, 2},
		{"two markers in turn", func(n int, _ url.Values) string { return serverRow(n) + fmt.Sprintf("|m%d", n%2) }, 3, 3},
		{"no rows and a next page", func(n int, _ url.Values) string { return fmt.Sprintf("|m%d", n) }, 0, 1},
		{"for ever", func(n int, _ url.Values) string { return serverRow(n) + fmt.Sprintf("|m%d", n) }, 200, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n atomic.Int32
			o := hostile(t, func(w http.ResponseWriter, r *http.Request) {
				rows, marker, _ := strings.Cut(c.page(int(n.Add(1)), r.URL.Query()), "|")
				fmt.Fprintf(w, `{"servers": [%s], "servers_links": [{"rel": "next", "href": "http://elsewhere.invalid/?marker=%s"}]}`, rows, marker)
			})
			o.cfg.Limits.Rate, o.wire.rate = 1e6, 1e6
			obs := observe(t, o, fleet.LaneFast)
			if n.Load() > c.most {
				t.Errorf("%d requests, want at most %d", n.Load(), c.most)
			}
			is := fleet.Partial
			if c.rows == 0 {
				is = fleet.Failed
			}
			if len(obs.Instances) != c.rows || obs.Tables[fleet.TableInstances] != is {
				t.Errorf("%d instances, %v; want %d, %v", len(obs.Instances), obs.Tables[fleet.TableInstances], c.rows, is)
			}
		})
	}
}

// TestTokenStaysHome: neither a redirect nor a next link takes the token to
// another host.
func TestTokenStaysHome(t *testing.T) {
	var stolen atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen.Store(r.Header.Get("X-Auth-Token") != "" || stolen.Load())
		_, _ = io.WriteString(w, `{"servers": []}`)
	}))
	t.Cleanup(thief.Close)
	o := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	})
	if obs := observe(t, o, fleet.LaneFast); obs.Err == nil {
		t.Error("a redirect was followed")
	}
	o = hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("marker") {
			fmt.Fprintf(w, `{"servers": [%s]}`, serverRow(2))
			return
		}
		fmt.Fprintf(w, `{"servers": [%s], "servers_links": [{"rel": "next", "href": "%s/?marker=m"}]}`, serverRow(1), thief.URL)
	})
	if obs := observe(t, o, fleet.LaneFast); len(obs.Instances) != 2 {
		t.Errorf("%d instances", len(obs.Instances))
	}
	if stolen.Load() {
		t.Error("the token went to another host")
	}
}

func TestOddRows(t *testing.T) {
	o := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
		rows := []string{serverRow(1), `null`, `"text"`, `{"id": 7}`, `{"id": ""}`, `{"id": "a\u001bb", "name": "x"}`, `{"id": "` + strings.Repeat("i", 100) + `", "name": "x"}`,
			`{"id": "down-cell", "status": "UNKNOWN"}`, serverRow(1),
			`{"id": "s2", "name": "\u001b[31mred\u202e", "status": "ACTIVE\n", "metadata": {"a\u0007": "b\u009b"}, "OS-SRV-USG:launched_at": "yesterday"}`}
		_, _ = io.WriteString(w, `{"servers": [`+strings.Join(rows, ",")+`]}`)
	})
	obs := observe(t, o, fleet.LaneFast)
	if len(obs.Instances) != 2 || obs.Tables[fleet.TableInstances] != fleet.Partial || obs.Err != nil {
		t.Fatalf("%d instances, %v, %v", len(obs.Instances), obs.Tables[fleet.TableInstances], obs.Err)
	}
	if i := obs.Instances[1]; i.Name != "[31mred" || i.RunState != "ACTIVE" || i.Tags["a"] != "b" || !i.LaunchedAt.IsZero() {
		t.Errorf("uncleaned: %+v", i)
	}
}

// TestNothingLeaks looks many times at a cloud that breaks in turn, closes, and
// counts what is left.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(4, 150)
	s := serve(t, w)
	before := runtime.NumGoroutine()
	faults := []sim.Fault{{}, {Status: 500}, {CutAfter: 300}, {Body: []byte("x")}, {Delay: time.Hour}}
	for i := range 20 {
		cfg := config(s.AuthURL(), "admin")
		cfg.Timeout = 200 * time.Millisecond
		o, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		f := faults[i%len(faults)]
		w.breakWith(func(c sim.Call) sim.Fault {
			if c.Service == "identity" {
				return sim.Fault{}
			}
			return f
		})
		observe(t, o, fleet.LaneSlow)
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w.breakWith(nil)
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestCancel(t *testing.T) {
	w := newWorld(1, 1)
	w.breakWith(func(sim.Call) sim.Fault { return sim.Fault{Delay: time.Hour} })
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if obs, err := o.Observe(ctx, fleet.LaneFast); obs == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", obs, err)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &transport{now: time.Now, rate: 10, gates: map[string]*gate{}}
		r, _ := http.NewRequest("GET", "http://cloud/", nil)
		began := time.Now()
		for range 30 { // 10 at once, then 10 a second
			if err := pause(context.Background(), tr.reserve(tr.gate(r))); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began).Round(time.Millisecond); took != 2*time.Second {
			t.Errorf("30 requests at 10/s took %v", took)
		}
	})
}
