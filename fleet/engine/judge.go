package engine

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

// verdict gathers reasons; the state is that of the worst.
type verdict struct {
	state   fleet.State
	reasons []reason
}

// reason is one thing that is so, and which part it speaks of. A part keeps
// its name while its text follows the readings.
type reason struct {
	state fleet.State
	about string
	text  string
}

// Parts that are not a port, a sensor, an outlet or a power supply.
const (
	aboutSight = "sight" // not seen for more than two intervals
	aboutBlind = "blind" // the last poll failed
	aboutPower = "power"
	aboutPath  = "path"
	aboutLog   = "log"
	aboutHost  = "host"
	aboutLight = "light"
	aboutNote  = "note " // what is known beside the state, and moves it nowhere
)

// maxReasons bounds what a row says.
const maxReasons = 16

func (v *verdict) add(s fleet.State, about, format string, args ...any) {
	v.state = fleet.Worst(v.state, s)
	v.reasons = append(v.reasons, reason{s, about, fmt.Sprintf(format, args...)})
}

// words returns the reasons and their parts, worst first.
func (v *verdict) words() (reasons, about []string) {
	slices.SortStableFunc(v.reasons, func(a, b reason) int {
		switch {
		case a.state.Worse(b.state):
			return -1
		case b.state.Worse(a.state):
			return 1
		}
		return 0
	})
	v.reasons = v.reasons[:min(len(v.reasons), maxReasons)]
	reasons, about = make([]string, len(v.reasons)), make([]string, len(v.reasons))
	for i, r := range v.reasons {
		reasons[i], about[i] = r.text, r.about
	}
	return reasons, about
}

// judge decides what a device's last readings say, and speaks up when that is
// another state than before or speaks of other parts. A value that moved while
// the same parts are in trouble is neither history nor news.
func (s *step) judge(i int) {
	d := s.devices.Peek(i)
	v := s.verdict(i, d)
	was := *d
	reasons, about := v.words()
	if was.State == v.state && slices.Equal(was.Reasons, reasons) && slices.Equal(was.About, about) {
		if s.unkept(d) {
			s.keepStatus(s.devices.At(i))
		}
		return
	}
	d = s.devices.At(i)
	d.State, d.Reasons, d.About = v.state, reasons, about
	s.next.Counts.By[fleet.KindOfDevice][was.State]--
	s.next.Counts.By[fleet.KindOfDevice][v.state]++
	s.changed, s.touched[i] = true, true
	s.look(i)
	if was.State == v.state && slices.Equal(was.About, about) {
		if s.unkept(d) {
			s.keepStatus(d)
		}
		return
	}
	s.keepStatus(d)
	s.stir(i)
	if was.State != v.state {
		s.guests = true // what stands on it may have changed with it
	}
	s.say(d, &was, v)
}

// stir has the devices at the other ends of a device's cables and cords judged
// again: what it shows now is evidence about them.
func (s *step) stir(i int) {
	if i < len(s.next.Near) {
		s.stirred = append(s.stirred, s.next.Near[i]...)
	}
}

// settleNear judges what was stirred, each device at most once in a step.
func (s *step) settleNear() {
	done := map[int]bool{}
	for len(s.stirred) > 0 {
		i := s.stirred[0]
		s.stirred = s.stirred[1:]
		if done[i] || s.devices.Peek(i).SeenAt.IsZero() {
			continue
		}
		done[i] = true
		before := s.devices.Peek(i).About
		s.judge(i)
		if d := s.devices.Peek(i); d.Blind() && !slices.Equal(before, d.About) {
			s.out.Nudges = append(s.out.Nudges, d.Spec.ID) // it may have come back with its neighbour
		}
	}
}

func (s *step) verdict(i int, d *fleet.Device) *verdict {
	v := &verdict{state: fleet.StateUnknown}
	switch {
	case len(d.Spec.Endpoints) == 0:
		v.add(fleet.StateUnknown, aboutSight, "no management address: nothing is polled")
		return v
	case d.SeenAt.IsZero() && d.Err != nil:
		v.add(fleet.StateUnknown, aboutSight, "never seen: %s", d.Err.Kind())
		return v
	case d.SeenAt.IsZero():
		v.add(fleet.StateUnknown, aboutSight, "not polled yet")
		return v
	case s.silent(d):
		v.add(fleet.StateUnknown, aboutSight, "not seen since %s: %s", d.SeenAt.UTC().Format(clock), why(d))
		s.witness(v, i, d)
		return v
	}
	v.state = fleet.StateOff
	if d.Power == fleet.PowerOff {
		v.add(fleet.StateOff, aboutPower, "power is off")
	} else {
		v.state = fleet.StateOK
	}
	s.judgeAge(v, d)
	s.judgeHost(v, i, d) // first among equals: users feel it
	judgeLog(v, d)
	s.judgeSensors(v, d)
	s.judgePorts(v, d)
	s.judgeOutlets(v, d)
	if d.Blind() {
		v.add(v.state, aboutBlind, "blind since %s: %s", d.BlindSince.UTC().Format(clock), why(d))
		s.witness(v, i, d)
		return v
	}
	s.judgeWord(v, d)
	return v
}

// judgeAge finds tables that are no longer read while others are: a BMC that
// says its power state and hangs on its sensors. What they said last stays in
// sight; that it is still so nobody knows.
func (s *step) judgeAge(v *verdict, d *fleet.Device) {
	for _, t := range [...]fleet.TableID{fleet.TableFacts, fleet.TableSensors, fleet.TablePorts, fleet.TableOutlets} {
		st := d.Tables[t]
		if st.At.IsZero() || st.Is == fleet.Absent || s.now.Sub(st.At) <= 2*s.next.Intervals[st.Lane] {
			continue
		}
		v.add(fleet.StateUnknown, "table "+t.String(), "%s not read since %s", t, st.At.UTC().Format(clock))
	}
}

// clock is how reasons write a time; the day is that of the screen.
const clock = "15:04:05"

// silent reports whether everything known of a device is older than two of its
// intervals.
func (s *step) silent(d *fleet.Device) bool {
	return s.now.Sub(d.SeenAt) > 2*s.next.Intervals[fleet.LaneFast]
}

// lit reports whether what a device last said can serve as evidence about
// another one.
func (s *step) lit(d *fleet.Device) bool {
	return !d.SeenAt.IsZero() && !d.Blind() && !s.silent(d)
}

func why(d *fleet.Device) string {
	if d.Err != nil {
		return d.Err.Kind()
	}
	return "no answer"
}

func (s *step) judgeOutlets(v *verdict, d *fleet.Device) {
	for i := range d.Outlets {
		o := &d.Outlets[i]
		if o.State != "off" {
			continue
		}
		if far, ok := s.next.Corded[d.Spec.ID+"/"+outletRow(o)]; ok {
			v.add(fleet.StateWarn, "outlet "+outletRow(o), "outlet %d is off (feeds %s %s)", o.Index, s.devices.Peek(far.Device).Spec.ID, far.Part)
		}
	}
}

// judgeHost takes the cloud's word about the machine into the machine's own
// row: a hypervisor may be dead while its BMC is fine.
func (s *step) judgeHost(v *verdict, i int, d *fleet.Device) {
	n, ok := s.next.HostOf[i]
	if !ok || d.Power == fleet.PowerOff {
		return
	}
	h := s.next.Hosts.At(n)
	if c := s.cloud(h.Cloud); c == nil || c.State == fleet.StateUnknown {
		return
	}
	switch h.State {
	case fleet.StateCrit:
		v.add(fleet.StateCrit, aboutHost, "%s says its compute service is down, with %s on it", h.Cloud, fleet.Count(h.RunningVMs, "instance"))
	case fleet.StateWarn:
		v.add(fleet.StateWarn, aboutHost, "%s: %s", h.Cloud, disabled(h))
	}
}

func disabled(h *fleet.HostState) string {
	if h.Maintenance == "" {
		return "disabled as a hypervisor"
	}
	return "disabled as a hypervisor: " + h.Maintenance
}

// age judges again what nobody polled in this step: a value older than two of
// its intervals is unknown, whoever stopped asking.
func (s *step) age() {
	s.findSilentSites()
	limit := 2 * s.next.Intervals[fleet.LaneFast]
	s.next.Oldest = zero
	for i := range s.devices.Len() {
		d := s.devices.Peek(i)
		if d.SeenAt.IsZero() {
			continue
		}
		if s.next.Oldest.IsZero() || d.SeenAt.Before(s.next.Oldest) {
			s.next.Oldest = d.SeenAt
		}
		if s.silent(d) && !slices.Contains(d.About, aboutSight) {
			s.judge(i)
		}
		s.weighAged(i, d)
	}
	s.ageHealth()
	for i := range s.clouds.Len() {
		c := s.clouds.Peek(i)
		s.doubtAged(i, c)
		if !c.SeenAt.IsZero() && s.now.Sub(c.SeenAt) > limit && c.State != fleet.StateUnknown {
			s.judgeCloud(i)
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
