package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

func vector(values ...string) string {
	var rows []string
	for i, v := range values {
		rows = append(rows, fmt.Sprintf(`{"metric":{"__name__":"up","instance":"shop-%d:80"},"value":[1764237000.1,%q]}`, i, v))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(rows, ",") + `]}}`
}

func TestPrometheus(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		state  fleet.State
		text   string
		kind   error
	}{
		{"one", 200, vector("1"), fleet.StateOK, "the query says 1", nil},
		{"some", 200, vector("1", "0.5", "-2"), fleet.StateOK, "no value of 3 is 0", nil},
		{"zero", 200, vector("0"), fleet.StateCrit, `the query says 0 {instance="shop-0:80"}`, nil},
		{"one of them", 200, vector("1", "0", "NaN"), fleet.StateCrit, `1 of 3 values of the query are 0, first {instance="shop-1:80"}`, nil},
		{"NaN", 200, vector("NaN"), fleet.StateUnknown, `the query says no number {instance="shop-0:80"}`, nil},
		{"divided by nothing", 200, vector("1", "+Inf"), fleet.StateUnknown, `1 of 2 values of the query are no number, first {instance="shop-1:80"}`, nil},
		{"nothing", 200, vector(), fleet.StateUnknown, "the query has no result", nil},
		{"scalar", 200, `{"status":"success","data":{"resultType":"scalar","result":[1764237000.1,"1"]}}`, fleet.StateOK, "the query says 1", nil},
		{"false", 200, `{"status":"success","data":{"resultType":"scalar","result":[1764237000.1,"0"]}}`, fleet.StateCrit, "the query says 0", nil},
		{"matrix", 200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"histogram", 200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}`, fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"bad query", 400, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected character"}`, fleet.StateUnknown, "(blind)", fleet.ErrUnsupported},
		{"too slow", 503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, fleet.StateUnknown, "(blind)", fleet.ErrTimeout},
		{"garbage", 200, "\x00<html>", fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"proxy", 502, "<html>bad gateway", fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"refused", 401, "who are you", fleet.StateUnknown, "(blind)", fleet.ErrAuth},
		{"too much", 200, vector("1") + strings.Repeat(" ", 2<<20), fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"odd value", 200, vector("one"), fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
		{"value without time", 200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["1"]}]}}`, fleet.StateUnknown, "(blind)", fleet.ErrProtocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			probetest.NoLeaks(t)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/prom/api/v1/query" || r.FormValue("query") != `min(up{job="shop"})` || r.Header.Get("Authorization") != "Bearer tok" {
					t.Errorf("asked %s %v", r.URL, r.Header)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer srv.Close()
			state, text, o := ask(t, Config{Password: func(context.Context) (string, error) { return "tok", nil },
				HealthSpec: fleet.HealthSpec{Kind: fleet.HealthPrometheus, Address: srv.URL + "/prom/", Query: `min(up{job="shop"})`, Credential: "k", Timeout: patient}})
			if state != c.state || text != c.text || (o.Err == nil) != (c.kind == nil) || c.kind != nil && !errors.Is(o.Err, c.kind) {
				t.Errorf("%v %q, error %v; want %v %q, %v", state, text, o.Err, c.state, c.text, c.kind)
			}
			if sensor(o, fleet.SensorLatency) != nil {
				t.Error("how long Prometheus took is no latency of the workload")
			}
		})
	}
}

// A Prometheus that is down or hangs says nothing of the workload.
func TestPrometheusIsDown(t *testing.T) {
	probetest.NoLeaks(t)
	d := open(t, fleet.HealthPrometheus, nil)
	h := fleet.HealthSpec{Kind: fleet.HealthPrometheus, Address: "http://" + d.ln.Addr().String(), Query: "up", Timeout: 200 * time.Millisecond}
	d.Mute(true)
	if _, text, o := ask(t, Config{HealthSpec: h}); text != "(blind)" || !errors.Is(o.Err, fleet.ErrTimeout) {
		t.Errorf("%q %v", text, o.Err)
	}
	d.Stop()
	if _, text, o := ask(t, Config{HealthSpec: h}); text != "(blind)" || !errors.Is(o.Err, fleet.ErrUnreachable) {
		t.Errorf("%q %v", text, o.Err)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{vector("1", "NaN"), vector(), `{"status":"error","errorType":"x","error":"y"}`, `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, "[]", "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, err := parseQuery(b)
		if err != nil {
			return
		}
		x := judge(samples)
		if x.blind || x.text == "" || x.text != fleet.Clean(x.text, 1<<20) {
			t.Errorf("%+v", x)
		}
		zero, odd := false, len(samples) == 0
		for _, s := range samples {
			zero, odd = zero || s.value == 0, odd || s.value != s.value || s.value-s.value != 0
		}
		if want := map[bool]fleet.State{true: fleet.StateCrit}[zero]; zero && x.state != want || !zero && odd != (x.state == fleet.StateUnknown) {
			t.Errorf("%v is %v", samples, x.state)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("ok | a=1\nmore", "")
	f.Add("\n\x1b[1m\xff", "err")
	f.Fuzz(func(t *testing.T, out, bad string) {
		m := message(saidOf(out, bad))
		if m != fleet.Clean(m, fleet.MaxText) || strings.ContainsAny(m, "|\n") {
			t.Errorf("%q", m)
		}
	})
}
