package views

import (
	"cmp"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/keys"
	"plumb/views/widget"
)

// Finding is one thing about one device that is not as it should be, held
// against the four truths.
type Finding struct {
	target, facet string
	rule          Rule // what a ruling that is being typed is about
}

// NewFinding returns the page of a finding.
func NewFinding(target, facet string) View { return Finding{target: target, facet: facet} }

// ID implements View.
func (v Finding) ID() string { return "finding" }

// Crumbs implements View.
func (v Finding) Crumbs(f Frame) []string {
	return []string{"drift", v.target, drift.Named(f.Snap, &fleet.Finding{Target: v.target, Facet: v.facet})}
}

// Needs implements View.
func (v Finding) Needs(Frame) []fleet.Query { return nil }

// Selected implements View.
func (v Finding) Selected(f Frame) (kind, id string) {
	return subjectOf(f.Snap, &fleet.Finding{Target: v.target, Facet: v.facet})
}

// find returns the finding, or how it ended; nil: it is over for long.
func (v Finding) find(f Frame) *fleet.Finding {
	if x := drift.Find(f.Snap, v.target, v.facet); x != nil {
		return x.Finding
	}
	if d := f.Snap.Docket(v.target); d != nil {
		for i := range d.Gone {
			if x := &d.Gone[i]; x.Facet == v.facet {
				return x
			}
		}
	}
	return nil
}

// list is the finding as one of many.
func (v Finding) list(f Frame) []*fleet.Finding {
	if x := v.find(f); x != nil {
		return []*fleet.Finding{x}
	}
	return nil
}

func (v Finding) acts(f Frame) Actions { return actsOnFinding(f, v.list(f)) }

// Handle implements View.
func (v Finding) Handle(f Frame, c keys.Command) (next View, in Intent) {
	x := v.find(f)
	if verdict, ok := verdictOf[c.ID]; ok && x != nil {
		v.rule, in = ruleOn(v.rule, []*fleet.Finding{x}, verdict, c)
		return v, in
	}
	switch c.ID {
	case "drift.revert":
		return v, putBack(f, v.list(f))
	case "copy":
		return v, Copy{Text: v.target + ":" + v.facet}
	case "move.up", "move.down":
		return v.beside(f, c.ID == "move.down"), nil
	}
	return v, nil
}

// beside is the page of the next finding of the same device.
func (v Finding) beside(f Frame, down bool) View {
	list := f.Snap.Docket(v.target).Of()
	for i := range list {
		if list[i].Facet != v.facet {
			continue
		}
		switch {
		case down && i+1 < len(list):
			return Finding{target: v.target, facet: list[i+1].Facet}
		case !down && i > 0:
			return Finding{target: v.target, facet: list[i-1].Facet}
		}
	}
	return v
}

// Draw implements View.
func (v Finding) Draw(f Frame, on widget.Canvas) {
	x := v.find(f)
	if x == nil {
		in := widget.Box(on, f.Theme, v.target+" "+v.facet, "", true)
		drawEmpty(f, in, "it is as it should be", "nothing stands against it at this time; esc leads back")
		return
	}
	others := f.Snap.Docket(v.target).Of()
	h := on.H
	if rest := on.H - 16; len(others) > 1 && rest >= 4 {
		h = on.H - min(rest, len(others)+2)
		v.drawOthers(f, on.Sub(0, h, on.W, on.H-h), others)
	}
	drawFinding(f, on.Sub(0, 0, on.W, h), x, 1)
}

// drawOthers lists what else stands against the device.
func (v Finding) drawOthers(f Frame, on widget.Canvas, list []fleet.Finding) {
	in := widget.Box(on, f.Theme, "all that stands against "+v.target, strconv.Itoa(len(list)), false)
	at := 0
	for i := range list {
		if list[i].Facet == v.facet {
			at = i
		}
	}
	top := widget.Window(len(list), at, in.H)
	for y := 0; y < in.H && top+y < len(list); y++ {
		x := &list[top+y]
		if top+y == at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
		}
		in.Text(2, y, driftGlyph(f, x.State, x.Severity), driftStyle(x.State, x.Severity))
		end := in.Right(in.W-1, y, string(x.State)+" "+since(f, x.Since), widget.Dim)
		in.Cut(f.Theme, 4, y, end-6, x.Text, widget.Plain)
	}
}

// drawFinding draws a finding: what is held against what, since when, how sure
// that is, and whether it stands alone.
func drawFinding(f Frame, on widget.Canvas, x *fleet.Finding, members int) {
	note := x.Severity.String() + ", " + string(x.State)
	box := widget.Box(on, f.Theme, x.Target+"  "+drift.Named(f.Snap, x), note, false)
	in := box.Sub(1, 0, box.W-2, box.H)
	y := in.Wrap(0, 0, in.W, 2, x.Text, driftStyle(x.State, x.Severity)) + 1
	y = drawTruths(f, in, y, x) + 1
	line := func(label, text string, st widget.Style) {
		if text != "" && y < in.H {
			in.Text(0, y, label, widget.Dim)
			y += in.Wrap(12, y, in.W-12, min(3, in.H-y), text, st)
		}
	}
	line("since", x.Since.UTC().Format("2006-01-02 15:04:05Z")+", "+since(f, x.Since)+" ago"+endedText(x), widget.Plain)
	line("who", cmp.Or(x.Who, "not known: nothing that is read tells who"), widget.Plain)
	if !x.Stale.IsZero() {
		line("unread", "it cannot be read for "+since(f, x.Stale)+": what it is now nobody knows", widget.Unknown)
	}
	line("ruled", ruledText(f, x), widget.Bold)
	line("evidence", x.Evidence+", confidence "+x.Confidence.String(), widget.Plain)
	line("also", siblings(f, x), widget.Plain)
	if members > 1 {
		line("cause", "one of "+strconv.Itoa(members)+" findings that began together", widget.Plain)
	}
	line("fix", x.Fix, widget.Plain)
	if a, _, ok := revertOf(f, []*fleet.Finding{x}); ok {
		line("put back", "r asks for "+string(a.Action)+" "+a.Targets[0]+argsText(a.Args), widget.Plain)
	}
}

func endedText(x *fleet.Finding) string {
	if x.Ended.IsZero() {
		return ""
	}
	return "; over since " + x.Ended.UTC().Format("15:04:05Z")
}

func ruledText(f Frame, x *fleet.Finding) string {
	s := drift.Find(f.Snap, x.Target, x.Facet)
	if s == nil || s.Ruling == nil {
		return ""
	}
	text := string(s.Ruling.Verdict) + " by " + s.Ruling.By + " " + since(f, s.Ruling.At) + " ago: " + s.Ruling.Reason
	if !s.Ruling.Until.IsZero() {
		text += "; until " + s.Ruling.Until.UTC().Format("2006-01-02 15:04Z")
	}
	return text
}

// drawTruths draws the observed value and the four baselines, those that agree
// and those that say nothing too: that nobody intended anything is worth
// knowing.
func drawTruths(f Frame, in widget.Canvas, y int, x *fleet.Finding) int {
	in.Text(2, y, "observed", widget.Dim)
	in.Cut(f.Theme, 18, y, in.W-18, or(x.Observed), widget.Bold)
	y++
	for _, name := range [...]fleet.BaselineName{fleet.BaseIntended, fleet.BaseAccepted, fleet.BaseLastWeek, fleet.BaseCohort} {
		glyph, st, text, textStyle := f.Theme.Glyphs.Empty, widget.Dim, silentTruth(f, x, name), widget.Dim
		for _, b := range x.Baselines {
			if b.Name == name {
				glyph, st, textStyle = f.Theme.Glyphs.Drift, widget.Drift, widget.Plain
				if text = b.Expected; text == "" {
					text = "none"
				}
			}
		}
		in.Text(0, y, glyph, st)
		in.Text(2, y, baselineWord[name], widget.Dim)
		in.Cut(f.Theme, 18, y, in.W-18, text, textStyle)
		y++
	}
	return y
}

// silentTruth says of a baseline that does not disagree whether it agrees or
// has nothing to say.
func silentTruth(f Frame, x *fleet.Finding, name fleet.BaselineName) string {
	d := f.Snap.Devices.Get(x.Target)
	if d == nil {
		return silentCloud(f, x, name)
	}
	if x.Kind == fleet.FindCabling && (name == fleet.BaseLastWeek || name == fleet.BaseCohort) {
		return "a cable is held against what is intended"
	}
	switch name {
	case fleet.BaseIntended:
		if _, ok := d.Spec.Expect[x.Facet]; ok || intendedPort(f, d, x.Facet) {
			return "as observed"
		}
		return "the inventory says nothing of it"
	case fleet.BaseAccepted:
		return acceptedText(d.Docket, x)
	case fleet.BaseLastWeek:
		return "no other value was seen within a week"
	}
	if strings.HasPrefix(x.Facet, "port ") && (strings.HasSuffix(x.Facet, " alias") || strings.HasSuffix(x.Facet, " admin")) {
		return "each port has its own"
	}
	if !f.Live {
		return "what its like had then is not kept"
	}
	if f.Snap.Cohorts == nil {
		return "its like were not counted yet"
	}
	if _, ok := drift.Cohort(f.Snap.Cohorts[drift.CohortKey(d)]).Others(x.Facet, x.Observed); ok {
		return "as observed"
	}
	return "they are too few, or not of one mind"
}

// intendedPort reports whether somebody says what a facet of a port should be.
func intendedPort(f Frame, d *fleet.Device, facet string) bool {
	rest, is := strings.CutPrefix(facet, "port ")
	name, what, ok := cutLast(rest)
	return is && ok && drift.IntentOf(f.Snap, d, name).Facet(what) != nil
}

func acceptedText(d *fleet.Docket, x *fleet.Finding) string {
	for _, r := range d.Rulings {
		if r.Facet == x.Facet && r.Verdict == fleet.FindingAccepted {
			return "as observed, accepted by " + r.By
		}
	}
	return "nobody has accepted a value"
}

// silentCloud is silentTruth of what stands against a cloud.
func silentCloud(f Frame, x *fleet.Finding, name fleet.BaselineName) string {
	c := f.Snap.Clouds.Get(x.Target)
	switch {
	case c == nil:
		return ""
	case name == fleet.BaseAccepted && c.Docket != nil:
		return acceptedText(c.Docket, x)
	case name == fleet.BaseIntended && c.Spec.Declared == nil:
		return "no tool declares what this cloud should hold"
	case name == fleet.BaseIntended:
		return c.Spec.Declared.Source + " says nothing of it"
	case name == fleet.BaseLastWeek:
		return "no other value was seen within a week"
	}
	return "instances have no like to be held against"
}

// siblings says how many of a device's like show the same.
func siblings(f Frame, x *fleet.Finding) string {
	d := f.Snap.Devices.Get(x.Target)
	if d == nil || strings.ContainsRune(x.Facet, ' ') {
		return ""
	}
	key, like, same := drift.CohortKey(d), 0, 0
	for _, other := range f.Snap.Devices.All() {
		if other == d || drift.CohortKey(other) != key {
			continue
		}
		like++
		for _, o := range other.Docket.Of() {
			if o.Facet == x.Facet && o.Observed == x.Observed {
				same++
			}
		}
	}
	if like == 0 {
		return "there is no other of its like"
	}
	text := "same on " + strconv.Itoa(same) + " of " + strconv.Itoa(like) + " of its like"
	if same == 0 {
		return text + ": one-off, not a wave"
	}
	return text
}
