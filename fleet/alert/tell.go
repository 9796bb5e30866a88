package alert

import (
	"maps"
	"slices"
	"strconv"

	"plumb/fleet"
)

// tell makes the notices that are due. A group is looked at first when its wait
// is over, then every interval: it speaks where something changed, or where it
// fires and has not said all of it for the repeat interval.
func (w *work) tell() {
	before := w.book.Settled
	if w.rules.root == nil || !w.settled() {
		return
	}
	members := map[string][]*fleet.Alert{} // of groups that are due
	for i := range w.book.Groups {
		g := &w.book.Groups[i]
		if w.wake(g.Next); !w.now.Before(g.Next) {
			members[g.Key] = nil
		}
	}
	all := len(members) > 0 || !before || w.quieter || w.moved || w.book.Loose > 0
	groups, changed := w.join(all, members)
	for key, list := range members {
		g := *groups[key]
		if w.flush(&g, list) {
			groups[key] = &g
		} else {
			delete(groups, key)
			w.dropGroup(&g)
		}
		changed = true
	}
	if changed {
		w.keepGroups(groups)
	}
}

// settled reports whether enough was seen after a start: one full poll of
// everything, or as long as the settle limit.
func (w *work) settled() bool {
	if w.book.Settled {
		return true
	}
	limit := w.rules.settle
	if limit <= 0 {
		limit = 3 * w.Next.Intervals[fleet.LaneFast]
	}
	w.wake(w.book.Began.Add(limit))
	if w.now.Sub(w.book.Began) >= limit || w.polledAll() {
		w.book.Settled = true
	}
	return w.book.Settled
}

// polledAll reports whether everything that should be polled was, or failed to
// be, since the start.
func (w *work) polledAll() bool {
	for i := range w.Next.Devices.Len() {
		d := w.Next.Devices.At(i)
		if len(d.Spec.Endpoints) > 0 && !d.SeenAt.After(w.book.Began) && !d.BlindSince.After(w.book.Began) {
			return false
		}
	}
	return true
}

func (w *work) groupsByKey() map[string]*fleet.AlertGroup {
	out := make(map[string]*fleet.AlertGroup, len(w.book.Groups))
	for i := range w.book.Groups {
		out[w.book.Groups[i].Key] = &w.book.Groups[i]
	}
	return out
}

// join finds the groups of every alert that is to be told: a new group is made
// for one that has none, and those of groups that are due are gathered. It
// returns all groups, nil where none was asked for, and whether one was made.
func (w *work) join(all bool, members map[string][]*fleet.Alert) (groups map[string]*fleet.AlertGroup, made bool) {
	if len(members) > 0 {
		groups = w.groupsByKey()
	}
	for i, a := range w.standing(all) {
		if w.status(a) == "" {
			continue
		}
		if groups == nil {
			groups = w.groupsByKey()
		}
		if a.Groups == nil {
			a = w.edit(i)
			a.Groups = []string{}
			for _, r := range w.rules.routes(w.Next, a) {
				key, _ := r.group(a)
				a.Groups = append(a.Groups, key)
			}
		}
		for _, key := range a.Groups {
			if groups[key] == nil {
				if groups[key] = w.newGroup(key, a); groups[key] == nil {
					continue
				}
				made = true
			}
			if _, due := members[key]; due {
				members[key] = append(members[key], a)
			}
		}
	}
	return groups, made
}

func (w *work) newGroup(key string, a *fleet.Alert) *fleet.AlertGroup {
	for _, r := range w.rules.routes(w.Next, a) {
		if k, labels := r.group(a); k == key {
			g := &fleet.AlertGroup{Key: key, Receiver: r.receiver, Labels: labels, Next: w.now.Add(r.wait), Told: map[string]fleet.Word{}, Interval: r.interval, Repeat: r.repeat}
			w.keepGroup(g)
			w.wake(g.Next)
			return g
		}
	}
	return nil // the routes changed
}

// status is what an alert is to be told as now: "firing warn T", "flapping", or
// "" for one that nobody is to be told of.
func (w *work) status(a *fleet.Alert) string {
	switch {
	case a.Held != nil || a.Silenced != "" || a.Ack.Stands(w.now):
		return ""
	case a.Flapping:
		return "flapping"
	case a.State == fleet.AlertFiring:
		return "firing " + a.Severity.String() + " " + strconv.FormatInt(a.Fired.Unix(), 10)
	}
	return ""
}

// flush speaks for a group where there is something to say, and reports whether
// the group goes on. A receiver that knows every alert by itself hears of those
// that changed, and of all when they are repeated.
func (w *work) flush(g *fleet.AlertGroup, list []*fleet.Alert) bool {
	told := maps.Clone(g.Told)
	over := w.over(told)
	list, later := w.ready(list, told)
	var news []*fleet.Alert
	for _, a := range list {
		if id, status := a.ID(), w.status(a); told[id].As != status {
			told[id], news = fleet.Word{As: status, At: w.now}, append(news, a)
		}
	}
	repeat := len(list) > 0 && !g.Whole.IsZero() && w.now.Sub(g.Whole) >= g.Repeat
	if g.Next = w.now.Add(g.Interval); later {
		g.Next = w.now.Add(awaitAgain)
	}
	w.wake(g.Next)
	if len(news)+len(over) > 0 || repeat {
		said := list
		if !repeat && w.rules.knowsEach(g.Receiver) {
			said = news
		}
		w.notice(g, said, over, len(list) > 0)
		if g.Sent = w.now; len(said) == len(list) {
			g.Whole = w.now
		}
		g.Told = told
		w.keepTold(g, news, over)
	}
	return later || len(told) > 0
}

// over takes out what was told and is over. What ended under a silence is told
// when the silence ends, what flaps when it stops.
func (w *work) over(told map[string]fleet.Word) (out []*fleet.Alert) {
	for _, id := range slices.Sorted(maps.Keys(told)) {
		a := w.find(id)
		switch {
		case a == nil: // forgotten, or not configured any more
			rule, target, _ := cutID(id)
			out = append(out, &fleet.Alert{Rule: rule, Target: target, State: fleet.AlertResolved, Ended: w.now, Summary: id + " is not looked at any more", Labels: map[string]string{"rule": rule, "target": target}})
			delete(told, id)
		case a.Active() || a.Silenced != "" || a.Flapping:
		default:
			out = append(out, a)
			delete(told, id)
		}
	}
	return out
}

// find returns an alert by its id in this step.
func (w *work) find(id string) *fleet.Alert {
	rule, target, part := cutID(id)
	for { // a target may have slashes in it, and so may a part
		k := fleet.Alert{Rule: rule, Target: target, Part: part}
		if i, ok := w.place(&k); ok {
			return w.list[i]
		}
		last := lastSlash(target)
		if last < 0 {
			return nil
		}
		if part != "" {
			part = "/" + part
		}
		target, part = target[:last], target[last+1:]+part
	}
}

// place finds an alert in the list, in which those that are gone are nil.
func (w *work) place(k *fleet.Alert) (int, bool) {
	at := func(i int) *fleet.Alert {
		if w.list[i] != nil {
			return w.list[i]
		}
		return w.was[i]
	}
	lo, hi := 0, len(w.list)
	for lo < hi {
		if mid := (lo + hi) / 2; order(at(mid), k) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(w.list) && w.list[lo] != nil && order(w.list[lo], k) == 0
}

// cutID takes an id apart, with all of what follows the rule as the target.
func cutID(id string) (rule, target, part string) {
	for i := range len(id) {
		if id[i] == ':' {
			return id[:i], id[i+1:], ""
		}
	}
	return id, "", ""
}

func lastSlash(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}

func (w *work) keepGroups(groups map[string]*fleet.AlertGroup) {
	w.book.Groups = make([]fleet.AlertGroup, 0, len(groups))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		w.book.Groups = append(w.book.Groups, *groups[key])
	}
}
