package alert

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// window is a maintenance that is ready to match.
type window struct {
	fleet.Maintenance
	match matchers
}

// maxSilences bounds what is kept of silences that ended.
const (
	maxSilences = 1000
	silenceKept = 30 * 24 * time.Hour
)

// silence asks of every alert whether somebody wants it kept quiet. It is asked
// of all of them where the silences changed, or time went over one's edge, else
// of those that changed.
func (w *work) silence() {
	all := w.silencesMoved() || w.moved
	all = w.flex(all) || all
	w.quieter = all
	active := w.activeSilences()
	open := w.openWindows()
	for i, a := range w.standing(all) {
		by := ""
		for k := range active {
			if x := &active[k]; x.match.match(a.Labels) && (x.at == "" || w.within(a, x.at)) {
				by = x.id
				break
			}
		}
		if by == "" {
			by = w.maintained(a, open)
		}
		if by == a.Silenced {
			continue
		}
		if w.edit(i).Silenced = by; by == "" && !a.Active() {
			w.soon(w.now.Add(linger)) // it was kept for as long as it was silenced
		}
	}
}

type activeSilence struct {
	id    string
	match matchers
	at    string
}

func (w *work) activeSilences() (out []activeSilence) {
	for i := range w.book.Silences {
		if s := &w.book.Silences[i]; s.Covers(w.now) {
			if m, err := compileMatchers(s.Matchers); err == nil {
				out = append(out, activeSilence{s.ID, m, s.At})
			}
		}
	}
	return out
}

// silencesMoved reports whether time went over an edge of a silence or of a
// maintenance since the step before, or a word changed one.
func (w *work) silencesMoved() bool {
	moved := w.spoken
	edge := func(t time.Time) {
		if t.IsZero() {
			return
		}
		moved = moved || w.before.Before(t) && !w.now.Before(t)
		w.wake(t)
	}
	for i := range w.book.Silences {
		edge(w.book.Silences[i].Start)
		edge(w.book.Silences[i].End)
	}
	for i := range w.rules.windows {
		m := &w.rules.windows[i]
		if len(m.Days) > 0 {
			moved = moved || m.Weekly(w.before) != m.Weekly(w.now)
			w.wake(m.Edge(w.now))
			continue
		}
		edge(m.From)
		edge(m.Until)
		if began, ok := w.book.Flexible[m.Name]; ok {
			edge(began.Add(m.Lasts))
		}
	}
	return moved
}

// openWindows are the maintenances that may cover something now.
func (w *work) openWindows() (out []*window) {
	for i := range w.rules.windows {
		m := &w.rules.windows[i]
		began, flexed := w.book.Flexible[m.Name]
		switch {
		case len(m.Days) > 0:
			if m.Weekly(w.now) {
				out = append(out, m)
			}
		case w.now.Before(m.From):
		case m.Lasts == 0 && w.now.Before(m.Until),
			m.Lasts > 0 && flexed && w.now.Before(began.Add(m.Lasts)):
			out = append(out, m)
		}
	}
	return out
}

// maintained names the maintenance that covers an alert, or "".
func (w *work) maintained(a *fleet.Alert, open []*window) string {
	for _, m := range open {
		if w.covers(m, a) {
			return "maintenance " + m.Name
		}
	}
	if d := w.Next.Devices.Get(a.Target); d != nil && d.Maintenance {
		return "maintenance"
	}
	return ""
}

func (w *work) within(a *fleet.Alert, place string) bool { return Within(w.Next, a, place) }

// Within reports whether an alert's target is a place, stands in it, is a part
// of it, or hangs on a feed.
func Within(s *fleet.Snapshot, a *fleet.Alert, place string) bool {
	if a.Target == place || a.Labels["rack"] == place || a.Labels["site"] == place || a.Labels["region"] == place || a.Labels["cloud"] == place {
		return true
	}
	id, _, _ := strings.Cut(a.Target, "/")
	d := s.Devices.Get(id)
	return d != nil && (id == place || d.Spec.Feed == place)
}

func (w *work) covers(m *window, a *fleet.Alert) bool {
	return m.match.match(a.Labels) && (m.At != "" || len(m.match) > 0) && (m.At == "" || w.within(a, m.At))
}

// flex begins the flexible maintenances whose first bad state is there, also
// where somebody keeps that quiet by another word, and reports whether one began.
func (w *work) flex(all bool) (began bool) {
	for i := range w.rules.windows {
		m := &w.rules.windows[i]
		if _, flexed := w.book.Flexible[m.Name]; flexed || m.Lasts == 0 || w.now.Before(m.From) || !w.now.Before(m.Until) {
			continue
		}
		for _, a := range w.standing(all) {
			if a.Active() && w.covers(m, a) {
				w.begin(m)
				began = true
				break
			}
		}
	}
	return began
}

func (w *work) begin(m *window) {
	next := make(map[string]time.Time, len(w.book.Flexible)+1)
	for k, v := range w.book.Flexible {
		next[k] = v
	}
	next[m.Name] = w.now
	w.book.Flexible = next
	w.say(fleet.Change{Target: self, Table: fleet.TableSilences, Row: rowFlexible + m.Name, At: w.now, Value: encode(w.now)})
	w.wake(w.now.Add(m.Lasts))
}

// words takes what people decided: silences, and acknowledgements.
func (w *work) words() {
	for _, s := range w.Silences {
		list := slices.Clone(w.book.Silences)
		if i := slices.IndexFunc(list, func(x fleet.Silence) bool { return x.ID == s.ID }); i >= 0 {
			list[i] = s
		} else {
			list = append(list, s)
		}
		if w.now.Before(s.End) {
			w.event(self, "silence "+s.ID+" of "+s.By+": "+s.Text()+", until "+s.End.UTC().Format(time.RFC3339)+": "+s.Comment)
		} else {
			w.event(self, "silence "+s.ID+" of "+s.By+" was ended: "+s.Text()+": "+s.Comment)
		}
		w.book.Silences, w.spoken = list, true
		w.say(fleet.Change{Target: self, Table: fleet.TableSilences, Row: rowSilence + s.ID, At: w.now, Value: encode(s)})
	}
	w.expire()
	for _, x := range w.Acks {
		if a := w.prev.Find(x.Alert); a != nil && a.Active() {
			n := *a
			if n.Ack = nil; x.Ack.By != "" {
				ack := x.Ack
				n.Ack = &ack
				w.event(a.Target, "acknowledged by "+ack.By+": "+a.Summary)
			}
			w.put(keyOf(a), &n)
		}
	}
	w.dropSilences()
}

// expire says which silences came to their end since the step before by time
// alone.
func (w *work) expire() {
	for i := range w.book.Silences {
		s := &w.book.Silences[i]
		said := slices.ContainsFunc(w.Silences, func(x fleet.Silence) bool { return x.ID == s.ID })
		if !said && !w.before.IsZero() && w.before.Before(s.End) && !w.now.Before(s.End) {
			w.event(self, "silence "+s.ID+" of "+s.By+" is over: "+s.Text()+": "+s.Comment)
		}
	}
}

// dropSilences forgets silences that ended long ago.
func (w *work) dropSilences() {
	old := func(s fleet.Silence) bool { return w.now.Sub(s.End) >= silenceKept }
	if len(w.book.Silences) <= maxSilences && !slices.ContainsFunc(w.book.Silences, old) {
		return
	}
	var kept []fleet.Silence
	over := len(w.book.Silences) - maxSilences
	for _, s := range w.book.Silences {
		if old(s) || over > 0 && !w.now.Before(s.End) {
			over--
			w.say(fleet.Change{Target: self, Table: fleet.TableSilences, Row: rowSilence + s.ID, At: w.now})
			continue
		}
		kept = append(kept, s)
	}
	w.book.Silences = kept
}

// Covered lists the active alerts that a silence covers, whenever it stands.
func Covered(s *fleet.Snapshot, q *fleet.Silence) (out []*fleet.Alert) {
	m, err := compileMatchers(q.Matchers)
	if err != nil || s.Alerts == nil || len(m) == 0 && q.At == "" {
		return nil
	}
	for _, a := range s.Alerts.List {
		if a.Active() && m.match(a.Labels) && (q.At == "" || Within(s, a, q.At)) {
			out = append(out, a)
		}
	}
	return out
}
