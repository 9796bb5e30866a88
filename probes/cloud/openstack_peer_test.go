package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// peer returns a probe of the real OpenStack that peers/cloud/openstack.sh
// brought up, and the directory with its pids.
func peer(t *testing.T) (*OpenStack, string) {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") != "1" || os.Getenv("PLUMB_OPENSTACK") != "1" {
		t.Skip("set PLUMB_PEERS=1 and PLUMB_OPENSTACK=1, after `peers/cloud/openstack.sh up 3`, to look at a real OpenStack")
	}
	dir := os.Getenv("PLUMB_OPENSTACK_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "plumb-peer-openstack")
	}
	rc, err := os.ReadFile(filepath.Join(dir, "openrc"))
	if err != nil {
		t.Fatalf("the peer is not up: %v", err)
	}
	env := openrc(rc)
	cfg, err := FromEnv(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	cfg.Target = "os-ams"
	return probe(t, cfg), dir
}

func openrc(text []byte) map[string]string {
	env := map[string]string{}
	for _, word := range strings.Fields(string(text)) {
		if k, v, ok := strings.Cut(word, "="); ok {
			env[k] = v
		}
	}
	return env
}

// create posts to the compute API, or to what the full URL says, and returns
// the id in the answer.
func create(t *testing.T, o *OpenStack, at, key string, body any) string {
	t.Helper()
	if !strings.HasPrefix(at, "http") {
		at = o.session.compute.Endpoint + at
	}
	var doc map[string]json.RawMessage
	_, err := o.session.compute.Post(t.Context(), at, body, &doc, &gophercloud.RequestOpts{OkCodes: []int{200, 201, 202}})
	if err != nil {
		t.Fatalf("create %s: %v", key, err)
	}
	var one struct{ ID string }
	raw := doc[key]
	if key == "" {
		raw = doc["id"]
		raw = []byte(`{"ID":` + string(raw) + `}`)
	}
	if err := json.Unmarshal(raw, &one); err != nil || one.ID == "" {
		t.Fatalf("create %s: no id in %v", key, doc)
	}
	return one.ID
}

// until looks in the fast lane every second until the condition holds.
func until(t *testing.T, o *OpenStack, what string, limit time.Duration, cond func(*fleet.Observation) bool) *fleet.Observation {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		obs := observe(t, o, fleet.LaneFast)
		if obs.Err == nil && cond(obs) {
			t.Logf("%s after %v", what, time.Since(began).Round(time.Second))
			return obs
		}
		if time.Since(began) > limit {
			t.Fatalf("never: %s; last: %v %+v %+v", what, obs.Err, obs.Instances, obs.Hosts)
		}
		<-tick.C
	}
}

func hostNamed(obs *fleet.Observation, name string) fleet.Host {
	for _, h := range obs.Hosts {
		if h.Name == name {
			return h
		}
	}
	return fleet.Host{}
}

// TestPeerOpenStack follows a real cloud through its life: looks, makes four
// instances in a server group, stops and starts one, and freezes a host under
// another, which Nova goes on calling ACTIVE.
func TestPeerOpenStack(t *testing.T) {
	o, dir := peer(t)
	obs := observe(t, o, fleet.LaneSlow)
	if obs.Err != nil {
		t.Fatal(obs.Err)
	}
	t.Logf("first slow look: %v, %s requests, compute %s, placement %s", obs.Took.Round(time.Millisecond), obs.Facts.Get("poll.requests"), obs.Facts.Get("api.compute"), obs.Facts.Get("api.placement"))
	if got, want := tables(obs), "facts=complete hosts=complete instances=complete security_groups=complete"; got != want {
		t.Errorf("tables %s", got)
	}
	for _, f := range obs.Facts {
		if strings.HasPrefix(f.Name, "sees.") && f.Value != "seen" { // of networks it is an answer that there are none: the peer has no Neutron
			t.Errorf("%s = %s", f.Name, f.Value)
		}
	}
	if len(obs.Hosts) != 3 {
		t.Fatalf("hosts: %+v", obs.Hosts)
	}
	for _, h := range obs.Hosts {
		if h.State != "up" || h.Status != "enabled" || h.Zone == "" || len(h.Resources) < 3 {
			t.Errorf("host: %+v", h)
		}
	}

	ids := launch(t, o, 4)
	obs = observe(t, o, fleet.LaneSlow)
	i := instance(t, obs, ids[0])
	if !strings.HasPrefix(i.PlacementGroup, "match-") || i.Tags["service"] != "match" || i.LaunchedAt.IsZero() || !strings.HasPrefix(i.Type, "m1.peer") || i.Zone == "" {
		t.Errorf("instance: %+v", i)
	}
	used := int64(0)
	for _, h := range obs.Hosts {
		for _, r := range h.Resources {
			if r.Class == "VCPU" {
				used += r.Used
			}
		}
	}
	if used < 4 {
		t.Errorf("placement says %d VCPU are used by 4 instances", used)
	}
	t.Logf("an instance: %+v", i)

	stopAndStart(t, o, ids[1])
	freeze(t, o, dir, instance(t, observe(t, o, fleet.LaneFast), ids[0]))
}

// launch makes n instances in a server group, waits until they run, and deletes
// them when the test is over.
func launch(t *testing.T, o *OpenStack, n int) []string {
	t.Helper()
	flavor, image := furnish(t, o)
	group := create(t, o, "os-server-groups", "server_group", map[string]any{"server_group": map[string]any{"name": "match-" + flavor[:8], "policy": "soft-anti-affinity"}})
	t.Cleanup(func() { // a project may have ten of them
		_, _ = o.session.compute.Delete(context.Background(), o.session.compute.Endpoint+"os-server-groups/"+group, nil)
	})
	var ids []string
	for k := range n {
		ids = append(ids, create(t, o, "servers", "server", map[string]any{
			"server": map[string]any{"name": fmt.Sprintf("peer-%d", k), "flavorRef": flavor, "imageRef": image, "networks": "none",
				"metadata": map[string]string{"service": "match"}, "tags": []string{"env=test"}},
			"os:scheduler_hints": map[string]any{"group": group},
		}))
	}
	untilActive(t, o, ids)
	return ids
}

// launchAs makes an instance of a member, of what an admin laid ready.
func launchAs(t *testing.T, admin, member *OpenStack) string {
	t.Helper()
	flavor, image := furnish(t, admin)
	id := create(t, member, "servers", "server", map[string]any{"server": map[string]any{"name": "mine", "flavorRef": flavor, "imageRef": image, "networks": "none"}})
	untilActive(t, admin, []string{id})
	return id
}

// furnish makes a flavor and an image.
func furnish(t *testing.T, o *OpenStack) (flavor, image string) {
	t.Helper()
	stamp := strconv.FormatInt(time.Now().UnixNano(), 36)
	flavor = create(t, o, "flavors", "flavor", map[string]any{"flavor": map[string]any{"name": "m1.peer-" + stamp, "vcpus": 1, "ram": 64, "disk": 1}})
	glance := strings.Replace(o.session.compute.Endpoint, "18774/v2.1/", "18292/v2/images", 1)
	image = create(t, o, glance, "", map[string]any{"name": "peer", "disk_format": "raw", "container_format": "bare", "visibility": "public"})
	req := &gophercloud.RequestOpts{RawBody: strings.NewReader("nothing"), MoreHeaders: map[string]string{"Content-Type": "application/octet-stream"}, OkCodes: []int{http.StatusNoContent}}
	if _, err := o.session.compute.Request(t.Context(), http.MethodPut, glance+"/"+image+"/file", req); err != nil {
		t.Fatal(err)
	}
	return flavor, image
}

// untilActive waits until instances run, and deletes them when the test is over.
func untilActive(t *testing.T, o *OpenStack, ids []string) {
	t.Helper()
	t.Cleanup(func() {
		for _, id := range ids {
			_, _ = o.session.compute.Delete(context.Background(), o.session.compute.Endpoint+"servers/"+id, nil)
		}
		until(t, o, "deleted", time.Minute, func(obs *fleet.Observation) bool {
			return !slices.ContainsFunc(obs.Instances, func(i fleet.Instance) bool { return slices.Contains(ids, i.ID) })
		})
	})
	until(t, o, "all ACTIVE", 90*time.Second, func(obs *fleet.Observation) bool {
		for _, id := range ids {
			if !slices.ContainsFunc(obs.Instances, func(i fleet.Instance) bool { return i.ID == id && i.State == fleet.StateOK && i.Host != "" }) {
				return false
			}
		}
		return true
	})
}

func stopAndStart(t *testing.T, o *OpenStack, id string) {
	t.Helper()
	for _, step := range []struct {
		kind fleet.ActionKind
		want fleet.State
	}{{fleet.ActInstanceStop, fleet.StateOff}, {fleet.ActInstanceStart, fleet.StateOK}, {fleet.ActInstanceReboot, fleet.StateOK}} {
		began := time.Now()
		out, err := o.Act(context.Background(), fleet.Action{Kind: step.kind, Target: id})
		if err != nil || !out.Done {
			t.Fatalf("%s: %+v, %v", step.kind, out, err)
		}
		t.Logf("%s: %+v in %v", step.kind, out, time.Since(began).Round(time.Millisecond))
		until(t, o, string(step.kind), 60*time.Second, func(obs *fleet.Observation) bool { return instance(t, obs, id).State == step.want })
	}
}

// freeze stops the nova-compute under an instance.
func freeze(t *testing.T, o *OpenStack, dir string, i fleet.Instance) {
	t.Helper()
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(i.Host, "fra1-r0"), "-kvm1"))
	raw, err := os.ReadFile(filepath.Join(dir, "pid", fmt.Sprintf("nova-compute%d", n)))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || pid < 2 {
		t.Fatalf("pid %q: %v", raw, err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw := func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(thaw)
	obs := until(t, o, "the dead host shows", 2*time.Minute, func(obs *fleet.Observation) bool { return hostNamed(obs, i.Host).State == "down" })
	dead := instance(t, obs, i.ID)
	if dead.RunState != "ACTIVE" || dead.State == fleet.StateOK {
		t.Errorf("a guest on a dead host: %+v", dead)
	}
	out, err := o.Act(context.Background(), fleet.Action{Kind: fleet.ActInstanceReboot, Target: i.ID})
	t.Logf("reboot on a dead host: %+v, %v", out, err)
	if err == nil && !strings.Contains(out.Text, "accepted") {
		t.Errorf("more is claimed than was seen: %+v", out)
	}
	thaw()
	until(t, o, "the host is back", time.Minute, func(obs *fleet.Observation) bool { return hostNamed(obs, i.Host).State == "up" })
	until(t, o, "the guest is back", time.Minute, func(obs *fleet.Observation) bool { return instance(t, obs, i.ID).State == fleet.StateOK })
}

// TestPeerMember looks at the same cloud as somebody who is not its admin.
func TestPeerMember(t *testing.T) {
	admin, _ := peer(t)
	if obs := observe(t, admin, fleet.LaneFast); obs.Err != nil {
		t.Fatal(obs.Err)
	}
	stamp := strconv.FormatInt(time.Now().UnixNano(), 36)
	keystone := strings.TrimSuffix(admin.cfg.AuthURL, "/") + "/"
	project := create(t, admin, keystone+"projects", "project", map[string]any{"project": map[string]any{"name": "guests-" + stamp, "domain_id": "default"}})
	user := create(t, admin, keystone+"users", "user", map[string]any{"user": map[string]any{"name": "guest-" + stamp, "password": "guest", "domain_id": "default"}})
	var roles struct{ Roles []struct{ ID string } }
	if _, err := admin.session.compute.Get(t.Context(), keystone+"roles?name=member", &roles, nil); err != nil || len(roles.Roles) != 1 {
		t.Fatalf("role member: %v", err)
	}
	if _, err := admin.session.compute.Put(t.Context(), keystone+"projects/"+project+"/users/"+user+"/roles/"+roles.Roles[0].ID, nil, nil, &gophercloud.RequestOpts{OkCodes: []int{204}}); err != nil {
		t.Fatal(err)
	}
	cfg := admin.cfg
	cfg.Username, cfg.Password, cfg.ProjectName, cfg.Limits = "guest-"+stamp, secret("guest"), "guests-"+stamp, Limits{}
	member := probe(t, cfg)
	obs := observe(t, member, fleet.LaneSlow)
	if obs.Err != nil {
		t.Errorf("what is denied is no failure: %v", obs.Err)
	}
	for name, want := range map[string]string{"sees.instances": "seen", "sees.all_projects": "denied", "sees.hosts": "denied", "sees.services": "denied", "sees.placement": "denied", "sees.quota": "seen", "sees.zones": "seen"} {
		if got := obs.Facts.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	host := observe(t, admin, fleet.LaneFast).Hosts[0]
	for _, k := range []fleet.ActionKind{fleet.ActHostDrain, fleet.ActHostUndrain} {
		do(t, member, fleet.Action{Kind: k, Target: host.Name, Why: "plumb j1 guest: mine"}, false, fleet.ErrAuth, "user guest-"+stamp+" in project guests-"+stamp+" may not do this: give the cloud a credential with the role admin")
	}
	mine := launchAs(t, admin, member)
	for _, k := range []fleet.ActionKind{fleet.ActInstanceMigrate, fleet.ActInstanceEvacuate} {
		do(t, member, fleet.Action{Kind: k, Target: mine}, false, fleet.ErrAuth, "this account is not shown the host; user guest-"+stamp)
	}
	do(t, member, fleet.Action{Kind: fleet.ActInstanceStop, Target: mine}, true, nil, "accepted")
	if h := hostNamed(observe(t, admin, fleet.LaneFast), host.Name); h.Status != host.Status || h.Maintenance != host.Maintenance {
		t.Errorf("the host is %+v", h)
	}
	cfg.Password = secret("wrong")
	if obs := observe(t, probe(t, cfg), fleet.LaneFast); !errors.Is(obs.Err, fleet.ErrAuth) {
		t.Errorf("a wrong password is %v", obs.Err)
	}
}
