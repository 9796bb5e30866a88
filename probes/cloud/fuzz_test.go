package cloud

import (
	"encoding/json"
	"testing"

	"plumb/fleet"
)

// FuzzRows throws bytes at everything that reads a row or an error body.
func FuzzRows(f *testing.F) {
	f.Add([]byte(serverRow(1)))
	f.Add([]byte(`{"id": 1, "hypervisor_hostname": "h", "state": "up", "service": {"host": "h"}, "running_vms": -5}`))
	f.Add([]byte(`{"binary": "nova-compute", "host": "h", "forced_down": true}`))
	f.Add([]byte(`{"id": "g", "name": "n", "policies": ["affinity"], "members": ["a"]}`))
	f.Add([]byte(`[{"rel": "next", "href": "http://x/?marker=%zz"}]`))
	f.Add([]byte(`{"errors": [{"detail": "d"}], "forbidden": {"message": "m"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if id, s, err := parseServer(raw); err == nil {
			if id == "" || len(id) > maxID || len(tagsOf(&s)) > maxTags || s.state() >= fleet.NumStates {
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
		_ = nextMarker(raw)
		if m := messageOf(raw); len(m) > fleet.MaxText || fleet.Clean(m, fleet.MaxText) != m {
			t.Errorf("message %q", m)
		}
		_, _ = json.Marshal(launched(string(raw)))
	})
}
