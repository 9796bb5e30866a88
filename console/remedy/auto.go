package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

// Robot is who begins a runbook where no person does.
const Robot = "plumb"

// Actions of the audit log that say what the robot decided. What it then does
// is audited as if a person did it.
const (
	autoRun     = "auto "          // it began a run, or was refused
	autoObserve = "auto observe "  // it would have
	autoDigest  = "auto digest"    // the daily sum
	autoDay     = 24 * time.Hour   // of budgets and digests
	autoBeat    = 5 * time.Second  // between looks
	autoHold    = 30 * time.Second // how long a trigger has to hold
	autoAgain   = 10 * time.Minute // before what was refused is tried again
)

// History yields the audit entries of a span until now.
type History func(ctx context.Context, span time.Duration) ([]fleet.AuditEntry, error)

// Auto begins runbooks by itself where a policy says so: it is off where there
// is none. It may do less than any person: only what is of danger 1 or 2 after
// every guard has spoken, never where too much is unhealthy, and so many times a
// day. It decides once on each occasion, and every decision is in the audit log,
// also those to do nothing. What it cannot read back it does not act on: where
// the log is not there, it does not know what it did today.
type Auto struct {
	e       *Executor
	history History
	log     *slog.Logger
	held    map[string]time.Time // by policy and target: since when the trigger holds
	decided map[string]decision
}

// decision is what came of an occasion.
type decision struct {
	occasion string
	why      string
	final    bool
	at       time.Time
}

// NewAuto returns what begins runbooks by itself.
func NewAuto(e *Executor, history History, log *slog.Logger) *Auto {
	return &Auto{e: e, history: history, log: log, held: map[string]time.Time{}, decided: map[string]decision{}}
}

// Run decides until ctx ends.
func (a *Auto) Run(ctx context.Context) {
	t := time.NewTicker(autoBeat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.look(ctx)
		}
	}
}

// look holds every policy against the present.
func (a *Auto) look(ctx context.Context) {
	policies := a.e.Policies()
	s := a.e.ledger.Snapshot()
	if len(policies) == 0 || s == nil || !s.Live {
		clear(a.held)
		return
	}
	now := a.e.now()
	seen := map[string]bool{}
	for i := range policies {
		p := &policies[i]
		b := a.e.Book(p.Book)
		if b == nil || b.FitsAuto() != "" {
			continue // the configuration said so
		}
		for _, target := range b.Candidates(s) {
			if !p.Selected(s, target) {
				continue
			}
			m := b.Match(s, target)
			if !m.Holds {
				continue
			}
			key := p.Book + " " + target
			if seen[key] {
				continue // an earlier policy is about it
			}
			seen[key] = true
			a.consider(ctx, p, target, &m, key, now)
		}
	}
	for key := range a.held {
		if !seen[key] { // the next time is another occasion
			delete(a.held, key)
			delete(a.decided, key)
		}
	}
	a.digest(ctx, now)
}

// consider decides on one occasion, once it lasts.
func (a *Auto) consider(ctx context.Context, p *runbook.Policy, target string, m *runbook.Match, key string, now time.Time) {
	since, held := a.held[key]
	if !held {
		a.held[key] = now
		return
	}
	last, known := a.decided[key]
	known = known && last.occasion == m.Since
	if now.Sub(since) < autoHold || known && (last.final || now.Sub(last.at) < autoAgain) {
		return
	}
	outcome, why, final := a.decide(ctx, p, target, m)
	if outcome != "" && !(known && last.why == why) {
		action := autoRun
		if !p.Act {
			action = autoObserve
		}
		if err := a.audit(ctx, action+p.Book, target, outcome, why); err != nil {
			a.log.Error("auto-remediation: a decision is not on record, so nothing is done", "runbook", p.Book, "target", target, "err", err)
			return
		}
		if outcome == "begun" {
			a.begin(ctx, p, target, why)
		}
	}
	a.decided[key] = decision{m.Since, why, final, now}
}

// decide says what is to be done on an occasion: "begun" begins it, "done" says
// that it would have, and "refused" why not. final: this occasion is decided.
func (a *Auto) decide(ctx context.Context, p *runbook.Policy, target string, m *runbook.Match) (outcome, why string, final bool) {
	s := a.e.ledger.Snapshot()
	if sick := runbook.TooSick(s, target); sick != "" {
		return "refused", sick, false
	}
	spent, err := a.spent(ctx, p)
	switch {
	case err != nil:
		return "refused", "what it did today cannot be read: " + err.Error(), false
	case spent >= p.Most():
		return "refused", fmt.Sprintf("%d of %d a day are spent", spent, p.Most()), false
	}
	lines, err := a.e.Rehearse(a.errand(p, target, ""))
	if err != nil {
		return "refused", strings.TrimPrefix(err.Error(), "refused: "), false
	}
	if no := firstNo(lines); no != "" {
		return "refused", no, false
	}
	if !p.Act {
		return "done", m.Why, true
	}
	return "begun", m.Why, true
}

// firstNo is what speaks against the first step that changes something; what
// comes later is judged when its turn comes.
func firstNo(lines []runbook.Line) string {
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Do == runbook.DoCheck.String() && l.Now != "yes":
			return "step " + l.Do + ": " + l.Text + ": " + l.Now
		case l.Plan == nil:
		case l.Plan.Stops() != nil:
			return string(l.Action) + ": " + l.Plan.Stops().Text
		case l.Plan.Danger > runbook.AutoDanger:
			return string(l.Action) + fmt.Sprintf(": danger %d after its guards; that takes a person", l.Plan.Danger)
		default:
			return ""
		}
	}
	return ""
}

// spent counts what a policy's book was begun, or would have been, in a day.
func (a *Auto) spent(ctx context.Context, p *runbook.Policy) (n int, err error) {
	entries, err := a.history(ctx, autoDay)
	for i := range entries {
		e := &entries[i]
		if e.Who == Robot && (e.Action == autoRun+p.Book && e.Outcome == "begun" || e.Action == autoObserve+p.Book && e.Outcome == "done") {
			n++
		}
	}
	return n, err
}

func (a *Auto) errand(p *runbook.Policy, target, reason string) Errand {
	return Errand{Person: Person{User: Robot, From: Robot, Role: fleet.RoleOperator}, Book: p.Book, Target: target, Reason: reason, Most: runbook.AutoDanger}
}

func (a *Auto) begin(ctx context.Context, p *runbook.Policy, target, why string) {
	_, err := a.e.RunBook(ctx, a.errand(p, target, "by itself: "+why))
	if err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrDenied) {
		a.log.Error("auto-remediation: not begun", "runbook", p.Book, "target", target, "err", err)
	}
}

func (a *Auto) audit(ctx context.Context, action, target, outcome, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	r := Request{Person: Person{User: Robot, From: Robot}, Action: fleet.ActionKind(action)}
	return a.e.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{a.e.entry(r, target, outcome, reason)}})
}

// digest says once a day what was done and what would have been, on record and
// in the timeline.
func (a *Auto) digest(ctx context.Context, now time.Time) {
	day := now.UTC().Truncate(autoDay)
	if last, ok := a.decided[autoDigest]; ok && !last.at.Before(day) {
		return
	}
	entries, err := a.history(ctx, 2*autoDay)
	if err != nil {
		return // said where it decides
	}
	a.decided[autoDigest] = decision{at: now}
	if slices.ContainsFunc(entries, func(e fleet.AuditEntry) bool { return e.Action == autoDigest && !e.At.Before(day) }) {
		return
	}
	sum := Tally(entries, day.Add(-autoDay), day)
	text := "auto-remediation, the day before: " + sum
	in := []fleet.Input{}
	if sum != Tally(nil, day, day) { // a quiet day is on record and no news
		in = append(in, fleet.Remark{Kind: "auto-digest", Severity: fleet.SeverityInfo, Asserted: true, Text: text})
	}
	r := Request{Person: Person{User: Robot, From: Robot}, Action: autoDigest}
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	in = append(in, fleet.Decision{Audit: []fleet.AuditEntry{a.e.entry(r, Robot, "done", text)}})
	if err := a.e.ledger.Apply(ctx, in...); err != nil {
		a.log.Error("auto-remediation: the daily digest is not kept", "err", err)
	}
}

// Tally counts the robot's decisions from one time to another, in words.
func Tally(entries []fleet.AuditEntry, from, to time.Time) string {
	ran, would, refused := 0, 0, 0
	for i := range entries {
		e := &entries[i]
		if e.Who != Robot || e.At.Before(from) || !e.At.Before(to) || !strings.HasPrefix(e.Action, autoRun) || e.Action == autoDigest {
			continue
		}
		switch e.Outcome {
		case "begun":
			ran++
		case "done":
			would++
		default:
			refused++
		}
	}
	return fmt.Sprintf("ran %d, would have run %d, refused %d", ran, would, refused)
}
