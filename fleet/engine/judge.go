package engine

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// verdict gathers reasons; the state is that of the worst.
type verdict struct {
	state   fleet.State
	reasons []reason
}

type reason struct {
	state fleet.State
	text  string
}

func (v *verdict) add(s fleet.State, format string, args ...any) {
	v.state = fleet.Worst(v.state, s)
	v.reasons = append(v.reasons, reason{s, fmt.Sprintf(format, args...)})
}

// words returns the reasons, worst first, at most 16.
func (v *verdict) words() []string {
	slices.SortStableFunc(v.reasons, func(a, b reason) int {
		switch {
		case a.state.Worse(b.state):
			return -1
		case b.state.Worse(a.state):
			return 1
		}
		return 0
	})
	out := make([]string, 0, min(len(v.reasons), 16))
	for _, r := range v.reasons[:min(len(v.reasons), 16)] {
		out = append(out, r.text)
	}
	return out
}

// judge decides what a device's last readings say, and speaks up when that is
// another state than before.
func (s *step) judge(i int) {
	d := s.devices.Peek(i)
	v := s.verdict(d)
	was, reasons := d.State, v.words()
	if was == v.state && slices.Equal(d.Reasons, reasons) {
		return
	}
	fresh := s.prev.Devices.Number(d.Spec.ID) < 0 || neverSeen(s.prev.Devices.Get(d.Spec.ID))
	d = s.devices.At(i)
	d.State, d.Reasons = v.state, reasons
	s.next.Counts.By[fleet.KindOfDevice][was]--
	s.next.Counts.By[fleet.KindOfDevice][v.state]++
	s.changed, s.touched[i] = true, true
	s.change(d.Spec.ID, fleet.TableStatus, "device", encode(Status{State: d.State, Reasons: d.Reasons, Power: d.Power}))
	if was != v.state {
		s.guests = true // what stands on it may have changed with it
		s.say(d, was, fresh)
	}
}

// Status is the row that keeps what a device was judged to be.
type Status struct {
	State   fleet.State `json:"state"`
	Reasons []string    `json:"reasons"`
	Power   fleet.Power `json:"power"`
}

func neverSeen(d *fleet.Device) bool { return d.SeenAt.IsZero() && d.State == fleet.StateUnknown }

// say writes the change of state down as an event. The first look at a healthy
// device is no news.
func (s *step) say(d *fleet.Device, was fleet.State, fresh bool) {
	bad := d.State == fleet.StateWarn || d.State == fleet.StateCrit
	if fresh && !bad {
		return
	}
	sev := fleet.SeverityInfo
	switch {
	case d.State == fleet.StateCrit:
		sev = fleet.SeverityCrit
	case d.State == fleet.StateWarn && !was.Worse(d.State), d.State == fleet.StateUnknown:
		sev = fleet.SeverityWarn
	}
	text := was.String() + " → " + d.State.String()
	if len(d.Reasons) > 0 {
		text += ": " + d.Reasons[0]
	}
	s.event(d.Spec.ID, "state", text, sev, d.State != fleet.StateOK)
}

func (s *step) verdict(d *fleet.Device) *verdict {
	v := &verdict{state: fleet.StateUnknown}
	if len(d.Spec.Endpoints) == 0 {
		v.add(fleet.StateUnknown, "no management address: nothing is polled")
		return v
	}
	if d.SeenAt.IsZero() {
		if d.Err != nil {
			v.add(fleet.StateUnknown, "never seen: %s", d.Err.Kind())
		} else {
			v.add(fleet.StateUnknown, "not polled yet")
		}
		return v
	}
	if limit := 2 * s.next.Intervals[fleet.LaneFast]; s.now.Sub(d.SeenAt) > limit {
		why := "no answer"
		if d.Err != nil {
			why = d.Err.Kind()
		}
		v.add(fleet.StateUnknown, "not seen since %s: %s", d.SeenAt.UTC().Format("15:04:05"), why)
		return v
	}
	v.state = fleet.StateOff
	if d.Power == fleet.PowerOff {
		v.add(fleet.StateOff, "power is off")
	} else {
		v.state = fleet.StateOK
	}
	judgeSensors(v, d)
	s.judgePorts(v, d)
	s.judgeOutlets(v, d)
	return v
}

func judgeSensors(v *verdict, d *fleet.Device) {
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if x.State != fleet.StateWarn && x.State != fleet.StateCrit {
			continue
		}
		if x.Text != "" && !x.Value.Known {
			v.add(x.State, "%s %s", x.Name, x.Text)
			continue
		}
		v.add(x.State, "%s %s%s%s", x.Name, x.Value, unit(x.Unit), beyond(x))
	}
}

func unit(u string) string {
	if u == "" {
		return ""
	}
	return " " + u
}

// beyond names the limit a value has crossed.
func beyond(x *fleet.Sensor) string {
	l := x.Limits
	for _, c := range []struct {
		at   fleet.Num
		sign int
		word string
	}{{l.HighCrit, 1, "crit"}, {l.LowCrit, -1, "crit"}, {l.HighWarn, 1, "warn"}, {l.LowWarn, -1, "warn"}} {
		if c.at.Known && x.Value.Known && x.Value.Cmp(c.at)*c.sign >= 0 {
			return fmt.Sprintf(" (%s %s)", c.word, c.at)
		}
	}
	return ""
}

// judgePorts finds cables that ought to carry light and do not. A port whose
// far end is switched off is as it should be.
func (s *step) judgePorts(v *verdict, d *fleet.Device) {
	for i := range d.Ports {
		p := &d.Ports[i]
		if p.Oper == "up" || p.Oper == "" {
			continue
		}
		far, ok := s.next.Cabled[d.Spec.ID+"/"+p.Name]
		if !ok {
			continue
		}
		end := s.devices.Peek(far.Device)
		switch {
		case p.Admin == "down":
			v.add(fleet.StateWarn, "%s is shut (cabled to %s %s)", p.Name, end.Spec.ID, far.Part)
		case end.Power == fleet.PowerOff:
		default:
			v.add(fleet.StateWarn, "%s %s (cabled to %s %s)", p.Name, p.Oper, end.Spec.ID, far.Part)
		}
	}
}

func (s *step) judgeOutlets(v *verdict, d *fleet.Device) {
	for i := range d.Outlets {
		o := &d.Outlets[i]
		if o.State != "off" {
			continue
		}
		if far, ok := s.next.Corded[d.Spec.ID+"/"+outletRow(o)]; ok {
			v.add(fleet.StateWarn, "outlet %d is off (feeds %s %s)", o.Index, s.devices.Peek(far.Device).Spec.ID, far.Part)
		}
	}
}

// age judges again what nobody polled in this step: a value older than two of
// its intervals is unknown, whoever stopped asking.
func (s *step) age() {
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
		if s.now.Sub(d.SeenAt) > limit && !strings.HasPrefix(first(d.Reasons), "not seen") {
			s.judge(i)
		}
	}
	for i := range s.clouds.Len() {
		if c := s.clouds.Peek(i); !c.SeenAt.IsZero() && s.now.Sub(c.SeenAt) > limit && c.State != fleet.StateUnknown {
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

// measure fills in what is read off a device's tables: power state, watts and
// inlet temperature.
func measure(d *fleet.Device) {
	switch d.Facts.Get(fleet.FactPower) {
	case "on":
		d.Power = fleet.PowerOn
	case "off":
		d.Power = fleet.PowerOff
	default:
		d.Power = fleet.PowerUnknown
	}
	d.PowerW, d.InletC = watts(d), fleet.Num{}
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if name := strings.ToLower(x.Name); x.Class == fleet.ClassTemperature && (strings.Contains(name, "inlet") || strings.Contains(name, "ambient")) {
			d.InletC = x.Value
			break
		}
	}
}

// watts prefers what a machine says of itself as a whole (DCMI, a PDU's own
// total), then the sum of its outlets, then the sum of its inputs. Phases and
// banks are parts of a total and never added to it.
func watts(d *fleet.Device) fleet.Num {
	var inputs sum
	for i := range d.Sensors {
		x := &d.Sensors[i]
		if x.Class != fleet.ClassPower || x.Unit != "W" || !x.Value.Known {
			continue
		}
		table, _, _ := strings.Cut(x.Key, ":")
		switch {
		case x.Key == "dcmi.power", strings.HasSuffix(table, "DeviceStatus"), x.Key == "rPDUIdent:power":
			return x.Value
		case strings.Contains(strings.ToLower(x.Name), "out"), strings.Contains(table, "Phase"), strings.Contains(table, "Bank"):
		default:
			inputs.add(x.Value)
		}
	}
	var outlets sum
	for i := range d.Outlets {
		outlets.add(d.Outlets[i].PowerW)
	}
	if outlets.n > 0 {
		return outlets.num(1)
	}
	return inputs.num(1)
}

// sum adds what is known; of nothing it is null.
type sum struct {
	total float64
	n     int
}

func (s *sum) add(n fleet.Num) {
	if n.Known {
		s.total, s.n = s.total+n.Float(), s.n+1
	}
}

func (s *sum) num(decimals int) fleet.Num {
	if s.n == 0 {
		return fleet.Num{}
	}
	return fleet.FromFloat(s.total, decimals)
}
