package alert

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// causesEvery is the beat of causes, which cost a walk over what is wrong.
const causesEvery = 2 * time.Second

// causes asks the graph what is behind what is wrong. It is asked after states
// changed, not more often than causesEvery.
func (w *work) causes(stirred bool) {
	list := w.rules.other["cause"]
	if len(list) == 0 {
		return
	}
	w.book.CausesDue = w.book.CausesDue || stirred && w.turned()
	if !w.book.CausesDue {
		return
	}
	if next := w.book.CausesAt.Add(causesEvery); w.now.Before(next) {
		w.wake(next)
		return
	}
	w.book.CausesAt, w.book.CausesDue = w.now, false
	there, explained := map[key]bool{}, map[string]string{}
	found := w.rules.graphOf(w.Next).Causes(w.Next, w.now)
	told := map[string]string{} // causes, and what is told of them
	astray := strays(found)
	for i := range found {
		c := &found[i]
		x := scene{s: w.Next, now: w.now, cause: c}
		mine := w.prev.Of(c.ID)
		for _, p := range list {
			w.ask(p, &x, mine, c.ID, "")
			k := key{c.ID, p.Name, ""}
			there[k] = true
			if a := w.get(mine, k); a != nil && a.Active() {
				explains(explained, w.Next, c, a.ID())
				told[c.ID] = a.ID()
			}
		}
	}
	for supply, by := range astray {
		if by = told[by]; by != "" {
			explained[supply] = by
		}
	}
	w.book.Explained = explained
	w.gone(w.prev.List, "cause", func(a *fleet.Alert) bool { return there[keyOf(a)] })
}

// maxStrays bounds how many of them a cause speaks of.
const maxStrays = 4

// strays finds what starves because its cord is in another outlet than intended, and
// the cause that took the power from there: by supply. That is no other news, and
// the cause says it among its evidence.
func strays(found []trace.Cause) map[string]string {
	out, said := map[string]string{}, map[string]int{}
	for i := range found {
		x := &found[i]
		if x.Hangs == "" {
			continue
		}
		k := slices.IndexFunc(found, func(c trace.Cause) bool {
			return powers[c.Kind] && (c.ID == x.Hangs || slices.Contains(c.Explains, x.Hangs))
		})
		if k < 0 {
			continue
		}
		c := &found[k]
		out[x.ID] = c.ID
		if said[c.ID]++; said[c.ID] <= maxStrays {
			c.Evidence = slices.Concat(c.Evidence, []string{x.ID + ": " + x.Evidence[0]})
		}
	}
	return out
}

// turned reports whether a state or a reason changed in this step.
func (w *work) turned() bool {
	if w.Guests || w.Before.Topology != w.Next.Topology {
		return true
	}
	for _, i := range w.Looked {
		d := w.Next.Devices.At(i)
		was := w.Before.Devices.Get(d.Spec.ID)
		if was == nil || was.State != d.State || was.Blind() != d.Blind() || !slices.Equal(was.About, d.About) {
			return true
		}
	}
	return false
}

// blast says what a cause takes with it: what it explains, what else stands on
// it, and the services that have replicas there.
func (w *work) blast(c *trace.Cause) string {
	var out []string
	if n := len(c.Explains); n > 0 {
		out = append(out, "explains "+fleet.Count(n, "part"))
	}
	if len(c.Also) > 0 {
		out = append(out, "also takes or leaves without redundancy "+trace.ByKind(c.Also))
	}
	if c.LastPath > 0 {
		out = append(out, fleet.Count(c.LastPath, "machine")+" on the last of several ways")
	}
	if s := w.atRisk(c); s != "" {
		out = append(out, "services at risk: "+s)
	}
	return fleet.Clean(strings.Join(out, "; "), 2*fleet.MaxText)
}

// maxServices bounds how many services are named.
const maxServices = 8

// atRisk names services with replicas on what a cause explains or takes.
func (w *work) atRisk(c *trace.Cause) string {
	on := map[int]bool{}
	see := func(id string) {
		if head, _, ok := strings.Cut(id, "/"); ok && w.Next.Devices.Number(id) < 0 {
			id = head
		}
		if n := w.Next.Devices.Number(id); n >= 0 {
			on[n] = true
		}
	}
	see(c.ID)
	for _, id := range c.Explains {
		see(id)
	}
	for _, l := range c.Also {
		see(l.ID)
	}
	var out []string
	for id, v := range w.Next.Services.All() {
		n := 0
		for _, i := range v.Devices {
			if on[i] {
				n++
			}
		}
		for _, i := range v.Instances {
			if d := w.Next.Instances.At(i).Device; d >= 0 && on[d] {
				n++
			}
		}
		if n > 0 {
			out = append(out, id+" ("+itoa(n)+" of "+itoa(len(v.Devices)+len(v.Instances))+" replicas)")
		}
	}
	if len(out) > maxServices {
		out = append(out[:maxServices], "and "+itoa(len(out)-maxServices)+" more")
	}
	return strings.Join(out, ", ")
}
