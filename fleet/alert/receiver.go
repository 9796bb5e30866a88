package alert

import (
	"math"

	"plumb/fleet"
)

// Receivers are subjects of rules like others: one that takes nothing is told
// through another one.

var receiverFields = map[string]field{
	"id":        written("its name", func(x *scene) string { return x.receiver.Name }),
	"kind":      written("webhook alertmanager pagerduty slack smtp syslog exec", func(x *scene) string { return x.receiver.Kind }),
	"waiting":   num("notices that wait for it, as of the last failure or success", func(x *scene) float64 { return count(x.receiver.Waiting) }),
	"failing_s": num("since when nothing could be delivered while something waits, s; 0: it goes well", failingFor),
	"error":     written("what the last try came to", func(x *scene) string { return x.receiver.Error }),
}

func failingFor(x *scene) float64 {
	if t := since(x.receiver.Failing, x.now); !math.IsNaN(t) {
		return t
	}
	return 0
}

// receiverOf is how it goes with a receiver; nil: nobody said.
func receiverOf(s *fleet.Snapshot, name string) *fleet.ReceiverState {
	for i := range s.Receivers {
		if s.Receivers[i].Name == name {
			return &s.Receivers[i]
		}
	}
	return nil
}

// receivers looks at those who are told. They are few.
func (w *work) receivers() {
	list := w.rules.other["receiver"]
	if len(list) == 0 || w.Next.Receivers == nil {
		return
	}
	there := map[string]bool{}
	for i := range w.Next.Receivers {
		r := &w.Next.Receivers[i]
		there[r.Name] = true
		x := scene{s: w.Next, now: w.now, receiver: r}
		mine := w.prev.Of(r.Name)
		for _, p := range list {
			w.ask(p, &x, mine, r.Name, "")
		}
	}
	w.gone(w.prev.List, "receiver", func(a *fleet.Alert) bool { return there[a.Target] })
}

// routes are the ways that an alert is told. What is wrong with a receiver is
// not told to that one, nor to another one that takes nothing either, but to
// the first that does; where there is none, nobody can be told.
func (b *Book) routes(s *fleet.Snapshot, a *fleet.Alert) []*route {
	found := b.root.of(a.Labels)
	if p := b.byName[a.Rule]; p == nil || p.On != "receiver" {
		return found
	}
	var out []*route
	taken := map[string]bool{}
	for _, r := range found {
		n := *r
		if n.receiver = b.alive(s, r.receiver, a.Target); n.receiver == "" || taken[n.receiver] {
			continue
		}
		taken[n.receiver] = true
		out = append(out, &n)
	}
	return out
}

// alive is a receiver, or the first other one where it is the one that is told
// about or takes nothing itself.
func (b *Book) alive(s *fleet.Snapshot, name, dead string) string {
	failing := map[string]bool{dead: true}
	for i := range s.Receivers {
		if r := &s.Receivers[i]; !r.Failing.IsZero() {
			failing[r.Name] = true
		}
	}
	if !failing[name] {
		return name
	}
	for _, other := range b.receivers {
		if !failing[other] {
			return other
		}
	}
	return ""
}
