package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"plumb/fleet"
	"plumb/store"
)

// TestBroken: one small broken file for each mistake, with exactly what is
// said about it. In testdata/broken/*.txtar the file plumb.yaml is read, beside
// what other files there are, and the file errors is what must come out.
func TestBroken(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string]string)
			for _, f := range a.Files {
				files[f.Name] = strings.ReplaceAll(string(f.Data), "KEY", testKey)
			}
			_, err = parse(t, files["plumb.yaml"], files)
			if err == nil {
				t.Fatal("accepted")
			}
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%T is not ErrInvalid", err)
			}
			got := strings.ReplaceAll(err.Error(), "/etc/plumb/", "") + "\n"
			if os.Getenv("PLUMB_UPDATE") != "" {
				for i := range a.Files {
					if a.Files[i].Name == "errors" {
						a.Files[i].Data = []byte(got)
					}
				}
				if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(files["errors"], got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// contractFiles are what the contract's example refers to.
var contractFiles = map[string]string{
	"bob.pub": testKey + "\n# a comment\n" + testKey + "\n", "a": "authsecret\n", "p": "privsecret\n",
	"inventory/rot.yaml": "regions: [{name: rot, sites: [{name: rot1}]}]\n",
}

func TestContractExample(t *testing.T) {
	text, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(t, strings.ReplaceAll(string(text), "KEY", testKey), contractFiles)
	if err != nil {
		t.Fatal(err)
	}
	inv := f.Inventory
	got := fmt.Sprintf("%d regions %d sites %d feeds %d racks %d devices %d clouds %d services", len(inv.Regions), len(inv.Sites), len(inv.Feeds), len(inv.Racks), len(inv.Devices), len(inv.Clouds), len(inv.Services))
	if want := "2 regions 2 sites 2 feeds 1 racks 5 devices 1 clouds 1 services"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := fleet.DeviceSpec{
		ID: "ams1-r01-s01", Name: "ams1-r01-s01", Kind: fleet.KindServer, Rack: "ams1/r01", Site: "ams1", Region: "ams",
		Unit: 6, Height: 2, Face: "front", Depth: "full", Model: "R6515", Owner: "team-game", Tenant: "acme", Env: "prod",
		Tags: map[string]string{"role": "game"}, WarrantyUntil: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		Power: []fleet.PowerCord{{PSU: 1, Outlet: "ams1-r01-pa/3"}, {PSU: 2, Outlet: "ams1-r01-pb/3"}},
		Links: []fleet.Cable{{NIC: "eth0", MAC: "52:54:00:00:00:01", To: "ams1-r01-sw1/Ethernet3"}},
		Expect: map[string]fleet.Expectation{
			"firmware": {Min: "2.19"}, "bios.boot_mode": {Exact: "uefi"}, "bios.ciphers": {Subset: []string{"3", "17"}},
		},
		Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:6230", Credential: "bmc", ActCredential: "bmc-admin"}},
	}
	alias := func(s string) *string { return &s }
	ports := []fleet.PortSpec{
		{Name: "Ethernet3", VLAN: 208, Alias: alias("db, old rack")}, {Name: "Ethernet4", Admin: "down", Alias: alias("")}, {Name: "Ethernet*", Alias: alias("{device} {port}")},
	}
	for _, d := range inv.Devices {
		if d.ID == want.ID {
			if diff := cmp.Diff(want, d); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
		if d.ID == "ams1-r01-sw1" {
			if diff := cmp.Diff(ports, d.Ports); diff != "" {
				t.Errorf("ports (-want +got)\n%s", diff)
			}
		}
		if d.ID == "ams1-r01-pa" && d.Endpoints[0].Address != "192.0.2.7:161" {
			t.Errorf("address %s has not the default port", d.Endpoints[0].Address)
		}
	}
	if f.Store.Dir != "/etc/plumb/plumb-data" || f.Store.Retention.Hour != 2*365*24*time.Hour {
		t.Errorf("store %+v", f.Store)
	}
	if f.Poll.Interval != time.Minute || f.Poll.Slow != 5*time.Minute || f.Poll.TrapListen != "127.0.0.1:1162" || inv.Intervals[fleet.LaneSlow] != f.Poll.Slow {
		t.Errorf("poll %+v", f.Poll)
	}
	if s := f.SSH; len(s.Users) != 3 || len(s.Users[1].Keys) != 2 || s.Users[1].Role != fleet.RoleOperator || len(s.TrustedCA) != 1 || s.Idle != 30*time.Minute {
		t.Errorf("ssh %+v", s)
	}
	policies := fleet.Policies{
		Facets: []fleet.FacetPolicy{
			{Facet: "bios.*", Select: map[string]string{"role": "game"}, Mode: fleet.ModeExact, Severity: fleet.SeverityCrit, Graded: true},
			{Facet: "port * vlan", Mode: fleet.ModeIgnored, Owner: "ann", Reason: "moving", Until: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)},
		},
		Checks:     map[string]fleet.CheckPolicy{"ipmi.v15": {Off: true, Reason: "old boards"}, "ipmi.cipher0": {Severity: fleet.SeverityWarn, Graded: true}},
		Segments:   []fleet.Segment{{Name: "bmcs", Select: map[string]string{"part": "bmc"}, VLANs: []int{900}, Apart: map[string]string{"role": "game"}, Reason: "nobody else"}},
		Ports:      []fleet.PortPolicy{{PortSpec: fleet.PortSpec{Name: "Ethernet*", Admin: "up"}, Select: map[string]string{"kind": "switch"}}},
		AdminUsers: 3, ManagementVLANs: []int{900}, PortMACs: 4, Private: []map[string]string{{"cloud": "aws-*", "role": "db"}},
	}
	if diff := cmp.Diff(policies, inv.Policies); diff != "" {
		t.Errorf("policies (-want +got)\n%s", diff)
	}
	bounds := fleet.Remediation{
		Freezes: []fleet.FreezeWindow{
			{Name: "launch", Select: map[string]string{"role": "game"}, From: time.Date(2026, 12, 24, 16, 0, 0, 0, time.UTC), Until: time.Date(2026, 12, 27, 0, 0, 0, 0, time.UTC), Reason: "the season begins"},
			{Name: "weekend", Days: []time.Weekday{time.Friday, time.Saturday}, Start: 18 * time.Hour, End: 30 * time.Hour, Reason: "most players"},
		},
		Budgets: fleet.Budgets{Rack: 4, Fleet: 50}, Unhealthy: 25, CoolDown: 2 * time.Minute, Tries: 3, Soak: 30 * time.Second,
	}
	if diff := cmp.Diff(bounds, inv.Remediation); diff != "" {
		t.Errorf("bounds (-want +got)\n%s", diff)
	}
	if len(inv.Alerting.Rules) < 30 || f.Metrics.Listen != "127.0.0.1:9464" || inv.Services[0].Health == nil || inv.Services[0].Health.Every != 15*time.Second {
		t.Error("alerts, policies, metrics or health are lost")
	}
}

// TestTerraform reads two states of one cloud, and of another a part.
func TestTerraform(t *testing.T) {
	state := func(id string) string {
		return `{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"vm","mode":"managed","type":"openstack_compute_instance_v2","values":{"id":"` + id + `","name":"x"}}]}}}`
	}
	f, err := parse(t, `
credentials: {os: {username: a, password: b, plain: true}}
ssh: {users: [{name: ann, role: admin, keys: ["`+testKey+`"]}]}
clouds:
  - {name: a, provider: openstack, endpoint: "http://127.0.0.1:5000/v3", credential: os, terraform: {state: [one.json, more/two.json]}}
  - {name: b, provider: openstack, endpoint: "http://127.0.0.1:5000/v3", credential: os, terraform: {state: [one.json], covers: part}}
  - {name: c, provider: openstack, endpoint: "http://127.0.0.1:5000/v3", credential: os}
`, map[string]string{"one.json": state("i1"), "more/two.json": state("i2")})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := f.Inventory.Clouds[0].Declared, f.Inventory.Clouds[1].Declared, f.Inventory.Clouds[2].Declared
	if a == nil || !a.Whole || a.Source != "terraform one.json two.json" || len(a.Instances) != 2 || a.Instances[1].ID != "i2" {
		t.Errorf("a: %+v", a)
	}
	if b == nil || b.Whole || len(b.Instances) != 1 || c != nil {
		t.Errorf("b: %+v, c: %+v", b, c)
	}
}

func TestSecretsAreFetchedAndNeverPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLUMB_TEST_SECRET", "hunter2")
	f, err := Parse("plumb.yaml", []byte(`credentials:
  clear: {username: a, password: hunter2, plain: true}
  env: {username: a, password_env: PLUMB_TEST_SECRET}
  file: {version: 2c, community_file: `+file+`}
  exec: {username: a, password_exec: [printf, "hunter%d\n", "2"]}
`), OS())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range f.Credentials {
		if got, err := c.Secret(t.Context()); got != "hunter2" || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		printed, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c, "s", c.Password)
		all := fmt.Sprintf("%v %+v %#v %s %q %s %s", c, c, c, c.Password, c.Password, printed, log.String())
		if strings.Contains(all, "hunter2") {
			t.Errorf("%s is printed: %s", name, all)
		}
	}
}

func TestSecretErrors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Secret{
		"no variable": envSecret("PLUMB_NOT_SET", os.LookupEnv),
		"no file":     fileSecret("/nonexistent/secret"),
		"empty file":  fileSecret(empty),
		"fails":       execSecret([]string{"false"}),
		"hangs":       execSecret([]string{"sleep", "60"}),
		"endless":     execSecret([]string{"yes"}),
	} {
		if got, err := s.Get(ctx); !errors.Is(err, ErrSecret) || got != "" {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
	}
}

func TestRevision(t *testing.T) {
	revision := func(text string) string {
		f, err := parse(t, "credentials: {a: {username: u, plain: true, password: "+text+"}}", nil)
		if err != nil {
			t.Fatal(err)
		}
		return f.Credentials["a"].Revision
	}
	one, again, two := revision("one"), revision("one"), revision("two")
	if one != again || one == two {
		t.Error("the revision does not follow the secret")
	}
}

func TestManyMistakesAtOnce(t *testing.T) {
	text := "clouds:\n" + strings.Repeat("  - {name: a b}\n", 200)
	_, err := parse(t, text, nil)
	var list *Errors
	if !errors.As(err, &list) || len(list.List) != maxErrors || list.More != 150 {
		t.Fatalf("got %v", err)
	}
	if !strings.HasSuffix(err.Error(), "and 150 more") {
		t.Error("it does not say how many more")
	}
}

func TestAliasesAreBounded(t *testing.T) {
	text := "x: &a0 [{name: n, sites: []}]\n"
	for i := 1; i < 30; i++ {
		text += fmt.Sprintf("x%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	start := time.Now()
	if _, err := parse(t, text+"regions: *a29\n", nil); err == nil {
		t.Error("accepted")
	}
	if time.Since(start) > 5*time.Second {
		t.Error("it unfolded them all")
	}
}

func TestMergeKeys(t *testing.T) {
	f, err := parse(t, `regions:
  - name: a
    sites:
      - name: a1
        racks:
          - name: r1
            devices:
              - &s {name: s1, kind: server, unit: 1, model: X}
              - {<<: [*s, {model: Y, serial: Z}], name: s2, unit: 2.5}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := f.Inventory.Devices[1]; d.Name != "s2" || d.Model != "X" || d.Serial != "Z" || d.Unit != 5 || d.Height != 2 {
		t.Errorf("%+v", d)
	}
}

func TestHalfDepthSharesUnits(t *testing.T) {
	_, err := parse(t, `regions: [{name: a, sites: [{name: a1, racks: [{name: r1, units: 2, devices: [
  {name: f, kind: other, unit: 1, height: 1.5, face: front, depth: half},
  {name: r, kind: other, unit: 1, height: 2, face: rear, depth: half},
  {name: top, kind: other, unit: 2.5, height: 0.5, face: front, depth: half}]}]}]}]
`, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "60s": time.Minute, "1h30m": 90 * time.Minute, "30d": 720 * time.Hour, "2w": 336 * time.Hour, "2y": 17520 * time.Hour,
	} {
		if got, err := ParseDuration(s); got != want || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "90", "s", "1.5h", "-2h", "1 h", "1x", "999999999999y", "9223372036854775807h"} {
		if got, err := ParseDuration(s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func TestRetentionOfAClass(t *testing.T) {
	f, err := parse(t, "store: {retention: {raw: 48h, 5m: 30d, 1h: 2y, counters: {raw: 24h, 5m: 7d}, states: {1h: 3y}}}", nil)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	want := store.Retention{Raw: 2 * day, FiveMin: 30 * day, Hour: 2 * 365 * day, Counters: store.Tiers{Raw: day, FiveMin: 7 * day}, States: store.Tiers{Hour: 3 * 365 * day}}
	if diff := cmp.Diff(want, f.Store.Retention); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestClosest(t *testing.T) {
	valid := func(yield func(string) bool) {
		for _, s := range []string{"poll", "ssh", "store", "retention"} {
			if !yield(s) {
				return
			}
		}
	}
	for written, want := range map[string]string{"polll": "poll", "opll": "poll", "shh": "ssh", "retensoin": "retention", "metrics": "", "x": ""} {
		if got := closest(written, valid); got != want {
			t.Errorf("%s: got %q, want %q", written, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for _, s := range []string{"", "a", "regions: {", "&a [*a]", "poll: {interval: 1y}\n---\nx", "credentials: {a: {password_exec: []}}", "ssh:\n  users: [{}]", "<<: [{a: b}]", "? {a: b}\n: c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parse(t, string(data), contractFiles)
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v, error %v", file, err)
		}
		var list *Errors
		if err != nil && (!errors.As(err, &list) || len(err.Error()) > maxErrors*1000) {
			t.Fatalf("%T of %d bytes", err, len(err.Error()))
		}
	})
}

func TestBallast(t *testing.T) {
	for written, want := range map[string]int64{"": 32 << 20, "ballast_mib: 64": 64 << 20, "ballast_mib: 0": -1} {
		f, err := parse(t, "store: {dir: ./d, "+written+"}\n", nil)
		if err != nil || f.Store.Ballast != want {
			t.Errorf("%q: %+v, %v", written, f, err)
		}
	}
	if _, err := parse(t, "store: {dir: ./d, ballast_mib: -5}\n", nil); err == nil || !strings.Contains(err.Error(), "ballast_mib") {
		t.Errorf("a negative ballast: %v", err)
	}
}
