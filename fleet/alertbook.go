package fleet

import (
	"slices"
	"strings"
	"time"
)

// AlertBook is all that is known of alerts. It is never written after it was
// published.
type AlertBook struct {
	List     []*Alert // by target, rule and part
	Silences []Silence
	Groups   []AlertGroup // by key
	// Began is when this process began to look, and Settled whether it has seen
	// enough to tell anybody.
	Began   time.Time
	Settled bool
	// Flexible is when a flexible maintenance began, by its name.
	Flexible map[string]time.Time
	// Explained says which cause's alert explains a part, by the part's id, or
	// only one of its troubles, by the id and what of it with a zero byte between;
	// as of CausesAt. CausesDue is set where states changed since.
	Explained map[string]string
	CausesAt  time.Time
	CausesDue bool
	// SurveyedAt is when capacity was last looked at.
	SurveyedAt time.Time
	// Counts are the firing alerts by severity, without those that are held, and
	// Waiting those of them that nobody has acknowledged or silenced.
	Counts, Waiting [3]int
	// Newest is of each severity the alert that waits and fired last; nil: none.
	Newest [3]*Alert
	// Due is when time alone will change an alert next; zero: not before
	// something else does. Acked and Loose count those with an ack, and those
	// that are held by something that is over.
	Due          time.Time
	Acked, Loose int
}

// Of returns the alerts of a target.
func (b *AlertBook) Of(target string) []*Alert {
	if b == nil {
		return nil
	}
	from, _ := slices.BinarySearchFunc(b.List, target, func(a *Alert, t string) int { return strings.Compare(a.Target, t) })
	to := from
	for to < len(b.List) && b.List[to].Target == target {
		to++
	}
	return b.List[from:to]
}

// Find returns the alert with an id, or nil. A target may have slashes in it and
// so may a part, so that each of them may be where the target ends.
func (b *AlertBook) Find(id string) *Alert {
	rule, name, ok := strings.Cut(id, ":")
	if b == nil || !ok {
		return nil
	}
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '/') {
		part := strings.TrimPrefix(name[end:], "/")
		for _, a := range b.Of(name[:end]) {
			if a.Rule == rule && a.Part == part {
				return a
			}
		}
	}
	return nil
}

// On returns the active alerts of what a person means by an id: one alert by its
// own, else those of a target, of a part of a device ("DEVICE/PART", all of the
// device's where the part has none), of a rack or region and of all in it. Those
// that another one explains are left out, unless there is nothing else.
func (b *AlertBook) On(s *Snapshot, id string) []*Alert {
	if b == nil || id == "" {
		return nil
	}
	if a := b.Find(id); a != nil {
		return []*Alert{a}
	}
	var all []*Alert
	add := func(target string) { all = append(all, b.Of(target)...) }
	rack := func(id string) {
		add(id)
		for _, n := range s.DevicesOf[id] {
			add(s.Devices.ID(n))
		}
	}
	head, part, piece := strings.Cut(id, "/")
	switch {
	case s.Topology == nil:
		add(id)
	case s.Racks.Number(id) >= 0:
		rack(id)
	case s.Regions.Number(id) >= 0:
		add(id)
		for _, n := range s.RacksOf[id] {
			rack(s.Racks.ID(n))
		}
	case piece && s.Devices.Number(head) >= 0:
		if all = slices.Clone(b.Of(id)); len(all) > 0 {
			break
		}
		all = slices.DeleteFunc(slices.Clone(b.Of(head)), func(a *Alert) bool { return a.Part != part })
		if len(all) == 0 {
			add(head)
		}
	default:
		add(id)
	}
	return unexplained(all)
}

// unexplained are the active ones that nothing holds, else all active ones.
func unexplained(all []*Alert) []*Alert {
	all = slices.DeleteFunc(all, func(a *Alert) bool { return !a.Active() })
	var free []*Alert
	for _, a := range all {
		if a.Held == nil {
			free = append(free, a)
		}
	}
	if len(free) == 0 {
		return all
	}
	return free
}
