package openstack

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPeerClient lets OpenStack's own client read the cloud. It must do so
// without complaint, at the oldest and at a new microversion.
func TestPeerClient(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") != "1" {
		t.Skip("set PLUMB_PEERS=1 to let the openstack client read the simulated cloud")
	}
	bin, err := exec.LookPath("openstack")
	if err != nil {
		t.Skip("no openstack client: install python3-openstackclient")
	}
	w := newWorld(250)
	s := start(t, w, nil)
	run := func(version string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Env = append(os.Environ(), "OS_AUTH_URL="+s.AuthURL(), "OS_USERNAME=admin", "OS_PASSWORD=secret", "OS_PROJECT_NAME=admin", "OS_USER_DOMAIN_ID=default",
			"OS_PROJECT_DOMAIN_ID=default", "OS_REGION_NAME=ams", "OS_IDENTITY_API_VERSION=3", "OS_COMPUTE_API_VERSION="+version, "PYTHONWARNINGS=ignore")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Errorf("openstack %s (%s): %v\n%s", strings.Join(args, " "), version, err, stderr.String())
		}
		return string(out)
	}
	rows := func(version string, args ...string) int {
		t.Helper()
		var list []any
		if out := run(version, append(args, "-f", "json")...); json.Unmarshal([]byte(out), &list) != nil {
			t.Errorf("openstack %s: not a list: %.300s", strings.Join(args, " "), out)
		}
		return len(list)
	}
	id := derivedUUID("server", "0")
	for _, version := range []string{"2.1", "2.88"} {
		for _, c := range []struct {
			args string
			want int
		}{
			{"server list --all-projects --long --limit -1 --no-name-lookup", 250},
			{"hypervisor list --long", 3},
			{"compute service list", 5},
			{"flavor list", 1},
			{"server group list --all-projects", 1},
		} {
			if n := rows(version, strings.Fields(c.args)...); n != c.want {
				t.Errorf("%s at %s: %d rows, want %d", c.args, version, n, c.want)
			}
		}
		if out := run(version, "server", "show", id, "-f", "json"); !strings.Contains(out, `"match-000"`) {
			t.Errorf("server show: %s", out)
		}
	}
	rows("2.88", "catalog", "list")
	rows("2.88", "availability", "zone", "list", "--compute", "--long")
	rows("2.88", "security", "group", "list")
	rows("2.88", "limits", "show", "--absolute")
	run("2.88", "server", "stop", id)
	eventually(t, "SHUTOFF", func() bool { return w.State("ams").server(id).Status == "SHUTOFF" })
}
