package openstack

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	s := start(t, newWorld(1), nil)
	url := s.AuthURL() + "/auth/tokens"
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"right", passwordLogin("admin", "secret", "admin"), 201},
		{"wrong password", passwordLogin("admin", "wrong", "admin"), 401},
		{"unknown user", passwordLogin("nobody", "secret", "admin"), 401},
		{"other project", passwordLogin("guest", "guest", "admin"), 401},
		{"application credential", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"app1","secret":"appsecret"}}}}`, 201},
		{"application credential with a scope", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"app1","secret":"appsecret"}},"scope":{"project":{"name":"guest","domain":{"id":"default"}}}}}`, 401},
		{"no method", `{"auth":{"identity":{}}}`, 400},
		{"not JSON", `{"auth":`, 400},
		{"too big", `{"auth":"` + strings.Repeat("x", 2*maxBody) + `"}`, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := raw(t, "POST", url, c.body)
			if a.status != c.want {
				t.Fatalf("status %d, want %d: %s", a.status, c.want, a.text)
			}
			if c.want == 201 {
				return
			}
			e, _ := a.body["error"].(map[string]any)
			if e["code"] != float64(c.want) || e["title"] == "" || e["message"] == "" {
				t.Errorf("not Keystone's error shape: %s", a.text)
			}
			if a.header.Get("X-Subject-Token") != "" {
				t.Error("a refused login got a token")
			}
		})
	}
}

func TestTokenIsNeeded(t *testing.T) {
	now := epoch
	var mu sync.Mutex
	s := start(t, newWorld(1), func(c *Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	tok := token(t, s, "admin", "secret", "admin")
	url := endpoint(t, s, tok, "compute", "ams") + "/servers/detail"
	if a := raw(t, "GET", url, "", "X-Auth-Token", tok); a.status != 200 {
		t.Fatalf("with a token: %d", a.status)
	}
	mu.Lock()
	now = now.Add(2 * time.Hour)
	mu.Unlock()
	for name, tok := range map[string]string{"expired": tok, "wrong": "gAAAAAxxxx", "none": ""} {
		a := raw(t, "GET", url, "", "X-Auth-Token", tok)
		if a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Keystone uri=") {
			t.Errorf("%s token: %d, WWW-Authenticate %q", name, a.status, a.header.Get("WWW-Authenticate"))
		}
	}
}

// TestServerList reads as `openstack server list --all-projects --long` does:
// pages of servers/detail, each next link followed.
func TestServerList(t *testing.T) {
	s := start(t, newWorld(250), nil)
	tok := token(t, s, "admin", "secret", "admin")
	next := endpoint(t, s, tok, "compute", "ams") + "/servers/detail?all_tenants=True&deleted=False"
	seen := map[string]bool{}
	var pages []int
	for next != "" {
		a := raw(t, "GET", next, "", "X-Auth-Token", tok, "OpenStack-API-Version", "compute 2.93", "X-OpenStack-Nova-API-Version", "2.93")
		if a.status != 200 || a.header.Get("OpenStack-API-Version") != "compute 2.93" {
			t.Fatalf("%d, version %q: %s", a.status, a.header.Get("OpenStack-API-Version"), a.text)
		}
		rows := a.body["servers"].([]any)
		pages = append(pages, len(rows))
		for _, row := range rows {
			m := row.(map[string]any)
			seen[m["id"].(string)] = true
			if m["flavor"].(map[string]any)["original_name"] != "m1.small" || m["OS-EXT-SRV-ATTR:hypervisor_hostname"] == nil {
				t.Fatalf("shape: %v", m)
			}
		}
		next = ""
		if l, ok := a.body["servers_links"].([]any); ok {
			next = l[0].(map[string]any)["href"].(string)
		}
	}
	if fmt.Sprint(pages) != "[100 100 50]" || len(seen) != 250 {
		t.Errorf("pages %v, %d different servers", pages, len(seen))
	}
}

func TestMembersSeeTheirOwn(t *testing.T) {
	s := start(t, newWorld(50), nil)
	tok := token(t, s, "guest", "guest", "guest")
	base := endpoint(t, s, tok, "compute", "ams")
	a := raw(t, "GET", base+"/servers/detail", "", "X-Auth-Token", tok)
	rows := a.body["servers"].([]any)
	if len(rows) != 5 {
		t.Errorf("%d servers, want the project's 5", len(rows))
	}
	if _, shown := rows[0].(map[string]any)["OS-EXT-SRV-ATTR:host"]; shown {
		t.Error("a member sees the host")
	}
	for _, path := range []string{"/servers/detail?all_tenants=1", "/os-hypervisors/detail", "/os-services", "/os-availability-zone/detail"} {
		a := raw(t, "GET", base+path, "", "X-Auth-Token", tok)
		if f, _ := a.body["forbidden"].(map[string]any); a.status != 403 || f["code"] != float64(403) {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	pl := raw(t, "GET", endpoint(t, s, tok, "placement", "ams")+"/resource_providers", "", "X-Auth-Token", tok)
	if e, _ := pl.body["errors"].([]any); pl.status != 403 || len(e) != 1 {
		t.Errorf("placement: %d %s", pl.status, pl.text)
	}
	if a := raw(t, "GET", base+"/servers/"+derivedUUID("server", "0"), "", "X-Auth-Token", tok); a.status != 404 {
		t.Errorf("another project's server: %d", a.status)
	}
}

func TestMicroversions(t *testing.T) {
	s := start(t, newWorld(3), nil)
	tok := token(t, s, "admin", "secret", "admin")
	base := endpoint(t, s, tok, "compute", "ams")
	get := func(path, version string) answer {
		if version == "" {
			return raw(t, "GET", base+path, "", "X-Auth-Token", tok)
		}
		return raw(t, "GET", base+path, "", "X-Auth-Token", tok, "OpenStack-API-Version", "compute "+version)
	}
	for version, want := range map[string]int{"": 200, "2.1": 200, "2.96": 200, "latest": 200, "2.97": 406, "3.0": 406, "2": 400, "two": 400} {
		if a := get("/servers", version); a.status != want {
			t.Errorf("version %q: %d, want %d", version, a.status, want)
		}
	}
	first := func(a answer, list string) map[string]any { return a.body[list].([]any)[0].(map[string]any) }
	if f := first(get("/servers/detail", "2.46"), "servers")["flavor"].(map[string]any); f["id"] != "42" || f["original_name"] != nil {
		t.Errorf("2.46 flavor: %v", f)
	}
	if f := first(get("/servers/detail", "2.47"), "servers")["flavor"].(map[string]any); f["id"] != nil || f["original_name"] != "m1.small" {
		t.Errorf("2.47 flavor: %v", f)
	}
	if _, tags := first(get("/servers/detail", "2.25"), "servers")["tags"]; tags {
		t.Error("tags before 2.26")
	}
	h := first(get("/os-hypervisors/detail", "2.27"), "hypervisors")
	if _, text := h["cpu_info"].(string); !text || h["id"] != float64(1) || h["vcpus"] != float64(64) {
		t.Errorf("2.27 hypervisor: %v", h)
	}
	h = first(get("/os-hypervisors/detail?with_servers=1", "2.53"), "hypervisors")
	if _, object := h["cpu_info"].(map[string]any); !object || h["id"] != derivedUUID("host", "0") || len(h["servers"].([]any)) != 1 {
		t.Errorf("2.53 hypervisor: %v", h)
	}
	h = first(get("/os-hypervisors/detail", "2.88"), "hypervisors")
	if _, has := h["vcpus"]; has || h["cpu_info"] != nil || h["uptime"] == nil {
		t.Errorf("2.88 hypervisor: %v", h)
	}
	if g := first(get("/os-server-groups", "2.63"), "server_groups"); g["policies"] == nil || g["policy"] != nil {
		t.Errorf("2.63 group: %v", g)
	}
	if g := first(get("/os-server-groups", "2.64"), "server_groups"); g["policy"] != "anti-affinity" || g["policies"] != nil {
		t.Errorf("2.64 group: %v", g)
	}
}

func TestPlacement(t *testing.T) {
	s := start(t, newWorld(6), nil)
	tok := token(t, s, "admin", "secret", "admin")
	base := endpoint(t, s, tok, "placement", "ams")
	get := func(path, version string) answer {
		return raw(t, "GET", base+path, "", "X-Auth-Token", tok, "OpenStack-API-Version", "placement "+version)
	}
	if a := get("/resource_providers", "1.40"); a.status != 406 {
		t.Errorf("1.40: %d", a.status)
	}
	a := get("/resource_providers", "1.39")
	rp := a.body["resource_providers"].([]any)[0].(map[string]any)
	if len(a.body["resource_providers"].([]any)) != 3 || rp["root_provider_uuid"] != rp["uuid"] {
		t.Fatalf("providers: %s", a.text)
	}
	path := "/resource_providers/" + rp["uuid"].(string)
	inv := get(path+"/inventories", "1.39").body["inventories"].(map[string]any)["VCPU"].(map[string]any)
	if inv["total"] != float64(64) || inv["reserved"] != float64(2) || inv["allocation_ratio"] != float64(4) {
		t.Errorf("inventory: %v", inv)
	}
	used := get(path+"/usages", "1.39").body["usages"].(map[string]any)
	if used["VCPU"] != float64(4) || used["MEMORY_MB"] != float64(8192) { // two servers of 2 VCPU, 4 GiB
		t.Errorf("usages: %v", used)
	}
	if a := get("/resource_providers/nope/usages", "1.39"); a.status != 404 {
		t.Errorf("unknown provider: %d", a.status)
	}
}

func TestSecurityGroups(t *testing.T) {
	s := start(t, newWorld(1), nil)
	tok := token(t, s, "admin", "secret", "admin")
	a := raw(t, "GET", endpoint(t, s, tok, "network", "ams")+"/v2.0/security-groups", "", "X-Auth-Token", tok)
	g := a.body["security_groups"].([]any)[0].(map[string]any)
	rule := g["security_group_rules"].([]any)[0].(map[string]any)
	if rule["direction"] != "ingress" || rule["port_range_min"] != float64(443) || rule["remote_ip_prefix"] != "0.0.0.0/0" {
		t.Errorf("rule: %v", rule)
	}
}

// TestSecurityGroupPages: Neutron names the next page to who gave a limit, and
// sends all to who did not.
func TestSecurityGroupPages(t *testing.T) {
	w := newWorld(1)
	w.Change(func(r *Region) {
		for i := range 5 {
			r.Rules = append(r.Rules, SecurityGroup{ID: fmt.Sprintf("more-%d", i), Name: "more", ProjectID: ProjectID("admin"), Rules: []Rule{{ID: "r", IPv6: true, RemoteGroup: "other"}}})
		}
	})
	s := start(t, w, nil)
	tok := token(t, s, "admin", "secret", "admin")
	root := endpoint(t, s, tok, "network", "ams") + "/v2.0/security-groups"
	ids := map[string]bool{}
	next, pages := root+"?limit=4", 0
	for next != "" && pages < 9 {
		pages++
		body := raw(t, "GET", next, "", "X-Auth-Token", tok).body
		for _, g := range body["security_groups"].([]any) {
			ids[g.(map[string]any)["id"].(string)] = true
		}
		next = ""
		if links, more := body["security_groups_links"].([]any); more {
			next = links[0].(map[string]any)["href"].(string)
		}
	}
	all := raw(t, "GET", root, "", "X-Auth-Token", tok).body["security_groups"].([]any)
	if len(ids) != len(all) || pages != 2 {
		t.Errorf("%d groups on %d pages, %d without a limit", len(ids), pages, len(all))
	}
	rule := all[len(all)-1].(map[string]any)["security_group_rules"].([]any)[0].(map[string]any)
	if rule["ethertype"] != "IPv6" || rule["remote_group_id"] != "other" || rule["remote_ip_prefix"] != nil {
		t.Errorf("rule: %v", rule)
	}
}
