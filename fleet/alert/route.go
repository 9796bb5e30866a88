package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Defaults of routes.
const (
	defaultWait     = 30 * time.Second
	defaultInterval = 5 * time.Minute
	defaultRepeat   = 4 * time.Hour
)

// route is a node of the tree with what it has from above filled in.
type route struct {
	path     string // "0/2/1": its place, which is part of a group's key
	receiver string
	match    matchers
	by       []string
	wait     time.Duration
	interval time.Duration
	repeat   time.Duration
	goesOn   bool
	below    []*route
}

func compileRoute(r *fleet.AlertRoute, above *route, path string, receivers []string) (*route, error) {
	m, err := compileMatchers(r.Match)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", path, err)
	}
	out := &route{path: path, receiver: r.Receiver, match: m, by: r.GroupBy, wait: r.Wait, interval: r.Interval, repeat: r.Repeat, goesOn: r.Continue}
	if above == nil {
		above = &route{by: []string{"rule"}, wait: defaultWait, interval: defaultInterval, repeat: defaultRepeat}
	}
	if out.receiver == "" {
		out.receiver = above.receiver
	}
	if out.by == nil {
		out.by = above.by
	}
	for _, d := range [...]struct{ is, or *time.Duration }{{&out.wait, &above.wait}, {&out.interval, &above.interval}, {&out.repeat, &above.repeat}} {
		if *d.is <= 0 {
			*d.is = *d.or
		}
	}
	if over := out.repeat % out.interval; over != 0 { // a group is looked at every interval
		out.repeat += out.interval - over
	}
	if out.receiver == "" || len(receivers) > 0 && !slices.Contains(receivers, out.receiver) {
		return nil, fmt.Errorf("route %s: no such receiver %q", path, out.receiver)
	}
	for i := range r.Routes {
		below, err := compileRoute(&r.Routes[i], out, path+"/"+itoa(i), receivers)
		if err != nil {
			return nil, err
		}
		out.below = append(out.below, below)
	}
	return out, nil
}

// of lists the routes that an alert takes: the first that matches below, and
// those after one that says continue; where none does, the route itself.
func (r *route) of(labels map[string]string) []*route {
	if !r.match.match(labels) {
		return nil
	}
	var out []*route
	for _, b := range r.below {
		found := b.of(labels)
		out = append(out, found...)
		if len(found) > 0 && !b.goesOn {
			break
		}
	}
	if len(out) == 0 {
		return []*route{r}
	}
	return out
}

// group names the group of an alert on a route, with the labels it has in
// common.
func (r *route) group(a *fleet.Alert) (key string, labels map[string]string) {
	labels = map[string]string{}
	var b strings.Builder
	b.WriteString(r.receiver + " " + r.path + " {")
	if slices.Contains(r.by, "...") {
		labels = maps.Clone(a.Labels)
		b.WriteString(a.ID())
	} else {
		for i, name := range r.by {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%s=%q", name, a.Labels[name])
			labels[name] = a.Labels[name]
		}
	}
	b.WriteByte('}')
	return b.String(), labels
}
