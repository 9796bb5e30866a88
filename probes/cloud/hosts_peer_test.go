package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// operator is the other one at the peer: OpenStack's own client, which says what
// is so and does what others do to a cloud.
type operator struct {
	t   *testing.T
	env []string
}

func newOperator(t *testing.T, dir string) *operator {
	t.Helper()
	rc, err := os.ReadFile(filepath.Join(dir, "openrc"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("openstack"); err != nil {
		t.Skip("no openstack client: install python3-openstackclient")
	}
	op := &operator{t, append(os.Environ(), "PYTHONWARNINGS=ignore")}
	for k, v := range openrc(rc) {
		if k == "OS_COMPUTE_API_VERSION" {
			v = "2.90" // the client knows no newer one
		}
		op.env = append(op.env, k+"="+v)
	}
	return op
}

// run says one thing to the client.
func (op *operator) run(args ...string) []byte {
	op.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openstack", args...)
	var stderr strings.Builder
	cmd.Env, cmd.Stderr = op.env, &stderr
	out, err := cmd.Output()
	if err != nil {

		op.t.Fatalf("openstack %s: %v %.500s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// set changes the compute service of a host.
func (op *operator) set(host string, how ...string) {
	op.t.Helper()
	op.run(append(append([]string{"compute", "service", "set"}, how...), host, "nova-compute")...)
}

// setFor is set until the test is over.
func (op *operator) setFor(host, back string, how ...string) {
	op.t.Helper()
	op.set(host, how...)
	op.t.Cleanup(func() { op.set(host, back) })
}

// service is a compute service in words: "enabled up", "disabled up: why".
func (op *operator) service(host string) string {
	op.t.Helper()
	var rows []struct {
		Status, State string
		Reason        string `json:"Disabled Reason"`
	}
	if err := json.Unmarshal(op.run("compute", "service", "list", "--long", "--host", host, "--service", "nova-compute", "-f", "json"), &rows); err != nil || len(rows) != 1 {
		op.t.Fatalf("the service of %s: %v %+v", host, err, rows)
	}
	text := rows[0].Status + " " + rows[0].State
	if rows[0].Reason != "" {
		text += ": " + rows[0].Reason
	}
	return text
}

// places are where all instances are, by id: "ACTIVE on HOST".
func (op *operator) places() map[string]string {
	op.t.Helper()
	var rows []struct{ ID, Status, Host string }
	if err := json.Unmarshal(op.run("server", "list", "--all-projects", "--long", "--no-name-lookup", "-c", "ID", "-c", "Status", "-c", "Host", "-f", "json"), &rows); err != nil {
		op.t.Fatal(err)
	}
	at := map[string]string{}
	for _, r := range rows {
		at[r.ID] = r.Status + " on " + r.Host
	}
	return at
}

// do carries an action out, and is done with it in so many words.
func do(t *testing.T, o *OpenStack, a fleet.Action, done bool, want error, words string) fleet.Outcome {
	t.Helper()
	began := time.Now()
	out, err := o.Act(context.Background(), a)
	t.Logf("%s %s: %+v, %v in %v", a.Kind, a.Target, out, err, time.Since(began).Round(time.Millisecond))
	if said := out.Text + " " + errText(err); out.Done != done || !errors.Is(err, want) || !strings.Contains(said, words) {
		t.Fatalf("%s %s: %+v, %v; want done %v, %v, %q", a.Kind, a.Target, out, err, done, want, words)
	}
	return out
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// onHost are the instances on a host, and all others of the hosts.
func onHost(obs *fleet.Observation, host string) (ids, others []string) {
	for _, i := range obs.Instances {
		if i.Host == host {
			ids = append(ids, i.ID)
		}
	}
	for _, h := range obs.Hosts {
		if h.Name != host {
			others = append(others, h.Name)
		}
	}
	return ids, others
}

// patient is a probe that awaits what a busy machine takes its time for.
func patient(t *testing.T) (*OpenStack, *operator) {
	t.Helper()
	o, dir := peer(t)
	o.settle, o.cfg.Timeout = 40*time.Second, 90*time.Second
	if obs := observe(t, o, fleet.LaneSlow); obs.Err != nil || len(obs.Hosts) < 2 {
		t.Fatalf("%v, %d hosts", obs.Err, len(obs.Hosts))
	}
	return o, newOperator(t, dir)
}

// TestPeerDrain empties a host of a real cloud and gives it back. What it says
// of each step OpenStack's own client says too.
func TestPeerDrain(t *testing.T) {
	o, op := patient(t)
	ids := launch(t, o, 3)
	host := instance(t, observe(t, o, fleet.LaneFast), ids[0]).Host
	const why = "plumb j1 bob: PSU swap"
	drain, undrain := fleet.Action{Kind: fleet.ActHostDrain, Target: host, Why: why}, fleet.Action{Kind: fleet.ActHostUndrain, Target: host}
	t.Cleanup(func() { op.set(host, "--enable") })

	if out := do(t, o, drain, true, nil, ""); out.Before != "enabled" || out.After != "disabled: "+why {
		t.Errorf("drain: %+v", out)
	}
	if got := op.service(host); got != "disabled up: "+why {
		t.Errorf("the client says %s", got)
	}
	do(t, o, drain, true, nil, "already; nothing was sent")
	drain.Why = "plumb j2 eve: mine"
	do(t, o, drain, false, fleet.ErrUnsupported, "it was taken out before")

	obs := observe(t, o, fleet.LaneFast)
	if h := hostNamed(obs, host); h.Status != "disabled" || h.Maintenance != why || h.State != "up" {
		t.Errorf("a look sees %+v", h)
	}
	guests, _ := onHost(obs, host)
	for _, id := range guests {
		if out := do(t, o, fleet.Action{Kind: fleet.ActInstanceMigrate, Target: id}, true, nil, "it moved to "); strings.HasSuffix(out.After, " on "+host) {
			t.Errorf("%+v", out)
		}
	}
	at := op.places()
	for _, id := range guests {
		if at[id] == "" || strings.HasSuffix(at[id], " on "+host) || !strings.HasPrefix(at[id], "ACTIVE") {
			t.Errorf("the client says that %s is %s", id, at[id])
		}
	}
	if left, _ := onHost(observe(t, o, fleet.LaneFast), host); len(left) > 0 {
		t.Errorf("left on %s: %v", host, left)
	}
	if fresh := launch(t, o, 3); slices.ContainsFunc(fresh, func(id string) bool { return instance(t, observe(t, o, fleet.LaneFast), id).Host == host }) {
		t.Errorf("something was placed on %s", host)
	}

	if out := do(t, o, undrain, true, nil, ""); out.After != "enabled" {
		t.Errorf("undrain: %+v", out)
	}
	if got := op.service(host); got != "enabled up" {
		t.Errorf("the client says %s", got)
	}
	do(t, o, undrain, true, nil, "already; nothing was sent")
}

// TestPeerOthersHand: what somebody else took out of a real cloud stays out, with
// the note that they left.
func TestPeerOthersHand(t *testing.T) {
	o, op := patient(t)
	host := observe(t, o, fleet.LaneFast).Hosts[0].Name
	undrain := fleet.Action{Kind: fleet.ActHostUndrain, Target: host}
	for _, reason := range []string{"carol: retired", ""} {
		how := []string{"--disable"}
		says, shown := "disabled up", "disabled: "+noReason
		if reason != "" {
			how = append(how, "--disable-reason", reason)
			says, shown = says+": "+reason, "disabled: "+reason
		}
		op.setFor(host, "--enable", how...)
		undrain.Was = ""
		do(t, o, undrain, false, fleet.ErrUnsupported, "whoever took it out")
		undrain.Was = "disabled: plumb j1 bob: PSU swap"
		do(t, o, undrain, false, fleet.ErrUnsupported, "when that was decided")
		do(t, o, fleet.Action{Kind: fleet.ActHostDrain, Target: host, Why: "plumb j2 bob: firmware", Was: "enabled"}, false, fleet.ErrUnsupported, "it was taken out before")
		if got := op.service(host); got != says {
			t.Errorf("the client says %s, want %s", got, says)
		}
		undrain.Was = shown
		do(t, o, undrain, true, nil, "enabled")
	}
}

// TestPeerNoRoom: a real cloud takes what it cannot do, and says so afterwards.
func TestPeerNoRoom(t *testing.T) {
	o, op := patient(t)
	id := launch(t, o, 1)[0]
	host := instance(t, observe(t, o, fleet.LaneFast), id).Host
	_, others := onHost(observe(t, o, fleet.LaneFast), host)
	for _, other := range others {
		op.setFor(other, "--enable", "--disable", "--disable-reason", "no room")
	}
	do(t, o, fleet.Action{Kind: fleet.ActInstanceMigrate, Target: id}, false, fleet.ErrUnsupported, "No valid host was found")
	if got := op.places()[id]; got != "ACTIVE on "+host {
		t.Errorf("the client says that it is %s", got)
	}
	op.setFor(host, "--up", "--down")
	do(t, o, fleet.Action{Kind: fleet.ActInstanceMigrate, Target: id}, false, fleet.ErrUnsupported, "is down")
	do(t, o, fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: id}, false, fleet.ErrUnsupported, "No valid host was found")
	if got := op.places()[id]; got != "ERROR on "+host {
		t.Errorf("the client says that it is %s", got)
	}
}

// TestPeerEvacuate: from a host that was forced down, and from no other.
func TestPeerEvacuate(t *testing.T) {
	o, op := patient(t)
	host := ""
	t.Cleanup(func() { // not before the instance is deleted: Nova refuses it as long as one that left is remembered
		if host != "" {
			op.set(host, "--up")
		}
	})
	id := launch(t, o, 1)[0]
	host = instance(t, observe(t, o, fleet.LaneFast), id).Host
	evacuate := fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: id}
	do(t, o, evacuate, false, fleet.ErrUnsupported, "is up, not down")
	op.set(host, "--down")
	if h := hostNamed(observe(t, o, fleet.LaneFast), host); h.State != "down" {
		t.Errorf("a look sees %+v", h)
	}
	if out := do(t, o, evacuate, true, nil, "it was built again on "); out.Before != "ACTIVE on "+host || strings.HasSuffix(out.After, " on "+host) {
		t.Errorf("%+v", out)
	}
	if got := op.places()[id]; !strings.HasPrefix(got, "ACTIVE on ") || got == "ACTIVE on "+host {
		t.Errorf("the client says that it is %s", got)
	}
}
