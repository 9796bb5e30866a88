package config

import (
	"slices"
	"testing"
)

// TestSecretsInClear: a secret that leaves this machine over http is named with
// its key and line; one that stays, is encrypted, or is none, is not.
func TestSecretsInClear(t *testing.T) {
	f, err := parse(t, `
ssh: {users: [{name: ann, role: admin, keys: ["`+testKey+`"]}]}
regions: [{name: ams}]
credentials:
  web: {username: u, password_file: s}
clouds:
  - {name: os, provider: openstack, region: ams, endpoint: "http://10.0.0.9:5000/v3", credential: web}
  - {name: near, provider: openstack, region: ams, endpoint: "http://[::1]:5000/v3", credential: web}
services:
  - {name: shop, select: {tag: {a: b}}, health: {http: "http://shop.example/x", credential: web}}
  - {name: here, select: {tag: {a: b}}, health: {http: "http://127.0.0.1/x", credential: web}}
  - {name: bare, select: {tag: {a: b}}, health: {http: "http://shop.example/x"}}
  - {name: prom, select: {tag: {a: b}}, health: {prometheus: {url: "http://prom.example:9090", query: up}, credential: web}}
remote_write:
  - {name: long, url: "http://tsdb.example/w", credential: web}
  - {name: near, url: "http://localhost:1/w", credential: web}
  - {name: safe, url: "https://tsdb.example/w", credential: web}
  - {name: bare, url: "http://bare.example/w"}
alerts:
  receivers:
    - name: hook
      webhook:
        url: "http://hook.example/x"
        bearer_file: s
    - {name: bare, webhook: {url: "http://hook.example/x"}}
    - {name: am, alertmanager: {url: ["http://127.0.0.1:9093", "http://am.example:9093"], username: u, password_file: s}}
    - {name: pd, pagerduty: {routing_key_file: s, url: "http://pd.example/"}}
`, map[string]string{"s": "hush\n"})
	if err != nil {
		t.Fatal(err)
	}
	const tail = `: its password or token goes to `
	want := []string{
		"/etc/plumb/plumb.yaml:7:60: cloud `os`: endpoint" + tail + "`10.0.0.9:5000` in clear: https",
		"/etc/plumb/plumb.yaml:15:23: remote_write `long`: url" + tail + "`tsdb.example` in clear: https",
		"/etc/plumb/plumb.yaml:23:14: alerts.receivers: `hook`: webhook.url" + tail + "`hook.example` in clear: https",
		"/etc/plumb/plumb.yaml:26:32: alerts.receivers: `am`: alertmanager.url" + tail + "`am.example:9093` in clear: https",
		"/etc/plumb/plumb.yaml:27:56: alerts.receivers: `pd`: pagerduty.url" + tail + "`pd.example` in clear: https",
		"/etc/plumb/plumb.yaml:10:50: service `shop`: health: http" + tail + "`shop.example` in clear: https",
		"/etc/plumb/plumb.yaml:13:50: service `prom`: health: prometheus" + tail + "`prom.example:9090` in clear: https",
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(f.InClear))
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}
