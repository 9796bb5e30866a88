package views

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/fleet/trace"
	"plumb/views/widget"
)

// derivedExplain is why an alert is as it is, line by line; it walks the graph
// for an alert on a cause.
const derivedExplain = "explain"

func explained(s *fleet.Snapshot, id string) []string {
	lines, _ := alert.Explain(s, id, s.At)
	return lines
}

// alertNeeds is what a page of an alert asks of the past.
func alertNeeds(a *fleet.Alert) []fleet.Query {
	return []fleet.Query{lifeQuery(a), derivedQuery(derivedExplain, a.ID()), derivedQuery(derivedCauses)}
}

// drawAlert draws an alert in full: what and why, what is lost with it, what
// holds it and what it holds, its life, and why it is told or not. skip is how
// many lines are scrolled away.
func drawAlert(f Frame, on widget.Canvas, a *fleet.Alert, skip int) {
	note := a.Severity.String() + ", " + string(a.State)
	box := widget.Box(on, f.Theme, a.ID(), note, false)
	drawLabelled(f, box.Sub(1, 0, box.W-2, box.H), alertLines(f, a), skip)
}

const alertLabel = 10

// drawLabelled draws lines with their labels, each on as many rows as it needs.
func drawLabelled(f Frame, in widget.Canvas, lines []line, skip int) {
	y := -skip
	for i := range lines {
		l := &lines[i]
		rows := 1
		if l.text != "" && l.label != " " {
			rows = max(1, widget.Measure(in.W-alertLabel).Wrap(0, 0, in.W-alertLabel, 6, l.text, l.style))
		}
		if y+rows > in.H {
			rows = in.H - y
		}
		if y >= 0 && rows > 0 {
			in.Cut(f.Theme, 0, y, alertLabel-1, strings.TrimSpace(l.label), widget.Dim)
			at := alertLabel
			if l.label == " " {
				at = 2
			}
			in.Wrap(at, y, in.W-at, rows, l.text, l.style)
		}
		y += rows
	}
}

func alertLines(f Frame, a *fleet.Alert) []line {
	var out []line
	say := func(label, text string, st widget.Style) {
		if text != "" {
			out = append(out, line{label: label, text: text, style: st})
		}
	}
	head := func(text string) { out = append(out, line{}, line{label: " ", text: text, style: widget.Title}) }
	say("what", a.Summary, alertStyle(a))
	words := alertWords(f, a)
	if a.State != fleet.AlertPending { // which they say
		words = append([]string{string(a.State)}, words...)
	}
	say("state", strings.Join(words, ", "), widget.Plain)
	if a.Ack.Stands(f.At) {
		say("acked", ackText(f, a.Ack), widget.Bold)
	}
	say("cause", a.Cause, widget.Plain)
	say("evidence", a.Evidence, widget.Plain)
	say("now", causeNow(f, a), widget.Bold)
	say("at risk", a.Blast, widget.Plain)
	say("runbook", a.Runbook, widget.Link)
	for i, h := range heldChain(f, a) {
		label := "held by"
		if i > 0 {
			label = "and that"
		}
		say(label, h.ID()+": "+h.Summary, widget.Plain)
	}
	if n, names := heldBelow(f, a); n > 0 {
		say("holds", fleet.Count(n, "alert")+": "+names, widget.Plain)
	}
	say("labels", labelsText(a), widget.Dim)
	head("its life")
	for _, l := range lifeLines(f, a) {
		say(l.label, l.text, l.style)
	}
	head("why")
	lines, ok := derived[[]string](f, derivedExplain, a.ID())
	switch {
	case !ok:
		say("", "loading", widget.Dim)
	case len(lines) == 0:
		say("", "its rule, or what it spoke of, is not there at this time", widget.Dim)
	}
	for _, l := range lines {
		say("", strings.TrimSpace(l), widget.Plain)
	}
	return out
}

// causeNow is what the cause that an alert speaks of explains by now: the words of
// the alert are those it fired with. "" where they still hold, or it speaks of no
// cause.
func causeNow(f Frame, a *fleet.Alert) string {
	why, ok := derived[*Causes](f, derivedCauses)
	if !ok || a.Blast == "" || !a.Active() {
		return ""
	}
	i := slices.IndexFunc(why.list, func(x trace.Cause) bool { return x.ID == a.Target })
	if i < 0 {
		return "it explains nothing any more"
	}
	x := &why.list[i]
	evidence := strings.Join(x.Evidence, "; ")
	if strings.Contains(a.Evidence, firstOf(x.Evidence)) && strings.Contains(a.Blast, "explains "+fleet.Count(len(x.Explains), "part")) {
		return ""
	}
	return "explains " + why.share(x) + " parts in trouble: " + evidence
}

func ackText(f Frame, k *fleet.Ack) string {
	text := "by " + k.By + " " + since(f, k.At) + " ago"
	if k.Reason != "" {
		text += ": " + k.Reason
	}
	switch {
	case !k.Until.IsZero():
		text += "; until " + clock(f, k.Until)
	case k.Sticky:
		text += "; until it is ok"
	default:
		text += "; until it changes"
	}
	return text
}

// heldChain is what holds an alert, what holds that, and so on.
func heldChain(f Frame, a *fleet.Alert) (out []*fleet.Alert) {
	for h := a; h.Held != nil && len(out) < 8; {
		if h = f.Snap.Alerts.Find(h.Held.By); h == nil || h == a {
			break
		}
		out = append(out, h)
	}
	return out
}

// heldBelow names the first few of what an alert holds, and counts all of it.
func heldBelow(f Frame, a *fleet.Alert) (n int, names string) {
	const most = 6
	id := a.ID()
	var out []string
	for _, x := range f.Snap.Alerts.List {
		if x.Held == nil || x.Held.By != id || !x.Active() {
			continue
		}
		if n++; n <= most {
			out = append(out, x.ID())
		}
	}
	if n > most {
		out = append(out, "and "+fleet.Count(n-most, "other"))
	}
	return n, strings.Join(out, ", ")
}

func labelsText(a *fleet.Alert) string {
	var out []string
	for k, v := range a.Labels {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
