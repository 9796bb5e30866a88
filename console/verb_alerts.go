package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/views"
	"plumb/views/export"
)

// runAlerts lists what is wrong as the rules see it, the worst first; with --all
// also what is over. What is held, acknowledged or silenced is listed too, with
// by whom.
func runAlerts(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	keep, err := alertFilter(c.words)
	if err != nil {
		return err
	}
	rows := []export.Alert{}
	if s.Alerts != nil {
		for _, a := range s.Alerts.List {
			over := a.State == fleet.AlertResolved
			if keep(a) && (!over || c.flags["all"] != "" && !a.Fired.IsZero()) {
				rows = append(rows, export.AlertOf(a, c.now))
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b export.Alert) int {
		if d := rankOf(&a) - rankOf(&b); d != 0 {
			return d
		}
		return int(b.Severity) - int(a.Severity)
	})
	return write(c, s.At, rows, "rule", "target", "part", "since", "fired_at", "cause", "evidence", "labels", "runbook", "ended_at", "stale_since", "flapping", "blast")
}

// rankOf sorts what somebody is to act on before what is explained or over.
func rankOf(a *export.Alert) int {
	switch {
	case a.State == fleet.AlertResolved:
		return 3
	case a.State == fleet.AlertPending:
		return 2
	case a.HeldBy != "":
		return 1
	}
	return 0
}

// alertFilter reads words that must all hold: state:firing, severity:crit and
// their like, a matcher of a label (rack=ams1/r03, rule=~psu.*), or text that
// the id or the summary holds; ! turns a word around.
func alertFilter(words []string) (func(*fleet.Alert) bool, error) {
	var all []func(*fleet.Alert) bool
	for _, w := range words {
		word, not := strings.CutPrefix(w, "!")
		holds, err := alertWord(word)
		if err != nil {
			return nil, usage("state:firing severity:crit held:no rack=ams1/r03 rule=~psu.* fan !spare", "alerts: %v", err)
		}
		all = append(all, func(a *fleet.Alert) bool { return holds(a) != not })
	}
	return func(a *fleet.Alert) bool {
		return !slices.ContainsFunc(all, func(f func(*fleet.Alert) bool) bool { return !f(a) })
	}, nil
}

func alertWord(word string) (func(*fleet.Alert) bool, error) {
	key, value, pair := strings.Cut(word, ":")
	yes := value == "yes"
	switch {
	case strings.ContainsAny(word, "="), strings.Contains(word, "!~"):
		m, err := alert.ParseMatcher(word)
		if err != nil {
			return nil, err
		}
		return func(a *fleet.Alert) bool { return alert.Matches([]fleet.Matcher{m}, a.Labels) }, nil
	case pair && key == "state" && slices.Contains([]string{"pending", "firing", "resolved"}, value):
		return func(a *fleet.Alert) bool { return string(a.State) == value }, nil
	case pair && key == "severity" && slices.Contains([]string{"info", "warn", "crit"}, value):
		return func(a *fleet.Alert) bool { return a.Severity.String() == value }, nil
	case pair && (value == "yes" || value == "no") && key == "held":
		return func(a *fleet.Alert) bool { return (a.Held != nil) == yes }, nil
	case pair && (value == "yes" || value == "no") && key == "acked":
		return func(a *fleet.Alert) bool { return (a.Ack != nil) == yes }, nil
	case pair && (value == "yes" || value == "no") && key == "silenced":
		return func(a *fleet.Alert) bool { return (a.Silenced != "") == yes }, nil
	case pair && slices.Contains([]string{"state", "severity", "held", "acked", "silenced"}, key):
		return nil, fmt.Errorf("%s: no such %s", fleet.Clean(value, 40), key)
	}
	low := strings.ToLower(word)
	return func(a *fleet.Alert) bool {
		return strings.Contains(strings.ToLower(a.ID()), low) || strings.Contains(strings.ToLower(a.Summary), low)
	}, nil
}

// runAck puts on record that somebody knows of an alert.
func runAck(ctx context.Context, v *Verbs, c *verbCall) error {
	if len(c.words) == 0 {
		return c.want(1, "the id of an alert; alerts lists them")
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	a, err := alertOf(s, idIn(c.words))
	if err != nil {
		return err
	}
	w := views.AlertWord{Do: c.Args[0], Reason: c.flags["reason"], Alerts: []string{a.ID()}, Sticky: c.flags["sticky"] != ""}
	if w.For, err = c.lasting("for"); err != nil {
		return err
	}
	d, err := Acknowledge(s, c.Caller, w, c.now)
	return v.decided(ctx, c, d, err, func(s *fleet.Snapshot) error {
		a := s.Alerts.Find(w.Alerts[0])
		if a == nil {
			return &Failure{"refused", c.Args[0] + ": " + w.Alerts[0] + " is over", ""}
		}
		return c.tellAlert(s, a)
	})
}

func (c *verbCall) tellAlert(s *fleet.Snapshot, a *fleet.Alert) error {
	if c.format != export.Text {
		return write(c, s.At, []export.Alert{export.AlertOf(a, c.now)})
	}
	what := "acknowledged"
	if c.Args[0] == "unack" {
		what = "not acknowledged any more"
	}
	_, err := fmt.Fprintf(c.Stdout, "%s: %s\n", a.ID(), what)
	return err
}

// idIn is the id of an alert as it was typed: some have blanks in them, such as
// "memory-event:s07/ECC Errors", and ssh takes one layer of quotes away.
func idIn(words []string) string { return strings.Join(words, " ") }

// runSilence keeps alerts from being told for a time; maintenance those of a
// place and of all in it.
func runSilence(ctx context.Context, v *Verbs, c *verbCall) error {
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	w := views.AlertWord{Do: "silence", Reason: c.flags["reason"], Matchers: c.words, All: c.flags["all"] != ""}
	if c.Args[0] == "maintenance" {
		if len(c.words) == 0 {
			return usage(maintenanceExample, "maintenance: needs a region, site, rack, feed or device")
		}
		w.At, w.Matchers = c.words[0], c.words[1:]
	}
	if w.For, err = c.lasting("for"); err != nil {
		return err
	}
	d, silence, err := Hush(s, c.Caller, w, c.now)
	return v.decided(ctx, c, d, err, func(s *fleet.Snapshot) error {
		if c.format != export.Text {
			return write(c, s.At, []export.Silence{export.SilenceOf(&silence, c.now)})
		}
		_, err := fmt.Fprintf(c.Stdout, "%s: silenced until %s; it covers %s\n", silence.ID, silence.End.UTC().Format("2006-01-02 15:04:05Z"), coveredNow(s, &silence))
		return err
	})
}

// coveredNow says how many alerts a silence covers; of one that covers none, how
// it would have to be spelled.
func coveredNow(s *fleet.Snapshot, x *fleet.Silence) string {
	n := len(alert.Covered(s, x))
	if n > 0 {
		return fleet.Count(n, "alert") + " now"
	}
	known := map[string]bool{}
	if s.Alerts != nil {
		for _, a := range s.Alerts.List {
			for label := range a.Labels {
				known[label] = true
			}
		}
	}
	if len(x.Matchers) == 0 || len(known) == 0 {
		return "no alert now"
	}
	return "no alert now; alerts here have the labels " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// runSilences lists silences, with --all also those that ended.
func runSilences(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	rows := []export.Silence{}
	if s.Alerts != nil {
		for i := range s.Alerts.Silences {
			if x := &s.Alerts.Silences[i]; c.flags["all"] != "" || c.now.Before(x.End) {
				rows = append(rows, export.SilenceOf(x, c.now))
			}
		}
	}
	return write(c, s.At, rows)
}

// runUnsilence ends a silence now.
func runUnsilence(ctx context.Context, v *Verbs, c *verbCall) error {
	if err := c.want(1, "the id of a silence; silences lists them"); err != nil {
		return err
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	d, silence, err := Unhush(s, c.Caller, c.words[0], c.now)
	return v.decided(ctx, c, d, err, func(s *fleet.Snapshot) error {
		if c.format != export.Text {
			return write(c, s.At, []export.Silence{export.SilenceOf(&silence, c.now)})
		}
		_, err := fmt.Fprintf(c.Stdout, "%s: ended\n", silence.ID)
		return err
	})
}

// decided makes a decision durable, and tells what became of it.
func (v *Verbs) decided(ctx context.Context, c *verbCall, d fleet.Decision, err error, tell func(*fleet.Snapshot) error) error {
	name := c.Args[0]
	if errors.Is(err, ErrMayNot) {
		return v.deny(ctx, c, verb{name: name}, strings.TrimPrefix(err.Error(), ErrMayNot.Error()+": "))
	}
	if err != nil {
		return wordFailure(name, err)
	}
	if v.Decide == nil {
		return &Failure{"unavailable", name + ": this process decides nothing", ""}
	}
	if err := v.Decide(ctx, d); err != nil {
		return &Failure{"failed", name + ": " + err.Error(), ""}
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	if s.Alerts == nil {
		s = &fleet.Snapshot{At: s.At, Alerts: &fleet.AlertBook{}}
	}
	return tell(s)
}

// runRules lists the rules with what they came to; explain says why one alert
// is as it is, fields what expressions may read.
func runRules(_ context.Context, v *Verbs, c *verbCall) error {
	if len(c.words) > 0 && c.words[0] == "fields" {
		_, err := io.WriteString(c.Stdout, strings.Join(alert.Reference(), "\n")+"\n")
		return err
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	switch {
	case len(c.words) > 0 && c.words[0] == "explain":
		if len(c.words) < 2 {
			return usage("alerts --all lists what may be explained", "rules explain: needs the id of one alert, as RULE:TARGET")
		}
		id := idIn(c.words[1:])
		lines, ok := alert.Explain(s, id, c.now)
		if !ok {
			_, err := alertOf(s, id)
			return err
		}
		_, err := io.WriteString(c.Stdout, strings.Join(lines, "\n")+"\n")
		return err
	case len(c.words) > 0 && c.words[0] == "test":
		return usage("plumb rules test FILE", "rules test: reads a file of the machine it is typed on, and so runs there only")
	case len(c.words) > 0:
		return usage("rules, rules explain RULE:TARGET, rules fields, plumb rules test FILE", "rules: %s: no such word", fleet.Clean(c.words[0], 40))
	}
	rows := []export.AlertRule{}
	for _, r := range alert.Rules(s) {
		row := export.AlertRule{Name: r.Name, On: r.On, ForS: int64(r.For.Seconds()), Problem: r.Problem, Recovery: r.Recovery, Summary: r.Summary, Runbook: r.Runbook}
		if r.Graded {
			row.Severity = r.Severity.String()
		}
		if s.Alerts != nil {
			for _, a := range s.Alerts.List {
				switch {
				case a.Rule != r.Name:
				case a.State == fleet.AlertFiring:
					row.Firing++
				case a.State == fleet.AlertPending:
					row.Pending++
				}
			}
		}
		rows = append(rows, row)
	}
	return write(c, s.At, rows, "recovery", "summary", "runbook")
}
