package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/views/widget"
)

// line is one row of the question.
type line struct {
	label string
	glyph string
	text  string
	style widget.Style
}

// maxTargetLines bounds the targets that are listed one by one.
const maxTargetLines = 8

// lines are the question: to what, what hangs on it, what speaks against it,
// how it goes, and how it is taken back.
func (v Confirm) lines(f Frame) []line {
	out := []line{{"action", "", string(v.action) + argsText(v.args) + helpText(v.action), widget.Bold}}
	out = append(out, v.planLines(f, v.guards(f))...)
	if v.plan(f).NeedsApproval() && !v.broken {
		out = append(out, line{"asks", "", askedOf(f), widget.Plain})
	}
	return out
}

// planLines are the plan with what the guards say.
func (v Confirm) planLines(f Frame, guards []guard) []line {
	p := v.plan(f)
	out := v.targetLines(f)
	if len(p.Reverts) > 0 {
		out = append(out, line{"mends", f.Theme.Glyphs.Drift, mendsText(f, p.Reverts), widget.Drift})
	} else if v.undoes != "" {
		out = append(out, line{"undoes", "", "job " + v.undoes, widget.Plain})
	}
	out = append(out, line{})
	out = append(out, v.blast(f)...)
	out = append(out, line{})
	out = append(out, guardLines(f, guards)...)
	out = append(out, line{})
	if len(p.Waves) > 1 {
		out = append(out, line{"waves", "", wavesText(p.Waves) + "; each has to be seen to be well before the next", widget.Plain})
	}
	return append(out, line{"undo", "", undoText(p), widget.Plain}, line{"after", "", afterText(v.action) + usually(f, v.action), widget.Plain})
}

// mendsText names findings as people read them.
func mendsText(f Frame, ids []string) string {
	var out []string
	for _, id := range ids {
		target, facet, _ := strings.Cut(id, ":")
		out = append(out, target+" "+drift.Named(f.Snap, &fleet.Finding{Target: target, Facet: facet}))
	}
	return strings.Join(out, ", ")
}

func helpText(k fleet.ActionKind) string {
	if s := k.Spec(); s != nil {
		return ": " + s.Help
	}
	return ""
}

// targetLines are the targets by every name they have, and what each would be
// afterwards.
func (v Confirm) targetLines(f Frame) []line {
	known := map[string]*fleet.PlanTarget{}
	p := v.plan(f)
	for i := range p.Targets {
		known[p.Targets[i].ID] = &p.Targets[i]
	}
	var out []line
	for i, id := range v.targets {
		if i == maxTargetLines {
			out = append(out, line{"", "", "and " + fleet.Count(len(v.targets)-i, "more target"), widget.Dim})
			break
		}
		text, label := id, ""
		if t := known[id]; t != nil {
			text = targetText(f, t)
		}
		if i == 0 {
			label = "target"
		}
		out = append(out, line{label, "", text, widget.Bold})
	}
	return out
}

// targetText is a target as the plan knows it: "fra1/r02/U40  vlan 999 → vlan 208".
func targetText(f Frame, t *fleet.PlanTarget) string {
	text := t.ID
	if name := targetName(f, t.ID); name != t.ID {
		text = name + "  " + t.ID
	}
	for _, s := range [...]string{t.Place, t.Serial} {
		if s == t.Serial && s != "" {
			s = "sn " + s
		}
		if s != "" {
			text += "  " + s
		}
	}
	if t.Before != "" {
		text += "  " + t.Before
	}
	if t.After != "" && t.After != t.Before {
		text += " " + f.Theme.Glyphs.Into + " " + t.After
	}
	return text
}

// targetName is a target as people call it: an instance or a security group by
// its name, all else by its id.
func targetName(f Frame, id string) string {
	if x := f.Snap.Instances.Get(id); x != nil && x.Name != "" {
		return x.Name
	}
	cloud, group, _ := strings.Cut(id, "/")
	if c := f.Snap.Clouds.Get(cloud); c != nil {
		for i := range c.Groups {
			if g := &c.Groups[i]; g.ID == group && g.Name != "" {
				return cloud + " group " + g.Name
			}
		}
	}
	return id
}

var verdictState = map[fleet.Verdict]fleet.State{
	fleet.VerdictOK: fleet.StateOK, fleet.VerdictNote: fleet.StateWarn, fleet.VerdictEscalate: fleet.StateWarn, fleet.VerdictRefuse: fleet.StateCrit, fleet.VerdictDeny: fleet.StateCrit,
}

// planGuards are a plan's guards as people read them.
func planGuards(p *fleet.Plan) []guard {
	var out []guard
	for _, g := range p.Guards {
		text := g.Text
		switch {
		case g.ID == "floor" && (g.Verdict == fleet.VerdictOK || g.Verdict == fleet.VerdictNote):
			continue // the blast says it
		case isPartner(&g, p):
			continue // so it does that
		case g.Verdict == fleet.VerdictEscalate:
			text += ": a second person has to agree"
		case g.Verdict == fleet.VerdictOK && len(p.Targets) > 1 && g.Target != "":
			continue // that each of many is fine is no news
		}
		out = append(out, guard{verdictState[g.Verdict], text})
	}
	return out
}

// guardLines writes what speaks against it line by line, and what holds in one.
func guardLines(f Frame, list []guard) []line {
	var out []line
	const wide = 60 // of a line of what holds
	label, held := "guards", ""
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b guard) int { return urgency(a.state) - urgency(b.state) })
	for _, g := range list {
		if g.state == fleet.StateOK {
			if held != "" && len(held)+len(g.text) > wide {
				out = append(out, line{label, f.Theme.Glyphs.OK, strings.TrimSpace(held), widget.OK})
				label, held = "", ""
			}
			held += g.text + "   "
			continue
		}
		out = append(out, line{label, f.Theme.Glyphs.State(g.state), g.text, widget.StateStyle(g.state)})
		label = ""
	}
	if held != "" {
		out = append(out, line{label, f.Theme.Glyphs.OK, strings.TrimSpace(held), widget.OK})
	}
	return out
}

func wavesText(waves []int) string {
	var out []string
	for _, n := range waves {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", then ")
}

// undoText is how it is taken back.
func undoText(p *fleet.Plan) string {
	spec := p.Action.Spec()
	switch {
	case p.Action == fleet.ActIdentify:
		return "none needed: the LED goes out by itself"
	case p.Undo != "" && len(p.Targets) == 1 && p.Undo == p.Action:
		return "u on its job: " + string(p.Undo) + ", to " + p.Targets[0].Before
	case p.Undo != "" && p.Undo == p.Action:
		return "none for all at once: each had its own"
	case p.Undo != "" && keepsAll(p):
		return "u on its job: " + string(p.Undo) + "; nothing stops meanwhile"
	case keepsAll(p):
		return "none needed: what hangs there keeps running"
	case p.Undo != "" && spec.Takes && spec.On != fleet.OnPort:
		return "u on its job: " + string(p.Undo) + "; what ran there starts anew"
	case p.Undo != "":
		return "u on its job: " + string(p.Undo)
	case spec != nil && spec.Takes:
		return "none: what runs there stops and starts anew"
	}
	return "none: plumb cannot put back what was there"
}

// afterText is what shows that it is done.
func afterText(k fleet.ActionKind) string {
	spec := k.Spec()
	switch {
	case k == fleet.ActIdentify:
		return "the BMC's answer is all there is to see from here"
	case spec == nil:
		return ""
	case spec.On == fleet.OnPort:
		return "verified when the next poll of the switch shows it"
	case spec.On == fleet.OnOutlet:
		return "verified when the next poll of the PDU shows the outlet's state"
	case spec.On == fleet.OnHost:
		return "verified when the cloud's next list shows the host so, with what is left on it"
	case k == fleet.ActInstanceMigrate || k == fleet.ActInstanceEvacuate:
		return "verified when the cloud's next list shows the instance on another host"
	case spec.On == fleet.OnInstance:
		return "verified when the cloud's next list shows the instance so"
	case spec.On == fleet.OnGroup:
		return "verified when the cloud's next list shows the group without it"
	case k == fleet.ActUserOff || k == fleet.ActCipherOff || k == fleet.ActCipherSet:
		return "verified when the next whole look at the BMC shows it"
	case k == fleet.ActBootOnce || k == fleet.ActSELClear || k == fleet.ActBMCReset:
		return "verified when the BMC answers after it"
	}
	return "verified when the next poll of the BMC shows the power state"
}

// usually says how long the same took when it was last seen to be done.
func usually(f Frame, k fleet.ActionKind) string {
	var took []time.Duration
	for i := range f.Snap.Jobs {
		j := &f.Snap.Jobs[i]
		begun := slices.IndexFunc(j.Steps, func(s fleet.JobStep) bool { return s.Name == "begin" }) // not when it was asked for
		if j.Action == k && len(j.Targets) == 1 && j.State == fleet.JobVerified && begun >= 0 {
			took = append(took, j.Ended.Sub(j.Steps[begun].At))
		}
	}
	if len(took) == 0 {
		return ""
	}
	slices.Sort(took)
	return ", " + span(took[len(took)/2]) + " as a rule (median of " + strconv.Itoa(len(took)) + ")"
}

// askedOf says who of those that are here may agree as the second person.
func askedOf(f Frame) string {
	text := "an admin, within " + span(fleet.ApproveWithin)
	if len(f.Here) == 0 {
		return text + "; nobody else is on this console now"
	}
	return text + "; all see it at once, " + hereText(f, true)
}

// labelWidth are the columns of a line before its text or glyph.
const labelWidth = 9

// folded breaks lines that are wider than so many columns: what is agreed to is
// read in whole.
func folded(lines []line, w int) []line {
	out := make([]line, 0, len(lines))
	for _, l := range lines {
		indent := 0
		if l.glyph != "" {
			indent = widget.Width(l.glyph) + 1
		}
		head, rest := widget.Break(l.text, w-labelWidth-indent)
		l.text = head
		out = append(out, l)
		for rest != "" {
			head, rest = widget.Break(rest, w-labelWidth-indent)
			out = append(out, line{"", strings.Repeat(" ", max(indent-1, 0)), head, l.style})
		}
	}
	return out
}

// drawLines draws rows of the question from row top on.
func drawLines(f Frame, on widget.Canvas, lines []line, top int) {
	top = max(0, min(top, len(lines)-on.H))
	for y := 0; y < on.H && top+y < len(lines); y++ {
		l := &lines[top+y]
		on.Text(0, y, l.label, widget.Dim)
		at := on.Text(labelWidth, y, l.glyph, l.style)
		if l.glyph != "" {
			at++
		}
		on.Cut(f.Theme, at, y, on.W-at, l.text, l.style)
	}
}

// dense drops the blank lines where room is short.
func dense(lines []line) []line {
	out := lines[:0]
	for _, l := range lines {
		if l.text != "" {
			out = append(out, l)
		}
	}
	return out
}
