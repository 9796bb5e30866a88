package views

import (
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/report"
	"plumb/keys"
	"plumb/views/widget"
)

// Report is a report as it is read without plumb, on the screen: the hand-over
// of a shift with the review of a month, or what failed by what it is built of.
type Report struct {
	kind string // ops, handover or design
	at   int    // first line shown
}

// NewReport returns a report; kind is ops, handover or design.
func NewReport(kind string) View {
	if kind != "design" && kind != "handover" {
		kind = "ops"
	}
	return Report{kind: kind}
}

// What a report on the screen covers, and how many events it reads. The verb
// report takes other spans, and says what has changed since the beginning.
const (
	reportSpan   = 30 * 24 * time.Hour
	reportEvents = 50_000
)

// reported writes a report as Markdown.
func reported(kind string) func(*fleet.Snapshot, time.Time, func(fleet.Query) fleet.Answer) any {
	return func(s *fleet.Snapshot, now time.Time, ask func(fleet.Query) fleet.Answer) any {
		in := report.Input{Snap: s, Now: now, Since: now.Add(-reportSpan), Capacity: capacity.Of(s)}
		events := ask(fleet.Query{Kind: fleet.QueryEvents, Span: reportSpan, Limit: reportEvents})
		if events.Err != nil {
			return "# The report cannot be made\n\nEvents cannot be read: " + events.Err.Error()
		}
		in.Events, in.Cut = events.Events, len(events.Events) == reportEvents
		in.Jobs = ask(fleet.Query{Kind: fleet.QueryJobs, Limit: 1000}).Jobs
		if kind == "design" {
			d := report.DesignOf(in)
			return without(events.Lost) + d.Markdown()
		}
		o := report.OpsOf(in)
		return without(events.Lost) + o.Markdown(s)
	}
}

// span is what the report covers, in words.
func (v Report) span() string {
	if v.kind == "handover" {
		return "12 hours"
	}
	return "30 days"
}

// handedOver writes the hand-over of a shift as Markdown.
func handedOver(s *fleet.Snapshot, now time.Time, ask func(fleet.Query) fleet.Answer) any {
	in := report.Input{Snap: s, Now: now, Since: now.Add(-report.ShiftSpan)}
	events := ask(fleet.Query{Kind: fleet.QueryEvents, Span: report.ShiftSpan, Limit: reportEvents})
	if events.Err != nil {
		return "# The report cannot be made\n\nEvents cannot be read: " + events.Err.Error()
	}
	in.Events, in.Cut = events.Events, len(events.Events) == reportEvents
	r := report.ShiftOf(in)
	return without(events.Lost) + r.Markdown()
}

// without says what a report is without.
func without(lost error) string {
	if lost == nil {
		return ""
	}
	return "Not all events can be read: " + lost.Error() + "\n\n"
}

// ID implements View.
func (v Report) ID() string { return "report" }

// Crumbs implements View.
func (v Report) Crumbs(Frame) []string { return []string{"report", v.kind} }

func (v Report) query() fleet.Query { return derivedQuery("report " + v.kind) }

// Needs implements View.
func (v Report) Needs(Frame) []fleet.Query { return []fleet.Query{v.query()} }

// Selected implements View.
func (v Report) Selected(Frame) (kind, id string) { return "", "" }

func (v Report) text(f Frame) (string, bool) {
	return derived[string](f, v.query().Target)
}

// Handle implements View.
func (v Report) Handle(f Frame, c keys.Command) (View, Intent) {
	text, _ := v.text(f)
	last := max(0, len(onScreen(text, reportRoom(f)))-1-page(f))
	switch c.ID {
	case "pane.next", "pane.back":
		return NewReport(map[string]string{"ops": "design", "design": "handover"}[v.kind]), nil
	case "export", "copy":
		return v, Copy{Text: text, What: "the report as Markdown"}
	}
	v.at = scrolled(f, c, v.at, last)
	return v, nil
}

// reportWidth is how wide a report stands, with its frame.
const reportWidth = report.Widest + 6

// reportRoom is how many columns a line of a report has.
func reportRoom(f Frame) int { return min(f.Width, reportWidth) - 4 }

// Draw implements View.
func (v Report) Draw(f Frame, on widget.Canvas) {
	text, ok := v.text(f)
	lines := onScreen(text, reportRoom(f))
	note := ""
	if ok {
		note = "line " + strconv.Itoa(v.at+1) + " of " + strconv.Itoa(len(lines))
	}
	w := min(on.W, reportWidth)
	page := on.Sub((on.W-w)/2, 0, w, on.H)
	box := widget.Box(page, f.Theme, "report "+v.kind+", the last "+v.span(), note, true)
	if !ok {
		drawUnderived(f, box, v.query())
		return
	}
	in := box.Sub(1, 0, box.W-2, box.H)
	for y := 0; y < in.H && v.at+y < len(lines); y++ {
		l, st := lines[v.at+y], widget.Plain
		if strings.HasPrefix(l, "#") {
			l, st = strings.TrimLeft(l, "# "), widget.Bold
		} else if strings.HasPrefix(l, "|--") || strings.HasPrefix(l, "| --") {
			st = widget.Dim
		}
		in.Cut(f.Theme, 0, y, in.W, l, st)
	}
	widget.Foot(page, f.Theme, "tab: ops, design, handover; e copies it as Markdown; the verb report has more", widget.Dim)
}
