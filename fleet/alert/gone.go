package alert

import "plumb/fleet"

// vanished ends alerts of parts that a complete table of their device does not
// have any more: a sensor that was taken out with its card is no sensor that
// cannot be read. A table that is partial or failed says nothing, and a machine
// that is off shows fewer sensors than it has.
func (w *work) vanished(d *fleet.Device, mine []*fleet.Alert, table fleet.TableID, on string, there func(*fleet.Alert) bool) {
	if len(mine) == 0 || d.Tables[table].Is != fleet.Complete || d.Power == fleet.PowerOff {
		return
	}
	w.gone(mine, on, there)
}

// gone ends alerts of subjects that are not listed any more, where that is an
// answer: a finding that is over, a cause that explains nothing, a part that its
// device does not have. What was a part says so.
func (w *work) gone(mine []*fleet.Alert, on string, there func(*fleet.Alert) bool) {
	for _, a := range mine {
		p := w.rules.byName[a.Rule]
		if p == nil || p.On != on || there(a) {
			continue
		}
		k := keyOf(a)
		now := w.get([]*fleet.Alert{a}, k) // as this step has it
		if now == nil {
			continue
		}
		n := p.limits.look(now, False, True, w.now)
		if word := "the " + on + " is not there any more"; polled[on] && n != nil && n.Active() != now.Active() && n.Evidence != word {
			y := *n
			y.Evidence = word
			n = &y
		}
		w.settle(k, now, n)
	}
}
