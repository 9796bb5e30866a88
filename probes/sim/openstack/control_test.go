package openstack

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestActions(t *testing.T) {
	w := newWorld(3)
	s := start(t, w, nil)
	tok := token(t, s, "admin", "secret", "admin")
	url := endpoint(t, s, tok, "compute", "ams") + "/servers/" + derivedUUID("server", "0")
	do := func(body string) answer {
		return raw(t, "POST", url+"/action", body, "X-Auth-Token", tok)
	}
	show := func() (string, any) {
		m := raw(t, "GET", url, "", "X-Auth-Token", tok).body["server"].(map[string]any)
		return m["status"].(string), m["OS-EXT-STS:task_state"]
	}
	if a := do(`{"os-start": null}`); a.status != 409 || a.body["conflictingRequest"] == nil {
		t.Errorf("start of a running server: %d %s", a.status, a.text)
	}
	for _, bad := range []string{`{"explode": null}`, `{}`, `{"reboot": {}}`, `[]`} {
		if a := do(bad); a.status != 400 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	if a := do(`{"os-stop": null}`); a.status != 202 {
		t.Fatalf("stop: %d %s", a.status, a.text)
	}
	eventually(t, "SHUTOFF", func() bool { st, task := show(); return st == "SHUTOFF" && task == nil })

	w.hostUp(0, false)
	if a := do(`{"os-start": null}`); a.status != 202 {
		t.Fatalf("start on a dead host: %d, a real cloud accepts it", a.status)
	}
	if a := do(`{"os-start": null}`); a.status != 409 || !strings.Contains(a.text, "task_state powering-on") {
		t.Errorf("second start while one is under way: %d %s", a.status, a.text)
	}
	if st, task := show(); st != "SHUTOFF" || task != "powering-on" {
		t.Errorf("on a dead host: %s, task %v", st, task)
	}
	w.hostUp(0, true)
	eventually(t, "ACTIVE after the host came back", func() bool { st, task := show(); return st == "ACTIVE" && task == nil })
}

func TestFaults(t *testing.T) {
	var fault Fault
	s := start(t, newWorld(3), func(c *Config) {
		c.Fault = func(call Call) Fault {
			if call.Service != "compute" || call.Path != "/v2.1/servers/detail" {
				return Fault{}
			}
			return fault
		}
	})
	tok := token(t, s, "admin", "secret", "admin")
	url := endpoint(t, s, tok, "compute", "ams") + "/servers/detail"
	fault = Fault{Status: 503, RetryAfter: 7 * time.Second}
	a := raw(t, "GET", url, "", "X-Auth-Token", tok)
	if a.status != 503 || a.header.Get("Retry-After") != "7" || a.body["serviceUnavailable"] == nil {
		t.Errorf("503: %d %v %s", a.status, a.header, a.text)
	}
	fault = Fault{CutAfter: 40}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	req.Header.Set("X-Auth-Token", tok)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err == nil || len(got) > 40 {
		t.Errorf("cut answer read whole: %d bytes, %v", len(got), err)
	}
}

// TestEvacuate: only an admin may, and only from a host that is down.
func TestEvacuate(t *testing.T) {
	w := newWorld(10)
	s := start(t, w, nil)
	admin, guest := token(t, s, "admin", "secret", "admin"), token(t, s, "guest", "guest", "guest")
	servers := endpoint(t, s, admin, "compute", "ams") + "/servers/"
	do := func(tok, server, version string) answer {
		return raw(t, "POST", servers+server+"/action", `{"evacuate": {}}`, "X-Auth-Token", tok, "OpenStack-API-Version", "compute "+version)
	}
	first := derivedUUID("server", "0")
	if a := do(admin, first, "2.94"); a.status != 400 || !strings.Contains(a.text, "still in use") {
		t.Errorf("while the host is up: %d %s", a.status, a.text)
	}
	w.hostUp(0, false)
	if a := do(admin, first, "2.13"); a.status != 400 || !strings.Contains(a.text, "onSharedStorage") {
		t.Errorf("2.13: %d %s", a.status, a.text)
	}
	if a := do(guest, derivedUUID("server", "9"), "2.94"); a.status != 403 {
		t.Errorf("a guest: %d %s", a.status, a.text)
	}
	if a := do(admin, first, "2.94"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	eventually(t, "elsewhere", func() bool {
		m := raw(t, "GET", servers+first, "", "X-Auth-Token", admin).body["server"].(map[string]any)
		return m["OS-EXT-SRV-ATTR:host"] == "ams-r01-s02" && m["OS-EXT-STS:task_state"] == nil && m["status"] == "ACTIVE"
	})
}

func TestRuleDelete(t *testing.T) {
	s := start(t, newWorld(1), nil)
	admin, guest := token(t, s, "admin", "secret", "admin"), token(t, s, "guest", "guest", "guest")
	url := endpoint(t, s, admin, "network", "ams") + "/v2.0/security-group-rules/" + derivedUUID("r")
	do := func(method, tok string) int { return raw(t, method, url, "", "X-Auth-Token", tok).status }
	for _, c := range []struct {
		method, tok string
		want        int
	}{{"GET", admin, 200}, {"DELETE", guest, 404}, {"GET", admin, 200}, {"DELETE", admin, 204}, {"GET", admin, 404}, {"DELETE", admin, 404}} {
		if got := do(c.method, c.tok); got != c.want {
			t.Errorf("%s: %d, want %d", c.method, got, c.want)
		}
	}
}
