package health

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// ask asks once and gives back what the workload's word was.
func ask(t *testing.T, c Config) (state fleet.State, text string, o *fleet.Observation) {
	t.Helper()
	c.Target = "shop"
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if o, err = p.Observe(t.Context(), fleet.LaneFast); err != nil {
		t.Fatal(err)
	}
	state, text, ok := o.Word()
	if !ok {
		text = "(blind)"
	}
	return state, text, o
}

// patient is how long is waited for what answers; short for what never does.
const (
	patient = 20 * time.Second
	short   = 300 * time.Millisecond
)

func spec(address string) fleet.HealthSpec {
	return fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: address, Timeout: patient}
}

func TestPages(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		w.WriteHeader(code)
		fmt.Fprintf(w, "database is\x1b[31m down, key %s\nstack", r.Header.Get("X-Key"))
	})
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		fmt.Fprint(w, "<!DOCTYPE html><p>oops")
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.FormValue("x"), http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		for range 100 {
			fmt.Fprint(w, ".")
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		fmt.Fprint(w, "well")
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		block := strings.Repeat("x", 64<<10)
		for range 1000 {
			if _, err := fmt.Fprint(w, block); err != nil {
				return
			}
		}
		fmt.Fprint(w, "well")
	})
	mux.HandleFunc("/edge", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 4<<10-2)+"we")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "ll")
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, " ", r.Header.Get("Authorization"), " ", r.Header.Get("X-Key"))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for _, c := range []struct {
		name, path string
		with       func(*Config)
		state      fleet.State
		text       string
		kind       error // of the observation; nil: none
	}{
		{"ok", "/status/204", nil, fleet.StateOK, "HTTP 204", nil},
		{"sick", "/status/500", nil, fleet.StateCrit, "HTTP 500 Internal Server Error: database is[31m down, key", nil},
		{"html", "/html", nil, fleet.StateCrit, "HTTP 500 Internal Server Error", nil},
		{"wanted", "/status/404", func(c *Config) { c.Statuses = []fleet.StatusRange{{From: 200, To: 299}, {From: 404, To: 404}} }, fleet.StateOK, "HTTP 404", nil},
		{"unwanted", "/status/200", func(c *Config) { c.Statuses = []fleet.StatusRange{{From: 204, To: 204}} }, fleet.StateCrit, "HTTP 200 OK: database is[31m down, key", nil},
		{"redirect", "/to?x=/status/200", nil, fleet.StateCrit, "HTTP 302 Found", nil},
		{"followed", "/to?x=/status/200", func(c *Config) { c.Follow = true }, fleet.StateOK, "HTTP 200", nil},
		{"in a circle", "/round", func(c *Config) { c.Follow = true }, fleet.StateCrit, "it redirects in a circle", nil},
		{"away", "/to?x=http://localhost:1/", func(c *Config) { c.Follow = true }, fleet.StateCrit, "it redirects to another host", nil},
		{"body", "/edge", func(c *Config) { c.Body = "well" }, fleet.StateOK, "HTTP 200", nil},
		{"no such text", "/edge", func(c *Config) { c.Body = "Well" }, fleet.StateCrit, "HTTP 200, without the text that is expected in it", nil},
		{"slow page", "/drip", func(c *Config) { c.Body, c.Timeout = "well", time.Second }, fleet.StateCrit, "HTTP 200, and then no answer in 1s", fleet.ErrTimeout},
		{"slow page that nobody reads", "/drip", nil, fleet.StateOK, "HTTP 200", nil},
		{"huge page", "/huge", func(c *Config) { c.Body = "well" }, fleet.StateCrit, "HTTP 200, without the text that is expected in it", nil},
		{"hangs", "/hang", func(c *Config) { c.Timeout = short }, fleet.StateCrit, "no answer in 300ms", fleet.ErrTimeout},
		{"secret comes back", "/status/503", func(c *Config) {
			c.Header, c.Credential, c.Password = "X-Key", "k", func(context.Context) (string, error) { return "hunter22", nil }
		}, fleet.StateCrit, "HTTP 503 Service Unavailable: database is[31m down, key (secret)", nil},
		{"credential refused", "/status/401", func(c *Config) {
			c.Credential, c.Password = "k", func(context.Context) (string, error) { return "hunter22", nil }
		}, fleet.StateUnknown, "(blind)", fleet.ErrAuth},
		{"refused with none", "/status/403", nil, fleet.StateCrit, "HTTP 403 Forbidden: database is[31m down, key", nil},
		{"secret not there", "/status/200", func(c *Config) {
			c.Credential, c.Password = "k", func(context.Context) (string, error) { return "", errors.New("no file") }
		}, fleet.StateUnknown, "(blind)", fleet.ErrUnsupported},
		{"basic and host", "/who", func(c *Config) {
			c.Credential, c.Username, c.Password = "k", "ann", func(context.Context) (string, error) { return "pw", nil }
			c.Headers, c.Body = map[string]string{"host": "shop.example"}, "shop.example Basic YW5uOnB3"
		}, fleet.StateOK, "HTTP 200", nil},
		{"bearer", "/who", func(c *Config) {
			c.Credential, c.Password, c.Body = "k", func(context.Context) (string, error) { return "tok", nil }, "Bearer tok"
		}, fleet.StateOK, "HTTP 200", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			probetest.NoLeaks(t)
			cfg := Config{HealthSpec: spec(srv.URL + c.path)}
			if c.with != nil {
				c.with(&cfg)
			}
			state, text, o := ask(t, cfg)
			if state != c.state || text != c.text || (o.Err == nil) != (c.kind == nil) || c.kind != nil && !errors.Is(o.Err, c.kind) {
				t.Errorf("%v %q, error %v; want %v %q, %v", state, text, o.Err, c.state, c.text, c.kind)
			}
			if o.Took > cfg.Timeout+5*time.Second {
				t.Errorf("it took %v", o.Took)
			}
			if latency := sensor(o, fleet.SensorLatency); state == fleet.StateOK && (latency == nil || latency.Value.Float() <= 0 || latency.Value.Float() > 1000) {
				t.Errorf("latency %+v", latency)
			}
		})
	}
}

// Another port of the same host is somebody else, who is told no credential.
func TestRedirectsStay(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer srv.Close()
	c := Config{HealthSpec: spec(srv.URL), Password: func(context.Context) (string, error) { return "hunter22", nil }}
	c.Follow, c.Credential = true, "k"
	if state, text, _ := ask(t, c); asked || state != fleet.StateCrit || text != errAway.Error() {
		t.Errorf("%v %q, the other was asked: %v", state, text, asked)
	}
	for _, x := range []struct {
		from, to string
		near     bool
	}{
		{"http://shop/a", "http://SHOP:80/b", true}, {"http://shop/", "https://shop/", true}, {"http://shop:8080/", "https://shop/", false},
		{"http://shop/", "https://shop:8443/", false}, {"https://shop/", "https://shop:444/", false}, {"http://shop/", "http://shop.example/", false},
		{"https://shop:443/", "https://shop/", true}, {"http://shop:443/", "https://shop/", true},
	} {
		from, _ := url.Parse(x.from)
		to, _ := url.Parse(x.to)
		if near(from, to) != x.near {
			t.Errorf("from %s to %s: %v", x.from, x.to, !x.near)
		}
	}
}

func sensor(o *fleet.Observation, key string) *fleet.Sensor {
	for i := range o.Sensors {
		if o.Sensors[i].Key == key {
			return &o.Sensors[i]
		}
	}
	return nil
}

// What is no HTTP at all, or ends early.
func TestGarbage(t *testing.T) {
	for _, c := range []struct {
		name, say, text string
	}{
		{"nonsense", "\x00\xff\x1b[2J\r\n\r\n", "no answer that makes sense"},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Le", "no answer that makes sense"},
		{"nothing", "", "it closed the connection without an answer"},
		{"endless header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 128<<10), "no answer that makes sense"},
		{"not TLS", "HTTP/1.0 400 Bad Request\r\n\r\n", "it does not speak TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			probetest.NoLeaks(t)
			d := open(t, fleet.HealthHTTP, func(conn net.Conn) {
				_, _ = bufio.NewReader(conn).ReadByte()
				fmt.Fprint(conn, c.say)
				_ = conn.(*net.TCPConn).CloseWrite()
				_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
				_, _ = conn.Read(make([]byte, 1<<10)) // unread bytes would reset what was sent
			})
			address := "http://" + d.ln.Addr().String()
			if c.name == "not TLS" {
				address = "https://" + d.ln.Addr().String()
			}
			state, text, o := ask(t, Config{HealthSpec: spec(address)})
			if state != fleet.StateCrit || !strings.HasPrefix(text, c.text) || !errors.Is(o.Err, fleet.ErrProtocol) || o.Tables[fleet.TableSensors] != fleet.Partial {
				t.Errorf("%v %q, error %v", state, text, o.Err)
			}
			if text != fleet.Clean(text, fleet.MaxText) {
				t.Errorf("not clean: %q", text)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	probetest.NoLeaks(t)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	defer srv.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	named := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		name, url string
		with      func(*fleet.HealthSpec)
		state     fleet.State
		text      string
	}{
		{"trusted", srv.URL, func(h *fleet.HealthSpec) { h.CAs = ca }, fleet.StateOK, "HTTP 200"},
		{"nobody's", srv.URL, func(*fleet.HealthSpec) {}, fleet.StateCrit, "its certificate is signed by nobody that is trusted"},
		{"another's", named, func(h *fleet.HealthSpec) { h.CAs = ca }, fleet.StateCrit, "its certificate is not for this name"},
		{"by another name", named, func(h *fleet.HealthSpec) { h.CAs, h.ServerName = ca, "example.com" }, fleet.StateOK, "HTTP 200"},
		{"believed", srv.URL, func(h *fleet.HealthSpec) { h.Insecure = true }, fleet.StateOK, "HTTP 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := spec(c.url)
			c.with(&h)
			state, text, o := ask(t, Config{HealthSpec: h})
			if state != c.state || !strings.HasPrefix(text, c.text) {
				t.Errorf("%v %q, error %v", state, text, o.Err)
			}
			if end := o.Facts.Get(fleet.FactTLSExpires); state == fleet.StateOK && end != srv.Certificate().NotAfter.UTC().Format(time.RFC3339) {
				t.Errorf("the certificate ends %q", end)
			}
		})
	}
}

// Nothing of the environment leads a look elsewhere, and what may be secret in an
// address stands nowhere.
func TestAddressAndProxy(t *testing.T) {
	d := open(t, fleet.HealthHTTP, nil)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	o, err := d.Probe().Observe(t.Context(), fleet.LaneFast)
	if err != nil || o.Err != nil {
		t.Fatalf("%v, %v", err, o.Err)
	}
	if asked := o.Facts.Get(fleet.FactAsked); asked != "http://"+d.ln.Addr().String()+"/health" {
		t.Errorf("asked %q", asked)
	}
	d.Stop()
	if o, _ = d.Probe().Observe(t.Context(), fleet.LaneFast); strings.Contains(o.Err.Error(), "s3cret") {
		t.Errorf("a token stands in %v", o.Err)
	}
}

func TestTCP(t *testing.T) {
	probetest.NoLeaks(t)
	d := open(t, fleet.HealthTCP, nil)
	h := fleet.HealthSpec{Kind: fleet.HealthTCP, Address: d.ln.Addr().String(), Timeout: patient}
	if state, text, o := ask(t, Config{HealthSpec: h}); state != fleet.StateOK || sensor(o, fleet.SensorLatency) == nil {
		t.Errorf("%v %q", state, text)
	}
	d.Stop()
	if state, text, o := ask(t, Config{HealthSpec: h}); state != fleet.StateCrit || text != "connection refused" || !errors.Is(o.Err, fleet.ErrUnreachable) {
		t.Errorf("%v %q %v", state, text, o.Err)
	}
	h.Address = "no-such-name.invalid:80"
	if state, text, o := ask(t, Config{HealthSpec: h}); text != "(blind)" || state != fleet.StateUnknown || o.Tables[fleet.TableSensors] != fleet.Failed || !errors.Is(o.Err, fleet.ErrUnreachable) {
		t.Errorf("%v %q %v", state, text, o.Err)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		key  string
		spec fleet.HealthSpec
	}{
		{"health", fleet.HealthSpec{Kind: "smoke", Address: "x"}},
		{"http", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "shop/health"}},
		{"http", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://ann:pw@shop/"}},
		{"http", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop/#x"}},
		{"tcp", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop"}},
		{"tcp", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:99999"}},
		{"exec", fleet.HealthSpec{Kind: fleet.HealthExec}},
		{"prometheus", fleet.HealthSpec{Kind: fleet.HealthPrometheus, Address: "http://p:9090"}},
		{"body", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Body: "x"}},
		{"credential", fleet.HealthSpec{Kind: fleet.HealthExec, Command: []string{"x"}, Credential: "c"}},
		{"timeout", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Every: 5 * time.Second, Timeout: 6 * time.Second}},
		{"every", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Every: time.Millisecond}},
		{"every", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Every: 2 * time.Hour}},
		{"timeout", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Every: 15 * time.Second, Timeout: 10 * time.Second}},
		{"retry", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Every: 5 * time.Second, Retry: 6 * time.Second}},
		{"attempts", fleet.HealthSpec{Kind: fleet.HealthTCP, Address: "shop:80", Attempts: -1}},
		{"status", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Statuses: []fleet.StatusRange{{From: 299, To: 200}}}},
		{"headers", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Headers: map[string]string{"authorization": "x"}}},
		{"headers", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Headers: map[string]string{"X": "a\r\nb"}}},
		{"headers", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Headers: map[string]string{"X-Api-Key": "a"}}},
		{"headers", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Headers: map[string]string{"cookie": "session=1"}}},
		{"header", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://shop", Header: "X-Key"}},
		{"tls", fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "https://shop", CAs: "rubbish"}},
	} {
		err := Check(&c.spec)
		var f *Fault
		if !errors.As(err, &f) || f.Key != c.key || !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v, want a fault of %s", c.spec, err, c.key)
		}
		if _, err := New(Config{Target: "x", HealthSpec: c.spec}); !errors.Is(err, ErrConfig) {
			t.Errorf("New takes %+v", c.spec)
		}
	}
}
