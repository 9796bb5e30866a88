package cloud

import (
	"encoding/json"
	"testing"

	"plumb/fleet"
)

// FuzzSplit compares the splitting of a list with what encoding/json reads.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"servers": [{"id": "a]}\\\""}, null, 7 , [1,[2]]], "servers_links": [{"rel": "next"}]}`))
	f.Add([]byte(` { "a" : { "servers" : [ 1 ] } , "servers" : [ ] } `))
	f.Add([]byte(`{"\u0073ervers":[1],"servers":null,"servers":[2,"x"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, links, ok := splitList(raw, "servers")
		var top map[string]json.RawMessage
		var want []json.RawMessage
		good := json.Unmarshal(raw, &top) == nil && len(top["servers"]) > 0 && top["servers"][0] == '[' && json.Unmarshal(top["servers"], &want) == nil
		if ok != good || len(rows) != len(want) {
			t.Fatalf("split %v %q, want %v %q", ok, rows, good, want)
		}
		for i := range rows {
			if string(rows[i]) != string(want[i]) {
				t.Errorf("row %d is %q, want %q", i, rows[i], want[i])
			}
		}
		if ok && string(links) != string(top["servers_links"]) {
			t.Errorf("links %q, want %q", links, top["servers_links"])
		}
	})
}

// FuzzRows throws bytes at everything that reads a row or an error body.
func FuzzRows(f *testing.F) {
	f.Add([]byte(serverRow(1)))
	f.Add([]byte(`{"id": 1, "hypervisor_hostname": "h", "state": "up", "service": {"host": "h"}, "running_vms": -5}`))
	f.Add([]byte(`{"id": "g", "name": "default", "tenant_id": "p", "security_group_rules": [{"direction": "ingress", "protocol": 6, "port_range_min": 22, "remote_group_id": "g"}]}`))
	f.Add([]byte(`{"id": "s", "name": "n", "image": "", "addresses": {"net": [{"addr": "fe80::1%eth0", "OS-EXT-IPS:type": "floating"}]}, "security_groups": [{"name": "default"}]}`))
	f.Add([]byte(`{"binary": "nova-compute", "host": "h", "forced_down": true}`))
	f.Add([]byte(`{"id": "g", "name": "n", "policies": ["affinity"], "members": ["a"]}`))
	f.Add([]byte(`[{"rel": "next", "href": "http://x/?marker=%zz"}]`))
	f.Add([]byte(`{"errors": [{"detail": "d"}], "forbidden": {"message": "m"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if id, s, err := parseServer(raw); err == nil {
			if id == "" || len(id) > maxID || len(tagsOf(&s)) > maxTags || s.state() >= fleet.NumStates || len(groupsOf(&s)) > maxServerGroups {
				t.Errorf("server %q: %+v", id, s)
			}
		}
		if id, _, err := parseHypervisor(raw); err == nil && (id == "" || len(id) > maxID) {
			t.Errorf("hypervisor %q", id)
		}
		_, _, _ = parseService(raw)
		if _, g, err := parseGroup(raw); err == nil && len(g.policy()) > fleet.MaxText {
			t.Error("a long policy")
		}
		if g, _, err := parseSecurityGroup(raw); err == nil {
			if g.ID == "" || len(g.ID) > maxID || len(g.Rules) > maxRules {
				t.Errorf("security group %+v", g)
			}
			for _, r := range g.Rules {
				if len(r.Remote) > maxID || len(r.Protocol) > 32 || fleet.Clean(r.Protocol, 32) != r.Protocol {
					t.Errorf("rule %+v", r)
				}
			}
		}
		_ = nextMarker(raw)
		if m := messageOf(raw); len(m) > fleet.MaxText || fleet.Clean(m, fleet.MaxText) != m {
			t.Errorf("message %q", m)
		}
		_, _ = json.Marshal(launched(string(raw)))
	})
}
