package config

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trial"
)

// trialYAML is a file of made-up days for alert rules, see fleet/trial.
type trialYAML struct {
	Interval duration    `yaml:"interval"`
	Alerts   *alertsYAML `yaml:"alerts"` // as in plumb.yaml; left out: the built-in rules
	Tests    []testYAML  `yaml:"tests"`
	At       place
}

type testYAML struct {
	Name    string            `yaml:"name"`
	Devices []trialDeviceYAML `yaml:"devices"`
	Series  []seriesYAML      `yaml:"series"`
	Events  []trialEventYAML  `yaml:"events"`
	Expect  []expectYAML      `yaml:"expect"`
	At      place
}

type trialDeviceYAML struct {
	Name   ref               `yaml:"name"`
	Kind   ref               `yaml:"kind"`
	Rack   string            `yaml:"rack"`
	Site   string            `yaml:"site"`
	Region string            `yaml:"region"`
	Owner  string            `yaml:"owner"`
	Tenant string            `yaml:"tenant"`
	Env    string            `yaml:"env"`
	Model  string            `yaml:"model"`
	Feed   string            `yaml:"feed"`
	Power  map[string]string `yaml:"power"` // supply: outlet
	Links  map[string]string `yaml:"links"` // NIC: switch/port
	Tags   map[string]string `yaml:"tags"`
	At     place
}

type seriesYAML struct {
	Device   ref     `yaml:"device"`
	Sensor   string  `yaml:"sensor"`
	Port     string  `yaml:"port"`
	Fact     string  `yaml:"fact"`
	Outlet   int     `yaml:"outlet"`
	Class    string  `yaml:"class"`
	Unit     string  `yaml:"unit"`
	LowCrit  decimal `yaml:"low_crit"`
	LowWarn  decimal `yaml:"low_warn"`
	HighWarn decimal `yaml:"high_warn"`
	HighCrit decimal `yaml:"high_crit"`
	Values   ref     `yaml:"values"`
	At       place
}

type trialEventYAML struct {
	After    duration `yaml:"at"`
	Device   ref      `yaml:"device"`
	Source   string   `yaml:"source"`
	Sensor   string   `yaml:"sensor"`
	Type     string   `yaml:"type"`
	Text     string   `yaml:"text"`
	Severity ref      `yaml:"severity"`
	Over     bool     `yaml:"over"` // it is taken back
	At       place
}

type expectYAML struct {
	After   duration            `yaml:"at"`
	Rule    string              `yaml:"rule"` // only alerts of this one count
	Alerts  []expectedAlertYAML `yaml:"alerts"`
	Notices *int                `yaml:"notices"`
}

type expectedAlertYAML struct {
	Rule     string `yaml:"rule"`
	Target   string `yaml:"target"`
	Part     string `yaml:"part"`
	State    ref    `yaml:"state"`
	Severity ref    `yaml:"severity"`
	HeldBy   string `yaml:"held_by"`
	Summary  string `yaml:"summary"`
}

// LoadTrial reads a file of trials. Its mistakes are named as those of a
// configuration.
func LoadTrial(env Env, path string) (*trial.Plan, error) {
	data, err := env.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := &builder{env: env, errs: &Errors{}, file: &File{Inventory: &fleet.Inventory{}}, names: true}
	y := &trialYAML{}
	name := filepath.Base(path)
	doc, err := document(data)
	if err != nil {
		b.syntax(name, err)
		return nil, b.errs.err([]string{name})
	}
	y.At = place{name, 1, 1}
	d := &decoder{file: name, errs: b.errs, budget: 4*len(data) + 1000}
	if len(doc.Content) > 0 {
		d.into(doc.Content[0], y, "")
	}
	p := &trial.Plan{Interval: time.Minute}
	y.Interval.to(&p.Interval)
	if p.Interval < time.Second {
		b.errs.add(y.At, "interval", "is shorter than a second", "")
	}
	for i := range y.Tests {
		t := b.trial(&y.Tests[i])
		b.file.Inventory.Devices = append(b.file.Inventory.Devices, t.Devices...) // so that rules may select them
		p.Tests = append(p.Tests, t)
	}
	if len(y.Tests) == 0 {
		b.errs.add(y.At, "tests", "there are none", "")
	}
	b.alerting(y.Alerts)
	for _, check := range b.after {
		check()
	}
	p.Alerting = b.file.Inventory.Alerting
	if p.Alerting.Settle == 0 {
		p.Alerting.Settle = time.Nanosecond
	}
	return p, b.errs.err([]string{name})
}

func (b *builder) trial(y *testYAML) trial.Test {
	t := trial.Test{Name: y.Name}
	if t.Name == "" {
		t.Name = "the test on line " + strconv.Itoa(y.At.line)
	}
	known := map[string]bool{}
	for i := range y.Devices {
		d := b.trialDevice(&y.Devices[i])
		known[d.ID] = true
		t.Devices = append(t.Devices, d)
	}
	there := func(r ref, at place, what string) {
		if !known[r.name] {
			b.errs.add(at, what, "no device "+quote(r.name)+" in this test", "")
		}
	}
	for i := range y.Series {
		s := &y.Series[i]
		there(s.Device, s.At, "series")
		values, err := trial.ParseValues(s.Values.name)
		if err != nil {
			b.errs.add(s.At, "series", err.Error(), `values: "20 21 30x5 _x2"`)
			values = []string{"_"}
		}
		if named := countTrue(s.Sensor != "", s.Port != "", s.Fact != "", s.Outlet > 0); named != 1 {
			b.errs.add(s.At, "series", "names "+strconv.Itoa(named)+" of sensor, port, fact and outlet; want one", "")
		}
		t.Series = append(t.Series, trial.Series{Device: s.Device.name, Sensor: s.Sensor, Port: s.Port, Fact: s.Fact, Outlet: s.Outlet, Class: fleet.SensorClass(s.Class), Unit: s.Unit,
			Limits: fleet.Limits{LowCrit: s.LowCrit.Num, LowWarn: s.LowWarn.Num, HighWarn: s.HighWarn.Num, HighCrit: s.HighCrit.Num}, Values: values})
	}
	for i := range y.Events {
		e := &y.Events[i]
		there(e.Device, e.At, "events")
		sev, _ := b.severity(e.Severity, "events")
		source := e.Source
		if source == "" {
			source = "sel"
		}
		t.Events = append(t.Events, trial.Event{After: e.After.Duration, Event: fleet.Event{Target: e.Device.name, Source: source, Sensor: e.Sensor, Type: e.Type, Text: e.Text, Severity: sev, Asserted: !e.Over}})
	}
	for i := range y.Expect {
		t.Expect = append(t.Expect, b.expect(&y.Expect[i]))
	}
	if len(t.Expect) == 0 {
		b.errs.add(y.At, "tests: "+quote(t.Name), "expects nothing", "expect: [{at: 5m, alerts: []}] says that all is well")
	}
	return t
}

func countTrue(list ...bool) (n int) {
	for _, is := range list {
		if is {
			n++
		}
	}
	return n
}

func (b *builder) trialDevice(y *trialDeviceYAML) fleet.DeviceSpec {
	d := fleet.DeviceSpec{ID: y.Name.name, Name: y.Name.name, Kind: fleet.DeviceKind(y.Kind.name), Rack: y.Rack, Site: y.Site, Region: y.Region, Owner: y.Owner, Tenant: y.Tenant, Env: y.Env, Model: y.Model, Feed: y.Feed, Tags: y.Tags}
	if d.ID == "" || strings.Contains(d.ID, "/") {
		b.errs.add(y.At, "devices", "a device needs a name without slashes", "")
	}
	if d.Kind == "" {
		d.Kind = fleet.KindServer
	}
	b.oneOf(y.Kind, "devices: "+quote(d.ID)+": kind", []string{"server", "switch", "router", "pdu", "ups", "other"})
	for _, no := range sortedKeys(y.Power) {
		n, err := strconv.Atoi(no)
		if err != nil || n < 1 {
			b.errs.add(y.At, "devices: "+quote(d.ID)+": power", quote(no)+" is not the number of a supply", "power: {1: pa/3, 2: pb/3}")
		}
		d.Power = append(d.Power, fleet.PowerCord{PSU: n, Outlet: y.Power[no]})
	}
	for _, nic := range sortedKeys(y.Links) {
		d.Links = append(d.Links, fleet.Cable{NIC: nic, To: y.Links[nic]})
	}
	return d
}

func (b *builder) expect(y *expectYAML) trial.Expect {
	e := trial.Expect{After: y.After.Duration, Rule: y.Rule, Notices: -1}
	if y.Notices != nil {
		e.Notices = *y.Notices
	}
	for _, a := range y.Alerts {
		b.oneOf(a.State, "expect: state", []string{"pending", "firing"})
		b.oneOf(a.Severity, "expect: severity", severities)
		e.Alerts = append(e.Alerts, trial.Alert{Rule: a.Rule, Target: a.Target, Part: a.Part, State: fleet.AlertState(a.State.name), Severity: a.Severity.name, HeldBy: a.HeldBy, Summary: a.Summary})
	}
	return e
}
