package openstack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// world is a small region that a test may change.
type world struct{ *Held }

func (w *world) hostUp(i int, up bool) { w.Change(func(r *Region) { r.Hosts[i].Up = up }) }

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(servers int) *world {
	r := Region{
		Name:    "ams",
		Flavors: []Flavor{{ID: "42", Name: "m1.small", VCPUs: 2, MemoryMB: 4096, Disk: 20}},
		Groups:  []Group{{ID: derivedUUID("group"), Name: "match", Policy: "anti-affinity", MaxPerHost: 2, ProjectID: ProjectID("admin")}},
		Rules:   []SecurityGroup{{ID: derivedUUID("sg"), Name: "web", ProjectID: ProjectID("admin"), Rules: []Rule{{ID: derivedUUID("r"), Ingress: true, Protocol: "tcp", PortMin: 443, PortMax: 443, Remote: "0.0.0.0/0"}}}},
	}
	for i := range 3 {
		r.Hosts = append(r.Hosts, Host{ID: derivedUUID("host", fmt.Sprint(i)), Name: fmt.Sprintf("ams-r01-s%02d", i+1), Zone: "ams-a", Up: true, SeenAt: epoch, BootedAt: epoch,
			Inventory: []Inventory{{"VCPU", 64, 2, 4}, {"MEMORY_MB", 262144, 4096, 1}, {"DISK_GB", 4000, 0, 1}}})
	}
	for i := range servers {
		project := "admin"
		if i%10 == 9 {
			project = "guest"
		}
		r.Servers = append(r.Servers, Instance{ID: derivedUUID("server", fmt.Sprint(i)), Name: fmt.Sprintf("match-%03d", i), ProjectID: ProjectID(project),
			Host: r.Hosts[i%3].Name, Zone: "ams-a", Flavor: "m1.small", Status: "ACTIVE", Created: epoch.Add(time.Duration(i) * time.Second), Launched: epoch,
			Metadata: map[string]string{"service": "match"}, Tags: []string{"env=prod"}, Groups: []string{"web"},
			Addresses: []Address{{Network: "private", IP: fmt.Sprintf("10.0.0.%d", i%250+1), MAC: "fa:16:3e:00:00:01"}}})
	}
	return &world{Hold(r)}
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
		State: w.State, Act: w.Act, SetService: w.SetService, RemoveRule: w.RemoveRule, ActionTakes: 20 * time.Millisecond,
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
