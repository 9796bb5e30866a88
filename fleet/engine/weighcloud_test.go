package engine

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// sky is a cloud that is looked at in full, as one story.
type sky struct {
	t    *testing.T
	inv  *fleet.Inventory
	snap *fleet.Snapshot
	now  time.Time
	kept []fleet.Change
	said []fleet.Event
}

func newSky(t *testing.T) *sky {
	inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "ams"}}, Clouds: []fleet.CloudSpec{{Name: "os", Region: "ams"}}, Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}}
	return &sky{t: t, inv: inv, snap: Restore(inv, fleet.Memory{}, t0), now: t0}
}

func (k *sky) step(in ...fleet.Input) {
	next, out := Step(k.snap, in, k.now)
	k.snap, k.said = next, out.Events
	k.kept = append(k.kept, out.Changes...)
}

// look reads the cloud five minutes later.
func (k *sky) look(flavor, rule string, c fleet.Completeness) string {
	k.now = k.now.Add(5 * time.Minute)
	o := &fleet.Observation{Target: "os", Source: fleet.SourceOpenStack, Lane: fleet.LaneSlow, At: k.now}
	o.SetTable(fleet.TableInstances, c)
	o.SetTable(fleet.TableSecurityGroups, c)
	if flavor != "" {
		o.Instances = []fleet.Instance{{ID: "i1", Name: "match-1", Type: flavor, State: fleet.StateOK}}
	}
	o.SecurityGroups = []fleet.SecurityGroup{{ID: "g1", Name: "web", Rules: []fleet.SecurityRule{{ID: rule, Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(443), PortMax: fleet.Int(443), Remote: rule}}}}
	k.step(o)
	return k.found()
}

func (k *sky) found() string {
	var out []string
	for _, f := range k.snap.Clouds.Get("os").Docket.Of() {
		out = append(out, f.Facet+" "+string(f.State))
	}
	return strings.Join(out, ", ")
}

func (k *sky) finds(got, want string) {
	k.t.Helper()
	if got != want {
		k.t.Errorf("found %q, want %q", got, want)
	}
}

// TestWhatChangesInACloud follows a flavor and a rule through a change, half an
// answer, a decision, a restart and the week after which it is forgotten.
func TestWhatChangesInACloud(t *testing.T) {
	k := newSky(t)
	const both = "group g1 rules open, instance i1 type open"
	k.finds(k.look("m1.small", "10.0.0.0/8", fleet.Complete), "")
	k.finds(k.look("m1.small", "10.0.0.0/8", fleet.Complete), "")
	k.finds(k.look("m1.large", "10.1.0.0/16", fleet.Complete), both)
	k.finds(k.look("", "10.1.0.0/16", fleet.Partial), both)

	k.step(fleet.Decision{Rulings: []fleet.Ruling{{Target: "os", Facet: "instance i1 type", Verdict: fleet.FindingAccepted, Value: "m1.large", By: "ann", At: k.now}}})
	const accepted = "group g1 rules open, instance i1 type accepted"
	k.finds(k.found(), accepted)

	k.snap = Restore(k.inv, fleet.Memory{Version: k.snap.Version, Tables: fleet.Remember(k.kept)}, k.now)
	k.finds(k.found(), accepted)
	k.finds(k.look("m1.large", "10.1.0.0/16", fleet.Complete), accepted)
	k.finds(k.look("m1.huge", "10.0.0.0/8", fleet.Complete), "instance i1 type open")

	k.now = k.now.Add(8 * 24 * time.Hour)
	k.step(fleet.Tick{})
	if past := k.snap.Clouds.Get("os").Docket.Past; len(past) != 0 {
		t.Errorf("after a week it still knows %v", past)
	}
	k.finds(k.look("m1.huge", "10.0.0.0/8", fleet.Complete), "instance i1 type open") // not what was accepted
}
