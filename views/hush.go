package views

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/keys"
	"plumb/views/widget"
)

// Hush is the question for a silence, or for the maintenance of a place: what it
// is to cover, for how long, and why. It shows what that covers now; nothing has
// happened until enter, and whoever takes the word judges it again.
type Hush struct {
	about   string // what it was opened on, as people read it
	offers  []reach
	at      int // the reach chosen
	lasts   int // place among hushSpans; beyond them: custom
	custom  time.Duration
	reason  string
	asPlace bool
	sure    bool // enter was pressed on what leaves nothing out
}

// reach is one thing that a silence may cover.
type reach struct {
	matchers []string
	place    string
	what     string // in words
}

func (o *reach) text() string {
	if o.place != "" {
		return strings.Join(append([]string{o.place + " and all in it"}, o.matchers...), " ")
	}
	return strings.Join(o.matchers, " ")
}

// hushSpans are how long a silence may last at a key.
var hushSpans = []time.Duration{time.Hour, 2 * time.Hour, 8 * time.Hour}

// openHush opens the question for what is marked or selected.
func openHush(f Frame, id string, place bool) Intent {
	v := Hush{about: orNothing(id), lasts: 1, asPlace: place}
	list := meant(f, id)
	if place {
		v.offers = placesOf(f, id, list)
	} else {
		v.offers = matchersOf(f, id, list)
	}
	if len(list) > 1 {
		v.about = nameAlerts(make([]string, len(list)))
	}
	if len(v.offers) == 0 {
		word := "silence: neither an alert nor anything that could have one"
		if place {
			word = "maintenance: no region, site, rack, feed or device"
		}
		return Toast{Text: word + " is selected"}
	}
	return Open{View: v}
}

// matchersOf offers what may be silenced: from these alerts alone to all of
// their rule and all of their rack.
func matchersOf(f Frame, id string, list []*fleet.Alert) (out []reach) {
	add := func(what string, matchers ...string) {
		o := reach{matchers: slices.DeleteFunc(matchers, func(m string) bool { return m == "" }), what: what}
		if !slices.ContainsFunc(out, func(x reach) bool { return x.text() == o.text() }) {
			out = append(out, o)
		}
	}
	rule := either("rule", list, func(a *fleet.Alert) string { return a.Rule })
	target := either("target", list, func(a *fleet.Alert) string { return a.Target })
	rack := either("rack", list, func(a *fleet.Alert) string { return a.Labels["rack"] })
	if len(list) > 0 {
		if part := either("part", list, func(a *fleet.Alert) string { return a.Part }); part != "" && target != "" && rule != "" {
			add("this", rule, target, part)
		}
		if target != "" && rule != "" { // else there are too many to name, and it would be everywhere
			add("the rule on the target", rule, target)
		}
		if rack != "" && rule != "" {
			add("the rule in the rack", rule, rack)
		}
		if target != "" {
			add("all of the target", target)
		}
		if rack != "" {
			add("all of the rack", rack)
		}
		if rule != "" {
			add("the rule everywhere", rule)
		}
		return out
	}
	switch {
	case f.Snap.Racks.Get(id) != nil:
		add("all of the rack", "rack="+id)
	case f.Snap.Regions.Get(id) != nil:
		add("all of the region", "region="+id)
	case f.Snap.Services.Get(id) != nil:
		add("all of the service", "service="+id)
	case f.Snap.Devices.Get(hostOf(id)) != nil:
		add("all of the device", "target="+hostOf(id))
	case f.Snap.Instances.Get(id) != nil || f.Snap.Feeds.Get(id) != nil || f.Snap.Clouds.Get(id) != nil:
		add("all of it", "target="+id)
	}
	return out
}

// either is a matcher for one value, or for any of several; "" where one of the
// alerts has none.
func either(label string, list []*fleet.Alert, of func(*fleet.Alert) string) string {
	var values []string
	for _, a := range list {
		v := of(a)
		if v == "" {
			return ""
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	switch {
	case len(values) == 0 || len(values) > 50:
		return ""
	case len(values) == 1:
		return label + "=" + values[0]
	}
	for i := range values {
		values[i] = regexp.QuoteMeta(values[i])
	}
	return label + "=~" + strings.Join(values, "|")
}

// placesOf offers the places that what is selected stands in, the smallest first.
func placesOf(f Frame, id string, list []*fleet.Alert) (out []reach) {
	if len(list) > 0 && f.Snap.Alerts.Find(id) != nil {
		id = list[0].Target
	}
	add := func(what, place string, is bool) {
		if is && place != "" {
			out = append(out, reach{place: place, what: what})
		}
	}
	rack, site, region := "", "", ""
	if d := f.Snap.Devices.Get(hostOf(id)); d != nil && f.Snap.Racks.Get(id) == nil {
		add("the device", d.Spec.ID, true)
		rack, site, region = d.Spec.Rack, d.Spec.Site, d.Spec.Region
		add("the feed", d.Spec.Feed, f.Snap.Feeds.Get(d.Spec.Feed) != nil)
	}
	if x := f.Snap.Feeds.Get(id); x != nil {
		add("the feed", id, true)
		site = x.Spec.Site
	}
	if f.Snap.Racks.Get(id) != nil {
		rack = id
	}
	if r := f.Snap.Racks.Get(rack); r != nil {
		add("the rack", rack, true)
		site, region = r.Spec.Site, r.Spec.Region
	}
	if f.Snap.Sites.Get(id) != nil {
		site = id
	}
	if x := f.Snap.Sites.Get(site); x != nil {
		add("the site", site, true)
		region = x.Spec.Region
	}
	if f.Snap.Regions.Get(id) != nil {
		region = id
	}
	add("the region", region, f.Snap.Regions.Get(region) != nil)
	return out
}

// ID implements View.
func (v Hush) ID() string { return "hush" }

func (v Hush) word() string {
	if v.asPlace {
		return "maintenance"
	}
	return "silence"
}

// Crumbs implements View.
func (v Hush) Crumbs(Frame) []string { return []string{"alerts", v.word()} }

// Needs implements View.
func (v Hush) Needs(Frame) []fleet.Query { return nil }

// Selected implements View.
func (v Hush) Selected(Frame) (kind, id string) { return "", "" }

func (v Hush) span() time.Duration {
	if v.lasts < len(hushSpans) {
		return hushSpans[v.lasts]
	}
	return v.custom
}

// Handle implements View.
func (v Hush) Handle(f Frame, c keys.Command) (View, Intent) {
	sure := v.sure
	v.sure = false
	switch c.ID {
	case "move.up":
		v.at = max(0, v.at-1)
	case "move.down":
		v.at = min(len(v.offers)-1, v.at+1)
	case "move.left":
		v.lasts = max(0, v.lasts-1)
	case "move.right":
		if v.lasts+1 == len(hushSpans) && v.custom == 0 {
			return v, askHushFor(v)
		}
		v.lasts = min(len(hushSpans), v.lasts+1)
	case "hush.for":
		if c.Args == nil {
			return v, askHushFor(v)
		}
		d, ok := lastingOf(strings.TrimSpace(c.Arg(0)))
		if !ok {
			return v, Toast{Text: "for how long: 30m, 4h, 2d or 1w, a year at most"}
		}
		v.custom, v.lasts = d, len(hushSpans)
	case "hush.match":
		return v.matched(c)
	case "hush.reason":
		if c.Args == nil {
			return v, Ask{Label: "reason, which others will read", Text: v.reason, Command: "hush.reason"}
		}
		v.reason = strings.TrimSpace(c.Arg(0))
	case "enter":
		if why := v.refused(f); why != "" {
			return v, Toast{Text: v.word() + ": " + why}
		}
		if v.reason == "" {
			return v, Ask{Label: "reason, which others will read", Command: "hush.reason"}
		}
		o := &v.offers[v.at]
		if o.sweeping() && !sure {
			v.sure = true
			return v, Toast{Text: "silence: covers every alert there is or will be, " + strconv.Itoa(len(o.covered(f.Snap))) + " now; enter once more where that is meant"}
		}
		return v, AlertWord{Do: "silence", Matchers: o.matchers, At: o.place, For: v.span(), Reason: v.reason, All: sure}
	}
	return v, nil
}

func askHushFor(v Hush) Ask {
	text := ""
	if v.custom > 0 {
		text = span(v.custom)
	}
	return Ask{Label: "for how long: 30m, 4h, 2d", Text: text, Command: "hush.for"}
}

// matched takes matchers as they were typed, beside those that were offered.
func (v Hush) matched(c keys.Command) (View, Intent) {
	if c.Args == nil {
		return v, Ask{Label: "matchers, LABEL=VALUE with = != =~ !~", Text: strings.Join(v.offers[v.at].matchers, " "), Command: "hush.match"}
	}
	o := reach{matchers: strings.Fields(c.Arg(0)), what: "typed", place: v.offers[v.at].place}
	if len(o.matchers) == 0 {
		return v, Toast{Text: v.word() + ": no matcher was typed; nothing was changed"}
	}
	for _, m := range o.matchers {
		if _, err := alert.ParseMatcher(m); err != nil {
			return v, Toast{Text: v.word() + ": " + err.Error()}
		}
	}
	v.offers = append(slices.Clone(v.offers), o)
	v.at = len(v.offers) - 1
	return v, nil
}

// hushHelp says what enter does, in the words that there is room for.
var hushHelp = []string{
	"enter: nobody is told of what it covers; it stays on the screen, marked, and a resolve is told at the end",
	"enter: nobody is told of what it covers; the screen shows it, marked",
	"enter: nobody is told of what it covers",
}

// refused says why nothing would be silenced as things stand, or "".
func (v Hush) refused(f Frame) string {
	switch {
	case !f.Live:
		return "HIST: 0 returns to live"
	case f.Role < fleet.RoleOperator:
		return "needs role operator, you are " + f.Role.String()
	}
	return ""
}

// sweeping reports whether a reach leaves nothing out.
func (o *reach) sweeping() bool { return o.place == "" && alert.Sweeping(o.silence().Matchers) }

// covered are the active alerts that a reach covers now.
func (o *reach) covered(s *fleet.Snapshot) []*fleet.Alert {
	q := o.silence()
	return alert.Covered(s, &q)
}

func (o *reach) silence() fleet.Silence {
	q := fleet.Silence{At: o.place}
	for _, text := range o.matchers {
		if m, err := alert.ParseMatcher(text); err == nil {
			q.Matchers = append(q.Matchers, m)
		}
	}
	return q
}

// Draw implements View.
func (v Hush) Draw(f Frame, on widget.Canvas) {
	w := min(on.W, 130)
	box := widget.Box(on.Sub((on.W-w)/2, 0, w, on.H), f.Theme, strings.ToUpper(v.word())+"  "+v.about, f.User+" ("+f.Role.String()+")", true)
	in := box.Sub(1, 0, box.W-2, box.H)
	y := v.drawOffers(f, in)
	v.drawSpans(f, in, y)
	y += 2
	in.Text(0, y, "reason", widget.Dim)
	if v.reason == "" {
		in.Text(10, y, "needed: it is what others will read", widget.Warn)
	} else {
		in.Cut(f.Theme, 10, y, in.W-10, v.reason, widget.Bold)
	}
	y += 2
	if why := v.refused(f); why != "" {
		in.Cut(f.Theme, 0, y, in.W, f.Theme.Glyphs.State(fleet.StateCrit)+" not now: "+why, widget.Crit)
	} else {
		in.Cut(f.Theme, 0, y, in.W, fitting(in.W, hushHelp...), widget.Dim)
	}
	v.drawCovered(f, in, y+2)
}

func (v Hush) drawOffers(f Frame, in widget.Canvas) int {
	in.Text(0, 0, "what", widget.Dim)
	top := widget.Window(len(v.offers), v.at, max(1, in.H-7))
	y := 0
	for i := top; i < len(v.offers) && y < max(1, in.H-7); i++ {
		o := &v.offers[i]
		if i == v.at {
			in.Text(8, y, f.Theme.Glyphs.Caret, widget.Bold)
		}
		n := strconv.Itoa(len(o.covered(f.Snap))) + " now"
		end := in.Right(in.W, y, n, widget.Dim)
		x := in.Cut(f.Theme, 10, y, end-11, o.text(), boldIf(i == v.at, widget.Plain)) + 2
		in.Cut(f.Theme, x, y, end-x-1, o.what, widget.Dim)
		y++
	}
	return y + 1
}

func (v Hush) drawSpans(f Frame, in widget.Canvas, y int) {
	in.Text(0, y, "for", widget.Dim)
	x := 10
	list := hushSpans
	if v.custom > 0 {
		list = append(slices.Clone(list), v.custom)
	}
	for i, d := range list {
		text := " " + span(d) + " "
		st := widget.Dim
		if i == v.lasts {
			st = widget.Inverse
			if f.Theme.Ascii {
				text = "[" + span(d) + "]"
			}
		}
		x = in.Text(x, y, text, st) + 1
	}
	in.Cut(f.Theme, x+1, y, in.W-x-1, "until "+f.At.Add(v.span()).UTC().Format("01-02 15:04Z")+"; left right, f another time", widget.Dim)
}

// drawCovered lists what it would cover now.
func (v Hush) drawCovered(f Frame, in widget.Canvas, y int) {
	list := v.offers[v.at].covered(f.Snap)
	if y >= in.H {
		return
	}
	in.Text(0, y, "covers", widget.Dim)
	if len(list) == 0 {
		in.Cut(f.Theme, 10, y, in.W-10, "nothing now; it is for what comes", widget.Dim)
	}
	for i := range list {
		if y == in.H-1 && i < len(list)-1 {
			in.Text(10, y, "and "+strconv.Itoa(len(list)-i)+" more", widget.Dim)
			return
		}
		if y >= in.H {
			return
		}
		x := in.Text(10, y, alertGlyph(f, list[i]), alertStyle(list[i])) + 1
		x = max(in.Cut(f.Theme, x, y, 34, list[i].ID(), widget.Link), 36) + 1
		in.Cut(f.Theme, x, y, in.W-x, list[i].Summary, widget.Plain)
		y++
	}
}
