package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/views"
	"plumb/views/export"
)

// rulingVerbs are the first words that make drift a write.
var rulingVerbs = map[string]fleet.FindingState{
	"accept": fleet.FindingAccepted, "waive": fleet.FindingWaived, "ignore": fleet.FindingIgnored, "reopen": fleet.FindingOpen,
}

// runDrift lists what is not as it should be: a row a finding for scripts, a
// row a cause for people. With accept, waive, ignore or reopen before ids it
// puts on record what a person decided about them.
func runDrift(ctx context.Context, v *Verbs, c *verbCall) error {
	if len(c.words) > 0 {
		if verdict, ok := rulingVerbs[c.words[0]]; ok {
			return v.ruleOn(ctx, c, verdict)
		}
	}
	for _, name := range []string{"reason", "for"} {
		if c.flags[name] != "" {
			return usage("help drift", "drift: --%s goes with accept, waive, ignore or reopen", name)
		}
	}
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	r, err := driftAsked(s, c)
	if err != nil {
		return err
	}
	if c.format == export.Text {
		return printDrift(c, s, r)
	}
	rows := []export.Drift{}
	for _, x := range slices.Concat(r.Standing, r.Gone) {
		rows = append(rows, export.DriftOf(x.Finding, x.Ruling, c.now))
	}
	return write(c, s.At, rows, "target", "facet", "evidence", "fix", "until", "stale_since", "ended_at", "since", "text")
}

// driftAsked is what a call asks for: the open findings that its words pick,
// with --all also those that people ruled on and those that ended.
func driftAsked(s *fleet.Snapshot, c *verbCall) (drift.Register, error) {
	all := c.flags["all"] != ""
	if len(c.words) == 1 && (s.Devices.Get(c.words[0]) != nil || s.Docket(c.words[0]) != nil) {
		r := drift.Read(s, c.words[0])
		return sift(r, all, func(*fleet.Finding) bool { return true }), nil
	}
	filter := strings.Join(c.words, " ")
	if err := views.CheckFindingFilter(filter, s); err != nil {
		return drift.Register{}, usage("severity:crit kind:firmware state:waived facet:bios confidence:high age>1d rack:r03 !spare", "drift: %v", err)
	}
	picks := views.FindingFilter(filter, s, c.now)
	r := sift(drift.Read(s, ""), all, func(f *fleet.Finding) bool { return !drift.Hides(filter, f) && picks(f) })
	if len(r.Standing)+len(r.Gone) == 0 && len(c.words) == 1 && !strings.ContainsAny(filter, ":<>!") && !hasDevice(s, filter, c) {
		_, err := deviceOf(s, filter)
		return r, err
	}
	return r, nil
}

// hasDevice reports whether a word picks any device, so that nothing found of
// it is an answer.
func hasDevice(s *fleet.Snapshot, word string, c *verbCall) bool {
	picks := views.DeviceFilter(word, s, c.now)
	for _, d := range s.Devices.All() {
		if picks(d) {
			return true
		}
	}
	return false
}

func sift(r drift.Register, all bool, keep func(*fleet.Finding) bool) drift.Register {
	drop := func(x drift.Standing) bool { return !keep(x.Finding) || !all && !x.Open() }
	r.Standing = slices.DeleteFunc(r.Standing, drop)
	if r.Gone = slices.DeleteFunc(r.Gone, drop); !all {
		r.Gone = nil
	}
	return r
}

// statesShown are the states of findings in the order people care for them.
var statesShown = []fleet.FindingState{fleet.FindingOpen, fleet.FindingWaived, fleet.FindingAccepted, fleet.FindingIgnored, fleet.FindingReverted, fleet.FindingGone}

// printDrift prints causes, the worst first, and under them how much was
// looked at: nothing found means little where little was read.
func printDrift(c *verbCall, s *fleet.Snapshot, r drift.Register) error {
	var rows []export.DriftGroup
	open := 0
	var debt []*fleet.Finding
	for _, state := range statesShown {
		var list []*fleet.Finding
		why := map[*fleet.Finding]string{}
		for _, x := range slices.Concat(r.Standing, r.Gone) {
			if x.State == state {
				list = append(list, x.Finding)
				why[x.Finding] = cmp.Or(rulingText(x.Ruling), byText(x.Finding))
			}
		}
		if state == fleet.FindingOpen {
			open, debt = len(list), list
			for _, f := range list {
				if f.Kind.Planned() {
					open--
				}
			}
		}
		for _, g := range drift.Groups(list) {
			rows = append(rows, groupRow(c, s, g, why[g.Members[0]]))
		}
	}
	if len(rows) > 0 {
		if err := write(c, s.At, rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.Stdout, "%d open, drift debt %.1f weighted days; %s\n", open, drift.Debt(debt, c.now), r.Coverage())
	return err
}

// byText names who changed it, or put it back, where that is known.
func byText(f *fleet.Finding) string {
	if f.Who == "" || f.State == fleet.FindingGone { // who began it did not end it
		return ""
	}
	return "by " + f.Who
}

func rulingText(r *fleet.Ruling) string {
	if r == nil {
		return ""
	}
	text := r.By + ": " + r.Reason
	if !r.Until.IsZero() {
		text += " (until " + r.Until.UTC().Format("2006-01-02 15:04Z") + ")"
	}
	return text
}

// membersShown is how many members of a cause are named in text.
const membersShown = 4

func groupRow(c *verbCall, s *fleet.Snapshot, g drift.Group, why string) export.DriftGroup {
	m := g.Members[0]
	var on []string
	for i, x := range g.Members {
		if i == membersShown {
			on = append(on, fmt.Sprintf("and %d more", len(g.Members)-i))
			break
		}
		on = append(on, x.Target)
	}
	facet := drift.Named(s, m)
	if len(g.Members) > 1 {
		facet = drift.FacetClass(m.Facet)
	}
	return export.DriftGroup{Severity: g.Severity, Kind: g.Kind, Facet: facet, Observed: m.Observed, Expected: export.ExpectedText(m.Baselines),
		Members: len(g.Members), Age: views.Span(c.now.Sub(g.Since)), State: m.State, Sure: m.Confidence, On: strings.Join(on, " "), Why: why}
}

// ruleOn carries out accept, waive, ignore and reopen.
func (v *Verbs) ruleOn(ctx context.Context, c *verbCall, verdict fleet.FindingState) error {
	name := "drift " + c.words[0]
	if c.Role < fleet.RoleOperator {
		return v.deny(ctx, c, verb{name: name}, fmt.Sprintf("needs role %s, you are %s", fleet.RoleOperator, c.Role))
	}
	if v.Rule == nil {
		return &Failure{"unavailable", name + ": this process decides nothing", ""}
	}
	if _, past := c.flags["at"]; past {
		return usage("help drift", "%s: takes no --at", name)
	}
	r, err := v.ruling(c, name, verdict)
	if err != nil {
		return err
	}
	if err := v.Rule(ctx, c.Caller, r); err != nil {
		kind := "failed"
		switch {
		case errors.Is(err, ErrMayNot):
			kind = "denied"
		case errors.Is(err, ErrNotSo):
			kind = "refused"
		}
		return &Failure{kind, name + ": " + err.Error(), ""}
	}
	return v.ruled(c, r)
}

// ruling reads the words and flags of a ruling.
func (v *Verbs) ruling(c *verbCall, name string, verdict fleet.FindingState) (r views.Rule, err error) {
	example := `drift ` + c.words[0] + ` TARGET:FACET --reason "..."`
	if verdict == fleet.FindingWaived {
		example += " --for 7d"
	}
	r = views.Rule{Verdict: verdict, Reason: c.flags["reason"]}
	switch {
	case len(c.words) < 2:
		return r, usage(example, "%s: needs ids of findings; drift lists them", name)
	case strings.TrimSpace(r.Reason) == "":
		return r, usage(example, "%s: needs --reason: it is what the audit log will say", name)
	case verdict == fleet.FindingWaived && c.flags["for"] == "":
		return r, usage(example, "%s: needs --for: a waiver ends", name)
	}
	if text := c.flags["for"]; text != "" {
		if r.For, err = ParseDuration(text); err != nil || r.For <= 0 {
			return r, usage("90s 1h30m 2d 3w", "--for %s: not a duration", fleet.Clean(text, 20))
		}
	}
	s, err := v.snapshot()
	if err != nil {
		return r, err
	}
	for _, id := range c.words[1:] {
		f, err := findingOf(s, id)
		if err != nil {
			return r, err
		}
		seen := views.Seen{Target: f.Target, Facet: f.Facet, Observed: f.Observed}
		if !slices.Contains(r.On, seen) {
			r.On = append(r.On, seen)
		}
	}
	return r, nil
}

// ruled prints the findings as they stand after a ruling.
func (v *Verbs) ruled(c *verbCall, r views.Rule) error {
	if c.format == export.Text {
		var b strings.Builder
		for _, seen := range r.On {
			fmt.Fprintf(&b, "%s: %s\n", seen.ID(), r.Verdict)
		}
		_, err := io.WriteString(c.Stdout, b.String())
		return err
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	rows := []export.Drift{}
	for _, seen := range r.On {
		if f := drift.Find(s, seen.Target, seen.Facet); f != nil {
			rows = append(rows, export.DriftOf(f.Finding, f.Ruling, c.now))
		}
	}
	return write(c, s.At, rows)
}
