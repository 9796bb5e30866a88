package world

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is one thing that goes wrong, now or later.
type Fault struct {
	Name, Target string
	Start, End   time.Time // End is zero while it has none
	Cause        string
	Expect       string

	kind *kind
	ref  Ref
	port int // of a switch, or the number of a fan, PSU, service
	rack int // -1: not in one
}

// Errors of a fault list.
var ErrFault = errors.New("fault")

// kind is a sort of fault: what it needs and what it does.
type kind struct {
	name   string
	on     string // what a target is, in words
	cause  string
	expect string
	// pick resolves a target, or chooses one where it is empty.
	pick  func(w *World, f *Fault) error
	apply func(w *World, f *Fault, since float64, fx *effects)
}

// Kinds returns name, target and expectation of every fault, for a list.
func Kinds() (rows [][3]string) {
	for i := range kinds {
		rows = append(rows, [3]string{kinds[i].name, kinds[i].on, kinds[i].expect})
	}
	return rows
}

func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

// ParseFaults reads NAME[@TARGET][+DELAY[/SPAN]],... and checks it against the
// fleet. A fault without a span stays.
func (w *World) ParseFaults(spec string, now time.Time) ([]*Fault, error) {
	var list []*Fault
	for one := range strings.SplitSeq(spec, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		f, err := w.parseFault(one, now)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

func (w *World) parseFault(one string, now time.Time) (*Fault, error) {
	f := &Fault{Start: now.UTC(), rack: -1}
	head := one
	if i := strings.LastIndexByte(one, '+'); i >= 0 {
		delay, span, ends := strings.Cut(one[i+1:], "/")
		d, err := time.ParseDuration(delay)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%w %q: the delay is not a duration such as 30s", ErrFault, one)
		}
		head, f.Start = one[:i], f.Start.Add(d)
		if ends {
			if d, err = time.ParseDuration(span); err != nil || d <= 0 {
				return nil, fmt.Errorf("%w %q: how long it lasts is not a duration such as 60s", ErrFault, one)
			}
			f.End = f.Start.Add(d)
		}
	}
	f.Name, f.Target, _ = strings.Cut(head, "@")
	if f.kind = kindNamed(f.Name); f.kind == nil {
		return nil, fmt.Errorf("%w %q: no such fault; the closest is %s, and list shows all", ErrFault, f.Name, closest(f.Name))
	}
	if err := f.kind.pick(w, f); err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrFault, one, err)
	}
	f.describe()
	return f, nil
}

func (f *Fault) describe() {
	f.Cause = strings.ReplaceAll(f.kind.cause, "{}", f.Target)
	f.Expect = strings.ReplaceAll(f.kind.expect, "{}", f.Target)
}

// closest returns the name that shares most letter pairs with a wrong one.
func closest(name string) string {
	score := func(k kind) (n int) {
		for i := range len(name) - 1 {
			if strings.Contains(k.name, name[i:i+2]) {
				n++
			}
		}
		return n
	}
	best := slices.MaxFunc(kinds, func(a, b kind) int { return cmp.Compare(score(a), score(b)) })
	return best.name
}

// Inject adds faults. Those of the schedule go on beside them.
func (w *World) Inject(faults []*Fault, now time.Time) error {
	return w.change(now, func(float64) error {
		w.faults = append(w.faults, faults...)
		return nil
	})
}

// Faults returns what is wrong at now, oldest first.
func (w *World) Faults(now time.Time) []Fault {
	w.run(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	var active []Fault
	for _, f := range w.faults {
		if !now.Before(f.Start) && (f.End.IsZero() || now.Before(f.End)) {
			active = append(active, *f)
		}
	}
	slices.SortStableFunc(active, func(a, b Fault) int { return a.Start.Compare(b.Start) })
	return active
}

// schedule brings one fault after the other: three minutes on, two off.
type schedule struct {
	next  time.Time
	turn  int
	racks []int // where the last ones were
}

// The pace of the default schedule.
const (
	scheduleFirst = 30 * time.Second
	scheduleOn    = 3 * time.Minute
	scheduleOff   = 2 * time.Minute
)

// gentle is the fixed order of the default schedule.
var gentle = []string{
	"fan-slow", "psu-loss", "switch-flap", "firmware-drift", "bmc-silent", "host-dead", "port-errors", "pdu-loss",
	"temp-rise", "vlan-drift", "retirement", "cable-swap", "instance-spread", "default-user", "switch-loss", "bmc-lies", "sel-full", "counter-reset", "open-group",
}

// Schedule starts the default faults.
func (w *World) Schedule(now time.Time) {
	_ = w.change(now, func(float64) error {
		w.schedule = &schedule{next: now.Add(scheduleFirst)}
		return nil
	})
}

// advance brings what is due at t. mu is held.
func (s *schedule) advance(w *World, t float64) {
	for w.seconds(s.next) <= t {
		start := s.next
		s.next = start.Add(scheduleOn + scheduleOff)
		w.faults = slices.DeleteFunc(w.faults, func(f *Fault) bool { return !f.End.IsZero() && f.End.Before(start) })
		f := &Fault{Name: gentle[s.turn%len(gentle)], Start: start.UTC(), End: start.Add(scheduleOn).UTC(), rack: -1}
		f.kind = kindNamed(f.Name)
		s.turn++
		if s.pick(w, f) {
			f.describe()
			w.faults = append(w.faults, f)
		}
	}
}

// pick chooses a target in a rack that had none of the last faults.
func (s *schedule) pick(w *World, f *Fault) bool {
	for try := range 64 {
		c := *f
		c.port = try // a hint for the choice
		if c.kind.pick(w, &c) != nil {
			return false
		}
		if c.rack >= 0 && len(w.Racks) > 2 && slices.Contains(s.racks, c.rack) {
			continue
		}
		*f = c
		s.racks = append(s.racks, c.rack)
		if keep := min(6, len(w.Racks)/2); len(s.racks) > keep {
			s.racks = s.racks[len(s.racks)-keep:]
		}
		return true
	}
	return false
}
