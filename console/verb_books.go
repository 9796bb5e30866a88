package console

import (
	"context"
	"fmt"
	"io"
	"strings"

	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/views"
	"plumb/views/export"
)

// maxMatches bounds the targets that one runbook is held against for a list.
const maxMatches = 20_000

// runBooks lists the runbooks with the targets they are of use for, or what each
// says of one target. Those that are for another kind of target are left out.
func runBooks(_ context.Context, v *Verbs, c *verbCall) error {
	if v.Books == nil {
		return &Failure{"unavailable", "runbooks: this process has none", ""}
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if len(c.words) == 1 {
		return v.booksFor(c, s, c.words[0])
	}
	rows := []export.Runbook{}
	for _, b := range v.Books() {
		row := export.RunbookOf(b, matching(b, s))
		if c.format == export.Text {
			row.Matches = firstFew(row.Matches)
		}
		rows = append(rows, row)
	}
	return write(c, s.At, rows, "when", "why", "asks")
}

// matching are the targets that a book is of use for.
func matching(b *runbook.Book, s *fleet.Snapshot) []string {
	out := []string{}
	for i, id := range b.Candidates(s) {
		if i == maxMatches {
			break
		}
		if len(b.When) > 0 && b.Match(s, id).Holds {
			out = append(out, id)
		}
	}
	return out
}

func (v *Verbs) booksFor(c *verbCall, s *fleet.Snapshot, target string) error {
	if s.Instances.Get(target) == nil {
		host, _, _ := strings.Cut(target, "/")
		if _, err := deviceOf(s, host); err != nil {
			return err
		}
	}
	rows := []export.RunbookMatch{}
	for _, b := range v.Books() {
		if m := b.Match(s, target); m.Fits {
			rows = append(rows, export.RunbookMatch{Name: b.Name, Matches: m.Holds, Why: m.Why, Title: b.Title})
		}
	}
	return write(c, s.At, rows)
}

// runRun begins a run of a runbook, or says what one would do.
func runRun(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.RunBook == nil || v.Rehearse == nil {
		return &Failure{"unavailable", "run: this process does not act", ""}
	}
	if err := c.want(2, "RUNBOOK and TARGET"); err != nil {
		return err
	}
	if err := v.bookNamed(c.words[0]); err != nil {
		return err
	}
	r := views.RunBook{Book: c.words[0], Target: c.words[1], Reason: c.flags["reason"]}
	if c.flags["dry-run"] != "" {
		return v.rehearse(c, r)
	}
	if r.Reason == "" {
		return usage(`run `+strings.Join(c.words, " ")+` --reason "..."`, "run: needs --reason: it is what the audit log will say")
	}
	job, err := v.RunBook(ctx, c.Caller, r)
	if err != nil {
		return refusal(c, err)
	}
	return v.tell(ctx, c, job)
}

func (v *Verbs) bookNamed(name string) error {
	var names []string
	for _, b := range v.Books() {
		if b.Name == name {
			return nil
		}
		names = append(names, b.Name)
	}
	hint := "runbooks lists them"
	if near := export.Closest(names, name); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &Failure{"unknown", fmt.Sprintf("run: %s: no such runbook", fleet.Clean(name, 40)), hint}
}

// rehearse prints every step with what speaks for and against it now.
func (v *Verbs) rehearse(c *verbCall, r views.RunBook) error {
	lines, err := v.Rehearse(c.Caller, r)
	x := export.Rehearsal{Runbook: r.Book, Target: r.Target, Begins: err == nil, Steps: lines}
	if err != nil {
		x.Why, c.code = err.Error(), exitFailed
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, x)
	}
	_, err = io.WriteString(c.Stdout, rehearsalText(&x))
	return err
}

// rehearsalText is a rehearsal as people read it.
func rehearsalText(x *export.Rehearsal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s\n", x.Runbook, x.Target)
	for i := range x.Steps {
		l := &x.Steps[i]
		fmt.Fprintf(&b, "%2d %-6s %s\n", l.Step, l.Do, l.Text)
		for _, d := range lineDetails(l) {
			fmt.Fprintf(&b, "     %-9s %s\n", d[0], d[1])
		}
	}
	if x.Begins {
		b.WriteString("would begin; nothing was done. What is said of later steps is as of now\n")
	} else {
		fmt.Fprintf(&b, "would not begin: %s; nothing was done\n", x.Why)
	}
	return b.String()
}

// lineDetails is what there is to say of a step beside itself.
func lineDetails(l *runbook.Line) (out [][2]string) {
	add := func(label, text string) {
		if text != "" {
			out = append(out, [2]string{label, text})
		}
	}
	add("if", l.If)
	add("now", l.Now)
	add("unclear", l.Unclear)
	if l.AtMostS > 0 {
		add("at most", fmt.Sprintf("%gs", l.AtMostS))
	}
	if p := l.Plan; p != nil {
		text := fmt.Sprintf("danger %d of 3", p.Danger)
		switch g := p.Stops(); {
		case g != nil:
			text += "; would be refused: " + g.Text
		case p.NeedsApproval():
			text += "; would wait for a second person"
		}
		add("plan", text)
	}
	add("rollback", l.Rollback)
	if l.Do != runbook.DoNote.String() && l.OnFail != string(runbook.FailStop) {
		add("on fail", l.OnFail)
	}
	return out
}

// runAnswer answers the question that a run waits with.
func runAnswer(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Job == nil {
		return &Failure{"unavailable", "answer: this process does not act", ""}
	}
	if len(c.words) < 2 {
		return usage("answer JOB yes, answer JOB no, or what is asked for", "answer: needs JOB and a word")
	}
	job, err := v.Job(ctx, c.Caller, views.JobWord{Word: "answer", Job: c.words[0], Reason: strings.Join(c.words[1:], " ")})
	if err != nil {
		return refusal(c, err)
	}
	return v.tell(ctx, c, job)
}
