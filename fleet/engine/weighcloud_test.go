package engine

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// heaven is a cloud that is looked at in full every five minutes, as one story.
type heaven struct {
	t    *testing.T
	inv  *fleet.Inventory
	snap *fleet.Snapshot
	now  time.Time
	said []fleet.Event
	kept []fleet.Change
	obs  fleet.Observation // what the cloud says
}

func newHeaven(t *testing.T, declared *fleet.Declared) *heaven {
	t.Helper()
	h := &heaven{t: t, inv: inventory(), now: t0}
	h.inv.Clouds[0].Declared = declared
	h.snap = Restore(h.inv, fleet.Memory{}, t0)
	h.obs = *cloud(t0, "up")
	for i := range h.obs.Instances {
		h.obs.Instances[i].Type = "m1.large"
	}
	h.obs.SetTable(fleet.TableSecurityGroups, fleet.Complete)
	h.obs.SecurityGroups = []fleet.SecurityGroup{{ID: "g1", Name: "game", Rules: []fleet.SecurityRule{{Direction: "ingress", Protocol: "udp", PortMin: fleet.Int(27000), PortMax: fleet.Int(27000)}}}}
	h.look()
	return h
}

func (h *heaven) step(in ...fleet.Input) {
	next, out := Step(h.snap, in, h.now)
	h.snap, h.said = next, nil
	for _, e := range out.Events {
		if e.Type == "drift" {
			h.said = append(h.said, e)
		}
	}
	h.kept = append(h.kept, out.Changes...)
}

func (h *heaven) look() {
	h.now = h.now.Add(5 * time.Minute)
	o := h.obs
	o.At, o.Lane = h.now, fleet.LaneSlow
	o.Instances, o.SecurityGroups = slices.Clone(h.obs.Instances), slices.Clone(h.obs.SecurityGroups)
	for i := range o.SecurityGroups {
		o.SecurityGroups[i].Rules = slices.Clone(o.SecurityGroups[i].Rules)
	}
	h.step(&o)
}

func (h *heaven) finds(want string) {
	h.t.Helper()
	var out []string
	for _, f := range h.snap.Docket("os-ams").Of() {
		out = append(out, f.Facet+" "+string(f.Class)+" "+string(f.State))
	}
	if got := strings.Join(out, ", "); got != want {
		h.t.Errorf("at %s: found %q, want %q", h.now.Format("15:04"), got, want)
	}
	if n := h.snap.Docket("os-ams").Open(); h.snap.Counts.DriftOpen != n {
		h.t.Errorf("the fleet counts %d open, the docket %d", h.snap.Counts.DriftOpen, n)
	}
}

// TestAnInstanceThatWasChangedByHand: found at the next look, said once, kept
// over a restart, accepted by a person, forgotten after a week.
func TestAnInstanceThatWasChangedByHand(t *testing.T) {
	h := newHeaven(t, nil)
	h.look()
	h.finds("")
	h.obs.Instances[1].Type = "m1.xlarge"
	h.obs.SecurityGroups[0].Rules[0].Remote = "10.0.0.0/8"
	h.look()
	h.finds("group g1 rules changed open, instance i-2 type changed open")
	changed := h.now
	if f := h.snap.Docket("os-ams").Findings[1]; !f.Since.Equal(changed) || f.Confidence != fleet.ConfidenceLow || f.Observed != "m1.xlarge" {
		t.Errorf("%+v", f)
	}
	h.look()
	if len(h.said) != 0 {
		t.Errorf("said again: %+v", h.said)
	}

	h.snap = Restore(h.inv, fleet.Memory{Version: h.snap.Version, Tables: fleet.Remember(h.kept)}, h.now)
	h.finds("group g1 rules changed open, instance i-2 type changed open")
	h.look()
	h.finds("group g1 rules changed open, instance i-2 type changed open")

	h.step(fleet.Decision{Rulings: []fleet.Ruling{{Target: "os-ams", Facet: "instance i-2 type", Verdict: fleet.FindingAccepted, Value: "m1.xlarge", By: "ann", Reason: "grew", At: h.now}}})
	h.finds("group g1 rules changed open, instance i-2 type changed accepted")
	h.obs.SecurityGroups[0].Rules[0].Remote = ""
	h.look()
	h.finds("instance i-2 type changed accepted")

	h.now = changed.Add(7*24*time.Hour + time.Minute)
	h.look()
	h.finds("") // what it was a week ago is what it is; what was accepted is so
	h.obs.Instances[1].Type = "m1.large"
	h.look()
	h.finds("instance i-2 type changed open")
	if b := h.snap.Docket("os-ams").Findings[0].Baselines; len(b) != 2 || b[0] != (fleet.Baseline{Name: fleet.BaseAccepted, Expected: "m1.xlarge"}) {
		t.Errorf("held against %+v", b)
	}
}

// TestWhatAToolDeclares: all five of the changes that people make beside it are
// found at one look, and over at the next where they are taken back.
func TestWhatAToolDeclares(t *testing.T) {
	declared := &fleet.Declared{Source: "terraform prod.json", Whole: true}
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		declared.Instances = append(declared.Instances, fleet.DeclaredInstance{Resource: "vm." + id, ID: id, Name: id, Type: "m1.large", RunState: "ACTIVE", Tags: map[string]string{"service": "match"}})
	}
	declared.Groups = []fleet.DeclaredGroup{{Resource: "sg.game", ID: "g1", Name: "game", Rules: []fleet.SecurityRule{{Direction: "ingress", Protocol: "udp", PortMin: fleet.Int(27000), PortMax: fleet.Int(27000)}}}}
	h := newHeaven(t, declared)
	h.look()
	h.finds("")
	was := h.obs
	h.obs.Instances = slices.Clone(was.Instances[:2]) // i-3 is gone
	h.obs.Instances[0].Type = "m1.xlarge"
	h.obs.Instances[1].Tags = map[string]string{"service": "other"}
	h.obs.Instances = append(h.obs.Instances, fleet.Instance{ID: "i-9", Name: "by-hand", State: fleet.StateOK, RunState: "ACTIVE"})
	h.obs.SecurityGroups = []fleet.SecurityGroup{{ID: "g1", Name: "game", Rules: append(was.SecurityGroups[0].Rules[:1:1], fleet.SecurityRule{Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(8080), PortMax: fleet.Int(8080)})}}
	h.look()
	h.finds("group g1 rules changed open, instance i-1 type changed open, instance i-2 tags changed open, instance i-3 missing open, instance i-9 unmanaged open")

	blind := h.obs
	blind.At, blind.Lane, blind.Instances = h.now.Add(time.Minute), fleet.LaneSlow, was.Instances[:1]
	blind.Tables = maps.Clone(blind.Tables)
	blind.SetTable(fleet.TableInstances, fleet.Partial)
	h.now = h.now.Add(time.Minute)
	h.step(&blind)
	h.finds("group g1 rules changed open, instance i-1 type changed open, instance i-2 tags changed open, instance i-3 missing open, instance i-9 unmanaged open")

	h.obs = was
	h.look()
	h.finds("")
	if n := len(h.snap.Docket("os-ams").Gone); n != 5 {
		t.Errorf("%d ended, want 5", n)
	}
}
