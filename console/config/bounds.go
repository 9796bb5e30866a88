package config

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

type freezeYAML struct {
	Name   ref               `yaml:"name"`
	Select map[string]string `yaml:"select"`
	From   ref               `yaml:"from"`
	Until  ref               `yaml:"until"`
	Days   []ref             `yaml:"days"`
	Start  ref               `yaml:"start"`
	End    ref               `yaml:"end"`
	Reason string            `yaml:"reason"`
	At     place
}

type budgetsYAML struct {
	Rack      *int     `yaml:"rack"`
	Feed      *int     `yaml:"feed"`
	Switch    *int     `yaml:"switch"`
	Service   *int     `yaml:"service"`
	Region    *int     `yaml:"region"`
	Fleet     *int     `yaml:"fleet"`
	Unhealthy *int     `yaml:"unhealthy"`
	CoolDown  duration `yaml:"cooldown"`
	Tries     *int     `yaml:"tries"`
	Soak      duration `yaml:"soak"`
	At        place
}

// bounds are the user's own limits for everything that writes.
func (b *builder) bounds(y *policiesYAML) {
	r := &b.file.Inventory.Remediation
	for i := range y.Freeze {
		if w, ok := b.freeze(&y.Freeze[i], y.Freeze[:i]); ok {
			r.Freezes = append(r.Freezes, w)
		}
	}
	if y.Budgets != nil {
		b.budgets(y.Budgets, r)
	}
}

// freeze checks a window in which nothing is done: once, or on days of the week.
func (b *builder) freeze(y *freezeYAML, before []freezeYAML) (w fleet.FreezeWindow, ok bool) {
	what := "policies.freeze: " + quote(y.Name.name)
	if y.Name.name == "" {
		b.errs.add(y.At, "policies.freeze", "has no name", "")
		return w, false
	}
	if slices.ContainsFunc(before, func(o freezeYAML) bool { return o.Name.name == y.Name.name }) {
		b.errs.add(y.Name.at, what, "stands twice", "")
	}
	if strings.TrimSpace(y.Reason) == "" {
		b.errs.add(y.At, what, "has no reason", "it is what everybody reads who is refused")
	}
	w = fleet.FreezeWindow{Name: y.Name.name, Select: y.Select, Reason: y.Reason}
	b.selects(y.Select, y.At, what+": select", false)
	once, weekly := y.From.name+y.Until.name != "", len(y.Days) > 0 || y.Start.name+y.End.name != ""
	switch {
	case once == weekly:
		b.errs.add(y.At, what, "is either once or every week", `say from and until, or days, start and end: {days: [fri, sat], start: "18:00", end: "30:00"}`)
	case once:
		w.From, w.Until = b.moment(y.From, y.At, what+": from"), b.moment(y.Until, y.At, what+": until")
		if !w.From.IsZero() && !w.Until.IsZero() && !w.From.Before(w.Until) {
			b.errs.add(y.Until.at, what, "ends before it begins", "")
		}
	default:
		b.weekly(y, &w, what)
	}
	return w, true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts

func (b *builder) weekly(y *freezeYAML, w *fleet.FreezeWindow, what string) {
	for _, d := range y.Days {
		n := slices.Index(weekdays, d.name)
		switch {
		case n < 0:
			b.oneOf(d, what+": days", weekdays)
		case slices.Contains(w.Days, time.Weekday(n)):
			b.errs.add(d.at, what, "names "+d.name+" twice", "")
		default:
			w.Days = append(w.Days, time.Weekday(n))
		}
	}
	if len(y.Days) == 0 {
		b.errs.add(y.At, what, "names no days", "days are of sun mon tue wed thu fri sat, in UTC")
	}
	var known [2]bool
	w.Start, known[0] = b.clock(y.Start, y.At, what+": start", 24)
	w.End, known[1] = b.clock(y.End, y.At, what+": end", 48)
	if known[0] && known[1] && w.Start >= w.End {
		b.errs.add(y.End.at, what, "ends before it begins", `an end on the next day is beyond 24:00: "30:00" is 06:00`)
	}
}

// moment reads a point in time.
func (b *builder) moment(r ref, at place, what string) time.Time {
	if r.name == "" {
		b.errs.add(at, what, "is missing", "a time is written like 2026-12-24T18:00:00Z")
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, r.name)
	if err != nil {
		b.errs.add(r.at, what, quote(r.name)+" is not a time like 2026-12-24T18:00:00Z", "")
	}
	return t.UTC()
}

// clock reads HH:MM, up to and with an hour; beyond 24 it is of the next day.
func (b *builder) clock(r ref, at place, what string, most int) (time.Duration, bool) {
	if r.name == "" {
		b.errs.add(at, what, "is missing", "")
		return 0, false
	}
	hours, minutes, ok := strings.Cut(r.name, ":")
	h, err1 := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(minutes)
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if !ok || err1 != nil || err2 != nil || len(hours) != 2 || len(minutes) != 2 || h < 0 || m < 0 || m > 59 || d > time.Duration(most)*time.Hour {
		b.errs.add(r.at, what, quote(r.name)+" is not a time of day from 00:00 to "+strconv.Itoa(most)+":00", "")
		return 0, false
	}
	return d, true
}

func (b *builder) budgets(y *budgetsYAML, r *fleet.Remediation) {
	const what = "policies.budgets"
	x := &r.Budgets
	for _, n := range []struct {
		name string
		is   *int
		to   *int
		most int
	}{
		{"rack", y.Rack, &x.Rack, 100000}, {"feed", y.Feed, &x.Feed, 100000}, {"switch", y.Switch, &x.Switch, 100000}, {"service", y.Service, &x.Service, 100000},
		{"region", y.Region, &x.Region, 100000}, {"fleet", y.Fleet, &x.Fleet, 100000}, {"unhealthy", y.Unhealthy, &r.Unhealthy, 100}, {"tries", y.Tries, &r.Tries, 100},
	} {
		switch {
		case n.is == nil:
		case *n.is < 1 || *n.is > n.most:
			hint := ""
			if *n.is == 0 {
				hint = "to let nothing be done, use freeze"
			}
			b.errs.add(y.At, what+"."+n.name, strconv.Itoa(*n.is)+" is not within 1 and "+strconv.Itoa(n.most), hint)
		default:
			*n.to = *n.is
		}
	}
	for _, d := range []struct {
		name string
		is   duration
		to   *time.Duration
	}{{"cooldown", y.CoolDown, &r.CoolDown}, {"soak", y.Soak, &r.Soak}} {
		if d.is.set && (d.is.Duration < time.Second || d.is.Duration > 24*time.Hour) {
			b.errs.add(d.is.at, what+"."+d.name, "is not within 1s and 24h", "")
		}
		d.is.to(d.to)
	}
}

// ofInstances are what a selection of instances may name beside their tags.
var ofInstances = []string{"cloud", "region", "project", "zone", "type", "service", "name"}

// private checks which instances are to have no public address. What runs is
// known to the clouds only, what they are called is known here.
func (b *builder) private(list []map[string]string, at place) []map[string]string {
	const what = "policies.private"
	for _, sel := range list {
		if len(sel) == 0 {
			b.errs.add(at, what, "selects nothing", "name a cloud, region, project, zone, type, service, name or a tag")
		}
		for _, key := range sortedKeys(sel) {
			if _, err := path.Match(sel[key], ""); err != nil {
				b.errs.add(at, what, quote(sel[key])+" is not a pattern", `* stands for any text, ? for a letter, [ab] for one of them`)
			} else if name := closest(key, slices.Values(ofInstances)); name != "" && !slices.Contains(ofInstances, key) {
				b.errs.add(at, what, "no instance has "+quote(key)+": did you mean "+quote(name)+"?", "")
			}
		}
	}
	b.after = append(b.after, func() {
		clouds, regions, services := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, c := range b.file.Inventory.Clouds {
			clouds[c.Name], regions[c.Region] = true, true
		}
		for _, v := range b.file.Inventory.Services {
			services[v.Name] = true
		}
		have := map[string]map[string]bool{"cloud": clouds, "region": regions, "service": services}
		for _, sel := range list {
			for _, key := range sortedKeys(sel) {
				if is, known := sel[key], have[key]; known != nil && !strings.ContainsAny(is, "*?[") && !known[is] {
					b.errs.add(at, what, "there is no "+key+" "+quote(is)+b.orDid(is, maps.Keys(known)), "")
				}
			}
		}
	})
	return list
}
