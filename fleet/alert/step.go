package alert

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Case is one step of the fleet, as alerts see it.
type Case struct {
	Before *fleet.Snapshot // the step before
	Next   *fleet.Snapshot // this one, without its alerts
	Looked []int           // devices that were read or judged anew, by dense number
	Guests bool            // hosts or instances were
	Events []fleet.Event
	// Silences and Acks are what people said.
	Silences []fleet.Silence
	Acks     []fleet.Acknowledgement
	Now      time.Time
}

// Said is a word for the timeline.
type Said struct{ Target, Text string }

// Result is what became of the alerts.
type Result struct {
	Book    *fleet.AlertBook // the one before where nothing changed
	Changes []fleet.Change
	Said    []Said
	Notices []fleet.Notice
	Nudges  []string
	Wake    time.Time // when time alone will change something; zero: never
}

// self is the target of rows that are no target's.
const self = "plumb"

// maxNudges bounds how many targets one step asks to be polled: what is left
// asks again with its next look.
const maxNudges = 256

// key names an alert without building its id.
type key struct{ target, rule, part string }

func keyOf(a *fleet.Alert) key { return key{a.Target, a.Rule, a.Part} }

func order(a, b *fleet.Alert) int {
	return cmp.Or(strings.Compare(a.Target, b.Target), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Part, b.Part))
}

// work is one step under way. First looks are taken, which changes alerts by
// their keys; then they are merged into the list, and time, holds, silences and
// groups go over it.
type work struct {
	*Case
	rules  *Book
	prev   *fleet.AlertBook
	book   fleet.AlertBook
	now    time.Time
	before time.Time
	out    Result

	changed map[key]*fleet.Alert // nil: gone
	list    []*fleet.Alert       // by order
	was     []*fleet.Alert       // what each was before the step; nil: new
	dirty   map[string]bool      // targets that changed has something of
	moved   bool                 // the inventory, and with it the rules
	spoken  bool                 // a silence was made or ended
	quieter bool                 // silences were asked of all alerts
	nudged  map[string]bool
	holds   map[string]int  // how many each one holds, once somebody asked
	owes    map[string]bool // what somebody was told of and not yet that it is over, once somebody asked
	under   map[string]*fleet.Job
}

// Step moves the alerts on. It is pure: what it returns follows from the case.
func Step(c *Case) Result {
	rules, _ := c.Next.Rules.(*Book)
	if rules == nil {
		rules = &Book{other: set{}}
	}
	prev := c.Before.Alerts
	if prev == nil {
		prev = &fleet.AlertBook{}
	}
	w := &work{Case: c, rules: rules, prev: prev, book: *prev, now: c.Now, before: c.Before.At, changed: map[key]*fleet.Alert{}, dirty: map[string]bool{}, nudged: map[string]bool{}}
	w.moved = c.Before.Topology != c.Next.Topology || prev.Began.IsZero()
	if w.book.Began.IsZero() {
		w.book.Began = w.now
	}
	w.words()
	w.looks()
	w.merge()
	w.pass()
	w.hold()
	w.silence()
	w.acks()
	w.tell()
	return w.finish()
}

func (w *work) wake(t time.Time) {
	if t.After(w.now) && (w.out.Wake.IsZero() || t.Before(w.out.Wake)) {
		w.out.Wake = t
	}
}

// soon has time pass over all alerts at a time, if not before.
func (w *work) soon(t time.Time) {
	if w.book.Due.IsZero() || t.Before(w.book.Due) {
		w.book.Due = t
		w.wake(t)
	}
}

func (w *work) say(c fleet.Change) { w.out.Changes = append(w.out.Changes, c) }

func (w *work) event(target, text string) { w.out.Said = append(w.out.Said, Said{target, text}) }

// nudge asks for a poll of a device now.
func (w *work) nudge(id string) {
	if len(w.nudged) < maxNudges && !w.nudged[id] && w.Next.Devices.Number(id) >= 0 {
		w.nudged[id] = true
		w.out.Nudges = append(w.out.Nudges, id)
	}
}

// nudgeNear asks for a poll of what stands at the other ends of a device's
// cables and cords: its parents before it is told, its children when it is back.
func (w *work) nudgeNear(id string) {
	if n := w.Next.Devices.Number(id); n >= 0 && n < len(w.Next.Near) {
		for _, i := range w.Next.Near[n] {
			w.nudge(w.Next.Devices.ID(i))
		}
	}
}

// justSeen is how long ago a poll may lie that nobody needs to repeat.
const justSeen = 5 * time.Second

// nudgeFed asks for a poll of what else hangs on the feed of a PDU that is
// silent: whether it is the PDU or the feed is known when all of them were asked,
// and that must not take as long as their ordinary polls.
func (w *work) nudgeFed(id string) {
	d := w.Next.Devices.Get(id)
	if d == nil || d.Spec.Kind != fleet.KindPDU || d.Spec.Feed == "" || !d.Blind() {
		return
	}
	for _, i := range w.Next.PDUsOf[d.Spec.Feed] {
		if x := w.Next.Devices.At(i); !x.Blind() && w.now.Sub(x.SeenAt) > justSeen {
			w.nudge(x.Spec.ID)
		}
	}
}

// get returns an alert as it is now in this step, or nil. mine are the alerts of
// its target before the step, by order.
func (w *work) get(mine []*fleet.Alert, k key) *fleet.Alert {
	if len(w.dirty) > 0 && w.dirty[k.target] {
		if a, ok := w.changed[k]; ok {
			return a
		}
	}
	i, ok := slices.BinarySearchFunc(mine, k, func(a *fleet.Alert, k key) int {
		return cmp.Or(strings.Compare(a.Rule, k.rule), strings.Compare(a.Part, k.part))
	})
	if !ok {
		return nil
	}
	return mine[i]
}

// put changes an alert, or takes it away.
func (w *work) put(k key, a *fleet.Alert) { w.changed[k], w.dirty[k.target] = a, true }

// merge puts what looks changed into the list.
func (w *work) merge() {
	if len(w.changed) == 0 {
		w.list, w.was = slices.Clone(w.prev.List), w.prev.List
		return
	}
	fresh := make([]*fleet.Alert, 0, len(w.changed))
	for _, a := range w.changed {
		if a != nil {
			fresh = append(fresh, a)
		}
	}
	slices.SortFunc(fresh, order)
	old := w.prev.List
	w.list, w.was = make([]*fleet.Alert, 0, len(old)+len(fresh)), make([]*fleet.Alert, 0, len(old)+len(fresh))
	for len(old) > 0 || len(fresh) > 0 {
		side := -1
		switch {
		case len(old) == 0:
			side = 1
		case len(fresh) > 0:
			side = order(old[0], fresh[0])
		}
		switch {
		case side > 0:
			w.list, w.was = append(w.list, fresh[0]), append(w.was, nil)
			fresh = fresh[1:]
		case side == 0:
			w.list, w.was = append(w.list, fresh[0]), append(w.was, old[0])
			old, fresh = old[1:], fresh[1:]
		default:
			a := old[0]
			if w.dirty[a.Target] {
				if c, ok := w.changed[keyOf(a)]; ok {
					a = c // nil: gone
				}
			}
			w.list, w.was = append(w.list, a), append(w.was, old[0])
			old = old[1:]
		}
	}
}

// standing yields the places of alerts that are there: of all, or of those that
// this step changed.
func (w *work) standing(all bool) iter.Seq2[int, *fleet.Alert] {
	return func(yield func(int, *fleet.Alert) bool) {
		for i, a := range w.list {
			if a != nil && (all || a != w.was[i]) && !yield(i, a) {
				return
			}
		}
	}
}

// edit returns the alert at a place for writing: a copy, where it is still that
// of the step before.
func (w *work) edit(i int) *fleet.Alert {
	if w.list[i] == w.was[i] {
		n := *w.list[i]
		w.list[i] = &n
	}
	return w.list[i]
}

// pass lets time pass over the alerts, and takes away those whose rule or target
// the user took away. All of them are asked when the first is due.
func (w *work) pass() {
	due := w.book.Due
	all := w.moved || !due.IsZero() && !w.now.Before(due)
	if all {
		due = time.Time{}
	}
	for i, a := range w.standing(all) {
		p := w.rules.byName[a.Rule]
		if p == nil || w.moved && !w.stands(p, a) {
			if a.Active() {
				w.event(a.Target, "alert "+a.ID()+" is over: its rule or its target is not configured any more")
			}
			w.list[i] = nil
			continue
		}
		n := p.limits.tick(a, w.now)
		if n == nil {
			n = w.owed(a)
		}
		if w.list[i] = n; n == nil {
			continue
		}
		if !n.Retry.IsZero() && !w.now.Before(n.Retry) {
			w.nudge(n.Target)
			w.edit(i).Retry = time.Time{}
		}
		at := p.limits.due(w.list[i])
		if n.State == fleet.AlertResolved && !at.IsZero() && !at.After(w.now) { // it is owed
			at = w.now.Add(linger)
		}
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	w.book.Due = due
	w.wake(due)
}

// stands reports whether what an alert speaks of is still in the inventory.
func (w *work) stands(p *program, a *fleet.Alert) bool {
	s := w.Next
	switch p.On {
	case "device", "sensor", "port", "outlet", "forecast":
		return s.Devices.Number(a.Target) >= 0
	case "region":
		return s.Regions.Number(a.Target) >= 0
	case "site":
		return s.Sites.Number(a.Target) >= 0
	case "rack":
		return s.Racks.Number(a.Target) >= 0
	case "feed":
		return s.Feeds.Number(a.Target) >= 0
	case "cloud":
		return s.Clouds.Number(a.Target) >= 0
	case "service":
		return s.Services.Number(a.Target) >= 0
	case "receiver":
		return slices.Contains(w.rules.receivers, a.Target)
	case "finding":
		return s.Docket(a.Target) != nil
	}
	return true
}

// acks ends acknowledgements that expired, and those of alerts that changed, also
// in the step that brings the word: it was said of what the alert was.
func (w *work) acks() {
	for i, a := range w.standing(w.book.Acked > 0) {
		if a.Ack == nil {
			continue
		}
		w.wake(a.Ack.Until)
		was := w.was[i]
		turned := was != nil && (was.State != a.State || was.Severity != a.Severity || was.Flapping != a.Flapping)
		switch {
		case !a.Active(), !a.Ack.Stands(w.now), turned && !a.Ack.Sticky:
			w.edit(i).Ack = nil
		}
	}
}

// finish records what changed, and closes the book.
func (w *work) finish() Result {
	moved := false
	for i, a := range w.list {
		was := w.was[i]
		if a == was {
			continue
		}
		moved = true
		w.tally(was, -1)
		w.tally(a, 1)
		w.record(was, a)
	}
	w.book.List = w.prev.List
	if moved {
		w.book.List = slices.DeleteFunc(w.list, func(a *fleet.Alert) bool { return a == nil })
		w.book.Newest = newest(w.book.List)
	}
	// A copy of its own: a pointer into the work would keep the step before, and
	// so every step since the start.
	book := w.book
	w.out.Book = &book
	if !moved && len(w.out.Changes) == 0 && w.same() {
		w.out.Book = w.Before.Alerts
	}
	return w.out
}

// newest finds of each severity the alert that waits for somebody and fired
// last.
func newest(list []*fleet.Alert) (out [3]*fleet.Alert) {
	for _, a := range list {
		if !a.Loud() {
			continue
		}
		if n := &out[min(int(a.Severity), len(out)-1)]; *n == nil || a.Fired.After((*n).Fired) {
			*n = a
		}
	}
	return out
}

// tally keeps the book's counts.
func (w *work) tally(a *fleet.Alert, by int) {
	if a == nil {
		return
	}
	if sev := min(int(a.Severity), len(w.book.Counts)-1); a.State == fleet.AlertFiring && a.Held == nil {
		w.book.Counts[sev] += by
		if a.Loud() {
			w.book.Waiting[sev] += by
		}
	}
	if a.Ack != nil {
		w.book.Acked += by
	}
	if a.Held != nil && !a.Held.Over.IsZero() {
		w.book.Loose += by
	}
}

// same reports whether nothing but the list could have changed, and did not.
func (w *work) same() bool {
	a, b := w.Before.Alerts, &w.book
	return a != nil && a.Began.Equal(b.Began) && a.Settled == b.Settled && a.CausesDue == b.CausesDue && a.CausesAt.Equal(b.CausesAt) &&
		a.SurveyedAt.Equal(b.SurveyedAt) && a.Due.Equal(b.Due) && len(a.Groups) == len(b.Groups) && (len(a.Groups) == 0 || &a.Groups[0] == &b.Groups[0])
}

// record writes an alert's row where it is worth a version, and a line of the
// timeline where people would want one.
func (w *work) record(was, a *fleet.Alert) {
	switch {
	case a == nil:
		if worth(was) {
			w.say(fleet.Change{Target: was.Target, Table: fleet.TableAlerts, Row: rowOf(was), At: w.now})
		}
		return
	case !worth(a) && (was == nil || !worth(was)), was != nil && sameRow(was, a):
		return
	}
	w.say(fleet.Change{Target: a.Target, Table: fleet.TableAlerts, Row: rowOf(a), At: w.now, Value: encode(a)})
	w.sayChange(was, a)
}

func (w *work) sayChange(was, a *fleet.Alert) {
	var none fleet.Alert
	if was == nil {
		was = &none
	}
	if was.State != a.State && a.State == fleet.AlertFiring {
		w.event(a.Target, wordAlert+a.Rule+" ("+a.Severity.String()+"): "+a.Summary)
	}
	if was.State == fleet.AlertFiring && a.State == fleet.AlertResolved {
		text := wordAlert + a.Rule + wordOver + w.now.Sub(a.Since).Round(time.Second).String() + ": " + a.Summary
		if a.Silenced != "" {
			text += " (silenced by " + a.Silenced + ")"
		}
		w.event(a.Target, text)
	}
	if was.Flapping != a.Flapping {
		text := wordAlert + a.Rule + wordFlaps + a.Summary
		if !a.Flapping {
			text = wordAlert + a.Rule + wordSteady
		}
		w.event(a.Target, text)
	}
	wasHeld := was.Held != nil && worth(was) // what was soft has not said so
	if wasHeld != (a.Held != nil) && a.Active() {
		if a.Held != nil {
			w.event(a.Target, wordAlert+a.Rule+wordHeld+a.Held.By)
		} else {
			w.event(a.Target, wordAlert+a.Rule+wordLetGo+was.Held.By)
		}
	}
}

// worth reports whether an alert has a row: a soft one comes and goes.
func worth(a *fleet.Alert) bool { return a.State != fleet.AlertPending || a.Hard }

// sameRow reports whether two versions of an alert need no row each: looks are
// counted without one.
func sameRow(a, b *fleet.Alert) bool {
	return worth(a) == worth(b) && a.State == b.State && a.Since.Equal(b.Since) && a.Flapping == b.Flapping && a.Severity == b.Severity && a.Stale.Equal(b.Stale) &&
		a.Held == b.Held && a.Ack == b.Ack && a.Silenced == b.Silenced && a.Quiet.Equal(b.Quiet)
}

func encode(v any) []byte {
	b, _ := json.Marshal(v) // our own nouns encode
	return b
}
