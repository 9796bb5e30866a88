package config

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
	"plumb/fleet/alert"
)

// defaultAlerts is the rule set that plumb comes with.
//
//go:embed default_alerts.yaml
var defaultAlerts []byte

type alertsYAML struct {
	Defaults    *bool             `yaml:"defaults"` // the built-in rules; false: none of them
	Off         []ref             `yaml:"off"`      // built-in rules that are not wanted
	Runbooks    string            `yaml:"runbooks"` // where a rule without one has its own; {rule} is its name
	Settle      duration          `yaml:"settle"`
	AckFor      duration          `yaml:"ack_for"` // how long an ack stands where nobody says
	Rules       []alertRuleYAML   `yaml:"rules"`
	Routes      []alertRouteYAML  `yaml:"routes"`
	Receivers   []receiverYAML    `yaml:"receivers"`
	Inhibit     []inhibitYAML     `yaml:"inhibit"`
	Maintenance []maintenanceYAML `yaml:"maintenance"`
	At          place
}

type alertRuleYAML struct {
	Name         ref               `yaml:"name"`
	On           ref               `yaml:"on"`
	Select       map[string]string `yaml:"select"`
	Problem      string            `yaml:"problem"`
	Recovery     string            `yaml:"recovery"`
	Severity     ref               `yaml:"severity"`
	For          duration          `yaml:"for"`
	Keep         duration          `yaml:"keep_firing_for"`
	Attempts     int               `yaml:"attempts"`
	RecoverAfter int               `yaml:"recover_after"`
	Retry        duration          `yaml:"retry"`
	Labels       map[string]string `yaml:"labels"`
	Summary      string            `yaml:"summary"`
	Cause        string            `yaml:"cause"`
	Evidence     string            `yaml:"evidence"`
	Runbook      string            `yaml:"runbook"`
	At           place
}

type alertRouteYAML struct {
	Receiver ref              `yaml:"receiver"`
	Match    []ref            `yaml:"match"`
	GroupBy  []ref            `yaml:"group_by"`
	Wait     duration         `yaml:"group_wait"`
	Interval duration         `yaml:"group_interval"`
	Repeat   duration         `yaml:"repeat_interval"`
	Continue bool             `yaml:"continue"`
	Routes   []alertRouteYAML `yaml:"routes"`
	At       place
}

type inhibitYAML struct {
	Source []ref `yaml:"source"`
	Target []ref `yaml:"target"`
	Equal  []ref `yaml:"equal"`
	At     place
}

type maintenanceYAML struct {
	Name   ref      `yaml:"name"`
	Match  []ref    `yaml:"match"`
	Of     ref      `yaml:"of"` // a region, site, rack, feed or device, and all in it
	From   moment   `yaml:"from"`
	Until  moment   `yaml:"until"`
	Lasts  duration `yaml:"lasts"`
	Days   []ref    `yaml:"days"` // every week, instead of from and until
	Start  ref      `yaml:"start"`
	End    ref      `yaml:"end"`
	Reason string   `yaml:"reason"`
	At     place
}

// moment is a time in the file.
type moment struct{ time.Time }

func (t *moment) fromYAML(d *decoder, n *yaml.Node, what string) {
	s, ok := d.text(n, what)
	if !ok {
		return
	}
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		d.errs.add(d.at(n), what, quote(s)+" is not a time like 2027-03-01T22:00:00Z", "")
		return
	}
	t.Time = v.UTC()
}

// alerting are the user's rules with the built-in ones before them. y is nil
// where the file has no alerts.
func (b *builder) alerting(y *alertsYAML) {
	a := &b.file.Inventory.Alerting
	if y == nil {
		y = &alertsYAML{}
	}
	if y.Defaults == nil || *y.Defaults {
		a.Rules, a.Inhibit = b.builtIn(y.Off)
	}
	for i := range y.Rules {
		if r, ok := b.alertRule(&y.Rules[i]); ok {
			if same := func(x fleet.AlertRule) bool { return x.Name == r.Name }; slices.ContainsFunc(a.Rules, same) {
				b.errs.add(y.Rules[i].Name.at, "alerts.rules: "+quote(r.Name), "stands twice", "a built-in rule of that name is switched off by alerts.off: ["+r.Name+"]")
				continue
			}
			a.Rules = append(a.Rules, r)
		}
	}
	for i := range a.Rules {
		if r := &a.Rules[i]; r.Runbook == "" && y.Runbooks != "" {
			r.Runbook = strings.ReplaceAll(y.Runbooks, "{rule}", r.Name)
		}
	}
	y.Settle.to(&a.Settle)
	y.AckFor.to(&a.AckFor)
	a.Receivers = b.receivers(y.Receivers)
	for i := range y.Receivers {
		if r := &y.Receivers[i]; r.Alertmanager != nil || r.Syslog != nil {
			a.Each = append(a.Each, r.Name.name)
		}
	}
	b.routes(y, a)
	for i := range y.Inhibit {
		a.Inhibit = append(a.Inhibit, b.inhibition(&y.Inhibit[i]))
	}
	for i := range y.Maintenance {
		a.Maintenance = append(a.Maintenance, b.maintenance(&y.Maintenance[i], y.Maintenance[:i]))
	}
}

// builtIn are the rules that plumb comes with, without those that the user does
// not want.
func (b *builder) builtIn(off []ref) ([]fleet.AlertRule, []fleet.Inhibition) {
	own := &builder{errs: &Errors{}}
	doc, err := document(defaultAlerts)
	if err != nil {
		panic("config: the built-in alert rules: " + err.Error())
	}
	var y struct {
		Rules   []alertRuleYAML `yaml:"rules"`
		Inhibit []inhibitYAML   `yaml:"inhibit"`
	}
	d := &decoder{file: "the built-in alert rules", errs: own.errs, budget: 4*len(defaultAlerts) + 1000}
	d.into(doc.Content[0], &y, "")
	var out []fleet.AlertRule
	names := make([]string, len(y.Rules))
	for i := range y.Rules {
		r, _ := own.ruleOf(&y.Rules[i])
		names[i] = r.Name
		if !slices.ContainsFunc(off, func(o ref) bool { return o.name == r.Name }) {
			out = append(out, r)
		}
	}
	var inhibit []fleet.Inhibition
	for i := range y.Inhibit {
		inhibit = append(inhibit, own.inhibition(&y.Inhibit[i]))
	}
	if err := own.errs.err(nil); err != nil {
		panic("config: " + err.Error()) // a test reads them
	}
	b.builtInRules = names
	for _, o := range off {
		if !slices.Contains(names, o.name) {
			b.errs.add(o.at, "alerts.off", "no built-in rule "+quote(o.name)+": "+didYouMean(o.name, slices.Values(names), "the verb rules lists them"), "")
		}
	}
	return out, inhibit
}

func (b *builder) inhibition(y *inhibitYAML) fleet.Inhibition {
	if len(y.Source) == 0 || len(y.Target) == 0 {
		b.errs.add(y.At, "alerts.inhibit", "needs source and target", "source: [severity=crit], target: [severity=warn], equal: [rack]")
	}
	return fleet.Inhibition{Source: b.matchers(y.Source, "alerts.inhibit"), Target: b.matchers(y.Target, "alerts.inhibit"), Equal: b.labelNames(y.Equal, "alerts.inhibit")}
}

// alertRule reads one rule of the user's and tries whether it compiles.
func (b *builder) alertRule(y *alertRuleYAML) (fleet.AlertRule, bool) {
	r, ok := b.ruleOf(y)
	if !ok {
		return r, false
	}
	if err := alert.Check(&fleet.Alerting{Rules: []fleet.AlertRule{r}}); err != nil {
		why := strings.ReplaceAll(strings.TrimPrefix(err.Error(), alert.ErrRule.Error()+" "+r.Name+": "), alert.ErrExpression.Error()+": ", "")
		b.errs.add(y.At, "alerts.rules: "+quote(r.Name), fleet.Clean(why, 300), "rules fields lists what may be read")
		return r, false
	}
	b.selects(r.Select, y.At, "alerts.rules: "+quote(r.Name)+": select", false)
	return r, true
}

func (b *builder) ruleOf(y *alertRuleYAML) (r fleet.AlertRule, ok bool) {
	what := "alerts.rules: " + quote(y.Name.name)
	r = fleet.AlertRule{Name: y.Name.name, On: y.On.name, Select: y.Select, Problem: y.Problem, Recovery: y.Recovery, For: y.For.Duration, Keep: y.Keep.Duration,
		Attempts: y.Attempts, RecoverAfter: y.RecoverAfter, Retry: y.Retry.Duration, Labels: y.Labels, Summary: y.Summary, Cause: y.Cause, Evidence: y.Evidence, Runbook: y.Runbook}
	if r.Name == "" {
		b.errs.add(y.At, "alerts.rules", "a rule has no name", "")
		return r, false
	}
	b.oneOf(y.On, what+": on", alert.Subjects())
	r.Severity, r.Graded = b.severity(y.Severity, what)
	if y.Problem == "" {
		b.errs.add(y.At, what, "has no problem", `say when it is one: problem: sensor.class == "fan" and sensor.state == "crit"`)
		return r, false
	}
	return r, slices.Contains(alert.Subjects(), r.On)
}

// routes hangs the user's routes below a root that leads to the first receiver:
// what no route takes is not lost.
func (b *builder) routes(y *alertsYAML, a *fleet.Alerting) {
	if len(a.Receivers) == 0 {
		if len(y.Routes) > 0 {
			b.errs.add(y.Routes[0].At, "alerts.routes", "lead nowhere: there are no receivers", `alerts.receivers: [{name: pager, webhook: {url: "https://..."}}]`)
		}
		return
	}
	root := &fleet.AlertRoute{Receiver: a.Receivers[0]}
	for i := range y.Routes {
		root.Routes = append(root.Routes, b.route(&y.Routes[i], a.Receivers))
	}
	a.Route = root
}

func (b *builder) route(y *alertRouteYAML, receivers []string) fleet.AlertRoute {
	r := fleet.AlertRoute{Receiver: y.Receiver.name, Match: b.matchers(y.Match, "alerts.routes"), GroupBy: b.labelNames(y.GroupBy, "alerts.routes"), Wait: y.Wait.Duration, Interval: y.Interval.Duration, Repeat: y.Repeat.Duration, Continue: y.Continue}
	if r.Receiver != "" && !slices.Contains(receivers, r.Receiver) {
		b.errs.add(y.Receiver.at, "alerts.routes", "no receiver "+quote(r.Receiver)+b.orDid(r.Receiver, slices.Values(receivers)), "")
	}
	for i := range y.Routes {
		r.Routes = append(r.Routes, b.route(&y.Routes[i], receivers))
	}
	return r
}

func (b *builder) matchers(list []ref, what string) (out []fleet.Matcher) {
	for _, r := range list {
		m, err := alert.ParseMatcher(r.name)
		if err != nil {
			b.errs.add(r.at, what, quote(r.name)+" is not a matcher", "LABEL=VALUE, or with != =~ !~: owner=team-game, rack=~ams1/.*")
			continue
		}
		b.matchable(m, r.at, what)
		out = append(out, m)
	}
	return out
}

func (b *builder) maintenance(y *maintenanceYAML, before []maintenanceYAML) fleet.Maintenance {
	what := "alerts.maintenance: " + quote(y.Name.name)
	m := fleet.Maintenance{Name: y.Name.name, Match: b.matchers(y.Match, what), At: y.Of.name, From: y.From.Time, Until: y.Until.Time, Lasts: y.Lasts.Duration, Reason: y.Reason}
	switch {
	case m.Name == "":
		b.errs.add(y.At, "alerts.maintenance", "has no name", "")
	case slices.ContainsFunc(before, func(o maintenanceYAML) bool { return o.Name.name == m.Name }):
		b.errs.add(y.Name.at, what, "stands twice", "")
	case m.At == "" && len(y.Match) == 0:
		b.errs.add(y.At, what, "covers nothing", "say of: ams1/r03, or match: [owner=team-game]")
	case len(y.Days) > 0 || y.Start.name+y.End.name != "":
		b.everyWeek(y, &m, what)
	case m.From.IsZero() || !m.Until.After(m.From):
		b.errs.add(y.At, what, "needs from, and until after it", `or days, start and end for every week: {days: [tue], start: "22:00", end: "26:00"}`)
	}
	if m.At != "" {
		b.after = append(b.after, func() {
			if !b.placed(m.At) {
				b.errs.add(y.Of.at, what, "no region, site, rack, feed or device "+quote(m.At), "")
			}
		})
	}
	return m
}

// everyWeek reads a maintenance that is on days of the week, as policies.freeze
// has them.
func (b *builder) everyWeek(y *maintenanceYAML, m *fleet.Maintenance, what string) {
	if !m.From.IsZero() || !m.Until.IsZero() || m.Lasts > 0 {
		b.errs.add(y.At, what, "is either once or every week", `say from and until, or days, start and end: {days: [tue], start: "22:00", end: "26:00"}`)
		return
	}
	var w fleet.FreezeWindow
	b.weekly(&freezeYAML{Days: y.Days, Start: y.Start, End: y.End, At: y.At}, &w, what)
	m.Days, m.Start, m.End = w.Days, w.Start, w.End
}

// placed reports whether an id is that of a place or of what stands in one.
func (b *builder) placed(id string) bool {
	inv := b.file.Inventory
	return slices.ContainsFunc(inv.Regions, func(x fleet.RegionSpec) bool { return x.Name == id }) ||
		slices.ContainsFunc(inv.Sites, func(x fleet.SiteSpec) bool { return x.Name == id }) ||
		slices.ContainsFunc(inv.Racks, func(x fleet.RackSpec) bool { return x.ID == id }) ||
		slices.ContainsFunc(inv.Feeds, func(x fleet.FeedSpec) bool { return x.Name == id }) ||
		slices.ContainsFunc(inv.Devices, func(x fleet.DeviceSpec) bool { return x.ID == id })
}
