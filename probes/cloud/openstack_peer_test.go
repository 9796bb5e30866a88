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
	env := map[string]string{}
	for _, word := range strings.Fields(string(rc)) {
		if k, v, ok := strings.Cut(word, "="); ok {
			env[k] = v
		}
	}
	cfg, err := FromEnv(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	cfg.Target = "os-ams"
	return probe(t, cfg), dir
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
	if got, want := tables(obs), "facts=complete hosts=complete instances=complete"; got != want {
		t.Errorf("tables %s", got)
	}
	for _, f := range obs.Facts {
		want := "seen"
		if f.Name == "sees."+string(callSecurityGroups) {
			want = "unsupported" // the peer has no Neutron
		}
		if strings.HasPrefix(f.Name, "sees.") && f.Value != want {
			t.Errorf("%s = %s, want %s", f.Name, f.Value, want)
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
	until(t, o, "all ACTIVE", 90*time.Second, func(obs *fleet.Observation) bool {
		for _, id := range ids {
			if !slices.ContainsFunc(obs.Instances, func(i fleet.Instance) bool { return i.ID == id && i.State == fleet.StateOK && i.Host != "" }) {
				return false
			}
		}
		return true
	})
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

	for _, id := range ids {
		_, _ = o.session.compute.Delete(t.Context(), o.session.compute.Endpoint+"servers/"+id, nil)
	}
	until(t, o, "deleted", 60*time.Second, func(obs *fleet.Observation) bool { return len(obs.Instances) == 0 })
}

// launch makes n instances in a server group.
func launch(t *testing.T, o *OpenStack, n int) []string {
	t.Helper()
	stamp := strconv.FormatInt(time.Now().Unix(), 36)
	flavor := create(t, o, "flavors", "flavor", map[string]any{"flavor": map[string]any{"name": "m1.peer-" + stamp, "vcpus": 1, "ram": 64, "disk": 1}})
	group := create(t, o, "os-server-groups", "server_group", map[string]any{"server_group": map[string]any{"name": "match-" + stamp, "policy": "soft-anti-affinity"}})
	glance := strings.Replace(o.session.compute.Endpoint, "18774/v2.1/", "18292/v2/images", 1)
	image := create(t, o, glance, "", map[string]any{"name": "peer", "disk_format": "raw", "container_format": "bare"})
	req := &gophercloud.RequestOpts{RawBody: strings.NewReader("nothing"), MoreHeaders: map[string]string{"Content-Type": "application/octet-stream"}, OkCodes: []int{http.StatusNoContent}}
	if _, err := o.session.compute.Request(t.Context(), http.MethodPut, glance+"/"+image+"/file", req); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for k := range n {
		ids = append(ids, create(t, o, "servers", "server", map[string]any{
			"server": map[string]any{"name": fmt.Sprintf("peer-%d", k), "flavorRef": flavor, "imageRef": image, "networks": "none",
				"metadata": map[string]string{"service": "match"}, "tags": []string{"env=test"}},
			"os:scheduler_hints": map[string]any{"group": group},
		}))
	}
	return ids
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
	obs := observe(t, probe(t, cfg), fleet.LaneSlow)
	if obs.Err != nil {
		t.Errorf("what is denied is no failure: %v", obs.Err)
	}
	for name, want := range map[string]string{"sees.instances": "seen", "sees.all_projects": "denied", "sees.hosts": "denied", "sees.services": "denied", "sees.placement": "denied", "sees.quota": "seen", "sees.zones": "seen"} {
		if got := obs.Facts.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	cfg.Password = secret("wrong")
	if obs := observe(t, probe(t, cfg), fleet.LaneFast); !errors.Is(obs.Err, fleet.ErrAuth) {
		t.Errorf("a wrong password is %v", obs.Err)
	}
}
