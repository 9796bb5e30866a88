package openstack

import (
	"strings"
	"testing"
)

// TestServiceUpdate holds the answers to those of Nova: who may, since when, and
// what a body has to say.
func TestServiceUpdate(t *testing.T) {
	said := ""
	s := start(t, newWorld(10), func(c *Config) {
		c.SetService = func(region, host string, disabled bool, reason string) error {
			said = region + " " + host + " " + enabled(&Host{Disabled: disabled}) + " " + reason
			return nil
		}
	})
	admin, guest := token(t, s, "admin", "secret", "admin"), token(t, s, "guest", "guest", "guest")
	base := endpoint(t, s, admin, "compute", "ams") + "/os-services/"
	id := derivedUUID("service", "ams", "nova-compute", "ams-r01-s01")
	for _, c := range []struct {
		name, tok, id, version, body string
		status                       int
		text, said                   string
	}{
		{"disabled", admin, id, "2.96", `{"status":"disabled","disabled_reason":"PSU"}`, 200, `"disabled_reason":"PSU"`, "ams ams-r01-s01 disabled PSU"},
		{"enabled", admin, id, "2.53", `{"status":"enabled"}`, 200, `"status":"enabled"`, "ams ams-r01-s01 enabled "},
		{"no admin", guest, id, "2.96", `{"status":"enabled"}`, 403, "os_compute_api:os-services:update", ""},
		{"by number", admin, id, "2.52", `{"status":"enabled"}`, 404, "", ""},
		{"no such service", admin, derivedUUID("x"), "2.96", `{"status":"enabled"}`, 404, "could not be found", ""},
		{"another status", admin, id, "2.96", `{"status":"drained"}`, 400, "is not one of", ""},
		{"a reason to be enabled", admin, id, "2.96", `{"status":"enabled","disabled_reason":"x"}`, 400, "requires that status is set to disabled", ""},
		{"an empty reason", admin, id, "2.96", `{"status":"disabled","disabled_reason":""}`, 400, "", ""},
		{"a long reason", admin, id, "2.96", `{"status":"disabled","disabled_reason":"` + strings.Repeat("x", 256) + `"}`, 400, "", ""},
		{"no JSON", admin, id, "2.96", `{`, 400, "", ""},
	} {
		said = ""
		a := raw(t, "PUT", base+c.id, c.body, "X-Auth-Token", c.tok, "OpenStack-API-Version", "compute "+c.version)
		if a.status != c.status || !strings.Contains(strings.ReplaceAll(a.text, ": ", ":"), strings.ReplaceAll(c.text, ": ", ":")) || said != c.said {
			t.Errorf("%s: %d %s, carried out %q", c.name, a.status, a.text, said)
		}
	}
}

func TestLiveMigration(t *testing.T) {
	w := newWorld(10)
	s := start(t, w, nil)
	admin, guest := token(t, s, "admin", "secret", "admin"), token(t, s, "guest", "guest", "guest")
	servers := endpoint(t, s, admin, "compute", "ams") + "/servers/"
	do := func(tok, server, version, body string) answer {
		return raw(t, "POST", servers+server+"/action", body, "X-Auth-Token", tok, "OpenStack-API-Version", "compute "+version)
	}
	const anywhere = `{"os-migrateLive": {"host": null, "block_migration": "auto"}}`
	first := derivedUUID("server", "0")
	for _, c := range []struct {
		name, tok, server, version, body string
		want                             int
	}{
		{"no admin", guest, derivedUUID("server", "9"), "2.94", anywhere, 403},
		{"too old", admin, first, "2.24", anywhere, 400},
		{"without its arguments", admin, first, "2.94", `{"os-migrateLive": {}}`, 400},
		{"it may", admin, first, "2.94", anywhere, 202},
		{"on its way", admin, first, "2.94", anywhere, 409},
	} {
		if a := do(c.tok, c.server, c.version, c.body); a.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, a.status, a.text, c.want)
		}
	}
	w.hostUp(0, false)
	if a := do(admin, first, "2.94", anywhere); a.status != 400 || !strings.Contains(a.text, "unavailable") {
		t.Errorf("from a host that is down: %d %s", a.status, a.text)
	}
}

// TestWhatBecameOfIt: an action that was accepted and that no host could take is
// told under its request, in the words of a real cloud.
func TestWhatBecameOfIt(t *testing.T) {
	w := newWorld(10)
	w.Change(func(r *Region) { r.Hosts[1].Disabled, r.Hosts[2].Up = true, false })
	s := start(t, w, nil)
	admin, guest := token(t, s, "admin", "secret", "admin"), token(t, s, "guest", "guest", "guest")
	first := endpoint(t, s, admin, "compute", "ams") + "/servers/" + derivedUUID("server", "0")
	events := func(tok, version, request string) (int, map[string]any) {
		a := raw(t, "GET", first+"/os-instance-actions/"+request, "", "X-Auth-Token", tok, "OpenStack-API-Version", "compute "+version)
		if a.status != 200 {
			return a.status, nil
		}
		return 200, a.body["instanceAction"].(map[string]any)["events"].([]any)[0].(map[string]any)
	}
	for _, c := range []struct{ body, event, status, host string }{
		{`{"os-migrateLive": {"host": null, "block_migration": "auto"}}`, "conductor_live_migrate_instance", "ACTIVE", "UP"},
		{`{"evacuate": {}}`, "rebuild_server", "ERROR", "DOWN"},
	} {
		w.hostUp(0, c.host == "UP")
		a := raw(t, "POST", first+"/action", c.body, "X-Auth-Token", admin, "OpenStack-API-Version", "compute 2.94")
		request := a.header.Get("X-Openstack-Request-Id")
		if a.status >= 300 {
			t.Fatalf("%s: %d %s", c.event, a.status, a.text)
		}
		if _, e := events(admin, "2.94", request); e["result"] != nil || e["event"] != c.event {
			t.Errorf("while it is under way: %v", e)
		}
		eventually(t, "it gives up", func() bool {
			_, e := events(admin, "2.94", request)
			return e["result"] == "Error" && e["details"] == noValidHost
		})
		if _, e := events(admin, "2.83", request); e["details"] != nil || e["traceback"] == nil {
			t.Errorf("before 2.84: %v", e)
		}
		if status, _ := events(guest, "2.94", request); status != 404 {
			t.Errorf("somebody else's server: %d", status)
		}
		if status, _ := events(admin, "2.94", "req-none"); status != 404 {
			t.Errorf("no such request: %d", status)
		}
		list := raw(t, "GET", first+"/os-instance-actions", "", "X-Auth-Token", admin).body["instanceActions"].([]any)
		if newest := list[0].(map[string]any); newest["request_id"] != request || newest["message"] != "Error" {
			t.Errorf("the list begins with %v", newest)
		}
		server := raw(t, "GET", first, "", "X-Auth-Token", admin).body["server"].(map[string]any)
		if server["status"] != c.status || server["OS-EXT-SRV-ATTR:host"] != "ams-r01-s01" {
			t.Errorf("after %s it is %v on %v", c.event, server["status"], server["OS-EXT-SRV-ATTR:host"])
		}
	}
}
