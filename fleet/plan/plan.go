package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// MaxTargets bounds the targets of one plan.
const MaxTargets = 200

// Ask is what somebody wants done. An empty list of targets is nothing, never
// everything.
type Ask struct {
	Action  fleet.ActionKind
	Args    map[string]string
	Targets []string
	By      string
	Role    fleet.Role
	Within  func(*fleet.DeviceSpec) bool // the scope of who asks; nil: everything
	Cloud   func(*fleet.CloudSpec) bool  // the same of clouds
	// BreakGlass goes past the guards that weigh risks, loudly: freeze,
	// budgets, floors, partners, cool-down and the second person. It never goes
	// past those that hold what is known to be true of the target.
	BreakGlass bool
}

// World is what a plan is judged in.
type World struct {
	Snap     *fleet.Snapshot
	Now      time.Time
	UnderWay []UnderWay   // what a snapshot may not show yet
	Own      string       // the job that asks, which stands in nobody's way; "": none yet
	Graph    *trace.Graph // of the snapshot; nil: it is laid out where it is needed
}

// UnderWay is an action that somebody has begun, or whose turn is still to come,
// and that is not seen to have ended.
type UnderWay struct {
	Step
	Who   string
	Since time.Time
	Lease string // what it holds: see LeaseOf
	Job   string // whose it is
	Begun bool   // its turn has come; before that it may still be cancelled
}

// For makes the plan for what is asked. It always returns one; whether it may
// be carried out its guards say: [fleet.Plan.Stops], [fleet.Plan.NeedsApproval].
func For(w World, a Ask) fleet.Plan {
	p := fleet.Plan{Action: a.Action, Args: maps.Clone(a.Args), Danger: a.Action.Danger(), Version: w.Snap.Version, At: w.Now,
		Targets: []fleet.PlanTarget{}, Guards: []fleet.Guard{}, Lost: []string{}, Weaker: []string{}, Services: []fleet.PlanHit{}}
	b := &bench{World: w, Ask: a, Bounds: w.Snap.Remediation.Or(), spec: a.Action.Spec(), plan: &p}
	if b.asked() {
		b.resolve()
	}
	if len(b.targets) > 0 && p.Stops() == nil {
		b.weigh()
	}
	for i := range b.targets {
		p.Targets = append(p.Targets, b.targets[i].PlanTarget)
	}
	p.Waves = Waves(len(p.Targets))
	if b.spec != nil {
		p.Reverts = b.reverts()
		p.Undo = undoable(b.spec, p.Targets)
	}
	p.Hash = hash(&p)
	return p
}

// Challenge is what must be typed before a plan of danger 3 is taken: it shows
// that somebody looked at what stands there. An escalated plan asks for a
// second person only. "": nothing.
func Challenge(p *fleet.Plan) string {
	switch {
	case p.Action.Danger() < 3 || len(p.Targets) == 0:
		return ""
	case len(p.Targets) > 1:
		return fleet.Count(len(p.Targets), "target")
	case p.Targets[0].Serial != "":
		return p.Targets[0].Serial
	}
	return p.Targets[0].ID
}

// Step is one action on one target.
type Step struct {
	Action fleet.ActionKind
	Target string
}

// bench is a plan that is being made.
type bench struct {
	World
	Ask
	Bounds  fleet.Remediation
	spec    *fleet.ActionSpec
	plan    *fleet.Plan
	targets []*target
	going   map[string]bool  // targets that this plan takes, or others may have taken
	serves  map[int][]string // the services that a device works for; nil: not looked up
}

// told reports whether the snapshot knows what became of something under way:
// then it is the snapshot's word that counts.
func (b *bench) told(u *UnderWay) bool {
	for i := range b.Snap.Jobs {
		if b.Snap.Jobs[i].ID == u.Job {
			return b.Snap.Jobs[i].Of(u.Target) != nil
		}
	}
	return false
}

// own reports whether a job is the one that asks.
func (b *bench) own(job string) bool { return b.Own != "" && job == b.Own }

// say adds what a guard found. Who breaks the glass passes where that may be.
func (b *bench) say(id string, v fleet.Verdict, target, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if b.BreakGlass && breakable[id] && (v == fleet.VerdictRefuse || v == fleet.VerdictEscalate) {
		v, text = fleet.VerdictNote, "glass broken: "+text
	}
	if v == fleet.VerdictEscalate {
		b.plan.Danger = min(b.plan.Danger+1, 3)
	}
	b.plan.Guards = append(b.plan.Guards, fleet.Guard{ID: id, Verdict: v, Target: target, Text: text})
}

// asked judges the person and the words; false: there is nothing more to judge.
func (b *bench) asked() bool {
	switch {
	case b.spec == nil:
		b.say("action", fleet.VerdictDeny, "", "there is no action %q", fleet.Clean(string(b.Action), 40))
		return false
	case b.Role < fleet.RoleOperator:
		b.say("role", fleet.VerdictDeny, "", "needs role operator, you are %s", b.Role)
		return false
	case b.BreakGlass && b.Role < fleet.RoleAdmin:
		b.say("role", fleet.VerdictDeny, "", "needs role admin to break the glass, you are %s", b.Role)
		return false
	case len(b.Targets) == 0:
		b.say("targets", fleet.VerdictRefuse, "", "no targets: nothing is selected, and that is never everything")
		return false
	case len(b.Targets) > MaxTargets:
		b.say("targets", fleet.VerdictRefuse, "", "%d targets at once; %d are the most", len(b.Targets), MaxTargets)
		return false
	}
	b.say("role", fleet.VerdictOK, "", "role %s", b.Role)
	if why := b.spec.CheckArgs(b.Args); why != "" {
		b.say("arguments", fleet.VerdictRefuse, "", "%s", why)
		return false
	}
	return true
}

func (b *bench) resolve() {
	seen := map[string]bool{}
	for _, id := range b.Targets {
		if seen[id] {
			b.say("targets", fleet.VerdictRefuse, id, "%s is named twice", fleet.Clean(id, 80))
			continue
		}
		seen[id] = true
		t, err := find(b.Snap, b.spec, b.Args, id)
		if err != nil {
			b.say("target", fleet.VerdictRefuse, id, "%v", err)
			continue
		}
		b.targets = append(b.targets, t)
	}
}

// Waves is how many targets are done at once: one, and when that went well one
// in twenty, and then the rest.
func Waves(n int) []int {
	switch {
	case n <= 0:
		return []int{}
	case n <= 2:
		return slices.Repeat([]int{1}, n)
	}
	second := max(1, (n+19)/20)
	if rest := n - 1 - second; rest > 0 {
		return []int{1, second, rest}
	}
	return []int{1, second}
}

// hash binds an approval to what would be done.
func hash(p *fleet.Plan) string {
	text, err := json.Marshal(struct {
		Action  fleet.ActionKind
		Args    map[string]string
		Targets []fleet.PlanTarget
		Waves   []int
	}{p.Action, p.Args, p.Targets, p.Waves})
	if err != nil {
		return "" // strings and numbers always marshal; an empty hash matches nothing
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// UndoOf is what takes a job back: ok is false where nothing does. Where the
// undo is the same action with what was there before, it is one target at a
// time, because each had its own.
func UndoOf(j *fleet.Job) (a Ask, ok bool) {
	spec := j.Action.Spec()
	if spec == nil || spec.Undo == "" || j.Planned == nil {
		return a, false
	}
	a = Ask{Action: spec.Undo, Targets: done(j)}
	switch spec.Kind {
	case fleet.ActCipherOff, fleet.ActCipherSet:
		if len(a.Targets) != 1 {
			return a, false
		}
		was := limitsBefore(j, a.Targets[0])
		a.Args = map[string]string{"limits": was}
		return a, was != ""
	case fleet.ActPortVLAN, fleet.ActPortAlias:
		if len(a.Targets) != 1 {
			return a, false
		}
		for _, t := range j.Planned.Targets {
			if t.ID != a.Targets[0] {
				continue
			}
			name := "alias"
			if spec.Kind == fleet.ActPortVLAN {
				name = "vlan"
			}
			if was, ok := strings.CutPrefix(t.Before, name+" "); ok {
				a.Args = map[string]string{name: was}
			}
		}
		return a, a.Args != nil && spec.CheckArgs(a.Args) == ""
	}
	return a, len(a.Targets) > 0
}

// done are the targets that a job changed, or may have.
func done(j *fleet.Job) []string {
	var out []string
	for _, t := range j.Targets {
		if s := j.Of(t); s != nil && s.State != fleet.JobFailed && s.State != fleet.JobRefused {
			out = append(out, t)
		}
	}
	return out
}
