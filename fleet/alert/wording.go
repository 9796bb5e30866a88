package alert

import (
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
)

// word says in words what an alert is about; n is the caller's own.
func (w *work) word(p *program, x *scene, n *fleet.Alert, target, part string) {
	n.Rule, n.Target, n.Part = p.Name, target, part
	n.Severity = p.severity(x)
	n.Summary, n.Cause, n.Evidence, n.Runbook = p.summary.of(x), p.cause.of(x), p.evidence.of(x), p.runbook.of(x)
	if n.Summary == "" {
		n.Summary = p.Name + " on " + strings.TrimSuffix(target+"/"+part, "/")
	}
	n.Labels, n.Groups, n.Places = w.labels(p, x, n), nil, p.placesOf(x, target, part)
	if x.cause != nil {
		n.Blast = w.blast(x.cause)
	}
}

// severity is that of the rule, else that of what it looks at.
func (p *program) severity(x *scene) fleet.Severity {
	state := fleet.StateWarn
	switch {
	case p.Graded:
		return p.Severity
	case x.finding != nil:
		return x.finding.Severity
	case x.event != nil:
		return x.event.Severity
	case x.sensor != nil:
		state = x.sensor.State
	case x.device != nil:
		state = x.device.State
	}
	if state == fleet.StateCrit {
		return fleet.SeverityCrit
	}
	return fleet.SeverityWarn
}

// labelNames are the labels that plumb gives by itself, each where it applies.
var labelNames = [...]string{"rule", "severity", "target", "part", "kind", "rack", "site", "region", "owner", "tenant", "env", "service", "cloud", "receiver"}

// LabelNames returns the labels that an alert of these rules can have: those
// that plumb gives and those that the rules name.
func LabelNames(rules []fleet.AlertRule) []string {
	out := slices.Clone(labelNames[:])
	for i := range rules {
		out = slices.AppendSeq(out, maps.Keys(rules[i].Labels))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// labels are what an alert is routed and grouped by. What is not known has none.
func (w *work) labels(p *program, x *scene, n *fleet.Alert) map[string]string {
	out := map[string]string{"rule": p.Name, "severity": n.Severity.String(), "target": n.Target}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	put("part", n.Part)
	device := x.device
	if device == nil {
		device = w.Next.Devices.Get(n.Target)
		if id, _, piece := strings.Cut(n.Target, "/"); device == nil && piece {
			device = w.Next.Devices.Get(id)
		}
	}
	if device != nil {
		for _, name := range [...]string{"kind", "rack", "site", "region", "owner", "tenant", "env"} {
			put(name, device.Spec.Carries(name))
		}
		put("service", device.Spec.Tags["service"])
	}
	switch {
	case x.rack != nil:
		put("rack", x.rack.Spec.ID)
		put("site", x.rack.Spec.Site)
		put("region", x.rack.Spec.Region)
	case x.site != nil:
		put("site", x.site.Spec.Name)
		put("region", x.site.Spec.Region)
	case x.region != nil:
		put("region", x.region.Spec.Name)
	case x.service != nil:
		put("service", x.service.Spec.Name)
		put("owner", x.service.Spec.Owner)
	case x.instance != nil:
		put("service", x.instance.Service)
		put("cloud", x.instance.Cloud)
	case x.host != nil:
		put("cloud", x.host.Cloud)
	case x.receiver != nil:
		put("receiver", x.receiver.Name)
	case x.cloud != nil:
		put("cloud", x.cloud.Spec.Name)
		put("region", x.cloud.Spec.Region)
	}
	if f := x.feed; f != nil {
		put("site", f.Spec.Site)
	} else if f := w.Next.Feeds.Get(n.Target); f != nil {
		put("site", f.Spec.Site)
	}
	if x.cause != nil {
		put("kind", string(x.cause.Kind))
	}
	for name, t := range p.labels {
		put(name, t.of(x))
	}
	return out
}
