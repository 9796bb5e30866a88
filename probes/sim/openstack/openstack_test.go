package openstack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is a small region that a test may change.
type world struct {
	mu  sync.Mutex
	reg Region
}

func (w *world) state(name string) *Region {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name != w.reg.Name {
		return &Region{Name: name}
	}
	r := w.reg
	r.Servers = append([]Instance(nil), w.reg.Servers...)
	r.Hosts = append([]Host(nil), w.reg.Hosts...)
	r.Rules = append([]SecurityGroup(nil), w.reg.Rules...)
	return &r
}

func (w *world) act(_, id, action string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action == "evacuate" {
		w.reg.server(id).Host = w.reg.Hosts[1].Name
		return nil
	}
	to := map[string]string{"os-start": "ACTIVE", "os-stop": "SHUTOFF", "reboot": "ACTIVE"}[action]
	w.reg.server(id).Status = to
	return nil
}

func (w *world) removeRule(_, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := &w.reg.Rules[0]
	g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r Rule) bool { return r.ID == id })
	return nil
}

func (w *world) hostUp(i int, up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reg.Hosts[i].Up = up
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(servers int) *world {
	w := &world{reg: Region{
		Name:    "ams",
		Flavors: []Flavor{{ID: "42", Name: "m1.small", VCPUs: 2, MemoryMB: 4096, Disk: 20}},
		Groups:  []Group{{ID: derivedUUID("group"), Name: "match", Policy: "anti-affinity", MaxPerHost: 2, ProjectID: ProjectID("admin")}},
		Rules:   []SecurityGroup{{ID: derivedUUID("sg"), Name: "web", ProjectID: ProjectID("admin"), Rules: []Rule{{ID: derivedUUID("r"), Ingress: true, Protocol: "tcp", PortMin: 443, PortMax: 443, Remote: "0.0.0.0/0"}}}},
	}}
	for i := range 3 {
		w.reg.Hosts = append(w.reg.Hosts, Host{ID: derivedUUID("host", fmt.Sprint(i)), Name: fmt.Sprintf("ams-r01-s%02d", i+1), Zone: "ams-a", Up: true, SeenAt: epoch, BootedAt: epoch,
			Inventory: []Inventory{{"VCPU", 64, 2, 4}, {"MEMORY_MB", 262144, 4096, 1}, {"DISK_GB", 4000, 0, 1}}})
	}
	for i := range servers {
		project := "admin"
		if i%10 == 9 {
			project = "guest"
		}
		w.reg.Servers = append(w.reg.Servers, Instance{ID: derivedUUID("server", fmt.Sprint(i)), Name: fmt.Sprintf("match-%03d", i), ProjectID: ProjectID(project),
			Host: w.reg.Hosts[i%3].Name, Zone: "ams-a", Flavor: "m1.small", Status: "ACTIVE", Created: epoch.Add(time.Duration(i) * time.Second), Launched: epoch,
			Metadata: map[string]string{"service": "match"}, Tags: []string{"env=prod"}, Groups: []string{"web"},
			Addresses: []Address{{Network: "private", IP: fmt.Sprintf("10.0.0.%d", i%250+1), MAC: "fa:16:3e:00:00:01"}}})
	}
	return w
}

func start(t *testing.T, w *world, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Regions: []string{"ams", "fra"},
		Users: []User{
			{Name: "admin", Password: "secret", Project: "admin", Admin: true},
			{Name: "guest", Password: "guest", Project: "guest"},
		},
		Apps:  []AppCredential{{ID: "app1", Secret: "appsecret", User: "guest"}},
		State: w.state, Act: w.act, RemoveRule: w.removeRule, ActionTakes: 20 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	s, err := Serve(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answer is what a raw client sees.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// raw sends one request as python-requests does on behalf of the openstack
// command, and reads all of the answer.
func raw(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "openstacksdk/4.0 keystoneauth1/5.8 python-requests/2.32 CPython/3.12")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if len(text) > 0 {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&a.body); err != nil {
			t.Fatalf("%s %s: not JSON: %v in %.200s", method, url, err, text)
		}
	}
	return a
}

func passwordLogin(user, password, project string) string {
	return fmt.Sprintf(`{"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": %q, "name": %q, "domain": {"id": "default"}}}}, "scope": {"project": {"name": %q, "domain": {"id": "default"}}}}}`, password, user, project) + "}"
}

func token(t *testing.T, s *Server, user, password, project string) string {
	t.Helper()
	a := raw(t, "POST", s.AuthURL()+"/auth/tokens", passwordLogin(user, password, project))
	if a.status != http.StatusCreated {
		t.Fatalf("login: %d %s", a.status, a.text)
	}
	return a.header.Get("X-Subject-Token")
}

// endpoint finds a service in the catalog, as keystoneauth does.
func endpoint(t *testing.T, s *Server, tok, kind, region string) string {
	t.Helper()
	a := raw(t, "GET", s.AuthURL()+"/auth/catalog", "", "X-Auth-Token", tok)
	for _, e := range a.body["catalog"].([]any) {
		m := e.(map[string]any)
		if m["type"] != kind {
			continue
		}
		for _, x := range m["endpoints"].([]any) {
			if p := x.(map[string]any); p["interface"] == "public" && p["region_id"] == region {
				return p["url"].(string)
			}
		}
	}
	t.Fatalf("no %s in %s", kind, region)
	return ""
}

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

// eventually polls until the condition holds or two seconds have passed.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never: " + what)
		}
	}
}

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
	for i := range 5 {
		w.reg.Rules = append(w.reg.Rules, SecurityGroup{ID: fmt.Sprintf("more-%d", i), Name: "more", ProjectID: ProjectID("admin"), Rules: []Rule{{ID: "r", IPv6: true, RemoteGroup: "other"}}})
	}
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
