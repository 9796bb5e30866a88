package views

import (
	"strconv"
	"time"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Jobs is what people and plumb do: actions on their way, and the audit log.
type Jobs struct {
	audit bool // the caret is on the audit log
	text  string
	jobs  list
	log   list
}

// NewJobs returns the jobs and the audit log.
func NewJobs() View { return Jobs{} }

// ID implements View.
func (v Jobs) ID() string { return "jobs" }

// Crumbs implements View.
func (v Jobs) Crumbs(Frame) []string { return []string{"jobs and audit"} }

func jobQuery() fleet.Query { return fleet.Query{Kind: fleet.QueryJobs, Limit: 200} }

func auditQuery() fleet.Query { return fleet.Query{Kind: fleet.QueryAudit, Limit: 500} }

// Needs implements View.
func (v Jobs) Needs(Frame) []fleet.Query { return []fleet.Query{jobQuery(), auditQuery()} }

func (v Jobs) filterText() string { return v.text }

// all returns the jobs: the present ones first, then those of the past.
func (v Jobs) all(f Frame) []fleet.Job {
	out := append([]fleet.Job(nil), f.Snap.Jobs...)
	known := map[string]bool{}
	for _, j := range out {
		known[j.ID] = true
	}
	if f.Answers != nil {
		a, _ := f.Answers.Get(jobQuery())
		for _, j := range a.Jobs {
			if !known[j.ID] {
				out = append(out, j)
			}
		}
	}
	return out
}

// entries returns the audit lines that pass the filter; ok is false while they
// are on their way.
func (v Jobs) entries(f Frame) (out []fleet.AuditEntry, ok bool, err error) {
	if f.Answers == nil {
		return nil, false, nil
	}
	a, ok := f.Answers.Get(auditQuery())
	flt := parseFilter(v.text)
	for i := range a.Audit {
		if flt.match(auditRecord{&f, &a.Audit[i]}) {
			out = append(out, a.Audit[i])
		}
	}
	return out, ok, a.Err
}

type auditRecord struct {
	f *Frame
	e *fleet.AuditEntry
}

func (r auditRecord) field(name string) (string, bool) {
	switch name {
	case "who":
		return r.e.Who, true
	case "from":
		return r.e.From, true
	case "action":
		return r.e.Action, true
	case "target":
		return r.e.Target, true
	case "outcome", "state":
		return r.e.Outcome, true
	}
	return "", false
}

func (r auditRecord) amount(name string) (float64, bool) {
	if name == "age" {
		return seconds(*r.f, r.e.At)
	}
	return 0, false
}

func (r auditRecord) word(w string) bool {
	e := r.e
	return holds(e.Who, w) || holds(e.Action, w) || holds(e.Target, w) || holds(e.Reason, w) || holds(e.Outcome, w)
}

func jobRows(j []fleet.Job) rows { return rows{len(j), func(i int) string { return j[i].ID }} }

func auditRows(a []fleet.AuditEntry) rows {
	return rows{len(a), func(i int) string { return strconv.FormatUint(a[i].Seq, 10) }}
}

// Selected implements View: the target of the line, which enter follows.
func (v Jobs) Selected(f Frame) (kind, id string) {
	if v.audit {
		a, _, _ := v.entries(f)
		if i := v.log.index(auditRows(a)); i >= 0 {
			return KindEvent, a[i].Target
		}
		return "", ""
	}
	j := v.all(f)
	if i := v.jobs.index(jobRows(j)); i >= 0 && len(j[i].Targets) > 0 {
		return KindEvent, j[i].Targets[0]
	}
	return "", ""
}

// Handle implements View.
func (v Jobs) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "enter", "copy":
		if i := v.jobs.index(jobRows(v.all(f))); !v.audit && i >= 0 {
			id := v.all(f)[i].ID
			if c.ID == "copy" {
				return v, Copy{Text: id}
			}
			return v, Open{View: NewJob(id)}
		}
	case "pane.next", "pane.back", "move.left", "move.right":
		v.audit = !v.audit
	case "filter.set":
		v.text, v.audit = c.Arg(0), true
	case "back":
		if v.text != "" {
			v.text = ""
			return v, Toast{Text: "filter cleared"}
		}
	default:
		if v.audit {
			a, _, _ := v.entries(f)
			v.log, _ = v.log.move(c, auditRows(a), page(f)/2)
			break
		}
		v.jobs, _ = v.jobs.move(c, jobRows(v.all(f)), page(f)/2)
	}
	return v, nil
}

// Draw implements View.
func (v Jobs) Draw(f Frame, on widget.Canvas) {
	j := v.all(f)
	upper, lower := on.Sub(0, 0, on.W, on.H/2), on.Sub(0, on.H/2, on.W, on.H-on.H/2)
	if h := len(j) + 3; h < upper.H {
		h = max(h, 4)
		upper, lower = on.Sub(0, 0, on.W, h), on.Sub(0, h, on.W, on.H-h)
	}
	in := widget.Box(upper, f.Theme, "jobs", strconv.Itoa(len(j)), !v.audit)
	if len(j) == 0 {
		in.Text(1, 0, "none yet; a on a device or a port begins one", widget.Dim)
	} else {
		widget.Table{Columns: jobColumns, Rows: len(j), At: v.jobs.index(jobRows(j)), Focus: !v.audit, Sort: -1}.Draw(in, f.Theme,
			func(on widget.Canvas, row, col int) { jobCell(f, on, &j[row], jobColumns[col].Title) })
	}
	v.drawAudit(f, lower)
}

var jobColumns = []widget.Column{
	{Title: "began", Min: 8, Max: 11}, {Title: "", Min: 1}, {Title: "state", Min: 8, Max: 9}, {Title: "action", Min: 11, Max: 12}, {Title: "target", Min: 13, Max: 28},
	{Title: "by", Min: 6, Max: 12, Rank: 3}, {Title: "took", Min: 5, Rank: 4, Right: true}, {Title: "last step", Min: 20, Max: 50, Rank: 1}, {Title: "reason", Min: 16, Max: 60, Rank: 5},
}

// waits reports whether nothing goes on until somebody says something.
func waits(j *fleet.Job) bool { return j.State == fleet.JobProposed || j.Asks != nil }

// jobWord is how a job stands: running, and asks where it runs no further
// without an answer, or left where an earlier process had it in hand.
func jobWord(j *fleet.Job) string {
	switch {
	case j.Left:
		return "left"
	case j.Asks != nil:
		return "asks"
	}
	return string(j.State)
}

func jobStyle(s fleet.JobState) (fleet.State, widget.Style) {
	switch s {
	case fleet.JobVerified:
		return fleet.StateOK, widget.OK
	case fleet.JobFailed, fleet.JobRefused:
		return fleet.StateCrit, widget.Crit
	case fleet.JobUnknown:
		return fleet.StateUnknown, widget.Unknown
	}
	return fleet.StateWarn, widget.Warn
}

func jobCell(f Frame, on widget.Canvas, j *fleet.Job, column string) {
	state, st := jobStyle(j.State)
	switch column {
	case "began":
		on.Cut(f.Theme, 0, 0, on.W, clock(f, j.Began), widget.Dim)
	case "":
		on.Glyph(f.Theme, 0, 0, state)
	case "state":
		if waits(j) { // somebody, and who looks here may be the one
			st = widget.Inverse
		}
		on.Cut(f.Theme, 0, 0, on.W, jobWord(j), st)
	case "action":
		on.Cut(f.Theme, 0, 0, on.W, string(j.Action), widget.Plain)
	case "target":
		on.Cut(f.Theme, 0, 0, on.W, jobTargets(f, j), widget.Link)
	case "by":
		on.Cut(f.Theme, 0, 0, on.W, j.By, widget.Plain)
	case "took":
		on.CutRight(f.Theme, 0, 0, on.W, took(f, j.Began, j.Ended), widget.Dim)
	case "last step":
		switch n := len(j.Steps); {
		case j.Left:
			on.Cut(f.Theme, 0, 0, on.W, "left by an earlier process, not settled", widget.Crit)
		case j.Asks != nil:
			on.Cut(f.Theme, 0, 0, on.W, j.Asks.Text, widget.Warn)
		case j.State == fleet.JobProposed:
			on.Cut(f.Theme, 0, 0, on.W, "waits, "+left(f, j)+" left", widget.Warn)
		case n > 0:
			on.Cut(f.Theme, 0, 0, on.W, j.Steps[n-1].Name+": "+j.Steps[n-1].Text, widget.Plain)
		}
	case "reason":
		on.Cut(f.Theme, 0, 0, on.W, j.Reason, widget.Dim)
	}
}

func took(f Frame, from, to time.Time) string {
	if to.IsZero() {
		to = f.At
	}
	return span(to.Sub(from))
}

var auditColumns = []widget.Column{
	{Title: "seq", Min: 5, Right: true, Rank: 5}, {Title: "time", Min: 8, Max: 11}, {Title: "who", Min: 8, Max: 14}, {Title: "from", Min: 12, Max: 22, Rank: 5},
	{Title: "action", Min: 11, Max: 16}, {Title: "target", Min: 12, Max: 28}, {Title: "outcome", Min: 7, Max: 8}, {Title: "reason", Min: 16, Max: 60, Rank: 1}, {Title: "hash", Min: 10, Rank: 6},
}

func (v Jobs) drawAudit(f Frame, on widget.Canvas) {
	a, ok, err := v.entries(f)
	in := widget.Box(on, f.Theme, "audit, newest first", tableNote(len(a), len(a), v.text, 0), v.audit)
	switch {
	case !ok:
		in.Text(1, 0, "loading", widget.Dim)
	case err != nil:
		in.Cut(f.Theme, 1, 0, in.W-2, "the audit log cannot be read: "+err.Error(), widget.Crit)
	case len(a) == 0:
		in.Text(1, 0, "no entry", widget.Dim)
	default:
		at := v.log.index(auditRows(a))
		widget.Table{Columns: auditColumns, Rows: len(a), At: at, Focus: v.audit, Sort: -1}.Draw(in, f.Theme,
			func(on widget.Canvas, row, col int) { auditCell(f, on, &a[row], auditColumns[col].Title) })
		widget.Scroll(in.Sub(0, 1, in.W, in.H-1), f.Theme, len(a), at)
	}
}

func auditCell(f Frame, on widget.Canvas, e *fleet.AuditEntry, column string) {
	switch column {
	case "seq":
		on.CutRight(f.Theme, 0, 0, on.W, strconv.FormatUint(e.Seq, 10), widget.Dim)
	case "time":
		on.Cut(f.Theme, 0, 0, on.W, clock(f, e.At), widget.Dim)
	case "who":
		on.Cut(f.Theme, 0, 0, on.W, e.Who, widget.Bold)
	case "from":
		on.Cut(f.Theme, 0, 0, on.W, e.From, widget.Dim)
	case "action":
		on.Cut(f.Theme, 0, 0, on.W, e.Action, widget.Plain)
	case "target":
		on.Cut(f.Theme, 0, 0, on.W, or(e.Target), widget.Link)
	case "outcome":
		st := widget.Plain
		switch e.Outcome {
		case "failed", "denied", "refused":
			st = widget.Crit
		case "unknown":
			st = widget.Unknown
		case "done":
			st = widget.OK
		}
		on.Cut(f.Theme, 0, 0, on.W, e.Outcome, st)
	case "reason":
		on.Cut(f.Theme, 0, 0, on.W, e.Reason, widget.Dim)
	case "hash":
		on.Cut(f.Theme, 0, 0, on.W, e.Hash[:min(len(e.Hash), 10)], widget.Dim)
	}
}
