package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// plain is what is true, and what is to be told, by definition. It keeps all that
// was ever seen and said, and asks everything of everything at every step.
type plain struct {
	l        *limits
	racks    map[string]string // by target
	each     bool              // the log hears only what changed
	looks    map[string][]seen
	silences []plainSilence
	windows  []*plainWindow
	acks     map[string]*fleet.Ack
	were     map[string]slow
	groups   map[string]*plainGroup
}

// plainSilence is a silence, and whom it covers as a function.
type plainSilence struct {
	fleet.Silence
	covers func(p *plain, target string, is slow) bool
}

// plainWindow is a maintenance of a rack, flexible where it lasts.
type plainWindow struct {
	fleet.Maintenance
	began time.Time // of a flexible one
}

func (m *plainWindow) open(now time.Time) bool {
	switch {
	case now.Before(m.From):
		return false
	case m.Lasts > 0:
		return !m.began.IsZero() && now.Before(m.began.Add(m.Lasts))
	}
	return now.Before(m.Until)
}

type plainGroup struct {
	receiver    string
	next, whole time.Time // whole: when all of it was said last
	told        map[string]string
}

const (
	plainWait   = 30 * time.Second
	plainEvery  = 5 * time.Minute
	plainRepeat = time.Hour
)

// step is what is said at a time, in words that [spoken] makes of notices.
func (p *plain) step(now time.Time) (said []string) {
	is := map[string]slow{}
	for t, looks := range p.looks {
		is[t] = slowState(p.l, looks, now)
	}
	for t, a := range p.acks {
		was, x := p.were[t], is[t]
		turned := was.state != x.state || was.severity != x.severity || was.flapping != x.flapping
		if !x.active() || !a.Stands(now) || turned && !a.Sticky {
			delete(p.acks, t)
		}
	}
	for _, m := range p.windows {
		for t, x := range is {
			if m.Lasts > 0 && m.began.IsZero() && !now.Before(m.From) && now.Before(m.Until) && x.active() && p.racks[t] == m.At {
				m.began = now
			}
		}
	}
	p.were = is
	due := map[string]bool{}
	for key, g := range p.groups {
		due[key] = !now.Before(g.next)
	}
	members := map[string][]string{}
	for _, t := range slices.Sorted(maps.Keys(is)) {
		if p.status(t, now) == "" {
			continue
		}
		for receiver, key := range p.routes(t) {
			if p.groups[key] == nil {
				p.groups[key] = &plainGroup{receiver: receiver, next: now.Add(plainWait), told: map[string]string{}}
			}
			members[key] = append(members[key], t)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(due)) {
		if due[key] {
			said = append(said, p.speak(key, members[key], now)...)
		}
	}
	return said
}

func (x slow) active() bool { return x.state == "p" || x.state == "f" }

// routes are the groups of an alert by their receivers: all go to the pager by
// the rack, what is critical to the log besides.
func (p *plain) routes(target string) map[string]string {
	out := map[string]string{"pager": "pager " + p.racks[target]}
	if p.were[target].severity == fleet.SeverityCrit {
		out["log"] = "log"
	}
	return out
}

func (p *plain) speak(key string, members []string, now time.Time) []string {
	g, over, news, all := p.groups[key], []string{}, []string{}, []string{}
	for _, t := range slices.Sorted(maps.Keys(g.told)) {
		if x := p.were[t]; !x.active() && !x.flapping && p.silenced(t, now) == "" {
			over = append(over, t+" resolved")
			delete(g.told, t)
		}
	}
	for _, t := range members {
		status := p.status(t, now)
		word, _, _ := strings.Cut(status, " ")
		if all = append(all, t+" "+word); g.told[t] != status {
			news = append(news, t+" "+word)
		}
		g.told[t] = status
	}
	if g.next = now.Add(plainEvery); len(g.told) == 0 {
		delete(p.groups, key)
	}
	again := len(members) > 0 && !g.whole.IsZero() && now.Sub(g.whole) >= plainRepeat
	if len(news)+len(over) == 0 && !again {
		return nil
	}
	words := all
	if p.each && g.receiver == "log" && !again {
		words = news
	}
	if len(words) == len(all) {
		g.whole = now
	}
	words = append(words, over...)
	slices.Sort(words)
	return []string{g.receiver + ": " + strings.Join(words, ", ")}
}

func (p *plain) status(target string, now time.Time) string {
	x := p.were[target]
	switch {
	case p.silenced(target, now) != "" || p.acks[target] != nil:
		return ""
	case x.flapping:
		return "flapping"
	case x.state == "f":
		return fmt.Sprint("firing ", x.severity, x.fired)
	}
	return ""
}

// silenced says what keeps an alert quiet: the oldest silence that covers it,
// else the first maintenance.
func (p *plain) silenced(target string, now time.Time) string {
	for i := range p.silences {
		if s := &p.silences[i]; s.Covers(now) && s.covers(p, target, p.were[target]) {
			return s.ID
		}
	}
	for _, m := range p.windows {
		if m.open(now) && p.racks[target] == m.At {
			return "maintenance " + m.Name
		}
	}
	return ""
}

// turns is when time alone changes something next, and what.
func (p *plain) turns(now time.Time) (next time.Time, what string) {
	at := func(name string, t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next, what = t, name
		}
	}
	for t, x := range p.were {
		at(t, x.turns)
	}
	for t, a := range p.acks {
		at("ack of "+t, a.Until)
	}
	for i := range p.silences {
		at(p.silences[i].ID, p.silences[i].Start)
		at(p.silences[i].ID, p.silences[i].End)
	}
	for _, m := range p.windows {
		at(m.Name, m.From)
		if m.Lasts == 0 {
			at(m.Name, m.Until)
		} else if !m.began.IsZero() {
			at(m.Name, m.began.Add(m.Lasts))
		}
	}
	for key, g := range p.groups {
		at(key, g.next)
	}
	return next, what
}

// spoken is a notice in the words of the reference.
func spoken(p *fleet.Pages) string {
	words := make([]string, len(p.Alerts))
	for i := range p.Alerts {
		words[i] = p.Alerts[i].Labels["target"] + " " + p.Alerts[i].Status
	}
	slices.Sort(words)
	return p.Receiver + ": " + strings.Join(words, ", ")
}
